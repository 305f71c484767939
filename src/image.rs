//! Images: names, layers, and the import of root file system archives.
//!
//!     images/NAME/manifest   `layer SHA256`, base first
//!     archives/DEV-INO       the same for a file that was given as an image, with its `source` line as the cache's key
//!     layers/SHA256/         the unpacked tree, named by the digest of the uncompressed tar
//!
//! Importers take turns by a lock on layers/, so whatever temporary name one finds there is a dead one's.

use crate::error::{Error, Result};
use crate::remove;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, fs};
use crate::tar::{self, Source};
use crate::text::{Line, Push};
use core::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Where an image's tree lies: the paths of its layers, relative to the store, the topmost first.
pub struct Image {
    /// `layers/SHA256` each.
    pub layers: Vec<Vec<u8>>,
}

/// Room for more layers than overlayfs takes.
const MANIFEST_MAX: usize = 16384;

impl Image {
    /// A regular file of the image, as a container's root would show it without any volume: ENOENT where no layer has it,
    /// ENXIO for what is no regular file. Never blocks. A symlink is followed inside one layer.
    pub fn open(&self, store: BorrowedFd, path: &CStr) -> core::result::Result<OwnedFd, Errno> {
        for layer in &self.layers {
            let layer = fs::open(store, &c_string(layer), libc::O_PATH | libc::O_DIRECTORY, 0)?;
            let found = match open_in_root(layer.as_fd(), path, libc::O_PATH, 0) {
                Err(Errno::ENOENT) => continue,
                other => fs::fstat(other?.as_fd())?,
            };
            if fs::kind(&found) == libc::S_IFREG {
                return open_in_root(layer.as_fd(), path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0);
            }
            // A whiteout of overlayfs: the file was deleted in this layer.
            let gone = fs::kind(&found) == libc::S_IFCHR && found.st_rdev == 0;
            return Err(if gone { Errno::ENOENT } else { Errno::ENXIO });
        }
        Err(Errno::ENOENT)
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
    let path = c_string(&[b"images/", word, b"/manifest"].concat());
    let Some(text) = read_small(store, &path)? else { return Ok(None) };
    layers(&text).map(Some).ok_or_else(|| Error::new(&[b"image ", word, b": its manifest is damaged"]))
}

fn read_small(store: BorrowedFd, path: &CStr) -> Result<Option<Vec<u8>>> {
    let fd = match fs::open(store, path, libc::O_RDONLY, 0) {
        Ok(fd) => fd,
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(Error::sys("open", path.to_bytes(), errno)),
    };
    let text = fs::read_all(fd.as_fd(), MANIFEST_MAX).map_err(|errno| Error::sys("read", path.to_bytes(), errno))?;
    Ok(Some(text))
}

/// The layers that a manifest lists, topmost first; None if a line is not as it should be.
fn layers(manifest: &[u8]) -> Option<Image> {
    let mut layers = Vec::new();
    for line in manifest.strip_suffix(b"\n")?.split(|&byte| byte == b'\n') {
        if let Some(digest) = line.strip_prefix(b"layer ") {
            let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if digest.len() != 64 || !digest.iter().all(hex) {
                return None;
            }
            layers.insert(0, [b"layers/", digest].concat());
        }
    }
    (!layers.is_empty()).then_some(Image { layers })
}

/// Bytes without a NUL as a C string.
fn c_string(bytes: &[u8]) -> std::ffi::CString {
    std::ffi::CString::new(bytes).unwrap_or_default()
}

/// The image in an archive that the user gave as a path: imported unless this very file was before.
pub fn from_archive(store: BorrowedFd, path: &CStr) -> Result<Image> {
    let archive = Archive::open(path)?.ok_or_else(|| Error::sys("open", path.to_bytes(), Errno::ENOENT))?;
    match archive.known(store)? {
        Some(image) => Ok(image),
        None => archive.import(store, None),
    }
}

/// The image `busybox`; imported first from ./busybox.tar or from busybox.tar in `home` where it is not there yet.
pub fn default_image(store: BorrowedFd, home: &[u8]) -> Result<Image> {
    if let Some(image) = named(store, DEFAULT)? {
        return Ok(image);
    }
    for dir in [b".", home] {
        let path = c_string(&[dir, b"/busybox.tar"].concat());
        if let Some(archive) = Archive::open(&path)? {
            return archive.import(store, Some(DEFAULT));
        }
    }
    Err(Error::new(&[b"there is no image busybox, and no busybox.tar here or in ", home])
        .hint(&[b"`make busybox.tar` makes one; any root file system in a tar archive will do"]))
}

const DEFAULT: &[u8] = b"busybox";
/// Where a layer is unpacked before it is whole.
const IMPORTING: &CStr = c"layers/.import";
/// A manifest before it is whole.
const WRITING: &CStr = c"layers/.manifest";

/// An archive file that is open.
struct Archive<'a> {
    path: &'a CStr,
    fd: OwnedFd,
    size: u64,
    /// `source DEV INO SIZE MTIME CTIME`: the file is the same as long as this is.
    key: Line,
    /// The cache's file.
    cache: Line,
}

