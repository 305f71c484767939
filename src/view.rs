//! A container's root, for who reads or writes its files from outside: of one that runs the root that its processes have,
//! of another one a mount of our own.
//!
//! Whatever is in there, and whatever the container does to it meanwhile: a path is resolved with that root as `/`
//! (`resolve::open_in_root`), and then used by descriptor.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::plan::{ROOT, Rest, Step, rest};
use crate::record::{Record, Status};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::call::{Call, Slot, Slots};
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::tar::tree::IdRange;
use crate::text::{Line, Push, keep};
use crate::{host, perform, remove, store, userns};
use core::mem::ManuallyDrop;
use std::os::fd::AsFd;

/// The root, for as long as this lives.
pub struct View {
    /// The directory.
    pub root: OwnedFd,
    /// The root itself is read-only for the container.
    pub read_only: bool,
    /// Its user namespace, if it runs and we are not in that.
    user: Option<OwnedFd>,
}

impl View {
    /// Of a container that runs the live root. Of another the root with its volumes, or without them.
    pub fn of(store: &Store, record: &Record, volumes: bool) -> Result<Self> {
        let options = ManuallyDrop::new(record.options()?);
        let read_only = options.spec.read_only;
        let mut tries = 0_u32;
        while hold(record)? {
            match live(record) {
                Ok((root, user)) => return Ok(Self { root, read_only, user }),
                // Mostly it ends just now, and then its files are to be had all the same.
                Err(error) if tries == 40 => return Err(error),
                Err(_) => _ = process::poll(&mut [], Some(10)),
            }
            tries = tries.wrapping_add(1);
        }
        if fs::fstat(record.dir.as_fd()).is_ok_and(|stat| stat.st_nlink == 0) {
            return Err(Error::new(text!("no such container: %"), &[record.known_as()]));
        }
        let root = mounted(store, record, if volumes { Rest::Whole } else { Rest::Bare })?;
        Ok(Self { root, read_only, user: None })
    }

    /// Becomes root of its user namespace, which is who makes files there: root of the host is nobody there.
    pub fn become_root(&self) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        let failed = |errno| Error::sys(text!("become root of the user namespace"), t(c""), errno);
        let mut slots = Slots::new(1);
        slots.set(USER, Some(fs::duplicate(user.as_fd()).map_err(failed)?));
        const NONE: &[u32] = &[];
        let calls = [
            Call::setns(USER, libc::CLONE_NEWUSER as u32),
            Call::setgroups(&NONE),
            Call::setresgid(0),
            Call::setresuid(0),
        ];
        calls.iter().try_for_each(|call| call.perform(&slots).map(drop)).map_err(failed)
    }
}

/// Whether it runs. If not, nobody starts it as long as the record lives: two mounts of one upper layer would not know of
/// each other.
pub fn hold(record: &Record) -> Result<bool> {
    for tries in 0..100 {
        let status = record.state().status;
        if status == Status::Running {
            return Ok(true);
        }
        if record.lock().is_ok() {
            return Ok(false);
        }
        if status == Status::Restarting && tries > 20 {
            return Err(Error::new(
                text!("container % is restarting, wait until it is running or stop it"),
                &[record.known_as()],
            ));
        }
        let _ = process::poll(&mut [], Some(50));
    }
    Err(Error::new(text!("container %: somebody else uses its files"), &[record.known_as()]))
}

/// The image that a container was made of, as it would see it.
pub fn image(store: &Store, record: &Record) -> Result<OwnedFd> {
    if let [layer] = *record.layers {
        // Followed, since --rootfs can name a link.
        return fs::open_follow(store.dir(), layer, libc::O_RDONLY | libc::O_DIRECTORY, 0)
            .map_err(|errno| Error::sys(text!("open the image's layer"), layer, errno));
    }
    mounted(store, record, Rest::Image)
}

/// How a container's upper layer is to be read.
pub struct Upper {
    /// The ids of its user namespace, if we are not in that: users' and groups'.
    ids: [Vec<IdRange>; 2],
    /// The attribute by which overlayfs knows an opaque directory: trusted.* is root's of the host. That of the other name
    /// is a file's own, and copied up from a layer that was unpacked for both.
    pub opaque: Text,
}

impl Upper {
    /// The ids as `tree::How` has them.
    pub fn ids(&self) -> [&[IdRange]; 2] {
        self.ids.each_ref().map(Vec::as_slice)
    }
}

