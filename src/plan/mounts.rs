//! The root's mounts by the calls of Linux 5.2 and later: made detached, changed while nobody sees them, attached.

use super::{
    Builder, COPY, CWD, DEV, FILES, MASK, MQUEUE, PROC, PTS, READONLY, ROOT, SHM, STRICT, STRICT_RO, SYS, Step, TARGET,
    anonymous, data, source,
};
use crate::spec::{Mount, Source, Text};
use crate::sys::Errno;
use crate::sys::call::{NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::text::{Line, Push, keep, keep_all};

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

fn overlay(plan: &mut Builder) {
    let spec = plan.spec;
    let dir = |name: &[u8]| keep_all(&[plan.dir.to_bytes(), name]);
    let (upper, work) = (dir(b"/upper"), dir(b"/work"));
    let why = "mount the overlay on /";
    let mut lower = Line::new();
    for layer in &spec.lower.layers {
        lower.put(if lower.is_empty() { b"" } else { b":" });
        // overlayfs splits at a colon and knows the backslash as escape; only --rootfs can have either.
        for &byte in layer.to_bytes() {
            lower.put(if byte == b':' || byte == b'\\' { b"\\" } else { b"" }).push(byte);
        }
    }
    plan.add(why, Step::Fsopen(c"overlay", super::FS)).about = spec.lower.named;
    plan.add(why, Step::Option(c"source", c"overlay"));
    for (key, value) in [(c"lowerdir", keep(&lower)), (c"upperdir", upper), (c"workdir", work)] {
        plan.add(why, Step::Option(key, value)).about = spec.lower.named;
    }
    // A layer cannot forge what these would honour (trusted.overlay.* is stripped on import as well).
    for (key, value) in [(c"redirect_dir", c"nofollow"), (c"metacopy", c"off"), (c"index", c"off"), (c"xino", c"off")] {
        plan.add(why, Step::Option(key, value)).fine = Some(Errno::EINVAL);
    }
    // The upper layer ends with the container: no need to sync it at the end (5 ms instead of 147 with 300 MB dirty).
    plan.add(why, Step::Flag(c"volatile")).fine = Some(Errno::EINVAL);
    plan.add(why, Step::Create).about = spec.lower.named;
    plan.add(why, Step::Fsmount(0, ROOT));
}

fn dev(plan: &mut Builder) {
    let why = "make /dev";
    plan.file_system(why, c"tmpfs", &[(c"source", c"tmpfs"), (c"mode", c"755"), (c"size", c"65536k")], NOSUID, DEV);
    for (name, major, minor) in NODES {
        plan.add(why, Step::Mknod(DEV, name, libc::S_IFCHR | 0o666, major << 8 | minor));
    }
    for (target, name) in LINKS {
        plan.add(why, Step::Symlink(target, DEV, name));
    }
    for name in [c"pts", c"shm", c"mqueue"] {
        plan.add(why, Step::Mkdir(DEV, name, 0o755));
    }
    if plan.spec.process.tty {
        plan.add("make /dev/console", Step::Mknod(DEV, c"console", libc::S_IFREG | 0o600, 0));
    }
    let pts =
        [(c"source", c"devpts"), (c"newinstance", c""), (c"ptmxmode", c"0666"), (c"mode", c"0620"), (c"gid", c"5")];
    plan.file_system("make /dev/pts", c"devpts", &pts, NOSUID | NOEXEC, PTS);
    if plan.spec.share.ipc {
        plan.add("share /dev/shm", Step::OpenTree(CWD, c"/dev/shm", true, SHM));
        plan.set("share /dev/shm", SHM, true, 0, libc::MS_PRIVATE);
        return;
    }
    let mut size = Line::new();
    let size = keep(size.dec(plan.spec.shm_size));
    let options = [(c"source", c"shm"), (c"mode", c"1777"), (c"size", size)];
    plan.file_system("make /dev/shm", c"tmpfs", &options, STRICT, SHM);
}

fn files(plan: &mut Builder) {
    let why = "make the files in /etc";
    plan.file_system(why, c"tmpfs", &[(c"source", c"tmpfs"), (c"mode", c"755"), (c"size", c"1m")], STRICT, FILES);
    let hostname = keep_all(&[plan.spec.hostname.to_bytes(), b"\n"]);
    for (name, content) in
        [(c"hosts", plan.spec.files.hosts), (c"hostname", hostname), (c"resolv.conf", plan.spec.files.resolv)]
    {
        plan.add(why, Step::File(FILES, name, content));
    }
    plan.add("make a mask for directories", Step::Mkdir(FILES, c"empty", 0o755));
}

/// A volume or a tmpfs: copied from the host's mount here, where the peers of a shared mount are still known.
fn volume(plan: &mut Builder, index: usize, mount: &Mount) {
    let (why, into) = ("mount the volume", source(index));
    let path = match mount.source {
        Source::Tmpfs(options) => {
            plan.add(why, Step::Fsopen(c"tmpfs", super::FS)).about = mount.typed;
            plan.add(why, Step::Option(c"source", c"tmpfs"));
            for option in options.to_bytes().split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
                let (key, value) = crate::text::split_once(option, b'=').unwrap_or((option, b""));
                let (key, value) = (keep(key), keep(value));
                let step = if value.is_empty() { Step::Flag(key) } else { Step::Option(key, value) };
                plan.add(why, step).about = mount.typed;
            }
            plan.add(why, Step::Create).about = mount.typed;
            let read_only = if mount.read_only { RDONLY } else { 0 };
            plan.add(why, Step::Fsmount(mount.attributes | read_only, into));
            return;
        }
        Source::Host(path) => path,
        Source::Volume(name) => data(name),
        Source::Anonymous => anonymous(plan.dir, index),
    };
    plan.add(why, Step::OpenTree(CWD, path, true, into)).about = mount.typed;
    let read_only = if mount.read_only { RDONLY } else { 0 };
    if mount.recursive {
        plan.set(why, into, true, read_only, mount.propagation);
    } else {
        plan.set(why, into, true, read_only, 0);
        plan.set(why, into, false, 0, mount.propagation);
    }
}

