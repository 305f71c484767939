//! The facts about the host that a plan depends on. `host::look` gathers them.

use super::Ids;
use crate::cgroup;
use crate::devices::Node;
use crate::spec::Text;

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
