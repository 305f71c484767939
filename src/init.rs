//! The child's story, from clone to execve.
//!
//! Everything it needs was made before the clone. It must end in execve or exit: what it shares with the supervisor
//! (the list of things to undo) is the supervisor's.

use crate::error::RUNTIME;
use crate::plan::{CHILD, Entry, INIT, Plan, SUPERVISOR, Step};
use crate::sys::call::Slots;
use crate::sys::process::{self, Side, StringList};
use crate::sys::{Errno, fs};
use crate::trace::Trace;
use crate::{perform, plan};

/// What the child says when it fails: the index of the step and the errno.
pub const REPORT: usize = 8;

/// Walks the inside of the plan. Never returns.
pub fn story(plan: &Plan, slots: &mut Slots, trace: Trace) -> ! {
    // As long as this copy is open the supervisor's end could not be seen.
    slots.set(SUPERVISOR, None);
    slots.set(CHILD, None);
    let argv = StringList::new(&plan.exec.args);
    let envp = StringList::new(&plan.exec.env);
    let mut entries = plan.inside.iter().enumerate();
    while let Some((index, entry)) = entries.next() {
        let result = match entry.step {
            Step::Init => {
                become_init();
                Ok(())
            }
            Step::Exec => Err(exec(plan, &argv, &envp)),
            _ => match perform::step(entry, slots) {
                Err(Errno::EINVAL) if matches!(entry.step, Step::PivotRoot) => {
                    // The root of an initramfs cannot be pivoted from; docs/initramfs.md says why this is as safe.
                    entries.next();
                    moved(plan, slots)
                }
                result => result,
            },
        };
        trace.record(plan.outside.len().saturating_add(index));
        if let Err(errno) = result {
            report(slots, index, errno);
        }
    }
    process::exit(RUNTIME)
}

fn moved(plan: &Plan, slots: &mut Slots) -> Result<(), Errno> {
    plan.moved.iter().try_for_each(|&step| {
        perform::step(&Entry { step, why: "", about: c"", fine: None, undo: plan::Undo::Nothing }, slots)
    })
}

fn report(slots: &Slots, index: usize, errno: Errno) -> ! {
    let mut bytes = [0; REPORT];
    let words = (index as u32).to_ne_bytes().into_iter().chain(errno.into_raw().to_ne_bytes());
    bytes.iter_mut().zip(words).for_each(|(to, from)| *to = from);
    let _ = fs::write(slots.get(INIT), &bytes);
    process::exit(RUNTIME)
}

/// Each candidate in turn; permission denied is remembered, since it says more than "not found", as execvp(3) has it.
fn exec(plan: &Plan, argv: &StringList, envp: &StringList) -> Errno {
    // clone3 has made the dispositions default (CLONE_CLEAR_SIGHAND); without it that is done here, for what the
    // caller had ignored would stay ignored.
    let cleared = plan.outside.iter().any(|entry| match entry.step {
        Step::Clone(flags, _) => flags & process::CLEAR_SIGHAND != 0,
        _ => false,
    });
    if !cleared {
        (1..=64).for_each(process::default_action);
    }
    process::unblock_signals();
    let mut worst = Errno::ENOENT;
    for path in &plan.exec.candidates {
        match process::execve(path, argv, envp) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            Errno::EACCES => worst = Errno::EACCES,
            errno => return errno,
        }
    }
    worst
}

/// `--init`: this process stays as PID 1, reaps what is orphaned, forwards signals, and ends with the command's exit
/// code; the command goes on as its child.
fn become_init() {
    // All signals are blocked here: they are taken with sigtimedwait, so that none is lost or ends PID 1.
    let Ok(Side::Parent(command, _)) = process::clone(0) else { return };
    loop {
        let signal = process::wait_signal();
        if signal != libc::SIGCHLD {
            let _ = process::kill(command, signal);
            continue;
        }
        while let Ok((pid, code)) = process::wait(-1, libc::WNOHANG) {
            if pid == command {
                process::exit(code);
            }
            if pid == 0 {
                break;
            }
        }
    }
}
