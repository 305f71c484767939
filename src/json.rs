//! JSON (RFC 8259) from others, read in place: a value is its text, and is found by scanning over what stands before it.
//!
//! No tree is built and nothing recurses, so a hostile document costs its own length and no more. A text that came
//! from here is valid; what is not valid is None. `null` has neither a text nor items. Of several members with one
//! name the last counts, as in Go, which docker and skopeo are written in.

pub mod write;

use crate::sys::name::Text;
use crate::text::{Line, Push, has, keep, number, split};

/// The one value that a document is.
pub fn document(bytes: &[u8]) -> Option<&[u8]> {
    let mut scan = Scan(bytes);
    let value = scan.value()?;
    scan.blank();
    scan.0.is_empty().then_some(value)
}

/// The value at a path of names and indices, with blanks between: `get(config, "rootfs diff_ids 0")`.
pub fn get<'a>(value: &'a [u8], path: &str) -> Option<&'a [u8]> {
    split(path.as_bytes(), b' ').iter().try_fold(value, |value, name| member(value, name))
}

/// The text at a path; empty where there is none.
pub fn text_at(value: &[u8], path: &str) -> Text {
    get(value, path).and_then(text).unwrap_or_default()
}

/// One member of an object, by its name, or of an array, by its index.
pub fn member<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    let index = number(name).filter(|_| value.starts_with(b"["));
    for (at, (key, item)) in items(value).enumerate() {
        // Few names have escapes in them, and only those are worth the memory.
        let named = |key: &[u8]| {
            if has(key, b'\\') { text(key).is_some_and(|key| key.to_bytes() == name) } else { inner(key) == Some(name) }
        };
        if index.map_or_else(|| named(key), |index| index == at as u64) {
            found = Some(item);
        }
    }
    found
}

/// The items of an array, with an empty name each, or the members of an object: name (as a JSON string) and value.
pub fn items(value: &[u8]) -> Items<'_> {
    let mut scan = Scan(value);
    let object = scan.take(b'{');
    if !object && !scan.take(b'[') {
        scan.0 = b"";
    }
    Items { scan, object }
}

/// A string without its quotes and escapes. None for anything else, and for one with a NUL in it, which no path and no
/// variable can have.
pub fn text(value: &[u8]) -> Option<Text> {
    let mut rest = inner(value)?;
    let mut line = Line::new();
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        line.put(rest.get(..at)?);
        let letter = *rest.get(at.wrapping_add(1))?;
        rest = rest.get(at.wrapping_add(2)..)?;
        if letter == b'u' {
            let mut code = unit(&mut rest)?;
            let mut low = rest.strip_prefix(b"\\u").unwrap_or_default();
            if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (code, unit(&mut low)) {
                code = 0x1_0000_u32.wrapping_add((code & 0x3ff) << 10 | second & 0x3ff);
                rest = low;
            }
            // Half a pair is the replacement character.
            let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            line.put(letter.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            let at = b"bfnrt".iter().position(|&escape| escape == letter);
            line.push(at.and_then(|at| b"\x08\x0c\n\r\t".get(at)).copied().unwrap_or(letter));
        }
    }
    line.put(rest);
    (!has(&line, 0)).then(|| keep(&line))
}

/// What stands between the quotes.
fn inner(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// Four hexadecimal digits from the front.
fn unit(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    digits.iter().try_fold(0, |sum, &digit| Some(sum << 4 | char::from(digit).to_digit(16)?))
}

/// What is still to be read of an array or object.
pub struct Items<'a> {
    scan: Scan<'a>,
    object: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a [u8], &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        let name = if self.object { self.scan.name()? } else { b"" };
        let value = self.scan.value()?;
        self.scan.take(b',');
        Some((name, value))
    }
}

