//! -v, --mount and --tmpfs, as docker takes them.

use super::kind::{bytes, is_name, switch};
use crate::error::{Error, Result};
use crate::spec::{Mount, Source, Text};
use crate::sys::call::{NODEV, NOEXEC, NOSUID};
use crate::sys::fs;
use crate::sys::name::t;
use crate::text::{Line, Message, Push, fill, is, keep, split, split_once, until};

/// A mount as far as its argument was read.
struct Draft<'a> {
    mount: Mount,
    source: Option<&'a [u8]>,
    kind: &'a [u8],
    /// The only type that can have a field that was given; empty: any.
    only: &'a [u8],
    /// A tmpfs' options.
    data: Line,
    /// What was said already and cannot be said twice, a bit each.
    seen: u8,
}

impl<'a> Draft<'a> {
    fn new(typed: Text) -> Self {
        let mount = Mount {
            source: Source::Anonymous,
            target: t(c""),
            read_only: false,
            attributes: 0,
            propagation: libc::MS_PRIVATE,
            recursive: true,
            make_source: false,
            copy: true,
            typed,
        };
        Self { mount, source: None, kind: b"volume", only: b"", data: Line::new(), seen: 0 }
    }

    /// An error that quotes the argument.
    #[cold]
    fn wrong(&self, message: Message, piece: &[u8]) -> Error {
        wrong(self.mount.typed, message, piece)
    }
}

#[cold]
fn wrong(typed: Text, message: Message, piece: &[u8]) -> Error {
    Error::new(text!("invalid volume \"%\": %"), &[typed, keep(&fill(message.bytes(), &[keep(piece)]))])
}

/// An image's own, which is nothing but a target.
pub fn anonymous(target: Text) -> Result<Mount> {
    parse(target, |draft, target| draft.target(target))
}

/// One of the three forms.
fn parse<'a>(typed: Text, read: fn(&mut Draft<'a>, &'a [u8]) -> Result<()>) -> Result<Mount>
where
    'static: 'a,
{
    let mut draft = Draft::new(typed);
    read(&mut draft, typed.to_bytes())?;
    Ok(draft.mount)
}

/// `[SOURCE:]TARGET[:OPTIONS]`.
pub fn volume(typed: Text) -> Result<Mount> {
    parse(typed, |draft, text| {
        let parts = split(text, b':');
        if parts.contains(&b"".as_slice()) {
            return Err(draft.wrong(text!("empty section between colons"), b""));
        }
        let (source, at, options) = match *parts {
            [at] => (None, at, None),
            [source, at] => (Some(source), at, None),
            [source, at, options] => (Some(source), at, Some(options)),
            _ => return Err(draft.wrong(text!("at most SOURCE:TARGET:OPTIONS"), b"")),
        };
        draft.mount.make_source = true;
        draft.target(at)?;
        if let Some(source) = source {
            draft.mount.source = host_or_name(draft.mount.typed, source)?;
        }
        options.map_or(&[][..], |options| split(options, b',')).iter().try_for_each(|option| draft.option(option))
    })
}

impl<'a> Draft<'a> {
    /// An option of -v.
    fn option(&mut self, option: &[u8]) -> Result<()> {
        let host = matches!(self.mount.source, Source::Host(_));
        let group = if is(option, "ro rw") {
            self.mount.read_only = option == b"ro";
            1
        } else if is(option, "z Z") {
            // SELinux labels: nothing to do where there is no SELinux.
            2
        } else if host && self.propagation(option) {
            4
        } else if !host && is(option, "nocopy") {
            self.mount.copy = false;
            8
        } else if is(option, "consistent cached delegated") {
            // Of Docker Desktop; they ask for nothing here.
            16
        } else {
            return Err(self.wrong(text!("unknown option \"%\""), option));
        };
        if self.seen & group != 0 {
            return Err(self.wrong(text!("contradicting option \"%\""), option));
        }
        self.seen |= group;
        Ok(())
    }

    /// Whether the word was one of propagation.
    fn propagation(&mut self, word: &[u8]) -> bool {
        let (recursive, word) = word.strip_prefix(b"r").map_or((false, word), |word| (true, word));
        let propagation = if is(word, "private") {
            libc::MS_PRIVATE
        } else if is(word, "slave") {
            libc::MS_SLAVE
        } else if is(word, "shared") {
            libc::MS_SHARED
        } else {
            return false;
        };
        (self.mount.recursive, self.mount.propagation) = (recursive, propagation);
        true
    }

