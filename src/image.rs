//! Images: what they are called, which layers they have, and what they say about the command.
//!
//!     images/REFERENCE/manifest   `config SHA256` and `layer SHA256`, base first; the reference with %2F for its slashes
//!     images/sha256:ID/manifest   the same for one without a name
//!     configs/SHA256              the OCI config, whose digest is the image's id
//!     archives/DEV-INO            as a manifest, for a file that was given as an image; its `source` line is the cache's key
//!     layers/SHA256/              the unpacked tree, named by the digest of the uncompressed tar
//!     layers/SHA256.size          a symlink to how many bytes are in its files
//!
//! A config that says nothing about the command is `bare SHA256` in the manifest: a start need not read it. Older stores
//! have neither; then the image's id is its layer's.

mod archive;
mod catalog;
pub mod config;
pub mod reference;
mod turn;

pub use archive::{default_image, from_archive, import};
pub use catalog::{Named, all, find};
pub use turn::{Turn, names_in};

use crate::error::{Error, Result};
use crate::sys::name::{Name, Text, t};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Push, ancestors, filled, keep, number};
use config::Config;
use std::os::fd::{AsFd, BorrowedFd};

/// What a system call answered.
type Done<T> = core::result::Result<T, Errno>;

/// Where an image's tree lies, and its config.
#[derive(Clone, Default)]
pub struct Image {
    /// `layers/SHA256` each, relative to the store, the topmost first.
    pub layers: Vec<Text>,
    /// The config's digest; None where there is none.
    config: Option<Text>,
    /// The config says nothing about the command.
    bare: bool,
}

/// Room for more layers than overlayfs takes.
const MANIFEST_MAX: usize = 65536;
/// For a config: as other tools have it.
const CONFIG_MAX: usize = 4 << 20;

impl Image {
    /// One that is nothing but a tree.
    pub fn of(layer: Text) -> Self {
        Self { layers: vec![layer], ..Self::default() }
    }

    /// One that a container has recorded: its layers, and its id.
    pub fn recorded(layers: Vec<Text>, id: Text) -> Self {
        let image = Self { layers, ..Self::default() };
        // Without a config the id is the layer's.
        let config = Some(id).filter(|&id| !id.is_empty() && id != image.id());
        Self { config, ..image }
    }

