//! JSON of our own: compact, in one line, as docker's `json` prints it; `pretty` is for reading.

use crate::sys::name::Text;
use crate::text::{Line, Message, Push, keep, split, split_once};

/// An object by its shape, which is names with blanks between and says what the values are: `Id` a string, `Pid#` what is
/// JSON already, `OSType=linux` one that is always the same, `State{` the members up to a `}` of its own. The other values come
/// in the order of the names.
pub fn object(shape: Message, values: &[Text]) -> Text {
    let (mut line, mut values) = (Line::new(), values.iter());
    line.push(b'{');
    for &word in split(shape.bytes(), b' ') {
        if word == b"}" {
            line.push(b'}');
            continue;
        }
        let (word, same) = split_once(word, b'=').map_or((word, None), |(word, same)| (word, Some(same)));
        let (&last, name) = word.split_last().unwrap_or((&0, b""));
        let name = if last == b'{' || last == b'#' { name } else { word };
        quote(next(&mut line), name);
        line.push(b':');
        if last == b'{' {
            line.push(b'{');
            continue;
        }
        let value = same.unwrap_or_else(|| values.next().copied().unwrap_or_default().to_bytes());
        if last == b'#' { _ = line.put(value) } else { quote(&mut line, value) }
    }
    line.push(b'}');
    keep(&line)
}

/// An array: of strings, or of what is JSON already.
pub fn array(items: &[Text], raw: bool) -> Text {
    let mut line = Line::new();
    line.push(b'[');
    for item in items {
        if raw { _ = next(&mut line).put(item.to_bytes()) } else { quote(next(&mut line), item.to_bytes()) }
    }
    line.push(b']');
    keep(&line)
}

/// `NAME=value` each, without `=` an empty value: an object of strings, sorted by name. Of two with one name the last
/// counts.
pub fn map(entries: &[Text]) -> Text {
    let mut sorted: Vec<(&[u8], &[u8])> = Vec::new();
    for entry in entries {
        let (name, value) = split_once(entry.to_bytes(), b'=').unwrap_or((entry.to_bytes(), b""));
        let at = sorted.iter().position(|&(other, _)| other >= name).unwrap_or(sorted.len());
        if sorted.get(at).is_some_and(|&(other, _)| other == name) {
            sorted.remove(at);
        }
        sorted.insert(at, (name, value));
    }
    let mut line = Line::new();
    line.push(b'{');
    for (name, value) in sorted {
        quote(next(&mut line), name);
        line.push(b':');
        quote(&mut line, value);
    }
    line.push(b'}');
    keep(&line)
}

/// The names, each with an empty object: how Go writes a set.
pub fn object_of(names: &[Text]) -> Text {
    let mut line = Line::new();
    line.push(b'{');
    for name in names {
        quote(next(&mut line), name.to_bytes());
        line.put(b":{}");
    }
    line.push(b'}');
    keep(&line)
}

/// A comma where something stands before.
fn next(line: &mut Line) -> &mut Line {
    if !matches!(line.last(), Some(b'{' | b'[')) {
        line.push(b',');
    }
    line
}

/// A string as Go's encoding/json writes it without SetEscapeHTML: what is no UTF-8 is U+FFFD.
pub fn quote(line: &mut Line, bytes: &[u8]) {
    line.push(b'"');
    for part in bytes.utf8_chunks() {
        for &byte in part.valid().as_bytes() {
            match byte {
                b'"' | b'\\' => _ = line.put(&[b'\\', byte]),
                b'\n' | b'\r' | b'\t' => _ = line.safe(&[byte]),
                0..0x20 => _ = line.put(b"\\u00").hex_of(&[byte]),
                _ => line.push(byte),
            }
        }
        if !part.invalid().is_empty() {
            line.put(b"\\ufffd");
        }
    }
    line.push(b'"');
}

/// For reading: a member or item a line, four blanks a level, as `docker inspect` prints it.
pub fn pretty(document: &[u8]) -> Line {
    laid_out(document, true)
}

/// In one line, whoever wrote it.
pub fn compact(document: &[u8]) -> Line {
    laid_out(document, false)
}

fn laid_out(document: &[u8], pretty: bool) -> Line {
    let (mut line, mut depth, mut quoted, mut escaped, mut before) = (Line::new(), 0_usize, false, false, 0);
    for &byte in document {
        if quoted {
            line.push(byte);
            quoted = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        let opened = matches!(before, b'{' | b'[');
        let closes = matches!(byte, b'}' | b']');
        depth = depth.wrapping_sub(usize::from(closes));
        // Nothing stands between { and }.
        if pretty && (before == b',' || (opened || closes) && !(opened && closes)) {
            line.push(b'\n');
            (0..depth).for_each(|_| _ = line.put(b"    "));
        }
        line.push(byte);
        if pretty && byte == b':' {
            line.push(b' ');
        }
        depth = depth.wrapping_add(usize::from(matches!(byte, b'{' | b'[')));
        (quoted, before) = (byte == b'"', byte);
    }
    if pretty {
        line.push(b'\n');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    #[test]
    fn strings_are_escaped_as_go_does() {
        let quoted = |bytes: &[u8]| {
            let mut line = Line::new();
            quote(&mut line, bytes);
            String::from_utf8_lossy(&line).into_owned()
        };
        assert_eq!(quoted(b"a\"\\/<&>\n\r\t\x01\x7f"), "\"a\\\"\\\\/<&>\\n\\r\\t\\u0001\x7f\"");
        assert_eq!(quoted("ä€".as_bytes()), "\"ä€\"");
        assert_eq!(quoted(b"a\xffb\xe2\x82"), "\"a\\ufffdb\\ufffd\"");
    }

    #[test]
    fn arrays_and_maps() {
        assert_eq!(array(&[t(c"a"), t(c"\"")], false), t(c"[\"a\",\"\\\"\"]"));
        assert_eq!(array(&[t(c"1"), t(c"{}")], true), t(c"[1,{}]"));
        assert_eq!(array(&[], true), t(c"[]"));
        assert_eq!(map(&[t(c"b=1=2"), t(c"a"), t(c"b=3")]), t(c"{\"a\":\"\",\"b\":\"3\"}"));
        assert_eq!(map(&[]), t(c"{}"));
    }

    #[test]
    fn pretty_is_as_docker_inspect_prints_it() {
        let document = b"[{\"A\":{\"B\":\"x{,:\\\"y\",\"C\":[]},\"D\":[1,{}],\"E\":true}]";
        let want = r#"[
    {
        "A": {
            "B": "x{,:\"y",
            "C": []
        },
        "D": [
            1,
            {}
        ],
        "E": true
    }
]
"#;
        assert_eq!(String::from_utf8_lossy(&pretty(document)), want);
        assert_eq!(*compact(want.as_bytes()), document);
    }
}
