//! -e and --env-file.

use crate::error::{Error, Result};
use crate::spec::Text;
use crate::sys::{fs, process};
use crate::text::{Line, Push, keep, keep_all};
use std::os::fd::AsFd;

/// `NAME=value`; a bare `NAME` is taken from our own environment, and left out where it isn't set there.
pub fn entry(bytes: &[u8]) -> Result<Option<Text>> {
    let name = bytes.split(|&byte| byte == b'=').next().unwrap_or_default();
    if name.is_empty() {
        return Err(Error::new("--env %: a variable needs a name: NAME=value", &[bytes]));
    }
    if name.len() < bytes.len() {
        return Ok(Some(keep(bytes)));
    }
    Ok(process::variable(keep(name)).map(|value| keep_all(&[name, b"=", value.to_bytes()])))
}

/// A line a variable, as `entry`; blank lines and those that begin with # are passed over.
pub fn file(path: Text, env: &mut Vec<Text>) -> Result<()> {
    let describe = |errno| Error::sys("read --env-file", path.to_bytes(), errno);
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    let fd = fs::open_follow(fs::CWD, path, flags, 0).map_err(describe)?;
    let content = fs::read_all(fd.as_fd(), LIMIT).map_err(describe)?;
    if content.len() >= LIMIT {
        return Err(Error::new("--env-file %: larger than 1 MiB", &[path.to_bytes()]));
    }
    // Editors of another system begin a file with a byte order mark.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let name = line.split(|&byte| byte == b'=').next().unwrap_or_default();
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) || line.contains(&0) {
            let mut number = Line::new();
            number.dec(index.saturating_add(1) as u64);
            return Err(Error::new("--env-file %: line % is no NAME=value: %", &[path.to_bytes(), &number, line]));
        }
        env.extend(entry(line)?);
    }
    Ok(())
}

const LIMIT: usize = 1 << 20;
