//! Spec + facts about the host → the steps, in order. Pure: nothing here asks the kernel.
//!
//! The order is the secret of a container, so it is a value: `outside` is what mydocker does before the container's
//! process exists and beside it, up to the hand-over; `inside` is what that process does until it executes the command.
//! What `outside` left on the host is undone backwards when the container ends, or when a step fails.
//!
//! File systems are made as detached mounts where nobody else sees them, and attached by descriptor: no path is
//! resolved twice, and what is not attached ends with its descriptor. `classic.rs` is the order for kernels without
//! these calls (before Linux 5.12).

mod classic;
mod command;
pub mod exec;
mod mounts;
pub mod procfs;
mod rest;
mod seccomp;
pub mod security;
mod step;
#[cfg(test)]
mod tests;
mod user;

use crate::sys::name::t;
pub use mounts::{LOWER, MASKS, POINTS, SYSRQ};
pub use rest::{Rest, rest};
pub use seccomp::filter;
pub use step::{FS, Step, Want};
pub use user::{Extents, Ids, MAPPERS, entering};

use crate::cgroup;
use crate::devices::{DEFAULT, DEFAULT_RULES, Node};
use crate::error::{Error, Result};
use crate::spec::{Process, Source, Spec, Text};
use crate::sys::Errno;
use crate::sys::call::{CWD, MountAttr, NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::text::{Line, Message, Push, below, filled, has, keep, split, split_once};

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
/// The procfs that was made for the container.
pub const PROC: Slot = Slot(9);
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
const WORKDIR: Slot = Slot(26);
/// The supervisor's own pidfd, by which the child sees whether it lives.
pub const OURSELVES: Slot = Slot(27);
/// The pipes of standard streams that are not passed as they are: our end and the container's.
pub const PIPES: [(Slot, Slot); 3] = [(Slot(20), Slot(21)), (Slot(22), Slot(23)), (Slot(24), Slot(25))];
/// The user namespace that the child was cloned into.
const USER: Slot = Slot(28);
/// An empty file that /proc/self/exe leads to instead of to mydocker's.
pub const PROGRAM: Slot = Slot(29);
/// The container's cgroup, as a mount.
const VIEW: Slot = Slot(30);
const CGROUPS: u16 = 31;
/// At most memory, cpu, cpuset, pids and devices, each in a hierarchy of its own.
const MAX_CGROUPS: u16 = 5;
const ATTACH: u16 = CGROUPS + MAX_CGROUPS;
const SOURCES: u16 = ATTACH + MAX_CGROUPS;

/// What is the supervisor's of all that was opened for a start.
pub const OURS: &[Slot] = {
    let [(stdin_w, _), (stdout_r, _), (stderr_r, _)] = PIPES;
    &[CONTAINER, SUPERVISOR, CHILD, MASTER, stdin_w, stdout_r, stderr_r]
};

/// The slot's name for people.
pub fn name(slot: Slot, line: &mut Line) {
    // In the order of the slots; a table of slices would be four times as large.
    const NAMES: Message = text!(
        "container fs root dev pts shm files ptmx terminal proc sys mqueue copy target supervisor init \
        child mask readonly null stdin_w stdin_r stdout_r stdout_w stderr_r stderr_w workdir ourselves user program cgroup \
        cgroup0 cgroup1 cgroup2 cgroup3 cgroup4 procs0 procs1 procs2 procs3 procs4"
    );
    if slot == CWD {
        line.put(b"AT_FDCWD");
        return;
    }
    line.put(b"{");
    match split(NAMES.bytes(), b' ').get(usize::from(slot.0)) {
        Some(name) => line.put(name),
        None => line.put(b"source").dec(u64::from(slot.0.wrapping_sub(SOURCES))),
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
    /// It is wanted, unless the start fails: remove the directory if it is empty.
    IfFailed,
    /// Remove the directory and all below it, never across a mount point.
    Tree,
    /// The overlay's work directory: what overlayfs makes there by name, then as `Tree`.
    Work,
    /// Kill what is in the cgroup and remove it.
    Cgroup,
    /// Move back to the cgroup above, and remove this one.
    Leave,
}

/// A step with what is known about it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What is done.
    pub step: Step,
    /// What for, in words that follow "cannot".
    pub why: Message,
    /// The object as the user knows it; empty where the step's own path says it.
    pub about: Text,
    /// An errno that leaves things as they should be.
    pub fine: Option<Errno>,
    /// How it is undone.
    pub undo: Undo,
}

/// The steps of a start.
pub struct Plan {
    /// What an ordinary user's mydocker has done before everything else.
    pub entering: Vec<Entry>,
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

impl Plan {
    /// The last step outside: a hand-over where child and parent work beside each other.
    pub fn last_outside(&self) -> Option<Step> {
        self.outside.last().map(|entry| entry.step)
    }
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
    /// The CPUs' thermal_throttle directories: a side channel (moby #49560).
    pub throttles: Vec<Text>,
    /// The kernel has POSIX message queues.
    pub mqueue: bool,
    /// Devices that the container gets besides the usual ones.
    pub devices: Vec<Node>,
    /// Where cgroups are.
    pub cgroups: cgroup::Layout,
    /// Missing directories of -v sources, parents first.
    pub missing: Vec<Text>,
    /// Volumes to fill from the image: index into the spec's mounts.
    pub fill: Vec<usize>,
    /// For each mount whether its source is a file.
    pub files: Vec<bool>,
    /// The signals that mydocker was started to ignore: bit N-1 is signal N.
    pub ignored: u64,
    /// The capabilities in mydocker's own bounding set: bit N is capability N.
    pub capabilities: u64,
    /// For each mount what was found: the mode of a tmpfs' target in the image, which it takes over, 01777 where that is
    /// missing; of something of the host which file it was (`fs::identity`), 0 where it is yet to be made.
    pub found: Vec<u64>,
    /// Standard streams that go through a pipe.
    pub piped: [bool; 3],
    /// Standard streams that are the null device.
    pub null: [bool; 3],
    /// Standard output and error are one file: they share a pipe, so that what comes first stays first.
    pub one_output: bool,
    /// The container's upper layer is there from an earlier start.
    pub upper: bool,
    /// The store's path.
    pub store: Text,
    /// AppArmor has files of its own in /proc/PID/attr (Linux 5.8); looked at only for a profile that was asked for.
    pub attr_dir: bool,
    /// The ids of the container's user namespace.
    pub user: Option<Ids>,
}

/// Newer system calls that a plan may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Has {
    /// fsopen, fsconfig, fsmount, open_tree, move_mount (Linux 5.2) and mount_setattr (5.12).
    pub detached: bool,
    /// clone3 (5.3).
    pub clone3: bool,
    /// CLONE_INTO_CGROUP (5.7).
    pub into_cgroup: bool,
    /// CLONE_PIDFD (5.2).
    pub pidfd: bool,
    /// There are many layers, and overlayfs takes them one by one (6.8).
    pub lowers: bool,
    /// On cgroup v2 a program for devices: CONFIG_CGROUP_BPF (4.15), and CAP_BPF and CAP_NET_ADMIN.
    pub device_filter: bool,
    /// PR_SET_MM_MAP (CONFIG_CHECKPOINT_RESTORE); without it mydocker runs from a sealed copy.
    pub program: bool,
}

impl Has {
    /// What a current kernel has.
    pub const ALL: Self = Self {
        detached: true,
        clone3: true,
        into_cgroup: true,
        pidfd: true,
        lowers: true,
        device_filter: true,
        program: true,
    };
}

struct Builder<'a> {
    spec: &'a Spec,
    host: &'a Host,
    /// The container's directory relative to the store.
    dir: Text,
    /// What the container's processes may have at most.
    capabilities: u64,
    /// No cgroup says which devices may be used: then no mount has any.
    nodev: bool,
    /// Mounts of the container's cgroups, for /sys/fs/cgroup: the name there (or, before they are mounts, the path).
    view: Vec<(Text, Slot)>,
    /// What the next steps are for; see `Entry::why`.
    why: Message,
    /// What they are for, as the user knows it; see `Entry::about`.
    about: Text,
    steps: Vec<Entry>,
}

