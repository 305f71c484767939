//! Stopping all that runs in a container, and letting it go on: the freezer of cgroups.
//!
//! v2: a file of each cgroup, and the kernel says when all below it stand still; SIGKILL ends what is frozen. v1: a
//! hierarchy of its own, in which a container gets a cgroup only while it is paused. There a frozen process does not even
//! die before it is thawed. So who kills has to thaw afterwards, or would wait for ever.

use super::{FREEZER, Layout, PAGE, list, path, write};
use crate::supervise::{after, until};
use crate::sys::name::Text;
use crate::sys::{Errno, fs, process};
use crate::text::below;
use std::os::fd::{AsFd, AsRawFd};

type Done = Result<(), Errno>;

/// A process in uninterruptible sleep, as on a network file system that is gone, cannot be frozen.
const PATIENCE: u64 = 8000;

/// Whether a container is frozen, or about to be. The kernel's word: no file of ours could be as true.
pub fn is_frozen(layout: &Layout, id: Text) -> bool {
    layout.find(FREEZER).is_some_and(|freezer| {
        let file = if freezer.unified { "cgroup.freeze" } else { "freezer.state" };
        // FREEZING and FROZEN, against THAWED.
        matches!(fs::read_file(below(path(freezer.path, id), file), PAGE), Ok([b'1' | b'F', ..]))
    })
}

/// Freezes all processes of a container; when it returns none of them runs. ENOENT: it is in no cgroup. EBUSY: one could
/// not be frozen, and so all of them run.
pub fn freeze(layout: &Layout, id: Text) -> Done {
    let deadline = after(PATIENCE);
    let freezer = layout.find(FREEZER).ok_or(Errno::ENOENT)?;
    let cgroup = path(freezer.path, id);
    let frozen = if freezer.unified {
        write(below(cgroup, "cgroup.freeze"), b"1")?;
        settle(cgroup, deadline)
    } else {
        let from = layout.joined(id).ok_or(Errno::ENOENT)?;
        match fs::mkdir(fs::CWD, cgroup, 0o755) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
        write(below(cgroup, "freezer.state"), b"FROZEN")
            .and_then(|()| gather(from, cgroup, deadline))
            .and_then(|()| stand_still(cgroup, deadline))
    };
    if frozen.is_err() {
        let _ = thaw(layout, id);
    }
    frozen
}

/// Lets them go on. Fine if they do.
pub fn thaw(layout: &Layout, id: Text) -> Done {
    let freezer = layout.find(FREEZER).ok_or(Errno::ENOENT)?;
    let cgroup = path(freezer.path, id);
    let file = if freezer.unified { "cgroup.freeze" } else { "freezer.state" };
    match write(below(cgroup, file), if freezer.unified { b"0" } else { b"THAWED" }) {
        Err(Errno::ENOENT) => return Ok(()),
        done => done?,
    }
    if freezer.unified {
        return Ok(());
    }
    let deadline = after(PATIENCE);
    loop {
        // Back to where all are that nobody freezes: the container ends without knowing of this cgroup.
        for pid in list(cgroup) {
            let _ = write(below(freezer.path, "cgroup.procs"), pid);
        }
        match fs::rmdir(fs::CWD, cgroup) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            // What was forked meanwhile.
            Err(errno) if until(deadline) == 0 => return Err(errno),
            Err(_) => _ = process::poll(&mut [], Some(1)),
        }
    }
}

/// v2: until cgroup.events says `frozen 1`; a change of that file is an event for poll.
fn settle(cgroup: Text, deadline: u64) -> Done {
    let events = fs::open(fs::CWD, below(cgroup, "cgroup.events"), libc::O_RDONLY, 0)?;
    loop {
        // Read first: what it says then is what has changed when poll returns.
        fs::rewind(events.as_fd())?;
        let text = fs::read_all(events.as_fd(), PAGE)?;
        if text.windows(8).any(|word| word == b"frozen 1") {
            return Ok(());
        }
        let rest = until(deadline);
        let mut fds = [process::PollFd { fd: events.as_raw_fd(), events: libc::POLLPRI, revents: 0 }];
        if rest == 0 {
            return Err(Errno::EBUSY);
        }
        process::poll(&mut fds, Some(rest))?;
    }
}

/// v1: moves all that is in or below `from` into `to`, until a look finds nobody outside. `to` is frozen: who has been
/// moved forks no more, and what was forked before or while being moved is in `from`'s list, or was born in `to`.
pub fn gather(from: Text, to: Text, deadline: u64) -> Done {
    loop {
        let there = list(to);
        let mut moved = false;
        let mut result = Ok(());
        super::each_process(from, &mut |pid| {
            if !there.contains(&pid) && result.is_ok() {
                moved = true;
                // ESRCH: it has ended.
                result = write(below(to, "cgroup.procs"), pid)
                    .or_else(|errno| if errno == Errno::ESRCH { Ok(()) } else { Err(errno) });
            }
        });
        if result.is_err() || !moved {
            return result;
        }
        if until(deadline) == 0 {
            return Err(Errno::EBUSY);
        }
    }
}

/// v1: until all stand still. Nothing tells when; reading the state is what makes the kernel look.
fn stand_still(cgroup: Text, deadline: u64) -> Done {
    let mut pause = 1_u64;
    while !fs::read_file(below(cgroup, "freezer.state"), PAGE)?.starts_with(b"FROZEN") {
        if until(deadline) == 0 {
            return Err(Errno::EBUSY);
        }
        let _ = process::poll(&mut [], Some(pause));
        pause = pause.wrapping_mul(2).min(50);
    }
    Ok(())
}
