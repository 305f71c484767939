//! Spec + facts about the host → the steps, in order. Pure: nothing here asks the kernel.
//!
//! The order is the secret of a container, so it is a value: `outside` is what mydocker does before the container's
//! process exists, ending with its clone; `inside` is what that process does until it executes the command. What
//! `outside` left on the host is undone backwards when the container ends, or when a step fails.
//!
//! File systems are made as detached mounts where nobody else sees them, and attached by descriptor: no path is
//! resolved twice, and what is not attached ends with its descriptor. `classic.rs` is the order for kernels without
//! these calls (before Linux 5.12).

mod classic;
mod mounts;
mod step;
#[cfg(test)]
mod tests;

pub use mounts::{MASKS, SYSRQ};
pub use step::{FS, Step};

use crate::cgroup;
use crate::error::Result;
use crate::spec::{Source, Spec, Text};
use crate::sys::call::{CWD, MountAttr, NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::sys::{Errno, process};
use crate::text::{Line, Push, keep, keep_all};

/// The container's directory in the store; its lock.
pub const CONTAINER: Slot = Slot(0);
/// The overlay, the container's root.
pub const ROOT: Slot = Slot(2);
const DEV: Slot = Slot(3);
const PTS: Slot = Slot(4);
const SHM: Slot = Slot(5);
/// A tmpfs with the files that every container gets, and an empty directory to mask others with.
const FILES: Slot = Slot(6);
/// Our side of the terminal.
pub const MASTER: Slot = Slot(7);
const TERMINAL: Slot = Slot(8);
const PROC: Slot = Slot(9);
const SYS: Slot = Slot(10);
const MQUEUE: Slot = Slot(11);
const COPY: Slot = Slot(12);
const TARGET: Slot = Slot(13);
/// The supervisor's end of the pair that says whether the other side still lives, and what failed.
pub const SUPERVISOR: Slot = Slot(14);
/// The child's end.
pub const INIT: Slot = Slot(15);
/// The child's pidfd.
pub const CHILD: Slot = Slot(16);
const MASK: Slot = Slot(17);
const READONLY: Slot = Slot(18);
const NULL: Slot = Slot(19);
/// Pipes for a standard stream that is a terminal on the host's side: ours and the container's end.
pub const PIPES: [(Slot, Slot); 3] = [(Slot(20), Slot(21)), (Slot(22), Slot(23)), (Slot(24), Slot(25))];
const CGROUPS: u16 = 26;
/// At most memory, cpu, cpuset and pids, each in a hierarchy of its own.
const MAX_CGROUPS: u16 = 4;
const ATTACH: u16 = CGROUPS + MAX_CGROUPS;
const SOURCES: u16 = ATTACH + MAX_CGROUPS;

/// The slot's name for people.
pub fn name(slot: Slot, line: &mut Line) {
    const NAMES: [&str; SOURCES as usize] = [
        "container",
        "fs",
        "root",
        "dev",
        "pts",
        "shm",
        "files",
        "ptmx",
        "terminal",
        "proc",
        "sys",
        "mqueue",
        "copy",
        "target",
        "supervisor",
        "init",
        "child",
        "mask",
        "readonly",
        "null",
        "stdin_w",
        "stdin_r",
        "stdout_r",
        "stdout_w",
        "stderr_r",
        "stderr_w",
        "cgroup0",
        "cgroup1",
        "cgroup2",
        "cgroup3",
        "procs0",
        "procs1",
        "procs2",
        "procs3",
    ];
    if slot == CWD {
        line.put(b"AT_FDCWD");
        return;
    }
    line.put(b"{");
    match NAMES.get(usize::from(slot.0)) {
        Some(name) => line.put(name.as_bytes()),
        None => line.put(b"source").dec(u64::from(slot.0.saturating_sub(SOURCES))),
    };
    line.put(b"}");
}

/// How what a step has left on the host is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undo {
    /// It left nothing, or what it left is wanted (a volume).
    Nothing,
    /// Remove the symlink.
    Unlink,
    /// Remove the directory and all below it, never across a mount point.
    Tree,
    /// The overlay's work directory: what overlayfs makes there by name, then as `Tree`.
    Work,
    /// Kill what is in the cgroup and remove it.
    Cgroup,
}

