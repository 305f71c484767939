//! A place to unpack hostile archives in: a thread with a mount namespace of its own, in which all is read-only but a
//! tmpfs. The thread that waits for it stays outside, so the fuzzer can write what it finds.

use crate::remove;
use crate::sys::call::{Arg, Call, MountAttr, RDONLY, Slot, Slots};
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs, process};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Condvar, Mutex, Once};

type Work = fn(BorrowedFd, &[u8]);

/// What the thread is to do next. There is one thread, and one who asks.
static NEXT: Mutex<Option<(Vec<u8>, Work)>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();
static START: Once = Once::new();

/// Does the work on an empty directory in the jail, then looks whether it stayed in it. Needs root.
pub fn run(bytes: Vec<u8>, work: Work) {
    if process::euid() != 0 {
        return;
    }
    START.call_once(|| drop(std::thread::spawn(serve)));
    let mut next = NEXT.lock().unwrap();
    *next = Some((bytes, work));
    CHANGED.notify_all();
    while next.is_some() {
        // Poisoned if the work panicked.
        next = CHANGED.wait(next).unwrap();
    }
}

/// Wakes who waits, also where this thread has panicked.
struct Bell;

impl Drop for Bell {
    fn drop(&mut self) {
        CHANGED.notify_all();
    }
}

/// libFuzzer's hook ends the process and writes the input, which nobody can in here: this thread only says what it was, and
/// ends, and the one that waits for it panics.
#[cfg(fuzzing)]
fn say_only() {
    let (ours, hook) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |what| {
        if std::thread::current().id() == ours {
            super::driver::track(false);
            eprintln!("{what}");
        } else {
            hook(what);
        }
    }));
}

fn serve() {
    let _bell = Bell;
    #[cfg(fuzzing)]
    say_only();
    let scratch = enter().unwrap();
    let before = canary(scratch.as_fd());
    let mut next = NEXT.lock().unwrap();
    loop {
        if let Some((bytes, work)) = next.as_ref() {
            one(scratch.as_fd(), bytes, *work);
            assert_eq!(before, canary(scratch.as_fd()));
            *next = None;
            CHANGED.notify_all();
        }
        next = CHANGED.wait(next).unwrap();
    }
}

fn one(scratch: BorrowedFd, bytes: &[u8], work: Work) {
    const NAME: Name = t(c"root");
    // The lowest number that is free tells whether a descriptor was left open; not beside other threads' tests.
    let free = || if cfg!(test) { 0 } else { fs::duplicate(scratch).map_or(-1, |fd| fd.as_raw_fd()) };
    let before = free();
    fs::mkdir(scratch, NAME, 0o755).unwrap();
    let root = fs::open(scratch, NAME, libc::O_RDONLY | libc::O_DIRECTORY, 0).unwrap();
    #[cfg(fuzzing)]
    super::driver::track(super::driver::is_warm());
    work(root.as_fd(), bytes);
    #[cfg(fuzzing)]
    super::driver::track(false);
    drop(root);
    assert_eq!(remove::tree(scratch, NAME), Ok(()));
    assert_eq!(free(), before, "a descriptor is left");
}

/// What lies beside the directory, to the nanosecond.
fn canary(scratch: BorrowedFd) -> Vec<(Vec<u8>, [u64; 9])> {
    let mut all = Vec::new();
    for name in [t(c"."), t(c"canary"), t(c"canary/file")] {
        let stat = fs::stat(scratch, name).unwrap();
        let times = [stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec].map(|time| time as u64);
        // The directory itself is written to by us.
        let [seconds, nanoseconds, changed, fraction] = if name == t(c".") { [0; 4] } else { times };
        let (links, mode, size) = (stat.st_nlink, u64::from(stat.st_mode), stat.st_size as u64);
        let owner = u64::from(stat.st_uid) << 32 | u64::from(stat.st_gid);
        let facts = [stat.st_ino, links, mode, owner, size, seconds, nanoseconds, changed, fraction];
        all.push((name.to_bytes().to_vec(), facts));
    }
    let mut names = Vec::new();
    fs::rewind(scratch).unwrap();
    fs::each_entry(scratch, &mut |name, _| names.push(name.to_bytes().to_vec())).unwrap();
    assert_eq!(names, [b"canary"]);
    all
}

/// Leaves for the jail: everything read-only, and over /tmp a tmpfs that is returned.
fn enter() -> Result<OwnedFd, Errno> {
    let mut slots = Slots::new(1);
    Call::unshare(libc::CLONE_NEWNS as u32).perform(&slots)?;
    let root = Arg::Str(t(c"/"));
    let private = (libc::MS_REC | libc::MS_PRIVATE) as u32;
    Call::mount(Arg::Null, root, t(c""), private, t(c"")).perform(&slots)?;
    slots.set(Slot(0), Some(fs::open(fs::CWD, t(c"/"), libc::O_PATH | libc::O_DIRECTORY, 0)?));
    let attr = MountAttr { set: RDONLY, clear: 0, propagation: 0, userns: 0 };
    Call::mount_setattr(Slot(0), true, &attr).perform(&slots)?;
    let flags = (libc::MS_NODEV | libc::MS_NOSUID | libc::MS_NOEXEC) as u32;
    let options = t(c"size=64m,mode=755");
    Call::mount(Arg::Null, Arg::Str(t(c"/tmp")), t(c"tmpfs"), flags, options).perform(&slots)?;
    assert_eq!(fs::mkdir(fs::CWD, t(c"/dev/shm/outside"), 0o755), Err(Errno::EROFS));
    let scratch = fs::open(fs::CWD, t(c"/tmp"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    fs::mkdir(scratch.as_fd(), t(c"canary"), 0o750)?;
    let file = fs::open(scratch.as_fd(), t(c"canary/file"), libc::O_WRONLY | libc::O_CREAT, 0o640)?;
    fs::write_all(file.as_fd(), b"alive")?;
    Call::chdir(t(c"/tmp")).perform(&slots)?;
    Ok(scratch)
}
