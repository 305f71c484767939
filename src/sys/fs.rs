//! Files and directories: one thin function a system call.
//!
//! The short name is the safe form: `open` does not follow a symlink in the last component and every descriptor is
//! close-on-exec from birth. A call that a signal may interrupt is made again.

use super::name::{Name, t};
use super::{Errno, OwnedFd};
use crate::text::{Line, Push};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

/// The working directory, for the calls that take a directory.
// SAFETY: AT_FDCWD is no descriptor that anybody could close; the calls of this module know it.
pub const CWD: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) };

/// What stat(2) tells.
pub type Stat = libc::stat;

/// `struct open_how` of openat2(2).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenHow {
    /// O_* flags.
    pub flags: u64,
    /// Mode of a created file.
    pub mode: u64,
    /// RESOLVE_* flags.
    pub resolve: u64,
}

/// RESOLVE_NO_XDEV: stay on one mount.
pub const NO_XDEV: u64 = 0x01;
/// RESOLVE_NO_MAGICLINKS: no /proc/self/fd/N and the like.
pub const NO_MAGICLINKS: u64 = 0x02;
/// RESOLVE_NO_SYMLINKS: no symlink in any component.
pub const NO_SYMLINKS: u64 = 0x04;
/// RESOLVE_BENEATH: fail rather than leave the directory.
pub const BENEATH: u64 = 0x08;
/// RESOLVE_IN_ROOT: the directory is `/` for the whole walk.
pub const IN_ROOT: u64 = 0x10;

/// Takes the descriptor that a system call has just returned.
fn owned(raw: usize) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor, so nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(raw as RawFd) }
}

/// `openat(dir, path, flags | O_NOFOLLOW | O_CLOEXEC, mode)`, see openat(2).
pub fn open(dir: BorrowedFd, path: Name, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    open_follow(dir, path, flags | libc::O_NOFOLLOW, mode)
}

/// `openat(dir, path, flags | O_CLOEXEC, mode)`: follows symlinks, so only for paths that an operator gave.
pub fn open_follow(dir: BorrowedFd, path: Name, flags: c_int, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = flags | libc::O_CLOEXEC;
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::openat, dir.as_raw_fd(), path.as_ptr(), flags, mode) }.map(owned)
}

/// `open(path, O_RDWR)` without close-on-exec, for good: a standard stream.
pub fn open_kept(path: Name) -> Result<RawFd, Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDWR, 0) }.map(|fd| fd as RawFd)
}

/// `open("/proc/self/fd/N", flags | O_CLOEXEC)`: the very file that an O_PATH descriptor stands for.
pub fn reopen(fd: BorrowedFd, flags: c_int) -> Result<OwnedFd, Errno> {
    let path = super::call::fd_path(fd);
    open_follow(CWD, Name::until_nul(&path).ok_or(Errno::EINVAL)?, flags, 0)
}

/// `fcntl(fd, F_DUPFD_CLOEXEC, 3)`: another descriptor of the same open file.
pub fn duplicate(fd: BorrowedFd) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fcntl, fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 3) }.map(owned)
}

/// `openat2(dir, path, how, sizeof how)`, see openat2(2). EAGAIN (a rename raced with `..`) is tried again.
pub fn openat2(dir: BorrowedFd, path: Name, how: &OpenHow) -> Result<OwnedFd, Errno> {
    let mut tries = 0_u32;
    loop {
        // SAFETY: the path is NUL-terminated, `how` is a struct open_how; both are only read.
        let result = unsafe {
            syscall!(Sysno::openat2, dir.as_raw_fd(), path.as_ptr(), how as *const OpenHow, size_of::<OpenHow>())
        };
        if result == Err(Errno::EAGAIN) && tries < 1000 {
            tries = tries.wrapping_add(1);
            continue;
        }
        return result.map(owned);
    }
}

/// `mkdirat(dir, path, mode)`, see mkdirat(2).
pub fn mkdir(dir: BorrowedFd, path: Name, mode: u32) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::mkdirat, dir.as_raw_fd(), path.as_ptr(), mode) }.map(drop)
}