/// A step with what is known about it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What is done.
    pub step: Step,
    /// What for, in words that follow "cannot".
    pub why: &'static str,
    /// The object as the user knows it; empty where the step's own path says it.
    pub about: Text,
    /// An errno that leaves things as they should be.
    pub fine: Option<Errno>,
    /// How it is undone.
    pub undo: Undo,
}

/// The steps of a start.
pub struct Plan {
    /// Before the container's process exists; the last is its clone.
    pub outside: Vec<Entry>,
    /// In the container's process, the last executes the command.
    pub inside: Vec<Entry>,
    /// Instead of pivot_root and umount2 where the root is an initramfs, which pivot_root answers with EINVAL.
    pub moved: [Step; 2],
    /// How many descriptors the steps pass on.
    pub slots: usize,
    /// What the last step executes.
    pub exec: Exec,
}

/// The command: the files to try in turn, the arguments, the environment.
pub struct Exec {
    /// One where the command has a slash, else one a directory of the container's PATH.
    pub candidates: Vec<Text>,
    /// argv.
    pub args: Vec<Text>,
    /// envp.
    pub env: Vec<Text>,
}

/// What a plan has to know about the host. Gathered by `host::look`.
pub struct Host {
    /// Fresh attempts leave out what the kernel has answered with ENOSYS.
    pub has: Has,
    /// Index into `MASKS` of what exists on this kernel.
    pub masks: u32,
    /// CPUs that have a thermal_throttle directory.
    pub throttles: u32,
    /// The kernel has POSIX message queues.
    pub mqueue: bool,
    /// Where cgroups are.
    pub cgroups: cgroup::Layout,
    /// Missing directories of -v sources, parents first.
    pub missing: Vec<Text>,
    /// Volumes to fill from the image: index into the spec's mounts.
    pub fill: Vec<usize>,
    /// For each mount whether its source is a file.
    pub files: Vec<bool>,
    /// Standard streams that are terminals of the host.
    pub terminals: [bool; 3],
    /// The store's path.
    pub store: Text,
}

/// Newer system calls that a plan may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Has {
    /// fsopen, fsconfig, fsmount, open_tree, move_mount (Linux 5.2) and mount_setattr (5.12).
    pub detached: bool,
    /// clone3 (5.3) with CLONE_CLEAR_SIGHAND (5.5).
    pub clone3: bool,
    /// CLONE_INTO_CGROUP (5.7).
    pub into_cgroup: bool,
    /// CLONE_PIDFD (5.2).
    pub pidfd: bool,
}

impl Has {
    /// What a current kernel has.
    pub const ALL: Self = Self { detached: true, clone3: true, into_cgroup: true, pidfd: true };
}

struct Builder<'a> {
    spec: &'a Spec,
    host: &'a Host,
    /// The container's directory relative to the store.
    dir: Text,
    steps: Vec<Entry>,
}

impl Builder<'_> {
    fn add(&mut self, why: &'static str, step: Step) -> &mut Entry {
        let entry = Entry { step, why, about: c"", fine: None, undo: Undo::Nothing };
        self.steps.push(entry);
        // Just pushed; there is a last one.
        match self.steps.last_mut() {
            Some(entry) => entry,
            None => unreachable!(),
        }
    }

    /// A new file system as a detached mount: type, options, attributes.
    fn file_system(&mut self, why: &'static str, fs: Text, options: &[(Text, Text)], attributes: u64, into: Slot) {
        self.add(why, Step::Fsopen(fs, FS));
        for &(key, value) in options {
            self.add(why, if value.is_empty() { Step::Flag(key) } else { Step::Option(key, value) });
        }
        self.add(why, Step::Create);
        self.add(why, Step::Fsmount(attributes, into));
    }

    fn set(&mut self, why: &'static str, mount: Slot, recursive: bool, set: u64, propagation: u64) {
        if set == 0 && propagation == 0 {
            return;
        }
        let attr = MountAttr { set, clear: 0, propagation, userns: 0 };
        self.add(why, Step::SetAttr(mount, recursive, attr));
    }
}

/// The plan of a start. Fails where something was asked for that this host cannot give.
pub fn build(spec: &Spec, host: &Host) -> Result<Plan> {
    let dir = keep_all(&[b"containers/", spec.id.to_bytes()]);
    let mut builder = Builder { spec, host, dir, steps: Vec::with_capacity(96) };
    let cgroups = outside(&mut builder)?;
    let outside = core::mem::replace(&mut builder.steps, Vec::with_capacity(96));
    inside(&mut builder, &cgroups);
    let moved = [Step::Mount(c".", c"/", c"", libc::MS_MOVE, c""), Step::Chroot(c".")];
    let slots = usize::from(SOURCES).saturating_add(spec.mounts.len());
    Ok(Plan { outside, inside: builder.steps, moved, slots, exec: exec(&spec.process) })
}

