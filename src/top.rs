//! `top`: the processes of a container, as ps(1) prints them; from /proc, by no program of the host or the container.

use crate::cgroup::{self, Layout};
use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::{self, human};
use crate::inspect::decimal;
use crate::spec::Text;
use crate::sys::name::t;
use crate::sys::{fs, process};
use crate::system;
use crate::text::{Line, Push, filled, is, keep, number, split, split_once};
use std::os::fd::AsFd;

/// ps -ef, in which UID is a name.
const FULL: &str = "user=UID pid ppid c stime tty time cmd";
/// ps aux.
const USERS: &str = "user pid %cpu %mem vsz rss tty stat start time command";
/// What /proc/PID/stat has, in its order from the state on.
const FIELDS: &str = "s stat,ppid,pgid,sid,,,,,,,,,,,,,ni,nlwp";
/// What there is besides these.
const MORE: &str = "uid args comm pgid sid s nlwp ni";

/// `mydocker top CONTAINER [PS OPTIONS]`.
pub fn top(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let record = store.find(given.word())?;
    let (_, state) = record.init()?;
    let columns = columns(given.words.get(1..).unwrap_or_default())?;
    let pids = processes(&cgroup::everywhere(store.rootless), record.id, state.pid);
    let mut table = Line::new();
    for (index, (_, header)) in columns.iter().enumerate() {
        table.put(if index == 0 { b"" } else { b"\t" }).put(header.to_bytes());
    }
    for pid in pids {
        let Some(process) = Process::read(pid) else { continue };
        table.push(b'\n');
        for (index, &(column, _)) in columns.iter().enumerate() {
            table.put(if index == 0 { b"" } else { b"\t" });
            process.column(column, &mut table);
        }
    }
    crate::print(&format::aligned(&table, 20))
}

/// The pids of a container's processes: those in its cgroup; where it has none, PID 1 and all that come from it.
pub fn processes(layout: &Layout, id: Text, init: i32) -> Vec<Text> {
    let mut pids = Vec::new();
    if let Some(path) = layout.joined(id) {
        cgroup::each_process(path, &mut |pid| pids.push(keep(pid)));
        return pids;
    }
    let mut parents = Vec::new();
    let opened = fs::open(fs::CWD, t(c"/proc"), libc::O_RDONLY | libc::O_DIRECTORY, 0);
    let _ = opened.and_then(|proc| {
        let mut buf = fs::DirBuf::new();
        loop {
            let entries = fs::read_dir(proc.as_fd(), &mut buf)?;
            if entries.is_end() {
                return Ok(());
            }
            for (name, _) in entries {
                let pid = keep(name.to_bytes());
                let stat = fs::read_file(filled("/proc/%/stat", &[pid]), 4096).unwrap_or_default();
                parents.extend(system::stat(stat).get(1).map(|parent| (pid, *parent)));
            }
        }
    });
    pids.push(decimal(init as u64));
    // Again until nobody is found: a child's pid can be less than its parent's.
    let mut known = 0;
    while known != pids.len() {
        known = pids.len();
        for &(pid, parent) in &parents {
            if pids.iter().any(|found| found.to_bytes() == parent) && !pids.contains(&pid) {
                pids.push(pid);
            }
        }
    }
    pids
}

/// A column and its header.
type Column = (&'static [u8], Text);

/// Which ps would print: -ef, aux, or -o with a list.
fn columns(options: &'static [Text]) -> Result<Vec<Column>> {
    let (mut words, mut list) = (options.iter(), Vec::new());
    while let Some(&word) = words.next() {
        let letters = word.to_bytes();
        let letters = letters.strip_prefix(b"-").unwrap_or(letters);
        if let Some((_, after)) = split_once(letters, b'o').filter(|(before, _)| is_letters(before)) {
            let list_of = if after.is_empty() { words.next().copied().unwrap_or_default() } else { keep(after) };
            list.extend_from_slice(split(list_of.to_bytes(), b','));
        } else if !is_letters(letters) {
            return Err(Error::new(text!("top: % is not understood"), &[word]).hint(
                text!("there are -ef, aux and -o LIST of %, %"),
                &[keep(USERS.as_bytes()), keep(MORE.as_bytes())],
            ));
        } else if letters.contains(&b'u') {
            list = split(USERS.as_bytes(), b' ').to_vec();
        }
    }
    if list.is_empty() {
        list = split(FULL.as_bytes(), b' ').to_vec();
    }
    let mut columns = Vec::new();
    for column in list {
        let (name, header) = split_once(column, b'=').unwrap_or((column, b""));
        if !is(name, USERS) && !is(name, FULL) && !is(name, MORE) {
            return Err(Error::new(text!("top: there is no column %"), &[keep(name)])
                .hint(text!("there are %, %"), &[keep(USERS.as_bytes()), keep(MORE.as_bytes())]));
        }
        let header = match name {
            _ if !header.is_empty() => keep(header),
            b"comm" | b"args" => t(c"COMMAND"),
            _ => keep(&name.to_ascii_uppercase()),
        };
        columns.push((name, header));
    }
    if !columns.iter().any(|(name, _)| *name == b"pid") {
        return Err(Error::new(text!("Couldn't find PID field in ps output"), &[]));
    }
    Ok(columns)
}

/// ps' flags that change nothing here.
fn is_letters(word: &[u8]) -> bool {
    word.iter().all(|letter| b"aefuwx".contains(letter))
}

/// A process, as /proc has it.
struct Process {
    pid: Text,
    name: &'static [u8],
    fields: &'static [&'static [u8]],
    uid: &'static [u8],
    command: &'static [u8],
    /// When it was started, and how long ago, in seconds.
    started: u64,
    age: u64,
}

