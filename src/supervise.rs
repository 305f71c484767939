//! The poll loop beside a running container: its end, signals, the terminal or pipes.

use crate::error::Error;
use crate::perform::TAKEN_OVER;
use crate::plan::{CHILD, MASTER, PIPES, SUPERVISOR};
use crate::spec::Process;
use crate::sys::call::Slots;
use crate::sys::name::t;
use crate::sys::process::{self, PollFd, Received};
use crate::sys::{Errno, OwnedFd, fs, socket, terminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::sys::process::{STDERR, STDIN, STDOUT};

/// The user's terminal, back in its old mode when this is dropped. Every signal but SIGKILL is blocked and read in
/// the loop, and a panic aborts only where none can be reached, so the drop is always reached.
pub struct Raw(Option<Box<terminal::Termios>>);

impl Raw {
    /// No terminal.
    pub const NONE: Self = Self(None);

    /// Once more: a shell that brings us to the foreground again may have changed the mode meanwhile.
    pub fn again(&self) {
        if let Some(termios) = &self.0 {
            let _ = terminal::set_attributes(STDIN, &termios.raw());
        }
    }

    /// Raw from now on.
    pub fn set() -> Self {
        let old = terminal::attributes(STDIN).ok().map(Box::new);
        if let Some(termios) = &old {
            let _ = terminal::set_attributes(STDIN, &termios.raw());
        }
        Self(old)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(termios) = &self.0
            && let Err(errno) = terminal::set_attributes(STDIN, termios)
        {
            let _ = fs::write_all(STDERR, &Error::sys(text!("restore the terminal"), t(c""), errno).text());
        }
    }
}

/// Bytes on their way from one descriptor to another.
pub struct Relay {
    from: Option<OwnedFd>,
    /// The other descriptor.
    pub to: Option<OwnedFd>,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// EIO from the source is its end: the other side is closed by all, or it was hung up, or is in the background.
    terminal: bool,
    /// Why what came could not be delivered.
    pub failed: Option<Errno>,
    /// What ends it when it is typed, and how much of that has come. It is held back meanwhile.
    pub keys: &'static [u8],
    seen: usize,
    /// All of it has.
    pub detached: bool,
}

/// A write of this size after POLLOUT does not block on a pipe (PIPE_BUF).
const CHUNK: usize = 4096;
/// The most that a container can make of a pipe (/proc/sys/fs/pipe-max-size).
pub const PIPE_MAX: usize = 1 << 20;

impl Relay {
    /// From the one to the other.
    pub fn new(from: Option<OwnedFd>, to: Option<OwnedFd>, terminal: bool) -> Self {
        // What has no source needs no room.
        let size = if from.is_some() { 8192 } else { 0 };
        Self { from, terminal, ..Self::sink(to, size) }
    }

    /// One whose source is packets.
    pub fn sink(to: Option<OwnedFd>, size: usize) -> Self {
        let buf = vec![0; size];
        let (from, failed) = (None, None);
        Self { from, to, buf, start: 0, end: 0, terminal: false, failed, keys: b"", seen: 0, detached: false }
    }

    /// A packet to be relayed; its first byte, which is not, says what it is. EPIPE at the end.
    pub fn receive(&mut self, from: BorrowedFd) -> Result<u8, Errno> {
        let count = socket::receive(from, &mut self.buf)?;
        let kind = self.buf.first().filter(|_| count > 0).ok_or(Errno::EPIPE)?;
        (self.start, self.end) = (1, count);
        Ok(*kind)
    }

    /// What is on its way.
    pub fn held(&self) -> &[u8] {
        self.buf.get(self.start..self.end.wrapping_sub(self.seen)).unwrap_or_default()
    }

    /// Whether anything is.
    pub fn is_holding(&self) -> bool {
        self.start < self.end.wrapping_sub(self.seen)
    }

    /// What to wait for: room for what is held, else something to read.
    pub fn poll(&self) -> PollFd {
        let (fd, events) = if self.is_holding() { (&self.to, libc::POLLOUT) } else { (&self.from, libc::POLLIN) };
        PollFd { fd: fd.as_ref().map_or(-1, AsRawFd::as_raw_fd), events, revents: 0 }
    }

    /// Moves what can be moved. False when the source has ended or the destination takes no more. A source that fails is an
    /// error: to whoever reads the rest it must not look like the end.
    pub fn turn(&mut self) -> Result<bool, Errno> {
        if !self.is_holding() {
            let Some(from) = &self.from else { return Ok(false) };
            // The beginning of the keys, if it was one.
            self.buf.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.seen);
            match fs::read(from.as_fd(), self.buf.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => return self.close(),
                Ok(count) => self.came(count),
                Err(Errno::EAGAIN) => return Ok(true),
                Err(Errno::EIO) if self.terminal => return self.close(),
                Err(errno) => return Err(errno),
            }
        }
        let Some(to) = &self.to else { return self.close() };
        let held = self.held();
        match fs::write(to.as_fd(), held.get(..CHUNK).unwrap_or(held)) {
            Ok(count) => self.start = self.start.wrapping_add(count),
            Err(Errno::EAGAIN) => {}
            // A reader that has gone is nobody's error: the command hears of it by SIGPIPE.
            Err(errno) => {
                self.failed = Some(errno).filter(|&errno| errno != Errno::EPIPE);
                return self.close();
            }
        }
        Ok(true)
    }

    /// Looks for the keys in what has just come.
    fn came(&mut self, count: usize) {
        let from = self.end;
        self.end = from.wrapping_add(count);
        if self.keys.is_empty() {
            return;
        }
        for index in from..self.end {
            let byte = self.buf.get(index);
            let next = [self.seen, 0].into_iter().find(|&seen| byte == self.keys.get(seen) && byte.is_some());
            self.seen = next.map_or(0, |seen| seen.wrapping_add(1));
            if self.seen > 0 && self.seen == self.keys.len() {
                // What stands before them still goes.
                self.end = index.wrapping_add(1).wrapping_sub(self.seen);
                (self.seen, self.from, self.detached) = (0, None, true);
                return;
            }
        }
    }

    /// Whether what is held could not be delivered: the destination is gone.
    fn is_refused(&self) -> bool {
        self.to.is_none() && self.is_holding()
    }

    fn close(&mut self) -> Result<bool, Errno> {
        (self.from, self.to) = (None, None);
        Ok(false)
    }

    /// The rest, when the command has ended: until the end of the source or until it holds nothing. At most what a pipe
    /// can hold: with --pid host something may go on writing.
    fn drain(&mut self) -> Result<(), Errno> {
        for _ in 0..PIPE_MAX / CHUNK * 2 {
            let next = self.poll();
            let timeout = if next.events == libc::POLLIN { Some(0) } else { None };
            if next.fd < 0 || process::poll(&mut [next], timeout)? == 0 || !self.turn()? {
                break;
            }
        }
        // What was not delivered is no success, whatever the command says.
        self.failed.map_or(Ok(()), Err)
    }
}

