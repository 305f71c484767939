//! What mydocker does before the container's process exists and beside it, as root of the host, up to the hand-over.

use super::builder::Builder;
use super::cgroups::{control_group, devices, view};
use super::slots::*;
use super::step::Step;
use super::{Undo, classic, command, mounts, user, volumes};
use crate::cgroup;
use crate::sys::Errno;
use crate::sys::call::CWD;
use crate::sys::name::t;
use crate::text::{Line, Push, filled, keep};

/// Outside: as root of the host. First what the container's process needs to be created, which is nothing unless it is
/// born in its cgroup; then, beside it, what it needs to go on: it makes its namespaces meanwhile, of which the
/// network's alone takes as long as all this.
pub(super) fn steps(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    plan.doing(text!("enter the store"));
    plan.add(Step::Chdir(plan.host.store));
    let parallel = plan.is_parallel();
    let first = parallel && !cgroups.iter().any(|member| plan.is_born_in(member));
    if first {
        create(plan, cgroups);
    }
    container_directory(plan);
    for (index, member) in cgroups.iter().enumerate() {
        control_group(plan, index, member);
    }
    if parallel && !first {
        create(plan, cgroups);
    }
    devices(plan, cgroups);
    view(plan, cgroups);
    file_systems(plan);
    if parallel {
        running(plan);
    }
    if parallel {
        plan.doing(text!("hand over to the container's process"));
        plan.add(Step::HandOver(SUPERVISOR));
    } else {
        create(plan, cgroups);
        running(plan);
    }
}

fn file_systems(plan: &mut Builder) {
    volumes::make(plan);
    if let Some(ids) = plan.remapped() {
        user::outside_steps(plan, &ids);
    } else if plan.host.has.detached {
        mounts::detached(plan);
    } else {
        classic::outside(plan);
    }
    if !plan.spec.process.tty {
        command::pipes(plan);
    }
}

/// The child. In parallel it shares the table of descriptors until the hand-over, so that it has those that are made
/// beside it; it is born into its pid namespace only, and makes the others itself.
fn create(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    plan.doing(text!("create the container's process"));
    plan.add(Step::Pair(SUPERVISOR, INIT));
    let born_in = cgroups.iter().position(|member| plan.is_born_in(member));
    let mut flags = namespaces(plan);
    if plan.is_parallel() {
        plan.add(Step::OpenSelf(OURSELVES));
        flags = flags & (libc::CLONE_NEWPID | libc::CLONE_NEWUSER) as u64 | libc::CLONE_FILES as u64;
    }
    if plan.host.has.pidfd {
        flags |= libc::CLONE_PIDFD as u64;
    }
    plan.add(match born_in {
        _ if !plan.host.has.clone3 => Step::Clone(flags),
        Some(index) => Step::Clone3(flags, cgroup_slots(index).0),
        None => Step::Clone3(flags, NOWHERE),
    });
}

pub(super) fn namespaces(plan: &Builder) -> u64 {
    let share = plan.spec.share;
    let flag = |shared, flag: i32| if shared { 0 } else { flag as u64 };
    libc::CLONE_NEWNS as u64
        // The first of them, so that it owns the others.
        | flag(!plan.is_remapped(), libc::CLONE_NEWUSER)
        | flag(share.pid, libc::CLONE_NEWPID)
        | flag(share.uts, libc::CLONE_NEWUTS)
        | flag(share.ipc, libc::CLONE_NEWIPC)
        | flag(share.net, libc::CLONE_NEWNET)
}

/// One directory, whose lock says that the container lives, with the overlay's upper and work side by side: every
/// directory costs about 80 µs to remove from ext4.
pub(super) fn container_directory(plan: &mut Builder) {
    plan.doing(text!("make the container's directory"));
    let kept = plan.spec.kept;
    if !kept {
        plan.mkdir(CWD, plan.dir, 0o700).undo = Undo::Tree;
    }
    plan.open(CWD, plan.dir, libc::O_DIRECTORY | libc::O_NOFOLLOW, CONTAINER);
    if !kept {
        plan.add(Step::Lock(CONTAINER));
        if let Some(name) = plan.spec.name {
            let name = filled("names/%", &[name]);
            plan.add(Step::Symlink(plan.spec.id, CWD, name)).undo = Undo::Unlink;
        }
    }
    let lower = &plan.spec.lower;
    if !kept || !plan.host.upper {
        plan.mkdir(CONTAINER, t(c"upper"), lower.mode).undo = if kept { Undo::Nothing } else { Undo::Tree };
        let (uid, gid) = plan.remapped().map_or(lower.owner, |ids| ids.outside(lower.owner));
        if (uid, gid) != (0, 0) {
            // EINVAL: of --rootfs, somebody whom the user namespace does not have.
            plan.add(Step::Chown(CONTAINER, t(c"upper"), uid, gid)).fine = Some(Errno::EINVAL);
        }
    }
    plan.mkdir(CONTAINER, t(c"work"), 0o700).undo = Undo::Work;
}

/// Of a foreground container what `ps` and `exec` have to know and no command line tells.
fn running(plan: &mut Builder) {
    if plan.spec.kept {
        return;
    }
    plan.doing(text!("say that the container runs"));
    let lower = &plan.spec.lower;
    let mut image = Line::new();
    image.put(lower.named.to_bytes()).put(b"\n").put(lower.id.to_bytes());
    for layer in &lower.layers {
        image.put(b"\n").put(layer.to_bytes());
    }
    plan.add(Step::Running(plan.spec.words, keep(&image))).undo = Undo::Unlink;
}
