//! mydocker as an ordinary user: root of a user namespace of his own, before anything else is done.

use crate::error::{Error, Result};
use crate::perform;
use crate::plan::{self, Entry, Ids};
use crate::sys::call::Slots;
use crate::sys::name::{Text, t};
use crate::sys::{Errno, fs, process};
use crate::text::filled;

/// Where the user's store is; docker's and podman's users look for data there.
pub fn store() -> Result<Text> {
    if let Some(data) = process::variable(t(c"XDG_DATA_HOME")).filter(|path| path.first() == b'/') {
        return Ok(filled("%/mydocker", &[data]));
    }
    match process::variable(t(c"HOME")).filter(|path| path.first() == b'/') {
        Some(home) => Ok(filled("%/.local/share/mydocker", &[home])),
        None => Err(Error::new("there is no HOME to keep images in", &[])
            .hint("--root DIR or MYDOCKER_ROOT names a directory", &[])),
    }
}

/// The ids that the caller can have in a container.
pub fn ids() -> Ids {
    Ids::only(process::euid(), process::egid())
}

/// Becomes root of a new user namespace.
pub fn enter(ids: &Ids) -> Result<()> {
    let mut slots = Slots::new(0);
    for entry in &plan::entering(ids) {
        perform::step(entry, &mut slots).map_err(|errno| refused(entry, errno))?;
    }
    Ok(())
}

/// Why not, found by looking.
fn refused(entry: &Entry, errno: Errno) -> Error {
    let zero = |file| fs::read_file(file, 64).is_ok_and(|value| value.trim_ascii() == b"0");
    let hint = if zero(t(c"/proc/sys/user/max_user_namespaces")) {
        "/proc/sys/user/max_user_namespaces is 0: root has turned user namespaces off"
    } else if zero(t(c"/proc/sys/kernel/unprivileged_userns_clone")) {
        "/proc/sys/kernel/unprivileged_userns_clone is 0: only root may make user namespaces here"
    } else if errno == Errno::ENOSPC || errno == Errno::EUSERS {
        "a limit in /proc/sys/user/max_*_namespaces is reached"
    } else {
        "an ordinary user needs a user namespace, and something forbids it: a chroot, an outer container, a seccomp \
         filter or AppArmor"
    };
    perform::describe(entry, errno).hint(hint, &[])
}