/// What the supervisor is asked for besides, and what it has learnt.
#[derive(Default)]
pub struct Watch {
    /// `--timeout`, in milliseconds from here on.
    pub timeout: Option<u64>,
    /// The signal that asks the container to end, and how long it may take to, in milliseconds.
    pub stop: (i32, u64),
    /// What the child says before it executes the command: input is the command's, and an older kernel's second try must
    /// find it.
    pub said: Option<Received>,
    /// What the container's process, and those that it has waited for, have used.
    pub usage: process::Usage,
    /// What leaves a terminal when it is typed.
    pub keys: &'static [u8],
    /// It was: the process goes on.
    pub detached: bool,
}

/// Waits for the container's process; relays meanwhile. Returns its exit code as a shell would report it, and 124, as
/// timeout(1), if it has not ended in time.
pub fn container(
    pid: i32,
    process: &Process,
    slots: &mut Slots,
    signals: &OwnedFd,
    watch: &mut Watch,
) -> Result<u8, Errno> {
    let raw = if process.tty && process.stdin { Raw::set() } else { Raw::NONE };
    let child = slots.take(CHILD);
    let mut relays = relays(process, slots)?;
    let [input, output, error] = &mut *relays;
    if process.tty {
        input.keys = watch.keys;
    }
    let mut hung_up = false;
    let mut late = false;
    // The signal that is sent next, and when.
    let mut alarm = watch.timeout.map(|timeout| (after(timeout), watch.stop.0));
    let mut early = input.from.is_some();
    loop {
        let mut begun = readable(None);
        let mut typed = input.poll();
        if early {
            typed.fd = -1;
            if watch.said.is_none() {
                begun.fd = slots.get(SUPERVISOR).as_raw_fd();
            }
        }
        let mut fds = [readable(Some(signals)), readable(child.as_ref()), begun, typed, output.poll(), error.poll()];
        process::poll(&mut fds, alarm.map(|(at, _)| until(at)))?;
        let [signal, ended, begun, from_user, from_output, from_error] = fds.map(|fd| fd.revents != 0);
        if begun {
            // The socket's end is that of the child's program.
            match process::receive(slots.get(SUPERVISOR))? {
                None => early = false,
                Some((TAKEN_OVER, _)) => {}
                failure => watch.said = failure,
            }
        }
        let mut pass = |signal| match signal {
            libc::SIGWINCH if process.tty => {
                if let Ok(size) = terminal::size(STDIN) {
                    let _ = terminal::set_size(slots.get(MASTER), &size);
                }
            }
            signal => _ = process::kill(pid, signal),
        };
        if signal && forward(signals, &raw, &mut pass) || ended {
            let (reaped, code) = process::wait_usage(pid, libc::WNOHANG, &mut watch.usage)?;
            if reaped != 0 {
                output.drain()?;
                error.drain()?;
                return Ok(if late { TIMED_OUT } else { code });
            }
        }
        let mut gone = from_user && !input.turn()? && input.failed.is_none();
        if input.detached && !input.is_holding() {
            watch.detached = true;
            return Ok(1);
        }
        // EIO: nobody in the container has its terminal open any more.
        if let Some(errno) = input.failed.filter(|&errno| errno != Errno::EIO || !process.tty) {
            return Err(errno);
        }
        for (ready, relay) in [(from_output, &mut *output), (from_error, &mut *error)] {
            gone |= ready && !relay.turn()? && relay.is_refused();
        }
        if gone && process.tty && !hung_up {
            // The user's terminal is gone; as a shell's children would, the container hears of it, and then ends.
            hung_up = true;
            alarm = Some((after(HANG_UP_GRACE), libc::SIGKILL));
            let _ = process::kill(pid, libc::SIGHUP);
        }
        if let Some((at, signal)) = alarm
            && until(at) == 0
        {
            late |= !hung_up;
            alarm = Some((after(watch.stop.1), libc::SIGKILL));
            let _ = process::kill(pid, signal);
        }
    }
}

