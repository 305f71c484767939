//! How a container ends when somebody wants it to: `stop`, `restart`, `kill`, `rm -f`. All that were named at once, each in
//! its own time.
//!
//! Its first process gets a signal, and SIGKILL when the time is over. It has ended when nobody holds its directory's lock:
//! the kernel drops that with the supervisor, and the supervisor leaves when no process is left, no cgroup, and the state
//! is written. So SIGKILL of the supervisor, at whatever moment, is an end too.

use crate::cgroup::{self, Layout, freezer};
use crate::error::{Error, Result};
use crate::record::{Record, Status};
use crate::spec::Text;
use crate::store::Store;
use crate::supervise::{after, until};
use crate::sys::name::t;
use crate::sys::process::{self, PollFd};
use crate::sys::{OwnedFd, fs};
use crate::text::{Line, Push, keep};
use std::os::fd::{AsFd, AsRawFd};

/// How long the end may take after SIGKILL, in milliseconds: a process may be in the kernel, as with a disk that is slow.
const PATIENCE: u64 = 8000;

/// A container on its way to its end.
pub struct Ending {
    /// What it was called.
    pub word: Text,
    /// The container.
    pub record: Record,
    /// Why it has not ended, when that is known.
    pub error: Option<Error>,
    /// What its first process gets.
    signal: i32,
    /// When it gets SIGKILL, in the time of `after`; when it has got that, when nobody waits any longer.
    deadline: u64,
    killed: bool,
    /// The process that has got a signal.
    told: i32,
    /// It and the supervisor, as long as they live.
    init: Option<OwnedFd>,
    supervisor: Option<OwnedFd>,
    /// The supervisor was there, and is no more.
    alone: bool,
    watch: i32,
    /// It is to be looked at.
    news: bool,
    over: bool,
}

impl Ending {
    /// `grace` in milliseconds. Signal 0 is none: it only waits until nobody is beside one that has ended.
    pub fn new(word: Text, record: Record, signal: i32, grace: u64) -> Self {
        let killed = matches!(signal, 0 | libc::SIGKILL);
        let deadline = after(if killed { PATIENCE } else { grace });
        let (init, supervisor, error, alone, over) = (None, None, None, false, false);
        let (told, watch, news) = (0, -1, true);
        Self { word, record, error, signal, deadline, killed, told, init, supervisor, alone, watch, news, over }
    }

    /// Looks how it is, and does what there is to do.
    fn turn(&mut self, layout: &Layout) {
        self.news = false;
        if !self.record.is_attended() {
            self.over = true;
            return;
        }
        let state = self.record.written();
        if self.signal != 0 {
            // First this file, then the signal: who finds the container ended finds the file, and does not start it again.
            self.record.stop();
        } else if state.is_live() {
            self.error = Some(Error::new(text!("container % is running again"), &[self.record.known_as()]));
            self.over = true;
            return;
        }
        if self.supervisor.is_none() && !self.alone && state.supervisor != 0 {
            self.supervisor = process::open_process(state.supervisor).ok();
        }
        match state.status {
            Status::Running if self.told != state.pid => {
                // Not there any more: then there is other news.
                if let Ok((init, state)) = self.record.init() {
                    self.tell(&init, layout);
                    (self.init, self.told) = (Some(init), state.pid);
                }
            }
            // It waits before the next start. SIGURG is blocked there, and heard; anywhere else it does nothing.
            Status::Restarting => _ = self.supervisor.as_ref().map(|fd| process::signal(fd.as_fd(), libc::SIGURG)),
            _ => {}
        }
        if until(self.deadline) != 0 {
            return;
        }
        if self.killed {
            let mut pid = Line::new();
            let pieces = [self.record.known_as(), keep(pid.dec(state.supervisor as u64))];
            self.error = Some(Error::new(text!("container % does not end; process % is beside it"), &pieces));
            self.over = true;
            return;
        }
        (self.killed, self.signal, self.deadline) = (true, libc::SIGKILL, after(PATIENCE));
        if let Some(init) = &self.init {
            self.tell(init, layout);
        }
    }

    /// The signal is there before the process can run: v1's freezer holds even one that is killed, v2's one that is to end
    /// by itself.
    fn tell(&self, init: &OwnedFd, layout: &Layout) {
        let _ = process::signal(init.as_fd(), self.signal);
        if freezer::is_frozen(layout, self.record.id) {
            let _ = freezer::thaw(layout, self.record.id);
        }
    }
}

/// Ends them all; `said` hears of each, in their order, when it has ended.
pub fn end(store: &Store, list: &mut [Ending], said: &mut dyn FnMut(&mut Ending)) -> Result<()> {
    let failed = |errno| Error::sys(text!("watch the containers"), t(c""), errno);
    // One for all: a user may have 128 of them.
    let events = fs::inotify().map_err(failed)?;
    for ending in list.iter_mut() {
        ending.watch = fs::watch(events.as_fd(), ending.record.dir.as_fd()).unwrap_or(-1);
    }
    let layout = cgroup::everywhere(store.rootless);
    let mut next = 0_usize;
    loop {
        let mut fds = vec![readable(Some(&events))];
        let mut deadline = u64::MAX;
        for ending in list.iter_mut() {
            if ending.news || until(ending.deadline) == 0 {
                ending.turn(&layout);
            }
            let rest = if ending.over { [None, None] } else { [ending.init.as_ref(), ending.supervisor.as_ref()] };
            fds.extend(rest.map(readable));
            if !ending.over {
                // The lock goes a moment before its holder, but there may be others for a moment, and nothing tells when that
                // is over: who starts it, who has started it, who looks.
                let soon = ending.supervisor.is_none() || ending.watch < 0;
                deadline = deadline.min(if soon { after(20) } else { ending.deadline });
            }
        }
        while let Some(ending) = list.get_mut(next).filter(|ending| ending.over) {
            said(ending);
            next = next.wrapping_add(1);
        }
        if next == list.len() {
            // A supervisor that was killed meanwhile has left its container to who comes next.
            if list.iter().any(|ending| ending.error.is_none() && ending.record.written().is_live()) {
                store.sweep();
            }
            return Ok(());
        }
        process::poll(&mut fds, if deadline == u64::MAX { None } else { Some(until(deadline)) }).map_err(failed)?;
        let _ = fs::each_event(events.as_fd(), &mut |watch, _| {
            list.iter_mut().filter(|ending| ending.watch == watch).for_each(|ending| ending.news = true);
        });
        let fired = |index: usize| fds.get(index).is_some_and(|fd| fd.revents != 0);
        for (index, ending) in list.iter_mut().enumerate() {
            let at = index.wrapping_mul(2).wrapping_add(1);
            if fired(at) {
                ending.init = None;
            }
            if fired(at.wrapping_add(1)) {
                (ending.supervisor, ending.alone) = (None, true);
            }
            ending.news |= ending.supervisor.is_none() || fired(at) || ending.watch < 0;
        }
    }
}

/// For poll; -1 where there is none.
pub fn readable(fd: Option<&OwnedFd>) -> PollFd {
    PollFd { fd: fd.map_or(-1, AsRawFd::as_raw_fd), events: libc::POLLIN, revents: 0 }
}
