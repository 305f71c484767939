//! User namespaces: which ids of the host a container's are, and the steps by which an ordinary user gets one.

use super::{Entry, Step, Undo};
use crate::error::{Error, Result};
use crate::spec::{Process, Text};
use crate::sys::call::CWD;
use crate::sys::name::t;
use crate::text::{Line, Push, keep};

/// Consecutive ids of the container, from 0 up: where they begin on the host, and how many they are. The first are the
/// user's own.
pub type Extents = [(u32, u32); 2];

/// The ids of a container in a user namespace of its own.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    /// User ids.
    pub uid: Extents,
    /// Group ids.
    pub gid: Extents,
}

/// Whether the container has such an id.
pub fn has(extents: &Extents, id: u32) -> bool {
    id < extents.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count))
}

impl Ids {
    /// An ordinary user's, who may map nobody but himself.
    pub fn only(uid: u32, gid: u32) -> Self {
        Self { uid: [(uid, 1), (0, 0)], gid: [(gid, 1), (0, 0)] }
    }

    /// Whether root is all that there is. Then there is no setgroups either, or a user could leave a group that he
    /// was put in to keep him out (CVE-2014-8989).
    pub fn is_one(&self) -> bool {
        !has(&self.gid, 1)
    }
}

/// What is written to uid_map or gid_map: a line an extent.
pub fn map(extents: &Extents) -> Text {
    let (mut line, mut inside) = (Line::new(), 0_u32);
    for &(outside, count) in extents.iter().filter(|(_, count)| *count != 0) {
        line.dec(u64::from(inside)).put(b" ").dec(u64::from(outside)).put(b" ").dec(u64::from(count)).put(b"\n");
        inside = inside.saturating_add(count);
    }
    keep(&line)
}

/// The command's user and groups must be among them.
pub fn check(process: &Process, ids: &Ids) -> Result<()> {
    let groups = if ids.is_one() { &[] } else { process.groups.as_slice() };
    let group = groups.iter().chain([&process.gid]).find(|gid| !has(&ids.gid, **gid));
    let (what, id) = match (has(&ids.uid, process.uid), group) {
        (false, _) => (t(c"user"), process.uid),
        (true, Some(&gid)) => (t(c"group"), gid),
        (true, None) => return Ok(()),
    };
    let mut number = Line::new();
    let error = Error::new("the container has no % with the id %", &[what, keep(number.dec(u64::from(id)))]);
    Err(if ids.is_one() {
        error.hint("started by an ordinary user it has root only; root can give it others: sudo mydocker run ...", &[])
    } else {
        error
    })
}

/// An ordinary user becomes root of a namespace of his own, with a mount namespace that belongs to it: from there on
/// everything is as for root, as far as the kernel lets it.
pub fn entering(ids: &Ids) -> Vec<Entry> {
    let entry = |step, why| Entry { step, why, about: t(c""), fine: None, undo: Undo::Nothing };
    let why = "map the user's own id";
    let set = |file, value| entry(Step::Set(CWD, file, value), why);
    vec![
        entry(Step::Unshare((libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u64), "create a user namespace"),
        set(t(c"/proc/self/setgroups"), t(c"deny")),
        set(t(c"/proc/self/uid_map"), map(&ids.uid)),
        set(t(c"/proc/self/gid_map"), map(&ids.gid)),
    ]
}
