//! What is fuzzed: the parsers of everything that somebody else writes, each with what must hold of its result.
//! docs/fuzzing.md says how. The unit tests run each over its corpus and over every input that once was a crash.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

#[cfg(fuzzing)]
#[path = "driver.rs"]
mod driver;
#[path = "jail.rs"]
mod jail;
#[path = "model.rs"]
mod model;

use crate::cli::{self, env, kind, volume};
use crate::error::Error;
use crate::format::filter;
use crate::json::write;
use crate::spec::{Source as From, Text};
use crate::sys::name::{Name, t};
use crate::sys::{Errno, OwnedFd, fs, resolve};
use crate::tar::header::{BLOCK, Kind, Member, record};
use crate::tar::inflate::{Inflate, RING};
use crate::tar::packed::Packed;
use crate::tar::squeeze::Squeeze;
use crate::tar::{self, Source, header, unpack};
use crate::text::{Line, Message};
use crate::text::{has, keep, split, split_once, until};
use crate::{assemble, cgroup, diagnose, explain, format, host, image, json, plan, userns, users};
use sha2::Digest;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;

/// A target and its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 15] = [
    ("header", header),
    ("source", source),
    ("inflate", inflate),
    ("unpack", unpacking),
    ("cli", command_line),
    ("volume", volumes),
    ("env", environment),
    ("users", user),
    ("sizes", values),
    ("tables", tables),
    ("script", script),
    ("explain", explained),
    ("resolve", resolving),
    ("json", documents),
    ("format", formatted),
];

/// An unnamed file with these bytes, at its start.
fn file(bytes: &[u8]) -> File {
    let mut open = std::fs::OpenOptions::new();
    let open = open.read(true).write(true).custom_flags(libc::O_TMPFILE);
    // In the jail the first is read-only.
    let mut file = open.open("/dev/shm").or_else(|_| open.open("/tmp")).unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// The first byte, which chooses, and the rest.
fn choice(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(&first, rest)| (usize::from(first), rest))
}

/// An error is for one line of a terminal, and a hint for another.
fn one_line(error: &Error) {
    let text = error.text();
    assert!(text.starts_with(b"mydocker: ") && text.ends_with(b"\n"));
    assert!(text.iter().all(|&byte| byte == b'\n' || byte >= b' ' && byte != 0x7f), "{}", text.escape_ascii());
    let lines: Vec<&[u8]> = text.trim_ascii_end().split(|&byte| byte == b'\n').collect();
    assert!(lines.len() == 1 || lines.len() == 2 && lines[1].starts_with(b"hint: "), "{}", text.escape_ascii());
    assert!([125, 126, 127].contains(&error.exit_code()));
}

/// Blocks of a header, of which the first byte says what they are, and pax records behind them.
fn header(bytes: &[u8]) {
    let (flags, bytes) = choice(bytes);
    let mut member = Member::default();
    let mut rest = bytes;
    if let Some((block, after)) = bytes.split_first_chunk::<BLOCK>() {
        let mut block = *block;
        if flags & 1 == 0 {
            model::set_checksum(&mut block);
        }
        rest = after;
        if member.read(&block).is_ok() {
            assert!(member.mode <= 0o7777);
            assert!(member.path.len() <= 256 && member.link.len() <= 100);
            assert!(!has(&member.path, 0) && !has(&member.link, 0));
            assert!(member.device == 0 || matches!(member.kind, Kind::Node(_)));
        }
    }
    let at = rest.len() * (flags >> 1) / 128;
    let (global, own) = rest.split_at(at);
    if member.apply(&[global, own]).is_ok() {
        assert!(member.mtime.1 >= 0 && member.mtime.1 < 1_000_000_000);
        // What is valid is taken apart to its end, and nothing is invented.
        for header in [global, own] {
            let (mut left, mut length) = (header, 0);
            while let Ok(Some((key, value))) = record(&mut left) {
                length += key.len() + value.len();
                assert!(!has(key, b'='));
            }
            assert!(left.is_empty() && length <= header.len());
        }
    }
    assert!(member.uid != u32::MAX && member.gid != u32::MAX);
    let _ = header::text(rest);
}

