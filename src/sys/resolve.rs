//! Resolving a path that an image or a user wrote inside a container's root.
//!
//! openat2(2) with RESOLVE_IN_ROOT does it in the kernel, without a race. Before Linux 5.6 (and where a seccomp
//! filter answers ENOSYS) the walk is made here: one component at a time with O_PATH | O_NOFOLLOW, symlinks taken
//! apart by hand, `..` answered from a stack of descriptors so that it can never climb above the root.

use super::Errno;
use super::OwnedFd;
use super::fs::{self, OpenHow};
use super::name::{Name, t};
use core::ffi::c_int;
use std::os::fd::{AsFd, BorrowedFd};

const PATH_MAX: usize = 4096;
/// Deeper than any sane path; PATH_MAX / 2 would be the longest possible.
const DEPTH: usize = 256;
/// MAXSYMLINKS of the kernel.
const LINKS: usize = 40;

/// Opens `path` with `root` as `/`: symlinks, absolute or not, and `..` stay inside. O_CREAT works for the last
/// component. Magic links (/proc/self/fd/N) are refused with ELOOP. Allocates nothing.
pub fn open_in_root(root: BorrowedFd, path: Name, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let how = OpenHow {
        flags: (flags | libc::O_CLOEXEC) as u64,
        mode: u64::from(mode),
        resolve: fs::IN_ROOT | fs::NO_MAGICLINKS,
    };
    match fs::openat2(root, path, &how) {
        Err(Errno::ENOSYS) => walk(root, path, flags, mode),
        result => result,
    }
}

/// What is left to walk: a path in a buffer, consumed from the front.
struct Rest {
    buf: [u8; PATH_MAX],
    at: usize,
}

impl Rest {
    /// Puts `text` before what is left, with a slash between.
    fn prepend(&mut self, text: &[u8]) -> Result<(), Errno> {
        let at = self.at.checked_sub(text.len().saturating_add(1)).ok_or(Errno::ENAMETOOLONG)?;
        self.buf
            .get_mut(at..)
            .and_then(|room| room.get_mut(..text.len()))
            .ok_or(Errno::ENAMETOOLONG)?
            .copy_from_slice(text);
        *self.buf.get_mut(at.saturating_add(text.len())).ok_or(Errno::ENAMETOOLONG)? = b'/';
        self.at = at;
        Ok(())
    }

    /// The next component into `name` as a C string, and whether it is the last; None at the end.
    fn next<'n>(&mut self, name: &'n mut [u8; 256]) -> Result<Option<(Name<'n>, bool)>, Errno> {
        let rest = self.buf.get(self.at..).unwrap_or_default();
        let skip = rest.iter().take_while(|&&byte| byte == b'/').count();
        let rest = rest.get(skip..).unwrap_or_default();
        let len = rest.iter().take_while(|&&byte| byte != b'/').count();
        if len == 0 {
            return Ok(None);
        }
        let component = rest.get(..len).unwrap_or_default();
        name.get_mut(..len).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(component);
        *name.get_mut(len).ok_or(Errno::ENAMETOOLONG)? = 0;
        let last = rest.get(len..).unwrap_or_default().iter().all(|&byte| byte == b'/');
        self.at = self.at.saturating_add(skip).saturating_add(len);
        Name::until_nul(name).map(|name| Some((name, last))).ok_or(Errno::EINVAL)
    }
}

/// The walk by hand. `..` across a rename is answered by the directory it was entered from, as a shell would.
fn walk(root: BorrowedFd, path: Name, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let mut rest = Rest { buf: [0; PATH_MAX], at: PATH_MAX };
    rest.prepend(path.to_bytes())?;
    let mut stack: [Option<OwnedFd>; DEPTH] = [const { None }; DEPTH];
    let mut depth = 0_usize;
    let mut links = 0_usize;
    let mut name = [0_u8; 256];
    loop {
        let here = match depth.checked_sub(1).and_then(|top| stack.get(top)) {
            Some(Some(dir)) => dir.as_fd(),
            _ => root,
        };
        let Some((component, last)) = rest.next(&mut name)? else {
            return fs::open(here, t(c"."), flags & !libc::O_CREAT, 0);
        };
        if component == t(c".") {
            continue;
        }
        if component == t(c"..") {
            if let Some(top) = depth.checked_sub(1) {
                if let Some(slot) = stack.get_mut(top) {
                    *slot = None;
                }
                depth = top;
            }
            continue;
        }
        let next = match fs::open(here, component, libc::O_PATH, 0) {
            Err(Errno::ENOENT) if last && flags & libc::O_CREAT != 0 => return fs::open(here, component, flags, mode),
            result => result?,
        };
        let kind = fs::kind(&fs::fstat(next.as_fd())?);
        if kind == libc::S_IFLNK && !(last && flags & libc::O_NOFOLLOW != 0) {
            links = links.saturating_add(1);
            if links > LINKS || fs::is_procfs(next.as_fd()) {
                return Err(Errno::ELOOP);
            }
            let mut buf = [0_u8; PATH_MAX];
            let target = fs::read_link(next.as_fd(), t(c""), &mut buf)?;
            if target.first() == Some(&b'/') {
                stack.iter_mut().take(depth).for_each(|slot| *slot = None);
                depth = 0;
            }
            rest.prepend(target)?;
        } else if last {
            // Opened again by name only for more than O_PATH; O_NOFOLLOW catches a swap for a symlink in between.
            return if flags & libc::O_PATH != 0 && flags & libc::O_DIRECTORY == 0 {
                Ok(next)
            } else {
                fs::open(here, component, flags, mode)
            };
        } else {
            *stack.get_mut(depth).ok_or(Errno::ELOOP)? = Some(next);
            depth = depth.saturating_add(1);
        }
    }
}
