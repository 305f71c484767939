//! The command line: flags → Options. Pure but for the environment and the files that --env-file names.
//!
//! docker's names and meanings, each also with one dash (`-mem`, `-cpuset`: the seed's spellings). Flags stop at the
//! first word; all after it belongs to the command.

mod args;
pub mod env;
mod given;
mod help;
pub mod kind;
mod nearest;
pub mod volume;

pub use args::Known;
pub use given::{Given, Row};
pub use help::{CREATE, MAIN, RUN};
pub use nearest::nearest;
pub use volume::{absolute, clean};

use crate::devices;
use crate::error::{Error, Result};
use crate::plan::{procfs, security};
use crate::spec::{Mount, Source, Spec, Text};
use crate::sys::OwnedFd;
use crate::sys::name::t;
use crate::text::{filled, is, keep, split};
use args::Args;
use kind::Kind;

/// What `run` was asked for.
#[derive(Default)]
pub struct Options {
    /// --help.
    pub help: bool,
    /// --explain.
    pub explain: bool,
    /// --trace-startup.
    pub trace: bool,
    /// --log-level is info or debug.
    pub log: bool,
    /// --stats.
    pub stats: bool,
    /// --timeout, in milliseconds.
    pub timeout: Option<u64>,
    /// --root, or MYDOCKER_ROOT.
    pub root: Option<Text>,
    /// --rootfs.
    pub rootfs: Option<Text>,
    /// -w.
    pub cwd: Option<Text>,
    /// -u.
    pub user: Option<Text>,
    /// --userns.
    pub userns: Option<Text>,
    /// --hostname.
    pub hostname: Option<Text>,
    /// --entrypoint.
    pub entrypoint: Option<Text>,
    /// --shm-size; docker's 0 is the default.
    pub shm_size: Option<u64>,
    /// -e, which holds over --env-file.
    env: Vec<Text>,
    /// What it is kept for, and for how long.
    pub life: Life,
    /// Where and with which variables it was typed, if not here and now.
    pub origin: Origin,
    /// The root of the container, if it runs already: users are looked up there.
    pub live: Option<OwnedFd>,
    /// The image, if there is one, and the command.
    pub words: &'static [Text],
    /// What needs nothing but the flag; `assemble` completes it.
    pub spec: Spec,
}

/// A container's life besides its start.
#[derive(Default)]
pub struct Life {
    /// -d.
    pub detach: bool,
    /// --keep: not removed at its end, though in the foreground.
    pub keep: bool,
    /// --rm: removed at its end, though detached.
    pub rm: bool,
    /// --restart.
    pub restart: Option<Text>,
    /// --label and --label-file.
    pub labels: Vec<Text>,
    /// --cidfile.
    pub cidfile: Option<Text>,
    /// --stop-signal.
    pub stop_signal: Option<Text>,
    /// --stop-timeout, in seconds; -1 is none.
    pub stop_timeout: Option<Text>,
    /// --log-driver.
    pub log_driver: Option<Text>,
    /// --log-opt.
    pub log_opts: Vec<Text>,
    /// --diff.
    pub diff: bool,
}

impl Life {
    /// How long the container may take to end when it is asked to, in milliseconds.
    pub fn grace(&self) -> u64 {
        self.stop_timeout.map_or(10_000, kind::grace)
    }

    /// Whether its end may be followed by another start.
    pub fn restarts(&self) -> bool {
        self.restart.is_some_and(|policy| !is(policy.to_bytes(), "no"))
    }
}

/// Where a command line comes from that is read again: relative paths and bare variables are of then.
#[derive(Default, Clone, Copy)]
pub struct Origin {
    /// The working directory.
    pub base: Option<Text>,
    /// The environment, each variable ended by NUL.
    pub environ: Option<&'static [u8]>,
}

/// A flag: its number among all of `flags!`.
#[derive(Clone, Copy)]
struct Flag(usize);

