//! The root's mounts by the calls of Linux 5.2 and later: made detached, changed while nobody sees them, attached.

use super::{
    Builder, COPY, CWD, DEV, FILES, FS, MQUEUE, PROC, PTS, ROOT, SHM, STRICT, STRICT_RO, SYS, Step, TARGET, anonymous,
    data, source,
};
use crate::spec::{Mount, Source, Text};
use crate::sys::Errno;
use crate::sys::call::{MountAttr, NOEXEC, NOSUID, RDONLY, Slot};
use crate::text::{Line, Push, join, keep, keep_all};

/// What docker's default hides, below /proc or /sys, and whether it is a directory. `Host::masks` says by bit what
/// this kernel has: a mount that fails costs an RCU grace period, so it isn't tried.
pub const MASKS: [(Text, bool); 12] = [
    (c"/proc/acpi", true),
    (c"/proc/asound", true),
    (c"/proc/interrupts", false),
    (c"/proc/kcore", false),
    (c"/proc/keys", false),
    (c"/proc/latency_stats", false),
    (c"/proc/sched_debug", false),
    (c"/proc/scsi", true),
    (c"/proc/timer_list", false),
    (c"/proc/timer_stats", false),
    (c"/sys/devices/virtual/powercap", true),
    (c"/sys/firmware", true),
];

/// What docker's default makes read-only below /proc. Every kernel has the first four; sysrq-trigger is a mask's bit.
pub const READ_ONLY: [Text; 5] = [c"bus", c"fs", c"irq", c"sys", c"sysrq-trigger"];

/// The bit of `Host::masks` that says that /proc/sysrq-trigger exists.
pub const SYSRQ: u32 = 1 << 31;

/// The nodes of /dev with their device numbers, 0666 each.
const NODES: [(Text, u32, u32); 6] =
    [(c"null", 1, 3), (c"zero", 1, 5), (c"full", 1, 7), (c"random", 1, 8), (c"urandom", 1, 9), (c"tty", 5, 0)];

const LINKS: [(Text, Text); 6] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"/proc/kcore", c"core"),
    (c"pts/ptmx", c"ptmx"),
];

/// The files that every container gets: name on our tmpfs, path in the container.
const ETC: [(Text, Text); 3] =
    [(c"hosts", c"/etc/hosts"), (c"hostname", c"/etc/hostname"), (c"resolv.conf", c"/etc/resolv.conf")];

