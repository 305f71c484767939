//! The root's mounts by mount(2) alone, for kernels before Linux 5.12.
//!
//! All in the child. A mount is made on a descriptor (/proc/self/fd/N), and what has to be changed afterwards is
//! opened again in the root: nothing of the container runs yet, but a volume may be shared with another container,
//! so a target is always resolved by `Step::Target`, never by a path.

use super::mounts::{self, below};
use super::{
    Builder, CONTAINER, COPY, DEV, FILES, INIT, MASTER, NULL, PROC, PTS, ROOT, STRICT, STRICT_RO, SYS, Step, TARGET,
    Want, source,
};
use crate::spec::{Mount, Source, Text};
use crate::sys::call::{CWD, NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::sys::name::t;
use crate::text::{Line, Push, filled, keep};

/// MOUNT_ATTR_* as MS_*: the four that we use are the same bits.
const SAME: () = assert!(
    libc::MS_RDONLY == RDONLY && libc::MS_NOSUID == NOSUID && libc::MS_NODEV == NODEV && libc::MS_NOEXEC == NOEXEC
);

/// The files for /etc, in the container's directory, which ends with it.
pub fn outside(plan: &mut Builder) {
    let () = SAME;
    plan.doing(text!("make the files in /etc"));
    mounts::etc(plan, CONTAINER);
}

/// Private, unless a volume shall see what is mounted below it on the host: then all are slaves, and what need not be is
/// made private afterwards.
pub fn root_propagation(plan: &Builder) -> u64 {
    let slave = plan.spec.mounts.iter().any(|mount| mount.propagation == libc::MS_SLAVE);
    if slave && !plan.host.has.detached { libc::MS_SLAVE } else { libc::MS_PRIVATE }
}

/// Inside: everything.
pub fn inside(plan: &mut Builder) {
    overlay(plan);
    plan.doing(text!("mount /proc"));
    file_system(plan, ROOT, t(c"proc"), t(c"proc"), STRICT, t(c""), PROC);
    plan.doing(text!("mount /sys"));
    file_system(plan, ROOT, t(c"sys"), t(c"sysfs"), plan.sys_attributes(), t(c""), SYS);
    for (_, view) in core::mem::take(&mut plan.view) {
        plan.doing(text!("mount /sys/fs/cgroup"));
        let at = t(c"fs/cgroup");
        open(plan, SYS, at, TARGET);
        plan.mount_at(view, TARGET, t(c""), libc::MS_BIND, t(c""));
        open(plan, SYS, at, TARGET);
        plan.mount_at(CWD, TARGET, t(c""), REMOUNT | plan.sys_attributes(), t(c""));
    }
    plan.doing(text!("mount /dev"));
    file_system(plan, ROOT, t(c"dev"), t(c"tmpfs"), NOSUID, mounts::DEV_OPTIONS, DEV);
    mounts::nodes(plan);
    file_system(plan, DEV, t(c"pts"), t(c"devpts"), NOSUID | NOEXEC, mounts::PTS_OPTIONS, PTS);
    if plan.spec.share.ipc {
        bind(plan, t(c"/dev/shm"), DEV, t(c"shm"));
    } else {
        let options = keep(&mounts::shm_options(plan));
        file_system(plan, DEV, t(c"shm"), t(c"tmpfs"), STRICT, options, COPY);
    }
    if plan.host.mqueue {
        file_system(plan, DEV, t(c"mqueue"), t(c"mqueue"), STRICT, t(c""), COPY);
    }
    if plan.spec.process.tty {
        super::command::terminal(plan);
        plan.add(Step::SendTerminal(INIT, MASTER));
        open(plan, PTS, t(c"0"), COPY);
        open(plan, DEV, t(c"console"), TARGET);
        plan.mount_at(COPY, TARGET, t(c""), libc::MS_BIND, t(c""));
    }
    mounts::devices(plan);
    // Here it masks others too (CVE-2025-31133).
    super::command::null(plan);
    mounts::in_order(plan, file, volume);
    super::procfs::write(plan);
    masks(plan);
}

const REMOUNT: u64 = libc::MS_REMOUNT | libc::MS_BIND;
const BIND: u64 = libc::MS_BIND | libc::MS_REC;

/// The slots of the three files for /etc.
const ETC: [Slot; 3] = [FILES, super::MASK, super::READONLY];

fn open(plan: &mut Builder, dir: Slot, path: Text, into: Slot) {
    plan.open(dir, path, libc::O_PATH | libc::O_NOFOLLOW, into);
}

/// Opened before the overlay covers the container's directory: in this mount namespace, since mount(2) takes no
/// descriptor of another one's.
pub fn sources(plan: &mut Builder) {
    plan.doing(text!("open the files for /etc"));
    for (&(name, _), &into) in mounts::ETC.iter().zip(&ETC) {
        open(plan, CWD, filled("%/%", &[plan.dir, name]), into);
    }
    for (path, into) in plan.view.clone() {
        plan.doing_for(text!("show the container its cgroup"), path);
        open(plan, CWD, path, into);
    }
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        if let Some(path) = mounts::path(plan, index, mount) {
            plan.doing_for(text!("open the volume's source"), mount.typed);
            plan.open(CWD, path, libc::O_PATH, source(index));
            plan.same(index);
        }
    }
}

