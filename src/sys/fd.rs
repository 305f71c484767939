//! A descriptor that is closed when its owner goes.
//!
//! std's `OwnedFd` closes through libc, whose `close` keeps errno in thread-local storage, which we have none of.

use core::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd as Inner, RawFd};
use syscalls::Sysno;

/// The only owner of a descriptor.
#[derive(Debug)]
pub struct OwnedFd(ManuallyDrop<Inner>);

impl Drop for OwnedFd {
    // At every way out of every function that opens something.
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: this is the only owner of the number, so nothing else uses it after this.
        let _ = unsafe { syscalls::syscall!(Sysno::close, self.as_raw_fd()) };
    }
}

impl FromRawFd for OwnedFd {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller's promise is the same.
        Self(ManuallyDrop::new(unsafe { Inner::from_raw_fd(fd) }))
    }
}

impl AsRawFd for OwnedFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for OwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(any(test, fuzzing))]
mod tests {
    use super::*;

    impl From<std::fs::File> for OwnedFd {
        fn from(file: std::fs::File) -> Self {
            Self(ManuallyDrop::new(file.into()))
        }
    }

    impl From<std::io::PipeReader> for OwnedFd {
        fn from(reader: std::io::PipeReader) -> Self {
            Self(ManuallyDrop::new(reader.into()))
        }
    }
}
