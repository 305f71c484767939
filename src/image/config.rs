//! The OCI config of an image: what it says about the command, and what `import` and `commit` write.

use crate::cli::clean;
use crate::error::{Error, Result};
use crate::format::human;
use crate::json::{self, write};
use crate::sys::name::{Name, Text, t};
use crate::sys::process;
use crate::text::{Line, Push, filled, is, keep, split, split_once, until};

/// What a config says about the command.
#[derive(Clone, Default)]
pub struct Config {
    /// In the order of `Part`.
    parts: [Vec<Text>; 9],
    /// Members that mean nothing here, as they were.
    rest: Line,
}

/// What it can say. Order and number as in `NAMES`.
#[derive(Clone, Copy)]
pub enum Part {
    /// `NAME=value`.
    Env,
    /// The command, or the entrypoint's arguments.
    Cmd,
    /// What comes before them.
    Entrypoint,
    /// Who runs the command, as for -u.
    User,
    /// Where it starts.
    Cwd,
    /// What `stop` sends.
    StopSignal,
    /// Paths that get an anonymous volume.
    Volumes,
    /// `80/tcp`.
    Ports,
    /// `NAME=value`.
    Labels,
}

/// An array each up to Entrypoint, then strings, and from Volumes on objects.
const NAMES: &str = "Env Cmd Entrypoint User WorkingDir StopSignal Volumes ExposedPorts Labels";

impl Config {
    /// Of an OCI config. What is missing, or of another type, is not said.
    pub fn read(document: &[u8]) -> Self {
        let mut config = Self::default();
        for (quoted, value) in json::items(json::get(document, "config").unwrap_or_default()) {
            let name = json::text(quoted).unwrap_or_default().to_bytes();
            let at = split(NAMES.as_bytes(), b' ').iter().position(|of| *of == name);
            let Some(part) = at.and_then(|at| config.parts.get_mut(at)) else {
                if !is(value, "null \"\" false {} []") {
                    config.rest.put(b",").put(quoted).put(b":").put(value);
                }
                continue;
            };
            *part = json::text(value).filter(|word| !word.is_empty()).into_iter().collect();
            part.extend(json::items(value).filter_map(|(key, value)| match (key, json::text(value)) {
                (b"", text) => text,
                (_, Some(text)) => Some(filled("%=%", &[json::text(key)?, text])),
                _ => json::text(key),
            }));
        }
        config
    }

    /// What it says of a part.
    pub fn list(&self, part: Part) -> &[Text] {
        self.parts.get(part as usize).map_or(&[], |part| part)
    }

    /// The same of what is one word; empty where nothing is said.
    pub fn word(&self, part: Part) -> Text {
        self.list(part).first().copied().unwrap_or_default()
    }

    /// Says something else of a part.
    pub fn set(&mut self, part: Part, said: Vec<Text>) {
        if let Some(part) = self.parts.get_mut(part as usize) {
            *part = said;
        }
    }

    /// Whether a start does as well without it.
    fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }

    /// As JSON, in one line.
    pub fn json(&self) -> Text {
        let mut line = Line::new();
        for (at, (name, part)) in split(NAMES.as_bytes(), b' ').iter().zip(&self.parts).enumerate() {
            if part.is_empty() {
                continue;
            }
            write::quote(line.put(b","), name);
            line.put(b":");
            if at < Part::User as usize {
                line.put(write::array(part, false).to_bytes());
            } else if at < Part::Volumes as usize {
                write::quote(&mut line, part.first().copied().unwrap_or_default().to_bytes());
            } else if at < Part::Labels as usize {
                let mut set = Line::new();
                for word in part {
                    write::quote(set.put(b","), word.to_bytes());
                    set.put(b":{}");
                }
                line.put(b"{").put(set.get(1..).unwrap_or_default()).put(b"}");
            } else {
                line.put(write::map(part).to_bytes());
            }
        }
        line.put(&self.rest);
        filled("{%}", &[keep(line.get(1..).unwrap_or_default())])
    }

    /// A Dockerfile's instruction, as --change has it.
    pub fn change(&mut self, instruction: Text) -> Result<()> {
        let text = instruction.to_bytes().trim_ascii();
        let (word, rest) = split_once(text, b' ').unwrap_or((text, b""));
        let (small, word, rest) = (word.to_ascii_lowercase(), word.to_ascii_uppercase(), rest.trim_ascii());
        let wrong = || {
            Error::new(text!("% is not a valid change command"), &[keep(&small)])
                .hint(text!("such as CMD [\"sh\"] or ENV NAME=value: %"), &[instruction])
        };
        if rest.is_empty() {
            return Err(wrong());
        }
        let array = json::document(rest).filter(|value| value.starts_with(b"["));
        let listed = || array.map(|array| json::items(array).filter_map(|(_, item)| json::text(item)).collect());
        let one = || vec![keep(rest)];
        if is(&word, "CMD ENTRYPOINT") {
            let words = listed().unwrap_or_else(|| vec![t(c"/bin/sh"), t(c"-c"), keep(rest)]);
            let entrypoint = word.starts_with(b"E");
            self.set(if entrypoint { Part::Entrypoint } else { Part::Cmd }, words);
        } else if is(&word, "ENV LABEL") {
            let (words, old) = (quoted(rest), split_once(rest, b' '));
            let words = match old {
                // The old form: the rest of the line is the value.
                Some((name, value)) if !name.contains(&b'=') => {
                    vec![filled("%=%", &[keep(name), keep(value.trim_ascii())])]
                }
                _ => words,
            };
            let part = if word.starts_with(b"E") { Part::Env } else { Part::Labels };
            for entry in words {
                let name = until(entry.to_bytes(), b'=');
                if name.is_empty() || name.len() == entry.to_bytes().len() {
                    return Err(wrong());
                }
                if let Some(list) = self.parts.get_mut(part as usize) {
                    put(list, entry);
                }
            }
        } else if is(&word, "VOLUME") {
            let mut all: Vec<Text> = self.list(Part::Volumes).into();
            all.extend(listed().unwrap_or_else(|| quoted(rest)));
            self.set(Part::Volumes, all);
        } else if is(&word, "EXPOSE") {
            let mut all: Vec<Text> = self.list(Part::Ports).into();
            let protocol = |port: Text| if port.to_bytes().contains(&b'/') { port } else { filled("%/tcp", &[port]) };
            all.extend(quoted(rest).into_iter().map(protocol));
            self.set(Part::Ports, all);
        } else if is(&word, "USER") {
            self.set(Part::User, one());
        } else if is(&word, "WORKDIR") {
            let before = if rest.starts_with(b"/") { t(c"") } else { self.word(Part::Cwd) };
            let path = filled("/%/%", &[before, keep(rest)]);
            self.set(Part::Cwd, vec![keep(&clean(path.to_bytes()))]);
        } else {
            return Err(wrong());
        }
        Ok(())
    }
}