impl Builder<'_> {
    /// What the following steps do.
    fn doing(&mut self, why: Message) {
        self.doing_for(why, t(c""));
    }

    /// The same, for something that the user knows by this name.
    #[inline(never)]
    fn doing_for(&mut self, why: Message, about: Text) {
        (self.why, self.about) = (why, about);
    }

    fn add(&mut self, step: Step) -> &mut Entry {
        self.steps.push_mut(Entry { step, why: self.why, about: self.about, fine: None, undo: Undo::Nothing })
    }

    // The steps that are added at many places: a call with its arguments in registers is a third of a `Step` that is
    // put together in memory at each.

    fn mkdir(&mut self, dir: Slot, path: Text, mode: u32) -> &mut Entry {
        self.add(Step::Mkdir(dir, path, mode))
    }

    /// Make a directory that may be there already.
    fn mkdir_if_missing(&mut self, dir: Slot, path: Text) -> &mut Entry {
        let entry = self.mkdir(dir, path, 0o755);
        entry.fine = Some(Errno::EEXIST);
        entry
    }

    /// What every root has to have to be mounted on. An imported image has it; of a directory nobody knows.
    fn mount_point(&mut self, path: Text) {
        if self.spec.lower.layers.first().is_some_and(|layer| layer.to_bytes().starts_with(b"/")) {
            self.mkdir_if_missing(ROOT, path);
        }
    }

    fn open(&mut self, dir: Slot, path: Text, flags: i32, into: Slot) {
        self.add(Step::Open(dir, path, flags, into));
    }

    fn open_tree(&mut self, dir: Slot, path: Text, recursive: bool, into: Slot) {
        self.add(Step::OpenTree(dir, path, recursive, into));
    }

    /// A container that writes where a source lies could have put a symlink in its place since it was looked at.
    fn same(&mut self, index: usize) {
        if let Some(&file @ 1..) = self.host.found.get(index) {
            self.add(Step::Same(source(index), file));
        }
    }

    fn move_mount(&mut self, mount: Slot, dir: Slot, path: Text) {
        self.add(Step::MoveMount(mount, dir, path));
    }

    /// One file or directory of a mount, bound somewhere else.
    fn copy_mount(&mut self, from: Slot, name: Text, dir: Slot, path: Text) {
        self.open_tree(from, name, false, COPY);
        self.move_mount(COPY, dir, path);
    }

    fn mount_at(&mut self, source: Slot, target: Slot, fs: Text, flags: u64, data: Text) {
        self.add(Step::MountAt(source, target, fs, flags, data));
    }

    fn target(&mut self, path: Text, want: Want, into: Slot) {
        self.add(Step::Target(path, want, into));
    }

    fn write(&mut self, dir: Slot, name: Text, value: Text) {
        self.add(Step::Set(dir, name, value));
    }

    fn dup(&mut self, fd: Slot, number: i32) {
        self.add(Step::Dup(fd, number));
    }

    fn option(&mut self, key: Text, value: Text) -> &mut Entry {
        self.add(if value.is_empty() { Step::Flag(key) } else { Step::Option(key, value) })
    }

    /// A new file system as a detached mount: its type, what stands for a source, options as mount(8) takes them,
    /// attributes.
    fn file_system(&mut self, fs: Text, source: Text, options: &[u8], attributes: u64, into: Slot) {
        self.add(Step::Fsopen(fs, FS));
        self.option(t(c"source"), source);
        for option in options.split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
            let (key, value) = split_once(option, b'=').unwrap_or((option, b""));
            self.option(keep(key), keep(value));
        }
        self.create(attributes, into);
    }

    /// The file system with the options that were set, mounted.
    fn create(&mut self, attributes: u64, into: Slot) {
        self.add(Step::Create);
        self.add(Step::Fsmount(attributes, into));
    }

    /// Whether nothing of /proc and /sys is hidden or made read-only.
    const fn is_unmasked(&self) -> bool {
        self.spec.security.unmasked || self.spec.security.privileged
    }

    /// The attributes of /sys.
    const fn sys_attributes(&self) -> u64 {
        if self.spec.security.privileged { STRICT } else { STRICT_RO }
    }

    /// An attribute of every mount that holds what others have written.
    const fn no_devices(&self) -> u64 {
        if self.nodev { NODEV } else { 0 }
    }

    fn set(&mut self, mount: Slot, recursive: bool, set: u64, propagation: u64) {
        if set != 0 || propagation != 0 {
            let attr = MountAttr { set, clear: 0, propagation, userns: 0 };
            self.add(Step::SetAttr(mount, recursive, attr));
        }
    }

    /// Whether child and parent work beside each other. On older kernels one after the other, but a child in a user
    /// namespace needs what is done beside it.
    fn is_parallel(&self) -> bool {
        self.host.has.detached && self.host.has.pidfd && (self.host.has.clone3 || self.is_remapped())
    }

    /// Whether the container has a user namespace of its own, which mydocker itself, as root of the host, is not in.
    fn is_remapped(&self) -> bool {
        self.remapped().is_some()
    }

    /// The ids of that namespace.
    fn remapped(&self) -> Option<Ids> {
        self.host.user.filter(|ids| ids.remapped)
    }

    /// Whether root is the only user that there can be.
    fn has_one_id(&self) -> bool {
        self.host.user.is_some_and(|ids| ids.is_one())
    }

    /// Whether the child is born in its cgroup of this hierarchy. Not for a cpuset: before Linux 6.4 (42a11bf5c543) a process
    /// that is born in one keeps its parent's CPUs and memory nodes.
    fn is_born_in(&self, member: &cgroup::Member) -> bool {
        let limits = &self.spec.limits;
        let cpuset = limits.cpuset_cpus.or(limits.cpuset_mems);
        member.unified && self.host.has.clone3 && self.host.has.into_cgroup && cpuset.is_none()
    }
}

