//! A container's log: what it has written, line by line, with stream and time, in CRI's format
//!
//!     2026-11-24T07:00:00.000000042Z stdout F text
//!
//! P in place of F is a part of a line: one that is longer than a pipe's reader holds, or was never ended. The files are
//! `log`, and what `log` was before as `log.1`, `log.2`. Nothing that happens to the log is the container's failure.

use crate::cli::kind;
use crate::error::{Error, Result};
use crate::format::human::rfc3339;
use crate::spec::Text;
use crate::sys::errno::describe;
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::text::{Line, Push, is, keep, number, split_once};
use std::os::fd::{AsFd, BorrowedFd};

/// What stands before a line's text: the time, the stream and the tag, always so long.
pub const HEAD: usize = 40;
/// Of the time alone.
pub const TIME: usize = 30;
/// Where the head says whether the line is whole.
pub const TAG: usize = 38;
/// The longest text of a line; docker's.
pub const LONGEST: usize = 16 * 1024;
/// What is written at once: a chunk of the longest length as it comes from a pipe, with the heads of its lines. Never less
/// than a line.
const OUT: usize = 2 * LONGEST;

/// --log-opt: how large a log gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub size: u64,
    /// How many files.
    pub files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { size: 10 << 20, files: 3 }
    }
}

/// What --log-driver and --log-opt say; None for no log.
pub fn limits(driver: Option<Text>, options: &[Text]) -> Result<Option<Limits>> {
    let driver = driver.unwrap_or(t(c"json-file"));
    let mut limits = Limits::default();
    for &option in options {
        let (key, value) = split_once(option.to_bytes(), b'=').unwrap_or((option.to_bytes(), b""));
        let known = match key {
            b"max-size" => kind::bytes(value).filter(|&size| size > 0).map(|size| limits.size = size),
            b"max-file" => number(value).filter(|&files| files > 0).map(|files| limits.files = files),
            // Of what docker's drivers take besides, nothing changes what is logged.
            _ if is(key, "mode max-buffer-size compress labels labels-regex env env-regex tag") => Some(()),
            _ => return Err(Error::new(text!("unknown log opt '%' for % log driver"), &[keep(key), driver])),
        };
        if known.is_none() {
            return Err(Error::new(text!("--log-opt %: must be a number from 1, for max-size of bytes"), &[option]));
        }
    }
    Ok((driver != t(c"none")).then_some(limits))
}

/// `log`, `log.1`, … in a buffer that is used again.
pub fn file_name(number: u64, buf: &mut Line) -> Name<'_> {
    buf.clear();
    buf.put(b"log");
    if number > 0 {
        buf.put(b".").dec(number);
    }
    buf.put(b"\0");
    Name::with_nul(buf).unwrap_or_default()
}

/// A log that is being written. It allocates when it is opened, and never after.
pub struct Log<'a> {
    /// The container's directory.
    dir: BorrowedFd<'a>,
    limits: Limits,
    file: Option<OwnedFd>,
    /// Bytes in the file, all of them whole lines.
    size: u64,
    /// How many older files there are.
    older: u64,
    /// Lines to be written.
    out: Line,
    /// The time of the lines that come, without stream and tag; and the second that it has.
    head: Line,
    second: u64,
    /// Why lines are lost since the last that was written.
    lost: Option<Errno>,
    names: [Line; 2],
}

impl<'a> Log<'a> {
    /// Goes on with what is there.
    pub fn open(dir: BorrowedFd<'a>, limits: Limits) -> Self {
        let mut log = Self {
            dir,
            limits,
            file: None,
            size: 0,
            older: 0,
            out: Line::new(),
            head: Line::new(),
            second: u64::MAX,
            lost: None,
            names: [Line::new(), Line::new()],
        };
        log.out.reserve_exact(OUT);
        let [name, _] = &mut log.names;
        while fs::stat(dir, file_name(log.older.wrapping_add(1), name)).is_ok() {
            log.older = log.older.wrapping_add(1);
        }
        log.reopen();
        log
    }

    fn reopen(&mut self) {
        let [name, _] = &mut self.names;
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_APPEND;
        match fs::open(self.dir, file_name(0, name), flags, 0o600) {
            Ok(file) => {
                self.size = fs::fstat(file.as_fd()).map_or(0, |stat| stat.st_size as u64);
                let mut last = [b'\n'];
                let _ = fs::read_at(file.as_fd(), &mut last, self.size.wrapping_sub(1));
                // A machine that lost power may have left half a line.
                if last != *b"\n" && fs::write(file.as_fd(), b"\n").is_ok() {
                    self.size = self.size.wrapping_add(1);
                }
                self.file = Some(file);
            }
            Err(errno) => self.lost = Some(errno),
        }
    }

