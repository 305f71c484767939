//! `export`: a container's root as an archive.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::name::t;
use crate::sys::process::STDOUT;
use crate::sys::{OwnedFd, fs, terminal};
use crate::tar::tree::{How, tree};
use crate::tar::write::Tar;
use crate::view::{self, View};
use std::os::fd::AsFd;

/// `mydocker export`.
pub fn export(given: &Given) -> Result<u8> {
    let (store, record) = view::find(given, given.word())?;
    let out = output(given.value("output"))?;
    let upper = view::upper(&record)?;
    let view = View::of(&store, &record, false)?;
    let mut tar = Tar::new(out.as_fd());
    tree(&mut tar, view.root, &How { ids: upper.ids(), ..How::default() }, text!("export"))?;
    tar.end().map_err(|errno| tar.error(text!("export"), t(c""), errno))?;
    Ok(0)
}

/// Where an archive is written to: that file, or standard output, but not to a terminal.
pub fn output(path: Option<Text>) -> Result<OwnedFd> {
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        if terminal::is_terminal(STDOUT) {
            return Err(Error::new(text!("cowardly refusing to save to a terminal"), &[])
                .hint(text!("use the -o flag or redirect"), &[]));
        }
        return fs::duplicate(STDOUT).map_err(|errno| Error::sys(text!("write to standard output"), t(c""), errno));
    };
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_NOCTTY;
    fs::open_follow(fs::CWD, path, flags, 0o600).map_err(|errno| Error::sys(text!("open"), path, errno))
}
