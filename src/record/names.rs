//! Containers' names: each is one container's at most.

use super::{CONFIG, Kind, NAME, Record, TRANSIENT, missing, read, replace};
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::{Errno, fs, process};
use crate::text::{Line, Push, keep, split};
use std::os::fd::AsFd;

impl Record {
    /// Gives it another name.
    pub fn rename(&self, store: &Store, name: Text) -> Result<()> {
        let failed = |errno| match errno {
            Errno::ENOENT => missing(self.known_as()),
            _ => Error::sys(text!("rename container"), self.known_as(), errno),
        };
        // One at a time: else one container could get two names.
        let names = fs::open(store.dir(), t(c"names"), libc::O_RDONLY | libc::O_DIRECTORY, 0).map_err(failed)?;
        fs::lock(names.as_fd(), libc::LOCK_EX).map_err(failed)?;
        let old = read(self.dir.as_fd(), NAME).map_err(failed)?;
        match fs::symlink(self.id, names.as_fd(), name) {
            Err(Errno::EEXIST) => return Err(taken(store, name)),
            done => done.map_err(failed)?,
        }
        // The directory may have been removed meanwhile. Who removes it takes its names only after the config.
        let done = replace(self.dir.as_fd(), name, t(c".name"), NAME);
        let gone = fs::stat(self.dir.as_fd(), if self.kind == Kind::Transient { TRANSIENT } else { CONFIG }).map(drop);
        let unused = if done.and(gone).is_ok() { keep(old) } else { name };
        let _ = fs::unlink(names.as_fd(), unused);
        done.and(gone).map_err(failed)
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
