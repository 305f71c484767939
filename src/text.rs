//! Building strings from pieces, without core::fmt (which costs 4 kB once and more at each use).

mod model;
#[macro_use]
pub mod packed;

pub use packed::Message;

use crate::sys::name::{Name, Text};
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

/// A byte string that is built piece by piece. It is never freed, as what is kept isn't: nothing builds many, and to
/// free each on every way out of each function is more than a kilobyte.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Line(ManuallyDrop<Vec<u8>>);

impl Line {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(ManuallyDrop::new(Vec::new()))
    }
}

impl Deref for Line {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

/// The pieces that a `Line` is built from.
pub trait Push {
    /// Bytes as they are.
    fn put(&mut self, bytes: &[u8]) -> &mut Self;
    /// A text of our own.
    fn say(&mut self, message: Message) -> &mut Self;
    /// A number in decimal.
    fn dec(&mut self, number: u64) -> &mut Self;
    /// A signed number in decimal.
    fn int(&mut self, number: i64) -> &mut Self;
    /// A number in octal with C's leading zero, as strace prints modes.
    fn oct(&mut self, number: u64) -> &mut Self;
    /// A number in hexadecimal with 0x.
    fn hex(&mut self, number: u64) -> &mut Self;
    /// A number in decimal, padded with zeros to `width`.
    fn dec0(&mut self, number: u64, width: usize) -> &mut Self;
    /// Two hexadecimal digits a byte.
    fn hex_of(&mut self, bytes: &[u8]) -> &mut Self;
    /// What a user or an image wrote, fit for one line of a terminal: control bytes as \xHH.
    fn safe(&mut self, bytes: &[u8]) -> &mut Self;
    /// A C string literal in double quotes, as strace prints it.
    fn quoted(&mut self, bytes: &[u8]) -> &mut Self;
}

fn digits(line: &mut Line, number: u64, base: u64, width: usize) {
    let rest = number.checked_div(base).unwrap_or(0);
    if rest != 0 || width > 1 {
        digits(line, rest, base, width.saturating_sub(1));
    }
    let digit = number.checked_rem(base).unwrap_or(0);
    line.push(*b"0123456789abcdef".get(digit as usize).unwrap_or(&b'?'));
}

impl Push for Line {
    // Taken apart in place it would be the slice's two ends at each of 150 calls.
    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.extend_from_slice(bytes);
        self
    }
    fn say(&mut self, message: Message) -> &mut Self {
        self.put(message.bytes())
    }
    fn dec(&mut self, number: u64) -> &mut Self {
        digits(self, number, 10, 1);
        self
    }
    fn int(&mut self, number: i64) -> &mut Self {
        if number < 0 {
            self.push(b'-');
        }
        self.dec(number.unsigned_abs())
    }
    fn oct(&mut self, number: u64) -> &mut Self {
        self.push(b'0');
        if number != 0 {
            digits(self, number, 8, 1);
        }
        self
    }
    fn hex(&mut self, number: u64) -> &mut Self {
        self.put(b"0x");
        digits(self, number, 16, 1);
        self
    }
    fn dec0(&mut self, number: u64, width: usize) -> &mut Self {
        digits(self, number, 10, width);
        self
    }
    fn hex_of(&mut self, bytes: &[u8]) -> &mut Self {
        bytes.iter().for_each(|&byte| digits(self, u64::from(byte), 16, 2));
        self
    }
    fn safe(&mut self, bytes: &[u8]) -> &mut Self {
        for &byte in bytes {
            match byte {
                b'\n' => _ = self.put(b"\\n"),
                b'\r' => _ = self.put(b"\\r"),
                b'\t' => _ = self.put(b"\\t"),
                0..0x20 | 0x7f => {
                    self.put(b"\\x");
                    digits(self, u64::from(byte), 16, 2);
                }
                _ => self.push(byte),
            }
        }
        self
    }
    fn quoted(&mut self, bytes: &[u8]) -> &mut Self {
        self.push(b'"');
        for &byte in bytes {
            match byte {
                b'"' | b'\\' => self.put(&[b'\\', byte]),
                _ => self.safe(&[byte]),
            };
        }
        self.push(b'"');
        self
    }
}

/// The pieces joined.
pub fn join(pieces: &[&[u8]]) -> Line {
    let mut line = Line::new();
    for piece in pieces {
        line.put(piece);
    }
    line
}

/// Texts with something between each and the next.
pub fn separated(texts: &[Text], by: &[u8]) -> Text {
    let mut line = Line::new();
    for (index, text) in texts.iter().enumerate() {
        line.put(if index == 0 { b"" } else { by }).put(text.to_bytes());
    }
    keep(&line)
}

