//! The root's mounts by the calls of Linux 5.2 and later: made detached, changed while nobody sees them, attached.

use super::{
    Builder, COPY, DEV, FILES, FS, MQUEUE, PROC, PROGRAM, PTS, ROOT, SHM, STRICT, SYS, Step, TARGET, Want, anonymous,
    data, source,
};
use crate::spec::{Mount, Source, Text};
use crate::sys::Errno;
use crate::sys::call::{CWD, MountAttr, NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::sys::name::t;
use crate::text::{Line, Push, filled, keep};

/// What docker's default hides, below /proc or /sys, and whether it is a directory. `Host::masks` says by bit what
/// this kernel has: a mount that fails costs an RCU grace period, so it isn't tried.
pub const MASKS: [(Text, bool); 12] = [
    (t(c"/proc/acpi"), true),
    (t(c"/proc/asound"), true),
    (t(c"/proc/interrupts"), false),
    (t(c"/proc/kcore"), false),
    (t(c"/proc/keys"), false),
    (t(c"/proc/latency_stats"), false),
    (t(c"/proc/sched_debug"), false),
    (t(c"/proc/scsi"), true),
    (t(c"/proc/timer_list"), false),
    (t(c"/proc/timer_stats"), false),
    (t(c"/sys/devices/virtual/powercap"), true),
    (t(c"/sys/firmware"), true),
];

/// What docker's default makes read-only below /proc. Every kernel has the first four; sysrq-trigger is a mask's bit.
pub const READ_ONLY: [Text; 5] = [t(c"bus"), t(c"fs"), t(c"irq"), t(c"sys"), t(c"sysrq-trigger")];

/// The bit of `Host::masks` that says that /proc/sysrq-trigger exists.
pub const SYSRQ: u32 = 1 << 31;

/// The nodes of /dev with their device numbers, 0666 each.
const NODES: [(Text, u32, u32); 6] = [
    (t(c"null"), 1, 3),
    (t(c"zero"), 1, 5),
    (t(c"full"), 1, 7),
    (t(c"random"), 1, 8),
    (t(c"urandom"), 1, 9),
    (t(c"tty"), 5, 0),
];

const LINKS: [(Text, Text); 6] = [
    (t(c"/proc/self/fd"), t(c"fd")),
    (t(c"/proc/self/fd/0"), t(c"stdin")),
    (t(c"/proc/self/fd/1"), t(c"stdout")),
    (t(c"/proc/self/fd/2"), t(c"stderr")),
    (t(c"/proc/kcore"), t(c"core")),
    (t(c"pts/ptmx"), t(c"ptmx")),
];

/// The files that every container gets: name on our tmpfs, path in the container.
pub const ETC: [(Text, Text); 3] = [
    (t(c"hosts"), t(c"/etc/hosts")),
    (t(c"hostname"), t(c"/etc/hostname")),
    (t(c"resolv.conf"), t(c"/etc/resolv.conf")),
];

/// What is mounted on in every container, and whether it is a directory.
pub const POINTS: [(Text, bool); 6] = [
    (t(c"/proc"), true),
    (t(c"/sys"), true),
    (t(c"/dev"), true),
    (t(c"/etc/hosts"), false),
    (t(c"/etc/hostname"), false),
    (t(c"/etc/resolv.conf"), false),
];

/// Outside: everything that need not be made in the container's namespaces.
pub fn detached(plan: &mut Builder) {
    overlay(plan);
    for index in 0..plan.spec.mounts.len() {
        super::volumes::fill(plan, index, ROOT);
    }
    dev(plan);
    files(plan);
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        volume(plan, index, mount);
    }
}

/// The lower directories as overlayfs splits them: at a colon, with the backslash as escape; only --rootfs can have
/// either in its name.
pub fn lower_directories(plan: &Builder) -> Line {
    let mut lower = Line::new();
    for layer in &plan.spec.lower.layers {
        lower.put(if lower.is_empty() { b"" } else { b":" });
        for &byte in layer.to_bytes() {
            lower.put(if byte == b':' || byte == b'\\' { b"\\" } else { b"" }).push(byte);
        }
    }
    lower
}

/// A layer cannot forge what these would honour (trusted.overlay.* is stripped on import as well). `volatile`: the
/// upper layer ends with the container unless that is kept, so there is nothing to sync at its end (5 ms instead of 147 with 300 MB
/// dirty). Kernels that do not know one of them have no use for it.
pub const OVERLAY: [(Text, Text); 5] = [
    (t(c"redirect_dir"), t(c"nofollow")),
    (t(c"metacopy"), t(c"off")),
    (t(c"index"), t(c"off")),
    (t(c"xino"), t(c"off")),
    (t(c"volatile"), t(c"")),
];