fn sys<T>(what: &str, path: &CStr, result: core::result::Result<T, Errno>) -> Result<T> {
    result.map_err(|errno| Error::sys(what, path.to_bytes(), errno))
}

impl<'a> Archive<'a> {
    /// None where there is no such file.
    fn open(path: &'a CStr) -> Result<Option<Self>> {
        // Never waits for a FIFO's other end.
        let fd = match fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0) {
            Err(Errno::ENOENT) => return Ok(None),
            other => sys("open", path, other)?,
        };
        let stat = sys("fstat", path, fs::fstat(fd.as_fd()))?;
        if fs::kind(&stat) != libc::S_IFREG {
            return Err(Error::new(&[path.to_bytes(), b": is no regular file, so no archive"]));
        }
        let (key, mut cache) = (key(&stat), Line::new());
        cache.put(b"archives/").dec(stat.st_dev).put(b"-").dec(stat.st_ino);
        Ok(Some(Self { path, fd, size: stat.st_size as u64, key, cache }))
    }

    /// The image, if this file was imported before and its layer is still there.
    fn known(&self, store: BorrowedFd) -> Result<Option<Image>> {
        let text = read_small(store, &c_string(&self.cache))?.unwrap_or_default();
        let image = if text.starts_with(&self.key) { layers(&text) } else { None };
        Ok(image.filter(|image| image.layers.iter().all(|layer| fs::stat(store, &c_string(layer)).is_ok())))
    }

    fn import(&self, store: BorrowedFd, name: Option<&[u8]>) -> Result<Image> {
        for dir in [c"layers", c"images", c"archives"] {
            match fs::mkdir(store, dir, 0o700) {
                Err(Errno::EEXIST) => {}
                other => sys("mkdirat", dir, other)?,
            }
        }
        let lock = sys("open", c"layers", fs::open(store, c"layers", libc::O_RDONLY | libc::O_DIRECTORY, 0))?;
        sys("flock", c"layers", fs::lock(lock.as_fd(), libc::LOCK_EX))?;
        // Another mydocker may have imported the same while this one waited.
        let image = match (name.map_or(Ok(None), |name| named(store, name))?, self.known(store)?) {
            (Some(image), _) => return Ok(image),
            (None, Some(image)) => image,
            (None, None) => {
                let unpacked = self.unpack(store);
                if unpacked.is_err() {
                    // The error that ended the import says more than one of tidying up.
                    let _ = sweep(store);
                }
                unpacked?
            }
        };
        let mut manifest = self.key.clone();
        for layer in image.layers.iter().rev() {
            manifest.put(b"layer ").put(layer.strip_prefix(b"layers/").unwrap_or_default()).put(b"\n");
        }
        write_whole(store, &c_string(&self.cache), &manifest)?;
        if let Some(name) = name {
            let dir = c_string(&[b"images/", name].concat());
            match fs::mkdir(store, &dir, 0o700) {
                Err(Errno::EEXIST) => {}
                other => sys("mkdirat", &dir, other)?,
            }
            write_whole(store, &c_string(&[dir.to_bytes(), b"/manifest"].concat()), &manifest)?;
        }
        Ok(image)
    }

    /// Unpacks into a temporary directory that gets its name when all of it is on the disk.
    fn unpack(&self, store: BorrowedFd) -> Result<Image> {
        sweep(store)?;
        sys("mkdirat", IMPORTING, fs::mkdir(store, IMPORTING, 0o755))?;
        let dir = sys("open", IMPORTING, fs::open(store, IMPORTING, libc::O_RDONLY | libc::O_DIRECTORY, 0))?;
        sys("fchmod", IMPORTING, fs::chmod(dir.as_fd(), 0o755))?;
        let source = Source::new(self.fd.as_fd(), self.path.to_bytes(), self.size)?;
        let digest = tar::unpack(source, dir.as_fd())?;
        if key(&sys("fstat", self.path, fs::fstat(self.fd.as_fd()))?) != self.key {
            return Err(Error::new(&[self.path.to_bytes(), b": was changed while it was read"]));
        }
        sys("syncfs", IMPORTING, fs::sync_fs(dir.as_fd()))?;
        let mut layer = Line::from(b"layers/");
        for byte in digest {
            for digit in [byte >> 4, byte & 15] {
                layer.push(*b"0123456789abcdef".get(usize::from(digit)).unwrap_or(&b'0'));
            }
        }
        let path = c_string(&layer);
        match fs::rename(store, IMPORTING, store, &path, 0) {
            // Another file with the same content was imported before.
            Err(Errno::EEXIST | Errno::ENOTEMPTY) => sweep(store)?,
            other => sys("rename", &path, other)?,
        }
        Ok(Image { layers: vec![layer] })
    }
}