/// A document from where it was read up to.
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    fn blank(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    /// Goes over a byte, if it is next.
    fn one(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// The same behind blanks.
    fn take(&mut self, byte: u8) -> bool {
        self.blank();
        self.one(byte)
    }

    /// A member's name and the colon.
    fn name(&mut self) -> Option<&'a [u8]> {
        self.blank();
        let from = self.0;
        self.string()?;
        let name = self.since(from);
        self.take(b':').then_some(name)
    }

    fn since(&self, from: &'a [u8]) -> &'a [u8] {
        from.get(..from.len().wrapping_sub(self.0.len())).unwrap_or_default()
    }

    /// The next value, whatever is in it.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.blank();
        let from = self.0;
        // What it is in, a bit each: 1 is an object. The topmost bit that is set stands before the first.
        let mut open = 1_u64;
        loop {
            let object = self.take(b'{');
            if object || self.one(b'[') {
                if open >> 63 != 0 {
                    return None;
                }
                open = open << 1 | u64::from(object);
                if !self.take(if object { b'}' } else { b']' }) {
                    if object {
                        self.name()?;
                    }
                    continue;
                }
                open >>= 1;
            } else {
                self.scalar()?;
            }
            while open > 1 {
                let object = open & 1 != 0;
                if self.take(b',') {
                    if object {
                        self.name()?;
                    }
                    break;
                }
                if !self.one(if object { b'}' } else { b']' }) {
                    return None;
                }
                open >>= 1;
            }
            if open == 1 {
                return Some(self.since(from));
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        if self.0.starts_with(b"\"") {
            return self.string();
        }
        for word in [&b"true"[..], b"false", b"null"] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Some(());
            }
        }
        self.one(b'-');
        if !self.one(b'0') {
            self.digits()?;
        }
        if self.one(b'.') {
            self.digits()?;
        }
        if self.one(b'e') || self.one(b'E') {
            let _ = self.one(b'+') || self.one(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.0;
        while let [b'0'..=b'9', rest @ ..] = self.0 {
            self.0 = rest;
        }
        (self.0.len() != from.len()).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        let mut rest = self.0.strip_prefix(b"\"")?;
        loop {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            match byte {
                b'"' => break,
                b'\\' => {
                    let (&letter, after) = rest.split_first()?;
                    rest = after;
                    if letter == b'u' {
                        unit(&mut rest)?;
                    } else if !has(b"\"\\/bfnrt", letter) {
                        return None;
                    }
                }
                0..0x20 => return None,
                _ => {}
            }
        }
        self.0 = rest;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &[u8] =
        br#" {"architecture": "amd64", "config": {"Env": ["A=1", "B=\u00e4\ud83d\ude00\n"], "Cmd": null, "Labels": {}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:aa", "sha256:bb"]}, "n": -1.5e+3, "a\u0062": true} "#;

    fn found(path: &str) -> Option<&'static str> {
        get(CONFIG, path).and_then(|value| core::str::from_utf8(value).ok())
    }

    #[test]
    fn a_value_is_found_by_its_path() {
        assert_eq!(found("architecture"), Some("\"amd64\""));
        assert_eq!(found("rootfs diff_ids 1"), Some("\"sha256:bb\""));
        assert_eq!(found("rootfs diff_ids 2"), None);
        assert_eq!(found("config Cmd"), Some("null"));
        assert_eq!(found("config Cmd 0"), None);
        assert_eq!(found("config Labels"), Some("{}"));
        assert_eq!(found("n"), Some("-1.5e+3"));
        assert_eq!(found("ab"), Some("true"));
        assert_eq!(found("amd64"), None);
        assert_eq!(text_at(CONFIG, "config Env 1").to_bytes(), "B=\u{e4}\u{1f600}\n".as_bytes());
        assert_eq!(text_at(CONFIG, "config User").to_bytes(), b"");
    }

    #[test]
    fn items_come_in_their_order() {
        let names: Vec<&[u8]> = items(CONFIG).map(|(name, _)| name).collect();
        assert_eq!(names.first(), Some(&&b"\"architecture\""[..]));
        assert_eq!(names.len(), 5);
        let all: Vec<&[u8]> = items(b"[1, [2,3] ,{\"a\":4}]").map(|(_, item)| item).collect();
        assert_eq!(all, [&b"1"[..], b"[2,3]", b"{\"a\":4}"]);
        for none in ["null", "[]", "{}", "\"[1]\"", ""] {
            assert!(items(none.as_bytes()).next().is_none());
        }
    }

    #[test]
    fn of_two_with_one_name_the_last_counts() {
        assert_eq!(get(br#"{"a": 1, "\u0061": 2}"#, "a"), Some(&b"2"[..]));
    }

    #[test]
    fn strings_lose_their_escapes() {
        let read = |value: &[u8]| text(value).map(|text| text.to_bytes().to_vec());
        assert_eq!(read(br#""\"\\\/\b\f\n\r\t""#).as_deref(), Some(&b"\"\\/\x08\x0c\n\r\t"[..]));
        assert_eq!(read(br#""\u20ac""#).as_deref(), Some("\u{20ac}".as_bytes()));
        for half in [&br#""\ud83d""#[..], br#""\ude00""#] {
            assert_eq!(read(half).as_deref(), Some("\u{fffd}".as_bytes()));
        }
        assert_eq!(read(br#""\ud83dx""#).as_deref(), Some("\u{fffd}x".as_bytes()));
        assert_eq!(read(br#""\ud83d\u0041""#).as_deref(), Some("\u{fffd}A".as_bytes()));
        assert_eq!(read(br#""\udbff\udfff""#).as_deref(), Some("\u{10ffff}".as_bytes()));
        assert_eq!(read(br#""a\u0000b""#), None);
        assert_eq!(read(b"12"), None);
    }

    #[test]
    fn what_is_not_json_is_none() {
        for good in ["0", "-0", "10.25", "1E5", "1e-5", "\"\"", "true", "[[],{}]", " [ 1 , 2 ] ", "{\"a\":{\"b\":[]}}"]
        {
            assert!(document(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            " ",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "tru",
            "truex",
            "nul",
            "'a'",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{}}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:2}",
            "{\"a\" 1}",
            "[1}",
            "{\"a\":1]",
            "1 2",
        ] {
            assert!(document(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn depth_is_limited_and_costs_nothing() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(document(&nested(63)).is_some());
        assert!(document(&nested(64)).is_none());
        assert!(document(&vec![b'['; 1 << 20]).is_none());
    }
}