/// Outside: everything that need not be made in the container's namespaces.
pub fn detached(plan: &mut Builder) {
    overlay(plan);
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
/// upper layer ends with the container, so there is nothing to sync at its end (5 ms instead of 147 with 300 MB
/// dirty). Kernels that do not know one of them have no use for it.
pub const OVERLAY: [(Text, Text); 5] =
    [(c"redirect_dir", c"nofollow"), (c"metacopy", c"off"), (c"index", c"off"), (c"xino", c"off"), (c"volatile", c"")];

fn overlay(plan: &mut Builder) {
    plan.doing("mount the overlay on / over", plan.spec.lower.named);
    plan.add(Step::Fsopen(c"overlay", FS));
    let dir = |name: &[u8]| keep_all(&[plan.dir.to_bytes(), name]);
    let directories =
        [(c"lowerdir", keep(&lower_directories(plan))), (c"upperdir", dir(b"/upper")), (c"workdir", dir(b"/work"))];
    for (key, value) in directories.into_iter().chain([(c"source", c"overlay")]) {
        plan.add(Step::Option(key, value));
    }
    for (key, value) in OVERLAY {
        plan.add_unless(Errno::EINVAL, if value.is_empty() { Step::Flag(key) } else { Step::Option(key, value) });
    }
    plan.add(Step::Create);
    plan.add(Step::Fsmount(0, ROOT));
}

/// The nodes and links of /dev, on a tmpfs of our own.
pub fn nodes(plan: &mut Builder) {
    for (name, major, minor) in NODES {
        plan.add(Step::Mknod(DEV, name, libc::S_IFCHR | 0o666, major << 8 | minor));
    }
    for (target, name) in LINKS {
        plan.add(Step::Symlink(target, DEV, name));
    }
    for name in [c"pts", c"shm", c"mqueue"] {
        plan.add(Step::Mkdir(DEV, name, 0o755));
    }
    if plan.spec.process.tty {
        plan.add(Step::Mknod(DEV, c"console", libc::S_IFREG | 0o600, 0));
    }
}

/// Options of the file systems below /dev.
pub const DEV_OPTIONS: Text = c"mode=755,size=65536k";
/// A devpts mounted anew has terminals of its own; gid 5 is docker's tty.
pub const PTS_OPTIONS: Text = c"newinstance,ptmxmode=0666,mode=0620,gid=5";

/// Options of /dev/shm.
pub fn shm_options(plan: &Builder) -> Line {
    let mut options = Line::new();
    options.put(b"mode=1777,size=").dec(plan.spec.shm_size);
    options
}

fn dev(plan: &mut Builder) {
    plan.doing("make /dev", c"");
    plan.file_system(c"tmpfs", &join(&[b"source=tmpfs,", DEV_OPTIONS.to_bytes()]), NOSUID, DEV);
    nodes(plan);
    plan.file_system(c"devpts", &join(&[b"source=devpts,", PTS_OPTIONS.to_bytes()]), NOSUID | NOEXEC, PTS);
    if plan.spec.share.ipc {
        plan.add(Step::OpenTree(CWD, c"/dev/shm", true, SHM));
        plan.set(SHM, true, 0, libc::MS_PRIVATE);
    } else {
        plan.file_system(c"tmpfs", &join(&[b"source=shm,", &shm_options(plan)]), STRICT, SHM);
    }
    if plan.spec.process.tty {
        super::terminal(plan);
    }
}

/// What the files in /etc say.
pub fn contents(plan: &Builder) -> [Text; 3] {
    let hostname = keep_all(&[plan.spec.hostname.to_bytes(), b"\n"]);
    [plan.spec.files.hosts, hostname, plan.spec.files.resolv]
}

fn files(plan: &mut Builder) {
    plan.doing("make the files in /etc", c"");
    plan.file_system(c"tmpfs", b"source=tmpfs,mode=755,size=1m", STRICT, FILES);
    for ((name, _), content) in ETC.into_iter().zip(contents(plan)) {
        plan.add(Step::File(FILES, name, content));
    }
    plan.add(Step::Mkdir(FILES, c"empty", 0o755));
}

/// Where a volume is on the host; None for a tmpfs.
pub fn path(plan: &Builder, index: usize, mount: &Mount) -> Option<Text> {
    match mount.source {
        Source::Host(path) => Some(path),
        Source::Volume(name) => Some(data(name)),
        Source::Anonymous => Some(anonymous(plan.dir, index)),
        Source::Tmpfs(_) => None,
    }
}

/// A volume or a tmpfs: copied from the host's mount here, where the peers of a shared mount are still known.
fn volume(plan: &mut Builder, index: usize, mount: &Mount) {
    plan.doing("mount the volume", mount.typed);
    let (into, read_only) = (source(index), if mount.read_only { RDONLY } else { 0 });
    if let Source::Tmpfs(options) = mount.source {
        plan.file_system(c"tmpfs", &join(&[b"source=tmpfs,", options.to_bytes()]), mount.attributes | read_only, into);
    }
    let Some(path) = path(plan, index, mount) else { return };
    plan.add(Step::OpenTree(CWD, path, true, into));
    plan.set(into, true, read_only, if mount.recursive { mount.propagation } else { 0 });
    if !mount.recursive {
        plan.set(into, false, 0, mount.propagation);
    }
}

/// Inside: attach them, and make what belongs to the new namespaces.
pub fn attach(plan: &mut Builder) {
    plan.doing("attach the root", c"");
    // Before Linux 6.15 only what is attached can be copied. So the files are, where the root covers them.
    plan.add(Step::MoveMount(FILES, CWD, plan.dir));
    // Onto the container's own directory, which this mount namespace sees covered from now on.
    plan.add(Step::MoveMount(ROOT, CWD, plan.dir));
    plan.add(Step::Chdir(plan.dir));
    // A symlink called proc is not followed but refused by move_mount (CVE-2019-19921), and what is written to later
    // is this very procfs, not what a path leads to (CVE-2025-52881).
    plan.doing("mount /proc", c"");
    plan.file_system(c"proc", b"source=proc", STRICT, PROC);
    plan.mkdir(ROOT, c"proc", 0o755);
    plan.add(Step::MoveMount(PROC, ROOT, c"proc"));
    plan.doing("mount /sys", c"");
    plan.file_system(c"sysfs", b"source=sysfs", STRICT_RO, SYS);
    plan.mkdir(ROOT, c"sys", 0o755);
    plan.add(Step::MoveMount(SYS, ROOT, c"sys"));
    plan.doing("mount /dev", c"");
    plan.mkdir(ROOT, c"dev", 0o755);
    plan.add(Step::MoveMount(DEV, ROOT, c"dev"));
    plan.add(Step::MoveMount(PTS, DEV, c"pts"));
    plan.add(Step::MoveMount(SHM, DEV, c"shm"));
    if plan.host.mqueue {
        if plan.spec.share.ipc {
            plan.add(Step::OpenTree(CWD, c"/dev/mqueue", false, MQUEUE));
        } else {
            plan.file_system(c"mqueue", b"source=mqueue", STRICT, MQUEUE);
        }
        plan.add(Step::MoveMount(MQUEUE, DEV, c"mqueue"));
    }
    if plan.spec.process.tty {
        plan.add(Step::OpenTree(PTS, c"0", false, COPY));
        plan.add(Step::MoveMount(COPY, DEV, c"console"));
    }
    in_order(plan, attach_file, attach_volume);
    masks(plan);
    if plan.spec.read_only {
        plan.doing("make the root read-only", c"");
        plan.set(ROOT, false, RDONLY, 0);
    }
}

/// The files in /etc and the volumes; what is above /etc/hosts goes first, or it would hide the file.
pub fn in_order(plan: &mut Builder, file: fn(&mut Builder, usize, Text), volume: fn(&mut Builder, usize, &Mount)) {
    let mounts = &plan.spec.mounts;
    let above = |mount: &Mount| mount.target == c"/etc";
    for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| above(mount)) {
        volume(plan, index, mount);
    }
    for (index, (_, path)) in ETC.into_iter().enumerate() {
        if !mounts.iter().any(|mount| mount.target == path) {
            plan.doing("mount", path);
            file(plan, index, path);
        }
    }
    for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| !above(mount)) {
        volume(plan, index, mount);
    }
}

