//! `update`: other limits for a container, while it runs and from its next start on.

use super::in_foreground;
use crate::cgroup::{self, FREEZER};
use crate::cli::{self, Given, Origin, kind};
use crate::detach::say;
use crate::error::{Error, Result, USAGE};
use crate::record::{Kind, Record, missing};
use crate::spec::{Limits, Text};
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::{Errno, fs};
use crate::text::{filled, is, keep};
use std::os::fd::AsFd;

/// Its flags, as `run` has them.
const FLAGS: [&str; 8] =
    ["memory", "memory-swap", "cpus", "cpu-shares", "cpuset-cpus", "cpuset-mems", "pids-limit", "restart"];

/// `mydocker update`.
pub fn update(given: &Given) -> Result<u8> {
    let mut flags = Vec::new();
    for name in FLAGS {
        flags.extend(given.value(name).map(|value| filled("--%=%", &[keep(name.as_bytes()), value])));
    }
    if flags.is_empty() {
        return Err(Error::new(text!("you must provide one or more flags when using this command"), &[]));
    }
    // What is wrong in them is said once, and nothing done.
    let alone =
        flags.iter().copied().filter(|flag| !flag.to_bytes().starts_with(b"--memory-swap=")).collect::<Vec<_>>();
    cli::run(alone.leak(), Origin::default()).map_err(|error| error.code(USAGE))?;
    let store = given.store()?;
    Ok(given.each(&mut |word| {
        // One at a time: what is kept is read, changed and written.
        let names = fs::open(store.dir(), t(c"names"), libc::O_RDONLY | libc::O_DIRECTORY, 0);
        let turn = names.and_then(|names| fs::lock(names.as_fd(), libc::LOCK_EX).map(|()| names));
        let _turn = turn.map_err(|errno| Error::sys(text!("lock the store"), store.path, errno))?;
        one(given, &store, store.find(word)?, &flags)?;
        say(word).map(drop)
    }))
}

fn one(given: &Given, store: &Store, mut record: Record, flags: &[Text]) -> Result<()> {
    if record.kind == Kind::Transient && given.value("restart").is_some_and(|policy| !is(policy.to_bytes(), "no")) {
        let message = text!("restart policy of % cannot be updated: --rm removes it at its end");
        return Err(Error::new(message, &[record.known_as()]));
    }
    if record.kind == Kind::Foreground && given.value("restart").is_some() {
        return Err(in_foreground(&record));
    }
    let before = record.options()?.spec.limits;
    record.flags.extend_from_slice(flags);
    // Memory and swap together stay what they were, as docker has it.
    let memory = given.value("memory").and_then(|size| (kind::SIZE.read)(size.to_bytes()));
    if let (Some(memory), None) = (memory, given.value("memory-swap")) {
        let swap = before.memory_swap.or(before.memory.map(|memory| memory.saturating_mul(2))).unwrap_or(0);
        if memory > swap {
            return Err(Error::new(
                text!(
                    "memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
                ),
                &[],
            ));
        }
        let swap = if swap == u64::MAX { t(c"-1") } else { cgroup::decimal(swap) };
        record.flags.push(filled("--memory-swap=%", &[swap]));
    }
    let all = record.options()?.spec.limits;
    let asked = |name: &str| given.value(name).is_some();
    let (memory, cpuset) = (asked("memory") || asked("memory-swap"), asked("cpuset-cpus") || asked("cpuset-mems"));
    let limits = Limits {
        memory: all.memory.filter(|_| memory),
        memory_swap: all.memory_swap.filter(|_| memory),
        cpu_quota: all.cpu_quota.filter(|_| asked("cpus")),
        cpu_shares: all.cpu_shares.filter(|_| asked("cpu-shares")),
        cpuset_cpus: all.cpuset_cpus.filter(|_| cpuset),
        cpuset_mems: all.cpuset_mems.filter(|_| cpuset),
        pids: all.pids.filter(|_| asked("pids-limit")),
    };
    if record.init().is_ok() {
        let layout = if store.rootless { cgroup::everywhere(true) } else { cgroup::look(&limits, FREEZER) };
        cgroup::update(&limits, &layout, record.id, &|controller| {
            if record.kind != Kind::Foreground {
                let _ = record.joins();
                return Ok(());
            }
            // Its supervisor would not take that cgroup away.
            let pieces = [record.known_as(), controller];
            Err(Error::new(
                text!("container % was started without a limit of %, and cannot get one in the foreground"),
                &pieces,
            ))
        })?;
    }
    if record.kind != Kind::Foreground {
        record.save().map_err(|errno| match errno {
            Errno::ENOENT => missing(record.known_as()),
            _ => Error::sys(text!("update container"), record.known_as(), errno),
        })?;
    }
    Ok(())
}
