//! Copying a tree with all that the kernel keeps of it: a named volume's first content.

use crate::error::{Error, Result};
use std::os::fd::BorrowedFd;

/// Copies the content of the directory `from` into the empty directory `to`; owner, mode, times and xattrs of the
/// directory itself too.
pub fn tree(from: BorrowedFd, to: BorrowedFd) -> Result<()> {
    let _ = (from, to);
    Err(Error::new(&[b"copy is not there yet"]))
}
