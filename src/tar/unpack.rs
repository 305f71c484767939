//! Making an archive's files below a directory, and nowhere else.

mod attributes;
mod path;
mod place;
mod whiteout;

pub(super) use path::{confine, split};
pub(super) use place::open_beneath;

use super::header::{Kind, Why};
use super::members::{Done, Members};
use super::source::{CUT_OFF, Source};
use crate::error::{Error, Result};
use crate::remove::on_same_mount;
use crate::sys::name::Name;
use crate::sys::process::STDERR;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Message, Push, has, keep};
use core::mem::ManuallyDrop;
use path::NUL;
use place::{as_below, settle};
use std::os::fd::{AsFd, BorrowedFd};
use whiteout::{WHITEOUT, erase, hide, is_whiteout, whiteout};

/// A tree that is somebody's already, for `cp`: what is in a directory with a member's name stays beside it.
pub struct Existing<'a> {
    /// Where in the root, as `confine` leaves paths.
    pub base: &'a [u8],
    /// Symlinks on the way are followed, with the root as `/`: it is a container's. Else there may be none.
    pub follow: bool,
    /// The files' owners are who unpacks.
    pub owned: bool,
}

/// Unpacks all of `source` into the empty directory `root`, and returns the SHA-256 of the uncompressed archive. With what is
/// `below` it, topmost first, it is the layer of an image, whose whiteouts become overlayfs' own. What is needed to make the
/// archive again goes to the source's sink.
pub fn unpack(source: &mut Source, root: BorrowedFd, below: Option<&[OwnedFd]>) -> Result<[u8; 32]> {
    of(source, root, None, below)
}

/// The same of a tree's part, into one that exists.
pub fn into(source: &mut Source, root: BorrowedFd, existing: &Existing) -> Result<[u8; 32]> {
    of(source, root, Some(existing), None)
}

fn of(
    source: &mut Source,
    root: BorrowedFd,
    existing: Option<&Existing>,
    below: Option<&[OwnedFd]>,
) -> Result<[u8; 32]> {
    // The allocator could not use the vectors again anyway.
    let mut unpack = ManuallyDrop::new(Unpack {
        members: Members::new(source),
        root,
        existing,
        layer: below.is_some(),
        below: below.unwrap_or_default(),
        path: Vec::new(),
        link: Vec::new(),
        parent: Vec::new(),
        parent_fd: None,
        left_out: 0,
        opaque: false,
        lost: false,
    });
    let digest = unpack.all().map_err(|errno| unpack.error(errno))?;
    if unpack.left_out != 0 {
        let mut count = Line::new();
        count.dec(unpack.left_out);
        let word = Error::new(
            text!("%: left out % device nodes, which only root can make"),
            &[keep(unpack.members.source.name()), keep(&count)],
        );
        let _ = fs::write_all(STDERR, &word.text());
    }
    Ok(digest)
}

/// What made room for a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    Nothing,
    Whiteout,
    /// A file, and what was in it.
    Content,
}

/// Its vectors are filled again for each member: an archive can have millions.
struct Unpack<'a, 's> {
    members: Members<'a, 's>,
    root: BorrowedFd<'a>,
    existing: Option<&'a Existing<'a>>,
    /// It is the layer of an image, which deletes what is below it.
    layer: bool,
    /// The layers below, topmost first.
    below: &'a [OwnedFd],
    /// The member's name, confined, and a link's target; NUL-terminated.
    path: Vec<u8>,
    link: Vec<u8>,
    /// The directory of the member before (without a NUL; empty is the root), and its descriptor.
    parent: Vec<u8>,
    parent_fd: Option<OwnedFd>,
    /// Devices that could not be made.
    left_out: u64,
    /// The root hides all that is below.
    opaque: bool,
    /// The content of a file is not in the tree any more, or never was.
    lost: bool,
}

impl Unpack<'_, '_> {
    /// The error for the user: of the archive, or of the member that it stopped at.
    fn error(&mut self, errno: Errno) -> Error {
        if self.members.why.is_empty() && self.members.source.why.is_empty() {
            self.members.why = match errno {
                Errno::ELOOP | Errno::ENOTDIR => text!("its path goes through a symbolic link or a file"),
                Errno::ENOTEMPTY => text!("would replace a directory with content"),
                _ => Message::NONE,
            };
        }
        self.members.refusal().unwrap_or_else(|| {
            let error = Error::sys(text!("unpack"), keep(&self.members.member.path), errno);
            let full = errno == Errno::ENOSPC;
            if full { error.hint(text!("the file system of --root is full"), &[]) } else { error }
        })
    }

