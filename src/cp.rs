//! `cp`: files between a container and the host, or an archive on a standard stream.
//!
//! One side writes an archive into a pipe, the other unpacks it: two processes of ours. What belongs to the container is
//! reached with its root as `/`, whatever it does to that meanwhile (CVE-2018-15664), and nothing of it is executed or
//! loaded (CVE-2019-14271).

use crate::cli::{Given, absolute, clean};
use crate::error::{Error, Result};
use crate::record::Record;
use crate::remove::mount_id;
use crate::spec::Text;
use crate::sys::name::t;
use crate::sys::process::{self, STDIN, STDOUT, Side};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::tree::{How, tree};
use crate::tar::write::Tar;
use crate::tar::{Existing, Source, into};
use crate::text::{Message, filled, keep, split_once};
use crate::view::{self, View};
use std::os::fd::{AsFd, BorrowedFd};

/// `mydocker cp`.
pub fn cp(given: &Given) -> Result<u8> {
    let &[from, to] = given.words else { return Ok(1) };
    match (of_container(from), of_container(to)) {
        (Some(_), Some(_)) => Err(Error::new(text!("copying between containers is not supported"), &[])),
        (None, None) => Err(Error::new(text!("must specify at least one container source"), &[])),
        (Some((name, path)), None) => {
            let (store, record) = view::find(given, name)?;
            // What is relative is so to where we are now.
            let local = Path::local(to)?;
            out(&record, &View::of(&store, &record, true)?, Path::of(t(c"/"), path), local, given)
        }
        (None, Some((name, path))) => {
            let (store, record) = view::find(given, name)?;
            let local = Path::local(from)?;
            enter(&record, &View::of(&store, &record, true)?, local, path, given)
        }
    }
}

/// CONTAINER:PATH, but for what begins as a path of the host does.
fn of_container(word: Text) -> Option<(Text, Text)> {
    let (name, path) = split_once(word.to_bytes(), b':')?;
    (!matches!(word.first(), b'/' | b'.')).then(|| (keep(name), keep(path)))
}

/// A path as it was typed, taken apart.
struct Path {
    /// Absolute, without `.` and `..`.
    path: Text,
    /// It ends with a slash, or as below: it has to be a directory.
    directory: bool,
    /// It ends with `/.`: what is in the directory, not itself.
    contents: bool,
    /// It is `-`.
    stream: bool,
}

impl Path {
    fn of(base: Text, path: Text) -> Self {
        let bytes = path.to_bytes();
        let contents = bytes == b"." || bytes.ends_with(b"/.");
        let whole = if path.first() == b'/' { path } else { filled("%/%", &[base, path]) };
        Self {
            path: keep(&clean(whole.to_bytes())),
            directory: contents || bytes.ends_with(b"/"),
            contents,
            stream: bytes == b"-",
        }
    }

    fn local(path: Text) -> Result<Self> {
        Ok(Self::of(absolute(t(c"."), None)?, path))
    }

    /// As it is opened: a slash at the end follows a link, and finds directories only.
    fn typed(&self) -> Text {
        if self.directory { filled("%/", &[self.path]) } else { self.path }
    }

    /// Its last name; of the root a slash.
    fn name(&self) -> Text {
        let bytes = self.path.to_bytes();
        let name = bytes.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if name.is_empty() { t(c"/") } else { keep(name) }
    }

    /// The directory that it is in.
    fn parent(&self) -> Text {
        let bytes = self.path.to_bytes();
        let slash = bytes.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        if slash == 0 { t(c"/") } else { keep(bytes.get(..slash).unwrap_or_default()) }
    }

    /// Where a symlink there leads.
    fn follow(&self, target: &[u8]) -> Self {
        Self { directory: self.directory, ..Self::of(self.parent(), keep(target)) }
    }
}

/// What is at the target, when links are followed: nothing, a directory or something else. The path is that behind the links.
struct Found {
    at: Path,
    what: Option<bool>,
}

