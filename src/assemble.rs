//! Options and an image → Spec: what docker fills in by itself.

use crate::cli::{Options, clean, kind, volume};
use crate::error::{Error, Result};
use crate::image::config::{Config, Part, put};
use crate::image::{self, Image};
use crate::spec::{Files, Lower, Mount, Process, Text};
use crate::store::Store;
use crate::sys::name::{Name, t};
use crate::sys::process;
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{Line, Push, filled, has, keep, until};
use crate::{exec, users};
use std::os::fd::{AsFd, BorrowedFd};

const PATH: Text = t(c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

/// The image of a run that names none.
const DEFAULT: Text = t(c"busybox");

/// docker's size of /dev/shm.
const SHM_SIZE: u64 = 64 << 20;

/// Completes the spec of `run`. `store` is None for an --explain where there is no store yet.
pub fn complete(options: &mut Options, store: Option<&Store>) -> Result<()> {
    let dir = store.map_or(fs::CWD, Store::dir);
    let (image, named) = find_image(options, store)?;
    compose(options, &image, named, new_id()?, dir)
}

/// Completes it from a known image, for the container of that id.
pub fn compose(options: &mut Options, image: &Image, named: Text, id: Text, dir: BorrowedFd) -> Result<()> {
    let config = image.says(dir)?;
    image_volumes(&mut options.spec.mounts, &config)?;
    let user = options.user.filter(|user| !user.is_empty()).unwrap_or(config.word(Part::User));
    let open = |path: Name| match &options.live {
        Some(root) => exec::open_live(root.as_fd(), path),
        None => image.open(dir, path),
    };
    let user = users::find(&open, user.to_bytes(), &options.spec.process.group_add)?;
    let spec = &mut options.spec;
    spec.id = id;
    spec.hostname = match options.hostname {
        Some(name) => name,
        None if spec.share.net || spec.share.uts => keep(small_file(t(c"/proc/sys/kernel/hostname"))?.trim_ascii()),
        None => keep(id.to_bytes().get(..12).unwrap_or_default()),
    };
    spec.shm_size = options.shm_size.unwrap_or(SHM_SIZE);
    spec.files = files(spec.share.net)?;
    let process = &mut spec.process;
    spec.words = options.words.len();
    process.args = command(options.entrypoint, options.words, &config)?;
    process.cwd = options.cwd.unwrap_or_else(|| keep(&clean(config.word(Part::Cwd).to_bytes())));
    environment(process, spec.hostname, &user.home, config.list(Part::Env));
    (process.uid, process.gid, process.groups) = (user.uid, user.gid, user.groups);
    spec.lower = lower(image, named, dir)?;
    spec.labels = config.list(Part::Labels).into();
    options.life.labels.iter().for_each(|&label| put(&mut spec.labels, label));
    let signal = options.life.stop_signal.unwrap_or(config.word(Part::StopSignal));
    // An image can say anything.
    spec.stop_signal = match (kind::SIGNAL.read)(signal.to_bytes()) {
        Some(number @ 1..) => number as u32,
        _ => libc::SIGTERM as u32,
    };
    Ok(())
}

/// The image's own volumes, where nothing else was asked for.
pub fn image_volumes(mounts: &mut Vec<Mount>, config: &Config) -> Result<()> {
    for &target in config.list(Part::Volumes) {
        let mount = volume::anonymous(target)?;
        if !mounts.iter().any(|other| other.target == mount.target) {
            volume::insert(mounts, mount)?;
        }
    }
    Ok(())
}

/// An image with what the user calls it.
type Named = (Image, Text);

/// --rootfs, or what the first word names (then it is taken off), or the default image.
fn find_image(options: &mut Options, store: Option<&Store>) -> Result<Named> {
    if let Some(path) = options.rootfs {
        return rootfs(path);
    }
    if let Some((&first, rest)) = options.words.split_first() {
        let image = image_of(first, store, options.explain)?;
        // The default image's name is one before it is imported too.
        if image.is_some() || first == DEFAULT {
            options.words = rest;
        }
        if let Some(image) = image {
            return Ok(image);
        }
    }
    let image = if !options.explain {
        let home = process::variable(t(c"HOME")).unwrap_or_default();
        image::default_image(dir(store)?, home.to_bytes())?
    } else {
        let known = store.map_or(Ok(None), |store| image::named(store.dir(), DEFAULT.to_bytes()))?;
        known.unwrap_or_else(|| not_imported(t(c"busybox.tar")))
    };
    Ok((image, DEFAULT))
}

/// The image that a word names, if it names one.
fn image_of(first: Text, store: Option<&Store>, explain: bool) -> Result<Option<Named>> {
    let word = first.to_bytes();
    let image = if word.ends_with(b".tar") || word.ends_with(b".tar.gz") || word.ends_with(b".tgz") {
        Some(if explain { not_imported(first) } else { image::from_archive(dir(store)?, first)? })
    } else if (word.starts_with(b"./") || word.starts_with(b"../")) && open_directory(fs::CWD, first).is_ok() {
        return rootfs(first).map(Some);
    } else {
        store.map_or(Ok(None), |store| image::named(store.dir(), word))?
    };
    Ok(image.map(|image| (image, first)))
}

fn dir(store: Option<&Store>) -> Result<BorrowedFd<'_>> {
    store.map(Store::dir).ok_or_else(|| Error::new(text!("there is no store"), &[]))
}

/// For --explain, which imports nothing: the layer's name is the archive's digest, which only reading it would tell.
fn not_imported(archive: Text) -> Image {
    Image::of(filled("layers/<sha256 of %>", &[archive]))
}