/// One more lower layer.
pub const LOWER: Text = t(c"lowerdir+");

/// How many bytes fsconfig takes for a value: those of three layers' names.
const VALUE_MAX: usize = 255;

/// Whether the layers can be named one by one only, and this kernel's overlayfs cannot have that.
fn has_too_many(plan: &Builder) -> bool {
    let all = if plan.is_remapped() { super::user::lower(plan) } else { lower_directories(plan) };
    all.len() > VALUE_MAX && !plan.host.has.lowers
}

/// Whether the root is made detached, by mydocker itself.
pub fn is_made_outside(plan: &Builder) -> bool {
    plan.host.has.detached && !plan.is_remapped() && !has_too_many(plan)
}

pub(super) fn overlay(plan: &mut Builder) {
    if has_too_many(plan) {
        // What is mounted by its path is mounted inside.
        if plan.is_remapped() {
            at_once(plan);
        }
        return;
    }
    plan.doing_for(text!("mount the overlay"), plan.spec.lower.named);
    plan.add(Step::Fsopen(t(c"overlay"), FS));
    lowers(plan);
    let dir = if plan.is_remapped() { t(c".") } else { plan.dir };
    plan.option(t(c"upperdir"), filled("%/upper", &[dir]));
    plan.option(t(c"workdir"), filled("%/work", &[dir]));
    plan.option(t(c"source"), t(c"overlay"));
    for &(key, value) in OVERLAY.iter().filter(|&&(key, _)| !plan.spec.kept || key != t(c"volatile")) {
        plan.option(key, value).fine = Some(Errno::EINVAL);
    }
    if plan.host.user.is_some() {
        // What overlayfs notes about a file is in trusted.*, which is root's of the host, or else in user.* (Linux 5.11).
        plan.option(t(c"userxattr"), t(c""));
    }
    plan.create(plan.no_devices(), ROOT);
}

/// The options for the layers.
pub(super) fn lowers(plan: &mut Builder) {
    let lower = if plan.is_remapped() { super::user::lower(plan) } else { lower_directories(plan) };
    if lower.len() <= VALUE_MAX {
        plan.option(t(c"lowerdir"), keep(&lower));
        return;
    }
    for (index, &layer) in plan.spec.lower.layers.iter().enumerate() {
        let layer = if plan.is_remapped() { super::user::numbered(b"", index) } else { layer };
        plan.option(LOWER, layer);
    }
}

/// By mount(2), which takes a page of options, in the container's directory: with short names there for the layers, 127 of them
/// are a quarter of that.
pub fn at_once(plan: &mut Builder) {
    plan.doing_for(text!("mount the overlay"), plan.spec.lower.named);
    if !plan.is_remapped() {
        for (index, &layer) in plan.spec.lower.layers.iter().enumerate() {
            let target = if layer.first() == b'/' { layer } else { filled("../../%", &[layer]) };
            plan.add(Step::Symlink(target, CWD, super::user::numbered(b"", index))).fine = Some(Errno::EEXIST);
        }
    }
    let mut data = Line::new();
    data.put(b"lowerdir=").put(&super::user::lower(plan)).put(b",upperdir=upper,workdir=work");
    data.put(if plan.host.user.is_some() { b",userxattr" } else { b"" });
    let at = t(c"root");
    plan.mkdir_if_missing(CWD, at);
    plan.add(Step::Mount(t(c"overlay"), at, t(c"overlay"), plan.no_devices(), keep(&data)));
    plan.open(CWD, at, libc::O_PATH | libc::O_NOFOLLOW, ROOT);
}

/// The nodes and links of /dev, on a tmpfs of our own.
pub fn nodes(plan: &mut Builder) {
    for &(name, major, minor) in &NODES {
        // A user namespace has no devices of its own: a file to bind the host's on.
        let (kind, dev) =
            if plan.host.user.is_some() { (libc::S_IFREG, 0) } else { (libc::S_IFCHR, major << 8 | minor) };
        plan.add(Step::Mknod(DEV, name, kind | 0o666, dev));
    }
    for &(target, name) in &LINKS {
        plan.add(Step::Symlink(target, DEV, name));
    }
    for &name in &[t(c"pts"), t(c"shm"), t(c"mqueue")] {
        plan.mkdir(DEV, name, 0o755);
    }
    if plan.spec.process.tty {
        plan.add(Step::Mknod(DEV, t(c"console"), libc::S_IFREG | 0o600, 0));
    }
    if plan.host.has.program {
        // Executable, or the kernel takes it for nobody's program; the devpts covers it.
        plan.add(Step::Mknod(DEV, t(c"pts/program"), libc::S_IFREG | 0o555, 0));
        plan.open(DEV, t(c"pts/program"), libc::O_RDONLY, PROGRAM);
    }
}

