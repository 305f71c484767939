//! Making an archive, member by member: ustar, and pax records for what does not fit into its fields.

use super::header::{BLOCK, Kind, Member};
use crate::error::Error;
use crate::sys::name::{Text, t};
use crate::sys::{Errno, fs};
use crate::text::{Line, Message, Push};
use std::os::fd::BorrowedFd;

/// Of what is written at a time.
const PIECE: usize = 256 * 1024;

/// What a system call answered.
type Done<T> = Result<T, Errno>;

/// An archive that is being written.
pub struct Tar<'a> {
    out: BorrowedFd<'a>,
    /// What is not written yet.
    buf: Vec<u8>,
    /// It was the archive that could not be written, not a file that could not be read.
    pub failed: Option<Errno>,
    /// The pax records of the next member, and a number for one: memory that is used again.
    pax: Line,
    number: Line,
    /// What the member is called that has those records.
    name: Vec<u8>,
}

impl<'a> Tar<'a> {
    /// An empty one, to that descriptor.
    pub fn new(out: BorrowedFd<'a>) -> Self {
        let (buf, name) = (Vec::with_capacity(PIECE), b"././@PaxHeader".to_vec());
        Self { out, buf, failed: None, pax: Line::new(), number: Line::new(), name }
    }

    /// A pax record for the next member: `LENGTH KEY=VALUE\n`, the length with its own digits.
    pub fn record(&mut self, key: &[u8], value: &[u8]) {
        let rest = key.len().wrapping_add(value.len()).wrapping_add(3);
        let (mut length, mut limit) = (rest.wrapping_add(1), 10_usize);
        while length >= limit {
            (length, limit) = (length.wrapping_add(1), limit.saturating_mul(10));
        }
        self.pax.dec(length as u64).put(b" ").put(key).put(b"=").put(value).put(b"\n");
    }

    fn pair(&mut self, key: &[u8], build: &mut dyn FnMut(&mut Line)) {
        let mut value = core::mem::take(&mut self.number);
        value.clear();
        build(&mut value);
        self.record(key, &value);
        self.number = value;
    }

    /// A member's header. What follows is its data, if it has any: as many bytes as `size` says, then `pad`.
    pub fn member(&mut self, member: &Member) -> Done<()> {
        let block = self.header(member);
        if !self.pax.is_empty() {
            let pax = core::mem::take(&mut self.pax);
            let name = core::mem::take(&mut self.name);
            let of = Member { kind: Kind::Pax, mode: 0o644, size: pax.len() as u64, path: name, ..Member::default() };
            let first = self.header(&of);
            self.write(&first)?;
            self.write(&pax)?;
            self.pad(of.size)?;
            // The next one's records go into the same memory.
            (self.pax, self.name) = (pax, of.path);
            self.pax.clear();
        }
        self.write(&block)
    }

