//! The child's story, from clone to execve.
//!
//! It has a copy of the supervisor's memory, the plan in it; what is made beside it comes with the hand-over. It must end
//! in execve or exit: the list of things to undo is the supervisor's.

use crate::error::{Error, RUNTIME};
use crate::plan::{CHILD, Entry, INIT, NOWHERE, Plan, SUPERVISOR, Step};
use crate::sys::call::Slots;
use crate::sys::name::{Name, t};
use crate::sys::process::{self, Side, StringList};
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Message, keep};
use crate::trace::Trace;
use crate::{diagnose, perform, plan};
use std::os::fd::AsFd;

/// Makes the child, which walks the inside of the plan: its pid.
pub fn create(plan: &Plan, step: &Step, slots: &mut Slots, trace: Trace) -> Result<i32, Errno> {
    let side = match *step {
        Step::Clone3(flags, cgroup) => process::clone3(flags, (cgroup != NOWHERE).then(|| slots.get(cgroup))),
        Step::Clone(flags) => process::clone(flags),
        _ => Err(Errno::ENOSYS),
    };
    match side? {
        Side::Child => story(plan, slots, trace),
        Side::Parent(pid, pidfd) => {
            slots.set(CHILD, pidfd);
            Ok(pid)
        }
    }
}

/// Never returns.
fn story(plan: &Plan, slots: &mut Slots, trace: Trace) -> ! {
    if !plan.inside.iter().any(|entry| matches!(entry.step, Step::TakeOver(..))) {
        // As long as this copy is open the supervisor's end could not be seen.
        slots.set(SUPERVISOR, None);
    }
    let argv = StringList::new(&plan.exec.args);
    let envp = StringList::new(&plan.exec.env);
    let mut entries = plan.inside.iter().enumerate();
    while let Some((index, entry)) = entries.next() {
        let result = match entry.step {
            Step::Init => become_init(slots),
            Step::Fork => fork(slots),
            Step::Exec => {
                let (errno, candidate) = match process::unblock_signals() {
                    Ok(()) => exec(plan, &argv, &envp),
                    Err(errno) => (errno, usize::MAX),
                };
                report(plan, slots, index, errno, candidate)
            }
            _ => match perform::step(entry, slots) {
                Err(Errno::EINVAL) if matches!(entry.step, Step::PivotRoot) => {
                    // The root of an initramfs cannot be pivoted from; docs/initramfs.md says why this is as safe.
                    entries.next();
                    moved(plan, slots)
                }
                result => result,
            },
        };
        trace.record(plan.outside.len().wrapping_add(index));
        if let Err(errno) = result {
            report(plan, slots, index, errno, usize::MAX);
        }
    }
    process::exit(RUNTIME)
}

fn moved(plan: &Plan, slots: &mut Slots) -> Result<(), Errno> {
    plan.moved.iter().try_for_each(|&step| {
        perform::step(&Entry { step, why: Message::NONE, about: t(c""), fine: None, undo: plan::Undo::Nothing }, slots)
    })
}

/// Tells the supervisor which step failed and why; for a command that wasn't executed also the file, since the
/// mounts that it was found through end with this process.
fn report(plan: &Plan, slots: &Slots, index: usize, errno: Errno, candidate: usize) -> ! {
    let path = plan.exec.candidates.get(candidate).copied().unwrap_or_default();
    let file = culprit(path);
    let words = [index as u32, errno.into_raw() as u32, candidate as u32];
    let sent = file.map(|file| process::send(slots.get(INIT), words, file.as_fd()));
    if sent != Some(Ok(()))
        && process::say(slots.get(INIT), words).is_err()
        && let Some(entry) = plan.inside.get(index)
    {
        let _ = fs::write_all(process::STDERR, &perform::describe(entry, errno).text());
    }
    process::exit(RUNTIME)
}

/// The file that is to blame: of a script whose interpreter is there, the interpreter, and so on as far as the kernel
/// would go.
fn culprit(path: Name) -> Option<OwnedFd> {
    let mut file = fs::open_follow(fs::CWD, path, libc::O_PATH, 0).ok()?;
    let mut path = path;
    for _ in 0..4 {
        // What has no x bit is to blame itself.
        if fs::fstat(file.as_fd()).is_ok_and(|stat| stat.st_mode & 0o111 == 0) {
            break;
        }
        let readable = fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0);
        let head = readable.and_then(|fd| fs::read_all(fd.as_fd(), 256)).unwrap_or_default();
        let Some(next) = diagnose::interpreter(&head).filter(|_| head.starts_with(b"#!")) else { break };
        path = keep(next);
        match fs::open_follow(fs::CWD, path, libc::O_PATH, 0) {
            Ok(next) => file = next,
            Err(_) => break,
        }
    }
    Some(file)
}

/// Each candidate in turn; permission denied is remembered, since it says more than "not found", as execvp(3) has it.
/// An empty word is never found.
fn exec(plan: &Plan, argv: &StringList, envp: &StringList) -> (Errno, usize) {
    let mut worst = (Errno::ENOENT, usize::MAX);
    if plan.exec.args.first().is_some_and(|word| word.is_empty()) {
        return worst;
    }
    for (index, &path) in plan.exec.candidates.iter().enumerate() {
        let errno = process::execve(path, argv, envp);
        let missing = matches!(errno, Errno::ENOENT | Errno::ENOTDIR) && plan.exec.candidates.len() > 1;
        if missing && !fs::exists(path) {
            continue;
        }
        if errno != Errno::EACCES {
            return (errno, index);
        }
        if worst.0 != errno {
            worst = (errno, index);
        }
    }
    worst
}

/// `exec`: goes on in a child, which is a member of the pid namespace that this process has entered. It is the supervisor's
/// own, who waits for it: an orphan of the host, where nobody reaps, could not be left by the container's end.
fn fork(slots: &Slots) -> Result<(), Errno> {
    match process::clone(libc::CLONE_PARENT as u64)? {
        Side::Parent(pid, _) => {
            let _ = process::say(slots.get(INIT), [perform::FORKED, pid as u32, 0]);
            process::exit(0)
        }
        Side::Child => Ok(()),
    }
}

/// `--init`: this process stays as PID 1, reaps what is orphaned, forwards signals, and ends with the command's exit
/// code; the command goes on as its child.
fn become_init(slots: &mut Slots) -> Result<(), Errno> {
    // All signals are blocked here: they are taken with sigtimedwait, so that none is lost or ends PID 1.
    let command = match process::clone(0)? {
        Side::Parent(command, _) => command,
        Side::Child => {
            // The command's own: with --pid host the end of its parent alone would not end it.
            return process::die_with_parent();
        }
    };
    // Nothing of the supervisor's is needed any more, and its end tells the supervisor that the command is executed.
    slots.set(INIT, None);
    let closed = process::close_from(3).or_else(|_| {
        // To list them takes one, and the command's limit is ours.
        process::close(3)?;
        perform::each_descriptor(process::close)
    });
    match closed.and_then(|()| reap(command)) {
        Ok(code) => process::exit(code),
        Err(errno) => {
            let _ = fs::write_all(process::STDERR, &Error::sys(text!("wait for the command"), t(c""), errno).text());
            process::exit(RUNTIME)
        }
    }
}

fn reap(command: i32) -> Result<u8, Errno> {
    loop {
        let signal = process::wait_signal()?;
        if signal != libc::SIGCHLD {
            let _ = process::kill(command, signal);
            continue;
        }
        loop {
            let (pid, code) = process::wait(-1, libc::WNOHANG)?;
            if pid == command {
                return Ok(code);
            }
            if pid == 0 {
                break;
            }
        }
    }
}
