//! What is kept of a container: what it was made of, and how it is.
//!
//!     containers/ID/config   what was asked for: of one that stays; `transient` instead of one that is removed at its end
//!     containers/ID/state    how it is: a symlink, which is written, read and replaced whole by one system call
//!     containers/ID/name     its name, a symlink too; the name's own symlink in names/ is what makes it unique
//!     containers/ID/stopped  somebody has stopped it: no restart
//!
//! Alive is whose directory's lock is held. A foreground container has no config: it has the supervisor's command line.

use crate::cli::{self, Options, Origin};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::spec::{Spec, Text};
use crate::store::Store;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, exe, fs, process};
use crate::text::{Line, Push, filled, is, keep, number, split};
use crate::{assemble, remove};
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

/// How a container is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Never started, or the start came to nothing.
    Created,
    /// Its process is there.
    Running,
    /// It has ended and will be started again.
    Restarting,
    /// It has ended.
    Exited,
}

/// docker's words, in the order of `Status`.
const STATUSES: &str = "created running restarting exited";

/// The exit code of a container whose end nobody has seen, as docker has it.
const UNKNOWN: u8 = 255;

/// A container's state. Times are nanoseconds since 1970, 0 for never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// What it does.
    pub status: Status,
    /// Its PID 1 as the host sees it; 0 when it does not run.
    pub pid: i32,
    /// The process beside it.
    pub supervisor: i32,
    /// When it was last started.
    pub started: u64,
    /// When it last ended.
    pub finished: u64,
    /// Its last exit code.
    pub code: u8,
    /// The kernel has killed it for want of memory.
    pub oom: bool,
    /// How often it was started again.
    pub restarts: u32,
}

impl State {
    /// Before the first start.
    pub const NEW: Self = Self {
        status: Status::Created,
        pid: 0,
        supervisor: 0,
        started: 0,
        finished: 0,
        code: 0,
        oom: false,
        restarts: 0,
    };

    /// docker's word for it.
    pub fn word(&self) -> &'static [u8] {
        split(STATUSES.as_bytes(), b' ').get(self.status as usize).copied().unwrap_or_default()
    }

    /// Whether somebody should be beside it.
    pub fn is_live(&self) -> bool {
        matches!(self.status, Status::Running | Status::Restarting)
    }

    fn text(&self) -> Line {
        let mut line = Line::new();
        line.put(self.word());
        let numbers = [self.pid as u64, self.supervisor as u64, self.started, self.finished];
        let more = [u64::from(self.code), u64::from(self.oom), u64::from(self.restarts)];
        for number in numbers.iter().chain(&more) {
            line.put(b" ").dec(*number);
        }
        line
    }

    /// None for what no mydocker has written.
    fn parse(text: &[u8]) -> Option<Self> {
        let [word, numbers @ ..] = split(text, b' ') else { return None };
        let status = match split(STATUSES.as_bytes(), b' ').iter().position(|of| of == word)? {
            0 => Status::Created,
            1 => Status::Running,
            2 => Status::Restarting,
            _ => Status::Exited,
        };
        let at = |index: usize| numbers.get(index).and_then(|text| number(text));
        Some(Self {
            status,
            pid: at(0)? as i32,
            supervisor: at(1)? as i32,
            started: at(2)?,
            finished: at(3)?,
            code: at(4)? as u8,
            oom: at(5)? != 0,
            restarts: at(6)? as u32,
        })
    }
}

/// The time, as a state has it.
pub fn now() -> u64 {
    let (seconds, nanoseconds) = process::now();
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
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

/// What a container's directory says without a look at its lock.
fn written(dir: BorrowedFd) -> State {
    read(dir, STATE).ok().and_then(|text| State::parse(split(text, b'\n').first()?)).unwrap_or(State::NEW)
}

/// Writes a state. Whoever waits for the end learns the exit code by the name that goes, even where all is removed before
/// it can look.
pub fn write(dir: BorrowedFd, state: &State) -> Done<()> {
    let mut new = Line::new();
    match state.status {
        Status::Exited => new.put(ENDED).dec(u64::from(state.code)),
        _ => new.put(NEW.to_bytes()),
    };
    replace(dir, keep(&state.text()), keep(&new), STATE)
}

/// See `write`.
const ENDED: &[u8] = b".ended-";

/// The exit code, if that is the name of a file that becomes the state of an ended container.
pub fn code_in(name: &[u8]) -> Option<u8> {
    name.strip_prefix(ENDED).and_then(number).map(|code| code as u8)
}

/// The state of a foreground container, and behind it what no command line tells for sure: how many of its words are the
/// command's. What the image is stands in a file that is only the supervisor's: a symlink of 60 bytes and more has a block of
/// its own on ext4, which takes longer to free than all this.
pub fn running(dir: BorrowedFd, pid: i32, words: usize, image: Text) -> Done<()> {
    let state = State { status: Status::Running, pid, supervisor: process::pid(), started: now(), ..State::NEW };
    let mut text = state.text();
    text.put(b"\n").dec(words as u64);
    let file = exe::memory_file(0)?;
    fs::write_all(file.as_fd(), image.to_bytes())?;
    // Open as long as the supervisor lives.
    core::mem::forget(file);
    fs::symlink(keep(&text), dir, STATE)
}

/// The path of what /proc has of a process.
fn of_process(pid: i32, file: &[u8]) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/").dec(pid as u64).put(file))
}