/// Over the entry of that name, or behind the others.
pub fn put(entries: &mut Vec<Text>, entry: Text) {
    let name = until(entry.to_bytes(), b'=');
    match entries.iter_mut().find(|other| until(other.to_bytes(), b'=') == name) {
        Some(other) => *other = entry,
        None => entries.push(entry),
    }
}

/// Words with blanks between, quoted as in a Dockerfile.
fn quoted(bytes: &[u8]) -> Vec<Text> {
    let (mut words, mut word, mut quote, mut escaped) = (Vec::new(), Line::new(), 0, false);
    for &byte in bytes.iter().chain(b" ") {
        if escaped {
            word.push(byte);
            escaped = false;
        } else if byte == b'\\' && quote != b'\'' {
            escaped = true;
        } else if byte == quote {
            quote = 0;
        } else if quote == 0 && matches!(byte, b'"' | b'\'') {
            quote = byte;
        } else if quote == 0 && byte.is_ascii_whitespace() {
            if !word.is_empty() {
                words.push(keep(&word));
                word = Line::new();
            }
        } else {
            word.push(byte);
        }
    }
    words
}

/// Whether a start does as well without reading this config.
pub fn is_bare(document: &[u8]) -> bool {
    Config::read(document).is_empty()
}

/// This machine's architecture, as Go calls it.
pub const ARCHITECTURE: Text = if cfg!(target_arch = "aarch64") { t(c"arm64") } else { t(c"amd64") };

/// A whole config. `history` is what came before the last step, as JSON items with a comma after each; `step` are that step's
/// `created_by`, its comment and who made it, each perhaps empty.
pub fn document(config: &Config, layers: &[Text], created: u64, history: &[u8], step: [Name; 3]) -> Line {
    let created = human::time(created);
    let [by, comment, author] = step;
    // A member, and behind it those that are said.
    let with = |first: Text, names: &[(Text, Name)]| {
        let mut line = Line::new();
        write::quote(&mut line, first.to_bytes());
        for (name, word) in names.iter().filter(|(_, word)| !word.is_empty()) {
            write::quote(line.put(b","), name.to_bytes());
            write::quote(line.put(b":"), word.to_bytes());
        }
        keep(&line)
    };
    let (author, comment) = ((t(c"author"), author), (t(c"comment"), comment));
    let last = filled("{\"created\":%", &[with(created, &[author, (t(c"created_by"), by), comment])]);
    let history = filled("[%%}]", &[keep(history), last]);
    let layers: Vec<Text> = layers.iter().map(|&layer| filled("sha256:%", &[layer])).collect();
    let text = write::object(
        text!("architecture# config# created history# os rootfs{ type diff_ids# }"),
        &[
            with(ARCHITECTURE, &[author, comment]),
            config.json(),
            created,
            history,
            t(c"linux"),
            t(c"layers"),
            write::array(&layers, false),
        ],
    );
    let mut line = Line::new();
    line.put(text.to_bytes());
    line
}

/// The wall clock in nanoseconds since 1970.
pub fn now() -> u64 {
    let (seconds, nanoseconds) = process::now();
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
}

