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
        // EAGAIN: somebody renames or mounts without a pause, so that the kernel cannot be sure of a `..`.
        Err(Errno::ENOSYS | Errno::EAGAIN) => walk(root, path, flags, mode),
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
        let at = self.at.checked_sub(text.len().wrapping_add(1)).ok_or(Errno::ENAMETOOLONG)?;
        self.buf
            .get_mut(at..)
            .and_then(|room| room.get_mut(..text.len()))
            .ok_or(Errno::ENAMETOOLONG)?
            .copy_from_slice(text);
        *self.buf.get_mut(at.wrapping_add(text.len())).ok_or(Errno::ENAMETOOLONG)? = b'/';
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
        // With the slash that `prepend` has put there. One that was typed is left: then it has to be a directory.
        self.at = self.at.wrapping_add(skip).wrapping_add(len).wrapping_add(1);
        let last = self.at == PATH_MAX;
        Name::until_nul(name).map(|name| Some((name, last))).ok_or(Errno::EINVAL)
    }
}

/// The directories on the way, the last one innermost: `..` goes back to the one that it was entered from.
struct Stack<'r> {
    root: BorrowedFd<'r>,
    fds: [Option<OwnedFd>; DEPTH],
    depth: usize,
}

impl Stack<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        match self.depth.checked_sub(1).and_then(|top| self.fds.get(top)) {
            Some(Some(dir)) => dir.as_fd(),
            _ => self.root,
        }
    }

    fn enter(&mut self, dir: OwnedFd) -> Result<(), Errno> {
        *self.fds.get_mut(self.depth).ok_or(Errno::ELOOP)? = Some(dir);
        self.depth = self.depth.wrapping_add(1);
        Ok(())
    }

    /// False at the root, above which there is nothing.
    fn leave(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.fds.get_mut(self.depth).is_some_and(|slot| slot.take().is_some())
    }
}

/// The walk by hand. `..` across a rename is answered by the directory it was entered from, as a shell would.
pub fn walk(root: BorrowedFd, path: Name, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let mut rest = Rest { buf: [0; PATH_MAX], at: PATH_MAX };
    rest.prepend(path.to_bytes())?;
    let mut stack = Stack { root, fds: [const { None }; DEPTH], depth: 0 };
    let mut links = 0_usize;
    let mut name = [0_u8; 256];
    loop {
        let Some((component, last)) = rest.next(&mut name)? else {
            return fs::open(stack.here(), t(c"."), flags & !libc::O_CREAT, 0);
        };
        match component.to_bytes() {
            b"." => continue,
            b".." => {
                stack.leave();
                continue;
            }
            _ => {}
        }
        let next = match fs::open(stack.here(), component, libc::O_PATH, 0) {
            Err(Errno::ENOENT) if last && flags & libc::O_CREAT != 0 => {
                return fs::open(stack.here(), component, flags, mode);
            }
            result => result?,
        };
        let kind = fs::kind(&fs::fstat(next.as_fd())?);
        if kind == libc::S_IFLNK && !(last && flags & libc::O_NOFOLLOW != 0) {
            links = links.wrapping_add(1);
            if links > LINKS || fs::is_procfs(next.as_fd())? {
                return Err(Errno::ELOOP);
            }
            let mut buf = [0_u8; PATH_MAX];
            let target = fs::read_link(next.as_fd(), t(c""), &mut buf)?;
            if target.starts_with(b"/") {
                while stack.leave() {}
            }
            rest.prepend(target)?;
        } else if !last {
            // Also before `..`, which would lead back out of a file.
            if kind != libc::S_IFDIR {
                return Err(Errno::ENOTDIR);
            }
            stack.enter(next)?;
        } else if flags & libc::O_PATH != 0 && flags & libc::O_DIRECTORY == 0 {
            return Ok(next);
        } else {
            // Opened again by name only for more than O_PATH; O_NOFOLLOW catches a swap for a symlink in between.
            return fs::open(stack.here(), component, flags, mode);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::keep;
    use std::os::unix::fs::symlink;

    /// What the walk finds: the file's content, or the errno.
    fn found(root: &std::path::Path, path: &str) -> Result<Vec<u8>, Errno> {
        let root = fs::open(fs::CWD, keep(root.as_os_str().as_encoded_bytes()), libc::O_PATH | libc::O_DIRECTORY, 0)?;
        let file = walk(root.as_fd(), keep(path.as_bytes()), libc::O_RDONLY, 0)?;
        fs::read_all(file.as_fd(), 64)
    }

    #[test]
    fn the_walk_by_hand_stays_in_the_root() -> std::io::Result<()> {
        let above = std::env::temp_dir().join(format!("mydocker-walk-{}", std::process::id()));
        let root = above.join("root");
        std::fs::create_dir_all(root.join("a/b"))?;
        std::fs::write(above.join("file"), "outside")?;
        std::fs::write(root.join("file"), "top")?;
        std::fs::write(root.join("a/file"), "a")?;
        for (link, target) in [("a/up", "../.."), ("a/abs", "/file"), ("a/b/far", "../../../../file"), ("loop", "loop")]
        {
            symlink(target, root.join(link))?;
        }
        symlink("/a/b", root.join("dir"))?;
        for (path, content) in [
            ("file", Ok("top")),
            ("/file", Ok("top")),
            ("../../file", Ok("top")),
            ("a/b/../file", Ok("a")),
            ("a/../a/./file", Ok("a")),
            ("a/up/file", Ok("top")),
            ("a/abs", Ok("top")),
            ("a/b/far", Ok("top")),
            ("dir/../file", Ok("a")),
            ("dir/../../../../file", Ok("top")),
            ("a/none", Err(Errno::ENOENT)),
            ("file/x", Err(Errno::ENOTDIR)),
            ("file/../file", Err(Errno::ENOTDIR)),
            ("file/", Err(Errno::ENOTDIR)),
            ("loop", Err(Errno::ELOOP)),
        ] {
            assert_eq!(found(&root, path), content.map(|text| text.as_bytes().to_vec()), "{path}");
        }
        std::fs::remove_dir_all(above)
    }
}
