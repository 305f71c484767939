//! A list that is never freed, as what is in it isn't: see `text::Line`.

use core::iter::Copied;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::slice::Iter;

/// A `Vec` that is not freed at every way out of every function: what it holds has nothing to be dropped.
#[derive(Clone, PartialEq, Debug)]
pub struct List<T: Copy>(ManuallyDrop<Vec<T>>);

impl<T: Copy> List<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(ManuallyDrop::new(Vec::new()))
    }

    /// Nothing yet, and room.
    pub fn with_capacity(count: usize) -> Self {
        Vec::with_capacity(count).into()
    }

    /// What is in it, for good.
    pub fn leak<'a>(self) -> &'a [T]
    where
        T: 'a,
    {
        ManuallyDrop::into_inner(self.0).leak()
    }
}

impl<T: Copy> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy> From<Vec<T>> for List<T> {
    fn from(vec: Vec<T>) -> Self {
        Self(ManuallyDrop::new(vec))
    }
}

impl<T: Copy> From<&[T]> for List<T> {
    fn from(items: &[T]) -> Self {
        items.to_vec().into()
    }
}

impl<T: Copy> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T: Copy> Deref for List<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Copy> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<'a, T: Copy> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Copy + 'static> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = Copied<Iter<'static, T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.leak().iter().copied()
    }
}