/// What time it will be in so many milliseconds.
pub fn after(ms: u64) -> u64 {
    process::nanoseconds().saturating_add(ms.saturating_mul(1_000_000))
}

/// How many milliseconds it is until then: 0 only if it is then, or later.
pub fn until(at: u64) -> u64 {
    at.saturating_sub(process::nanoseconds()).div_ceil(1_000_000)
}

/// Waits for something to read, or nothing.
pub fn readable(fd: Option<&OwnedFd>) -> PollFd {
    PollFd { fd: fd.map_or(-1, AsRawFd::as_raw_fd), events: libc::POLLIN, revents: 0 }
}

/// The exit code of timeout(1).
pub const TIMED_OUT: u8 = 124;

/// How long a container may go on after its terminal was hung up, in milliseconds.
const HANG_UP_GRACE: u64 = 2000;

/// Input first, then the outputs.
fn relays(process: &Process, slots: &mut Slots) -> Result<Box<[Relay; 3]>, Errno> {
    let copy = |fd: BorrowedFd| fs::duplicate(fd).map(Some);
    // None where the child has failed before it could make one.
    if process.tty && !slots.is_empty(MASTER) {
        let master = slots.get(MASTER);
        let input = if process.stdin { copy(STDIN)? } else { None };
        return Ok(Box::new([
            Relay::new(input, copy(master)?, true),
            Relay::new(copy(master)?, copy(STDOUT)?, true),
            Relay::new(None, None, true),
        ]));
    }
    let [(stdin_w, _), (stdout_r, _), (stderr_r, _)] = PIPES;
    let ends = [slots.take(stdin_w), slots.take(stdout_r), slots.take(stderr_r)];
    for end in ends.iter().flatten() {
        terminal::set_nonblocking(end.as_fd())?;
    }
    let [input, output, error] = ends;
    let stdin = if input.is_some() { copy(STDIN)? } else { None };
    Ok(Box::new([
        Relay::new(stdin, input, false),
        Relay::new(output, copy(STDOUT)?, false),
        Relay::new(error, copy(STDERR)?, false),
    ]))
}

