//! The allocator: a bump pointer over pages from mmap.
//!
//! mydocker lives for one container and allocates while it plans, not while it supervises, so memory is given
//! back to the kernel by exiting. musl's malloc would be 6.5 kB of the binary and several system calls of a start.
//! The newest block grows in place, which is what vectors that are filled one after the other do; large blocks have pages
//! of their own, which are unmapped when a vector outgrows them or its owner says so (`Large`): an import's memory stays
//! bounded. Nothing else is freed.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use syscalls::Sysno;

/// More than a start needs, so that after the clone there is nothing to ask the kernel for.
const FIRST: usize = 512 * 1024;
const LARGE: usize = 64 * 1024;
const CHUNK: usize = 256 * 1024;

/// The bump allocator; see the module. In .bss: costs nothing in the file and only the touched pages in memory. The state and
/// the first blocks share a page, which the child of clone has to copy anyway.
#[repr(C, align(16))]
pub struct Bump {
    state: UnsafeCell<State>,
    arena: UnsafeCell<[u8; FIRST]>,
}

struct State {
    next: usize,
    end: usize,
}

// SAFETY: mydocker has one thread; a child of clone without CLONE_VM has a copy of its own.
unsafe impl Sync for Bump {}

impl Bump {
    /// An allocator that has not been used yet.
    pub const fn new() -> Self {
        Self { state: UnsafeCell::new(State { next: 0, end: 0 }), arena: UnsafeCell::new([0; FIRST]) }
    }
}

fn map(len: usize) -> *mut u8 {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new anonymous mapping replaces nothing.
    match unsafe { syscall!(Sysno::mmap, 0, len, prot, flags, -1_isize, 0) } {
        Ok(at) => at as *mut u8,
        Err(_) => {
            // There is no way back from here, and no memory for an error: what was made, the next command sweeps.
            const TEXT: &[u8] = b"mydocker: allocate memory: ENOMEM (Out of memory)\n";
            // SAFETY: the text is only read.
            let _ = unsafe { syscall!(Sysno::write, 2, TEXT.as_ptr(), TEXT.len()) };
            super::process::exit(crate::error::RUNTIME)
        }
    }
}

fn pages(len: usize) -> usize {
    len.saturating_add(4095) & !4095
}

impl Bump {
    /// # Safety
    /// As of `dealloc`.
    pub unsafe fn free(&self, block: *mut u8, layout: Layout) {
        if layout.size() > LARGE {
            // SAFETY: a block this large has a mapping of its own, see alloc.
            let _ = unsafe { syscall!(Sysno::munmap, block, pages(layout.size())) };
            return;
        }
        // SAFETY: as in alloc.
        let state = unsafe { &mut *self.state.get() };
        if (block as usize).wrapping_add(layout.size()) == state.next {
            state.next = block as usize;
        }
    }
}

// SAFETY: blocks are aligned, disjoint, and live until they are freed; `realloc` copies before it frees.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGE {
            return map(pages(layout.size()));
        }
        // SAFETY: one thread, and no reference to the state outlives this function.
        let state = unsafe { &mut *self.state.get() };
        loop {
            let mask = layout.align().wrapping_sub(1);
            let at = state.next.wrapping_add(mask) & !mask;
            let end = at.wrapping_add(layout.size());
            if state.next != 0 && end <= state.end {
                state.next = end;
                return at as *mut u8;
            }
            let (start, len) =
                if state.end == 0 { (self.arena.get() as usize, FIRST) } else { (map(CHUNK) as usize, CHUNK) };
            if start == 0 {
                return null_mut();
            }
            state.next = start;
            state.end = start.wrapping_add(len);
        }
    }

    // Nothing: so the compiler leaves out what would drop a vector, at every way out of every function (-11 kB).
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() <= LARGE && size <= LARGE {
            // SAFETY: as in alloc.
            let state = unsafe { &mut *self.state.get() };
            let end = (block as usize).wrapping_add(size);
            if (block as usize).wrapping_add(layout.size()) == state.next && end <= state.end {
                state.next = end;
                return block;
            }
        }
        // SAFETY: the caller's layout is valid for the new size too (GlobalAlloc's contract).
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: two distinct blocks, each at least as long as the smaller size.
            unsafe {
                core::ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.free(block, layout);
            }
        }
        new
    }
}
