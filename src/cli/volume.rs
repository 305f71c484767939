//! -v, --mount and --tmpfs, as docker takes them.

use crate::error::{Error, Result};
use crate::spec::{Mount, Source, Text};
use crate::sys::call::{NODEV, NOEXEC, NOSUID};
use crate::sys::fs;
use crate::text::{Line, Push, fill, keep, split_once};

use super::size;

fn wrong(typed: Text, message: &str, pieces: &[&[u8]]) -> Error {
    Error::new("invalid volume \"%\": %", &[typed.to_bytes(), &fill(message, pieces)])
}

const PLAIN: Mount = Mount {
    source: Source::Anonymous,
    target: c"",
    read_only: false,
    attributes: 0,
    propagation: libc::MS_PRIVATE,
    recursive: true,
    make_source: false,
    copy: true,
    typed: c"",
};

/// `[SOURCE:]TARGET[:OPTIONS]`.
pub fn volume(typed: Text) -> Result<Mount> {
    let parts: Vec<&[u8]> = typed.to_bytes().split(|&byte| byte == b':').collect();
    let mut mount = Mount { typed, make_source: true, ..PLAIN };
    let (source, at, options): (Option<&[u8]>, &[u8], Option<&[u8]>) = match *parts.as_slice() {
        [at] => (None, at, None),
        [source, at] => (Some(source), at, None),
        [source, at, options] => (Some(source), at, Some(options)),
        _ => return Err(wrong(typed, "at most SOURCE:TARGET:OPTIONS", &[])),
    };
    if parts.iter().any(|part| part.is_empty()) {
        return Err(wrong(typed, "empty section between colons", &[]));
    }
    mount.target = target(typed, at)?;
    if let Some(text) = source {
        mount.source = host_or_name(typed, text)?;
    }
    let mut seen = [false; 3];
    for option in options.into_iter().flat_map(|options| options.split(|&byte| byte == b',')) {
        let group = match option {
            b"ro" | b"rw" => {
                mount.read_only = option == b"ro";
                0
            }
            // SELinux labels: nothing to do where there is no SELinux.
            b"z" | b"Z" => 1,
            b"nocopy" if !matches!(mount.source, Source::Host(_)) => {
                mount.copy = false;
                continue;
            }
            // Of Docker Desktop; they ask for nothing here.
            b"consistent" | b"cached" | b"delegated" => continue,
            _ if propagation(&mut mount, option) && matches!(mount.source, Source::Host(_)) => 2,
            _ => return Err(wrong(typed, "unknown option \"%\"", &[option])),
        };
        if let Some(seen) = seen.get_mut(group) {
            if core::mem::replace(seen, true) {
                return Err(wrong(typed, "contradicting option \"%\"", &[option]));
            }
        }
    }
    Ok(mount)
}