/// The flags of `run` and `create`.
pub struct RunFlags;

impl Known for RunFlags {
    fn command(&self) -> Text {
        t(c"run")
    }
    fn names(&self) -> &'static [&'static [u8]] {
        split(NAMES.as_bytes(), b' ')
    }
    fn short(&self, letter: u8) -> Option<usize> {
        SHORT.iter().position(|&of| letter == of)
    }
    fn is_switch(&self, flag: usize) -> bool {
        core::ptr::eq(Flag(flag).kind(), &kind::SWITCH)
    }
}

impl Flag {
    fn kind(self) -> &'static Kind {
        KINDS.get(self.0).copied().unwrap_or(&kind::ANY)
    }

    /// Puts a value where it goes; `number` is what its kind has read.
    fn set(self, options: &mut Options, value: Text, number: u64) -> Result<()> {
        let at = self.0;
        if let Some(field) = SWITCHES.get(at) {
            *field(options) = number != 0;
            return Ok(());
        }
        let at = at.wrapping_sub(SWITCHES.len());
        if let Some(field) = NUMBERS.get(at) {
            *field(options) = Some(number).filter(|&number| number != 0);
            return Ok(());
        }
        let at = at.wrapping_sub(NUMBERS.len());
        if let Some(field) = SETS.get(at) {
            *field(options) |= number;
            return Ok(());
        }
        let at = at.wrapping_sub(SETS.len());
        if let Some(field) = WORDS.get(at) {
            *field(options) = Some(value);
            return Ok(());
        }
        EACH.get(at.wrapping_sub(WORDS.len())).map_or(Ok(()), |take| take(options, value))
    }
}

