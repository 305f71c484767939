//! bpf(2), as far as a cgroup's device filter needs it.

use super::{Errno, OwnedFd};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

/// The head of `union bpf_attr` for BPF_PROG_LOAD. The kernel takes what is missing behind it as zero.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: *const u64,
    license: *const u8,
    log_level: u32,
    log_size: u32,
    log: u64,
    version: u32,
    flags: u32,
}

/// The same for BPF_PROG_ATTACH.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

/// `bpf(BPF_PROG_LOAD, …)`, `bpf(BPF_PROG_ATTACH, …)`: the program decides on devices in this cgroup, besides those that
/// its parents have (BPF_F_ALLOW_MULTI: all must agree). It ends with the cgroup.
pub fn filter_devices(cgroup: BorrowedFd, program: &[u64]) -> Result<(), Errno> {
    const CGROUP_DEVICE: u32 = 15;
    let load = Load {
        kind: CGROUP_DEVICE,
        count: program.len() as u32,
        instructions: program.as_ptr(),
        license: c"".as_ptr().cast(),
        log_level: 0,
        log_size: 0,
        log: 0,
        version: 0,
        flags: 0,
    };
    // SAFETY: the kernel reads the struct, the instructions (of which there are `count`) and the license's string.
    let program = unsafe { syscall!(Sysno::bpf, 5, &raw const load, size_of::<Load>()) }?;
    // SAFETY: the kernel has just made this descriptor, so nobody else owns it.
    let program = unsafe { OwnedFd::from_raw_fd(program as RawFd) };
    let attach = Attach {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: 6,  // BPF_CGROUP_DEVICE
        flags: 2, // BPF_F_ALLOW_MULTI
    };
    // SAFETY: the kernel reads the struct.
    unsafe { syscall!(Sysno::bpf, 8, &raw const attach, size_of::<Attach>()) }.map(drop)
}