fn propagation(mount: &mut Mount, option: &[u8]) -> bool {
    mount.recursive = option.first() == Some(&b'r');
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
    if text.first() == Some(&b'/') {
        return Ok(Source::Host(keep(&clean(text))));
    }
    if text == b"." || text == b".." || text.starts_with(b"./") || text.starts_with(b"../") {
        return Ok(Source::Host(absolute(text)?));
    }
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    if text.len() < 2
        || text.len() > 255
        || !text.iter().all(fine)
        || !text.first().is_some_and(u8::is_ascii_alphanumeric)
    {
        return Err(wrong(
            typed,
            "\"%\" is no volume name ([a-zA-Z0-9][a-zA-Z0-9_.-]+); for a host directory write an absolute path or ./ before it",
            &[text],
        ));
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
    for part in path.split(|&byte| byte == b'/') {
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
    if text.first() != Some(&b'/') {
        return Err(wrong(typed, "the target \"%\" is not an absolute path", &[text]));
    }
    let path = clean(text);
    if path == b"/" {
        return Err(wrong(typed, "the target cannot be /", &[]));
    }
    // What is written to in /proc has to be the kernel's (CVE-2019-16884, CVE-2025-52881).
    if path == b"/proc" || path.starts_with(b"/proc/") {
        return Err(wrong(typed, "nothing can be mounted on or below /proc", &[]));
    }
    Ok(keep(&path))
}

/// Parents before what is below them; two on one target are refused.
pub fn sort(mounts: &mut [Mount]) -> Result<()> {
    let depth = |mount: &Mount| mount.target.to_bytes().iter().filter(|&&byte| byte == b'/').count();
    for (index, mount) in mounts.iter().enumerate() {
        if mounts.iter().take(index).any(|other| other.target == mount.target) {
            return Err(wrong(mount.typed, "duplicate mount point: %", &[mount.target.to_bytes()]));
        }
    }
    // Insertion sort: stable, small, and nobody gives a thousand of them.
    for end in 1..mounts.len() {
        let mut at = end;
        while at > 0 {
            let below = at.saturating_sub(1);
            let (Some(left), Some(right)) = (mounts.get(below), mounts.get(at)) else { break };
            if depth(left) <= depth(right) {
                break;
            }
            mounts.swap(below, at);
            at = below;
        }
    }
    Ok(())
}

/// `type=bind|volume|tmpfs,src=…,dst=…,ro,…`.
pub fn mount(typed: Text) -> Result<Mount> {
    let mut mount = Mount { typed, ..PLAIN };
    let (mut kind, mut source, mut options) = (b"volume".as_slice(), None, Line::new());
    let mut propagated = false;
    for field in typed.to_bytes().split(|&byte| byte == b',') {
        let (key, value) = split_once(field, b'=').map_or((field, None), |(key, value)| (key, Some(value)));
        let need =
            || value.filter(|value| !value.is_empty()).ok_or_else(|| wrong(typed, "\"%\" needs a value", &[key]));
        let flag = || match value {
            None | Some(b"true" | b"1") => Ok(true),
            Some(b"false" | b"0") => Ok(false),
            Some(_) => Err(wrong(typed, "\"%\" is true or false", &[key])),
        };
        match key {
            b"type" => kind = need()?,
            b"source" | b"src" => source = Some(need()?),
            b"target" | b"dst" | b"destination" => mount.target = target(typed, need()?)?,
            b"readonly" | b"ro" => mount.read_only = flag()?,
            b"bind-propagation" => {
                if !propagation(&mut mount, need()?) {
                    return Err(wrong(typed, "unknown propagation \"%\"", &[need()?]));
                }
                propagated = true;
            }
            b"volume-nocopy" => mount.copy = !flag()?,
            b"tmpfs-size" => {
                let size = size::bytes(need()?)
                    .ok_or_else(|| wrong(typed, "no size: \"%\"", &[need().unwrap_or_default()]))?;
                options.put(b"size=").dec(size).put(b",");
            }
            b"tmpfs-mode" => {
                let mode = need()?;
                if mode.len() > 5 || !mode.iter().all(|byte| (b'0'..b'8').contains(byte)) {
                    return Err(wrong(typed, "no octal mode: \"%\"", &[mode]));
                }
                options.put(b"mode=").put(mode).put(b",");
            }
            b"consistency" => drop(need()?),
            _ => return Err(wrong(typed, "unknown field \"%\"", &[field])),
        }
    }
    if mount.target.is_empty() {
        return Err(wrong(typed, "a target is required: dst=/PATH", &[]));
    }
    let strange = |ok: bool| if ok { Ok(()) } else { Err(wrong(typed, "a field of another type than %", &[kind])) };
    mount.source = match (kind, source) {
        (b"bind", Some(source)) => match host_or_name(typed, source)? {
            Source::Host(path) => Source::Host(path),
            _ => return Err(wrong(typed, "the source of a bind mount is an absolute path, or begins with ./", &[])),
        },
        (b"bind", None) => return Err(wrong(typed, "a bind mount needs a source: src=/PATH", &[])),
        (b"volume", Some(source)) => match host_or_name(typed, source)? {
            Source::Volume(name) => Source::Volume(name),
            _ => return Err(wrong(typed, "the source of a volume is a name; for a host path use type=bind", &[])),
        },
        (b"volume", None) => Source::Anonymous,
        (b"tmpfs", None) => Source::Tmpfs(keep(&options)),
        (b"tmpfs", Some(_)) => return Err(wrong(typed, "a tmpfs has no source", &[])),
        _ => return Err(wrong(typed, "unknown type \"%\"; it is bind, volume or tmpfs", &[kind])),
    };
    strange(options.is_empty() || kind == b"tmpfs")?;
    strange(!propagated || kind == b"bind")?;
    if kind == b"tmpfs" {
        mount.attributes = NOSUID | NODEV | NOEXEC;
    }
    Ok(mount)
}

/// `TARGET[:OPTIONS]`.
pub fn tmpfs(typed: Text) -> Result<Mount> {
    let (at, options) = split_once(typed.to_bytes(), b':').unwrap_or((typed.to_bytes(), b""));
    let mut mount = Mount { typed, attributes: NOSUID | NODEV | NOEXEC, ..PLAIN };
    mount.target = target(typed, at)?;
    let mut data = Line::new();
    for option in options.split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
        match option {
            b"rw" => {}
            b"ro" => mount.read_only = true,
            b"exec" => mount.attributes &= !NOEXEC,
            b"suid" => mount.attributes &= !NOSUID,
            b"dev" => mount.attributes &= !NODEV,
            b"noexec" => mount.attributes |= NOEXEC,
            b"nosuid" => mount.attributes |= NOSUID,
            b"nodev" => mount.attributes |= NODEV,
            _ => {
                let key = option.split(|&byte| byte == b'=').next().unwrap_or_default();
                let known: [&[u8]; 7] = [b"size", b"mode", b"uid", b"gid", b"nr_inodes", b"nr_blocks", b"mpol"];
                if !known.contains(&key) || key.len() >= option.len() {
                    return Err(wrong(typed, "unknown option \"%\"", &[option]));
                }
                data.put(option).put(b",");
            }
        }
    }
    mount.source = Source::Tmpfs(keep(&data));
    Ok(mount)
}
