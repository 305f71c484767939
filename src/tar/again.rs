//! The archive that a layer was unpacked from, byte for byte: what `squeeze` kept of it, and the contents from the tree.

use super::header::Kind;
use super::members::{Done, Members};
use super::source::{Sink, Source};
use super::squeeze::{END, WHOLE};
use super::unpack::{confine, open_beneath, split};
use crate::error::{Error, Result};
use crate::sys::name::Text;
use crate::sys::{Errno, fs};
use crate::text::keep;
use std::os::fd::{AsFd, BorrowedFd};

/// What is read at a time.
const PIECE: usize = 64 * 1024;

/// The size of the archive, and where the record begins and ends.
fn ends(record: BorrowedFd) -> Done<(u64, u64, u64)> {
    let end = fs::seek(record, (END as i64).wrapping_neg(), libc::SEEK_END)?;
    let bytes = fs::read_all(record, END)?;
    let number = |at: usize| bytes.as_chunks().0.get(at).map(|bytes| u64::from_le_bytes(*bytes)).ok_or(Errno::ENODATA);
    Ok((number(1)?, number(0)?, end))
}

/// The size of the archive that was recorded.
pub fn size(record: BorrowedFd) -> Done<u64> {
    ends(record).map(|(size, _, _)| size & !WHOLE)
}

/// Tells the sink the archive that `tree` was unpacked from, by what was recorded. `name` is the layer's, for errors.
pub fn again<'a>(record: BorrowedFd<'a>, tree: BorrowedFd, name: Text, sink: Box<dyn Sink + 'a>) -> Result<()> {
    let failed = |errno| Error::sys(text!("read the layer"), name, errno);
    let (size, start, end) = ends(record).map_err(failed)?;
    let part = Source::part(record, name.to_bytes(), start, end.saturating_sub(start)).map_err(failed)?;
    let mut source = part.squeezed();
    source.sink = Some(sink);
    if size & WHOLE != 0 {
        let sink = source.sink.take();
        let whole = |mut sink: Box<dyn Sink>| {
            source.each(&mut |bytes| sink.put(bytes))?;
            sink.finish(size & !WHOLE)
        };
        return sink.map_or(Ok(()), whole).map_err(|errno| changed(name, errno).unwrap_or_else(|| failed(errno)));
    }
    let mut members = Members::new(&mut source);
    let done = contents(&mut members, tree, size);
    done.map_err(|errno| {
        let path = keep(&members.member.path);
        members.refusal().or(changed(name, errno)).unwrap_or_else(|| Error::sys(text!("save"), path, errno))
    })
}

/// What comes out is not what was unpacked.
fn changed(name: Text, errno: Errno) -> Option<Error> {
    (errno == Errno::EBADMSG).then(|| Error::new(text!("%: its files are not those that were unpacked"), &[name]))
}

fn contents(members: &mut Members, tree: BorrowedFd, size: u64) -> Done<()> {
    let (mut path, mut piece) = (Vec::new(), vec![0; PIECE]);
    while members.next()? {
        let size = members.member.size;
        if members.member.kind != Kind::File || size == 0 {
            continue;
        }
        if let Err(why) = confine(&members.member.path, &mut path, None) {
            return members.refuse(why);
        }
        let (dir, name) = split(&path);
        // What is there by now is no matter, as long as nothing waits or leads out: what is wrong is found at the end.
        let fd = open_beneath(tree, dir, None, None)
            .and_then(|dir| fs::open(dir.as_fd(), name, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0))?;
        let mut rest = size;
        while rest != 0 {
            let room = piece.get_mut(..PIECE.min(usize::try_from(rest).unwrap_or(PIECE))).unwrap_or_default();
            let count = fs::read(fd.as_fd(), room)?;
            if count == 0 {
                return members.refuse(text!("is shorter than it was in the layer"));
            }
            members.source.tell(piece.get(..count).unwrap_or_default())?;
            rest = rest.saturating_sub(count as u64);
        }
        members.padding()?;
    }
    members.tail()?;
    members.source.sink.take().map_or(Ok(()), |mut sink| sink.finish(size))
}

#[cfg(any(test, fuzzing))]
pub mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A sink that remembers.
    #[derive(Clone, Default)]
    pub struct Kept(Rc<RefCell<Vec<u8>>>);

    impl Sink for Kept {
        fn put(&mut self, bytes: &[u8]) -> Done<()> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(())
        }
        fn restart(&mut self) -> Done<()> {
            Err(Errno::EINVAL)
        }
        fn finish(&mut self, size: u64) -> Done<()> {
            if size == self.0.borrow().len() as u64 { Ok(()) } else { Err(Errno::EBADMSG) }
        }
    }

    /// The archive that comes out again.
    pub fn archive(record: BorrowedFd, tree: BorrowedFd) -> Result<Vec<u8>> {
        let kept = Kept::default();
        again(record, tree, Text::default(), Box::new(kept.clone()))?;
        let all = kept.0.borrow().clone();
        Ok(all)
    }
}
