//! The steps that a container is made of, each lowered to the one system call that it is.

use crate::spec::Text;
use crate::sys::call::{Arg, CWD, Call, Filter, MountAttr, Slot};

/// One step. A `Slot` holds a descriptor that an earlier step has put there.
#[derive(Clone, Copy)]
pub enum Step {
    /// Change the working directory.
    Chdir(Text),
    /// Change the working directory to a descriptor.
    Fchdir(Slot),
    /// Change the root directory.
    Chroot(Text),
    /// Make a directory.
    Mkdir(Slot, Text, u32),
    /// Make a device or an empty file: mode with type, device number.
    Mknod(Slot, Text, u32, u32),
    /// Make a symlink: target, where.
    Symlink(Text, Slot, Text),
    /// Give a file to a user and group.
    Chown(Slot, Text, u32, u32),
    /// Open: directory, path, flags, into.
    Open(Slot, Text, i32, Slot),
    /// Take the lock that says that the container lives.
    Lock(Slot),
    /// Write to an open file.
    Write(Slot, Text),
    /// Begin a new file system: type, into.
    Fsopen(Text, Slot),
    /// Set an option of a new file system: key, value.
    Option(Text, Text),
    /// Set an option that has no value.
    Flag(Text),
    /// Make the file system.
    Create,
    /// Make a detached mount of it: MOUNT_ATTR_*, into.
    Fsmount(u64, Slot),
    /// Make a detached copy of a mount: directory, path, with its submounts, into.
    OpenTree(Slot, Text, bool, Slot),
    /// Change a mount: recursively, attributes and propagation.
    SetAttr(Slot, bool, MountAttr),
    /// Attach a detached mount: at directory, path.
    MoveMount(Slot, Slot, Text),
    /// mount(2) with a path as source: source, target, type, flags, data.
    Mount(Text, Text, Text, u64, Text),
    /// mount(2) at a descriptor: source slot or CWD for none, target slot, type, flags, data.
    MountAt(Slot, Slot, Text, u64, Text),
    /// Add to the flags of a bind mount (read-only, nodev), and keep what it has of nosuid, nodev, noexec.
    Remount(Slot, u64),
    /// Unmount lazily.
    Umount(Text),
    /// Make the working directory the root, and put the old root over it.
    PivotRoot,
    /// Enter a namespace: its descriptor, its kind.
    Setns(Slot, u64),
    /// Leave a namespace.
    Unshare(u64),
    /// Set the host name.
    Hostname(Text),
    /// Have a session keyring of one's own.
    Keyring,
    /// Begin a session of one's own.
    Setsid,
    /// Make a terminal the session's.
    ControllingTerminal(Slot),
    /// Open the other side of a terminal: master, into.
    OpenPeer(Slot, Slot),
    /// Put a descriptor at 0, 1 or 2.
    Dup(Slot, i32),
    /// Set the supplementary groups.
    Groups(&'static [u32]),
    /// Set the group ids.
    Gid(u32),
    /// Set the user ids.
    Uid(u32),
    /// Whether others of the same user may trace the process and read its memory, or only who has CAP_SYS_PTRACE.
    Dumpable(bool),
    /// Drop a capability from the bounding set.
    DropBound(u32),
    /// Gain nothing at execve.
    NoNewPrivs,
    /// Install a seccomp filter.
    Seccomp(&'static Filter),
    /// Set the effective, permitted and inheritable capabilities.
    Capset(&'static [u32]),
    /// Set a resource limit.
    Rlimit(u32, u64, u64),
    /// Set the file mode creation mask.
    Umask(u32),
    /// Be killed when the supervisor is.
    DieWithParent,

    /// Make a file with this content: directory, name, content.
    File(Slot, Text, Text),
    /// Write one value into a file that exists, as cgroups want it: directory, name, value. In the container's /proc it
    /// must be one.
    Set(Slot, Text, Text),
    /// Let a cgroup use these devices only: its directory, the rules.
    FilterDevices(Slot, Text),
    /// Find a path inside the root, or make it; into.
    Target(Text, Want, Slot),
    /// Copy a directory of the image into an empty volume: the root (or CWD: of the layers the first that has it), layers,
    /// volume, path in the image.
    Fill(Slot, &'static [Text], Text, Text),
    /// Allow the terminal's other side to be opened, and give it the size of the user's.
    Unlock(Slot),
    /// Send the terminal to the supervisor: socket, terminal.
    SendTerminal(Slot, Slot),
    /// Become root of a new user namespace by two set-user-ID programs: the arguments of each.
    Enter(&'static [Text], &'static [Text]),
    /// Say that the container runs: how many words its command has, what the image is.
    Running(usize, Text),
    /// Give the child's user namespace its ids: uid_map, gid_map; its descriptor into.
    MapIds(Text, Text, Slot),
    /// Show a detached mount's files with the ids of a user namespace: mount, namespace.
    Idmap(Slot, Slot),
    /// Bring 127.0.0.1 up.
    Loopback,
    /// A connected pair of sockets: one side each for the supervisor and the child.
    Pair(Slot, Slot),
    /// A pipe: the end to read, the end to write.
    Pipe(Slot, Slot),
    /// Create the child with these namespaces, for kernels without clone3.
    Clone(u64),
    /// Create the child: namespaces, and the cgroup that it is born in, if it is born in one.
    Clone3(u64, Slot),
    /// Refuse a file that is not this one, see `fs::identity`.
    Same(Slot, u64),
    /// Refuse a working directory that is not inside the root.
    CheckCwd,
    /// End if the supervisor has.
    CheckParent,
    /// Mark every descriptor above 2 as closed at execve.
    CloseRange,
    /// Turn the mappings of mydocker's own file into anonymous copies.
    CopyProgram,
    /// Be a process whose program is another file.
    SetProgram(Slot),
    /// A descriptor of this process; into.
    OpenSelf(Slot),
    /// Tell the child which descriptor is in which slot.
    HandOver(Slot),
    /// Wait for that, end if the supervisor does meanwhile, and go on with a table of descriptors of one's own.
    TakeOver(Slot, Slot),
    /// No longer ignore a signal.
    DefaultAction(i32),
    /// Become a PID 1 that reaps, with the command as its child.
    Init,
    /// Have nothing of the caller's environment in memory.
    Forget,
    /// An empty file in memory.
    Memory(Slot),
    /// Open a device inside the root that must be this one: path, number, into.
    Device(Text, u64, Slot),
    /// Close every descriptor above 2 but these two.
    CloseOthers(Slot, Slot),
    /// Go on in a child of the supervisor's, which is born in the pid namespace.
    Fork,
    /// Execute the command.
    Exec,
}

/// What is looked for as a target, and made where it is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// A directory to mount on.
    Directory,
    /// A file to mount on.
    File,
    /// A directory to work in, which may be in /proc too.
    Anything,
    /// The same, but it must be there.
    Present,
}

/// The slot that a file system under construction is in.
pub const FS: Slot = Slot(1);

impl Step {
    /// The one system call that the step is; None for the few that are a short story of their own.
    pub fn call(&self) -> Option<Call<'_>> {
        Some(match *self {
            Step::Chdir(path) => Call::chdir(path),
            Step::Fchdir(dir) => Call::fchdir(dir),
            Step::Chroot(path) => Call::chroot(path),
            Step::Mkdir(dir, path, mode) => Call::mkdirat(dir, path, mode),
            Step::Mknod(dir, path, mode, dev) => Call::mknodat(dir, path, mode, dev),
            Step::Symlink(target, dir, path) => Call::symlinkat(target, dir, path),
            Step::Chown(dir, path, uid, gid) => Call::fchownat(dir, path, uid, gid),
            Step::Open(dir, path, flags, _) => Call::openat(dir, path, flags, 0),
            Step::Lock(fd) => Call::flock(fd),
            Step::Write(fd, data) => Call::write(fd, data),
            Step::Fsopen(name, _) => Call::fsopen(name),
            Step::Option(key, value) => Call::fsconfig_string(FS, key, value),
            Step::Flag(key) => Call::fsconfig_flag(FS, key),
            Step::Create => Call::fsconfig_create(FS),
            Step::Fsmount(attributes, _) => Call::fsmount(FS, attributes as u32),
            Step::OpenTree(dir, path, recursive, _) => Call::open_tree(dir, path, recursive),
            Step::SetAttr(mount, recursive, ref attr) => Call::mount_setattr(mount, recursive, attr),
            Step::MoveMount(mount, dir, path) => Call::move_mount(mount, dir, path),
            Step::Mount(source, target, fs, flags, data) => {
                Call::mount(Arg::Str(source), Arg::Str(target), fs, flags as u32, data)
            }
            Step::MountAt(source, target, fs, flags, data) => {
                let source = if source == CWD { Arg::Null } else { Arg::FdPath(source) };
                Call::mount(source, Arg::FdPath(target), fs, flags as u32, data)
            }
            Step::Umount(path) => Call::umount2(path),
            Step::PivotRoot => Call::pivot_root(),
            Step::Setns(fd, kind) => Call::setns(fd, kind as u32),
            Step::Unshare(flags) => Call::unshare(flags as u32),
            Step::Hostname(name) => Call::sethostname(name),
            Step::Keyring => Call::join_session_keyring(),
            Step::Setsid => Call::setsid(),
            Step::ControllingTerminal(fd) => Call::set_controlling_terminal(fd),
            Step::OpenPeer(master, _) => Call::open_peer(master),
            Step::Dup(fd, number) => Call::dup3(fd, number),
            Step::Groups(ref groups) => Call::setgroups(groups),
            Step::Gid(gid) => Call::setresgid(gid),
            Step::Uid(uid) => Call::setresuid(uid),
            Step::Dumpable(on) => Call::dumpable(on),
            Step::DropBound(capability) => Call::drop_bound(capability),
            Step::NoNewPrivs => Call::no_new_privs(),
            Step::Seccomp(filter) => Call::seccomp(filter),
            Step::Capset(ref sets) => Call::capset(sets),
            Step::Umask(mask) => Call::umask(mask),
            Step::DieWithParent => Call::die_with_parent(),
            Step::CloseRange => Call::close_range(),
            _ => return None,
        })
    }

    /// Where the descriptor that the call returns goes.
    #[inline(never)]
    pub fn fills(&self) -> Option<Slot> {
        match self {
            Step::Open(.., into)
            | Step::Fsopen(_, into)
            | Step::Fsmount(_, into)
            | Step::OpenTree(.., into)
            | Step::OpenPeer(_, into) => Some(*into),
            _ => None,
        }
    }
}