/// `mknodat(dir, path, mode, dev)`, see mknodat(2).
pub fn mknod(dir: BorrowedFd, path: Name, mode: u32, dev: u64) -> Result<(), Errno> {
    // The system call's dev is unsigned int, in the kernel's 12:20 bit form, which libc's makedev agrees with there.
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::mknodat, dir.as_raw_fd(), path.as_ptr(), mode, dev as u32) }.map(drop)
}

/// `symlinkat(target, dir, path)`, see symlinkat(2).
pub fn symlink(target: Name, dir: BorrowedFd, path: Name) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated and only read.
    unsafe { syscall!(Sysno::symlinkat, target.as_ptr(), dir.as_raw_fd(), path.as_ptr()) }.map(drop)
}

/// `linkat(from, old, to, new, 0)`: a hard link; a symlink as `old` is linked itself, not followed.
pub fn link(from: BorrowedFd, old: Name, to: BorrowedFd, new: Name) -> Result<(), Errno> {
    // SAFETY: both paths are NUL-terminated and only read.
    unsafe { syscall!(Sysno::linkat, from.as_raw_fd(), old.as_ptr(), to.as_raw_fd(), new.as_ptr(), 0) }.map(drop)
}

/// `renameat2(from, old, to, new, flags)`, see renameat2(2).
pub fn rename(from: BorrowedFd, old: Name, to: BorrowedFd, new: Name, flags: u32) -> Result<(), Errno> {
    // SAFETY: both paths are NUL-terminated and only read.
    unsafe { syscall!(Sysno::renameat2, from.as_raw_fd(), old.as_ptr(), to.as_raw_fd(), new.as_ptr(), flags) }.map(drop)
}

/// `unlinkat(dir, path, 0)`: a file, symlink or node.
pub fn unlink(dir: BorrowedFd, path: Name) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::unlinkat, dir.as_raw_fd(), path.as_ptr(), 0) }.map(drop)
}

/// `unlinkat(dir, path, AT_REMOVEDIR)`: an empty directory.
pub fn rmdir(dir: BorrowedFd, path: Name) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::unlinkat, dir.as_raw_fd(), path.as_ptr(), libc::AT_REMOVEDIR) }.map(drop)
}

/// `newfstatat(dir, path, &stat, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)`: of a symlink itself; of `dir` where path is "".
pub fn stat(dir: BorrowedFd, path: Name) -> Result<Stat, Errno> {
    let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
    let mut stat = MaybeUninit::<Stat>::zeroed();
    // SAFETY: the path is NUL-terminated; the kernel fills `stat`, whose layout on 64-bit targets is its own.
    unsafe { syscall!(Sysno::newfstatat, dir.as_raw_fd(), path.as_ptr(), stat.as_mut_ptr(), flags) }?;
    // SAFETY: all-zero is a valid stat, and the call has filled it.
    Ok(unsafe { stat.assume_init() })
}

/// `fstat(fd)`.
pub fn fstat(fd: BorrowedFd) -> Result<Stat, Errno> {
    stat(fd, t(c""))
}

/// struct statfs: 120 bytes on 64-bit targets. f_type is the first word, f_flags the eleventh.
type Statfs = [u64; 15];

/// OVERLAYFS_SUPER_MAGIC.
pub const OVERLAYFS: i64 = 0x794c_7630;

/// `statfs(path).f_type`: the magic number of the file system that `path` is on.
pub fn fs_type(path: Name) -> Result<i64, Errno> {
    statfs_at(path).map(|(kind, _)| kind)
}

/// Device and inode as one number: two files that somebody chooses have the same by chance only.
pub fn identity(stat: &Stat) -> u64 {
    stat.st_dev.rotate_left(40) ^ stat.st_ino
}

/// `statfs(path)`: the type's magic number, and the mount's flags.
pub fn statfs_at(path: Name) -> Result<(i64, u64), Errno> {
    let mut buf: Statfs = [0; 15];
    // SAFETY: the path is NUL-terminated; the kernel fills the buffer, which has its struct's size.
    unsafe { syscall!(Sysno::statfs, path.as_ptr(), buf.as_mut_ptr()) }?;
    let [kind, _, _, _, _, _, _, _, _, _, flags, ..] = buf;
    Ok((kind as i64, flags))
}

