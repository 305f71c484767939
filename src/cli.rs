//! The command line: flags → Options. Pure but for the environment and the files that --env-file names.
//!
//! docker's names and meanings, each also with one dash (`-mem`, `-cpuset`: the seed's spellings). Flags stop at the
//! first word; all after it belongs to the command.

mod args;
pub mod env;
mod help;
pub mod kind;
mod nearest;
pub mod volume;

pub use help::{CHECK, MAIN, RUN};
pub use nearest::nearest;
pub use volume::{absolute, clean};

use crate::devices;
use crate::error::{Error, Result};
use crate::plan::{procfs, security};
use crate::spec::{Mount, Spec, Text};
use crate::sys::name::t;
use crate::text::{keep, split};
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
    /// The image, if there is one, and the command.
    pub words: &'static [Text],
    /// What needs nothing but the flag; `assemble` completes it.
    pub spec: Spec,
}

/// A flag: its number among all of `flags!`.
#[derive(Clone, Copy)]
struct Flag(usize);

impl Flag {
    /// By its long name.
    fn long(name: &[u8]) -> Option<Self> {
        split(NAMES.as_bytes(), b' ').iter().position(|&of| of == name).map(Self)
    }

    /// By its letter.
    fn short(letter: &[u8]) -> Option<Self> {
        SHORT.iter().position(|&of| letter == [of]).map(Self)
    }

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

    fn name(self) -> Text {
        split(NAMES.as_bytes(), b' ').get(self.0).map_or(t(c""), |name| keep(name))
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
    }
    /// Flags that can be given more than once.
    EACH: fn(&mut Options, Text) -> Result<()> {
        "volume" b'v' ANY |run, value| run.mount(volume::volume(value));
        "mount" b'\0' ANY |run, value| run.mount(volume::mount(value));
        "tmpfs" b'\0' ANY |run, value| run.mount(volume::tmpfs(value));
        "env" b'e' ANY |run, value| env::entry(value.to_bytes(), &mut run.env);
        "env-file" b'\0' ANY |run, value| env::file(value, &mut run.spec.process.env);
        // A foreground container is always removed.
        "rm" b'\0' SWITCH |_, _| Ok(());
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
        // What it is for needs a container that stays.
        "stop-signal" b'\0' SIGNAL |_, _| Ok(());
    }
}

/// Parses what follows `run`.
pub fn run(words: &'static [Text]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = Args::new(words);
    while let Some((flag, value)) = args.next()? {
        let kind = flag.kind();
        let Some(number) = (kind.read)(value.to_bytes()) else {
            return Err(Error::new(text!("--% %: %"), &[flag.name(), value, kind.wants.text()]));
        };
        flag.set(&mut options, value, number)?;
    }
    options.words = args.rest();
    finish(&mut options)?;
    Ok(options)
}

impl Options {
    fn mount(&mut self, mount: Result<Mount>) -> Result<()> {
        volume::insert(&mut self.spec.mounts, mount?)
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
    options.cwd = options.cwd.filter(|cwd| !cwd.is_empty()).map(|cwd| keep(&volume::clean(cwd.to_bytes())));
    options.spec.process.env.append(&mut options.env);
    Ok(())
}

#[cfg(test)]
mod tests;
