//! What the container is, as data. The command line makes one; nothing here knows how it is done.

pub use crate::sys::name::Text;

use crate::sys::OwnedFd;
use crate::sys::name::t;
use crate::text::filled;

/// A container.
#[derive(Default)]
pub struct Spec {
    /// 64 hexadecimal digits, as docker's.
    pub id: Text,
    /// `--name`.
    pub name: Option<Text>,
    /// The host name inside; the first 12 digits of the id where none was asked for.
    pub hostname: Text,
    /// What the root is made over.
    pub lower: Lower,
    /// How many words of the command line are the command's: what stands behind the image.
    pub words: usize,
    /// Mounts into the root, parents before what is below them.
    pub mounts: Vec<Mount>,
    /// `--read-only`: the root itself.
    pub read_only: bool,
    /// Size of /dev/shm in bytes.
    pub shm_size: u64,
    /// /etc/hosts and /etc/resolv.conf.
    pub files: Files,
    /// The command.
    pub process: Process,
    /// cgroup limits.
    pub limits: Limits,
    /// Namespaces that are shared with the host instead of made.
    pub share: Share,
    /// What its processes may do.
    pub security: Security,
    /// Which devices they may use besides the usual ones.
    pub devices: Devices,
    /// --sysctl.
    pub sysctls: Vec<Sysctl>,
    /// Its directory is there already, and stays: what is written to its root is kept, and its streams are the supervisor's.
    pub kept: bool,
    /// `NAME=value`: the image's, and over them --label.
    pub labels: Vec<Text>,
    /// What `stop` sends.
    pub stop_signal: u32,
}

/// Devices that were asked for.
#[derive(Default)]
pub struct Devices {
    /// --device, as it was typed.
    pub nodes: Vec<Text>,
    /// --device-cgroup-rule.
    pub rules: Vec<Text>,
}

/// A value of one of the container's namespaces.
#[derive(Clone, Copy)]
pub struct Sysctl {
    /// Below /proc.
    pub file: Text,
    /// What is written there.
    pub value: Text,
    /// It is the network namespace's, else the ipc namespace's.
    pub net: bool,
    /// The argument as it was typed, for messages.
    pub typed: Text,
}

/// What the container's processes may do. The default is docker's.
#[derive(Default)]
pub struct Security {
    /// --cap-add: bit N is capability N, the highest stands for ALL.
    pub add: u64,
    /// --cap-drop, likewise.
    pub drop: u64,
    /// --privileged: all that mydocker may do itself.
    pub privileged: bool,
    /// --security-opt no-new-privileges: execve gives nothing, not even a setuid file.
    pub no_new_privs: bool,
    /// --security-opt seccomp=unconfined.
    pub unfiltered: bool,
    /// --security-opt systempaths=unconfined: nothing of /proc and /sys is hidden or made read-only.
    pub unmasked: bool,
    /// --security-opt apparmor=PROFILE.
    pub apparmor: Option<Text>,
    /// --security-opt label=user:, role:, type:, level:.
    pub label: [Option<Text>; 4],
}

impl Security {
    /// The SELinux context that was asked for; what was not said is as containers have it.
    pub fn label(&self) -> Option<Text> {
        let [user, role, kind, level] = self.label;
        user.or(role).or(kind).or(level)?;
        let (user, role) = (user.unwrap_or(t(c"system_u")), role.unwrap_or(t(c"system_r")));
        Some(filled("%:%:%:%", &[user, role, kind.unwrap_or(t(c"container_t")), level.unwrap_or(t(c"s0"))]))
    }
}

