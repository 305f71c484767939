//! Making an archive's files below a directory, and nowhere else.

use super::header::{self, BLOCK, Kind, Member, Why};
use super::source::{CUT_OFF, Source};
use super::tree::{IdRange, outside};
use crate::error::{Error, Result};
use crate::sys::name::{Name, t};
use crate::sys::process::STDERR;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Message, Push, has, keep};
use core::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// For one pax header or long name. An xattr's value can be 64 KiB.
const EXTRA_MAX: u64 = 1 << 20;
/// PATH_MAX, with the NUL.
const PATH_MAX: usize = 4096;

/// What a system call answered; EINVAL with a word in `why` where it was not asked.
type Done<T> = core::result::Result<T, Errno>;

/// A tree that is somebody's already, for `cp`: what is in a directory with a member's name stays beside it.
pub struct Existing<'a> {
    /// Where in the root, as `confine` leaves paths.
    pub base: &'a [u8],
    /// Symlinks on the way are followed, with the root as `/`: it is a container's. Else there may be none.
    pub follow: bool,
    /// The files' owners are who unpacks.
    pub owned: bool,
    /// As in `tree::How`: the archive has the ids of that namespace.
    pub ids: [&'a [IdRange]; 2],
}

/// Unpacks all of `source` into the empty directory `root`, and returns the SHA-256 of the uncompressed archive.
pub fn unpack(source: &mut Source, root: BorrowedFd) -> Result<[u8; 32]> {
    into(source, root, None)
}

/// The same, also into a tree that exists.
pub fn into(source: &mut Source, root: BorrowedFd, existing: Option<&Existing>) -> Result<[u8; 32]> {
    // The allocator could not use the vectors again anyway.
    let mut unpack = ManuallyDrop::new(Unpack {
        source,
        root,
        existing,
        why: Message::NONE,
        member: Member::default(),
        pax: Vec::new(),
        global: Vec::new(),
        long_name: Vec::new(),
        long_link: Vec::new(),
        path: Vec::new(),
        link: Vec::new(),
        parent: Vec::new(),
        parent_fd: None,
        left_out: 0,
    });
    let digest = unpack.all().map_err(|errno| unpack.error(errno))?;
    if unpack.left_out != 0 {
        let mut count = Line::new();
        count.dec(unpack.left_out);
        let word = Error::new(
            text!("%: left out % device nodes, which only root can make"),
            &[keep(unpack.source.name()), keep(&count)],
        );
        let _ = fs::write_all(STDERR, &word.text());
    }
    Ok(digest)
}

/// Its vectors are filled again for each member: an archive can have millions.
struct Unpack<'a, 's> {
    source: &'a mut Source<'s>,
    root: BorrowedFd<'a>,
    existing: Option<&'a Existing<'a>>,
    /// Why the member is refused.
    why: Why,
    member: Member,
    /// The pax records for this member, and those for all that follow.
    pax: Vec<u8>,
    global: Vec<u8>,
    /// GNU's, NUL-terminated.
    long_name: Vec<u8>,
    long_link: Vec<u8>,
    /// The member's name, confined, and a link's target; NUL-terminated.
    path: Vec<u8>,
    link: Vec<u8>,
    /// The directory of the member before (without a NUL; empty is the root), and its descriptor.
    parent: Vec<u8>,
    parent_fd: Option<OwnedFd>,
    /// Devices that could not be made.
    left_out: u64,
}

impl Unpack<'_, '_> {
    /// The error for the user: of the archive, or of the member that it stopped at.
    fn error(&self, errno: Errno) -> Error {
        let (name, path) = (self.source.name(), &self.member.path);
        if !self.source.why.is_empty() {
            return Error::new(text!("%: %"), &[keep(name), self.source.why.text()]);
        }
        let why = match errno {
            _ if !self.why.is_empty() => self.why,
            Errno::ELOOP | Errno::ENOTDIR => text!("its path goes through a symbolic link or a file"),
            Errno::ENOTEMPTY => text!("would replace a directory with content"),
            _ => {
                let error = Error::sys(text!("unpack"), keep(path), errno);
                let full = errno == Errno::ENOSPC;
                return if full { error.hint(text!("the file system of --root is full"), &[]) } else { error };
            }
        };
        Error::new(text!("%: %: %"), &[keep(name), keep(path), why.text()])
    }

    fn refuse<T>(&mut self, why: Why) -> Done<T> {
        self.why = why;
        Err(Errno::EINVAL)
    }

    fn all(&mut self) -> Done<[u8; 32]> {
        while self.next()? {
            self.make()?;
        }
        let base = self.existing.map_or(0, |existing| existing.base.len());
        self.leave(base)?;
        if self.existing.is_none() {
            settle(self.root)?;
        }
        loop {
            let window = self.source.window()?;
            let length = window.len();
            if length == 0 {
                return Ok(self.source.digest());
            }
            if window.iter().any(|&byte| byte != 0) {
                return self.source.fail(text!("has more behind its end mark: are these two archives?"));
            }
            self.source.consume(length);
        }
    }

