//! What is kept of a container: what it was made of, and how it is.
//!
//!     containers/ID/config   what was asked for: of one that stays; `transient` instead of one that is removed at its end
//!     containers/ID/state    how it is: a symlink, which is written, read and replaced whole by one system call
//!     containers/ID/name     its name, a symlink too; the name's own symlink in names/ is the truth, and makes it unique
//!     containers/ID/stopped  somebody has stopped it: no restart
//!
//! Alive is whose directory's lock is held. A foreground container has no config: it has the supervisor's command line.

mod config;
mod find;
mod foreground;
mod names;
mod process;
mod state;

pub use config::{Draft, forget, stays};
pub use find::missing;
pub use foreground::running;
pub use names::invent;
pub use state::{State, Status, code_in, is_at_rest, lost, now, write, write_end};

use crate::assemble;
use crate::cli::{self, Options, Origin};
use crate::error::Result;
use crate::image::Image;
use crate::spec::Text;
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::keep;
use state::{UNKNOWN, written};
use std::os::fd::{AsFd, BorrowedFd};

/// What a system call answered.
type Done<T> = core::result::Result<T, Errno>;

const CONFIG: Text = t(c"config");
const TRANSIENT: Text = t(c"transient");
/// See above.
pub const STATE: Text = t(c"state");
const NAME: Text = t(c"name");
/// See above.
pub const STOPPED: Text = t(c"stopped");
/// See `Record::joins`.
const JOINED: Text = t(c"joined");
/// Something that takes another's place when it is whole.
const NEW: Text = t(c".new");

/// What remains of a container when it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing; it is in somebody's foreground, and has no config.
    Foreground,
    /// Nothing: --rm.
    Transient,
    /// All, until `rm`.
    Stays,
}

/// A container in the store.
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: Text,
    /// containers/ID.
    pub dir: OwnedFd,
    /// Empty where none was given.
    pub name: Text,
    /// What remains of it.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub created: u64,
    /// The image as it was named.
    pub image: Text,
    /// The image's id, 64 hexadecimal digits; empty where it has none.
    pub image_id: Text,
    /// The image's layers as in `Image`.
    pub layers: Vec<Text>,
    /// The flags of `run`.
    pub flags: Vec<Text>,
    /// What was typed behind the image.
    pub words: Vec<Text>,
    /// Where it was typed.
    pub origin: Origin,
}

/// A symlink's target; PATH_MAX is what it can be at most.
fn read(dir: BorrowedFd, name: Text) -> Done<&'static [u8]> {
    let mut target = [0; 4096];
    fs::read_link(dir, name, &mut target).map(|target| keep(target).to_bytes())
}

/// Puts a symlink in the place of another, at once; `new` is what it is called before.
fn replace(dir: BorrowedFd, target: Text, new: Text, name: Text) -> Done<()> {
    let _ = fs::unlink(dir, new);
    fs::symlink(target, dir, new)?;
    fs::rename(dir, new, dir, name, RENAME_OVER)
}

/// rename(2)'s flags for taking the place of what is there.
const RENAME_OVER: u32 = 0;

/// More than the kernel lets a command line have.
const LONGEST: usize = 8 << 20;

impl Record {
    /// What `run` was asked for.
    pub fn options(&self) -> Result<Options> {
        let mut options = cli::run(self.flags.clone().leak(), self.origin)?;
        // Where the image is among the flags' words (a foreground container's), it is known already.
        options.words = self.words.clone().leak();
        options.spec.kept = self.kind != Kind::Foreground;
        Ok(options)
    }

    /// The options and the container's spec in them, as a start would make it.
    pub fn composed(&self, store: &Store) -> Result<Options> {
        let mut options = self.options()?;
        let image = Image::recorded(self.layers.clone(), self.image_id);
        assemble::compose(&mut options, &image, self.image, self.id, store.dir())?;
        Ok(options)
    }

    /// How it is: what is written, unless nobody is beside it.
    pub fn state(&self) -> State {
        let state = self.written();
        if !state.is_live() || self.is_attended() {
            return state;
        }
        // Who was beside it may have ended in order since it was read: the end is written before the lock is free.
        match state::still_written(self.dir.as_fd()) {
            // And all taken away: it was so when it was still there.
            None => state,
            Some(state) if state.is_live() => {
                State { status: Status::Exited, pid: 0, supervisor: 0, code: UNKNOWN, ..state }
            }
            Some(state) => state,
        }
    }

    /// What is written, though nobody may be beside it.
    pub fn written(&self) -> State {
        written(self.dir.as_fd())
    }

    /// Whether somebody holds the lock: it lives, or is being started, ended or removed.
    pub fn is_attended(&self) -> bool {
        // By a descriptor of its own: through `dir` it could be our own lock.
        let dir = fs::open(self.dir.as_fd(), t(c"."), libc::O_RDONLY | libc::O_DIRECTORY, 0);
        dir.and_then(|dir| fs::lock(dir.as_fd(), libc::LOCK_SH | libc::LOCK_NB)).is_err()
    }

    /// It is, or will be, in a cgroup of another hierarchy than at its start. As long as this is open nobody else puts it there.
    pub fn joins(&self) -> Done<OwnedFd> {
        let file = fs::open(self.dir.as_fd(), JOINED, libc::O_WRONLY | libc::O_CREAT, 0o600)?;
        fs::lock(file.as_fd(), libc::LOCK_EX)?;
        Ok(file)
    }

    /// Whether it was; from now on it is not.
    pub fn leaves(&self) -> bool {
        fs::unlink(self.dir.as_fd(), JOINED).is_ok()
    }

    /// Makes one of `run --rm` stay at its end, or the reverse; whether it is one now that was the other.
    pub fn stay(&self, stays: bool) -> bool {
        let (old, new) = if stays { (TRANSIENT, CONFIG) } else { (CONFIG, TRANSIENT) };
        fs::rename(self.dir.as_fd(), old, self.dir.as_fd(), new, RENAME_OVER).is_ok()
    }

    /// From now on it is not started again by its supervisor.
    pub fn stop(&self) {
        let _ = fs::open(self.dir.as_fd(), STOPPED, libc::O_WRONLY | libc::O_CREAT, 0o600);
    }

    /// Takes the lock that says that it lives, unless this record has it since it was made; EAGAIN where somebody else has
    /// it. It lasts as long as `dir`, in whatever process.
    pub fn lock(&self) -> Done<()> {
        fs::lock(self.dir.as_fd(), libc::LOCK_EX | libc::LOCK_NB)
    }

    /// The container as messages name it: its name, or 12 digits of its id.
    pub fn known_as(&self) -> Text {
        if self.name.is_empty() { keep(self.id.to_bytes().get(..12).unwrap_or_default()) } else { self.name }
    }
}
