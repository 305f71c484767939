//! The order, pinned: what has to come before what.

use super::*;
use crate::cgroup::{self, Controllers, Hierarchy, Layout};
use crate::spec::{Files, Limits, Lower, Mount, Process, Security, Share, Source};
use crate::sys::name::{Text, t};
use crate::text::{Line, keep};

pub(super) fn spec() -> Spec {
    Spec {
        id: t(c"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        name: None,
        hostname: t(c"0123456789ab"),
        lower: Lower {
            layers: vec![t(c"layers/top"), t(c"layers/base")],
            mode: 0o755,
            owner: (0, 0),
            named: t(c"busybox"),
            id: t(c""),
            held: None,
        },
        mounts: Vec::new(),
        read_only: false,
        shm_size: 64 << 20,
        files: Files { hosts: t(c"127.0.0.1\tlocalhost\n"), resolv: t(c"") },
        process: Process {
            args: vec![t(c"sh")],
            env: vec![t(c"PATH=/bin:/usr/bin")],
            cwd: t(c"/"),
            uid: 0,
            gid: 0,
            groups: vec![0],
            group_add: Vec::new(),
            oom_score: None,
            tty: false,
            stdin: false,
            init: false,
            rlimits: Vec::new(),
        },
        limits: Limits::default(),
        security: Security::default(),
        devices: Default::default(),
        sysctls: Vec::new(),
        share: Share::default(),
        kept: false,
        words: 1,
        labels: Vec::new(),
        stop_signal: 15,
    }
}

fn hierarchy(path: Text, unified: bool, controllers: Controllers) -> Hierarchy {
    Hierarchy { path, unified, controllers, enabled: 0 }
}

pub(super) fn host() -> Host {
    Host {
        has: Has::ALL,
        masks: 0b1001,
        throttles: Vec::new(),
        mqueue: true,
        cgroups: Layout {
            hierarchies: vec![hierarchy(t(c"/cg/memory"), false, cgroup::MEMORY | cgroup::DEVICES)],
            swap: true,
            cpuset: None,
        },
        devices: Vec::new(),
        missing: Vec::new(),
        fill: Vec::new(),
        files: Vec::new(),
        found: Vec::new(),
        capabilities: (1 << 41) - 1,
        ignored: 0,
        piped: [false; 3],
        null: [false; 3],
        one_output: false,
        upper: false,
        store: t(c"/var/lib/mydocker"),
        attr_dir: true,
        user: None,
    }
}

fn volume(target: Text) -> Mount {
    Mount {
        source: Source::Host(t(c"/host")),
        target,
        read_only: false,
        attributes: 0,
        propagation: libc::MS_PRIVATE,
        recursive: true,
        make_source: true,
        copy: true,
        typed: t(c"/host:/target"),
    }
}

fn plan_of(spec: &Spec, host: &Host) -> Plan {
    match build(spec, host) {
        Ok(plan) => plan,
        Err(error) => unreachable!("{}", String::from_utf8_lossy(&error.text())),
    }
}

pub(super) fn text(entry: &Entry, plan: &Plan) -> String {
    let mut line = Line::new();
    crate::explain::step(plan, entry, &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// The lines of the child's steps.
fn inside_of(spec: &Spec, host: &Host) -> Vec<String> {
    let plan = plan_of(spec, host);
    plan.inside.iter().map(|entry| text(entry, &plan)).collect()
}

fn outside_of(spec: &Spec, host: &Host) -> Vec<String> {
    let plan = plan_of(spec, host);
    plan.outside.iter().map(|entry| text(entry, &plan)).collect()
}

/// Where the one line that begins so stands.
pub(super) fn at(lines: &[String], begins: &str) -> usize {
    let found: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.starts_with(begins)).map(|(index, _)| index).collect();
    assert_eq!(found.len(), 1, "{begins} in {lines:#?}");
    found.first().copied().unwrap_or(0)
}

fn last(lines: &[String], begins: &str) -> usize {
    lines.iter().rposition(|line| line.starts_with(begins)).unwrap_or(0)
}

fn unified(controllers: Controllers) -> Layout {
    Layout { hierarchies: vec![hierarchy(t(c"/cg"), true, controllers)], ..Layout::default() }
}

#[test]
fn labels_are_set_in_the_containers_procfs_before_anything_of_it_is_read_only() {
    let mut spec = spec();
    spec.security.apparmor = Some(t(c"web"));
    spec.security.label = [None, None, Some(t(c"spc_t")), None];
    for (attr_dir, file) in [(true, "self/attr/apparmor/exec"), (false, "self/attr/exec")] {
        let lines = inside_of(&spec, &Host { attr_dir, ..host() });
        let profile =
            at(&lines, &format!("openat({{proc}}, \"{file}\", O_WRONLY|O_CLOEXEC, 0); write(..., \"exec web\", 8)"));
        let label = last(&lines, "openat({proc}, \"self/attr/exec\", O_WRONLY");
        assert!(lines.get(label).is_some_and(|line| line.ends_with("write(..., \"system_u:system_r:spc_t:s0\", 26)")));
        let covered = at(&lines, "move_mount({copy}, \"\", {proc}, \"bus\"");
        assert!(at(&lines, "move_mount({proc}") < profile && profile < label && label < covered);
    }
}

#[test]
fn mounts_are_private_before_the_first_is_made() {
    for detached in [true, false] {
        let host = Host { has: Has { detached, ..Has::ALL }, ..host() };
        let lines = inside_of(&spec(), &host);
        let private = at(&lines, "mount(\"none\", \"/\", NULL, MS_REC|MS_PRIVATE, NULL)");
        let first = lines.iter().position(|line| line.starts_with("mount(") || line.starts_with("move_mount("));
        assert_eq!(first, Some(private));
    }
}

#[test]
fn the_own_mount_namespace_is_entered_by_the_own_pidfd_or_where_there_is_none_by_its_path() {
    let inside = inside_of(&spec(), &host());
    let entered = at(&inside, "setns({child}, CLONE_NEWNS)");
    assert!(at(&inside, "read({init}") < entered && entered < at(&inside, "mount(\"none\", \"/\""));
    let inside = inside_of(&spec(), &Host { has: Has { pidfd: false, ..Has::ALL }, ..host() });
    assert!(at(&inside, "openat(AT_FDCWD, \"/proc/self/ns/mnt\"") < at(&inside, "setns({target}, CLONE_NEWNS)"));
}

#[test]
fn nothing_is_mounted_after_the_root_has_changed() {
    for detached in [true, false] {
        let mut spec = spec();
        spec.mounts = vec![volume(t(c"/data"))];
        spec.read_only = true;
        let lines = inside_of(&spec, &Host { has: Has { detached, ..Has::ALL }, files: vec![false], ..host() });
        let pivot = at(&lines, "pivot_root(\".\", \".\")");
        assert_eq!(lines.get(pivot + 1).map(String::as_str), Some("umount2(\".\", MNT_DETACH)"));
        assert_eq!(lines.get(pivot + 2).map(String::as_str), Some("chdir(\"/\")"));
        for call in ["mount(", "move_mount(", "open_tree(", "mount_setattr(", "fsopen("] {
            assert!(last(&lines, call) < pivot, "{call} after pivot_root");
        }
    }
}

#[test]
fn privilege_goes_last_and_in_the_order_that_needs_it() {
    let mut spec = spec();
    (spec.process.uid, spec.process.gid, spec.process.groups) = (1000, 1000, vec![1000, 2000]);
    let lines = inside_of(&spec, &host());
    let order = [
        "close_range(3",
        "setgroups(2",
        "setresgid(1000",
        "setresuid(1000",
        "prctl(PR_SET_DUMPABLE",
        "capset(",
        "prctl(PR_SET_PDEATHSIG",
        "ppoll(",
        "execve(",
    ];
    // The first PDEATHSIG is the one until the hand-over; setresuid takes it off.
    let places: Vec<usize> = order.iter().map(|call| last(&lines, call)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(places.last(), Some(&(lines.len() - 1)));
    assert!(last(&lines, "mount") < at(&lines, "setgroups("));
}

#[test]
fn the_cgroup_and_its_limits_are_there_before_the_process_goes_on() {
    let mut spec = spec();
    spec.limits.memory = Some(64 << 20);
    let lines = outside_of(&spec, &host());
    let made = at(&lines, "mkdirat(AT_FDCWD, \"/cg/memory/mydocker-0123456789abcdef");
    let limit =
        at(&lines, "openat({cgroup0}, \"memory.limit_in_bytes\", O_WRONLY|O_CLOEXEC, 0); write(..., \"67108864\"");
    assert!(made < limit && limit < at(&lines, "write({supervisor}, [all descriptors])"));
    // Without the parallel order there is no hand-over: then before the clone itself.
    let older = outside_of(&spec, &Host { has: Has { clone3: false, ..Has::ALL }, ..host() });
    assert!(last(&older, "openat({cgroup0}") < at(&older, "clone("));
}

#[test]
fn on_cgroup_v2_the_process_is_born_inside_and_without_clone3_it_joins() {
    let cgroups = || unified(cgroup::MEMORY | cgroup::PIDS | cgroup::DEVICES);
    let lines = outside_of(&spec(), &Host { cgroups: cgroups(), ..host() });
    at(
        &lines,
        "clone3({flags=CLONE_PIDFD|CLONE_FILES|CLONE_NEWPID|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup={cgroup0}}, 88)",
    );
    let older = Host { cgroups: cgroups(), has: Has { clone3: false, ..Has::ALL }, ..host() };
    at(&outside_of(&spec(), &older), "clone(child_stack=NULL, flags=CLONE_PIDFD|CLONE_NEWNS|");
    let inside = inside_of(&spec(), &older);
    // The namespace's root is the cgroup that its maker is in: first in, then the namespace.
    assert!(at(&inside, "write({procs0}, \"0\", 1)") < at(&inside, "unshare(CLONE_NEWCGROUP)"));
}

#[test]
fn beside_the_child_is_only_what_it_does_not_need_before_the_hand_over() {
    let outside = outside_of(&spec(), &host());
    assert_eq!(at(&outside, "write({supervisor}, [all descriptors])"), outside.len() - 1);
    let inside = inside_of(&spec(), &host());
    let taken = at(&inside, "read({init}, [all descriptors]); unshare(CLONE_FILES)");
    let before: Vec<&String> = inside.iter().take(taken).collect();
    // Until then the table of descriptors is the supervisor's too: nothing may be left open in it.
    assert_eq!(
        before,
        [
            "prctl(PR_SET_PDEATHSIG, SIGKILL)",
            "mmap(NULL, ...); mprotect(...); mremap(..., MREMAP_FIXED, ...)  # each segment of mydocker",
            "unshare(CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWNET)",
            "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0); ioctl(..., SIOCSIFFLAGS, {\"lo\", IFF_UP})",
        ]
    );
}

#[test]
fn a_limit_without_its_controller_is_an_error_that_names_both() {
    let mut spec = spec();
    spec.limits.pids = Some(10);
    let text = build(&spec, &host()).err().map(|error| String::from_utf8_lossy(&error.text()).into_owned());
    let text = text.unwrap_or_default();
    assert!(
        text.starts_with("mydocker: --pids-limit: no cgroup hierarchy with the controller pids is mounted\n"),
        "{text}"
    );
}

#[test]
fn what_is_left_on_the_host_is_taken_back_last_first() {
    let mut spec = spec();
    spec.name = Some(t(c"bird"));
    let plan = plan_of(&spec, &host());
    let undos: Vec<Undo> =
        plan.outside.iter().rev().map(|entry| entry.undo).filter(|&undo| undo != Undo::Nothing).collect();
    assert_eq!(undos, [Undo::Unlink, Undo::Cgroup, Undo::Work, Undo::Tree, Undo::Unlink, Undo::Tree]);
    let explained = String::from_utf8_lossy(&crate::explain::plan(&plan)).into_owned();
    let after: Vec<&str> =
        explained.lines().skip_while(|line| *line != "# outside, when it has ended").skip(1).collect();
    assert_eq!(after.first(), Some(&"unlinkat({container}, \"state\", 0)"));
    assert!(after.get(1).is_some_and(|line| line.starts_with("unlinkat(AT_FDCWD, \"/cg/memory/mydocker-")));
    assert!(after.last().is_some_and(|line| line.starts_with("unlinkat(AT_FDCWD, \"containers/0123456789abcdef")));
}

#[test]
fn a_volume_is_attached_by_descriptor_and_read_only_before_anybody_sees_it() {
    let mut spec = spec();
    spec.mounts = vec![Mount { read_only: true, ..volume(t(c"/data")) }];
    let host = Host { files: vec![false], ..host() };
    let outside = outside_of(&spec, &host);
    let copied =
        at(&outside, "open_tree(AT_FDCWD, \"/host\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE) = {source0}");
    let locked = at(
        &outside,
        "mount_setattr({source0}, \"\", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0, propagation=MS_PRIVATE, userns_fd=0}, 32)",
    );
    assert!(copied < locked);
    let inside = inside_of(&spec, &host);
    let found = at(&inside, "openat2({root}, \"/data\"");
    assert_eq!(
        inside.get(found + 1).map(String::as_str),
        Some("move_mount({source0}, \"\", {target}, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)")
    );
}

#[test]
fn a_volume_on_etc_does_not_hide_the_files_in_it_and_one_on_a_file_replaces_it() {
    let mut spec = spec();
    spec.mounts = vec![volume(t(c"/etc")), volume(t(c"/etc/hosts"))];
    let inside = inside_of(&spec, &Host { files: vec![false, true], ..host() });
    assert!(at(&inside, "openat2({root}, \"/etc\"") < at(&inside, "openat2({root}, \"/etc/hostname\""));
    // The container's own /etc/hosts is not mounted: the user's is.
    assert!(!inside.iter().any(|line| line.contains("open_tree({files}, \"hosts\"")));
    at(&inside, "openat2({root}, \"/etc/hosts\"");
}

#[test]
fn kernels_without_detached_mounts_get_none_of_their_calls() {
    let mut spec = spec();
    spec.mounts = vec![Mount { read_only: true, ..volume(t(c"/data")) }];
    spec.process.tty = true;
    let host = Host { has: Has { detached: false, ..Has::ALL }, files: vec![false], ..host() };
    for line in outside_of(&spec, &host).iter().chain(&inside_of(&spec, &host)) {
        for call in ["fsopen", "fsconfig", "fsmount", "open_tree", "move_mount", "mount_setattr"] {
            assert!(!line.starts_with(call), "{line}");
        }
    }
}

#[test]
fn a_stream_that_is_no_pipe_is_never_passed_on() {
    let host = Host { piped: [true; 3], ..host() };
    let mut spec = spec();
    spec.process.stdin = true;
    let outside = outside_of(&spec, &host);
    assert_eq!(outside.iter().filter(|line| line.starts_with("pipe2(")).count(), 3);
    let inside = inside_of(&spec, &host);
    for number in 0..3 {
        assert_eq!(
            inside
                .iter()
                .filter(|line| line.starts_with("dup3(") && line.ends_with(&format!(", {number}, 0)")))
                .count(),
            1
        );
    }
    spec.process.stdin = false;
    assert_eq!(outside_of(&spec, &host).iter().filter(|line| line.starts_with("pipe2(")).count(), 2);
    at(&inside_of(&spec, &host), "openat({dev}, \"null\"");
}

#[test]
fn shared_namespaces_are_not_made() {
    let mut spec = spec();
    spec.share = Share { pid: true, uts: true, ipc: true, net: true };
    let outside = outside_of(&spec, &host());
    at(&outside, "clone3({flags=CLONE_PIDFD|CLONE_FILES, exit_signal=SIGCHLD}, 64)");
    let inside = inside_of(&spec, &host());
    at(&inside, "unshare(CLONE_NEWNS)");
    assert!(!inside.iter().any(|line| line.starts_with("sethostname(") || line.starts_with("socket(")));
}

#[test]
fn a_command_without_a_slash_is_looked_for_in_the_containers_path() {
    assert_eq!(plan_of(&spec(), &host()).exec.candidates[..], [t(c"/bin/sh"), t(c"/usr/bin/sh")]);
    let mut spec = spec();
    spec.process.args = vec![t(c"./sh")];
    assert_eq!(plan_of(&spec, &host()).exec.candidates[..], [t(c"./sh")]);
}

#[test]
fn layers_are_escaped_where_overlayfs_would_split_them() {
    let mut spec = spec();
    spec.lower.layers = vec![t(c"/a:b\\c")];
    let outside = outside_of(&spec, &host());
    at(&outside, "fsconfig({fs}, FSCONFIG_SET_STRING, \"lowerdir\", \"/a\\\\:b\\\\\\\\c\", 0)");
}

#[test]
fn many_layers_are_named_one_by_one_or_by_short_names() {
    let mut spec = spec();
    spec.lower.layers = (0..127).map(|index| keep(format!("layers/{index:064}").as_bytes())).collect();
    let outside = outside_of(&spec, &host());
    let option =
        |index: usize| format!("fsconfig({{fs}}, FSCONFIG_SET_STRING, \"lowerdir+\", \"layers/{index:064}\", 0)");
    assert!(at(&outside, &option(0)) < at(&outside, &option(126)));
    let older = Host { has: Has { lowers: false, ..Has::ALL }, ..host() };
    let oldest = Host { has: Has { detached: false, ..Has::ALL }, ..host() };
    for host in [older, oldest] {
        let inside = inside_of(&spec, &host);
        let link = format!("symlinkat(\"../../layers/{:064}\", AT_FDCWD, \"lower126\")", 126);
        let mount =
            inside.iter().find(|line| line.starts_with("mount(\"overlay\", \"root\"")).map_or("", String::as_str);
        assert!(at(&inside, &link) < at(&inside, "mount(\"overlay\", \"root\""));
        assert!(mount.contains("lowerdir=lower0:lower1:") && mount.contains(":lower126,upperdir=upper,"));
        assert!(mount.len() < 4096);
    }
}

#[test]
fn devices_are_denied_before_any_is_allowed_and_all_before_the_process_goes_on() {
    let outside = outside_of(&spec(), &host());
    let denied = at(&outside, "openat({cgroup0}, \"devices.deny\", O_WRONLY|O_CLOEXEC, 0); write(..., \"a\", 1)");
    let null = at(&outside, "write({copy}, \"c 1:3 rwm\", 9)");
    assert!(denied < null && null < at(&outside, "write({supervisor}, [all descriptors])"));
    // On v2 the process is born inside, and held at the hand-over.
    let unified = outside_of(&spec(), &Host { cgroups: unified(cgroup::DEVICES), ..host() });
    assert!(at(&unified, "bpf(BPF_PROG_LOAD") < at(&unified, "write({supervisor}, [all descriptors])"));
    let older = Has { clone3: false, ..Has::ALL };
    for host in [Host { has: older, ..host() }, Host { has: older, cgroups: self::unified(cgroup::DEVICES), ..host() }]
    {
        let lines = outside_of(&spec(), &host);
        let rules = last(&lines, "write({copy}, ").max(last(&lines, "bpf("));
        assert!(rules > 0 && rules < at(&lines, "clone("));
    }
}

#[test]
fn where_nothing_decides_on_devices_no_mount_has_them_and_none_can_be_made() {
    let mut spec = spec();
    spec.mounts = vec![volume(t(c"/data"))];
    let (none, no_bpf) = (Layout::default(), Has { device_filter: false, ..Has::ALL });
    for host in [
        Host { cgroups: none, files: vec![false], ..host() },
        Host { cgroups: unified(cgroup::DEVICES), has: no_bpf, files: vec![false], ..host() },
    ] {
        let outside = outside_of(&spec, &host);
        at(&outside, "fsmount({fs}, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV) = {root}");
        at(&outside, "mount_setattr({source0}, \"\", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_NODEV");
        let inside = inside_of(&spec, &host);
        assert!(at(&inside, "prctl(PR_CAPBSET_DROP, CAP_MKNOD") < at(&inside, "execve("));
        let older = Host { has: Has { detached: false, ..host.has }, ..host };
        let inside = inside_of(&spec, &older);
        at(&inside, "mount(NULL, \"/proc/self/fd/{target}\", NULL, MS_NODEV|MS_REMOUNT|MS_BIND, NULL)");
        assert!(inside.iter().any(|line| line.starts_with("mount(\"overlay\"") && line.contains(", MS_NODEV, ")));
    }
    assert!(!inside_of(&spec, &Host { files: vec![false], ..host() }).iter().any(|line| line.contains("CAP_MKNOD")));
    // Asked for by name it is an error, not left out.
    spec.security.add = 1 << security::MKNOD;
    assert!(build(&spec, &Host { cgroups: Layout::default(), files: vec![false], ..host() }).is_err());
    assert!(build(&spec, &Host { files: vec![false], ..host() }).is_ok());
    spec.security.privileged = true;
    assert!(build(&spec, &Host { cgroups: Layout::default(), files: vec![false], ..host() }).is_ok());
    let lines = outside_of(&spec, &Host { files: vec![false], ..host() });
    assert!(!lines.iter().any(|line| line.contains("devices.")));
}

fn one() -> Ids {
    Ids { uid: [(1000, 1), (0, 0)], gid: [(1001, 1), (0, 0)], remapped: false, inside: false }
}

fn remapped() -> Ids {
    Ids { uid: [(100_000, 65536), (0, 0)], gid: [(200_000, 65536), (0, 0)], remapped: true, inside: false }
}

#[test]
fn an_ordinary_user_gives_up_setgroups_before_a_group_is_mapped() {
    // CVE-2014-8989
    let plan = plan_of(&spec(), &Host { user: Some(one()), ..host() });
    let lines: Vec<String> = plan.entering.iter().map(|entry| text(entry, &plan)).collect();
    assert_eq!(at(&lines, "unshare(CLONE_NEWNS|CLONE_NEWUSER)"), 0);
    at(&lines, "openat(AT_FDCWD, \"/proc/self/uid_map\", O_WRONLY|O_CLOEXEC, 0); write(..., \"0 1000 1\", 8)");
    let gid_map =
        at(&lines, "openat(AT_FDCWD, \"/proc/self/gid_map\", O_WRONLY|O_CLOEXEC, 0); write(..., \"0 1001 1\", 8)");
    assert!(at(&lines, "openat(AT_FDCWD, \"/proc/self/setgroups\"") < gid_map);
    assert!(plan_of(&spec(), &host()).entering.is_empty());
}

#[test]
fn with_one_id_nothing_is_asked_for_that_it_cannot_have() {
    let host = Host { user: Some(one()), ..host() };
    let (outside, inside) = (outside_of(&spec(), &host), inside_of(&spec(), &host));
    at(&outside, "fsconfig({fs}, FSCONFIG_SET_FLAG, \"userxattr\"");
    for line in outside.iter().chain(&inside) {
        assert!(!line.starts_with("setgroups(") && !line.contains("S_IFCHR") && !line.contains("\"gid\""), "{line}");
    }
    assert!(at(&inside, "prctl(PR_SET_NO_NEW_PRIVS") < at(&inside, "execve("));
    at(&inside, "open_tree(AT_FDCWD, \"/dev/null\"");
    for (uid, gid) in [(1, 0), (0, 1)] {
        let mut spec = spec();
        (spec.process.uid, spec.process.gid) = (uid, gid);
        assert!(build(&spec, &host).is_err());
    }
    assert!(build(&spec(), &Host { has: Has { detached: false, ..Has::ALL }, ..host }).is_err());
}

#[test]
fn a_range_is_behind_the_users_own_id() {
    let range =
        Ids { uid: [(1000, 1), (100_000, 10)], gid: [(1001, 1), (200_000, 10)], remapped: false, inside: false };
    assert_eq!(user::map(&range.uid, b"\n"), t(c"0 1000 1\n1 100000 10"));
    assert!(!range.is_one() && one().is_one());
    assert_eq!(range.outside((0, 3)), (1000, 200_002));
    assert_eq!(range.outside((10, 11)), (100_009, 65534));
    let plan = plan_of(&spec(), &Host { user: Some(range), ..host() });
    let line = plan.entering.first().map(|entry| text(entry, &plan)).unwrap_or_default();
    assert!(line.contains("\"0\", \"1000\", \"1\", \"1\", \"100000\", \"10\"]"), "{line}");
    at(&inside_of(&spec(), &Host { user: Some(range), ..host() }), "setgroups(");
}

#[test]
fn a_child_in_a_user_namespace_has_its_maps_and_idmapped_mounts_before_it_goes_on() {
    let mut spec = spec();
    spec.mounts = vec![volume(t(c"/data"))];
    (spec.process.uid, spec.process.gid, spec.process.groups) = (1, 1, vec![1]);
    let host = Host { user: Some(remapped()), files: vec![false], ..host() };
    for has in [Has::ALL, Has { clone3: false, ..Has::ALL }] {
        let outside = outside_of(&spec, &Host { has, user: host.user, files: vec![false], ..self::host() });
        assert!(outside.iter().any(|line| line.starts_with("clone") && line.contains("CLONE_NEWUSER")));
        let maps = at(&outside, "write(/proc/{child}/uid_map, \"0 100000 65536\")");
        let handed = at(&outside, "write({supervisor}, [all descriptors])");
        for mount in ["{source0}", "{source1}", "{source2}"] {
            let idmapped = at(
                &outside,
                &format!("mount_setattr({mount}, \"\", AT_EMPTY_PATH|AT_RECURSIVE, {{attr_set=MOUNT_ATTR_IDMAP"),
            );
            assert!(maps < idmapped && idmapped < handed);
        }
        // Nothing of the container is made by root of the host.
        assert!(!outside.iter().any(|line| line.starts_with("fsopen(")));
    }
    let inside = inside_of(&spec, &host);
    let root = at(&inside, "setresuid(0, 0, 0)");
    assert!(at(&inside, "setgroups(0, [])") < root && at(&inside, "setresgid(0, 0, 0)") < root);
    assert!(at(&inside, "move_mount({source1}, \"\", AT_FDCWD, \"containers/") < root);
    assert!(root < at(&inside, "fsopen(\"overlay\""));
    assert!(inside.get(root + 1).is_some_and(|line| line.starts_with("prctl(PR_SET_PDEATHSIG")));
    assert!(build(&spec, &Host { has: Has { pidfd: false, ..Has::ALL }, ..host }).is_err());
}

#[test]
fn the_container_sees_its_own_cgroup_and_cannot_write_to_it() {
    let mut spec = spec();
    let host = || Host { cgroups: unified(cgroup::MEMORY | cgroup::DEVICES), ..host() };
    let outside = outside_of(&spec, &host());
    let copied = at(&outside, "open_tree({cgroup0}, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH) = {cgroup}");
    // Private as well: it is a copy of a mount that systemd has made shared.
    let locked = "mount_setattr({cgroup}, \"\", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|\
        MOUNT_ATTR_NODEV|MOUNT_ATTR_NOEXEC, attr_clr=0, propagation=MS_PRIVATE";
    assert_eq!(at(&outside, locked), copied + 1);
    at(&inside_of(&spec, &host()), "move_mount({cgroup}, \"\", {sys}, \"fs/cgroup\", MOVE_MOUNT_F_EMPTY_PATH)");
    spec.security.privileged = true;
    at(&outside_of(&spec, &host()), "mount_setattr({cgroup}, \"\", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_NOSUID|");
    // Version 1: only where a limit is.
    let v1 = self::host();
    at(&outside_of(&spec, &v1), "open_tree({cgroup0}");
    spec.security.privileged = false;
    assert!(!outside_of(&spec, &v1).iter().any(|line| line.starts_with("open_tree({cgroup0}")));
    spec.limits.memory = Some(64 << 20);
    at(&outside_of(&spec, &v1), "open_tree({cgroup0}");
    at(&inside_of(&spec, &v1), "move_mount({cgroup0}, \"\", {copy}, \"memory\", MOVE_MOUNT_F_EMPTY_PATH)");
}
