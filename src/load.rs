//! `load`: images from an archive, in the OCI image layout or as docker saves them.
//!
//! The archive's members come in any order, so where they lie is noted first: in the file itself, or where that is packed
//! or a pipe, in a file without a name beside the layers. All that a digest is known of is hashed before anything has a
//! name in the store. Names in the archive are only compared with each other, never opened.

use crate::cli::{Given, clean};
use crate::error::{Error, Result};
use crate::image::config::ARCHITECTURE;
use crate::image::{Turn, digest_of, reference};
use crate::json;
use crate::sha256::Sha256;
use crate::sys::name::{Name, Text, t};
use crate::sys::process::{STDIN, STDOUT};
use crate::sys::{Errno, OwnedFd, fs, terminal};
use crate::tar::header::{BLOCK, Kind};
use crate::tar::{Members, Source};
use crate::text::{Line, Message, Push, filled, join, keep};
use core::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};

/// For an index, a manifest, a config: as other tools have it.
const DOCUMENT_MAX: u64 = 4 << 20;
/// For all of them together: what is read is kept.
const DOCUMENTS_MAX: u64 = 64 << 20;
/// For what is noted of an archive. docker's have three members a layer.
const MEMBERS_MAX: usize = 1 << 13;
/// In one archive.
const IMAGES_MAX: usize = 256;
/// What docker and overlayfs' options agree on.
const LAYERS_MAX: usize = 127;
/// Of a link to a link.
const LINKS_MAX: usize = 8;

/// `mydocker load`.
pub fn load(given: &Given) -> Result<u8> {
    let (file, name) = match given.value("input") {
        Some(path) => {
            let opened = fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_NOCTTY, 0);
            (opened.map_err(|errno| Error::sys(text!("open"), path, errno))?, path)
        }
        None if terminal::is_terminal(STDIN) => {
            return Err(Error::new(text!("requested load from stdin, but stdin is empty"), &[])
                .hint(text!("load -i FILE, or < FILE"), &[]));
        }
        None => {
            let opened = fs::duplicate(STDIN);
            (opened.map_err(|errno| Error::sys(text!("read standard input"), t(c""), errno))?, t(c"-"))
        }
    };
    let store = given.store()?;
    let archive = Archive::open(store.dir(), file, name, given.has("quiet"))?;
    let images = archive.images()?;
    let turn = Turn::new(store.dir())?;
    for image in &images {
        let mut new = Vec::new();
        let id =
            archive.add(&turn, image, &mut new).inspect_err(|_| new.iter().for_each(|&layer| turn.discard(layer)))?;
        let mut line = Line::new();
        for name in &image.names {
            line.put(b"Loaded image: ").put(name.to_bytes()).put(b"\n");
        }
        if image.names.is_empty() {
            line.put(b"Loaded image ID: sha256:").put(id.to_bytes()).put(b"\n");
        }
        fs::write_all(STDOUT, &line).map_err(|errno| Error::sys(text!("write to standard output"), t(c""), errno))?;
    }
    Ok(0)
}

/// An image as the archive describes it; members by their paths.
struct Described {
    names: Vec<Text>,
    config: Text,
    layers: Vec<Text>,
}

/// Where a member lies.
struct Place {
    path: Text,
    start: u64,
    size: u64,
    /// What it is a link to; empty for a file.
    link: Text,
}

/// A file of which all members are known.
struct Archive {
    fd: OwnedFd,
    name: Text,
    places: Vec<Place>,
    quiet: bool,
    /// Bytes of documents so far.
    read: Cell<u64>,
}

impl Archive {
    fn open(store: BorrowedFd, file: OwnedFd, name: Text, quiet: bool) -> Result<Self> {
        let mut archive = Self { fd: file, name, places: Vec::new(), quiet, read: Cell::new(0) };
        if let Some(whole) = archive.spool(store)? {
            archive.fd = whole;
        }
        let failed = |errno| Error::sys(text!("load"), name, errno);
        // Standard input may be anywhere in its file.
        let base = fs::seek(archive.fd.as_fd(), 0, libc::SEEK_CUR).map_err(failed)?;
        let mut places = Vec::new();
        let mut source = archive.source(0);
        let mut members = Members::new(&mut source);
        let noted = note(&mut members, base, &mut places);
        noted.map_err(|errno| members.refusal().unwrap_or_else(|| failed(errno)))?;
        drop(source);
        archive.places = places;
        Ok(archive)
    }

