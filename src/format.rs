//! What a command that lists shows: a table, or what `--format` asks for.
//!
//! A row is a compact JSON object (`json::write::object`), its members named as docker names its fields, and mostly
//! strings that are ready to be shown. What is shown of it is a template: the part of Go's that docker's users write,
//! `{{.Names}}`, `{{.State.Status}}`, `{{json .}}`, `{{index .Labels "key"}}`. A table is a template too, its columns
//! divided by tabs, so a command says in a `View` what docker's default is:
//!
//! ```text
//! const VIEW: View = View { quiet: "{{.ID}}", headers: "ID=IMAGE ID\nCreatedSince=CREATED",
//!     table: "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}" };   // each a text!(…)
//! format::list(given.value("format"), given.has("quiet"), &VIEW, &rows)
//! ```
//!
//! Sizes, ages and times are in `format::human`.

pub mod human;

use crate::error::{Error, Result};
use crate::json;
use crate::sys::name::Text;
use crate::text::{Line, Message, Push, is, keep, split, split_once};

/// A command's default templates.
pub struct View {
    /// With -q.
    pub quiet: Message,
    /// `table ` and the columns.
    pub table: Message,
    /// A line for each member whose header isn't its own name in capitals: `RunningFor=CREATED`.
    pub headers: Message,
}

/// Prints the rows: as `--format` has it, or the default.
pub fn list(format: Option<Text>, quiet: bool, view: &View, rows: &[Text]) -> Result<u8> {
    crate::print(&show(format, quiet, view, rows)?)
}

fn show(format: Option<Text>, quiet: bool, view: &View, rows: &[Text]) -> Result<Line> {
    let asked = format.map(|format| format.to_bytes()).filter(|format| !is(format, "table") && !format.is_empty());
    let format = match asked {
        _ if quiet => view.quiet.bytes(),
        None => view.table.bytes(),
        Some(b"json") => b"{{json .}}",
        Some(format) => format,
    };
    let mut shown = Line::new();
    let Some(columns) = format.strip_prefix(b"table") else {
        let template = unescape(format);
        for row in rows {
            expand(&template, Of::Row(row.to_bytes()), &mut shown)?;
            shown.push(b'\n');
        }
        return Ok(shown);
    };
    let template = unescape(columns);
    expand(&template, Of::Header(view.headers), &mut shown)?;
    for row in rows {
        shown.push(b'\n');
        expand(&template, Of::Cells(row.to_bytes()), &mut shown)?;
    }
    Ok(aligned(&shown))
}