fn open_directory(dir: BorrowedFd, path: Text) -> core::result::Result<OwnedFd, Errno> {
    fs::open_follow(dir, path, libc::O_PATH | libc::O_DIRECTORY, 0)
}

fn rootfs(path: Text) -> Result<Named> {
    open_directory(fs::CWD, path).map_err(|errno| Error::sys(text!("open the root file system"), path, errno))?;
    Ok((Image::of(crate::cli::absolute(path, None)?), path))
}

fn lower(image: &Image, named: Text, store: BorrowedFd) -> Result<Lower> {
    // An image can have a layer twice, most often an empty one; overlayfs not. What the lower one has the upper has too.
    let mut layers: Vec<Text> = Vec::new();
    for &layer in &image.layers {
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    let mut lower = Lower { named, id: image.id(), layers, mode: 0o755, ..Lower::default() };
    let top = lower.layers.first().copied().unwrap_or_default();
    let opened = if top.first() == b'/' { open_directory(store, top) } else { hold(store, top) };
    match opened.and_then(|top| Ok((fs::fstat(top.as_fd())?, top))) {
        // It was being removed when its lock was asked for.
        Ok((stat, _)) if stat.st_nlink == 0 => {
            return Err(image::gone(named));
        }
        Ok((stat, top)) => {
            (lower.mode, lower.owner) = (stat.st_mode & 0o7777, (stat.st_uid, stat.st_gid));
            lower.held = Some(top);
        }
        // Not imported.
        Err(Errno::ENOENT) if top.to_bytes().starts_with(b"layers/<") => {}
        Err(errno) => {
            return Err(Error::sys(text!("open the image's layer"), top, errno)
                .hint(text!("`mydocker rmi -f %`, and import it again"), &[named]));
        }
    }
    Ok(lower)
}

/// A layer that nobody removes as long as the descriptor is open.
fn hold(store: BorrowedFd, layer: Text) -> core::result::Result<OwnedFd, Errno> {
    let dir = fs::open(store, layer, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    fs::lock(dir.as_fd(), libc::LOCK_SH)?;
    Ok(dir)
}

/// docker's rules: --entrypoint, even an empty one, leaves nothing of the image's own command.
fn command(entrypoint: Option<Text>, words: &[Text], config: &Config) -> Result<Vec<Text>> {
    let mut args = Vec::new();
    match entrypoint {
        Some(entrypoint) => args.extend(Some(entrypoint).filter(|command| !command.is_empty())),
        None => args.extend_from_slice(config.list(Part::Entrypoint)),
    }
    let own = entrypoint.is_none() && words.is_empty();
    args.extend_from_slice(if own { config.list(Part::Cmd) } else { words });
    if args.is_empty() {
        return Err(Error::new(text!("no command specified"), &[])
            .hint(text!("mydocker run [FLAGS] [IMAGE] COMMAND [ARG...]"), &[]));
    }
    Ok(args)
}

/// 64 hexadecimal digits from the kernel's random numbers.
pub fn new_id() -> Result<Text> {
    let mut bytes = [0_u8; 32];
    process::random(&mut bytes).map_err(|errno| Error::sys(text!("get random numbers"), t(c""), errno))?;
    let mut line = Line::new();
    Ok(keep(line.hex_of(&bytes)))
}

/// One of the host's files; empty where there is none for us.
fn small_file(path: Text) -> Result<&'static [u8]> {
    match fs::read_file(path, 1 << 16) {
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES) => Ok(b""),
        result => result.map_err(|errno| Error::sys(text!("read"), path, errno)),
    }
}

/// docker's order: its own variables, then the user's over them, then those of the image that the user has not. Bare names,
/// which take away what is there before them, are left out when the command is executed.
fn environment(process: &mut Process, hostname: Text, home: &[u8], image: &[Text]) {
    let mut given = core::mem::take(&mut process.env);
    let env = &mut process.env;
    env.push(PATH);
    env.push(filled("HOSTNAME=%", &[hostname]));
    if process.tty {
        env.push(t(c"TERM=xterm"));
    }
    let name = |entry: &Text| until(entry.to_bytes(), b'=');
    for entry in image {
        if !given.iter().any(|other| name(other) == name(entry)) {
            given.push(*entry);
        }
    }
    for bare in [true, false] {
        given.iter().filter(|entry| has(entry.to_bytes(), b'=') != bare).for_each(|&entry| put(env, entry));
    }
    if !env.iter().any(|entry| entry.to_bytes().starts_with(b"HOME=")) {
        env.push(filled("HOME=%", &[keep(home)]));
    }
}

const HOSTS: Text = t(c"127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
");

/// As docker makes them: with the host's network they are the host's; else a fixed /etc/hosts, and the host's
/// resolv.conf without the resolvers on its loopback, which the container could not reach.
fn files(host_network: bool) -> Result<Files> {
    let resolv = small_file(t(c"/etc/resolv.conf"))?;
    if host_network {
        return Ok(Files { hosts: keep(small_file(t(c"/etc/hosts"))?), resolv: keep(resolv) });
    }
    Ok(Files { hosts: HOSTS, resolv: keep(&reachable(resolv)) })
}

/// The resolv.conf without the resolvers on the host's loopback.
pub fn reachable(resolv: &[u8]) -> Line {
    let mut reachable = Line::new();
    for line in resolv.split_inclusive(|&byte| byte == b'\n') {
        let address = line.trim_ascii_start().strip_prefix(b"nameserver").unwrap_or_default();
        // What follows the word is a blank, or it is another word.
        let address = if address.trim_ascii_start().len() < address.len() { address.trim_ascii() } else { b"" };
        if !address.starts_with(b"127.") && until(address, b' ') != b"::1" {
            reachable.put(line);
        }
    }
    reachable
}
