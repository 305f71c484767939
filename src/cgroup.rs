//! cgroups: where the controllers are (v1, v2, hybrid), and what files a limit is written to.

use crate::error::{Error, Result};
use crate::spec::{Limits, Text};
use crate::supervise::after;
use crate::sys::name::t;
use crate::sys::{Errno, fs, process};
use crate::text::{Line, Push, below, filled, keep, number, split, split_once};
use std::os::fd::AsFd;

pub mod freezer;

/// Controllers, a bit each.
pub type Controllers = u8;

/// Memory and swap.
pub const MEMORY: Controllers = 1;
/// CPU quota and weight.
pub const CPU: Controllers = 2;
/// CPUs and NUMA nodes.
pub const CPUSET: Controllers = 4;
/// Number of processes.
pub const PIDS: Controllers = 8;
/// Access to devices: a controller on v1; on v2 a program that every cgroup can have.
pub const DEVICES: Controllers = 16;
/// Standing still. No container is in it from the start.
pub const FREEZER: Controllers = 32;

/// The kernel's names, in the order in which they are looked for, and killed: a process that v1's freezer holds cannot die.
const NAMES: [(Controllers, &str); 6] =
    [(FREEZER, "freezer"), (MEMORY, "memory"), (CPU, "cpu"), (CPUSET, "cpuset"), (PIDS, "pids"), (DEVICES, "devices")];

/// A hierarchy that has controllers of ours.
#[derive(Debug)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub path: Text,
    /// cgroup v2.
    pub unified: bool,
    /// The controllers that it has.
    pub controllers: Controllers,
    /// v2: those that its children already have.
    pub enabled: Controllers,
}

/// The hierarchies of the host.
#[derive(Debug, Default)]
pub struct Layout {
    /// Without a controller of ours a hierarchy is not listed; no controller is in two.
    pub hierarchies: Vec<Hierarchy>,
    /// v1: memory.memsw.* exists.
    pub swap: bool,
    /// v1: what the cpuset hierarchy's root has, which a new cpuset needs before a task may join: CPUs and nodes.
    pub cpuset: Option<(Text, Text)>,
}

impl Layout {
    /// The hierarchy that has a controller.
    pub fn find(&self, controller: Controllers) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| hierarchy.controllers & controller != 0)
    }

    /// A cgroup that all processes of a container are in.
    pub fn joined(&self, id: Text) -> Option<Text> {
        let joined = self.hierarchies.iter().filter(|hierarchy| hierarchy.unified || hierarchy.controllers != FREEZER);
        joined.map(|hierarchy| path(hierarchy.path, id)).find(|path| fs::exists(*path))
    }

    fn controllers(&self) -> Controllers {
        self.hierarchies.iter().fold(0, |all, hierarchy| all | hierarchy.controllers)
    }
}

/// The container's cgroup in one hierarchy.
#[derive(Debug)]
pub struct Member {
    /// Its path.
    pub path: Text,
    /// The cgroup that it is made in.
    pub parent: Text,
    /// In a v2 hierarchy.
    pub unified: bool,
    /// What has to be written first for its parent to hand controllers down: file, value.
    pub enable: Vec<(Text, Text)>,
    /// File, value, and the flag that asked for it.
    pub values: Vec<(Text, Text, Text)>,
    /// The file that a process joins by.
    pub attach: Text,
    /// Its name among the hierarchies: that of a controller.
    pub name: Text,
    /// It is here that access to devices is decided.
    pub devices: bool,
}