/// The config of a root file system that is imported: docker's words where there is no message, to which it is always a stream.
pub fn imported(config: &Config, layers: &[Text], message: Option<Text>) -> Line {
    let message = message.unwrap_or(t(c"Imported from -"));
    document(config, layers, now(), b"", [t(c""), message, t(c"")])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &[u8] = br#"{"config": {"Env": ["A=1", "B=2"], "Cmd": ["sh", "-c", "x \"y\""], "Entrypoint": null, "User": "",
        "WorkingDir": "/w", "Volumes": {"/v": {}, "/u": {}}, "Labels": {"a": "b=c", "d": ""}, "ExposedPorts": {"80/tcp": {}},
        "OnBuild": null, "Healthcheck": {"Test": ["NONE"]}}}"#;

    fn listed(config: &Config, part: Part) -> Vec<String> {
        config.list(part).iter().map(|word| String::from_utf8_lossy(word.to_bytes()).into_owned()).collect()
    }

    #[test]
    fn what_a_config_says() {
        let config = Config::read(DOCUMENT);
        assert_eq!(listed(&config, Part::Env), ["A=1", "B=2"]);
        assert_eq!(listed(&config, Part::Cmd), ["sh", "-c", "x \"y\""]);
        assert_eq!(listed(&config, Part::Entrypoint), [""; 0]);
        assert_eq!(config.word(Part::User), t(c""));
        assert_eq!(config.word(Part::Cwd), t(c"/w"));
        assert_eq!(listed(&config, Part::Volumes), ["/v", "/u"]);
        assert_eq!(listed(&config, Part::Labels), ["a=b=c", "d="]);
        assert_eq!(listed(&config, Part::Ports), ["80/tcp"]);
        assert!(!is_bare(DOCUMENT));
        for bare in [
            &b""[..],
            b"{}",
            b"{\"config\":null}",
            b"{\"config\":{}}",
            b"{\"config\":{\"User\":\"\",\"Env\":null,\"Tty\":false}}",
        ] {
            assert!(is_bare(bare));
        }
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let config = Config::read(DOCUMENT);
        let text = config.json();
        assert!(json::document(text.to_bytes()).is_some());
        let again = filled("{\"config\":%}", &[text]);
        assert_eq!(Config::read(again.to_bytes()).json(), text);
        assert_eq!(json::get(text.to_bytes(), "Healthcheck Test 0"), Some(&b"\"NONE\""[..]));
        assert_eq!(json::get(text.to_bytes(), "Volumes /v"), Some(&b"{}"[..]));
        assert_eq!(json::get(text.to_bytes(), "OnBuild"), None);
        assert_eq!(Config::default().json(), t(c"{}"));
    }

    #[test]
    fn changes_are_a_dockerfiles_instructions() {
        let mut config = Config::default();
        for change in [
            c"CMD [\"a\", \"b c\"]",
            c"entrypoint echo $HOME",
            c"ENV A=1 B='x y' C=\"q\\\"\" D=a\\ b",
            c"ENV A 2 and more",
            c"WORKDIR /a",
            c"WORKDIR b/../c",
            c"USER daemon:1",
            c"EXPOSE 80 53/udp",
            c"VOLUME /v /w",
            c"VOLUME [\"/x y\"]",
            c"LABEL k=v",
        ] {
            assert!(config.change(t(change)).is_ok(), "{change:?}");
        }
        assert_eq!(listed(&config, Part::Cmd), ["a", "b c"]);
        assert_eq!(listed(&config, Part::Entrypoint), ["/bin/sh", "-c", "echo $HOME"]);
        assert_eq!(listed(&config, Part::Env), ["A=2 and more", "B=x y", "C=q\"", "D=a b"]);
        assert_eq!(listed(&config, Part::Cwd), ["/a/c"]);
        assert_eq!(listed(&config, Part::User), ["daemon:1"]);
        assert_eq!(listed(&config, Part::Ports), ["80/tcp", "53/udp"]);
        assert_eq!(listed(&config, Part::Volumes), ["/v", "/w", "/x y"]);
        assert_eq!(listed(&config, Part::Labels), ["k=v"]);
        for wrong in [c"", c"CMD", c"RUN x", c"ENV x", c"ENV =x", c"LABEL x", c"FROM scratch"] {
            assert!(config.change(t(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_imported_one_is_as_docker_writes_it() {
        let layers = ["a".repeat(64)].map(|digit| keep(digit.as_bytes()));
        let text = document(
            &Config::default(),
            &layers,
            1_795_503_600_000_000_000,
            b"",
            [t(c""), t(c"Imported from -"), t(c"")],
        );
        let layer = "a".repeat(64);
        assert_eq!(
            String::from_utf8_lossy(&text),
            "{\"architecture\":\"amd64\",\"comment\":\"Imported from -\",\"config\":{},\"created\":\"2026-11-24T07:00:00Z\",\"history\":\
             [{\"created\":\"2026-11-24T07:00:00Z\",\"comment\":\"Imported from -\"}],\"os\":\"linux\",\"rootfs\":\
             {\"type\":\"layers\",\"diff_ids\":[\"sha256:"
                .to_owned()
                + &layer
                + "\"]}}"
        );
    }
}
