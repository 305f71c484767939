//! The plan in words: the same calls that `perform` makes, as strace would print them, one line a step.

use crate::perform::outside::WORK;
use crate::plan::{self, CHILD, CONTAINER, Entry, INIT, NOWHERE, Plan, Step, Undo, Want};
use crate::record::STATE;
use crate::sys::call::{self, Arg, CWD, Call, Slot};
use crate::sys::fs::{IN_ROOT, NO_MAGICLINKS, OpenHow};
use crate::sys::name::{Name, Text, t};
use crate::text::{Line, Message, Push, keep};

/// Everything a start would do, then what its end would.
pub fn plan(plan: &Plan) -> Line {
    let mut out = Line::new();
    if !plan.entering.is_empty() {
        out.say(text!("# first, as an ordinary user\n"));
    }
    for entry in &plan.entering {
        step(plan, entry, &mut out);
        out.put(b"\n");
    }
    out.say(text!("# outside, before the container's process exists\n"));
    for entry in &plan.outside {
        step(plan, entry, &mut out);
        out.put(b"\n");
        if let (Step::Clone(_) | Step::Clone3(..), Some(Step::HandOver(_))) = (entry.step, plan.last_outside()) {
            out.say(text!("# outside, beside it\n"));
        }
    }
    out.say(text!("# inside, in the container's process\n"));
    for entry in &plan.inside {
        step(plan, entry, &mut out);
        out.put(b"\n");
        if let Step::Umount(_) = entry.step {
            out.say(text!(
                "#   where / is an initramfs, which pivot_root answers with EINVAL, instead of these two:\n"
            ));
            for step in &plan.moved {
                out.put(b"#   ");
                call(step, &mut out);
                out.put(b"\n");
            }
        }
    }
    out.say(text!("# outside, when it has ended\n"));
    for entry in plan.outside.iter().rev() {
        undo(entry, &mut out);
    }
    out
}

fn call(step: &Step, out: &mut Line) {
    if let Some(call) = step.call() {
        call.explain(out, plan::name);
    }
}

/// The text with an argument in place of each `%`.
fn say(text: Message, args: &[Arg], out: &mut Line) {
    call::explain(text, args, out, plan::name);
}