    fn source(&self, size: u64) -> Source<'_> {
        let mut source = Source::new(self.fd.as_fd(), self.name.to_bytes(), size);
        if self.quiet {
            source.packed.quiet();
        }
        source
    }

    /// An archive in which nothing can be looked up is copied into a file where one can.
    fn spool(&self, store: BorrowedFd) -> Result<Option<OwnedFd>> {
        let mut source = self.source(0);
        let mut copy = || {
            let regular = fs::kind(&fs::fstat(self.fd.as_fd())?) == libc::S_IFREG;
            source.window()?;
            if regular && !source.is_packed() {
                return source.restart().map(|()| None);
            }
            let whole = fs::open(store, t(c"layers"), libc::O_RDWR | libc::O_TMPFILE, 0o600)?;
            source.each(&mut |bytes| fs::write_all(whole.as_fd(), bytes))?;
            fs::rewind(whole.as_fd())?;
            Ok(Some(whole))
        };
        copy().map_err(|errno| source.refusal().unwrap_or_else(|| Error::sys(text!("load"), self.name, errno)))
    }

    /// Says what is wrong with a member.
    fn wrong(&self, path: Text, why: Message) -> Error {
        let path = path.to_bytes();
        Error::new(text!("%: %: %"), &[self.name, keep(path.strip_prefix(b"/").unwrap_or(path)), why.text()])
    }

    /// A file by its path. Of two with one name the later counts, as when an archive is unpacked.
    fn find(&self, path: Text) -> Result<&Place> {
        let mut wanted = path;
        for _ in 0..LINKS_MAX {
            match self.places.iter().rev().find(|place| place.path == wanted) {
                Some(place) if place.link.is_empty() => return Ok(place),
                Some(place) => wanted = place.link,
                None => break,
            }
        }
        Err(self.wrong(path, text!("is not in the archive")))
    }

    /// A JSON document.
    fn document(&self, path: Text) -> Result<&'static [u8]> {
        let place = self.find(path)?;
        self.read.set(self.read.get().saturating_add(place.size));
        if place.size > DOCUMENT_MAX || self.read.get() > DOCUMENTS_MAX {
            return Err(self.wrong(path, text!("is too large for what it should be")));
        }
        let read = fs::seek(self.fd.as_fd(), place.start as i64, libc::SEEK_SET)
            .and_then(|_| fs::read_all(self.fd.as_fd(), place.size as usize));
        let bytes = read.map_err(|errno| Error::sys(text!("load"), self.name, errno))?.leak();
        if let Some(digest) = digest_in(path) {
            let mut hash = Sha256::new();
            hash.update(bytes);
            self.same(path, digest, hex(hash.finish()))?;
        }
        // As it is, with the blanks around it: its digest is of all.
        json::document(bytes).map(|_| &*bytes).ok_or_else(|| self.wrong(path, text!("is no JSON")))
    }

    fn same(&self, path: Text, wanted: Text, found: Text) -> Result<()> {
        if wanted == found {
            return Ok(());
        }
        let path = keep(path.to_bytes().get(1..).unwrap_or_default());
        Err(Error::new(text!("%: %: wrong digest: it is sha256:%, not sha256:%"), &[self.name, path, found, wanted]))
    }

    /// What the archive says that it has.
    fn images(&self) -> Result<Vec<Described>> {
        let mut images = Vec::new();
        // docker's has both since version 25, and only here the whole names.
        let docker = t(c"/manifest.json");
        let is_docker = self.find(docker).is_ok();
        let index_path = if is_docker { docker } else { t(c"/index.json") };
        if !is_docker && self.find(index_path).is_err() {
            return Err(Error::new(text!("%: has no image in it: neither manifest.json nor index.json"), &[self.name])
                .hint(text!("`mydocker import` takes a root file system"), &[]));
        }
        let index = self.document(index_path)?;
        let entries = if is_docker { Some(index) } else { json::get(index, "manifests") };
        for (_, entry) in json::items(entries.unwrap_or_default()) {
            let mut image = Described { names: Vec::new(), config: t(c""), layers: Vec::new() };
            if if is_docker { self.docker(entry, &mut image)? } else { self.oci(entry, &mut image)? } {
                images.push(image);
            }
            if images.len() > IMAGES_MAX {
                return Err(self.wrong(index_path, text!("names more images than an archive can have")));
            }
        }
        if images.is_empty() {
            return Err(Error::new(text!("%: has no image for linux/%"), &[self.name, ARCHITECTURE]));
        }
        Ok(images)
    }

    /// An entry of docker's manifest.
    fn docker(&self, entry: &[u8], image: &mut Described) -> Result<bool> {
        let list =
            |path| json::items(json::get(entry, path).unwrap_or_default()).filter_map(|(_, item)| json::text(item));
        for name in list("RepoTags") {
            image.names.push(reference::required(name)?);
        }
        list("Layers").for_each(|layer| image.layers.push(absolute(layer)));
        image.config = absolute(json::text_at(entry, "Config"));
        Ok(true)
    }

    /// An entry of the OCI index; false for one that is no image, or not for this machine.
    fn oci(&self, entry: &[u8], image: &mut Described) -> Result<bool> {
        if !fits(entry) || !json::text_at(entry, "annotations vnd.docker.reference.type").is_empty() {
            return Ok(false);
        }
        let mut name = json::text_at(entry, "annotations io.containerd.image.name");
        if name.is_empty() {
            name = json::text_at(entry, "annotations org.opencontainers.image.ref.name");
        }
        let mut manifest = self.blob(entry)?;
        // An index again, of the same image for several machines. Each has a digest, so it does not go round.
        while let Some(list) = json::get(manifest, "manifests") {
            let Some((_, entry)) = json::items(list).find(|(_, entry)| fits(entry)) else { return Ok(false) };
            manifest = self.blob(entry)?;
        }
        for (_, layer) in json::items(json::get(manifest, "layers").unwrap_or_default()) {
            image.layers.push(self.blob_path(layer)?);
            if image.layers.len() > LAYERS_MAX {
                break;
            }
        }
        if let Some(name) = reference::parse(name.to_bytes()) {
            image.names.push(name);
        }
        image.config = self.blob_path(json::get(manifest, "config").unwrap_or_default())?;
        Ok(true)
    }

    fn blob(&self, descriptor: &[u8]) -> Result<&'static [u8]> {
        self.document(self.blob_path(descriptor)?)
    }

    /// The member that a descriptor means, if it has the size that it should have.
    fn blob_path(&self, descriptor: &[u8]) -> Result<Text> {
        let digest = json::text_at(descriptor, "digest");
        let hex = digest.to_bytes().strip_prefix(b"sha256:").and_then(digest_of);
        let hex = hex.ok_or_else(|| Error::new(text!("%: no digest by sha256: %"), &[self.name, digest]))?;
        let path = filled("/blobs/sha256/%", &[hex]);
        let size = json::get(descriptor, "size").and_then(crate::text::number);
        if size != Some(self.find(path)?.size) {
            return Err(self.wrong(path, text!("has another size than its descriptor says")));
        }
        Ok(path)
    }

    /// Puts an image into the store, and in `new` the layers that were not there: its id.
    fn add(&self, turn: &Turn, image: &Described, new: &mut Vec<Text>) -> Result<Text> {
        let config = self.document(image.config)?;
        let mut diff_ids = Vec::new();
        for (_, digest) in json::items(json::get(config, "rootfs diff_ids").unwrap_or_default()) {
            let digest = json::text(digest).unwrap_or_default();
            let hex = digest.to_bytes().strip_prefix(b"sha256:").and_then(digest_of);
            diff_ids
                .push(hex.ok_or_else(|| self.wrong(image.config, text!("has a diff_id that is no sha256 digest")))?);
        }
        if diff_ids.len() > LAYERS_MAX {
            return Err(self.wrong(image.config, text!("max depth exceeded: more than 127 layers")));
        }
        if diff_ids.len() != image.layers.len() || diff_ids.is_empty() {
            return Err(self.wrong(image.config, text!("has not as many diff_ids as there are layers, or none")));
        }
        for (at, (&path, &diff_id)) in image.layers.iter().zip(&diff_ids).enumerate() {
            if !turn.has(diff_id) {
                self.layer(turn, path, diff_id, diff_ids.get(..at).unwrap_or_default())?;
                new.push(diff_id);
            }
        }
        turn.publish(&diff_ids, config, &image.names)
    }

    /// A layer cannot be unpacked by hand.
    fn way_out(&self, error: Error, place: &Place) -> Error {
        let start = fs::seek(self.fd.as_fd(), place.start as i64, libc::SEEK_SET)
            .and_then(|_| fs::read_all(self.fd.as_fd(), ZSTD.len()));
        if !start.is_ok_and(|start| start == ZSTD) {
            return error;
        }
        let hint = text!("skopeo copy --dest-compress-format gzip oci-archive:% oci-archive:NEW.tar");
        Error::new(text!("%: a layer is compressed with zstd, which is not built in"), &[self.name])
            .hint(hint, &[self.name])
    }

    fn layer(&self, turn: &Turn, path: Text, diff_id: Text, below: &[Text]) -> Result<()> {
        let place = self.find(path)?;
        let name = join(&[self.name.to_bytes(), b": ", path.to_bytes().get(1..).unwrap_or_default()]);
        let part = Source::part(self.fd.as_fd(), &name, place.start, place.size);
        let mut source = part.map_err(|errno| Error::sys(text!("load"), self.name, errno))?;
        source.packed.hash = Some(Sha256::new());
        if self.quiet {
            source.packed.quiet();
        }
        turn.layer(&mut source, Some(below), &|digest, source| {
            if let Some(wanted) = digest_in(path) {
                self.same(path, wanted, source.packed_digest().map_or(digest, hex))?;
            }
            self.same(path, diff_id, digest)
        })
        .map_err(|error| self.way_out(error, place))
        .map(drop)
    }
}

