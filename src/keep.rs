//! The poll loop beside a container that is not in the foreground: its end, signals, its log.

use crate::plan::{CHILD, PIPES, SUPERVISOR};
use crate::spec::Process;
use crate::supervise::Watch;
use crate::sys::call::Slots;
use crate::sys::process::{self, PollFd};
use crate::sys::{Errno, OwnedFd, fs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// What stands beside it.
pub struct Beside<'a> {
    /// containers/ID.
    pub dir: BorrowedFd<'a>,
    /// Who is attached from the start: a socket of ours (see `attach`), before any output comes.
    pub client: Option<OwnedFd>,
    /// The command has been executed: this process is its pid.
    pub begun: &'a mut dyn FnMut(i32),
    /// The command has ended with this code; it has not been reaped yet, so its pid is still nobody else's.
    pub ended: &'a mut dyn FnMut(u8),
}

/// Waits for the container's process, and relays meanwhile. Its exit code as a shell would report it. `watch` gets what
/// the child says before it executes the command, if it fails, and what it has used.
pub fn container(
    pid: i32,
    _process: &Process,
    slots: &mut Slots,
    signals: &OwnedFd,
    watch: &mut Watch,
    beside: &mut Beside,
) -> Result<u8, Errno> {
    let child = slots.take(CHILD);
    let [_, (output, _), (error, _)] = PIPES;
    let outputs = [slots.take(output), slots.take(error)];
    let mut early = true;
    let mut buf = [0; 4096];
    loop {
        let wait = |fd: i32| PollFd { fd, events: libc::POLLIN, revents: 0 };
        let raw = |fd: Option<&OwnedFd>| fd.map_or(-1, AsRawFd::as_raw_fd);
        let [out, err] = &outputs;
        let begun = if early && watch.said.is_none() { slots.get(SUPERVISOR).as_raw_fd() } else { -1 };
        let mut fds = [
            wait(signals.as_raw_fd()),
            wait(raw(child.as_ref())),
            wait(begun),
            wait(raw(out.as_ref())),
            wait(raw(err.as_ref())),
        ];
        process::poll(&mut fds, None)?;
        let [signal, ended, begun, from_out, from_err] = fds.map(|fd| fd.revents != 0);
        if begun {
            match process::receive(slots.get(SUPERVISOR))? {
                None => {
                    early = false;
                    (beside.begun)(pid);
                }
                Some((crate::perform::TAKEN_OVER, _)) => {}
                failure => watch.said = failure,
            }
        }
        for (ready, fd) in [(from_out, out), (from_err, err)] {
            if let Some(fd) = fd.as_ref().filter(|_| ready) {
                let _ = fs::read(fd.as_fd(), &mut buf);
            }
        }
        let mut over = ended;
        while signal && fs::read(signals.as_fd(), &mut buf).is_ok() {
            over = true;
        }
        if over && let Some(code) = process::ended(pid)? {
            if !early {
                (beside.ended)(code);
            }
            let (_, code) = process::wait_usage(pid, 0, &mut watch.usage)?;
            return Ok(code);
        }
    }
}
