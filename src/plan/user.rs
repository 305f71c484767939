//! User namespaces: which ids of the host a container's are, and what is done otherwise.
//!
//! An ordinary user's mydocker enters one before all else, and goes on as its root: the plan is that of root, but for
//! what the kernel keeps for root of the host. With --userns mydocker stays outside, as root; the child is cloned into
//! one, gets its maps from outside, and makes the mounts as its root. Image and volumes are handed to it as idmapped
//! mounts, so that their files have the ids inside that they have outside.

use super::mounts::{copy, detached};
use super::{Builder, Entry, SOURCES, Step, USER, Undo};
use crate::error::{Error, Result};
use crate::spec::{Process, Source, Text};
use crate::sys::call::{CWD, Slot};
use crate::sys::name::t;
use crate::sys::process;
use crate::text::{Line, Push, keep, split};

/// Consecutive ids of the container, from 0 up: where they begin on the host, and how many they are.
pub type Extents = [(u32, u32); 2];

/// The ids of a container in a user namespace.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    /// User ids.
    pub uid: Extents,
    /// Group ids.
    pub gid: Extents,
    /// --userns: mydocker itself is not in it.
    pub remapped: bool,
    /// Mydocker was started in it, as its root.
    pub inside: bool,
}

/// Whether the container has such an id.
fn has(extents: &Extents, id: u32) -> bool {
    outside(extents, id).is_some()
}

/// What it is on the host.
fn outside(extents: &Extents, id: u32) -> Option<u32> {
    let mut rest = id;
    for &(first, count) in extents {
        if rest < count {
            return first.checked_add(rest);
        }
        rest = rest.wrapping_sub(count);
    }
    None
}

impl Ids {
    /// Whether root is all that there is. Then there is no setgroups either, or a user could leave a group that he
    /// was put in to keep him out (CVE-2014-8989).
    pub fn is_one(&self) -> bool {
        !has(&self.gid, 1)
    }

    /// A user and group on the host; those of nobody for who isn't in the container.
    pub fn outside(&self, (uid, gid): (u32, u32)) -> (u32, u32) {
        (outside(&self.uid, uid).unwrap_or(65534), outside(&self.gid, gid).unwrap_or(65534))
    }
}

/// What uid_map or gid_map is made of: the first id inside, the first outside, how many; `between` extents a line's end.
pub fn map(extents: &Extents, between: &[u8]) -> Text {
    let (mut line, mut inside) = (Line::new(), 0_u32);
    for &(outside, count) in extents.iter().filter(|(_, count)| *count != 0) {
        line.put(if inside == 0 { b"" } else { between });
        line.dec(u64::from(inside)).put(b" ").dec(u64::from(outside)).put(b" ").dec(u64::from(count));
        inside = inside.saturating_add(count);
    }
    keep(&line)
}

/// The command's user and groups must be among them.
pub fn check(process: &Process, ids: &Ids) -> Result<()> {
    if let Some(group) = process.group_add.first().filter(|_| ids.is_one()) {
        return Err(Error::new(text!("--group-add %: a container of an ordinary user has one group only"), &[*group]));
    }
    let groups = if ids.is_one() { &[] } else { process.groups.as_slice() };
    let group = groups.iter().chain([&process.gid]).find(|gid| !has(&ids.gid, **gid));
    let (what, id) = match (has(&ids.uid, process.uid), group) {
        (false, _) => (t(c"user"), process.uid),
        (true, Some(&gid)) => (t(c"group"), gid),
        (true, None) => return Ok(()),
    };
    let mut number = Line::new();
    let error = Error::new(text!("the container has no % with the id %"), &[what, keep(number.dec(u64::from(id)))]);
    Err(if ids.is_one() {
        error.hint(
            text!("of an ordinary user it has root only, without newuidmap, newgidmap (package uidmap) and ranges of his in \
             /etc/subuid and /etc/subgid; root can give it others: sudo mydocker run ..."),
            &[],
        )
    } else {
        error.hint(text!("its user namespace has less ids"), &[])
    })
}

