//! The archive's bytes: unpacked where they are gzip, and hashed.

use super::gzip::{self, Gzip};
use super::header::Why;
use super::packed::Packed;
use super::squeeze::Squeezed;
use crate::error::Error;
use crate::sha256::Sha256;
use crate::sys::{Errno, fs};
use crate::text::{Message, keep};
use std::os::fd::BorrowedFd;

/// Of what is read at a time.
const PIECE: usize = 256 * 1024;

/// What starts a compression that is not built in.
const OTHERS: [(&[u8], Why); 3] = [
    (b"\xfd7zXZ", text!("is compressed with xz: unpack it first (xz -d)")),
    (b"\x28\xb5\x2f\xfd", text!("is compressed with zstd: unpack it first (zstd -d)")),
    (b"BZh", text!("is compressed with bzip2: unpack it first (bzip2 -d)")),
];

/// What is told all bytes but the files' contents, or all.
pub trait Sink {
    /// Some more.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Errno>;
    /// All that was put does not count: it comes again, with the contents.
    fn restart(&mut self) -> Result<(), Errno>;
    /// That was all, of an archive of that size.
    fn finish(&mut self, size: u64) -> Result<(), Errno>;
}

/// How the bytes in the file become the archive's.
enum Format {
    /// Nothing was read yet.
    Unknown,
    Plain,
    Gzip(Box<Gzip>),
    /// What `squeeze` wrote. Never found out by the file's start: only the store's own are.
    Squeezed(Squeezed),
}

/// An archive that is being read. An error of its methods is the system's, or EINVAL with a word in `why`.
pub struct Source<'a> {
    /// What is wrong with the archive as a whole.
    pub why: Why,
    /// How many bytes the files had that came out of it.
    pub content: u64,
    /// What is told what `read` reads.
    pub sink: Option<Box<dyn Sink + 'a>>,
    /// The file.
    pub packed: Packed<'a>,
    format: Format,
    hash: Sha256,
    length: u64,
}

