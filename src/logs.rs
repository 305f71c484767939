//! `mydocker logs`: a container's log, from its oldest file to its newest, and on as it grows.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::keep::place;
use crate::log::{HEAD, TAG, TIME, file_name};
use crate::record::{Kind, Record, now};
use crate::supervise::readable;
use crate::sys::name::t;
use crate::sys::process::{self, PollFd, STDERR, STDOUT};
use crate::sys::{Errno, OwnedFd, fs, socket};
use crate::text::{Line, Push, keep, number};
use crate::time;
use std::os::fd::{AsFd, BorrowedFd};

/// What a system call answered.
type Done<T> = core::result::Result<T, Errno>;

/// The command.
pub fn logs(given: &Given) -> Result<u8> {
    let now = now();
    let time = |flag: &str| match given.value(flag) {
        None => Ok(None),
        Some(text) => match time::parse(text.to_bytes(), now) {
            Some(time) => Ok(Some(time)),
            None => Err(Error::new(
                text!("invalid value for \"%\": failed to parse value as time or duration: \"%\""),
                &[keep(flag.as_bytes()), text],
            )
            .hint(text!("2026-11-24T07:00:00Z, seconds since 1970, or a duration before now such as 10m"), &[])),
        },
    };
    let (since, end) = (time("since")?, time("until")?);
    let follow = given.has("follow");
    // Not to run after what is being written meanwhile.
    let end = if follow { end } else { Some(end.unwrap_or(now).min(now)) };
    let record = given.store()?.find(given.word())?;
    if record.kind == Kind::Foreground || record.options()?.life.log_driver == Some(t(c"none")) {
        return Err(Error::new(text!("container % has no log"), &[record.known_as()])
            .hint(text!("one of `run -d`, `create` or `run --keep` has, without --log-driver none"), &[]));
    }
    let stamp = |time: u64| {
        let mut line = Line::new();
        time::rfc3339_nano(time, &mut line);
        line
    };
    let mut printer = Printer {
        since: since.map(stamp),
        until: end.map(stamp),
        timestamps: given.has("timestamps"),
        parts: [false; 2],
        error: false,
        out: Line::new(),
    };
    printer.out.reserve_exact(ROOM);
    // docker's: what is no number, or a negative one, is all.
    let tail = given.value("tail").and_then(|tail| number(tail.to_bytes()));
    match print(&record, tail, follow, end, &mut printer) {
        // As the signal would have it, which the caller may have had ignored.
        Err(Errno::EPIPE) => Ok(128 | libc::SIGPIPE as u8),
        other => other.map(|()| 0).map_err(|errno| Error::sys(text!("show the log of"), record.known_as(), errno)),
    }
}

/// What of a log is shown, and how.
struct Printer {
    since: Option<Line>,
    until: Option<Line>,
    timestamps: bool,
    /// What came last of each stream was a part of a line.
    parts: [bool; 2],
    /// What is to be written is standard error's.
    error: bool,
    out: Line,
}

impl Printer {
    /// False where all that follows is too late.
    fn line(&mut self, line: &[u8]) -> Done<bool> {
        // What is no line of ours is what a machine has left that lost its power.
        let Some((head, text)) = line.split_at_checked(HEAD).filter(|(head, _)| head.get(TIME) == Some(&b' ')) else {
            return Ok(true);
        };
        let time = head.get(..TIME).unwrap_or_default();
        if self.until.as_ref().is_some_and(|until| time > until.as_slice()) {
            return Ok(false);
        }
        if self.since.as_ref().is_some_and(|since| time < since.as_slice()) {
            return Ok(true);
        }
        let error = head.ends_with(b"stderr F ") || head.ends_with(b"stderr P ");
        let part = is_part(head);
        if error != self.error || self.out.len() > ROOM / 2 {
            self.flush()?;
            self.error = error;
        }
        let [output, errors] = &mut self.parts;
        let within = core::mem::replace(if error { errors } else { output }, part);
        if self.timestamps && !within {
            self.out.put(time).put(b" ");
        }
        self.out.put(text);
        if !part {
            self.out.put(b"\n");
        }
        Ok(true)
    }

