//! A value that is made when it is first asked for.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, Ordering};

const NEW: u8 = 0;
const BUSY: u8 = 1;
const DONE: u8 = 2;

/// Filled once, then only read. std's needs a futex, and 600 bytes.
pub struct Once<T> {
    state: AtomicU8,
    value: UnsafeCell<T>,
}

// SAFETY: `state` sees to it that one thread writes (the tests have several), and only before others read.
unsafe impl<T: Sync + Send> Sync for Once<T> {}

impl<T> Once<T> {
    /// Not filled yet.
    pub const fn new(value: T) -> Self {
        Self { state: AtomicU8::new(NEW), value: UnsafeCell::new(value) }
    }

    /// The value; `fill` makes it the first time. It must not ask for it itself.
    pub fn get(&'static self, fill: fn(&mut T)) -> &'static T {
        loop {
            match self.state.compare_exchange(NEW, BUSY, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => {
                    // SAFETY: only whoever has changed NEW to BUSY comes here.
                    fill(unsafe { &mut *self.value.get() });
                    self.state.store(DONE, Ordering::Release);
                }
                Err(BUSY) => core::hint::spin_loop(),
                // SAFETY: nobody writes any more.
                Err(_) => return unsafe { &*self.value.get() },
            }
        }
    }
}