/// An archive's bytes, in pieces: what comes out is what went in, or what gzip makes of it, and so is its digest.
fn source(bytes: &[u8]) {
    let (step, bytes) = choice(bytes);
    let file = file(bytes);
    let mut source = Source::new(file.as_fd(), b"x.tar", bytes.len() as u64);
    let mut all = Vec::new();
    let result = loop {
        match source.window() {
            Err(errno) => break Err(errno),
            Ok([]) => break Ok(()),
            Ok(window) => {
                let count = window.len().min(step * 37 + 1);
                all.extend_from_slice(&window[..count]);
                source.consume(count);
            }
        }
        // A small file can be gigabytes. Enough to go round the ring a few times.
        if all.len() > model::LIMIT {
            return;
        }
    };
    assert!(result != Err(Errno::EINVAL) || !source.why.is_empty());
    assert!(result.is_ok() || result == Err(Errno::EINVAL));
    let gzip = bytes.starts_with(crate::tar::gzip::MAGIC);
    if result.is_ok() {
        assert!(gzip || all == bytes);
        assert_eq!(source.digest(), (<[u8; 32]>::from(sha2::Sha256::digest(&all)), all.len() as u64));
    }
    if gzip {
        let expected = model::gunzip(bytes);
        match (result, expected) {
            (Ok(()), Ok(expected)) => assert!(all == expected),
            (Ok(()), Err(model::Refused::Frame)) => panic!("gzip that another reader refuses"),
            (Err(_), Ok(_)) => panic!("gzip that another reader takes"),
            (_, Err(_)) => {}
        }
    }
}

/// DEFLATE alone, against miniz_oxide. The first byte says how it is read.
fn inflate(bytes: &[u8]) {
    let (step, bytes) = choice(bytes);
    let reference = model::inflate(bytes);
    // The decoder reads ahead; in a gzip file there are eight bytes more at least.
    let file = file(&[bytes, &[0; 8]].concat());
    let mut packed = Packed::new(file.as_fd(), b"", 0, [1, 2, 3, 5, 64, 4096][step % 6]);
    let mut inflate = Box::new(Inflate::new());
    let mut ring = Box::new([0; RING]);
    let (mut all, mut at) = (Vec::new(), 0);
    let result = loop {
        match inflate.run(&mut packed, &mut ring, at) {
            Err(errno) => break Err(errno),
            Ok((end, last)) => {
                all.extend_from_slice(&ring[at..end]);
                if last {
                    break Ok(());
                }
                assert_eq!(end, RING);
                at = 0;
            }
        }
        if all.len() > model::LIMIT {
            return;
        }
    };
    match reference {
        model::Inflated::Whole(expected, length) => {
            assert!(result.is_ok(), "another decoder takes it");
            assert!(all == expected);
            // It took no byte too many.
            let next = bytes.get(length).copied().unwrap_or(0);
            assert_eq!(inflate.byte(&mut packed), Ok(next));
        }
        model::Inflated::Long => {}
        // Ours takes codes with holes, as long as none is met, and what the eight zeros complete.
        model::Inflated::Wrong => {}
    }
}