/// A row for each flag: its long name, its short one (0: none), what its value is, where that goes. They are taken apart
/// into one string of names and a table a column, which is a third of one table; `Flag::set` has the order of the places.
macro_rules! flags {
    ($($(#[$doc:meta])* $table:ident: $to:ty { $($name:literal $short:literal $kind:ident $place:expr;)* })*) => {
        const NAMES: &str = concat!($($($name, " ",)*)*).trim_ascii_end();
        const SHORT: &[u8] = &[$($($short,)*)*];
        static KINDS: &[&Kind] = &[$($(&kind::$kind,)*)*];
        $($(#[$doc])* static $table: &[$to] = &[$($place,)*];)*
    };
}

flags! {
    /// What the kind reads as 0 or 1.
    SWITCHES: fn(&mut Options) -> &mut bool {
        "interactive" b'i' SWITCH |run| &mut run.spec.process.stdin;
        "tty" b't' SWITCH |run| &mut run.spec.process.tty;
        "read-only" b'\0' SWITCH |run| &mut run.spec.read_only;
        "init" b'\0' SWITCH |run| &mut run.spec.process.init;
        "privileged" b'\0' SWITCH |run| &mut run.spec.security.privileged;
        "log-level" b'l' LEVEL |run| &mut run.log;
        "explain" b'\0' SWITCH |run| &mut run.explain;
        "trace-startup" b'\0' SWITCH |run| &mut run.trace;
        "stats" b'\0' SWITCH |run| &mut run.stats;
        "help" b'\0' SWITCH |run| &mut run.help;
        "detach" b'd' SWITCH |run| &mut run.life.detach;
        "keep" b'\0' SWITCH |run| &mut run.life.keep;
        "rm" b'\0' SWITCH |run| &mut run.life.rm;
        "diff" b'\0' SWITCH |run| &mut run.life.diff;
        "pid" b'\0' SHARED |run| &mut run.spec.share.pid;
        "uts" b'\0' SHARED |run| &mut run.spec.share.uts;
        "ipc" b'\0' SHARED |run| &mut run.spec.share.ipc;
        "net" b'\0' NETWORK |run| &mut run.spec.share.net;
        "network" b'\0' NETWORK |run| &mut run.spec.share.net;
    }
    /// The number that the kind reads; 0 is as if it were not given.
    NUMBERS: fn(&mut Options) -> &mut Option<u64> {
        "memory" b'm' SIZE |run| &mut run.spec.limits.memory;
        "mem" b'\0' SIZE |run| &mut run.spec.limits.memory;
        "memory-swap" b'\0' SIZE_OR_UNLIMITED |run| &mut run.spec.limits.memory_swap;
        "cpus" b'\0' CPUS |run| &mut run.spec.limits.cpu_quota;
        "cpu" b'\0' PERCENT |run| &mut run.spec.limits.cpu_quota;
        "cpu-shares" b'c' SHARES |run| &mut run.spec.limits.cpu_shares;
        "pids-limit" b'\0' PIDS |run| &mut run.spec.limits.pids;
        "shm-size" b'\0' SIZE |run| &mut run.shm_size;
        "timeout" b'\0' DURATION |run| &mut run.timeout;
    }
    /// The bits that the kind reads, with those of other times.
    SETS: fn(&mut Options) -> &mut u64 {
        "cap-add" b'\0' CAPABILITY |run| &mut run.spec.security.add;
        "cap-drop" b'\0' CAPABILITY |run| &mut run.spec.security.drop;
    }
    /// The word itself.
    WORDS: fn(&mut Options) -> &mut Option<Text> {
        "workdir" b'w' PATH |run| &mut run.cwd;
        "user" b'u' ANY |run| &mut run.user;
        "hostname" b'h' HOST_NAME |run| &mut run.hostname;
        "name" b'\0' NAME |run| &mut run.spec.name;
        "entrypoint" b'\0' ANY |run| &mut run.entrypoint;
        "cpuset-cpus" b'\0' LIST |run| &mut run.spec.limits.cpuset_cpus;
        "cpuset" b'\0' LIST |run| &mut run.spec.limits.cpuset_cpus;
        "cpuset-mems" b'\0' LIST |run| &mut run.spec.limits.cpuset_mems;
        "oom-score-adj" b'\0' OOM_SCORE |run| &mut run.spec.process.oom_score;
        "rootfs" b'\0' ANY |run| &mut run.rootfs;
        "root" b'\0' ANY |run| &mut run.root;
        "userns" b'\0' ANY |run| &mut run.userns;
        "restart" b'\0' RESTART |run| &mut run.life.restart;
        "cidfile" b'\0' ANY |run| &mut run.life.cidfile;
        "stop-signal" b'\0' SIGNAL |run| &mut run.life.stop_signal;
        "stop-timeout" b'\0' SECONDS |run| &mut run.life.stop_timeout;
        "log-driver" b'\0' LOG_DRIVER |run| &mut run.life.log_driver;
    }
    /// Flags that can be given more than once.
    EACH: fn(&mut Options, Text) -> Result<()> {
        "volume" b'v' ANY |run, value| run.mount(volume::volume(value));
        "mount" b'\0' ANY |run, value| run.mount(volume::mount(value));
        "tmpfs" b'\0' ANY |run, value| run.mount(volume::tmpfs(value));
        "env" b'e' ANY |run, value| env::entry(value.to_bytes(), run.origin, false, &mut run.env);
        "env-file" b'\0' ANY |run, value| {
            let (origin, env) = (run.origin, &mut run.spec.process.env);
            env::file(value, &mut |line| env::entry(line, origin, true, env))
        };
        "ulimit" b'\0' ANY
            |run, value| kind::ulimit(value).map(|limit| kind::last(&mut run.spec.process.rlimits, limit));
        "group-add" b'\0' ANY
            |run, value| {
            run.spec.process.group_add.push(value);
            Ok(())
        };
        "sysctl" b'\0' ANY |run, value| procfs::sysctl(value).map(|value| run.spec.sysctls.push(value));
        "device" b'\0' ANY |run, value| devices::add_node(&mut run.spec.devices, value);
        "device-cgroup-rule" b'\0' ANY |run, value| devices::add_rule(&mut run.spec.devices, value);
        "security-opt" b'\0' ANY |run, value| security::option(&mut run.spec.security, value);
        "label" b'\0' ANY |run, value| env::label(value, &mut run.life.labels);
        "label-file" b'\0' ANY
            |run, value| env::file(value, &mut |line| env::label(keep(line), &mut run.life.labels));
        "log-opt" b'\0' ANY
            |run, value| {
            run.life.log_opts.push(value);
            Ok(())
        };
        // They ask for nothing here: an image is never fetched, signals always go to the command.
        "pull" b'\0' ANY |_, _| Ok(());
        "quiet" b'q' SWITCH |_, _| Ok(());
        "attach" b'a' ANY |_, _| Ok(());
        "sig-proxy" b'\0' SWITCH |_, _| Ok(());
        "detach-keys" b'\0' ANY |_, _| Ok(());
    }
}

/// Parses what follows `run`.
pub fn run(words: &'static [Text], origin: Origin) -> Result<Options> {
    let mut options = Options { origin, ..Options::default() };
    let mut args = Args::new(&RunFlags, words);
    while let Some((flag, value)) = args.next()? {
        let kind = Flag(flag).kind();
        let Some(number) = (kind.read)(value.to_bytes()) else {
            return Err(Error::new(text!("--% %: %"), &[args::name(&RunFlags, flag), value, kind.wants.text()]));
        };
        Flag(flag).set(&mut options, value, number)?;
    }
    options.words = args.rest();
    finish(&mut options)?;
    Ok(options)
}

/// Of flags that are to be kept, those that are said by their meaning instead of as they were typed, or not at all.
const NOT_KEPT: &str = "env env-file label label-file name detach cidfile root help explain trace-startup log-level";

/// The flags as they are kept with a container: what was in files and variables is in them. Before `assemble` completes
/// the options.
pub fn kept(words: &'static [Text], options: &Options) -> Result<Vec<Text>> {
    let mut kept = Vec::new();
    let mut args = Args::new(&RunFlags, words);
    while let Some((flag, value)) = args.next()? {
        let name = args::name(&RunFlags, flag);
        if !is(name.to_bytes(), NOT_KEPT) {
            kept.push(filled("--%=%", &[name, value]));
        }
    }
    kept.extend(options.spec.process.env.iter().map(|&entry| filled("--env=%", &[entry])));
    kept.extend(options.life.labels.iter().map(|&label| filled("--label=%", &[label])));
    Ok(kept)
}

impl Options {
    fn mount(&mut self, mount: Result<Mount>) -> Result<()> {
        let mut mount = mount?;
        if let Source::Host(path) = mount.source {
            mount.source = Source::Host(absolute(path, self.origin.base)?);
        }
        volume::insert(&mut self.spec.mounts, mount)
    }
}

/// What concerns more than one flag.
fn finish(options: &mut Options) -> Result<()> {
    if options.help {
        return Ok(());
    }
    let (memory, swap) = (options.spec.limits.memory, options.spec.limits.memory_swap);
    if swap.is_some() && swap != Some(u64::MAX) && swap < memory.or(Some(u64::MAX)) {
        return Err(Error::new(
            text!("--memory-swap is memory and swap together: it needs --memory, and cannot be less"),
            &[],
        ));
    }
    if options.spec.share.uts && options.hostname.is_some() {
        return Err(Error::new(text!("--hostname cannot be set with --uts host: it is the host's own"), &[]));
    }
    if options.life.rm && options.life.restarts() {
        return Err(Error::new(text!("conflicting options: cannot specify both --restart and --rm"), &[]));
    }
    options.cwd = options.cwd.filter(|cwd| !cwd.is_empty()).map(|cwd| keep(&volume::clean(cwd.to_bytes())));
    options.spec.process.env.append(&mut options.env);
    Ok(())
}

#[cfg(test)]
mod tests;
