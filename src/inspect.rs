//! `inspect`: all that is known of containers, images and volumes, with docker's names for what there is here.

use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::{human, template};
use crate::image::config::{Part, put};
use crate::json::{self, write};
use crate::plan::security;
use crate::ps::{Shown, volume_name};
use crate::record::{Kind, Record, Status};
use crate::spec::{Mount, Source, Text};
use crate::store::Store;
use crate::sys::call::CAPABILITIES;
use crate::sys::fs;
use crate::sys::name::t;
use crate::text::{Line, Push, filled, is, join, keep, number, separated, split, split_once};
use crate::{image, usage, volumes};
use std::os::fd::AsFd;

/// `mydocker inspect`.
pub fn inspect(given: &Given) -> Result<u8> {
    objects(given, given.value("type").unwrap_or_default())
}

/// Objects of one kind, or of any: `container inspect`, `image inspect`, `volume inspect`.
pub fn objects(given: &Given, kind: Text) -> Result<u8> {
    if !is(kind.to_bytes(), "container image volume") && !kind.is_empty() {
        return Err(Error::new(text!("--type %: must be container, image or volume"), &[kind]));
    }
    let store = given.store()?;
    let mut shown = Line::new();
    let mut documents = Vec::new();
    let format = given.value("format").filter(|format| !format.is_empty());
    let as_json = format.is_none_or(|format| format == t(c"json"));
    let mut wrong = None;
    let code = given.each(&mut |word| {
        let document = find(&store, word, kind.to_bytes(), given.has("size"))?;
        match format {
            _ if as_json => documents.push(document),
            None => {}
            // What is wrong with the template is wrong with it for all.
            Some(_) if wrong.is_some() => {}
            Some(format) => match template::object(format.to_bytes(), document.to_bytes(), &mut shown) {
                Ok(()) => shown.push(b'\n'),
                Err(error) => wrong = Some(error),
            },
        }
        Ok(())
    });
    if as_json {
        let array = write::array(&documents, true);
        shown = if format.is_none() { write::pretty(array.to_bytes()) } else { join(&[array.to_bytes(), b"\n"]) };
    }
    crate::print(&shown)?;
    wrong.map_or(Ok(code), Err)
}

/// docker's order: a container, an image, a volume.
fn find(store: &Store, word: Text, kind: &[u8], size: bool) -> Result<Text> {
    let any = kind.is_empty();
    let mut missing = None;
    if any || kind == b"container" {
        match store.find(word) {
            Ok(record) => return Ok(container(store, record, size)),
            Err(error) => missing = Some(error),
        }
    }
    if any || kind == b"image" {
        match image::find(store.dir(), word) {
            Ok(named) => return image(store, &named),
            Err(error) => missing = Some(error),
        }
    }
    if any || kind == b"volume" {
        match volumes::describe(store, word) {
            Ok(document) => return Ok(document),
            Err(error) => missing = Some(error),
        }
    }
    Err(missing.filter(|_| !any).unwrap_or_else(|| Error::new(text!("no such object: %"), &[word])))
}

fn boolean(value: bool) -> Text {
    if value { t(c"true") } else { t(c"false") }
}

/// A number as JSON.
pub fn decimal(value: u64) -> Text {
    let mut line = Line::new();
    keep(line.int(value as i64))
}

/// null where there is none, as Go has it.
fn list(items: &[Text]) -> Text {
    if items.is_empty() { t(c"null") } else { write::array(items, false) }
}

/// The capabilities of a set, in docker's spelling.
fn capabilities(set: u64) -> Text {
    let mut named = Vec::new();
    for (bit, name) in split(CAPABILITIES.as_bytes(), b' ').iter().enumerate() {
        if set >> bit & 1 != 0 {
            named.push(filled("CAP_%", &[keep(name)]));
        }
    }
    if set & security::ALL != 0 { t(c"[\"ALL\"]") } else { list(&named) }
}

/// Values for a shape, one after the other.
struct Values(Vec<Text>);

impl Values {
    #[inline(never)]
    fn text(&mut self, text: Text) {
        self.0.push(text);
    }
    #[inline(never)]
    fn boolean(&mut self, value: bool) {
        self.0.push(boolean(value));
    }
    #[inline(never)]
    fn number(&mut self, value: u64) {
        self.0.push(decimal(value));
    }
    /// Whose namespace it is.
    #[inline(never)]
    fn shared(&mut self, with_host: bool) {
        self.0.push(if with_host { t(c"host") } else { t(c"") });
    }
}

