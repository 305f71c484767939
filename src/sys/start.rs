//! The first instructions, instead of libc's: no thread-local storage, no vDSO, no constructors, since nothing here
//! needs them. It makes libc a set of pure functions (memcpy and its like): what uses errno must not be linked.

use super::Errno;
use super::name::{Name, Text};
use core::ffi::c_char;
use core::sync::atomic::{AtomicPtr, Ordering};

// The kernel leaves at the stack pointer: argc, argv…, NULL, envp…, NULL. The ABI wants it aligned to 16 in a call.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start", "_start:", "xor %ebp, %ebp", "mov %rsp, %rdi", "and $-16, %rsp", "call {entry}",
    entry = sym entry, options(att_syntax)
);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".globl _start", "_start:", "mov x29, #0", "mov x30, #0", "mov x0, sp", "bl {entry}",
    entry = sym entry
);
#[cfg(target_arch = "riscv64")]
core::arch::global_asm!(
    ".globl _start", "_start:", ".option push", ".option norelax", "lla gp, __global_pointer$", ".option pop",
    "mv a0, sp", "andi sp, sp, -16", "call {entry}",
    entry = sym entry
);
#[cfg(target_arch = "arm")]
core::arch::global_asm!(
    ".globl _start", "_start:", "mov fp, #0", "mov lr, #0", "mov r0, sp", "and sp, sp, #-8", "bl {entry}",
    entry = sym entry
);

static STACK: AtomicPtr<usize> = AtomicPtr::new(core::ptr::null_mut());

/// argv and envp. Null pointers end both, and nobody changes them.
fn vectors() -> (*const *const c_char, *const *const c_char) {
    let stack = STACK.load(Ordering::Relaxed);
    // SAFETY: `entry` has stored what the kernel has put there, see above.
    unsafe { (stack.add(1).cast(), stack.add(*stack).add(2).cast()) }
}

/// Starts again from a copy of the program that nobody can write to: returns only what went wrong.
pub fn run_sealed() -> Errno {
    let (argv, envp) = vectors();
    super::exe::run_sealed(argv, envp)
}

/// Whether the caller has fewer rights than the program: it is set-user-ID, set-group-ID, or has file capabilities. Root
/// has none less; of him a security module may say so where the profile changes (a unit of systemd with SELinux).
fn is_secure() -> bool {
    const AT_UID: usize = 11;
    const AT_SECURE: usize = 23;
    auxiliary(AT_SECURE) != 0 && auxiliary(AT_UID) != 0
}

/// A value that every kernel gives.
fn auxiliary(kind: usize) -> usize {
    let (_, mut next) = vectors();
    // SAFETY: behind the environment's null pointer is the auxiliary vector: pairs of a kind and a value.
    unsafe {
        while !(*next).is_null() {
            next = next.add(1);
        }
        next = next.add(1);
        while *next as usize != kind {
            next = next.add(2);
        }
        *next.add(1) as usize
    }
}

/// Overwrites the environment, for a process that lives on beside the container and may be traced from there (CAP_SYS_PTRACE).
pub fn forget_environment() {
    let (_, mut next) = vectors();
    // SAFETY: the kernel's list, which a null pointer ends, of strings on the stack, which are ours to write. Who has kept one
    // reads it as "" from now on: in the child nobody does.
    unsafe {
        while !(*next).is_null() {
            let mut at = (*next).cast_mut();
            while at.read_volatile() != 0 {
                at.write_volatile(0);
                at = at.add(1);
            }
            next = next.add(1);
        }
    }
}

unsafe extern "C" fn entry(stack: *mut usize) -> ! {
    let mut args = Vec::new();
    STACK.store(stack, Ordering::Relaxed);
    let (mut next, _) = vectors();
    // SAFETY: as many as the kernel says; the strings live as long as the process.
    unsafe {
        for _ in 0..*stack {
            args.push(Name::from_ptr(*next));
            next = next.add(1);
        }
    }
    super::process::exit(crate::start(args.leak(), is_secure()) as u8)
}

/// The environment variable's value.
pub fn variable(name: Name) -> Option<Text> {
    let (_, mut next) = vectors();
    loop {
        // SAFETY: the kernel's list, which a null pointer ends; behind a byte of a string that isn't its NUL the string
        // goes on.
        unsafe {
            let entry = *next;
            if entry.is_null() {
                return None;
            }
            let after = Name::from_ptr(entry).to_bytes().strip_prefix(name.to_bytes());
            if after.is_some_and(|after| after.starts_with(b"=")) {
                return Some(Name::from_ptr(entry.add(name.to_bytes().len()).add(1)));
            }
            next = next.add(1);
        }
    }
}