    /// Reads up to the next member that is a file of some kind; false at the archive's end mark.
    fn next(&mut self) -> Done<bool> {
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
                Kind::Remark => &mut self.link,
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
    fn padding(&mut self) -> Done<()> {
        let mut block = [0; BLOCK];
        let rest = (self.member.size as usize).wrapping_neg() & (BLOCK - 1);
        self.source.read(block.get_mut(..rest).unwrap_or_default())
    }

    /// Makes the member. What came before under its name goes, but not a directory with content.
    fn make(&mut self) -> Done<()> {
        if let Err(why) = confine(&self.member.path, &mut self.path, self.existing) {
            return self.refuse(why);
        }
        let kind = self.member.kind;
        let base = self.existing.map_or(0, |existing| existing.base.len());
        if self.path.len() <= base.wrapping_add(1) {
            return if kind == Kind::Directory && self.existing.is_some() {
                Ok(())
            } else if kind == Kind::Directory {
                self.finish(self.root, None)
            } else {
                self.refuse(text!("would replace the root directory"))
            };
        }
        self.reach()?;
        if kind == Kind::HardLink {
            return match confine(&self.member.link, &mut self.link, self.existing) {
                Ok(()) => self.hard_link(),
                Err(why) => self.refuse(why),
            };
        }
        if kind == Kind::Symlink {
            if has(&self.member.link, 0) {
                return self.refuse(NUL);
            }
            self.member.link.clone_into(&mut self.link);
            self.link.push(0);
        }
        let (dir, name) = self.place();
        if self.existing.is_some()
            && let Ok(found) = fs::stat(dir, name)
        {
            // What is not the archive's own is not made another kind of thing.
            let why = match (fs::is_dir(&found), kind == Kind::Directory) {
                (true, false) => text!("cannot overwrite a directory with what is none"),
                (false, true) => text!("cannot overwrite with a directory what is none"),
                _ => Message::NONE,
            };
            if !why.is_empty() {
                return self.refuse(why);
            }
        }
        let fd = match replace(dir, name, kind == Kind::Directory, &mut || self.create(dir, name)) {
            // Only root of the host makes devices. The image can do without: a container's /dev is made anew.
            Err(Errno::EPERM) if matches!(kind, Kind::Node(_)) => {
                self.left_out = self.left_out.wrapping_add(1);
                return Ok(());
            }
            made => made?,
        };
        let Some(fd) = fd else { return self.finish(dir, Some(name)) };
        if kind == Kind::File {
            self.data(fd.as_fd())?;
        }
        self.finish(fd.as_fd(), None)
    }

    /// The descriptor of the member's directory, and its name there.
    fn place(&self) -> (BorrowedFd<'_>, Name<'_>) {
        let dir = self.parent_fd.as_ref().map_or(self.root, |fd| fd.as_fd());
        (dir, split(&self.path).1)
    }

    /// Makes the file, and opens what may be opened.
    fn create(&self, dir: BorrowedFd, name: Name) -> Done<Option<OwnedFd>> {
        let (flags, mode) = match self.member.kind {
            Kind::Directory => {
                fs::mkdir(dir, name, 0o700)?;
                (libc::O_RDONLY | libc::O_DIRECTORY, 0)
            }
            Kind::Symlink => {
                let target = Name::with_nul(&self.link).unwrap_or_default();
                return fs::symlink(target, dir, name).map(|()| None);
            }
            Kind::Node(format) => {
                fs::mknod(dir, name, format | self.member.mode, self.member.device)?;
                // A container could have exchanged it for a symlink. Whoever unpacks there has no umask.
                let chmod = self.existing.is_none();
                return if chmod { fs::chmod_follow(dir, name, self.member.mode) } else { Ok(()) }.map(|()| None);
            }
            _ => (libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o600),
        };
        fs::open(dir, name, flags, mode).map(Some)
    }

    fn hard_link(&self) -> Done<()> {
        let (dir, name) = self.place();
        if self.link == self.path {
            // tar writes a file that it was given twice as a link to itself.
            return fs::stat(dir, name).map(drop);
        }
        let (target_dir, target) = split(&self.link);
        let from = self.open_beneath(target_dir, false)?;
        replace(dir, name, false, &mut || fs::link(from.as_fd(), target, dir, name).map(|()| None)).map(drop)
    }

    fn data(&mut self, fd: BorrowedFd) -> Done<()> {
        let mut rest = self.member.size;
        while rest != 0 {
            let window = self.source.window()?;
            let count = usize::try_from(rest).unwrap_or(usize::MAX).min(window.len());
            if count == 0 {
                return self.source.fail(CUT_OFF);
            }
            fs::write_all(fd, window.get(..count).unwrap_or_default())?;
            self.source.consume(count);
            rest = rest.saturating_sub(count as u64);
        }
        self.padding()
    }

    /// Owner, mode, xattrs and times: of an open file, or of `name` in `dir` for what is never opened. In this order,
    /// since a change of the owner takes suid bits and capabilities away.
    fn finish(&self, fd: BorrowedFd, name: Option<Name>) -> Done<()> {
        let member = &self.member;
        let [uids, gids] = self.existing.map_or([&[][..]; 2], |existing| existing.ids);
        if !self.existing.is_some_and(|existing| existing.owned) {
            let (uid, gid) = (outside(uids, member.uid), outside(gids, member.gid));
            fs::chown(fd, name.unwrap_or_default(), uid, gid)?;
        }
        if name.is_none() {
            fs::chmod(fd, member.mode)?;
        }
        for header in [&self.global, &self.pax] {
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
        self.parent_fd = Some(self.open_beneath(dir, true)?);
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
                None => self.open_beneath(&self.parent, false)?,
            };
            settle(fd.as_fd())?;
            let cut = self.parent.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
            self.parent.truncate(cut);
        }
        Ok(())
    }