/// The plan of a start. Fails where something was asked for that this host cannot give.
pub fn build(spec: &Spec, host: &Host) -> Result<Plan> {
    let cgroups = cgroup::outside(&spec.limits, &host.cgroups, spec.id)?;
    // Without open_tree a shared volume would need the whole namespace to be the host's peer for a while.
    let shared = spec.mounts.iter().find(|mount| mount.propagation == libc::MS_SHARED);
    if let Some(mount) = shared.filter(|_| !host.has.detached) {
        return Err(Error::new(text!("%: shared propagation needs Linux 5.12 or later"), &[mount.typed]));
    }
    if let Some(ids) = &host.user {
        user::check(&spec.process, ids)?;
        if !host.has.detached || ids.remapped && !host.has.pidfd {
            let least = if ids.remapped { t(c"5.19") } else { t(c"5.12") };
            return Err(Error::new(text!("a container in a user namespace needs Linux % or later"), &[least]));
        }
    }
    procfs::check(&spec.sysctls, spec.share)?;
    let dir = filled("containers/%", &[spec.id]);
    let mut capabilities = security::capabilities(&spec.security, host.capabilities)?;
    let nodev = has_rules(spec, host) && !cgroups.iter().any(|member| controls_devices(host, member));
    if nodev {
        capabilities = security::without_mknod(&spec.security, capabilities)?;
        // A node in /dev can be opened for reading and writing.
        let halves = host
            .devices
            .iter()
            .map(|node| &node.rule)
            .filter(|rule| !has(rule.to_bytes(), b'r') || !has(rule.to_bytes(), b'w'));
        if let Some(&rule) = spec.devices.rules.iter().chain(halves).next() {
            return Err(Error::new(text!("device rule %: nothing on this host decides on devices"), &[rule]).hint(
                text!("mount cgroup v2, or the devices controller of v1; --privileged allows all devices"),
                &[],
            ));
        }
    }
    let steps = Vec::with_capacity(96);
    let mut plan =
        Builder { spec, host, dir, capabilities, nodev, view: Vec::new(), why: Message::NONE, about: t(c""), steps };
    outside(&mut plan, &cgroups);
    let outside = core::mem::replace(&mut plan.steps, Vec::with_capacity(96));
    inside(&mut plan, &cgroups);
    let moved = [Step::Mount(t(c"."), t(c"/"), t(c""), libc::MS_MOVE, t(c"")), Step::Chroot(t(c"."))];
    let slots = usize::from(SOURCES).wrapping_add(spec.mounts.len()).wrapping_add(spec.lower.layers.len());
    let entering = host.user.as_ref().map(entering).unwrap_or_default();
    Ok(Plan { entering, outside, inside: plan.steps, moved, slots, exec: command::exec(&spec.process) })
}

