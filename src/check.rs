//! `mydocker check`: what this host can do, found by trying it, each in a child that is thrown away.

use crate::cli::Given;
use crate::error::Result;
use crate::plan::{Entry, FS, ROOT, STRICT, STRICT_RO, Step, Undo, filter};
use crate::sys::call::{CWD, MountAttr, RDONLY, Slots};
use crate::sys::name::{Text, t};
use crate::sys::process::{self, Side};
use crate::sys::{Errno, errno, fs};
use crate::text::{Line, Message, Push, ancestors, keep, row, split, split_once};
use crate::{cgroup, host, userns};

type Trial = core::result::Result<(), Errno>;

/// Tries it at a place, where it has one.
type Try = fn(Text) -> Trial;

const NS: i32 = libc::CLONE_NEWNS;
const PID: i32 = libc::CLONE_NEWPID;
const NET: i32 = libc::CLONE_NEWNET;
const USER: i32 = libc::CLONE_NEWUSER;

/// What is tried: its name, and what it means where it cannot be had, or the way out. One string: a table of slices
/// would cost 32 bytes a row. Those of the first `NEEDED` are what `run` cannot do without.
const NAMES: Message = text!(
    "\
mount namespace:
pid namespace:CONFIG_PID_NS
uts namespace:CONFIG_UTS_NS, or --uts host
ipc namespace:CONFIG_IPC_NS, or --ipc host
net namespace:CAP_NET_ADMIN, CONFIG_NET_NS, or --net host
cgroup namespace:CONFIG_CGROUPS
overlay:modprobe overlay, or CONFIG_OVERLAY_FS
/proc:an outer container hides parts of it; docker's --security-opt systempaths=unconfined
/sys:an outer container hides parts of it
seccomp:CONFIG_SECCOMP_FILTER, or --security-opt seccomp=unconfined
user namespace:
detached mounts:mount(2) is used; read-only volumes are not recursive
idmapped mounts:the file system or the kernel has none
pidfd:SIGCHLD is used
openat2:paths are walked component by component
store:on an overlay or read-only; --root DIR, or mount a tmpfs
memory:its limits are refused
cpu:its limits are refused
cpuset:its limits are refused
pids:its limits are refused
devices:only those of /dev can be used"
);

const NEEDED: usize = 10;
/// Without root also these.
const NEEDED_BY_USERS: usize = 12;
const STORE: usize = 15;
const DEVICES: usize = 20;

/// The namespaces that the child is born into, and what it does there.
static TRIALS: [(i32, Try); 21] = [
    (NS, nothing),
    (PID, nothing),
    (libc::CLONE_NEWUTS, nothing),
    (libc::CLONE_NEWIPC, nothing),
    (NET, |_| process::loopback_up()),
    (libc::CLONE_NEWCGROUP, nothing),
    (NS, overlay),
    (NS | PID, |_| mount(t(c"proc"), STRICT, t(c""))),
    (NS | NET, |_| mount(t(c"sysfs"), STRICT_RO, t(c""))),
    (0, seccomp),
    (NS | USER, nothing),
    (NS, detached),
    (NS, idmapped),
    (0, |_| process::open_self().map(drop)),
    (0, openat2),
    (0, can_hold),
    (0, in_cgroup),
    (0, in_cgroup),
    (0, in_cgroup),
    (0, in_cgroup),
    (0, with_devices),
];

/// What an errno says about any trial.
const REASONS: Message = text!(
    "\
2 mydocker needs /proc: mount -t proc proc /proc
13 permission, or AppArmor or SELinux
28 a limit in /proc/sys/user/max_*_namespaces is reached"
);

