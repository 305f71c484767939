//! The members of an archive, one after the other: what headers, pax records and GNU's long names say together.

use super::header::{self, BLOCK, Kind, Member, Why};
use super::source::Source;
use crate::error::Error;
use crate::sys::Errno;
use crate::text::{Message, keep};

/// For one pax header or long name. An xattr's value can be 64 KiB.
const EXTRA_MAX: u64 = 1 << 20;

/// What a system call answered; EINVAL with a word in `why` where it was not asked.
pub type Done<T> = core::result::Result<T, Errno>;

/// Its vectors are filled again for each member: an archive can have millions.
pub struct Members<'a, 's> {
    /// The bytes.
    pub source: &'a mut Source<'s>,
    /// Why the member is refused.
    pub why: Why,
    /// The member that was read last.
    pub member: Member,
    /// The pax records for this member.
    pub pax: Vec<u8>,
    /// Those for all that follow.
    pub global: Vec<u8>,
    /// GNU's, NUL-terminated.
    long_name: Vec<u8>,
    long_link: Vec<u8>,
    remark: Vec<u8>,
}

impl<'a, 's> Members<'a, 's> {
    /// Nothing is read yet.
    pub fn new(source: &'a mut Source<'s>) -> Self {
        Self {
            source,
            why: Message::NONE,
            member: Member::default(),
            pax: Vec::new(),
            global: Vec::new(),
            long_name: Vec::new(),
            long_link: Vec::new(),
            remark: Vec::new(),
        }
    }

    /// The error for the user, if it is one of the archive or of a member that was refused.
    pub fn refusal(&self) -> Option<Error> {
        self.source.refusal().or_else(|| {
            let pieces = [keep(self.source.name()), keep(&self.member.path), self.why.text()];
            (!self.why.is_empty()).then(|| Error::new(text!("%: %: %"), &pieces))
        })
    }

    /// Says why the member is refused.
    pub fn refuse<T>(&mut self, why: Why) -> Done<T> {
        self.why = why;
        Err(Errno::EINVAL)
    }

    /// Reads up to the next member that is a file of some kind; false at the archive's end mark.
    pub fn next(&mut self) -> Done<bool> {
        for vector in [&mut self.pax, &mut self.long_name, &mut self.long_link] {
            vector.clear();
        }
        loop {
            let mut block = [0; BLOCK];
            self.source.read(&mut block)?;
            if block == [0; BLOCK] {
                return Ok(false);
            }
            let first = self.member.path.is_empty();
            match self.member.read(&block) {
                Err(why) if first && why == header::CHECKSUM => return self.source.fail(text!("is not a tar archive")),
                Err(why) => return self.refuse(why),
                Ok(()) => {}
            }
            let size = self.member.size;
            let extra = match self.member.kind {
                Kind::Pax => &mut self.pax,
                Kind::PaxGlobal => &mut self.global,
                Kind::LongName => &mut self.long_name,
                Kind::LongLink => &mut self.long_link,
                // The name of the volume is of no use: read over it.
                Kind::Remark => &mut self.remark,
                _ => break,
            };
            if size > EXTRA_MAX {
                return self.refuse(text!("its extended header is too large"));
            }
            extra.clear();
            extra.resize(size as usize, 0);
            self.source.read(extra)?;
            self.padding()?;
        }
        for (long, field) in [(&self.long_name, &mut self.member.path), (&self.long_link, &mut self.member.link)] {
            if !long.is_empty() {
                header::text(long).clone_into(field);
            }
        }
        match self.member.apply(&[&self.global, &self.pax]) {
            Ok(()) => Ok(true),
            Err(why) => self.refuse(why),
        }
    }

    /// What follows the data up to the next block.
    pub fn padding(&mut self) -> Done<()> {
        let mut block = [0; BLOCK];
        let rest = (self.member.size as usize).wrapping_neg() & (BLOCK - 1);
        self.source.read(block.get_mut(..rest).unwrap_or_default())
    }

    /// What follows the end mark: zeros, up to the end.
    pub fn tail(&mut self) -> Done<()> {
        let mut block = [0; BLOCK];
        loop {
            let count = self.source.window()?.len().min(BLOCK);
            if count == 0 {
                return Ok(());
            }
            let block = block.get_mut(..count).unwrap_or_default();
            self.source.read(block)?;
            if block.iter().any(|&byte| byte != 0) {
                return self.source.fail(text!("has more behind its end mark: are these two archives?"));
            }
        }
    }
}
