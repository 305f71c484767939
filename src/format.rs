//! What a command that lists shows: a table, or what `--format` asks for.
//!
//! A row is a compact JSON object (`json::write::object`), its members named as docker names its fields, and mostly
//! strings that are ready to be shown. What is shown of it is a template (see `template`). A table is one too, its columns
//! divided by tabs, so a command says in a `View` what docker's default is:
//!
//! ```text
//! const VIEW: View = View { quiet: "{{.ID}}", headers: "ID=IMAGE ID\nCreatedSince=CREATED",
//!     table: "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}" };   // each a text!(…)
//! format::list(given.value("format"), given.has("quiet"), &VIEW, &rows)
//! ```
//!
//! Sizes, ages and times are in `format::human`, what `--filter` takes in `format::filter`.

pub mod filter;
pub mod human;
pub mod template;

use crate::error::Result;
use crate::sys::name::Text;
use crate::text::{Line, Message, Push, is, split, split_once};
use template::{Of, expand};

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

/// What is printed.
pub fn show(format: Option<Text>, quiet: bool, view: &View, rows: &[Text]) -> Result<Line> {
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
    Ok(aligned(&shown, 10))
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

/// Lines of cells with tabs between, each column as wide as its widest cell and three blanks, and `least`: what Go's
/// tabwriter makes of docker's settings. The last cell of a line is not filled up.
pub fn aligned(lines: &[u8], least: usize) -> Line {
    let mut widths: Vec<usize> = Vec::new();
    for &line in split(lines, b'\n') {
        let cells = split(line, b'\t');
        widths.resize(widths.len().max(cells.len()), least);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;
    use crate::text::keep;

    const ROWS: &[Text] = &[
        t(c"{\"ID\":\"0123456789ab\",\"Image\":\"busybox\",\"Names\":\"bird\",\"Ports\":\"\",\"Labels\":\"a=1,b=2\",\"RunningFor\":\"2 hours ago\"}"),
        t(c"{\"ID\":\"ba9876543210\",\"Image\":\"b\",\"Names\":\"h\u{e4}ns\\u001b[\",\"Ports\":\"\",\"Labels\":\"\",\"RunningFor\":\"x\"}"),
    ];
    fn view() -> View {
        View { quiet: Message::NONE, table: Message::NONE, headers: Message::NONE }
    }

    fn shown(format: &[u8]) -> core::result::Result<String, String> {
        let text = |line: Line| String::from_utf8_lossy(&line).into_owned();
        show(Some(keep(format)), false, &view(), ROWS).map(text).map_err(|error| text(error.text()))
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
}
