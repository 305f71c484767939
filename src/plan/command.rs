//! The command's part of the plan: its streams, its cgroups, its identity, the files that may be it.

use super::*;
use crate::spec::Process;
use crate::text::{keep, split};

/// A terminal of the container's own devpts: /dev/pts/0 inside. The other side is opened by its descriptor, not by a
/// path that something could have replaced (CVE-2025-52565).
pub fn terminal(plan: &mut Builder) {
    plan.doing(text!("open a terminal"));
    plan.open(PTS, t(c"ptmx"), libc::O_RDWR | libc::O_NOCTTY, MASTER);
    plan.add(Step::Unlock(MASTER));
    plan.add(Step::OpenPeer(MASTER, TERMINAL));
    if plan.spec.process.uid != 0 {
        plan.add(Step::Chown(PTS, t(c"0"), plan.spec.process.uid, 5));
    }
}

/// The standard streams. One that is a pipe or a socket is passed as it is, at no cost; for the null device the container's
/// own is, since whoever has the host's open may change its mode for all (fchmod(2)). Any other gets a pipe (or, with
/// -t, the container's own terminal) between, as docker's always do: a container that holds the host's terminal could
/// type into it (TIOCSTI, TIOCLINUX; CVE-2017-5226), one that holds a file could open it anew for writing.
pub fn pipes(plan: &mut Builder) {
    plan.doing(text!("make a pipe"));
    for (number, &(ours, theirs)) in PIPES.iter().enumerate() {
        if is_piped(plan, number) {
            plan.add(if number == 0 { Step::Pipe(theirs, ours) } else { Step::Pipe(ours, theirs) });
        }
    }
}

/// The null device of our own /dev, before a volume can be mounted on it.
pub fn null(plan: &mut Builder) {
    plan.open(DEV, t(c"null"), libc::O_RDWR, NULL);
}

/// Whether a stream is the null device: standard input without -i, and what is it outside.
fn is_null(plan: &Builder, number: usize) -> bool {
    number == 0 && !plan.spec.process.stdin || plan.host.null.get(number).copied().unwrap_or(false)
}

/// Whether one of them is.
pub fn has_null(plan: &Builder) -> bool {
    !plan.spec.process.tty && (0..3).any(|number| is_null(plan, number))
}

fn is_piped(plan: &Builder, number: usize) -> bool {
    if number == 2 && plan.host.one_output {
        return false;
    }
    plan.host.piped.get(number).copied().unwrap_or(false) && (number != 0 || plan.spec.process.stdin)
}

/// Inside: the streams in their places.
pub fn standard_streams(plan: &mut Builder) {
    plan.doing(text!("connect the standard streams"));
    // Without a session of its own the container could reach the caller's controlling terminal through /dev/tty.
    plan.add(Step::Setsid);
    if plan.spec.process.tty {
        plan.add(Step::ControllingTerminal(TERMINAL));
    }
    connect(plan);
}

/// The terminal, or the null device and pipes, in their places.
pub fn connect(plan: &mut Builder) {
    if plan.spec.process.tty {
        (0..3).for_each(|number| plan.dup(TERMINAL, number));
        return;
    }
    for (number, &(_, theirs)) in PIPES.iter().enumerate() {
        if is_null(plan, number) {
            plan.dup(NULL, number as i32);
        } else if is_piped(plan, number) {
            plan.dup(theirs, number as i32);
            if number == 1 && plan.host.one_output {
                plan.dup(theirs, 2);
            }
        }
    }
}

/// Late, so that little of the start is charged to the container: `-m 256k` is enough for a small command. By the
/// child, which has one thread, through `tasks`: writing cgroup.procs waits 8 to 16 ms for an RCU grace period on a
/// quiet machine. The namespace after it, so that its root is the container's own cgroup.
pub fn join_cgroups(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    for (index, member) in cgroups.iter().enumerate() {
        if !plan.is_born_in(member) {
            plan.doing_for(text!("join the cgroup"), member.path);
            plan.add(Step::Write(cgroup_slots(index).1, t(c"0")));
        }
    }
    plan.doing(text!("create a cgroup namespace"));
    plan.add(Step::Unshare(libc::CLONE_NEWCGROUP as u64));
}

