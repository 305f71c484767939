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
use crate::text::keep;
use args::Args;
use core::ffi::CStr;
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

/// A flag: its long name, its short one (0: none), what its value is, and where that goes.
struct Flag {
    name: Text,
    short: u8,
    kind: &'static Kind,
    to: To,
}

/// Where a value goes.
enum To {
    /// What the kind reads as 0 or 1.
    Switch(fn(&mut Options) -> &mut bool),
    /// The number that the kind reads; 0 is as if it were not given.
    Number(fn(&mut Options) -> &mut Option<u64>),
    /// The bits that the kind reads, with those of other times.
    Bits(fn(&mut Options) -> &mut u64),
    /// The word itself.
    Word(fn(&mut Options) -> &mut Option<Text>),
    /// Flags that can be given more than once.
    Each(fn(&mut Options, Text) -> Result<()>),
}

use To::{Bits, Each, Number, Switch, Word};

const fn flag(name: &'static CStr, short: u8, kind: &'static Kind, to: To) -> Flag {
    Flag { name: t(name), short, kind, to }
}

static FLAGS: [Flag; 49] = [
    flag(c"interactive", b'i', &kind::SWITCH, Switch(|run| &mut run.spec.process.stdin)),
    flag(c"tty", b't', &kind::SWITCH, Switch(|run| &mut run.spec.process.tty)),
    flag(c"volume", b'v', &kind::ANY, Each(|run, value| run.mount(volume::volume(value)))),
    flag(c"mount", 0, &kind::ANY, Each(|run, value| run.mount(volume::mount(value)))),
    flag(c"tmpfs", 0, &kind::ANY, Each(|run, value| run.mount(volume::tmpfs(value)))),
    flag(c"read-only", 0, &kind::SWITCH, Switch(|run| &mut run.spec.read_only)),
    flag(c"env", b'e', &kind::ANY, Each(|run, value| env::entry(value.to_bytes(), &mut run.env))),
    flag(c"env-file", 0, &kind::ANY, Each(|run, value| env::file(value, &mut run.spec.process.env))),
    flag(c"workdir", b'w', &kind::PATH, Word(|run| &mut run.cwd)),
    flag(c"user", b'u', &kind::ANY, Word(|run| &mut run.user)),
    flag(c"hostname", b'h', &kind::HOST_NAME, Word(|run| &mut run.hostname)),
    flag(c"name", 0, &kind::NAME, Word(|run| &mut run.spec.name)),
    // A foreground container is always removed.
    flag(c"rm", 0, &kind::SWITCH, Each(|_, _| Ok(()))),
    flag(c"entrypoint", 0, &kind::ANY, Word(|run| &mut run.entrypoint)),
    flag(c"init", 0, &kind::SWITCH, Switch(|run| &mut run.spec.process.init)),
    flag(c"memory", b'm', &kind::SIZE, Number(|run| &mut run.spec.limits.memory)),
    flag(c"mem", 0, &kind::SIZE, Number(|run| &mut run.spec.limits.memory)),
    flag(c"memory-swap", 0, &kind::SIZE_OR_UNLIMITED, Number(|run| &mut run.spec.limits.memory_swap)),
    flag(c"cpus", 0, &kind::CPUS, Number(|run| &mut run.spec.limits.cpu_quota)),
    flag(c"cpu", 0, &kind::PERCENT, Number(|run| &mut run.spec.limits.cpu_quota)),
    flag(c"cpu-shares", b'c', &kind::SHARES, Number(|run| &mut run.spec.limits.cpu_shares)),
    flag(c"cpuset-cpus", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_cpus)),
    flag(c"cpuset", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_cpus)),
    flag(c"cpuset-mems", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_mems)),
    flag(c"pids-limit", 0, &kind::PIDS, Number(|run| &mut run.spec.limits.pids)),
    flag(
        c"ulimit",
        0,
        &kind::ANY,
        Each(|run, value| kind::ulimit(value).map(|limit| kind::last(&mut run.spec.process.rlimits, limit))),
    ),
    flag(
        c"group-add",
        0,
        &kind::ANY,
        Each(|run, value| {
            run.spec.process.group_add.push(value);
            Ok(())
        }),
    ),
    flag(c"oom-score-adj", 0, &kind::OOM_SCORE, Word(|run| &mut run.spec.process.oom_score)),
    flag(c"sysctl", 0, &kind::ANY, Each(|run, value| procfs::sysctl(value).map(|value| run.spec.sysctls.push(value)))),
    flag(c"cap-add", 0, &kind::CAPABILITY, Bits(|run| &mut run.spec.security.add)),
    flag(c"cap-drop", 0, &kind::CAPABILITY, Bits(|run| &mut run.spec.security.drop)),
    flag(c"privileged", 0, &kind::SWITCH, Switch(|run| &mut run.spec.security.privileged)),
    flag(c"device", 0, &kind::ANY, Each(|run, value| devices::add_node(&mut run.spec.devices, value))),
    flag(c"device-cgroup-rule", 0, &kind::ANY, Each(|run, value| devices::add_rule(&mut run.spec.devices, value))),
    flag(c"security-opt", 0, &kind::ANY, Each(|run, value| security::option(&mut run.spec.security, value))),
    flag(c"shm-size", 0, &kind::SIZE, Number(|run| &mut run.shm_size)),
    // What it is for needs a container that stays.
    flag(c"stop-signal", 0, &kind::SIGNAL, Each(|_, _| Ok(()))),
    flag(c"rootfs", 0, &kind::ANY, Word(|run| &mut run.rootfs)),
    flag(c"root", 0, &kind::ANY, Word(|run| &mut run.root)),
    flag(c"log-level", b'l', &kind::LEVEL, Switch(|run| &mut run.log)),
    flag(c"explain", 0, &kind::SWITCH, Switch(|run| &mut run.explain)),
    flag(c"trace-startup", 0, &kind::SWITCH, Switch(|run| &mut run.trace)),
    flag(c"help", 0, &kind::SWITCH, Switch(|run| &mut run.help)),
    flag(c"pid", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.pid)),
    flag(c"uts", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.uts)),
    flag(c"userns", 0, &kind::ANY, Word(|run| &mut run.userns)),
    flag(c"ipc", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.ipc)),
    flag(c"net", 0, &kind::NETWORK, Switch(|run| &mut run.spec.share.net)),
    flag(c"network", 0, &kind::NETWORK, Switch(|run| &mut run.spec.share.net)),
];

/// Parses what follows `run`.
pub fn run(words: &'static [Text]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = Args::new(words);
    while let Some((flag, value)) = args.next()? {
        let Some(number) = (flag.kind.read)(value.to_bytes()) else {
            return Err(Error::new(text!("--% %: %"), &[flag.name, value, flag.kind.wants.text()]));
        };
        match flag.to {
            Switch(field) => *field(&mut options) = number != 0,
            Number(field) => *field(&mut options) = Some(number).filter(|&number| number != 0),
            Bits(field) => *field(&mut options) |= number,
            Word(field) => *field(&mut options) = Some(value),
            Each(take) => take(&mut options, value)?,
        }
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
