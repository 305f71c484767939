//! model MYDOCKER IMAGE.tar DIRECTORY [--steps N] [--workers N] [--seed N] [--shrink SECONDS] [--kills 0]
//!
//! Workers type random commands beside each other to one store, and some of the commands, and some supervisors, are killed at a
//! random moment. Each worker has names of its own, of which `world.rs` knows what must hold; and some names that all of them
//! use, of which must hold that an answer is one that the manual knows. Every so often all workers wait, and the store, the
//! processes, cgroups and mounts are looked at. What fails is run again with less, as long as it fails, and printed as a script.
//! With `--kills 0` nobody is killed, and no worker types two at once: what comes of a seed is then almost always the same.
//!
//! It is the child of PID 1 of a pid namespace (tests/model/run), so that nothing but what came of it can be killed by it.

mod world;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use world::{Answer, NAMES, Next, Op, Policy, Program, Text, World};

unsafe extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

/// No command may take longer.
const LIMIT: Duration = Duration::from_secs(10);
/// Steps of a worker between two looks at everything.
const ROUND: usize = 25;

#[derive(Clone, Debug)]
struct Step {
    first: Op,
    /// Given at the same time.
    second: Option<Op>,
    /// SIGKILL to the first after so many microseconds.
    kill: Option<u64>,
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

// --- what is typed -----------------------------------------------------------------------------------------------------------

fn random_op(random: &mut Random, version: &mut u32) -> Op {
    let name = random.below(NAMES);
    let program = match random.below(10) {
        0..=2 => Program::Sleep,
        3..=5 => Program::Trap,
        6 => Program::Quick([0, 3][random.below(2)]),
        7 | 8 => Program::Slow([0, 5][random.below(2)]),
        _ => Program::Missing,
    };
    let policy = match random.below(10) {
        0 | 1 => Policy::Remove,
        2 => Policy::OnFailure,
        3 => Policy::Always,
        _ => Policy::No,
    };
    match random.below(100) {
        0..=17 => Op::RunD { name, program, policy, volume: random.below(5) == 0 },
        18..=20 => Op::Create { name, program, policy },
        21..=26 => Op::Start(name),
        27..=32 => Op::Stop(name),
        33..=36 => Op::Kill(name),
        37..=39 => Op::Wait(name),
        40..=43 => Op::Restart(name),
        44..=46 => Op::Pause(name),
        47..=49 => Op::Unpause(name),
        50..=56 => Op::Rm { name, force: random.below(2) == 0 },
        57..=59 => Op::Rename(name, random.below(NAMES)),
        60..=62 => Op::Logs(name),
        63..=67 => Op::Exec(name, [0, 4][random.below(2)]),
        68..=70 => Op::Inspect(name),
        71..=73 => Op::Ps,
        74 => Op::Diff(name),
        75 | 76 => {
            *version += 1;
            Op::CopyIn(name, *version)
        }
        77 | 78 => Op::CopyOut(name),
        79 => Op::Export(name),
        80 => Op::Commit(name),
        81 => Op::RunImage,
        82 | 83 => Op::Run([0, 6][random.below(2)]),
        84 => Op::Rmi,
        85 => Op::VolumeCreate,
        86 => Op::VolumeRm,
        87 => Op::Top(name),
        88 => Op::Stats(name),
        89 => Op::Update(name),
        90 | 91 => Op::KillSupervisor(name),
        _ => Op::Shared(random.below(SHARED.len()), random.below(2)),
    }
}

fn random_step(random: &mut Random, version: &mut u32, kills: bool) -> Step {
    let mut first = random_op(random, version);
    while !kills && matches!(first, Op::KillSupervisor(_)) {
        first = random_op(random, version);
    }
    let mut step = Step { first, second: None, kill: None };
    if !kills {
        return step;
    }
    match random.below(20) {
        0 | 1 => {
            // Two at once, on one container: that is where it is interesting.
            let mut second = random_op(random, version);
            for _ in 0..20 {
                let (a, b) = (first_name(first), first_name(second));
                if a.is_some() && a == b && !matches!(second, Op::KillSupervisor(_)) {
                    break;
                }
                second = random_op(random, version);
            }
            // Two that write the same file on the host are no matter of ours.
            let files = matches!((first, second), (Op::CopyOut(_), Op::CopyOut(_)) | (Op::Export(_), Op::Export(_)));
            if pairs(first) && pairs(second) && !files {
                step.second = Some(second);
            }
        }
        2..=4 if !matches!(first, Op::KillSupervisor(_)) => step.kill = Some([300, 2_000, 8_000, 30_000][random.below(4)] * (1 + random.next() % 8) / 8),
        _ => {}
    }
    step
}

/// Commands whose phases the model knows well enough to say what may come of them beside another.
fn pairs(op: Op) -> bool {
    !matches!(op, Op::Shared(..) | Op::KillSupervisor(_) | Op::Wait(_) | Op::Ps | Op::Run(_))
}

fn first_name(op: Op) -> Option<usize> {
    match op {
        Op::RunD { name, .. } | Op::Create { name, .. } | Op::Rm { name, .. } => Some(name),
        Op::Start(name) | Op::Stop(name) | Op::Kill(name) | Op::Restart(name) | Op::Pause(name) | Op::Unpause(name) => Some(name),
        Op::Rename(name, _) | Op::Logs(name) | Op::Exec(name, _) | Op::Inspect(name) | Op::Diff(name) => Some(name),
        Op::CopyIn(name, _) | Op::CopyOut(name) | Op::Export(name) | Op::Commit(name) | Op::Top(name) | Op::Update(name) => Some(name),
        _ => None,
    }
}

/// On names that everybody uses.
const SHARED: [&[&str]; 16] = [
    &["run", "-d", "--name", "NAME", "busybox", "sleep", "1000"],
    &["run", "-d", "--name", "NAME", "busybox", "sh", "-c", "exit 3"],
    &["run", "-d", "--rm", "--name", "NAME", "busybox", "sh", "-c", "sleep 0.1"],
    &["start", "NAME"],
    &["stop", "-t", "0", "NAME"],
    &["kill", "NAME"],
    &["restart", "-t", "0", "NAME"],
    &["pause", "NAME"],
    &["unpause", "NAME"],
    &["rm", "NAME"],
    &["rm", "-f", "NAME"],
    &["logs", "NAME"],
    &["exec", "NAME", "true"],
    &["inspect", "NAME"],
    &["cp", "NAME:/etc/passwd", "-"],
    &["ps", "-a"],
];

fn words(worker: usize, op: Op) -> Vec<String> {
    let name = |name: usize| format!("w{worker}-{name}");
    let volume = format!("v{worker}");
    let image = format!("i{worker}");
    let line = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let program = |program: Program| match program {
        Program::Sleep => line(&["sh", "-c", "echo line; exec sleep 1000"]),
        Program::Trap => line(&["sh", "-c", "trap 'exit 7' TERM; echo line; while :; do sleep 0.05; done"]),
        Program::Quick(code) => line(&["sh", "-c", &format!("echo line; exit {code}")]),
        Program::Slow(code) => line(&["sh", "-c", &format!("echo line; sleep 0.2; exit {code}")]),
        Program::Missing => line(&["/nosuch"]),
    };
    let policy = |policy: Policy| match policy {
        Policy::No => vec![],
        Policy::Remove => line(&["--rm"]),
        Policy::OnFailure => line(&["--restart", "on-failure:2"]),
        Policy::Always => line(&["--restart", "always"]),
    };
    match op {
        Op::RunD { name: number, program: what, policy: then, volume: with } => {
            let mut all = line(&["run", "-d", "--name", &name(number)]);
            all.extend(policy(then));
            if with {
                all.extend(line(&["-v", &format!("{volume}:/v")]));
            }
            all.push("busybox".into());
            all.extend(program(what));
            all
        }
        Op::Create { name: number, program: what, policy: then } => {
            let mut all = line(&["create", "--name", &name(number)]);
            all.extend(policy(then));
            all.push("busybox".into());
            all.extend(program(what));
            all
        }
        Op::Start(number) => line(&["start", &name(number)]),
        Op::Stop(number) => line(&["stop", "-t", "1", &name(number)]),
        Op::Kill(number) => line(&["kill", &name(number)]),
        Op::Wait(number) => line(&["wait", &name(number)]),
        Op::Restart(number) => line(&["restart", "-t", "0", &name(number)]),
        Op::Pause(number) => line(&["pause", &name(number)]),
        Op::Unpause(number) => line(&["unpause", &name(number)]),
        Op::Rm { name: number, force: true } => line(&["rm", "-f", &name(number)]),
        Op::Rm { name: number, .. } => line(&["rm", &name(number)]),
        Op::Rename(from, to) => line(&["rename", &name(from), &name(to)]),
        Op::Logs(number) => line(&["logs", &name(number)]),
        Op::Exec(number, code) => line(&["exec", &name(number), "sh", "-c", &format!("echo word; exit {code}")]),
        Op::Inspect(number) => line(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", &name(number)]),
        Op::Ps => line(&["ps", "-a", "--filter", &format!("name=w{worker}-"), "--format", "{{.Names}} {{.State}}"]),
        Op::Diff(number) => line(&["diff", &name(number)]),
        Op::CopyIn(number, version) => line(&["cp", &format!("f{version}"), &format!("{}:/f", name(number))]),
        Op::CopyOut(number) => line(&["cp", &format!("{}:/f", name(number)), "out"]),
        Op::Export(number) => line(&["export", "-o", "tree.tar", &name(number)]),
        Op::Commit(number) => line(&["commit", &name(number), &image]),
        Op::RunImage => line(&["run", "--rm", "--pull", "never", &format!("{image}:latest"), "cat", "/f"]),
        Op::Run(code) => line(&["run", "--rm", "busybox", "sh", "-c", &format!("echo word; exit {code}")]),
        Op::Rmi => line(&["rmi", &image]),
        Op::VolumeCreate => line(&["volume", "create", &volume]),
        Op::VolumeRm => line(&["volume", "rm", &volume]),
        Op::Top(number) => line(&["top", &name(number)]),
        Op::Stats(number) => line(&["stats", "--no-stream", &name(number)]),
        Op::Update(number) => line(&["update", "-m", "64m", "--memory-swap", "64m", &name(number)]),
        Op::KillSupervisor(number) => line(&["inspect", "--format", "{{.State.Pid}}", &name(number)]),
        Op::Shared(what, number) => SHARED[what].iter().map(|word| word.replace("NAME", &format!("shared{number}"))).collect(),
    }
}

// --- what comes ----------------------------------------------------------------------------------------------------------------

struct Came {
    answer: Answer,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The messages that the manual knows, and what each means here.
const MESSAGES: [(&str, Answer); 32] = [
    ("cannot remove", Answer::MustStop),
    ("no such container", Answer::NoContainer),
    ("no such object", Answer::NoContainer),
    ("is already in use", Answer::Taken),
    ("is not running", Answer::NotRunning),
    ("is restarting", Answer::NotRunning),
    ("is already paused", Answer::Paused),
    ("is paused", Answer::Paused),
    ("paused container", Answer::Paused),
    ("is not paused", Answer::NotPaused),
    ("running container", Answer::MustStop),
    ("is running", Answer::MustStop),
    ("executable file not found", Answer::NotFound),
    ("not found", Answer::NotFound),
    ("ENOENT", Answer::NotFound),
    ("same name", Answer::SameName),
    ("has that name already", Answer::SameName),
    ("no such image", Answer::NoImage),
    ("no image", Answer::NoImage),
    ("no such volume", Answer::NoVolume),
    ("volume is in use", Answer::InUse),
    ("in use", Answer::InUse),
    ("could not find the file", Answer::NoFile),
    ("no such file", Answer::NoFile),
    ("has ended", Answer::NotRunning),
    ("has exited", Answer::NotRunning),
    ("being removed", Answer::NoContainer),
    ("is gone", Answer::NoContainer),
    ("being started", Answer::MustStop),
    ("already running", Answer::Ok),
    ("already started", Answer::Ok),
    ("already exists", Answer::Taken),
];

fn meaning(op: Op, code: Option<i32>, stderr: &str) -> Answer {
    let Some(code) = code else { return Answer::Other };
    let low = stderr.to_lowercase();
    if stderr.contains("panicked") {
        return Answer::Other;
    }
    let own = stderr.lines().any(|line| line.starts_with("mydocker: ") || line.starts_with("docker: ") || line.starts_with("Error"));
    if code == 0 && !own {
        return match op {
            Op::Exec(..) | Op::RunImage | Op::Run(_) => Answer::Code(0),
            _ => Answer::Ok,
        };
    }
    if own {
        for (text, answer) in &MESSAGES {
            if low.contains(&text.to_lowercase()) {
                // What is no image is a command in the default image.
                if matches!(op, Op::RunImage) && *answer == Answer::NotFound {
                    return Answer::NoImage;
                }
                // ENOENT and its like are for a command that is not there, and nothing else.
                if *answer == Answer::NotFound && !matches!(op, Op::RunD { .. } | Op::Start(_) | Op::Restart(_) | Op::Shared(..)) {
                    return Answer::Other;
                }
                return answer.clone();
            }
        }
        return Answer::Other;
    }
    match op {
        Op::Exec(..) | Op::RunImage | Op::Run(_) | Op::Shared(..) => Answer::Code(code as u8),
        // `rm` of what is not there says so and that is all.
        _ => Answer::Other,
    }
}

struct Running {
    op: Op,
    child: Child,
    out: PathBuf,
    err: PathBuf,
    from: Instant,
}

static FILES: AtomicUsize = AtomicUsize::new(0);

struct Bench<'a> {
    mydocker: &'a Path,
    root: &'a Path,
    dir: PathBuf,
    worker: usize,
}

impl Bench<'_> {
    fn begin(&self, op: Op, which: &str) -> Running {
        // One that was killed before may have somebody who still writes: never the same file again.
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (self.dir.join(format!("{which}{number}.out")), self.dir.join(format!("{which}{number}.err")));
        let child = Command::new(self.mydocker)
            .args(words(self.worker, op))
            .current_dir(&self.dir)
            .env("MYDOCKER_ROOT", self.root)
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file for stdout"))
            .stderr(File::create(&err).expect("a file for stderr"))
            .spawn()
            .expect("mydocker is executed");
        Running { op, child, out, err, from: Instant::now() }
    }

    /// Err: it hangs; where.
    fn end(&self, mut running: Running) -> Result<Came, String> {
        let limit = if matches!(running.op, Op::Wait(_)) { Duration::from_millis(1_500) } else { LIMIT };
        let mut pause = 100;
        let (status, blocked) = loop {
            if let Some(status) = running.child.try_wait().expect("wait") {
                break (status, false);
            }
            if running.from.elapsed() > limit {
                let hangs = where_is(running.child.id());
                let _ = running.child.kill();
                let status = running.child.wait().expect("wait");
                if !matches!(running.op, Op::Wait(_)) {
                    return Err(format!("no end after {} s: {}\n{hangs}", limit.as_secs(), shell(self.worker, running.op)));
                }
                break (status, true);
            }
            std::thread::sleep(Duration::from_micros(pause));
            pause = (pause * 2).min(5_000);
        };
        let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let (mut stdout, stderr) = (text(&running.out), text(&running.err));
        let _ = (fs::remove_file(&running.out), fs::remove_file(&running.err));
        let answer = if blocked { Answer::Blocked } else { meaning(running.op, status.code(), &stderr) };
        if matches!(running.op, Op::Ps) {
            let mut lines: Vec<String> = stdout.lines().map(|line| line.replace(&format!("w{}-", self.worker), "")).collect();
            lines.sort();
            stdout = lines.iter().map(|line| format!("{line}\n")).collect();
        }
        if matches!(running.op, Op::CopyOut(_)) && answer == Answer::Ok {
            stdout = text(&self.dir.join("out"));
            let _ = fs::remove_file(self.dir.join("out"));
        }
        if status.signal().is_some() && !blocked {
            return Err(format!("ended by signal {}: {}", status.signal().unwrap_or(0), shell(self.worker, running.op)));
        }
        Ok(Came { answer, code: status.code(), stdout, stderr })
    }
}

/// What a process that does not end is doing.
fn where_is(pid: u32) -> String {
    let mut text = String::new();
    for task in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(other) = task.file_name().to_string_lossy().parse::<u32>() else { continue };
        let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let command = read("cmdline").replace('\0', " ");
        if command.contains("mydocker") || other == pid {
            let mark = if other == pid { "->" } else { "  " };
            let _ = writeln!(text, "  {mark} {other} {command}| {} | {} {}", read("syscall").trim(), read("wchan"), read("stack").lines().take(3).collect::<Vec<_>>().join(" "));
        }
    }
    text
}

