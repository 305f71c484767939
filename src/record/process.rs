//! A container's processes: its first, and the one that has executed its command.

use super::state::{State, Status};
use super::{Done, Record};
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::{OwnedFd, fs, process};
use crate::text::{Line, Push, keep, number, split};

impl Record {
    /// The process that has executed the container's command: its PID 1, or with --init the child of that. Before it has, its
    /// PID 1 may still be in the host's namespaces, and see the host's root.
    pub fn command(&self) -> Result<(OwnedFd, i32)> {
        let (init, state) = self.init()?;
        let found = command_of(state.pid).and_then(|pid| {
            let process = if pid == state.pid { init } else { open_process(pid).ok()? };
            (command_of(state.pid) == Some(pid)).then_some((process, pid))
        });
        found.ok_or_else(|| self.not_running())
    }

    /// What is said where it has to run.
    pub fn not_running(&self) -> Error {
        Error::new(text!("container % is not running"), &[self.known_as()])
    }

    /// The process that is its PID 1, as a descriptor that cannot come to mean another, with the state that names it.
    pub fn init(&self) -> Result<(OwnedFd, State)> {
        let state = self.state();
        let found = (state.status == Status::Running).then(|| open_process(state.pid).ok()).flatten();
        // The number could be another's by now: the descriptor was opened before this second look.
        match found.filter(|_| {
            self.state() == state && stat_of(state.pid).is_some_and(|(parent, _)| parent == state.supervisor)
        }) {
            Some(fd) => Ok((fd, state)),
            None => Err(self.not_running()),
        }
    }
}

/// A pidfd; before Linux 5.3 its directory in /proc, which is of no other process either.
fn open_process(pid: i32) -> Done<OwnedFd> {
    process::open_process(pid)
        .or_else(|_| fs::open(fs::CWD, of_process(pid, b""), libc::O_RDONLY | libc::O_DIRECTORY, 0))
}

/// The path of what /proc has of a process.
pub(super) fn of_process(pid: i32, file: &[u8]) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/").dec(pid as u64).put(file))
}

/// A file of a process in /proc.
fn file_of(pid: i32, file: &str, limit: usize) -> Option<&'static [u8]> {
    fs::read_file(of_process(pid, file.as_bytes()), limit).ok()
}

/// The parent of a process, and whether it has executed anything since it was forked.
fn stat_of(pid: i32) -> Option<(i32, bool)> {
    const FORKED: u64 = 0x40; // PF_FORKNOEXEC
    // pid (comm) state ppid pgrp session tty_nr tpgid flags: comm may hold anything.
    let behind = file_of(pid, "/stat", 4096)?.rsplit(|&byte| byte == b')').next()?;
    let words = split(behind.trim_ascii(), b' ');
    let number_at = |index: usize| words.get(index).and_then(|word| number(word));
    Some((number_at(1)? as i32, number_at(6)? & FORKED == 0))
}

/// See `Record::command`.
fn command_of(init: i32) -> Option<i32> {
    if stat_of(init)?.1 {
        return Some(init);
    }
    let mut path = Line::new();
    path.put(b"/task/").dec(init as u64).put(b"/children");
    let children = file_of(init, core::str::from_utf8(&path).ok()?, 4096)?;
    let child = split(children, b' ').first().and_then(|word| number(word))? as i32;
    (stat_of(child)? == (init, true)).then_some(child)
}
