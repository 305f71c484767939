//! A system call as a value: its name, its number and its arguments, which can be made or printed.
//!
//! A plan's steps are lowered to these, and both `perform` and `explain` work on the same value: what is explained
//! cannot drift from what is done. The arguments are typed so that a call can only point at memory that lives at
//! least as long as the value; none of the calls that can be built here writes to it.

use super::name::{Name, t};
use super::{Errno, OwnedFd, fs::OpenHow};
use crate::text::{Line, Message, Push, split};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

/// Where a descriptor is kept while a plan is performed: an index into `Slots`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(pub u16);

/// The working directory in a place where a slot is asked for.
pub const CWD: Slot = Slot(u16::MAX);

/// The descriptors of a plan by slot. Filling a slot closes what was there.
pub struct Slots(Vec<Option<OwnedFd>>);

impl Slots {
    /// `count` empty slots.
    pub fn new(count: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(count, || None);
        Self(slots)
    }

    /// The descriptor in a slot; one that no call accepts (EBADF) where it is empty.
    #[inline(never)]
    pub fn get(&self, slot: Slot) -> BorrowedFd<'_> {
        // SAFETY: not -1, and no table of descriptors is that large, so it borrows nothing.
        const NONE: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(i32::MAX) };
        if slot == CWD {
            return super::fs::CWD;
        }
        match self.0.get(usize::from(slot.0)) {
            Some(Some(fd)) => std::os::fd::AsFd::as_fd(fd),
            _ => NONE,
        }
    }

    /// Whether a slot holds nothing.
    pub fn is_empty(&self, slot: Slot) -> bool {
        !matches!(self.0.get(usize::from(slot.0)), Some(Some(_)))
    }

    /// Puts a descriptor into a slot; closes the one that was there.
    pub fn set(&mut self, slot: Slot, fd: Option<OwnedFd>) {
        if let Some(place) = self.0.get_mut(usize::from(slot.0)) {
            *place = fd;
        }
    }

    /// Closes all but those in these slots.
    pub fn close_but(&mut self, kept: &[Slot]) {
        for index in 0..self.0.len() as u16 {
            if !kept.contains(&Slot(index)) {
                self.set(Slot(index), None);
            }
        }
    }

    /// Takes a descriptor out of its slot.
    #[inline(never)]
    pub fn take(&mut self, slot: Slot) -> Option<OwnedFd> {
        self.0.get_mut(usize::from(slot.0)).and_then(Option::take)
    }

    /// The numbers of the descriptors by slot, -1 where there is none; as bytes, for `replace` in another process.
    pub fn numbers(&self) -> Vec<[u8; 4]> {
        self.0.iter().map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd).to_ne_bytes()).collect()
    }

    /// Takes over a copy of another process's table of descriptors: `numbers` says what is in which slot. What was
    /// here is forgotten, since it is in the table under the same number.
    pub fn replace(&mut self, numbers: &[[u8; 4]]) {
        for (place, &number) in self.0.iter_mut().zip(numbers) {
            let number = RawFd::from_ne_bytes(number);
            // SAFETY: the table was copied by unshare(CLONE_FILES), so the copy's descriptors are this process's alone.
            let new = (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number) });
            core::mem::forget(core::mem::replace(place, new));
        }
    }

    /// Puts what a call has returned into a slot.
    pub fn set_raw(&mut self, slot: Slot, raw: usize) {
        // SAFETY: callers pass the descriptor that a system call has just made, which nobody else owns.
        self.set(slot, Some(unsafe { OwnedFd::from_raw_fd(raw as RawFd) }));
    }
}

/// Flag bits with their names, for printing.
pub struct Names {
    /// Which bit each is.
    bits: &'static [u8],
    /// In the same order, a blank behind each.
    names: Message,
}

/// Names of libc's constants; build.rs knows this macro too.
macro_rules! names {
    ($($name:ident)*) => {
        Names {
            bits: &[$((libc::$name as u64).trailing_zeros() as u8),*],
            names: Message::of(concat!($(stringify!($name), " "),*)),
        }
    };
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MountAttr {
    /// MOUNT_ATTR_* to set.
    pub set: u64,
    /// MOUNT_ATTR_* to clear.
    pub clear: u64,
    /// MS_PRIVATE, MS_SLAVE, MS_SHARED, or 0 for no change.
    pub propagation: u64,
    /// For MOUNT_ATTR_IDMAP.
    pub userns: u64,
}

/// An instruction of a seccomp filter.
pub type Instruction = libc::sock_filter;

/// A seccomp filter, as seccomp(2) wants it.
pub struct Filter(libc::sock_fprog);

impl Filter {
    /// From its instructions, at most 4096 (BPF_MAXINSNS).
    pub fn new(code: Vec<Instruction>) -> &'static Self {
        let len = code.len() as u16;
        Box::leak(Box::new(Self(libc::sock_fprog { len, filter: code.leak().as_mut_ptr() })))
    }
}