/// For a clone3 without a cgroup.
pub const NOWHERE: Slot = CWD;

/// The slot of a mount's source.
fn source(index: usize) -> Slot {
    Slot(SOURCES.wrapping_add(index as u16))
}

/// The slot of a cgroup, and that of the file through which it is joined.
fn cgroup_slots(index: usize) -> (Slot, Slot) {
    (Slot(CGROUPS.wrapping_add(index as u16)), Slot(ATTACH.wrapping_add(index as u16)))
}

/// Outside: as root of the host. First what the container's process needs to be created, which is nothing unless it is
/// born in its cgroup; then, beside it, what it needs to go on: it makes its namespaces meanwhile, of which the
/// network's alone takes as long as all this.
fn outside(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    plan.doing(text!("enter the store"));
    plan.add(Step::Chdir(plan.host.store));
    let parallel = plan.is_parallel();
    let first = parallel && !cgroups.iter().any(|member| plan.is_born_in(member));
    if first {
        create(plan, cgroups);
    }
    container_directory(plan);
    for (index, member) in cgroups.iter().enumerate() {
        control_group(plan, index, member);
    }
    if parallel && !first {
        create(plan, cgroups);
    }
    devices(plan, cgroups);
    view(plan, cgroups);
    mounts(plan);
    if parallel {
        running(plan);
    }
    if parallel {
        plan.doing(text!("hand over to the container's process"));
        plan.add(Step::HandOver(SUPERVISOR));
    } else {
        create(plan, cgroups);
        running(plan);
    }
}

