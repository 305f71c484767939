//! Containers' names: each is one container's at most.

use super::{Done, NAME, Record, missing, replace};
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::text::{Line, Push, keep, split};
use std::os::fd::AsFd;

impl Record {
    /// Gives it another name.
    pub fn rename(&self, store: &Store, name: Text) -> Result<()> {
        let failed = |errno| match errno {
            Errno::ENOENT => missing(self.known_as()),
            _ => Error::sys(text!("rename container"), self.known_as(), errno),
        };
        loop {
            // One at a time, and not while somebody removes it.
            let names = store.names().map_err(failed)?;
            let old = store.name_of(self.id, self.name);
            // With this it is renamed, whatever comes now.
            match fs::rename(names.as_fd(), old, names.as_fd(), name, libc::RENAME_NOREPLACE) {
                Err(Errno::EEXIST) => {}
                done => return done.map(|()| _ = replace(self.dir.as_fd(), name, t(c".name"), NAME)).map_err(failed),
            }
            drop(names);
            if !store.settle(name) {
                return Err(taken(store, name));
            }
        }
    }
}

impl Store {
    /// The directory of names. While it is open nobody else renames or removes a container.
    pub fn names(&self) -> Done<OwnedFd> {
        let names = fs::open(self.dir(), t(c"names"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
        fs::lock(names.as_fd(), libc::LOCK_EX)?;
        Ok(names)
    }

    /// What a container is called: what it says of itself, unless a `rename` was killed before it had written that.
    pub(super) fn name_of(&self, id: Text, itself: Text) -> Text {
        if self.named(itself) == Some(id) {
            return itself;
        }
        let mut name = itself;
        if let Ok(names) = fs::open(self.dir(), t(c"names"), libc::O_RDONLY | libc::O_DIRECTORY, 0) {
            let _ = fs::each_entry(names.as_fd(), &mut |entry, _| {
                if self.named(keep(entry.to_bytes())) == Some(id) {
                    name = keep(entry.to_bytes());
                }
            });
        }
        name
    }

    /// Whether a name that was there is free, when who has it is whole or gone: one that is being made or removed is waited
    /// for, and one that was killed at that is swept.
    pub fn settle(&self, name: Text) -> bool {
        for _ in 0..400 {
            let Some(id) = self.named(name) else { return true };
            match Record::open(self, id) {
                Err(Errno::ENOENT) => {}
                _ => return false,
            }
            let _ = fs::rewind(self.containers());
            self.sweep();
            if fs::stat(self.containers(), id).is_err_and(|errno| errno == Errno::ENOENT) {
                self.remove_names(id);
                continue;
            }
            let _ = process::poll(&mut [], Some(5));
        }
        false
    }
}

pub(super) fn taken(store: &Store, name: Text) -> Error {
    let id = store.named(name).unwrap_or_default();
    Error::new(text!("the container name \"%\" is already in use by container \"%\""), &[name, id])
        .hint(text!("remove (mydocker rm %) or rename that container to use the name again"), &[name])
}

/// Two words that nobody else has: a name for who was given none. Not among the packed texts, which would cost the
/// supervisor half a megabyte.
pub fn invent(store: &Store) -> Result<Text> {
    const FIRST: &str = "amber brave brisk calm clever cosy daring deft eager fair fleet fond gentle glad golden hardy \
keen kind lively lucky mellow merry neat nimble proud quick quiet rapid ready sharp silver steady stout sunny swift tidy \
tender vivid warm wise witty young zesty";
    const SECOND: &str = "badger bear beaver bison crane crow deer dove eagle falcon finch fox gecko goose gull hare hawk \
heron ibis jay kite koala lark lemur lion lynx magpie marten mole moose newt otter owl panda pike puffin quail raven robin \
seal shrew stork swan tern tiger toad vole whale wolf wren";
    let mut bytes = [0_u8; 4];
    let mut tries = 0_u64;
    loop {
        process::random(&mut bytes).map_err(|errno| Error::sys(text!("get random numbers"), t(c""), errno))?;
        let [a, b, c, d] = bytes;
        let pick = |words: &'static str, number: u16| {
            let words = split(words.as_bytes(), b' ');
            words.get(usize::from(number).checked_rem(words.len()).unwrap_or(0)).copied().unwrap_or_default()
        };
        let mut name = Line::new();
        name.put(pick(FIRST, u16::from_ne_bytes([a, b]))).put(b"_").put(pick(SECOND, u16::from_ne_bytes([c, d])));
        if tries > 3 {
            name.dec(tries);
        }
        let name = keep(&name);
        if store.named(name).is_none() {
            return Ok(name);
        }
        tries = tries.wrapping_add(1);
    }
}
