//! The flags as somebody types them: what comes of each, and the whole message where it is wrong.

use super::*;
use crate::spec::Source;

fn words(line: &str) -> &'static [Text] {
    line.split_whitespace().map(|word| keep(word.replace('·', " ").as_bytes())).collect::<Vec<Text>>().leak()
}

/// A line is split at blanks; · is a blank inside a word.
fn parse(line: &str) -> Options {
    let options = run(words(line), Origin::default());
    assert!(options.is_ok(), "{line}: {options:?}", options = options.as_ref().err().map(Error::text));
    options.unwrap_or_default()
}

fn text(text: Text) -> String {
    String::from_utf8_lossy(text.to_bytes()).into_owned()
}

fn mounts(line: &str) -> Vec<String> {
    let mounts = parse(line).spec.mounts;
    let show = |mount: &Mount| {
        let source = match mount.source {
            Source::Host(path) => format!("host {}", text(path)),
            Source::Volume(name) => format!("volume {}", text(name)),
            Source::Anonymous => "anonymous".to_string(),
            Source::Tmpfs(options) => format!("tmpfs {}", text(options)),
        };
        let read_only = if mount.read_only { " ro" } else { "" };
        let copy = if mount.copy { "" } else { " nocopy" };
        let make = if mount.make_source { " make" } else { "" };
        let attributes = if mount.attributes == 0 { String::new() } else { format!(" {:x}", mount.attributes) };
        let propagation = match mount.propagation {
            libc::MS_PRIVATE => "",
            libc::MS_SLAVE => " slave",
            _ => " shared",
        };
        let recursive = if mount.recursive { "" } else { " flat" };
        format!("{source} on {}{read_only}{copy}{make}{attributes}{propagation}{recursive}", text(mount.target))
    };
    mounts.iter().map(show).collect()
}

#[test]
fn flags_stop_at_the_first_word_and_all_behind_it_belongs_to_the_command() {
    for (line, rest) in [
        ("-it busybox ls -l -m", "busybox ls -l -m"),
        ("-i -- -x y", "-x y"),
        ("--name=one sh --name two", "sh --name two"),
        ("- -i", "- -i"),
        ("-t --", ""),
    ] {
        let rest: Vec<&str> = rest.split_whitespace().collect();
        assert_eq!(parse(line).words.iter().map(|&word| text(word)).collect::<Vec<_>>(), rest, "{line}");
    }
}

#[test]
fn short_long_and_one_dash_spellings_are_the_same() {
    for line in ["-it x", "-i -t x", "--interactive --tty x", "-ti x", "-interactive -tty x", "-i=true -t=1 x"] {
        let process = parse(line).spec.process;
        assert!(process.stdin && process.tty, "{line}");
    }
    for line in ["-m 64m x", "-m64m x", "-m=64m x", "-mem 64m x", "--memory=64m x", "-itm 64m x", "-mem=64m x"] {
        assert_eq!(parse(line).spec.limits.memory, Some(64 << 20), "{line}");
    }
}

#[test]
fn a_switch_can_be_turned_off() {
    assert!(!parse("--read-only=false x").spec.read_only);
    assert!(!parse("-i -i=0 x").spec.process.stdin);
    assert!(parse("--rm --rm=false --read-only x").spec.read_only);
}

#[test]
fn sizes_and_numbers_are_dockers() {
    for (line, bytes) in [
        ("-m 1", 1),
        ("-m 5b", 5),
        ("-m 1.5k", 1536),
        ("-m 0.999k", 1022),
        ("-m .5G", 1 << 29),
        ("-m 64MiB", 64 << 20),
        ("-m 2·gb", 2 << 30),
        ("-m 1t", 1 << 40),
    ] {
        assert_eq!(parse(line).spec.limits.memory, Some(bytes), "{line}");
    }
    assert_eq!(parse("-m 0").spec.limits.memory, None);
    assert_eq!(parse("-m 1m --memory-swap -1").spec.limits.memory_swap, Some(u64::MAX));
    assert_eq!(parse("--shm-size 1m").shm_size, Some(1 << 20));
    for (line, quota) in [
        ("--cpus 1.5", Some(150_000)),
        ("--cpus .01", Some(1000)),
        ("-cpu 50", Some(50_000)),
        ("-cpu 12.5%", Some(12_500)),
        ("--cpus 0", None),
    ] {
        assert_eq!(parse(line).spec.limits.cpu_quota, quota, "{line}");
    }
    assert_eq!(parse("--pids-limit -1").spec.limits.pids, Some(u64::MAX));
    assert_eq!(parse("-c 512").spec.limits.cpu_shares, Some(512));
    let limits: Vec<_> = parse("--ulimit nofile=10:20 --ulimit core=-1").spec.process.rlimits;
    let limits: Vec<_> = limits.iter().map(|limit| (limit.resource, limit.soft, limit.hard)).collect();
    assert_eq!(limits, [(7, 10, 20), (4, u64::MAX, u64::MAX)]);
}