/// One step without its line's end.
pub fn step(plan: &Plan, entry: &Entry, out: &mut Line) {
    match entry.step {
        Step::File(dir, name, content) => {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
            Call::openat(dir, name, flags, 0o644).explain(out, plan::name);
            written(content, out);
        }
        Step::Set(dir, name, value) => {
            Call::openat(dir, name, libc::O_WRONLY, 0).explain(out, plan::name);
            written(value, out);
        }
        Step::FilterDevices(cgroup, rules) => {
            let text = text!(
                "bpf(BPF_PROG_LOAD, {BPF_PROG_TYPE_CGROUP_DEVICE, ...}, 48); \
             bpf(BPF_PROG_ATTACH, {%, ..., BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI}, 16)  # "
            );
            say(text, &[Arg::Fd(cgroup)], out);
            out.put(rules.to_bytes());
        }
        Step::Target(path, want, into) => {
            let missing = if want == Want::Present { Message::NONE } else { text!("  # made where it is missing") };
            let flags = libc::O_PATH | libc::O_CLOEXEC | if want == Want::File { 0 } else { libc::O_DIRECTORY };
            let how = OpenHow { flags: flags as u64, mode: 0, resolve: IN_ROOT | NO_MAGICLINKS };
            Call::openat2(plan::ROOT, path, &how).explain(out, plan::name);
            say(text!(" = %"), &[Arg::Fd(into)], out);
            out.say(missing);
        }
        Step::Fill(_, _, volume, target) => {
            let (copy, data) = (Arg::Str(t(c".filling")), Arg::Str(t(c"_data")));
            say(text!("mkdirat({volume}, %, 0755); renameat2({volume}, %, {volume}, %, 0)"), &[copy, copy, data], out);
            out.say(text!("  # in "))
                .safe(volume.to_bytes())
                .say(text!("; between them the image's "))
                .safe(target.to_bytes());
            out.say(text!(" is copied"));
        }
        Step::Unlock(master) => {
            say(
                text!("ioctl(%, TIOCSWINSZ, ...); ioctl(%, TIOCSPTLCK, [0])"),
                &[Arg::Fd(master), Arg::Fd(master)],
                out,
            );
        }
        Step::SendTerminal(socket, terminal) => {
            say(text!("sendmsg(%, SCM_RIGHTS %)"), &[Arg::Fd(socket), Arg::Fd(terminal)], out);
        }
        Step::Enter(uid, gid) => {
            Call::unshare((libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u32).explain(out, plan::name);
            for args in [uid, gid] {
                out.say(text!("\nexecve(")).quoted(args.first().copied().unwrap_or_default().to_bytes()).put(b", [");
                list(args, out);
                out.say(text!("], [])  # by a child outside of it"));
            }
        }
        Step::Running(words, image) => {
            let mut state = Line::new();
            state.put(b"running {child} ... ").dec(words as u64);
            say(
                text!("symlinkat(%, %, \"state\"); write(memfd_create(\"mydocker\"), %)"),
                &[Arg::Str(keep(&state)), Arg::Fd(CONTAINER), Arg::Str(image)],
                out,
            );
        }
        Step::MapIds(uid, gid, into) => {
            say(
                text!("write(/proc/{child}/uid_map, %); write(/proc/{child}/gid_map, %); "),
                &[Arg::Str(uid), Arg::Str(gid)],
                out,
            );
            say(text!("open(/proc/{child}/ns/user) = %"), &[Arg::Fd(into)], out);
        }
        Step::Idmap(mount, user) => {
            let text = text!(
                "mount_setattr(%, \"\", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_IDMAP, attr_clr=0, propagation=0, userns_fd=%}, 32)"
            );
            say(text, &[Arg::Fd(mount), Arg::Fd(user)], out);
        }
        Step::Loopback => {
            say(
                text!("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0); ioctl(..., SIOCSIFFLAGS, {\"lo\", IFF_UP})"),
                &[],
                out,
            );
        }
        Step::Rlimit(resource, soft, hard) => {
            out.say(text!("prlimit64(0, ")).dec(u64::from(resource)).put(b", {").dec(soft).put(b", ").dec(hard);
            out.say(text!("}, NULL)"));
        }
        Step::Remount(target, add) => {
            let flags = libc::MS_REMOUNT | libc::MS_BIND | add;
            call(&Step::MountAt(CWD, target, t(c""), flags, t(c"")), out);
            out.say(text!("  # and what else the mount has"));
        }
        Step::Pair(a, b) => {
            say(text!("socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [%, %])"), &[Arg::Fd(a), Arg::Fd(b)], out);
        }
        Step::Pipe(a, b) => say(text!("pipe2([%, %], O_CLOEXEC)"), &[Arg::Fd(a), Arg::Fd(b)], out),
        Step::Clone(flags) => {
            let flags = Arg::Flags(flags as u32, &call::CLONE);
            say(text!("clone(child_stack=NULL, flags=%|SIGCHLD) = %"), &[flags, Arg::Fd(CHILD)], out);
        }
        Step::Clone3(flags, NOWHERE) => {
            let flags = Arg::Flags(flags as u32, &call::CLONE);
            say(text!("clone3({flags=%, exit_signal=SIGCHLD}, 64) = %"), &[flags, Arg::Fd(CHILD)], out);
        }
        Step::Clone3(flags, cgroup) => {
            let text = text!("clone3({flags=%|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup=%}, 88) = %");
            let flags = Arg::Flags(flags as u32, &call::CLONE);
            say(text, &[flags, Arg::Fd(cgroup), Arg::Fd(CHILD)], out);
        }
        Step::CopyProgram => {
            let text =
                text!("mmap(NULL, ...); mprotect(...); mremap(..., MREMAP_FIXED, ...)  # each segment of mydocker");
            say(text, &[], out);
        }
        Step::SetProgram(file) => {
            say(text!("prctl(PR_SET_MM, PR_SET_MM_MAP, {exe_fd=%}, 104, 0)"), &[Arg::Fd(file)], out)
        }
        Step::OpenSelf(into) => say(text!("pidfd_open(getpid(), 0) = %"), &[Arg::Fd(into)], out),
        Step::HandOver(socket) => say(text!("write(%, [all descriptors])  # hand-over"), &[Arg::Fd(socket)], out),
        Step::TakeOver(socket, _) => {
            say(text!("read(%, [all descriptors]); unshare(CLONE_FILES)  # hand-over"), &[Arg::Fd(socket)], out);
        }
        Step::DefaultAction(signal) => {
            say(text!("rt_sigaction(%, {SIG_DFL}, NULL, 8)"), &[Arg::Int(i64::from(signal))], out);
        }
        Step::Same(file, _) => say(text!("fstat(%)  # what was looked at"), &[Arg::Fd(file)], out),
        Step::CheckCwd => say(text!("getcwd(...)  # must begin with /"), &[], out),
        Step::CheckParent => say(text!("ppoll([%], 0)  # no hang-up"), &[Arg::Fd(INIT)], out),
        Step::Init => {
            let text =
                text!("clone(child_stack=NULL, flags=SIGCHLD)  # the command; this process reaps and forwards signals");
            say(text, &[], out);
        }
        Step::Forget => say(text!("# the caller's environment is overwritten"), &[], out),
        Step::Memory(into) => {
            say(text!("memfd_create(\"mydocker\", MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_EXEC) = %"), &[Arg::Fd(into)], out)
        }
        Step::Device(path, _, into) => {
            let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK | libc::O_CLOEXEC;
            let how = OpenHow { flags: flags as u64, mode: 0, resolve: IN_ROOT | NO_MAGICLINKS };
            Call::openat2(plan::ROOT, path, &how).explain(out, plan::name);
            say(text!(" = %  # must be that device"), &[Arg::Fd(into)], out);
        }
        Step::CloseOthers(one, other) => {
            say(text!("close(...)  # all above 2 but % and %"), &[Arg::Fd(one), Arg::Fd(other)], out);
        }
        Step::Fork => {
            out.say(text!(
                "clone(child_stack=NULL, flags=CLONE_PARENT|SIGCHLD)  # what follows is done by the child, in the \
container's pid namespace"
            ));
        }
        Step::Exec => exec(plan, out),
        _ => {
            call(&entry.step, out);
            if let Some(into) = entry.step.fills() {
                say(text!(" = %"), &[Arg::Fd(into)], out);
            }
        }
    }
}

fn written(content: Text, out: &mut Line) {
    say(text!("; write(..., %, %)"), &[Arg::Str(content), call::length(content)], out);
}

fn list(strings: &[Text], out: &mut Line) {
    for (index, text) in strings.iter().enumerate() {
        out.put(if index > 0 { b", " } else { b"" }).quoted(text.to_bytes());
    }
}

fn exec(plan: &Plan, out: &mut Line) {
    let path = plan.exec.candidates.first().copied().unwrap_or_default();
    out.say(text!("execve(")).quoted(path.to_bytes()).put(b", [");
    list(&plan.exec.args, out);
    out.put(b"], [");
    list(&plan.exec.env, out);
    out.put(b"])");
    if plan.exec.candidates.len() > 1 {
        out.say(text!("  # and so on through PATH"));
    }
}

/// What an untouched container leaves; below a directory that is not empty come the unlinkats of its content.
fn undo(entry: &Entry, out: &mut Line) {
    let (dir, path) = match entry.step {
        Step::Mkdir(dir, path, _) | Step::Symlink(_, dir, path) => (dir, path),
        Step::Running(..) => (CONTAINER, STATE),
        _ => return,
    };
    match entry.undo {
        Undo::Nothing | Undo::IfFailed => {}
        Undo::Leave => {
            out.say(text!("# controllers are disabled in the cgroup above, then mydocker moves back to it\n"));
            removal(dir, path, true, out);
        }
        Undo::Unlink => removal(dir, path, false, out),
        Undo::Work => {
            out.say(text!(
                "unlinkat({work}, \"dirty\", 0)  # in work/work/incompat/volatile, then one after the other\n"
            ));
            for name in WORK.iter().rev() {
                out.say(text!("unlinkat({work}, ")).quoted(name.to_bytes()).say(text!(", AT_REMOVEDIR)\n"));
            }
        }
        Undo::Tree | Undo::Cgroup => removal(dir, path, true, out),
    }
}

fn removal(dir: Slot, path: Name, directory: bool, out: &mut Line) {
    Call::unlinkat(dir, path, directory).explain(out, plan::name);
    out.put(b"\n");
}
