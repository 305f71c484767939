//! `commit`: what a container has written becomes a layer, and with the image's layers another image.

use crate::cgroup::{self, freezer};
use crate::cli::{Given, Options};
use crate::error::{Error, Result};
use crate::image::config::{self, Config, Part, put};
use crate::image::{Image, Turn, reference};
use crate::json;
use crate::plan::POINTS;
use crate::record::{Record, Status};
use crate::spec::{Source as Mounted, Text};
use crate::store::Store;
use crate::sys::name::t;
use crate::sys::process::{self, Side};
use crate::sys::{Errno, fs};
use crate::tar::Source;
use crate::tar::tree::How;
use crate::text::{Line, Push, keep};
use crate::{cp, view};
use core::mem::ManuallyDrop;
use std::os::fd::AsFd;

/// `mydocker commit`.
pub fn commit(given: &Given) -> Result<u8> {
    let names = match given.words {
        [_, name] => vec![reference::required(*name)?],
        _ => Vec::new(),
    };
    let (store, record) = view::find(given, given.word())?;
    if record.layers.iter().any(|layer| layer.first() == b'/') || record.layers.is_empty() {
        return Err(Error::new(text!("container % was made of a directory, not of an image"), &[record.known_as()])
            .hint(text!("mydocker export % | mydocker import - NAME"), &[record.known_as()]));
    }
    let image = Image::recorded(record.layers.clone(), record.image_id);
    let options = ManuallyDrop::new(record.options()?);
    let mut config = of_container(&image.says(store.dir())?, &options);
    for change in given.values("change") {
        config.change(change)?;
    }
    let turn = Turn::new(store.dir())?;
    let pause = given.value("pause").is_none() || given.has("pause");
    let before = image.config(store.dir())?;
    // As the image has them: overlayfs gets none twice.
    let digests = json::items(json::get(&before, "rootfs diff_ids").unwrap_or_default());
    let mut layers: Vec<Text> =
        digests.filter_map(|(_, digest)| json::text(digest)?.to_bytes().strip_prefix(b"sha256:").map(keep)).collect();
    layers.push(frozen(&store, &record, pause, &mut || layer(&record, &turn, &image.diff_ids()))?);
    let mut history = Line::new();
    for (_, step) in json::items(json::get(&before, "history").unwrap_or_default()) {
        history.put(step).put(b",");
    }
    let mut by = Line::new();
    for &word in config.list(Part::Cmd) {
        by.put(if by.is_empty() { b"" } else { b" " }).put(word.to_bytes());
    }
    let [author, message] = ["author", "message"].map(|flag| given.value(flag).unwrap_or_default());
    let document = config::document(&config, &layers, config::now(), &history, [keep(&by), message, author]);
    let id = turn.publish(&layers, &document, &names)?;
    let mut line = Line::new();
    crate::print(line.put(b"sha256:").put(id.to_bytes()).put(b"\n"))
}

/// What the image says, and over it what the container was asked for, as docker merges them.
fn of_container(image: &Config, options: &Options) -> Config {
    let mut config = image.clone();
    let mut env = Vec::new();
    for &entry in options.spec.process.env.iter().chain(image.list(Part::Env)) {
        let name = |entry: Text| crate::text::until(entry.to_bytes(), b'=');
        if options.spec.process.env.contains(&entry) || !env.iter().any(|&other| name(other) == name(entry)) {
            put(&mut env, entry);
        }
    }
    config.set(Part::Env, env);
    if let Some(entrypoint) = options.entrypoint {
        config.set(Part::Entrypoint, Some(entrypoint).into_iter().filter(|word| !word.is_empty()).collect());
    }
    if options.entrypoint.is_some() || !options.words.is_empty() {
        config.set(Part::Cmd, options.words.into());
    }
    let words = [(Part::User, options.user), (Part::Cwd, options.cwd), (Part::StopSignal, options.life.stop_signal)];
    for (part, word) in words {
        if let Some(word) = word.filter(|word| !word.is_empty()) {
            config.set(part, vec![word]);
        }
    }
    let mut labels: Vec<Text> = image.list(Part::Labels).into();
    options.life.labels.iter().for_each(|&label| put(&mut labels, label));
    config.set(Part::Labels, labels);
    let mut volumes: Vec<Text> = image.list(Part::Volumes).into();
    for mount in options.spec.mounts.iter().filter(|mount| mount.source == Mounted::Anonymous) {
        put(&mut volumes, mount.target);
    }
    config.set(Part::Volumes, volumes);
    config
}