#[test]
fn volumes_in_every_form() {
    for (line, mount) in [
        ("-v /a:/b", "host /a on /b make"),
        ("-v /a//x/../y/:/b/./c/", "host /a/y on /b/c make"),
        ("-v /a:/b:ro,z,rslave", "host /a on /b ro make slave"),
        ("-v /a:/b:shared", "host /a on /b make shared flat"),
        ("-v data:/b", "volume data on /b make"),
        ("-v data:/b:nocopy", "volume data on /b nocopy make"),
        ("-v /b", "anonymous on /b make"),
        ("--mount type=bind,src=/a,dst=/b,ro", "host /a on /b ro"),
        ("--mount type=bind,source=/a,target=/b,bind-propagation=rshared", "host /a on /b shared"),
        ("--mount src=data,destination=/b,volume-nocopy,readonly=false", "volume data on /b nocopy"),
        ("--mount dst=/b", "anonymous on /b"),
        ("--mount type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=1770", "tmpfs size=1048576,mode=1770, on /b e"),
        ("--tmpfs /b", "tmpfs  on /b e"),
        ("--tmpfs /b:exec,size=5m,ro,nodev,suid", "tmpfs size=5m, on /b ro 4"),
    ] {
        assert_eq!(mounts(line), [mount], "{line}");
    }
}

#[test]
fn parents_are_mounted_before_what_is_below_them() {
    let mounts = mounts("-v /x:/a/b/c -v /y:/d -v /z:/a -v /w:/a/b");
    let targets: Vec<&str> = mounts.iter().filter_map(|mount| mount.split(' ').nth(3)).collect();
    assert_eq!(targets, ["/d", "/a", "/a/b", "/a/b/c"]);
}

#[test]
fn the_environment_holds_over_its_files() -> std::io::Result<()> {
    let path = std::env::temp_dir().join(format!("mydocker-env-{}", std::process::id()));
    std::fs::write(&path, "\u{feff}A=1\r\n\n  # no\n  B=x = y\nMYDOCKER_NOT_SET\n")?;
    let options = run(words(&format!("-e A=2 --env-file {} -e MYDOCKER_NOT_SET x", path.display())), Origin::default());
    std::fs::remove_file(&path)?;
    let env: Vec<_> =
        options.map(|options| options.spec.process.env.into_iter().map(text).collect()).unwrap_or_default();
    // What is not set is left out of the files, and bare among the others.
    assert_eq!(env, ["A=1", "B=x = y", "A=2", "MYDOCKER_NOT_SET"]);
    Ok(())
}

