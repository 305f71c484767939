//! C strings in one word: core's `&CStr` is a pointer and a length, and a plan is made of hundreds of them.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A string that NUL ends, as the kernel wants paths and names.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Name<'a>(NonNull<c_char>, PhantomData<&'a CStr>);

// SAFETY: it is a shared reference to bytes that nobody changes.
unsafe impl Sync for Name<'_> {}

/// One that lives as long as the process.
pub type Text = Name<'static>;

/// A literal: `t(c"tmpfs")`.
pub const fn t(text: &'static CStr) -> Text {
    Name::new(text)
}

impl<'a> Name<'a> {
    const fn new(text: &'a CStr) -> Self {
        // SAFETY: that is what a CStr is.
        unsafe { Self::from_ptr(text.as_ptr()) }
    }

    /// From C.
    ///
    /// # Safety
    /// The pointer is to a string that NUL ends, which lives and does not change for 'a.
    pub const unsafe fn from_ptr(text: *const c_char) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { NonNull::new_unchecked(text.cast_mut()) }, PhantomData)
    }

    /// One whose NUL is the last of the bytes and the only one.
    pub fn with_nul(bytes: &'a [u8]) -> Option<Self> {
        Self::until_nul(bytes).filter(|name| name.to_bytes().len().wrapping_add(1) == bytes.len())
    }

    /// What comes before the first NUL.
    pub fn until_nul(bytes: &'a [u8]) -> Option<Self> {
        // SAFETY: there is a NUL within the bytes.
        crate::text::has(bytes, 0).then(|| unsafe { Self::from_ptr(bytes.as_ptr().cast()) })
    }

    /// For the kernel.
    pub const fn as_ptr(self) -> *const c_char {
        self.0.as_ptr()
    }

    /// Without the NUL.
    pub fn to_bytes(self) -> &'a [u8] {
        self.c_str().to_bytes()
    }

    /// With it.
    pub fn to_bytes_with_nul(self) -> &'a [u8] {
        self.c_str().to_bytes_with_nul()
    }

    fn c_str(self) -> &'a CStr {
        // SAFETY: only `new` makes one, from a C string that lives for 'a.
        unsafe { CStr::from_ptr(self.as_ptr()) }
    }

    /// The first byte; NUL for an empty one.
    pub fn first(self) -> u8 {
        // SAFETY: there is at least the NUL.
        unsafe { self.as_ptr().cast::<u8>().read() }
    }

    /// Whether it is "".
    pub fn is_empty(self) -> bool {
        self.first() == 0
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Name) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for Name<'_> {}

impl Default for Name<'_> {
    fn default() -> Self {
        t(c"")
    }
}

impl core::fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.c_str().fmt(f)
    }
}