/// Where it is, or would be, for somebody who looks for it by a path.
fn container(store: &Store, record: Record, size: bool) -> Text {
    let shown = Shown::new(store, record);
    let root = store.path;
    let (record, state, options) = (&shown.record, &shown.state, &shown.options);
    let (spec, life) = (&options.spec, &options.life);
    let (limits, security) = (&spec.limits, &spec.security);
    let dir = filled("%/containers/%", &[root, record.id]);
    let command = shown.command();
    let (path, args) = command.split_first().map_or((t(c""), &[][..]), |(path, args)| (*path, args));
    let (mut mounts, mut anonymous) = (Vec::new(), Vec::new());
    for (index, mount) in spec.mounts.iter().enumerate() {
        mounts.extend(self::mount(root, dir, index, mount));
        anonymous.extend((mount.source == Source::Anonymous).then_some(mount.target));
    }
    let flags = crate::cli::kept(record.flags.clone().leak(), options).unwrap_or_default();
    let typed = |flag: &[u8]| {
        let mut typed = Vec::new();
        for word in &flags {
            typed.extend(word.to_bytes().strip_prefix(flag).map(keep));
        }
        list(&typed)
    };
    let mut layers = Vec::new();
    for &layer in &record.layers {
        layers.push(if layer.first() == b'/' { layer } else { filled("%/%", &[root, layer]) });
    }
    let policy = life.restart.unwrap_or(t(c"no"));
    let (policy, retries) = split_once(policy.to_bytes(), b':').unwrap_or((policy.to_bytes(), b"0"));
    let quota = limits.cpu_quota.unwrap_or(0);
    let mut ulimits = Vec::new();
    for limit in &spec.process.rlimits {
        let name = keep(crate::cli::kind::rlimit_name(limit.resource));
        ulimits.push(write::object(text!("Name Hard# Soft#"), &[name, decimal(limit.hard), decimal(limit.soft)]));
    }
    let hostname = options.hostname.unwrap_or_else(|| crate::ps::short(record.id));
    let mut env: Vec<Text> = shown.config.list(Part::Env).into();
    spec.process.env.iter().for_each(|&entry| put(&mut env, entry));
    let log = if fs::stat(record.dir.as_fd(), t(c"log")).is_ok() { filled("%/log", &[dir]) } else { t(c"") };
    let merged = if state.pid == 0 { t(c"") } else { filled("/proc/%/root", &[decimal(state.pid as u64)]) };
    let named = if record.image_id.is_empty() { t(c"") } else { filled("sha256:%", &[record.image_id]) };
    let mut values = Values(Vec::new());
    values.text(record.id);
    values.text(human::time(record.created));
    values.text(path);
    values.text(write::array(args, false));
    values.text(shown.status);
    values.boolean(shown.runs());
    values.boolean(shown.paused);
    values.boolean(state.status == Status::Restarting);
    values.boolean(state.oom);
    values.number(state.pid as u64);
    values.number(u64::from(state.code));
    values.text(human::time(state.started));
    values.text(human::time(state.finished));
    values.text(named);
    values.text(log);
    values.text(filled("/%", &[record.name]));
    values.number(u64::from(state.restarts));
    values.text(security.apparmor.unwrap_or_default());
    values.text(typed(b"--volume="));
    values.text(life.cidfile.unwrap_or_default());
    values.text(life.log_driver.unwrap_or(t(c"json-file")));
    values.text(write::map(&life.log_opts));
    values.text(shown.network());
    values.text(keep(policy));
    values.number(number(retries).unwrap_or(0));
    values.boolean(record.kind != Kind::Stays);
    values.text(capabilities(security.add));
    values.text(capabilities(security.drop));
    values.text(typed(b"--group-add="));
    values.text(if spec.share.ipc { t(c"host") } else { t(c"private") });
    values.text(spec.process.oom_score.unwrap_or(t(c"0")));
    values.shared(spec.share.pid);
    values.boolean(security.privileged);
    values.boolean(spec.read_only);
    values.text(typed(b"--security-opt="));
    values.shared(spec.share.uts);
    values.text(options.userns.unwrap_or_default());
    values.number(options.shm_size.unwrap_or(64 << 20));
    values.boolean(spec.process.init);
    values.number(limits.cpu_shares.unwrap_or(0));
    values.number(limits.memory.unwrap_or(0));
    values.number(limits.memory_swap.or(limits.memory.map(|memory| memory.saturating_mul(2))).unwrap_or(0));
    // docker's --cpus is neither CpuPeriod nor CpuQuota.
    values.number(quota.saturating_mul(10_000));
    values.text(limits.cpuset_cpus.unwrap_or_default());
    values.text(limits.cpuset_mems.unwrap_or_default());
    values.text(typed(b"--device-cgroup-rule="));
    values.text(limits.pids.map_or(t(c"null"), decimal));
    values.text(if ulimits.is_empty() { t(c"null") } else { write::array(&ulimits, true) });
    values.text(separated(&layers, b":"));
    values.text(merged);
    values.text(filled("%/upper", &[dir]));
    values.text(filled("%/work", &[dir]));
    values.text(write::array(&mounts, true));
    values.text(hostname);
    values.text(options.user.unwrap_or_else(|| shown.config.word(Part::User)));
    values.boolean(spec.process.tty);
    values.boolean(spec.process.stdin);
    values.text(write::array(&env, false));
    values.text(list(&shown.cmd()));
    values.text(record.image);
    values.text(if anonymous.is_empty() { t(c"null") } else { write::object_of(&anonymous) });
    values.text(options.cwd.unwrap_or_else(|| shown.config.word(Part::Cwd)));
    values.text(list(&shown.entrypoint()));
    values.text(write::map(&shown.labels()));
    let signal = life.stop_signal.unwrap_or_else(|| shown.config.word(Part::StopSignal));
    values.text(if signal.is_empty() { t(c"SIGTERM") } else { signal });
    values.text(write::object_of(&[shown.network()]));
    let document = write::object(
        text!(
            "Id Created Path Args# \
State{ Status Running# Paused# Restarting# OOMKilled# Dead#=false Pid# ExitCode# Error= StartedAt FinishedAt } \
Image LogPath Name RestartCount# Driver=overlay2 Platform=linux AppArmorProfile \
HostConfig{ Binds# ContainerIDFile LogConfig{ Type Config# } NetworkMode RestartPolicy{ Name MaximumRetryCount# } AutoRemove# \
CapAdd# CapDrop# GroupAdd# IpcMode OomScoreAdj# PidMode Privileged# ReadonlyRootfs# SecurityOpt# UTSMode UsernsMode ShmSize# \
Init# CpuShares# Memory# MemorySwap# NanoCpus# CpuPeriod#=0 CpuQuota#=0 CpusetCpus CpusetMems DeviceCgroupRules# PidsLimit# Ulimits# } \
GraphDriver{ Data{ LowerDir MergedDir UpperDir WorkDir } Name=overlay2 } Mounts# \
Config{ Hostname User Tty# OpenStdin# Env# Cmd# Image Volumes# WorkingDir Entrypoint# Labels# StopSignal } \
NetworkSettings{ IPAddress= Networks# Ports#={} }"
        ),
        &values.0,
    );
    if !size {
        return document;
    }
    let (own, all) = usage::container(store, record);
    let sizes = write::object(text!("SizeRw# SizeRootFs#"), &[decimal(own), decimal(all)]);
    let (document, sizes) = (document.to_bytes(), sizes.to_bytes());
    filled(
        "%,%",
        &[keep(document.strip_suffix(b"}").unwrap_or(document)), keep(sizes.strip_prefix(b"{").unwrap_or(sizes))],
    )
}