/// The read-only part of the root and what its own directory looks like.
#[derive(Default)]
pub struct Lower {
    /// Directories relative to the store, topmost first; or one absolute directory (`--rootfs`).
    pub layers: Vec<Text>,
    /// Mode, owner and group of the root directory itself, which the upper layer's directory gets.
    pub mode: u32,
    /// See `mode`.
    pub owner: (u32, u32),
    /// What the user named it, for messages.
    pub named: Text,
    /// The image's id; empty for a directory.
    pub id: Text,
    /// The topmost layer of an image, with a lock on it that says that it is used: who removes images asks for that.
    pub held: Option<OwnedFd>,
}

/// Where a mount comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A path of the host.
    Host(Text),
    /// A named volume.
    Volume(Text),
    /// A volume that lives and ends with the container.
    Anonymous,
    /// A new tmpfs with these options (`size=64m,mode=1777`).
    Tmpfs(Text),
}

/// One mount into the root.
#[derive(Clone, Copy, Debug)]
pub struct Mount {
    /// Where from.
    pub source: Source,
    /// Absolute and without `.`, `..` or doubled slashes.
    pub target: Text,
    /// `ro`, recursively.
    pub read_only: bool,
    /// MOUNT_ATTR_* besides: what --tmpfs asks for.
    pub attributes: u64,
    /// MS_PRIVATE, MS_SLAVE or MS_SHARED.
    pub propagation: u64,
    /// The propagation is of the source's submounts too (`rprivate`); they come along and `ro` holds for them anyway.
    pub recursive: bool,
    /// Make a missing source directory, as -v does and --mount does not.
    pub make_source: bool,
    /// Fill an empty volume from the image (`nocopy` turns it off).
    pub copy: bool,
    /// The argument as it was typed, for messages.
    pub typed: Text,
}

/// What the files that every container gets say.
#[derive(Default)]
pub struct Files {
    /// /etc/hosts.
    pub hosts: Text,
    /// /etc/resolv.conf.
    pub resolv: Text,
}

/// The command and what it sees.
#[derive(Default)]
pub struct Process {
    /// The command and its arguments; never empty.
    pub args: Vec<Text>,
    /// `NAME=value`.
    pub env: Vec<Text>,
    /// Where in the container it starts; made where it is missing.
    pub cwd: Text,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// --group-add: those of them that were asked for.
    pub group_add: Vec<Text>,
    /// --oom-score-adj.
    pub oom_score: Option<Text>,
    /// -t: a terminal of its own.
    pub tty: bool,
    /// -i: standard input is passed.
    pub stdin: bool,
    /// --init: a PID 1 that reaps and forwards.
    pub init: bool,
    /// --ulimit.
    pub rlimits: Vec<ResourceLimit>,
}

/// A resource limit, RLIM_INFINITY being u64::MAX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceLimit {
    /// RLIMIT_*.
    pub resource: u32,
    /// What holds.
    pub soft: u64,
    /// How far the process may raise it.
    pub hard: u64,
    /// The argument as it was typed, for messages.
    pub typed: Text,
}

impl Process {
    /// The value of PATH in its environment.
    pub fn path(&self) -> &'static [u8] {
        self.env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH=")).unwrap_or_default()
    }
}

/// Limits; None is no limit asked for.
#[derive(Default)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes of memory and swap together; u64::MAX is unlimited.
    pub memory_swap: Option<u64>,
    /// Microseconds of CPU time in each period of 100 ms.
    pub cpu_quota: Option<u64>,
    /// Relative weight, 2 to 262144, 1024 being the default.
    pub cpu_shares: Option<u64>,
    /// A list such as 0-2,7.
    pub cpuset_cpus: Option<Text>,
    /// NUMA nodes, a list.
    pub cpuset_mems: Option<Text>,
    /// Number of processes; u64::MAX is unlimited.
    pub pids: Option<u64>,
}

/// Namespaces shared with the host.
#[derive(Default, Clone, Copy)]
pub struct Share {
    /// `--pid host`.
    pub pid: bool,
    /// `--uts host`.
    pub uts: bool,
    /// `--ipc host`.
    pub ipc: bool,
    /// `--net host`.
    pub net: bool,
}