/// That file's content.
fn image_of(supervisor: i32) -> Done<Vec<u8>> {
    let fds = fs::open(fs::CWD, of_process(supervisor, b"/fd"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    let mut found = None;
    fs::each_entry(fds.as_fd(), &mut |fd, _| {
        if fs::read_link(fds.as_fd(), fd, &mut [0; 64]).is_ok_and(|link| link.starts_with(b"/memfd:mydocker")) {
            found = Some(keep(fd.to_bytes()));
        }
    })?;
    let file = fs::open_follow(fds.as_fd(), found.ok_or(Errno::ENOENT)?, libc::O_RDONLY, 0)?;
    fs::read_all(file.as_fd(), LONGEST)
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

/// Whether it is as one is left that has ended in order.
pub fn is_at_rest(dir: BorrowedFd) -> bool {
    stays(dir) && !written(dir).is_live()
}

/// Its supervisor was killed, or the machine has lost its power.
pub fn lost(dir: BorrowedFd) {
    let state = written(dir);
    if state.is_live() {
        let _ = write(
            dir,
            &State { status: Status::Exited, pid: 0, supervisor: 0, finished: now(), code: UNKNOWN, ..state },
        );
    }
}

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
        store.making().map_err(failed)?;
        let made = Self::make(store, draft, name);
        store.made();
        made.map_err(|errno| {
            let _ = store.remove(id);
            if errno == Errno::EEXIST { taken(store, name) } else { failed(errno) }
        })
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
            flags: draft.flags.to_vec(),
            words: draft.words.to_vec(),
            origin: Origin { base: Some(keep(fs::getcwd(&mut buf)?)), environ: None },
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
                let name = read(dir.as_fd(), NAME).map_or(t(c""), keep);
                Ok(Self::parse(text, Self { kind, name, ..Self::nothing(id, dir) }))
            }
            None => Self::of_foreground(id, dir),
        })
    }

    fn nothing(id: Text, dir: OwnedFd) -> Self {
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
            origin: Origin::default(),
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

    /// From the supervisor's command line.
    fn of_foreground(id: Text, dir: OwnedFd) -> Done<Self> {
        let mut record = Self::nothing(id, dir);
        let text = read(record.dir.as_fd(), STATE).unwrap_or_default();
        // Without these it is still being made.
        let [state, words] = split(text, b'\n') else { return Err(Errno::ENOENT) };
        let state = State::parse(state).ok_or(Errno::ENOENT)?;
        let text = image_of(state.supervisor)?.leak();
        let [image, id, layers @ ..] = split(text, b'\n') else { return Err(Errno::ENOENT) };
        (record.created, record.image, record.image_id) = (state.started, keep(image), keep(id));
        record.layers = layers.iter().map(|layer| keep(layer)).collect();
        let of = |file: &[u8]| fs::read_file(of_process(state.supervisor, file), LONGEST);
        let line = of(b"/cmdline")?;
        let args: Vec<Text> =
            split(line.strip_suffix(b"\0").unwrap_or(line), 0).iter().map(|word| keep(word)).collect();
        // `mydocker run`, its flags, perhaps the image, and as many words as the state says.
        let command = args.len().saturating_sub(number(words).unwrap_or(0) as usize);
        record.words = args.get(command..).unwrap_or_default().to_vec();
        record.flags = args.get(2..command).unwrap_or_default().to_vec();
        let environ = of(b"/environ")?;
        record.origin.environ = Some(environ);
        record.origin.base = split(environ, 0).iter().find_map(|entry| entry.strip_prefix(b"PWD=")).map(keep);
        if let Ok(options) = record.options() {
            record.name = options.spec.name.unwrap_or_default();
        }
        Ok(record)
    }

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
        if state.is_live() && !self.is_attended() {
            return State { status: Status::Exited, pid: 0, supervisor: 0, code: UNKNOWN, ..state };
        }
        state
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

    /// It is, or will be, in a cgroup of another hierarchy than at its start.
    pub fn joins(&self) {
        let _ = fs::open(self.dir.as_fd(), JOINED, libc::O_WRONLY | libc::O_CREAT, 0o600);
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

    /// The process that has executed the container's command: its PID 1, or with --init the child of that. Before it has, its
    /// PID 1 may still be in the host's namespaces, and see the host's root.
    pub fn command(&self) -> Result<(OwnedFd, i32)> {
        let (init, state) = self.init()?;
        let found = command_of(state.pid).and_then(|pid| {
            let process = if pid == state.pid { init } else { open_process(pid).ok()? };
            (command_of(state.pid) == Some(pid)).then_some((process, pid))
        });
        found.ok_or_else(|| self.not_running())
    }

    /// What is said where it has to run.
    pub fn not_running(&self) -> Error {
        Error::new(text!("container % is not running"), &[self.known_as()])
    }

    /// The process that is its PID 1, as a descriptor that cannot come to mean another, with the state that names it.
    pub fn init(&self) -> Result<(OwnedFd, State)> {
        let state = self.state();
        let found = (state.status == Status::Running).then(|| open_process(state.pid).ok()).flatten();
        // The number could be another's by now: the descriptor was opened before this second look.
        match found.filter(|_| {
            self.state() == state && stat_of(state.pid).is_some_and(|(parent, _)| parent == state.supervisor)
        }) {
            Some(fd) => Ok((fd, state)),
            None => Err(self.not_running()),
        }
    }
}

/// More than the kernel lets a command line have.
const LONGEST: usize = 8 << 20;

/// A pidfd; before Linux 5.3 its directory in /proc, which is of no other process either.
fn open_process(pid: i32) -> Done<OwnedFd> {
    process::open_process(pid)
        .or_else(|_| fs::open(fs::CWD, of_process(pid, b""), libc::O_RDONLY | libc::O_DIRECTORY, 0))
}

/// A file of a process in /proc.
fn file_of(pid: i32, file: &str, limit: usize) -> Option<&'static [u8]> {
    fs::read_file(of_process(pid, file.as_bytes()), limit).ok()
}