/// The devices that were asked for, before any volume is there that they could be made in. A user namespace cannot make
/// them: there they are bound.
pub fn devices(plan: &mut Builder) {
    for node in &plan.host.devices {
        plan.doing_for(text!("make the device"), node.target);
        if plan.host.user.is_some() {
            plan.target(node.target, Want::File, TARGET);
            plan.copy_mount(CWD, node.source, TARGET, t(c""));
            continue;
        }
        let path = node.target.to_bytes();
        let (dir, name) = path.split_at(path.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
        let name = keep(name.strip_prefix(b"/").unwrap_or_default());
        plan.target(if dir.is_empty() { t(c"/") } else { keep(dir) }, Want::Anything, TARGET);
        plan.add(Step::Mknod(TARGET, name, node.mode, node.device)).fine = Some(Errno::EEXIST);
        plan.add(Step::Chown(TARGET, name, node.owner.0, node.owner.1));
    }
}

/// Options of the file systems below /dev.
pub const DEV_OPTIONS: Text = t(c"mode=755,size=65536k");
/// A devpts mounted anew has terminals of its own; gid 5 is docker's tty.
pub const PTS_OPTIONS: Text = t(c"newinstance,ptmxmode=0666,mode=0620,gid=5");

/// Options of /dev/shm.
pub fn shm_options(plan: &Builder) -> Line {
    let mut options = Line::new();
    options.put(b"mode=1777,size=").dec(plan.spec.shm_size);
    options
}

fn dev(plan: &mut Builder) {
    plan.doing(text!("make /dev"));
    plan.file_system(t(c"tmpfs"), t(c"tmpfs"), DEV_OPTIONS.to_bytes(), NOSUID, DEV);
    nodes(plan);
    let mut options = PTS_OPTIONS.to_bytes();
    if plan.has_one_id() {
        options = options.strip_suffix(b",gid=5").unwrap_or(options);
    }
    plan.file_system(t(c"devpts"), t(c"devpts"), options, NOSUID | NOEXEC, PTS);
    if plan.spec.share.ipc {
        plan.open_tree(CWD, t(c"/dev/shm"), true, SHM);
        plan.set(SHM, true, NODEV, libc::MS_PRIVATE);
    } else {
        plan.file_system(t(c"tmpfs"), t(c"shm"), &shm_options(plan), STRICT, SHM);
    }
    if plan.spec.process.tty {
        super::command::terminal(plan);
    }
}

/// The files for /etc, in a directory.
pub fn etc(plan: &mut Builder, dir: Slot) {
    let files = &plan.spec.files;
    let hostname = filled("%\n", &[plan.spec.hostname]);
    for (&(name, _), content) in ETC.iter().zip([files.hosts, hostname, files.resolv]) {
        plan.add(Step::File(dir, name, content));
    }
}

fn files(plan: &mut Builder) {
    plan.doing(text!("make the files in /etc"));
    plan.file_system(t(c"tmpfs"), t(c"tmpfs"), b"mode=755,size=1m", STRICT, FILES);
    etc(plan, FILES);
    plan.mkdir(FILES, t(c"empty"), 0o755);
    plan.add(Step::Mknod(FILES, t(c"none"), libc::S_IFREG | 0o444, 0));
}

/// Where a volume is on the host; None for a tmpfs.
pub fn path(plan: &Builder, index: usize, mount: &Mount) -> Option<Text> {
    match mount.source {
        Source::Host(path) => Some(path),
        Source::Volume(name) => Some(data(name)),
        Source::Anonymous => Some(filled("%/_data", &[anonymous(plan.dir, index)])),
        Source::Tmpfs(_) => None,
    }
}

/// The options as they were given; without a mode, that of the directory that is covered.
pub fn tmpfs_options(plan: &Builder, index: usize, options: Text) -> Line {
    let mut line = Line::new();
    let mode = plan.host.found.get(index).copied().unwrap_or(0o1777);
    line.put(b"mode=").oct(mode).put(b",").put(options.to_bytes());
    line
}

/// A volume or a tmpfs: copied from the host's mount here, where the peers of a shared mount are still known.
fn volume(plan: &mut Builder, index: usize, mount: &Mount) {
    if matches!(mount.source, Source::Tmpfs(_)) || !plan.is_remapped() {
        copy(plan, index, mount);
    }
}

/// The same where the user namespace does not matter, or is minded by the caller.
pub fn copy(plan: &mut Builder, index: usize, mount: &Mount) {
    plan.doing_for(text!("mount the volume"), mount.typed);
    let (into, read_only) = (source(index), if mount.read_only { RDONLY } else { 0 });
    if let Source::Tmpfs(options) = mount.source {
        let options = tmpfs_options(plan, index, options);
        plan.file_system(t(c"tmpfs"), t(c"tmpfs"), &options, mount.attributes | read_only, into);
    }
    let Some(path) = path(plan, index, mount) else { return };
    plan.open_tree(CWD, path, true, into);
    plan.same(index);
    plan.set(into, true, read_only | plan.no_devices(), if mount.recursive { mount.propagation } else { 0 });
    if !mount.recursive {
        plan.set(into, false, 0, mount.propagation);
    }
}

/// Inside: attach them, and make what belongs to the new namespaces.
pub fn attach(plan: &mut Builder) {
    let dir = if plan.is_remapped() {
        super::user::inside(plan);
        t(c".")
    } else if has_too_many(plan) {
        plan.add(Step::Chdir(plan.dir));
        at_once(plan);
        t(c".")
    } else {
        plan.dir
    };
    plan.doing(text!("attach the root"));
    // Before Linux 6.15 only what is attached can be copied. So the files are, where the root covers them.
    plan.move_mount(FILES, CWD, dir);
    // Onto the container's own directory, which this mount namespace sees covered from now on.
    plan.move_mount(ROOT, CWD, dir);
    // By the descriptor in a user namespace: a working directory that was covered stays where it is.
    plan.add(if dir == plan.dir { Step::Chdir(dir) } else { Step::Fchdir(ROOT) });
    // A symlink called proc is not followed but refused by move_mount (CVE-2019-19921), and what is written to later
    // is this very procfs, not what a path leads to (CVE-2025-52881).
    let share = plan.spec.share;
    plan.doing(text!("mount /proc"));
    kernels(plan, (t(c"proc"), t(c"/proc")), share.pid, STRICT, PROC);
    plan.mount_point(t(c"proc"));
    plan.move_mount(PROC, ROOT, t(c"proc"));
    plan.doing(text!("mount /sys"));
    kernels(plan, (t(c"sysfs"), t(c"/sys")), share.net, plan.sys_attributes(), SYS);
    plan.mount_point(t(c"sys"));
    plan.move_mount(SYS, ROOT, t(c"sys"));
    cgroups(plan);
    plan.doing(text!("mount /dev"));
    plan.mount_point(t(c"dev"));
    plan.move_mount(DEV, ROOT, t(c"dev"));
    plan.move_mount(PTS, DEV, t(c"pts"));
    plan.move_mount(SHM, DEV, t(c"shm"));
    if plan.host.user.is_some() {
        for &(name, ..) in &NODES {
            plan.copy_mount(CWD, filled("/dev/%", &[name]), DEV, name);
        }
    }
    if plan.host.mqueue && !(share.ipc && plan.host.user.is_some()) {
        // Of the ipc namespace that the child is in: with --ipc host the host's queues.
        plan.file_system(t(c"mqueue"), t(c"mqueue"), b"", STRICT, MQUEUE);
        plan.move_mount(MQUEUE, DEV, t(c"mqueue"));
    }
    if plan.spec.process.tty {
        plan.copy_mount(PTS, t(c"0"), DEV, t(c"console"));
    }
    devices(plan);
    if plan.spec.read_only {
        plan.set(FILES, false, RDONLY, 0);
    }
    if super::command::has_null(plan) {
        super::command::null(plan);
    }
    in_order(plan, attach_file, attach_volume);
    super::procfs::write(plan);
    masks(plan);
}

/// /sys/fs/cgroup: the one of version 2, or a directory with those of version 1.
fn cgroups(plan: &mut Builder) {
    let (view, at) = (core::mem::take(&mut plan.view), t(c"fs/cgroup"));
    for (index, &(name, mount)) in view.iter().enumerate() {
        plan.doing(text!("mount /sys/fs/cgroup"));
        if name.is_empty() {
            plan.move_mount(mount, SYS, at);
            return;
        }
        if index == 0 {
            plan.mkdir(FILES, t(c"cgroup"), 0o755);
            plan.copy_mount(FILES, t(c"cgroup"), SYS, at);
        }
        plan.mkdir(COPY, name, 0o755);
        plan.move_mount(mount, COPY, name);
    }
    if !view.is_empty() {
        plan.set(COPY, false, plan.sys_attributes() & RDONLY, 0);
    }
}

/// A file system that shows a namespace. Only whose user namespace owns that may mount it; of the host's there can be
/// a copy of the host's mount, with all that is mounted below it.
fn kernels(plan: &mut Builder, (fs, path): (Text, Text), shared: bool, attributes: u64, into: Slot) {
    if shared && plan.host.user.is_some() {
        plan.open_tree(CWD, path, true, into);
        plan.set(into, true, attributes, libc::MS_PRIVATE);
    } else {
        plan.file_system(fs, fs, b"", attributes, into);
    }
}

/// The files in /etc and the volumes; what is above /etc/hosts goes first, or it would hide the file.
pub fn in_order(plan: &mut Builder, file: fn(&mut Builder, usize, Text), volume: fn(&mut Builder, usize, &Mount)) {
    let mounts = &plan.spec.mounts;
    let above = |mount: &Mount| mount.target == t(c"/etc");
    for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| above(mount)) {
        volume(plan, index, mount);
    }
    for (index, &(_, path)) in ETC.iter().enumerate() {
        if !mounts.iter().any(|mount| mount.target == path) {
            plan.doing_for(text!("mount"), path);
            file(plan, index, path);
        }
    }
    for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| !above(mount)) {
        volume(plan, index, mount);
    }
}

