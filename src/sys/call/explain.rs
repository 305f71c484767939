//! Calls as strace would print them. Not for the child: see layout.ld.

use super::{Arg, Call, Slot};
use crate::text::{Line, Message, Push, split};

impl Call<'_> {
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

pub(super) static MS: Names = names!(
    MS_RDONLY MS_NOSUID MS_NODEV MS_NOEXEC MS_REMOUNT MS_BIND MS_MOVE MS_REC MS_PRIVATE MS_SLAVE MS_SHARED
);
pub(super) static MOUNT_ATTR: Names = names!(MOUNT_ATTR_RDONLY MOUNT_ATTR_NOSUID MOUNT_ATTR_NODEV MOUNT_ATTR_NOEXEC);
pub(super) static O: Names = names!(
    O_WRONLY O_RDWR O_CREAT O_EXCL O_NOCTTY O_NONBLOCK O_DIRECTORY O_NOFOLLOW O_PATH O_CLOEXEC
);
pub(super) static RESOLVE: Names = names!(RESOLVE_NO_MAGICLINKS RESOLVE_IN_ROOT);
pub(super) static OPEN_TREE: Names = names!(OPEN_TREE_CLONE OPEN_TREE_CLOEXEC AT_EMPTY_PATH AT_RECURSIVE);
pub(super) static MOVE_MOUNT: Names = names!(MOVE_MOUNT_F_EMPTY_PATH MOVE_MOUNT_T_EMPTY_PATH);
/// CLONE_* of clone(2).
pub static CLONE: Names = names!(
    CLONE_PIDFD CLONE_FILES CLONE_NEWNS CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET
);

/// The capabilities by number, from linux/capability.h.
pub const CAPABILITIES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT \
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP \
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";