/// Inside: attach them, and make what belongs to the new namespaces.
pub fn attach(plan: &mut Builder) {
    // Onto the container's own directory, which this mount namespace sees covered from now on.
    plan.add("attach the root", Step::MoveMount(ROOT, CWD, plan.dir));
    plan.add("enter the root", Step::Chdir(plan.dir));
    proc(plan);
    sys(plan);
    for (slot, name) in [(DEV, c"dev"), (PTS, c"pts"), (SHM, c"shm")] {
        let at = if slot == DEV { ROOT } else { DEV };
        plan.mount_point(at, name);
        plan.add("attach /dev", Step::MoveMount(slot, at, name));
    }
    if plan.spec.share.ipc {
        plan.add("share /dev/mqueue", Step::OpenTree(CWD, c"/dev/mqueue", false, MQUEUE)).fine = Some(Errno::ENOENT);
        plan.add("share /dev/mqueue", Step::MoveMount(MQUEUE, DEV, c"mqueue")).fine = Some(Errno::EBADF);
    } else if plan.host.mqueue {
        plan.file_system("make /dev/mqueue", c"mqueue", &[(c"source", c"mqueue")], STRICT, MQUEUE);
        plan.add("attach /dev/mqueue", Step::MoveMount(MQUEUE, DEV, c"mqueue"));
    }
    if plan.spec.process.tty {
        plan.add("make /dev/console", Step::OpenTree(PTS, c"0", false, COPY));
        plan.add("make /dev/console", Step::MoveMount(COPY, DEV, c"console"));
    }
    // What is above /etc/hosts goes first, or it would hide the file.
    for above in [true, false] {
        for (index, mount) in plan.spec.mounts.iter().enumerate() {
            if (mount.target == c"/etc") == above {
                attach_volume(plan, index, mount);
            }
        }
        if above {
            etc(plan);
        }
    }
    masks(plan);
    if plan.spec.read_only {
        plan.set("make the root read-only", ROOT, false, RDONLY, 0);
    }
}

