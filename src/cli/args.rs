//! The arguments taken apart: long flags with one dash or two, clusters of short ones, values attached or apart.

use super::nearest::nearest;
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::name::t;
use crate::text::{keep, split_once};

/// What a command knows as flags.
pub trait Known {
    /// The command, for messages.
    fn command(&self) -> Text;
    /// The long names; a flag is known by its place among them.
    fn names(&self) -> &'static [&'static [u8]];
    /// The flag of a letter.
    fn short(&self, letter: u8) -> Option<usize>;
    /// Whether it takes no value of its own.
    fn is_switch(&self, flag: usize) -> bool;
}

/// The name of a flag.
pub fn name(known: &dyn Known, flag: usize) -> Text {
    known.names().get(flag).map_or(t(c""), |name| keep(name))
}

/// What is left of the arguments.
pub struct Args<'a> {
    known: &'a dyn Known,
    words: &'static [Text],
    /// What is left of a word such as `-it`: short flags, the last perhaps with its value.
    cluster: &'static [u8],
    /// `--` was there: no more flags.
    ended: bool,
}

impl<'a> Args<'a> {
    pub fn new(known: &'a dyn Known, words: &'static [Text]) -> Self {
        Self { known, words, cluster: b"", ended: false }
    }

    /// What stands behind the flags.
    pub fn rest(&self) -> &'static [Text] {
        self.words
    }

    /// A word where flags may stand behind words too.
    pub fn word(&mut self) -> Option<Text> {
        let (&word, rest) = self.words.split_first()?;
        self.words = rest;
        Some(word)
    }

    /// The next flag with its value; None where the flags end: at the first word, at `--`, at the end.
    pub fn next(&mut self) -> Result<Option<(usize, Text)>> {
        if self.cluster.is_empty() {
            let Some((word, rest)) = self.words.split_first().filter(|_| !self.ended) else { return Ok(None) };
            let name = match word.to_bytes() {
                [b'-', name @ ..] if !name.is_empty() => name,
                _ => return Ok(None),
            };
            self.words = rest;
            if name == b"-" {
                self.ended = true;
                return Ok(None);
            }
            let long = name.strip_prefix(b"-").unwrap_or(name);
            let (long, value) = match split_once(long, b'=') {
                Some((long, value)) => (long, Some(value)),
                None => (long, None),
            };
            if let Some(flag) = self.known.names().iter().position(|&of| of == long) {
                return self.value(flag, value);
            }
            if name.starts_with(b"-") {
                return Err(self.unknown("--", long));
            }
            self.cluster = name;
        }
        let (letter, rest) = self.cluster.split_at_checked(1).unwrap_or_default();
        let Some(flag) = letter.first().and_then(|&letter| self.known.short(letter)) else {
            return Err(self.unknown("-", self.cluster));
        };
        // Of -it the t is a flag, not the value of -i.
        if self.known.is_switch(flag) && !rest.starts_with(b"=") {
            self.cluster = rest;
            return self.value(flag, None);
        }
        self.cluster = b"";
        let value = rest.strip_prefix(b"=").unwrap_or(rest);
        self.value(flag, if rest.is_empty() { None } else { Some(value) })
    }

    /// A flag with the value that was attached to it; else the next word, or what a switch alone means.
    fn value(&mut self, flag: usize, attached: Option<&[u8]>) -> Result<Option<(usize, Text)>> {
        let value = match attached {
            Some(value) => keep(value),
            None if self.known.is_switch(flag) => t(c"true"),
            None => match self.word() {
                Some(value) => value,
                None => return Err(self.help(Error::new(text!("--% needs a value"), &[name(self.known, flag)]))),
            },
        };
        Ok(Some((flag, value)))
    }

    fn help(&self, error: Error) -> Error {
        error.hint(text!("mydocker % --help lists the flags"), &[self.known.command()])
    }

    /// With the nearest flag's name, if it is near: for typing errors.
    fn unknown(&self, dashes: &str, typed: &[u8]) -> Error {
        let error = Error::new(text!("unknown flag: %%"), &[keep(dashes.as_bytes()), keep(typed)]);
        match nearest(typed, &mut self.known.names().iter().map(|name| keep(name))) {
            Some(name) => error.hint(text!("did you mean --%?"), &[name]),
            None => self.help(error),
        }
    }
}
