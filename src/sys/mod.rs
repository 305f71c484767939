//! The system calls, and the only unsafe code.
#![allow(unsafe_code)]

/// A system call, made again while a signal interrupts it (EINTR). All but close, which has closed its descriptor then.
macro_rules! syscall {
    ($($arg:expr),+ $(,)?) => {
        loop {
            let raw = syscalls::raw_syscall!($($arg),+);
            if raw != (libc::EINTR as usize).wrapping_neg() {
                break $crate::sys::errno::answer(raw);
            }
        }
    };
}

#[cfg(not(any(test, fuzzing)))]
mod alloc;
pub mod bpf;
pub mod call;
pub mod errno;
pub mod exe;
mod fd;
pub mod fs;
mod large;
pub mod name;
pub mod once;
pub mod process;
pub mod resolve;
pub mod sha;
pub mod socket;
#[cfg(not(any(test, fuzzing)))]
mod start;
pub mod terminal;

pub use errno::Errno;
pub use fd::OwnedFd;
pub use large::Large;

#[cfg(not(any(test, fuzzing)))]
#[global_allocator]
static ALLOCATOR: alloc::Bump = alloc::Bump::new();
