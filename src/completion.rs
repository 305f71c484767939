//! `mydocker completion`: what shells need to complete a line, from the table of commands.

use crate::cli::{self, Given, Known};
use crate::commands::{Act, COMMANDS, Command};
use crate::error::{Error, Result};
use crate::text::{Line, Message, Push, has, is, split, split_once, until};

/// The script for a shell.
pub fn completion(given: &Given) -> Result<u8> {
    let shell = given.word();
    if is(shell.to_bytes(), "fish") {
        return crate::print(&fish());
    }
    if !is(shell.to_bytes(), "bash zsh") {
        return Err(Error::new(text!("completion: bash, zsh or fish, not %"), &[shell]));
    }
    let mut script = Line::new();
    if is(shell.to_bytes(), "zsh") {
        // It runs bash's.
        script.say(text!("autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"));
    }
    bash(&mut script);
    crate::print(&script)
}

/// What follows a command is the name of: its usage says it in capitals.
fn what(command: &Command) -> &'static str {
    let usage = until(command.help.bytes(), b'\n');
    let named = |kind: &[u8]| usage.windows(kind.len()).any(|part| part == kind);
    let kinds = [("container", b"CONTAINER".as_slice()), ("image", b"IMAGE"), ("volume", b"VOLUME")];
    kinds.iter().find(|(_, kind)| named(kind)).map_or("", |(name, _)| name)
}

/// What lists them.
const LISTS: [(&str, Message); 3] = [
    ("container", text!("mydocker ps -a --format '{{.Names}}'")),
    ("image", text!("mydocker images --format '{{.Repository}}:{{.Tag}}'")),
    ("volume", text!("mydocker volume ls -q")),
];

/// A command's flags: each name, letter (0: none), and whether it takes no value.
fn flags(command: &'static Command, take: &mut dyn FnMut(&[u8], u8, bool)) {
    let own = matches!(command.act, Act::Own(_));
    let row = cli::Row::new(command);
    let known: &dyn Known = if own { &cli::RunFlags } else { &row };
    for (index, name) in known.names().iter().enumerate() {
        // mydocker's own.
        if !is(name, "supervise") {
            let letter = (b'A'..=b'z').find(|&letter| known.short(letter) == Some(index));
            take(name, letter.unwrap_or(0), known.is_switch(index));
        }
    }
}

/// The first word of a command, and the second of one of a group.
fn words(command: &Command) -> (&'static [u8], Option<&'static [u8]>) {
    split_once(command.name.as_bytes(), b' ').map_or((command.name.as_bytes(), None), |(one, two)| (one, Some(two)))
}

/// The first words, each once.
fn firsts() -> Vec<&'static [u8]> {
    let mut firsts: Vec<&[u8]> = Vec::new();
    for command in COMMANDS {
        let (first, _) = words(command);
        if !firsts.contains(&first) {
            firsts.push(first);
        }
    }
    firsts
}

/// The second words of a group.
fn seconds(first: &[u8]) -> Vec<&'static [u8]> {
    COMMANDS.iter().map(words).filter(|(one, _)| *one == first).filter_map(|(_, two)| two).collect()
}

fn list(words: &[&[u8]], line: &mut Line) {
    for word in words {
        line.put(word).put(b" ");
    }
}

fn bash(script: &mut Line) {
    script.say(text!(
        "\
_mydocker() {
  local word=${COMP_WORDS[COMP_CWORD]} flags= what= words=
  if [ $COMP_CWORD = 1 ]; then words='"
    ));
    list(&firsts(), script);
    script.say(text!("'; else case \"${COMP_WORDS[1]} ${COMP_WORDS[2]} \" in\n"));
    // Those of two words before the first word alone.
    for both in [true, false] {
        for command in COMMANDS.iter().filter(|command| has(command.name.as_bytes(), b' ') == both) {
            script.put(b"    '").put(command.name.as_bytes()).put(b" '*) flags='");
            flags(command, &mut |name, letter, _| {
                script.put(b"--").put(name).put(b" ");
                if letter != 0 {
                    script.put(&[b'-', letter, b' ']);
                }
            });
            script.put(b"'; what=").put(what(command).as_bytes());
            // `volume` is a group's name and `run` is none; `image inspect` has both.
            script.put(b" ;;\n");
        }
    }
    for first in firsts() {
        let seconds = seconds(first);
        if !seconds.is_empty() {
            script.put(b"    '").put(first).put(b" '*) words='");
            list(&seconds, script);
            script.put(b"' ;;\n");
        }
    }
    script.say(text!(
        "\
  esac; fi
  case $word in
    -*) words=$flags ;;
    *) case $what in
"
    ));
    for (kind, list) in LISTS {
        script.put(b"      ").put(kind.as_bytes()).put(b") words=$(").say(list).put(b" 2>/dev/null) ;;\n");
    }
    script.say(text!(
        "\
    esac ;;
  esac
  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))
}
complete -o default -F _mydocker mydocker
"
    ));
}

fn fish() -> Line {
    let mut script = Line::new();
    for command in COMMANDS {
        let (first, second) = words(command);
        let summary = split_once(command.help.bytes(), b'\n').map_or(&b""[..], |(_, rest)| until(rest, b'\n'));
        let summary_of = |script: &mut Line, name: &[u8]| {
            script.put(b" -f -a ").put(name).put(b" -d '");
            list(split(summary, b'\''), script);
            script.put(b"'\n");
        };
        // Where the command is typed, and then where its flags are.
        script.say(text!("complete -c mydocker -n "));
        match second {
            None => {
                script.say(text!("__fish_use_subcommand"));
                summary_of(&mut script, first);
            }
            Some(second) => {
                script.say(text!("'__fish_seen_subcommand_from ")).put(first).put(b"'");
                summary_of(&mut script, second);
            }
        }
        let mut here = Line::new();
        here.say(text!("complete -c mydocker -n '__fish_seen_subcommand_from ")).put(first);
        if let Some(second) = second {
            here.say(text!("; and __fish_seen_subcommand_from ")).put(second);
        }
        here.put(b"'");
        flags(command, &mut |name, letter, switch| {
            script.put(&here).put(b" -l ").put(name);
            if letter != 0 {
                script.put(&[b' ', b'-', b's', b' ', letter]);
            }
            script.put(if switch { b"\n" } else { b" -r\n" });
        });
        if let Some((_, list)) = LISTS.iter().find(|(kind, _)| *kind == what(command)) {
            script.put(&here).put(b" -a \"(").say(*list).put(b")\"\n");
        }
    }
    script
}