    /// Takes the whole lines of what a stream (1 or 2) has brought; of what is not ended what is too long, or with `end` all
    /// of it. Returns how many bytes that were.
    pub fn take(&mut self, stream: u8, bytes: &[u8], end: bool) -> usize {
        let mut rest = bytes;
        let mut stamped = false;
        while !rest.is_empty() {
            let (length, tag) = match rest.iter().position(|&byte| byte == b'\n') {
                Some(length) => (length, b'F'),
                None if end || rest.len() >= LONGEST => (rest.len().min(LONGEST), b'P'),
                None => break,
            };
            if !stamped {
                self.stamp();
                stamped = true;
            }
            let Some((text, after)) = rest.split_at_checked(length) else { break };
            self.line(stream, tag, text);
            rest = after.strip_prefix(b"\n").filter(|_| tag == b'F').unwrap_or(after);
        }
        self.flush();
        bytes.len().wrapping_sub(rest.len())
    }

    /// One reading of the clock is enough for what was read at once.
    fn stamp(&mut self) {
        let (second, nanoseconds) = process::now();
        if self.second != second {
            self.head.clear();
            rfc3339(second, &mut self.head);
            self.second = second;
        }
        self.head.truncate(19);
        self.head.put(b".").dec0(nanoseconds, 9).put(b"Z");
    }

    fn line(&mut self, stream: u8, tag: u8, text: &[u8]) {
        let length = text.len().wrapping_add(HEAD + 1);
        let held = self.size.wrapping_add(self.out.len() as u64);
        if held > 0 && held.wrapping_add(length as u64) > self.limits.size {
            self.flush();
            // Nothing is given up for a file that cannot be written to.
            if self.lost.is_none() {
                self.rotate();
            }
        }
        if self.out.len().wrapping_add(length) > OUT {
            self.flush();
        }
        if self.out.is_empty()
            && let Some(errno) = self.lost
        {
            self.say_lost(errno);
        }
        let stream: &[u8] = if stream == 2 { b" stderr " } else { b" stdout " };
        self.out.put(&self.head).put(stream).put(&[tag, b' ']).put(text).put(b"\n");
    }

    fn say_lost(&mut self, errno: Errno) {
        self.out.put(&self.head).put(b" stderr F ").say(text!("mydocker: lines are missing here: "));
        describe(errno, &mut self.out);
        self.out.put(b"\n");
    }

    /// One write, as a rule. What a full disk leaves of it that is no whole line is taken back.
    fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.reopen();
        }
        let Some(file) = &self.file else { return self.out.clear() };
        let mut went = 0_usize;
        let failed = loop {
            match fs::write(file.as_fd(), self.out.get(went..).unwrap_or_default()) {
                Ok(0) => break (went < self.out.len()).then_some(Errno::EIO),
                Ok(count) => went = went.wrapping_add(count),
                Err(errno) => break Some(errno),
            }
            if went >= self.out.len() {
                break None;
            }
        };
        if failed.is_some() {
            // That lines are missing is said when there is room for more than that.
            let whole = self.out.get(..went).unwrap_or_default().iter().rposition(|&byte| byte == b'\n');
            went = whole.filter(|_| self.lost.is_none()).map_or(0, |last| last.wrapping_add(1));
            let _ = fs::truncate(file.as_fd(), self.size.wrapping_add(went as u64));
        }
        self.size = self.size.wrapping_add(went as u64);
        self.lost = failed;
        self.out.clear();
    }

    /// The oldest file goes, each other is one older, and a new one begins.
    fn rotate(&mut self) {
        let [old, new] = &mut self.names;
        self.older = self.older.wrapping_add(1).min(self.limits.files.wrapping_sub(1));
        for number in (1..=self.older).rev() {
            let older = file_name(number, new);
            let _ = fs::rename(self.dir, file_name(number.wrapping_sub(1), old), self.dir, older, 0);
        }
        if self.limits.files == 1 {
            let _ = fs::unlink(self.dir, file_name(0, old));
        }
        self.file = None;
        self.size = 0;
    }

    /// The container has ended: that its last lines are lost is said, if there is room for it.
    pub fn end(&mut self) {
        if let Some(errno) = self.lost {
            self.stamp();
            self.say_lost(errno);
            self.flush();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)] // a test that fails
