//! What mydocker says, packed: messages, hints and help texts are a sixth of the program, and mostly nobody reads them.
//!
//! `text!("...")` is where a text stands in the source, and in the program a number: its place among all of them.
//! build.rs collects them from the source and packs them, lines before whole pages of help. When the first line is printed all
//! lines are unpacked, which takes half a megabyte and some milliseconds, and when the first page, all texts. Plain starts print
//! none.

use super::model::{COUNTERS, Counter, Range, walk};
use crate::sys::name::{Name, Text};
use crate::sys::once::Once;

/// A text of the program's own. A piece is put in place of each `%` where it is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message(u16);

/// A literal as a `Message`.
macro_rules! text {
    ($text:literal) => {
        const { $crate::text::packed::Message::of($text) }
    };
}

mod list {
    // Every text with its place, sorted, for the compiler only; the packed bytes; how long they are unpacked.
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}

/// The texts, each ended by a NUL, and what it takes to unpack them.
struct Memory {
    texts: [u8; list::LENGTH],
    counters: [Counter; COUNTERS],
}

// In .bss, so that an error can be said when there is no memory to be had.
static LINES: Once<Memory> = Once::new(NOTHING);
static ALL: Once<Memory> = Once::new(NOTHING);
const NOTHING: Memory = Memory { texts: [0; list::LENGTH], counters: [[0; 2]; COUNTERS] };

impl Message {
    /// "".
    pub const NONE: Self = Self(0);

    /// The place of a text, looked up by the compiler: what can panic here panics there.
    #[allow(clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
    pub const fn of(text: &str) -> Self {
        let (mut from, mut to) = (0, list::ALL.len());
        while from < to {
            let middle = from.midpoint(to);
            let (at, order) = (list::ALL[middle].1, compare(text.as_bytes(), list::ALL[middle].0.as_bytes()));
            match order {
                0 => return Self(at),
                1 => from = middle + 1,
                _ => to = middle,
            }
        }
        panic!("build.rs has not seen this text: is it in a test?")
    }

    /// Whether it is "".
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// As it stands in the source.
    pub fn text(self) -> Text {
        let at = usize::from(self.0);
        let memory = if at < list::LINES {
            LINES.get(|memory| unpack(memory, list::LINES))
        } else {
            ALL.get(|memory| unpack(memory, list::LENGTH))
        };
        memory.texts.get(at..).and_then(Name::until_nul).unwrap_or_default()
    }

    /// As bytes.
    pub fn bytes(self) -> &'static [u8] {
        self.text().to_bytes()
    }
}

/// 0 if equal, 1 if the first is greater, -1 if less.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn compare(one: &[u8], other: &[u8]) -> i32 {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return if one[at] > other[at] { 1 } else { -1 };
        }
        at += 1;
    }
    (one.len() > other.len()) as i32 - (one.len() < other.len()) as i32
}

/// As many bytes from the beginning.
fn unpack(memory: &mut Memory, count: usize) {
    let mut packed = list::PACKED.iter();
    let mut here = 0_u32;
    let mut shift = |here: &mut u32| *here = *here << 8 | packed.next().map_or(0, |&byte| u32::from(byte));
    (0..4).for_each(|_| shift(&mut here));
    let mut range = Range::ALL;
    walk(&mut memory.counters, memory.texts.get_mut(..count).unwrap_or_default(), |zero, one| {
        let middle = range.middle(zero, one);
        let one = here > middle;
        range.narrow(middle, one, |_| shift(&mut here));
        one
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_out_as_it_went_in() {
        for (text, at) in list::ALL {
            assert_eq!(Message(*at).bytes(), text.as_bytes());
        }
    }

    #[test]
    fn packing_is_worth_it() {
        assert!(list::PACKED.len() * 5 < list::LENGTH * 2, "{} of {}", list::PACKED.len(), list::LENGTH);
    }
}
