//! cgroups: where the controllers are (v1, v2, hybrid), and what files a limit is written to.

use crate::error::{Error, Result};
use crate::spec::{Limits, Text};
use crate::sys::{Errno, fs, process};
use crate::text::{Line, Push, keep, keep_all, number};
use std::os::fd::AsFd;

/// A controller that a limit needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controller {
    /// Memory and swap.
    Memory,
    /// CPU quota and weight.
    Cpu,
    /// CPUs and NUMA nodes.
    Cpuset,
    /// Number of processes.
    Pids,
}

/// All of them, in the order in which they are looked for.
pub const CONTROLLERS: [Controller; 4] = [Controller::Memory, Controller::Cpu, Controller::Cpuset, Controller::Pids];

impl Controller {
    /// The kernel's name.
    pub fn name(self) -> &'static [u8] {
        match self {
            Controller::Memory => b"memory",
            Controller::Cpu => b"cpu",
            Controller::Cpuset => b"cpuset",
            Controller::Pids => b"pids",
        }
    }
}

/// A hierarchy that has controllers of ours.
#[derive(Debug)]
pub struct Hierarchy {
    /// Where it is mounted.
    pub path: Text,
    /// cgroup v2.
    pub unified: bool,
    /// The controllers that it has.
    pub controllers: Vec<Controller>,
    /// v2: those that its children already have.
    pub enabled: Vec<Controller>,
}

/// The hierarchies of the host.
#[derive(Debug, Default)]
pub struct Layout {
    /// Without a controller of ours a hierarchy is not listed.
    pub hierarchies: Vec<Hierarchy>,
    /// v1: memory.memsw.* exists.
    pub swap: bool,
    /// v1: what the cpuset hierarchy's root has, which a new cpuset needs before a task may join: CPUs and nodes.
    pub cpuset: Option<(Text, Text)>,
}

impl Layout {
    fn find(&self, controller: Controller) -> Option<usize> {
        self.hierarchies.iter().position(|hierarchy| hierarchy.controllers.contains(&controller))
    }
}

/// The container's cgroup in one hierarchy.
#[derive(Debug)]
pub struct Member {
    /// Its path.
    pub path: Text,
    /// In a v2 hierarchy.
    pub unified: bool,
    /// What has to be written first for its parent to hand controllers down: file, value.
    pub enable: Vec<(Text, Text)>,
    /// File, value, and the flag that asked for it.
    pub values: Vec<(Text, Text, Text)>,
    /// The file that a process joins by.
    pub attach: Text,
}

/// The container's cgroups with their limits. A limit without its controller is an error.
pub fn outside(limits: &Limits, layout: &Layout, id: Text) -> Result<Vec<Member>> {
    let mut members: Vec<Member> = layout
        .hierarchies
        .iter()
        .map(|hierarchy| Member {
            path: path(hierarchy.path, id),
            unified: hierarchy.unified,
            enable: Vec::new(),
            values: Vec::new(),
            attach: if hierarchy.unified { c"cgroup.procs" } else { c"tasks" },
        })
        .collect();
    for (controller, flag) in needs(limits) {
        let found = layout.find(controller);
        let found = found.and_then(|index| Some((layout.hierarchies.get(index)?, members.get_mut(index)?)));
        let Some((hierarchy, member)) = found else { return Err(missing(controller, flag)) };
        if hierarchy.unified && !hierarchy.enabled.contains(&controller) {
            let value = keep_all(&[b"+", controller.name()]);
            member.enable.push((keep_all(&[hierarchy.path.to_bytes(), b"/cgroup.subtree_control"]), value));
        }
        if hierarchy.unified {
            unified(limits, controller, member)
        } else {
            legacy(limits, controller, layout, member)?
        }
    }
    // A v1 cpuset is only joined where it was asked for; so is any hierarchy with nothing but cpuset.
    let only_cpuset = |hierarchy: &Hierarchy| !hierarchy.unified && hierarchy.controllers == [Controller::Cpuset];
    let asked = needs(limits).any(|(controller, _)| controller == Controller::Cpuset);
    let mut hierarchies = layout.hierarchies.iter();
    members.retain(|_| hierarchies.next().is_some_and(|hierarchy| asked || !only_cpuset(hierarchy)));
    Ok(members)
}