fn overlay(plan: &mut Builder) {
    if plan.spec.lower.layers.len() > 40 {
        // Their names do not fit a page.
        plan.add(Step::Chdir(plan.dir));
        mounts::at_once(plan);
        plan.add(Step::Fchdir(ROOT));
        return;
    }
    plan.doing_for(text!("mount the overlay"), plan.spec.lower.named);
    let dir = plan.dir.to_bytes();
    let mut data = Line::new();
    data.put(b"lowerdir=");
    for &byte in mounts::lower_directories(plan).iter() {
        // mount(2)'s options are separated by commas.
        data.put(if byte == b',' { b"\\" } else { b"" }).push(byte);
    }
    data.put(b",upperdir=").put(dir).put(b"/upper,workdir=").put(dir).put(b"/work");
    plan.add(Step::Mount(t(c"overlay"), plan.dir, t(c"overlay"), plan.no_devices(), keep(&data)));
    plan.add(Step::Chdir(plan.dir));
    open(plan, CWD, t(c"."), ROOT);
}

/// Mounts a new file system on a directory that is no symlink (CVE-2019-19921), and opens it.
fn file_system(plan: &mut Builder, dir: Slot, at: Text, fs: Text, flags: u64, data: Text, into: Slot) {
    if dir == ROOT {
        plan.mount_point(at);
    }
    open(plan, dir, at, TARGET);
    plan.mount_at(CWD, TARGET, fs, flags, data);
    open(plan, dir, at, into);
}

fn bind(plan: &mut Builder, from: Text, dir: Slot, at: Text) {
    open(plan, CWD, from, COPY);
    open(plan, dir, at, TARGET);
    plan.mount_at(COPY, TARGET, t(c""), BIND, t(c""));
}

fn file(plan: &mut Builder, index: usize, path: Text) {
    let from = ETC.get(index).copied().unwrap_or(COPY);
    let target = Step::Target(path, Want::File, TARGET);
    plan.add(target);
    plan.mount_at(from, TARGET, t(c""), libc::MS_BIND, t(c""));
    if plan.spec.read_only {
        plan.add(target);
        plan.add(Step::Remount(TARGET, RDONLY));
    }
}

/// mount(2) ignores MS_RDONLY and the propagation together with MS_BIND: each is a call of its own, on the target
/// opened again. Read-only is not recursive then, as docker's on such kernels.
fn volume(plan: &mut Builder, index: usize, mount: &Mount) {
    plan.doing_for(text!("mount the volume"), mount.typed);
    let target = Step::Target(mount.target, plan.host.wants(index), TARGET);
    plan.add(target);
    if let Source::Tmpfs(options) = mount.source {
        let read_only = if mount.read_only { libc::MS_RDONLY } else { 0 };
        let options = keep(&mounts::tmpfs_options(plan, index, options));
        // They may end with a comma, which mount(2) does not mind.
        plan.mount_at(CWD, TARGET, t(c"tmpfs"), mount.attributes | read_only, options);
        return;
    }
    plan.mount_at(source(index), TARGET, t(c""), BIND, t(c""));
    plan.add(target);
    let recursive = if mount.recursive { libc::MS_REC } else { 0 };
    plan.mount_at(CWD, TARGET, t(c""), recursive | mount.propagation, t(c""));
    let add = plan.no_devices() | if mount.read_only { RDONLY } else { 0 };
    if add != 0 {
        plan.add(Step::Remount(TARGET, add));
    }
}

fn masks(plan: &mut Builder) {
    if plan.is_unmasked() {
        return;
    }
    plan.doing(text!("make a path read-only"));
    for path in plan.host.read_only() {
        plan.about = path;
        open(plan, PROC, path, TARGET);
        plan.mount_at(TARGET, TARGET, t(c""), BIND, t(c""));
        open(plan, PROC, path, TARGET);
        plan.mount_at(CWD, TARGET, t(c""), REMOUNT | STRICT_RO, t(c""));
    }
    plan.doing(text!("mask a path"));
    plan.host.for_each_mask(&mut |path, directory| {
        let (dir, name) = below(path);
        plan.about = path;
        open(plan, dir, name, TARGET);
        plan.add(if directory {
            Step::MountAt(CWD, TARGET, t(c"tmpfs"), STRICT_RO, t(c"size=4k"))
        } else {
            Step::MountAt(NULL, TARGET, t(c""), libc::MS_BIND, t(c""))
        });
    });
}
