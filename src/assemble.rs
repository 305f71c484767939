//! Options and an image → Spec: what docker fills in by itself.

use crate::cli::Options;
use crate::error::{Error, Result};
use crate::image::{self, Image};
use crate::spec::{Files, Lower, Process, Spec, Text};
use crate::store::Store;
use crate::sys::process;
use crate::sys::{Errno, fs};
use crate::text::{Line, Push, keep, keep_all};
use crate::users;
use std::os::fd::{AsFd, BorrowedFd};

const PATH: Text = c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// docker's size of /dev/shm.
const SHM_SIZE: u64 = 64 << 20;

/// The spec of `run`. `store` is None for an --explain where there is no store yet.
pub fn spec(mut options: Options, store: Option<&Store>) -> Result<Spec> {
    let dir = store.map_or(fs::CWD, |store| store.dir());
    let image = find_image(&mut options, store)?;
    let args = command(&options)?;
    let user = users::find(&|path| image.image.open(dir, path), options.user.unwrap_or_default().to_bytes())?;
    let id = new_id()?;
    let hostname = match options.hostname {
        Some(name) => name,
        None if options.share.net || options.share.uts => host_name(),
        None => keep(id.to_bytes().get(..12).unwrap_or_default()),
    };
    let process = Process {
        args,
        env: environment(&options, hostname, &user.home),
        cwd: options.cwd.unwrap_or(c"/"),
        uid: user.uid,
        gid: user.gid,
        groups: user.groups,
        tty: options.tty,
        stdin: options.stdin,
        init: options.init,
        rlimits: options.rlimits,
    };
    Ok(Spec {
        id,
        name: options.name,
        hostname,
        lower: lower(&image, dir)?,
        mounts: options.mounts,
        read_only: options.read_only,
        shm_size: options.shm_size.unwrap_or(SHM_SIZE),
        files: files(options.share.net),
        process,
        limits: options.limits,
        share: options.share,
    })
}

/// An image with what the user calls it.
struct Named {
    image: Image,
    name: Text,
}

/// --rootfs, or what the first word names (then it is taken off), or the default image.
fn find_image(options: &mut Options, store: Option<&Store>) -> Result<Named> {
    if let Some(path) = options.rootfs {
        return rootfs(path);
    }
    let first = options.words.first().copied().unwrap_or(c"");
    let word = first.to_bytes();
    let archive = [&b".tar"[..], b".tar.gz", b".tgz"].iter().any(|end| word.ends_with(end));
    let relative = word.starts_with(b"./") || word.starts_with(b"../");
    let found = if archive && options.explain {
        Some(Named { image: not_imported(first), name: first })
    } else if archive {
        Some(Named { image: image::from_archive(dir(store)?, first)?, name: first })
    } else if relative && is_directory(first) {
        Some(rootfs(first)?)
    } else if let Some(store) = store {
        image::named(store.dir(), word)?.map(|image| Named { image, name: first })
    } else {
        None
    };
    if let Some(found) = found {
        options.words.remove(0);
        return Ok(found);
    }
    // The default image's name is one before it is imported too.
    if word == b"busybox" {
        options.words.remove(0);
    }
    if options.explain {
        let image = match store {
            Some(store) => image::named(store.dir(), b"busybox")?,
            None => None,
        };
        return Ok(Named { image: image.unwrap_or_else(|| not_imported(c"busybox.tar")), name: c"busybox" });
    }
    let home = process::variable(c"HOME").map_or(&b""[..], |home| home.to_bytes());
    Ok(Named { image: image::default_image(dir(store)?, home)?, name: c"busybox" })
}

fn dir(store: Option<&Store>) -> Result<BorrowedFd<'_>> {
    store.map(Store::dir).ok_or_else(|| Error::new("there is no store", &[]))
}

/// For --explain, which imports nothing: the layer's name is the archive's digest, which only reading it would tell.
fn not_imported(archive: Text) -> Image {
    Image { layers: vec![keep_all(&[b"layers/<sha256 of ", archive.to_bytes(), b">"]).to_bytes().to_vec()] }
}

fn is_directory(path: Text) -> bool {
    fs::open_follow(fs::CWD, path, libc::O_PATH | libc::O_DIRECTORY, 0).is_ok()
}