/// PATH is the container's own, as `run -e PATH=…` or the default has it.
fn exec(process: &crate::spec::Process) -> Exec {
    let (args, env) = (process.args.clone(), process.env.clone());
    let command = args.first().copied().unwrap_or(c"");
    let mut candidates = vec![command];
    if !command.to_bytes().contains(&b'/') {
        let path = env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH=")).unwrap_or_default();
        candidates = path
            .split(|&byte| byte == b':')
            .map(|dir| keep_all(&[if dir.is_empty() { b"." } else { dir }, b"/", command.to_bytes()]))
            .collect();
    }
    Exec { candidates, args, env }
}

/// The slot of a mount's source.
fn source(index: usize) -> Slot {
    Slot(SOURCES.saturating_add(index as u16))
}

/// Outside: as root of the host, before the container's process exists.
fn outside(plan: &mut Builder) -> Result<Vec<cgroup::Member>> {
    // Modes are given as they shall be, whatever umask the caller has; the child sets docker's 0022.
    plan.add("set the umask", Step::Umask(0));
    plan.add("enter the store", Step::Chdir(plan.host.store));
    container_directory(plan);
    let cgroups = cgroup::outside(&plan.spec.limits, &plan.host.cgroups, plan.spec.id)?;
    for (index, member) in cgroups.iter().enumerate() {
        control_group(plan, index as u16, member);
    }
    for &path in &plan.host.missing {
        plan.add("make the volume's directory", Step::Mkdir(CWD, path, 0o755)).fine = Some(Errno::EEXIST);
    }
    volumes(plan);
    if plan.host.has.detached {
        mounts::detached(plan);
    } else {
        classic::sources(plan);
    }
    streams(plan);
    plan.add("connect to the child", Step::Pair(SUPERVISOR, INIT));
    let born_in = cgroups.iter().position(|member| member.unified && plan.host.has.clone3 && plan.host.has.into_cgroup);
    let cgroup = born_in.map(|index| Slot(CGROUPS.saturating_add(index as u16)));
    plan.add("create the namespaces", Step::Clone(namespaces(plan), cgroup));
    Ok(cgroups)
}

fn namespaces(plan: &Builder) -> u64 {
    let share = plan.spec.share;
    let mut flags = libc::CLONE_NEWNS as u64;
    for (shared, flag) in [
        (share.pid, libc::CLONE_NEWPID),
        (share.uts, libc::CLONE_NEWUTS),
        (share.ipc, libc::CLONE_NEWIPC),
        (share.net, libc::CLONE_NEWNET),
    ] {
        if !shared {
            flags |= flag as u64;
        }
    }
    if plan.host.has.pidfd {
        flags |= libc::CLONE_PIDFD as u64;
    }
    if plan.host.has.clone3 {
        flags |= process::CLEAR_SIGHAND;
    }
    if plan.host.has.clone3 && plan.host.has.into_cgroup && plan.host.cgroups.is_unified() {
        flags |= process::INTO_CGROUP;
    }
    flags
}

/// One directory, whose lock says that the container lives, with the overlay's upper and work side by side: every
/// directory costs about 80 µs to remove from ext4.
fn container_directory(plan: &mut Builder) {
    let lower = &plan.spec.lower;
    plan.add("make the container's directory", Step::Mkdir(CWD, plan.dir, 0o700)).undo = Undo::Tree;
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    plan.add("open the container's directory", Step::Open(CWD, plan.dir, flags, CONTAINER));
    plan.add("lock the container", Step::Lock(CONTAINER));
    if let Some(name) = plan.spec.name {
        let (path, target) = (keep_all(&[b"names/", name.to_bytes()]), plan.spec.id);
        plan.add("take the name", Step::Symlink(target, CWD, path)).undo = Undo::Unlink;
    }
    plan.add("make the upper directory", Step::Mkdir(CONTAINER, c"upper", lower.mode)).undo = Undo::Tree;
    let (uid, gid) = lower.owner;
    if (uid, gid) != (0, 0) {
        plan.add("give the upper directory its owner", Step::Chown(CONTAINER, c"upper", uid, gid));
    }
    plan.add("make the work directory", Step::Mkdir(CONTAINER, c"work", 0o700)).undo = Undo::Work;
}

