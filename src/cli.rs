//! The command line: flags → Options. Pure but for the environment and the files that --env-file names.
//!
//! docker's names and meanings, each also with one dash (`-mem`, `-cpuset`: the seed's spellings). Flags stop at the
//! first word; all after it belongs to the command.

mod env;
mod help;
mod size;
mod volume;

pub use help::{MAIN, RUN};
pub use volume::absolute;

use crate::error::{Error, Result};
use crate::spec::{Limits, Mount, ResourceLimit, Share, Text};
use crate::text::{self, Line, keep};
use core::ffi::CStr;
use lexopt::{Arg, Parser};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What `run` was asked for.
pub struct Options {
    /// --help.
    pub help: bool,
    /// --explain.
    pub explain: bool,
    /// --trace-startup.
    pub trace: bool,
    /// --log-level is info or debug.
    pub log: bool,
    /// --root, or MYDOCKER_ROOT.
    pub root: Option<Text>,
    /// --rootfs.
    pub rootfs: Option<Text>,
    /// -i.
    pub stdin: bool,
    /// -t.
    pub tty: bool,
    /// --init.
    pub init: bool,
    /// --read-only.
    pub read_only: bool,
    /// -v, --mount and --tmpfs in the order given.
    pub mounts: Vec<Mount>,
    /// -e and --env-file, in docker's order: files first. None: taken from our own environment, if it is there.
    pub env: Vec<Text>,
    /// -w.
    pub cwd: Option<Text>,
    /// -u.
    pub user: Text,
    /// --hostname.
    pub hostname: Option<Text>,
    /// --name.
    pub name: Option<Text>,
    /// --entrypoint.
    pub entrypoint: Option<Text>,
    /// --ulimit.
    pub rlimits: Vec<ResourceLimit>,
    /// --shm-size.
    pub shm_size: u64,
    /// The limits.
    pub limits: Limits,
    /// --pid, --uts, --ipc, --net host.
    pub share: Share,
    /// The image, if there is one, and the command.
    pub words: Vec<Text>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Interactive,
    Tty,
    Volume,
    Mount,
    Tmpfs,
    ReadOnly,
    Env,
    EnvFile,
    Workdir,
    User,
    Hostname,
    Name,
    Rm,
    Entrypoint,
    Init,
    Memory,
    MemorySwap,
    Cpus,
    CpuPercent,
    CpuShares,
    CpusetCpus,
    CpusetMems,
    PidsLimit,
    Ulimit,
    ShmSize,
    StopSignal,
    Rootfs,
    Root,
    LogLevel,
    Explain,
    TraceStartup,
    Help,
    Pid,
    Uts,
    Ipc,
    Net,
}

/// Long name, short name, whether it takes a value.
const FLAGS: [(&str, char, bool, Flag); 39] = [
    ("interactive", 'i', false, Flag::Interactive),
    ("tty", 't', false, Flag::Tty),
    ("volume", 'v', true, Flag::Volume),
    ("mount", '\0', true, Flag::Mount),
    ("tmpfs", '\0', true, Flag::Tmpfs),
    ("read-only", '\0', false, Flag::ReadOnly),
    ("env", 'e', true, Flag::Env),
    ("env-file", '\0', true, Flag::EnvFile),
    ("workdir", 'w', true, Flag::Workdir),
    ("user", 'u', true, Flag::User),
    ("hostname", 'h', true, Flag::Hostname),
    ("name", '\0', true, Flag::Name),
    ("rm", '\0', false, Flag::Rm),
    ("entrypoint", '\0', true, Flag::Entrypoint),
    ("init", '\0', false, Flag::Init),
    ("memory", 'm', true, Flag::Memory),
    ("mem", '\0', true, Flag::Memory),
    ("memory-swap", '\0', true, Flag::MemorySwap),
    ("cpus", '\0', true, Flag::Cpus),
    ("cpu", '\0', true, Flag::CpuPercent),
    ("cpu-shares", 'c', true, Flag::CpuShares),
    ("cpuset-cpus", '\0', true, Flag::CpusetCpus),
    ("cpuset", '\0', true, Flag::CpusetCpus),
    ("cpuset-mems", '\0', true, Flag::CpusetMems),
    ("pids-limit", '\0', true, Flag::PidsLimit),
    ("ulimit", '\0', true, Flag::Ulimit),
    ("shm-size", '\0', true, Flag::ShmSize),
    ("stop-signal", '\0', true, Flag::StopSignal),
    ("rootfs", '\0', true, Flag::Rootfs),
    ("root", '\0', true, Flag::Root),
    ("log-level", 'l', true, Flag::LogLevel),
    ("explain", '\0', false, Flag::Explain),
    ("trace-startup", '\0', false, Flag::TraceStartup),
    ("help", '\0', false, Flag::Help),
    ("pid", '\0', true, Flag::Pid),
    ("uts", '\0', true, Flag::Uts),
    ("ipc", '\0', true, Flag::Ipc),
    ("net", '\0', true, Flag::Net),
    ("network", '\0', true, Flag::Net),
];