/// What the volumes are of, where it is not there yet.
fn made(plan: &mut Builder) {
    for &path in &plan.host.missing {
        plan.doing_for(text!("make the volume's directory"), path);
        plan.mkdir_if_missing(CWD, path).undo = Undo::IfFailed;
    }
    volumes(plan);
}

fn mounts(plan: &mut Builder) {
    made(plan);
    if let Some(ids) = plan.remapped() {
        user::outside_steps(plan, &ids);
    } else if plan.host.has.detached {
        mounts::detached(plan);
    } else {
        classic::outside(plan);
    }
    if !plan.spec.process.tty {
        command::pipes(plan);
    }
}

/// The child. In parallel it shares the table of descriptors until the hand-over, so that it has those that are made
/// beside it; it is born into its pid namespace only, and makes the others itself.
fn create(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    plan.doing(text!("create the container's process"));
    plan.add(Step::Pair(SUPERVISOR, INIT));
    let born_in = cgroups.iter().position(|member| plan.is_born_in(member));
    let mut flags = namespaces(plan);
    if plan.is_parallel() {
        plan.add(Step::OpenSelf(OURSELVES));
        flags = flags & (libc::CLONE_NEWPID | libc::CLONE_NEWUSER) as u64 | libc::CLONE_FILES as u64;
    }
    if plan.host.has.pidfd {
        flags |= libc::CLONE_PIDFD as u64;
    }
    plan.add(match born_in {
        _ if !plan.host.has.clone3 => Step::Clone(flags),
        Some(index) => Step::Clone3(flags, cgroup_slots(index).0),
        None => Step::Clone3(flags, NOWHERE),
    });
}

fn namespaces(plan: &Builder) -> u64 {
    let share = plan.spec.share;
    let flag = |shared, flag: i32| if shared { 0 } else { flag as u64 };
    libc::CLONE_NEWNS as u64
        // The first of them, so that it owns the others.
        | flag(!plan.is_remapped(), libc::CLONE_NEWUSER)
        | flag(share.pid, libc::CLONE_NEWPID)
        | flag(share.uts, libc::CLONE_NEWUTS)
        | flag(share.ipc, libc::CLONE_NEWIPC)
        | flag(share.net, libc::CLONE_NEWNET)
}