fn attach_file(plan: &mut Builder, index: usize, path: Text) {
    let name = ETC.get(index).map_or(c"", |(name, _)| *name);
    plan.add(Step::Target(path, false, TARGET));
    plan.add(Step::OpenTree(FILES, name, false, COPY));
    plan.add(Step::MoveMount(COPY, TARGET, c""));
}

fn attach_volume(plan: &mut Builder, index: usize, mount: &Mount) {
    plan.doing("mount the volume", mount.typed);
    plan.add(Step::Target(mount.target, plan.host.is_directory(index), TARGET));
    plan.add(Step::MoveMount(source(index), TARGET, c""));
}

/// docker's masked and read-only paths: copies of one read-only empty directory, of the /dev/null that we have just
/// made (CVE-2025-31133: not whatever the image calls so), and of the subtrees themselves.
fn masks(plan: &mut Builder) {
    plan.doing("make a path read-only", c"");
    // Copies are as the mount is just then.
    plan.set(PROC, false, RDONLY, 0);
    for path in plan.host.read_only() {
        plan.about = path;
        plan.add(Step::OpenTree(PROC, path, false, COPY));
        plan.add(Step::MoveMount(COPY, PROC, path));
    }
    plan.add(Step::SetAttr(PROC, false, MountAttr { set: 0, clear: RDONLY, propagation: 0, userns: 0 }));
    plan.doing("mask a path", c"");
    plan.set(FILES, false, RDONLY, 0);
    plan.host.for_each_mask(|path, directory| {
        let (from, name) = if directory { (FILES, c"empty") } else { (DEV, c"null") };
        let (at, below) = below(path);
        plan.about = path;
        plan.add(Step::OpenTree(from, name, false, COPY));
        plan.add(Step::MoveMount(COPY, at, below));
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
        READ_ONLY.into_iter().take(if self.masks & SYSRQ != 0 { 5 } else { 4 })
    }

    /// What is hidden, and whether it is a directory.
    pub fn for_each_mask(&self, mut mask: impl FnMut(Text, bool)) {
        for (index, (path, directory)) in MASKS.into_iter().enumerate() {
            if self.masks & 1 << index != 0 {
                mask(path, directory);
            }
        }
        for cpu in 0..self.throttles {
            // A thermal side channel (moby #49560).
            let mut path = Line::new();
            path.put(b"/sys/devices/system/cpu/cpu").dec(u64::from(cpu)).put(b"/thermal_throttle");
            mask(keep(&path), true);
        }
    }

    /// Whether a mount's source is a directory.
    pub fn is_directory(&self, index: usize) -> bool {
        !self.files.get(index).copied().unwrap_or(false)
    }
}