/// Looks for the target, link by link: what a link leads to need not be there.
fn find(
    mut at: Path,
    open: &dyn Fn(Text) -> core::result::Result<OwnedFd, Errno>,
) -> core::result::Result<Found, Errno> {
    for _ in 0..40 {
        let found = match open(at.path) {
            Err(Errno::ENOENT) => return Ok(Found { at, what: None }),
            found => found?,
        };
        let stat = fs::fstat(found.as_fd())?;
        if fs::kind(&stat) != libc::S_IFLNK {
            return Ok(Found { at, what: Some(fs::is_dir(&stat)) });
        }
        let mut target = [0; 4096];
        at = at.follow(fs::read_link(found.as_fd(), t(c""), &mut target)?);
    }
    Err(Errno::ELOOP)
}

/// Where it goes: the directory, and what the source is called there; nothing for what is in it alone.
fn place(found: &Found, source: &Path, is_dir: bool) -> Result<(Text, Text)> {
    match found.what {
        Some(true) => {
            let all = source.contents || source.path == t(c"/");
            Ok((found.at.path, if all { t(c"") } else { source.name() }))
        }
        Some(false) if is_dir => Err(Error::new(text!("cannot copy directory"), &[])),
        _ if !is_dir && found.at.directory => Err(Error::new(text!("no such directory"), &[])),
        _ => Ok((found.at.parent(), found.at.name())),
    }
}

/// Out of the container.
fn out(record: &Record, view: &View, source: Path, target: Path, given: &Given) -> Result<u8> {
    let missing = || Error::new(text!("Could not find the file % in container %"), &[source.path, record.known_as()]);
    let flags = if given.has("follow-link") { libc::O_PATH } else { libc::O_PATH | libc::O_NOFOLLOW };
    let top = open_in_root(view.root.as_fd(), source.typed(), flags, 0).map_err(|errno| match errno {
        Errno::ENOENT | Errno::ENOTDIR => missing(),
        _ => Error::sys(text!("open"), source.path, errno),
    })?;
    let stat = fs::fstat(top.as_fd()).map_err(|errno| Error::sys(text!("open"), source.path, errno))?;
    let upper = view::upper(record)?;
    // Not the kernel's own.
    let without: &[Text] = if source.path == t(c"/") { &[t(c"proc"), t(c"sys"), t(c"dev")] } else { &[] };
    let how = How { cross: true, ids: upper.ids(), without, ..How::default() };
    if target.stream {
        let mut name = if source.contents { t(c"./") } else { source.name() };
        if given.has("follow-link") && !source.contents {
            // docker's: here it is called as what the link leads to.
            let open = |path| open_in_root(view.root.as_fd(), path, libc::O_PATH | libc::O_NOFOLLOW, 0);
            name = find(source, &open).map_or(name, |found| found.at.name());
        }
        return archive(STDOUT, top, &How { prefix: name.to_bytes(), ..how });
    }
    let path = target.path;
    let failed = |errno| Error::sys(text!("open"), path, errno);
    if !fs::exists(target.parent()) {
        return Err(Error::new(text!("invalid output path: directory \"%\" does not exist"), &[target.parent()]));
    }
    let found = find(target, &|path| fs::open(fs::CWD, path, libc::O_PATH, 0)).map_err(failed)?;
    let (dir, name) = place(&found, &source, fs::is_dir(&stat))?;
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    let dir = fs::open_follow(fs::CWD, dir, flags, 0).map_err(|errno| Error::sys(text!("open"), dir, errno))?;
    let existing = Existing { base: b"", follow: false, owned: !given.has("archive") };
    piped(top, &How { prefix: name.to_bytes(), ..how }, &mut |read| {
        into(&mut Source::new(read, source.name().to_bytes(), 0), dir.as_fd(), &existing).map(|_| name)
    })
    .map(|_| 0)
}

