//! The command line: flags → Options. Pure but for the environment and the files that --env-file names.
//!
//! docker's names and meanings, each also with one dash (`-mem`, `-cpuset`: the seed's spellings). Flags stop at the
//! first word; all after it belongs to the command.

mod args;
mod env;
mod help;
mod kind;
mod nearest;
mod volume;

pub use help::{MAIN, RUN};
pub use nearest::nearest;
pub use volume::absolute;

use crate::error::{Error, Result};
use crate::spec::{Mount, Spec, Text};
use crate::text::keep;
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
    /// --root, or MYDOCKER_ROOT.
    pub root: Option<Text>,
    /// --rootfs.
    pub rootfs: Option<Text>,
    /// -w.
    pub cwd: Option<Text>,
    /// -u.
    pub user: Option<Text>,
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
    name: &'static str,
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
    /// The word itself.
    Word(fn(&mut Options) -> &mut Option<Text>),
    /// Flags that can be given more than once.
    Each(fn(&mut Options, Text) -> Result<()>),
}

use To::{Each, Number, Switch, Word};

const fn flag(name: &'static str, short: u8, kind: &'static Kind, to: To) -> Flag {
    Flag { name, short, kind, to }
}

static FLAGS: [Flag; 39] = [
    flag("interactive", b'i', &kind::SWITCH, Switch(|run| &mut run.spec.process.stdin)),
    flag("tty", b't', &kind::SWITCH, Switch(|run| &mut run.spec.process.tty)),
    flag("volume", b'v', &kind::ANY, Each(|run, value| run.mount(volume::volume(value)))),
    flag("mount", 0, &kind::ANY, Each(|run, value| run.mount(volume::mount(value)))),
    flag("tmpfs", 0, &kind::ANY, Each(|run, value| run.mount(volume::tmpfs(value)))),
    flag("read-only", 0, &kind::SWITCH, Switch(|run| &mut run.spec.read_only)),
    flag("env", b'e', &kind::ANY, Each(|run, value| env::entry(value.to_bytes(), &mut run.env))),
    flag("env-file", 0, &kind::ANY, Each(|run, value| env::file(value, &mut run.spec.process.env))),
    flag("workdir", b'w', &kind::PATH, Word(|run| &mut run.cwd)),
    flag("user", b'u', &kind::ANY, Word(|run| &mut run.user)),
    flag("hostname", b'h', &kind::HOST_NAME, Word(|run| &mut run.hostname)),
    flag("name", 0, &kind::NAME, Word(|run| &mut run.spec.name)),
    // A foreground container is always removed.
    flag("rm", 0, &kind::SWITCH, Each(|_, _| Ok(()))),
    flag("entrypoint", 0, &kind::ANY, Word(|run| &mut run.entrypoint)),
    flag("init", 0, &kind::SWITCH, Switch(|run| &mut run.spec.process.init)),
    flag("memory", b'm', &kind::SIZE, Number(|run| &mut run.spec.limits.memory)),
    flag("mem", 0, &kind::SIZE, Number(|run| &mut run.spec.limits.memory)),
    flag("memory-swap", 0, &kind::SIZE_OR_UNLIMITED, Number(|run| &mut run.spec.limits.memory_swap)),
    flag("cpus", 0, &kind::CPUS, Number(|run| &mut run.spec.limits.cpu_quota)),
    flag("cpu", 0, &kind::PERCENT, Number(|run| &mut run.spec.limits.cpu_quota)),
    flag("cpu-shares", b'c', &kind::SHARES, Number(|run| &mut run.spec.limits.cpu_shares)),
    flag("cpuset-cpus", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_cpus)),
    flag("cpuset", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_cpus)),
    flag("cpuset-mems", 0, &kind::LIST, Word(|run| &mut run.spec.limits.cpuset_mems)),
    flag("pids-limit", 0, &kind::PIDS, Number(|run| &mut run.spec.limits.pids)),
    flag(
        "ulimit",
        0,
        &kind::ANY,
        Each(|run, value| kind::ulimit(value).map(|limit| run.spec.process.rlimits.push(limit))),
    ),
    flag("shm-size", 0, &kind::SIZE, Number(|run| &mut run.shm_size)),
    // What it is for needs a container that stays.
    flag("stop-signal", 0, &kind::SIGNAL, Each(|_, _| Ok(()))),
    flag("rootfs", 0, &kind::ANY, Word(|run| &mut run.rootfs)),
    flag("root", 0, &kind::ANY, Word(|run| &mut run.root)),
    flag("log-level", b'l', &kind::LEVEL, Switch(|run| &mut run.log)),
    flag("explain", 0, &kind::SWITCH, Switch(|run| &mut run.explain)),
    flag("trace-startup", 0, &kind::SWITCH, Switch(|run| &mut run.trace)),
    flag("help", 0, &kind::SWITCH, Switch(|run| &mut run.help)),
    flag("pid", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.pid)),
    flag("uts", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.uts)),
    flag("ipc", 0, &kind::SHARED, Switch(|run| &mut run.spec.share.ipc)),
    flag("net", 0, &kind::NETWORK, Switch(|run| &mut run.spec.share.net)),
    flag("network", 0, &kind::NETWORK, Switch(|run| &mut run.spec.share.net)),
];

/// Parses what follows `run`.
pub fn run(words: &'static [Text]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = Args::new(words);
    while let Some((flag, value)) = args.next()? {
        let Some(number) = (flag.kind.read)(value.to_bytes()) else {
            return Err(Error::new("--% %: %", &[keep(flag.name.as_bytes()), value, flag.kind.wants]));
        };
        match flag.to {
            Switch(field) => *field(&mut options) = number != 0,
            Number(field) => *field(&mut options) = Some(number).filter(|&number| number != 0),
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
            "--memory-swap is memory and swap together: it needs --memory, and cannot be less",
            &[],
        ));
    }
    if options.spec.share.uts && options.hostname.is_some() {
        return Err(Error::new("--hostname cannot be set with --uts host: it is the host's own", &[]));
    }
    options.cwd = options.cwd.filter(|cwd| !cwd.is_empty()).map(|cwd| keep(&volume::clean(cwd.to_bytes())));
    options.spec.process.env.append(&mut options.env);
    Ok(())
}

#[cfg(test)]
mod tests;
