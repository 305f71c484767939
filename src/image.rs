//! Images: names, layers, and the import of root file system archives.
//!
//!     images/NAME/manifest   `layer SHA256`, base first
//!     archives/DEV-INO       the same for a file that was given as an image, with its `source` line as the cache's key
//!     layers/SHA256/         the unpacked tree, named by the digest of the uncompressed tar
//!
//! Importers take turns by a lock on layers/, so whatever temporary name one finds there is a dead one's.

use crate::error::{Error, Result};
use crate::perform;
use crate::plan::POINTS;
use crate::remove;
use crate::sys::name::{Name, Text, t};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::{self, Source};
use crate::text::{Line, Push, filled, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// What a system call answered.
type Done<T> = core::result::Result<T, Errno>;

/// Where an image's tree lies: the paths of its layers, relative to the store, the topmost first.
pub struct Image {
    /// `layers/SHA256` each.
    pub layers: Vec<Text>,
}

/// Room for more layers than overlayfs takes.
const MANIFEST_MAX: usize = 16384;
/// The image of a run that names none.
const DEFAULT: &[u8] = b"busybox";
/// Where a layer is unpacked before it is whole.
const IMPORTING: Name = t(c"layers/.import");
/// A manifest before it is whole.
const WRITING: Name = t(c"layers/.manifest");

impl Image {
    /// A regular file of the image, as a container's root would show it without any volume: ENOENT where no layer has it,
    /// ENXIO for what is no regular file. Never blocks. A symlink is followed inside one layer.
    pub fn open(&self, store: BorrowedFd, path: Name) -> Done<OwnedFd> {
        for &layer in &self.layers {
            // Followed, since --rootfs can name a link.
            let layer = fs::open_follow(store, layer, libc::O_PATH | libc::O_DIRECTORY, 0)?;
            // Not opened for reading before it is known: that alone has effects on some devices.
            let found = match open_in_root(layer.as_fd(), path, libc::O_PATH, 0) {
                Err(Errno::ENOENT) => continue,
                other => fs::fstat(other?.as_fd())?,
            };
            return match fs::kind(&found) {
                libc::S_IFREG => {
                    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
                    open_in_root(layer.as_fd(), path, flags, 0)
                }
                // A whiteout of overlayfs: deleted in this layer.
                libc::S_IFCHR if found.st_rdev == 0 => Err(Errno::ENOENT),
                _ => Err(Errno::ENXIO),
            };
        }
        Err(Errno::ENOENT)
    }

    /// The layers that a manifest lists; None if one is not as it should be.
    pub fn parse(manifest: &[u8]) -> Option<Self> {
        let mut layers = Vec::new();
        for line in manifest.strip_suffix(b"\n")?.rsplit(|&byte| byte == b'\n') {
            if let Some(digest) = line.strip_prefix(b"layer ") {
                let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if digest.len() != 64 || !digest.iter().all(hex) {
                    return None;
                }
                layers.push(filled("layers/%", &[keep(digest)]));
            }
        }
        (!layers.is_empty()).then_some(Self { layers })
    }
}

/// Whether a word can be an image's name: it becomes a file name and part of overlayfs' options.
pub fn is_name(word: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    word.len() <= 64 && word.iter().all(plain) && word.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// The image of that name, if it was imported.
pub fn named(store: BorrowedFd, word: &[u8]) -> Result<Option<Image>> {
    if !is_name(word) {
        return Ok(None);
    }
    match read_whole(store, manifest_of(word)) {
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(Error::sys(text!("open image"), keep(word), errno)),
        Ok(text) => Image::parse(&text)
            .map(Some)
            .ok_or_else(|| Error::new(text!("image %: its manifest is damaged"), &[keep(word)])),
    }
}

/// The image in an archive that the user gave as a path: imported unless this very file was before.
pub fn from_archive(store: BorrowedFd, path: Name) -> Result<Image> {
    Archive::open(path).and_then(|archive| archive.image(store, None))
}

/// The image `busybox`; imported first from ./busybox.tar or from busybox.tar in `home` where it is not there yet.
pub fn default_image(store: BorrowedFd, home: &[u8]) -> Result<Image> {
    if let Some(image) = named(store, DEFAULT)? {
        return Ok(image);
    }
    for path in [t(c"busybox.tar"), filled("%/busybox.tar", &[keep(home)])] {
        if fs::exists(path) {
            return Archive::open(path)?.image(store, Some(DEFAULT));
        }
    }
    Err(Error::new(text!("there is no image busybox, and no busybox.tar here or in %"), &[keep(home)])
        .hint(text!("`make busybox.tar` makes one; any root file system in a tar archive will do"), &[]))
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

    /// The image, imported if need be; with that name if one is given.
    fn image(&self, store: BorrowedFd, name: Option<&[u8]>) -> Result<Image> {
        if name.is_none()
            && let Some(image) = self.known(store)
        {
            return Ok(image);
        }
        let _lock = lock(store).map_err(|errno| self.failed(errno))?;
        // Another mydocker may have imported the same while this one waited.
        let image = match self.known(store) {
            Some(image) => image,
            None => self.import(store).inspect_err(|_| {
                // The error that ended the import says more than one of tidying up.
                let _ = sweep(store);
            })?,
        };
        if let Some(name) = name {
            self.record(store, &image, manifest_of(name)).map_err(|errno| self.failed(errno))?;
        }
        Ok(image)
    }

    /// Unpacks into a temporary directory that gets its name when all of it is on the disk.
    fn import(&self, store: BorrowedFd) -> Result<Image> {
        let dir = make_room(store).map_err(|errno| self.failed(errno))?;
        let digest = tar::unpack(&mut Source::new(self.fd.as_fd(), self.path.to_bytes(), self.size), dir.as_fd())?;
        if !fs::fstat(self.fd.as_fd()).is_ok_and(|stat| key(&stat) == self.key) {
            return Err(Error::new(text!("%: was changed while it was read"), &[self.path]));
        }
        // What every container mounts on: made here once and not in the upper layer of each, where a directory costs
        // 80 µs to remove. Where the image has something odd there, a start says so.
        let times = [t(c"."), t(c"etc")].map(|name| (name, fs::stat(dir.as_fd(), name)));
        for &(path, directory) in &POINTS {
            match perform::target(dir.as_fd(), path, directory) {
                Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EISDIR | Errno::ELOOP | Errno::EEXIST) => {}
                made => _ = made.map_err(|errno| self.failed(errno))?,
            }
        }
        for &(name, stat) in &times {
            let _ = stat.and_then(|stat| fs::set_mtime(dir.as_fd(), name, stat.st_mtime, stat.st_mtime_nsec));
        }
        let image = publish(store, dir.as_fd(), &digest).map_err(|errno| self.failed(errno))?;
        self.record(store, &image, self.cache).map_err(|errno| self.failed(errno))?;
        Ok(image)
    }

    /// Writes a manifest so that it is there whole or not at all, whatever happens meanwhile.
    fn record(&self, store: BorrowedFd, image: &Image, path: Name) -> Done<()> {
        let mut text = self.key.clone();
        for layer in image.layers.iter().rev() {
            text.put(b"layer ").put(layer.to_bytes().strip_prefix(b"layers/").unwrap_or_default()).put(b"\n");
        }
        let dir = path.to_bytes().iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        make_dir(store, keep(path.to_bytes().get(..dir).unwrap_or_default()))?;
        let fd = fs::open(store, WRITING, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o600)?;
        fs::write_all(fd.as_fd(), &text)?;
        fs::sync(fd.as_fd())?;
        fs::rename(store, WRITING, store, path, 0)
    }
}

fn manifest_of(name: &[u8]) -> Text {
    filled("images/%/manifest", &[keep(name)])
}

fn read_whole(store: BorrowedFd, path: Name) -> Done<Vec<u8>> {
    fs::read_all(fs::open(store, path, libc::O_RDONLY, 0)?.as_fd(), MANIFEST_MAX)
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

fn make_dir(store: BorrowedFd, path: Name) -> Done<()> {
    match fs::mkdir(store, path, 0o700) {
        Err(Errno::EEXIST) => Ok(()),
        other => other,
    }
}

/// Makes the store's directories and waits for the turn to import; it lasts as long as the descriptor.
fn lock(store: BorrowedFd) -> Done<OwnedFd> {
    for &dir in &[t(c"layers"), t(c"images"), t(c"archives")] {
        make_dir(store, dir)?;
    }
    let fd = fs::open(store, t(c"layers"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    fs::lock(fd.as_fd(), libc::LOCK_EX)?;
    Ok(fd)
}

/// Removes what a killed import left, or this one. Only for who holds the lock.
fn sweep(store: BorrowedFd) -> Done<()> {
    remove::tree(store, IMPORTING).map_err(|(errno, _)| errno)
}

/// An empty directory to unpack into.
fn make_room(store: BorrowedFd) -> Done<OwnedFd> {
    sweep(store)?;
    fs::mkdir(store, IMPORTING, 0o755)?;
    let dir = fs::open(store, IMPORTING, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    fs::chmod(dir.as_fd(), 0o755)?;
    Ok(dir)
}

/// Gives the unpacked tree its name, once all of it is on the disk.
fn publish(store: BorrowedFd, dir: BorrowedFd, digest: &[u8; 32]) -> Done<Image> {
    fs::sync_fs(dir)?;
    let mut layer = Line::new();
    layer.put(b"layers/");
    for byte in digest {
        for digit in [byte >> 4, byte & 15] {
            layer.push(*b"0123456789abcdef".get(usize::from(digit)).unwrap_or(&b'0'));
        }
    }
    let layer = keep(&layer);
    match fs::rename(store, IMPORTING, store, layer, 0) {
        // Another file with the same content was imported before.
        Err(Errno::EEXIST | Errno::ENOTEMPTY) => sweep(store)?,
        other => other?,
    }
    Ok(Image { layers: vec![layer] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(manifest: &[u8]) -> Option<Image> {
        Image::parse(manifest)
    }

    #[test]
    fn a_name_can_be_neither_a_path_nor_an_option() {
        for good in [&b"busybox"[..], b"a", b"debian-12.1_x"] {
            assert!(is_name(good));
        }
        let long = [b'a'; 65];
        for bad in [&b""[..], b".", b"..", b".x", b"-x", b"a/b", b"a:b", b"a,b", b"a b", b"\xff", &long] {
            assert!(!is_name(bad));
        }
    }

    #[test]
    fn a_manifest_lists_the_base_first_and_overlayfs_wants_it_last() {
        let line = |byte: &str| format!("layer {}\n", byte.repeat(64));
        let image = parse(format!("{}{}", line("a"), line("b")).as_bytes()).map(|image| image.layers);
        let path = |byte: &str| keep(format!("layers/{}", byte.repeat(64)).as_bytes());
        assert_eq!(image, Some(vec![path("b"), path("a")]));
    }

    #[test]
    fn a_damaged_manifest_names_no_layer() {
        for bad in [&b""[..], b"\n", b"layer ../../etc\n", b"layer abc\n"] {
            assert!(parse(bad).is_none());
        }
        assert!(parse(format!("layer {}", "a".repeat(64)).as_bytes()).is_none());
        assert!(parse(format!("layer {}\n", "A".repeat(64)).as_bytes()).is_none());
    }
}