/// Into the container.
fn enter(record: &Record, view: &View, source: Path, path: Text, given: &Given) -> Result<u8> {
    let target = Path::of(t(c"/"), path);
    let root = view.root.as_fd();
    let flags = if given.has("follow-link") { libc::O_PATH } else { libc::O_PATH | libc::O_NOFOLLOW };
    let opened = if source.stream {
        None
    } else {
        let open =
            fs::open_follow(fs::CWD, source.typed(), flags, 0).and_then(|top| Ok((fs::fstat(top.as_fd())?, top)));
        Some(open.map_err(|errno| match errno {
            Errno::ENOENT => Error::new(text!("lstat %: no such file or directory"), &[source.path]),
            _ => Error::sys(text!("open"), source.path, errno),
        })?)
    };
    let failed = |path, errno| match errno {
        Errno::ENOENT | Errno::ENOTDIR => {
            Error::new(text!("Could not find the file % in container %"), &[path, record.known_as()])
        }
        _ => Error::sys(text!("open"), path, errno),
    };
    let found = find(target, &|path| open_in_root(root, path, libc::O_PATH | libc::O_NOFOLLOW, 0))
        .map_err(|errno| failed(path, errno))?;
    let (dir, name) = match &opened {
        None if found.what == Some(true) => (found.at.path, t(c"")),
        None => {
            return Err(Error::new(text!("destination \"%:%\" must be a directory"), &[record.known_as(), path]));
        }
        Some(_) if path.is_empty() => return Err(Error::new(text!("no such directory"), &[])),
        Some((stat, _)) => place(&found, &source, fs::is_dir(stat))?,
    };
    let opened_dir =
        open_in_root(root, dir, libc::O_PATH | libc::O_DIRECTORY, 0).map_err(|errno| failed(dir, errno))?;
    check_writable(view, opened_dir.as_fd())?;
    let base = dir.to_bytes().strip_prefix(b"/").unwrap_or_default();
    let existing = Existing { base, follow: true, owned: false };
    let unpack = |from: BorrowedFd, name: Text| {
        view.become_root()?;
        into(&mut Source::new(from, name.to_bytes(), 0), root, &existing).map(|_| name)
    };
    match opened {
        None => unpack(STDIN, t(c"-")),
        Some((_, top)) => {
            let how = How { prefix: name.to_bytes(), cross: true, ..How::default() };
            piped(top, &how, &mut |read| unpack(read, source.name()))
        }
    }
    .map(|_| 0)
}

/// docker's words for a root or a volume that the container may not write to either.
fn check_writable(view: &View, dir: BorrowedFd) -> Result<()> {
    let failed = |errno| Error::sys(text!("look at the mount"), t(c""), errno);
    let own = mount_id(dir).map_err(failed)? == mount_id(view.root.as_fd()).map_err(failed)?;
    let read_only = fs::mount_flags(dir).map_err(failed)? & libc::MS_RDONLY != 0;
    match own {
        true if read_only || view.read_only => Err(Error::new(text!("container rootfs is marked read-only"), &[])),
        false if read_only => Err(Error::new(text!("mounted volume is marked read-only"), &[])),
        _ => Ok(()),
    }
}

/// Writes an archive of what was opened.
fn archive(to: BorrowedFd, top: OwnedFd, how: &How) -> Result<u8> {
    let mut tar = Tar::new(to);
    tree(&mut tar, top, how, text!("read"))?;
    tar.end().map_err(|errno| tar.error(text!("read"), t(c""), errno))?;
    Ok(0)
}

/// A child writes the archive, and this process unpacks it.
pub fn piped(top: OwnedFd, how: &How, unpack: &mut dyn FnMut(BorrowedFd) -> Result<Text>) -> Result<Text> {
    let failed = |errno| Error::sys(text!("start a process"), t(c""), errno);
    // Or there would be no child to wait for.
    process::default_action(libc::SIGCHLD).map_err(failed)?;
    let (read, write) = process::pipe().map_err(failed)?;
    let pid = match process::clone(0).map_err(failed)? {
        Side::Parent(pid, _) => pid,
        Side::Child => {
            drop(read);
            // Whoever unpacks has said why he has stopped.
            let _ = process::default_action(libc::SIGPIPE).and_then(|()| process::unblock_signals());
            let _ = process::die_with_parent();
            process::exit(archive(write.as_fd(), top, how).unwrap_or_else(|error| {
                error.print();
                1
            }))
        }
    };
    drop((write, top));
    let done = unpack(read.as_fd());
    drop(read);
    match process::wait(pid, 0).map_err(failed)? {
        // It has said what is wrong.
        (_, 1) => Err(Error::new(Message::NONE, &[])),
        _ => done,
    }
}
