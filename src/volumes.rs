//! Named volumes: `volume create`, `ls`, `inspect`, `rm`, `prune`.
//!
//!     volumes/NAME/_data     what is in it
//!     volumes/NAME/labels    its labels, each ended by NUL; where it has some
//!     volumes/.gone-NAME     being removed
//!
//! A volume is in use by each container that was made with it, whether it runs or not. Nobody starts one while a volume is
//! being removed: who does waits for the lock of containers/.

use crate::cli::{Given, kind};
use crate::control::{self, prune::Pruned};
use crate::error::{Error, Result};
use crate::format::filter::{Filters, fits};
use crate::format::{self, View, human};
use crate::json::write;
use crate::plan::data;
use crate::ps::Shown;
use crate::record::Record;
use crate::spec::{Mount, Source, Text};
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::system::Thing;
use crate::text::{Line, Push, filled, is, join, keep, separated, split};
use crate::{remove, usage};
use std::os::fd::{AsFd, BorrowedFd};

type Done<T> = core::result::Result<T, Errno>;

/// docker's label of one that nobody has named.
const ANONYMOUS: Text = t(c"com.docker.volume.anonymous=");
/// Labels are not larger.
const LABELS_MAX: usize = 1 << 20;

fn is_name(name: Text) -> bool {
    let name = name.to_bytes();
    kind::is_name(name, 2, 255) && name.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// `mydocker volume create`.
pub fn create(given: &Given) -> Result<u8> {
    let mut labels = Vec::new();
    for label in given.values("label") {
        crate::cli::env::label(label, &mut labels)?;
    }
    let name = match given.words {
        [name, ..] => *name,
        [] => {
            labels.push(ANONYMOUS);
            crate::assemble::new_id()?
        }
    };
    if !is_name(name) {
        return Err(Error::new(
            text!(
                "create %: \"%\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
            ),
            &[name, name],
        ));
    }
    let driver = given.value("driver").unwrap_or(t(c"local"));
    if driver != t(c"local") {
        return Err(Error::new(text!("create %: there is no volume driver but local: %"), &[name, driver]));
    }
    let store = given.store()?;
    make(store.dir(), name, &labels).map_err(|errno| failed(name, errno))?;
    say(name)
}

fn say(name: Text) -> Result<u8> {
    crate::print(&join(&[name.to_bytes(), b"\n"]))
}

/// Those that a new container is made with.
pub fn of(store: &Store, mounts: &[Mount]) -> Result<()> {
    mounts.iter().try_for_each(|mount| match mount.source {
        Source::Volume(name) => make(store.dir(), name, &[]).map_err(|errno| failed(name, errno)),
        _ => Ok(()),
    })
}

/// A container's anonymous volumes are volumes of their own from now on: they outlive it.
pub fn orphan(store: &Store, record: &Record) -> Result<()> {
    let dir = record.dir.as_fd();
    let mut found: Vec<Text> = Vec::new();
    let _ = fs::each_entry(dir, &mut |name, kind| {
        if kind == libc::DT_DIR && name.to_bytes().starts_with(b"volume") {
            found.push(keep(name.to_bytes()));
        }
    });
    found.iter().try_for_each(|volume| {
        let name = crate::assemble::new_id()?;
        let moved = make(store.dir(), name, &[ANONYMOUS])
            .and_then(|()| fs::rename(dir, filled("%/_data", &[*volume]), store.dir(), data(name), 0));
        moved.map_err(|errno| failed(*volume, errno))
    })
}

fn failed(name: Text, errno: Errno) -> Error {
    Error::sys(text!("make the volume"), name, errno)
}

/// One that is there already is as it is.
fn make(store: BorrowedFd, name: Text, labels: &[Text]) -> Done<()> {
    let dir = filled("volumes/%", &[name]);
    let made = match fs::mkdir(store, dir, 0o755) {
        Err(Errno::EEXIST) => false,
        made => made.map(|()| true)?,
    };
    match fs::mkdir(store, filled("%/_data", &[dir]), 0o755) {
        Err(Errno::EEXIST) => {}
        made => made?,
    }
    if made && !labels.is_empty() {
        let (file, new) = (filled("%/labels", &[dir]), filled("%/.labels", &[dir]));
        let fd = fs::open(store, new, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC, 0o600)?;
        let mut text = Line::new();
        labels.iter().for_each(|label| _ = text.put(label.to_bytes_with_nul()));
        fs::write_all(fd.as_fd(), &text)?;
        fs::rename(store, new, store, file, 0)?;
    }
    Ok(())
}

/// A volume that is there.
struct Volume {
    name: Text,
    /// Nanoseconds since 1970, in whole seconds.
    created: u64,
    labels: Vec<Text>,
}

impl Volume {
    fn open(store: BorrowedFd, name: Text) -> Option<Self> {
        let dir = filled("volumes/%", &[name]);
        let stat = fs::stat(store, dir).ok().filter(|stat| is_name(name) && fs::is_dir(stat))?;
        let file = fs::open(store, filled("%/labels", &[dir]), libc::O_RDONLY, 0);
        let text = file.and_then(|file| fs::read_all(file.as_fd(), LABELS_MAX)).unwrap_or_default().leak();
        let labels = split(text.strip_suffix(b"\0").unwrap_or_default(), 0).iter().filter(|label| !label.is_empty());
        // Nothing but its making changes the directory that _data is in: docker's time, too.
        let created = (stat.st_ctime as u64).wrapping_mul(1_000_000_000);
        Some(Self { name, created, labels: labels.map(|label| keep(label)).collect() })
    }

    fn mountpoint(&self, store: &Store) -> Text {
        filled("%/volumes/%/_data", &[store.path, self.name])
    }
}

/// All of them, by name.
fn all(store: &Store) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    let opened = fs::open(store.dir(), t(c"volumes"), libc::O_RDONLY | libc::O_DIRECTORY, 0);
    let _ = opened.and_then(|dir| {
        fs::each_entry(dir.as_fd(), &mut |name, _| {
            let Some(volume) = Volume::open(store.dir(), keep(name.to_bytes())) else { return };
            let behind = volumes.iter().position(|other| other.name.to_bytes() > name.to_bytes());
            volumes.insert(behind.unwrap_or(volumes.len()), volume);
        })
    });
    volumes
}

