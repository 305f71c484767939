//! A command in a container that runs: what becomes of a process until it is one of the container's.
//!
//! The process that joins is in none of the container's lists: it enters the pid namespace by its child only, which is born
//! with what the container may have and no more. So whoever can see it from inside, and may trace others, finds neither a
//! privilege nor a descriptor of the host (CVE-2016-9962, CVE-2024-21626), nor mydocker's own file (CVE-2019-5736).

use super::*;
use crate::sys::call::{CWD, Slot};

/// What joins: the container, as it is now.
pub struct Join<'a> {
    /// As a start would make it, with the command, its user and its environment.
    pub spec: &'a Spec,
    /// Where the container's first process is in the cgroups.
    pub cgroups: &'a [cgroup::Member],
    /// What that process may gain at most.
    pub bounding: u64,
    /// --privileged, of the command.
    pub privileged: bool,
    /// -d: nobody has its streams.
    pub detached: bool,
}

/// The namespaces by their names in /proc/PID/ns, in the order in which they are entered: the first owns the others.
const NAMESPACES: [(Text, i32); 7] = [
    (t(c"ns/user"), libc::CLONE_NEWUSER),
    (t(c"ns/cgroup"), libc::CLONE_NEWCGROUP),
    (t(c"ns/ipc"), libc::CLONE_NEWIPC),
    (t(c"ns/uts"), libc::CLONE_NEWUTS),
    (t(c"ns/net"), libc::CLONE_NEWNET),
    (t(c"ns/pid"), libc::CLONE_NEWPID),
    (t(c"ns/mnt"), libc::CLONE_NEWNS),
];

/// The plan of `exec`. The container's pidfd, or where `has.pidfd` is false its directory in /proc, is in `CONTAINER`
/// before the first step.
pub fn build(join: &Join, host: &Host) -> Result<Plan> {
    let spec = join.spec;
    if let Some(ids) = &host.user {
        user::check(&spec.process, ids)?;
    }
    // Where nothing decides on devices, the start has taken this away.
    let own = security::capabilities(&spec.security, host.capabilities)? & (join.bounding | !(1 << security::MKNOD));
    let (steps, view) = (Vec::with_capacity(96), Vec::new());
    let capabilities = if join.privileged { host.capabilities } else { own };
    let mut plan =
        Builder { spec, host, dir: t(c""), capabilities, nodev: false, view, why: Message::NONE, about: t(c""), steps };
    outside(&mut plan, join);
    let outside = core::mem::replace(&mut plan.steps, Vec::with_capacity(96));
    joining(&mut plan, join);
    command::credentials(&mut plan, own);
    born(&mut plan, join);
    let moved = [Step::Chdir(t(c"/")); 2];
    let exec = command::exec(&spec.process);
    Ok(Plan {
        entering: Vec::new(),
        outside,
        inside: plan.steps,
        moved,
        slots: usize::from(SOURCES).wrapping_add(NAMESPACES.len()),
        exec,
    })
}

/// The namespaces that are not mydocker's own.
fn namespaces(plan: &Builder) -> u64 {
    let user = if plan.host.user.is_some_and(|ids| !ids.inside) { libc::CLONE_NEWUSER as u64 } else { 0 };
    super::outside::namespaces(plan) | user | libc::CLONE_NEWCGROUP as u64
}

fn outside(plan: &mut Builder, join: &Join) {
    if !plan.host.has.pidfd {
        plan.doing(text!("open the container's namespaces"));
        for (index, &(name, _)) in wanted(plan) {
            plan.open(CONTAINER, name, libc::O_RDONLY, namespace(index));
        }
    }
    for (index, member) in join.cgroups.iter().enumerate() {
        plan.doing_for(text!("open the cgroup"), member.path);
        let (dir, attach) = cgroup_slots(index);
        plan.open(CWD, member.path, libc::O_DIRECTORY, dir);
        if !plan.is_born_in(member) {
            plan.open(dir, member.attach, libc::O_WRONLY, attach);
        }
    }
    if plan.host.has.program {
        plan.doing(text!("make an empty program"));
        plan.add(Step::Memory(PROGRAM));
    }
    if !plan.spec.process.tty && !join.detached {
        command::pipes(plan);
    }
    plan.doing(text!("create the process"));
    plan.add(Step::Pair(SUPERVISOR, INIT));
    let born_in = join.cgroups.iter().position(|member| plan.is_born_in(member));
    if let Some(member) = born_in.and_then(|index| join.cgroups.get(index)) {
        plan.doing_for(text!("create the process in the cgroup"), member.path);
    }
    plan.add(match born_in {
        Some(index) => Step::Clone3(0, cgroup_slots(index).0),
        None => Step::Clone(0),
    });
}

/// Those to be entered, with their places.
fn wanted(plan: &Builder) -> impl Iterator<Item = (usize, &'static (Text, i32))> + use<> {
    let all = namespaces(plan);
    NAMESPACES.iter().enumerate().filter(move |(_, (_, kind))| all & *kind as u64 != 0)
}