impl Builder<'_> {
    /// A directory that images should have but need not.
    fn mount_point(&mut self, root: Slot, name: Text) {
        if root == ROOT {
            self.add("make a mount point", Step::Mkdir(root, name, 0o755)).fine = Some(Errno::EEXIST);
        }
    }
}

/// A symlink called proc is not followed but refused by move_mount (CVE-2019-19921), and what is written to later is
/// this very procfs, not what a path leads to (CVE-2025-52881).
fn proc(plan: &mut Builder) {
    plan.file_system("make /proc", c"proc", &[(c"source", c"proc")], STRICT, PROC);
    plan.mount_point(ROOT, c"proc");
    plan.add("attach /proc", Step::MoveMount(PROC, ROOT, c"proc"));
}

fn sys(plan: &mut Builder) {
    plan.file_system("make /sys", c"sysfs", &[(c"source", c"sysfs")], STRICT_RO, SYS);
    plan.mount_point(ROOT, c"sys");
    plan.add("attach /sys", Step::MoveMount(SYS, ROOT, c"sys"));
}

fn etc(plan: &mut Builder) {
    for (name, path) in ETC {
        if plan.spec.mounts.iter().any(|mount| mount.target == path) {
            continue;
        }
        plan.add("find the file in /etc", Step::Target(path, false, TARGET)).about = path;
        plan.add("mount the file in /etc", Step::OpenTree(FILES, name, false, COPY)).about = path;
        plan.add("mount the file in /etc", Step::MoveMount(COPY, TARGET, c"")).about = path;
    }
}

fn attach_volume(plan: &mut Builder, index: usize, mount: &Mount) {
    let directory = !plan.host.files.get(index).copied().unwrap_or(false);
    plan.add("find the volume's target", Step::Target(mount.target, directory, TARGET)).about = mount.typed;
    plan.add("mount the volume", Step::MoveMount(source(index), TARGET, c"")).about = mount.typed;
}

/// docker's masked and read-only paths: copies of one read-only empty directory, of the /dev/null that we have just
/// made (CVE-2025-31133: not whatever the image calls so), and of the subtrees themselves.
fn masks(plan: &mut Builder) {
    let read_only = RDONLY | NOSUID | NODEV | NOEXEC;
    plan.add("make the masks", Step::OpenTree(PROC, c"", false, READONLY));
    plan.set("make the masks", READONLY, false, read_only, 0);
    for (index, path) in READ_ONLY.into_iter().enumerate() {
        if index < 4 || plan.host.masks & SYSRQ != 0 {
            plan.add("make a path read-only", Step::OpenTree(READONLY, path, false, COPY)).about = path;
            plan.add("make a path read-only", Step::MoveMount(COPY, PROC, path)).about = path;
        }
    }
    plan.add("make the masks", Step::OpenTree(FILES, c"empty", false, MASK));
    plan.set("make the masks", MASK, false, read_only, 0);
    for (index, (path, directory)) in MASKS.into_iter().enumerate() {
        if plan.host.masks & 1 << index != 0 {
            mask(plan, path, directory);
        }
    }
    for cpu in 0..plan.host.throttles {
        // A thermal side channel (moby #49560).
        let mut path = Line::new();
        path.put(b"/sys/devices/system/cpu/cpu").dec(u64::from(cpu)).put(b"/thermal_throttle");
        mask(plan, keep(&path), true);
    }
}

fn mask(plan: &mut Builder, path: Text, directory: bool) {
    let (from, name) = if directory { (MASK, c"") } else { (DEV, c"null") };
    let at = if path.to_bytes().starts_with(b"/proc/") { PROC } else { SYS };
    let skip = if at == PROC { "/proc/".len() } else { "/sys/".len() };
    let below = keep(path.to_bytes().get(skip..).unwrap_or_default());
    plan.add("mask a path", Step::OpenTree(from, name, false, COPY)).about = path;
    plan.add("mask a path", Step::MoveMount(COPY, at, below)).about = path;
}
