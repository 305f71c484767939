//! Step → system call, and back.
//!
//! Nothing else mounts, makes directories or writes cgroup files for a container. The child of clone comes through
//! here as well, so no step allocates; what only the supervisor does is in outside.rs.

pub mod outside;

use crate::error::Error;
use crate::plan::{self, Entry, FS, INIT, Step, Want};
use crate::spec::Text;
use crate::sys::call::{CWD, Slot, Slots};
use crate::sys::name::{Name, t};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, exe, fs, process, terminal};
use crate::text::keep;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Makes one step. Clone, Init and Exec are `run`'s and `init`'s own.
pub fn step(entry: &Entry, slots: &mut Slots) -> core::result::Result<(), Errno> {
    let result = match entry.step.call() {
        Some(call) => call.perform(slots).map(|value| {
            if let Some(into) = entry.step.fills() {
                slots.set_raw(into, value);
            }
            if let Step::Fsmount(..) = entry.step {
                slots.set(FS, None);
            }
        }),
        None => story(&entry.step, slots),
    };
    match result {
        Err(errno) if entry.fine == Some(errno) => Ok(()),
        // Keys that the kernel has not, or that an outer container's filter forbids, which holds for ours too.
        Err(Errno::ENOSYS | Errno::EPERM) if matches!(entry.step, Step::Keyring) => Ok(()),
        // EINVAL: before Linux 5.11 the call hadn't this flag.
        Err(Errno::ENOSYS | Errno::EINVAL) if matches!(entry.step, Step::CloseRange) => {
            each_descriptor(process::set_cloexec)
        }
        result => result,
    }
}