/// The slot of a namespace: those of volumes are free.
fn namespace(index: usize) -> Slot {
    source(index)
}

/// As root of the host, or as the user: into the namespaces, and the streams, before anything is given up.
fn joining(plan: &mut Builder, join: &Join) {
    plan.doing(text!("end with mydocker"));
    plan.add(Step::DieWithParent);
    if plan.host.has.program {
        plan.doing(text!("copy the program"));
        plan.add(Step::CopyProgram);
    }
    // In the host's /proc; in that of the container this process is not.
    plan.doing(text!("open /proc"));
    plan.open(CWD, t(c"/proc"), libc::O_PATH | libc::O_DIRECTORY, PROC);
    procfs::process(plan, plan.spec.security.apparmor.filter(|_| !join.privileged));
    for (index, member) in join.cgroups.iter().enumerate() {
        if !plan.is_born_in(member) {
            plan.doing_for(text!("join the cgroup"), member.path);
            plan.add(Step::Write(cgroup_slots(index).1, t(c"0")));
        }
    }
    let all = namespaces(plan);
    let foreign = all & libc::CLONE_NEWUSER as u64 != 0;
    plan.doing(text!("enter the container's namespaces"));
    if foreign {
        // Those of root of the host, while they can be given up. An ordinary user has to keep his (CVE-2014-8989).
        plan.add(Step::Groups(&[])).fine = Some(Errno::EPERM);
    }
    // With --pid host the container sees this process, and in its user namespace has the user that it would need to have.
    plan.add(Step::Dumpable(false));
    if plan.host.has.pidfd {
        plan.add(Step::Setns(CONTAINER, all));
    } else {
        for (index, &(_, kind)) in wanted(plan) {
            plan.add(Step::Setns(namespace(index), kind as u64));
        }
    }
    if foreign {
        plan.doing(text!("become root of the user namespace"));
        plan.add(Step::Gid(0));
        plan.add(Step::Uid(0));
        plan.add(Step::DieWithParent);
        plan.add(Step::CheckParent);
    }
    plan.doing(text!("enter the container's root"));
    // Which the mount namespace has brought.
    plan.open(CWD, t(c"/"), libc::O_PATH | libc::O_DIRECTORY, ROOT);
    streams(plan, join);
    if plan.host.has.program {
        // While there are privileges.
        plan.doing(text!("leave mydocker's own file"));
        plan.add(Step::SetProgram(PROGRAM));
    }
    if plan.spec.process.cwd != t(c"/") {
        plan.doing_for(text!("enter the working directory"), plan.spec.process.cwd);
        plan.target(plan.spec.process.cwd, Want::Present, WORKDIR);
    }
    command::place(plan);
}

/// A terminal of the container's devpts, pipes, or the container's null device: which it could have replaced, so what was
/// opened is looked at. One of the host would be a file of the host, whose mode the container could change.
fn streams(plan: &mut Builder, join: &Join) {
    let process = &plan.spec.process;
    if process.tty {
        plan.doing(text!("open a terminal"));
        plan.add(Step::Device(t(c"/dev/pts/ptmx"), 5 << 8 | 2, MASTER));
        plan.add(Step::Unlock(MASTER));
        plan.add(Step::OpenPeer(MASTER, TERMINAL));
        if process.uid != 0 {
            plan.add(Step::Chown(TERMINAL, t(c""), process.uid, 5));
        }
        plan.add(Step::SendTerminal(INIT, MASTER));
    } else if join.detached || command::has_null(plan) {
        plan.doing(text!("open /dev/null"));
        plan.add(Step::Device(t(c"/dev/null"), 1 << 8 | 3, NULL));
    }
    if join.detached && !process.tty {
        plan.doing(text!("connect the standard streams"));
        (0..3).for_each(|number| plan.dup(NULL, number));
    } else {
        command::connect(plan);
    }
}

