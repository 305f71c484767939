//! `save`: images as an archive that is an OCI image layout and docker's at once.
//!
//! Layers are not compressed, so a blob's digest is the layer's diff id. Each is made again, byte for byte, and hashed on
//! its way; one that comes out otherwise is an error.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::export::output;
use crate::image::{self, Image, Named, reference};
use crate::json::write::{array, object};
use crate::sha256::Sha256;
use crate::sys::name::{Text, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::tar::header::Member;
use crate::tar::write::Tar;
use crate::tar::{self, Sink};
use crate::text::{Line, Push, filled, has, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// `mydocker save`.
pub fn save(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let images = named(store.dir(), given.words)?;
    let path = given.value("output");
    let out = output(path)?;
    write(store.dir(), &images, &out).inspect_err(|_| {
        // Half an archive is none. What is no file of its own is not ours to remove.
        let regular = fs::fstat(out.as_fd()).is_ok_and(|stat| fs::kind(&stat) == libc::S_IFREG);
        if let Some(path) = path.filter(|_| regular) {
            let _ = fs::unlink(fs::CWD, path);
        }
    })?;
    Ok(0)
}

/// Each image once, with the names under which it was asked for.
type Wanted = Vec<(Image, Vec<Text>)>;

fn named(store: BorrowedFd, words: &[Text]) -> Result<Wanted> {
    let mut wanted: Wanted = Vec::new();
    let all = image::all(store)?;
    for &word in words {
        // A name without a tag is all of its tags.
        let last = word.to_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let name = reference::parse(word.to_bytes()).filter(|_| !has(last, b':'));
        let name = name.map(|reference| reference::parts(reference).0).unwrap_or_default();
        let mut found = false;
        for one in all.iter().filter(|one| !name.is_empty() && reference::parts(one.reference).0 == name) {
            want(&mut wanted, one);
            found = true;
        }
        if !found {
            want(&mut wanted, &image::find(store, word)?);
        }
    }
    Ok(wanted)
}

fn want(wanted: &mut Wanted, one: &Named) {
    let at = wanted.iter().position(|(image, _)| image.id() == one.image.id()).unwrap_or(wanted.len());
    if at == wanted.len() {
        wanted.push((one.image.clone(), Vec::new()));
    }
    if let Some((_, names)) = wanted.get_mut(at)
        && !one.reference.is_empty()
        && !names.contains(&one.reference)
    {
        names.push(one.reference);
    }
}

fn write(store: BorrowedFd, images: &Wanted, out: &OwnedFd) -> Result<()> {
    let mut tar = Tar::new(out.as_fd());
    let (mut written, mut descriptors, mut docker) = (Vec::new(), Vec::new(), Vec::new());
    file(&mut tar, t(c"oci-layout"), object(text!("imageLayoutVersion"), &[t(c"1.0.0")]))?;
    for (image, names) in images {
        let mut layers = Vec::new();
        for diff_id in image.diff_ids() {
            let size = layer(store, &mut tar, diff_id, &mut written)?;
            layers.push(descriptor(t(c"layer.v1.tar"), diff_id, size));
        }
        let config = keep(&image.config(store)?);
        let config = blob(&mut tar, t(c"config.v1+json"), config, &mut written)?;
        let parts = [t(c"2"), MANIFEST, config, array(&layers, true)];
        let manifest = object(text!("schemaVersion# mediaType config# layers#"), &parts);
        let manifest = blob(&mut tar, t(c"manifest.v1+json"), manifest, &mut written)?;
        let paths: Vec<Text> = image.diff_ids().iter().map(|&diff_id| path_of(diff_id)).collect();
        let tags = if names.is_empty() { t(c"null") } else { array(names, false) };
        let entry = [path_of(image.id()), tags, array(&paths, false)];
        docker.push(object(text!("Config RepoTags# Layers#"), &entry));
        if names.is_empty() {
            descriptors.push(manifest);
        }
        for &name in names {
            let (_, tag) = reference::parts(name);
            let annotations = text!("io.containerd.image.name org.opencontainers.image.ref.name");
            let annotations = object(annotations, &[reference::full(name), keep(tag)]);
            let mut line = Line::new();
            line.put(manifest.to_bytes().strip_suffix(b"}").unwrap_or_default());
            line.put(b",\"annotations\":").put(annotations.to_bytes()).put(b"}");
            descriptors.push(keep(&line));
        }
    }
    let index = [t(c"2"), t(c"application/vnd.oci.image.index.v1+json"), array(&descriptors, true)];
    file(&mut tar, t(c"index.json"), object(text!("schemaVersion# mediaType manifests#"), &index))?;
    file(&mut tar, t(c"manifest.json"), array(&docker, true))?;
    tar.end().map_err(|errno| tar.error(text!("save"), t(c""), errno))
}

const MANIFEST: Text = t(c"application/vnd.oci.image.manifest.v1+json");

fn path_of(digest: Text) -> Text {
    filled("blobs/sha256/%", &[digest])
}

fn descriptor(kind: Text, digest: Text, size: u64) -> Text {
    let mut number = Line::new();
    number.dec(size);
    let kind = filled("application/vnd.oci.image.%", &[kind]);
    object(text!("mediaType digest size#"), &[kind, filled("sha256:%", &[digest]), keep(&number)])
}

fn file(tar: &mut Tar, path: Text, content: Text) -> Result<()> {
    tar.file(path.to_bytes(), content.to_bytes()).map_err(|errno| tar.error(text!("save"), path, errno))
}

/// A document: its descriptor.
fn blob(tar: &mut Tar, kind: Text, content: Text, written: &mut Vec<Text>) -> Result<Text> {
    let mut hash = Sha256::new();
    hash.update(content.to_bytes());
    let digest = keep(Line::new().hex_of(&hash.finish()));
    if !written.contains(&digest) {
        written.push(digest);
        file(tar, path_of(digest), content)?;
    }
    Ok(descriptor(kind, digest, content.to_bytes().len() as u64))
}

/// A layer, unless it was written already: its size.
fn layer(store: BorrowedFd, tar: &mut Tar, diff_id: Text, written: &mut Vec<Text>) -> Result<u64> {
    let path = filled("layers/%", &[diff_id]);
    let failed = |errno| Error::sys(text!("read the layer"), path, errno);
    let record = fs::open(store, filled("%.split", &[path]), libc::O_RDONLY, 0).map_err(|errno| match errno {
        Errno::ENOENT => Error::new(text!("layer %: an older mydocker has imported it"), &[diff_id])
            .hint(text!("rmi the image and import it again"), &[]),
        errno => failed(errno),
    })?;
    let size = tar::again::size(record.as_fd()).map_err(failed)?;
    if written.contains(&diff_id) {
        return Ok(size);
    }
    written.push(diff_id);
    let tree = fs::open(store, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).map_err(failed)?;
    let member = Member { mode: 0o644, size, path: path_of(diff_id).to_bytes().to_vec(), ..Member::default() };
    tar.member(&member).map_err(|errno| tar.error(text!("save"), path, errno))?;
    let out = Box::new(Out { tar, hash: Sha256::new(), diff_id });
    let done = tar::again::again(record.as_fd(), tree.as_fd(), path, out);
    done.map_err(|error| tar.failed.map_or(error, |errno| tar.error(text!("save"), path, errno)))?;
    tar.pad(size).map_err(|errno| tar.error(text!("save"), path, errno))?;
    Ok(size)
}

/// Where a layer goes.
struct Out<'o, 't> {
    tar: &'o mut Tar<'t>,
    hash: Sha256,
    diff_id: Text,
}

impl Sink for Out<'_, '_> {
    fn put(&mut self, bytes: &[u8]) -> core::result::Result<(), Errno> {
        self.hash.update(bytes);
        self.tar.write(bytes)
    }
    fn restart(&mut self) -> core::result::Result<(), Errno> {
        Err(Errno::EINVAL)
    }
    fn finish(&mut self, _: u64) -> core::result::Result<(), Errno> {
        let same = keep(Line::new().hex_of(&self.hash.finish())) == self.diff_id;
        if same { Ok(()) } else { Err(Errno::EBADMSG) }
    }
}