/// `fstatfs(fd)`: the type's magic number, and the mount's flags.
fn statfs(fd: BorrowedFd) -> Result<(i64, u64), Errno> {
    let mut buf: Statfs = [0; 15];
    // SAFETY: the kernel fills the buffer, which has its struct's size.
    unsafe { syscall!(Sysno::fstatfs, fd.as_raw_fd(), buf.as_mut_ptr()) }?;
    let [kind, _, _, _, _, _, _, _, _, _, flags, ..] = buf;
    Ok((kind as i64, flags))
}

/// Whether `fd` is on a procfs.
pub fn is_procfs(fd: BorrowedFd) -> Result<bool, Errno> {
    statfs(fd).map(|(kind, _)| kind == 0x9fa0)
}

/// The flags of the mount that `fd` is on: ST_* of statfs(2), of which nosuid, nodev and noexec are MS_* too.
pub fn mount_flags(fd: BorrowedFd) -> Result<u64, Errno> {
    statfs(fd).map(|(_, flags)| flags)
}

/// `fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)`. EINVAL is an id that the user namespace has not:
/// what an ordinary user cannot give away stays the user's.
pub fn chown(dir: BorrowedFd, path: Name, uid: u32, gid: u32) -> Result<(), Errno> {
    let flags = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
    // SAFETY: the path is NUL-terminated and only read.
    match unsafe { syscall!(Sysno::fchownat, dir.as_raw_fd(), path.as_ptr(), uid, gid, flags) } {
        Err(Errno::EINVAL) => Ok(()),
        done => done.map(drop),
    }
}

/// `mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, {attr_set=MOUNT_ATTR_IDMAP, userns_fd}, 32)`: of a mount that
/// was never attached.
pub fn set_idmap(mount: BorrowedFd, user: BorrowedFd) -> Result<(), Errno> {
    let attr = [libc::MOUNT_ATTR_IDMAP, 0, 0, user.as_raw_fd() as u64];
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is NUL-terminated, a struct mount_attr of four words is read.
    unsafe { syscall!(Sysno::mount_setattr, mount.as_raw_fd(), t(c"").as_ptr(), flags, attr.as_ptr(), 32) }.map(drop)
}

/// `fchmod(fd, mode)`: by descriptor, since fchmodat(2) would follow a symlink.
pub fn chmod(fd: BorrowedFd, mode: u32) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fchmod, fd.as_raw_fd(), mode) }.map(drop)
}

/// `fchmodat(dir, path, mode)`: follows a symlink in the last component, so only for a name that is known to be none.
pub fn chmod_follow(dir: BorrowedFd, path: Name, mode: u32) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::fchmodat, dir.as_raw_fd(), path.as_ptr(), mode) }.map(drop)
}

/// `utimensat(dir, path, {mtime, mtime}, AT_SYMLINK_NOFOLLOW)`; seconds and nanoseconds.
pub fn set_mtime(dir: BorrowedFd, path: Name, seconds: i64, nanoseconds: i64) -> Result<(), Errno> {
    let time = libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = [time, time];
    let flags = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: the path is NUL-terminated, the two timespecs are only read.
    unsafe { syscall!(Sysno::utimensat, dir.as_raw_fd(), path.as_ptr(), times.as_ptr(), flags) }.map(drop)
}

/// `utimensat(fd, NULL, {atime, mtime}, 0)`: of an open file; seconds and nanoseconds each.
pub fn set_times(fd: BorrowedFd, atime: (i64, i64), mtime: (i64, i64)) -> Result<(), Errno> {
    let time = |(seconds, nanoseconds)| libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = [time(atime), time(mtime)];
    // SAFETY: a null path means the descriptor itself; the two timespecs are only read.
    unsafe { syscall!(Sysno::utimensat, fd.as_raw_fd(), 0, times.as_ptr(), 0) }.map(drop)
}

