//! The facts about the host that a plan depends on. Looks, changes nothing.

use crate::cgroup;
use crate::devices;
use crate::error::{Error, Result};
use crate::plan::{Has, Host, Ids, MASKS, SYSRQ, anonymous};
use crate::spec::{Mount, Source, Spec, Text};
use crate::sys::name::t;
use crate::sys::process::{STDERR, STDIN, STDOUT};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, fs};
use crate::text::{Line, Push, ancestors, filled, keep, number, split, until};
use std::os::fd::{AsFd, BorrowedFd};

const STATUS: Text = t(c"/proc/self/status");

/// What a process that is started depends on: its streams, and what mydocker itself may.
pub fn process(spec: &Spec, user: Option<Ids>) -> Result<Host> {
    let streams = [STDIN, STDOUT, STDERR].map(fs::fstat);
    let [_, output, error] = &streams;
    let id =
        |stream: &core::result::Result<fs::Stat, Errno>| stream.as_ref().map(|stat| (stat.st_dev, stat.st_ino)).ok();
    // Without it nobody knows what has to be dropped.
    let status = fs::read_file(STATUS, 4096).map_err(|errno| {
        Error::sys(text!("look at this process"), STATUS, errno)
            .hint(text!("mydocker needs /proc: mount -t proc proc /proc"), &[])
    })?;
    Ok(Host {
        // The names of three fit one option.
        has: Has { lowers: spec.lower.layers.len() > 3, ..Has::ALL },
        masks: 0,
        throttles: Vec::new(),
        mqueue: false,
        cgroups: cgroup::Layout::default(),
        devices: Vec::new(),
        missing: Vec::new(),
        fill: Vec::new(),
        files: Vec::new(),
        found: Vec::new(),
        ignored: set(status, b"SigIgn:\t"),
        // A new user namespace begins with a bounding set of all that there are.
        capabilities: if user.is_some() { all_capabilities() } else { set(status, b"CapBnd:\t") },
        piped: streams.each_ref().map(|stream| spec.kept || !is_any(stream, &[libc::S_IFIFO, libc::S_IFSOCK, NULL])),
        null: streams.each_ref().map(|stream| !spec.kept && is_any(stream, &[NULL])),
        one_output: output.is_ok() && id(output) == id(error) && !spec.kept,
        upper: false,
        store: t(c""),
        attr_dir: spec.security.apparmor.is_some() && fs::exists(t(c"/proc/self/attr/apparmor")),
        user,
    })
}

/// Looks at the host for a spec. `store` is its directory.
pub fn look(spec: &Spec, store: BorrowedFd, path: Text, user: Option<Ids>) -> Result<Host> {
    let mut host = process(spec, user)?;
    let rootless = user.is_some_and(|ids| !ids.remapped);
    host.masks = masks();
    host.throttles = throttles();
    host.mqueue = fs::exists(t(c"/proc/sys/fs/mqueue"));
    host.cgroups = if rootless {
        cgroup::delegated(&spec.limits)?
    } else {
        cgroup::look(&spec.limits, if spec.security.privileged { 0 } else { cgroup::DEVICES })
    };
    host.devices = devices::look(spec)?;
    host.upper = spec.kept && fs::stat(store, filled("containers/%/upper", &[spec.id])).is_ok();
    host.store = path;
    check_labels(spec)?;
    for (index, mount) in spec.mounts.iter().enumerate() {
        let (mut file, mut looked) = (false, 0);
        let empty = match mount.source {
            Source::Host(source) => {
                (file, looked) = host_source(source, mount, &mut host.missing)?;
                false
            }
            Source::Volume(name) => fs::is_empty(store, crate::plan::data(name)),
            Source::Anonymous if spec.kept => {
                fs::is_empty(store, filled("%/_data", &[anonymous(filled("containers/%", &[spec.id]), index)]))
            }
            Source::Anonymous => true,
            Source::Tmpfs(_) => false,
        };
        let there = check_target(spec, store, mount, file)?;
        if empty && mount.copy && there.is_some() {
            host.fill.push(index);
        }
        // docker's mode for a tmpfs where the image has nothing.
        host.found.push(if let Source::Tmpfs(_) = mount.source { u64::from(there.unwrap_or(0o1777)) } else { looked });
        host.files.push(file);
    }
    Ok(host)
}