/// The whole reader, into a directory. Checksums are made right where a header is expected.
fn unpacking(bytes: &[u8]) {
    let (fix, bytes) = choice(bytes);
    let mut archive = bytes.to_vec();
    if fix & 1 == 0 {
        model::repair(&mut archive);
    }
    archive.insert(0, fix as u8);
    jail::run(archive, |dir, archive| {
        // As an image's layer, or as a whole root.
        let (fix, archive) = choice(archive);
        let file = file(archive);
        let mut source = Source::new(file.as_fd(), b"x.tar", archive.len() as u64);
        let record = self::file(b"");
        source.sink = Some(Box::new(Squeeze::new(record.try_clone().unwrap().into())));
        match unpack(&mut source, dir, (fix & 2 != 0).then_some(&[])) {
            Ok(_) if archive.starts_with(crate::tar::gzip::MAGIC) => {}
            Ok(digest) => {
                assert_eq!(digest, <[u8; 32]>::from(sha2::Sha256::digest(archive)));
                // What it was made of comes out of it again.
                let again = tar::again::tests::archive(record.as_fd(), dir);
                assert!(again.map_err(|error| error.text()).unwrap() == archive);
            }
            Err(error) => one_line(&error),
        }
    });
}

fn words(bytes: &[u8], at: u8) -> &'static [Text] {
    // What execve passes has no NUL in it and is 128 KiB at most.
    split(bytes, at).iter().map(|word| keep(word)).collect::<Vec<Text>>().leak()
}

/// `mydocker run` with words that NUL separates.
fn command_line(bytes: &[u8]) {
    let words = words(bytes, 0);
    match cli::run(words, cli::Origin::default()) {
        Err(error) => one_line(&error),
        Ok(options) => {
            // What is left is the end of what was typed.
            assert!(options.words.len() <= words.len());
            for (left, typed) in options.words.iter().rev().zip(words.iter().rev()) {
                assert!(left == typed);
            }
            if options.help {
                return;
            }
            let limits = &options.spec.limits;
            let memory = limits.memory.unwrap_or(u64::MAX);
            assert!(limits.memory_swap.is_none_or(|swap| swap >= memory || swap == u64::MAX));
            assert!(limits.cpu_quota.is_none_or(|quota| quota >= 1000));
            assert!(limits.pids != Some(0));
            let named = |name: Text| name.first().is_ascii_alphanumeric() && !has(name.to_bytes(), b'/');
            assert!(options.spec.name.is_none_or(named));
            assert!(options.cwd.is_none_or(|cwd| is_clean(cwd.to_bytes())));
            mounts(&options.spec.mounts);
            variables(&options.spec.process.env);
        }
    }
}

fn is_clean(path: &[u8]) -> bool {
    path == b"/"
        || path.starts_with(b"/")
            && path[1..].split(|&byte| byte == b'/').all(|part| !part.is_empty() && part != b"." && part != b"..")
}

/// In an order in which they can be made, each on a target of its own, none where none may be.
fn mounts(mounts: &[crate::spec::Mount]) {
    for (index, mount) in mounts.iter().enumerate() {
        let target = mount.target.to_bytes();
        assert!(is_clean(target) && target != b"/", "{}", target.escape_ascii());
        assert!(target != b"/proc" && !target.starts_with(b"/proc/"));
        match mount.source {
            // A relative one is made absolute by `cli::run`.
            From::Host(path) => assert!(is_clean(path.to_bytes()) || path.first() == b'.'),
            From::Volume(name) => {
                let name = name.to_bytes();
                assert!(name.len() >= 2 && name.len() <= 255 && name[0].is_ascii_alphanumeric() && !has(name, b'/'));
            }
            From::Anonymous => {}
            From::Tmpfs(options) => assert!(options.is_empty() || options.to_bytes().ends_with(b",")),
        }
        let below = [target, b"/"].concat();
        for other in &mounts[..index] {
            assert!(other.target != mount.target && !other.target.to_bytes().starts_with(&below));
        }
    }
}

fn variables(env: &[Text]) {
    for entry in env {
        assert!(!until(entry.to_bytes(), b'=').is_empty());
    }
}