#[cfg(test)]
impl Filter {
    /// For a test that interprets them.
    pub fn instructions(&self) -> &'static [Instruction] {
        // SAFETY: `new` has leaked a Vec of that length there.
        unsafe { core::slice::from_raw_parts(self.0.filter, usize::from(self.0.len)) }
    }
}

/// One argument of a call.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    /// NULL.
    Null,
    /// A number, signed as the kernel's parameter is.
    Int(i64),
    /// A file mode, printed in octal.
    Mode(u32),
    /// Bits with names.
    Flags(u32, &'static Names),
    /// One named value.
    Name(u32, Message),
    /// A descriptor by slot.
    Fd(Slot),
    /// A path or other string.
    Str(Name<'a>),
    /// The path /proc/self/fd/N of a slot's descriptor.
    FdPath(Slot),
    /// Numbers whose count is the argument before.
    Groups(&'a &'static [u32]),
    /// A capability.
    Capability(u32),
    /// Bit sets.
    Sets(&'a &'static [u32]),
    /// `struct sock_fprog`.
    Filter(&'static Filter),
    /// `struct mount_attr`.
    Attr(&'a MountAttr),
    /// `struct open_how`.
    How(&'a OpenHow),
}

/// A system call: see the module.
pub struct Call<'a> {
    number: Sysno,
    name: Message,
    args: [Arg<'a>; 6],
    used: usize,
}

/// "/proc/self/fd/" and a number.
pub fn fd_path(fd: BorrowedFd) -> [u8; 32] {
    let mut path = [0; 32];
    let mut rest = fd.as_raw_fd().unsigned_abs();
    let mut digits = [0_u8; 10];
    let mut count = 0_usize;
    for digit in digits.iter_mut() {
        *digit = b'0' | (rest % 10) as u8;
        rest /= 10;
        count = count.wrapping_add(1);
        if rest == 0 {
            break;
        }
    }
    let text = b"/proc/self/fd/".iter().chain(digits.iter().take(count).rev());
    path.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    path
}

impl<'a> Call<'a> {
    fn new(number: Sysno, name: Message, given: &[Arg<'a>]) -> Self {
        let mut args = [Arg::Null; 6];
        args.iter_mut().zip(given).for_each(|(to, from)| *to = *from);
        Self { number, name, args, used: given.len() }
    }

    /// Makes the call. Allocates nothing, so the child of clone may use it.
    pub fn perform(&self, slots: &Slots) -> Result<usize, Errno> {
        let mut paths = [[0_u8; 32]; 2];
        let mut path = paths.iter_mut();
        let mut raw = [0_usize; 6];
        for (register, arg) in raw.iter_mut().zip(&self.args) {
            *register = match *arg {
                Arg::Null => 0,
                Arg::Int(number) => number as usize,
                Arg::Mode(mode) => mode as usize,
                Arg::Flags(bits, _) | Arg::Name(bits, _) | Arg::Capability(bits) => bits as usize,
                Arg::Fd(slot) => slots.get(slot).as_raw_fd() as usize,
                Arg::Str(text) => text.as_ptr() as usize,
                Arg::FdPath(slot) => path.next().map_or(0, |buf| {
                    *buf = fd_path(slots.get(slot));
                    buf.as_ptr() as usize
                }),
                Arg::Groups(words) | Arg::Sets(words) => words.as_ptr() as usize,
                Arg::Filter(filter) => filter as *const Filter as usize,
                Arg::Attr(attr) => attr as *const MountAttr as usize,
                Arg::How(how) => how as *const OpenHow as usize,
            };
        }
        let [a, b, c, d, e, f] = raw;
        // SAFETY: only the constructors below make a Call, each with the kernel's own order of arguments; every
        // pointer is to memory borrowed for 'a or to `paths`, and the kernel only reads it.
        unsafe { syscall!(self.number, a, b, c, d, e, f) }
    }

    /// Prints the call as strace would.
    pub fn explain(&self, line: &mut Line, names: Descriptors) {
        line.say(self.name).put(b"(");
        for (index, arg) in self.args.iter().take(self.used).enumerate() {
            arg.explain(line.put(if index > 0 { b", " } else { b"" }), names);
        }
        line.put(b")");
    }
}

/// Prints a descriptor's name.
pub type Descriptors = fn(Slot, &mut Line);

impl Arg<'_> {
    /// As strace would, with `{name}` for a descriptor.
    fn explain(&self, line: &mut Line, names: Descriptors) {
        match *self {
            Arg::Null => line.put(b"NULL"),
            Arg::Int(number) => line.int(number),
            Arg::Mode(mode) => line.oct(u64::from(mode)),
            Arg::Flags(bits, table) => flags(line, bits, table),
            Arg::Name(_, name) => line.say(name),
            Arg::Fd(slot) => {
                names(slot, line);
                &mut *line
            }
            Arg::Str(text) => line.quoted(text.to_bytes()),
            Arg::FdPath(slot) => {
                line.put(b"\"/proc/self/fd/");
                names(slot, line);
                line.put(b"\"")
            }
            Arg::Groups(groups) => {
                line.put(b"[");
                for (index, &group) in groups.iter().enumerate() {
                    line.put(if index > 0 { b", " } else { b"" }).dec(u64::from(group));
                }
                line.put(b"]")
            }
            Arg::Capability(number) => line
                .put(b"CAP_")
                .put(split(CAPABILITIES.as_bytes(), b' ').get(number as usize).unwrap_or(&"?".as_bytes())),
            Arg::Sets(sets) => {
                for (index, &set) in sets.iter().enumerate() {
                    line.put(if index > 0 { b", " } else { b"{" }).hex(u64::from(set));
                }
                line.put(b"}")
            }
            Arg::Filter(filter) => line.put(b"{len=").dec(u64::from(filter.0.len)).put(b", filter=...}"),
            Arg::Attr(attr) => {
                line.put(b"{attr_set=");
                flags(line, attr.set as u32, &MOUNT_ATTR).put(b", attr_clr=");
                flags(line, attr.clear as u32, &MOUNT_ATTR).put(b", propagation=");
                flags(line, attr.propagation as u32, &MS).put(b", userns_fd=").dec(attr.userns).put(b"}")
            }
            Arg::How(how) => {
                line.put(b"{flags=");
                flags(line, how.flags as u32, &O).put(b", resolve=");
                flags(line, how.resolve as u32, &RESOLVE).put(b"}")
            }
        };
    }
}

/// Prints what is more than one call: the text with an argument in place of each `%`.
pub fn explain(text: Message, args: &[Arg], line: &mut Line, names: Descriptors) {
    let mut args = args.iter();
    for part in text.bytes().split_inclusive(|&byte| byte == b'%') {
        line.put(part.strip_suffix(b"%").unwrap_or(part));
        if part.ends_with(b"%")
            && let Some(arg) = args.next()
        {
            arg.explain(line, names);
        }
    }
}

/// Bits by name joined with `|`; what has no name in hexadecimal; 0 as 0.
fn flags<'l>(line: &'l mut Line, bits: u32, names: &Names) -> &'l mut Line {
    let mut rest = bits;
    let mut between: &[u8] = b"";
    for (&bit, name) in names.bits.iter().zip(split(names.names.bytes(), b' ')) {
        let bit = 1_u32.wrapping_shl(u32::from(bit));
        if rest & bit != 0 {
            line.put(between).put(name);
            between = b"|";
            rest &= !bit;
        }
    }
    if rest != 0 {
        line.put(between).hex(u64::from(rest));
    } else if bits == 0 {
        line.put(b"0");
    }
    line
}

static MS: Names = names!(
    MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_REMOUNT MS_BIND MS_MOVE MS_REC MS_PRIVATE MS_SLAVE MS_SHARED
);
static MOUNT_ATTR: Names = names!(MOUNT_ATTR_RDONLY MOUNT_ATTR_NOSUID MOUNT_ATTR_NODEV MOUNT_ATTR_NOEXEC);
static O: Names = names!(
    O_WRONLY O_RDWR O_CREAT O_EXCL O_NOCTTY O_NONBLOCK O_DIRECTORY O_NOFOLLOW O_PATH O_CLOEXEC
);
static RESOLVE: Names = names!(RESOLVE_NO_MAGICLINKS RESOLVE_IN_ROOT);
static OPEN_TREE: Names = names!(OPEN_TREE_CLONE OPEN_TREE_CLOEXEC AT_EMPTY_PATH AT_RECURSIVE);
static MOVE_MOUNT: Names = names!(MOVE_MOUNT_F_EMPTY_PATH MOVE_MOUNT_T_EMPTY_PATH);
/// CLONE_* of clone(2).
pub static CLONE: Names = names!(
    CLONE_PIDFD CLONE_FILES CLONE_NEWNS CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET
);

/// The capabilities by number, from linux/capability.h.
pub const CAPABILITIES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT \
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP \
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";

/// MOUNT_ATTR_RDONLY.
pub const RDONLY: u64 = 1;
/// MOUNT_ATTR_NOSUID.
pub const NOSUID: u64 = 2;
/// MOUNT_ATTR_NODEV.
pub const NODEV: u64 = 4;
/// MOUNT_ATTR_NOEXEC.
pub const NOEXEC: u64 = 8;

/// A text's length as an argument.
pub fn length(text: Name) -> Arg<'static> {
    Arg::Int(text.to_bytes().len() as i64)
}

/// The constructors, one a system call, named after it. The doc of each is the C call.
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