    fn flush(&mut self) -> Done<()> {
        let done = fs::write_all(if self.error { STDERR } else { STDOUT }, &self.out);
        self.out.clear();
        done
    }
}

fn is_part(head: &[u8]) -> bool {
    head.get(TAG) == Some(&b'P')
}

/// More than two lines.
const ROOM: usize = 64 * 1024;

/// The files of a log. It may be read for days, so that nothing is allocated twice.
struct Files<'a> {
    dir: BorrowedFd<'a>,
    buf: Vec<u8>,
    name: Line,
}

/// What a file's neighbour is.
enum Next {
    File(OwnedFd),
    /// There is none.
    None,
    /// The file itself is no longer there.
    Gone,
}

impl Files<'_> {
    /// Each whole line from there on; `at` is then behind the last that `act` got. False where it wants no more.
    fn each_line(&mut self, file: &OwnedFd, at: &mut u64, act: &mut dyn FnMut(&[u8]) -> Done<bool>) -> Done<bool> {
        loop {
            let got = fs::read_at(file.as_fd(), &mut self.buf, *at)?;
            let mut rest = self.buf.get(..got).unwrap_or_default();
            while let Some(length) = rest.iter().position(|&byte| byte == b'\n') {
                let Some((line, after)) = rest.split_at_checked(length) else { break };
                rest = after.get(1..).unwrap_or_default();
                *at = at.wrapping_add(length as u64).wrapping_add(1);
                if !act(line)? {
                    return Ok(false);
                }
            }
            if rest.len() == got {
                if got < ROOM {
                    return Ok(true);
                }
                // No line of ours is so long.
                *at = at.wrapping_add(got as u64);
            }
        }
    }

    /// Where the last `wanted` lines of a file begin, and how many there are. A part at the end of the newest is one.
    fn last(&mut self, file: &OwnedFd, wanted: u64, newest: bool) -> Done<(u64, u64)> {
        let size = fs::fstat(file.as_fd())?.st_size as u64;
        let mut window = ROOM as u64;
        loop {
            let mut start = size.saturating_sub(window);
            let whole = start == 0;
            if !whole {
                // To the end of the line that this is in the middle of.
                self.each_line(file, &mut start, &mut |_| Ok(false))?;
            }
            let (mut count, mut part) = (0_u64, false);
            let mut at = start;
            self.each_line(file, &mut at, &mut |line| {
                part = is_part(line);
                count = count.wrapping_add(u64::from(!part));
                Ok(true)
            })?;
            count = count.wrapping_add(u64::from(part && newest));
            // Not the first of them, which may have begun before.
            if count > wanted || whole {
                let mut skip = count.saturating_sub(wanted);
                if skip > 0 {
                    self.each_line(file, &mut start, &mut |line| {
                        skip = skip.wrapping_sub(u64::from(!is_part(line)));
                        Ok(skip > 0)
                    })?;
                }
                return Ok((if wanted == 0 { at } else { start }, count.min(wanted)));
            }
            window = window.saturating_mul(8);
        }
    }

    fn open(&mut self, number: u64) -> Done<OwnedFd> {
        fs::open(self.dir, file_name(number, &mut self.name), libc::O_RDONLY, 0)
    }

    fn is(&mut self, number: u64, file: u64) -> Done<bool> {
        Ok(identity(&self.open(number)?)? == file)
    }

    /// The next older file, or the next newer, though files become older meanwhile, from the oldest on.
    fn neighbour(&mut self, file: &OwnedFd, older: bool) -> Done<Next> {
        let own = identity(file)?;
        let (mut at, mut missing) = (0_u64, 0_u64);
        // While they are renamed one number is missing.
        while missing < 2 {
            match self.is(at, own) {
                Ok(true) => {
                    let wanted = if older { at.checked_add(1) } else { at.checked_sub(1) };
                    let next = wanted.map_or(Err(Errno::ENOENT), |wanted| self.open(wanted));
                    if self.is(at, own) == Ok(true) {
                        return match next {
                            Ok(next) => Ok(Next::File(next)),
                            Err(Errno::ENOENT) => Ok(Next::None),
                            Err(errno) => Err(errno),
                        };
                    }
                    // It has become older meanwhile: it is looked for anew.
                    (at, missing) = (0, 0);
                    continue;
                }
                Ok(false) => missing = 0,
                Err(_) => missing = missing.wrapping_add(1),
            }
            at = at.wrapping_add(1);
        }
        Ok(Next::Gone)
    }

    /// The newest file; None where there is none yet.
    fn newest(&mut self) -> Done<Option<OwnedFd>> {
        match self.open(0) {
            Err(Errno::ENOENT) => match self.open(1) {
                Err(Errno::ENOENT) => Ok(None),
                file => file.map(Some),
            },
            file => file.map(Some),
        }
    }

    /// The file that the last lines begin in, and where; all lines where no number is wanted.
    fn start(&mut self, tail: Option<u64>) -> Done<Option<(OwnedFd, u64)>> {
        let Some(mut file) = self.newest()? else { return Ok(None) };
        let (mut wanted, mut newest) = (tail.unwrap_or(u64::MAX), true);
        loop {
            let (at, count) = if tail.is_some() { self.last(&file, wanted, newest)? } else { (0, 0) };
            (wanted, newest) = (wanted.wrapping_sub(count), false);
            match if wanted == 0 { Next::None } else { self.neighbour(&file, true)? } {
                Next::File(older) => file = older,
                _ => return Ok(Some((file, at))),
            }
        }
    }
}