/// The last acts with privilege, then the command.
pub fn identity(plan: &mut Builder) {
    place(plan);
    plan.doing(text!("close the host's descriptors"));
    // At execve; what is opened from here on is close-on-exec from birth. Before Linux 5.9 this opens /proc/self/fd, which
    // needs a descriptor more, and the right to see it: so before the limits and the user.
    plan.add(Step::CloseRange);
    credentials(plan, plan.capabilities);
    plan.doing(text!("end with the supervisor"));
    // After the last change of credentials, which clears it (prctl(2)); then the parent is checked once more.
    plan.add(Step::DieWithParent);
    plan.add(Step::CheckParent);
    execute(plan);
}

/// The working directory and the keys.
pub fn place(plan: &mut Builder) {
    let process = &plan.spec.process;
    if process.cwd != t(c"/") {
        plan.doing_for(text!("enter the working directory"), process.cwd);
        plan.add(Step::Fchdir(WORKDIR));
        // CVE-2024-21626: a working directory that is a leaked descriptor of the host.
        plan.add(Step::CheckCwd);
    }
    plan.doing(text!("create a session keyring"));
    plan.add(Step::Keyring);
}

/// Limits, sets, filter and user: from here on there is nothing that the container may not have. `filtered` are the
/// capabilities whose calls the filter lets through.
pub fn credentials(plan: &mut Builder, filtered: u64) {
    let process = &plan.spec.process;
    for limit in &process.rlimits {
        plan.doing_for(text!("set the limit"), limit.typed);
        plan.add(Step::Rlimit(limit.resource, limit.soft, limit.hard));
    }
    security::bound(plan, plan.capabilities, filtered);
    plan.doing(text!("become the user"));
    // Groups first: setgroups needs the privilege that setresuid gives up (CVE-2022-2995: and none may be left over).
    if !plan.has_one_id() {
        plan.add(Step::Groups(process.groups.clone().leak()));
    }
    plan.add(Step::Gid(process.gid));
    plan.add(Step::Uid(process.uid));
    // While its capabilities still keep others out (after setresuid, which sets it anew): what comes after execve is
    // the command's own, but with --init the process stays, and has mydocker's memory, the host's environment in it. And
    // with --pid host other containers see it.
    plan.add(Step::Dumpable(false));
    security::sets(plan, plan.capabilities);
    plan.add(Step::Umask(0o022));
}

/// The command itself.
pub fn execute(plan: &mut Builder) {
    let process = &plan.spec.process;
    plan.doing_for(text!("execute"), process.args.first().copied().unwrap_or_default());
    if process.init {
        plan.add(Step::Forget);
        plan.add(Step::Init);
    }
    // What a caller ignores stays ignored through clone and execve, and a shell could not even trap it.
    for bit in (0..64).filter(|bit| plan.host.ignored >> bit & 1 != 0) {
        plan.add(Step::DefaultAction(i32::wrapping_add(bit, 1)));
    }
    plan.add(Step::Exec);
}

/// PATH is the container's own, as `run -e PATH=...` or the default has it.
pub fn exec(process: &Process) -> Exec {
    let command = process.args.first().copied().unwrap_or_default();
    let mut candidates = Vec::new();
    if has(command.to_bytes(), b'/') {
        candidates.push(command);
    } else {
        for dir in split(process.path(), b':') {
            candidates.push(filled("%/%", &[keep(if dir.is_empty() { b"." } else { dir }), command]));
        }
    }
    // A bare name stands for what is taken away.
    let env = process.env.iter().filter(|entry| has(entry.to_bytes(), b'=')).copied().collect();
    Exec { candidates, args: process.args.clone(), env }
}