impl Process {
    fn read(pid: Text) -> Option<Self> {
        let read = |file: Text| fs::read_file(filled("/proc/%/%", &[pid, file]), 1 << 16).unwrap_or_default();
        let stat = read(t(c"stat"));
        let fields = system::stat(stat);
        let name = split_once(stat, b'(')?.1;
        let name = name.get(..name.iter().rposition(|&byte| byte == b')')?)?;
        let status = read(t(c"status"));
        // Real, effective, saved, file system.
        let uid = split(status, b'\n').iter().find_map(|line| line.strip_prefix(b"Uid:\t"))?;
        let uid = split(uid, b'\t').get(1)?;
        let boot = fs::read_file(t(c"/proc/stat"), 1 << 20).unwrap_or_default();
        let boot = split(boot, b'\n').iter().find_map(|line| number(line.strip_prefix(b"btime ")?)).unwrap_or(0);
        let started = boot.wrapping_add(number(fields.get(19)?)? / HZ);
        let age = process::now().0.saturating_sub(started);
        Some(Self { pid, name, fields, uid, command: read(t(c"cmdline")), started, age })
    }

    fn number(&self, index: usize) -> u64 {
        self.fields.get(index).and_then(|field| number(field)).unwrap_or(0)
    }

    /// One column of it.
    fn column(&self, column: &[u8], line: &mut Line) {
        let seconds = self.number(11).wrapping_add(self.number(12)) / HZ;
        if let Some(index) =
            split(FIELDS.as_bytes(), b',').iter().position(|names| split(names, b' ').contains(&column))
        {
            line.put(self.fields.get(index).copied().unwrap_or_default());
            return;
        }
        match column {
            b"pid" => line.put(self.pid.to_bytes()),
            b"uid" => line.put(self.uid),
            b"user" => line.put(user(self.uid)),
            b"comm" => line.safe(self.name),
            b"c" => line.dec(seconds.wrapping_mul(100).checked_div(self.age).unwrap_or(0)),
            b"%cpu" => {
                human::fraction(seconds.wrapping_mul(100), self.age, 1, line);
                line
            }
            b"%mem" => {
                human::fraction(self.number(21).wrapping_mul(4096 * 100), system::memory(), 1, line);
                line
            }
            b"vsz" => line.dec(self.number(20) / 1024),
            b"rss" => line.dec(self.number(21).wrapping_mul(4)),
            b"tty" => match self.number(4) {
                // Unix98 terminals: majors 136 to 143, of which each has 256.
                number if (136..144).contains(&(number >> 8 & 0xfff)) => {
                    line.put(b"pts/").dec((number >> 8 & 0xfff).wrapping_sub(136) << 8 | number & 0xff)
                }
                _ => line.put(b"?"),
            },
            b"stime" | b"start" => {
                let mut text = Line::new();
                human::rfc3339(self.started, &mut text);
                let hours = self.age < 86_400;
                line.put(text.get(if hours { 11..16 } else { 5..10 }).unwrap_or_default())
            }
            b"time" => {
                line.dec0(seconds / 3600, 2).put(b":").dec0(seconds / 60 % 60, 2).put(b":").dec0(seconds % 60, 2)
            }
            _ if self.command.is_empty() => line.put(b"[").safe(self.name).put(b"]"),
            _ => {
                let words = split(self.command.strip_suffix(b"\0").unwrap_or(self.command), 0);
                for (index, word) in words.iter().enumerate() {
                    line.put(if index == 0 { b"" } else { b" " }).safe(word);
                }
                line
            }
        };
    }
}

/// USER_HZ, in which the kernel counts for us.
const HZ: u64 = 100;

/// The name that the host has for a user.
fn user(uid: &'static [u8]) -> &'static [u8] {
    let table = fs::read_file(t(c"/etc/passwd"), 1 << 20).unwrap_or_default();
    let name = |line: &&'static [u8]| {
        let [name, _, id, ..] = *split(line, b':') else { return None };
        (id == uid).then_some(name)
    };
    split(table, b'\n').iter().find_map(name).unwrap_or(uid)
}
