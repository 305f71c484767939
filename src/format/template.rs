//! The part of Go's templates that docker's users write: `{{.State.Status}}`, `{{json .}}`, `{{index .Labels "key"}}`,
//! `{{len .Mounts}}`, and what is between `{{range .Mounts}}` or `{{if .State.Running}}`, perhaps `{{else}}`, and `{{end}}`.

use super::header;
use crate::error::{Error, Result};
use crate::inspect::decimal;
use crate::json;
use crate::text::{Line, Message, Push, fill, keep, separated, split};

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
        b"" => Ok(()),
        word => Err(parts.wrong(text!("unexpected {{%}}"), word)),
    }
}

/// How deep blocks may lie in each other.
const DEPTH: usize = 16;

/// A template from where it is filled up to.
struct Parts<'a> {
    of: Of<'a>,
    length: usize,
    rest: &'a [u8],
}

/// `text` cut at the first of two braces, which belong to neither part.
fn cut<'a>(text: &'a [u8], braces: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(2).position(|two| two == braces)?;
    Some((text.get(..at)?, text.get(at.wrapping_add(2)..)?))
}

impl<'a> Parts<'a> {
    /// docker's exit code and beginning where the template is wrong.
    fn wrong(&self, message: Message, what: &[u8]) -> Error {
        let said = keep(&fill(message.bytes(), &[keep(what)]));
        let error = Error::new(text!("template parsing error: template: :1: %"), &[said]);
        error.code(64).hint(text!("there are {{.Field.Field}}, json, index, len, range, if, else and end"), &[])
    }

    /// Up to the end, or to the word that ends the block that it is in. What is not shown is still read.
    fn block(&mut self, object: &[u8], show: bool, depth: usize, shown: &mut Line) -> Result<&'a [u8]> {
        while let Some((before, action)) = cut(self.rest, b"{{") {
            if show {
                shown.put(before);
            }
            let column = self.length.wrapping_sub(action.len());
            let Some((action, after)) = cut(action, b"}}") else {
                return Err(self.wrong(text!("unclosed action"), b""));
            };
            self.rest = after;
            match *words(action) {
                [word @ (b"end" | b"else")] => return Ok(word),
                [word @ (b"range" | b"if"), of] if depth < DEPTH => {
                    let value = if show { self.field(object, of, column)? } else { b"" };
                    // `if` is a `range` of the object itself, or of nothing.
                    let (mut items, mut once) = (json::items(value), word == b"if" && is_true(value));
                    let (mut stop, mut shows): (&[u8], bool) = (b"", false);
                    loop {
                        let item = match word {
                            b"if" => core::mem::take(&mut once).then_some(object),
                            _ => items.next().map(|(_, item)| item),
                        };
                        // Without an item it is only read.
                        if item.is_some() || !shows {
                            self.rest = after;
                            stop = self.block(item.unwrap_or(object), item.is_some(), depth.wrapping_add(1), shown)?;
                        }
                        shows |= item.is_some();
                        if item.is_none() {
                            break;
                        }
                    }
                    if stop == b"else" {
                        stop = self.block(object, show && !shows, depth.wrapping_add(1), shown)?;
                    }
                    if stop != b"end" {
                        return Err(self.wrong(text!("unexpected EOF"), b""));
                    }
                }
                ref words if show => self.action(action, words, object, column, shown)?,
                _ => {}
            }
        }
        if show {
            shown.put(self.rest);
        }
        self.rest = b"";
        Ok(b"")
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
        let mut there = Vec::new();
        for (key, _) in json::items(value) {
            there.extend(json::text(key));
        }
        let pieces = [decimal(column as u64), keep(path), keep(name)];
        let message = if let Of::One(_) = self.of {
            text!("template parsing error: template: :1:%: executing \"\" at <%>: map has no entry for key \"%\"")
        } else {
            text!("failed to execute template: template: :1:%: executing \"\" at <%>: can't evaluate field %")
        };
        let hint = if there.is_empty() { Message::NONE } else { text!("there are %") };
        Error::new(message, &pieces).hint(hint, &[separated(&there, b", ")])
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
        let (mut end, mut quoted) = (0, false);
        while let Some(byte) = rest.get(end).filter(|byte| quoted || !byte.is_ascii_whitespace()) {
            quoted ^= *byte == b'"';
            // What is escaped ends nothing.
            end = end.wrapping_add(if quoted && *byte == b'\\' { 2 } else { 1 });
        }
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
