//! mydocker: a container runtime made of system calls. See docs/design.md.
#![cfg_attr(not(test), no_main)]
// The unit tests and the fuzzer have a main of their own, and what only the program's calls is unused there.
#![cfg_attr(any(test, fuzzing), allow(dead_code))]

// First, for its macro.
#[macro_use]
mod text;

mod assemble;
mod attach;
mod cgroup;
mod check;
mod cli;
mod commands;
mod commit;
mod completion;
mod control;
mod copy;
mod cp;
mod detach;
mod devices;
mod diagnose;
mod diff;
mod error;
mod exec;
mod explain;
mod export;
mod format;
#[cfg(any(test, fuzzing))]
#[path = "../tests/fuzz/targets.rs"]
mod fuzz;
mod host;
mod image;
mod images;
mod init;
mod inspect;
mod json;
mod keep;
mod load;
mod log;
mod logs;
mod perform;
mod plan;
mod ps;
mod record;
mod remove;
mod run;
mod save;
mod sha256;
mod spec;
mod stats;
mod store;
mod supervise;
mod sys;
mod system;
mod tar;
mod time;
mod top;
mod trace;
mod usage;
mod userns;
mod users;
mod view;
mod volumes;

use crate::error::{Error, Result};
use crate::sys::fs;
use crate::sys::name::{Text, t};
use crate::sys::process::{self, PollFd, STDOUT};

/// The program: its exit code.
fn start(args: &'static [Text], secure: bool) -> i32 {
    open_standard_streams();
    match if secure { Err(refused()) } else { commands::command(args.get(1..).unwrap_or_default()) } {
        Ok(code) => i32::from(code),
        Err(error) => {
            error.print();
            i32::from(error.exit_code())
        }
    }
}

/// As a set-user-ID program it would mount and read for anybody what only its owner may.
fn refused() -> Error {
    Error::new(
        text!("mydocker must not have more rights than its caller: it is set-user-ID, set-group-ID or has file capabilities"),
        &[],
    )
    .hint(text!("chmod ug-s, setcap -r; an ordinary user needs neither"), &[])
}

/// What was asked for, on standard output.
fn print(text: &[u8]) -> Result<u8> {
    match fs::write_all(STDOUT, text) {
        Ok(()) => Ok(0),
        Err(errno) => Err(Error::sys(text!("write to standard output"), t(c""), errno)),
    }
}

/// A caller may have closed some of 0, 1 and 2: the next file that is opened would become one of them.
fn open_standard_streams() {
    let mut fds = [0, 1, 2].map(|fd| PollFd { fd, events: 0, revents: 0 });
    if process::poll(&mut fds, Some(0)) == Ok(0) {
        return;
    }
    while fds.iter().any(|fd| fd.revents & libc::POLLNVAL != 0) {
        // The lowest free number is taken, so this fills the gaps in turn.
        match fs::open_kept(t(c"/dev/null")) {
            Ok(fd) if fd <= 2 => {}
            _ => return,
        }
        if process::poll(&mut fds, Some(0)).is_err() {
            return;
        }
    }
}
