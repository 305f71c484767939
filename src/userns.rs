//! Whose ids a container's are: of an ordinary user his own, with --userns what was asked for.

use crate::error::{Error, Result};
use crate::plan::{self, Entry, Extents, Ids, MAPPERS, Step};
use crate::spec::Text;
use crate::sys::call::Slots;
use crate::sys::name::t;
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::text::{Line, Message, Push, filled, keep, number, split};
use crate::{perform, users};
use std::os::fd::AsFd;

/// Where the user's store is.
pub fn store() -> Result<Text> {
    let absolute = |name| process::variable(name).filter(|path| path.first() == b'/');
    if let Some(data) = absolute(t(c"XDG_DATA_HOME")) {
        return Ok(filled("%/mydocker", &[data]));
    }
    match absolute(t(c"HOME")) {
        Some(home) => Ok(filled("%/.local/share/mydocker", &[home])),
        None => Err(Error::new(text!("there is no HOME to keep images in"), &[])
            .hint(text!("--root DIR or MYDOCKER_ROOT names a directory"), &[])),
    }
}

/// The user namespace of a container, if it has one. `asked` is --userns.
pub fn ids(asked: Option<Text>) -> Result<Option<Ids>> {
    let asked = asked.filter(|word| !word.is_empty() && *word != t(c"host"));
    match (process::euid(), asked) {
        (0, None) => Ok(is_root_of_another().then(|| outer().unwrap_or_else(|| own(0)))),
        (0, Some(word)) => remapped(word).map(Some),
        (_, Some(word)) => Err(Error::new(text!("--userns %: only root has a choice"), &[word])
            .hint(text!("an ordinary user's containers always have a user namespace"), &[])),
        (uid, None) => Ok(Some(own(uid))),
    }
}

/// No others than these.
const fn only(uid: (u32, u32), gid: (u32, u32)) -> Ids {
    Ids { uid: [uid, (0, 0)], gid: [gid, (0, 0)], remapped: false, inside: false }
}

/// The user namespace of a process of a container that runs.
pub fn of(pid: i32) -> core::result::Result<Option<Ids>, Errno> {
    let path = |name: &[u8]| {
        let mut line = Line::new();
        keep(line.put(b"/proc/").dec(pid as u64).put(name))
    };
    let (mut own, mut its) = ([0; 32], [0; 32]);
    if fs::read_link(fs::CWD, path(b"/ns/user"), &mut its)?
        == fs::read_link(fs::CWD, t(c"/proc/self/ns/user"), &mut own)?
    {
        return Ok(is_root_of_another()
            .then(|| outer().unwrap_or_else(|| only((0, 1), (0, 1))))
            .map(|ids| Ids { inside: true, ..ids }));
    }
    let extents = |name| -> core::result::Result<Extents, Errno> {
        let mut extents = [(0, 0); 2];
        for (extent, line) in extents.iter_mut().zip(split(fs::read_file(path(name), 4096)?, b'\n')) {
            // Blanks, the first id inside, blanks, outside, blanks, how many.
            let mut numbers = split(line, b' ').iter().filter_map(|word| number(word)).skip(1);
            *extent = (numbers.next().unwrap_or(0) as u32, numbers.next().unwrap_or(0) as u32);
        }
        Ok(extents)
    };
    Ok(Some(Ids {
        uid: extents(b"/uid_map")?,
        gid: extents(b"/gid_map")?,
        remapped: process::euid() == 0,
        inside: false,
    }))
}

/// All ids of the user namespace that mydocker is in already, if it has others than root.
fn outer() -> Option<Ids> {
    let count = |file| {
        let text = fs::read_file(file, 4096).unwrap_or_default();
        let all = split(text, b'\n').iter().fold(0, |all, line| {
            // Blanks, the first id inside, blanks, outside, blanks, how many: from 0 up without a gap.
            let mut numbers = split(line, b' ').iter().filter_map(|word| number(word));
            let first = numbers.next();
            if first == Some(all) { numbers.nth(1).unwrap_or(0).saturating_add(all) } else { all }
        });
        u32::try_from(all).ok().filter(|all| *all > 1)
    };
    let (uid, gid) = (count(t(c"/proc/self/uid_map"))?, count(t(c"/proc/self/gid_map"))?);
    Some(Ids { inside: true, ..only((0, uid), (0, gid)) })
}

/// Root of a user namespace (unshare -r, an outer container) has no devices and no cgroups of its own, and nobody else: he
/// is as an ordinary user.
fn is_root_of_another() -> bool {
    // The first one's inode is the same on every kernel: PROC_USER_INIT_INO.
    let (mut buf, first) = ([0; 32], b"user:[4026531837]");
    fs::read_link(fs::CWD, t(c"/proc/self/ns/user"), &mut buf).is_ok_and(|link| link != first)
}

/// Consecutive ids: the first, and how many.
type Range = Option<(u32, u32)>;

/// From their words; -1 is nobody's.
fn consecutive(first: &[u8], count: &[u8]) -> Range {
    let (first, count) = (number(first)?, number(count)?);
    (count != 0 && first.checked_add(count)? <= u64::from(u32::MAX)).then_some((first as u32, count as u32))
}

