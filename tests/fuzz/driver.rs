//! What libFuzzer calls, and an allocator that forgets.
//!
//! mydocker never frees its text (docs/adr/0009-bump-allocator.md), so a million runs in one process would need a
//! million runs' memory: what a run has left is freed behind it, and counted. It may be some times the input.
#![allow(unsafe_code)]

use super::TARGETS;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr::{self, NonNull};
use std::alloc::System;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What stands before each block: it is in a ring with the others of its run.
#[repr(C, align(16))]
struct Head {
    next: Cell<*const Head>,
    before: Cell<*const Head>,
    size: usize,
    align: usize,
    tracked: bool,
}

const HEAD: usize = size_of::<Head>();

struct Forgetful;

#[global_allocator]
static ALLOCATOR: Forgetful = Forgetful;

/// The first of the run's blocks.
struct First(*const Head);
// SAFETY: behind a lock.
unsafe impl Send for First {}
static FIRST: Mutex<First> = Mutex::new(First(ptr::null()));
static LIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static TRACKED: Cell<bool> = const { Cell::new(false) };
}

/// The block's own start, behind room for the head.
fn room(layout: Layout) -> (Layout, usize) {
    let align = layout.align().max(16);
    let before = HEAD.next_multiple_of(align);
    (Layout::from_size_align(layout.size() + before, align).unwrap(), before)
}

// SAFETY: System's blocks, each with a head in front.
unsafe impl GlobalAlloc for Forgetful {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (whole, before) = room(layout);
        // SAFETY: the head lies just before the block that is returned.
        unsafe {
            let Some(start) = NonNull::new(System.alloc(whole)) else { return ptr::null_mut() };
            let block = start.as_ptr().add(before);
            let tracked = TRACKED.get();
            let head = block.sub(HEAD).cast::<Head>();
            let (size, align) = (layout.size(), layout.align());
            head.write(Head { next: Cell::new(head), before: Cell::new(head), size, align, tracked });
            if tracked {
                LIVE.fetch_add(size, Relaxed);
                let mut first = FIRST.lock().unwrap();
                if let Some(other) = first.0.as_ref() {
                    let last = other.before.get();
                    (*head).next.set(other);
                    (*head).before.set(last);
                    (*last).next.set(head);
                    other.before.set(head);
                }
                first.0 = head;
            }
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (whole, before) = room(layout);
        // SAFETY: as `alloc` left it.
        unsafe {
            let head = &*block.sub(HEAD).cast::<Head>();
            if head.tracked {
                LIVE.fetch_sub(head.size, Relaxed);
                let mut first = FIRST.lock().unwrap();
                let (next, last) = (head.next.get(), head.before.get());
                (*last).next.set(next);
                (*next).before.set(last);
                if ptr::eq(first.0, head) {
                    first.0 = if ptr::eq(next, head) { ptr::null() } else { next };
                }
            }
            System.dealloc(block.sub(before), whole);
        }
    }
}

/// Whether this thread's blocks are the run's.
pub fn track(on: bool) {
    TRACKED.set(on);
}

fn forget() -> usize {
    let live = LIVE.load(Relaxed);
    loop {
        let head = FIRST.lock().unwrap().0;
        // SAFETY: a block of the run, which is over: nobody has it any more.
        unsafe {
            let Some(first) = head.as_ref() else { return live };
            let layout = Layout::from_size_align(first.size, first.align).unwrap();
            ALLOCATOR.dealloc(head.cast::<u8>().add(HEAD).cast_mut(), layout);
        }
    }
}

/// What a run may keep, besides what it has read of the host: nothing an image or a user writes makes mydocker grow without bound.
fn bound(input: usize) -> usize {
    (4 << 20) + input * 64
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// std makes some things once, in the first runs, and keeps them.
pub fn is_warm() -> bool {
    RUNS.load(Relaxed) > 4
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static TARGET: std::sync::OnceLock<fn(&[u8])> = std::sync::OnceLock::new();
    let run = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        TARGETS.iter().find(|(other, _)| *other == name).expect("FUZZ_TARGET names no target").1
    });
    RUNS.fetch_add(1, Relaxed);
    track(is_warm());
    run(bytes);
    track(false);
    let left = forget();
    assert!(left <= bound(bytes.len()), "{left} bytes kept");
});
