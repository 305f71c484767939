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
    perform::describe(entry, errno).hint(forbidden(errno), &[])
}

/// What forbids user namespaces.
pub fn forbidden(errno: Errno) -> &'static str {
    let is = |file, value| fs::read_file(file, 1) == Ok(value);
    if is(t(c"/proc/sys/user/max_user_namespaces"), b"0") {
        "/proc/sys/user/max_user_namespaces is 0: root has turned user namespaces off"
    } else if is(t(c"/proc/sys/kernel/unprivileged_userns_clone"), b"0") {
        "/proc/sys/kernel/unprivileged_userns_clone is 0: only root may make user namespaces here"
    } else if is(t(c"/proc/sys/kernel/apparmor_restrict_unprivileged_userns"), b"1") {
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1: AppArmor lets only those programs that have a profile"
    } else if errno == Errno::ENOSPC || errno == Errno::EUSERS {
        "a limit in /proc/sys/user/max_*_namespaces is reached"
    } else {
        "an ordinary user needs a user namespace, and something forbids it: a chroot, an outer container, a seccomp \
         filter or AppArmor"
    }
}
