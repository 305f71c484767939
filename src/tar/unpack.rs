//! Making an archive's files below a directory, and nowhere else.

use super::header::{self, Kind, Why};
use super::members::{Done, Members};
use super::source::{CUT_OFF, Source};
use crate::error::{Error, Result};
use crate::remove::on_same_mount;
use crate::sys::name::{Name, t};
use crate::sys::process::STDERR;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Message, Push, has, keep};
use core::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// PATH_MAX, with the NUL.
const PATH_MAX: usize = 4096;

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

    /// A whiteout, as image layers have them: `.wh.NAME` deletes a name of the layers below, `.wh..wh..opq` all that they
    /// have in its directory. It never deletes what this layer has. `at` is where its name begins.
    fn delete(&mut self, at: usize) -> Done<()> {
        if !self.layer {
            return self.members.refuse(WHITEOUT);
        }
        if self.members.member.kind == Kind::File && self.members.member.size != 0 {
            self.lost = true;
            self.members.source.skip(self.members.member.size)?;
            self.members.padding()?;
        }
        let name = self.path.get(at..).unwrap_or_default();
        let opaque = name == b".wh..wh..opq\0";
        // What else begins so was aufs' own.
        if name.starts_with(b".wh..wh.") && !opaque {
            return Ok(());
        }
        if has(name, b'/') || matches!(name, b".wh.\0" | b".wh..\0" | b".wh...\0") {
            return self.members.refuse(text!("is a whiteout of no name"));
        }
        self.reach()?;
        let (dir, _) = self.place();
        if opaque {
            hide(dir)?;
            // Of the root overlayfs does not ask.
            self.opaque |= at == 0;
            return Ok(());
        }
        erase(dir, Name::with_nul(self.path.get(at.wrapping_add(4)..).unwrap_or_default()).unwrap_or_default())
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

    /// Owner, mode, xattrs and times: of an open file, or of `name` in `dir` for what is never opened. In this order,
    /// since a change of the owner takes suid bits and capabilities away.
    fn finish(&self, fd: BorrowedFd, name: Option<Name>) -> Done<()> {
        let member = &self.members.member;
        if !self.existing.is_some_and(|existing| existing.owned) {
            fs::chown(fd, name.unwrap_or_default(), member.uid, member.gid)?;
        }
        if name.is_none() {
            fs::chmod(fd, member.mode)?;
        }
        for header in [&self.members.global, &self.members.pax] {
            let mut rest = header.as_slice();
            while let Ok(Some((key, value))) = header::record(&mut rest) {
                let Some(key) = key.strip_prefix(b"SCHILY.xattr.") else { continue };
                // An archive must not forge what overlayfs keeps in its layers.
                if key.starts_with(b"trusted.overlay.") || key.starts_with(b"user.overlay.") {
                    continue;
                }
                let mut buf = [0; PATH_MAX];
                let key = terminated(key, &mut buf)?;
                let set = match name {
                    None => fs::set_xattr(fd, key, value),
                    Some(name) => {
                        let path = by_descriptor(fd, name);
                        fs::set_xattr_at(Name::with_nul(&path).unwrap_or_default(), key, value)
                    }
                };
                match set {
                    // trusted.* is root's of the host.
                    Err(Errno::EPERM) => {}
                    Err(Errno::EOPNOTSUPP) if self.existing.is_some() => {}
                    done => done?,
                }
            }
        }
        match name {
            None => fs::set_times(fd, member.mtime, member.mtime),
            Some(name) => fs::set_mtime(fd, name, member.mtime.0, member.mtime.1),
        }
    }

    /// Opens the member's directory, made where the archive did not name it, unless it is open from the member before.
    fn reach(&mut self) -> Done<()> {
        let (dir, _) = split(&self.path);
        if dir == self.parent {
            return Ok(());
        }
        let base = self.existing.map_or(0, |existing| existing.base.len());
        self.leave(common(dir, &self.parent).max(base))?;
        let (dir, _) = split(&self.path);
        self.parent_fd = Some(open_beneath(self.root, dir, Some(self.below), self.existing)?);
        dir.clone_into(&mut self.parent);
        Ok(())
    }

    /// Gives the directories of the member before their times, from the inside out, down to a length of their path
    /// that the next member shares. What is made in a directory changes its mtime, but not its atime, which finish()
    /// sets to the same value: so the file system remembers for us, however many directories there are.
    fn leave(&mut self, shared: usize) -> Done<()> {
        while self.parent.len() > shared {
            let fd = match self.parent_fd.take() {
                Some(fd) => fd,
                None => open_beneath(self.root, &self.parent, None, self.existing)?,
            };
            settle(fd.as_fd())?;
            let cut = self.parent.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            self.parent.truncate(cut);
        }
        Ok(())
    }
}

const NUL: Why = text!("has a NUL in a name");
const WHITEOUT: Why = text!("is a whiteout: this is the layer of an image, not a whole root file system");

