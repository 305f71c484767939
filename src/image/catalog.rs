//! Which images there are, and the one that a word names.

use super::{Done, Image, read_whole, reference};
use crate::error::{Error, Result};
use crate::sys::name::{Name, Text, t};
use crate::sys::{Errno, fs};
use crate::text::{filled, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// An image with a name of it.
#[derive(Clone)]
pub struct Named {
    /// `NAME:TAG`; empty for one without a name.
    pub reference: Text,
    /// What it names.
    pub image: Image,
}

/// The manifest of a reference, or of `sha256:ID`.
pub(super) fn manifest_of(reference: Name) -> Text {
    filled("images/%/manifest", &[reference::file(reference)])
}

/// What an image without a name is kept as.
pub(super) fn nameless(id: Name) -> Text {
    filled("sha256:%", &[id])
}

fn read(store: BorrowedFd, reference: Name) -> Result<Option<Image>> {
    match read_whole(store, manifest_of(reference)) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG) => Ok(None),
        Err(errno) => Err(Error::sys(text!("open image"), reference, errno)),
        Ok(text) => Image::parse(&text)
            .map(Some)
            .ok_or_else(|| Error::new(text!("image %: its manifest is damaged"), &[reference])),
    }
}

/// Every name there is, and each image that has none. What is not whole is passed over: another mydocker may be removing it.
pub fn all(store: BorrowedFd) -> Result<Vec<Named>> {
    let (mut all, mut names): (Vec<Named>, Vec<Text>) = (Vec::new(), Vec::new());
    let failed = |errno| Error::sys(text!("list the images"), t(c""), errno);
    let images = fs::open(store, t(c"images"), libc::O_RDONLY | libc::O_DIRECTORY, 0).map_err(failed)?;
    each(images.as_fd(), &mut |name| names.push(reference::of_file(name))).map_err(failed)?;
    for name in names {
        // What cannot be read for another reason than damage may be all the same: who removes what nobody names must not go on.
        let image = match read_whole(store, manifest_of(name)) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => continue,
            text => Image::parse(&text.map_err(failed)?),
        };
        let Some(image) = image else { continue };
        let no_name = name.to_bytes().starts_with(b"sha256:");
        // One of an older store has no tag.
        let reference = if no_name { t(c"") } else { reference::parse(name.to_bytes()).unwrap_or(name) };
        all.push(Named { reference, image });
    }
    // Cut off between a new name and the old one's end.
    let ids: Vec<Text> = all.iter().filter(|one| !one.reference.is_empty()).map(|one| one.image.id()).collect();
    all.retain(|one| !one.reference.is_empty() || !ids.contains(&one.image.id()));
    Ok(all)
}

/// Every entry of a directory, however many.
pub(super) fn each(dir: BorrowedFd, take: &mut dyn FnMut(Name)) -> Done<()> {
    let mut buf = fs::DirBuf::new();
    loop {
        let entries = fs::read_dir(dir, &mut buf)?;
        if entries.is_end() {
            return Ok(());
        }
        entries.for_each(|(name, _)| take(name));
    }
}

/// The image that a word names, or whose id begins so if it has at least `least` digits; without a reference for the latter.
pub(super) fn look_up(store: BorrowedFd, word: &[u8], least: usize) -> Result<Option<Named>> {
    if let Some(reference) = reference::parse(word) {
        let mut image = read(store, reference)?;
        if image.is_none() && reference.to_bytes().len() == word.len().wrapping_add(b":latest".len()) {
            // Of an older store.
            image = read(store, keep(word))?;
        }
        if let Some(image) = image {
            return Ok(Some(Named { reference, image }));
        }
    }
    let digits = word.strip_prefix(b"sha256:").unwrap_or(word);
    if digits.len() < least || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Ok(None);
    }
    let mut found: Option<Named> = None;
    for one in all(store)? {
        let id = one.image.id();
        if !id.to_bytes().starts_with(digits) {
            continue;
        }
        if found.is_some_and(|found| found.image.id() != id) {
            return Err(Error::new(text!("multiple IDs found with provided prefix: %"), &[keep(word)]));
        }
        found = Some(Named { reference: t(c""), image: one.image });
    }
    Ok(found)
}

/// The image that a word of the command line names.
pub fn find(store: BorrowedFd, word: Name) -> Result<Named> {
    look_up(store, word.to_bytes(), 1)?.ok_or_else(|| {
        let bytes = word.to_bytes();
        Error::new(text!("no such image: %"), &[reference::parse(bytes).unwrap_or(keep(bytes))])
    })
}