/// The ids of the containers that were made with a volume.
fn users(containers: &[&Shown], name: Text) -> Vec<Text> {
    let mut users = Vec::new();
    for shown in containers {
        // What it has is unknown: then what was typed may mean this one.
        let typed = |word: &Text| shown.unknown && fits(name.to_bytes(), word.to_bytes());
        let with = shown.options.spec.mounts.iter().any(|mount| mount.source == Source::Volume(name));
        if with || shown.record.flags.iter().any(typed) {
            users.push(shown.record.id);
        }
    }
    users
}

/// How much is in each.
pub fn things(store: &Store, containers: &[&Shown]) -> Vec<Thing> {
    let mut things = Vec::new();
    for volume in all(store) {
        let bytes = usage::tree(store.dir(), data(volume.name));
        things.push((volume.name, bytes, !users(containers, volume.name).is_empty()));
    }
    things
}

/// A volume as JSON.
pub fn describe(store: &Store, name: Text) -> Result<Text> {
    let Some(volume) = Volume::open(store.dir(), name) else {
        return Err(Error::new(text!("get %: no such volume"), &[name]));
    };
    Ok(write::object(
        text!("CreatedAt Driver=local Labels# Mountpoint Name Options#={} Scope=local"),
        &[human::time(volume.created), write::map(&volume.labels), volume.mountpoint(store), name],
    ))
}

const VIEW: View = View {
    quiet: text!("{{.Name}}"),
    table: text!("table {{.Driver}}\t{{.Name}}"),
    headers: text!("Name=VOLUME NAME"),
};

/// `mydocker volume ls`.
pub fn list(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "dangling driver label name")?;
    let store = given.store()?;
    let containers = Shown::all(&store);
    let mut rows = Vec::new();
    for volume in all(&store) {
        let dangling = users(&containers, volume.name).is_empty();
        if filters.any("name", &mut |pattern| fits(pattern, volume.name.to_bytes()))
            && filters.any("driver", &mut |driver| driver == b"local")
            && filters.any("dangling", &mut |wanted| is(wanted, "true 1") == dangling)
            && filters.labels(&volume.labels)
        {
            rows.push(write::object(
                text!("Driver=local Labels Mountpoint Name Scope=local"),
                &[separated(&volume.labels, b","), volume.mountpoint(&store), volume.name],
            ));
        }
    }
    format::list(given.value("format"), given.has("quiet"), &VIEW, &rows)
}

/// `mydocker volume inspect`.
pub fn inspect(given: &Given) -> Result<u8> {
    crate::inspect::objects(given, t(c"volume"))
}

