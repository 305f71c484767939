//! The plan in words: the same calls that `perform` makes, as strace would print them, one line a step.

use crate::perform::WORK;
use crate::plan::{self, Entry, INIT, NOWHERE, Plan, Step, Undo, Want};
use crate::sys::call::{self, CWD, Call, Slot};
use crate::sys::fs::{IN_ROOT, NO_MAGICLINKS, OpenHow};
use crate::sys::name::{Name, Text, t};
use crate::text::{Line, Push};

/// Everything a start would do, then what its end would.
pub fn plan(plan: &Plan) -> Line {
    let mut out = Line::new();
    out.put(b"# outside, before the container's process exists\n");
    for entry in &plan.outside {
        step(plan, entry, &mut out);
        out.put(b"\n");
        if let (Step::Clone(_) | Step::Clone3(..), Some(Step::HandOver(_))) = (entry.step, plan.last_outside()) {
            out.put(b"# outside, beside it\n");
        }
    }
    out.put(b"# inside, in the container's process\n");
    for entry in &plan.inside {
        step(plan, entry, &mut out);
        out.put(b"\n");
        if let Step::Umount(_) = entry.step {
            out.put(b"#   where / is an initramfs, which pivot_root answers with EINVAL, instead of these two:\n");
            for step in &plan.moved {
                out.put(b"#   ");
                call(step, &mut out);
                out.put(b"\n");
            }
        }
    }
    out.put(b"# outside, when it has ended\n");
    for entry in plan.outside.iter().rev() {
        undo(entry, &mut out);
    }
    out
}

fn call(step: &Step, out: &mut Line) {
    if let Some(call) = step.call() {
        call.explain(out, &plan::name);
    }
}

/// One step without its line's end.
pub fn step(plan: &Plan, entry: &Entry, out: &mut Line) {
    match entry.step {
        Step::File(dir, name, content) => {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
            Call::openat(dir, name, flags, 0o644).explain(out, &plan::name);
            out.put(b"; write(..., ")
                .quoted(content.to_bytes())
                .put(b", ")
                .dec(content.to_bytes().len() as u64)
                .put(b")");
        }
        Step::Set(dir, name, value) => {
            Call::openat(dir, name, libc::O_WRONLY, 0).explain(out, &plan::name);
            out.put(b"; write(..., ").quoted(value.to_bytes()).put(b", ").dec(value.to_bytes().len() as u64).put(b")");
        }
        Step::Target(path, want, _) => {
            let flags = libc::O_PATH | libc::O_CLOEXEC | if want == Want::File { 0 } else { libc::O_DIRECTORY };
            let how = OpenHow { flags: flags as u64, mode: 0, resolve: IN_ROOT | NO_MAGICLINKS };
            Call::openat2(plan::ROOT, path, &how).explain(out, &plan::name);
            assigned(entry, out);
            out.put(b"  # made where it is missing");
        }
        Step::Fill(_, volume, target) => {
            out.put(b"# copy ").safe(target.to_bytes()).put(b" of the image into ").safe(volume.to_bytes());
        }
        Step::Unlock(master) => {
            out.put(b"ioctl(");
            plan::name(master, out);
            out.put(b", TIOCSWINSZ, ...); ioctl(");
            plan::name(master, out);
            out.put(b", TIOCSPTLCK, [0])");
        }
        Step::SendTerminal(socket, terminal) => {
            out.put(b"sendmsg(");
            plan::name(socket, out);
            out.put(b", SCM_RIGHTS ");
            plan::name(terminal, out);
            out.put(b")");
        }
        Step::Loopback => {
            out.put(b"socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0); ioctl(..., SIOCSIFFLAGS, {\"lo\", IFF_UP})");
        }
        Step::Rlimit(resource, soft, hard) => {
            out.put(b"prlimit64(0, ")
                .dec(u64::from(resource))
                .put(b", {")
                .dec(soft)
                .put(b", ")
                .dec(hard)
                .put(b"}, NULL)");
        }
        Step::RemountReadOnly(target) => {
            let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY;
            call(&Step::MountAt(CWD, target, t(c""), flags, t(c"")), out);
            out.put(b"  # and what else the mount has");
        }
        Step::Pair(a, b) => two(b"socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [", a, b, b"])", out),
        Step::Pipe(a, b) => two(b"pipe2([", a, b, b"], O_CLOEXEC)", out),
        Step::Clone(flags) => {
            out.put(b"clone(child_stack=NULL, flags=");
            call::flags(out, flags as u32, &call::CLONE).put(b"|SIGCHLD) = ");
            plan::name(plan::CHILD, out);
        }
        Step::Clone3(flags, cgroup) => clone3(flags, cgroup, out),
        Step::OpenSelf(into) => {
            out.put(b"pidfd_open(getpid(), 0) = ");
            plan::name(into, out);
        }
        Step::HandOver(socket) => {
            out.put(b"write(");
            plan::name(socket, out);
            out.put(b", [all descriptors])  # hand-over");
        }
        Step::TakeOver(socket, _) => {
            out.put(b"read(");
            plan::name(socket, out);
            out.put(b", [all descriptors]); unshare(CLONE_FILES)  # hand-over");
        }
        Step::DefaultAction(signal) => {
            out.put(b"rt_sigaction(").dec(signal as u64).put(b", {SIG_DFL}, NULL, 8)");
        }
        Step::CheckCwd => {
            out.put(b"getcwd(...)  # must begin with /");
        }
        Step::CheckParent => {
            out.put(b"ppoll([");
            plan::name(INIT, out);
            out.put(b"], 0)  # no hang-up");
        }
        Step::Init => {
            out.put(b"clone(child_stack=NULL, flags=SIGCHLD)  # the command; this process reaps and forwards signals");
        }
        Step::Exec => exec(plan, out),
        _ => {
            call(&entry.step, out);
            assigned(entry, out);
        }
    }
}

