//! What a command other than `run` was given: its flags and words, by the command's row in `commands`.

use super::args::{Args, Known, name};
use super::kind;
use crate::commands::Command;
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::fs;
use crate::sys::process::STDIN;
use crate::text::{Line, Message, Push, is, join, keep, split, split_once, until};

/// The flags and words of one command.
pub struct Given {
    /// The command's row.
    pub command: &'static Command,
    /// What stands there that is no flag.
    pub words: &'static [Text],
    names: &'static [&'static [u8]],
    flags: Vec<(usize, Text)>,
}

/// Flags as a command's row has them: `all|a filter|f= format=`.
pub struct Row {
    command: &'static Command,
    names: &'static [&'static [u8]],
    /// The letter, 0 for none, and whether there is none of a value.
    kinds: &'static [(u8, bool)],
}

impl Row {
    /// Taken apart; every command has --help and --root.
    pub fn new(command: &'static Command) -> Self {
        let (mut names, mut kinds) = (Vec::new(), Vec::new());
        let all = keep(&join(&[b"help root= ", command.flags.as_bytes()]));
        for flag in split(all.to_bytes(), b' ').iter().filter(|flag| !flag.is_empty() && **flag != b"+") {
            let (flag, switch) = flag.strip_suffix(b"=").map_or((*flag, true), |flag| (flag, false));
            let short = split_once(flag, b'|').and_then(|(_, short)| short.first().copied());
            names.push(until(flag, b'|'));
            kinds.push((short.unwrap_or(0), switch));
        }
        Self { command, names: names.leak(), kinds: kinds.leak() }
    }

    /// Whether flags end at the first word: what follows is a command's of its own.
    fn ends(&self) -> bool {
        self.command.flags.as_bytes().first() == Some(&b'+')
    }
}

impl Known for Row {
    fn command(&self) -> Text {
        keep(self.command.name.as_bytes())
    }
    fn names(&self) -> &'static [&'static [u8]] {
        self.names
    }
    fn short(&self, letter: u8) -> Option<usize> {
        self.kinds.iter().position(|&(short, _)| short == letter && short != 0)
    }
    fn is_switch(&self, flag: usize) -> bool {
        self.kinds.get(flag).is_none_or(|&(_, switch)| switch)
    }
}

impl Given {
    /// Parses what follows the command.
    pub fn parse(command: &'static Command, words: &'static [Text]) -> Result<Self> {
        let row = Row::new(command);
        let (mut args, mut flags, mut rest) = (Args::new(&row, words), Vec::new(), Vec::new());
        loop {
            while let Some((flag, value)) = args.next()? {
                if row.is_switch(flag) && kind::switch(value.to_bytes()).is_none() {
                    let pieces = [name(&row, flag), value, kind::SWITCH.wants.text()];
                    return Err(Error::new(text!("--% %: %"), &pieces));
                }
                flags.push((flag, value));
            }
            if row.ends() {
                rest.extend_from_slice(args.rest());
                break;
            }
            match args.word() {
                Some(word) => rest.push(word),
                None => break,
            }
        }
        let given = Self { command, words: rest.leak(), names: row.names, flags };
        let (least, most) = command.words;
        if !given.has("help") && (given.words.len() < least || given.words.len() > most) {
            return Err(if given.words.len() < least {
                given.too_few()
            } else {
                let last = given.words.last().copied().unwrap_or_default();
                given.usage(text!("% takes no more arguments: %"), last)
            });
        }
        Ok(given)
    }

    /// Words are missing.
    pub fn too_few(&self) -> Error {
        self.usage(text!("% needs more arguments"), Text::default())
    }

    fn usage(&self, message: Message, word: Text) -> Error {
        let name = keep(self.command.name.as_bytes());
        let usage = keep(until(self.command.help.bytes(), b'\n'));
        self.command.failed(Error::new(message, &[name, word]).hint(text!("%"), &[usage]))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = Text> + 'a {
        let at = self.names.iter().position(|of| *of == name.as_bytes());
        self.flags.iter().filter(move |(flag, _)| Some(*flag) == at).map(|&(_, value)| value)
    }

    /// The last value of a flag.
    #[inline(never)]
    pub fn value(&self, name: &str) -> Option<Text> {
        self.all(name).next_back()
    }

    /// Whether a switch was given, and not as `--name=false`.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).and_then(|value| kind::switch(value.to_bytes())) == Some(1)
    }

    /// All values of a flag that can be given more than once.
    #[inline(never)]
    pub fn values(&self, name: &str) -> Vec<Text> {
        self.all(name).collect()
    }

    /// The first word.
    pub fn word(&self) -> Text {
        self.words.first().copied().unwrap_or_default()
    }

    /// The store, swept; an ordinary user is root of his user namespace from here on.
    pub fn store(&self) -> Result<Store> {
        Store::enter(self.value("root"))
    }

    /// Asks whether to go on, unless --force has answered.
    pub fn confirm(&self, what: &[u8]) -> Result<bool> {
        if self.has("force") {
            return Ok(true);
        }
        let mut question = Line::new();
        question.put(b"WARNING! ").put(what).put(b"\nAre you sure you want to continue? [y/N] ");
        crate::print(&question)?;
        let mut answer = [0; 64];
        let count = fs::read(STDIN, &mut answer).unwrap_or(0);
        Ok(is(until(answer.get(..count).unwrap_or_default(), b'\n').trim_ascii(), "y Y"))
    }

    /// Runs `act` for each word; an error is said, and the others are tried all the same. 1 if there was one, as docker has it.
    pub fn each(&self, act: &mut dyn FnMut(Text) -> Result<()>) -> u8 {
        let mut code = 0;
        for &word in self.words {
            if let Err(error) = act(word) {
                error.print();
                code = 1;
            }
        }
        code
    }
}