/// Reads the signals that came and passes them on to where they belong. True when a child has ended.
pub fn forward(signals: &OwnedFd, raw: &Raw, pass: &mut dyn FnMut(i32)) -> bool {
    let mut over = false;
    // struct signalfd_siginfo is 128 bytes: signal, errno, code, sender, and more.
    let mut info = [[0_u8; 4]; 32];
    while let Ok(128) = fs::read(signals.as_fd(), info.as_flattened_mut()) {
        let [signal, _, code, sender, ..] = info;
        let (code, sender) = (i32::from_ne_bytes(code), i32::from_ne_bytes(sender));
        // The kernel sends SIGPIPE in our own name.
        let ours = code == 0x80 || sender == process::pid();
        match i32::from_ne_bytes(signal) {
            libc::SIGCHLD => over = true,
            // A reader that has gone; a file that has reached the caller's limit.
            libc::SIGPIPE | libc::SIGXFSZ if ours => {}
            signal => {
                if signal == libc::SIGCONT {
                    raw.again();
                }
                pass(signal);
            }
        }
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_that_detach_are_held_back_and_found() {
        // What is typed at a time, what of it goes on, and whether that was all.
        let typed = |keys: &'static [u8], typed: &[&[u8]]| {
            let mut relay = Relay { keys, ..Relay::sink(None, 64) };
            let mut gone = Vec::new();
            for part in typed {
                relay.buf.copy_within(relay.start..relay.end, 0);
                (relay.start, relay.end) = (0, relay.seen);
                for (to, from) in relay.buf.iter_mut().skip(relay.end).zip(*part) {
                    *to = *from;
                }
                relay.came(part.len());
                gone.extend_from_slice(relay.held());
                relay.start = relay.start.wrapping_add(relay.held().len());
            }
            (String::from_utf8_lossy(&gone).into_owned(), relay.detached)
        };
        assert_eq!(typed(b"pq", &[b"abc", b"xpq"]), ("abcx".into(), true));
        assert_eq!(typed(b"pq", &[b"ap", b"b", b"p", b"p", b"q"]), ("apbp".into(), true));
        assert_eq!(typed(b"pq", &[b"ap"]), ("a".into(), false));
        assert_eq!(typed(b"x", &[b"1x2"]), ("1".into(), true));
        assert_eq!(typed(b"", &[b"ab", b"c"]), ("abc".into(), false));
    }
}