fn identity(file: &OwnedFd) -> Done<u64> {
    fs::fstat(file.as_fd()).map(|stat| fs::identity(&stat))
}

/// Until the log's end; with `follow` until the container's, or the time is over.
fn print(record: &Record, tail: Option<u64>, follow: bool, end: Option<u64>, printer: &mut Printer) -> Done<()> {
    let dir = record.dir.as_fd();
    let mut files = Files { dir, buf: vec![0; ROOM], name: Line::new() };
    let mask = libc::IN_MODIFY | ELSE;
    let watch = if follow { socket::watch(place(dir), mask).ok() } else { None };
    // Before it is read, so that what it has written at its end is.
    let mut state = record.state();
    let mut reading = files.start(tail)?;
    loop {
        if reading.is_none() {
            reading = files.start(None)?;
        }
        if let Some((file, at)) = &mut reading {
            let mut more = files.each_line(file, at, &mut |line| printer.line(line))?;
            let next = files.neighbour(file, false)?;
            if more && !matches!(next, Next::None) {
                // Nothing is written to it any more, but something may have been.
                more = files.each_line(file, at, &mut |line| printer.line(line))?;
            }
            if !more {
                return printer.flush();
            }
            match next {
                Next::File(next) => {
                    reading = Some((next, 0));
                    continue;
                }
                Next::Gone => {
                    reading = files.start(None)?;
                    continue;
                }
                Next::None => {}
            }
        }
        printer.flush()?;
        if !follow || !state.is_live() || end.is_some_and(|end| now() >= end) {
            return Ok(());
        }
        if wait(watch.as_ref(), state.supervisor, end)? {
            state = record.state();
        }
    }
}

/// What else than a longer file there may be in the container's directory.
const ELSE: u32 = libc::IN_CREATE | libc::IN_MOVED_TO | libc::IN_DELETE;

