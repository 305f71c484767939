//! What is not content in an archive, kept in little space: zeros are counted, all else stands as it is.
//!
//! A layer's tree has the files' contents, and a program that writes archives has many ways to write the rest: the form of
//! a header, the order of members and pax records, how many blocks of zeros at the end. So `save`, which has to write the
//! very archive that was read, needs all of that: it is kept beside the tree, `layers/DIFFID.split`.
//!
//!     (zeros: u16, count: u16, count bytes)…
//!     start: u64, where the first of these is; size: u64, of the archive, with WHOLE where the contents are in it too
//!
//! All little-endian.

use super::packed::Packed;
use super::source::Sink;
use crate::sys::{Errno, Large, OwnedFd, fs};
use std::os::fd::AsFd;

/// In the size: an archive that has two files of one name. The tree has but the last one, so the contents are here.
pub const WHOLE: u64 = 1 << 63;
/// What is written at a time.
const PIECE: usize = 64 * 1024;
/// The longest piece of either kind.
const LONGEST: usize = 0x7000;
/// So few zeros stand with what is around them.
const FEW: usize = 6;

/// What stands at the end.
pub const END: usize = 16;

/// It is being written.
pub struct Squeeze {
    fd: OwnedFd,
    start: u64,
    whole: u64,
    out: Large,
    /// Zeros, then other bytes, then zeros again, in none of which there is an end yet.
    before: usize,
    bytes: Vec<u8>,
    after: usize,
}

impl Squeeze {
    /// Into an empty file.
    pub const fn new(fd: OwnedFd) -> Self {
        Self { fd, start: 0, whole: 0, out: Large(Vec::new()), before: 0, bytes: Vec::new(), after: 0 }
    }

    /// Writes the zeros before and the bytes, if there are some or will be none. The zeros behind are those before the next.
    fn pair(&mut self, last: bool) -> Result<(), Errno> {
        while last || !self.bytes.is_empty() {
            let zeros = self.before.min(LONGEST);
            self.before = self.before.saturating_sub(zeros);
            let whole = self.before == 0;
            for number in [zeros, if whole { self.bytes.len() } else { 0 }] {
                self.out.extend_from_slice(&(number as u16).to_le_bytes());
            }
            if whole {
                self.out.extend_from_slice(&self.bytes);
                self.bytes.clear();
            }
            if self.out.len() > PIECE {
                self.flush()?;
            }
            if whole {
                break;
            }
        }
        self.before = self.before.saturating_add(self.after);
        self.after = 0;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Errno> {
        let done = fs::write_all(self.fd.as_fd(), &self.out);
        self.out.clear();
        done
    }
}

impl Sink for Squeeze {
    fn put(&mut self, mut rest: &[u8]) -> Result<(), Errno> {
        loop {
            // Most of it is zeros: eight at a time.
            while let Some((&[0, 0, 0, 0, 0, 0, 0, 0], tail)) = rest.split_first_chunk() {
                self.after = self.after.saturating_add(8);
                rest = tail;
            }
            let zeros = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
            self.after = self.after.saturating_add(zeros);
            rest = rest.get(zeros..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            if self.bytes.is_empty() || self.after > FEW || self.bytes.len() > LONGEST {
                self.pair(false)?;
            } else {
                self.bytes.resize(self.bytes.len().saturating_add(self.after), 0);
                self.after = 0;
            }
            let count = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len()).min(LONGEST);
            let (bytes, tail) = rest.split_at_checked(count).unwrap_or_default();
            self.bytes.extend_from_slice(bytes);
            rest = tail;
        }
    }

    fn restart(&mut self) -> Result<(), Errno> {
        self.pair(false)?;
        self.flush()?;
        self.before = 0;
        self.start = fs::seek(self.fd.as_fd(), 0, libc::SEEK_CUR)?;
        self.whole = WHOLE;
        Ok(())
    }