/// Parses what follows `run`.
pub fn run(args: &[&'static CStr]) -> Result<Options> {
    let mut options = Options {
        help: false,
        explain: false,
        trace: false,
        log: false,
        root: None,
        rootfs: None,
        stdin: false,
        tty: false,
        init: false,
        read_only: false,
        mounts: Vec::new(),
        env: Vec::new(),
        cwd: None,
        user: c"",
        hostname: None,
        name: None,
        entrypoint: None,
        rlimits: Vec::new(),
        shm_size: 64 << 20,
        limits: Limits::default(),
        share: Share::default(),
        words: Vec::new(),
    };
    let words = args.iter().map(|arg| OsString::from_vec(arg.to_bytes().to_vec()));
    let mut parser = Parser::from_args(words);
    let mut files = Vec::new();
    loop {
        let (flag, value) = match next(&mut parser)? {
            Word::Flag(flag, value) => (flag, value),
            Word::First(word) => {
                options.words.push(word);
                let rest = parser.raw_args().map_err(|_| Error::new("unreadable arguments", &[]))?;
                options.words.extend(rest.map(|word| keep(word.as_bytes())));
                break;
            }
            Word::End => break,
        };
        set(&mut options, &mut files, flag, value)?;
    }
    files.append(&mut options.env);
    options.env = files;
    finish(options)
}

enum Word {
    Flag(&'static str, Text),
    First(Text),
    End,
}

/// The next flag with its value ("true" or "false" for a switch).
fn next(parser: &mut Parser) -> Result<Word> {
    if let Some(word) = one_dash(parser) {
        let (name, value) = match text::split_once(word.to_bytes(), b'=') {
            Some((name, value)) => (name, Some(keep(value))),
            None => (word.to_bytes(), None),
        };
        let row = FLAGS.iter().find(|row| row.0.as_bytes() == name.get(1..).unwrap_or_default());
        if let Some(&(long, _, takes, _)) = row {
            return match value {
                Some(value) => Ok(Word::Flag(long, value)),
                None if takes => Ok(Word::Flag(long, value_of(parser, long)?)),
                None => Ok(Word::Flag(long, c"true")),
            };
        }
    }
    let mut short_form = false;
    let typed = match parser.next() {
        Ok(None) => return Ok(Word::End),
        Ok(Some(Arg::Value(word))) => return Ok(Word::First(keep(word.as_bytes()))),
        Ok(Some(Arg::Short(short))) => {
            short_form = true;
            let mut buf = [0; 4];
            let row = FLAGS.iter().find(|row| row.1 == short && short != '\0');
            row.ok_or_else(|| unknown(&[b"-", short.encode_utf8(&mut buf).as_bytes()].concat()))?
        }
        Ok(Some(Arg::Long(long))) => {
            let row = FLAGS.iter().find(|row| row.0 == long);
            row.ok_or_else(|| unknown(&[b"--", long.as_bytes()].concat()))?
        }
        Err(_) => return Err(Error::new("a flag was given a value that it does not take", &[]).hint("%", &[HELP])),
    };
    let &(long, _, takes, _) = typed;
    if takes {
        return Ok(Word::Flag(long, value_of(parser, long)?));
    }
    // Of -it the t is a flag, not the value of -i.
    let value = if short_form { None } else { parser.optional_value() };
    let value = value.map_or(c"true", |value| keep(value.as_bytes()));
    Ok(Word::Flag(long, value))
}

const HELP: &[u8] = b"mydocker run --help lists the flags";

/// Takes the next argument if it is a long flag with one dash.
fn one_dash(parser: &mut Parser) -> Option<Text> {
    let mut raw = parser.try_raw_args()?;
    let is_ours = |word: &OsStr| {
        let name = word.as_bytes().split(|&byte| byte == b'=').next().unwrap_or_default();
        FLAGS.iter().any(|row| name.strip_prefix(b"-") == Some(row.0.as_bytes()))
    };
    raw.next_if(is_ours).map(|word| keep(word.as_bytes()))
}

fn value_of(parser: &mut Parser, long: &str) -> Result<Text> {
    let value = parser.value().map_err(|_| Error::new("--% needs a value", &[long.as_bytes()]).hint("%", &[HELP]))?;
    Ok(keep(value.as_bytes()))
}

/// The nearest flag's name, if it is near: for typing errors.
fn unknown(typed: &[u8]) -> Error {
    let error = Error::new("unknown flag: %", &[typed]);
    let bare: Line = typed.iter().copied().skip_while(|&byte| byte == b'-').collect();
    match nearest(&bare, FLAGS.iter().map(|row| row.0)) {
        Some(name) => error.hint("did you mean --%?", &[name.as_bytes()]),
        None => error.hint("%", &[HELP]),
    }
}

/// The name at the smallest edit distance, where that is a typing error's.
pub fn nearest<'n>(typed: &[u8], names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = typed.len().wrapping_div(3).clamp(1, 3);
    names
        .map(|name| (distance(typed, name.as_bytes()), name))
        .min()
        .filter(|&(distance, _)| distance <= limit)
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        let mut left = i.saturating_add(1);
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let change = before.saturating_add(usize::from(x != y));
            before = *cell;
            left = change.min(left.saturating_add(1)).min(before.saturating_add(1));
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// An error that quotes the argument: "--flag value: what is wrong".
fn bad(flag: &str, value: Text, what: &[u8]) -> Error {
    Error::new("--% %: %", &[flag.as_bytes(), value.to_bytes(), what])
}

fn set(options: &mut Options, files: &mut Vec<Text>, long: &'static str, value: Text) -> Result<()> {
    let Some(&(_, _, _, flag)) = FLAGS.iter().find(|row| row.0 == long) else { return Ok(()) };
    let bytes = value.to_bytes();
    let switch = || match bytes {
        b"true" | b"1" => Ok(true),
        b"false" | b"0" => Ok(false),
        _ => Err(bad(long, value, b"is true or false")),
    };
    let size = || size::bytes(bytes).ok_or_else(|| bad(long, value, b"no size; use a number with b, k, m or g"));
    let host = |default: bool| match bytes {
        b"host" => Ok(true),
        b"private" | b"" if default => Ok(false),
        b"none" if flag == Flag::Net => Ok(false),
        _ if flag == Flag::Net => Err(bad(long, value, b"is none or host")),
        _ => Err(bad(long, value, b"is host or private")),
    };
    match flag {
        Flag::Interactive => options.stdin = switch()?,
        Flag::Tty => options.tty = switch()?,
        Flag::Volume => options.mounts.push(volume::volume(value)?),
        Flag::Mount => options.mounts.push(volume::mount(value)?),
        Flag::Tmpfs => options.mounts.push(volume::tmpfs(value)?),
        Flag::ReadOnly => options.read_only = switch()?,
        Flag::Env => options.env.extend(env::entry(bytes)?),
        Flag::EnvFile => env::file(value, files)?,
        Flag::Workdir => options.cwd = Some(value).filter(|path| !path.is_empty()),
        Flag::User => options.user = value,
        Flag::Hostname => options.hostname = Some(hostname(value)?),
        Flag::Name => options.name = Some(name(value)?),
        // A foreground container is always removed.
        Flag::Rm => drop(switch()?),
        Flag::Entrypoint => options.entrypoint = Some(value),
        Flag::Init => options.init = switch()?,
        Flag::Memory => options.limits.memory = Some(size()?).filter(|&bytes| bytes != 0),
        Flag::MemorySwap => {
            options.limits.memory_swap =
                Some(if bytes == b"-1" { u64::MAX } else { size()? }).filter(|&bytes| bytes != 0)
        }
        Flag::Cpus => options.limits.cpu_quota = cpus(value)?,
        Flag::CpuPercent => options.limits.cpu_quota = Some(percent(value)?),
        Flag::CpuShares => options.limits.cpu_shares = shares(value)?,
        Flag::CpusetCpus => options.limits.cpuset_cpus = Some(list(long, value)?),
        Flag::CpusetMems => options.limits.cpuset_mems = Some(list(long, value)?),
        Flag::PidsLimit => options.limits.pids = pids(value)?,
        Flag::Ulimit => options.rlimits.push(size::ulimit(value)?),
        // docker's 0 is the default.
        Flag::ShmSize => options.shm_size = Some(size()?).filter(|&size| size != 0).unwrap_or(64 << 20),
        Flag::StopSignal => size::signal(value)?,
        Flag::Rootfs => options.rootfs = Some(value),
        Flag::Root => options.root = Some(value),
        Flag::LogLevel => options.log = level(value)?,
        Flag::Explain => options.explain = switch()?,
        Flag::TraceStartup => options.trace = switch()?,
        Flag::Help => options.help = switch()?,
        Flag::Pid => options.share.pid = host(true)?,
        Flag::Uts => options.share.uts = host(true)?,
        Flag::Ipc => options.share.ipc = host(true)?,
        Flag::Net => options.share.net = host(false)?,
    }
    Ok(())
}

/// What concerns more than one flag.
fn finish(mut options: Options) -> Result<Options> {
    if options.help {
        return Ok(options);
    }
    if let Some(swap) = options.limits.memory_swap.filter(|&swap| swap != u64::MAX) {
        match options.limits.memory {
            None => return Err(Error::new("--memory-swap is memory and swap together: it needs --memory too", &[])),
            Some(memory) if swap < memory => {
                return Err(Error::new(
                    "--memory-swap is memory and swap together: it cannot be less than --memory",
                    &[],
                ));
            }
            Some(_) => {}
        }
    }
    if options.share.uts && options.hostname.is_some() {
        return Err(Error::new("--hostname cannot be set with --uts host: it is the host's own", &[]));
    }
    if let Some(cwd) = options.cwd {
        if !cwd.to_bytes().starts_with(b"/") {
            return Err(bad("workdir", cwd, b"the working directory is an absolute path"));
        }
        options.cwd = Some(keep(&volume::clean(cwd.to_bytes())));
    }
    volume::sort(&mut options.mounts)?;
    Ok(options)
}

fn hostname(value: Text) -> Result<Text> {
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let bytes = value.to_bytes();
    if bytes.is_empty() || bytes.len() > 64 || !bytes.iter().all(fine) {
        return Err(bad("hostname", value, b"a host name has 1 to 64 letters, digits, dots and hyphens"));
    }
    Ok(value)
}

fn name(value: Text) -> Result<Text> {
    let bytes = value.to_bytes();
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    if bytes.len() > 64
        || bytes.len() < 2
        || !bytes.iter().all(fine)
        || !bytes.first().is_some_and(u8::is_ascii_alphanumeric)
    {
        return Err(bad("name", value, b"a name has 2 to 64 of [a-zA-Z0-9_.-] and begins with a letter or digit"));
    }
    Ok(value)
}

fn level(value: Text) -> Result<bool> {
    match value.to_bytes() {
        b"debug" | b"info" => Ok(true),
        b"warn" | b"warning" | b"error" | b"fatal" => Ok(false),
        _ => Err(bad("log-level", value, b"is debug, info, warn or error")),
    }
}

/// CPUs → microseconds in a period of 100 ms.
fn cpus(value: Text) -> Result<Option<u64>> {
    let thousandths =
        size::decimal(value.to_bytes(), 1000).ok_or_else(|| bad("cpus", value, b"no number of CPUs, such as 1.5"))?;
    match thousandths {
        0 if value.to_bytes().iter().all(|byte| b"0.".contains(byte)) => Ok(None),
        0..10 => Err(bad("cpus", value, b"at least 0.01")),
        _ => Ok(Some(thousandths.saturating_mul(100))),
    }
}

/// Percent of one CPU → microseconds in a period of 100 ms.
fn percent(value: Text) -> Result<u64> {
    let bytes = value.to_bytes();
    let tenths = size::decimal(bytes.strip_suffix(b"%").unwrap_or(bytes), 10);
    match tenths {
        Some(tenths @ 10..) => Ok(tenths.saturating_mul(100)),
        _ => Err(bad("cpu", value, b"no percentage of one CPU, such as 50; at least 1")),
    }
}

fn shares(value: Text) -> Result<Option<u64>> {
    match text::number(value.to_bytes()) {
        Some(0) => Ok(None),
        Some(shares @ 2..=262_144) => Ok(Some(shares)),
        _ => Err(bad("cpu-shares", value, b"is a number from 2 to 262144")),
    }
}

fn pids(value: Text) -> Result<Option<u64>> {
    match value.to_bytes() {
        b"-1" | b"0" => Ok(Some(u64::MAX)),
        bytes => match text::number(bytes) {
            Some(pids) => Ok(Some(pids)),
            None => Err(bad("pids-limit", value, b"is a number of processes, or -1 for no limit")),
        },
    }
}

/// A list of the kernel's such as 0-2,7.
fn list(long: &str, value: Text) -> Result<Text> {
    let range = |range: &[u8]| match text::split_once(range, b'-') {
        Some((from, to)) => {
            matches!((text::number(from), text::number(to)), (Some(from), Some(to)) if from <= to && to < 8192)
        }
        None => text::number(range).is_some_and(|number| number < 8192),
    };
    if !value.to_bytes().split(|&byte| byte == b',').all(range) {
        return Err(bad(long, value, b"is a list such as 0-2,7"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
