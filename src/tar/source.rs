//! The archive's bytes: unpacked where they are gzip, and hashed.

use super::gzip::{self, Gzip};
use super::header::Why;
use super::packed::Packed;
use crate::sha256::Sha256;
use crate::sys::Errno;
use crate::text::Message;
use std::os::fd::BorrowedFd;

/// Of what is read at a time.
const PIECE: usize = 256 * 1024;

/// What starts a compression that is not built in.
const OTHERS: [(&[u8], Why); 3] = [
    (b"\xfd7zXZ", text!("is compressed with xz: unpack it first (xz -d)")),
    (b"\x28\xb5\x2f\xfd", text!("is compressed with zstd: unpack it first (zstd -d)")),
    (b"BZh", text!("is compressed with bzip2: unpack it first (bzip2 -d)")),
];

/// An archive that is being read. An error of its methods is the system's, or EINVAL with a word in `why`.
pub struct Source<'a> {
    /// What is wrong with the archive as a whole.
    pub why: Why,
    packed: Packed<'a>,
    gzip: Option<Box<Gzip>>,
    started: bool,
    hash: Sha256,
}

impl<'a> Source<'a> {
    /// `name` is for messages, `size` of the file for the progress. Nothing is read yet.
    pub fn new(fd: BorrowedFd<'a>, name: &'a [u8], size: u64) -> Self {
        let packed = Packed::new(fd, name, size, PIECE);
        Self { why: Message::NONE, packed, gzip: None, started: false, hash: Sha256::new() }
    }

    /// The archive's name for messages.
    pub fn name(&self) -> &'a [u8] {
        self.packed.name
    }

    fn rest(&self) -> &[u8] {
        self.gzip.as_ref().map_or(self.packed.rest(), |gzip| gzip.rest())
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
        match &mut self.gzip {
            Some(gzip) => gzip.skip(count),
            None => self.packed.skip(count),
        }
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
        self.hash.finish()
    }

    /// Says what is wrong with the archive.
    pub fn fail<T>(&mut self, why: Why) -> Result<T, Errno> {
        self.why = why;
        Err(Errno::EINVAL)
    }

    fn refill(&mut self) -> Result<(), Errno> {
        if !self.started {
            self.started = true;
            self.packed.more()?;
            let start = self.packed.rest();
            if let Some(&(_, why)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
                return self.fail(why);
            }
            if start.starts_with(gzip::MAGIC) {
                self.gzip = Gzip::new();
            }
        } else if self.gzip.is_none() {
            self.packed.more()?;
        }
        if let Some(gzip) = &mut self.gzip {
            gzip.more(&mut self.packed)?;
        }
        let rest = self.gzip.as_ref().map_or(self.packed.rest(), |gzip| gzip.rest());
        self.hash.update(rest);
        Ok(())
    }
}

/// The archive ends too early.
pub const CUT_OFF: Why = text!("ends in the middle: was it cut off?");