/// The controllers that the limits need, each with the flag that needs it.
fn needs(limits: &Limits) -> impl Iterator<Item = (Controller, Text)> {
    let first = |flags: [(bool, Text); 2]| flags.into_iter().find(|(asked, _)| *asked).map(|(_, flag)| flag);
    let memory = [(limits.memory.is_some(), c"--memory"), (limits.memory_swap.is_some(), c"--memory-swap")];
    let cpu = [(limits.cpu_quota.is_some(), c"--cpus"), (limits.cpu_shares.is_some(), c"--cpu-shares")];
    let cpuset = [(limits.cpuset_cpus.is_some(), c"--cpuset-cpus"), (limits.cpuset_mems.is_some(), c"--cpuset-mems")];
    let pids = [(limits.pids.is_some(), c"--pids-limit"), (false, c"")];
    let flags = [first(memory), first(cpu), first(cpuset), first(pids)];
    CONTROLLERS.into_iter().zip(flags).filter_map(|(controller, flag)| Some((controller, flag?)))
}

/// Directly below the hierarchy's root: a common parent would have to be left behind or raced for.
pub fn path(root: Text, id: Text) -> Text {
    keep_all(&[root.to_bytes(), b"/mydocker-", id.to_bytes()])
}

fn missing(controller: Controller, flag: Text) -> Error {
    Error::new("%: no cgroup hierarchy with the controller % is mounted", &[flag.to_bytes(), controller.name()]).hint(
        "/proc/cgroups says whether the kernel has it; on cgroup v2 it must be in /sys/fs/cgroup/cgroup.controllers",
        &[],
    )
}

fn decimal(value: u64) -> Text {
    let mut line = Line::new();
    keep(line.dec(value))
}

/// docker's default for --memory-swap: as much swap again as memory.
fn memory_and_swap(limits: &Limits) -> Option<u64> {
    limits.memory_swap.or_else(|| limits.memory.map(|memory| memory.saturating_mul(2)))
}

fn unified(limits: &Limits, controller: Controller, member: &mut Member) {
    let values = &mut member.values;
    match controller {
        Controller::Memory => {
            if let Some(memory) = limits.memory {
                values.push((c"memory.max", decimal(memory), c"--memory"));
            }
            // v2 counts swap apart from memory.
            match (memory_and_swap(limits), limits.memory) {
                (Some(u64::MAX), _) => values.push((c"memory.swap.max", c"max", c"--memory-swap")),
                (Some(total), Some(memory)) => {
                    values.push((c"memory.swap.max", decimal(total.saturating_sub(memory)), c"--memory-swap"));
                }
                _ => {}
            }
        }
        Controller::Cpu => {
            if let Some(quota) = limits.cpu_quota {
                values.push((c"cpu.max", keep_all(&[decimal(quota).to_bytes(), b" 100000"]), c"--cpus"));
            }
            if let Some(shares) = limits.cpu_shares {
                // 2..262144 onto 1..10000, as runc and crun do.
                let weight = shares.saturating_sub(2).saturating_mul(9999).wrapping_div(262_142).saturating_add(1);
                values.push((c"cpu.weight", decimal(weight), c"--cpu-shares"));
            }
        }
        Controller::Cpuset => {
            values.extend(limits.cpuset_cpus.map(|cpus| (c"cpuset.cpus", cpus, c"--cpuset-cpus")));
            values.extend(limits.cpuset_mems.map(|mems| (c"cpuset.mems", mems, c"--cpuset-mems")));
        }
        Controller::Pids => values.extend(limits.pids.map(|pids| (c"pids.max", pids_text(pids), c"--pids-limit"))),
    }
}

fn pids_text(pids: u64) -> Text {
    if pids == u64::MAX { c"max" } else { decimal(pids) }
}