/// `ioctl(fd, FS_IOC_SETFLAGS, flags without FS_IMMUTABLE_FL and FS_APPEND_FL)`: whether one of them was there and is gone.
pub fn clear_flags(fd: BorrowedFd) -> bool {
    // The kernel reads and writes an int, although the number is made with sizeof(long).
    let mut flags: c_int = 0;
    // SAFETY: the kernel writes one int.
    if unsafe { syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::FS_IOC_GETFLAGS, &raw mut flags) }.is_err() {
        return false;
    }
    let rest = flags & !0x30;
    // SAFETY: the kernel reads one int.
    rest != flags && unsafe { syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::FS_IOC_SETFLAGS, &raw const rest) }.is_ok()
}

/// `sendfile(to, from, NULL, count)`: the number of bytes that went; 0 at the end of `from`.
pub fn send_file(to: BorrowedFd, from: BorrowedFd, count: usize) -> Result<usize, Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::sendfile, to.as_raw_fd(), from.as_raw_fd(), 0, count) }
}

/// `fsetxattr(fd, name, value, size, 0)`.
pub fn set_xattr(fd: BorrowedFd, name: Name, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the name is NUL-terminated, the value has the length that is passed; both are only read.
    unsafe { syscall!(Sysno::fsetxattr, fd.as_raw_fd(), name.as_ptr(), value.as_ptr(), value.len(), 0) }.map(drop)
}

/// `lsetxattr(path, name, value, size, 0)`: of a symlink itself.
pub fn set_xattr_at(path: Name, name: Name, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: as for set_xattr.
    unsafe { syscall!(Sysno::lsetxattr, path.as_ptr(), name.as_ptr(), value.as_ptr(), value.len(), 0) }.map(drop)
}

/// `flistxattr(fd, buffer)`: the names, each with its NUL; None where they do not fit into the buffer.
pub fn list_xattr<'a>(fd: BorrowedFd, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    // SAFETY: the kernel writes at most the length that is passed.
    let len = unsafe { syscall!(Sysno::flistxattr, fd.as_raw_fd(), buf.as_mut_ptr(), buf.len()) }?;
    buf.get(..len).ok_or(Errno::ERANGE)
}

/// `fgetxattr(fd, name, buffer)`.
pub fn get_xattr<'a>(fd: BorrowedFd, name: Name, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    // SAFETY: the kernel writes at most the length that is passed; the name is NUL-terminated.
    let len = unsafe { syscall!(Sysno::fgetxattr, fd.as_raw_fd(), name.as_ptr(), buf.as_mut_ptr(), buf.len()) }?;
    buf.get(..len).ok_or(Errno::ERANGE)
}

/// `read(fd, buf)`: the number of bytes, 0 at the end.
pub fn read(fd: BorrowedFd, buf: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most the length that is passed.
    unsafe { syscall!(Sysno::read, fd.as_raw_fd(), buf.as_mut_ptr(), buf.len()) }
}

/// `read` into what room there is behind what is in `buf`, so that pages that are not needed are never touched: the number
/// of bytes, 0 at the end.
pub fn read_more(fd: BorrowedFd, buf: &mut Vec<u8>) -> Result<usize, Errno> {
    let room = buf.spare_capacity_mut();
    // SAFETY: the kernel writes at most the length that is passed.
    let got = unsafe { syscall!(Sysno::read, fd.as_raw_fd(), room.as_mut_ptr(), room.len()) }?;
    // SAFETY: the kernel has filled so much of the spare capacity.
    unsafe { buf.set_len(buf.len().wrapping_add(got)) };
    Ok(got)
}

/// `pread64(fd, buf, offset)`: the number of bytes, 0 at the end.
pub fn read_at(fd: BorrowedFd, buf: &mut [u8], offset: u64) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most the length that is passed.
    unsafe { syscall!(Sysno::pread64, fd.as_raw_fd(), buf.as_mut_ptr(), buf.len(), offset) }
}

/// `ftruncate(fd, length)`.
pub fn truncate(fd: BorrowedFd, length: u64) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::ftruncate, fd.as_raw_fd(), length) }.map(drop)
}

/// `write(fd, bytes)`: the number of bytes that went.
pub fn write(fd: BorrowedFd, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads the length that is passed.
    unsafe { syscall!(Sysno::write, fd.as_raw_fd(), bytes.as_ptr(), bytes.len()) }
}