/// The parent of a process, and whether it has executed anything since it was forked.
fn stat_of(pid: i32) -> Option<(i32, bool)> {
    const FORKED: u64 = 0x40; // PF_FORKNOEXEC
    // pid (comm) state ppid pgrp session tty_nr tpgid flags: comm may hold anything.
    let behind = file_of(pid, "/stat", 4096)?.rsplit(|&byte| byte == b')').next()?;
    let words = split(behind.trim_ascii(), b' ');
    let number_at = |index: usize| words.get(index).and_then(|word| number(word));
    Some((number_at(1)? as i32, number_at(6)? & FORKED == 0))
}

/// See `Record::command`.
fn command_of(init: i32) -> Option<i32> {
    if stat_of(init)?.1 {
        return Some(init);
    }
    let mut path = Line::new();
    path.put(b"/task/").dec(init as u64).put(b"/children");
    let children = file_of(init, core::str::from_utf8(&path).ok()?, 4096)?;
    let child = split(children, b' ').first().and_then(|word| number(word))? as i32;
    (stat_of(child)? == (init, true)).then_some(child)
}

/// There is none of that name, or no more.
pub fn missing(word: Text) -> Error {
    Error::new(text!("no such container: %"), &[word])
}

fn taken(store: &Store, name: Text) -> Error {
    let id = store.named(name).unwrap_or_default();
    Error::new(text!("the container name \"%\" is already in use by container \"%\""), &[name, id])
        .hint(text!("remove (mydocker rm %) or rename that container to use the name again"), &[name])
}

impl Store {
    /// All containers. What ends meanwhile is left out.
    pub fn records(&self) -> Vec<Record> {
        let mut ids = Vec::new();
        // The sweep has read it before.
        let _ = fs::rewind(self.containers());
        let _ = fs::each_entry(self.containers(), &mut |id, _| ids.push(keep(id.to_bytes())));
        ids.iter().filter_map(|&id| Record::open(self, id).ok()).collect()
    }

    /// The container of that name, id, or beginning of an id that is no other's.
    pub fn find(&self, word: Text) -> Result<Record> {
        let none = || missing(word);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || is(&[*byte], "_ . -");
        if word.is_empty() || !word.to_bytes().iter().all(plain) {
            return Err(none());
        }
        // docker's order: a whole id, a name, a part of an id.
        let mut id = if word.to_bytes().len() == 64 { Some(word) } else { self.named(word) };
        if id.is_none() {
            let mut several = false;
            let _ = fs::rewind(self.containers());
            let _ = fs::each_entry(self.containers(), &mut |entry, _| {
                if entry.to_bytes().starts_with(word.to_bytes()) {
                    several |= id.is_some();
                    id = Some(keep(entry.to_bytes()));
                }
            });
            if several {
                return Err(Error::new(text!("% is the beginning of several containers' ids"), &[word]));
            }
        }
        match Record::open(self, id.ok_or_else(none)?) {
            Err(Errno::ENOENT) => Err(none()),
            other => other.map_err(|errno| Error::sys(text!("open container"), word, errno)),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let state = State {
            status: Status::Exited,
            pid: 0,
            supervisor: 12,
            started: 1_795_503_600_123_456_789,
            finished: 1,
            code: 137,
            oom: true,
            restarts: 3,
        };
        assert_eq!(State::parse(&state.text()), Some(state));
        for bad in [&b""[..], b"running", b"running 1 2 3 4 5 6", b"gone 1 2 3 4 5 6 7", b"exited 1 2 x 4 5 6 7"] {
            assert_eq!(State::parse(bad), None);
        }
    }
}