/// UID:GID:SIZE, or whose ranges in /etc/subuid and /etc/subgid it is.
fn remapped(word: Text) -> Result<Ids> {
    let name = if word == t(c"auto") { b"dockremap" } else { word.to_bytes() };
    let (uid, gid) = match *split(word.to_bytes(), b':') {
        [uid, gid, size] => (consecutive(uid, size), consecutive(gid, size)),
        _ => ranges(&[name]),
    };
    match (uid, gid) {
        (Some(uid), Some(gid)) => Ok(Ids { remapped: true, ..only(uid, gid) }),
        _ => {
            Err(Error::new(text!("--userns %: no range of ids, nor anybody's in /etc/subuid and /etc/subgid"), &[word])
                .hint(text!("host, UID:GID:SIZE, or a user who has a line NAME:FIRST:COUNT in each"), &[]))
        }
    }
}

/// An ordinary user's: himself as root, and for the others his ranges, where there are the programs that may map them.
fn own(uid: u32) -> Ids {
    let gid = process::egid();
    let ids = only((uid, 1), (gid, 1));
    if uid == 0 || !MAPPERS.iter().all(|&program| is_privileged(program)) {
        return ids;
    }
    let (mut number, name) = (Line::new(), users::name_of(uid));
    match ranges(&[number.dec(u64::from(uid)), &name]) {
        (Some(uids), Some(gids)) => Ids { uid: [(uid, 1), uids], gid: [(gid, 1), gids], ..ids },
        _ => ids,
    }
}

/// Whether a program has its privilege: the set-user-ID bit, or a file's capabilities.
fn is_privileged(program: Text) -> bool {
    let Ok(file) = fs::open_follow(fs::CWD, program, libc::O_RDONLY | libc::O_NONBLOCK, 0) else { return false };
    fs::fstat(file.as_fd()).is_ok_and(|stat| stat.st_mode & libc::S_ISUID != 0)
        || fs::get_xattr(file.as_fd(), t(c"security.capability"), &mut [0; 64]).is_ok()
}

/// The first ranges of a user, by name or number.
fn ranges(who: &[&[u8]]) -> (Range, Range) {
    (range(t(c"/etc/subuid"), who), range(t(c"/etc/subgid"), who))
}

/// The first in a file of lines NAME:FIRST:COUNT.
pub fn range(file: Text, who: &[&[u8]]) -> Range {
    let text = fs::read_file(file, 1 << 20).unwrap_or_default();
    split(text, b'\n').iter().find_map(|line| match *split(line.trim_ascii_end(), b':') {
        [name, first, count] if !name.is_empty() && who.contains(&name) => consecutive(first, count),
        _ => None,
    })
}

/// An ordinary user's mydocker becomes root of a new user namespace.
pub fn enter(ids: &Ids) -> Result<()> {
    let mut slots = Slots::new(0);
    for entry in &plan::entering(ids) {
        perform::step(entry, &mut slots).map_err(|errno| refused(entry, errno))?;
    }
    Ok(())
}

/// Writes the maps of a process' user namespace, and opens that.
pub fn map(pid: i32, uid: Text, gid: Text) -> core::result::Result<OwnedFd, Errno> {
    let open = |name: &[u8], flags| {
        let mut path = Line::new();
        path.put(b"/proc/").dec(pid as u64).put(name);
        fs::open_follow(fs::CWD, keep(&path), flags, 0)
    };
    for (file, map) in [(&b"/uid_map"[..], uid), (b"/gid_map", gid)] {
        fs::write(open(file, libc::O_WRONLY)?.as_fd(), map.to_bytes())?;
    }
    open(b"/ns/user", libc::O_RDONLY)
}

/// Why there is none, found by looking.
fn refused(entry: &Entry, errno: Errno) -> Error {
    let hint = if matches!(entry.step, Step::Enter(..)) && errno == Errno::EACCES {
        text!(
            "newuidmap or newgidmap did not want to; without the user's lines in /etc/subuid and /etc/subgid root is the \
         only user of his containers"
        )
    } else {
        forbidden(errno)
    };
    perform::describe(entry, errno).hint(hint, &[])
}

/// What forbids user namespaces.
pub fn forbidden(errno: Errno) -> Message {
    let is = |file, value| fs::read_file(file, 1) == Ok(value);
    if is(t(c"/proc/sys/user/max_user_namespaces"), b"0") {
        text!("/proc/sys/user/max_user_namespaces is 0: root has turned user namespaces off")
    } else if is(t(c"/proc/sys/kernel/unprivileged_userns_clone"), b"0") {
        text!("/proc/sys/kernel/unprivileged_userns_clone is 0: only root may make user namespaces here")
    } else if is(t(c"/proc/sys/kernel/apparmor_restrict_unprivileged_userns"), b"1") {
        text!(
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns is 1: AppArmor lets only those programs that have a profile"
        )
    } else if errno == Errno::ENOSPC || errno == Errno::EUSERS {
        text!("a limit in /proc/sys/user/max_*_namespaces is reached")
    } else {
        text!(
            "an ordinary user needs a user namespace, and something forbids it: a chroot, an outer container, a seccomp \
         filter or AppArmor"
        )
    }
}