/// Removes what a killed import left. Only for who holds the lock on layers/.
fn sweep(store: BorrowedFd) -> Result<()> {
    remove::tree(store, IMPORTING).map_err(|(errno, path)| Error::sys("remove", &path, errno))
}

fn key(stat: &fs::Stat) -> Line {
    let mut key = Line::new();
    key.put(b"source ").dec(stat.st_dev).put(b" ").dec(stat.st_ino).put(b" ").int(stat.st_size);
    for number in [stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec] {
        key.put(b" ").int(number);
    }
    key.put(b"\n");
    key
}

/// Writes a file so that it is there whole or not at all, whatever happens meanwhile. Only under the lock.
fn write_whole(store: BorrowedFd, path: &CStr, text: &[u8]) -> Result<()> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
    let fd = sys("open", WRITING, fs::open(store, WRITING, flags, 0o600))?;
    sys("write", path, fs::write_all(fd.as_fd(), text))?;
    sys("fsync", path, fs::sync(fd.as_fd()))?;
    sys("rename", path, fs::rename(store, WRITING, store, path, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let image = layers(format!("{}{}", line("a"), line("b")).as_bytes()).map(|image| image.layers);
        let path = |byte: &str| format!("layers/{}", byte.repeat(64)).into_bytes();
        assert_eq!(image, Some(vec![path("b"), path("a")]));
    }

    #[test]
    fn a_damaged_manifest_names_no_layer() {
        for bad in [&b""[..], b"\n", b"layer ../../etc\n", b"layer abc\n"] {
            assert!(layers(bad).is_none());
        }
        assert!(layers(format!("layer {}", "a".repeat(64)).as_bytes()).is_none());
        assert!(layers(format!("layer {}\n", "A".repeat(64)).as_bytes()).is_none());
    }
}
