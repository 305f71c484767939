//! Unix sockets of whole packets, and what else tells of a change: one thin function a system call.

use super::name::Name;
use super::{Errno, OwnedFd};
use core::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

const KIND: c_int = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;

/// Takes the descriptor that a system call has just returned.
fn owned(raw: usize) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor, so nobody else owns it.
    unsafe { OwnedFd::from_raw_fd(raw as RawFd) }
}

/// `struct sockaddr_un`: the family, then the path, which has room for 107 bytes.
fn address(path: Name) -> Result<[u8; 110], Errno> {
    let mut address = [0; 110];
    let path = path.to_bytes();
    let family = (libc::AF_UNIX as u16).to_ne_bytes();
    address.iter_mut().zip(family.iter().chain(path)).for_each(|(to, from)| *to = *from);
    if path.len() > 107 { Err(Errno::ENAMETOOLONG) } else { Ok(address) }
}

/// `socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)`, then bind or connect.
fn socket(kind: c_int, path: Name, join: Sysno) -> Result<OwnedFd, Errno> {
    let address = address(path)?;
    // SAFETY: no pointers.
    let socket = unsafe { syscall!(Sysno::socket, libc::AF_UNIX, kind, 0) }.map(owned)?;
    // The mode of the file that bind makes.
    super::fs::chmod(std::os::fd::AsFd::as_fd(&socket), 0o600)?;
    // SAFETY: the length of the address is passed; it is only read.
    unsafe { syscall!(join, socket.as_raw_fd(), address.as_ptr(), address.len()) }?;
    Ok(socket)
}

/// A socket that listens at a path, mode 0600, and does not block.
pub fn listen(path: Name) -> Result<OwnedFd, Errno> {
    let socket = socket(KIND | libc::SOCK_NONBLOCK, path, Sysno::bind)?;
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::listen, socket.as_raw_fd(), 8) }?;
    Ok(socket)
}

/// `connect`: to the socket at a path.
pub fn connect(path: Name) -> Result<OwnedFd, Errno> {
    socket(KIND, path, Sysno::connect)
}

/// `accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)`.
pub fn accept(fd: BorrowedFd) -> Result<OwnedFd, Errno> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no address is asked for.
    unsafe { syscall!(Sysno::accept4, fd.as_raw_fd(), 0, 0, flags) }.map(owned)
}

/// `writev(fd, {kind, bytes})`: one packet, whose first byte says what it is.
pub fn send(fd: BorrowedFd, kind: u8, bytes: &[u8]) -> Result<(), Errno> {
    let parts = [(&raw const kind) as usize, 1, bytes.as_ptr() as usize, bytes.len()];
    // SAFETY: two struct iovec, each with the length of what it points to; the kernel only reads.
    unsafe { syscall!(Sysno::writev, fd.as_raw_fd(), parts.as_ptr(), 2) }.map(drop)
}

/// A receiving call of a Unix socket. Who closes one with packets that he has not read leaves ECONNRESET to the other side,
/// and the kernel says that once, before what is still there to be read (`sock_error` in `__skb_try_recv_datagram`).
pub fn read_on<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    match call() {
        Err(Errno::ECONNRESET) => call(),
        got => got,
    }
}

/// `read(fd, buf)`: one packet, 0 bytes at the end.
pub fn receive(fd: BorrowedFd, buf: &mut [u8]) -> Result<usize, Errno> {
    read_on(|| super::fs::read(fd, buf))
}

/// `setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, 4 MiB)`: what was sent and not read may be so much. It needs CAP_NET_ADMIN.
pub fn enlarge(fd: BorrowedFd) {
    let size: c_int = 4 << 20;
    let level = libc::SOL_SOCKET;
    // SAFETY: four bytes are read.
    let _ = unsafe { syscall!(Sysno::setsockopt, fd.as_raw_fd(), level, libc::SO_SNDBUFFORCE, &raw const size, 4) };
}

/// `inotify_init1(IN_CLOEXEC | IN_NONBLOCK)` and `inotify_add_watch(fd, path, mask)`.
pub fn watch(path: Name, mask: u32) -> Result<OwnedFd, Errno> {
    let flags = libc::IN_CLOEXEC | libc::IN_NONBLOCK;
    // SAFETY: no pointers.
    let fd = unsafe { syscall!(Sysno::inotify_init1, flags) }.map(owned)?;
    // SAFETY: the path is NUL-terminated and only read.
    unsafe { syscall!(Sysno::inotify_add_watch, fd.as_raw_fd(), path.as_ptr(), mask) }?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::os::fd::AsFd;

    /// An end whose other side has said what `say` says, was told something that it never read, and is closed.
    fn hung_up(say: impl FnOnce(BorrowedFd) -> Result<(), Errno>) -> Result<OwnedFd, Errno> {
        let (ours, theirs) = process::socket_pair(libc::SOCK_SEQPACKET)?;
        say(theirs.as_fd())?;
        send(ours.as_fd(), 0, b"unread")?;
        Ok(ours)
    }

    #[test]
    fn what_was_sent_before_the_other_side_closed_is_received() -> Result<(), Errno> {
        let mut buf = [0; 2];
        let ours = hung_up(|theirs| send(theirs, 3, b"!"))?;
        assert_eq!(super::super::fs::read(ours.as_fd(), &mut buf), Err(Errno::ECONNRESET));
        let ours = hung_up(|theirs| send(theirs, 3, b"!"))?;
        assert_eq!((receive(ours.as_fd(), &mut buf), buf), (Ok(2), [3, b'!']));
        assert_eq!(receive(ours.as_fd(), &mut buf), Ok(0));
        let ours = hung_up(|theirs| process::say(theirs, [7, 8, 9]))?;
        assert_eq!(process::receive(ours.as_fd())?.map(|(words, _)| words), Some([7, 8, 9]));
        assert!(process::receive(ours.as_fd())?.is_none());
        Ok(())
    }
}
