//! The store: the directory with images, layers, containers, volumes and names.
//!
//! A container is alive while somebody holds the lock of its directory (flock, which the kernel drops whatever ends
//! the holder). A directory whose lock nobody holds is what a killed mydocker has left; the next one sweeps it.

use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{keep, keep_all};
use crate::{cgroup, remove};
use std::os::fd::{AsFd, BorrowedFd};

/// An open store.
pub struct Store {
    dir: OwnedFd,
    /// The directory of containers. Its lock is shared by those who are between making a container's directory and
    /// locking it, and exclusive to who sweeps: so nothing half-made is swept.
    gate: OwnedFd,
}

const DIRS: [Text; 5] = [t(c"containers"), t(c"images"), t(c"layers"), t(c"names"), t(c"volumes")];

impl Store {
    /// Opens the store, or makes it.
    pub fn open(path: Text) -> Result<Self> {
        let describe = |errno| {
            Error::sys("open the store", path.to_bytes(), errno)
                .hint("--root DIR or MYDOCKER_ROOT names another directory", &[])
        };
        let dir = match fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_DIRECTORY, 0) {
            Err(Errno::ENOENT) => {
                make_parents(path).map_err(describe)?;
                fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_DIRECTORY, 0)
            }
            result => result,
        };
        let dir = dir.map_err(describe)?;
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let gate = match fs::open(dir.as_fd(), t(c"containers"), flags, 0) {
            Err(Errno::ENOENT) => {
                for name in DIRS {
                    // 0700: images have set-user-ID files, which no user of the host may reach (CVE-2021-41091).
                    match fs::mkdir(dir.as_fd(), name, 0o700) {
                        Ok(()) | Err(Errno::EEXIST) => {}
                        Err(errno) => return Err(describe(errno)),
                    }
                }
                fs::open(dir.as_fd(), t(c"containers"), flags, 0)
            }
            result => result,
        };
        Ok(Self { gate: gate.map_err(describe)?, dir })
    }

    /// The store's directory.
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    /// Nobody sweeps from now until `made`.
    pub fn making(&self) {
        let _ = fs::lock(self.gate.as_fd(), libc::LOCK_SH);
    }

    /// The container's directory is locked.
    pub fn made(&self) {
        let _ = fs::lock(self.gate.as_fd(), libc::LOCK_UN);
    }

    /// Removes what killed mydockers have left. Two system calls where there is nothing. What cannot be removed (a
    /// mount from outside lies on it) stays for the next time; that isn't this command's failure.
    pub fn sweep(&self) {
        let mut buf = fs::DirBuf::new();
        let mut dead: Vec<Text> = Vec::new();
        let mut locked = false;
        while let Ok(entries) = fs::read_dir(self.gate.as_fd(), &mut buf) {
            if entries.is_end() {
                break;
            }
            let small = entries.is_small();
            for (id, _) in entries {
                // Somebody is making a container, or sweeps already: then it is their turn, or the next command's.
                locked = locked || fs::lock(self.gate.as_fd(), libc::LOCK_EX | libc::LOCK_NB).is_ok();
                if locked && self.is_dead(id) {
                    dead.push(keep(id.to_bytes()));
                }
            }
            if small {
                break;
            }
        }
        if !dead.is_empty() {
            let layout = cgroup::everywhere();
            dead.iter().for_each(|&id| self.remove(&layout, id));
        }
        if locked {
            self.made();
        }
    }

    fn is_dead(&self, id: Name) -> bool {
        // Not what somebody has mounted over it, whose lock nobody holds.
        let dir = remove::open_same_mount(self.gate.as_fd(), id);
        dir.is_ok_and(|dir| fs::lock(dir.as_fd(), libc::LOCK_EX | libc::LOCK_NB).is_ok())
    }

    fn remove(&self, layout: &cgroup::Layout, id: Text) {
        for hierarchy in &layout.hierarchies {
            let _ = cgroup::remove(cgroup::path(hierarchy.path, id));
        }
        self.remove_names(id);
        let _ = remove::tree(self.gate.as_fd(), id);
    }

    fn remove_names(&self, id: Text) {
        let mut buf = fs::DirBuf::new();
        let Ok(names) = fs::open(self.dir(), t(c"names"), libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return };
        while let Ok(entries) = fs::read_dir(names.as_fd(), &mut buf) {
            if entries.is_end() {
                return;
            }
            for (name, _) in entries {
                let mut target = [0; 128];
                if fs::read_link(names.as_fd(), name, &mut target) == Ok(id.to_bytes()) {
                    let _ = fs::unlink(names.as_fd(), name);
                }
            }
        }
    }

    /// The id of the container that has a name.
    pub fn named(&self, name: Text) -> Option<Text> {
        let mut target = [0; 128];
        fs::read_link(self.dir(), keep_all(&[b"names/", name.to_bytes()]), &mut target).ok().map(keep)
    }
}

/// `mkdir -p`, 0700.
fn make_parents(path: Name) -> core::result::Result<(), Errno> {
    let bytes = path.to_bytes();
    for (index, _) in bytes.iter().enumerate().filter(|&(index, &byte)| byte == b'/' && index > 0) {
        match fs::mkdir(fs::CWD, keep(bytes.get(..index).unwrap_or_default()), 0o755) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    match fs::mkdir(fs::CWD, path, 0o700) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}