/// The cgroup of one hierarchy with its limits, before anything can be in it.
fn control_group(plan: &mut Builder, index: u16, member: &cgroup::Member) {
    for &(dir, value) in &member.enable {
        plan.add("enable the cgroup controllers", Step::Set(CWD, dir, value)).about = member.path;
    }
    plan.add("make the cgroup", Step::Mkdir(CWD, member.path, 0o755)).undo = Undo::Cgroup;
    let dir = Slot(CGROUPS.saturating_add(index));
    plan.add("open the cgroup", Step::Open(CWD, member.path, libc::O_DIRECTORY, dir));
    for &(file, value, about) in &member.values {
        plan.add("limit", Step::Set(dir, file, value)).about = about;
    }
    if !member.unified || !plan.host.has.clone3 || !plan.host.has.into_cgroup {
        let attach = Slot(ATTACH.saturating_add(index));
        plan.add("open the cgroup's list of tasks", Step::Open(dir, member.attach, libc::O_WRONLY, attach));
    }
}

/// Named volumes and those that end with the container.
fn volumes(plan: &mut Builder) {
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        let path = match mount.source {
            Source::Volume(name) => {
                let dir = keep_all(&[b"volumes/", name.to_bytes()]);
                plan.add("make the volume", Step::Mkdir(CWD, dir, 0o755)).fine = Some(Errno::EEXIST);
                data(name)
            }
            Source::Anonymous => anonymous(plan.dir, index),
            _ => continue,
        };
        plan.add("make the volume", Step::Mkdir(CWD, path, 0o755)).fine = Some(Errno::EEXIST);
        if plan.host.fill.contains(&index) {
            let layers: &'static [Text] = Box::leak(plan.spec.lower.layers.clone().into_boxed_slice());
            plan.add("fill the volume from the image", Step::Fill(layers, path, mount.target)).about = mount.typed;
        }
    }
}

/// Where a named volume's data is, relative to the store.
pub fn data(name: Text) -> Text {
    keep_all(&[b"volumes/", name.to_bytes(), b"/_data"])
}

fn anonymous(dir: Text, index: usize) -> Text {
    let mut path = Line::new();
    path.put(dir.to_bytes()).put(b"/volume").dec(index as u64);
    keep(&path)
}

/// The standard streams. A stream that is no terminal of the host is passed as it is, at no cost. One that is gets a
/// pipe (or, with -t, the container's own terminal) between: a container that holds the host's terminal could type
/// into it (TIOCSTI, TIOCLINUX; CVE-2017-5226), and docker's is not a terminal there either.
fn streams(plan: &mut Builder) {
    if plan.spec.process.tty {
        // A terminal of the container's own devpts: /dev/pts/0 inside.
        plan.add("open a terminal", Step::Open(PTS, c"ptmx", libc::O_RDWR | libc::O_NOCTTY, MASTER));
        plan.add("unlock the terminal", Step::Unlock(MASTER));
        plan.add("open the terminal's other side", Step::OpenPeer(MASTER, TERMINAL));
        if plan.spec.process.uid != 0 {
            plan.add("give the terminal to the user", Step::Chown(PTS, c"0", plan.spec.process.uid, 5));
        }
        return;
    }
    let [input, output, error] = plan.host.terminals;
    let [(stdin_w, stdin_r), (stdout_r, stdout_w), (stderr_r, stderr_w)] = PIPES;
    if input && plan.spec.process.stdin {
        plan.add("make a pipe for standard input", Step::Pipe(stdin_r, stdin_w));
    }
    if output {
        plan.add("make a pipe for standard output", Step::Pipe(stdout_r, stdout_w));
    }
    if error {
        plan.add("make a pipe for standard error", Step::Pipe(stderr_r, stderr_w));
    }
}

