//! The part of Go's templates that docker's users write: `{{.State.Status}}`, `{{json .}}`, `{{index .Labels "key"}}`,
//! `{{len .Mounts}}`, and what is between `{{range .Mounts}}` or `{{if .State.Running}}`, perhaps `{{else}}`, and `{{end}}`.

use super::header;
use crate::error::{Error, Result};
use crate::json;
use crate::text::{Line, Message, Push, keep, split};

/// What a template is filled from.
#[derive(Clone, Copy)]
pub enum Of<'a> {
    /// One object.
    One(&'a [u8]),
    /// A row of a list, as it is.
    Row(&'a [u8]),
    /// One that is fit for a terminal: what an image or a user wrote cannot break the table, nor reach the terminal's own
    /// commands.
    Cells(&'a [u8]),
    /// The columns' names.
    Header(Message),
}

/// One object by a template: `inspect --format`.
pub fn object(template: &[u8], object: &[u8], shown: &mut Line) -> Result<()> {
    expand(template, Of::One(object), shown)
}

/// Fills a template.
pub fn expand(template: &[u8], of: Of, shown: &mut Line) -> Result<()> {
    let object = match of {
        Of::One(object) | Of::Row(object) | Of::Cells(object) => object,
        Of::Header(_) => b"",
    };
    let mut parts = Parts { of, length: template.len(), rest: template };
    match parts.block(object, true, 0, shown)? {
        Stop::End => Ok(()),
        Stop::Word(word) => Err(parts.wrong(text!("unexpected {{%}}"), word)),
    }
}

/// Where a block has ended.
enum Stop<'a> {
    /// With the template.
    End,
    /// At `end` or `else`.
    Word(&'a [u8]),
}

/// How deep blocks may lie in each other.
const DEPTH: usize = 16;

/// A template from where it is filled up to.
struct Parts<'a> {
    of: Of<'a>,
    length: usize,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    /// docker's exit code and beginning where the template is wrong.
    fn wrong(&self, message: Message, what: &[u8]) -> Error {
        let error = Error::new(
            text!("template parsing error: template: :1: %"),
            &[keep(&crate::text::fill(message.bytes(), &[keep(what)]))],
        );
        error.code(64).hint(text!("there are {{.Field.Field}}, json, index, len, range, if, else and end"), &[])
    }

    /// Up to the end, or to the word that ends the block that it is in. What is not shown is still read.
    fn block(&mut self, object: &[u8], show: bool, depth: usize, shown: &mut Line) -> Result<Stop<'a>> {
        while let Some(at) = self.rest.windows(2).position(|two| two == b"{{") {
            let (before, after) = self.rest.split_at_checked(at).unwrap_or_default();
            if show {
                shown.put(before);
            }
            let action = after.get(2..).unwrap_or_default();
            let column = self.length.wrapping_sub(action.len());
            let end = action.windows(2).position(|two| two == b"}}");
            let Some((action, after)) = end.and_then(|end| action.split_at_checked(end)) else {
                return Err(self.wrong(text!("unclosed action"), b""));
            };
            self.rest = after.get(2..).unwrap_or_default();
            let words = words(action);
            match *words {
                [word @ (b"end" | b"else")] => return Ok(Stop::Word(word)),
                [word @ (b"range" | b"if"), of] if depth < DEPTH => {
                    let value = if show { self.field(object, of, column)? } else { b"" };
                    let begin = self.rest;
                    let items: Vec<&[u8]> = match word {
                        b"if" if is_true(value) => vec![object],
                        b"if" => Vec::new(),
                        _ => json::items(value).map(|(_, item)| item).collect(),
                    };
                    let mut stop = None;
                    for &item in &items {
                        self.rest = begin;
                        stop = Some(self.block(item, show, depth.wrapping_add(1), shown)?);
                    }
                    let mut stop = match stop {
                        Some(stop) => stop,
                        None => self.block(object, false, depth.wrapping_add(1), shown)?,
                    };
                    if let Stop::Word(b"else") = stop {
                        stop = self.block(object, show && items.is_empty(), depth.wrapping_add(1), shown)?;
                    }
                    if !matches!(stop, Stop::Word(b"end")) {
                        return Err(self.wrong(text!("unexpected EOF"), b""));
                    }
                }
                _ if show => self.action(action, &words, object, column, shown)?,
                _ => {}
            }
        }
        if show {
            shown.put(self.rest);
        }
        self.rest = b"";
        Ok(Stop::End)
    }

    /// What else stands between `{{` and `}}`.
    fn action(&self, action: &[u8], words: &[&[u8]], object: &[u8], column: usize, shown: &mut Line) -> Result<()> {
        if let Of::Header(headers) = self.of {
            let field = words.iter().find_map(|word| word.strip_prefix(b".")).unwrap_or_default();
            header(field, headers, shown);
            return Ok(());
        }
        let mut line = Line::new();
        match *words {
            [word] if word.starts_with(b"\"") => print(word, &mut line),
            [word] if word.starts_with(b".") => print(self.field(object, word, column)?, &mut line),
            [b"json", word] => _ = line.put(self.field(object, word, column)?),
            [b"len", word] => {
                let value = self.field(object, word, column)?;
                let text = json::text(value).map(|text| text.to_bytes().len());
                line.dec(text.unwrap_or_else(|| json::items(value).count()) as u64);
            }
            [b"index", word, ref keys @ ..] => {
                let found = keys.iter().try_fold(self.field(object, word, column)?, |value, key| {
                    json::member(value, json::text(key).unwrap_or_else(|| keep(key)).to_bytes())
                });
                print(found.unwrap_or(b"\"\""), &mut line);
            }
            // docker's own, of a list.
            [b".Label", key] => {
                let labels = json::text_at(object, "Labels").to_bytes();
                let key = json::text(key).unwrap_or_default().to_bytes();
                let mut entries = split(labels, b',').iter();
                line.put(entries.find_map(|entry| entry.strip_prefix(key)?.strip_prefix(b"=")).unwrap_or_default());
            }
            _ => return Err(self.wrong(text!("{{%}} is not understood"), action)),
        }
        if let Of::Cells(_) = self.of {
            shown.safe(&line)
        } else {
            shown.put(&line)
        };
        Ok(())
    }

    /// `.A.B` of an object, `.` the whole.
    fn field<'o>(&self, object: &'o [u8], path: &[u8], column: usize) -> Result<&'o [u8]> {
        if let Of::Header(_) = self.of {
            return Ok(b"");
        }
        let Some(names) = path.strip_prefix(b".") else {
            return Err(self.wrong(text!("function \"%\" not defined"), path));
        };
        let names = if names.is_empty() { &[][..] } else { split(names, b'.') };
        names.iter().try_fold(object, |value, name| {
            json::member(value, name).ok_or_else(|| self.missing(value, path, name, column))
        })
    }

    fn missing(&self, value: &[u8], path: &[u8], name: &[u8], column: usize) -> Error {
        let (mut at, mut there) = (Line::new(), Line::new());
        for (key, _) in json::items(value) {
            there.put(if there.is_empty() { b"" } else { b", " });
            there.put(json::text(key).unwrap_or_default().to_bytes());
        }
        let pieces = [keep(at.dec(column as u64)), keep(path), keep(name)];
        let message = if let Of::One(_) = self.of {
            text!("template parsing error: template: :1:%: executing \"\" at <%>: map has no entry for key \"%\"")
        } else {
            text!("failed to execute template: template: :1:%: executing \"\" at <%>: can't evaluate field %")
        };
        let hint = if there.is_empty() { Message::NONE } else { text!("there are %") };
        Error::new(message, &pieces).hint(hint, &[keep(&there)])
    }
}