    fn all(&mut self) -> Done<[u8; 32]> {
        as_below(self.below, b"", self.root)?;
        while self.members.next()? {
            self.make()?;
        }
        if self.opaque {
            for layer in self.below {
                let mut done = Ok(());
                fs::each_entry(layer.as_fd(), &mut |name, _| done = done.and_then(|()| erase(self.root, name)))?;
                done?;
            }
        }
        let base = self.existing.map_or(0, |existing| existing.base.len());
        self.leave(base)?;
        if self.existing.is_none() {
            settle(self.root)?;
        }
        self.members.tail()?;
        let (digest, length) = self.members.source.digest();
        self.record(length)?;
        Ok(digest)
    }

    /// Ends what was recorded. What the tree has not is read again, and recorded whole.
    fn record(&mut self, length: u64) -> Done<()> {
        let source = &mut *self.members.source;
        let Some(mut sink) = source.sink.take() else { return Ok(()) };
        if self.lost {
            sink.restart()?;
            // Of the file it is complete.
            let hash = source.packed.hash.take();
            match source.restart() {
                // From a pipe. What is missing is missed when the image is saved.
                Err(Errno::ESPIPE) => {}
                Err(errno) => return Err(errno),
                Ok(()) => source.each(&mut |bytes| sink.put(bytes))?,
            }
            source.packed.hash = hash;
        }
        sink.finish(length)
    }

    /// Makes the member. What came before under its name goes, but not a directory with content.
    fn make(&mut self) -> Done<()> {
        if let Err(why) = confine(&self.members.member.path, &mut self.path, self.existing) {
            return self.members.refuse(why);
        }
        let kind = self.members.member.kind;
        let base = self.existing.map_or(0, |existing| existing.base.len());
        if self.path.len() <= base.wrapping_add(1) {
            return if kind == Kind::Directory && self.existing.is_some() {
                Ok(())
            } else if kind == Kind::Directory {
                self.finish(self.root, None)
            } else {
                self.members.refuse(text!("would replace the root directory"))
            };
        }
        if self.existing.is_none()
            && let Some(at) = whiteout(&self.path)
        {
            return self.delete(at);
        }
        self.reach()?;
        if let Some(why) = self.other_kind() {
            return self.members.refuse(why);
        }
        if kind == Kind::HardLink {
            return match confine(&self.members.member.link, &mut self.link, self.existing) {
                Ok(()) if !self.layer && self.existing.is_none() && whiteout(&self.link).is_some() => {
                    self.members.refuse(WHITEOUT)
                }
                Ok(()) => self.hard_link(),
                Err(why) => self.members.refuse(why),
            };
        }
        if kind == Kind::Symlink {
            if has(&self.members.member.link, 0) {
                return self.members.refuse(NUL);
            }
            self.members.member.link.clone_into(&mut self.link);
            self.link.push(0);
        }
        let mut replaced = Replaced::Nothing;
        let made = {
            let (dir, name) = self.place();
            replace(dir, name, kind == Kind::Directory, &mut replaced, &mut || self.create(dir, name))
        };
        self.lost |= replaced == Replaced::Content;
        let fd = match made {
            // Only root of the host makes devices. The image can do without: a container's /dev is made anew.
            Err(Errno::EPERM) if matches!(kind, Kind::Node(_)) => {
                self.left_out = self.left_out.wrapping_add(1);
                return Ok(());
            }
            made => made?,
        };
        let Some(fd) = fd else {
            let (dir, name) = self.place();
            return self.finish(dir, Some(name));
        };
        if kind == Kind::File {
            self.data(fd.as_fd())?;
        }
        if self.layer && kind == Kind::Directory && replaced == Replaced::Whiteout {
            hide(fd.as_fd())?;
        }
        self.finish(fd.as_fd(), None)
    }