/// `mydocker volume rm`.
pub fn remove(given: &Given) -> Result<u8> {
    let store = given.store()?;
    Ok(given.each(&mut |name| {
        let gone = alone(&store, &mut |containers| {
            let users = users(containers, name);
            if !users.is_empty() {
                let users = separated(&users, b", ");
                return Err(Error::new(text!("remove %: volume is in use - [%]"), &[name, users]));
            }
            if Volume::open(store.dir(), name).is_none() {
                let missing = Error::new(text!("get %: no such volume"), &[name]);
                return if given.has("force") { Ok(None) } else { Err(missing) };
            }
            take_away(store.dir(), name).map(Some)
        })?;
        finish(store.dir(), name, gone)?;
        say(name).map(drop)
    }))
}

/// With nobody making a container meanwhile, and of each that is being made known what it is.
pub fn alone<T>(store: &Store, act: &mut dyn FnMut(&[&Shown]) -> Result<T>) -> Result<T> {
    store.alone().map_err(|errno| Error::sys(text!("lock the store"), t(c""), errno))?;
    let mut waited = 0_u64;
    let containers = loop {
        let containers = Shown::all(store);
        if waited >= 5000 || !is_one_being_made(store, &containers) {
            break containers;
        }
        let _ = process::poll(&mut [], Some(10));
        waited = waited.wrapping_add(10);
    };
    let done = act(&containers);
    store.made();
    done
}

/// Whether a directory has somebody's lock, and is no container yet: one in the foreground says what it is when its mounts
/// are made.
fn is_one_being_made(store: &Store, containers: &[&Shown]) -> bool {
    let mut found = false;
    let _ = fs::rewind(store.containers());
    let _ = fs::each_entry(store.containers(), &mut |id, _| {
        let locked = |dir: OwnedFd| fs::lock(dir.as_fd(), libc::LOCK_SH | libc::LOCK_NB).is_err();
        found = found
            || !containers.iter().any(|shown| shown.record.id == id)
                && remove::open_same_mount(store.containers(), id).is_ok_and(locked);
    });
    found
}

/// Out of everybody's sight; what it is called then.
fn take_away(store: BorrowedFd, name: Text) -> Result<Text> {
    let gone = filled("volumes/.gone-%", &[name]);
    let failed = |errno| Error::sys(text!("remove the volume"), name, errno);
    // Left by somebody who was killed.
    remove::tree(store, gone).map_err(|(errno, _)| failed(errno))?;
    fs::rename(store, filled("volumes/%", &[name]), store, gone, 0).map_err(failed)?;
    Ok(gone)
}

fn finish(store: BorrowedFd, name: Text, gone: Option<Text>) -> Result<()> {
    let Some(gone) = gone else { return Ok(()) };
    remove::tree(store, gone).map_err(|(errno, _)| Error::sys(text!("remove the volume"), name, errno))
}

/// `mydocker volume prune`.
pub fn prune_command(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "all label")?;
    let every = given.has("all") || filters.values("all").any(|value| is(value, "true 1"));
    let question = if every {
        text!("This will remove all local volumes not used by at least one container.")
    } else {
        text!("This will remove anonymous local volumes not used by at least one container.")
    };
    control::prune::prune(given, question.bytes(), &mut |store, tell| {
        tell(text!("Volumes"), prune(store, every, &filters)?);
        Ok(())
    })
}

/// Removes volumes that no container was made with: those that nobody has named, or `every` one.
pub fn prune(store: &Store, every: bool, filters: &Filters) -> Result<Pruned> {
    let mut gone = Vec::new();
    alone(store, &mut |containers| {
        for volume in all(store) {
            let wanted = (every || volume.labels.contains(&ANONYMOUS)) && filters.labels(&volume.labels);
            if wanted && users(containers, volume.name).is_empty() {
                gone.push((volume.name, take_away(store.dir(), volume.name)?));
            }
        }
        Ok(())
    })?;
    // And what was left of others by who was killed meanwhile.
    let mut left = Vec::new();
    if let Ok(dir) = fs::open(store.dir(), t(c"volumes"), libc::O_RDONLY | libc::O_DIRECTORY, 0) {
        let _ = fs::each_entry(dir.as_fd(), &mut |name, _| {
            if name.to_bytes().starts_with(b".gone-") {
                left.push(filled("volumes/%", &[name]));
            }
        });
    }
    let (mut said, mut bytes) = (Line::new(), 0_u64);
    for &dir in left.iter().filter(|dir| !gone.iter().any(|(_, of)| of == *dir)) {
        let _ = remove::tree(store.dir(), dir);
    }
    for &(name, dir) in &gone {
        bytes = bytes.wrapping_add(usage::tree(store.dir(), filled("%/_data", &[dir])));
        finish(store.dir(), name, Some(dir))?;
        said.put(name.to_bytes()).put(b"\n");
    }
    Ok((said, bytes))
}