fn fits(text: &Text, came: &str) -> bool {
    match text {
        Text::Any => true,
        Text::Is(wanted) => wanted == came,
        Text::Lines(least, most) => {
            let mut lines = came.split_inclusive('\n');
            let count = came.matches('\n').count() as u64;
            lines.all(|line| line == "line\n") && u64::from(*least) <= count && (count <= u64::from(*most))
        }
    }
}

fn dedupe(mut worlds: Vec<World>) -> Vec<World> {
    let mut seen = std::collections::HashSet::new();
    worlds.retain(|world| seen.insert(world.clone()));
    worlds
}

// --- a worker ----------------------------------------------------------------------------------------------------------------------

fn show(came: &Came) -> String {
    format!("{:?} (exit {}), stdout {:?}, stderr {:?}", came.answer, came.code.map_or("?".into(), |code| code.to_string()), clip(&came.stdout), clip(&came.stderr))
}

fn clip(text: &str) -> String {
    text.chars().take(400).collect()
}

fn expected(answers: &[(Answer, Text)]) -> String {
    let mut all: Vec<String> = answers.iter().map(|(answer, text)| if *text == Text::Any { format!("{answer:?}") } else { format!("{answer:?} {text:?}") }).collect();
    all.sort();
    all.dedup();
    all.join(", or ")
}

