//! The descriptors that the steps of a start pass on to each other, and their names.

use crate::sys::call::{CWD, Slot};
use crate::text::{Line, Message, Push, split};

/// The container's directory in the store; its lock.
pub const CONTAINER: Slot = Slot(0);
/// The overlay, the container's root.
pub const ROOT: Slot = Slot(2);
pub(super) const DEV: Slot = Slot(3);
pub(super) const PTS: Slot = Slot(4);
pub(super) const SHM: Slot = Slot(5);
/// A tmpfs with the files that every container gets, and an empty directory to mask others with.
pub(super) const FILES: Slot = Slot(6);
/// Our side of the terminal.
pub const MASTER: Slot = Slot(7);
pub(super) const TERMINAL: Slot = Slot(8);
/// The procfs that was made for the container.
pub const PROC: Slot = Slot(9);
pub(super) const SYS: Slot = Slot(10);
pub(super) const MQUEUE: Slot = Slot(11);
pub(super) const COPY: Slot = Slot(12);
pub(super) const TARGET: Slot = Slot(13);
/// The supervisor's end of the pair that says whether the other side still lives, and what failed.
pub const SUPERVISOR: Slot = Slot(14);
/// The child's end.
pub const INIT: Slot = Slot(15);
/// The child's pidfd.
pub const CHILD: Slot = Slot(16);
pub(super) const MASK: Slot = Slot(17);
pub(super) const READONLY: Slot = Slot(18);
pub(super) const NULL: Slot = Slot(19);
pub(super) const WORKDIR: Slot = Slot(26);
/// The supervisor's own pidfd, by which the child sees whether it lives.
pub const OURSELVES: Slot = Slot(27);
/// The pipes of standard streams that are not passed as they are: our end and the container's.
pub const PIPES: [(Slot, Slot); 3] = [(Slot(20), Slot(21)), (Slot(22), Slot(23)), (Slot(24), Slot(25))];
/// The user namespace that the child was cloned into.
pub(super) const USER: Slot = Slot(28);
/// An empty file that /proc/self/exe leads to instead of to mydocker's.
pub const PROGRAM: Slot = Slot(29);
/// The container's cgroup, as a mount.
pub(super) const VIEW: Slot = Slot(30);
pub(super) const CGROUPS: u16 = 31;
/// At most memory, cpu, cpuset, pids and devices, each in a hierarchy of its own.
pub(super) const MAX_CGROUPS: u16 = 5;
pub(super) const ATTACH: u16 = CGROUPS + MAX_CGROUPS;
pub(super) const SOURCES: u16 = ATTACH + MAX_CGROUPS;

/// For a clone3 without a cgroup.
pub const NOWHERE: Slot = CWD;

/// What is the supervisor's of all that was opened for a start.
pub const OURS: &[Slot] = {
    let [(stdin_w, _), (stdout_r, _), (stderr_r, _)] = PIPES;
    &[CONTAINER, SUPERVISOR, CHILD, MASTER, stdin_w, stdout_r, stderr_r]
};

/// The slot of a mount's source.
pub(super) fn source(index: usize) -> Slot {
    Slot(SOURCES.wrapping_add(index as u16))
}

/// The slot of a cgroup, and that of the file through which it is joined.
pub(super) fn cgroup_slots(index: usize) -> (Slot, Slot) {
    (Slot(CGROUPS.wrapping_add(index as u16)), Slot(ATTACH.wrapping_add(index as u16)))
}

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
