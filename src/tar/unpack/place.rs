//! Where a member goes: its directory, reached beneath the root without following a symlink that somebody else has made.

use super::path::{PATH_MAX, common, split, terminated};
use super::whiteout::{hide, is_whiteout};
use super::{Existing, Unpack};
use crate::sys::name::t;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::members::Done;
use std::os::fd::{AsFd, BorrowedFd};

impl Unpack<'_, '_> {
    /// Opens the member's directory, made where the archive did not name it, unless it is open from the member before.
    pub(super) fn reach(&mut self) -> Done<()> {
        let (dir, _) = split(&self.path);
        if dir == self.parent {
            return Ok(());
        }
        let base = self.existing.map_or(0, |existing| existing.base.len());
        self.leave(common(dir, &self.parent).max(base))?;
        let (dir, _) = split(&self.path);
        self.parent_fd = Some(open_beneath(self.root, dir, Some(self.below), self.existing)?);
        dir.clone_into(&mut self.parent);
        Ok(())
    }

    /// Gives the directories of the member before their times, from the inside out, down to a length of their path
    /// that the next member shares. What is made in a directory changes its mtime, but not its atime, which finish()
    /// sets to the same value: so the file system remembers for us, however many directories there are.
    pub(super) fn leave(&mut self, shared: usize) -> Done<()> {
        while self.parent.len() > shared {
            let fd = match self.parent_fd.take() {
                Some(fd) => fd,
                None => open_beneath(self.root, &self.parent, None, self.existing)?,
            };
            settle(fd.as_fd())?;
            let cut = self.parent.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            self.parent.truncate(cut);
        }
        Ok(())
    }
}

/// Sets a directory's mtime to its atime.
pub(super) fn settle(fd: BorrowedFd) -> Done<()> {
    let stat = fs::fstat(fd)?;
    let time = (stat.st_atime, stat.st_atime_nsec);
    fs::set_times(fd, time, time)
}

/// Opens a directory beneath the root (path without a NUL, no `..`), without following any symlink, unless those of the
/// tree are to be followed. With what is below it is made, and what leads to it.
pub(in crate::tar) fn open_beneath(
    root: BorrowedFd,
    path: &[u8],
    below: Option<&[OwnedFd]>,
    existing: Option<&Existing>,
) -> Done<OwnedFd> {
    let make = below.is_some();
    let follow = existing.is_some_and(|existing| existing.follow);
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    if path.is_empty() {
        return fs::open(root, t(c"."), flags, 0);
    }
    let mut buf = [0_u8; PATH_MAX];
    let whole = terminated(path, &mut buf)?;
    let one_mount = if existing.is_none() { fs::NO_XDEV } else { 0 };
    let resolve = fs::BENEATH | fs::NO_SYMLINKS | one_mount;
    let how = fs::OpenHow { flags: (flags | libc::O_CLOEXEC) as u64, mode: 0, resolve };
    let opened = if follow { open_in_root(root, whole, flags, 0) } else { fs::openat2(root, whole, &how) };
    match opened {
        Err(Errno::ENOSYS) => {}
        Err(Errno::ENOENT) if make => {}
        // A whiteout may stand in the way.
        Err(Errno::ENOTDIR) if make && existing.is_none() => {}
        other => return other,
    }
    let mut here: Option<OwnedFd> = None;
    let mut end = 0_usize;
    for component in path.split(|&byte| byte == b'/') {
        let dir = here.as_ref().map_or(root, |fd| fd.as_fd());
        let name = terminated(component, &mut buf)?;
        let deleted = make && existing.is_none() && fs::stat(dir, name).is_ok_and(|stat| is_whiteout(&stat));
        if deleted {
            fs::unlink(dir, name)?;
        }
        let made = if make { fs::mkdir(dir, name, 0o755) } else { Err(Errno::EEXIST) };
        end = end.wrapping_add(component.len());
        let next = match made {
            Ok(()) | Err(Errno::EEXIST) if follow => {
                let so_far = terminated(path.get(..end).unwrap_or_default(), &mut buf)?;
                open_in_root(root, so_far, flags, 0)?
            }
            Ok(()) | Err(Errno::EEXIST) => fs::open(dir, name, flags, 0)?,
            Err(errno) => return Err(errno),
        };
        if made.is_ok() {
            fs::chmod(next.as_fd(), 0o755)?;
            as_below(below.unwrap_or_default(), path.get(..end).unwrap_or_default(), next.as_fd())?;
        }
        end = end.wrapping_add(1);
        if deleted {
            hide(next.as_fd())?;
        }
        here = Some(next);
    }
    here.ok_or(Errno::ENOENT)
}

/// A directory that the layer does not name is what it is below: overlayfs shows the uppermost one's owner, mode and times.
pub(super) fn as_below(below: &[OwnedFd], path: &[u8], fd: BorrowedFd) -> Done<()> {
    let found = below.iter().map(|layer| open_beneath(layer.as_fd(), path, None, None));
    let Some(found) = found.into_iter().find(|found| !matches!(found, Err(Errno::ENOENT))).and_then(Done::ok) else {
        return Ok(());
    };
    let stat = fs::fstat(found.as_fd())?;
    fs::chown(fd, t(c""), stat.st_uid, stat.st_gid)?;
    fs::chmod(fd, stat.st_mode & 0o7777)?;
    let time = (stat.st_mtime, stat.st_mtime_nsec);
    fs::set_times(fd, time, time)
}
