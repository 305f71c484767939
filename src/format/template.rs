//! The part of Go's templates that docker's users write: `{{.State.Status}}`, `{{json .}}`, `{{index .Labels "key"}}`, blocks of `range`,
//! `if` and `with`, perhaps with `{{else}}`, to `{{end}}`; variables, pipes, parentheses, and `{{-` and `-}}`.

use super::header;
use crate::error::{Error, Result};
use crate::inspect::decimal;
use crate::json::{self, write};
use crate::sys::name::Text;
use crate::text::{Line, Message, Push, fill, is, keep, separated, split, until};

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
pub fn expand<'a>(template: &'a [u8], of: Of<'a>, shown: &mut Line) -> Result<()> {
    let object = match of {
        Of::One(object) | Of::Row(object) | Of::Cells(object) => object,
        Of::Header(_) => b"",
    };
    let mut parts = Parts { of, length: template.len(), rest: template, variables: vec![b"$", object] };
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
    /// Those that hold here, each followed by its value; `$` is the object.
    variables: Vec<&'a [u8]>,
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
        error.code(64).hint(
            text!("there are {{.Field.Field}}, range, if, with, else, end, json, index, len, join, println and more"),
            &[],
        )
    }

    /// Up to the end, or to the word that ends the block that it is in. What is not shown is still read.
    fn block(&mut self, object: &'a [u8], show: bool, depth: usize, shown: &mut Line) -> Result<&'a [u8]> {
        while let Some((before, action)) = cut(self.rest, b"{{") {
            let column = self.length.wrapping_sub(action.len());
            let Some((action, after)) = cut(action, b"}}") else {
                return Err(self.wrong(text!("unclosed action"), b""));
            };
            let trims = action.strip_prefix(b"- ");
            if show {
                shown.put(if trims.is_some() { before.trim_ascii_end() } else { before });
            }
            let action = trims.unwrap_or(action);
            let (action, after) = match action.strip_suffix(b" -") {
                Some(action) => (action, after.trim_ascii_start()),
                None => (action, after),
            };
            self.rest = after;
            let words = words(action);
            let at = words.iter().position(|&word| word == b":=");
            let (names, of) = match at.and_then(|at| words.split_at_checked(at)) {
                Some((names, of)) => (names, of.get(1..).unwrap_or_default()),
                None => (&[][..], words.get(1..).unwrap_or_default()),
            };
            match *words {
                [word @ (b"end" | b"else")] => return Ok(word),
                [word @ (b"range" | b"if" | b"with"), _, ..] if depth < DEPTH => {
                    let value = if show { self.value(object, of, column, 0)? } else { b"" };
                    // The others are a `range` of the object itself, or of the value, or of nothing.
                    let (mut items, mut once) = (json::items(value), word != b"range" && is_true(value));
                    let (mut stop, mut shows, mut number): (&[u8], _, _) = (b"", false, 0_u64);
                    let outer = self.variables.len();
                    loop {
                        let item = match word {
                            b"range" => items.next(),
                            _ => core::mem::take(&mut once).then_some((&b""[..], value)),
                        };
                        // Without an item it is only read.
                        if item.is_some() || !shows {
                            self.rest = after;
                            let (key, value) = item.unwrap_or_default();
                            match *names {
                                [_, name] => self.variables.extend_from_slice(&[name, value]),
                                [_, at, name] => {
                                    let key = if key.is_empty() { decimal(number).to_bytes() } else { key };
                                    self.variables.extend_from_slice(&[at, key, name, value]);
                                }
                                _ => {}
                            }
                            number = number.wrapping_add(1);
                            let dot = if word == b"if" { object } else { value };
                            stop = self.block(dot, item.is_some(), depth.wrapping_add(1), shown)?;
                            self.variables.truncate(outer);
                        }
                        shows |= item.is_some();
                        if item.is_none() {
                            break;
                        }
                    }
                    if stop == b"else" {
                        stop = self.block(object, show && !shows, depth.wrapping_add(1), shown)?;
                        self.variables.truncate(outer);
                    }
                    if stop != b"end" {
                        return Err(self.wrong(text!("unexpected EOF"), b""));
                    }
                }
                _ if !show => {}
                [name, b":=", ..] => {
                    let value = self.value(object, of, column, 0)?;
                    self.variables.extend_from_slice(&[name, value]);
                }
                ref words => self.action(words, object, column, shown)?,
            }
        }
        if show {
            shown.put(self.rest);
        }
        self.rest = b"";
        Ok(b"")
    }

    /// What else stands between `{{` and `}}`.
    fn action(&self, words: &[&[u8]], object: &'a [u8], column: usize, shown: &mut Line) -> Result<()> {
        if let Of::Header(headers) = self.of {
            match *words {
                // docker's own, of a list.
                [b".Label", key] => _ = shown.put(text(key).to_bytes()),
                _ => {
                    let field = words.iter().find_map(|word| word.strip_prefix(b".")).unwrap_or_default();
                    header(field, headers, shown);
                }
            }
            return Ok(());
        }
        let mut line = Line::new();
        print(self.value(object, words, column, 0)?, &mut line);
        if let Of::Cells(_) = self.of {
            shown.safe(&line)
        } else {
            shown.put(&line)
        };
        Ok(())
    }

    /// What commands with pipes between come to: each one's value is the last argument of the next.
    fn value(&self, dot: &'a [u8], words: &[&[u8]], column: usize, depth: usize) -> Result<&'a [u8]> {
        if let Of::Header(_) = self.of {
            return Ok(b"");
        }
        let (mut name, mut values, mut piped) = (&b""[..], Vec::new(), None);
        let mut first = true;
        for word in words.iter().copied().chain([&b"|"[..]]) {
            if word == b"|" {
                values.extend(piped);
                let value = call(name, &values, dot);
                piped = Some(value.ok_or_else(|| self.wrong(text!("{{%}} is not understood"), name))?);
                (name, first) = (b"", true);
                values.clear();
            } else if core::mem::take(&mut first) && is_function(word) {
                name = word;
            } else {
                values.push(self.operand(dot, word, column, depth)?);
            }
        }
        Ok(piped.unwrap_or_default())
    }

    /// A string, a number, `.A.B`, `$name.A` or `(command).A`.
    fn operand(&self, dot: &'a [u8], word: &[u8], column: usize, depth: usize) -> Result<&'a [u8]> {
        let (value, path) = match *word {
            [b'"' | b'-' | b'0'..=b'9', ..] => return Ok(keep(word).to_bytes()),
            _ if is(word, "true false") => return Ok(keep(word).to_bytes()),
            [b'.', ..] => (dot, word),
            [b'$', ..] => {
                let name = until(word, b'.');
                let at = self.variables.iter().rposition(|&of| of == name);
                match at.and_then(|at| self.variables.get(at.wrapping_add(1))) {
                    Some(value) => (*value, word.get(name.len()..).unwrap_or_default()),
                    None => return Err(self.wrong(text!("undefined variable \"%\""), name)),
                }
            }
            [b'(', ref inner @ ..] if depth < DEPTH => {
                let end = inner.iter().rposition(|&byte| byte == b')').unwrap_or(inner.len());
                let (inner, path) = inner.split_at_checked(end).unwrap_or_default();
                (self.value(dot, &words(inner), column, depth.wrapping_add(1))?, path.get(1..).unwrap_or_default())
            }
            _ => return Err(self.wrong(text!("function \"%\" not defined"), word)),
        };
        let names = path.strip_prefix(b".").filter(|names| !names.is_empty());
        let names = names.map_or(&[][..], |names| split(names, b'.'));
        names.iter().try_fold(value, |value, name| {
            json::member(value, name).ok_or_else(|| self.missing(value, word, name, column))
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

/// Whether a word is what a command begins with: letters, or docker's own `.Label`.
fn is_function(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_alphabetic) && !is(word, "true false") || word == b".Label"
}

/// What a function makes of values; None where it cannot.
fn call<'a>(name: &[u8], values: &[&'a [u8]], dot: &[u8]) -> Option<&'a [u8]> {
    let truth = |is: bool| Some(if is { &b"true"[..] } else { b"false" });
    let mut line = Line::new();
    match (name, values) {
        (b"", [value]) => return Some(value),
        (b"json", [value]) => _ = line.put(value),
        (b"len", [value]) => {
            let text = json::text(value).map(|text| text.to_bytes().len());
            return Some(decimal(text.unwrap_or_else(|| json::items(value).count()) as u64).to_bytes());
        }
        (b"index", [value, keys @ ..]) => {
            let found = keys.iter().try_fold(*value, |value, key| json::member(value, text(key).to_bytes()));
            return Some(found.unwrap_or(b"\"\""));
        }
        (b"eq" | b"ne", [one, others @ ..]) => return truth(others.contains(one) == (name == b"eq")),
        (b"not", [value]) => return truth(!is_true(value)),
        (b"and" | b"or", [.., last]) => {
            return Some(values.iter().find(|value| is_true(value) == (name == b"or")).unwrap_or(last));
        }
        (b"upper" | b"lower", [value]) => {
            print(value, &mut line);
            if name == b"upper" {
                line.make_ascii_uppercase()
            } else {
                line.make_ascii_lowercase()
            };
        }
        (b"join", [list, by]) => {
            for (_, item) in json::items(list) {
                line.put(if line.is_empty() { b"" } else { text(by).to_bytes() });
                print(item, &mut line);
            }
        }
        (b"print" | b"println", _) => {
            for value in values {
                line.put(if line.is_empty() { b"" } else { b" " });
                print(value, &mut line);
            }
            line.put(if name == b"print" { b"" } else { b"\n" });
        }
        // docker's own, of a row.
        (b".Label", [key]) => {
            let mut entries = split(json::text_at(dot, "Labels").to_bytes(), b',').iter();
            let key = text(key).to_bytes();
            line.put(entries.find_map(|entry| entry.strip_prefix(key)?.strip_prefix(b"=")).unwrap_or_default());
        }
        _ => return None,
    }
    let mut quoted = Line::new();
    write::quote(&mut quoted, &line);
    Some(keep(&quoted).to_bytes())
}

/// A string's text, or the value as it is.
fn text(value: &[u8]) -> Text {
    json::text(value).unwrap_or_else(|| keep(value))
}

/// What Go's `if` takes for true.
fn is_true(value: &[u8]) -> bool {
    let empty: [&[u8]; 5] = [b"", b"false", b"0", b"null", b"\"\""];
    !empty.contains(&value) && (!matches!(value.first(), Some(b'[' | b'{')) || json::items(value).next().is_some())
}

/// The words of an action; a string in quotes is one, and so is what is in parentheses.
fn words(action: &[u8]) -> Vec<&[u8]> {
    let (mut words, mut rest) = (Vec::new(), action.trim_ascii());
    while !rest.is_empty() {
        let (mut end, mut quoted, mut inside) = (0, false, 0_usize);
        while let Some(&byte) = rest.get(end) {
            if !quoted && inside == 0 && matches!(byte, b' ' | b'\t' | b'\n' | b'|' | b',') {
                break;
            }
            quoted ^= byte == b'"';
            inside = match byte {
                b'(' if !quoted => inside.wrapping_add(1),
                b')' if !quoted => inside.saturating_sub(1),
                _ => inside,
            };
            // What is escaped ends nothing.
            end = end.wrapping_add(if quoted && byte == b'\\' { 2 } else { 1 });
        }
        // A pipe, or a comma, which stands between two names.
        let (word, after) = rest.split_at_checked(end.max(1)).unwrap_or((rest, b""));
        if word != b"," {
            words.push(word);
        }
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
            ("{{join .Args \", \"}} {{.Args|json|len}} {{println .Id 1}}{{println}}", "a b, c 11 ab 1\n\n"),
            ("{{(index .Mounts 1).Type}} {{index (index .Mounts 0).To 1}}", "volume /b"),
            ("a  {{- .Id -}}  \n b {{ .Id | upper}}", "aabb AB"),
            ("{{$x := .State}}{{$x.Pid}}{{$.Id}} {{lower \"AB\"}}", "7ab ab"),
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
            (
                "{{range $k, $v := .State}}{{$k}}={{$v}} {{end}}{{range $i,$e := .Args}}{{$i}}{{$e}}{{$.Id}}{{end}}",
                "Running=true Pid=7 Health=[] 0a bab1cab",
            ),
            ("{{with .State}}{{.Pid}}{{end}}{{with .None}}x{{else}}{{.Id}}{{end}}", "7ab"),
            (
                "{{if and (eq .Id \"x\" \"ab\") (not .None)}}a{{end}}{{if or .None (ne .Id \"ab\")}}b{{end}}{{if eq (len .Args) 2}}c{{end}}",
                "ac",
            ),
            ("{{range $x := .Args}}{{end}}{{if $y := .Id}}{{$y}}{{end}}", "ab"),
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
            ("{{nosuch .Args}}", "{{nosuch}} is not understood"),
            ("{{$x}}", "undefined variable \"$x\""),
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
