//! The client's side of `keep`: this terminal, or these streams, are a container's.

use crate::cgroup::{self, freezer};
use crate::cli::Given;
use crate::error::{Error, Result};
use crate::keep::{CODE, END, OPEN, SIGNAL, TERMINAL, address};
use crate::log::LONGEST;
use crate::record::Status;
use crate::supervise::{Raw, Relay, forward, readable};
use crate::sys::name::{Text, t};
use crate::sys::process::{self, STDERR, STDIN, STDOUT};
use crate::sys::{Errno, OwnedFd, fs, socket, terminal};
use crate::text::{Message, split};
use std::os::fd::{AsFd, BorrowedFd};

/// How somebody attaches.
pub struct Attach {
    /// Standard input is the container's.
    pub stdin: bool,
    /// Without a terminal, signals are the container's.
    pub proxy: bool,
    /// What is on its screen is drawn again.
    pub redraw: bool,
    /// The keys that detach from a terminal.
    pub keys: &'static [u8],
}

impl Default for Attach {
    fn default() -> Self {
        Self { stdin: false, proxy: true, redraw: false, keys: KEYS }
    }
}

/// `mydocker attach`.
pub fn attach(given: &Given) -> Result<u8> {
    let keys = given.value("detach-keys").map_or(Ok(KEYS), keys)?;
    let store = given.store()?;
    let record = store.find(given.word())?;
    let no = match record.state().status {
        Status::Running if freezer::is_frozen(&cgroup::everywhere(store.rootless), record.id) => {
            text!("You cannot attach to a paused container, unpause it first")
        }
        Status::Running => Message::NONE,
        Status::Restarting => text!("You cannot attach to a restarting container, wait until it is running"),
        _ => text!("You cannot attach to a stopped container, start it first"),
    };
    if !no.is_empty() {
        return Err(Error::new(no, &[]));
    }
    let socket = socket::connect(address(record.dir.as_fd())).map_err(|errno| {
        Error::sys(text!("attach to container"), record.known_as(), errno)
            .hint(text!("one that was started by `run` without -d and --keep has its caller's streams"), &[])
    })?;
    let proxy = given.value("sig-proxy").is_none() || given.has("sig-proxy");
    match client(&socket, &Attach { stdin: !given.has("no-stdin"), proxy, redraw: true, keys })? {
        Some(code) => Ok(code),
        None => Err(Error::new(text!("read escape sequence"), &[]).code(1)),
    }
}

/// docker's: ctrl-p,ctrl-q.
pub const KEYS: &[u8] = &[0x10, 0x11];

/// --detach-keys: letters, and ctrl- with a letter or one of @[\]^_ .
pub fn keys(typed: Text) -> Result<&'static [u8]> {
    let key = |word: &[u8]| match *word {
        [key] => Some(key),
        [b'c', b't', b'r', b'l', b'-', key @ (b'@'..=b'_' | b'a'..=b'z')] => Some(key & 0x1f),
        _ => None,
    };
    let keys: Option<Vec<u8>> = split(typed.to_bytes(), b',').iter().map(|word| key(word)).collect();
    match keys {
        Some(keys) => Ok(keys.leak()),
        None => Err(Error::new(text!("invalid detach keys (%) provided"), &[typed])
            .hint(text!("letters, or ctrl- with one of a-z @ [ \\ ] ^ _, with commas between"), &[])),
    }
}

/// Until the container has ended: its exit code; or until this side has detached: None.
pub fn client(socket: &OwnedFd, wants: &Attach) -> Result<Option<u8>> {
    relay(socket, wants).map_err(|errno| match errno {
        Errno::ENOTTY => Error::new(text!("the input device is not a TTY"), &[]),
        Errno::EPIPE => Error::new(text!("the container's supervisor has hung up"), &[])
            .hint(text!("it has ended, or what it said was not read for too long"), &[]),
        errno => Error::sys(text!("relay the container's streams"), t(c""), errno),
    })
}

fn relay(socket: &OwnedFd, wants: &Attach) -> core::result::Result<Option<u8>, Errno> {
    let ([flags, ..], input) = process::receive(socket.as_fd())?.ok_or(Errno::EPIPE)?;
    let tty = flags & TERMINAL != 0;
    let copy = |fd: BorrowedFd| fs::duplicate(fd).map(Some);
    let master = match &input {
        Some(master) if tty => copy(master.as_fd())?,
        _ => None,
    };
    let from = if wants.stdin && flags & OPEN != 0 { copy(STDIN)? } else { None };
    if tty && from.is_some() && !terminal::is_terminal(STDIN) {
        return Err(Errno::ENOTTY);
    }
    let mut signals = None;
    if tty || wants.proxy {
        process::block_signals()?;
        signals = Some(process::signal_fd()?);
    }
    let raw = if from.is_some() && tty { Raw::set() } else { Raw::NONE };
    let resize = |other: bool| {
        if let (Some(master), Ok(size)) = (&master, terminal::size(STDIN).or_else(|_| terminal::size(STDOUT))) {
            let _ = terminal::set_size(master.as_fd(), &if other { size.other() } else { size });
        }
    };
    if wants.redraw {
        resize(true);
    }
    resize(false);
    let mut input = Relay::new(from, input, tty);
    input.keys = if tty { wants.keys } else { b"" };
    let (mut output, mut current) = (Relay::sink(copy(STDOUT)?, LONGEST.wrapping_add(1)), 1);
    let mut other = copy(STDERR)?;
    let mut fatal = None;
    loop {
        let listens = Some(socket).filter(|_| !output.is_holding());
        let mut fds = [readable(signals.as_ref()), readable(listens), input.poll(), output.poll()];
        process::poll(&mut fds, None)?;
        let [signalled, said, from_user, to_user] = fds.map(|fd| fd.revents != 0);
        if let Some(signals) = signals.as_ref().filter(|_| signalled) {
            forward(signals, &raw, &mut |signal| match signal {
                libc::SIGWINCH if tty => resize(false),
                signal if !tty => _ = socket::send(socket.as_fd(), SIGNAL, &[signal as u8]),
                libc::SIGHUP | libc::SIGINT | libc::SIGQUIT | libc::SIGTERM => fatal = Some(128 | signal as u8),
                _ => {}
            });
        }
        if fatal.is_some() {
            return Ok(fatal);
        }
        if from_user {
            let more = input.turn()?;
            if input.detached && !input.is_holding() {
                return Ok(None);
            }
            if !more {
                let _ = socket::send(socket.as_fd(), END, &[]);
            }
        }
        if said {
            let kind = output.receive(socket.as_fd())?;
            if let (CODE, &[code]) = (kind, output.held()) {
                return Ok(Some(code));
            }
            if kind != current {
                core::mem::swap(&mut output.to, &mut other);
                current = kind;
            }
        }
        if (said || to_user) && !output.turn()? {
            // The reader has gone: as the signal would have it.
            return output.failed.map_or(Ok(Some(128 | libc::SIGPIPE as u8)), Err);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::keep;

    #[test]
    fn detach_keys_are_letters_and_control_characters() {
        let read = |typed: &str| keys(keep(typed.as_bytes())).ok();
        assert_eq!(read("ctrl-p,ctrl-q"), Some(KEYS));
        assert_eq!(read("a,ctrl-@,ctrl-[,ctrl-_"), Some(&[b'a', 0, 27, 31][..]));
        for wrong in ["ctrl-", "ctrl-pp", "shift-a", "", "a,", "ctrl-1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
