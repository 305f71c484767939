//! Memory that goes before the process does. All else is never freed (sys::alloc).

#[cfg(not(any(test, fuzzing)))]
use core::alloc::Layout;
use core::ops::{Deref, DerefMut};

/// A vector that can be large: back to the kernel with its owner.
#[derive(Default)]
pub struct Large(pub Vec<u8>);

impl Deref for Large {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Large {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

// Tests have an allocator that frees.
#[cfg(not(any(test, fuzzing)))]
impl Drop for Large {
    fn drop(&mut self) {
        // A boundary of one byte is every vector's of bytes.
        if let Ok(layout) = Layout::array::<u8>(self.0.capacity()) {
            // SAFETY: the block is this vector's, and nobody has it after this: `dealloc` does nothing.
            unsafe { super::ALLOCATOR.free(self.0.as_mut_ptr(), layout) };
        }
    }
}
