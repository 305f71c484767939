//! The system calls, and the only unsafe code.
#![allow(unsafe_code)]

#[cfg(not(any(test, fuzzing)))]
mod alloc;
pub mod bpf;
pub mod call;
pub mod errno;
pub mod exe;
mod fd;
pub mod fs;
pub mod name;
pub mod once;
pub mod process;
pub mod resolve;
pub mod sha;
#[cfg(not(any(test, fuzzing)))]
mod start;
pub mod terminal;

pub use errno::Errno;
pub use fd::OwnedFd;

#[cfg(not(any(test, fuzzing)))]
#[global_allocator]
static ALLOCATOR: alloc::Bump = alloc::Bump::new();

/// Makes a call again while a signal interrupts it (EINTR).
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
