//! -v, --mount and --tmpfs, as docker takes them.

use super::kind::{bytes, is_name, switch};
use crate::error::{Error, Result};
use crate::spec::{Mount, Source, Text};
use crate::sys::call::{NODEV, NOEXEC, NOSUID};
use crate::sys::fs;
use crate::text::{Line, Push, fill, keep, split, split_once};

/// An error that quotes the argument.
fn wrong<T>(typed: Text, message: &str, piece: &[u8]) -> Result<T> {
    Err(Error::new("invalid volume \"%\": %", &[typed.to_bytes(), &fill(message, &[piece])]))
}

/// Whether a word is one of those in a list with blanks between.
fn is(word: &[u8], list: &str) -> bool {
    split(list.as_bytes(), b' ').contains(&word)
}

fn plain(typed: Text) -> Mount {
    Mount {
        source: Source::Anonymous,
        target: c"",
        read_only: false,
        attributes: 0,
        propagation: libc::MS_PRIVATE,
        recursive: true,
        make_source: false,
        copy: true,
        typed,
    }
}

/// `[SOURCE:]TARGET[:OPTIONS]`.
pub fn volume(typed: Text) -> Result<Mount> {
    let parts = split(typed.to_bytes(), b':');
    if parts.contains(&b"".as_slice()) {
        return wrong(typed, "empty section between colons", b"");
    }
    let (source, at, options) = match *parts {
        [at] => (None, at, None),
        [source, at] => (Some(source), at, None),
        [source, at, options] => (Some(source), at, Some(options)),
        _ => return wrong(typed, "at most SOURCE:TARGET:OPTIONS", b""),
    };
    let mut mount = plain(typed);
    mount.make_source = true;
    mount.target = target(typed, at)?;
    if let Some(text) = source {
        mount.source = host_or_name(typed, text)?;
    }
    let host = matches!(mount.source, Source::Host(_));
    let mut seen = 0;
    for option in options.map_or(Vec::new(), |options| split(options, b',')) {
        let group = if is(option, "ro rw") {
            mount.read_only = option == b"ro";
            1
        } else if is(option, "z Z") {
            // SELinux labels: nothing to do where there is no SELinux.
            2
        } else if host && propagation(&mut mount, option) {
            4
        } else if !host && option == b"nocopy" {
            mount.copy = false;
            8
        } else if is(option, "consistent cached delegated") {
            // Of Docker Desktop; they ask for nothing here.
            16
        } else {
            return wrong(typed, "unknown option \"%\"", option);
        };
        if seen & group != 0 {
            return wrong(typed, "contradicting option \"%\"", option);
        }
        seen |= group;
    }
    Ok(mount)
}

fn propagation(mount: &mut Mount, option: &[u8]) -> bool {
    mount.recursive = option.starts_with(b"r");
    mount.propagation = match option.strip_prefix(b"r").unwrap_or(option) {
        b"private" => libc::MS_PRIVATE,
        b"slave" => libc::MS_SLAVE,
        b"shared" => libc::MS_SHARED,
        _ => return false,
    };
    true
}

/// An absolute path, a relative one that says so with a dot, or a volume's name.
fn host_or_name(typed: Text, text: &[u8]) -> Result<Source> {
    if text.starts_with(b"/") {
        return Ok(Source::Host(keep(&clean(text))));
    }
    if is(text, ". ..") || text.starts_with(b"./") || text.starts_with(b"../") {
        return Ok(Source::Host(absolute(text)?));
    }
    if !is_name(text, 2, 255) || !text.first().is_some_and(u8::is_ascii_alphanumeric) {
        let message = "\"%\" is no volume name ([a-zA-Z0-9][a-zA-Z0-9_.-]+); for a host directory write an absolute \
                       path or ./ before it";
        return wrong(typed, message, text);
    }
    Ok(Source::Volume(keep(text)))
}

/// A path below the working directory that mydocker was started in.
pub fn absolute(path: &[u8]) -> Result<Text> {
    let mut buf = [0; 4096];
    let cwd = fs::getcwd(&mut buf).map_err(|errno| Error::sys("find the working directory", b"", errno))?;
    let mut line = Line::new();
    Ok(keep(&clean(line.put(cwd).put(b"/").put(path))))
}

