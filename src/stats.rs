//! `stats`: what containers use, from their cgroups, and from /proc where a cgroup does not count it.

use crate::cgroup::{self, Layout};
use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::{self, View, human};
use crate::inspect::decimal;
use crate::json::write;
use crate::ps::{Shown, short};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::process::{self, STDOUT, Side};
use crate::sys::{OwnedFd, fs, terminal};
use crate::text::{Line, Message, Push, below, filled, keep, number, split, split_once};
use crate::{system, top};
use std::os::fd::AsFd;

const VIEW: View = View {
    quiet: Message::NONE,
    table: text!(
        "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
    ),
    headers: text!(
        "ID=CONTAINER ID\nCPUPerc=CPU %\nMemUsage=MEM USAGE / LIMIT\nMemPerc=MEM %\nNetIO=NET I/O\nBlockIO=BLOCK I/O\nPIDs=PIDS"
    ),
};

/// What a container has used, all 0 where it does not run.
#[derive(Default, Clone, Copy)]
struct Used {
    /// When that was, in microseconds.
    at: u64,
    /// Microseconds.
    cpu: u64,
    memory: u64,
    limit: u64,
    /// Bytes received and sent.
    net: (u64, u64),
    /// Bytes read and written.
    block: (u64, u64),
    pids: u64,
}

/// `mydocker stats`.
pub fn stats(given: &Given) -> Result<u8> {
    let store = given.store()?;
    // A word that names nothing is an error before anything is shown.
    for &word in given.words {
        store.find(word)?;
    }
    let failed = |errno| Error::sys(text!("look at the containers"), t(c""), errno);
    // Or there would be no child to wait for.
    process::default_action(libc::SIGCHLD).map_err(failed)?;
    let (mut before, mut first) = (Vec::new(), true);
    loop {
        // Each look is another process's: what it has read and written is never given back, and this may go on for days.
        let (read, write) = process::pipe().map_err(failed)?;
        let pid = match process::clone(0).map_err(failed)? {
            Side::Parent(pid, _) => pid,
            Side::Child => process::exit(look(given, &store, &before, first, write).unwrap_or_else(|error| {
                let error = given.command.failed(error);
                error.print();
                error.exit_code()
            })),
        };
        drop(write);
        before.clear();
        loop {
            before.reserve(4096);
            if fs::read_more(read.as_fd(), &mut before).map_err(failed)? == 0 {
                break;
            }
        }
        let (_, code) = process::wait(pid, 0).map_err(failed)?;
        let shown = !first || before.is_empty();
        if code != 0 || shown && given.has("no-stream") {
            return Ok(code);
        }
        first = false;
        let _ = process::poll(&mut [], Some(1000));
    }
}

/// One look at all, which is shown unless it is the first: what part of a processor was used is known when it was looked at
/// twice. What the next look is to know of this one goes into `to`: a line a container, of its id, the time, and the time of
/// processors.
fn look(given: &Given, store: &Store, before: &[u8], first: bool, to: OwnedFd) -> Result<u8> {
    let layout = cgroup::everywhere(store.rootless);
    let screen = !given.has("no-stream") && terminal::is_terminal(STDOUT);
    let (mut now, mut rows) = (Line::new(), Vec::new());
    for shown in wanted(given, store) {
        let (id, used) = (shown.record.id, used(&layout, shown));
        let earlier = split(before, b'\n').iter().map(|line| split(line, b' ')).find_map(|line| match *line {
            [of, at, cpu] if of == id.to_bytes() => {
                Some(Used { at: number(at)?, cpu: number(cpu)?, ..Used::default() })
            }
            _ => None,
        });
        let earlier = earlier.map_or(0, |earlier| share(&earlier, &used));
        rows.push(row(shown, &used, earlier, given.has("no-trunc")));
        now.put(id.to_bytes()).put(b" ").dec(used.at).put(b" ").dec(used.cpu).put(b"\n");
    }
    if !first || rows.is_empty() {
        if screen {
            // Home, and what was there is gone.
            crate::print(b"\x1b[H\x1b[2J")?;
        }
        format::list(given.value("format"), false, &VIEW, &rows)?;
    }
    let _ = fs::write_all(to.as_fd(), &now);
    Ok(0)
}

/// Hundredths of a percent of a processor.
fn share(before: &Used, now: &Used) -> u64 {
    let time = now.at.saturating_sub(before.at).max(1);
    now.cpu.saturating_sub(before.cpu).saturating_mul(10_000).checked_div(time).unwrap_or(0)
}

/// Those that were named, or all that run, or with -a all.
fn wanted(given: &Given, store: &Store) -> Vec<&'static Shown> {
    let mut wanted = Shown::all(store);
    if given.words.is_empty() {
        wanted.retain(|shown| given.has("all") || shown.runs());
        return wanted;
    }
    wanted.clear();
    for &word in given.words {
        if let Ok(record) = store.find(word) {
            wanted.push(Shown::new(store, record));
        }
    }
    wanted
}