/// What a template is filled from.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// As it is.
    Row(&'a [u8]),
    /// Fit for a terminal: what an image or a user wrote cannot break the table, nor reach the terminal's own commands.
    Cells(&'a [u8]),
    /// The columns' names.
    Header(Message),
}

/// `\t` and `\n` in a list's format, which a shell passes as they are.
fn unescape(format: &[u8]) -> Line {
    let mut template = Line::new();
    for &byte in format.trim_ascii() {
        let escaped = template.last() == Some(&b'\\') && matches!(byte, b't' | b'n');
        if escaped {
            template.pop();
        }
        template.push(if !escaped {
            byte
        } else if byte == b't' {
            b'\t'
        } else {
            b'\n'
        });
    }
    template
}

/// Lines of cells with tabs between, each column as wide as its widest cell and three blanks, ten at least: what Go's
/// tabwriter makes of docker's settings. The last cell of a line is not filled up.
fn aligned(lines: &[u8]) -> Line {
    let mut widths: Vec<usize> = Vec::new();
    for &line in split(lines, b'\n') {
        let cells = split(line, b'\t');
        widths.resize(widths.len().max(cells.len()), 10);
        // The last is not a column's.
        let (_, cells) = cells.split_last().unwrap_or((&lines, &[]));
        for (wide, &cell) in widths.iter_mut().zip(cells) {
            *wide = (*wide).max(width(cell).wrapping_add(3));
        }
    }
    let mut table = Line::new();
    for &line in split(lines, b'\n') {
        for (index, &cell) in split(line, b'\t').iter().enumerate() {
            if let Some(before) = index.checked_sub(1) {
                let cell = split(line, b'\t').get(before).map_or(0, |cell| width(cell));
                (cell..widths.get(before).copied().unwrap_or(0)).for_each(|_| table.push(b' '));
            }
            table.put(cell);
        }
        table.push(b'\n');
    }
    table
}

/// How many characters: bytes that begin one.
fn width(cell: &[u8]) -> usize {
    cell.iter().filter(|&byte| byte & 0xc0 != 0x80).count()
}

/// One object by a template that is no list's: `inspect --format`.
pub fn object(template: &[u8], object: &[u8], shown: &mut Line) -> Result<()> {
    expand(template, Of::Row(object), shown)
}

fn expand(template: &[u8], of: Of, shown: &mut Line) -> Result<()> {
    let mut rest = template;
    while let Some(at) = rest.windows(2).position(|two| two == b"{{") {
        let (before, after) = rest.split_at_checked(at).unwrap_or_default();
        shown.put(before);
        let action = after.get(2..).unwrap_or_default();
        let end = action.windows(2).position(|two| two == b"}}");
        let Some((action, after)) = end.and_then(|end| action.split_at_checked(end)) else {
            return Err(wrong(text!("template parsing error: unclosed action: %"), &[keep(after)]));
        };
        let column = template.len().wrapping_sub(rest.len()).wrapping_add(at).wrapping_add(2);
        self::action(action, of, column, shown)?;
        rest = after.get(2..).unwrap_or_default();
    }
    shown.put(rest);
    Ok(())
}

/// docker's exit code where its own command line is wrong.
fn wrong(message: Message, pieces: &[Text]) -> Error {
    Error::new(message, pieces).code(1)
}

/// What stands between `{{` and `}}`.
fn action(action: &[u8], of: Of, column: usize, shown: &mut Line) -> Result<()> {
    let words = words(action);
    let as_json = words.first() == Some(&&b"json"[..]);
    let (object, safe) = match of {
        Of::Row(object) => (object, false),
        Of::Cells(object) => (object, true),
        Of::Header(headers) => {
            let field = words.iter().find(|word| word.starts_with(b".")).copied().unwrap_or_default();
            header(field.strip_prefix(b".").unwrap_or_default(), headers, shown);
            return Ok(());
        }
    };
    let find = |word: &[u8]| field(object, word, column);
    let value = match *words {
        [word] if word.starts_with(b"\"") => word,
        [word] if word.starts_with(b".") => find(word)?,
        [b"json", word] if word.starts_with(b".") => find(word)?,
        [b"index", word, ref keys @ ..] if word.starts_with(b".") => {
            keys.iter().try_fold(find(word)?, |value, key| {
                let key = json::text(key).unwrap_or_else(|| keep(key));
                Ok(json::member(value, key.to_bytes()).unwrap_or(b"\"\""))
            })?
        }
        // docker's `{{.Label "key"}}` of a list.
        [b".Label", key] => {
            let labels = json::text_at(object, "Labels").to_bytes();
            let key = json::text(key).unwrap_or_default().to_bytes();
            let found = split(labels, b',').iter().find_map(|entry| entry.strip_prefix(key)?.strip_prefix(b"="));
            shown.safe(found.unwrap_or_default());
            return Ok(());
        }
        _ => {
            return Err(wrong(text!("--format: {{%}} is not understood"), &[keep(action)])
                .hint(text!("there are {{.Field.Field}}, {{json .Field}} and {{index .Field \"key\"}}"), &[]));
        }
    };
    let mut line = Line::new();
    if as_json {
        _ = line.put(value)
    } else {
        print(value, &mut line)
    }
    if safe {
        shown.safe(&line)
    } else {
        shown.put(&line)
    };
    Ok(())
}

/// The words of an action; a string in quotes is one.
fn words(action: &[u8]) -> Vec<&[u8]> {
    let (mut words, mut rest) = (Vec::new(), action.trim_ascii());
    while !rest.is_empty() {
        let quoted = rest.starts_with(b"\"");
        let mut escaped = true;
        let end = rest.iter().position(|&byte| {
            let ends = if quoted { byte == b'"' && !escaped } else { byte.is_ascii_whitespace() };
            // The first quote opens.
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let end = end.map_or(rest.len(), |end| end.wrapping_add(usize::from(quoted)));
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
        words.push(word);
        rest = after.trim_ascii_start();
    }
    words
}

/// `.A.B` of an object, `.` the whole.
fn field<'a>(object: &'a [u8], path: &[u8], column: usize) -> Result<&'a [u8]> {
    let names = path.strip_prefix(b".").filter(|names| !names.is_empty());
    names.map_or(&[][..], |names| split(names, b'.')).iter().try_fold(object, |value, name| {
        json::member(value, name).ok_or_else(|| {
            let (mut at, mut there) = (Line::new(), Line::new());
            for (key, _) in json::items(value) {
                there.put(if there.is_empty() { b"" } else { b", " });
                there.put(json::text(key).unwrap_or_default().to_bytes());
            }
            let pieces = [keep(at.dec(column as u64)), keep(path), keep(name)];
            wrong(text!("template: :1:%: executing \"\" at <%>: can't evaluate field %"), &pieces)
                .hint(if there.is_empty() { Message::NONE } else { text!("there are %") }, &[keep(&there)])
        })
    })
}

/// As docker names it: `CreatedAt` is CREATED AT.
fn header(field: &[u8], headers: Message, shown: &mut Line) {
    let other = split(headers.bytes(), b'\n').iter().find_map(|line| {
        let (name, header) = split_once(line, b'=')?;
        (name == field).then_some(header)
    });
    if let Some(other) = other {
        shown.put(other);
        return;
    }
    let mut lower = false;
    for &byte in field {
        if lower && byte.is_ascii_uppercase() {
            shown.push(b' ');
        }
        lower = byte.is_ascii_lowercase();
        shown.push(byte.to_ascii_uppercase());
    }
}

/// A value as Go prints it: a string without quotes, `[a b]`, `map[key:value]`.
fn print(value: &[u8], line: &mut Line) {
    if let Some(text) = json::text(value) {
        line.put(text.to_bytes());
    } else if value == b"null" {
        line.put(b"[]");
    } else if !matches!(value.first(), Some(b'[' | b'{')) {
        line.put(value);
    } else {
        line.put(if value.starts_with(b"[") { b"[" } else { b"map[" });
        for (index, (key, item)) in json::items(value).enumerate() {
            line.put(if index == 0 { b"" } else { b" " });
            if let Some(key) = json::text(key) {
                line.put(key.to_bytes()).put(b":");
            }
            print(item, line);
        }
        line.put(b"]");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    const ROWS: &[Text] = &[
        t(c"{\"ID\":\"0123456789ab\",\"Image\":\"busybox\",\"Names\":\"bird\",\"Ports\":\"\",\"Labels\":\"a=1,b=2\",\"RunningFor\":\"2 hours ago\"}"),
        t(c"{\"ID\":\"ba9876543210\",\"Image\":\"b\",\"Names\":\"h\u{e4}ns\\u001b[\",\"Ports\":\"\",\"Labels\":\"\",\"RunningFor\":\"x\"}"),
    ];
    const OBJECT: &[u8] = br#"{"Id":"ab","State":{"Running":true,"Pid":7,"Health":null},"Args":["a b","c"],
        "Config":{"Labels":{"my.key":"v","z":""},"Cmd":null}}"#;

    fn view() -> View {
        View { quiet: Message::NONE, table: Message::NONE, headers: Message::NONE }
    }

    fn shown(format: &[u8]) -> core::result::Result<String, String> {
        let text = |line: Line| String::from_utf8_lossy(&line).into_owned();
        show(Some(keep(format)), false, &view(), ROWS).map(text).map_err(|error| text(error.text()))
    }

    fn inspected(format: &str) -> core::result::Result<String, String> {
        let mut line = Line::new();
        let text = |line: Line| String::from_utf8_lossy(&line).into_owned();
        object(format.as_bytes(), OBJECT, &mut line).map_err(|error| text(error.text()))?;
        Ok(text(line))
    }

    #[test]
    fn a_table_is_aligned_as_docker_does() {
        // Columns as wide as the widest cell and three, ten at least, in characters; no blanks behind the last.
        assert_eq!(
            shown(b"table {{.ID}}\\t{{.Image}}\\t{{.Ports}}\\t{{.Names}}").as_deref(),
            Ok("\
ID             IMAGE     PORTS     NAMES
0123456789ab   busybox             bird
ba9876543210   b                   h\u{e4}ns\\x1b[
")
        );
        assert_eq!(
            shown(b"table {{.Names}}\\t{{.RunningFor}}").as_deref(),
            Ok("NAMES       RUNNING FOR\nbird        2 hours ago\nh\u{e4}ns\\x1b[   x\n")
        );
    }

    #[test]
    fn other_formats_are_printed_as_they_are() {
        assert_eq!(
            shown(b"{{.Names}}\\t{{ .ID }}|").as_deref(),
            Ok("bird\t0123456789ab|\nh\u{e4}ns\u{1b}[\tba9876543210|\n")
        );
        assert_eq!(shown(b"{{.Label \"b\"}}{{.Label \"x\"}}").as_deref(), Ok("2\n\n"));
        let json = shown(b"json").unwrap_or_default();
        assert_eq!(json.lines().next().map(str::as_bytes), ROWS.first().map(|row| row.to_bytes()));
        assert_eq!(Ok(json), shown(b"{{json .}}"));
    }

    #[test]
    fn values_are_printed_as_go_prints_them() {
        for (format, want) in [
            ("{{.Id}}", "ab"),
            ("a{{.State.Running}}b{{.State.Pid}}c", "atrueb7c"),
            ("{{.Args}}{{.Config.Cmd}}", "[a b c][]"),
            ("{{.Config.Labels}}", "map[my.key:v z:]"),
            ("{{json .Args}} {{json .Id}}", "[\"a b\",\"c\"] \"ab\""),
            ("{{index .Config.Labels \"my.key\"}}", "v"),
            ("{{index .Config.Labels \"none\"}}", ""),
            ("{{index .Args 1}}", "c"),
            ("{{\"\\t\"}}x", "\tx"),
            ("no {braces}", "no {braces}"),
        ] {
            assert_eq!(inspected(format).as_deref(), Ok(want), "{format}");
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        let said = inspected("{{.State.Foo}}").err().unwrap_or_default();
        assert_eq!(
            said,
            "mydocker: template: :1:2: executing \"\" at <.State.Foo>: can't evaluate field Foo\nhint: there are Running, Pid, Health\n"
        );
        for (format, want) in [
            ("{{range .Args}}{{.}}{{end}}", "{{range .Args}} is not understood"),
            ("{{.Id", "unclosed action"),
            ("{{}}", "is not understood"),
            ("{{json}}", "is not understood"),
        ] {
            let said = inspected(format).err().unwrap_or_default();
            assert!(said.contains(want), "{said}");
        }
    }
}
