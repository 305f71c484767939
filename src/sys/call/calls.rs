//! The calls that there are: one constructor a system call, named after it. The doc of each is the C call.

use super::explain::{CLONE, MOUNT_ATTR, MOVE_MOUNT, MS, O, OPEN_TREE};
use super::{Arg, Call, Filter, MountAttr, Slot, length};
use crate::sys::fs::OpenHow;
use crate::sys::name::{Name, t};
use syscalls::Sysno;

impl<'a> Call<'a> {
    /// `chdir(path)`.
    pub fn chdir(path: Name<'a>) -> Self {
        Self::new(Sysno::chdir, text!("chdir"), &[Arg::Str(path)])
    }
    /// `fchdir(fd)`.
    pub fn fchdir(dir: Slot) -> Self {
        Self::new(Sysno::fchdir, text!("fchdir"), &[Arg::Fd(dir)])
    }
    /// `chroot(path)`.
    pub fn chroot(path: Name<'a>) -> Self {
        Self::new(Sysno::chroot, text!("chroot"), &[Arg::Str(path)])
    }
    /// `mkdirat(dir, path, mode)`.
    pub fn mkdirat(dir: Slot, path: Name<'a>, mode: u32) -> Self {
        Self::new(Sysno::mkdirat, text!("mkdirat"), &[Arg::Fd(dir), Arg::Str(path), Arg::Mode(mode)])
    }
    /// `mknodat(dir, path, mode, dev)`, dev in the kernel's form.
    pub fn mknodat(dir: Slot, path: Name<'a>, mode: u32, dev: u32) -> Self {
        let args = [Arg::Fd(dir), Arg::Str(path), Arg::Mode(mode), Arg::Int(i64::from(dev))];
        Self::new(Sysno::mknodat, text!("mknodat"), &args)
    }
    /// `symlinkat(target, dir, path)`.
    pub fn symlinkat(target: Name<'a>, dir: Slot, path: Name<'a>) -> Self {
        Self::new(Sysno::symlinkat, text!("symlinkat"), &[Arg::Str(target), Arg::Fd(dir), Arg::Str(path)])
    }
    /// `unlinkat(dir, path, flags)`: 0 or AT_REMOVEDIR.
    pub fn unlinkat(dir: Slot, path: Name<'a>, directory: bool) -> Self {
        let flags = if directory { Arg::Name(libc::AT_REMOVEDIR as u32, text!("AT_REMOVEDIR")) } else { Arg::Int(0) };
        Self::new(Sysno::unlinkat, text!("unlinkat"), &[Arg::Fd(dir), Arg::Str(path), flags])
    }
    /// `fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW or AT_EMPTY_PATH)`.
    pub fn fchownat(dir: Slot, path: Name<'a>, uid: u32, gid: u32) -> Self {
        let flags = if path.is_empty() {
            Arg::Name(libc::AT_EMPTY_PATH as u32, text!("AT_EMPTY_PATH"))
        } else {
            Arg::Name(libc::AT_SYMLINK_NOFOLLOW as u32, text!("AT_SYMLINK_NOFOLLOW"))
        };
        let args = [Arg::Fd(dir), Arg::Str(path), Arg::Int(i64::from(uid)), Arg::Int(i64::from(gid)), flags];
        Self::new(Sysno::fchownat, text!("fchownat"), &args)
    }
    /// `openat(dir, path, flags | O_CLOEXEC, mode)`.
    pub fn openat(dir: Slot, path: Name<'a>, flags: i32, mode: u32) -> Self {
        let flags = Arg::Flags((flags | libc::O_CLOEXEC) as u32, &O);
        Self::new(Sysno::openat, text!("openat"), &[Arg::Fd(dir), Arg::Str(path), flags, Arg::Mode(mode)])
    }
    /// `openat2(dir, path, how, sizeof how)`: only for printing; `resolve::open_in_root` makes it.
    pub fn openat2(dir: Slot, path: Name<'a>, how: &'a OpenHow) -> Self {
        let args = [Arg::Fd(dir), Arg::Str(path), Arg::How(how), Arg::Int(size_of::<OpenHow>() as i64)];
        Self::new(Sysno::openat2, text!("openat2"), &args)
    }
    /// `write(fd, text, length)`.
    pub fn write(fd: Slot, text: Name<'a>) -> Self {
        Self::new(Sysno::write, text!("write"), &[Arg::Fd(fd), Arg::Str(text), length(text)])
    }
    /// `flock(fd, LOCK_EX | LOCK_NB)`.
    pub fn flock(fd: Slot) -> Self {
        let how = Arg::Name((libc::LOCK_EX | libc::LOCK_NB) as u32, text!("LOCK_EX|LOCK_NB"));
        Self::new(Sysno::flock, text!("flock"), &[Arg::Fd(fd), how])
    }
    /// `fsopen(name, FSOPEN_CLOEXEC)`.
    pub fn fsopen(name: Name<'a>) -> Self {
        Self::new(Sysno::fsopen, text!("fsopen"), &[Arg::Str(name), Arg::Name(1, text!("FSOPEN_CLOEXEC"))])
    }
    /// `fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0)`.
    pub fn fsconfig_string(fs: Slot, key: Name<'a>, value: Name<'a>) -> Self {
        Self::fsconfig(fs, Arg::Name(1, text!("FSCONFIG_SET_STRING")), Arg::Str(key), Arg::Str(value))
    }
    /// `fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0)`.
    pub fn fsconfig_flag(fs: Slot, key: Name<'a>) -> Self {
        Self::fsconfig(fs, Arg::Name(0, text!("FSCONFIG_SET_FLAG")), Arg::Str(key), Arg::Null)
    }
    /// `fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)`.
    pub fn fsconfig_create(fs: Slot) -> Self {
        Self::fsconfig(fs, Arg::Name(6, text!("FSCONFIG_CMD_CREATE")), Arg::Null, Arg::Null)
    }
    fn fsconfig(fs: Slot, command: Arg<'a>, key: Arg<'a>, value: Arg<'a>) -> Self {
        Self::new(Sysno::fsconfig, text!("fsconfig"), &[Arg::Fd(fs), command, key, value, Arg::Int(0)])
    }
    /// `fsmount(fs, FSMOUNT_CLOEXEC, attributes)`.
    pub fn fsmount(fs: Slot, attributes: u32) -> Self {
        let flags = Arg::Name(1, text!("FSMOUNT_CLOEXEC"));
        Self::new(Sysno::fsmount, text!("fsmount"), &[Arg::Fd(fs), flags, Arg::Flags(attributes, &MOUNT_ATTR)])
    }
    /// `open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | …)`: a detached copy of a mount.
    pub fn open_tree(dir: Slot, path: Name<'a>, recursive: bool) -> Self {
        let mut flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC;
        flags |= if path.is_empty() { libc::AT_EMPTY_PATH as u32 } else { 0 };
        flags |= if recursive { libc::AT_RECURSIVE as u32 } else { 0 };
        Self::new(Sysno::open_tree, text!("open_tree"), &[Arg::Fd(dir), Arg::Str(path), Arg::Flags(flags, &OPEN_TREE)])
    }
    /// `mount_setattr(mount, "", AT_EMPTY_PATH [| AT_RECURSIVE], attr, sizeof attr)`.
    pub fn mount_setattr(mount: Slot, recursive: bool, attr: &'a MountAttr) -> Self {
        let flags = libc::AT_EMPTY_PATH as u32 | if recursive { libc::AT_RECURSIVE as u32 } else { 0 };
        let size = Arg::Int(size_of::<MountAttr>() as i64);
        let args = [Arg::Fd(mount), Arg::Str(t(c"")), Arg::Flags(flags, &OPEN_TREE), Arg::Attr(attr), size];
        Self::new(Sysno::mount_setattr, text!("mount_setattr"), &args)
    }
    /// `move_mount(mount, "", dir, path, MOVE_MOUNT_F_EMPTY_PATH …)`: a symlink as last component is not followed.
    pub fn move_mount(mount: Slot, dir: Slot, path: Name<'a>) -> Self {
        let flags = 0x4 | if path.is_empty() { 0x40 } else { 0 };
        let args = [Arg::Fd(mount), Arg::Str(t(c"")), Arg::Fd(dir), Arg::Str(path), Arg::Flags(flags, &MOVE_MOUNT)];
        Self::new(Sysno::move_mount, text!("move_mount"), &args)
    }
    /// `mount(source, target, fs, flags, data)`; an empty `fs` or `data` is NULL.
    pub fn mount(source: Arg<'a>, target: Arg<'a>, fs: Name<'a>, flags: u32, data: Name<'a>) -> Self {
        let text = |text: Name<'a>| if text.is_empty() { Arg::Null } else { Arg::Str(text) };
        Self::new(Sysno::mount, text!("mount"), &[source, target, text(fs), Arg::Flags(flags, &MS), text(data)])
    }
    /// `umount2(path, MNT_DETACH)`.
    pub fn umount2(path: Name<'a>) -> Self {
        let flags = Arg::Name(libc::MNT_DETACH as u32, text!("MNT_DETACH"));
        Self::new(Sysno::umount2, text!("umount2"), &[Arg::Str(path), flags])
    }
    /// `pivot_root(".", ".")`.
    pub fn pivot_root() -> Self {
        Self::new(Sysno::pivot_root, text!("pivot_root"), &[Arg::Str(t(c".")), Arg::Str(t(c"."))])
    }
    /// `setns(fd, kind)`.
    pub fn setns(fd: Slot, kind: u32) -> Self {
        Self::new(Sysno::setns, text!("setns"), &[Arg::Fd(fd), Arg::Flags(kind, &CLONE)])
    }
    /// `unshare(flags)`.
    pub fn unshare(flags: u32) -> Self {
        Self::new(Sysno::unshare, text!("unshare"), &[Arg::Flags(flags, &CLONE)])
    }
    /// `sethostname(name, length)`.
    pub fn sethostname(name: Name<'a>) -> Self {
        Self::new(Sysno::sethostname, text!("sethostname"), &[Arg::Str(name), length(name)])
    }
    /// `keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)`.
    pub fn join_session_keyring() -> Self {
        Self::new(Sysno::keyctl, text!("keyctl"), &[Arg::Name(1, text!("KEYCTL_JOIN_SESSION_KEYRING")), Arg::Null])
    }
    /// `setsid()`.
    pub fn setsid() -> Self {
        Self::new(Sysno::setsid, text!("setsid"), &[])
    }
    /// `ioctl(fd, TIOCSCTTY, 0)`.
    pub fn set_controlling_terminal(fd: Slot) -> Self {
        Self::new(Sysno::ioctl, text!("ioctl"), &[Arg::Fd(fd), Arg::Name(0x540e, text!("TIOCSCTTY")), Arg::Int(0)])
    }
    /// `ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)`: the other end, by descriptor and not by a path.
    pub fn open_peer(master: Slot) -> Self {
        let flags = Arg::Flags((libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC) as u32, &O);
        Self::new(Sysno::ioctl, text!("ioctl"), &[Arg::Fd(master), Arg::Name(0x5441, text!("TIOCGPTPEER")), flags])
    }
    /// `dup3(fd, number, 0)`; onto itself it clears close-on-exec, as dup3 would not.
    pub fn dup3(fd: Slot, number: i32) -> Self {
        Self::new(Sysno::dup3, text!("dup3"), &[Arg::Fd(fd), Arg::Int(i64::from(number)), Arg::Int(0)])
    }
    /// `setgroups(count, groups)`.
    pub fn setgroups(groups: &'a &'static [u32]) -> Self {
        Self::new(Sysno::setgroups, text!("setgroups"), &[Arg::Int(groups.len() as i64), Arg::Groups(groups)])
    }
    /// `setresgid(gid, gid, gid)`.
    pub fn setresgid(gid: u32) -> Self {
        Self::new(Sysno::setresgid, text!("setresgid"), &[Arg::Int(i64::from(gid)); 3])
    }
    /// `setresuid(uid, uid, uid)`.
    pub fn setresuid(uid: u32) -> Self {
        Self::new(Sysno::setresuid, text!("setresuid"), &[Arg::Int(i64::from(uid)); 3])
    }
    /// `prctl(PR_CAPBSET_DROP, capability)`.
    pub fn drop_bound(capability: u32) -> Self {
        let args = [Arg::Name(24, text!("PR_CAPBSET_DROP")), Arg::Capability(capability)];
        Self::new(Sysno::prctl, text!("prctl"), &args)
    }
    /// `prctl(PR_SET_DUMPABLE, SUID_DUMP_USER or SUID_DUMP_DISABLE)`.
    pub fn dumpable(on: bool) -> Self {
        let value = if on { text!("SUID_DUMP_USER") } else { text!("SUID_DUMP_DISABLE") };
        let args = [Arg::Name(4, text!("PR_SET_DUMPABLE")), Arg::Name(u32::from(on), value)];
        Self::new(Sysno::prctl, text!("prctl"), &args)
    }
    /// `prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)`.
    pub fn no_new_privs() -> Self {
        let args = [Arg::Name(38, text!("PR_SET_NO_NEW_PRIVS")), Arg::Int(1), Arg::Int(0), Arg::Int(0), Arg::Int(0)];
        Self::new(Sysno::prctl, text!("prctl"), &args)
    }
    /// `seccomp(SECCOMP_SET_MODE_FILTER, 0, filter)`.
    pub fn seccomp(filter: &'static Filter) -> Self {
        let mode = Arg::Name(1, text!("SECCOMP_SET_MODE_FILTER"));
        Self::new(Sysno::seccomp, text!("seccomp"), &[mode, Arg::Int(0), Arg::Filter(filter)])
    }
    /// `capset({_LINUX_CAPABILITY_VERSION_3, 0}, sets)`: effective, permitted and inheritable, low halves first.
    pub fn capset(sets: &'a &'static [u32]) -> Self {
        static HEADER: &[u32] = &[0x2008_0522, 0];
        Self::new(Sysno::capset, text!("capset"), &[Arg::Sets(&HEADER), Arg::Sets(sets)])
    }
    /// `umask(mask)`.
    pub fn umask(mask: u32) -> Self {
        Self::new(Sysno::umask, text!("umask"), &[Arg::Mode(mask)])
    }
    /// `prctl(PR_SET_PDEATHSIG, SIGKILL)`.
    pub fn die_with_parent() -> Self {
        Self::new(
            Sysno::prctl,
            text!("prctl"),
            &[Arg::Name(1, text!("PR_SET_PDEATHSIG")), Arg::Name(9, text!("SIGKILL"))],
        )
    }
    /// `close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)`.
    pub fn close_range() -> Self {
        let flags = Arg::Name(4, text!("CLOSE_RANGE_CLOEXEC"));
        Self::new(Sysno::close_range, text!("close_range"), &[Arg::Int(3), Arg::Int(0xffff_ffff), flags])
    }
}
