//! Spec + facts about the host → the steps, in order. Pure: nothing here asks the kernel.
//!
//! The order is the secret of a container, so it is a value: `outside` is what mydocker does before the container's
//! process exists and beside it, up to the hand-over; `inside` is what that process does until it executes the command.
//! What `outside` left on the host is undone backwards when the container ends, or when a step fails.
//!
//! File systems are made as detached mounts where nobody else sees them, and attached by descriptor: no path is
//! resolved twice, and what is not attached ends with its descriptor. `classic.rs` is the order for kernels without
//! these calls (before Linux 5.12).

mod builder;
mod cgroups;
mod classic;
mod command;
pub mod exec;
mod facts;
mod inside;
mod mounts;
mod outside;
pub mod procfs;
mod rest;
mod seccomp;
pub mod security;
mod slots;
mod step;
#[cfg(test)]
mod tests;
mod user;
mod volumes;

pub use builder::{STRICT, STRICT_RO};
pub use facts::{Has, Host};
pub use mounts::{LOWER, MASKS, POINTS, SYSRQ};
pub use rest::{Rest, rest};
pub use seccomp::filter;
pub use slots::*;
pub use step::{FS, Step, Want};
pub use user::{Extents, Ids, MAPPERS, entering};
pub use volumes::{anonymous, data};

use crate::cgroup;
use crate::error::{Error, Result};
use crate::spec::{Spec, Text};
use crate::sys::Errno;
use crate::sys::name::t;
use crate::text::{Message, filled, has};
use builder::Builder;
use cgroups::{controls_devices, has_rules};

/// How what a step has left on the host is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undo {
    /// It left nothing, or what it left is wanted (a volume).
    Nothing,
    /// Remove the symlink.
    Unlink,
    /// It is wanted, unless the start fails: remove the directory if it is empty.
    IfFailed,
    /// Remove the directory and all below it, never across a mount point.
    Tree,
    /// The overlay's work directory: what overlayfs makes there by name, then as `Tree`.
    Work,
    /// Kill what is in the cgroup and remove it.
    Cgroup,
    /// Move back to the cgroup above, and remove this one.
    Leave,
}

/// A step with what is known about it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What is done.
    pub step: Step,
    /// What for, in words that follow "cannot".
    pub why: Message,
    /// The object as the user knows it; empty where the step's own path says it.
    pub about: Text,
    /// An errno that leaves things as they should be.
    pub fine: Option<Errno>,
    /// How it is undone.
    pub undo: Undo,
}

/// The steps of a start.
pub struct Plan {
    /// What an ordinary user's mydocker has done before everything else.
    pub entering: Vec<Entry>,
    /// Before the container's process exists; the last is its clone.
    pub outside: Vec<Entry>,
    /// In the container's process, the last executes the command.
    pub inside: Vec<Entry>,
    /// Instead of pivot_root and umount2 where the root is an initramfs, which pivot_root answers with EINVAL.
    pub moved: [Step; 2],
    /// How many descriptors the steps pass on.
    pub slots: usize,
    /// What the last step executes.
    pub exec: Exec,
}

impl Plan {
    /// The last step outside: a hand-over where child and parent work beside each other.
    pub fn last_outside(&self) -> Option<Step> {
        self.outside.last().map(|entry| entry.step)
    }
}

/// The command: the files to try in turn, the arguments, the environment.
pub struct Exec {
    /// One where the command has a slash, else one a directory of the container's PATH.
    pub candidates: Vec<Text>,
    /// argv.
    pub args: Vec<Text>,
    /// envp.
    pub env: Vec<Text>,
}

/// The plan of a start. Fails where something was asked for that this host cannot give.
pub fn build(spec: &Spec, host: &Host) -> Result<Plan> {
    let cgroups = cgroup::outside(&spec.limits, &host.cgroups, spec.id)?;
    // Without open_tree a shared volume would need the whole namespace to be the host's peer for a while.
    let shared = spec.mounts.iter().find(|mount| mount.propagation == libc::MS_SHARED);
    if let Some(mount) = shared.filter(|_| !host.has.detached) {
        return Err(Error::new(text!("%: shared propagation needs Linux 5.12 or later"), &[mount.typed]));
    }
    if let Some(ids) = &host.user {
        user::check(&spec.process, ids)?;
        if !host.has.detached || ids.remapped && !host.has.pidfd {
            let least = if ids.remapped { t(c"5.19") } else { t(c"5.12") };
            return Err(Error::new(text!("a container in a user namespace needs Linux % or later"), &[least]));
        }
    }
    procfs::check(&spec.sysctls, spec.share)?;
    let dir = filled("containers/%", &[spec.id]);
    let mut capabilities = security::capabilities(&spec.security, host.capabilities)?;
    let nodev = has_rules(spec, host) && !cgroups.iter().any(|member| controls_devices(host, member));
    if nodev {
        capabilities = security::without_mknod(&spec.security, capabilities)?;
        // A node in /dev can be opened for reading and writing.
        let halves = host
            .devices
            .iter()
            .map(|node| &node.rule)
            .filter(|rule| !has(rule.to_bytes(), b'r') || !has(rule.to_bytes(), b'w'));
        if let Some(&rule) = spec.devices.rules.iter().chain(halves).next() {
            return Err(Error::new(text!("device rule %: nothing on this host decides on devices"), &[rule]).hint(
                text!("mount cgroup v2, or the devices controller of v1; --privileged allows all devices"),
                &[],
            ));
        }
    }
    let steps = Vec::with_capacity(96);
    let mut plan =
        Builder { spec, host, dir, capabilities, nodev, view: Vec::new(), why: Message::NONE, about: t(c""), steps };
    outside::steps(&mut plan, &cgroups);
    let outside = core::mem::replace(&mut plan.steps, Vec::with_capacity(128));
    inside::steps(&mut plan, &cgroups);
    let moved = [Step::Mount(t(c"."), t(c"/"), t(c""), libc::MS_MOVE, t(c"")), Step::Chroot(t(c"."))];
    let slots = usize::from(SOURCES).wrapping_add(spec.mounts.len()).wrapping_add(spec.lower.layers.len());
    let entering = host.user.as_ref().map(entering).unwrap_or_default();
    Ok(Plan { entering, outside, inside: plan.steps, moved, slots, exec: command::exec(&spec.process) })
}