/// -v, --mount and --tmpfs, each several times.
fn volumes(bytes: &[u8]) {
    let (which, bytes) = choice(bytes);
    let mut all = Vec::new();
    for (index, &typed) in words(bytes, 0).iter().enumerate() {
        let mount = match (which + index) % 3 {
            0 => volume::volume(typed),
            1 => volume::mount(typed),
            _ => volume::tmpfs(typed),
        };
        match mount.and_then(|mount| volume::insert(&mut all, mount)) {
            Ok(()) => mounts(&all),
            Err(error) => one_line(&error),
        }
    }
    if bytes.starts_with(b"/") {
        let clean = volume::clean(bytes);
        assert!(is_clean(&clean) && *volume::clean(&clean) == *clean);
    }
}

/// -e, and --env-file.
fn environment(bytes: &[u8]) {
    let (which, bytes) = choice(bytes);
    let mut env = Vec::new();
    let result = if which & 1 == 0 {
        let file = file(bytes);
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        env::file(keep(path.as_bytes()), &mut |line| env::entry(line, cli::Origin::default(), true, &mut env))
    } else {
        env::entry(keep(bytes).to_bytes(), cli::Origin::default(), false, &mut env)
    };
    variables(&env);
    if let Err(error) = result {
        one_line(&error);
    }
}

/// -u's word, passwd and group; NUL stands between.
fn user(bytes: &[u8]) {
    let (word, files) = split_once(bytes, 0).unwrap_or((bytes, b""));
    let (passwd, group) = split_once(files, 0).unwrap_or((files, b""));
    let open = |name: Name| -> Result<OwnedFd, Errno> {
        let content = if name.to_bytes() == b"/etc/passwd" { passwd } else { group };
        if content == b"-" { Err(Errno::ENOENT) } else { Ok(file(content).into()) }
    };
    match users::find(&open, word, &[]) {
        Err(error) => one_line(&error),
        Ok(found) => {
            assert!(found.uid <= i32::MAX as u32 && found.gid <= i32::MAX as u32);
            assert_eq!(found.groups.first(), Some(&found.gid));
            assert!(!has(&found.home, b'\n') && !found.home.is_empty());
            let (name, group) = split_once(word, b':').unwrap_or((word, b""));
            assert!(group.is_empty() || found.groups.len() == 1);
            // Root only where root was asked for, by a number or by an entry that says so.
            if name.iter().all(u8::is_ascii_digit) {
                let name = if name.is_empty() { b"0" } else { name };
                assert_eq!(model::decimal(name), Some(u64::from(found.uid)));
            } else {
                let entry = passwd.split(|&byte| byte == b'\n').any(|line| {
                    let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
                    fields.len() > 3 && fields[0] == name && model::decimal(fields[2]) == Some(u64::from(found.uid))
                });
                assert!(entry && !name.is_empty());
            }
        }
    }
}

/// Every kind of value, and sizes against arithmetic of another kind.
fn values(bytes: &[u8]) {
    let value = keep(bytes).to_bytes();
    let size = kind::bytes(value);
    assert_eq!(size, model::size(value), "{}", value.escape_ascii());
    assert_eq!((kind::SIZE.read)(value), size);
    let unlimited = (kind::SIZE_OR_UNLIMITED.read)(value);
    assert!(unlimited == size || value == b"-1");
    assert!((kind::CPUS.read)(value).is_none_or(|quota| quota == 0 || quota >= 1000));
    assert!((kind::PERCENT.read)(value).is_none_or(|quota| quota >= 1000));
    assert!((kind::SHARES.read)(value).is_none_or(|shares| shares == 0 || (2..=262_144).contains(&shares)));
    assert!((kind::PIDS.read)(value) != Some(0));
    assert!((kind::LIST.read)(value).is_none() || value.iter().all(|byte| b"0123456789,-".contains(byte)));
    if let Some(reference) = image::reference::parse(value) {
        let file = image::reference::file(reference);
        assert!(!file.to_bytes().contains(&b'/') && file.first() != b'.' && file.to_bytes().len() <= 255);
        assert_eq!(image::reference::of_file(file), reference);
        assert_eq!(image::reference::parse(reference.to_bytes()), Some(reference));
    }
    for kind in [&kind::SWITCH, &kind::PATH, &kind::HOST_NAME, &kind::LEVEL, &kind::SHARED, &kind::NETWORK] {
        assert!((kind.read)(value).is_none_or(|number| number <= 1));
    }
    assert!((kind::SIGNAL.read)(value).is_none_or(|signal| (1..=64).contains(&signal)));
    assert!(kind::duration(value) != Some(0) || !value.iter().any(|digit| (b'1'..=b'9').contains(digit)));
    match kind::ulimit(keep(value)) {
        Ok(limit) => assert!(limit.soft <= limit.hard && limit.resource < 16),
        Err(error) => one_line(&error),
    }
}