/// With all processes of the container standing still meanwhile, if it runs and that is wanted. Whatever ends this process,
/// another lets them go on.
fn frozen(store: &Store, record: &Record, pause: bool, act: &mut dyn FnMut() -> Result<Text>) -> Result<Text> {
    if !view::hold(record)? || !pause {
        return act();
    }
    let failed = |errno| Error::sys(text!("pause container"), record.known_as(), errno);
    let layout = cgroup::everywhere(store.rootless);
    // Between the look and the end of the freezing nobody else freezes it: it would go on though he was told that it stands still.
    let turn = record.joins().map_err(failed)?;
    if freezer::is_frozen(&layout, record.id) {
        drop(turn);
        return act();
    }
    let (ours, theirs) = process::socket_pair(libc::SOCK_STREAM).map_err(failed)?;
    // Or there would be no child to wait for.
    process::default_action(libc::SIGCHLD).map_err(failed)?;
    let pid = match process::clone(0).map_err(failed)? {
        Side::Parent(pid, _) => pid,
        Side::Child => {
            drop(ours);
            // What is sent to the caller's group is not for it.
            let _ = process::block_signals().and_then(|()| process::new_session());
            let _ = fs::write(theirs.as_fd(), b"1").and_then(|_| fs::read(theirs.as_fd(), &mut [0]));
            process::exit(u8::from(freezer::thaw(&layout, record.id).is_err()))
        }
    };
    drop(theirs);
    let _ = fs::read(ours.as_fd(), &mut [0]).map_err(failed)?;
    let frozen = freezer::freeze(&layout, record.id);
    // The child has it too.
    let _ = fs::lock(turn.as_fd(), libc::LOCK_UN);
    let done = match frozen {
        // It is in no cgroup, as most of an ordinary user's.
        Err(Errno::ENOENT) => act(),
        // It has just ended.
        Err(_) if record.state().status != Status::Running => act(),
        Err(errno) => Err(failed(errno).hint(text!("-p=false commits it as it runs"), &[])),
        Ok(()) => act(),
    };
    drop(ours);
    if process::wait(pid, 0) != Ok((pid, 0)) && frozen.is_ok() {
        freezer::thaw(&layout, record.id)
            .map_err(|errno| Error::sys(text!("unpause container"), record.known_as(), errno))?;
    }
    done
}

/// The upper layer of who has none.
const EMPTY: Text = t(c".empty");

/// The upper layer as a layer of an image: its digest.
fn layer(record: &Record, turn: &Turn, below: &[Text]) -> Result<Text> {
    let failed = |errno| Error::sys(text!("open the container's layer"), record.id, errno);
    let dir = record.dir.as_fd();
    let open = |name| fs::open(dir, name, libc::O_PATH | libc::O_DIRECTORY, 0);
    let upper = match open(t(c"upper")) {
        // Never started.
        Err(Errno::ENOENT) => {
            let _ = fs::mkdir(dir, EMPTY, 0o755);
            open(EMPTY)
        }
        upper => upper,
    }
    .map_err(failed)?;
    // What we mount on ourselves.
    let without: Vec<Text> =
        POINTS.iter().map(|(path, _)| keep(path.to_bytes().get(1..).unwrap_or_default())).collect();
    let of = view::upper(record)?;
    let how = How { opaque: Some(of.opaque), without: &without, ids: of.ids(), ..How::default() };
    let done = cp::piped(upper, &how, &mut |read| {
        turn.layer(&mut Source::new(read, record.known_as().to_bytes(), 0), Some(below), &|_, _| Ok(()))
    });
    let _ = fs::rmdir(dir, EMPTY);
    done
}