/// One step: the worlds that are left after it, or why none is.
fn take(bench: &Bench, step: &Step, worlds: Vec<World>) -> Result<Vec<World>, String> {
    if let Op::CopyIn(_, version) = step.first {
        let _ = fs::write(bench.dir.join(format!("f{version}")), format!("v{version}\n"));
    }
    if let Some(Op::CopyIn(_, version)) = step.second {
        let _ = fs::write(bench.dir.join(format!("f{version}")), format!("v{version}\n"));
    }
    if let Op::KillSupervisor(_) = step.first {
        let came = bench.end(bench.begin(step.first, "a"))?;
        let killed = came.stdout.trim().parse::<i32>().ok().filter(|pid| *pid > 1).and_then(supervisor_of);
        let Some(supervisor) = killed else { return Ok(worlds) };
        // SAFETY: a plain system call; the process is one of this namespace, which holds nothing but what came of us.
        unsafe { kill(supervisor, 9) };
        let gone = Instant::now();
        while Path::new(&format!("/proc/{supervisor}/exe")).exists() && fs::read_link(format!("/proc/{supervisor}/exe")).is_ok() {
            if gone.elapsed() > LIMIT {
                return Err("a supervisor does not die of SIGKILL".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut after = worlds.clone();
        after.extend(world::killed(step.first, worlds));
        return Ok(dedupe(after));
    }
    if let Some(after) = step.kill {
        let mut running = bench.begin(step.first, "a");
        std::thread::sleep(Duration::from_micros(after));
        let _ = running.child.kill();
        let status = running.child.wait().expect("wait");
        if matches!(step.first, Op::Commit(_)) {
            others_end(&words(bench.worker, step.first).join(" "))?;
        }
        if let Some(code) = status.code() {
            let stderr = String::from_utf8_lossy(&fs::read(&running.err).unwrap_or_default()).into_owned();
            if meaning(step.first, Some(code), &stderr) == Answer::Other && !matches!(step.first, Op::Wait(_)) {
                return Err(format!("an answer that has no meaning: {}: exit {code}, stderr {:?}", shell(bench.worker, step.first), clip(&stderr)));
            }
        }
        let _ = (fs::remove_file(&running.out), fs::remove_file(&running.err));
        if matches!(step.first, Op::Shared(..)) {
            return Ok(worlds);
        }
        return Ok(dedupe(world::killed(step.first, worlds)));
    }
    let first = bench.begin(step.first, "a");
    if let Some(other) = step.second {
        let second = bench.begin(other, "b");
        let (came_a, came_b) = (bench.end(first)?, bench.end(second)?);
        let all = world::both(step.first, other, worlds);
        let mut after = Vec::new();
        let mut could = Vec::new();
        for (a, b) in all {
            could.push((format!("{:?} {:?}", a.answer, a.text), format!("{:?} {:?}", b.answer, b.text)));
            if a.answer == came_a.answer && fits(&a.text, &came_a.stdout) && b.answer == came_b.answer && fits(&b.text, &came_b.stdout) {
                after.push(b.world);
            }
        }
        if after.is_empty() {
            could.sort();
            could.dedup();
            return Err(format!(
                "{} & {}\n  came: {}\n  and:  {}\n  expected one of: {could:?}",
                shell(bench.worker, step.first),
                shell(bench.worker, other),
                show(&came_a),
                show(&came_b)
            ));
        }
        return Ok(dedupe(after));
    }
    let came = bench.end(first)?;
    if let Op::Shared(what, _) = step.first {
        if came.answer == Answer::Other {
            return Err(format!("an answer that has no meaning: {}\n  came: {}", shell(bench.worker, step.first), show(&came)));
        }
        let _ = what;
        return Ok(worlds);
    }
    let mut after = Vec::new();
    let mut could = Vec::new();
    let mut todo: Vec<(u8, World)> = world::closure(worlds).into_iter().map(|world| (0, world)).collect();
    while let Some((at, world)) = todo.pop() {
        for next in world::phase(step.first, at, &world) {
            match next {
                Next::Done(done) => {
                    if done.answer == came.answer && fits(&done.text, &came.stdout) {
                        after.push(done.world);
                    } else {
                        could.push((done.answer, done.text));
                    }
                }
                Next::More(at, world) => todo.extend(world::closure(vec![world]).into_iter().map(|world| (at, world))),
            }
        }
    }
    if after.is_empty() {
        return Err(format!("{}\n  came: {}\n  expected: {}", shell(bench.worker, step.first), show(&came), expected(&could)));
    }
    Ok(dedupe(after))
}

/// Waits for whoever has that command line and goes on for a moment when the command was killed.
fn others_end(command: &str) -> Result<(), String> {
    let from = Instant::now();
    while processes().iter().any(|process| !process.zombie && process.command.contains(command)) {
        if from.elapsed() > LIMIT {
            return Err(format!("a process of a command that was killed does not end: {command}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// The supervisor of a container's process: its parent, if that runs mydocker and is not us.
fn supervisor_of(pid: i32) -> Option<i32> {
    let parent = parent(pid).filter(|parent| *parent > 1)?;
    let command = fs::read(format!("/proc/{parent}/cmdline")).ok()?;
    String::from_utf8_lossy(&command).contains("mydocker").then_some(parent)
}

// --- what must hold of everything ----------------------------------------------------------------------------------------------------

struct Process {
    pid: i32,
    zombie: bool,
    command: String,
    cgroup: String,
}

fn processes() -> Vec<Process> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let read = |name: &str| fs::read(entry.path().join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let stat = read("stat");
        if stat.is_empty() || pid == 1 || pid == std::process::id() as i32 {
            continue;
        }
        let zombie = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z') || rest.starts_with('X'));
        all.push(Process { pid, zombie, command: read("cmdline").replace('\0', " "), cgroup: read("cgroup") });
    }
    all
}

/// PID 1: orphans are its children, and while one that has ended is not reaped, the kernel does not let go of the pid namespace
/// that it was in.
fn reaper() -> ! {
    let me = std::env::args_os().collect::<Vec<_>>();
    let child = Command::new("/proc/self/exe").args(&me[1..]).spawn().expect("the model is executed");
    loop {
        let mut status = 0;
        // SAFETY: a plain system call; the status is ours.
        let pid = unsafe { waitpid(-1, &raw mut status, 0) };
        if pid == child.id() as i32 {
            std::process::exit(std::process::ExitStatus::from_raw(status).code().unwrap_or(2));
        }
    }
}

/// The 64 digits after `mydocker-` in a path of a cgroup.
fn id_in(text: &str) -> Option<String> {
    let at = text.find("mydocker-")?;
    let id: String = text[at + 9..].chars().take_while(char::is_ascii_hexdigit).collect();
    (!id.is_empty()).then_some(id)
}

fn cgroups() -> Vec<String> {
    let mut all = Vec::new();
    let mut look = vec![PathBuf::from("/sys/fs/cgroup")];
    let mut depth = 0;
    while depth < 2 {
        let mut next = Vec::new();
        for dir in look {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    if entry.file_name().to_string_lossy().starts_with("mydocker-") {
                        all.push(entry.path().to_string_lossy().into_owned());
                    } else {
                        next.push(entry.path());
                    }
                }
            }
        }
        look = next;
        depth += 1;
    }
    all
}

fn mounts() -> String {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().map(|line| line.split(' ').skip(2).take(3).collect::<Vec<_>>().join(" ") + "\n").collect()
}

fn look(mydocker: &Path, root: &Path, mounts_before: &str) -> Result<(), String> {
    let mut last = String::new();
    let from = Instant::now();
    while from.elapsed() < Duration::from_secs(6) {
        match look_once(mydocker, root, mounts_before) {
            Ok(()) => return Ok(()),
            Err(why) => last = why,
        }
        std::thread::sleep(Duration::from_millis(150));
    }
    Err(last)
}

fn look_once(mydocker: &Path, root: &Path, mounts_before: &str) -> Result<(), String> {
    let ask = |words: &[&str]| -> Result<String, String> {
        let output = Command::new(mydocker).args(words).env("MYDOCKER_ROOT", root).stdin(Stdio::null()).output().expect("mydocker is executed");
        if !output.status.success() {
            return Err(format!("mydocker {}: {:?} {}", words.join(" "), output.status, String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    // A start sweeps what was left by those that were killed.
    ask(&["run", "--rm", "busybox", "true"])?;
    let list = ask(&["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}"])?;
    let (mut ids, mut names) = (HashMap::new(), HashMap::new());
    for line in list.lines() {
        let mut parts = line.split(' ');
        let (Some(id), Some(name), Some(state)) = (parts.next(), parts.next(), parts.next()) else { return Err(format!("a line of ps: {line:?}")) };
        if ids.insert(id.to_owned(), state.to_owned()).is_some() {
            return Err(format!("two containers have the id {id}\n{list}"));
        }
        if name.is_empty() || names.insert(name.to_owned(), id.to_owned()).is_some() {
            return Err(format!("two containers are called {name}\n{list}"));
        }
    }
    for (name, id) in &names {
        let found = ask(&["inspect", "--format", "{{.Id}}", name])?;
        if found.trim() != id {
            return Err(format!("the name {name} is not that of {id}, but of {}", found.trim()));
        }
    }
    // Directories and names in the store.
    let entries = |what: &str| -> Vec<String> {
        let mut all: Vec<String> = fs::read_dir(root.join(what)).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        all.sort();
        all
    };
    for entry in entries("containers") {
        if !ids.contains_key(&entry) {
            return Err(format!("a directory that is no container's: containers/{entry}: {:?}", list_dir(&root.join("containers").join(&entry))));
        }
    }
    for entry in entries("names") {
        if !names.contains_key(&entry) {
            return Err(format!("a name that is no container's: names/{entry}"));
        }
    }
    // Processes and cgroups.
    let mut supervisors = HashMap::new();
    for (id, state) in &ids {
        if matches!(state.as_str(), "running" | "paused") {
            let pid: i32 = ask(&["inspect", "--format", "{{.State.Pid}}", id])?.trim().parse().unwrap_or(0);
            if pid <= 1 || !Path::new(&format!("/proc/{pid}")).exists() {
                return Err(format!("{id} is {state}, and its process {pid} is not there"));
            }
            if let Some(supervisor) = parent(pid) {
                supervisors.insert(supervisor, id.clone());
            }
        }
    }
    let restarting = ids.values().filter(|state| *state == "restarting").count();
    let mut spare = Vec::new();
    for process in processes() {
        if process.zombie {
            continue;
        }
        if let Some(id) = id_in(&process.cgroup) {
            if !matches!(ids.get(&id).map(String::as_str), Some("running" | "paused" | "restarting")) {
                return Err(format!("a process of a container that is {:?}: {} {}", ids.get(&id), process.pid, process.command));
            }
        } else if process.command.contains("mydocker") && !supervisors.contains_key(&process.pid) {
            spare.push(format!("{} {}", process.pid, process.command));
        } else if !process.command.is_empty() && !process.command.contains("mydocker") {
            return Err(format!("a process that is nobody's: {} {}", process.pid, process.command));
        }
    }
    if spare.len() > restarting {
        return Err(format!("supervisors of nobody: {spare:?}\n{list}"));
    }
    for cgroup in cgroups() {
        let id = id_in(&cgroup).unwrap_or_default();
        if std::env::var_os("MODEL_SHARED").is_some() && !ids.contains_key(&id) {
            continue;
        }
        if !matches!(ids.get(&id).map(String::as_str), Some("running" | "paused" | "restarting")) {
            return Err(format!("a cgroup of a container that is {:?}: {cgroup}", ids.get(&id)));
        }
    }
    let now = mounts();
    if now != mounts_before {
        return Err(format!("mounts are left:\n{now}"));
    }
    Ok(())
}

fn list_dir(path: &Path) -> Vec<String> {
    fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

// --- a run of all workers ------------------------------------------------------------------------------------------------------------

struct Setting {
    mydocker: PathBuf,
    dir: PathBuf,
    store: PathBuf,
    mounts: String,
    kills: bool,
}

struct Failure {
    worker: Option<usize>,
    why: String,
}

/// A new store, and nobody who still uses the one before.
fn fresh(setting: &Setting) -> PathBuf {
    end_all();
    let root = setting.dir.join("root");
    // What is immutable or mounted would fail here, loudly.
    if root.exists() {
        fs::remove_dir_all(&root).expect("the store of before is removed");
    }
    let status = Command::new("cp").arg("-a").arg(&setting.store).arg(&root).status().expect("cp");
    assert!(status.success(), "cp of the store");
    root
}

/// Everything else in this namespace.
fn end_all() {
    for _ in 0..200 {
        let others: Vec<Process> = processes().into_iter().filter(|process| !process.zombie).collect();
        if others.is_empty() {
            break;
        }
        for process in others {
            // A paused one cannot die.
            if let Some(id) = id_in(&process.cgroup) {
                for cgroup in cgroups().iter().filter(|cgroup| cgroup.ends_with(&id)) {
                    let _ = fs::write(Path::new(cgroup).join("freezer.state"), "THAWED");
                    let _ = fs::write(Path::new(cgroup).join("cgroup.freeze"), "0");
                }
            }
            // SAFETY: a plain system call; see above who is in this namespace.
            unsafe { kill(process.pid, 9) };
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for _ in 0..50 {
        let left: Vec<String> = cgroups().into_iter().filter(|cgroup| fs::remove_dir(cgroup).is_err()).collect();
        if left.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs the steps of each worker beside the others'. With `generate`, they are made as it goes.
fn all_workers(setting: &Setting, steps: &mut [Vec<Step>], generate: Option<(usize, u64)>) -> (usize, Option<Failure>) {
    let root = fresh(setting);
    let workers = steps.len();
    let mut worlds: Vec<Vec<World>> = vec![vec![World::default()]; workers];
    let mut randoms: Vec<Random> = (0..workers as u64).map(|worker| Random(generate.map_or(0, |(_, seed)| seed.wrapping_mul(1_000_003).wrapping_add(worker)))).collect();
    let mut versions = vec![0u32; workers];
    let total = generate.map_or(steps.iter().map(Vec::len).max().unwrap_or(0), |(total, _)| total.div_ceil(workers));
    let mut count = 0;
    let mut at = 0;
    while at < total {
        let until = (at + ROUND).min(total);
        if generate.is_some() {
            for worker in 0..workers {
                for _ in at..until {
                    let step = random_step(&mut randoms[worker], &mut versions[worker], setting.kills);
                    steps[worker].push(step);
                }
            }
        }
        let failed = AtomicBool::new(false);
        let results: Vec<(usize, Vec<World>, Option<String>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers)
                .map(|worker| {
                    let (root, failed, known) = (&root, &failed, worlds[worker].clone());
                    let mine: Vec<Step> = steps[worker].iter().skip(at).take(until - at).cloned().collect();
                    scope.spawn(move || {
                        let dir = setting.dir.join(format!("w{worker}"));
                        let _ = fs::create_dir_all(&dir);
                        let bench = Bench { mydocker: &setting.mydocker, root, dir, worker };
                        let mut known = known;
                        for (number, step) in mine.iter().enumerate() {
                            if failed.load(Ordering::Relaxed) {
                                return (number, known, None);
                            }
                            match take(&bench, step, known.clone()) {
                                Ok(after) => known = after,
                                Err(why) => {
                                    failed.store(true, Ordering::Relaxed);
                                    return (number + 1, known, Some(why));
                                }
                            }
                        }
                        (mine.len(), known, None)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a worker")).collect()
        });
        let mut failure = None;
        for (worker, (done, known, why)) in results.into_iter().enumerate() {
            count += done;
            worlds[worker] = known;
            if let Some(why) = why {
                failure = Some(Failure { worker: Some(worker), why });
            }
            if failed.load(Ordering::Relaxed) {
                steps[worker].truncate(at + done);
            }
        }
        if failure.is_none() {
            failure = look(&setting.mydocker, &root, &setting.mounts).err().map(|why| Failure { worker: None, why });
            if failure.is_some() {
                for steps in steps.iter_mut() {
                    steps.truncate(until);
                }
            }
        }
        if failure.is_some() {
            return (count, failure);
        }
        if generate.is_some() && (at / ROUND) % 8 == 7 {
            println!("  {count} steps; {} worlds are known to be possible", worlds.iter().map(Vec::len).sum::<usize>());
        }
        at = until;
    }
    // At the end everything is removed, and then nothing is there.
    let failure = finish(setting, &root).err().map(|why| Failure { worker: None, why });
    (count, failure)
}

fn finish(setting: &Setting, root: &Path) -> Result<(), String> {
    let run = |words: &[&str]| Command::new(&setting.mydocker).args(words).env("MYDOCKER_ROOT", root).stdin(Stdio::null()).output().expect("mydocker");
    let list = String::from_utf8_lossy(&run(&["ps", "-aq"]).stdout).into_owned();
    for id in list.lines() {
        let output = run(&["rm", "-f", id]);
        // One with --rm that ends just now is gone before.
        if !output.status.success() && !String::from_utf8_lossy(&output.stderr).to_lowercase().contains("no such container") {
            return Err(format!("rm -f at the end: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    look(&setting.mydocker, root, &setting.mounts)?;
    let left = [list_dir(&root.join("containers")), list_dir(&root.join("names"))].concat();
    if !left.is_empty() {
        return Err(format!("left after everything was removed: {left:?}"));
    }
    Ok(())
}

// --- shorter -----------------------------------------------------------------------------------------------------------------------

fn fails(setting: &Setting, steps: &[Vec<Step>], tries: usize, worker: bool) -> Option<(Vec<Vec<Step>>, Failure)> {
    for _ in 0..tries {
        let mut candidate = steps.to_vec();
        if let (_, Some(failure)) = all_workers(setting, &mut candidate, None) {
            // What a machine that is busy makes of a look at everything is not what a worker has found, nor the reverse.
            if failure.worker.is_some() == worker {
                return Some((candidate, failure));
            }
        }
    }
    None
}

fn total(steps: &[Vec<Step>]) -> usize {
    steps.iter().map(Vec::len).sum()
}

/// Removes whatever it fails without.
fn shrink(setting: &Setting, steps: Vec<Vec<Step>>, failure: Failure, seconds: u64) -> (Vec<Vec<Step>>, Failure, bool) {
    let from = Instant::now();
    let time = || from.elapsed() < Duration::from_secs(seconds);
    let mut best = (steps, failure);
    let mut again = false;
    let worker = best.1.worker.is_some();
    // One worker alone, and of its steps the last ones: mostly that is enough.
    let only = |worker: usize, steps: &[Vec<Step>], last: usize| -> Vec<Vec<Step>> {
        steps.iter().enumerate().map(|(number, mine)| if number == worker { mine[mine.len().saturating_sub(last)..].to_vec() } else { vec![] }).collect()
    };
    if let Some(number) = best.1.worker {
        for last in [8, 25, 100, usize::MAX] {
            if let Some(found) = time().then(|| fails(setting, &only(number, &best.0, last), 3, worker)).flatten() {
                best = found;
                again = true;
                break;
            }
        }
    }
    if !again {
        let tail = |last: usize, steps: &[Vec<Step>]| -> Vec<Vec<Step>> { steps.iter().map(|mine| mine[mine.len().saturating_sub(last)..].to_vec()).collect() };
        for last in [ROUND, 4 * ROUND, usize::MAX] {
            if let Some(found) = time().then(|| fails(setting, &tail(last, &best.0), 2, worker)).flatten() {
                best = found;
                again = true;
                break;
            }
        }
    }
    if !again {
        return (best.0, best.1, false);
    }
    let mut chunk = total(&best.0).div_ceil(2);
    while chunk > 0 && time() {
        let mut at = 0;
        let mut less = false;
        while at < total(&best.0) && time() {
            let mut candidate: Vec<Vec<Step>> = Vec::new();
            let mut number = 0;
            for mine in &best.0 {
                let mut kept = Vec::new();
                for step in mine {
                    if number < at || number >= at + chunk {
                        kept.push(step.clone());
                    }
                    number += 1;
                }
                candidate.push(kept);
            }
            if let Some(found) = fails(setting, &candidate, 3, worker) {
                best = found;
                less = true;
            } else {
                at += chunk;
            }
        }
        if chunk == 1 && !less {
            break;
        }
        chunk = if chunk == 1 { 1 } else { chunk / 2 };
    }
    // A step of two, or one that kills, as a plain one.
    for worker in 0..best.0.len() {
        for number in 0..best.0[worker].len() {
            for what in 0..3 {
                let Some(step) = best.0[worker].get(number) else { continue };
                let mut plain = step.clone();
                match what {
                    0 if plain.second.is_some() => plain.second = None,
                    1 if plain.second.is_some() => plain.first = plain.second.take().unwrap_or(plain.first),
                    2 if plain.kill.is_some() => plain.kill = None,
                    _ => continue,
                }
                let mut candidate = best.0.clone();
                candidate[worker][number] = plain;
                if let Some(found) = time().then(|| fails(setting, &candidate, 2, best.1.worker.is_some())).flatten() {
                    best = found;
                }
            }
        }
    }
    (best.0, best.1, true)
}

fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn shell(worker: usize, op: Op) -> String {
    if let Op::KillSupervisor(name) = op {
        return format!("kill -9 $(awk '/^PPid/ {{ print $2 }}' /proc/$(mydocker inspect --format '{{{{.State.Pid}}}}' w{worker}-{name})/status)");
    }
    format!("mydocker {}", words(worker, op).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

fn script(steps: &[Vec<Step>]) -> String {
    let mut text = String::from("#!/bin/sh\n# needs an image called busybox in a store of its own: MYDOCKER_ROOT\n");
    let many = steps.iter().filter(|mine| !mine.is_empty()).count() > 1;
    for (worker, mine) in steps.iter().enumerate().filter(|(_, mine)| !mine.is_empty()) {
        if many {
            text.push_str("(\n");
        }
        for step in mine {
            for op in [Some(step.first), step.second].into_iter().flatten() {
                if let Op::CopyIn(_, version) = op {
                    let _ = writeln!(text, "echo v{version} >f{version}");
                }
            }
            let line = shell(worker, step.first);
            let _ = match (step.kill, step.second) {
                (Some(after), _) => writeln!(text, "timeout -s KILL {}.{:06} {line}", after / 1_000_000, after % 1_000_000),
                (_, Some(second)) => writeln!(text, "{line} & {} & wait", shell(worker, second)),
                _ => writeln!(text, "{line}"),
            };
        }
        if many {
            text.push_str(") &\n");
        }
    }
    if many {
        text.push_str("wait\n");
    }
    text
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, mydocker, image, dir, rest @ ..] = words.as_slice() else {
        eprintln!("usage: model MYDOCKER IMAGE.tar DIRECTORY [--steps N] [--workers N] [--seed N] [--shrink SECONDS] [--kills 0]");
        std::process::exit(2);
    };
    if std::process::id() == 1 {
        reaper();
    }
    assert_eq!(parent(std::process::id() as i32), Some(1), "it kills all that is in its pid namespace: tests/model/run makes one");
    let number = |flag: &str, otherwise: u64| rest.iter().position(|word| word == flag).and_then(|at| rest.get(at + 1)).map_or(otherwise, |word| word.parse().expect("a number"));
    let (steps, workers, seed, seconds) = (number("--steps", 5_000) as usize, number("--workers", 8) as usize, number("--seed", 1), number("--shrink", 120));
    let (mydocker, dir) = (PathBuf::from(mydocker), PathBuf::from(dir));
    let store = dir.join("store");
    let made = Command::new(&mydocker).args(["import", image, "busybox"]).env("MYDOCKER_ROOT", &store).stdout(Stdio::null()).status().expect("mydocker is executed");
    assert!(made.success(), "the image is imported");
    let setting = Setting { mydocker, dir, store, mounts: mounts(), kills: number("--kills", 1) != 0 };
    let from = Instant::now();
    println!("{steps} steps, {workers} at a time, seed {seed} (worker N: {seed} * 1000003 + N)");
    let mut all = vec![Vec::new(); workers];
    let (count, failure) = all_workers(&setting, &mut all, Some((steps, seed)));
    let took = from.elapsed().as_secs_f32();
    let Some(failure) = failure else {
        end_all();
        println!("{count} steps in {took:.0} s, and all that must hold held");
        return;
    };
    println!("FAILED after {count} steps and {took:.0} s, seed {seed}{}:", failure.worker.map_or(String::new(), |worker| format!(", worker {worker}")));
    println!("{}", failure.why);
    let worker = failure.worker;
    let (short, failure, again) = shrink(&setting, all, failure, seconds);
    end_all();
    if again {
        println!("It fails with these {} steps too:\n{}\n{}", total(&short), script(&short), failure.why);
    } else {
        let tail: Vec<Vec<Step>> = short.iter().enumerate().map(|(number, mine)| if worker.is_none_or(|worker| worker == number) { mine[mine.len().saturating_sub(25)..].to_vec() } else { vec![] }).collect();
        println!("It did not fail again; what was typed last:\n{}", script(&tail));
    }
    std::process::exit(1);
}
