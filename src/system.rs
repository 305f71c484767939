//! `info`, `version` and `system df`: what is known of this mydocker, its store and its host.

use crate::cgroup::CGROUP2_SUPER_MAGIC;
use crate::cli::Given;
use crate::error::Result;
use crate::format::{self, View, human, template};
use crate::inspect::decimal;
use crate::json::write;
use crate::ps::{Shown, short, volume_name};
use crate::spec::{Source, Text};
use crate::store::Store;
use crate::sys::fs;
use crate::sys::name::t;
use crate::text::{Line, Message, fill, filled, join, keep, number, split};
use crate::{image, usage, volumes};
use std::os::fd::AsFd;

/// A small file of /proc or /etc; empty where it cannot be read.
fn file(path: Text) -> &'static [u8] {
    fs::read_file(path, 1 << 16).unwrap_or_default().trim_ascii()
}

/// The rest of the line that begins so.
fn line(text: &'static [u8], begin: &[u8]) -> &'static [u8] {
    split(text, b'\n').iter().find_map(|line| line.strip_prefix(begin)).unwrap_or_default().trim_ascii()
}

/// Bytes of memory that the host has.
pub fn memory() -> u64 {
    let digits = line(file(t(c"/proc/meminfo")), b"MemTotal:");
    number(digits.strip_suffix(b" kB").unwrap_or_default()).unwrap_or(0).wrapping_mul(1024)
}

/// How many CPUs are online.
pub fn cpus() -> u64 {
    let is_cpu = |line: &&&[u8]| matches!(line, [b'c', b'p', b'u', b'0'..=b'9', ..]);
    split(file(t(c"/proc/stat")), b'\n').iter().filter(is_cpu).count() as u64
}

/// The fields of a /proc/PID/stat behind the name, which may hold anything: the state is the first.
pub fn stat(text: &'static [u8]) -> &'static [&'static [u8]] {
    let end = text.iter().rposition(|&byte| byte == b')').unwrap_or(text.len());
    split(text.get(end.wrapping_add(2)..).unwrap_or_default().trim_ascii(), b' ')
}

fn kernel() -> Text {
    keep(file(t(c"/proc/sys/kernel/osrelease")))
}

/// This machine's architecture, as uname has it and as Go does.
const ARCHITECTURES: (Text, Text) =
    if cfg!(target_arch = "aarch64") { (t(c"aarch64"), t(c"arm64")) } else { (t(c"x86_64"), t(c"amd64")) };

/// What is shown of a document: as --format has it, or the default.
fn print(given: &Given, document: Text, default: &[u8]) -> Result<u8> {
    let format = given.value("format").filter(|format| !format.is_empty());
    let mut shown = Line::new();
    match format.map(|format| format.to_bytes()) {
        None => template::object(default, document.to_bytes(), &mut shown)?,
        Some(format) => {
            let format = if format == b"json" { b"{{json .}}" } else { format };
            template::object(format, document.to_bytes(), &mut shown)?;
            shown.push(b'\n');
        }
    }
    crate::print(&shown)
}

const VERSION: Message = text!(
    "\
mydocker {{.Client.Version}}
 OS/Arch:         {{.Client.Os}}/{{.Client.Arch}}
 Kernel version:  {{.Client.KernelVersion}}
"
);

/// `mydocker version`.
pub fn version(given: &Given) -> Result<u8> {
    let version = keep(env!("CARGO_PKG_VERSION").as_bytes());
    let part = write::object(text!("Arch KernelVersion Os=linux Version"), &[ARCHITECTURES.1, kernel(), version]);
    // There is no daemon: both are this program.
    print(given, write::object(text!("Client# Server#"), &[part, part]), VERSION.bytes())
}

const INFO: Message = text!(
    "\
Containers: {{.Containers}}
 Running: {{.ContainersRunning}}
 Paused: {{.ContainersPaused}}
 Stopped: {{.ContainersStopped}}
Images: {{.Images}}
Server Version: {{.ServerVersion}}
Storage Driver: {{.Driver}}
Cgroup Version: {{.CgroupVersion}}
Security Options:
{{range .SecurityOptions}} {{.}}
{{end}}Kernel Version: {{.KernelVersion}}
Operating System: {{.OperatingSystem}}
OSType: {{.OSType}}
Architecture: {{.Architecture}}
CPUs: {{.NCPU}}
Total Memory: %
Name: {{.Name}}
Docker Root Dir: {{.DockerRootDir}}
"
);

/// `mydocker info`.
pub fn info(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let all = Shown::all(&store);
    let count = |word: &[u8]| decimal(all.iter().filter(|shown| shown.status.to_bytes() == word).count() as u64);
    let stopped = all.iter().filter(|shown| !shown.runs()).count() as u64;
    let mut images: Vec<Text> = image::all(store.dir())?.iter().map(|named| named.image.id()).collect();
    let mut different = 0;
    while let Some(id) = images.pop() {
        different = u64::from(!images.contains(&id)).wrapping_add(different);
    }
    let v2 = fs::fs_type(t(c"/sys/fs/cgroup")) == Ok(CGROUP2_SUPER_MAGIC);
    let apparmor = file(t(c"/sys/module/apparmor/parameters/enabled")) == b"Y";
    let mut options = vec![t(c"name=seccomp,profile=builtin")];
    options.extend(apparmor.then_some(t(c"name=apparmor")));
    options.extend(store.rootless.then_some(t(c"name=rootless")));
    let system = line(file(t(c"/etc/os-release")), b"PRETTY_NAME=");
    let memory = memory();
    let document = write::object(
        text!(
            "Containers# ContainersRunning# ContainersPaused# ContainersStopped# Images# ServerVersion Driver=overlay2 \
CgroupVersion SecurityOptions# KernelVersion OperatingSystem OSType=linux Architecture NCPU# MemTotal# Name DockerRootDir"
        ),
        &[
            decimal(all.len() as u64),
            count(b"running"),
            count(b"paused"),
            decimal(stopped),
            decimal(different),
            keep(env!("CARGO_PKG_VERSION").as_bytes()),
            if v2 { t(c"2") } else { t(c"1") },
            write::array(&options, false),
            kernel(),
            keep(system.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(system)),
            ARCHITECTURES.0,
            decimal(cpus()),
            decimal(memory),
            keep(file(t(c"/proc/sys/kernel/hostname"))),
            store.path,
        ],
    );
    print(given, document, &fill(INFO.bytes(), &[human::size(memory, 4, 1024)]))
}

const VIEW: View = View {
    quiet: Message::NONE,
    table: text!("table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"),
    headers: text!("TotalCount=TOTAL"),
};

/// What takes room: its name, its bytes, and whether it is in use.
pub type Thing = (Text, u64, bool);

/// With -v.
const THINGS: View =
    View { quiet: Message::NONE, table: text!("table {{.Name}}\t{{.Size}}\t{{.Active}}"), headers: Message::NONE };

/// The images. A layer of several counts for the first of them.
fn images(store: &Store, all: &[&Shown]) -> Result<Vec<Thing>> {
    let (mut things, mut ids, mut counted): (Vec<Thing>, Vec<Text>, Vec<Text>) = (Vec::new(), Vec::new(), Vec::new());
    for named in image::all(store.dir())? {
        let id = named.image.id();
        if ids.contains(&id) {
            continue;
        }
        ids.push(id);
        let mut bytes = 0_u64;
        for &layer in &named.image.layers {
            if !counted.contains(&layer) {
                counted.push(layer);
                bytes = bytes.wrapping_add(usage::tree(store.dir(), layer));
            }
        }
        let name = if named.reference.is_empty() { short(id) } else { named.reference };
        things.push((name, bytes, all.iter().any(|shown| shown.record.image_id == id)));
    }
    Ok(things)
}

fn summary(kind: Text, things: &[Thing]) -> Text {
    let (mut active, mut bytes, mut used) = (0_u64, 0_u64, 0_u64);
    for &(_, size, is_active) in things {
        bytes = bytes.wrapping_add(size);
        if is_active {
            (active, used) = (active.wrapping_add(1), used.wrapping_add(size));
        }
    }
    let free = bytes.wrapping_sub(used);
    let mut reclaimable = human::size(free, 4, 1000);
    if bytes != 0 {
        let percent = free.wrapping_mul(100).checked_div(bytes).unwrap_or(0);
        reclaimable = filled("% (%%)", &[reclaimable, decimal(percent), t(c"%")]);
    }
    write::object(
        text!("Active Reclaimable Size TotalCount Type"),
        &[decimal(active), reclaimable, human::size(bytes, 4, 1000), decimal(things.len() as u64), kind],
    )
}

/// `mydocker system df`.
pub fn df(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let all = Shown::all(&store);
    let mut containers = Vec::new();
    let mut kept = volumes::things(&store, &all);
    for shown in &all {
        let record = &shown.record;
        let bytes = usage::tree(record.dir.as_fd(), t(c"upper"));
        containers.push((record.name, bytes, shown.runs()));
        for (index, mount) in shown.options.spec.mounts.iter().enumerate() {
            if mount.source == Source::Anonymous {
                let name = volume_name(index, mount);
                kept.push((filled("%/%", &[record.name, name]), usage::tree(record.dir.as_fd(), name), true));
            }
        }
    }
    let kinds = [
        (t(c"Images"), images(&store, &all)?),
        (t(c"Containers"), containers),
        (t(c"Local Volumes"), kept),
        (t(c"Build Cache"), Vec::new()),
    ];
    let mut rows = Vec::new();
    for (kind, things) in &kinds {
        rows.push(summary(*kind, things));
    }
    let code = format::list(given.value("format"), false, &VIEW, &rows)?;
    if given.has("verbose") {
        for (kind, things) in &kinds {
            crate::print(&join(&[b"\n", kind.to_bytes(), b":\n"]))?;
            rows.clear();
            for &(name, bytes, active) in things {
                let active = if active { t(c"yes") } else { t(c"no") };
                rows.push(write::object(text!("Active Name Size"), &[active, name, human::size(bytes, 4, 1000)]));
            }
            format::list(None, false, &THINGS, &rows)?;
        }
    }
    Ok(code)
}