/// One directory, whose lock says that the container lives, with the overlay's upper and work side by side: every
/// directory costs about 80 µs to remove from ext4.
fn container_directory(plan: &mut Builder) {
    plan.doing(text!("make the container's directory"));
    let kept = plan.spec.kept;
    if !kept {
        plan.mkdir(CWD, plan.dir, 0o700).undo = Undo::Tree;
    }
    plan.open(CWD, plan.dir, libc::O_DIRECTORY | libc::O_NOFOLLOW, CONTAINER);
    if !kept {
        plan.add(Step::Lock(CONTAINER));
        if let Some(name) = plan.spec.name {
            let name = filled("names/%", &[name]);
            plan.add(Step::Symlink(plan.spec.id, CWD, name)).undo = Undo::Unlink;
        }
    }
    let lower = &plan.spec.lower;
    if !kept || !plan.host.upper {
        plan.mkdir(CONTAINER, t(c"upper"), lower.mode).undo = if kept { Undo::Nothing } else { Undo::Tree };
        let (uid, gid) = plan.remapped().map_or(lower.owner, |ids| ids.outside(lower.owner));
        if (uid, gid) != (0, 0) {
            // EINVAL: of --rootfs, somebody whom the user namespace does not have.
            plan.add(Step::Chown(CONTAINER, t(c"upper"), uid, gid)).fine = Some(Errno::EINVAL);
        }
    }
    plan.mkdir(CONTAINER, t(c"work"), 0o700).undo = Undo::Work;
}

/// Of a foreground container what `ps` and `exec` have to know and no command line tells.
fn running(plan: &mut Builder) {
    if plan.spec.kept {
        return;
    }
    plan.doing(text!("say that the container runs"));
    let lower = &plan.spec.lower;
    let mut image = Line::new();
    image.put(lower.named.to_bytes()).put(b"\n").put(lower.id.to_bytes());
    for layer in &lower.layers {
        image.put(b"\n").put(layer.to_bytes());
    }
    plan.add(Step::Running(plan.spec.words, keep(&image))).undo = Undo::Unlink;
}

/// The cgroup of one hierarchy with its limits, before anything can be in it.
fn control_group(plan: &mut Builder, index: usize, member: &cgroup::Member) {
    if plan.host.user.is_some_and(|ids| !ids.remapped) && !member.enable.is_empty() {
        // The cgroup that mydocker was started in is the container's parent, which can hand controllers down only when
        // no process is in it.
        let supervisor = below(member.parent, "mydocker-supervisor");
        plan.doing_for(text!("move to a cgroup of one's own"), supervisor);
        plan.mkdir_if_missing(CWD, supervisor).undo = Undo::Leave;
        plan.write(CWD, below(supervisor, "cgroup.procs"), t(c"0"));
    }
    plan.doing_for(text!("make the cgroup"), member.path);
    for &(file, value) in &member.enable {
        plan.write(CWD, file, value);
    }
    let (dir, attach) = cgroup_slots(index);
    let made = plan.mkdir(CWD, member.path, 0o755);
    made.undo = Undo::Cgroup;
    // The id is the container's own: it is there only where two names lead to one hierarchy.
    made.fine = Some(Errno::EEXIST);
    plan.open(CWD, member.path, libc::O_DIRECTORY, dir);
    for &(file, value, flag) in &member.values {
        plan.doing_for(text!("set the limit"), flag);
        plan.write(dir, file, value);
    }
    if !plan.is_born_in(member) {
        plan.doing_for(text!("make the cgroup"), member.path);
        plan.open(dir, member.attach, libc::O_WRONLY, attach);
    }
}

/// Whether something has to decide on devices. An ordinary user can make none, and open those that he may anyway.
fn has_rules(spec: &Spec, host: &Host) -> bool {
    !spec.security.privileged && host.user.is_none_or(|ids| ids.remapped)
}