mod tests {
    use super::*;
    use std::fs as files;
    use std::path::{Path, PathBuf};

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mydocker-log-{}-{name}", std::process::id()));
            files::create_dir_all(&path).unwrap();
            Self(path)
        }
        fn open(&self) -> OwnedFd {
            files::File::open(&self.0).unwrap().into()
        }
        /// The texts of a file's lines, each behind its stream and tag.
        fn read(&self, name: &str) -> String {
            let text = files::read_to_string(self.0.join(name)).unwrap();
            text.split_inclusive('\n').map(|line| &line[TIME + 1..]).collect()
        }
        fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = files::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn lines_are_written_with_time_stream_and_tag() {
        let dir = Dir::new("lines");
        let fd = dir.open();
        let mut log = Log::open(fd.as_fd(), Limits::default());
        assert_eq!(log.take(1, b"one\n\nthr", false), 5);
        assert_eq!(log.take(2, b"error\n", false), 6);
        assert_eq!(log.take(1, b"three\r\n", false), 7);
        assert_eq!(log.take(1, b"no end", false), 0);
        assert_eq!(log.take(1, b"no end", true), 6);
        assert_eq!(dir.read("log"), "stdout F one\nstdout F \nstderr F error\nstdout F three\r\nstdout P no end\n");
        let text = files::read_to_string(dir.path().join("log")).unwrap();
        let line = text.lines().next().unwrap();
        assert_eq!((line.find(" stdout"), &line[TAG..HEAD]), (Some(TIME), "F "));
        let now = process::now();
        let written = crate::time::parse(&line.as_bytes()[..TIME], 0).unwrap();
        assert!((now.0 - 5) * crate::time::SECOND < written && written <= now.0 * crate::time::SECOND + now.1);
    }

    #[test]
    fn what_is_too_long_comes_in_parts() {
        let dir = Dir::new("long");
        let fd = dir.open();
        let mut log = Log::open(fd.as_fd(), Limits::default());
        let long = vec![b'x'; LONGEST];
        assert_eq!(log.take(1, &long[1..], false), 0);
        assert_eq!(log.take(1, &long, false), LONGEST);
        assert_eq!(log.take(1, b"yy\n", false), 3);
        let long = String::from_utf8(long).unwrap();
        assert_eq!(dir.read("log"), format!("stdout P {long}\nstdout F yy\n"));
    }

    #[test]
    fn files_are_rotated_at_the_ends_of_lines() {
        let dir = Dir::new("rotate");
        let fd = dir.open();
        // Three lines of 50 bytes a file.
        let mut log = Log::open(fd.as_fd(), Limits { size: 150, files: 3 });
        for number in 100..111 {
            log.take(1, format!("number{number}\n").as_bytes(), false);
        }
        assert_eq!(dir.read("log"), "stdout F number109\nstdout F number110\n");
        assert_eq!(dir.read("log.1"), "stdout F number106\nstdout F number107\nstdout F number108\n");
        assert_eq!(dir.read("log.2"), "stdout F number103\nstdout F number104\nstdout F number105\n");
        assert!(!dir.path().join("log.3").exists());
        // It goes on where it was, also in the middle of what comes at once; a line that is larger than a file is one.
        let mut log = Log::open(fd.as_fd(), Limits { size: 150, files: 3 });
        let long = "x".repeat(200);
        log.take(2, format!("number111\nnumber112\n{long}\n").as_bytes(), false);
        assert_eq!(dir.read("log"), format!("stderr F {long}\n"));
        assert_eq!(dir.read("log.1"), "stderr F number112\n");
        assert_eq!(dir.read("log.2"), "stdout F number109\nstdout F number110\nstderr F number111\n");
    }

    #[test]
    fn a_single_file_begins_anew() {
        let dir = Dir::new("single");
        let fd = dir.open();
        let mut log = Log::open(fd.as_fd(), Limits { size: 100, files: 1 });
        log.take(1, b"number101\nnumber102\nnumber103\n", false);
        assert_eq!(dir.read("log"), "stdout F number103\n");
        assert_eq!(files::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn half_a_line_that_was_left_is_ended() {
        let dir = Dir::new("half");
        let fd = dir.open();
        files::write(dir.path().join("log"), "2026-").unwrap();
        let mut log = Log::open(fd.as_fd(), Limits::default());
        log.take(1, b"next\n", false);
        let text = files::read_to_string(dir.path().join("log")).unwrap();
        assert!(text.starts_with("2026-\n20") && text.ends_with("stdout F next\n"), "{text}");
    }

    #[test]
    fn what_a_log_may_be_is_read_as_docker_reads_it() {
        let options = |options: &[&str]| {
            let options: Vec<Text> = options.iter().map(|option| keep(option.as_bytes())).collect();
            limits(None, &options).map_err(|error| String::from_utf8_lossy(&error.text()).into_owned())
        };
        assert_eq!(options(&[]), Ok(Some(Limits { size: 10_485_760, files: 3 })));
        assert_eq!(options(&["max-size=1k", "max-file=7"]), Ok(Some(Limits { size: 1024, files: 7 })));
        assert_eq!(options(&["mode=non-blocking", "labels=a,b"]), Ok(Some(Limits::default())));
        for wrong in ["max-size=0", "max-size=", "max-size", "max-file=0", "max-file=-1", "size=10m"] {
            let said = options(&[wrong]).unwrap_err();
            assert!(said.contains("log") && said.contains(wrong.split('=').next().unwrap()), "{said}");
        }
        assert!(matches!(limits(Some(t(c"none")), &[]), Ok(None)));
    }
}