fn rootfs(path: Text) -> Result<Named> {
    if let Err(errno) = fs::open_follow(fs::CWD, path, libc::O_PATH | libc::O_DIRECTORY, 0) {
        return Err(Error::sys("open the root file system", path.to_bytes(), errno));
    }
    let bytes = path.to_bytes();
    let absolute = if bytes.first() == Some(&b'/') { path } else { crate::cli::absolute(bytes)? };
    Ok(Named { image: Image { layers: vec![absolute.to_bytes().to_vec()] }, name: path })
}

fn lower(named: &Named, store: BorrowedFd) -> Result<Lower> {
    let layers: Vec<Text> = named.image.layers.iter().map(|layer| keep(layer)).collect();
    let top = layers.first().copied().unwrap_or(c"");
    let (mode, owner) =
        match fs::open_follow(store, top, libc::O_PATH | libc::O_DIRECTORY, 0).and_then(|top| fs::fstat(top.as_fd())) {
            Ok(stat) => (stat.st_mode & 0o7777, (stat.st_uid, stat.st_gid)),
            Err(Errno::ENOENT) if top.to_bytes().starts_with(b"layers/<") => (0o755, (0, 0)),
            Err(errno) => return Err(Error::sys("open the image's layer", top.to_bytes(), errno)),
        };
    Ok(Lower { layers, mode, owner, named: named.name })
}

fn command(options: &Options) -> Result<Vec<Text>> {
    let mut args: Vec<Text> = options.entrypoint.into_iter().filter(|text| !text.is_empty()).collect();
    args.extend_from_slice(&options.words);
    if args.is_empty() {
        return Err(Error::new("no command specified", &[]).hint("mydocker run [FLAGS] [IMAGE] COMMAND [ARG...]", &[]));
    }
    Ok(args)
}

/// 64 hexadecimal digits from the kernel's random numbers.
fn new_id() -> Result<Text> {
    let mut bytes = [0_u8; 32];
    process::random(&mut bytes).map_err(|errno| Error::sys("get random numbers", b"", errno))?;
    let digit = |value: u8| *b"0123456789abcdef".get(usize::from(value & 15)).unwrap_or(&b'0');
    Ok(keep(&bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte)]).collect::<Line>()))
}

fn small_file(path: Text) -> Vec<u8> {
    let read =
        |path| fs::read_all(fs::open_follow(fs::CWD, path, libc::O_RDONLY | libc::O_NONBLOCK, 0)?.as_fd(), 1 << 16);
    read(path).unwrap_or_default()
}

fn host_name() -> Text {
    keep(small_file(c"/proc/sys/kernel/hostname").trim_ascii())
}

/// docker's order: its own variables, then the user's over them.
fn environment(options: &Options, hostname: Text, home: &[u8]) -> Vec<Text> {
    let mut env = vec![PATH, keep_all(&[b"HOSTNAME=", hostname.to_bytes()])];
    if options.tty {
        env.push(c"TERM=xterm");
    }
    let name = |entry: Text| entry.to_bytes().split(|&byte| byte == b'=').next().unwrap_or_default();
    for &entry in &options.env {
        match env.iter_mut().find(|other| name(other) == name(entry)) {
            Some(other) => *other = entry,
            None => env.push(entry),
        }
    }
    if !env.iter().any(|&entry| name(entry) == b"HOME") {
        env.push(keep_all(&[b"HOME=", home]));
    }
    env
}

/// As docker makes them: with the host's network they are the host's; else a fixed /etc/hosts, and the host's
/// resolv.conf without the resolvers on its loopback, which the container could not reach.
fn files(host_network: bool) -> Files {
    if host_network {
        return Files { hosts: keep(&small_file(c"/etc/hosts")), resolv: keep(&small_file(c"/etc/resolv.conf")) };
    }
    let hosts = c"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
    let mut resolv = Line::new();
    for line in small_file(c"/etc/resolv.conf").split_inclusive(|&byte| byte == b'\n') {
        let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        let local = words.next() == Some(b"nameserver")
            && words.next().is_some_and(|address| address.starts_with(b"127.") || address == b"::1");
        if !local {
            resolv.put(line);
        }
    }
    Files { hosts, resolv: keep(&resolv) }
}