    /// The descriptor of the member's directory, and its name there.
    fn place(&self) -> (BorrowedFd<'_>, Name<'_>) {
        let dir = self.parent_fd.as_ref().map_or(self.root, |fd| fd.as_fd());
        (dir, split(&self.path).1)
    }

    /// What is not the archive's own is not made another kind of thing: why it would be.
    fn other_kind(&self) -> Option<Why> {
        self.existing?;
        let (dir, name) = self.place();
        let found = fs::stat(dir, name).ok()?;
        // It would not be busy for us, as it is for the container: unlink(2) would take the mount off.
        let mounted = !fs::is_dir(&found) && on_same_mount(dir, name, libc::O_PATH).err() == Some(Errno::EXDEV);
        match (fs::is_dir(&found), self.members.member.kind == Kind::Directory) {
            _ if mounted => Some(text!("device or resource busy: something is mounted there")),
            (true, false) => Some(text!("cannot overwrite a directory with what is none")),
            (false, true) => Some(text!("cannot overwrite with a directory what is none")),
            _ => None,
        }
    }

    /// Makes the file, and opens what may be opened.
    fn create(&self, dir: BorrowedFd, name: Name) -> Done<Option<OwnedFd>> {
        let (flags, mode) = match self.members.member.kind {
            Kind::Directory => {
                fs::mkdir(dir, name, 0o700)?;
                (libc::O_RDONLY | libc::O_DIRECTORY, 0)
            }
            Kind::Symlink => {
                let target = Name::with_nul(&self.link).unwrap_or_default();
                return fs::symlink(target, dir, name).map(|()| None);
            }
            Kind::Node(format) => {
                let member = &self.members.member;
                fs::mknod(dir, name, format | member.mode, member.device)?;
                // A container could have exchanged it for a symlink. Whoever unpacks there has no umask.
                let chmod = self.existing.is_none();
                return if chmod { fs::chmod_follow(dir, name, member.mode) } else { Ok(()) }.map(|()| None);
            }
            _ => (libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600),
        };
        fs::open(dir, name, flags, mode).map(Some)
    }

    fn hard_link(&mut self) -> Done<()> {
        let (dir, name) = self.place();
        if self.link == self.path {
            // tar writes a file that it was given twice as a link to itself.
            return fs::stat(dir, name).map(drop);
        }
        let (target_dir, target) = split(&self.link);
        let from = open_beneath(self.root, target_dir, None, self.existing)?;
        let mut replaced = Replaced::Nothing;
        let mut link = || fs::link(from.as_fd(), target, dir, name).map(|()| None);
        let done = replace(dir, name, false, &mut replaced, &mut link).map(drop);
        self.lost |= replaced == Replaced::Content;
        done
    }

    fn data(&mut self, fd: BorrowedFd) -> Done<()> {
        let mut rest = self.members.member.size;
        self.members.source.content = self.members.source.content.wrapping_add(rest);
        while rest != 0 {
            let window = self.members.source.window()?;
            let count = usize::try_from(rest).unwrap_or(usize::MAX).min(window.len());
            if count == 0 {
                return self.members.source.fail(CUT_OFF);
            }
            fs::write_all(fd, window.get(..count).unwrap_or_default())?;
            self.members.source.consume(count);
            rest = rest.saturating_sub(count as u64);
        }
        self.members.padding()
    }
}

/// Makes something; where its name is taken, makes room and tries again, or keeps the directory that is there.
fn replace(
    dir: BorrowedFd,
    name: Name,
    keep: bool,
    replaced: &mut Replaced,
    make: &mut dyn FnMut() -> Done<Option<OwnedFd>>,
) -> Done<Option<OwnedFd>> {
    match make() {
        Err(Errno::EEXIST) => {}
        other => return other,
    }
    let stat = fs::stat(dir, name)?;
    if is_whiteout(&stat) {
        *replaced = Replaced::Whiteout;
    } else if fs::kind(&stat) == libc::S_IFREG && stat.st_size != 0 {
        *replaced = Replaced::Content;
    }
    match fs::unlink(dir, name) {
        Err(Errno::EISDIR) if keep => return fs::open(dir, name, libc::O_RDONLY | libc::O_DIRECTORY, 0).map(Some),
        Err(Errno::EISDIR) => fs::rmdir(dir, name)?,
        other => other?,
    }
    make()
}
