//! Texts that are made when they are first asked for.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// Texts that end with a NUL, one behind the other, made up to the last that was asked for; then they are only read.
/// std's `OnceLock` needs a futex, and 600 bytes.
pub struct Texts<Maker, const LENGTH: usize> {
    busy: AtomicBool,
    maker: UnsafeCell<(Maker, usize)>,
    bytes: UnsafeCell<[u8; LENGTH]>,
}

// SAFETY: `busy` sees to it that one thread makes texts (the tests have several); what is made is not written again.
unsafe impl<Maker: Send, const LENGTH: usize> Sync for Texts<Maker, LENGTH> {}

impl<Maker, const LENGTH: usize> Texts<Maker, LENGTH> {
    /// None made yet.
    pub const fn new(maker: Maker) -> Self {
        Self { busy: AtomicBool::new(false), maker: UnsafeCell::new((maker, 0)), bytes: UnsafeCell::new([0; LENGTH]) }
    }

    /// What is made from a place on, at least to the end of its text; `next` makes a byte, and must not ask for a text.
    pub fn from(&'static self, place: usize, next: fn(&mut Maker) -> u8) -> &'static [u8] {
        while self.busy.swap(true, Ordering::Acquire) {
            core::hint::spin_loop();
        }
        // SAFETY: only whoever has found it not busy comes here.
        let (maker, made) = unsafe { &mut *self.maker.get() };
        let start = self.bytes.get().cast::<u8>();
        let mut last = 0;
        while *made < LENGTH && (*made <= place || last != 0) {
            last = next(maker);
            // SAFETY: it is in `bytes`, and what was given away ends before it.
            unsafe { start.add(*made).write(last) };
            *made = made.wrapping_add(1);
        }
        // SAFETY: so much of `bytes` is made.
        let made = unsafe { core::slice::from_raw_parts(start, *made) };
        self.busy.store(false, Ordering::Release);
        made.get(place..).unwrap_or_default()
    }
}
