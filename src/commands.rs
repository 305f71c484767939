//! The commands: a row each. What is dispatched, what `--help` prints and what shells complete come from here.

mod table;

pub use table::COMMANDS;

use crate::cli::{self, Given};
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::text::{Line, Message, Push, is, keep, split, split_once, until};

/// A command.
pub struct Command {
    /// One word, or two: `volume ls`.
    pub name: &'static str,
    /// Its flags but --help and --root: `all|a filter|f= format=`, with the letter behind `|` and `=` where there is a value.
    /// With `+` before them they end at the first word.
    pub flags: &'static str,
    /// How many words it takes, at least and at most.
    pub words: (usize, usize),
    /// `--help`: the first line is the usage, the second what it does.
    pub help: Message,
    /// What does it.
    pub act: Act,
}

impl Command {
    /// docker's exit code of an error that is not in its flags, but for `check`, whose 1 is an answer.
    pub fn failed(&self, error: Error) -> Error {
        if is(self.name.as_bytes(), "check") { error } else { error.plain() }
    }
}

/// What does a command.
pub enum Act {
    /// By its row.
    Given(fn(&Given) -> Result<u8>),
    /// It has a parser of its own.
    Own(fn(&'static [Text]) -> Result<u8>),
}

/// As many words as one likes.
pub const ANY: usize = usize::MAX;

/// Other names, as docker has them. `container NAME` is `NAME` for each that there is.
const ALIASES: &str = "system info=info,--version=version,-V=version,--help=help,-h=help,container ls=ps,container list=ps,volume list=volume ls,volume remove=volume rm,\
image ls=images,image list=images,image rm=rmi,image remove=rmi,image tag=tag,image import=import,\
image history=history,image save=save,image load=load";

/// Finds the command that the arguments name, and does it.
pub fn command(args: &'static [Text]) -> Result<u8> {
    let Some((&verb, rest)) = args.split_first() else {
        return Err(Error::new(text!("no command"), &[]).hint(LIST, &[]));
    };
    // The longer name first: `volume` alone is none.
    let two = rest.first().map(|second| (verb, *second));
    let (found, rest) = match two.and_then(|(one, two)| find(&[one, two])) {
        Some(command) => (Some(command), rest.get(1..).unwrap_or_default()),
        None => (find(&[verb]), rest),
    };
    match found.map(|command| (command, &command.act)) {
        Some((_, Act::Own(act))) => act(rest),
        Some((command, Act::Given(act))) => {
            let given = Given::parse(command, rest)?;
            if given.has("help") {
                crate::print(command.help.bytes())
            } else {
                act(&given).map_err(|error| command.failed(error))
            }
        }
        None => Err(unknown(verb, two.map(|(_, second)| second))),
    }
}

const LIST: Message = text!("mydocker --help lists the commands; `mydocker run -it /bin/sh` is one");

/// By its words.
fn find(words: &[Text]) -> Option<&'static Command> {
    let mut name = Line::new();
    for word in words {
        if !name.is_empty() {
            name.put(b" ");
        }
        name.put(word.to_bytes());
    }
    let name = keep(&name);
    let name = name.to_bytes();
    let alias =
        split(ALIASES.as_bytes(), b',').iter().filter_map(|row| split_once(row, b'=')).find(|(of, _)| *of == name);
    let wanted = alias.map_or(name, |(_, command)| command);
    let row = |name: &[u8]| COMMANDS.iter().find(|command| command.name.as_bytes() == name);
    row(wanted).or_else(|| row(name.strip_prefix(b"container ")?))
}

fn unknown(verb: Text, second: Option<Text>) -> Error {
    let word = verb.to_bytes();
    // The first word of some commands.
    let group =
        COMMANDS.iter().any(|command| split_once(command.name.as_bytes(), b' ').is_some_and(|(one, _)| one == word));
    if group || is(word, "container") {
        let error = Error::new(text!("unknown command: % %"), &[verb, second.unwrap_or_default()]);
        return error.hint(LIST, &[]);
    }
    let error = Error::new(text!("unknown command: %"), &[verb]);
    match cli::nearest(word, &mut COMMANDS.iter().map(|command| keep(command.name.as_bytes()))) {
        Some(name) => error.hint(text!("did you mean `mydocker %`?"), &[name]),
        None => error.hint(LIST, &[]),
    }
}

/// The list of commands, or a command's own text.
fn help(given: &Given) -> Result<u8> {
    if !given.words.is_empty() {
        let found = find(given.words).or_else(|| find(given.words.get(..1).unwrap_or_default()));
        return match found {
            Some(command) => crate::print(command.help.bytes()),
            None => Err(unknown(given.word(), given.words.get(1).copied())),
        };
    }
    let mut text = Line::new();
    text.say(cli::MAIN);
    for command in COMMANDS {
        let summary = split_once(command.help.bytes(), b'\n').map_or(&b""[..], |(_, rest)| until(rest, b'\n'));
        text.put(b"  ").put(command.name.as_bytes());
        (command.name.len()..19).for_each(|_| text.push(b' '));
        text.put(summary).put(b"\n");
    }
    crate::print(&text)
}
