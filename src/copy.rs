//! Copying a tree with all that the kernel keeps of it: a named volume's first content.

use crate::sys::name::{Name, Text, t};
use crate::sys::{Errno, fs};
use crate::text::keep;
use std::os::fd::{AsFd, BorrowedFd};

/// Directories below each other. Each takes two descriptors while it is copied.
const DEPTH: u32 = 200;
/// XATTR_LIST_MAX and XATTR_SIZE_MAX.
const XATTR_MAX: usize = 65536;

/// Copies the content of the directory `from` into the empty directory `to`, with owners, modes, times, xattrs,
/// symlinks, nodes and hard links; owner, mode and the rest of `from` itself go onto `to` too. What overlayfs keeps in
/// xattrs stays behind. Nothing is undone on an error, which comes with the
/// path of the entry that it is about.
pub fn tree(from: BorrowedFd, to: BorrowedFd) -> Result<(), (Errno, Vec<u8>)> {
    let (names, value) = (vec![0; XATTR_MAX], vec![0; XATTR_MAX]);
    let mut copy = Copy { root: to, path: Vec::new(), links: Vec::new(), names, value };
    copy.directory(from, t(c"."), to, t(c"."), 0).map_err(|errno| (errno, copy.path))
}

struct Copy<'a> {
    root: BorrowedFd<'a>,
    /// The entry, below the root.
    path: Vec<u8>,
    /// Files with several names, sorted: device and inode number, and the copy's path.
    links: Vec<(u64, u64, Text)>,
    names: Vec<u8>,
    value: Vec<u8>,
}

impl Copy<'_> {
    fn directory(&mut self, from: BorrowedFd, name: Name, to: BorrowedFd, new: Name, depth: u32) -> Result<(), Errno> {
        if depth > DEPTH {
            return Err(Errno::ELOOP);
        }
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let from = fs::open(from, name, flags, 0)?;
        let to = fs::open(to, new, flags, 0)?;
        let mut buf = fs::DirBuf::new();
        loop {
            let entries = fs::read_dir(from.as_fd(), &mut buf)?;
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

    fn entry(&mut self, from: BorrowedFd, name: Name, to: BorrowedFd, depth: u32) -> Result<(), Errno> {
        let stat = fs::stat(from, name)?;
        match fs::kind(&stat) {
            libc::S_IFDIR => {
                fs::mkdir(to, name, 0o700)?;
                return self.directory(from, name, to, name, depth.wrapping_add(1));
            }
            libc::S_IFREG => {
                if stat.st_nlink > 1
                    && let Some(first) = self.other_name(&stat)
                {
                    return fs::link(self.root, first, to, name);
                }
                let from = fs::open(from, name, libc::O_RDONLY | libc::O_NONBLOCK, 0)?;
                let to = fs::open(to, name, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600)?;
                while fs::send_file(to.as_fd(), from.as_fd(), 1 << 30)? != 0 {}
                return self.finish(from.as_fd(), to.as_fd());
            }
            libc::S_IFLNK => {
                let mut buf = [0; 4096];
                fs::read_link(from, name, &mut buf)?;
                // The zeros behind the target end it.
                let target = Name::until_nul(&buf).ok_or(Errno::ENAMETOOLONG)?;
                fs::symlink(target, to, name)?;
                fs::chown(to, name, stat.st_uid, stat.st_gid)?;
            }
            // Overlayfs' mark for what is deleted.
            libc::S_IFCHR if stat.st_rdev == 0 => return Ok(()),
            _ => {
                fs::mknod(to, name, stat.st_mode, stat.st_rdev)?;
                fs::chown(to, name, stat.st_uid, stat.st_gid)?;
                fs::chmod_follow(to, name, stat.st_mode & 0o7777)?;
            }
        }
        fs::set_mtime(to, name, stat.st_mtime, stat.st_mtime_nsec)
    }

    /// The name under which a file was copied already; else this one is noted.
    fn other_name(&mut self, stat: &fs::Stat) -> Option<Text> {
        let key = (stat.st_dev, stat.st_ino);
        match self.links.binary_search_by_key(&key, |link| (link.0, link.1)) {
            Ok(at) => self.links.get(at).map(|link| link.2),
            Err(at) => {
                self.links.insert(at, (key.0, key.1, keep(&self.path)));
                None
            }
        }
    }

    /// Owner, mode, xattrs and times, in an order in which none takes another away.
    fn finish(&mut self, from: BorrowedFd, to: BorrowedFd) -> Result<(), Errno> {
        let stat = fs::fstat(from)?;
        fs::chown(to, t(c""), stat.st_uid, stat.st_gid)?;
        fs::chmod(to, stat.st_mode & 0o7777)?;
        let names = match fs::list_xattr(from, &mut self.names) {
            // A file system without any.
            Err(Errno::EOPNOTSUPP) => &[],
            names => names?,
        };
        for name in names.split_inclusive(|&byte| byte == 0) {
            let overlay = name.starts_with(b"trusted.overlay.") || name.starts_with(b"user.overlay.");
            let name = Name::with_nul(name).unwrap_or_default();
            if !overlay {
                fs::set_xattr(to, name, fs::get_xattr(from, name, &mut self.value)?)?;
            }
        }
        let mtime = (stat.st_mtime, stat.st_mtime_nsec);
        fs::set_times(to, mtime, mtime)
    }
}
