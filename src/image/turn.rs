//! What changes the store's images: one at a time, each change whole or not at all.
//!
//! Importers take turns by a lock on layers/, so whatever temporary name one finds there is a dead one's. Who only reads
//! takes no lock: a manifest is renamed into its place when all that it names is there, and goes before it.

use super::catalog::{Named, all, each, manifest_of, nameless};
use super::{Done, Image, config, digest_of, read_whole};
use crate::error::{Error, Result};
use crate::perform;
use crate::plan::POINTS;
use crate::remove;
use crate::sha256::Sha256;
use crate::sys::name::{Name, Text, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::squeeze::Squeeze;
use crate::tar::{self, Source};
use crate::text::{Line, Push, filled, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// Where a layer is unpacked before it is whole, and what is being removed.
const IMPORTING: Name = t(c"layers/.import");
/// What will be `DIFFID.split`: by which `save` makes the same archive again (see tar::squeeze).
const RECORD: Name = t(c"layers/.split");
/// A manifest or config before it is whole.
const WRITING: Name = t(c"layers/.manifest");

/// Whether what was unpacked, of that digest, is what was meant.
pub type Fits<'f> = dyn Fn(Text, &mut Source) -> Result<()> + 'f;

/// A turn to change images. It lasts as long as this.
pub struct Turn<'a> {
    store: BorrowedFd<'a>,
    _lock: OwnedFd,
}

impl<'a> Turn<'a> {
    /// Waits for it, and makes the store's directories.
    pub fn new(store: BorrowedFd<'a>) -> Result<Self> {
        let open = || {
            for &dir in &[t(c"layers"), t(c"images"), t(c"archives"), t(c"configs")] {
                make_dir(store, dir)?;
            }
            let lock = fs::open(store, t(c"layers"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
            fs::lock(lock.as_fd(), libc::LOCK_EX)?;
            Ok(Self { store, _lock: lock })
        };
        open().map_err(|errno| Error::sys(text!("lock the store's layers"), t(c""), errno))
    }

    /// The store's directory.
    pub fn store(&self) -> BorrowedFd<'a> {
        self.store
    }

    /// Whether a layer is there already.
    pub fn has(&self, diff_id: Name) -> bool {
        fs::stat(self.store, filled("layers/%", &[diff_id])).is_ok()
    }

    /// Unpacks a layer of an image, with what is `below` it, base first, or a whole root file system, which gets what containers
    /// mount on: the digest. `fits` is asked before it gets its name.
    pub fn layer(&self, source: &mut Source, below: Option<&[Text]>, fits: &Fits) -> Result<Text> {
        self.unpack(source, below, fits).inspect_err(|_| {
            // The error that ended the import says more than one of tidying up.
            let _ = self.sweep();
        })
    }

    /// Into a temporary directory that gets its name when all of it is on the disk.
    fn unpack(&self, source: &mut Source, below: Option<&[Text]>, fits: &Fits) -> Result<Text> {
        let name = keep(source.name());
        let failed = |errno| Error::sys(text!("import"), name, errno);
        let dir = self.make_room().map_err(failed)?;
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC;
        let record = fs::open(self.store, RECORD, flags, 0o600).map_err(failed)?;
        source.sink = Some(Box::new(Squeeze::new(record)));
        let open = |layer: &Text| {
            let layer = filled("layers/%", &[*layer]);
            fs::open(self.store, layer, libc::O_RDONLY | libc::O_DIRECTORY, 0)
        };
        let lower: Done<Vec<OwnedFd>> = below.unwrap_or_default().iter().rev().map(open).collect();
        let lower = lower.map_err(failed)?;
        let digest = tar::unpack(source, dir.as_fd(), below.map(|_| lower.as_slice()))?;
        let digest = keep(Line::new().hex_of(&digest));
        fits(digest, source)?;
        if below.is_none() {
            mount_points(dir.as_fd()).map_err(failed)?;
        }
        let size = keep(Line::new().dec(source.content));
        match fs::symlink(size, self.store, super::size_of(digest)) {
            Err(Errno::EEXIST) => {}
            done => done.map_err(failed)?,
        }
        fs::sync_fs(dir.as_fd()).map_err(failed)?;
        let place = filled("layers/%", &[digest]);
        fs::rename(self.store, RECORD, self.store, filled("%.split", &[place]), 0).map_err(failed)?;
        match fs::rename(self.store, IMPORTING, self.store, place, 0) {
            // Another file with the same content was imported before.
            Err(Errno::EEXIST | Errno::ENOTEMPTY) => self.sweep(),
            done => done,
        }
        .map_err(failed)?;
        Ok(digest)
    }

    /// Takes back a layer that no image has yet.
    pub fn discard(&self, diff_id: Text) {
        let layer = filled("layers/%", &[diff_id]);
        let _ = fs::unlink(self.store, filled("%.split", &[layer]));
        let _ = fs::unlink(self.store, super::size_of(diff_id));
        let _ = remove::tree(self.store, layer);
    }

    /// Makes an image of layers that are there (base first) and a config, and gives it names: its id. A name that another
    /// image has is taken from it; without a name it is one that only its id finds.
    pub fn publish(&self, layers: &[Text], config: &[u8], names: &[Text]) -> Result<Text> {
        let mut hash = Sha256::new();
        hash.update(config);
        let id = keep(Line::new().hex_of(&hash.finish()));
        let layers = layers.iter().rev().map(|&layer| filled("layers/%", &[layer])).collect();
        let image = Image { layers, config: Some(id), bare: config::is_bare(config) };
        let done = || {
            if let Some(&base) = image.layers.last() {
                // One that was an upper layer before.
                mount_points(fs::open(self.store, base, libc::O_RDONLY | libc::O_DIRECTORY, 0)?.as_fd())?;
            }
            self.write(filled("configs/%", &[id]), config)
        };
        done().map_err(|errno| Error::sys(text!("write the image"), id, errno))?;
        if names.is_empty() {
            self.name(&image, t(c""))?;
        }
        names.iter().try_for_each(|&name| self.name(&image, name))?;
        Ok(id)
    }

    /// Gives an image a name more. Who had it before stays, if only by his id.
    pub fn name(&self, image: &Image, reference: Text) -> Result<()> {
        let known = all(self.store)?;
        let others = |image: &Image| {
            let same = known.iter().filter(|other| other.image.id() == image.id());
            same.filter(|other| other.reference != reference).count()
        };
        let failed = |errno| Error::sys(text!("name the image"), reference, errno);
        if reference.is_empty() {
            return if others(image) == 0 { self.write_manifest(image, nameless(image.id())) } else { Ok(()) }
                .map_err(failed);
        }
        for before in known.iter().filter(|other| other.reference == reference && other.image.id() != image.id()) {
            if others(&before.image) == 0 {
                self.write_manifest(&before.image, nameless(before.image.id())).map_err(failed)?;
            }
        }
        self.write_manifest(image, reference).map_err(failed)?;
        self.drop_manifest(nameless(image.id())).map_err(failed)
    }

    /// Takes a name away; the image goes on without one if `keep_it`.
    pub fn untag(&self, named: &Named, keep_it: bool) -> Done<()> {
        if keep_it {
            self.write_manifest(&named.image, nameless(named.image.id()))?;
        }
        if named.reference.is_empty() {
            return self.drop_manifest(nameless(named.image.id()));
        }
        // Of an older store.
        let bare =
            named.reference.to_bytes().strip_suffix(b":latest").map_or(Ok(()), |name| self.drop_manifest(keep(name)));
        bare.and_then(|()| self.drop_manifest(named.reference))
    }

    /// A layer that nobody starts a container of as long as the descriptor is open; EAGAIN where somebody has one.
    fn seize(&self, layer: Name) -> Done<OwnedFd> {
        let dir = fs::open(self.store, layer, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
        fs::lock(dir.as_fd(), libc::LOCK_EX | libc::LOCK_NB)?;
        Ok(dir)
    }

    /// An archive that was given as a file is imported anew when its image is gone; `None` is every archive's.
    pub fn forget(&self, image: Option<&Image>) -> Done<()> {
        let archives = fs::open(self.store, t(c"archives"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
        for name in names_in(archives.as_fd())? {
            let known = read_whole(archives.as_fd(), name).ok().and_then(|text| Image::parse(&text));
            let is_it = |of: &Image| known.as_ref().is_some_and(|known| known.layers.first() == of.layers.first());
            if image.is_none_or(is_it) {
                fs::unlink(archives.as_fd(), name)?;
            }
        }
        Ok(())
    }

    /// Removes configs and layers that are no image's, no archive's and none of `used`: the layers' digests. Between the two,
    /// when nobody finds the image any more who makes a container of it, `go_on` lets others make containers: layers take time.
    pub fn collect(&self, used: &[Image], go_on: &dyn Fn()) -> Result<Vec<Text>> {
        let mut kept = used.to_vec();
        kept.extend(all(self.store)?.into_iter().map(|named| named.image));
        let open = |dir| fs::open(self.store, dir, libc::O_RDONLY | libc::O_DIRECTORY, 0);
        let mut sweep = || {
            let archives = open(t(c"archives"))?;
            for name in names_in(archives.as_fd())? {
                kept.extend(read_whole(archives.as_fd(), name).ok().and_then(|text| Image::parse(&text)));
            }
            let (layers, configs, mut removed) = (open(t(c"layers"))?, open(t(c"configs"))?, Vec::new());
            for name in names_in(configs.as_fd())? {
                if !kept.iter().any(|image| image.config == Some(name)) {
                    fs::unlink(configs.as_fd(), name)?;
                }
            }
            go_on();
            for name in names_in(layers.as_fd())? {
                let layer = filled("layers/%", &[name]);
                if digest_of(name.to_bytes()).is_none() || kept.iter().any(|image| image.layers.contains(&layer)) {
                    continue;
                }
                // Of a container in the foreground there may be no record.
                let Ok(_held) = self.seize(layer) else { continue };
                self.sweep()?;
                fs::rename(self.store, layer, self.store, IMPORTING, 0)?;
                self.sweep()?;
                removed.push(name);
            }
            // What is known of a layer besides its tree.
            for name in names_in(layers.as_fd())? {
                let digest = name.to_bytes().get(..64).and_then(digest_of);
                if name.to_bytes().len() > 64 && digest.is_some_and(|digest| !self.has(digest)) {
                    fs::unlink(layers.as_fd(), name)?;
                }
            }
            Ok(removed)
        };
        sweep().map_err(|errno| Error::sys(text!("remove what no image needs"), t(c""), errno))
    }

    fn write_manifest(&self, image: &Image, reference: Text) -> Done<()> {
        self.write(manifest_of(reference), &image.manifest())
    }

    fn drop_manifest(&self, reference: Text) -> Done<()> {
        let path = manifest_of(reference);
        let dir = keep(path.to_bytes().strip_suffix(b"/manifest").unwrap_or_default());
        let gone = |done| if matches!(done, Err(Errno::ENOENT | Errno::ENAMETOOLONG)) { Ok(()) } else { done };
        gone(fs::unlink(self.store, path))?;
        gone(fs::rmdir(self.store, dir))
    }

    /// Writes a file so that it is there whole or not at all, whatever happens meanwhile.
    pub(super) fn write(&self, path: Name, content: &[u8]) -> Done<()> {
        let dir = path.to_bytes().iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        make_dir(self.store, keep(path.to_bytes().get(..dir).unwrap_or_default()))?;
        let fd = fs::open(self.store, WRITING, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o600)?;
        fs::write_all(fd.as_fd(), content)?;
        fs::sync(fd.as_fd())?;
        fs::rename(self.store, WRITING, self.store, path, 0)
    }

    /// Removes what a killed import left, or this one.
    fn sweep(&self) -> Done<()> {
        let _ = fs::unlink(self.store, RECORD);
        remove::tree(self.store, IMPORTING).map_err(|(errno, _)| errno)
    }

    /// An empty directory to unpack into.
    fn make_room(&self) -> Done<OwnedFd> {
        self.sweep()?;
        fs::mkdir(self.store, IMPORTING, 0o755)?;
        let dir = fs::open(self.store, IMPORTING, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
        fs::chmod(dir.as_fd(), 0o755)?;
        Ok(dir)
    }
}

/// What every container mounts on: made here once and not in the upper layer of each, where a directory costs 80 µs to
/// remove. Where the image has something odd there, a start says so.
fn mount_points(root: BorrowedFd) -> Done<()> {
    let times = [t(c"."), t(c"etc")].map(|name| (name, fs::stat(root, name)));
    for &(path, directory) in &POINTS {
        match perform::target(root, path, directory) {
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EISDIR | Errno::ELOOP | Errno::EEXIST) => {}
            made => drop(made?),
        }
    }
    for &(name, stat) in &times {
        let _ = stat.and_then(|stat| fs::set_mtime(root, name, stat.st_mtime, stat.st_mtime_nsec));
    }
    Ok(())
}

/// The names in a directory, all read before anything changes.
pub fn names_in(dir: BorrowedFd) -> Done<Vec<Text>> {
    let mut names = Vec::new();
    fs::rewind(dir)?;
    each(dir, &mut |name| names.push(keep(name.to_bytes())))?;
    Ok(names)
}

fn make_dir(store: BorrowedFd, path: Name) -> Done<()> {
    match fs::mkdir(store, path, 0o700) {
        Err(Errno::EEXIST) => Ok(()),
        other => other,
    }
}