/// Without doubled slashes, `.` and `..`, as filepath.Clean; of a path that begins with a slash.
pub fn clean(path: &[u8]) -> Line {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in split(path, b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let mut line = Line::new();
    for part in parts {
        line.put(b"/").put(part);
    }
    if line.is_empty() {
        line.put(b"/");
    }
    line
}

fn target(typed: Text, text: &[u8]) -> Result<Text> {
    if !text.starts_with(b"/") {
        return wrong(typed, "the target \"%\" is not an absolute path", text);
    }
    let path = clean(text);
    if path == b"/" {
        return wrong(typed, "the target cannot be /", b"");
    }
    // What is written to in /proc has to be the kernel's (CVE-2019-16884, CVE-2025-52881).
    if path == b"/proc" || path.starts_with(b"/proc/") {
        return wrong(typed, "nothing can be mounted on or below /proc", b"");
    }
    Ok(keep(&path))
}

/// Parents before what is below them, in the order given where neither is; two on one target are refused.
pub fn sort(mounts: &mut Vec<Mount>) -> Result<()> {
    for (index, mount) in mounts.iter().enumerate() {
        if mounts.iter().take(index).any(|other| other.target == mount.target) {
            return wrong(mount.typed, "duplicate mount point: %", mount.target.to_bytes());
        }
    }
    let (mut sorted, mut depth) = (Vec::new(), 0_usize);
    while sorted.len() < mounts.len() {
        depth = depth.saturating_add(1);
        let slashes = |mount: &&Mount| mount.target.to_bytes().iter().filter(|&&byte| byte == b'/').count();
        sorted.extend(mounts.iter().filter(|mount| slashes(mount) == depth));
    }
    *mounts = sorted;
    Ok(())
}

/// The fields of --mount that have a value.
const FIELDS: &str = "type source src target dst destination bind-propagation tmpfs-size tmpfs-mode consistency";

/// `type=bind|volume|tmpfs,src=…,dst=…,ro,…`.
pub fn mount(typed: Text) -> Result<Mount> {
    let mut mount = plain(typed);
    let (mut kind, mut source, mut options) = (b"volume".as_slice(), None, Line::new());
    // The type that a field is of, where it is not of all.
    let mut only = b"".as_slice();
    for field in split(typed.to_bytes(), b',') {
        let (key, value) = split_once(field, b'=').unwrap_or((field, b""));
        if is(key, "readonly ro volume-nocopy") {
            let Some(on) = switch(if key == field { b"true" } else { value }) else {
                return wrong(typed, "\"%\" is true or false", key);
            };
            match key {
                b"volume-nocopy" => mount.copy = on == 0,
                _ => mount.read_only = on != 0,
            }
        } else if !is(key, FIELDS) {
            return wrong(typed, "unknown field \"%\"", field);
        } else if value.is_empty() {
            return wrong(typed, "\"%\" needs a value", key);
        } else if key == b"type" {
            kind = value;
        } else if is(key, "source src") {
            source = Some(value);
        } else if is(key, "target dst destination") {
            mount.target = target(typed, value)?;
        } else if key == b"bind-propagation" {
            only = b"bind";
            if !propagation(&mut mount, value) {
                return wrong(typed, "unknown propagation \"%\"", value);
            }
        } else if key == b"tmpfs-size" {
            only = b"tmpfs";
            let Some(size) = bytes(value) else { return wrong(typed, "no size: \"%\"", value) };
            options.put(b"size=").dec(size).put(b",");
        } else if key == b"tmpfs-mode" {
            only = b"tmpfs";
            if value.len() > 5 || !value.iter().all(|byte| (b'0'..b'8').contains(byte)) {
                return wrong(typed, "no octal mode: \"%\"", value);
            }
            options.put(b"mode=").put(value).put(b",");
        }
    }
    if mount.target.is_empty() {
        return wrong(typed, "a target is required: dst=/PATH", b"");
    }
    if !only.is_empty() && only != kind {
        return wrong(typed, "a field of another type than %", kind);
    }
    mount.source = match (kind, source) {
        (b"bind", Some(source)) => match host_or_name(typed, source)? {
            Source::Host(path) => Source::Host(path),
            _ => return wrong(typed, "the source of a bind mount is an absolute path, or begins with ./", b""),
        },
        (b"bind", None) => return wrong(typed, "a bind mount needs a source: src=/PATH", b""),
        (b"volume", Some(source)) => match host_or_name(typed, source)? {
            Source::Volume(name) => Source::Volume(name),
            _ => return wrong(typed, "the source of a volume is a name; for a host path use type=bind", b""),
        },
        (b"volume", None) => Source::Anonymous,
        (b"tmpfs", None) => Source::Tmpfs(keep(&options)),
        (b"tmpfs", Some(_)) => return wrong(typed, "a tmpfs has no source", b""),
        _ => return wrong(typed, "unknown type \"%\"; it is bind, volume or tmpfs", kind),
    };
    if kind == b"tmpfs" {
        mount.attributes = NOSUID | NODEV | NOEXEC;
    }
    Ok(mount)
}

/// `TARGET[:OPTIONS]`.
pub fn tmpfs(typed: Text) -> Result<Mount> {
    let (at, options) = split_once(typed.to_bytes(), b':').unwrap_or((typed.to_bytes(), b""));
    let mut mount = plain(typed);
    mount.target = target(typed, at)?;
    mount.attributes = NOSUID | NODEV | NOEXEC;
    let mut data = Line::new();
    for option in split(options, b',') {
        let (off, name) = option.strip_prefix(b"no").map_or((false, option), |name| (true, name));
        let attribute = match name {
            b"exec" => NOEXEC,
            b"suid" => NOSUID,
            b"dev" => NODEV,
            _ => 0,
        };
        let (key, value) = split_once(option, b'=').unwrap_or((option, b""));
        if attribute != 0 {
            mount.attributes = mount.attributes & !attribute | if off { attribute } else { 0 };
        } else if is(option, "ro rw") {
            mount.read_only = option == b"ro";
        } else if is(key, "size mode uid gid nr_inodes nr_blocks mpol") && !value.is_empty() {
            data.put(option).put(b",");
        } else if !option.is_empty() {
            return wrong(typed, "unknown option \"%\"", option);
        }
    }
    mount.source = Source::Tmpfs(keep(&data));
    Ok(mount)
}