/// What the kernel and the host write: mountinfo, lists of controllers, status, resolv.conf; and our own manifest.
fn tables(bytes: &[u8]) {
    let (which, bytes) = choice(bytes);
    match which % 6 {
        0 => {
            let mut layout = cgroup::Layout::default();
            cgroup::search_in(&mut layout, bytes, &|_, _| true);
            let mut seen = 0;
            for hierarchy in &layout.hierarchies {
                assert!(hierarchy.controllers != 0 && seen & hierarchy.controllers == 0);
                seen |= hierarchy.controllers;
            }
        }
        1 => assert!(cgroup::named_in(bytes, b' ') < 32 && cgroup::named_in(bytes, b',') < 32),
        2 => _ = (host::set(bytes, b"SigIgn:\t"), host::set(bytes, b"CapBnd:\t")),
        3 => {
            let text = assemble::reachable(bytes);
            assert!(text.len() <= bytes.len());
            for line in String::from_utf8_lossy(&text).split('\n') {
                assert!(!line.trim_ascii_start().starts_with("nameserver 127."), "{line}");
            }
        }
        4 => {
            let file = file(bytes);
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
            if let Some((first, count)) = userns::range(keep(path.as_bytes()), &[b"dockremap", b"1000"]) {
                assert!(count != 0 && first.checked_add(count).is_some_and(|end| end != 0));
            }
        }
        _ => {
            for layer in image::Image::parse(bytes).map(|image| image.layers).unwrap_or_default() {
                let digest = layer.to_bytes().strip_prefix(b"layers/").unwrap();
                assert!(digest.len() == 64 && digest.iter().all(u8::is_ascii_hexdigit));
            }
        }
    }
}

/// The head of a file that cannot be executed: `#!` lines and ELF.
fn script(bytes: &[u8]) {
    if let Some(name) = diagnose::interpreter(bytes) {
        assert!(bytes.windows(name.len().max(1)).any(|part| part == name) || name.is_empty());
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
        assert!(!bytes.starts_with(b"#!") || !name.is_empty() && !name.iter().any(blank));
    }
    assert!(!diagnose::format(bytes).is_empty());
}

/// What the words after `run` would do, all of it, in the jail: only that is explained.
fn explained(bytes: &[u8]) {
    jail::run(bytes.to_vec(), |_, bytes| {
        let words: Vec<Text> = [b"--explain".as_slice()].iter().chain(split(bytes, 0)).map(|word| keep(word)).collect();
        let Ok(mut options) = cli::run(words.leak(), cli::Origin::default()) else { return };
        if options.help || !options.explain {
            return;
        }
        let explained = userns::ids(options.userns).and_then(|user| {
            assemble::complete(&mut options, None)?;
            let host = host::look(&options.spec, fs::CWD, t(c"/store"), user)?;
            let plan = plan::build(&options.spec, &host)?;
            Ok(explain::plan(&plan))
        });
        match explained {
            Err(error) => one_line(&error),
            Ok(text) => {
                assert!(text.ends_with(b"\n"));
                assert!(text.iter().all(|&byte| byte == b'\n' || byte >= b' ' && byte != 0x7f));
            }
        }
    });
}