/// Why, and the way out: the most that is known.
fn reason(code: u8, flags: i32, without: &[u8]) -> Text {
    if flags & USER != 0 {
        return userns::forbidden(Errno::new(i32::from(code))).text();
    }
    let status = fs::read_file(t(c"/proc/self/status"), 4096).unwrap_or_default();
    if code == 1 && flags != 0 && host::set(status, b"CapEff:\t") >> 21 & 1 == 0 {
        return text!("CAP_SYS_ADMIN is missing; docker's --privileged").text();
    }
    if code >= 128 || code == 1 && host::set(status, b"Seccomp:\t") != 0 {
        return text!("a seccomp filter; docker's --security-opt seccomp=unconfined").text();
    }
    keep(row(REASONS, u64::from(code)).filter(|_| flags != 0).unwrap_or(without))
}

/// `mydocker check`: 0 where `run` will work, else 1.
pub fn check(given: &Given) -> Result<u8> {
    let user = userns::ids(None)?;
    let _ = process::default_action(libc::SIGCHLD);
    let store = crate::store::path(given.value("root"), user.is_some())?;
    if let Some(ids) = &user
        && let Err(error) = userns::enter(ids)
    {
        // Nothing else can be tried.
        crate::print(&error.text())?;
        return Ok(1);
    }
    let store = ancestors(store).iter().rev().copied().find(|&path| fs::exists(path)).unwrap_or(t(c"/"));
    let layout = cgroup::everywhere(user.is_some());
    let (mut answer, mut works) = (Line::new(), true);
    for (index, (&line, &(flags, trial))) in split(NAMES.bytes(), b'\n').iter().zip(&TRIALS).enumerate() {
        let (name, without) = split_once(line, b':').unwrap_or_default();
        let place = match index {
            ..STORE => t(c""),
            STORE => store,
            _ => layout.place(name),
        };
        let code = attempt(flags, trial, place);
        answer.put(name).put(if code == 0 { b": ok" } else { b": no" });
        if !place.is_empty() {
            answer.put(b": ").safe(place.to_bytes());
        }
        if code != 0 {
            works &= match (index, &user) {
                (..STORE, None) => index >= NEEDED,
                (..STORE, Some(_)) => index >= NEEDED_BY_USERS,
                (STORE, _) => false,
                // Without limits an ordinary user's container needs none of them, nor where all are read-only.
                _ => place.is_empty() || user.is_some() || index == DEVICES || code == EROFS,
            };
            errno::describe(Errno::new(i32::from(code)), answer.put(b": "));
            answer.put(b": ").put(reason(code, flags, without).to_bytes());
        }
        answer.put(b"\n");
    }
    crate::print(&answer)?;
    Ok(u8::from(!works))
}

const EROFS: u8 = 30;

/// What a child that tried it ended with: 0, or an errno, or 128 + the signal that killed it.
#[inline(never)]
fn attempt(flags: i32, trial: Try, place: Text) -> u8 {
    let ended = process::clone(flags as u64).and_then(|side| match side {
        Side::Child => {
            let made = if flags & NS != 0 { private() } else { Ok(()) };
            process::exit(code(made.and_then(|()| trial(place))))
        }
        Side::Parent(pid, _) => process::wait(pid, 0).map(|(_, code)| code),
    });
    ended.unwrap_or_else(|errno| code(Err(errno)))
}

fn code(trial: Trial) -> u8 {
    trial.err().map_or(0, |errno| errno.into_raw() as u8)
}

fn steps(steps: &[Step]) -> Trial {
    let mut slots = Slots::new(3);
    steps.iter().try_for_each(|&step| {
        crate::perform::outside::step(
            &Entry { step, why: Message::NONE, about: t(c""), fine: None, undo: Undo::Nothing },
            &mut slots,
        )
    })
}

/// Before all else in a new mount namespace, as a plan does it: by the namespace's own root, since in a chroot `/` may be
/// no mount; and private, so that the host sees none of it.
fn private() -> Trial {
    const STEPS: [Step; 3] = [
        Step::Open(CWD, t(c"/proc/self/ns/mnt"), libc::O_RDONLY, FS),
        Step::Setns(FS, NS as u64),
        Step::Mount(t(c"none"), t(c"/"), t(c""), libc::MS_REC | libc::MS_PRIVATE, t(c"")),
    ];
    steps(&STEPS)
}