/// What Go's `if` takes for true.
fn is_true(value: &[u8]) -> bool {
    let empty: [&[u8]; 5] = [b"", b"false", b"0", b"null", b"\"\""];
    !empty.contains(&value) && (!matches!(value.first(), Some(b'[' | b'{')) || json::items(value).next().is_some())
}

/// The words of an action; a string in quotes is one.
fn words(action: &[u8]) -> Vec<&[u8]> {
    let (mut words, mut rest) = (Vec::new(), action.trim_ascii());
    while !rest.is_empty() {
        let quoted = rest.starts_with(b"\"");
        // The first quote opens.
        let mut escaped = true;
        let end = rest.iter().position(|&byte| {
            let ends = if quoted { byte == b'"' && !escaped } else { byte.is_ascii_whitespace() };
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

    const OBJECT: &[u8] = br#"{"Id":"ab","State":{"Running":true,"Pid":7,"Health":null},"Args":["a b","c"],"None":[],
        "Mounts":[{"Type":"bind","To":["/a","/b"]},{"Type":"volume","To":[]}],
        "Config":{"Labels":{"my.key":"v","z":""},"Cmd":null}}"#;

    fn inspected(format: &str) -> core::result::Result<String, String> {
        let mut line = Line::new();
        let text = |line: Line| String::from_utf8_lossy(&line).into_owned();
        object(format.as_bytes(), OBJECT, &mut line).map_err(|error| text(error.text()))?;
        Ok(text(line))
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
            ("{{len .Args}}{{len .Id}}{{len .Config.Labels}}{{len .None}}", "2220"),
            ("{{\"\\t\"}}x", "\tx"),
            ("no {braces}", "no {braces}"),
        ] {
            assert_eq!(inspected(format).as_deref(), Ok(want), "{format}");
        }
    }

    #[test]
    fn blocks() {
        for (format, want) in [
            ("{{range .Args}}<{{.}}>{{end}}!", "<a b><c>!"),
            ("{{range .Mounts}}{{.Type}}{{range .To}} {{.}}{{else}} none{{end}};{{end}}", "bind /a /b;volume none;"),
            ("{{range .None}}x{{.Nothing}}{{end}}", ""),
            ("{{if .State.Running}}up{{else}}down{{end}} {{if .None}}a{{else}}b{{end}}", "up b"),
            ("{{if .State.Health}}{{range .Args}}{{if .}}{{end}}{{end}}{{end}}.", "."),
        ] {
            assert_eq!(inspected(format).as_deref(), Ok(want), "{format}");
        }
        for wrong in ["{{end}}", "{{else}}", "{{range .Args}}", "{{if .Id}}{{else}}", &"{{if .Id}}".repeat(30)] {
            assert!(inspected(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        assert_eq!(
            inspected("{{.State.Foo}}").err().unwrap_or_default(),
            "mydocker: template parsing error: template: :1:2: executing \"\" at <.State.Foo>: map has no entry for key \"Foo\"\n\
             hint: there are Running, Pid, Health\n"
        );
        for (format, want) in [
            ("{{with .Args}}{{.}}{{end}}", "{{with .Args}} is not understood"),
            ("{{.Id", "template parsing error: template: :1: unclosed action\n"),
            ("{{}}", "is not understood"),
            ("{{json}}", "is not understood"),
            ("{{json x}}", "function \"x\" not defined"),
        ] {
            let said = inspected(format).err().unwrap_or_default();
            assert!(said.contains(want), "{said}");
        }
    }
}
