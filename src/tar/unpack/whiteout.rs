//! Whiteouts, as image layers have them and as overlayfs has them.

use super::Unpack;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, fs};
use crate::tar::header::{Kind, Why};
use crate::tar::members::Done;
use crate::text::has;
use std::os::fd::{AsFd, BorrowedFd};

pub(super) const WHITEOUT: Why = text!("is a whiteout: this is the layer of an image, not a whole root file system");

/// Where in a confined path a name begins that deletes. Taken for a file's, it would hide what it should have deleted.
pub(super) fn whiteout(path: &[u8]) -> Option<usize> {
    if path.starts_with(b".wh.") {
        return Some(0);
    }
    path.windows(5).position(|bytes| bytes == b"/.wh.").map(|at| at.wrapping_add(1))
}

impl Unpack<'_, '_> {
    /// A whiteout, as image layers have them: `.wh.NAME` deletes a name of the layers below, `.wh..wh..opq` all that they
    /// have in its directory. It never deletes what this layer has. `at` is where its name begins.
    pub(super) fn delete(&mut self, at: usize) -> Done<()> {
        if !self.layer {
            return self.members.refuse(WHITEOUT);
        }
        if self.members.member.kind == Kind::File && self.members.member.size != 0 {
            self.lost = true;
            self.members.source.skip(self.members.member.size)?;
            self.members.padding()?;
        }
        let name = self.path.get(at..).unwrap_or_default();
        let opaque = name == b".wh..wh..opq\0";
        // What else begins so was aufs' own.
        if name.starts_with(b".wh..wh.") && !opaque {
            return Ok(());
        }
        if has(name, b'/') || matches!(name, b".wh.\0" | b".wh..\0" | b".wh...\0") {
            return self.members.refuse(text!("is a whiteout of no name"));
        }
        self.reach()?;
        let (dir, _) = self.place();
        if opaque {
            hide(dir)?;
            // Of the root overlayfs does not ask.
            self.opaque |= at == 0;
            return Ok(());
        }
        erase(dir, Name::with_nul(self.path.get(at.wrapping_add(4)..).unwrap_or_default()).unwrap_or_default())
    }
}

/// overlayfs' own: a device that is none.
pub(super) fn is_whiteout(stat: &fs::Stat) -> bool {
    fs::kind(stat) == libc::S_IFCHR && stat.st_rdev == 0
}

/// What the layers below have in a directory is not seen through it. Which of the two names overlayfs looks for depends on
/// who mounts it (`userxattr`), and a layer of root's can be mounted either way.
pub(super) fn hide(dir: BorrowedFd) -> Done<()> {
    let trusted = fs::set_xattr(dir, t(c"trusted.overlay.opaque"), b"y");
    // Before Linux 6.6 a tmpfs has none of users'.
    fs::set_xattr(dir, t(c"user.overlay.opaque"), b"y").or(trusted)
}

/// Hides a name of the layers below, or what they have in it where it is a directory of this one.
pub(super) fn erase(dir: BorrowedFd, name: Name) -> Done<()> {
    match fs::mknod(dir, name, libc::S_IFCHR, 0) {
        Err(Errno::EEXIST) => {}
        made => return made,
    }
    match fs::open(dir, name, libc::O_RDONLY | libc::O_DIRECTORY, 0) {
        Ok(dir) => hide(dir.as_fd()),
        Err(Errno::ENOTDIR | Errno::ELOOP) => Ok(()),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_deletes_is_found_in_every_place() {
        for (path, at) in [
            (&b".wh.a\0"[..], Some(0)),
            (b"etc/.wh..wh..opq\0", Some(4)),
            (b"a/.wh.b/c\0", Some(2)),
            (b"a.wh.b\0", None),
            (b".wh\0", None),
            (b"\0", None),
        ] {
            assert_eq!(whiteout(path), at, "{}", path.escape_ascii());
        }
    }
}