    fn target(&mut self, text: &[u8]) -> Result<()> {
        if !text.starts_with(b"/") {
            return Err(self.wrong(text!("the target \"%\" is not an absolute path"), text));
        }
        let path = clean(text);
        if path.as_slice() == b"/" {
            return Err(self.wrong(text!("the target cannot be /"), b""));
        }
        // What is written to in /proc has to be the kernel's (CVE-2019-16884, CVE-2025-52881).
        if path.as_slice() == b"/proc" || path.starts_with(b"/proc/") {
            return Err(self.wrong(text!("nothing can be mounted on or below /proc"), b""));
        }
        self.mount.target = keep(&path);
        Ok(())
    }
}

/// An absolute path, a relative one that says so with a dot, or a volume's name.
fn host_or_name(typed: Text, text: &[u8]) -> Result<Source> {
    if text.starts_with(b"/") {
        return Ok(Source::Host(keep(&clean(text))));
    }
    if is(text, ". ..") || text.starts_with(b"./") || text.starts_with(b"../") {
        // Made absolute by who knows from where.
        return Ok(Source::Host(keep(text)));
    }
    if !is_name(text, 2, 255) || !text.first().is_some_and(u8::is_ascii_alphanumeric) {
        let message = text!(
            "\"%\" is no volume name ([a-zA-Z0-9][a-zA-Z0-9_.-]+); for a host directory write an absolute path or ./ \
             before it"
        );
        return Err(wrong(typed, message, text));
    }
    Ok(Source::Volume(keep(text)))
}

/// A path of the host, from a directory or the working directory.
pub fn absolute(path: Text, base: Option<Text>) -> Result<Text> {
    if path.first() == b'/' {
        return Ok(path);
    }
    let (mut buf, mut line) = ([0; 4096], Line::new());
    match base {
        Some(base) => line.put(base.to_bytes()),
        None => line
            .put(fs::getcwd(&mut buf).map_err(|errno| Error::sys(text!("find the working directory"), t(c""), errno))?),
    };
    Ok(keep(&clean(line.put(b"/").put(path.to_bytes()))))
}