/// A tree of links, and paths in it: the walk by hand finds what openat2 finds.
fn resolving(bytes: &[u8]) {
    const TOKENS: [&[u8]; 16] = [
        b"a",
        b"b",
        b"c",
        b"/a",
        b"/b",
        b"/c",
        b"/",
        b"/..",
        b"..",
        b"/.",
        b".",
        b"//",
        b"/../",
        b"a/../",
        b"/a/b/c",
        b"b/../../",
    ];
    jail::run(bytes.to_vec(), |root, bytes| {
        let path =
            |bytes: &[u8]| bytes.iter().flat_map(|&byte| TOKENS[usize::from(byte & 15)]).copied().collect::<Vec<u8>>();
        for line in bytes.split(|&byte| byte == b'\n').take(32) {
            let (which, rest) = choice(line);
            let at = (which >> 3).min(rest.len());
            let (first, second) = rest.split_at(at);
            match which & 7 {
                kind @ 0..5 => {
                    // Made beneath the root, whatever links there are.
                    let first = path(first);
                    let parts: Vec<&[u8]> = first.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
                    let Some((name, dir)) = parts.split_last() else { continue };
                    let dir = if dir.is_empty() { b".".to_vec() } else { dir.join(&b'/') };
                    let flags = (libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC) as u64;
                    let how = fs::OpenHow { flags, mode: 0, resolve: fs::BENEATH | fs::NO_SYMLINKS };
                    let Ok(dir) = fs::openat2(root, keep(&dir), &how) else { continue };
                    let name = keep(name);
                    let _ = match kind {
                        0 | 1 => fs::mkdir(dir.as_fd(), name, 0o755),
                        2 => fs::mknod(dir.as_fd(), name, libc::S_IFREG, 0),
                        _ => fs::symlink(keep(&path(second)), dir.as_fd(), name),
                    };
                }
                kind => {
                    let path = path(rest);
                    // An empty path is none; nobody has one.
                    if path.is_empty() || path.len() > 2048 {
                        continue;
                    }
                    let flags = libc::O_PATH
                        | if kind == 6 { libc::O_DIRECTORY } else { 0 }
                        | if which & 8 != 0 { libc::O_NOFOLLOW } else { 0 };
                    let how = fs::OpenHow {
                        flags: (flags | libc::O_CLOEXEC) as u64,
                        mode: 0,
                        resolve: fs::IN_ROOT | fs::NO_MAGICLINKS,
                    };
                    let tell = |fd: Result<OwnedFd, Errno>| {
                        fd.and_then(|fd| fs::fstat(fd.as_fd())).map(|stat| (stat.st_dev, stat.st_ino))
                    };
                    let kernels = tell(fs::openat2(root, keep(&path), &how));
                    let ours = tell(resolve::walk(root, keep(&path), flags, 0));
                    // Where others rename all the time the kernel gives up.
                    if kernels == Err(Errno::EAGAIN) {
                        continue;
                    }
                    // Links that are longer than a path, one in the other: the kernel keeps them apart.
                    if ours != Err(Errno::ENAMETOOLONG) {
                        assert_eq!(ours, kernels, "{}", path.escape_ascii());
                    }
                }
            }
        }
    });
}

/// JSON: what is valid is taken apart to its leaves, each a value of its own, and written together again it is the same.
/// A template, and behind a NUL a document; whatever they are, as a row of a table and alone.
fn formatted(bytes: &[u8]) {
    let (template, document) = split_once(bytes, 0).unwrap_or((bytes, b""));
    let quoted = write::array(&[keep(template)], false);
    assert!(json::document(quoted.to_bytes()).is_some());
    let back = json::text_at(quoted.to_bytes(), "0");
    assert!(core::str::from_utf8(template).is_err() || back.to_bytes() == template);
    let _ = (filter::fits(template, document), filter::Filters::read(&[keep(template)], "a b"));
    let Some(value) = json::document(document) else { return };
    let (pretty, compact) = (write::pretty(value), write::compact(value));
    assert_eq!(*write::compact(&pretty), *compact);
    assert!(json::document(&compact).is_some());
    let mut line = Line::new();
    let wrong = |error: Error| {
        let text = error.text();
        assert!(
            text.starts_with(b"mydocker: ") && text.iter().all(|&byte| byte == b'\n' || byte >= b' ' && byte != 0x7f)
        );
    };
    format::template::object(template, value, &mut line).unwrap_or_else(wrong);
    let row = keep(&compact);
    let table = [b"table ", template].concat();
    match format::show(Some(keep(&table)), false, &VIEW, &[row, row]) {
        // A table is for a terminal; only the template's own bytes are as they are.
        Ok(shown) => {
            let odd = |byte: u8| byte < b' ' && byte != b'\n' || byte == 0x7f;
            assert!(shown.ends_with(b"\n") && !shown.iter().any(|&byte| odd(byte) && !has(template, byte)));
        }
        Err(error) => wrong(error),
    }
}

