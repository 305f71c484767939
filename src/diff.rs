//! `diff`: what a container has added (A), changed (C) and deleted (D), as docker tells it.
//!
//! The upper layer has all that was written, also what was written back as it had been. So each entry is compared with
//! the image's, and a directory counts as changed when something below it is.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::plan::POINTS;
use crate::record::Record;
use crate::store::Store;
use crate::sys::name::{Name, t};
use crate::sys::process::STDERR;
use crate::sys::{Errno, fs};
use crate::tar::tree::{Names, inside};
use crate::text::{Line, Push, keep};
use crate::view;
use std::os::fd::{AsFd, BorrowedFd};

/// What a system call answered.
type Done<T> = core::result::Result<T, Errno>;

/// `mydocker diff`.
pub fn diff(given: &Given) -> Result<u8> {
    let (store, record) = view::find(given, given.word())?;
    crate::print(&of(&store, &record)?)
}

/// At the end of `run --diff`: on standard error, where it is not taken for the command's own.
pub fn tell(store: &Store, record: &Record) {
    match of(store, record) {
        Ok(lines) => _ = fs::write_all(STDERR, &lines),
        Err(error) => error.print(),
    }
}

/// A container's changes, a line each.
pub fn of(store: &Store, record: &Record) -> Result<Line> {
    let upper = match fs::open(record.dir.as_fd(), t(c"upper"), libc::O_PATH | libc::O_DIRECTORY, 0) {
        // Never started.
        Err(Errno::ENOENT) => return Ok(Line::new()),
        upper => upper.map_err(|errno| Error::sys(text!("open the container's layer"), record.id, errno))?,
    };
    let how = view::upper(record)?;
    let lower = view::image(store, record)?;
    changes(upper.as_fd(), lower.as_fd(), &how)
        .map_err(|(errno, path)| Error::sys(text!("compare"), keep(&path), errno))
}

/// The changes, a line each, sorted. `lower` is the image as a container sees it. The error comes with the path.
fn changes(upper: BorrowedFd, lower: BorrowedFd, how: &view::Upper) -> core::result::Result<Line, (Errno, Vec<u8>)> {
    let mut diff = Diff { how, path: Vec::new(), said: 0, names: Names::default(), lines: Line::new() };
    match diff.directory(upper, t(c"."), Some((lower, t(c".")))) {
        Ok(()) => Ok(diff.lines),
        Err(errno) => Err((errno, diff.path)),
    }
}

struct Diff<'a> {
    how: &'a view::Upper,
    /// The entry.
    path: Vec<u8>,
    /// How much of it has a line already: a directory has one before what is below.
    said: usize,
    names: Names,
    lines: Line,
}

impl Diff<'_> {
    /// The directory `name` in `dir` of the upper layer, and what the image has in its place, if that is a directory.
    fn directory(&mut self, dir: BorrowedFd, name: Name, old: Option<(BorrowedFd, Name)>) -> Done<()> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let new = fs::open(dir, name, flags, 0)?;
        let old = match old {
            Some((dir, name)) => Some(fs::open(dir, name, flags, 0)?),
            None => None,
        };
        let old = old.as_ref().map(|old| old.as_fd());
        let mark = self.names.read(new.as_fd())?;
        let mut next = mark.1;
        let mut buf = [0; 256];
        while let Some((name, _)) = self.names.get(next, &mut buf) {
            self.below(name, &mut |diff| diff.entry(new.as_fd(), name, old))?;
            next = next.wrapping_add(1);
        }
        self.names.forget(mark);
        // Not merged with the image's: what is not in it is deleted.
        if let Some(old) = old
            && fs::get_xattr(new.as_fd(), self.how.opaque, &mut [0; 8]) == Ok(b"y")
        {
            let mark = self.names.read(old)?;
            let mut next = mark.1;
            while let Some((name, _)) = self.names.get(next, &mut buf) {
                if matches!(fs::stat(new.as_fd(), name), Err(Errno::ENOENT)) {
                    self.below(name, &mut |diff| {
                        diff.say(b"D ");
                        Ok(())
                    })?;
                }
                next = next.wrapping_add(1);
            }
            self.names.forget(mark);
        }
        Ok(())
    }

    /// With the name behind the path meanwhile.
    fn below(&mut self, name: Name, what: &mut dyn FnMut(&mut Self) -> Done<()>) -> Done<()> {
        let length = self.path.len();
        self.path.push(b'/');
        self.path.extend_from_slice(name.to_bytes());
        // What we mount on is nobody's change, nor is /etc, should we have made that.
        let ours = POINTS.iter().any(|(point, _)| point.to_bytes() == self.path);
        if !ours {
            what(self)?;
        }
        self.path.truncate(length);
        self.said = self.said.min(length);
        Ok(())
    }

    fn entry(&mut self, dir: BorrowedFd, name: Name, old: Option<BorrowedFd>) -> Done<()> {
        let new = match fs::stat(dir, name) {
            // Removed meanwhile.
            Err(Errno::ENOENT) => return Ok(()),
            new => new?,
        };
        let before = match old.map(|old| fs::stat(old, name)) {
            None | Some(Err(Errno::ENOENT)) => None,
            Some(before) => Some(before?),
        };
        if fs::kind(&new) == libc::S_IFCHR && new.st_rdev == 0 {
            if before.is_some() {
                self.say(b"D ");
            }
            return Ok(());
        }
        match &before {
            None if self.path == b"/etc" => {}
            None => self.say(b"A "),
            Some(before) if self.differs(before, &new) => self.say(b"C "),
            Some(_) => {}
        }
        if !fs::is_dir(&new) {
            return Ok(());
        }
        let old = old.filter(|_| before.as_ref().is_some_and(fs::is_dir)).map(|old| (old, name));
        self.directory(dir, name, old)
    }

    /// docker's rule: of a directory neither size nor time.
    fn differs(&self, old: &fs::Stat, new: &fs::Stat) -> bool {
        let [uids, gids] = self.how.ids();
        let nanoseconds = old.st_mtime_nsec == new.st_mtime_nsec || old.st_mtime_nsec == 0 || new.st_mtime_nsec == 0;
        let same_content = old.st_size == new.st_size && old.st_mtime == new.st_mtime && nanoseconds;
        old.st_mode != new.st_mode
            || (old.st_uid, old.st_gid) != (inside(uids, new.st_uid), inside(gids, new.st_gid))
            || old.st_rdev != new.st_rdev
            || !(same_content || fs::is_dir(new))
    }

    /// A line for the entry; before it one for each directory above that has none yet.
    fn say(&mut self, how: &[u8]) {
        for at in self.said.wrapping_add(1)..self.path.len() {
            if self.path.get(at) == Some(&b'/') {
                self.lines.put(b"C ").safe(self.path.get(..at).unwrap_or_default()).put(b"\n");
            }
        }
        self.lines.put(how).safe(&self.path).put(b"\n");
        self.said = self.path.len();
    }
}
