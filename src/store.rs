//! The store: the directory with images, layers, containers, volumes and names.
//!
//! A container is alive while somebody holds the lock of its directory (flock, which the kernel drops whatever ends
//! the holder). A directory whose lock nobody holds is what a killed mydocker has left; the next one sweeps it.

use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::text::{ancestors, filled, keep};
use crate::{cgroup, cli, record, remove, userns};
use std::os::fd::{AsFd, BorrowedFd};

/// An open store.
pub struct Store {
    dir: OwnedFd,
    /// Its path, absolute.
    pub path: Text,
    /// It is an ordinary user's.
    pub rootless: bool,
    /// The directory of containers. Its lock is shared by those who are between making a container's directory and
    /// locking it, and exclusive to who sweeps: so nothing half-made is swept.
    gate: OwnedFd,
}

const ROOT_DIR: Text = t(c"/var/lib/mydocker");

/// The last is what a store is known by, so one that was cut off while it was made is made again.
const DIRS: [Text; 5] = [t(c"images"), t(c"layers"), t(c"names"), t(c"volumes"), t(c"containers")];

impl Store {
    /// For a command that starts nothing. An ordinary user is root of his user namespace from here on.
    pub fn enter(root: Option<Text>) -> Result<Self> {
        let user = userns::ids(None)?;
        let path = self::path(root, user.is_some())?;
        process::clear_umask();
        user.as_ref().map_or(Ok(()), userns::enter)?;
        let store = Self::open(path, user.is_some())?;
        store.sweep();
        Ok(store)
    }

    /// Opens the store, or makes it.
    pub fn open(path: Text, rootless: bool) -> Result<Self> {
        Self::try_open(path, rootless).map_err(|errno| {
            let error = Error::sys(text!("open the store"), path, errno);
            error.hint(text!("--root DIR or MYDOCKER_ROOT names another directory"), &[])
        })
    }

    fn try_open(path: Text, rootless: bool) -> core::result::Result<Self, Errno> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let mut made = false;
        loop {
            let opened = fs::open_follow(fs::CWD, path, flags, 0).and_then(|dir| {
                Ok(Self { gate: fs::open(dir.as_fd(), t(c"containers"), flags, 0)?, dir, path, rootless })
            });
            if made || !matches!(opened, Err(Errno::ENOENT)) {
                return opened;
            }
            make(path)?;
            made = true;
        }
    }

    /// The store's directory.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Nobody sweeps from now until `made`.
    pub fn making(&self) -> core::result::Result<(), Errno> {
        fs::lock(self.gate.as_fd(), libc::LOCK_SH)
    }

    /// Nobody makes a container from now until `made`.
    pub fn alone(&self) -> core::result::Result<(), Errno> {
        fs::lock(self.gate.as_fd(), libc::LOCK_EX)
    }

    /// The container's directory is locked.
    pub fn made(&self) {
        let _ = fs::lock(self.gate.as_fd(), libc::LOCK_UN);
    }

    /// The directory of containers.
    pub fn containers(&self) -> BorrowedFd<'_> {
        self.gate.as_fd()
    }

    /// Removes what killed mydockers have left. Two system calls where there is nothing. What cannot be removed (a
    /// mount from outside lies on it) stays for the next time; that isn't this command's failure.
    pub fn sweep(&self) {
        let mut dead: Vec<Text> = Vec::new();
        let mut locked = false;
        let _ = fs::each_entry(self.gate.as_fd(), &mut |id, _| {
            // Somebody is making a container, or sweeps already: then it is their turn, or the next command's.
            locked = locked || fs::lock(self.gate.as_fd(), libc::LOCK_EX | libc::LOCK_NB).is_ok();
            if locked && self.dead(id).is_some() {
                dead.push(keep(id.to_bytes()));
            }
        });
        if !dead.is_empty() {
            let layout = cgroup::everywhere(self.rootless);
            dead.iter().for_each(|&id| self.bury(&layout, id));
        }
        if locked {
            self.made();
        }
    }

    /// Its directory, with a lock, if nobody else holds that, and it is not as who ends in order would leave it.
    fn dead(&self, id: Name) -> Option<OwnedFd> {
        // Not what somebody has mounted over it, whose lock nobody holds. Shared: two that look at the same time must not
        // each take the other for its life.
        let dir = remove::open_same_mount(self.gate.as_fd(), id).ok()?;
        fs::lock(dir.as_fd(), libc::LOCK_SH | libc::LOCK_NB).ok()?;
        (!record::is_at_rest(dir.as_fd())).then_some(dir)
    }

    /// What a dead container is to leave: nothing, or if it stays what it was and that it has ended.
    fn bury(&self, layout: &cgroup::Layout, id: Text) {
        // Locked to the end: an `rm` that is at it, or comes to it, is not at it at the same time.
        let Some(dir) = self.dead(id) else { return };
        remove_cgroups(layout, id);
        if record::stays(dir.as_fd()) {
            record::lost(dir.as_fd());
        } else {
            let _ = self.remove(id);
        }
    }

    /// Removes all that there is of a container but its cgroups.
    pub fn remove(&self, id: Text) -> core::result::Result<(), remove::Left> {
        if let Ok(dir) = remove::open_same_mount(self.gate.as_fd(), id) {
            record::forget(dir.as_fd());
        }
        self.remove_names(id);
        remove::tree(self.gate.as_fd(), id)
    }

    /// Takes all its names away.
    pub fn remove_names(&self, id: Text) {
        let Ok(names) = self.names() else { return };
        let _ = fs::each_entry(names.as_fd(), &mut |name, _| {
            let mut target = [0; 128];
            if fs::read_link(names.as_fd(), name, &mut target) == Ok(id.to_bytes()) {
                let _ = fs::unlink(names.as_fd(), name);
            }
        });
    }

    /// The id of the container that has a name.
    pub fn named(&self, name: Text) -> Option<Text> {
        let mut target = [0; 128];
        fs::read_link(self.dir(), filled("names/%", &[name]), &mut target).ok().map(keep)
    }
}

/// A container's cgroups, in whatever hierarchy it has one.
pub fn remove_cgroups(layout: &cgroup::Layout, id: Text) {
    for hierarchy in &layout.hierarchies {
        let _ = cgroup::remove(cgroup::path(hierarchy.path, id));
    }
}

/// Where the store is.
pub fn path(root: Option<Text>, rootless: bool) -> Result<Text> {
    let path = match root.or_else(|| process::variable(t(c"MYDOCKER_ROOT"))) {
        Some(path) => path,
        None if rootless => userns::store()?,
        None => ROOT_DIR,
    };
    // Steps change the working directory, and a plan may be made twice.
    cli::absolute(path, None)
}

/// The store's directories, and what is above them.
fn make(path: Text) -> core::result::Result<(), Errno> {
    for above in ancestors(path) {
        // 0700: images have set-user-ID files, which no user of the host may reach (CVE-2021-41091).
        mkdir(fs::CWD, above, if above == path { 0o700 } else { 0o755 })?;
    }
    let dir = fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    DIRS.iter().try_for_each(|&name| mkdir(dir.as_fd(), name, 0o700))
}

fn mkdir(dir: BorrowedFd, name: Text, mode: u32) -> core::result::Result<(), Errno> {
    match fs::mkdir(dir, name, mode) {
        Err(Errno::EEXIST) => Ok(()),
        result => result,
    }
}
