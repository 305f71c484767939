//! The archive's bytes: read in large pieces, unpacked where they are gzip, hashed, and shown as progress.

use crate::error::{Error, Result};
use crate::sys::fs;
use crate::text::{Line, Push};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT};
use sha2::{Digest, Sha256};
use std::os::fd::BorrowedFd;

/// Of both buffers. inflate uses its own as a ring, which must be a power of two.
const SIZE: usize = 256 * 1024;

/// What is behind the magic number of a compression that is not built in, and the tool that takes it off.
const OTHERS: [(&[u8], &[u8]); 3] = [(b"\xfd7zXZ", b"xz"), (b"\x28\xb5\x2f\xfd", b"zstd"), (b"BZh", b"bzip2")];

/// An archive that is being read.
pub struct Source<'a> {
    fd: BorrowedFd<'a>,
    name: &'a [u8],
    input: Vec<u8>,
    at: usize,
    end: usize,
    gzip: Option<Box<Gzip>>,
    hash: Sha256,
    progress: Progress<'a>,
}

struct Gzip {
    state: DecompressorOxide,
    ring: Vec<u8>,
    at: usize,
    end: usize,
    crc: Crc,
    length: u32,
    done: bool,
}

impl<'a> Source<'a> {
    /// `name` is for messages, `size` of the file for the progress.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64) -> Result<Self> {
        let shown = fs::is_terminal(fs::STDERR);
        let mut source = Self {
            fd,
            name,
            input: vec![0; SIZE],
            at: 0,
            end: 0,
            gzip: None,
            hash: Sha256::new(),
            progress: Progress { name, size, done: 0, next: if shown { 0 } else { u64::MAX }, shown: false },
        };
        source.more()?;
        let start = source.input.get(..source.end).unwrap_or_default();
        for (magic, tool) in OTHERS {
            if start.starts_with(magic) {
                return Err(source.error(&[b"is compressed with ", tool, b": unpack it first (", tool, b" -d)"]));
            }
        }
        if start.starts_with(b"\x1f\x8b") {
            let crc = Crc::new();
            let (state, ring) = (DecompressorOxide::new(), vec![0; SIZE]);
            source.gzip = Some(Box::new(Gzip { state, ring, at: 0, end: 0, crc, length: 0, done: false }));
            source.gzip_header()?;
        } else {
            source.hash.update(start);
        }
        Ok(source)
    }

    /// An error that names the archive.
    pub fn error(&self, pieces: &[&[u8]]) -> Error {
        Error::new(&[self.name, b": ", &pieces.concat()])
    }

    /// What was read and not consumed yet; empty at the archive's end only.
    pub fn window(&mut self) -> Result<&[u8]> {
        let (at, end) = self.gzip.as_ref().map_or((self.at, self.end), |gzip| (gzip.at, gzip.end));
        if at == end {
            self.refill()?;
        }
        Ok(match &self.gzip {
            Some(gzip) => gzip.ring.get(gzip.at..gzip.end),
            None => self.input.get(self.at..self.end),
        }
        .unwrap_or_default())
    }

    /// Goes on by `count` bytes of the window.
    pub fn consume(&mut self, count: usize) {
        let at = self.gzip.as_mut().map_or(&mut self.at, |gzip| &mut gzip.at);
        *at = at.saturating_add(count);
    }

    /// Fills `buf` as far as the archive goes.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut filled = 0_usize;
        while let Some(room) = buf.get_mut(filled..).filter(|room| !room.is_empty()) {
            let window = self.window()?;
            let count = window.len().min(room.len());
            if count == 0 {
                break;
            }
            for (to, from) in room.iter_mut().zip(window) {
                *to = *from;
            }
            self.consume(count);
            filled = filled.saturating_add(count);
        }
        Ok(filled)
    }

    /// The SHA-256 of all bytes so far, uncompressed.
    pub fn digest(self) -> [u8; 32] {
        self.hash.finalize().into()
    }

    /// The next piece of the file itself; `end` is `at` where it ended.
    fn more(&mut self) -> Result<()> {
        self.at = 0;
        self.end = fs::read(self.fd, &mut self.input).map_err(|errno| Error::sys("read", self.name, errno))?;
        self.progress.add(self.end);
        Ok(())
    }

    fn refill(&mut self) -> Result<()> {
        if self.gzip.is_some() {
            return self.inflate();
        }
        self.more()?;
        self.hash.update(self.input.get(..self.end).unwrap_or_default());
        Ok(())
    }

    fn inflate(&mut self) -> Result<()> {
        loop {
            if self.at == self.end {
                self.more()?;
            }
            let Some(gzip) = self.gzip.as_mut().filter(|gzip| !gzip.done) else { return Ok(()) };
            if gzip.end == SIZE {
                gzip.end = 0;
            }
            let start = gzip.end;
            let input = self.input.get(self.at..self.end).unwrap_or_default();
            let flags = if input.is_empty() { 0 } else { TINFL_FLAG_HAS_MORE_INPUT };
            let (status, consumed, made) = decompress(&mut gzip.state, input, &mut gzip.ring, start, flags);
            self.at = self.at.saturating_add(consumed);
            (gzip.at, gzip.end) = (start, start.saturating_add(made));
            let window = gzip.ring.get(start..gzip.end).unwrap_or_default();
            gzip.crc.update(window);
            gzip.length = gzip.length.wrapping_add(made as u32);
            self.hash.update(window);
            match status {
                TINFLStatus::Done => {
                    let sums = (gzip.crc.value(), gzip.length);
                    if !self.gzip_end(sums)? || made != 0 {
                        return Ok(());
                    }
                }
                TINFLStatus::HasMoreOutput | TINFLStatus::NeedsMoreInput if made != 0 => return Ok(()),
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if flags != 0 => {}
                TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => return Err(self.cut_off()),
                _ => return Err(self.error(&[b"its gzip data is damaged"])),
            }
        }
    }

    /// The archive ends too early.
    pub fn cut_off(&self) -> Error {
        self.error(&[b"ends in the middle: was it cut off?"])
    }

    /// One byte of the file itself; None at its end.
    fn byte(&mut self) -> Result<Option<u8>> {
        if self.at == self.end {
            self.more()?;
        }
        let byte = self.input.get(self.at..self.end).and_then(<[u8]>::first).copied();
        self.at = self.at.saturating_add(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn little_endian(&mut self, bytes: u32) -> Result<u32> {
        let mut value = 0_u32;
        for at in 0..bytes {
            let byte = self.byte()?.ok_or_else(|| self.cut_off())?;
            value |= u32::from(byte) << at.wrapping_mul(8);
        }
        Ok(value)
    }

    /// RFC 1952, 2.3: magic, method, flags, then what the flags announce.
    fn gzip_header(&mut self) -> Result<()> {
        let start = self.little_endian(4)?;
        let flags = start >> 24;
        if start & 0xff_ffff != 0x08_8b1f || flags & 0xe0 != 0 {
            return Err(self.error(&[b"its gzip data is damaged, or has something else behind it"]));
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

    /// The sums at a gzip member's end, then whether another member follows. Padding of zeros may.
    fn gzip_end(&mut self, sums: (u32, u32)) -> Result<bool> {
        if (self.little_endian(4)?, self.little_endian(4)?) != sums {
            return Err(self.error(&[b"its gzip data is damaged (wrong checksum)"]));
        }
        loop {
            match self.byte()? {
                None => {
                    if let Some(gzip) = self.gzip.as_mut() {
                        gzip.done = true;
                    }
                    return Ok(false);
                }
                Some(0) => {}
                Some(_) => {
                    // The buffer holds at least this byte: it has just been taken from it.
                    self.at = self.at.saturating_sub(1);
                    self.gzip_header()?;
                    if let Some(gzip) = self.gzip.as_mut() {
                        gzip.state.init();
                        gzip.crc.sum = !0;
                        gzip.length = 0;
                    }
                    return Ok(true);
                }
            }
        }
    }
}

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

/// `importing busybox.tar: 12 of 40 MiB`, in place.
struct Progress<'a> {
    name: &'a [u8],
    size: u64,
    done: u64,
    next: u64,
    shown: bool,
}

/// Milliseconds between two lines.
const PACE: u64 = 100;

impl Progress<'_> {
    fn add(&mut self, bytes: usize) {
        self.done = self.done.saturating_add(bytes as u64);
        if self.next == u64::MAX {
            return;
        }
        let now = fs::milliseconds();
        if self.next == 0 {
            // What takes no time needs no words.
            self.next = now.saturating_add(PACE);
        }
        if now >= self.next {
            self.next = now.saturating_add(PACE);
            self.shown = true;
            let mut line = Line::new();
            line.put(b"\rimporting ").safe(self.name).put(b": ").dec(self.done >> 20);
            line.put(b" of ").dec(self.size >> 20).put(b" MiB\x1b[K");
            let _ = fs::write(fs::STDERR, &line);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown {
            let _ = fs::write(fs::STDERR, b"\r\x1b[K");
        }
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