impl<'a> Source<'a> {
    /// `name` is for messages, `size` of the file for the progress. Nothing is read yet.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64) -> Self {
        let packed = Packed::new(fd, name, size, PIECE);
        Self {
            why: Message::NONE,
            content: 0,
            sink: None,
            packed,
            format: Format::Unknown,
            hash: Sha256::new(),
            length: 0,
        }
    }

    /// A part of a file.
    pub fn part(fd: BorrowedFd<'a>, name: &'a [u8], start: u64, size: u64) -> Result<Self, Errno> {
        fs::seek(fd, i64::try_from(start).map_err(|_| Errno::EOVERFLOW)?, libc::SEEK_SET)?;
        let mut source = Self::new(fd, name, size);
        source.packed.limit(size);
        Ok(source)
    }

    /// What `squeeze` wrote, as it was before.
    pub fn squeezed(mut self) -> Self {
        self.format = Format::Squeezed(Squeezed::new());
        self
    }

    /// Starts again at its beginning. ESPIPE where it is a pipe.
    pub fn restart(&mut self) -> Result<(), Errno> {
        self.packed.restart()?;
        (self.format, self.hash, self.length) = (Format::Unknown, Sha256::new(), 0);
        Ok(())
    }

    /// The archive's name for messages.
    pub fn name(&self) -> &'a [u8] {
        self.packed.name
    }

    fn rest(&self) -> &[u8] {
        match &self.format {
            Format::Gzip(gzip) => gzip.rest(),
            Format::Squeezed(squeezed) => squeezed.rest(),
            _ => self.packed.rest(),
        }
    }

    /// What was read and not consumed yet; empty at the archive's end only.
    pub fn window(&mut self) -> Result<&[u8], Errno> {
        if self.rest().is_empty() {
            match self.refill() {
                Err(Errno::EILSEQ) => {
                    return self.fail(text!("its gzip data is damaged, or has something else behind it"));
                }
                Err(Errno::ENODATA) => return self.fail(CUT_OFF),
                other => other?,
            }
        }
        Ok(self.rest())
    }

    /// Goes on by `count` bytes of the window.
    pub fn consume(&mut self, count: usize) {
        match &mut self.format {
            Format::Gzip(gzip) => gzip.skip(count),
            Format::Squeezed(squeezed) => squeezed.skip(count),
            _ => self.packed.skip(count),
        }
    }

    /// Goes on by so many bytes, which nobody is told.
    pub fn skip(&mut self, mut count: u64) -> Result<(), Errno> {
        while count != 0 {
            let here = usize::try_from(count).unwrap_or(usize::MAX).min(self.window()?.len());
            if here == 0 {
                return self.fail(CUT_OFF);
            }
            self.consume(here);
            count = count.saturating_sub(here as u64);
        }
        Ok(())
    }

    /// Fills `buf`; an archive that ends before is cut off. The sink is told.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<(), Errno> {
        let mut rest = &mut *buf;
        while !rest.is_empty() {
            let window = self.window()?;
            let count = window.len().min(rest.len());
            if count == 0 {
                return self.fail(CUT_OFF);
            }
            let (head, tail) = rest.split_at_mut_checked(count).unwrap_or_default();
            head.copy_from_slice(window.get(..count).unwrap_or_default());
            rest = tail;
            self.consume(count);
        }
        self.tell(buf)
    }

    /// All that is left, piece by piece.
    pub fn each(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<(), Errno>) -> Result<(), Errno> {
        loop {
            let window = self.window()?;
            let count = window.len();
            if count == 0 {
                return Ok(());
            }
            take(window)?;
            self.consume(count);
        }
    }

    /// Whether the file is not the archive itself; once something was read.
    pub fn is_packed(&self) -> bool {
        !matches!(self.format, Format::Plain)
    }

    /// What is wrong with the archive as a whole, if anything is.
    pub fn refusal(&self) -> Option<Error> {
        (!self.why.is_empty()).then(|| Error::new(text!("%: %"), &[keep(self.name()), self.why.text()]))
    }

    /// Tells the sink.
    pub fn tell(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.sink.as_mut().map_or(Ok(()), |sink| sink.put(bytes))
    }

    /// The SHA-256 of all bytes so far, uncompressed, and how many they are.
    pub fn digest(&mut self) -> ([u8; 32], u64) {
        (self.hash.finish(), self.length)
    }

    /// The SHA-256 of the bytes as they are in the file, if that was asked for and is another.
    pub fn packed_digest(&mut self) -> Option<[u8; 32]> {
        self.packed.hash.as_mut().map(Sha256::finish)
    }

    /// Says what is wrong with the archive.
    pub fn fail<T>(&mut self, why: Why) -> Result<T, Errno> {
        self.why = why;
        Err(Errno::EINVAL)
    }

    fn refill(&mut self) -> Result<(), Errno> {
        match &mut self.format {
            Format::Gzip(gzip) => gzip.more(&mut self.packed)?,
            Format::Squeezed(squeezed) => squeezed.more(&mut self.packed)?,
            Format::Plain => self.packed.more()?,
            Format::Unknown => {
                self.packed.more()?;
                let start = self.packed.rest();
                if let Some(&(_, why)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
                    return self.fail(why);
                }
                self.format = Format::Plain;
                if start.starts_with(gzip::MAGIC) {
                    let mut gzip = Gzip::new();
                    gzip.more(&mut self.packed)?;
                    self.format = Format::Gzip(gzip);
                } else {
                    // It would be the same.
                    self.packed.hash = None;
                }
            }
        }
        let rest = match &self.format {
            Format::Gzip(gzip) => gzip.rest(),
            // What is made again is hashed by who writes it.
            Format::Squeezed(_) => return Ok(()),
            _ => self.packed.rest(),
        };
        self.hash.update(rest);
        self.length = self.length.wrapping_add(rest.len() as u64);
        Ok(())
    }
}

/// The archive ends too early.
pub const CUT_OFF: Why = text!("ends in the middle: was it cut off?");