/// Inside: in the container's namespaces; root there, and the host's files still in sight until `pivot_root`.
fn inside(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    // Before any mount: what is mounted under a shared mount would appear on the host (systemd makes / shared).
    let private = libc::MS_REC | libc::MS_PRIVATE;
    plan.add("make the mounts private", Step::Mount(c"none", c"/", c"", private, c""));
    if !plan.spec.share.net {
        plan.add("bring the loopback up", Step::Loopback);
    }
    if plan.host.has.detached {
        mounts::attach(plan);
    } else {
        classic::mounts(plan);
    }
    // The new root over the old one, which then lies on top and is taken off: pivot_root(2), "pivot_root(".", ".")".
    plan.add("change the root", Step::PivotRoot);
    plan.add("unmount the old root", Step::Umount(c"."));
    plan.add("enter the root", Step::Chdir(c"/"));
    if !plan.spec.share.uts {
        plan.add("set the host name", Step::Hostname(plan.spec.hostname));
    }
    standard_streams(plan);
    join_cgroups(plan, cgroups);
    identity(plan);
}

fn standard_streams(plan: &mut Builder) {
    // Without a session of its own the container could reach the caller's controlling terminal through /dev/tty.
    plan.add("begin a session", Step::Setsid);
    if plan.spec.process.tty {
        plan.add("take the terminal", Step::ControllingTerminal(TERMINAL));
        for number in 0..3 {
            plan.add("connect the standard streams", Step::Dup(TERMINAL, number));
        }
        return;
    }
    let [input, output, error] = plan.host.terminals;
    let [(_, stdin_r), (_, stdout_w), (_, stderr_w)] = PIPES;
    if !plan.spec.process.stdin {
        plan.add("open /dev/null", Step::Open(CWD, c"/dev/null", libc::O_RDONLY, NULL));
        plan.add("connect standard input", Step::Dup(NULL, 0));
    } else if input {
        plan.add("connect standard input", Step::Dup(stdin_r, 0));
    }
    if output {
        plan.add("connect standard output", Step::Dup(stdout_w, 1));
    }
    if error {
        plan.add("connect standard error", Step::Dup(stderr_w, 2));
    }
}

/// Late, so that little of the start is charged to the container: `-m 256k` is enough for a small command. By the
/// child, which has one thread, through `tasks`: writing cgroup.procs waits 8 to 16 ms for an RCU grace period on a
/// quiet machine. The namespace after it, so that its root is the container's own cgroup.
fn join_cgroups(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    for (index, member) in cgroups.iter().enumerate() {
        if member.unified && plan.host.has.clone3 && plan.host.has.into_cgroup {
            continue;
        }
        let attach = Slot(ATTACH.saturating_add(index as u16));
        plan.add("join the cgroup", Step::Write(attach, c"0")).about = member.path;
    }
    plan.add("create a cgroup namespace", Step::Unshare(libc::CLONE_NEWCGROUP as u64));
}

/// The last acts with privilege, then the command.
fn identity(plan: &mut Builder) {
    let process = &plan.spec.process;
    if process.cwd != c"/" {
        plan.add("enter the working directory", Step::Target(process.cwd, true, TARGET)).about = process.cwd;
        plan.add("enter the working directory", Step::Fchdir(TARGET)).about = process.cwd;
        // CVE-2024-21626: a working directory that is a leaked descriptor of the host.
        plan.add("check the working directory", Step::CheckCwd).about = process.cwd;
    }
    for &(resource, soft, hard) in &process.rlimits {
        let mut bytes = [0; 16];
        let values = soft.to_ne_bytes().into_iter().chain(hard.to_ne_bytes());
        bytes.iter_mut().zip(values).for_each(|(to, from)| *to = from);
        plan.add("set the resource limit", Step::Rlimit(resource, Box::leak(Box::new(bytes))));
    }
    // Groups first: setgroups needs the privilege that setresuid gives up (CVE-2022-2995: and none may be left over).
    let groups: &'static [u32] = Box::leak(process.groups.clone().into_boxed_slice());
    plan.add("set the supplementary groups", Step::Groups(groups));
    plan.add("set the group", Step::Gid(process.gid));
    plan.add("set the user", Step::Uid(process.uid));
    plan.add("set the umask", Step::Umask(0o022));
    // After the last change of credentials, which clears it (prctl(2)); then the parent is checked once more.
    plan.add("end with the supervisor", Step::DieWithParent);
    plan.add("check the supervisor", Step::CheckParent);
    plan.add("close the host's descriptors", Step::CloseRange);
    if process.init {
        plan.add("become the init", Step::Init);
    }
    plan.add("execute", Step::Exec).about = process.args.first().copied().unwrap_or(c"");
}

/// The attributes of /proc, /sys, /dev/pts and the like.
const STRICT: u64 = NOSUID | NODEV | NOEXEC;
const STRICT_RO: u64 = STRICT | RDONLY;
