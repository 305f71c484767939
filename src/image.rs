//! Images: names, layers, and the import of root file system archives.
//!
//!     images/NAME/manifest   `layer SHA256`, base first
//!     archives/DEV-INO       the same for a file that was given as an image, with its `source` line as the cache's key
//!     layers/SHA256/         the unpacked tree, named by the digest of the uncompressed tar
//!
//! Importers take turns by a lock on layers/, so whatever temporary name one finds there is a dead one's.

use crate::error::{Error, Result};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, fs};
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
    let _ = store;
    Err(Error::sys("import", path.to_bytes(), Errno::ENOSYS))
}

/// The image `busybox`; imported first from ./busybox.tar or busybox.tar in `home` where it is not there yet.
pub fn default_image(store: BorrowedFd, home: &[u8]) -> Result<Image> {
    if let Some(image) = named(store, b"busybox")? {
        return Ok(image);
    }
    let mut line = Line::new();
    line.put(home);
    Err(Error::new(&[b"there is no image busybox"]))
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