fn legacy(limits: &Limits, controller: Controller, layout: &Layout, member: &mut Member) -> Result<()> {
    let values = &mut member.values;
    match controller {
        Controller::Memory => {
            if let Some(memory) = limits.memory {
                values.push((c"memory.limit_in_bytes", decimal(memory), c"--memory"));
            }
            match memory_and_swap(limits) {
                Some(u64::MAX) if layout.swap => values.push((c"memory.memsw.limit_in_bytes", c"-1", c"--memory-swap")),
                Some(total) if layout.swap => {
                    values.push((c"memory.memsw.limit_in_bytes", decimal(total), c"--memory-swap"));
                }
                _ if limits.memory_swap.is_some() => {
                    return Err(Error::new(
                        "--memory-swap: the kernel does not count swap: % would have no memory.memsw.limit_in_bytes",
                        &[member.path.to_bytes()],
                    )
                    .hint("boot with swapaccount=1", &[]));
                }
                _ => {}
            }
        }
        Controller::Cpu => {
            if let Some(quota) = limits.cpu_quota {
                values.push((c"cpu.cfs_period_us", c"100000", c"--cpus"));
                values.push((c"cpu.cfs_quota_us", decimal(quota), c"--cpus"));
            }
            values.extend(limits.cpu_shares.map(|shares| (c"cpu.shares", decimal(shares), c"--cpu-shares")));
        }
        Controller::Cpuset => {
            let (cpus, mems) = layout.cpuset.unwrap_or((c"", c""));
            values.push((c"cpuset.cpus", limits.cpuset_cpus.unwrap_or(cpus), c"--cpuset-cpus"));
            values.push((c"cpuset.mems", limits.cpuset_mems.unwrap_or(mems), c"--cpuset-mems"));
        }
        Controller::Pids => values.extend(limits.pids.map(|pids| (c"pids.max", pids_text(pids), c"--pids-limit"))),
    }
    Ok(())
}

const CGROUP2_SUPER_MAGIC: i64 = 0x6367_7270;
const CGROUP_SUPER_MAGIC: i64 = 0x27_e0eb;

/// Looks where everybody mounts them, a call or two a controller; only if one that is needed isn't there, at the
/// whole table of mounts, which can be long.
pub fn look(limits: &Limits) -> Layout {
    let mut layout = Layout::default();
    if fs::fs_type(c"/sys/fs/cgroup") == Ok(CGROUP2_SUPER_MAGIC) {
        layout.hierarchies.extend(unified_hierarchy(c"/sys/fs/cgroup"));
    } else {
        for controller in CONTROLLERS {
            // A v1 cpuset needs its CPUs and nodes written before it can be used, so it is not joined for nothing.
            if controller == Controller::Cpuset && limits.cpuset_cpus.is_none() && limits.cpuset_mems.is_none() {
                continue;
            }
            let path = keep_all(&[b"/sys/fs/cgroup/", controller.name()]);
            if fs::fs_type(path) == Ok(CGROUP_SUPER_MAGIC) {
                add(&mut layout, path, false, controller);
            }
        }
    }
    if needs(limits).any(|(controller, _)| layout.find(controller).is_none()) {
        search(&mut layout);
    }
    legacy_facts(limits, &mut layout);
    layout
}

/// Every hierarchy that has one of our controllers, for sweeping.
pub fn everywhere() -> Layout {
    let mut layout = look(&Limits::default());
    search(&mut layout);
    layout
}

fn add(layout: &mut Layout, path: Text, unified: bool, controller: Controller) {
    if layout.find(controller).is_some() {
        return;
    }
    match layout.hierarchies.iter_mut().find(|hierarchy| hierarchy.path == path) {
        Some(hierarchy) => hierarchy.controllers.push(controller),
        None => {
            layout.hierarchies.push(Hierarchy { path, unified, controllers: vec![controller], enabled: Vec::new() })
        }
    }
}

/// The controllers named in a file such as cgroup.controllers.
fn named_in(path: Text) -> Vec<Controller> {
    let text = read(path).unwrap_or_default();
    let has = |name: &[u8]| text.split(|byte| byte.is_ascii_whitespace()).any(|word| word == name);
    CONTROLLERS.into_iter().filter(|controller| has(controller.name())).collect()
}

/// A v2 hierarchy is used even without a controller: its cgroup is what is killed at the end.
fn unified_hierarchy(path: Text) -> Option<Hierarchy> {
    let controllers = named_in(keep_all(&[path.to_bytes(), b"/cgroup.controllers"]));
    let enabled = named_in(keep_all(&[path.to_bytes(), b"/cgroup.subtree_control"]));
    Some(Hierarchy { path, unified: true, controllers, enabled })
}

