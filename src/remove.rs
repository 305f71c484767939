//! Removing a tree that a container wrote, without ever leaving it.
//!
//! Three things must not happen, whatever stands there: following a symlink, crossing a mount point (a volume's
//! content, a directory that somebody bind-mounted there from outside), running out of descriptors. So every
//! directory is opened beneath the one before with RESOLVE_NO_XDEV, which asks for the mount and not for the device,
//! and what is too deep for the descriptors is first moved up.

use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Push};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Directories open at once on the way down. What is deeper (or where EMFILE comes first) moves up.
const DEPTH: u32 = 24;
/// Names tried for what moves up, in case the tree has such names itself.
const TRIES: u32 = 1000;

/// What could not be removed: the errno and the path below the directory that was passed. EBUSY is a mount point.
pub type Left = (Errno, Vec<u8>);

/// Removes `name` in `dir` and everything below; fine if there is nothing. Goes on with the rest when something
/// cannot be removed, and tells the first such thing. An empty directory costs one system call.
pub fn tree(dir: BorrowedFd, name: Name) -> Result<(), Left> {
    let mut walk = Walk { moved: 0, path: Vec::new(), left: None };
    walk.remove(dir, name, libc::DT_DIR, &Level { top: dir, depth: 0 });
    walk.left.map_or(Ok(()), Err)
}

struct Walk {
    moved: u32,
    path: Vec<u8>,
    left: Option<Left>,
}

/// How deep an entry lies, and the tree's root, where the deep ones move to.
struct Level<'a> {
    top: BorrowedFd<'a>,
    depth: u32,
}

impl Walk {
    /// Whether `name` is gone afterwards (or was moved up, which is progress too).
    fn remove(&mut self, dir: BorrowedFd, name: Name, kind: u8, level: &Level) -> bool {
        let length = self.path.len();
        if length != 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name.to_bytes());
        let result = self.try_remove(dir, name, kind, level);
        if let Err(errno) = result
            && self.left.is_none()
        {
            self.left = Some((errno, self.path.clone()));
        }
        self.path.truncate(length);
        result.is_ok()
    }

    fn try_remove(&mut self, dir: BorrowedFd, name: Name, kind: u8, level: &Level) -> Result<(), Errno> {
        let once = || if kind == libc::DT_DIR { fs::rmdir(dir, name) } else { fs::unlink(dir, name) };
        let mut result = once();
        if result == Err(Errno::EPERM) && clear_flags(dir, name) {
            result = once();
        }
        match result {
            Err(Errno::ENOENT) => Ok(()),
            // The type was a guess of the caller, or the file system tells none (DT_UNKNOWN).
            Err(Errno::ENOTDIR) if kind == libc::DT_DIR => self.try_remove(dir, name, libc::DT_REG, level),
            Err(Errno::EISDIR) if kind != libc::DT_DIR => self.try_remove(dir, name, libc::DT_DIR, level),
            Err(Errno::ENOTEMPTY | Errno::EEXIST) => self.descend(dir, name, level),
            other => other,
        }
    }

    fn descend(&mut self, dir: BorrowedFd, name: Name, level: &Level) -> Result<(), Errno> {
        let opened = if level.depth > DEPTH { Err(Errno::EMFILE) } else { open_same_mount(dir, name) };
        let fd = match opened {
            Err(Errno::EMFILE) if level.depth > 1 => return self.move_up(dir, name, level.top),
            Err(Errno::EXDEV) => return Err(Errno::EBUSY),
            other => other?,
        };
        let top = if level.depth == 0 { fd.as_fd() } else { level.top };
        let below = Level { top, depth: level.depth.wrapping_add(1) };
        let mut buf = fs::DirBuf::new();
        // Again while that helps: a file system may skip entries when others go while it is read, and deep
        // directories arrive at the top.
        loop {
            let mut progress = false;
            loop {
                let entries = fs::read_dir(fd.as_fd(), &mut buf)?;
                if entries.is_end() {
                    break;
                }
                for (entry, kind) in entries {
                    progress |= self.remove(fd.as_fd(), entry, kind, &below);
                }
            }
            match fs::rmdir(dir, name) {
                Err(Errno::ENOTEMPTY | Errno::EEXIST) if progress => fs::rewind(fd.as_fd())?,
                other => return other,
            }
        }
    }

    fn move_up(&mut self, dir: BorrowedFd, name: Name, top: BorrowedFd) -> Result<(), Errno> {
        let mut result = Err(Errno::EEXIST);
        for _ in 0..TRIES {
            self.moved = self.moved.wrapping_add(1);
            let mut to = Line::new();
            to.put(b".mydocker-removed-").dec(u64::from(self.moved)).push(0);
            let to = Name::with_nul(&to).unwrap_or_default();
            result = fs::rename(dir, name, top, to, libc::RENAME_NOREPLACE);
            if result != Err(Errno::EEXIST) {
                break;
            }
        }
        result
    }
}

/// An immutable or append-only file (or directory, for what is in it) answers EPERM even to root: takes the flags off.
fn clear_flags(dir: BorrowedFd, name: Name) -> bool {
    let parent = fs::clear_flags(dir);
    // Only these two can have flags, and opening anything else could have effects of its own.
    let own = fs::stat(dir, name).is_ok_and(|stat| matches!(fs::kind(&stat), libc::S_IFREG | libc::S_IFDIR))
        && fs::open(dir, name, libc::O_RDONLY | libc::O_NONBLOCK, 0).is_ok_and(|fd| fs::clear_flags(fd.as_fd()));
    parent || own
}

/// Opens a directory that is on the same mount as `dir`; EXDEV where something is mounted there.
pub fn open_same_mount(dir: BorrowedFd, name: Name) -> Result<OwnedFd, Errno> {
    on_same_mount(dir, name, libc::O_RDONLY | libc::O_DIRECTORY)
}

/// The same of any file.
pub fn on_same_mount(dir: BorrowedFd, name: Name, flags: i32) -> Result<OwnedFd, Errno> {
    let resolve = fs::NO_XDEV | fs::NO_SYMLINKS | fs::BENEATH;
    let whole = flags | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    match fs::openat2(dir, name, &fs::OpenHow { flags: whole as u64, mode: 0, resolve }) {
        Err(Errno::ENOSYS) => {
            let fd = fs::open(dir, name, flags, 0)?;
            let (outer, inner) = (fs::fstat(dir)?, fs::fstat(fd.as_fd())?);
            // The device alone would not see a bind mount from the same file system.
            let same = outer.st_dev == inner.st_dev && mount_id(dir)? == mount_id(fd.as_fd())?;
            if same { Ok(fd) } else { Err(Errno::EXDEV) }
        }
        result => result,
    }
}

/// The mount that a descriptor is on, from /proc/self/fdinfo (statx tells it only since Linux 5.8).
pub fn mount_id(fd: BorrowedFd) -> Result<Vec<u8>, Errno> {
    if fd.as_raw_fd() == libc::AT_FDCWD {
        return mount_id(fs::open(fd, t(c"."), libc::O_PATH, 0)?.as_fd());
    }
    let mut path = Line::new();
    path.put(b"/proc/self/fdinfo/").int(i64::from(fd.as_raw_fd())).push(0);
    let path = Name::with_nul(&path).unwrap_or_default();
    let text = fs::read_all(fs::open(fs::CWD, path, libc::O_RDONLY, 0)?.as_fd(), 4096)?;
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"mnt_id:"));
    line.map(<[u8]>::to_vec).ok_or(Errno::EXDEV)
}