/// A limit: the flag that asks for it, its controller, and the file that it is written to on v1 and on v2.
struct Limit {
    flag: Text,
    controller: Controllers,
    v1: Text,
    v2: Text,
    value: fn(&Limits, &Layout, Version) -> Option<Text>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

use Version::{V1, V2};

/// In the order in which they are written: v1 wants memory before memory and swap.
static LIMITS: [Limit; 7] = [
    Limit {
        flag: t(c"--memory"),
        controller: MEMORY,
        v1: t(c"memory.limit_in_bytes"),
        v2: t(c"memory.max"),
        value: |limits, _, _| Some(decimal(limits.memory?)),
    },
    Limit {
        flag: t(c"--memory-swap"),
        controller: MEMORY,
        v1: t(c"memory.memsw.limit_in_bytes"),
        v2: t(c"memory.swap.max"),
        value: swap,
    },
    Limit {
        flag: t(c"--cpus"),
        controller: CPU,
        v1: t(c"cpu.cfs_quota_us"),
        v2: t(c"cpu.max"),
        value: |limits, _, version| {
            let quota = decimal(limits.cpu_quota?);
            // The period that v1 has by itself.
            Some(if version == V1 { quota } else { filled("% 100000", &[quota]) })
        },
    },
    Limit {
        flag: t(c"--cpu-shares"),
        controller: CPU,
        v1: t(c"cpu.shares"),
        v2: t(c"cpu.weight"),
        value: |limits, _, version| {
            let shares = limits.cpu_shares?;
            // 2..262144 onto 1..10000, as runc and crun do.
            let weight = shares.saturating_sub(2).saturating_mul(9999).wrapping_div(262_142).saturating_add(1);
            Some(decimal(if version == V1 { shares } else { weight }))
        },
    },
    Limit {
        flag: t(c"--cpuset-cpus"),
        controller: CPUSET,
        v1: t(c"cpuset.cpus"),
        v2: t(c"cpuset.cpus"),
        value: |limits, layout, _| limits.cpuset_cpus.or(limits.cpuset_mems.and(layout.cpuset).map(|(cpus, _)| cpus)),
    },
    Limit {
        flag: t(c"--cpuset-mems"),
        controller: CPUSET,
        v1: t(c"cpuset.mems"),
        v2: t(c"cpuset.mems"),
        value: |limits, layout, _| limits.cpuset_mems.or(limits.cpuset_cpus.and(layout.cpuset).map(|(_, mems)| mems)),
    },
    Limit {
        flag: t(c"--pids-limit"),
        controller: PIDS,
        v1: t(c"pids.max"),
        v2: t(c"pids.max"),
        value: |limits, _, _| Some(if limits.pids? == u64::MAX { t(c"max") } else { decimal(limits.pids?) }),
    },
];

/// docker's default for --memory-swap: as much swap again as memory. v2 counts swap apart from memory.
fn swap(limits: &Limits, layout: &Layout, version: Version) -> Option<Text> {
    let total = limits.memory_swap.or(limits.memory.map(|memory| memory.saturating_mul(2)))?;
    match version {
        V1 if !layout.swap => None,
        V1 if total == u64::MAX => Some(t(c"-1")),
        V1 => Some(decimal(total)),
        V2 if total == u64::MAX => Some(t(c"max")),
        V2 => Some(decimal(total.saturating_sub(limits.memory.unwrap_or(0)))),
    }
}

/// The controllers that the limits need.
fn needs(limits: &Limits) -> Controllers {
    let layout = Layout::default();
    let asked = LIMITS.iter().filter(|limit| (limit.value)(limits, &layout, V2).is_some());
    asked.fold(0, |all, limit| all | limit.controller)
}

/// The container's cgroups with their limits. A limit without its controller is an error.
pub fn outside(limits: &Limits, layout: &Layout, id: Text) -> Result<Vec<Member>> {
    let needs = needs(limits);
    for limit in &LIMITS {
        if needs & limit.controller & !layout.controllers() != 0 && (limit.value)(limits, layout, V2).is_some() {
            return Err(missing(limit));
        }
    }
    let mut members = Vec::new();
    for hierarchy in &layout.hierarchies {
        // A v1 cpuset is only joined where it was asked for.
        if hierarchy.unified || hierarchy.controllers & !(FREEZER | CPUSET & !needs) != 0 {
            members.push(member(limits, layout, hierarchy, needs, id));
        }
    }
    if limits.memory_swap.is_some() && !layout.swap && layout.find(MEMORY).is_some_and(|memory| !memory.unified) {
        let message = text!("--memory-swap: the kernel does not count swap: there is no memory.memsw.limit_in_bytes");
        return Err(Error::new(message, &[]).hint(text!("boot with swapaccount=1"), &[]));
    }
    Ok(members)
}

fn member(limits: &Limits, layout: &Layout, hierarchy: &Hierarchy, needs: Controllers, id: Text) -> Member {
    let unified = hierarchy.unified;
    let attach = if unified { t(c"cgroup.procs") } else { t(c"tasks") };
    let path = path(hierarchy.path, id);
    let devices = hierarchy.controllers & DEVICES != 0;
    let name = NAMES.iter().find(|(controller, _)| hierarchy.controllers & controller != 0);
    let name = name.map_or(t(c""), |(_, name)| keep(name.as_bytes()));
    let parent = hierarchy.path;
    let mut member = Member { path, parent, unified, enable: Vec::new(), values: Vec::new(), attach, name, devices };
    for (controller, name) in NAMES {
        if unified && hierarchy.controllers & needs & !hierarchy.enabled & controller != 0 {
            let file = below(hierarchy.path, "cgroup.subtree_control");
            member.enable.push((file, filled("+%", &[keep(name.as_bytes())])));
        }
    }
    for limit in &LIMITS {
        let (version, file) = if unified { (V2, limit.v2) } else { (V1, limit.v1) };
        if hierarchy.controllers & limit.controller != 0
            && let Some(value) = (limit.value)(limits, layout, version)
        {
            member.values.push((file, value, limit.flag));
        }
    }
    member
}

/// Directly below the hierarchy's root: a common parent would have to be left behind or raced for.
pub fn path(root: Text, id: Text) -> Text {
    filled("%/mydocker-%", &[root, id])
}

fn missing(limit: &Limit) -> Error {
    let name = NAMES.iter().find(|(controller, _)| *controller == limit.controller).map_or("", |(_, name)| name);
    let pieces = [limit.flag, keep(name.as_bytes())];
    Error::new(text!("%: no cgroup hierarchy with the controller % is mounted"), &pieces).hint(
        text!(
            "/proc/cgroups says whether the kernel has it; on cgroup v2 it must be in /sys/fs/cgroup/cgroup.controllers"
        ),
        &[],
    )
}

/// A number as text.
pub fn decimal(value: u64) -> Text {
    let mut line = Line::new();
    keep(line.dec(value))
}

/// Of a hierarchy of version 2.
pub const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;
const CGROUP_SUPER_MAGIC: i64 = 0x27_e0eb;

/// The container's cgroups as they are: those that one of its processes is in, in each hierarchy where they are not mydocker's.
pub fn of(pid: i32, id: Text, layout: &Layout) -> core::result::Result<Vec<Member>, Errno> {
    let mut line = Line::new();
    let text = fs::read_file(keep(line.put(b"/proc/").dec(pid as u64).put(b"/cgroup")), 1 << 16)?;
    let ours = filled("mydocker-%", &[id]);
    let mut members = Vec::new();
    for line in split(text, b'\n') {
        // number:CONTROLLERS:PATH
        let (_, rest) = split_once(line, b':').unwrap_or_default();
        let (controllers, path) = split_once(rest, b':').unwrap_or_default();
        if !split(path, b'/').contains(&ours.to_bytes()) {
            continue;
        }
        let (unified, named) = (controllers.is_empty(), named_in(controllers, b','));
        let found =
            layout.hierarchies.iter().find(|of| of.unified == unified && (unified || of.controllers & named != 0));
        let root = found.map_or_else(|| filled("/sys/fs/cgroup/%", &[keep(controllers)]), |found| found.path);
        members.push(Member {
            path: filled("%%", &[root, keep(path)]),
            parent: root,
            unified,
            enable: Vec::new(),
            values: Vec::new(),
            attach: if unified { t(c"cgroup.procs") } else { t(c"tasks") },
            name: t(c""),
            devices: false,
        });
    }
    Ok(members)
}

/// Looks where everybody mounts them, a call or two a controller; only if one that is needed isn't there, at the
/// whole table of mounts, which can be long.
pub fn look(limits: &Limits, besides: Controllers) -> Layout {
    let mut layout = Layout::default();
    let limited = needs(limits);
    let needs = limited | besides;
    let usable = |path, kind| is_usable(path, kind, limited != 0);
    if usable(t(c"/sys/fs/cgroup"), CGROUP2_SUPER_MAGIC) {
        layout.hierarchies.push(unified_hierarchy(t(c"/sys/fs/cgroup")));
    } else {
        for (controller, name) in NAMES {
            let path = below(t(c"/sys/fs/cgroup"), name);
            // A v1 cpuset needs its CPUs and nodes written before it can be used, and pids without a limit does nothing,
            // so they are not joined for nothing.
            let wanted = (CPUSET | PIDS | DEVICES | FREEZER) & !needs & controller == 0;
            if wanted && usable(path, CGROUP_SUPER_MAGIC) {
                layout.add(path, controller);
            }
        }
    }
    if needs & !layout.controllers() != 0 {
        search(&mut layout, limited != 0);
    }
    // What a v1 host has to be asked for besides.
    let v1 = |controller| layout.find(controller).filter(|found| !found.unified && needs & controller != 0);
    let memory = v1(MEMORY).map(|memory| memory.path);
    let cpuset = v1(CPUSET).map(|cpuset| cpuset.path);
    layout.swap = memory.is_some_and(|path| fs::exists(below(path, "memory.memsw.limit_in_bytes")));
    let value = |path, file| keep(fs::read_file(below(path, file), PAGE).unwrap_or_default().trim_ascii());
    layout.cpuset = cpuset.map(|path| (value(path, "cpuset.cpus"), value(path, "cpuset.mems")));
    layout
}

/// Whether a hierarchy is mounted there, and is not hidden below another mount. A read-only one, as an outer container
/// has it, is only used if it must be; the error says what it is then.
fn is_usable(path: Text, kind: i64, needed: bool) -> bool {
    fs::statfs_at(path).is_ok_and(|(found, flags)| found == kind && (needed || flags & libc::ST_RDONLY == 0))
}

/// For an ordinary user, who has a cgroup only where one was delegated to him: the one that mydocker was started in,
/// and only where a limit was asked for.
pub fn delegated(limits: &Limits) -> Result<Layout> {
    let needs = needs(limits);
    let Some(limit) = LIMITS.iter().find(|limit| needs & limit.controller != 0) else { return Ok(Layout::default()) };
    let Some(path) = own() else {
        return Err(Error::new(
            text!("%: only root can limit a container here: cgroups are not version 2"),
            &[limit.flag],
        ));
    };
    if !fs::is_writable(path) || !fs::is_writable(below(path, "cgroup.procs")) {
        return Err(Error::new(text!("%: an ordinary user may not make a cgroup in %"), &[limit.flag, path]).hint(
            text!("`systemd-run --user --scope -p Delegate=yes mydocker run ...` starts it in one of the user's own"),
            &[],
        ));
    }
    Ok(Layout { hierarchies: vec![unified_hierarchy(path)], ..Layout::default() })
}

/// The cgroup that this process is in, where all are of version 2.
fn own() -> Option<Text> {
    if fs::fs_type(t(c"/sys/fs/cgroup")) != Ok(CGROUP2_SUPER_MAGIC) {
        return None;
    }
    let text = fs::read_file(t(c"/proc/self/cgroup"), PAGE).ok()?;
    let path = split(text, b'\n').iter().find_map(|line| line.strip_prefix(b"0::"))?;
    Some(filled("/sys/fs/cgroup%", &[keep(if path == b"/" { b"" } else { path })]))
}

/// Every hierarchy that has one of our controllers, for sweeping; an ordinary user's is the one that he is in.
pub fn everywhere(rootless: bool) -> Layout {
    if rootless {
        return Layout { hierarchies: own().map(unified_hierarchy).into_iter().collect(), ..Layout::default() };
    }
    let mut layout = look(&Limits::default(), DEVICES | FREEZER);
    search(&mut layout, true);
    layout
}

impl Layout {
    /// The hierarchy that has the controller of that name; "" where none has.
    pub fn place(&self, name: &[u8]) -> Text {
        self.find(named_in(name, b' ')).map(|found| found.path).unwrap_or_default()
    }