    /// The header's block; what does not fit becomes a pax record.
    fn header(&mut self, member: &Member) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let (letter, size) = match member.kind {
            Kind::HardLink => (b'1', 0),
            Kind::Symlink => (b'2', 0),
            Kind::Node(libc::S_IFCHR) => (b'3', 0),
            Kind::Node(libc::S_IFBLK) => (b'4', 0),
            Kind::Directory => (b'5', 0),
            Kind::Node(_) => (b'6', 0),
            Kind::Pax => (b'x', member.size),
            _ => (b'0', member.size),
        };
        for (at, bytes, key) in [(0, &member.path, &b"path"[..]), (157, &member.link, b"linkpath")] {
            if bytes.len() > 100 {
                self.record(key, bytes);
            }
            put(&mut block, at, bytes.get(..100).unwrap_or(bytes));
        }
        let (uid, gid) = (u64::from(member.uid), u64::from(member.gid));
        let numbers = [
            (100, 7, u64::from(member.mode), &b""[..]),
            (108, 7, uid, b"uid"),
            (116, 7, gid, b"gid"),
            (124, 11, size, b"size"),
        ];
        for (at, width, number, key) in numbers {
            if !octal(&mut block, at, width, number) {
                self.pair(key, &mut |value| _ = value.dec(number));
            }
        }
        let (seconds, nanoseconds) = member.mtime;
        let fits = octal(&mut block, 136, 11, u64::try_from(seconds).unwrap_or(u64::MAX));
        if !fits || nanoseconds != 0 {
            let (mut whole, mut part) = (seconds.unsigned_abs(), nanoseconds as u64);
            if seconds < 0 && part != 0 {
                (whole, part) = (whole.wrapping_sub(1), 1_000_000_000_u64.wrapping_sub(part));
            }
            self.pair(b"mtime", &mut |value| {
                value.put(if seconds < 0 { b"-" } else { b"" }).dec(whole).put(b".").dec0(part, 9);
            });
        }
        put(&mut block, 156, &[letter]);
        put(&mut block, 257, b"ustar\x0000");
        if let Kind::Node(libc::S_IFCHR | libc::S_IFBLK) = member.kind {
            octal(&mut block, 329, 7, u64::from(libc::major(member.device)));
            octal(&mut block, 337, 7, u64::from(libc::minor(member.device)));
        }
        // With blanks in its own place.
        let sum = block.iter().fold(8 * 32, |sum: u64, &byte| sum.wrapping_add(u64::from(byte)));
        octal(&mut block, 148, 6, sum);
        put(&mut block, 155, b" ");
        block
    }

    /// A file of a few bytes.
    pub fn file(&mut self, path: &[u8], bytes: &[u8]) -> Done<()> {
        let size = bytes.len() as u64;
        self.member(&Member { mode: 0o644, size, path: path.to_vec(), ..Member::default() })?;
        self.write(bytes)?;
        self.pad(size)
    }

    /// Bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> Done<()> {
        if bytes.len() > PIECE.wrapping_sub(self.buf.len()) {
            self.flush()?;
        }
        if bytes.len() > PIECE {
            return self.say(bytes);
        }
        self.buf.extend_from_slice(bytes);
        Ok(())
    }

    /// As many bytes of a file; zeros for what it has not any more.
    pub fn data(&mut self, fd: BorrowedFd, size: u64) -> Done<()> {
        let mut rest = size;
        let mut ended = false;
        while rest != 0 {
            if self.buf.len() == PIECE {
                self.flush()?;
            }
            let start = self.buf.len();
            let count = PIECE.wrapping_sub(start).min(usize::try_from(rest).unwrap_or(PIECE));
            self.buf.resize(start.wrapping_add(count), 0);
            let room = self.buf.get_mut(start..).unwrap_or_default();
            let mut got = count;
            if !ended {
                got = fs::read(fd, room)?;
                ended = got == 0;
            }
            self.buf.truncate(start.wrapping_add(got));
            rest = rest.saturating_sub(got as u64);
        }
        self.pad(size)
    }

    /// Zeros behind data of that size, up to the next block.
    pub fn pad(&mut self, size: u64) -> Done<()> {
        let rest = (size as usize).wrapping_neg() & (BLOCK - 1);
        self.write([0; BLOCK].get(..rest).unwrap_or_default())
    }

    /// What went wrong: with the archive, or with the file that was to be in it.
    pub fn error(&self, what: Message, path: Text, errno: Errno) -> Error {
        if self.failed.is_some() {
            Error::sys(text!("write the archive"), t(c""), errno)
        } else {
            Error::sys(what, path, errno)
        }
    }

    /// The archive's end mark.
    pub fn end(&mut self) -> Done<()> {
        self.write(&[0; 2 * BLOCK])?;
        self.flush()
    }

    fn flush(&mut self) -> Done<()> {
        let buf = core::mem::take(&mut self.buf);
        let done = self.say(&buf);
        self.buf = buf;
        self.buf.clear();
        done
    }

    fn say(&mut self, bytes: &[u8]) -> Done<()> {
        fs::write_all(self.out, bytes).inspect_err(|&errno| self.failed = Some(errno))
    }
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    if let Some(field) = block.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
        field.copy_from_slice(bytes);
    }
}