/// In the container's process, which has nothing that the container has not.
fn born(plan: &mut Builder, join: &Join) {
    plan.doing(text!("close the host's descriptors"));
    plan.add(Step::CloseOthers(INIT, TERMINAL));
    plan.doing(text!("create the process in the container"));
    plan.add(Step::Forget);
    plan.add(Step::Fork);
    plan.doing(text!("begin a session"));
    plan.add(Step::Setsid);
    if plan.spec.process.tty {
        // The end of whoever has the other side hangs it up; it can be left.
        plan.add(Step::ControllingTerminal(TERMINAL));
    } else if !join.detached {
        plan.doing(text!("end with mydocker"));
        plan.add(Step::DieWithParent);
        plan.add(Step::CheckParent);
    }
    command::execute(plan);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, host, spec, text};
    use super::*;

    fn plan_of(join: &Join, host: &Host) -> Plan {
        match build(join, host) {
            Ok(plan) => plan,
            Err(error) => unreachable!("{}", String::from_utf8_lossy(&error.text())),
        }
    }

    fn member(unified: bool) -> cgroup::Member {
        cgroup::Member {
            path: t(c"/cg/mydocker-01"),
            parent: t(c"/cg"),
            unified,
            enable: Vec::new(),
            values: Vec::new(),
            attach: if unified { t(c"cgroup.procs") } else { t(c"tasks") },
            name: t(c""),
            devices: false,
        }
    }

    /// The steps, outside and inside, of a command with these cgroups.
    fn lines(spec: &Spec, host: &Host, unified: bool, detached: bool) -> [Vec<String>; 2] {
        let cgroups = [member(unified)];
        let join = Join { spec, cgroups: &cgroups, bounding: u64::MAX, privileged: false, detached };
        let plan = plan_of(&join, host);
        [&plan.outside, &plan.inside].map(|steps| steps.iter().map(|entry| text(entry, &plan)).collect())
    }

    #[test]
    fn whoever_sees_the_process_from_inside_sees_one_that_has_nothing_left() {
        let [_, inside] = lines(&spec(), &host(), false, false);
        let entered = at(
            &inside,
            "setns({container}, CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET)",
        );
        let born = at(&inside, "clone(child_stack=NULL, flags=CLONE_PARENT|SIGCHLD)");
        for before in ["setgroups(", "setresgid(", "setresuid(", "capset(", "seccomp(", "prctl(PR_SET_MM", "close("] {
            let at = at(&inside, before);
            assert!(entered < at && at < born, "{before}");
        }
        assert!(at(&inside, "write({procs0}, \"0\", 1)") < entered);
        let after: Vec<&str> =
            inside.iter().skip(born + 1).map(|line| line.split('(').next().unwrap_or_default()).collect();
        assert_eq!(after, ["setsid", "prctl", "ppoll", "execve"]);
    }

    #[test]
    fn what_is_shared_is_not_entered() {
        let mut spec = spec();
        (spec.share.net, spec.share.pid) = (true, true);
        let [_, inside] = lines(&spec, &host(), false, false);
        at(&inside, "setns({container}, CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC)");
    }

    #[test]
    fn on_cgroup_2_it_is_born_in_the_containers() {
        let [outside, inside] = lines(&spec(), &host(), true, false);
        at(&outside, "clone3({flags=0|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup={cgroup0}}, 88)");
        assert!(!inside.iter().any(|line| line.starts_with("write(")));
        let older = Host { has: Has { into_cgroup: false, ..Has::ALL }, ..host() };
        let [outside, inside] = lines(&spec(), &older, true, false);
        at(&outside, "openat({cgroup0}, \"cgroup.procs\", O_WRONLY|O_CLOEXEC, 0) = {procs0}");
        at(&inside, "write({procs0}, \"0\", 1)");
    }

    #[test]
    fn kernels_whose_pidfds_are_no_namespaces_enter_one_after_the_other_the_owner_first() {
        let ids = Ids { uid: [(1000, 1), (0, 0)], gid: [(1000, 1), (0, 0)], remapped: false, inside: false };
        let older = Host { has: Has { pidfd: false, ..Has::ALL }, user: Some(ids), ..host() };
        let [outside, inside] = lines(&spec(), &older, false, false);
        assert_eq!(outside.iter().filter(|line| line.starts_with("openat({container}, \"ns/")).count(), 7);
        let entered: Vec<&String> = inside.iter().filter(|line| line.starts_with("setns(")).collect();
        assert_eq!(entered.first().map(|line| line.as_str()), Some("setns({source0}, CLONE_NEWUSER)"));
        assert_eq!(entered.last().map(|line| line.as_str()), Some("setns({source6}, CLONE_NEWNS)"));
        // The caller's groups are given up where they can be, and the namespace has no others.
        assert!(at(&inside, "setgroups(0, [])") < at(&inside, "setns({source0}"));
    }

    #[test]
    fn a_terminal_is_the_containers_and_one_without_has_none_of_the_hosts_devices() {
        let mut spec = spec();
        (spec.process.tty, spec.process.uid) = (true, 5);
        let [_, inside] = lines(&spec, &host(), false, false);
        assert!(at(&inside, "setns(") < at(&inside, "openat2({root}, \"/dev/pts/ptmx\""));
        at(&inside, "fchownat({terminal}, \"\", 5, 5, AT_EMPTY_PATH)");
        assert!(at(&inside, "clone(") < at(&inside, "ioctl({terminal}, TIOCSCTTY, 0)"));
        spec.process.tty = false;
        let [outside, inside] = lines(&spec, &host(), false, true);
        assert!(!outside.iter().any(|line| line.starts_with("pipe2(")));
        assert!(!inside.iter().any(|line| line.contains("terminal}, ")), "{inside:#?}");
        for number in 0..3 {
            at(&inside, &format!("dup3({{null}}, {number}, 0)"));
        }
        // It does not end with who waits for it.
        assert_eq!(inside.iter().filter(|line| line.starts_with("prctl(PR_SET_PDEATHSIG")).count(), 1);
    }
}
