//! -e and --env-file.

use super::Origin;
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::{fs, process};
use crate::text::{Line, Push, filled, has, keep, split, until};

/// `NAME=value`; a bare `NAME` is taken from our own environment. Where it isn't set there it stays bare and takes the
/// container's away, but not in a file.
pub fn entry(typed: &[u8], origin: Origin, in_file: bool, env: &mut Vec<Text>) -> Result<()> {
    let name = until(typed, b'=');
    if name.is_empty() {
        return Err(Error::new(text!("--env %: a variable needs a name: NAME=value"), &[keep(typed)]));
    }
    if name.len() < typed.len() {
        env.push(keep(typed));
    } else if let Some(value) = variable(name, origin) {
        env.push(filled("%=%", &[keep(name), value]));
    } else if !in_file {
        env.push(keep(name));
    }
    Ok(())
}

/// A variable of the environment that the command line was typed in.
fn variable(name: &[u8], origin: Origin) -> Option<Text> {
    let Some(environ) = origin.environ else { return process::variable(keep(name)) };
    let found = split(environ, 0).iter().find(|entry| until(entry, b'=') == name && has(entry, b'='))?;
    found.get(name.len().wrapping_add(1)..).map(keep)
}

/// `NAME=value`, or a name alone, whose value is empty then.
pub fn label(typed: Text, labels: &mut Vec<Text>) -> Result<()> {
    let text = typed.to_bytes();
    if until(text, b'=').is_empty() {
        return Err(Error::new(text!("--label %: a label needs a name: NAME=value"), &[typed]));
    }
    labels.push(if has(text, b'=') { typed } else { filled("%=", &[typed]) });
    Ok(())
}

/// A line a variable or label; blank lines and those that begin with # are passed over.
pub fn file(path: Text, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let content = fs::read_file(path, LIMIT).map_err(|errno| Error::sys(text!("read --env-file"), path, errno))?;
    if content.len() >= LIMIT {
        return Err(Error::new(text!("--env-file %: larger than 1 MiB"), &[path]));
    }
    // Editors of another system begin a file with a byte order mark.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    for (index, line) in split(content, b'\n').iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let name = until(line, b'=');
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) || has(line, 0) {
            let mut number = Line::new();
            number.dec(index.wrapping_add(1) as u64);
            return Err(Error::new(
                text!("--env-file %: line % is no NAME=value: %"),
                &[path, keep(&number), keep(line)],
            ));
        }
        take(line)?;
    }
    Ok(())
}

const LIMIT: usize = 1 << 20;