/// A field of octal digits, with the NUL behind them that is there already; false (and zeros) where it does not fit.
fn octal(block: &mut [u8; BLOCK], at: usize, width: usize, number: u64) -> bool {
    let fits = number >> width.wrapping_mul(3) == 0;
    let mut rest = if fits { number } else { 0 };
    for digit in block.get_mut(at..).and_then(|field| field.get_mut(..width)).unwrap_or_default().iter_mut().rev() {
        *digit = b'0' | (rest & 7) as u8;
        rest >>= 3;
    }
    fits
}

// A test that panics has failed.
#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::tar::header::record;
    use std::io::Read;
    use std::os::fd::AsFd;

    /// The blocks of one member.
    fn written(member: &Member) -> Vec<u8> {
        let mut reader = {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let mut tar = Tar::new(writer.as_fd());
            tar.member(member).and_then(|()| tar.flush()).expect("written");
            reader
        };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).expect("read");
        bytes
    }

    /// What the reader makes of a member that was written.
    fn again(member: &Member) -> Member {
        let bytes = written(member);
        let mut read = Member::default();
        let (mut at, mut pax) = (0, Vec::new());
        loop {
            let block = bytes[at..at + BLOCK].try_into().expect("a block");
            read.read(block).expect("a header");
            at += BLOCK;
            if read.kind != Kind::Pax {
                break;
            }
            pax = bytes[at..at + read.size as usize].to_vec();
            at += (read.size as usize).next_multiple_of(BLOCK);
        }
        assert_eq!(at, bytes.len());
        read.apply(&[&pax]).expect("pax records");
        read
    }

    #[test]
    fn a_header_is_the_one_that_posix_shows() {
        let member = Member {
            mode: 0o4755,
            uid: 1000,
            gid: 100,
            mtime: (0o14371573260, 0),
            size: 5,
            path: b"a".to_vec(),
            ..Member::default()
        };
        let bytes = written(&member);
        assert_eq!(bytes.len(), BLOCK);
        for (at, expected) in [
            (0, &b"a\0"[..]),
            (100, b"0004755\0"),
            (108, b"0001750\0"),
            (116, b"0000144\0"),
            (124, b"00000000005\0"),
            (136, b"14371573260\0"),
            (154, b"\0 0\0"),
            (257, b"ustar\x0000\0"),
        ] {
            assert_eq!(&bytes[at..at + expected.len()], expected);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let path = |length| vec![b'n'; length];
        let all = [
            Member { path: path(100), ..Member::default() },
            Member { path: path(101), size: 1 << 33, ..Member::default() },
            Member { path: path(4000), link: path(3000), kind: Kind::Symlink, ..Member::default() },
            Member { path: path(9), link: path(101), kind: Kind::HardLink, ..Member::default() },
            Member { path: b"d/".to_vec(), kind: Kind::Directory, mode: 0o7777, ..Member::default() },
            Member { path: path(1), uid: 1 << 21, gid: u32::MAX - 1, ..Member::default() },
            Member { path: path(1), mtime: (1, 5), ..Member::default() },
            Member { path: path(1), mtime: (-2, 750_000_000), ..Member::default() },
            Member { path: path(1), mtime: (-1, 500_000_000), ..Member::default() },
            Member { path: path(1), mtime: (-7, 0), ..Member::default() },
            Member { path: path(1), mtime: (1 << 40, 0), ..Member::default() },
            Member { path: path(1), kind: Kind::Node(libc::S_IFIFO), ..Member::default() },
            Member {
                path: path(1),
                kind: Kind::Node(libc::S_IFCHR),
                device: libc::makedev(4000, 70000),
                ..Member::default()
            },
            Member { path: path(1), kind: Kind::Node(libc::S_IFBLK), device: libc::makedev(8, 1), ..Member::default() },
        ];
        for member in all {
            assert_eq!(again(&member), member);
        }
    }

    #[test]
    fn a_record_counts_its_own_digits() {
        let (_reader, writer) = std::io::pipe().expect("a pipe");
        for length in [0, 1, 4, 5, 90, 91, 92, 988, 989, 990, 65536] {
            let mut tar = Tar::new(writer.as_fd());
            let value = vec![b'v'; length];
            tar.record(b"key", &value);
            let mut rest = tar.pax.as_slice();
            assert_eq!(record(&mut rest), Ok(Some((&b"key"[..], value.as_slice()))));
            assert!(rest.is_empty());
        }
    }
}