fn controls_devices(host: &Host, member: &cgroup::Member) -> bool {
    member.devices && (!member.unified || host.has.device_filter)
}

/// What says which devices may be used. What is not allowed is denied.
fn devices(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    if !has_rules(plan.spec, plan.host) {
        return;
    }
    let mut rules = Line::new();
    rules.put(DEFAULT.as_bytes());
    for rule in plan.spec.devices.rules.iter().chain(plan.host.devices.iter().map(|node| &node.rule)) {
        rules.put(b",").put(rule.to_bytes());
    }
    let rules = keep(&rules);
    for (index, member) in cgroups.iter().enumerate().filter(|(_, member)| controls_devices(plan.host, member)) {
        plan.doing_for(text!("set the rules for devices"), member.path);
        let (dir, _) = cgroup_slots(index);
        if member.unified {
            plan.add(Step::FilterDevices(dir, rules));
            continue;
        }
        plan.write(dir, t(c"devices.deny"), t(c"a"));
        plan.open(dir, t(c"devices.allow"), libc::O_WRONLY, COPY);
        for (index, rule) in split(rules.to_bytes(), b',').iter().enumerate() {
            // EPERM: the parent cgroup does not allow it, as an outer container's. Less is fine where nobody has asked.
            let fine = (index < DEFAULT_RULES).then_some(Errno::EPERM);
            plan.add(Step::Write(COPY, keep(rule))).fine = fine;
        }
    }
}

/// What the container sees of its cgroups: that of version 2, or of version 1 those that have limits, which a runtime
/// (Java's, Go's) reads to know how much there is.
fn view(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    for (index, member) in cgroups.iter().enumerate() {
        let (dir, _) = cgroup_slots(index);
        if !plan.host.has.detached {
            // By mount(2) only that of version 2.
            if cgroups.len() == 1 && member.unified {
                plan.view.push((member.path, VIEW));
            }
            continue;
        }
        let (name, into) = match (member.unified, cgroups.len(), member.values.as_slice()) {
            (true, 1, _) => (t(c""), VIEW),
            (true, ..) => continue,
            (.., []) if !plan.spec.security.privileged => continue,
            // No more is written to it.
            _ => (member.name, dir),
        };
        plan.doing_for(text!("show the container its cgroup"), member.path);
        plan.open_tree(dir, t(c""), false, into);
        plan.set(into, false, plan.sys_attributes(), libc::MS_PRIVATE);
        plan.view.push((name, into));
    }
}

/// Named volumes and those that end with the container.
fn volumes(plan: &mut Builder) {
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        plan.doing_for(text!("make the volume"), mount.typed);
        let path = match mount.source {
            Source::Volume(name) => {
                let dir = filled("volumes/%", &[name]);
                plan.mkdir_if_missing(CWD, dir);
                fill(plan, index, CWD);
                data(name)
            }
            Source::Anonymous => {
                let dir = anonymous(plan.dir, index);
                plan.mkdir_if_missing(CWD, dir).undo = if plan.spec.kept { Undo::Nothing } else { Undo::Tree };
                fill(plan, index, CWD);
                filled("%/_data", &[dir])
            }
            _ => continue,
        };
        let ends = mount.source == Source::Anonymous && !plan.spec.kept;
        let undo = if ends { Undo::Tree } else { Undo::Nothing };
        plan.mkdir_if_missing(CWD, path).undo = undo;
    }
}

/// The first content of a volume, before it has a directory for it.
fn fill(plan: &mut Builder, index: usize, root: Slot) {
    // From the root where there is one before the container's process is on its way.
    let early = !mounts::is_made_outside(plan);
    let Some(mount) = plan.spec.mounts.get(index).filter(|_| plan.host.fill.contains(&index) && early == (root == CWD))
    else {
        return;
    };
    let dir = match mount.source {
        Source::Volume(name) => filled("volumes/%", &[name]),
        _ => anonymous(plan.dir, index),
    };
    plan.doing_for(text!("make the volume"), mount.typed);
    plan.add(Step::Fill(root, plan.spec.lower.layers.clone().leak(), dir, mount.target));
}