/// The message with a piece in place of each `%`.
pub fn fill(message: &[u8], pieces: &[Name]) -> Line {
    let mut line = Line::new();
    let mut pieces = pieces.iter();
    for part in message.split_inclusive(|&byte| byte == b'%') {
        match part {
            [before @ .., b'%'] => line.put(before).put(pieces.next().copied().unwrap_or_default().to_bytes()),
            last => line.put(last),
        };
    }
    line
}

/// A NUL-terminated string that lives as long as the process, as everything in a plan does: the allocator frees
/// nothing before exit anyway, and the child of clone must not allocate or free. Bytes from the first NUL on are cut.
pub fn keep(bytes: &[u8]) -> Text {
    let mut copy = Vec::with_capacity(bytes.len().wrapping_add(1));
    copy.extend_from_slice(bytes);
    copy.push(0);
    Name::until_nul(copy.leak()).unwrap_or_default()
}

/// `keep` of a filled message.
pub fn filled(message: &str, pieces: &[Name]) -> Text {
    keep(&fill(message.as_bytes(), pieces))
}

/// The path of what is below a directory.
pub fn below(dir: Name, name: &str) -> Text {
    let mut line = Line::new();
    keep(line.put(dir.to_bytes()).put(b"/").put(name.as_bytes()))
}

/// `/a`, `/a/b`, `/a/b/c` of the last.
pub fn ancestors(path: Text) -> Vec<Text> {
    let (mut paths, mut line) = (Vec::new(), Line::new());
    for part in split(path.to_bytes(), b'/') {
        if !line.is_empty() {
            paths.push(keep(&line));
        }
        line.put(part).put(b"/");
    }
    paths.push(path);
    paths
}

/// A decimal number that fills the whole of `bytes`; no sign, no blanks; None if it is anything else or overflows.
pub fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte & 15))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// `bytes` cut at the first `at`, which belongs to neither part.
pub fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = bytes.iter().position(|&byte| byte == at)?;
    Some((bytes.get(..position)?, bytes.get(position.wrapping_add(1)..)?))
}

/// The line of a table that begins with a number and a blank, without them.
pub fn row(table: Message, number: u64) -> Option<&'static [u8]> {
    split(table.bytes(), b'\n').iter().find_map(|line| {
        let (first, rest) = split_once(line, b' ')?;
        (self::number(first)? == number).then_some(rest)
    })
}

/// What stands before the first `at`; all of it where there is none.
pub fn until(bytes: &[u8], at: u8) -> &[u8] {
    split_once(bytes, at).map_or(bytes, |(before, _)| before)
}

/// Whether a byte is among others. core's search is made for long ones, and costs more.
pub fn has(bytes: &[u8], wanted: u8) -> bool {
    bytes.iter().position(|&byte| byte == wanted).is_some()
}

/// Whether a word is one of those in a list with blanks between. A comparison with each would cost more.
pub fn is(word: &[u8], list: &str) -> bool {
    split(list.as_bytes(), b' ').contains(&word)
}

/// The parts between one separator and the next: one more than there are separators.
/// Never freed, as all text that is built here.
pub fn split(bytes: &[u8], at: u8) -> &[&[u8]] {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some((part, after)) = split_once(rest, at) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(build: impl Fn(&mut Line)) -> String {
        let mut line = Line::new();
        build(&mut line);
        String::from_utf8_lossy(&line).into_owned()
    }

    #[test]
    fn numbers_are_printed_as_strace_prints_them() {
        assert_eq!(
            line(|l| {
                l.dec(0).put(b" ").dec(u64::MAX);
            }),
            "0 18446744073709551615"
        );
        assert_eq!(
            line(|l| {
                l.int(-100).put(b" ").oct(0o755).put(b" ").oct(0);
            }),
            "-100 0755 0"
        );
        assert_eq!(
            line(|l| {
                l.hex(0x1f).put(b" ").dec0(7, 3).put(b" ").dec0(1234, 3);
            }),
            "0x1f 007 1234"
        );
    }

    #[test]
    fn what_a_user_wrote_cannot_break_the_line() {
        assert_eq!(
            line(|l| {
                l.safe(b"a\n\x1b]0;x\x7f");
            }),
            "a\\n\\x1b]0;x\\x7f"
        );
        assert_eq!(
            line(|l| {
                l.quoted(b"a\"b\\c\n\x01");
            }),
            "\"a\\\"b\\\\c\\n\\x01\""
        );
    }

    #[test]
    fn a_number_is_digits_only_and_fits() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b""[..], b"18446744073709551616", b"+1", b"-1", b" 1", b"1x", b"0x10"] {
            assert_eq!(number(bad), None);
        }
    }
}