fn all_capabilities() -> u64 {
    let last = fs::read_file(t(c"/proc/sys/kernel/cap_last_cap"), 16).ok().and_then(|text| number(text.trim_ascii()));
    (2_u64 << last.unwrap_or(40).min(62)).wrapping_sub(1)
}

/// Whether a standard stream is of one of these kinds. Only what is a pipe or socket already is passed as it is: a container
/// could type into a terminal (TIOCSTI, TIOCLINUX), write to a file that is open for reading (open(2) of /proc/self/fd/0),
/// walk up from a directory.
fn is_any(stream: &core::result::Result<fs::Stat, Errno>, kinds: &[u32]) -> bool {
    const NULL_DEVICE: u64 = 1 << 8 | 3;
    stream.as_ref().is_ok_and(|stat| {
        let kind = fs::kind(stat);
        kinds.contains(&if kind == libc::S_IFCHR && stat.st_rdev == NULL_DEVICE { NULL } else { kind })
    })
}

/// Stands for the null device among the kinds of files, none of which is 0.
const NULL: u32 = 0;

/// A set in /proc/self/status: asking for each signal or capability would be 64 calls.
pub fn set(status: &[u8], name: &[u8]) -> u64 {
    let line = split(status, b'\n').iter().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().iter().fold(0, |bits, &digit| bits << 4 | u64::from(hex(digit)))
}

/// The value of a lower-case hexadecimal digit.
fn hex(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit & 15 } else { (digit & 15).wrapping_add(9) }
}

/// A label that nobody would look at is none.
fn check_labels(spec: &Spec) -> Result<()> {
    let enabled =
        || fs::read_file(t(c"/sys/module/apparmor/parameters/enabled"), 16).unwrap_or_default().first() == Some(&b'Y');
    let (name, what) = match (spec.security.apparmor, spec.security.label()) {
        (Some(profile), _) if !enabled() => (t(c"apparmor"), profile),
        (_, Some(label)) if !fs::exists(t(c"/sys/fs/selinux/enforce")) => (t(c"label"), label),
        _ => return Ok(()),
    };
    Err(Error::new(text!("--security-opt %=%: the kernel has no such security module, or it is off"), &[name, what]))
}

fn masks() -> u32 {
    let mut bits = if fs::exists(t(c"/proc/sysrq-trigger")) { SYSRQ } else { 0 };
    for (index, &(path, _)) in MASKS.iter().enumerate() {
        if fs::exists(path) {
            bits |= 1 << index;
        }
    }
    bits
}

/// Where the first CPU has none, none has. A CPU that is offline has none, whatever those behind it have.
fn throttles() -> Vec<Text> {
    let (mut found, mut cpus) = (Vec::new(), 1);
    let mut cpu = 0_u64;
    while cpu < cpus {
        let mut path = Line::new();
        let path = keep(path.put(b"/sys/devices/system/cpu/cpu").dec(cpu).put(b"/thermal_throttle"));
        if fs::exists(path) {
            if found.is_empty() {
                cpus = possible_cpus();
            }
            found.push(path);
        }
        cpu = cpu.wrapping_add(1);
    }
    found
}

/// How many CPUs there can be at most: the kernel says `0-7`.
fn possible_cpus() -> u64 {
    let list = fs::read_file(t(c"/sys/devices/system/cpu/possible"), 4096).unwrap_or_default().trim_ascii();
    let last = list.rsplit(|byte| !byte.is_ascii_digit()).next().and_then(number);
    last.unwrap_or(0).min(8191).wrapping_add(1)
}

