//! The archive file itself: read in large pieces, and shown as progress.

use crate::sha256::Sha256;
use crate::sys::process::{STDERR, nanoseconds};
use crate::sys::{Errno, Large, fs, terminal};
use crate::text::{Line, Push};
use std::os::fd::BorrowedFd;

/// Nanoseconds between two lines of progress.
const PACE: u64 = 100_000_000;

/// A file and the piece of it that is at hand.
pub struct Packed<'a> {
    /// The file's name for messages.
    pub name: &'a [u8],
    fd: BorrowedFd<'a>,
    buf: Large,
    at: usize,
    end: usize,
    size: u64,
    /// What may still be read: the file may be a part of another.
    left: u64,
    done: u64,
    /// Of the bytes as they are in the file, where that is asked for.
    pub hash: Option<Sha256>,
    /// When to show the progress again; never where stderr is no terminal.
    next: u64,
    shown: bool,
}

impl<'a> Packed<'a> {
    /// `size` is what the progress is measured by, 0 where nobody knows. Reads `piece` bytes at a time.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64, piece: usize) -> Self {
        // What takes no time needs no words.
        let next = if terminal::is_terminal(STDERR) { nanoseconds().wrapping_add(PACE) } else { u64::MAX };
        Self {
            name,
            fd,
            buf: Large(vec![0; piece]),
            at: 0,
            end: 0,
            size,
            left: u64::MAX,
            done: 0,
            hash: None,
            next,
            shown: false,
        }
    }

    /// No more than `size` bytes are the file's.
    pub fn limit(&mut self, size: u64) {
        self.left = size;
    }

    /// Starts again at its beginning.
    pub fn restart(&mut self) -> Result<(), Errno> {
        fs::seek(self.fd, (self.done as i64).wrapping_neg(), libc::SEEK_CUR)?;
        self.left = self.left.saturating_add(self.done);
        (self.at, self.end, self.done) = (0, 0, 0);
        Ok(())
    }

    /// Shows no progress.
    pub fn quiet(&mut self) {
        self.next = u64::MAX;
    }

    /// How many bytes were taken.
    pub fn position(&self) -> u64 {
        self.done.wrapping_sub(self.rest().len() as u64)
    }

    /// Goes on by `count` bytes without reading those that are not at hand.
    pub fn pass(&mut self, count: u64) -> Result<(), Errno> {
        let here = self.rest().len() as u64;
        match count.checked_sub(here) {
            None => self.skip(count as usize),
            Some(beyond) => {
                self.skip(here as usize);
                self.done = self.done.checked_add(beyond).ok_or(Errno::EOVERFLOW)?;
                fs::seek(self.fd, i64::try_from(beyond).map_err(|_| Errno::EOVERFLOW)?, libc::SEEK_CUR)?;
            }
        }
        Ok(())
    }

    /// Reads the next piece into the buffer, over what is there; it is empty at the file's end.
    pub fn more(&mut self) -> Result<(), Errno> {
        self.at = 0;
        let room = self.buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.end = fs::read(self.fd, self.buf.get_mut(..room).unwrap_or_default())?;
        self.left = self.left.saturating_sub(self.end as u64);
        self.done = self.done.wrapping_add(self.end as u64);
        if let Some(hash) = &mut self.hash {
            hash.update(self.buf.get(..self.end).unwrap_or_default());
        }
        if self.next != u64::MAX && nanoseconds() >= self.next {
            self.next = nanoseconds().wrapping_add(PACE);
            self.shown = true;
            let mut line = Line::new();
            line.put(b"\rimporting ").safe(self.name).put(b": ").dec(self.done >> 20);
            if self.size != 0 {
                line.put(b" of ").dec(self.size >> 20);
            }
            line.put(b" MiB\x1b[K");
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