/// What zstd's files start with.
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

fn hex(digest: [u8; 32]) -> Text {
    keep(Line::new().hex_of(&digest))
}

/// A name in the archive, which cannot lead out of it.
fn absolute(path: Text) -> Text {
    keep(&clean(&join(&[b"/", path.to_bytes()])))
}

/// The digest that a blob's name is, or that of docker's configs (`HEX.json`).
fn digest_in(path: Text) -> Option<Text> {
    let last = path.to_bytes().rsplit(|&byte| byte == b'/').next()?;
    digest_of(last.strip_suffix(b".json").unwrap_or(last))
}

/// Whether a descriptor is of an image for this machine, as far as it says.
fn fits(descriptor: &[u8]) -> bool {
    let Some(platform) = json::get(descriptor, "platform") else { return true };
    let is = |name, ours: Name| json::text_at(platform, name) == ours;
    is("os", t(c"linux")) && is("architecture", ARCHITECTURE)
}

/// Notes all members, without reading what is in them.
fn note(members: &mut Members, base: u64, places: &mut Vec<Place>) -> core::result::Result<(), Errno> {
    while members.next()? {
        let member = &members.member;
        let path = absolute(keep(&member.path));
        let start = base.saturating_add(members.source.packed.position());
        let (mut size, mut link) = (0, t(c""));
        match member.kind {
            Kind::File => size = member.size,
            Kind::HardLink => link = absolute(keep(&member.link)),
            // Relative to where it is.
            Kind::Symlink if member.link.starts_with(b"/") => link = absolute(keep(&member.link)),
            Kind::Symlink => link = absolute(keep(&join(&[path.to_bytes(), b"/../", &member.link]))),
            _ => continue,
        }
        if places.len() == MEMBERS_MAX {
            return members.source.fail(text!("has more members than an image can need"));
        }
        places.push(Place { path, start, size, link });
        let whole = size.checked_next_multiple_of(BLOCK as u64).ok_or(Errno::EOVERFLOW)?;
        members.source.packed.pass(whole)?;
    }
    Ok(())
}