/// `write` until all is written.
pub fn write_all(fd: BorrowedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(fd, bytes)? {
            0 => return Err(Errno::EIO),
            went => bytes = bytes.get(went..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// The whole of a small file, or its first `limit` bytes.
pub fn read_all(fd: BorrowedFd, limit: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    // Not into the vector: its memory is new, and each page of it has to be had from the kernel, and copied by clone.
    let mut buf = [0; 4096];
    while bytes.len() < limit {
        let room = limit.wrapping_sub(bytes.len()).min(buf.len());
        match read(fd, buf.get_mut(..room).unwrap_or_default())? {
            0 => break,
            more => bytes.extend_from_slice(buf.get(..more).unwrap_or_default()),
        }
    }
    Ok(bytes)
}

/// `read_all` of a path, never freed; a FIFO is not waited for.
pub fn read_file(path: Name, limit: usize) -> Result<&'static [u8], Errno> {
    let fd = open_follow(CWD, path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0)?;
    Ok(read_all(std::os::fd::AsFd::as_fd(&fd), limit)?.leak())
}

/// `lseek(fd, 0, SEEK_SET)`.
pub fn rewind(fd: BorrowedFd) -> Result<(), Errno> {
    seek(fd, 0, libc::SEEK_SET).map(drop)
}

/// `lseek(fd, offset, whence)`: the new offset.
pub fn seek(fd: BorrowedFd, offset: i64, whence: c_int) -> Result<u64, Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::lseek, fd.as_raw_fd(), offset, whence) }.map(|at| at as u64)
}

/// `getdents64(fd, buf)`: the part of `buf` that was filled; empty at the end. `Entries` takes it apart.
pub fn read_dir<'a>(fd: BorrowedFd, buf: &'a mut DirBuf) -> Result<Entries<'a>, Errno> {
    // SAFETY: the kernel writes at most the length that is passed.
    let len = unsafe { syscall!(Sysno::getdents64, fd.as_raw_fd(), buf.0.as_mut_ptr(), buf.0.len()) }?;
    Ok(Entries(buf.0.get(..len).ok_or(Errno::EIO)?))
}

/// Each entry of an open directory with its d_type, but for `.` and `..`. One call for a small directory.
pub fn each_entry(dir: BorrowedFd, take: &mut dyn FnMut(Name, u8)) -> Result<(), Errno> {
    let mut buf = DirBuf::new();
    loop {
        let entries = read_dir(dir, &mut buf)?;
        // Where there was room for more there is no more; if a network file system has more, the next time will do.
        let last = entries.is_end() || entries.is_small();
        entries.for_each(|(name, kind)| take(name, kind));
        if last {
            return Ok(());
        }
    }
}

/// Room for one getdents64, aligned as its records are.
#[repr(align(8))]
pub struct DirBuf([u8; 4096]);

impl DirBuf {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self([0; 4096])
    }
}

/// The names of one getdents64 without `.` and `..`, with their d_type (DT_UNKNOWN where the file system has none).
pub struct Entries<'a>(&'a [u8]);

impl Entries<'_> {
    /// Whether the directory's end was reached.
    pub fn is_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the kernel had room for more, so that there is no more.
    pub fn is_small(&self) -> bool {
        self.0.len() < 2048
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Name<'a>, u8);
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name.
            let record: [u8; 2] = self.0.get(16..18)?.try_into().ok()?;
            let length = usize::from(u16::from_ne_bytes(record));
            let kind = *self.0.get(18)?;
            let name = Name::until_nul(self.0.get(19..length)?)?;
            self.0 = self.0.get(length..)?;
            if name != t(c".") && name != t(c"..") {
                return Some((name, kind));
            }
        }
    }
}

/// Whether a directory has no entries, or isn't there.
pub fn is_empty(dir: BorrowedFd, path: Name) -> bool {
    let mut buf = DirBuf::new();
    let Ok(dir) = open(dir, path, libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return true };
    let first = read_dir(dir.as_fd(), &mut buf).map(|mut entries| entries.next().is_some());
    first != Ok(true)
}

/// `flock(fd, operation)`, see flock(2).
pub fn lock(fd: BorrowedFd, operation: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::flock, fd.as_raw_fd(), operation) }.map(drop)
}

