//! The descriptors of a plan, by the places that its steps name them by.

use crate::sys::{OwnedFd, fs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, RawFd};

/// Where a descriptor is kept while a plan is performed: an index into `Slots`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(pub u16);

/// The working directory in a place where a slot is asked for.
pub const CWD: Slot = Slot(u16::MAX);

/// The descriptors of a plan by slot. Filling a slot closes what was there.
pub struct Slots(Vec<Option<OwnedFd>>);

impl Slots {
    /// `count` empty slots.
    pub fn new(count: usize) -> Self {
        let mut slots = Vec::new();
        slots.resize_with(count, || None);
        Self(slots)
    }

    /// The descriptor in a slot; one that no call accepts (EBADF) where it is empty.
    #[inline(never)]
    pub fn get(&self, slot: Slot) -> BorrowedFd<'_> {
        // SAFETY: not -1, and no table of descriptors is that large, so it borrows nothing.
        const NONE: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(i32::MAX) };
        if slot == CWD {
            return fs::CWD;
        }
        match self.0.get(usize::from(slot.0)) {
            Some(Some(fd)) => fd.as_fd(),
            _ => NONE,
        }
    }

    /// Whether a slot holds nothing.
    pub fn is_empty(&self, slot: Slot) -> bool {
        !matches!(self.0.get(usize::from(slot.0)), Some(Some(_)))
    }

    /// Puts a descriptor into a slot; closes the one that was there.
    pub fn set(&mut self, slot: Slot, fd: Option<OwnedFd>) {
        if let Some(place) = self.0.get_mut(usize::from(slot.0)) {
            *place = fd;
        }
    }

    /// Closes all but those in these slots.
    pub fn close_but(&mut self, kept: &[Slot]) {
        for index in 0..self.0.len() as u16 {
            if !kept.contains(&Slot(index)) {
                self.set(Slot(index), None);
            }
        }
    }

    /// Takes a descriptor out of its slot.
    #[inline(never)]
    pub fn take(&mut self, slot: Slot) -> Option<OwnedFd> {
        self.0.get_mut(usize::from(slot.0)).and_then(Option::take)
    }

    /// The numbers of the descriptors by slot, -1 where there is none; as bytes, for `replace` in another process.
    pub fn numbers(&self) -> Vec<[u8; 4]> {
        self.0.iter().map(|fd| fd.as_ref().map_or(-1, AsRawFd::as_raw_fd).to_ne_bytes()).collect()
    }

    /// Takes over a copy of another process's table of descriptors: `numbers` says what is in which slot. What was
    /// here is forgotten, since it is in the table under the same number.
    pub fn replace(&mut self, numbers: &[[u8; 4]]) {
        for (place, &number) in self.0.iter_mut().zip(numbers) {
            let number = RawFd::from_ne_bytes(number);
            // SAFETY: the table was copied by unshare(CLONE_FILES), so the copy's descriptors are this process's alone.
            let new = (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number) });
            core::mem::forget(core::mem::replace(place, new));
        }
    }

    /// Puts what a call has returned into a slot.
    pub fn set_raw(&mut self, slot: Slot, raw: usize) {
        // SAFETY: callers pass the descriptor that a system call has just made, which nobody else owns.
        self.set(slot, Some(unsafe { OwnedFd::from_raw_fd(raw as RawFd) }));
    }
}