/// An ordinary user becomes root of a namespace of his own, with a mount namespace that belongs to it.
pub fn entering(ids: &Ids) -> Vec<Entry> {
    let mut steps = Vec::new();
    let mut add = |step, why| steps.push(Entry { step, why, about: t(c""), fine: None, undo: Undo::Nothing });
    let why = text!("map the user's ids");
    if ids.remapped {
    } else if ids.inside {
        add(Step::Unshare(libc::CLONE_NEWNS as u64), text!("create a mount namespace"));
    } else if ids.is_one() {
        add(Step::Unshare((libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u64), text!("create a user namespace"));
        add(Step::Set(CWD, t(c"/proc/self/setgroups"), t(c"deny")), why);
        add(Step::Set(CWD, t(c"/proc/self/uid_map"), map(&ids.uid, b"\n")), why);
        add(Step::Set(CWD, t(c"/proc/self/gid_map"), map(&ids.gid, b"\n")), why);
    } else {
        let [uid, gid] = MAPPERS;
        add(Step::Enter(arguments(uid, &ids.uid), arguments(gid, &ids.gid)), why);
    }
    steps
}

/// The programs that may map the ranges of /etc/subuid and /etc/subgid.
pub const MAPPERS: [Text; 2] = [t(c"/usr/bin/newuidmap"), t(c"/usr/bin/newgidmap")];

/// `newuidmap PID 0 1000 1 1 100000 65536`.
fn arguments(program: Text, extents: &Extents) -> &'static [Text] {
    let mut line = Line::new();
    line.dec(process::pid() as u64).put(b" ").put(map(extents, b" ").to_bytes());
    let mut args = vec![program];
    args.extend(split(&line, b' ').iter().map(|number| keep(number)));
    args.leak()
}

/// The slot of an image's layer, behind those of the volumes.
fn layer(plan: &Builder, index: usize) -> Slot {
    Slot(SOURCES.wrapping_add(plan.spec.mounts.len() as u16).wrapping_add(index as u16))
}

pub(super) fn numbered(before: &[u8], index: usize) -> Text {
    let mut line = Line::new();
    keep(line.put(before).put(b"lower").dec(index as u64))
}

/// Where the layers are attached, for overlayfs: in the working directory.
pub(super) fn lower(plan: &Builder) -> Line {
    let mut line = Line::new();
    for index in 0..plan.spec.lower.layers.len() {
        line.put(if index == 0 { b"" } else { b":" }).put(numbered(b"", index).to_bytes());
    }
    line
}

/// Beside the child, as root of the host: its maps, and what only root may hand to it.
pub(super) fn outside_steps(plan: &mut Builder, ids: &Ids) {
    plan.doing(text!("map the container's ids"));
    plan.add(Step::MapIds(map(&ids.uid, b"\n"), map(&ids.gid, b"\n"), USER));
    plan.doing(text!("make the container's directory"));
    let (uid, gid) = ids.outside((0, 0));
    for path in [t(c"."), t(c"work")] {
        plan.add(Step::Chown(super::CONTAINER, path, uid, gid));
    }
    for (index, &path) in plan.spec.lower.layers.iter().enumerate() {
        plan.doing_for(text!("hand the image to the container's user namespace"), path);
        plan.mkdir(super::CONTAINER, numbered(b"", index), 0o755).undo = Undo::Tree;
        plan.open_tree(CWD, path, false, layer(plan, index));
        plan.add(Step::Idmap(layer(plan, index), USER));
    }
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        if !matches!(mount.source, Source::Tmpfs(_)) {
            copy(plan, index, mount);
            plan.doing_for(text!("hand the volume to the container's user namespace"), mount.typed);
            plan.add(Step::Idmap(super::source(index), USER));
        }
    }
}

/// Inside, in a mount namespace of its own: the file systems, made by root of the container.
pub(super) fn inside(plan: &mut Builder) {
    plan.doing(text!("attach the image's layers"));
    for index in 0..plan.spec.lower.layers.len() {
        plan.move_mount(layer(plan, index), CWD, numbered(&[plan.dir.to_bytes(), b"/"].concat(), index));
    }
    plan.add(Step::Chdir(plan.dir));
    plan.doing(text!("become root of the user namespace"));
    plan.add(Step::Groups(&[]));
    plan.add(Step::Gid(0));
    plan.add(Step::Uid(0));
    // Which this change of credentials has cleared.
    plan.add(Step::DieWithParent);
    plan.add(Step::CheckParent);
    // It has also made the process' files in /proc those of root of the host. Its memory is no more open by this than to
    // who has CAP_SYS_PTRACE outside, since it belongs to the host's user namespace until execve.
    plan.add(Step::Dumpable(true));
    detached(plan);
    if plan.spec.process.tty {
        plan.doing(text!("open a terminal"));
        plan.add(Step::SendTerminal(super::INIT, super::MASTER));
    }
}