/// Where a named volume's data is, relative to the store.
pub fn data(name: Text) -> Text {
    filled("volumes/%/_data", &[name])
}

pub fn anonymous(dir: Text, index: usize) -> Text {
    let mut path = Line::new();
    path.put(dir.to_bytes()).put(b"/volume").dec(index as u64);
    keep(&path)
}

/// Inside: in the container's namespaces; root there, and the host's files still in sight until `pivot_root`.
fn inside(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    if plan.is_parallel() {
        plan.doing(text!("end with the supervisor"));
        // Should the supervisor end before the hand-over, so does this process; set again below.
        plan.add(Step::DieWithParent);
    }
    if plan.host.has.program {
        plan.doing(text!("copy the program"));
        plan.add(Step::CopyProgram);
    }
    if plan.is_parallel() {
        plan.doing(text!("create the namespaces"));
        plan.add(Step::Unshare(namespaces(plan) & !((libc::CLONE_NEWPID | libc::CLONE_NEWUSER) as u64)));
        loopback(plan);
        plan.doing(text!("take over from the supervisor"));
        plan.add(Step::TakeOver(INIT, OURSELVES));
    }
    if !plan.host.has.detached {
        // By the caller's root still, if that is a chroot.
        classic::sources(plan);
    }
    plan.doing(text!("enter the mount namespace"));
    // If we were started in a chroot, there is more above our root, and `..` would lead from the container to it (chroot
    // to a directory below, then up). Entering one's own namespace makes its first mount the root.
    plan.open(CWD, t(c"."), libc::O_PATH, COPY);
    plan.open(CWD, t(c"/proc/self/ns/mnt"), libc::O_RDONLY, TARGET);
    plan.add(Step::Setns(TARGET, libc::CLONE_NEWNS as u64));
    plan.add(Step::Fchdir(COPY));
    plan.doing(text!("make the mounts private"));
    // Before any mount: what is mounted under a shared mount would appear on the host (systemd makes / shared).
    plan.add(Step::Mount(t(c"none"), t(c"/"), t(c""), libc::MS_REC | classic::root_propagation(plan), t(c"")));
    if !plan.is_parallel() {
        loopback(plan);
    }
    if plan.host.has.detached {
        mounts::attach(plan);
    } else {
        classic::inside(plan);
    }
    if plan.host.has.program {
        // While there are privileges, and before the container's cgroup counts the memory.
        plan.doing(text!("leave mydocker's own file"));
        plan.add(Step::SetProgram(PROGRAM));
    }
    if plan.spec.process.cwd != t(c"/") {
        plan.doing_for(text!("enter the working directory"), plan.spec.process.cwd);
        plan.target(plan.spec.process.cwd, Want::Anything, WORKDIR);
    }
    if plan.spec.read_only {
        // Now that all that was missing in it is there.
        plan.doing(text!("make the root read-only"));
        if plan.host.has.detached {
            plan.set(ROOT, false, RDONLY, 0);
        } else {
            plan.add(Step::Remount(ROOT, RDONLY));
        }
    }
    plan.doing(text!("change the root"));
    // The new root over the old one, which then lies on top and is taken off: pivot_root(2), "pivot_root(".", ".")".
    plan.add(Step::PivotRoot);
    plan.add(Step::Umount(t(c".")));
    plan.add(Step::Chdir(t(c"/")));
    if !plan.spec.share.uts {
        plan.doing(text!("set the host name"));
        plan.add(Step::Hostname(plan.spec.hostname));
    }
    command::standard_streams(plan);
    command::join_cgroups(plan, cgroups);
    command::identity(plan);
}

fn loopback(plan: &mut Builder) {
    if !plan.spec.share.net {
        plan.doing(text!("bring the loopback up"));
        plan.add(Step::Loopback);
    }
}

/// The attributes of /proc, /sys, /dev/pts and the like.
pub const STRICT: u64 = NOSUID | NODEV | NOEXEC;
/// And read-only.
pub const STRICT_RO: u64 = STRICT | RDONLY;
