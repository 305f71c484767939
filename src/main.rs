//! mydocker: a container runtime made of system calls. See docs/design.md.
#![cfg_attr(not(test), no_main)]
// The unit tests and the fuzzer have a main of their own, and what only the program's calls is unused there.
#![cfg_attr(any(test, fuzzing), allow(dead_code))]

// First, for its macro.
#[macro_use]
mod text;

mod assemble;
mod cgroup;
mod check;
mod cli;
mod copy;
mod devices;
mod diagnose;
#[allow(dead_code)]
mod diff;
mod error;
mod explain;
// Its first callers are on their way.
#[allow(dead_code)]
mod format;
#[cfg(any(test, fuzzing))]
#[path = "../tests/fuzz/targets.rs"]
mod fuzz;
mod host;
// Its commands are on their way.
#[allow(dead_code, unused_imports)]
mod image;
mod init;
// Its first callers are on their way.
#[allow(dead_code)]
mod json;
mod perform;
mod plan;
mod remove;
mod run;
mod sha256;
mod spec;
mod store;
mod supervise;
mod sys;
mod tar;
mod trace;
mod userns;
mod users;

use crate::error::{Error, Result};
use crate::sys::fs;
use crate::sys::name::{Text, t};
use crate::sys::process::{self, PollFd, STDERR, STDOUT};
use crate::text::{Message, is, keep, split};

const VERSION: &[u8] = concat!("mydocker ", env!("CARGO_PKG_VERSION"), "\n").as_bytes();

const COMMANDS: Message = text!("the commands are run, check, version and help");

/// The program: its exit code.
fn start(args: &'static [Text], secure: bool) -> i32 {
    open_standard_streams();
    match if secure { Err(refused()) } else { command(args) } {
        Ok(code) => i32::from(code),
        Err(error) => {
            let _ = fs::write_all(STDERR, &error.text());
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

fn command(args: &'static [Text]) -> Result<u8> {
    let Some((verb, rest)) = args.get(1..).and_then(|args| args.split_first()) else {
        return Err(Error::new(text!("no command"), &[]).hint(COMMANDS, &[]));
    };
    let word = verb.to_bytes();
    if is(word, "run") {
        return run::run(rest);
    }
    if is(word, "check") {
        return check::check(rest);
    }
    if is(word, "help --help -h") {
        return print(cli::MAIN.bytes());
    }
    if is(word, "version --version -V") {
        return print(VERSION);
    }
    let error = Error::new(text!("unknown command: %"), &[*verb]);
    Err(match cli::nearest(word, &mut split(b"run check help version", b' ').iter().map(|name| keep(name))) {
        Some(name) => error.hint(text!("did you mean `mydocker %`?"), &[name]),
        None => error.hint(COMMANDS, &[]),
    })
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