/// `inotify_init1(IN_CLOEXEC | IN_NONBLOCK)`.
pub fn inotify() -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::inotify_init1, libc::O_CLOEXEC | libc::O_NONBLOCK) }.map(owned)
}

/// `inotify_add_watch(inotify, "/proc/self/fd/DIR", IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)`: the watch's number.
pub fn watch(inotify: BorrowedFd, dir: BorrowedFd) -> Result<c_int, Errno> {
    let mut path = Line::new();
    path.put(b"/proc/self/fd/").int(i64::from(dir.as_raw_fd())).push(0);
    let mask = libc::IN_CREATE | libc::IN_MOVED_FROM | libc::IN_MOVED_TO | libc::IN_DELETE;
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::inotify_add_watch, inotify.as_raw_fd(), path.as_ptr(), mask) }.map(|watch| watch as c_int)
}

/// What has happened since: each watch with the name of what it happened to.
pub fn each_event(inotify: BorrowedFd, take: &mut dyn FnMut(c_int, &[u8])) -> Result<(), Errno> {
    let mut buf = [0_u8; 4096];
    loop {
        let count = match read(inotify, &mut buf) {
            Err(Errno::EAGAIN) => return Ok(()),
            count => count?,
        };
        let mut rest = buf.get(..count).unwrap_or_default();
        // struct inotify_event: wd, mask, cookie, len, and so many bytes of name.
        while let Some((head, behind)) = rest.split_first_chunk::<16>() {
            let [watch, _, _, length] = [0, 4, 8, 12].map(|at| {
                let word = head.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
                u32::from_ne_bytes(word.copied().unwrap_or_default())
            });
            let (name, next) = behind.split_at_checked(length as usize).unwrap_or_default();
            take(watch as c_int, crate::text::until(name, 0));
            rest = next;
        }
    }
}

/// `syncfs(fd)`: the whole file system that `fd` is on.
pub fn sync_fs(fd: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::syncfs, fd.as_raw_fd()) }.map(drop)
}

/// `fsync(fd)`.
pub fn sync(fd: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fsync, fd.as_raw_fd()) }.map(drop)
}

/// `readlinkat(dir, path, buf)`.
pub fn read_link<'a>(dir: BorrowedFd, path: Name, buf: &'a mut [u8]) -> Result<&'a [u8], Errno> {
    // SAFETY: the path is NUL-terminated; the kernel writes at most the length that is passed.
    let len = unsafe { syscall!(Sysno::readlinkat, dir.as_raw_fd(), path.as_ptr(), buf.as_mut_ptr(), buf.len()) }?;
    buf.get(..len).ok_or(Errno::ENAMETOOLONG)
}

/// `getcwd(buf)`: without the NUL. Outside the root the kernel says "(unreachable)/…".
pub fn getcwd(buf: &mut [u8]) -> Result<&[u8], Errno> {
    // SAFETY: the kernel writes at most the length that is passed.
    let len = unsafe { syscall!(Sysno::getcwd, buf.as_mut_ptr(), buf.len()) }?;
    buf.get(..len.saturating_sub(1)).ok_or(Errno::ERANGE)
}

/// `access(path, F_OK)`: with the effective ids' eyes, as faccessat(2) has it. False only where it is known to be missing:
/// a mask must not be left out because nobody could look.
#[inline(never)]
pub fn exists(path: Name) -> bool {
    // SAFETY: the path is NUL-terminated and only read.
    let looked = unsafe { syscall!(Sysno::faccessat, libc::AT_FDCWD, path.as_ptr(), libc::F_OK) };
    !matches!(looked, Err(Errno::ENOENT | Errno::ENOTDIR))
}

/// `access(path, W_OK)`.
pub fn can_write(path: Name) -> Result<(), Errno> {
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::faccessat, libc::AT_FDCWD, path.as_ptr(), libc::W_OK) }.map(drop)
}

/// The same as a question.
pub fn is_writable(path: Name) -> bool {
    can_write(path).is_ok()
}

/// The file type bits of a mode.
pub const fn kind(stat: &Stat) -> u32 {
    stat.st_mode & libc::S_IFMT
}

/// Whether it is a directory.
pub const fn is_dir(stat: &Stat) -> bool {
    kind(stat) == libc::S_IFDIR
}