fn read(path: Text) -> core::result::Result<Vec<u8>, Errno> {
    let fd = fs::open_follow(fs::CWD, path, libc::O_RDONLY, 0)?;
    fs::read_all(fd.as_fd(), 1 << 20)
}

/// Every cgroup mount of /proc/self/mountinfo, for controllers that are not where they usually are.
fn search(layout: &mut Layout) {
    let table = read(c"/proc/self/mountinfo").unwrap_or_default();
    for line in table.split(|&byte| byte == b'\n') {
        // id parent major:minor root MOUNTPOINT options … - TYPE source SUPEROPTIONS
        let mut words = line.split(|&byte| byte == b' ');
        let Some(point) = words.nth(4) else { continue };
        let mut rest = words.skip_while(|&word| word != b"-").skip(1);
        let (kind, options) = (rest.next().unwrap_or_default(), rest.nth(1).unwrap_or_default());
        let path = keep(point);
        if kind == b"cgroup" {
            for controller in CONTROLLERS {
                if options.split(|&byte| byte == b',').any(|option| option == controller.name()) {
                    add(layout, path, false, controller);
                }
            }
        } else if kind == b"cgroup2" && layout.hierarchies.iter().all(|hierarchy| hierarchy.path != path) {
            let Some(mut hierarchy) = unified_hierarchy(path) else { continue };
            hierarchy.controllers.retain(|&controller| layout.find(controller).is_none());
            if !hierarchy.controllers.is_empty() {
                layout.hierarchies.push(hierarchy);
            }
        }
    }
}

/// What a v1 host has to be asked for besides.
fn legacy_facts(limits: &Limits, layout: &mut Layout) {
    let v1 = |layout: &Layout, controller| {
        let index = layout.find(controller)?;
        layout.hierarchies.get(index).filter(|hierarchy| !hierarchy.unified).map(|hierarchy| hierarchy.path)
    };
    if limits.memory.is_some() || limits.memory_swap.is_some() {
        layout.swap = v1(layout, Controller::Memory)
            .is_some_and(|path| fs::exists(keep_all(&[path.to_bytes(), b"/memory.memsw.limit_in_bytes"])));
    }
    if limits.cpuset_cpus.is_some() || limits.cpuset_mems.is_some() {
        layout.cpuset = v1(layout, Controller::Cpuset).map(|path| {
            let value = |file: &[u8]| {
                let text = read(keep_all(&[path.to_bytes(), file])).unwrap_or_default();
                keep(text.trim_ascii())
            };
            (value(b"/cpuset.cpus"), value(b"/cpuset.mems"))
        });
    }
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

fn remove_below(path: Text) {
    let mut buf = fs::DirBuf::new();
    let Ok(dir) = fs::open(fs::CWD, path, libc::O_RDONLY | libc::O_DIRECTORY, 0) else { return };
    while let Ok(entries) = fs::read_dir(dir.as_fd(), &mut buf) {
        if entries.is_end() {
            break;
        }
        for (name, kind) in entries {
            if kind == libc::DT_DIR {
                let _ = remove(keep_all(&[path.to_bytes(), b"/", name.to_bytes()]));
            }
        }
    }
}

/// cgroup.kill (v2, Linux 5.14) reaches what forks meanwhile too; where it isn't there, every process in the list.
fn kill_all(path: Text) {
    let kill = keep_all(&[path.to_bytes(), b"/cgroup.kill"]);
    if fs::open(fs::CWD, kill, libc::O_WRONLY, 0).is_ok_and(|fd| fs::write_all(fd.as_fd(), b"1").is_ok()) {
        return;
    }
    let list = read(keep_all(&[path.to_bytes(), b"/cgroup.procs"])).unwrap_or_default();
    for pid in list.split(|&byte| byte == b'\n').filter_map(number) {
        // 0 is a process of another pid namespace: kill(0) would be our own process group.
        if pid > 1 {
            let _ = process::kill(pid as i32, libc::SIGKILL);
        }
    }
}