fn assigned(entry: &Entry, out: &mut Line) {
    let into = match entry.step {
        Step::Target(_, _, into) => Some(into),
        _ => entry.step.fills(),
    };
    if let Some(into) = into {
        out.put(b" = ");
        plan::name(into, out);
    }
}

fn two(before: &[u8], a: Slot, b: Slot, after: &[u8], out: &mut Line) {
    out.put(before);
    plan::name(a, out);
    out.put(b", ");
    plan::name(b, out);
    out.put(after);
}

fn clone3(flags: u64, cgroup: Slot, out: &mut Line) {
    out.put(b"clone3({flags=");
    call::flags(out, flags as u32, &call::CLONE);
    if cgroup != NOWHERE {
        out.put(b"|CLONE_INTO_CGROUP");
    }
    out.put(b", exit_signal=SIGCHLD");
    if cgroup != NOWHERE {
        out.put(b", cgroup=");
        plan::name(cgroup, out);
    }
    out.put(b"}, ").dec(if cgroup == NOWHERE { 64 } else { 88 }).put(b") = ");
    plan::name(plan::CHILD, out);
}

fn exec(plan: &Plan, out: &mut Line) {
    let list = |strings: &[Text], out: &mut Line| {
        for (index, text) in strings.iter().enumerate() {
            out.put(if index > 0 { b", " } else { b"" }).quoted(text.to_bytes());
        }
    };
    let path = plan.exec.candidates.first().copied().unwrap_or_default();
    out.put(b"execve(").quoted(path.to_bytes()).put(b", [");
    list(&plan.exec.args, out);
    out.put(b"], [");
    list(&plan.exec.env, out);
    out.put(b"])");
    if plan.exec.candidates.len() > 1 {
        out.put(b"  # and so on through PATH");
    }
}

/// What an untouched container leaves; below a directory that is not empty come the unlinkats of its content.
fn undo(entry: &Entry, out: &mut Line) {
    let (dir, path) = match entry.step {
        Step::Mkdir(dir, path, _) | Step::Symlink(_, dir, path) => (dir, path),
        _ => return,
    };
    match entry.undo {
        Undo::Nothing => {}
        Undo::Unlink => removal(dir, path, false, out),
        Undo::Work => {
            out.put(b"unlinkat({work}, \"dirty\", 0)  # in work/work/incompat/volatile, then one after the other\n");
            for name in WORK.iter().rev() {
                out.put(b"unlinkat({work}, ").quoted(name.to_bytes()).put(b", AT_REMOVEDIR)\n");
            }
        }
        Undo::Tree | Undo::Cgroup => removal(dir, path, true, out),
    }
}

fn removal(dir: Slot, path: Name, directory: bool, out: &mut Line) {
    Call::unlinkat(dir, path, directory).explain(out, &plan::name);
    out.put(b"\n");
}
