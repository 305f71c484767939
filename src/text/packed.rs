//! What mydocker says, packed: messages, hints and help texts are a sixth of the program, and mostly nobody reads them.
//!
//! `text!("...")` is where a text stands in the source, and in the program a number: its place among all of them.
//! build.rs collects them from the source and packs them: first what is said often, last whole pages of help. They are unpacked
//! as far as the last that was asked for, which takes 1.5 MB and some milliseconds. Plain starts print none.

use super::model::{Model, Range};
use crate::sys::name::{Name, Text};
use crate::sys::once::Texts;

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

/// What the packed bytes are unpacked with.
struct Unpacker {
    model: Model,
    range: Range,
    /// The packed text as a number, as far as it was looked at, above the lowest of the range.
    here: u32,
    /// How many bytes of it were looked at.
    used: usize,
}

// In .bss, so that an error can be said when there is no memory to be had.
static TEXTS: Texts<Unpacker, { list::LENGTH }> =
    Texts::new(Unpacker { model: Model::NEW, range: Range::ALL, here: 0, used: 0 });

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
        Name::until_nul(TEXTS.from(usize::from(self.0), Unpacker::next)).unwrap_or_default()
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

impl Unpacker {
    fn next(&mut self) -> u8 {
        let Self { model, range, here, used } = self;
        model.byte(|zero| {
            while range.widen() {
                *here = *here << 8 | list::PACKED.get(*used).map_or(0, |&byte| u32::from(byte));
                *used = used.wrapping_add(1);
            }
            let middle = range.middle(zero);
            let one = *here > middle;
            range.narrow(middle, one);
            if one {
                *here = here.wrapping_sub(middle).wrapping_sub(1);
            }
            one
        })
    }
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