    /// A regular file of the image, as a container's root would show it without any volume: ENOENT where no layer has it,
    /// ENXIO for what is no regular file. Never blocks. A symlink is followed inside one layer.
    pub fn open(&self, store: BorrowedFd, path: Name) -> Done<OwnedFd> {
        for &layer in &self.layers {
            // Followed, since --rootfs can name a link.
            let layer = fs::open_follow(store, layer, libc::O_PATH | libc::O_DIRECTORY, 0)?;
            // Not opened for reading before it is known: that alone has effects on some devices.
            let found = match open_in_root(layer.as_fd(), path, libc::O_PATH, 0) {
                Err(Errno::ENOENT) if !hides(layer.as_fd(), path) => continue,
                // What leads there was deleted, or is no directory any more.
                Err(Errno::ENOTDIR) => return Err(Errno::ENOENT),
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

    /// The image's id, 64 hexadecimal digits; empty for a directory that was given as one.
    pub fn id(&self) -> Text {
        let layer = || self.layers.first().and_then(|layer| layer.to_bytes().strip_prefix(b"layers/"));
        self.config.unwrap_or_else(|| keep(layer().unwrap_or_default()))
    }

    /// The digests of the uncompressed layers, base first.
    pub fn diff_ids(&self) -> Vec<Text> {
        let layers = self.layers.iter().rev();
        layers.map(|layer| keep(layer.to_bytes().strip_prefix(b"layers/").unwrap_or_default())).collect()
    }

    /// What a manifest says; None if it is not as it should be.
    pub fn parse(manifest: &[u8]) -> Option<Self> {
        let mut image = Self::default();
        for line in manifest.strip_suffix(b"\n")?.rsplit(|&byte| byte == b'\n') {
            if let Some(digest) = line.strip_prefix(b"layer ") {
                image.layers.push(filled("layers/%", &[digest_of(digest)?]));
            }
            image.bare |= line.starts_with(b"bare ");
            if let Some(digest) = line.strip_prefix(b"config ").or(line.strip_prefix(b"bare ")) {
                image.config = Some(digest_of(digest)?);
            }
        }
        (!image.layers.is_empty()).then_some(image)
    }

    /// The same written, but for the `source` line.
    fn manifest(&self) -> Line {
        let mut text = Line::new();
        if let Some(config) = self.config {
            text.put(if self.bare { b"bare " } else { b"config " }).put(config.to_bytes()).put(b"\n");
        }
        for layer in self.diff_ids() {
            text.put(b"layer ").put(layer.to_bytes()).put(b"\n");
        }
        text
    }

    /// What it says about the command. Nothing is read where it says nothing.
    pub fn says(&self, store: BorrowedFd) -> Result<Config> {
        if self.bare || self.config.is_none() {
            return Ok(Config::default());
        }
        self.config(store).map(|document| Config::read(&document))
    }

    /// The config as JSON; for an image that has none, what docker would have written when it was imported.
    pub fn config(&self, store: BorrowedFd) -> Result<Vec<u8>> {
        let Some(digest) = self.config else {
            return Ok(config::document(&Config::default(), &self.diff_ids(), 0, b"", [Text::default(); 3]).to_vec());
        };
        let path = filled("configs/%", &[digest]);
        let opened = fs::open(store, path, libc::O_RDONLY, 0).and_then(|fd| fs::read_all(fd.as_fd(), CONFIG_MAX));
        opened.map_err(|errno| Error::sys(text!("read the image's config"), path, errno))
    }
}

/// Where a layer's size is: a symlink, which is one call to write and one to read.
fn size_of(layer: Text) -> Text {
    filled("layers/%.size", &[layer])
}

/// How many bytes the files of a layer have; 0 of one from an older store.
pub fn layer_size(store: BorrowedFd, layer: Text) -> u64 {
    fs::read_link(store, size_of(layer), &mut [0; 32]).ok().and_then(number).unwrap_or(0)
}

/// Whether a directory on the way is opaque: what the layers below have in it is not seen.
fn hides(layer: BorrowedFd, path: Name) -> bool {
    let opaque = |dir: &Text| {
        let Ok(dir) = open_in_root(layer, *dir, libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return false };
        let names = [t(c"trusted.overlay.opaque"), t(c"user.overlay.opaque")];
        names.iter().any(|&name| fs::get_xattr(dir.as_fd(), name, &mut [0; 2]) == Ok(b"y"))
    };
    ancestors(keep(path.to_bytes())).iter().any(opaque)
}

/// 64 lower-case hexadecimal digits.
pub fn digest_of(word: &[u8]) -> Option<Text> {
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (word.len() == 64 && word.iter().all(hex)).then(|| keep(word))
}

/// The image of that name, or with an id that begins so, if there is one.
pub fn named(store: BorrowedFd, word: &[u8]) -> Result<Option<Image>> {
    catalog::look_up(store, word, 4).map(|found| found.map(|found| found.image))
}

/// Whether the image of that id, or the directory without one, is still there when nobody can remove it any more: who makes a
/// container found it before that.
pub fn is_there(store: BorrowedFd, id: Text) -> bool {
    // Older stores have no configs.
    let has = |path| fs::stat(store, filled(path, &[id])).is_ok();
    id.is_empty() || has("configs/%") || has("layers/%")
}

/// It was there a moment ago.
pub fn gone(named: Text) -> Error {
    Error::new(text!("no such image: %"), &[named])
}

fn read_whole(store: BorrowedFd, path: Name) -> Done<Vec<u8>> {
    fs::read_all(fs::open(store, path, libc::O_RDONLY, 0)?.as_fd(), MANIFEST_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(manifest: &[u8]) -> Option<Image> {
        Image::parse(manifest)
    }

    #[test]
    fn a_manifest_lists_the_base_first_and_overlayfs_wants_it_last() {
        let line = |byte: &str| format!("layer {}\n", byte.repeat(64));
        let image = parse(format!("{}{}", line("a"), line("b")).as_bytes()).map(|image| image.layers);
        let path = |byte: &str| keep(format!("layers/{}", byte.repeat(64)).as_bytes());
        assert_eq!(image, Some(vec![path("b"), path("a")]));
    }

    #[test]
    fn a_manifest_is_written_as_it_is_read() {
        for kind in ["config", "bare"] {
            let [config, base, top] = ["c", "a", "b"].map(|digit| digit.repeat(64));
            let text = format!("{kind} {config}\nlayer {base}\nlayer {top}\n");
            let image = parse(text.as_bytes()).unwrap_or_default();
            assert_eq!(image.id().to_bytes(), config.as_bytes());
            assert_eq!(image.bare, kind == "bare");
            assert_eq!(image.manifest().as_slice(), text.as_bytes());
        }
        let old = parse(format!("source 1 2 3\nlayer {}\n", "a".repeat(64)).as_bytes()).unwrap_or_default();
        assert_eq!(old.id().to_bytes(), "a".repeat(64).as_bytes());
    }

    #[test]
    fn a_damaged_manifest_names_no_layer() {
        for bad in [&b""[..], b"\n", b"layer ../../etc\n", b"layer abc\n"] {
            assert!(parse(bad).is_none());
        }
        let good = "a".repeat(64);
        assert!(parse(format!("layer {good}").as_bytes()).is_none());
        assert!(parse(format!("layer {}\n", "A".repeat(64)).as_bytes()).is_none());
        assert!(parse(format!("config ../../etc\nlayer {good}\n").as_bytes()).is_none());
    }
}
