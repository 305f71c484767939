//! How a container is, as its directory says it: written whole at each change, by the supervisor while there is one.

use super::{Done, NEW, STATE, read, replace, stays};
use crate::sys::process;
use crate::text::{Line, Push, keep, number, split};
use std::os::fd::BorrowedFd;

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
pub(super) const UNKNOWN: u8 = 255;

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

    pub(super) fn text(&self) -> Line {
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
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
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

/// What a container's directory says without a look at its lock.
pub(super) fn written(dir: BorrowedFd) -> State {
    still_written(dir).unwrap_or(State::NEW)
}

/// The same; None where the container has none, as one that has been removed meanwhile.
pub(super) fn still_written(dir: BorrowedFd) -> Option<State> {
    read(dir, STATE).ok().and_then(|text| State::parse(split(text, b'\n').first()?))
}

/// Writes a state.
pub fn write(dir: BorrowedFd, state: &State) -> Done<()> {
    if state.status == Status::Exited { write_end(dir, state) } else { replace(dir, keep(&state.text()), NEW, STATE) }
}

/// Writes the state after an end. Whoever waits for that learns the exit code by the name that goes, even where all is removed
/// before it can look.
pub fn write_end(dir: BorrowedFd, state: &State) -> Done<()> {
    let mut new = Line::new();
    new.put(ENDED).dec(u64::from(state.code));
    replace(dir, keep(&state.text()), keep(&new), STATE)
}

/// See `write_end`.
const ENDED: &[u8] = b".ended-";

/// The exit code, if that is the name of a file that becomes the state of an ended container.
pub fn code_in(name: &[u8]) -> Option<u8> {
    name.strip_prefix(ENDED).and_then(number).map(|code| code as u8)
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
