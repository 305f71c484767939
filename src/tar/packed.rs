//! The archive file itself: read in large pieces, and shown as progress.

use crate::sys::process::{STDERR, nanoseconds};
use crate::sys::{Errno, fs, terminal};
use crate::text::{Line, Push};
use std::os::fd::BorrowedFd;

/// Nanoseconds between two lines of progress.
const PACE: u64 = 100_000_000;

/// A file and the piece of it that is at hand.
pub struct Packed<'a> {
    /// The file's name for messages.
    pub name: &'a [u8],
    fd: BorrowedFd<'a>,
    buf: Vec<u8>,
    at: usize,
    end: usize,
    size: u64,
    done: u64,
    /// When to show the progress again; never where stderr is no terminal.
    next: u64,
    shown: bool,
}

impl<'a> Packed<'a> {
    /// `size` is what the progress is measured by. Reads `piece` bytes at a time.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64, piece: usize) -> Self {
        // What takes no time needs no words.
        let next = if terminal::is_terminal(STDERR) { nanoseconds().wrapping_add(PACE) } else { u64::MAX };
        Self { name, fd, buf: vec![0; piece], at: 0, end: 0, size, done: 0, next, shown: false }
    }

    /// Reads the next piece into the buffer, over what is there; it is empty at the file's end.
    pub fn more(&mut self) -> Result<(), Errno> {
        self.at = 0;
        self.end = fs::read(self.fd, &mut self.buf)?;
        self.done = self.done.wrapping_add(self.end as u64);
        if self.next != u64::MAX && nanoseconds() >= self.next {
            self.next = nanoseconds().wrapping_add(PACE);
            self.shown = true;
            let mut line = Line::new();
            line.put(b"\rimporting ").safe(self.name).put(b": ").dec(self.done >> 20);
            line.put(b" of ").dec(self.size >> 20).put(b" MiB\x1b[K");
            let _ = fs::write(STDERR, &line);
        }
        Ok(())
    }

    /// What was read and not taken.
    pub fn rest(&self) -> &[u8] {
        self.buf.get(self.at..self.end).unwrap_or_default()
    }

    /// Goes on by `count` bytes of the rest.
    pub fn skip(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
    }

    /// The next byte; ENODATA at the end.
    pub fn byte(&mut self) -> Result<u8, Errno> {
        if self.at == self.end {
            self.more()?;
        }
        let byte = *self.rest().first().ok_or(Errno::ENODATA)?;
        self.skip(1);
        Ok(byte)
    }
}

impl Drop for Packed<'_> {
    fn drop(&mut self) {
        if self.shown {
            let _ = fs::write(STDERR, b"\r\x1b[K");
        }
    }
}