/// Until something in the container's directory changes, its supervisor has ended, or nobody reads what is printed. Whether
/// that may be the container's end.
fn wait(watch: Option<&OwnedFd>, supervisor: i32, end: Option<u64>) -> Done<bool> {
    let supervisor = process::open_process(supervisor).ok();
    let reader = PollFd { fd: 1, events: 0, revents: 0 };
    let mut fds = [readable(watch), readable(supervisor.as_ref()), reader];
    // Where one cannot be told, one looks.
    let blind = (watch.is_none() || supervisor.is_none()).then_some(200);
    let left = end.map(|end| end.saturating_sub(now()).div_ceil(1_000_000));
    process::poll(&mut fds, blind.into_iter().chain(left).min())?;
    let [changed, ended, reader] = fds.map(|fd| fd.revents);
    if reader & (libc::POLLERR | libc::POLLHUP) != 0 {
        return Err(Errno::EPIPE);
    }
    let mut other = blind.is_some() || ended != 0;
    if let Some(watch) = watch.filter(|_| changed != 0) {
        let mut events = [0; 4096];
        while let Ok(got) = fs::read(watch.as_fd(), &mut events) {
            // struct inotify_event: which watch, what, a number, and the length of the name behind it.
            let mut rest = events.get(..got).unwrap_or_default();
            while let Some(&[_, _, _, _, a, b, c, d, _, _, _, _, e, f, g, h]) = rest.first_chunk() {
                other |= u32::from_ne_bytes([a, b, c, d]) & !libc::IN_MODIFY != 0;
                let name = u32::from_ne_bytes([e, f, g, h]) as usize;
                rest = rest.get(name.wrapping_add(16)..).unwrap_or_default();
            }
        }
    }
    Ok(other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test that fails
mod tests {
    use super::*;

    fn printer(timestamps: bool) -> Printer {
        Printer { since: None, until: None, timestamps, parts: [false; 2], error: false, out: Line::new() }
    }

    #[test]
    fn a_line_in_parts_is_one_and_what_is_no_line_is_left_out() {
        let mut printer = printer(true);
        for line in [
            "2026-11-24T07:00:00.000000001Z stdout P a",
            "2026-11-24T07:00:00.000000002Z stdout F b",
            "2026-11-24T07:00:00.000000003Z stdout F ",
            "2026-",
            "",
            "2026-11-24T07:00:00.000000004Z_stdout F x",
            "2026-11-24T07:00:00.000000005Z stdout F c",
        ] {
            assert_eq!(printer.line(line.as_bytes()), Ok(true));
        }
        let text = String::from_utf8_lossy(&printer.out).replace("2026-11-24T07:00:00.00000000", "");
        assert_eq!(text, "1Z ab\n3Z \n5Z c\n");
    }

    #[test]
    fn the_last_lines_begin_where_the_one_before_them_has_ended() {
        let path = std::env::temp_dir().join(format!("mydocker-logs-{}", std::process::id()));
        let line = |tag: &str, text: &str| format!("2026-11-24T07:00:00.000000001Z stdout {tag} {text}\n");
        // Long enough that the window begins in the middle of something, also of a line in parts.
        let long = "x".repeat(16 * 1024);
        let mut text = String::new();
        for _ in 0..9 {
            text += &line("P", &long);
        }
        text += &line("F", "end");
        let parts = text.len() as u64;
        for number in 0..5 {
            text += &line("F", &number.to_string());
        }
        text += &line("P", "part");
        std::fs::write(&path, &text).unwrap();
        let file: OwnedFd = std::fs::File::open(&path).unwrap().into();
        std::fs::remove_file(&path).unwrap();
        let mut files = Files { dir: fs::CWD, buf: vec![0; ROOM], name: Line::new() };
        let short = line("F", "0").len() as u64;
        for (wanted, newest, expected) in [
            (0, true, (text.len() as u64, 0)),
            (1, true, (parts + short * 5, 1)),
            (2, true, (parts + short * 4, 2)),
            (6, true, (parts, 6)),
            (7, true, (0, 7)),
            (9, true, (0, 7)),
            (1, false, (parts + short * 4, 1)),
        ] {
            assert_eq!(files.last(&file, wanted, newest), Ok(expected), "{wanted} {newest}");
        }
    }
}