/// How that of a container is.
pub fn upper(record: &Record) -> Result<Upper> {
    let options = ManuallyDrop::new(record.options()?);
    let mut ranges = [Vec::new(), Vec::new()];
    let user = userns::ids(options.userns)?;
    let opaque = if user.is_some() { t(c"user.overlay.opaque") } else { t(c"trusted.overlay.opaque") };
    if let Some(ids) = user.filter(|ids| ids.remapped) {
        for (list, &(first, count)) in ranges.iter_mut().zip([&ids.uid[0], &ids.gid[0]]) {
            list.push((0, first, count));
        }
    }
    Ok(Upper { ids: ranges, opaque })
}

fn mounted(store: &Store, record: &Record, what: Rest) -> Result<OwnedFd> {
    let options = ManuallyDrop::new(record.composed(store)?);
    let user = userns::ids(options.userns)?;
    if user.is_some_and(|ids| ids.remapped) && what != Rest::Image {
        return Err(Error::new(
            text!("container % has a user namespace: its files are to be had while it runs"),
            &[record.known_as()],
        )
        .hint(text!("mydocker start %"), &[record.known_as()]));
    }
    // The image's files are as they are.
    let user = user.filter(|ids| !ids.remapped);
    let host = ManuallyDrop::new(host::look(&options.spec, store.dir(), store.path, user)?);
    let (steps, count) = rest(&options.spec, &host, what);
    if what != Rest::Image {
        // A crash of the machine, or of a supervisor.
        let _ = remove::tree(record.dir.as_fd(), t(c"work"));
    }
    let mut slots = Slots::new(count);
    for entry in &steps {
        perform::outside::step(entry, &mut slots).map_err(|errno| {
            let error = perform::describe(entry, errno);
            match (entry.step, errno) {
                (_, Errno::ENOSYS) => error.hint(text!("before Linux 5.12 that can only be had while it runs"), &[]),
                // More names than one value holds.
                (Step::Option(..), Errno::EINVAL) if record.layers.len() > 3 => {
                    error.hint(text!("the layers of an image can be more than three here from Linux 6.5 on"), &[])
                }
                _ => error,
            }
        })?;
    }
    slots.take(ROOT).ok_or_else(|| Error::sys(text!("mount the overlay"), t(c""), Errno::EBADF))
}

/// The root directory of a running container's command, and the user namespace that --userns gave it.
fn live(record: &Record) -> Result<(OwnedFd, Option<OwnedFd>)> {
    let (process, pid) = record.command()?;
    let root = of(pid, "/root", libc::O_PATH | libc::O_DIRECTORY)
        .map_err(|errno| Error::sys(text!("open the root of container"), record.known_as(), errno))?;
    let user = if upper(record)?.ids().concat().is_empty() { None } else { of(pid, "/ns/user", libc::O_RDONLY).ok() };
    // The number was that process' as long as it lives.
    if process::has_ended(process.as_fd()) { Err(record.not_running()) } else { Ok((root, user)) }
}

/// A file of a process in /proc.
fn of(pid: i32, file: &str, flags: i32) -> core::result::Result<OwnedFd, Errno> {
    let mut path = Line::new();
    fs::open_follow(fs::CWD, keep(path.put(b"/proc/").dec(pid as u64).put(file.as_bytes())), flags, 0)
}

/// The container of that name. An ordinary user is root of its user namespace from here on, or of one of his own, which has
/// the same ids, but no rights in it.
pub fn find(given: &Given, word: Text) -> Result<(Store, Record)> {
    let Some(ids) = userns::ids(None)? else {
        let store = given.store()?;
        let record = store.find(word)?;
        return Ok((store, record));
    };
    process::clear_umask();
    let store = Store::open(store::path(given.value("root"), true)?, true)?;
    let record = store.find(word)?;
    let running = if record.state().status == Status::Running { record.command().ok() } else { None };
    let Some((_process, pid)) = running.filter(|_| !ids.inside) else {
        userns::enter(&ids)?;
        return Ok((store, record));
    };
    let failed = |errno| Error::sys(text!("enter the user namespace of container"), record.known_as(), errno);
    let mut slots = Slots::new(1);
    slots.set(USER, Some(of(pid, "/ns/user", libc::O_RDONLY).map_err(failed)?));
    Call::setns(USER, libc::CLONE_NEWUSER as u32).perform(&slots).map_err(failed)?;
    // In a mount namespace without rights he could not even have a mount that is attached nowhere.
    Call::unshare(libc::CLONE_NEWNS as u32).perform(&slots).map_err(failed)?;
    Ok((store, record))
}

const USER: Slot = Slot(0);