    fn add(&mut self, path: Text, controllers: Controllers) {
        let controllers = controllers & !self.controllers();
        match self.hierarchies.iter_mut().find(|hierarchy| hierarchy.path == path) {
            Some(hierarchy) => hierarchy.controllers |= controllers,
            None if controllers == 0 => {}
            None => self.hierarchies.push(Hierarchy { path, unified: false, controllers, enabled: 0 }),
        }
    }
}

/// The controllers named in a list.
pub fn named_in(list: &[u8], separator: u8) -> Controllers {
    let words = split(list.trim_ascii(), separator);
    let named = NAMES.iter().filter(|(_, name)| words.contains(&name.as_bytes()));
    named.fold(0, |all, (controller, _)| all | controller)
}

/// Longer than any file that has one value or names.
const PAGE: usize = 4096;

/// A v2 hierarchy is used even without a controller: its cgroup is what is killed at the end.
fn unified_hierarchy(path: Text) -> Hierarchy {
    let named = |file| named_in(fs::read_file(below(path, file), PAGE).unwrap_or_default(), b' ');
    let own = DEVICES | FREEZER;
    let (controllers, enabled) = (named("cgroup.controllers") | own, named("cgroup.subtree_control") | own);
    Hierarchy { path, unified: true, controllers, enabled }
}

/// Every cgroup mount of /proc/self/mountinfo, for controllers that are not where they usually are.
fn search(layout: &mut Layout, needed: bool) {
    let table = fs::read_file(t(c"/proc/self/mountinfo"), 1 << 20).unwrap_or_default();
    search_in(layout, table, &|path, kind| is_usable(path, kind, needed));
}

/// The same of a table that was read.
pub fn search_in(layout: &mut Layout, table: &[u8], usable: &dyn Fn(Text, i64) -> bool) {
    for &line in split(table, b'\n') {
        // id parent major:minor root MOUNTPOINT options … - TYPE source SUPEROPTIONS
        let words = split(line, b' ');
        let dash = words.iter().position(|word| *word == b"-").unwrap_or(0);
        let [_, kind, _, options] = *words.get(dash..).unwrap_or_default() else { continue };
        let path = keep(words.get(4).copied().unwrap_or_default());
        if kind == b"cgroup" && usable(path, CGROUP_SUPER_MAGIC) {
            layout.add(path, named_in(options, b','));
        } else if kind == b"cgroup2"
            && usable(path, CGROUP2_SUPER_MAGIC)
            && layout.hierarchies.iter().all(|hierarchy| hierarchy.path != path)
        {
            let mut hierarchy = unified_hierarchy(path);
            hierarchy.controllers &= !layout.controllers();
            if hierarchy.controllers & !FREEZER != 0 {
                layout.hierarchies.push(hierarchy);
            }
        }
    }
}

/// What was used: processor time in microseconds, and the most memory at once in bytes.
pub struct Used {
    /// In the container's own code.
    pub user: u64,
    /// In the kernel for it.
    pub system: u64,
    /// With what the kernel has cached for it.
    pub peak: u64,
}

impl Used {
    /// What a cgroup has counted, if it counts: v2 in cpu.stat and (since Linux 5.19) memory.peak, v1 in files of their own,
    /// times in nanoseconds.
    pub fn read(&mut self, path: Text) {
        let value = |file| number(fs::read_file(below(path, file), PAGE).ok()?.trim_ascii());
        let v1 = |file| value(file).map(|time: u64| time / 1000);
        self.user = keyed(path, "cpu.stat", b"user_usec").or_else(|| v1("cpuacct.usage_user")).unwrap_or(self.user);
        self.system =
            keyed(path, "cpu.stat", b"system_usec").or_else(|| v1("cpuacct.usage_sys")).unwrap_or(self.system);
        self.peak = value("memory.peak").or_else(|| value("memory.max_usage_in_bytes")).unwrap_or(self.peak);
    }
}

/// The number behind a key, in a file with one on each line.
pub fn keyed(path: Text, file: &str, key: &[u8]) -> Option<u64> {
    let text = fs::read_file(below(path, file), PAGE).ok()?;
    split(text, b'\n').iter().find_map(|line| number(line.strip_prefix(key)?.strip_prefix(b" ")?))
}

/// Gives a running container other limits. On v1 it may not be in the controller's hierarchy yet: `joins` hears of that
/// before, and may refuse.
pub fn update(limits: &Limits, layout: &Layout, id: Text, joins: &dyn Fn(Text) -> Result<()>) -> Result<()> {
    for member in outside(limits, layout, id)?.iter().filter(|member| !member.values.is_empty()) {
        let failed = |which, errno| Error::sys(text!("change the limit"), which, errno);
        for &(file, value) in &member.enable {
            write(file, value.to_bytes()).map_err(|errno| failed(file, errno))?;
        }
        let new = !fs::exists(member.path);
        if new {
            joins(member.name)?;
            fs::mkdir(fs::CWD, member.path, 0o755).map_err(|errno| failed(member.path, errno))?;
        }
        // Memory may never be above memory and swap, so either may have to be first: all are written twice, and what the
        // second time fails has failed.
        for (index, &(file, value, flag)) in member.values.iter().chain(&member.values).enumerate() {
            match write(filled("%/%", &[member.path, file]), value.to_bytes()) {
                Err(errno) if index >= member.values.len() => return Err(failed(flag, errno)),
                _ => {}
            }
        }
        if let (true, Some(from)) = (new, layout.joined(id)) {
            freezer::gather(from, member.path, after(10_000)).map_err(|errno| failed(member.path, errno))?;
        }
    }
    Ok(())
}

/// Removes a cgroup with everything in it: kills what still lives there, waits for its end, removes those below it.
pub fn remove(path: Text) -> core::result::Result<(), Errno> {
    let mut waited = 0_u64;
    loop {
        match fs::rmdir(fs::CWD, path) {
            Ok(()) | Err(Errno::ENOENT) => return Ok(()),
            // Busy: something lives in it, has only just ended, or has made a cgroup below.
            Err(Errno::EBUSY) if waited < 10_000 => {
                kill_all(path);
                remove_below(path);
                let pause = waited.clamp(1, 50);
                let _ = process::poll(&mut [], Some(pause));
                waited = waited.saturating_add(pause);
            }
            Err(errno) => return Err(errno),
        }
    }
}

/// Takes back how an ordinary user's mydocker has made room: it was the only process in the cgroup above, which had no
/// controllers to hand down.
pub fn leave(path: Text) -> core::result::Result<(), Errno> {
    let above = path.to_bytes().iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let above = keep(path.to_bytes().get(..above).unwrap_or_default());
    let enabled = fs::read_file(below(above, "cgroup.subtree_control"), PAGE).unwrap_or_default();
    for name in split(enabled.trim_ascii(), b' ') {
        let _ = write(below(above, "cgroup.subtree_control"), &[b"-", *name].concat());
    }
    let _ = write(below(above, "cgroup.procs"), b"0");
    fs::rmdir(fs::CWD, path)
}

fn remove_below(path: Text) {
    each_below(path, &mut |path| _ = remove(path));
}

fn each_below(path: Text, take: &mut dyn FnMut(Text)) {
    let Ok(dir) = fs::open(fs::CWD, path, libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return };
    let _ = fs::each_entry(dir.as_fd(), &mut |name, kind| {
        if kind == libc::DT_DIR {
            take(filled("%/%", &[path, name]));
        }
    });
}

/// cgroup.kill (v2, Linux 5.14) reaches what forks meanwhile too; where it isn't there, every process in the list.
fn kill_all(path: Text) {
    if write(below(path, "cgroup.kill"), b"1").is_ok() {
        return;
    }
    for pid in list(path) {
        if let Some(pid) = number(pid) {
            let _ = process::kill(pid as i32, libc::SIGKILL);
        }
    }
    // v1's freezer, if that is one.
    let _ = write(below(path, "freezer.state"), b"THAWED");
}

/// Writes to a file.
fn write(path: Text, value: &[u8]) -> core::result::Result<(), Errno> {
    let file = fs::open(fs::CWD, path, libc::O_WRONLY, 0)?;
    fs::write_all(file.as_fd(), value)
}

/// The pids in a cgroup, as the kernel prints them.
fn list(cgroup: Text) -> Vec<&'static [u8]> {
    let text = fs::read_file(below(cgroup, "cgroup.procs"), 1 << 20).unwrap_or_default();
    // 0 is a process of another pid namespace: kill(0) would be our own process group.
    split(text, b'\n').iter().copied().filter(|pid| !pid.is_empty() && *pid != b"0").collect()
}

/// All pids in a cgroup and below it.
pub fn each_process(cgroup: Text, take: &mut dyn FnMut(&'static [u8])) {
    list(cgroup).into_iter().for_each(&mut *take);
    each_below(cgroup, &mut |below| each_process(below, take));
}