/// Whether a host path is a file, and which; the directories to make where it is missing.
fn host_source(source: Text, mount: &Mount, missing: &mut Vec<Text>) -> Result<(bool, u64)> {
    // O_PATH: a FIFO, a socket or a device is not opened, so nothing blocks. O_DIRECTORY: what is mounted by itself
    // (autofs) is mounted now, and not found to be another one later.
    let open = |flag| fs::open_follow(fs::CWD, source, libc::O_PATH | flag, 0);
    match open(libc::O_DIRECTORY).or_else(|_| open(0)).and_then(|fd| Ok((fs::fstat(fd.as_fd())?, fd))) {
        Ok((stat, fd)) => {
            if mount.propagation != libc::MS_PRIVATE {
                check_propagation(fd.as_fd(), mount)?;
            }
            Ok((!fs::is_dir(&stat), fs::identity(&stat)))
        }
        Err(Errno::ENOENT) if mount.make_source => {
            for path in ancestors(source) {
                if !fs::exists(path) && !missing.contains(&path) {
                    missing.push(path);
                }
            }
            Ok((false, 0))
        }
        Err(Errno::ENOENT) => Err(Error::new(text!("%: bind source path does not exist: %"), &[mount.typed, source])),
        Err(errno) => Err(Error::sys(text!("open the volume's source"), mount.typed, errno)),
    }
}

/// docker's rule: shared needs a source on a shared mount, slave one on a shared or slave mount.
fn check_propagation(source: BorrowedFd, mount: &Mount) -> Result<()> {
    let slave = mount.propagation == libc::MS_SLAVE;
    let typed = mount.typed.to_bytes();
    let fields =
        mount_of(source).map_err(|errno| Error::sys(text!("look at the source's mount"), keep(typed), errno))?;
    // id parent major:minor root mountpoint options [shared:N] [master:N] - type ...
    let mut tags = fields.iter().skip(6).take_while(|field| **field != b"-");
    if tags.any(|tag| tag.starts_with(b"shared:") || slave && tag.starts_with(b"master:")) {
        return Ok(());
    }
    let kind: &[u8] = if slave { b"shared or slave" } else { b"shared" };
    Err(Error::new(text!("%: the source is on a mount that is not %"), &[keep(typed), keep(kind)])
        .hint(text!("mount --make-shared makes it so"), &[]))
}

/// The fields of /proc/self/mountinfo for the mount that a descriptor is on.
fn mount_of(fd: BorrowedFd) -> core::result::Result<&'static [&'static [u8]], Errno> {
    let id = crate::remove::mount_id(fd)?;
    let table = fs::read_file(t(c"/proc/self/mountinfo"), 1 << 22)?;
    let line = split(table, b'\n').iter().find(|line| until(line, b' ') == id.trim_ascii());
    Ok(split(line.copied().unwrap_or_default(), b' '))
}

/// A file on a directory or the reverse, as far as the image shows: before anything is made on the host.
/// Returns the mode of what is there.
fn check_target(spec: &Spec, store: BorrowedFd, mount: &Mount, file: bool) -> Result<Option<u32>> {
    for &layer in &spec.lower.layers {
        let found = fs::open_follow(store, layer, libc::O_PATH | libc::O_DIRECTORY, 0)
            .and_then(|layer| open_in_root(layer.as_fd(), mount.target, libc::O_PATH, 0))
            .and_then(|target| fs::fstat(target.as_fd()));
        let stat = match found {
            // What is missing, or what is in the way, is for the steps to say.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => continue,
            found => found.map_err(|errno| Error::sys(text!("look at the volume's target"), mount.typed, errno))?,
        };
        // Deleted in this layer.
        if fs::kind(&stat) == libc::S_IFCHR && stat.st_rdev == 0 {
            return Ok(None);
        }
        if fs::is_dir(&stat) != file {
            return Ok(Some(stat.st_mode & 0o7777));
        }
        let kind = |file: bool| -> &'static [u8] { if file { b"a file" } else { b"a directory" } };
        let source = match mount.source {
            Source::Host(path) => path.to_bytes(),
            _ => b"the volume",
        };
        return Err(Error::new(
            text!("%: % is %, but % in the image is %"),
            &[mount.typed, keep(source), keep(kind(file)), mount.target, keep(kind(!file))],
        ));
    }
    Ok(None)
}
