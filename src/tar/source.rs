//! The archive's bytes: read in large pieces, unpacked where they are gzip, hashed, and shown as progress.

use super::header::Why;
use crate::sys::process::{STDERR, nanoseconds};
use crate::sys::{Errno, fs, terminal};
use crate::text::{Line, Push};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT};
use sha2::{Digest, Sha256};
use std::os::fd::BorrowedFd;

/// Of both buffers. inflate uses its own as a ring, which must be a power of two.
const SIZE: usize = 256 * 1024;
/// Nanoseconds between two lines of progress.
const PACE: u64 = 100_000_000;

/// What starts a compression that is not built in.
const OTHERS: [(&[u8], Why); 3] = [
    (b"\xfd7zXZ", "is compressed with xz: unpack it first (xz -d)"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first (zstd -d)"),
    (b"BZh", "is compressed with bzip2: unpack it first (bzip2 -d)"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Unknown,
    Plain,
    Gzip,
    /// Gzip whose last member has ended.
    Ended,
}

/// An archive that is being read. An error of its methods is the system's, or EINVAL with a word in `why`.
pub struct Source<'a> {
    /// What is wrong with the archive as a whole.
    pub why: Why,
    /// The archive's name for messages.
    pub name: &'a [u8],
    fd: BorrowedFd<'a>,
    format: Format,
    data: Vec<u8>,
    at: usize,
    end: usize,
    packed: Vec<u8>,
    packed_at: usize,
    packed_end: usize,
    inflate: DecompressorOxide,
    crc: Crc,
    length: u32,
    hash: Sha256,
    size: u64,
    done: u64,
    /// When to show the progress again; never where stderr is no terminal.
    next: u64,
    shown: bool,
}

impl<'a> Source<'a> {
    /// `name` is for messages, `size` of the file for the progress. Nothing is read yet.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64) -> Box<Self> {
        // What takes no time needs no words.
        let next = if terminal::is_terminal(STDERR) { nanoseconds().saturating_add(PACE) } else { u64::MAX };
        Box::new(Self {
            why: "",
            name,
            fd,
            format: Format::Unknown,
            data: vec![0; SIZE],
            at: 0,
            end: 0,
            packed: vec![0; SIZE],
            packed_at: 0,
            packed_end: 0,
            inflate: DecompressorOxide::new(),
            crc: Crc::new(),
            length: 0,
            hash: Sha256::new(),
            size,
            done: 0,
            next,
            shown: false,
        })
    }

    /// What was read and not consumed yet; empty at the archive's end only.
    pub fn window(&mut self) -> Result<&[u8], Errno> {
        if self.at == self.end {
            self.refill()?;
        }
        Ok(self.data.get(self.at..self.end).unwrap_or_default())
    }

    /// Goes on by `count` bytes of the window.
    pub fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// Fills `buf`; an archive that ends before is cut off.
    pub fn read(&mut self, mut buf: &mut [u8]) -> Result<(), Errno> {
        while !buf.is_empty() {
            let window = self.window()?;
            let count = window.len().min(buf.len());
            if count == 0 {
                return self.fail(CUT_OFF);
            }
            let (head, rest) = buf.split_at_mut_checked(count).unwrap_or_default();
            head.copy_from_slice(window.get(..count).unwrap_or_default());
            buf = rest;
            self.consume(count);
        }
        Ok(())
    }

    /// The SHA-256 of all bytes so far, uncompressed.
    pub fn digest(&mut self) -> [u8; 32] {
        self.hash.finalize_reset().into()
    }

    /// Says what is wrong with the archive.
    pub fn fail<T>(&mut self, why: Why) -> Result<T, Errno> {
        self.why = why;
        Err(Errno::EINVAL)
    }

    /// The next piece of the file itself, into the buffer of packed bytes, which is empty at the end.
    fn more(&mut self) -> Result<(), Errno> {
        self.packed_at = 0;
        self.packed_end = fs::read(self.fd, &mut self.packed)?;
        self.done = self.done.saturating_add(self.packed_end as u64);
        if self.next != u64::MAX && nanoseconds() >= self.next {
            self.next = nanoseconds().saturating_add(PACE);
            self.shown = true;
            let mut line = Line::new();
            line.put(b"\rimporting ").safe(self.name).put(b": ").dec(self.done >> 20);
            line.put(b" of ").dec(self.size >> 20).put(b" MiB\x1b[K");
            let _ = fs::write(STDERR, &line);
        }
        Ok(())
    }

    fn refill(&mut self) -> Result<(), Errno> {
        if self.format == Format::Unknown {
            self.more()?;
            let start = self.packed.get(..self.packed_end).unwrap_or_default();
            if let Some(&(_, why)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
                return self.fail(why);
            }
            self.format = if start.starts_with(b"\x1f\x8b") { Format::Gzip } else { Format::Plain };
            if self.format == Format::Gzip {
                self.gzip_header()?;
            }
        } else if self.format == Format::Plain {
            self.more()?;
        }
        match self.format {
            Format::Gzip => self.inflate()?,
            Format::Ended => {}
            _ => {
                core::mem::swap(&mut self.data, &mut self.packed);
                (self.at, self.end) = (0, self.packed_end);
            }
        }
        self.hash.update(self.data.get(self.at..self.end).unwrap_or_default());
        Ok(())
    }

    fn inflate(&mut self) -> Result<(), Errno> {
        loop {
            if self.packed_at == self.packed_end {
                self.more()?;
            }
            self.at = self.end & (SIZE - 1);
            let input = self.packed.get(self.packed_at..self.packed_end).unwrap_or_default();
            let flags = if input.is_empty() { 0 } else { TINFL_FLAG_HAS_MORE_INPUT };
            let (status, consumed, made) = decompress(&mut self.inflate, input, &mut self.data, self.at, flags);
            self.packed_at = self.packed_at.saturating_add(consumed);
            self.end = self.at.saturating_add(made);
            self.crc.update(self.data.get(self.at..self.end).unwrap_or_default());
            self.length = self.length.wrapping_add(made as u32);
            match status {
                TINFLStatus::Done => self.gzip_end()?,
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if flags != 0 => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => return self.fail(CUT_OFF),
                _ => return self.fail(DAMAGED),
            }
            if made != 0 || self.format == Format::Ended {
                return Ok(());
            }
        }
    }

    /// One byte of the file itself; None at its end.
    fn byte(&mut self) -> Result<Option<u8>, Errno> {
        if self.packed_at == self.packed_end {
            self.more()?;
        }
        let byte = self.packed.get(self.packed_at..self.packed_end).and_then(<[u8]>::first).copied();
        self.packed_at = self.packed_at.saturating_add(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn little_endian(&mut self, bytes: u32) -> Result<u32, Errno> {
        let mut value = 0_u32;
        for at in 0..bytes {
            let Some(byte) = self.byte()? else { return self.fail(CUT_OFF) };
            value |= u32::from(byte) << at.wrapping_mul(8);
        }
        Ok(value)
    }

    /// RFC 1952, 2.3: magic, method, flags, then what the flags announce.
    fn gzip_header(&mut self) -> Result<(), Errno> {
        let start = self.little_endian(4)?;
        let flags = start >> 24;
        if start & 0xff_ffff != 0x08_8b1f || flags & 0xe0 != 0 {
            return self.fail("its gzip data is damaged, or has something else behind it");
        }
        self.little_endian(4)?;
        self.little_endian(2)?;
        if flags & 4 != 0 {
            for _ in 0..self.little_endian(2)? {
                self.little_endian(1)?;
            }
        }
        for flag in [8, 16] {
            while flags & flag != 0 && self.little_endian(1)? != 0 {}
        }
        if flags & 2 != 0 {
            self.little_endian(2)?;
        }
        Ok(())
    }

    /// The sums at a gzip member's end, then the next member's header where one follows. Padding of zeros may.
    fn gzip_end(&mut self) -> Result<(), Errno> {
        if (self.little_endian(4)?, self.little_endian(4)?) != (self.crc.value(), self.length) {
            return self.fail(DAMAGED);
        }
        self.inflate.init();
        self.crc.sum = !0;
        self.length = 0;
        loop {
            match self.byte()? {
                None => {
                    self.format = Format::Ended;
                    return Ok(());
                }
                Some(0) => {}
                Some(_) => {
                    // It was taken from the buffer just now.
                    self.packed_at = self.packed_at.saturating_sub(1);
                    return self.gzip_header();
                }
            }
        }
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        if self.shown {
            let _ = fs::write(STDERR, b"\r\x1b[K");
        }
    }
}

/// The archive ends too early.
pub const CUT_OFF: Why = "ends in the middle: was it cut off?";
const DAMAGED: Why = "its gzip data is damaged";

/// CRC-32 as in RFC 1952, four bytes at a step. The tables are made when they are needed, which costs fewer bytes of
/// the binary than to carry them.
struct Crc {
    tables: [[u32; 256]; 4],
    sum: u32,
}

impl Crc {
    fn new() -> Self {
        let mut crc = Self { tables: [[0; 256]; 4], sum: !0 };
        for byte in 0..=u8::MAX {
            let mut sum = u32::from(byte);
            // The byte itself, then with one to three bytes of zeros behind it.
            for table in &mut crc.tables {
                for _ in 0..8 {
                    sum = if sum & 1 != 0 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
                }
                if let Some(slot) = table.get_mut(usize::from(byte)) {
                    *slot = sum;
                }
            }
        }
        crc
    }

    fn update(&mut self, bytes: &[u8]) {
        let [one, two, three, four] = &self.tables;
        let row = |table: &[u32; 256], byte: u32| *table.get(usize::from(byte as u8)).unwrap_or(&0);
        let (words, rest) = bytes.as_chunks::<4>();
        let sum = words.iter().fold(self.sum, |sum, &word| {
            let sum = sum ^ u32::from_le_bytes(word);
            row(four, sum) ^ row(three, sum >> 8) ^ row(two, sum >> 16) ^ row(one, sum >> 24)
        });
        self.sum = rest.iter().fold(sum, |sum, &byte| row(one, sum ^ u32::from(byte)) ^ (sum >> 8));
    }

    fn value(&self) -> u32 {
        !self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32() {
        let mut crc = Crc::new();
        crc.update(b"123456789");
        assert_eq!(crc.value(), 0xcbf4_3926);
    }
}