#[test]
fn what_is_wrong_is_said_with_the_argument() {
    const HINT: &str = "hint: mydocker run --help lists the flags\n";
    for (line, message) in [
        ("--memroy 5", "unknown flag: --memroy\nhint: did you mean --memory?\n"),
        ("-memroy 5", "--memory emroy: no size; use a number with b, k, m or g\n"),
        ("--frobnicate", &format!("unknown flag: --frobnicate\n{HINT}")),
        ("-iQ", &format!("unknown flag: -Q\n{HINT}")),
        ("-m", &format!("--memory needs a value\n{HINT}")),
        ("--tty=maybe", "--tty maybe: must be true or false\n"),
        ("-m 1x", "--memory 1x: no size; use a number with b, k, m or g\n"),
        ("-m 1.", "--memory 1.: no size; use a number with b, k, m or g\n"),
        ("-m 99999999999g", "--memory 99999999999g: no size; use a number with b, k, m or g\n"),
        ("--cpus 0.001", "--cpus 0.001: must be a number of CPUs such as 1.5, at least 0.01\n"),
        ("--cpu-shares 1", "--cpu-shares 1: must be a number from 2 to 262144\n"),
        ("--cpuset-cpus 3-1", "--cpuset-cpus 3-1: must be a list such as 0-2,7\n"),
        ("--net bridge", "--net bridge: must be none or host\n"),
        ("--pid container:x", "--pid container:x: must be host or private\n"),
        ("-w rel", "--workdir rel: the working directory is an absolute path\n"),
        ("--name .x", "--name .x: a name has 2 to 64 of [a-zA-Z0-9_.-] and begins with a letter or digit\n"),
        ("-h a/b", "--hostname a/b: a host name has 1 to 64 letters, digits, dots and hyphens\n"),
        ("--timeout 1y", "--timeout 1y: must be a time such as 1.5s, 2m or 1h30m\n"),
        ("--stop-signal FOO", "--stop-signal FOO: is no signal\n"),
        ("--ulimit foo=1", "--ulimit foo=1: unknown limit; try nofile, nproc, core, stack, memlock or fsize\n"),
        ("--ulimit nofile=2:1", "--ulimit nofile=2:1: the soft limit must be less than or equal to the hard limit\n"),
        ("-e =x", "--env =x: a variable needs a name: NAME=value\n"),
        (
            "-m 2m --memory-swap 1m",
            "--memory-swap is memory and swap together: it needs --memory, and cannot be less\n",
        ),
        ("--uts host -h x", "--hostname cannot be set with --uts host: it is the host's own\n"),
        ("-v /a:/b:ro:x", "invalid volume \"/a:/b:ro:x\": at most SOURCE:TARGET:OPTIONS\n"),
        ("-v /a:", "invalid volume \"/a:\": empty section between colons\n"),
        ("-v /a:b", "invalid volume \"/a:b\": the target \"b\" is not an absolute path\n"),
        ("-v /a:/b/..", "invalid volume \"/a:/b/..\": the target cannot be /\n"),
        ("-v /a:/x/../proc/1", "invalid volume \"/a:/x/../proc/1\": nothing can be mounted on or below /proc\n"),
        ("-v /a:/b:ro,rw", "invalid volume \"/a:/b:ro,rw\": contradicting option \"rw\"\n"),
        ("-v data:/b:slave", "invalid volume \"data:/b:slave\": unknown option \"slave\"\n"),
        ("-v /a:/b -v /c:/b/", "invalid volume \"/c:/b/\": duplicate mount point: /b\n"),
        ("--mount foo,dst=/b", "invalid volume \"foo,dst=/b\": unknown field \"foo\"\n"),
        ("--mount dst=", "invalid volume \"dst=\": \"dst\" needs a value\n"),
        ("--mount src=data", "invalid volume \"src=data\": a target is required: dst=/PATH\n"),
        ("--mount type=bind,dst=/b", "invalid volume \"type=bind,dst=/b\": a bind mount needs a source: src=/PATH\n"),
        (
            "--mount src=/a,dst=/b",
            "invalid volume \"src=/a,dst=/b\": the source of a volume is a name; for a host path use type=bind\n",
        ),
        (
            "--mount dst=/b,tmpfs-size=1m",
            "invalid volume \"dst=/b,tmpfs-size=1m\": a field of another type than volume\n",
        ),
        ("--tmpfs /b:frob", "invalid volume \"/b:frob\": unknown option \"frob\"\n"),
    ] {
        let error = match run(words(line), Origin::default()) {
            Ok(_) => String::new(),
            Err(error) => String::from_utf8_lossy(&error.text()).into_owned(),
        };
        assert_eq!(error, format!("mydocker: {message}"), "{line}");
    }
}

#[test]
fn a_time_is_in_milliseconds_and_never_nothing() {
    for (text, ms) in [
        ("5", Some(5000)),
        ("1.5", Some(1500)),
        ("1.5s", Some(1500)),
        ("300ms", Some(300)),
        ("2m", Some(120_000)),
        ("1h30m", Some(5_400_000)),
        ("1h0.5s", Some(3_600_500)),
        ("0", Some(0)),
        ("0.1ms", Some(1)),
        ("", None),
        ("s", None),
        ("1h30", None),
        ("1d", None),
        ("-1s", None),
        ("1 s", None),
        ("1.2.3s", None),
        ("18446744073709551615s", None),
        ("18446744073709551615ms1ms", None),
    ] {
        assert_eq!(kind::duration(text.as_bytes()), ms, "{text}");
    }
}

#[test]
fn a_signal_has_a_number_and_names() {
    for (text, number) in [
        ("TERM", Some(15)),
        ("SIGTERM", Some(15)),
        ("sigkill", Some(9)),
        ("9", Some(9)),
        ("HUP", Some(1)),
        ("SYS", Some(31)),
        ("RTMIN", Some(34)),
        ("SIGRTMIN+3", Some(37)),
        ("RTMAX-14", Some(50)),
        ("SIGRTMAX", Some(64)),
        ("64", Some(64)),
        ("0", None),
        ("65", None),
        ("RTMIN+31", None),
        ("RTMIN-1", None),
        ("RTMAX+1", None),
        ("RTMIN+", None),
        ("", None),
        ("SIG", None),
        ("SIGNONSENSE", None),
    ] {
        assert_eq!((kind::SIGNAL.read)(text.as_bytes()), number, "{text}");
    }
}
