//! What the container's process does until it executes the command: in the container's namespaces; root there, and the
//! host's files still in sight until `pivot_root`.

use super::builder::Builder;
use super::outside::namespaces;
use super::slots::*;
use super::step::{Step, Want};
use super::{classic, command, mounts};
use crate::cgroup;
use crate::sys::call::{CWD, RDONLY};
use crate::sys::name::t;

/// Inside: in the container's namespaces; root there, and the host's files still in sight until `pivot_root`.
pub(super) fn steps(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    if plan.is_parallel() {
        plan.doing(text!("end with the supervisor"));
        // Should the supervisor end before the hand-over, so does this process; set again below.
        plan.add(Step::DieWithParent);
    }
    if plan.host.has.program {
        plan.doing(text!("copy the program"));
        plan.add(Step::CopyProgram);
    }
    if plan.is_parallel() {
        plan.doing(text!("create the namespaces"));
        plan.add(Step::Unshare(namespaces(plan) & !((libc::CLONE_NEWPID | libc::CLONE_NEWUSER) as u64)));
        loopback(plan);
        plan.doing(text!("take over from the supervisor"));
        plan.add(Step::TakeOver(INIT, OURSELVES));
    }
    if !plan.host.has.detached {
        // By the caller's root still, if that is a chroot.
        classic::sources(plan);
    }
    plan.doing(text!("enter the mount namespace"));
    // If we were started in a chroot, there is more above our root, and `..` would lead from the container to it (chroot
    // to a directory below, then up). Entering one's own namespace makes its first mount the root.
    plan.open(CWD, t(c"."), libc::O_PATH, COPY);
    let namespace = if plan.is_parallel() {
        // By its own pidfd, which it has from the supervisor: to find the path in /proc takes 17 us.
        CHILD
    } else {
        plan.open(CWD, t(c"/proc/self/ns/mnt"), libc::O_RDONLY, TARGET);
        TARGET
    };
    plan.add(Step::Setns(namespace, libc::CLONE_NEWNS as u64));
    plan.add(Step::Fchdir(COPY));
    plan.doing(text!("make the mounts private"));
    // Before any mount: what is mounted under a shared mount would appear on the host (systemd makes / shared).
    plan.add(Step::Mount(t(c"none"), t(c"/"), t(c""), libc::MS_REC | classic::root_propagation(plan), t(c"")));
    if !plan.is_parallel() {
        loopback(plan);
    }
    if plan.host.has.detached {
        mounts::attach(plan);
    } else {
        classic::inside(plan);
    }
    if plan.host.has.program {
        // While there are privileges, and before the container's cgroup counts the memory.
        plan.doing(text!("leave mydocker's own file"));
        plan.add(Step::SetProgram(PROGRAM));
    }
    if plan.spec.process.cwd != t(c"/") {
        plan.doing_for(text!("enter the working directory"), plan.spec.process.cwd);
        plan.target(plan.spec.process.cwd, Want::Anything, WORKDIR);
    }
    if plan.spec.read_only {
        // Now that all that was missing in it is there.
        plan.doing(text!("make the root read-only"));
        if plan.host.has.detached {
            plan.set(ROOT, false, RDONLY, 0);
        } else {
            plan.add(Step::Remount(ROOT, RDONLY));
        }
    }
    plan.doing(text!("change the root"));
    // The new root over the old one, which then lies on top and is taken off: pivot_root(2), "pivot_root(".", ".")".
    plan.add(Step::PivotRoot);
    plan.add(Step::Umount(t(c".")));
    plan.add(Step::Chdir(t(c"/")));
    if !plan.spec.share.uts {
        plan.doing(text!("set the host name"));
        plan.add(Step::Hostname(plan.spec.hostname));
    }
    command::standard_streams(plan);
    command::join_cgroups(plan, cgroups);
    command::identity(plan);
}

fn loopback(plan: &mut Builder) {
    if !plan.spec.share.net {
        plan.doing(text!("bring the loopback up"));
        plan.add(Step::Loopback);
    }
}