/// docker's Mounts: what is not a tmpfs.
fn mount(root: Text, dir: Text, index: usize, mount: &Mount) -> Option<Text> {
    let name = volume_name(index, mount);
    let (bind, source) = match mount.source {
        Source::Host(path) => (true, path),
        Source::Volume(name) => (false, filled("%/volumes/%/_data", &[root, name])),
        Source::Anonymous => (false, filled("%/%/_data", &[dir, name])),
        Source::Tmpfs(_) => return None,
    };
    let mode = if mount.read_only { t(c"ro") } else { t(c"") };
    let writable = boolean(!mount.read_only);
    Some(if bind {
        let (how, recursive) = (mount.propagation, if mount.recursive { t(c"r") } else { t(c"") });
        let how = if how == libc::MS_SHARED {
            t(c"shared")
        } else if how == libc::MS_SLAVE {
            t(c"slave")
        } else {
            t(c"private")
        };
        let how = filled("%%", &[recursive, how]);
        write::object(
            text!("Type=bind Source Destination Mode RW# Propagation"),
            &[source, mount.target, mode, writable, how],
        )
    } else {
        write::object(
            text!("Type=volume Name Source Destination Driver=local Mode RW# Propagation="),
            &[name, source, mount.target, mode, writable],
        )
    })
}

/// An image: docker's names for what its config says.
fn image(store: &Store, named: &image::Named) -> Result<Text> {
    let config = named.image.config(store.dir())?;
    let id = named.image.id();
    let (mut names, mut layers, mut size) = (Vec::new(), Vec::new(), 0_u64);
    for other in image::all(store.dir())? {
        if other.image.id() == id && !other.reference.is_empty() {
            names.push(other.reference);
        }
    }
    for layer in named.image.diff_ids() {
        layers.push(filled("sha256:%", &[layer]));
        size = size.wrapping_add(usage::tree(store.dir(), filled("layers/%", &[layer])));
    }
    let raw = |path| keep(&write::compact(json::get(&config, path).unwrap_or(b"null")));
    let top = named.image.layers.first().copied().unwrap_or_default();
    Ok(write::object(
        text!(
            "Id RepoTags# RepoDigests#=[] Comment Created Author Config# Architecture Os Size# \
GraphDriver{ Data{ UpperDir } Name=overlay2 } RootFS{ Type=layers Layers# }"
        ),
        &[
            filled("sha256:%", &[id]),
            write::array(&names, false),
            json::text_at(&config, "comment"),
            json::text_at(&config, "created"),
            json::text_at(&config, "author"),
            raw("config"),
            json::text_at(&config, "architecture"),
            json::text_at(&config, "os"),
            decimal(size),
            filled("%/%", &[store.path, top]),
            write::array(&layers, false),
        ],
    ))
}