fn pair((one, other): (u64, u64), digits: usize, step: u64) -> Text {
    filled("% / %", &[human::size(one, digits, step), human::size(other, digits, step)])
}

/// A percentage of hundredths, or of a whole.
fn percent(part: u64, whole: u64) -> Text {
    let mut line = Line::new();
    human::fraction(part.saturating_mul(100), whole, 2, &mut line);
    keep(line.put(b"%"))
}

fn row(shown: &Shown, now: &Used, cpu: u64, whole: bool) -> Text {
    let id = if whole { shown.record.id } else { short(shown.record.id) };
    write::object(
        text!("BlockIO CPUPerc Container ID MemPerc MemUsage Name NetIO PIDs"),
        &[
            pair(now.block, 3, 1000),
            percent(cpu, 10_000),
            id,
            id,
            percent(now.memory, now.limit),
            pair((now.memory, now.limit), 4, 1024),
            shown.record.name,
            pair(now.net, 3, 1000),
            decimal(now.pids),
        ],
    )
}

/// A number that is alone in a file.
fn value(dir: Text, file: &str) -> Option<u64> {
    number(fs::read_file(below(dir, file), 64).ok()?.trim_ascii())
}

fn used(layout: &Layout, shown: &Shown) -> Used {
    let mut used = Used { at: process::nanoseconds() / 1000, ..Used::default() };
    if shown.state.pid == 0 || !shown.runs() {
        return used;
    }
    let (mut cpu, mut memory, mut limit) = (None, None, None);
    for hierarchy in &layout.hierarchies {
        let path = cgroup::path(hierarchy.path, shown.record.id);
        cpu = cpu.or_else(|| cgroup::keyed(path, "cpu.stat", b"usage_usec"));
        cpu = cpu.or_else(|| value(path, "cpuacct.usage").map(|time| time / 1000));
        // Without what is only cached and can go at once, as docker has it.
        let with_cache =
            |file, key| Some(value(path, file)?.saturating_sub(cgroup::keyed(path, "memory.stat", key).unwrap_or(0)));
        memory = memory.or_else(|| with_cache("memory.current", b"inactive_file"));
        memory = memory.or_else(|| with_cache("memory.usage_in_bytes", b"total_inactive_file"));
        limit = limit.or_else(|| value(path, "memory.max")).or_else(|| value(path, "memory.limit_in_bytes"));
    }
    let mut counted = Counted::default();
    for pid in top::processes(layout, shown.record.id, shown.state.pid) {
        counted.add(pid);
    }
    used.cpu = cpu.unwrap_or(counted.cpu);
    used.memory = memory.unwrap_or(counted.memory);
    used.limit = limit.unwrap_or(u64::MAX).min(system::memory());
    (used.block, used.pids) = (counted.block, counted.threads);
    if !shown.options.spec.share.net {
        used.net = network(shown.state.pid);
    }
    used
}

/// What /proc knows of processes.
#[derive(Default)]
struct Counted {
    /// Microseconds.
    cpu: u64,
    memory: u64,
    block: (u64, u64),
    threads: u64,
}

impl Counted {
    fn add(&mut self, pid: Text) {
        let read = |file| fs::read_file(filled("/proc/%/%", &[pid, file]), 4096).unwrap_or_default();
        let fields = system::stat(read(t(c"stat")));
        let field = |index: usize| fields.get(index).and_then(|field| number(field)).unwrap_or(0);
        // utime, stime, and those of children that were waited for; in ticks, of which USER_HZ is 100 everywhere.
        let ticks = [11, 12, 13, 14].iter().fold(0, |ticks: u64, &index| ticks.wrapping_add(field(index)));
        self.cpu = self.cpu.wrapping_add(ticks.wrapping_mul(10_000));
        self.threads = self.threads.wrapping_add(field(17));
        self.memory = self.memory.wrapping_add(field(21).wrapping_mul(4096));
        let io = read(t(c"io"));
        let count =
            |name: &[u8]| split(io, b'\n').iter().find_map(|line| number(line.strip_prefix(name)?)).unwrap_or(0);
        let (read, written) = self.block;
        self.block = (read.wrapping_add(count(b"read_bytes: ")), written.wrapping_add(count(b"write_bytes: ")));
    }
}

/// What went through the interfaces of a process's network, but for lo.
fn network(pid: i32) -> (u64, u64) {
    let table = fs::read_file(filled("/proc/%/net/dev", &[decimal(pid as u64)]), 1 << 16).unwrap_or_default();
    split(table, b'\n').iter().fold((0, 0), |(received, sent), line| {
        let Some((name, counts)) = split_once(line, b':') else { return (received, sent) };
        let counts: Vec<u64> = split(counts, b' ').iter().filter_map(|word| number(word)).collect();
        match *counts {
            [more_received, _, _, _, _, _, _, _, more_sent, ..] if name.trim_ascii() != b"lo" => {
                (more_received.wrapping_add(received), more_sent.wrapping_add(sent))
            }
            _ => (received, sent),
        }
    })
}
