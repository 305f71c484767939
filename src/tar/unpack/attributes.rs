//! What a file has besides its content: owner, mode, extended attributes, times.

use super::Unpack;
use super::path::{PATH_MAX, terminated};
use crate::sys::name::Name;
use crate::sys::{Errno, fs};
use crate::tar::header;
use crate::tar::members::Done;
use crate::text::{Line, Push};
use std::os::fd::{AsRawFd, BorrowedFd};

impl Unpack<'_, '_> {
    /// Owner, mode, xattrs and times: of an open file, or of `name` in `dir` for what is never opened. In this order,
    /// since a change of the owner takes suid bits and capabilities away.
    pub(super) fn finish(&self, fd: BorrowedFd, name: Option<Name>) -> Done<()> {
        let member = &self.members.member;
        if !self.existing.is_some_and(|existing| existing.owned) {
            fs::chown(fd, name.unwrap_or_default(), member.uid, member.gid)?;
        }
        if name.is_none() {
            fs::chmod(fd, member.mode)?;
        }
        for header in [&self.members.global, &self.members.pax] {
            let mut rest = header.as_slice();
            while let Ok(Some((key, value))) = header::record(&mut rest) {
                let Some(key) = key.strip_prefix(b"SCHILY.xattr.") else { continue };
                // An archive must not forge what overlayfs keeps in its layers.
                if key.starts_with(b"trusted.overlay.") || key.starts_with(b"user.overlay.") {
                    continue;
                }
                let mut buf = [0; PATH_MAX];
                let key = terminated(key, &mut buf)?;
                let set = match name {
                    None => fs::set_xattr(fd, key, value),
                    Some(name) => {
                        let path = by_descriptor(fd, name);
                        fs::set_xattr_at(Name::with_nul(&path).unwrap_or_default(), key, value)
                    }
                };
                match set {
                    // trusted.* is root's of the host.
                    Err(Errno::EPERM) => {}
                    Err(Errno::EOPNOTSUPP) if self.existing.is_some() => {}
                    done => done?,
                }
            }
        }
        match name {
            None => fs::set_times(fd, member.mtime, member.mtime),
            Some(name) => fs::set_mtime(fd, name, member.mtime.0, member.mtime.1),
        }
    }
}

/// The path of a name for calls that know no descriptors.
fn by_descriptor(dir: BorrowedFd, name: Name) -> Line {
    let mut path = Line::new();
    path.put(b"/proc/self/fd/").int(i64::from(dir.as_raw_fd())).put(b"/").put(name.to_bytes_with_nul());
    path
}
