//! Putting a plan together: what each chapter of the story adds its steps to.

use super::facts::Host;
use super::slots::{COPY, ROOT, source};
use super::step::{FS, Step, Want};
use super::{Entry, Ids, Undo};
use crate::cgroup;
use crate::spec::{Spec, Text};
use crate::sys::Errno;
use crate::sys::call::{MountAttr, NODEV, NOEXEC, NOSUID, RDONLY, Slot};
use crate::sys::name::t;
use crate::text::{Message, keep, split_once};

/// The attributes of /proc, /sys, /dev/pts and the like.
pub const STRICT: u64 = NOSUID | NODEV | NOEXEC;
/// And read-only.
pub const STRICT_RO: u64 = STRICT | RDONLY;

pub(super) struct Builder<'a> {
    pub(super) spec: &'a Spec,
    pub(super) host: &'a Host,
    /// The container's directory relative to the store.
    pub(super) dir: Text,
    /// What the container's processes may have at most.
    pub(super) capabilities: u64,
    /// No cgroup says which devices may be used: then no mount has any.
    pub(super) nodev: bool,
    /// Mounts of the container's cgroups, for /sys/fs/cgroup: the name there (or, before they are mounts, the path).
    pub(super) view: Vec<(Text, Slot)>,
    /// What the next steps are for; see `Entry::why`.
    pub(super) why: Message,
    /// What they are for, as the user knows it; see `Entry::about`.
    pub(super) about: Text,
    pub(super) steps: Vec<Entry>,
}

impl Builder<'_> {
    /// What the following steps do.
    pub(super) fn doing(&mut self, why: Message) {
        self.doing_for(why, t(c""));
    }

    /// The same, for something that the user knows by this name.
    #[inline(never)]
    pub(super) fn doing_for(&mut self, why: Message, about: Text) {
        (self.why, self.about) = (why, about);
    }

    pub(super) fn add(&mut self, step: Step) -> &mut Entry {
        self.steps.push_mut(Entry { step, why: self.why, about: self.about, fine: None, undo: Undo::Nothing })
    }

    // The steps that are added at many places: a call with its arguments in registers is a third of a `Step` that is
    // put together in memory at each.

    pub(super) fn mkdir(&mut self, dir: Slot, path: Text, mode: u32) -> &mut Entry {
        self.add(Step::Mkdir(dir, path, mode))
    }

    /// Make a directory that may be there already.
    pub(super) fn mkdir_if_missing(&mut self, dir: Slot, path: Text) -> &mut Entry {
        let entry = self.mkdir(dir, path, 0o755);
        entry.fine = Some(Errno::EEXIST);
        entry
    }

    /// What every root has to have to be mounted on. An imported image has it; of a directory nobody knows.
    pub(super) fn mount_point(&mut self, path: Text) {
        if self.spec.lower.layers.first().is_some_and(|layer| layer.to_bytes().starts_with(b"/")) {
            self.mkdir_if_missing(ROOT, path);
        }
    }

    pub(super) fn open(&mut self, dir: Slot, path: Text, flags: i32, into: Slot) {
        self.add(Step::Open(dir, path, flags, into));
    }

    pub(super) fn open_tree(&mut self, dir: Slot, path: Text, recursive: bool, into: Slot) {
        self.add(Step::OpenTree(dir, path, recursive, into));
    }

    /// A container that writes where a source lies could have put a symlink in its place since it was looked at.
    pub(super) fn same(&mut self, index: usize) {
        if let Some(&file @ 1..) = self.host.found.get(index) {
            self.add(Step::Same(source(index), file));
        }
    }

    pub(super) fn move_mount(&mut self, mount: Slot, dir: Slot, path: Text) {
        self.add(Step::MoveMount(mount, dir, path));
    }

    /// One file or directory of a mount, bound somewhere else.
    pub(super) fn copy_mount(&mut self, from: Slot, name: Text, dir: Slot, path: Text) {
        self.open_tree(from, name, false, COPY);
        self.move_mount(COPY, dir, path);
    }

    pub(super) fn mount_at(&mut self, source: Slot, target: Slot, fs: Text, flags: u64, data: Text) {
        self.add(Step::MountAt(source, target, fs, flags, data));
    }

    pub(super) fn target(&mut self, path: Text, want: Want, into: Slot) {
        self.add(Step::Target(path, want, into));
    }

    pub(super) fn write(&mut self, dir: Slot, name: Text, value: Text) {
        self.add(Step::Set(dir, name, value));
    }

    pub(super) fn dup(&mut self, fd: Slot, number: i32) {
        self.add(Step::Dup(fd, number));
    }

    pub(super) fn option(&mut self, key: Text, value: Text) -> &mut Entry {
        self.add(if value.is_empty() { Step::Flag(key) } else { Step::Option(key, value) })
    }

    /// A new file system as a detached mount: its type, what stands for a source, options as mount(8) takes them,
    /// attributes.
    pub(super) fn file_system(&mut self, fs: Text, source: Text, options: &[u8], attributes: u64, into: Slot) {
        self.add(Step::Fsopen(fs, FS));
        self.option(t(c"source"), source);
        for option in options.split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
            let (key, value) = split_once(option, b'=').unwrap_or((option, b""));
            self.option(keep(key), keep(value));
        }
        self.create(attributes, into);
    }

    /// The file system with the options that were set, mounted.
    pub(super) fn create(&mut self, attributes: u64, into: Slot) {
        self.add(Step::Create);
        self.add(Step::Fsmount(attributes, into));
    }

    /// Whether nothing of /proc and /sys is hidden or made read-only.
    pub(super) const fn is_unmasked(&self) -> bool {
        self.spec.security.unmasked || self.spec.security.privileged
    }

    /// The attributes of /sys.
    pub(super) const fn sys_attributes(&self) -> u64 {
        if self.spec.security.privileged { STRICT } else { STRICT_RO }
    }

    /// An attribute of every mount that holds what others have written.
    pub(super) const fn no_devices(&self) -> u64 {
        if self.nodev { NODEV } else { 0 }
    }

    pub(super) fn set(&mut self, mount: Slot, recursive: bool, set: u64, propagation: u64) {
        if set != 0 || propagation != 0 {
            let attr = MountAttr { set, clear: 0, propagation, userns: 0 };
            self.add(Step::SetAttr(mount, recursive, attr));
        }
    }

    /// Whether child and parent work beside each other. On older kernels one after the other, but a child in a user
    /// namespace needs what is done beside it.
    pub(super) fn is_parallel(&self) -> bool {
        self.host.has.detached && self.host.has.pidfd && (self.host.has.clone3 || self.is_remapped())
    }

    /// Whether the container has a user namespace of its own, which mydocker itself, as root of the host, is not in.
    pub(super) fn is_remapped(&self) -> bool {
        self.remapped().is_some()
    }

    /// The ids of that namespace.
    pub(super) fn remapped(&self) -> Option<Ids> {
        self.host.user.filter(|ids| ids.remapped)
    }

    /// Whether root is the only user that there can be.
    pub(super) fn has_one_id(&self) -> bool {
        self.host.user.is_some_and(|ids| ids.is_one())
    }

    /// Whether the child is born in its cgroup of this hierarchy. Not for a cpuset: before Linux 6.4 (42a11bf5c543) a process
    /// that is born in one keeps its parent's CPUs and memory nodes.
    pub(super) fn is_born_in(&self, member: &cgroup::Member) -> bool {
        let limits = &self.spec.limits;
        let cpuset = limits.cpuset_cpus.or(limits.cpuset_mems);
        member.unified && self.host.has.clone3 && self.host.has.into_cgroup && cpuset.is_none()
    }
}