const VIEW: format::View = format::View { quiet: Message::NONE, table: Message::NONE, headers: Message::NONE };

fn documents(bytes: &[u8]) {
    // What is not valid may be looked into all the same.
    let _ = json::get(bytes, "a 1 b");
    let _ = json::text(bytes);
    let Some(value) = json::document(bytes) else { return };
    fn again(value: &[u8], all: &mut Vec<u8>) {
        assert_eq!(json::document(value), Some(value));
        if !value.starts_with(b"[") && !value.starts_with(b"{") {
            assert!(json::items(value).next().is_none());
            assert!(json::text(value).is_none_or(|text| text.to_bytes().len() <= value.len()));
            return all.extend_from_slice(value);
        }
        all.push(value[0]);
        for (at, (name, item)) in json::items(value).enumerate() {
            if at != 0 {
                all.push(b',');
            }
            if value[0] == b'{' {
                all.extend_from_slice(name);
                all.push(b':');
                // NUL makes a name that cannot be asked for.
                if let Some(name) = json::text(name) {
                    assert!(json::member(value, name.to_bytes()).is_some());
                }
            }
            again(item, all);
        }
        all.push(value[value.len() - 1]);
    }
    let mut all = Vec::new();
    again(value, &mut all);
    // But for the blanks, which in strings are part of them.
    let mut quoted = false;
    let mut escaped = false;
    let squeezed: Vec<u8> = value
        .iter()
        .copied()
        .filter(|&byte| {
            let blank = !quoted && matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            quoted ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            !blank
        })
        .collect();
    assert!(all == squeezed);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs of a packed corpus: a length of four bytes, big-endian, before each.
    fn inputs(mut packed: &[u8]) -> Vec<&[u8]> {
        let mut all = Vec::new();
        while let Some((length, rest)) = packed.split_first_chunk::<4>() {
            let (input, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            all.push(input);
            packed = rest;
        }
        all
    }

    fn replay(name: &str) {
        let (_, run) = TARGETS.iter().find(|(other, _)| *other == name).unwrap();
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
        let corpus = std::fs::read(dir.join("corpus").join(name)).unwrap();
        let inputs = inputs(&corpus);
        assert!(!inputs.is_empty());
        inputs.iter().for_each(|input| run(input));
        for entry in std::fs::read_dir(dir.join("crashes")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}-")) {
                run(&std::fs::read(path).unwrap());
            }
        }
    }

    macro_rules! replays {
        ($($test:ident $name:literal),* $(,)?) => {
            $(#[test] fn $test() { replay($name); })*
            #[test]
            fn each_target_is_replayed() {
                assert_eq!([$($name),*], TARGETS.map(|(name, _)| name));
            }
        };
    }

    replays!(
        headers "header", sources "source", streams "inflate", archives "unpack", command_lines "cli",
        volume_arguments "volume", env_files "env", passwd_and_group "users", sizes "sizes", tables_of_the_host "tables",
        scripts "script", explained_lines "explain", walks "resolve", documents_of_others "json",
        templates "format",
    );
}