    fn finish(&mut self, size: u64) -> Result<(), Errno> {
        self.pair(false)?;
        self.pair(true)?;
        self.out.extend_from_slice(&self.start.to_le_bytes());
        self.out.extend_from_slice(&(size | self.whole).to_le_bytes());
        self.flush()
    }
}

/// It is being read.
pub struct Squeezed {
    buf: Vec<u8>,
    at: usize,
}

impl Squeezed {
    /// Nothing is read yet.
    pub const fn new() -> Self {
        Self { buf: Vec::new(), at: 0 }
    }

    /// What was not taken yet.
    pub fn rest(&self) -> &[u8] {
        self.buf.get(self.at..).unwrap_or_default()
    }

    /// Goes on by `count` bytes of the rest.
    pub fn skip(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
    }

    /// The next pair.
    pub fn more(&mut self, packed: &mut Packed) -> Result<(), Errno> {
        self.at = 0;
        self.buf.clear();
        let first = match packed.byte() {
            Err(Errno::ENODATA) => return Ok(()),
            first => first?,
        };
        let zeros = u16::from_le_bytes([first, packed.byte()?]);
        let count = u16::from_le_bytes([packed.byte()?, packed.byte()?]);
        self.buf.resize(usize::from(zeros), 0);
        for _ in 0..count {
            self.buf.push(packed.byte()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::Source;
    use std::fs::File;
    use std::io::{Read, Seek};
    use std::os::unix::fs::OpenOptionsExt;

    fn unnamed() -> File {
        let mut open = File::options();
        open.read(true).write(true).custom_flags(libc::O_TMPFILE).open("/tmp").unwrap_or_else(|_| unreachable!())
    }

    /// What comes out again, and how much the file takes.
    fn again(pieces: &[&[u8]]) -> (Vec<u8>, u64) {
        let file = unnamed();
        let mut squeeze = Squeeze::new(file.try_clone().unwrap_or_else(|_| unreachable!()).into());
        for piece in pieces {
            assert_eq!(squeeze.put(piece), Ok(()));
        }
        assert_eq!(squeeze.finish(7), Ok(()));
        let mut file = file;
        let length = file.stream_position().unwrap_or(0);
        let mut end = [0; 8];
        file.seek(std::io::SeekFrom::End(-8)).and_then(|_| file.read_exact(&mut end)).unwrap_or_default();
        assert_eq!(u64::from_le_bytes(end), 7);
        let mut source = Source::part(file.as_fd(), b"", 0, length.saturating_sub(16)).map(Source::squeezed);
        let mut all = Vec::new();
        while let Ok(window) = source.as_mut().map_or(Err(Errno::EIO), |source| source.window()) {
            let count = window.len();
            if count == 0 {
                return (all, length);
            }
            all.extend_from_slice(window);
            let _ = source.as_mut().map(|source| source.consume(count));
        }
        (Vec::new(), 0)
    }

    #[test]
    fn what_was_squeezed_comes_out_again() {
        let long = vec![1; 200_000];
        let zeros = vec![0; 200_000];
        let mixed: Vec<u8> = (0..100_000_u32).map(|at| if at % 7 < at / 20_000 { 0 } else { at as u8 }).collect();
        for pieces in [
            &[&b""[..]][..],
            &[b"a"],
            &[b"\0"],
            &[b"a\0b"],
            &[b"\0\0\0\0\0\0\0\0a\0\0\0\0\0\0\0\0"],
            &[&long],
            &[&zeros],
            &[&long, &zeros, &long],
            &[&zeros, b"x", &zeros],
            &[&mixed, &mixed],
            &[b"a", b"\0\0\0", b"\0\0\0\0", b"b", b"\0", b"c"],
        ] {
            assert!(again(pieces).0 == pieces.concat());
        }
    }

    #[test]
    fn zeros_take_no_room() {
        assert!(again(&[&[0; 10_000]]).1 < 28);
        let mut header = [0; 512];
        header.iter_mut().zip(b"usr/bin/true").for_each(|(to, from)| *to = *from);
        assert!(again(&[&header]).1 < 48);
    }
}
