//! The container's cgroups: its limits, which devices it may use, and what it sees of them.

use super::Undo;
use super::builder::Builder;
use super::facts::Host;
use super::slots::*;
use super::step::Step;
use crate::cgroup;
use crate::devices::{DEFAULT, DEFAULT_RULES};
use crate::spec::Spec;
use crate::sys::Errno;
use crate::sys::call::CWD;
use crate::sys::name::t;
use crate::text::{Line, Push, below, keep, split};

/// The cgroup of one hierarchy with its limits, before anything can be in it.
pub(super) fn control_group(plan: &mut Builder, index: usize, member: &cgroup::Member) {
    if plan.host.user.is_some_and(|ids| !ids.remapped) && !member.enable.is_empty() {
        // The cgroup that mydocker was started in is the container's parent, which can hand controllers down only when
        // no process is in it.
        let supervisor = below(member.parent, "mydocker-supervisor");
        plan.doing_for(text!("move to a cgroup of one's own"), supervisor);
        plan.mkdir_if_missing(CWD, supervisor).undo = Undo::Leave;
        plan.write(CWD, below(supervisor, "cgroup.procs"), t(c"0"));
    }
    plan.doing_for(text!("make the cgroup"), member.path);
    for &(file, value) in &member.enable {
        plan.write(CWD, file, value);
    }
    let (dir, attach) = cgroup_slots(index);
    let made = plan.mkdir(CWD, member.path, 0o755);
    made.undo = Undo::Cgroup;
    // The id is the container's own: it is there only where two names lead to one hierarchy.
    made.fine = Some(Errno::EEXIST);
    plan.open(CWD, member.path, libc::O_DIRECTORY, dir);
    for &(file, value, flag) in &member.values {
        plan.doing_for(text!("set the limit"), flag);
        plan.write(dir, file, value);
    }
    if !plan.is_born_in(member) {
        plan.doing_for(text!("make the cgroup"), member.path);
        plan.open(dir, member.attach, libc::O_WRONLY, attach);
    }
}

/// Whether something has to decide on devices. An ordinary user can make none, and open those that he may anyway.
pub(super) fn has_rules(spec: &Spec, host: &Host) -> bool {
    !spec.security.privileged && host.user.is_none_or(|ids| ids.remapped)
}

pub(super) fn controls_devices(host: &Host, member: &cgroup::Member) -> bool {
    member.devices && (!member.unified || host.has.device_filter)
}

/// What says which devices may be used. What is not allowed is denied.
pub(super) fn devices(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    if !has_rules(plan.spec, plan.host) {
        return;
    }
    let mut rules = Line::new();
    rules.put(DEFAULT.as_bytes());
    for rule in plan.spec.devices.rules.iter().chain(plan.host.devices.iter().map(|node| &node.rule)) {
        rules.put(b",").put(rule.to_bytes());
    }
    let rules = keep(&rules);
    for (index, member) in cgroups.iter().enumerate().filter(|(_, member)| controls_devices(plan.host, member)) {
        plan.doing_for(text!("set the rules for devices"), member.path);
        let (dir, _) = cgroup_slots(index);
        if member.unified {
            plan.add(Step::FilterDevices(dir, rules));
            continue;
        }
        plan.write(dir, t(c"devices.deny"), t(c"a"));
        plan.open(dir, t(c"devices.allow"), libc::O_WRONLY, COPY);
        for (index, rule) in split(rules.to_bytes(), b',').iter().enumerate() {
            // EPERM: the parent cgroup does not allow it, as an outer container's. Less is fine where nobody has asked.
            let fine = (index < DEFAULT_RULES).then_some(Errno::EPERM);
            plan.add(Step::Write(COPY, keep(rule))).fine = fine;
        }
    }
}

/// What the container sees of its cgroups: that of version 2, or of version 1 those that have limits, which a runtime
/// (Java's, Go's) reads to know how much there is.
pub(super) fn view(plan: &mut Builder, cgroups: &[cgroup::Member]) {
    for (index, member) in cgroups.iter().enumerate() {
        let (dir, _) = cgroup_slots(index);
        if !plan.host.has.detached {
            // By mount(2) only that of version 2.
            if cgroups.len() == 1 && member.unified {
                plan.view.push((member.path, VIEW));
            }
            continue;
        }
        let (name, into) = match (member.unified, cgroups.len(), member.values.as_slice()) {
            (true, 1, _) => (t(c""), VIEW),
            (true, ..) => continue,
            (.., []) if !plan.spec.security.privileged => continue,
            // No more is written to it.
            _ => (member.name, dir),
        };
        plan.doing_for(text!("show the container its cgroup"), member.path);
        plan.open_tree(dir, t(c""), false, into);
        plan.set(into, false, plan.sys_attributes(), libc::MS_PRIVATE);
        plan.view.push((name, into));
    }
}
