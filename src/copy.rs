//! Copying a tree with all that the kernel keeps of it: a named volume's first content.

use crate::error::{Error, Result};
use crate::sys::{Errno, fs};
use core::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// Directories below each other. Each takes two descriptors while it is copied.
const DEPTH: u32 = 200;
/// XATTR_LIST_MAX and XATTR_SIZE_MAX.
const XATTR_MAX: usize = 65536;

/// Copies the content of the directory `from` into the empty directory `to`, with owners, modes, times, xattrs,
/// symlinks, nodes and hard links; owner, mode and the rest of `from` itself go onto `to` too. What overlayfs keeps in
/// xattrs stays behind. Nothing is undone on an error.
pub fn tree(from: BorrowedFd, to: BorrowedFd) -> Result<()> {
    let (names, value) = (vec![0; XATTR_MAX], vec![0; XATTR_MAX]);
    let mut copy = Copy { root: to, path: Vec::new(), links: Vec::new(), names, value };
    copy.directory(from, c".", to, c".", 0)
}

struct Copy<'a> {
    root: BorrowedFd<'a>,
    /// Below the root, for messages and hard links.
    path: Vec<u8>,
    /// Files with several names, sorted: device and inode number, and the copy's path with its NUL.
    links: Vec<(u64, u64, Vec<u8>)>,
    names: Vec<u8>,
    value: Vec<u8>,
}

impl Copy<'_> {
    fn sys<T>(&self, what: &str, result: core::result::Result<T, Errno>) -> Result<T> {
        result.map_err(|errno| Error::sys(what, &self.path, errno))
    }

    fn directory(&mut self, from: BorrowedFd, name: &CStr, to: BorrowedFd, new: &CStr, depth: u32) -> Result<()> {
        if depth > DEPTH {
            return self.sys("copy", Err(Errno::ELOOP));
        }
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let from = self.sys("open", fs::open(from, name, flags, 0))?;
        let to = self.sys("open", fs::open(to, new, flags, 0))?;
        let mut buf = fs::DirBuf::new();
        loop {
            let entries = self.sys("getdents64", fs::read_dir(from.as_fd(), &mut buf))?;
            if entries.is_end() {
                return self.finish(from.as_fd(), to.as_fd());
            }
            for (name, _) in entries {
                let length = self.path.len();
                if length != 0 {
                    self.path.push(b'/');
                }
                self.path.extend_from_slice(name.to_bytes());
                self.entry(from.as_fd(), name, to.as_fd(), depth)?;
                self.path.truncate(length);
            }
        }
    }

    fn entry(&mut self, from: BorrowedFd, name: &CStr, to: BorrowedFd, depth: u32) -> Result<()> {
        let stat = self.sys("stat", fs::stat(from, name))?;
        match fs::kind(&stat) {
            libc::S_IFDIR => {
                self.sys("mkdirat", fs::mkdir(to, name, 0o700))?;
                return self.directory(from, name, to, name, depth.saturating_add(1));
            }
            libc::S_IFREG => {
                if stat.st_nlink > 1 && self.linked(&stat, to, name)? {
                    return Ok(());
                }
                return self.file(from, name, to);
            }
            libc::S_IFLNK => {
                let mut buf = [0; 4096];
                self.sys("readlinkat", fs::read_link(from, name, &mut buf).map(drop))?;
                // The zeros behind the target end it.
                let target =
                    self.sys("readlinkat", CStr::from_bytes_until_nul(&buf).map_err(|_| Errno::ENAMETOOLONG))?;
                self.sys("symlinkat", fs::symlink(target, to, name))?;
                self.sys("fchownat", fs::chown(to, name, stat.st_uid, stat.st_gid))?;
            }
            _ => {
                self.sys("mknodat", fs::mknod(to, name, stat.st_mode, stat.st_rdev))?;
                self.sys("fchownat", fs::chown(to, name, stat.st_uid, stat.st_gid))?;
                self.sys("fchmodat", fs::chmod_follow(to, name, stat.st_mode & 0o7777))?;
            }
        }
        self.sys("utimensat", fs::set_mtime(to, name, stat.st_mtime, stat.st_mtime_nsec))
    }

    /// Links to the copy of a file's other name, if there is one already.
    fn linked(&mut self, stat: &fs::Stat, to: BorrowedFd, name: &CStr) -> Result<bool> {
        let key = (stat.st_dev, stat.st_ino);
        match self.links.binary_search_by_key(&key, |link| (link.0, link.1)) {
            Ok(at) => {
                let path = self.links.get(at).map_or(&b"\0"[..], |link| &link.2);
                let path = CStr::from_bytes_with_nul(path).unwrap_or_default();
                self.sys("linkat", fs::link(self.root, path, to, name)).map(|()| true)
            }
            Err(at) => {
                self.links.insert(at, (key.0, key.1, [&self.path, &b"\0"[..]].concat()));
                Ok(false)
            }
        }
    }

    fn file(&mut self, from: BorrowedFd, name: &CStr, to: BorrowedFd) -> Result<()> {
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
        let from = self.sys("open", fs::open(from, name, libc::O_RDONLY | libc::O_NONBLOCK, 0))?;
        let to = self.sys("open", fs::open(to, name, flags, 0o600))?;
        while self.sys("sendfile", fs::send_file(to.as_fd(), from.as_fd(), 1 << 30))? != 0 {}
        self.finish(from.as_fd(), to.as_fd())
    }

    /// Owner, mode, xattrs and times, in an order in which none takes another away.
    fn finish(&mut self, from: BorrowedFd, to: BorrowedFd) -> Result<()> {
        let stat = self.sys("fstat", fs::fstat(from))?;
        self.sys("fchown", fs::chown(to, c"", stat.st_uid, stat.st_gid))?;
        self.sys("fchmod", fs::chmod(to, stat.st_mode & 0o7777))?;
        let names = match fs::list_xattr(from, &mut self.names) {
            // A file system without any.
            Err(Errno::EOPNOTSUPP) => &[],
            names => names.map_err(|errno| Error::sys("flistxattr", &self.path, errno))?,
        };
        for name in names.split_inclusive(|&byte| byte == 0) {
            let name = CStr::from_bytes_with_nul(name).unwrap_or_default();
            let bytes = name.to_bytes();
            if bytes.starts_with(b"trusted.overlay.") || bytes.starts_with(b"user.overlay.") {
                continue;
            }
            fs::get_xattr(from, name, &mut self.value)
                .and_then(|value| fs::set_xattr(to, name, value))
                .map_err(|errno| Error::sys("setxattr", &self.path, errno))?;
        }
        let mtime = (stat.st_mtime, stat.st_mtime_nsec);
        self.sys("utimensat", fs::set_times(to, mtime, mtime))
    }
}