/// Without doubled slashes, `.` and `..`, as filepath.Clean; of a path that begins with a slash.
pub fn clean(path: &[u8]) -> Line {
    let mut parts: Vec<&[u8]> = Vec::new();
    for &part in split(path, b'/') {
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

/// Puts a mount behind its parents and before what is below it, in the order given where neither is; two on one
/// target are refused.
pub fn insert(mounts: &mut Vec<Mount>, mount: Mount) -> Result<()> {
    if mounts.iter().any(|other| other.target == mount.target) {
        return Err(wrong(mount.typed, text!("duplicate mount point: %"), mount.target.to_bytes()));
    }
    let depth = |mount: &Mount| split(mount.target.to_bytes(), b'/').len();
    let below = mounts.iter().take_while(|other| depth(other) <= depth(&mount)).count();
    mounts.insert(below, mount);
    Ok(())
}

/// `type=bind|volume|tmpfs,src=…,dst=…,ro,…`.
pub fn mount(typed: Text) -> Result<Mount> {
    parse(typed, |draft, text| {
        split(text, b',').iter().try_for_each(|field| draft.field(field))?;
        draft.finish()
    })
}

/// The fields of --mount that have a value.
const FIELDS: &str = "type source src target dst destination bind-propagation tmpfs-size tmpfs-mode consistency";

impl<'a> Draft<'a> {
    /// A field of --mount.
    fn field(&mut self, field: &'a [u8]) -> Result<()> {
        let (key, value) = split_once(field, b'=').unwrap_or((field, b""));
        if is(key, "readonly ro volume-nocopy") {
            let Some(on) = switch(if key.len() == field.len() { b"true" } else { value }) else {
                return Err(self.wrong(text!("\"%\" must be true or false"), key));
            };
            if is(key, "volume-nocopy") {
                self.mount.copy = on == 0;
            } else {
                self.mount.read_only = on != 0;
            }
        } else if !is(key, FIELDS) {
            return Err(self.wrong(text!("unknown field \"%\""), field));
        } else if value.is_empty() {
            return Err(self.wrong(text!("\"%\" needs a value"), key));
        } else if is(key, "type") {
            self.kind = value;
        } else if is(key, "source src") {
            self.source = Some(value);
        } else if is(key, "target dst destination") {
            self.target(value)?;
        } else if is(key, "bind-propagation") {
            self.only = b"bind";
            if !self.propagation(value) {
                return Err(self.wrong(text!("unknown propagation \"%\""), value));
            }
        } else if is(key, "tmpfs-size") {
            self.only = b"tmpfs";
            let Some(size) = bytes(value) else { return Err(self.wrong(text!("no size: \"%\""), value)) };
            self.data.put(b"size=").dec(size).put(b",");
        } else if is(key, "tmpfs-mode") {
            self.only = b"tmpfs";
            if value.len() > 5 || !value.iter().all(|byte| (b'0'..b'8').contains(byte)) {
                return Err(self.wrong(text!("no octal mode: \"%\""), value));
            }
            self.data.put(b"mode=").put(value).put(b",");
        }
        Ok(())
    }

    /// What --mount's type means for its source.
    fn finish(&mut self) -> Result<()> {
        if self.mount.target.is_empty() {
            return Err(self.wrong(text!("a target is required: dst=/PATH"), b""));
        }
        if !self.only.is_empty() && self.only != self.kind {
            return Err(self.wrong(text!("a field of another type than %"), self.kind));
        }
        let source = match self.source {
            Some(text) if !is(self.kind, "tmpfs") => Some(host_or_name(self.mount.typed, text)?),
            _ => None,
        };
        if is(self.kind, "bind") {
            let Some(source) = source else {
                return Err(self.wrong(text!("a bind mount needs a source: src=/PATH"), b""));
            };
            let Source::Host(_) = source else {
                return Err(self.wrong(text!("the source of a bind mount is an absolute path, or begins with ./"), b""));
            };
            self.mount.source = source;
        } else if is(self.kind, "volume") {
            self.mount.source = source.unwrap_or(Source::Anonymous);
            if let Source::Host(_) = self.mount.source {
                return Err(self.wrong(text!("the source of a volume is a name; for a host path use type=bind"), b""));
            }
        } else if !is(self.kind, "tmpfs") {
            return Err(self.wrong(text!("unknown type \"%\"; it is bind, volume or tmpfs"), self.kind));
        } else if self.source.is_some() {
            return Err(self.wrong(text!("a tmpfs has no source"), b""));
        } else {
            self.mount.source = Source::Tmpfs(keep(&self.data));
            self.mount.attributes = NOSUID | NODEV | NOEXEC;
        }
        Ok(())
    }
}

/// `TARGET[:OPTIONS]`.
pub fn tmpfs(typed: Text) -> Result<Mount> {
    parse(typed, |draft, text| {
        let (at, options) = split_once(text, b':').unwrap_or((text, b""));
        draft.target(at)?;
        draft.mount.attributes = NOSUID | NODEV | NOEXEC;
        split(options, b',').iter().try_for_each(|option| draft.tmpfs_option(option))?;
        draft.mount.source = Source::Tmpfs(keep(&draft.data));
        Ok(())
    })
}

impl Draft<'_> {
    fn tmpfs_option(&mut self, option: &[u8]) -> Result<()> {
        let key = until(option, b'=');
        if is(option, "ro rw") {
            self.mount.read_only = option == b"ro";
        } else if is(key, "size mode uid gid nr_inodes nr_blocks mpol") && key.len() < option.len() {
            self.data.put(option).put(b",");
        } else if is(option, "exec noexec") {
            self.attribute(option, NOEXEC);
        } else if is(option, "suid nosuid") {
            self.attribute(option, NOSUID);
        } else if is(option, "dev nodev") {
            self.attribute(option, NODEV);
        } else if !option.is_empty() {
            return Err(self.wrong(text!("unknown option \"%\""), option));
        }
        Ok(())
    }

    fn attribute(&mut self, option: &[u8], attribute: u64) {
        let on = if option.starts_with(b"no") { attribute } else { 0 };
        self.mount.attributes = self.mount.attributes & !attribute | on;
    }
}
