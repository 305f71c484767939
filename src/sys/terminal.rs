//! Terminals: one thin function an ioctl.

use super::Errno;
use core::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use syscalls::Sysno;

/// The kernel's `struct termios` of TCGETS: four flag words, the line, 19 control characters, padded.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Termios {
    iflag: u32,
    oflag: u32,
    cflag: u32,
    lflag: u32,
    line: u8,
    cc: [u8; 19],
}

/// `struct winsize`: rows, columns, and pixels that nobody fills.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Size {
    rows: u16,
    columns: u16,
    pixels: [u16; 2],
}

impl Size {
    /// One row more, so that the real one is a change.
    pub fn other(mut self) -> Self {
        self.rows = self.rows.wrapping_add(1);
        self
    }
}

impl Termios {
    /// As cfmakeraw(3): every key goes to the other side as it is, ^C too.
    pub fn raw(mut self) -> Self {
        self.iflag &= !(libc::IGNBRK
            | libc::BRKINT
            | libc::PARMRK
            | libc::ISTRIP
            | libc::INLCR
            | libc::IGNCR
            | libc::ICRNL
            | libc::IXON);
        self.oflag &= !libc::OPOST;
        self.lflag &= !(libc::ECHO | libc::ECHONL | libc::ICANON | libc::ISIG | libc::IEXTEN);
        self.cflag = self.cflag & !(libc::CSIZE | libc::PARENB) | libc::CS8;
        (self.cc[libc::VMIN], self.cc[libc::VTIME]) = (1, 0);
        self
    }
}

/// `ioctl(fd, TCGETS)`; ENOTTY where it is no terminal.
pub fn attributes(fd: BorrowedFd) -> Result<Termios, Errno> {
    let mut termios = MaybeUninit::<Termios>::zeroed();
    // SAFETY: the kernel writes its struct termios, 36 bytes; all-zero is valid.
    unsafe {
        syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::TCGETS, termios.as_mut_ptr())?;
        Ok(termios.assume_init())
    }
}

/// Whether `fd` is a terminal.
pub fn is_terminal(fd: BorrowedFd) -> bool {
    attributes(fd).is_ok()
}

/// `ioctl(fd, TCSETS)`.
pub fn set_attributes(fd: BorrowedFd, termios: &Termios) -> Result<(), Errno> {
    // SAFETY: 36 bytes are read.
    unsafe { syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::TCSETS, termios as *const Termios) }.map(drop)
}

/// `ioctl(fd, TIOCGWINSZ)`.
pub fn size(fd: BorrowedFd) -> Result<Size, Errno> {
    let mut size = MaybeUninit::<Size>::zeroed();
    // SAFETY: the kernel writes eight bytes; all-zero is valid.
    unsafe {
        syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr())?;
        Ok(size.assume_init())
    }
}

/// `ioctl(fd, TIOCSWINSZ)`: the kernel sends SIGWINCH to the foreground of the other side where it changed.
pub fn set_size(fd: BorrowedFd, size: &Size) -> Result<(), Errno> {
    // SAFETY: eight bytes are read.
    unsafe { syscall!(Sysno::ioctl, fd.as_raw_fd(), libc::TIOCSWINSZ, size as *const Size) }.map(drop)
}

/// `ioctl(master, TIOCSPTLCK, &0)`: the other side may be opened.
pub fn unlock(master: BorrowedFd) -> Result<(), Errno> {
    let off = 0_i32;
    // SAFETY: four bytes are read.
    unsafe { syscall!(Sysno::ioctl, master.as_raw_fd(), 0x4004_5431_u32, &raw const off) }.map(drop)
}

/// `fcntl(fd, F_SETFL, O_NONBLOCK)`: only for descriptions that are ours alone.
pub fn set_nonblocking(fd: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fcntl, fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }.map(drop)
}