fn attach_file(plan: &mut Builder, index: usize, path: Text) {
    let name = ETC.get(index).map_or(t(c""), |(name, _)| *name);
    plan.target(path, Want::File, TARGET);
    plan.copy_mount(FILES, name, TARGET, t(c""));
}

pub(super) fn attach_volume(plan: &mut Builder, index: usize, mount: &Mount) {
    plan.doing_for(text!("mount the volume"), mount.typed);
    plan.target(mount.target, plan.host.wants(index), TARGET);
    plan.move_mount(source(index), TARGET, t(c""));
}

/// docker's masked and read-only paths: copies of an empty directory and an empty file that are read-only, and of the
/// subtrees themselves. Not of /dev/null, over which an image or a volume may have put something (CVE-2025-31133).
fn masks(plan: &mut Builder) {
    if plan.is_unmasked() {
        return;
    }
    plan.doing(text!("make a path read-only"));
    // Copies are as the mount is just then.
    plan.set(PROC, false, RDONLY, 0);
    for path in plan.host.read_only() {
        plan.about = path;
        plan.copy_mount(PROC, path, PROC, path);
    }
    plan.add(Step::SetAttr(PROC, false, MountAttr { set: 0, clear: RDONLY, propagation: 0, userns: 0 }));
    plan.doing(text!("mask a path"));
    plan.set(FILES, false, RDONLY, 0);
    plan.host.for_each_mask(&mut |path, directory| {
        let (at, below) = below(path);
        plan.about = path;
        plan.copy_mount(FILES, if directory { t(c"empty") } else { t(c"none") }, at, below);
    });
}

/// A path of `MASKS` as the mount that it is on and the rest.
pub fn below(path: Text) -> (Slot, Text) {
    let bytes = path.to_bytes();
    match bytes.strip_prefix(b"/proc/") {
        Some(rest) => (PROC, keep(rest)),
        None => (SYS, keep(bytes.strip_prefix(b"/sys/").unwrap_or_default())),
    }
}

impl super::Host {
    /// What is made read-only below /proc.
    pub fn read_only(&self) -> impl Iterator<Item = Text> {
        // Every kernel has the first four.
        READ_ONLY.iter().copied().take(if self.masks & SYSRQ != 0 { 5 } else { 4 })
    }

    /// What is hidden, and whether it is a directory.
    pub fn for_each_mask(&self, mask: &mut dyn FnMut(Text, bool)) {
        for (index, &(path, directory)) in MASKS.iter().enumerate() {
            if self.masks & 1 << index != 0 {
                mask(path, directory);
            }
        }
        self.throttles.iter().for_each(|&path| mask(path, true));
    }

    /// What a mount's target has to be.
    pub fn wants(&self, index: usize) -> Want {
        if self.files.get(index).copied().unwrap_or(false) { Want::File } else { Want::Directory }
    }
}
