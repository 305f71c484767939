//! What a container that stays was made of: its config, and its directory from the first moment to the last.

use super::names::taken;
use super::state::{State, now, write};
use super::{CONFIG, Done, Kind, LONGEST, NAME, RENAME_OVER, Record, TRANSIENT, read};
use crate::cli::Origin;
use crate::error::{Error, Result};
use crate::spec::{Spec, Text};
use crate::store::Store;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Push, filled, keep, number, split};
use crate::{image, remove};
use std::os::fd::{AsFd, BorrowedFd};

/// A container that is not yet: what is to be kept of it.
pub struct Draft<'a> {
    pub spec: &'a Spec,
    pub kind: Kind,
    pub flags: &'a [Text],
    pub words: &'a [Text],
}

impl Record {
    /// Makes a container's directory and its name. The lock is held as long as the record. Nothing is left of it if that fails.
    pub fn create(store: &Store, draft: &Draft, name: Text) -> Result<Self> {
        let id = draft.spec.id;
        let failed = |errno| Error::sys(text!("make the container"), id, errno);
        loop {
            store.making().map_err(failed)?;
            let there = image::is_there(store.dir(), draft.spec.lower.id);
            let made = if there { Self::make(store, draft, name) } else { Err(Errno::ENOENT) };
            store.made();
            if !there {
                return Err(image::gone(draft.spec.lower.named));
            }
            let Err(errno) = made else { return made.map_err(failed) };
            let _ = store.remove(id);
            if errno != Errno::EEXIST {
                return Err(failed(errno));
            }
            if !store.settle(name) {
                return Err(taken(store, name));
            }
        }
    }

    fn make(store: &Store, draft: &Draft, name: Text) -> Done<Self> {
        let id = draft.spec.id;
        fs::mkdir(store.containers(), id, 0o700)?;
        let dir = fs::open(store.containers(), id, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW, 0)?;
        fs::lock(dir.as_fd(), libc::LOCK_EX | libc::LOCK_NB)?;
        fs::symlink(id, store.dir(), filled("names/%", &[name]))?;
        fs::symlink(name, dir.as_fd(), NAME)?;
        let mut buf = [0; 4096];
        let record = Self {
            id,
            dir,
            name,
            kind: draft.kind,
            created: now(),
            image: draft.spec.lower.named,
            image_id: draft.spec.lower.id,
            layers: draft.spec.lower.layers.clone(),
            flags: draft.flags.into(),
            words: draft.words.into(),
            origin: Origin { base: Some(keep(fs::getcwd(&mut buf)?)), environ: Some(b"") },
        };
        write(record.dir.as_fd(), &State::NEW)?;
        // Last: with it the container is there.
        record.save()?;
        Ok(record)
    }

    /// Writes the config, whole or not at all.
    pub fn save(&self) -> Done<()> {
        let mut text = Line::new();
        text.dec(self.created);
        let lists = [&self.flags, &self.words, &self.layers];
        for list in lists {
            text.put(b" ").dec(list.len() as u64);
        }
        let words = [self.image, self.image_id, self.origin.base.unwrap_or(t(c"/"))];
        text.push(0);
        for word in words.iter().chain(lists.into_iter().flatten()) {
            text.put(word.to_bytes_with_nul());
        }
        let dir = self.dir.as_fd();
        // Not by the name that the supervisor writes states by.
        let new = t(c".config");
        let fd = fs::open(dir, new, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o600)?;
        fs::write_all(fd.as_fd(), &text)?;
        fs::rename(dir, new, dir, if self.kind == Kind::Transient { TRANSIENT } else { CONFIG }, RENAME_OVER)
    }

    /// The container of an id.
    pub fn open(store: &Store, id: Name) -> Done<Self> {
        let dir = remove::open_same_mount(store.containers(), id)?;
        let id = keep(id.to_bytes());
        let flags = libc::O_RDONLY;
        match fs::open(dir.as_fd(), CONFIG, flags, 0).map(|file| (file, Kind::Stays)) {
            Err(Errno::ENOENT) => fs::open(dir.as_fd(), TRANSIENT, flags, 0).map(|file| (file, Kind::Transient)),
            other => other,
        }
        .map_or_else(|errno| if errno == Errno::ENOENT { Ok(None) } else { Err(errno) }, |found| Ok(Some(found)))
        .and_then(|found| match found {
            Some((file, kind)) => {
                let text = fs::read_all(file.as_fd(), LONGEST)?.leak();
                let name = store.name_of(id, read(dir.as_fd(), NAME).map_or(t(c""), keep));
                Ok(Self::parse(text, Self { kind, name, ..Self::nothing(id, dir) }))
            }
            None => Self::of_foreground(id, dir),
        })
    }

    pub(super) fn nothing(id: Text, dir: OwnedFd) -> Self {
        Self {
            id,
            dir,
            name: t(c""),
            kind: Kind::Foreground,
            created: 0,
            image: t(c""),
            image_id: t(c""),
            layers: Vec::new(),
            flags: Vec::new(),
            words: Vec::new(),
            origin: Origin { environ: Some(b""), base: None },
        }
    }

    /// As `save` has written it; what is cut off is missing.
    fn parse(text: &'static [u8], mut record: Self) -> Self {
        let mut parts = split(text, 0).iter().map(|part| keep(part));
        let header = parts.next().unwrap_or_default();
        let counts: Vec<u64> = split(header.to_bytes(), b' ').iter().filter_map(|word| number(word)).collect();
        let [created, flags, words, layers] = *counts else { return record };
        record.created = created;
        record.image = parts.next().unwrap_or_default();
        record.image_id = parts.next().unwrap_or_default();
        record.origin.base = parts.next();
        record.flags = parts.by_ref().take(flags as usize).collect();
        record.words = parts.by_ref().take(words as usize).collect();
        record.layers = parts.take(layers as usize).collect();
        record
    }
}

/// Whether a container's directory stays when nobody is beside it.
pub fn stays(dir: BorrowedFd) -> bool {
    fs::stat(dir, CONFIG).is_ok()
}

/// The first thing to do when it is removed: from here on it is none that stays, whatever comes between.
pub fn forget(dir: BorrowedFd) {
    let _ = fs::unlink(dir, CONFIG);
    let _ = fs::unlink(dir, TRANSIENT);
}