/// Sets a directory's mtime to its atime.
fn settle(fd: BorrowedFd) -> Done<()> {
    let stat = fs::fstat(fd)?;
    let time = (stat.st_atime, stat.st_atime_nsec);
    fs::set_times(fd, time, time)
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

/// overlayfs' own: a device that is none.
fn is_whiteout(stat: &fs::Stat) -> bool {
    fs::kind(stat) == libc::S_IFCHR && stat.st_rdev == 0
}

/// What the layers below have in a directory is not seen through it. Which of the two names overlayfs looks for depends on
/// who mounts it (`userxattr`), and a layer of root's can be mounted either way.
fn hide(dir: BorrowedFd) -> Done<()> {
    let trusted = fs::set_xattr(dir, t(c"trusted.overlay.opaque"), b"y");
    // Before Linux 6.6 a tmpfs has none of users'.
    fs::set_xattr(dir, t(c"user.overlay.opaque"), b"y").or(trusted)
}

/// Hides a name of the layers below, or what they have in it where it is a directory of this one.
fn erase(dir: BorrowedFd, name: Name) -> Done<()> {
    match fs::mknod(dir, name, libc::S_IFCHR, 0) {
        Err(Errno::EEXIST) => {}
        made => return made,
    }
    match fs::open(dir, name, libc::O_RDONLY | libc::O_DIRECTORY, 0) {
        Ok(dir) => hide(dir.as_fd()),
        Err(Errno::ENOTDIR | Errno::ELOOP) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// A directory that the layer does not name is what it is below: overlayfs shows the uppermost one's owner, mode and times.
fn as_below(below: &[OwnedFd], path: &[u8], fd: BorrowedFd) -> Done<()> {
    let found = below.iter().map(|layer| open_beneath(layer.as_fd(), path, None, None));
    let Some(found) = found.into_iter().find(|found| !matches!(found, Err(Errno::ENOENT))).and_then(Done::ok) else {
        return Ok(());
    };
    let stat = fs::fstat(found.as_fd())?;
    fs::chown(fd, t(c""), stat.st_uid, stat.st_gid)?;
    fs::chmod(fd, stat.st_mode & 0o7777)?;
    let time = (stat.st_mtime, stat.st_mtime_nsec);
    fs::set_times(fd, time, time)
}

/// The path of a name for calls that know no descriptors.
fn by_descriptor(dir: BorrowedFd, name: Name) -> Line {
    let mut path = Line::new();
    path.put(b"/proc/self/fd/").int(i64::from(dir.as_raw_fd())).put(b"/").put(name.to_bytes_with_nul());
    path
}

/// Opens a directory beneath the root (path without a NUL, no `..`), without following any symlink, unless those of the
/// tree are to be followed. With what is below it is made, and what leads to it.
pub(super) fn open_beneath(
    root: BorrowedFd,
    path: &[u8],
    below: Option<&[OwnedFd]>,
    existing: Option<&Existing>,
) -> Done<OwnedFd> {
    let make = below.is_some();
    let follow = existing.is_some_and(|existing| existing.follow);
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    if path.is_empty() {
        return fs::open(root, t(c"."), flags, 0);
    }
    let mut buf = [0_u8; PATH_MAX];
    let whole = terminated(path, &mut buf)?;
    let one_mount = if existing.is_none() { fs::NO_XDEV } else { 0 };
    let resolve = fs::BENEATH | fs::NO_SYMLINKS | one_mount;
    let how = fs::OpenHow { flags: (flags | libc::O_CLOEXEC) as u64, mode: 0, resolve };
    let opened = if follow { open_in_root(root, whole, flags, 0) } else { fs::openat2(root, whole, &how) };
    match opened {
        Err(Errno::ENOSYS) => {}
        Err(Errno::ENOENT) if make => {}
        // A whiteout may stand in the way.
        Err(Errno::ENOTDIR) if make && existing.is_none() => {}
        other => return other,
    }
    let mut here: Option<OwnedFd> = None;
    let mut end = 0_usize;
    for component in path.split(|&byte| byte == b'/') {
        let dir = here.as_ref().map_or(root, |fd| fd.as_fd());
        let name = terminated(component, &mut buf)?;
        let deleted = make && existing.is_none() && fs::stat(dir, name).is_ok_and(|stat| is_whiteout(&stat));
        if deleted {
            fs::unlink(dir, name)?;
        }
        let made = if make { fs::mkdir(dir, name, 0o755) } else { Err(Errno::EEXIST) };
        end = end.wrapping_add(component.len());
        let next = match made {
            Ok(()) | Err(Errno::EEXIST) if follow => {
                let so_far = terminated(path.get(..end).unwrap_or_default(), &mut buf)?;
                open_in_root(root, so_far, flags, 0)?
            }
            Ok(()) | Err(Errno::EEXIST) => fs::open(dir, name, flags, 0)?,
            Err(errno) => return Err(errno),
        };
        if made.is_ok() {
            fs::chmod(next.as_fd(), 0o755)?;
            as_below(below.unwrap_or_default(), path.get(..end).unwrap_or_default(), next.as_fd())?;
        }
        end = end.wrapping_add(1);
        if deleted {
            hide(next.as_fd())?;
        }
        here = Some(next);
    }
    here.ok_or(Errno::ENOENT)
}

/// `bytes` as a C string in `buf`.
fn terminated<'b>(bytes: &[u8], buf: &'b mut [u8; PATH_MAX]) -> Done<Name<'b>> {
    buf.get_mut(..bytes.len()).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(bytes);
    *buf.get_mut(bytes.len()).ok_or(Errno::ENAMETOOLONG)? = 0;
    Name::until_nul(buf).ok_or(Errno::EINVAL)
}

/// A confined, NUL-terminated path cut into its directory and its last name.
pub(super) fn split(path: &[u8]) -> (&[u8], Name<'_>) {
    let slash = path.iter().rposition(|&byte| byte == b'/');
    let name = path.get(slash.map_or(0, |at| at.wrapping_add(1))..).unwrap_or_default();
    (path.get(..slash.unwrap_or(0)).unwrap_or_default(), Name::with_nul(name).unwrap_or_default())
}

/// The length of the longest directory that two paths share.
fn common(one: &[u8], other: &[u8]) -> usize {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let ends = |path: &[u8]| matches!(path.get(same), None | Some(b'/'));
    if ends(one) && ends(other) {
        return same;
    }
    one.iter().take(same).rposition(|&byte| byte == b'/').unwrap_or(0)
}

/// Where in a confined path a name begins that deletes. Taken for a file's, it would hide what it should have deleted.
fn whiteout(path: &[u8]) -> Option<usize> {
    if path.starts_with(b".wh.") {
        return Some(0);
    }
    path.windows(5).position(|bytes| bytes == b"/.wh.").map(|at| at.wrapping_add(1))
}

/// A member's name as a path that stays below the root: without slashes at its start and end and without `.`,
/// terminated by a NUL. The root itself is the empty path, or where a tree exists its base.
pub(super) fn confine(name: &[u8], path: &mut Vec<u8>, existing: Option<&Existing>) -> core::result::Result<(), Why> {
    path.clear();
    path.extend_from_slice(existing.map_or(b"", |existing| existing.base));
    if name.is_empty() {
        return Err(text!("has no name"));
    }
    for component in name.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return Err(text!("leads out of the archive with `..`")),
            _ if has(component, 0) => return Err(NUL),
            _ => {}
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(component);
    }
    path.push(0);
    if path.len() > PATH_MAX { Err(text!("its name is too long")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confined(name: &[u8]) -> core::result::Result<String, Why> {
        let mut path = b"left over".to_vec();
        confine(name, &mut path, None).map(|()| String::from_utf8_lossy(&path).into_owned())
    }

    #[test]
    fn a_name_stays_below_the_root() {
        for (name, expected) in
            [("a", "a\0"), ("./a/b", "a/b\0"), ("/etc/passwd", "etc/passwd\0"), ("a//b/./c/", "a/b/c\0")]
        {
            assert_eq!(confined(name.as_bytes()).as_deref(), Ok(expected));
        }
        for root in ["/", "./", ".", "//"] {
            assert_eq!(confined(root.as_bytes()).as_deref(), Ok("\0"));
        }
        assert_eq!(confined(b"..a/a..b/...").as_deref(), Ok("..a/a..b/...\0"));
    }

    #[test]
    fn a_name_that_leads_out_is_refused() {
        for name in ["..", "../x", "a/../../x", "/..", "a/.."] {
            assert_eq!(confined(name.as_bytes()), Err(text!("leads out of the archive with `..`")));
        }
        assert_eq!(confined(b""), Err(text!("has no name")));
        assert_eq!(confined(b"a\0b"), Err(text!("has a NUL in a name")));
        assert_eq!(confined(&[b'a'; 4096]), Err(text!("its name is too long")));
        assert!(confined(&[b'a'; 4095]).is_ok());
    }

    #[test]
    fn a_name_that_deletes_is_found_in_every_place() {
        for (path, at) in [
            (&b".wh.a\0"[..], Some(0)),
            (b"etc/.wh..wh..opq\0", Some(4)),
            (b"a/.wh.b/c\0", Some(2)),
            (b"a.wh.b\0", None),
            (b".wh\0", None),
            (b"\0", None),
        ] {
            assert_eq!(whiteout(path), at, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn two_paths_share_whole_names_only() {
        for (one, other, length) in [
            ("usr/bin", "usr/lib", 3),
            ("usr/bin", "usr/bin/x", 7),
            ("usr/bin", "usr/binary", 3),
            ("usr", "usr", 3),
            ("usr", "", 0),
            ("a", "b", 0),
        ] {
            assert_eq!(common(one.as_bytes(), other.as_bytes()), length, "{one} {other}");
            assert_eq!(common(other.as_bytes(), one.as_bytes()), length, "{other} {one}");
        }
    }

    #[test]
    fn a_path_is_cut_at_its_last_slash() {
        assert_eq!(split(b"a/b/c\0"), (&b"a/b"[..], t(c"c")));
        assert_eq!(split(b"a\0"), (&b""[..], t(c"a")));
    }
}