/// The steps that are more than one call.
fn story(step: &Step, slots: &mut Slots) -> core::result::Result<(), Errno> {
    match *step {
        Step::File(dir, name, content) => {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
            let file = fs::open(slots.get(dir), name, flags, 0o644)?;
            fs::write_all(file.as_fd(), content.to_bytes())
        }
        Step::Set(dir, name, value) => {
            let file = fs::open(slots.get(dir), name, libc::O_WRONLY, 0)?;
            if dir == plan::PROC && !fs::is_procfs(file.as_fd())? {
                return Err(Errno::EXDEV);
            }
            fs::write(file.as_fd(), value.to_bytes()).map(drop)
        }
        Step::Target(path, Want::Present, into) => {
            let found = open_in_root(slots.get(plan::ROOT), path, libc::O_PATH | libc::O_DIRECTORY, 0)?;
            slots.set(into, Some(found));
            Ok(())
        }
        Step::Forget => {
            process::forget_environment();
            Ok(())
        }
        Step::Memory(into) => {
            slots.set(into, Some(exe::empty_program()?));
            Ok(())
        }
        Step::Device(path, number, into) => {
            // Not waited for, whatever it is; and with the container's cgroup, that says which devices can be opened.
            let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK;
            let device = open_in_root(slots.get(plan::ROOT), path, flags, 0)?;
            let stat = fs::fstat(device.as_fd())?;
            if fs::kind(&stat) != libc::S_IFCHR || stat.st_rdev != number {
                return Err(Errno::ENODEV);
            }
            slots.set(into, Some(device));
            Ok(())
        }
        Step::CloseOthers(one, other) => {
            let kept = [one, other].map(|slot| slots.get(slot).as_raw_fd());
            // All that the caller has left open was closed before anything was opened: there are no higher numbers.
            (3..MOST_DESCRIPTORS).filter(|fd| !kept.contains(fd)).try_for_each(process::close)
        }
        Step::Target(path, want, into) => {
            let target = target(slots.get(plan::ROOT), path, want != Want::File)?;
            // What is written to in /proc has to be the kernel's (CVE-2019-16884): no link of the image's leads there.
            if want != Want::Anything && fs::is_procfs(target.as_fd())? {
                return Err(Errno::EXDEV);
            }
            if want == Want::Directory && is_same(slots.get(plan::ROOT), target.as_fd())? {
                return Err(Errno::EBUSY);
            }
            slots.set(into, Some(target));
            Ok(())
        }
        Step::Unlock(master) => {
            let master = slots.get(master);
            terminal::set_nonblocking(master)?;
            match terminal::size(process::STDIN) {
                // `exec -t` and `run -d -t` need none outside.
                Err(Errno::ENOTTY) => {}
                size => terminal::set_size(master, &size?)?,
            }
            terminal::unlock(master)
        }
        Step::CopyProgram => exe::copy_program(),
        Step::SetProgram(file) => exe::set_program(slots.get(file)),
        Step::OpenSelf(into) => {
            slots.set(into, Some(process::open_self()?));
            Ok(())
        }
        Step::HandOver(socket) => {
            fs::write_all(slots.get(socket), slots.numbers().as_flattened())?;
            // Nothing may be closed here before the child has a table of its own, or has ended.
            process::poll(&mut [readable(slots.get(socket)), readable(slots.get(plan::CHILD))], None).map(drop)
        }
        Step::TakeOver(socket, supervisor) => take_over(slots, socket, supervisor),
        Step::DefaultAction(signal) => process::default_action(signal),
        Step::Enter(uid, gid) => process::enter(uid, gid),
        Step::Idmap(mount, user) => fs::set_idmap(slots.get(mount), slots.get(user)),
        Step::Loopback => process::loopback_up(),
        Step::Rlimit(resource, soft, hard) => process::set_limit(resource, soft, hard),
        Step::Remount(target, add) => {
            // What a mount has of these is locked to it, and a remount that leaves one out would take it off.
            let kept = fs::mount_flags(slots.get(target))? & (libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC);
            let flags = libc::MS_REMOUNT | libc::MS_BIND | add | kept;
            Step::MountAt(CWD, target, t(c""), flags, t(c""))
                .call()
                .map_or(Ok(()), |call| call.perform(slots).map(drop))
        }
        Step::Pair(ours, theirs) => {
            let (a, b) = process::socket_pair(libc::SOCK_STREAM)?;
            slots.set(ours, Some(a));
            slots.set(theirs, Some(b));
            Ok(())
        }
        Step::Pipe(read, write) => {
            let (r, w) = process::pipe()?;
            slots.set(read, Some(r));
            slots.set(write, Some(w));
            Ok(())
        }
        Step::SendTerminal(socket, terminal) => process::send(slots.get(socket), TAKEN_OVER, slots.get(terminal)),
        Step::Same(file, looked) => match fs::identity(&fs::fstat(slots.get(file))?) {
            found if found == looked => Ok(()),
            _ => Err(Errno::ESTALE),
        },
        Step::CheckCwd => check_cwd(),
        Step::CheckParent => {
            let fd = slots.get(INIT).as_raw_fd();
            let mut fds = [process::PollFd { fd, events: 0, revents: 0 }];
            match process::poll(&mut fds, Some(0))? {
                0 => Ok(()),
                _ => process::exit(crate::error::RUNTIME),
            }
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// Apart for its page of stack, which no other step needs.
#[inline(never)]
fn check_cwd() -> core::result::Result<(), Errno> {
    let mut buf = [0; 4096];
    match fs::getcwd(&mut buf)?.first() {
        Some(b'/') => Ok(()),
        _ => Err(Errno::EXDEV),
    }
}

/// Whether both are the same file.
fn is_same(one: BorrowedFd, other: BorrowedFd) -> core::result::Result<bool, Errno> {
    let (one, other) = (fs::fstat(one)?, fs::fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// Waits for the supervisor's table. As long as that is shared, no end of the pair can be seen as closed, so the
/// supervisor's own end is.
fn take_over(slots: &mut Slots, socket: Slot, supervisor: Slot) -> core::result::Result<(), Errno> {
    let mut fds = [readable(slots.get(socket)), readable(slots.get(supervisor))];
    process::poll(&mut fds, None)?;
    let [there, ended] = fds;
    if ended.revents != 0 && there.revents == 0 {
        process::exit(crate::error::RUNTIME);
    }
    let mut numbers = slots.numbers();
    let mut rest = numbers.as_flattened_mut();
    while !rest.is_empty() {
        match fs::read(slots.get(socket), rest)? {
            0 => return Err(Errno::EPIPE),
            count => rest = rest.get_mut(count..).unwrap_or_default(),
        }
    }
    process::unshare_files()?;
    slots.replace(&numbers);
    // As long as this copy is open the supervisor's end could not be seen.
    slots.set(plan::SUPERVISOR, None);
    process::say(slots.get(socket), TAKEN_OVER)
}

/// What the child says when it has its own table of descriptors, and with its terminal; no index of a step.
pub const TAKEN_OVER: [u32; 3] = [u32::MAX; 3];

/// The first word of what the child says when it has gone on in another process; the next is its pid.
pub const FORKED: u32 = u32::MAX - 1;

/// What `exec` has open at most.
const MOST_DESCRIPTORS: i32 = 64;

fn readable(fd: BorrowedFd) -> process::PollFd {
    process::PollFd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

/// Finds `path` inside the root, or makes it: directories 0755, a file 0644, in the container's upper layer.
pub fn target(root: BorrowedFd, path: Name, directory: bool) -> core::result::Result<OwnedFd, Errno> {
    let mut links = 0_u32;
    let mut path = path;
    loop {
        match make_target(root, path, directory) {
            // A link that leads to nothing yet: what it leads to is made.
            Err((Errno::EEXIST, Some(next))) if links < 40 => path = next,
            result => return result.map_err(|(errno, _)| errno),
        }
        links = links.wrapping_add(1);
    }
}

/// What went wrong, and for EEXIST the path with the dangling link in it replaced by where that leads.
type Blocked = (Errno, Option<Text>);

fn make_target(root: BorrowedFd, path: Name, directory: bool) -> core::result::Result<OwnedFd, Blocked> {
    let plain = |errno| (errno, None);
    let flags = libc::O_PATH | if directory { libc::O_DIRECTORY } else { 0 };
    match open_in_root(root, path, flags, 0) {
        Err(Errno::ENOENT) => {}
        Ok(fd) if !directory && fs::is_dir(&fs::fstat(fd.as_fd()).map_err(plain)?) => return Err(plain(Errno::EISDIR)),
        result => return result.map_err(plain),
    }
    make_path(root, path, directory)
}

/// Apart, as whoever finds the target needs no page of stack for it, which the kernel would have to give first.
#[inline(never)]
fn make_path(root: BorrowedFd, path: Name, directory: bool) -> core::result::Result<OwnedFd, Blocked> {
    let plain = |errno| (errno, None);
    // Component by component; each is opened in the root again, so that a symlink on the way leads where it would
    // lead a process of the container.
    let mut prefix = [0_u8; 4096];
    let bytes = path.to_bytes_with_nul();
    prefix.get_mut(..bytes.len()).ok_or(plain(Errno::ENAMETOOLONG))?.copy_from_slice(bytes);
    let mut here = open_in_root(root, t(c"/"), libc::O_PATH | libc::O_DIRECTORY, 0).map_err(plain)?;
    let mut start = 1_usize;
    loop {
        let rest = bytes.get(start..).unwrap_or_default();
        let Some(len) = rest.iter().position(|&byte| byte == b'/' || byte == 0) else {
            return Err(plain(Errno::EINVAL));
        };
        let end = start.wrapping_add(len);
        let last = rest.get(len) == Some(&0);
        *prefix.get_mut(end).ok_or(plain(Errno::ENAMETOOLONG))? = 0;
        let until = Name::until_nul(&prefix).ok_or(plain(Errno::EINVAL))?;
        let flags = libc::O_PATH | if last && !directory { 0 } else { libc::O_DIRECTORY };
        here = match open_in_root(root, until, flags, 0) {
            Err(Errno::ENOENT) => {
                let name = until.to_bytes_with_nul().get(start..).unwrap_or_default();
                let name = Name::until_nul(name).ok_or(plain(Errno::EINVAL))?;
                let made = if last && !directory {
                    fs::open(here.as_fd(), name, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL, 0o644).map(drop)
                } else {
                    fs::mkdir(here.as_fd(), name, 0o755)
                };
                let before = until.to_bytes().get(..start).unwrap_or_default();
                made.map_err(|errno| {
                    (errno, followed(here.as_fd(), before, name, rest.get(len..).unwrap_or_default()))
                })?;
                open_in_root(root, until, flags | libc::O_NOFOLLOW, 0).map_err(plain)?
            }
            result => result.map_err(plain)?,
        };
        if last {
            return Ok(here);
        }
        *prefix.get_mut(end).ok_or(plain(Errno::ENAMETOOLONG))? = b'/';
        start = end.wrapping_add(1);
    }
}

/// A path in which the link `name`, between what stands `before` and `after` it, is replaced by where it leads.
fn followed(dir: BorrowedFd, before: &[u8], name: Name, after: &[u8]) -> Option<Text> {
    let mut buf = [0; 4096];
    let link = fs::read_link(dir, name, &mut buf).ok()?;
    let before = if link.first() == Some(&b'/') { b"" } else { before };
    Some(keep(&[before, link, after].concat()))
}

/// Before Linux 5.9: each descriptor above 2 that /proc/self/fd lists, but for that list.
pub fn each_descriptor(act: fn(i32) -> core::result::Result<(), Errno>) -> core::result::Result<(), Errno> {
    let dir = fs::open(fs::CWD, t(c"/proc/self/fd"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    let mut buf = fs::DirBuf::new();
    loop {
        let entries = fs::read_dir(dir.as_fd(), &mut buf)?;
        if entries.is_end() {
            return Ok(());
        }
        for (name, _) in entries {
            let fd = crate::text::number(name.to_bytes()).map_or(0, |fd| fd as i32);
            if fd > 2 && fd != dir.as_raw_fd() {
                act(fd)?;
            }
        }
    }
}

/// Why a step failed, in words.
pub fn describe(entry: &Entry, errno: Errno) -> Error {
    let which = if entry.about.is_empty() { path_of(&entry.step) } else { entry.about };
    Error::sys(entry.why, which, errno)
}

fn path_of(step: &Step) -> Text {
    match *step {
        Step::Chdir(path)
        | Step::Mkdir(_, path, _)
        | Step::Mknod(_, path, ..)
        | Step::Symlink(_, _, path)
        | Step::Open(_, path, ..)
        | Step::Fsopen(path, _)
        | Step::OpenTree(_, path, ..)
        | Step::MoveMount(_, _, path)
        | Step::Mount(_, path, ..)
        | Step::File(_, path, _)
        | Step::Set(_, path, _)
        | Step::Target(path, ..) => path,
        _ => t(c""),
    }
}
