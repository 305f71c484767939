//! The system calls, and the only unsafe code.
#![allow(unsafe_code)]

#[cfg(not(test))]
mod alloc;
pub mod call;
pub mod errno;
pub mod fs;
pub mod process;
pub mod resolve;
pub mod terminal;

pub use errno::Errno;

#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: alloc::Bump = alloc::Bump::new();

/// Where libc's start-up code hands over. Rust's own would cost 40 kB with all that it brings.
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn main(argc: core::ffi::c_int, argv: *const *const core::ffi::c_char) -> core::ffi::c_int {
    // SAFETY: these are C's main's own arguments.
    crate::start(&unsafe { process::arguments(argc, argv) })
}

/// Makes a call again while a signal interrupts it (EINTR).
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