    /// Opens a directory beneath the root (path without a NUL, no `..`), without following any symlink, unless those of the
    /// tree are to be followed; makes it and what leads to it if asked to.
    fn open_beneath(&self, path: &[u8], make: bool) -> Done<OwnedFd> {
        let follow = self.existing.is_some_and(|existing| existing.follow);
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        if path.is_empty() {
            return fs::open(self.root, t(c"."), flags, 0);
        }
        let mut buf = [0_u8; PATH_MAX];
        let whole = terminated(path, &mut buf)?;
        let one_mount = if self.existing.is_none() { fs::NO_XDEV } else { 0 };
        let resolve = fs::BENEATH | fs::NO_SYMLINKS | one_mount;
        let how = fs::OpenHow { flags: (flags | libc::O_CLOEXEC) as u64, mode: 0, resolve };
        let opened =
            if follow { open_in_root(self.root, whole, flags, 0) } else { fs::openat2(self.root, whole, &how) };
        match opened {
            Err(Errno::ENOSYS) => {}
            Err(Errno::ENOENT) if make => {}
            other => return other,
        }
        let mut here: Option<OwnedFd> = None;
        let mut end = 0_usize;
        for component in path.split(|&byte| byte == b'/') {
            let dir = here.as_ref().map_or(self.root, |fd| fd.as_fd());
            let name = terminated(component, &mut buf)?;
            let made = if make { fs::mkdir(dir, name, 0o755) } else { Err(Errno::EEXIST) };
            end = end.wrapping_add(component.len());
            let next = match made {
                Ok(()) | Err(Errno::EEXIST) if follow => {
                    let so_far = terminated(path.get(..end).unwrap_or_default(), &mut buf)?;
                    open_in_root(self.root, so_far, flags, 0)?
                }
                Ok(()) | Err(Errno::EEXIST) => fs::open(dir, name, flags, 0)?,
                Err(errno) => return Err(errno),
            };
            end = end.wrapping_add(1);
            if made.is_ok() {
                fs::chmod(next.as_fd(), 0o755)?;
            }
            here = Some(next);
        }
        here.ok_or(Errno::ENOENT)
    }
}

const NUL: Why = text!("has a NUL in a name");

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
    make: &mut dyn FnMut() -> Done<Option<OwnedFd>>,
) -> Done<Option<OwnedFd>> {
    match make() {
        Err(Errno::EEXIST) => {}
        other => return other,
    }
    match fs::unlink(dir, name) {
        Err(Errno::EISDIR) if keep => return fs::open(dir, name, libc::O_RDONLY | libc::O_DIRECTORY, 0).map(Some),
        Err(Errno::EISDIR) => fs::rmdir(dir, name)?,
        other => other?,
    }
    make()
}

/// The path of a name for calls that know no descriptors.
fn by_descriptor(dir: BorrowedFd, name: Name) -> Line {
    let mut path = Line::new();
    path.put(b"/proc/self/fd/").int(i64::from(dir.as_raw_fd())).put(b"/").put(name.to_bytes_with_nul());
    path
}

/// `bytes` as a C string in `buf`.
fn terminated<'b>(bytes: &[u8], buf: &'b mut [u8; PATH_MAX]) -> Done<Name<'b>> {
    buf.get_mut(..bytes.len()).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(bytes);
    *buf.get_mut(bytes.len()).ok_or(Errno::ENAMETOOLONG)? = 0;
    Name::until_nul(buf).ok_or(Errno::EINVAL)
}

/// A confined, NUL-terminated path cut into its directory and its last name.
fn split(path: &[u8]) -> (&[u8], Name<'_>) {
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

/// A member's name as a path that stays below the root: without slashes at its start and end and without `.`,
/// terminated by a NUL. The root itself is the empty path, or where a tree exists its base.
fn confine(name: &[u8], path: &mut Vec<u8>, existing: Option<&Existing>) -> core::result::Result<(), Why> {
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
            // Docker's layers delete with such names. Taken for files, they would hide what they should have deleted.
            _ if existing.is_none() && component.starts_with(b".wh.") => {
                return Err(text!("is a whiteout: this is the layer of an image, not a whole root file system"));
            }
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
        assert!(confined(b"etc/.wh..wh..opq").is_err_and(|why| why.bytes().starts_with(b"is a whiteout")));
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
