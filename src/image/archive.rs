//! Images from root file systems in tar archives: a file that is given as an image, the default image, `import`.

use super::catalog::look_up;
use super::config::{self, Config};
use super::{Image, Turn, read_whole};
use crate::error::{Error, Result};
use crate::sys::name::{Name, Text, t};
use crate::sys::process::STDIN;
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::Source;
use crate::text::{Line, Push, filled, join, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// The image of a run that names none.
const DEFAULT: Text = t(c"busybox:latest");

/// The image in an archive that the user gave as a path: imported unless this very file was before.
pub fn from_archive(store: BorrowedFd, path: Name) -> Result<Image> {
    let archive = Archive::open(path)?;
    let known = archive.known(store);
    known.map_or_else(|| archive.image(&Turn::new(store)?), Ok)
}

/// The image `busybox`; imported first from ./busybox.tar or from busybox.tar in `home` where it is not there yet.
pub fn default_image(store: BorrowedFd, home: &[u8]) -> Result<Image> {
    let known = || Ok(look_up(store, b"busybox", usize::MAX)?.map(|found| found.image));
    if let Some(image) = known()? {
        return Ok(image);
    }
    for path in [t(c"busybox.tar"), filled("%/busybox.tar", &[keep(home)])] {
        if fs::exists(path) {
            let archive = Archive::open(path)?;
            let turn = Turn::new(store)?;
            // Another mydocker may have imported it while this one waited.
            if let Some(image) = known()? {
                return Ok(image);
            }
            let layers = archive.image(&turn)?.diff_ids();
            turn.publish(&layers, &config::imported(&Config::default(), &layers, None), &[DEFAULT])?;
            return known()?.ok_or_else(|| archive.failed(Errno::ENOENT));
        }
    }
    Err(Error::new(text!("there is no image busybox, and no busybox.tar here or in %"), &[keep(home)])
        .hint(text!("`make busybox.tar` makes one; any root file system in a tar archive will do"), &[]))
}

/// `import`: an image of one layer, from a file or (`-`) standard input: its id.
pub fn import(store: BorrowedFd, path: Name, config: &Config, message: Option<Text>, names: &[Text]) -> Result<Text> {
    let file = if path == t(c"-") { None } else { Some(Archive::open(path)?) };
    let turn = Turn::new(store)?;
    let layers = match &file {
        Some(archive) => archive.image(&turn)?.diff_ids(),
        None => vec![turn.layer(&mut Source::new(STDIN, path.to_bytes(), 0), None, &|_, _| Ok(()))?],
    };
    turn.publish(&layers, &config::imported(config, &layers, message), names)
}

/// An archive file that is open.
struct Archive<'a> {
    path: Name<'a>,
    fd: OwnedFd,
    size: u64,
    /// `source DEV INO SIZE MTIME CTIME`: the file is the same as long as this is.
    key: Line,
    /// The cache's file.
    cache: Text,
}

impl<'a> Archive<'a> {
    fn open(path: Name<'a>) -> Result<Self> {
        // Never waits for a FIFO's other end.
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
        let fd = fs::open_follow(fs::CWD, path, flags, 0).map_err(|errno| Error::sys(text!("open"), path, errno))?;
        match fs::fstat(fd.as_fd()) {
            Ok(stat) if fs::kind(&stat) == libc::S_IFREG => {
                let mut cache = Line::new();
                cache.put(b"archives/").dec(stat.st_dev).put(b"-").dec(stat.st_ino);
                Ok(Self { path, fd, size: stat.st_size as u64, key: key(&stat), cache: keep(&cache) })
            }
            _ => Err(Error::new(text!("%: is no regular file, so no archive"), &[path])),
        }
    }

    fn failed(&self, errno: Errno) -> Error {
        Error::sys(text!("import"), self.path, errno)
    }

    /// The image, if this file was imported before and its layer is still there.
    fn known(&self, store: BorrowedFd) -> Option<Image> {
        let text = read_whole(store, self.cache).ok()?;
        let image = text.starts_with(&self.key).then(|| Image::parse(&text))??;
        image.layers.iter().all(|&layer| fs::stat(store, layer).is_ok()).then_some(image)
    }

    /// The image, imported if need be: another mydocker may have imported the same while this one waited for its turn.
    fn image(&self, turn: &Turn) -> Result<Image> {
        if let Some(image) = self.known(turn.store()) {
            return Ok(image);
        }
        let mut source = Source::new(self.fd.as_fd(), self.path.to_bytes(), self.size);
        let layer = turn.layer(&mut source, None, &|_, _| {
            if fs::fstat(self.fd.as_fd()).is_ok_and(|stat| key(&stat) == self.key) {
                return Ok(());
            }
            Err(Error::new(text!("%: was changed while it was read"), &[self.path]))
        })?;
        let image = Image::of(filled("layers/%", &[layer]));
        turn.write(self.cache, &join(&[&self.key, &image.manifest()])).map_err(|errno| self.failed(errno))?;
        Ok(image)
    }
}

/// What tells one state of a file from another.
fn key(stat: &fs::Stat) -> Line {
    let mut key = Line::new();
    key.put(b"source ").dec(stat.st_dev).put(b" ").dec(stat.st_ino);
    for number in [stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec] {
        key.put(b" ").int(number);
    }
    key.put(b"\n");
    key
}
