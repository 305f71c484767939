//! A system call as a value: its name, its number and its arguments, which can be made or printed.
//!
//! A plan's steps are lowered to these, and both `perform` and `explain` work on the same value: what is explained
//! cannot drift from what is done. The arguments are typed so that a call can only point at memory that lives at
//! least as long as the value; none of the calls that can be built here writes to it.

mod calls;
mod explain;
mod slots;

pub use explain::{CAPABILITIES, CLONE, explain};
pub use slots::{CWD, Slot, Slots};

use super::name::Name;
use super::{Errno, fs::OpenHow};
use crate::text::Message;
use explain::Names;
use std::os::fd::{AsRawFd, BorrowedFd};
use syscalls::Sysno;

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
        // SAFETY: only the constructors in calls.rs make a Call, each with the kernel's own order of arguments; every
        // pointer is to memory borrowed for 'a or to `paths`, and the kernel only reads it.
        unsafe { syscall!(self.number, a, b, c, d, e, f) }
    }
}

/// MOUNT_ATTR_RDONLY.
pub const RDONLY: u64 = 1;
/// MOUNT_ATTR_NOSUID.
pub const NOSUID: u64 = 2;
/// MOUNT_ATTR_NODEV.
pub const NODEV: u64 = 4;
/// MOUNT_ATTR_NOEXEC.
pub const NOEXEC: u64 = 8;

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

/// A text's length as an argument.
pub fn length(text: Name) -> Arg<'static> {
    Arg::Int(text.to_bytes().len() as i64)
}