/// Where file systems are mounted for a trial: `run` needs it, so it is there.
const AT: Text = t(c"/proc");

fn mount(fs: Text, flags: u64, data: Text) -> Trial {
    steps(&[Step::Mount(fs, AT, fs, flags, data)])
}

/// On a tmpfs of its own.
fn overlay(_: Text) -> Trial {
    mount(t(c"tmpfs"), 0, t(c""))?;
    for name in [t(c"/proc/l"), t(c"/proc/u"), t(c"/proc/w")] {
        fs::mkdir(fs::CWD, name, 0o700)?;
    }
    mount(t(c"overlay"), 0, t(c"lowerdir=/proc/l,upperdir=/proc/u,workdir=/proc/w"))
}

fn detached(_: Text) -> Trial {
    const STEPS: [Step; 4] = [
        Step::Fsopen(t(c"tmpfs"), FS),
        Step::Create,
        Step::Fsmount(0, ROOT),
        Step::SetAttr(ROOT, true, MountAttr { set: RDONLY, clear: 0, propagation: 0, userns: 0 }),
    ];
    steps(&STEPS)
}

/// A mount with the ids of another user namespace. That lives as long as its descriptor, which its only process puts
/// into our table, in place of one that a child does not need.
fn idmapped(_: Text) -> Trial {
    const THEIRS: [Step; 5] = [
        Step::Set(CWD, t(c"/proc/self/setgroups"), t(c"deny")),
        Step::Set(CWD, t(c"/proc/self/uid_map"), t(c"0 0 1")),
        Step::Set(CWD, t(c"/proc/self/gid_map"), t(c"0 0 1")),
        Step::Open(CWD, t(c"/proc/self/ns/user"), libc::O_RDONLY, FS),
        Step::Dup(FS, 0),
    ];
    const OURS: [Step; 2] = [
        Step::OpenTree(CWD, t(c"/"), false, ROOT),
        Step::SetAttr(ROOT, false, MountAttr { set: 0x10_0000, clear: 0, propagation: 0, userns: 0 }),
    ];
    match attempt(USER | libc::CLONE_FILES, |_| steps(&THEIRS), t(c"")) {
        0 => steps(&OURS),
        code => Err(Errno::new(i32::from(code))),
    }
}

fn nothing(_: Text) -> Trial {
    Ok(())
}

/// As for an ordinary user: the first call is only needed without CAP_SYS_ADMIN.
fn seccomp(_: Text) -> Trial {
    steps(&[Step::NoNewPrivs, Step::Seccomp(filter(0))])
}

fn openat2(_: Text) -> Trial {
    let how = fs::OpenHow { flags: libc::O_PATH as u64, mode: 0, resolve: fs::IN_ROOT };
    fs::openat2(fs::CWD, t(c"/"), &how).map(drop)
}

/// overlayfs refuses an upper directory on an overlay with EINVAL.
fn can_hold(store: Text) -> Trial {
    match fs::fs_type(store)? {
        fs::OVERLAYFS => Err(Errno::EINVAL),
        _ => fs::can_write(store),
    }
}

fn in_cgroup(path: Text) -> Trial {
    make_cgroup(path, |_| Ok(()))
}

/// On v2 a program decides.
fn with_devices(path: Text) -> Trial {
    make_cgroup(path, |path| match fs::fs_type(path)? {
        cgroup::CGROUP2_SUPER_MAGIC => steps(&[Step::Open(CWD, path, 0, ROOT), Step::FilterDevices(ROOT, t(c""))]),
        _ => Ok(()),
    })
}

fn make_cgroup(path: Text, trial: Try) -> Trial {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let mut name = Line::new();
    name.put(b"check").dec(process::pid() as u64);
    let path = cgroup::path(path, keep(&name));
    fs::mkdir(fs::CWD, path, 0o755)?;
    let result = trial(path);
    fs::rmdir(fs::CWD, path).and(result)
}
