//! The arguments taken apart: long flags with one dash or two, clusters of short ones, values attached or apart.

use super::nearest::nearest;
use super::{Flag, NAMES, kind};
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::name::t;
use crate::text::{Message, keep, split, split_once};

/// What is left of the arguments.
pub struct Args {
    words: &'static [Text],
    /// What is left of a word such as `-it`: short flags, the last perhaps with its value.
    cluster: &'static [u8],
}

impl Args {
    pub fn new(words: &'static [Text]) -> Self {
        Self { words, cluster: b"" }
    }

    /// What stands behind the flags.
    pub fn rest(&self) -> &'static [Text] {
        self.words
    }

    /// The next flag with its value; None where the flags end: at the first word, at `--`, at the end.
    pub fn next(&mut self) -> Result<Option<(Flag, Text)>> {
        if self.cluster.is_empty() {
            let Some((word, rest)) = self.words.split_first() else { return Ok(None) };
            let name = match word.to_bytes() {
                [b'-', name @ ..] if !name.is_empty() => name,
                _ => return Ok(None),
            };
            self.words = rest;
            if name == b"-" {
                return Ok(None);
            }
            let long = name.strip_prefix(b"-").unwrap_or(name);
            let (long, value) = match split_once(long, b'=') {
                Some((long, value)) => (long, Some(value)),
                None => (long, None),
            };
            if let Some(flag) = Flag::long(long) {
                return self.value(flag, value);
            }
            if name.starts_with(b"-") {
                return Err(unknown("--", long));
            }
            self.cluster = name;
        }
        let (letter, rest) = self.cluster.split_at_checked(1).unwrap_or_default();
        let Some(flag) = Flag::short(letter) else {
            return Err(unknown("-", self.cluster));
        };
        // Of -it the t is a flag, not the value of -i.
        if flag.is_switch() && !rest.starts_with(b"=") {
            self.cluster = rest;
            return self.value(flag, None);
        }
        self.cluster = b"";
        let value = rest.strip_prefix(b"=").unwrap_or(rest);
        self.value(flag, if rest.is_empty() { None } else { Some(value) })
    }

    /// A flag with the value that was attached to it; else the next word, or what a switch alone means.
    fn value(&mut self, flag: Flag, attached: Option<&[u8]>) -> Result<Option<(Flag, Text)>> {
        let value = match attached {
            Some(value) => keep(value),
            None if flag.is_switch() => t(c"true"),
            None => {
                let Some((&value, rest)) = self.words.split_first() else {
                    return Err(Error::new(text!("--% needs a value"), &[flag.name()]).hint(HELP, &[]));
                };
                self.words = rest;
                value
            }
        };
        Ok(Some((flag, value)))
    }
}

impl Flag {
    fn is_switch(self) -> bool {
        core::ptr::eq(self.kind(), &kind::SWITCH)
    }
}

const HELP: Message = text!("mydocker run --help lists the flags");

/// With the nearest flag's name, if it is near: for typing errors.
fn unknown(dashes: &str, typed: &[u8]) -> Error {
    let error = Error::new(text!("unknown flag: %%"), &[keep(dashes.as_bytes()), keep(typed)]);
    match nearest(typed, &mut split(NAMES.as_bytes(), b' ').iter().map(|name| keep(name))) {
        Some(name) => error.hint(text!("did you mean --%?"), &[name]),
        None => error.hint(HELP, &[]),
    }
}
