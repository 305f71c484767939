// What must hold: a small machine that knows what docker would do. It is not deterministic (a command may end while another
// starts, a killed command may have done its work or not), so what is known is a set of worlds; what mydocker answers takes
// away those in which docker could not have answered so, and when none is left, it is mydocker that is wrong.

/// What a container runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Program {
    /// For ever; PID 1, so SIGTERM is nothing to it.
    Sleep,
    /// For ever; 7 at SIGTERM.
    Trap,
    /// Ends by itself.
    Quick(u8),
    /// The same, a fifth of a second later.
    Slow(u8),
    /// Is not in the image.
    Missing,
}

/// What becomes of it at its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Policy {
    No,
    /// `--rm`
    Remove,
    /// `--restart on-failure:2`
    OnFailure,
    /// `--restart always`
    Always,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    Created,
    Running,
    /// Killed, and shown as running for some more moments.
    Dying(u8),
    Paused,
    Restarting,
    Exited(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Container {
    pub program: Program,
    pub policy: Policy,
    pub status: Status,
    /// Which version of the file /f it has; 0: none.
    pub file: u32,
    /// It has the volume.
    pub volume: bool,
    /// Lines that its log has at least, and at most.
    pub lines: (u16, u16),
    /// Stopped or killed by a command: no restart follows.
    pub manual: bool,
    /// Who started it was killed, and what that had begun goes on.
    pub pending: bool,
}

/// A worker's names.
pub const NAMES: usize = 3;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct World {
    pub containers: [Option<Container>; NAMES],
    /// The image that was committed, and which version of /f is in it.
    pub image: Option<u32>,
    pub volume: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    RunD { name: usize, program: Program, policy: Policy, volume: bool },
    Create { name: usize, program: Program, policy: Policy },
    Start(usize),
    Stop(usize),
    Kill(usize),
    Wait(usize),
    Restart(usize),
    Pause(usize),
    Unpause(usize),
    Rm { name: usize, force: bool },
    Rename(usize, usize),
    Logs(usize),
    Exec(usize, u8),
    Inspect(usize),
    Ps,
    Diff(usize),
    CopyIn(usize, u32),
    CopyOut(usize),
    Export(usize),
    Commit(usize),
    RunImage,
    Run(u8),
    Rmi,
    VolumeCreate,
    VolumeRm,
    Top(usize),
    Stats(usize),
    Update(usize),
    KillSupervisor(usize),
    /// On one of the names that all workers use: whatever has a meaning may come.
    Shared(usize, usize),
}

/// What a command answers: the errors are those that the manual knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Ok,
    /// The exit code of what ran inside.
    Code(u8),
    NoContainer,
    NotRunning,
    Taken,
    Paused,
    NotPaused,
    MustStop,
    NotFound,
    SameName,
    NoImage,
    NoVolume,
    InUse,
    NoFile,
    /// It was still waiting, and was ended by us.
    Blocked,
    /// Something else: always wrong.
    Other,
}

/// What the answer must have on stdout.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    Any,
    Is(String),
    /// So many lines that say "line".
    Lines(u16, u16),
}

pub struct Done {
    pub answer: Answer,
    pub text: Text,
    pub world: World,
}

pub enum Next {
    Done(Done),
    /// A command is not one moment: others can come between its phases.
    More(u8, World),
}

impl Container {
    pub fn alive(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused | Status::Dying(_) | Status::Restarting)
    }

    fn begin(&mut self) {
        self.status = Status::Running;
        self.manual = false;
        self.pending = false;
        let most = if matches!(self.policy, Policy::OnFailure) { 3 } else { 1 };
        self.lines.1 = if self.policy == Policy::Always { u16::MAX } else { self.lines.1.saturating_add(most) };
    }
}

/// A container that ends with a code; `natural`: by itself, so its line is in the log.
fn ended(mut container: Container, code: u8, natural: bool) -> Option<Container> {
    if container.policy == Policy::Remove {
        return None;
    }
    container.status = Status::Exited(code);
    if natural {
        container.lines.0 += 1;
    }
    Some(container)
}

/// The moment between the end of one with --rm and its removal.
fn ending(container: &Container, code: u8, all: &mut Vec<Option<Container>>) {
    if container.policy == Policy::Remove {
        all.push(Some(Container { status: Status::Exited(code), ..*container }));
    }
}

/// What one container may become by itself.
fn by_itself(container: &Container) -> Vec<Option<Container>> {
    let mut all = Vec::new();
    let restarts = |code: u8| match container.policy {
        Policy::Always => true,
        Policy::OnFailure => code != 0,
        _ => false,
    };
    match (container.status, container.program) {
        (Status::Running, Program::Quick(code) | Program::Slow(code)) => {
            if restarts(code) && !container.manual {
                let mut again = *container;
                again.status = Status::Restarting;
                all.push(Some(again));
                if container.policy == Policy::OnFailure {
                    all.push(ended(*container, code, true));
                }
            } else {
                all.push(ended(*container, code, true));
                ending(container, code, &mut all);
            }
        }
        (Status::Restarting, Program::Quick(code) | Program::Slow(code)) => {
            let mut again = *container;
            again.status = Status::Running;
            all.push(Some(again));
            if container.policy == Policy::OnFailure || container.manual {
                all.push(ended(*container, code, false));
            }
        }
        (Status::Restarting, _) => {
            let mut again = *container;
            again.status = Status::Running;
            all.push(Some(again));
        }
        (Status::Dying(code), _) => {
            all.push(ended(*container, code, false));
            ending(container, code, &mut all);
        }
        (Status::Exited(_), _) if container.policy == Policy::Remove && !container.pending => all.push(None),
        (Status::Created | Status::Exited(_), program) if container.pending => {
            let mut begun = *container;
            begun.begin();
            if program != Program::Missing {
                all.push(Some(begun));
            } else if container.policy == Policy::Remove {
                all.push(None);
            }
        }
        _ => {}
    }
    all
}

/// The worlds that these may become while nobody does anything.
pub fn closure(worlds: Vec<World>) -> Vec<World> {
    let mut all: Vec<World> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut todo = worlds;
    while let Some(world) = todo.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        for name in 0..NAMES {
            if let Some(container) = &world.containers[name] {
                for then in by_itself(container) {
                    let mut next = world.clone();
                    next.containers[name] = then;
                    todo.push(next);
                }
            }
        }
        all.push(world);
        assert!(all.len() < 200_000, "too many worlds");
    }
    all
}

fn status_word(status: Status) -> (&'static str, u8) {
    match status {
        Status::Created => ("created", 0),
        Status::Running | Status::Dying(_) => ("running", 0),
        Status::Paused => ("paused", 0),
        Status::Restarting => ("restarting", 0),
        Status::Exited(code) => ("exited", code),
    }
}

fn done(answer: Answer, world: &World) -> Vec<Next> {
    vec![Next::Done(Done { answer, text: Text::Any, world: world.clone() })]
}

fn says(answer: Answer, text: Text, world: &World) -> Next {
    Next::Done(Done { answer, text, world: world.clone() })
}

/// SIGTERM or SIGKILL by a command: the codes that may come of it.
fn codes(program: Program, term: bool) -> Vec<u8> {
    match program {
        // The trap may not be set yet; then SIGKILL follows.
        Program::Trap if term => vec![7, 137],
        // It may just end by itself.
        Program::Quick(code) | Program::Slow(code) => vec![137, code],
        _ => vec![137],
    }
}

/// Between two runs the files of a container are nobody's to read: said after a while of waiting.
fn between(container: &Container, world: &World) -> Vec<Next> {
    match container.status {
        Status::Restarting => done(Answer::NotRunning, world),
        _ => vec![],
    }
}

/// What a command does in one phase in one world.
pub fn phase(op: Op, phase: u8, world: &World) -> Vec<Next> {
    let with = |name: usize, container: Option<Container>| {
        let mut next = world.clone();
        next.containers[name] = container;
        next
    };
    let existing = |name: usize, then: &dyn Fn(Container) -> Vec<Next>| match world.containers[name] {
        Some(container) => then(container),
        None => done(Answer::NoContainer, world),
    };
    match op {
        Op::RunD { name, program, policy, volume } => match phase {
            0 if world.containers[name].is_some() => done(Answer::Taken, world),
            0 => {
                let container = Container { program, policy, status: Status::Created, file: 0, volume, lines: (0, 0), manual: false, pending: false };
                let mut next = with(name, Some(container));
                next.volume |= volume;
                vec![Next::More(1, next)]
            }
            _ => match world.containers[name] {
                None => vec![says(Answer::NoContainer, Text::Any, world), says(Answer::Ok, Text::Any, world)],
                Some(container) if program == Program::Missing => {
                    let left = if policy == Policy::Remove { None } else { Some(container) };
                    done(Answer::NotFound, &with(name, left))
                }
                Some(mut container) if container.status == Status::Created => {
                    container.begin();
                    done(Answer::Ok, &with(name, Some(container)))
                }
                Some(_) => done(Answer::Ok, world),
            },
        },
        Op::Create { name, program, policy } => match world.containers[name] {
            Some(_) => done(Answer::Taken, world),
            None => {
                let status = Status::Created;
                done(Answer::Ok, &with(name, Some(Container { program, policy, status, file: 0, volume: false, lines: (0, 0), manual: false, pending: false })))
            }
        },
        Op::Start(name) => existing(name, &|mut container| match container.status {
            Status::Paused => done(Answer::Paused, world),
            Status::Created | Status::Exited(_) if container.program == Program::Missing => {
                let mut failed = container;
                failed.status = if container.policy == Policy::Remove { container.status } else { container.status };
                let mut all = done(Answer::NotFound, &with(name, Some(failed)));
                if container.policy == Policy::Remove {
                    all.extend(done(Answer::NotFound, &with(name, None)));
                }
                all
            }
            Status::Created | Status::Exited(_) => {
                container.begin();
                done(Answer::Ok, &with(name, Some(container)))
            }
            Status::Dying(_) | Status::Restarting | Status::Running => done(Answer::Ok, world),
        }),
        Op::Stop(name) | Op::Restart(name) => {
            let again = matches!(op, Op::Restart(_));
            match (phase, world.containers[name]) {
                (0, None) => done(Answer::NoContainer, world),
                (0, Some(container)) if container.alive() => {
                    let mut all = Vec::new();
                    if container.status == Status::Restarting {
                        let code = match container.program {
                            Program::Quick(code) | Program::Slow(code) => code,
                            _ => 137,
                        };
                        all.push(Next::More(1, with(name, ended(container, code, false))));
                    }
                    // With no time SIGTERM comes all the same, and it is all there is if who restarts is killed.
                    for code in codes(container.program, true) {
                        let mut dying = container;
                        dying.status = if let Status::Dying(before) = container.status { Status::Dying(before) } else { Status::Dying(code) };
                        dying.manual = true;
                        all.push(Next::More(1, with(name, Some(dying))));
                    }
                    all
                }
                (0, Some(_)) => vec![Next::More(1, world.clone())],
                (_, Some(container)) => {
                    let mut all = Vec::new();
                    let mut over = vec![Some(container)];
                    if let Status::Dying(code) = container.status {
                        // With --rm it stays for once.
                        let stays = Container { status: Status::Exited(code), ..container };
                        over = vec![if again { Some(stays) } else { ended(container, code, false) }];
                    }
                    for container in over {
                        let next = with(name, container);
                        match container {
                            Some(container) if again && !container.alive() => {
                                // What a start does.
                                all.extend(self::phase(Op::Start(name), 0, &next).into_iter().map(|next| match next {
                                    Next::Done(mut done) => {
                                        if done.answer == Answer::NoContainer {
                                            done.answer = Answer::Ok;
                                        }
                                        Next::Done(done)
                                    }
                                    more => more,
                                }));
                            }
                            // With --rm it is gone by its end, and cannot be started again.
                            None if again => {
                                all.push(says(Answer::NoContainer, Text::Any, &next));
                                all.push(says(Answer::Ok, Text::Any, &next));
                            }
                            _ => all.extend(done(Answer::Ok, &next)),
                        }
                    }
                    all
                }
                (_, None) => vec![says(Answer::Ok, Text::Any, world), says(Answer::NoContainer, Text::Any, world)],
            }
        }
        Op::Kill(name) => existing(name, &|container| match container.status {
            Status::Running | Status::Paused | Status::Dying(_) => {
                let mut all = Vec::new();
                for code in codes(container.program, false) {
                    let mut dying = container;
                    dying.status = if let Status::Dying(before) = container.status { Status::Dying(before) } else { Status::Dying(code) };
                    dying.manual = true;
                    all.extend(done(Answer::Ok, &with(name, Some(dying))));
                }
                all
            }
            _ => done(Answer::NotRunning, world),
        }),
        Op::Wait(name) => existing(name, &|container| match container.status {
            Status::Exited(code) => vec![says(Answer::Ok, Text::Is(format!("{code}\n")), world)],
            Status::Created => {
                let mut all = vec![says(Answer::Ok, Text::Is("0\n".into()), world)];
                if container.program == Program::Missing {
                    all.push(says(Answer::Ok, Text::Is("127\n".into()), world));
                }
                all
            }
            Status::Running | Status::Dying(_) | Status::Restarting => {
                let mut all = vec![says(Answer::Blocked, Text::Any, world)];
                // One that is removed by its end tells its code all the same.
                match (container.status, container.program) {
                    (Status::Dying(code), _) => all.push(says(Answer::Ok, Text::Is(format!("{code}\n")), &with(name, ended(container, code, false)))),
                    (_, Program::Quick(code) | Program::Slow(code)) if container.policy == Policy::Remove => {
                        all.push(says(Answer::Ok, Text::Is(format!("{code}\n")), &with(name, None)));
                    }
                    (_, Program::Quick(code) | Program::Slow(code)) if container.policy == Policy::Always => {
                        all.push(says(Answer::Ok, Text::Is(format!("{code}\n")), world));
                    }
                    _ => {}
                }
                all
            }
            Status::Paused => vec![says(Answer::Blocked, Text::Any, world)],
        }),
        // Another one may let it go on before this one is through.
        Op::Pause(name) if phase == 1 => match world.containers[name].map(|container| container.status) {
            Some(Status::Paused | Status::Running) => done(Answer::Ok, world),
            _ => done(Answer::NotRunning, world),
        },
        Op::Pause(name) => existing(name, &|mut container| match container.status {
            Status::Dying(code) => {
                let mut all = done(Answer::NotRunning, &with(name, ended(container, code, false)));
                all.extend(done(Answer::Ok, world));
                all
            }
            Status::Running => {
                container.status = Status::Paused;
                vec![Next::More(1, with(name, Some(container)))]
            }
            Status::Paused => done(Answer::Paused, world),
            _ => done(Answer::NotRunning, world),
        }),
        Op::Unpause(name) => existing(name, &|mut container| match container.status {
            Status::Paused => {
                container.status = Status::Running;
                done(Answer::Ok, &with(name, Some(container)))
            }
            // Somebody else was just pausing it.
            Status::Dying(_) => [Answer::NotPaused, Answer::NotRunning, Answer::Ok].map(|answer| says(answer, Text::Any, world)).into(),
            Status::Running | Status::Restarting => vec![says(Answer::NotPaused, Text::Any, world), says(Answer::NotRunning, Text::Any, world)],
            _ => vec![says(Answer::NotRunning, Text::Any, world), says(Answer::NotPaused, Text::Any, world)],
        }),
        Op::Rm { name, force } => match (phase, world.containers[name]) {
            (0, None) if force => done(Answer::NoContainer, world),
            (0, None) => done(Answer::NoContainer, world),
            (0, Some(container)) if container.alive() && !force => done(Answer::MustStop, world),
            (0, Some(container)) if container.alive() => {
                let mut all = Vec::new();
                for code in codes(container.program, false) {
                    let mut dying = container;
                    dying.status = Status::Dying(code);
                    dying.manual = true;
                    all.push(Next::More(1, with(name, Some(dying))));
                }
                all
            }
            (0, Some(container)) => {
                // Another one may remove it just now too.
                let mut all = vec![Next::More(1, world.clone())];
                if container.pending {
                    all.extend(done(Answer::MustStop, world));
                }
                all
            }
            (_, Some(container)) if container.alive() && !force => done(Answer::MustStop, world),
            (_, None) => vec![says(Answer::Ok, Text::Any, world), says(Answer::NoContainer, Text::Any, world)],
            (_, Some(_)) => done(Answer::Ok, &with(name, None)),
        },
        Op::Rename(from, to) => existing(from, &|container| {
            if from == to {
                return done(Answer::SameName, world);
            }
            if world.containers[to].is_some() {
                return done(Answer::Taken, world);
            }
            let mut next = with(to, Some(container));
            next.containers[from] = None;
            done(Answer::Ok, &next)
        }),
        Op::Logs(name) => existing(name, &|container| vec![says(Answer::Ok, Text::Lines(container.lines.0, container.lines.1), world)]),
        Op::Exec(name, code) => existing(name, &|container| match container.status {
            Status::Running | Status::Dying(_) => {
                let mut all = Vec::new();
                let word = Text::Is("word\n".into());
                if container.status == Status::Running {
                    all.push(says(Answer::Code(code), word.clone(), world));
                }
                // It ends while the command runs.
                let ends: Vec<u8> = match (container.status, container.program) {
                    (Status::Dying(code), _) => vec![code],
                    (_, Program::Quick(code) | Program::Slow(code)) => vec![code],
                    _ => vec![],
                };
                if !ends.is_empty() {
                    all.push(says(Answer::Code(code), word.clone(), world));
                    all.push(says(Answer::Code(137), Text::Any, world));
                    all.push(says(Answer::NotRunning, Text::Any, world));
                }
                all
            }
            Status::Paused => done(Answer::Paused, world),
            Status::Restarting => vec![says(Answer::NotRunning, Text::Any, world), says(Answer::Code(137), Text::Any, world), says(Answer::Code(code), Text::Is("word\n".into()), world)],
            _ => done(Answer::NotRunning, world),
        }),
        Op::Inspect(name) => existing(name, &|container| {
            let (word, code) = status_word(container.status);
            let mut all = vec![says(Answer::Ok, Text::Is(format!("{word} {code}\n")), world)];
            if container.program == Program::Missing {
                all.push(says(Answer::Ok, Text::Is(format!("{word} 127\n")), world));
            }
            if let (Status::Restarting, Program::Quick(code) | Program::Slow(code)) = (container.status, container.program) {
                all.push(says(Answer::Ok, Text::Is(format!("{word} {code}\n")), world));
            }
            all
        }),
        Op::Ps => {
            let mut text = String::new();
            for (name, container) in world.containers.iter().enumerate() {
                if let Some(container) = container {
                    text.push_str(&format!("{name} {}\n", status_word(container.status).0));
                }
            }
            vec![says(Answer::Ok, Text::Is(text), world)]
        }
        Op::Stats(name) | Op::Update(name) => existing(name, &|_| done(Answer::Ok, world)),
        Op::Diff(name) | Op::Export(name) => existing(name, &|container| {
            let mut all = done(Answer::Ok, world);
            all.extend(between(&container, world));
            all
        }),
        Op::Top(name) => existing(name, &|container| match container.status {
            Status::Running | Status::Paused => {
                let mut all = done(Answer::Ok, world);
                if !by_itself(&container).is_empty() {
                    all.extend(done(Answer::NotRunning, world));
                }
                all
            }
            Status::Dying(_) | Status::Restarting => vec![says(Answer::Ok, Text::Any, world), says(Answer::NotRunning, Text::Any, world)],
            _ => done(Answer::NotRunning, world),
        }),
        Op::CopyIn(name, version) => existing(name, &|mut container| {
            let mut all = between(&container, world);
            container.file = version;
            all.extend(done(Answer::Ok, &with(name, Some(container))));
            all
        }),
        Op::CopyOut(name) => existing(name, &|container| {
            let mut all = between(&container, world);
            match container.file {
                0 => all.extend(done(Answer::NoFile, world)),
                version => all.push(says(Answer::Ok, Text::Is(format!("v{version}\n")), world)),
            }
            all
        }),
        // It stands still meanwhile.
        Op::Commit(name) if phase == 0 && world.containers[name].is_some_and(|container| container.status == Status::Running) => {
            let mut paused = world.containers[name];
            paused.iter_mut().for_each(|container| container.status = Status::Paused);
            vec![Next::More(1, with(name, paused)), Next::More(2, world.clone())]
        }
        Op::Commit(name) => existing(name, &|mut container| {
            let mut all = between(&container, world);
            if phase == 1 && container.status == Status::Paused {
                container.status = Status::Running;
            }
            let mut next = with(name, Some(container));
            next.image = Some(container.file);
            all.extend(done(Answer::Ok, &next));
            all
        }),
        Op::RunImage => match world.image {
            None => done(Answer::NoImage, world),
            Some(0) => done(Answer::Code(1), world),
            Some(version) => vec![says(Answer::Code(0), Text::Is(format!("v{version}\n")), world)],
        },
        Op::Run(code) => vec![says(Answer::Code(code), Text::Is("word\n".into()), world)],
        Op::Rmi => match world.image {
            None => done(Answer::NoImage, world),
            Some(_) => {
                let mut next = world.clone();
                next.image = None;
                done(Answer::Ok, &next)
            }
        },
        Op::VolumeCreate => {
            let mut next = world.clone();
            next.volume = true;
            done(Answer::Ok, &next)
        }
        Op::VolumeRm => {
            if !world.volume {
                return done(Answer::NoVolume, world);
            }
            if world.containers.iter().flatten().any(|container| container.volume) {
                return done(Answer::InUse, world);
            }
            let mut next = world.clone();
            next.volume = false;
            done(Answer::Ok, &next)
        }
        Op::KillSupervisor(name) => match world.containers[name] {
            Some(container) if container.alive() => {
                let mut all = done(Answer::Ok, &with(name, ended(container, 255, false)));
                // It was at its end already.
                if let Status::Dying(code) = container.status {
                    all.extend(done(Answer::Ok, &with(name, ended(container, code, false))));
                }
                all
            }
            _ => done(Answer::Ok, world),
        },
        Op::Shared(..) => done(Answer::Ok, world),
    }
}

/// Every world that a command may have left that was killed somewhere on its way.
pub fn killed(op: Op, worlds: Vec<World>) -> Vec<World> {
    let mut all: Vec<World> = worlds.clone();
    let mut todo: Vec<(u8, World)> = closure(worlds).into_iter().map(|world| (0, world)).collect();
    while let Some((at, world)) = todo.pop() {
        for next in phase(op, at, &world) {
            match next {
                Next::Done(done) => all.push(done.world),
                Next::More(at, world) => {
                    // Who stands still for a commit goes on when that is killed: `take` has waited for it.
                    if !matches!(op, Op::Commit(_)) {
                        all.push(world.clone());
                    }
                    todo.extend(closure(vec![world]).into_iter().map(|world| (at, world)));
                }
            }
        }
    }
    // That nobody shall start it again is said before the signal.
    if let Op::Stop(name) | Op::Restart(name) | Op::Kill(name) | Op::Rm { name, force: true } = op {
        for world in all.clone() {
            if let Some(container) = world.containers[name].filter(Container::alive) {
                let mut marked = world.clone();
                marked.containers[name] = Some(Container { manual: true, ..container });
                all.push(marked);
            }
        }
    }
    // One with --rm is let stay before it is stopped, and nobody starts it again then.
    if let Op::Restart(name) = op {
        for world in all.clone() {
            if let Some(container @ Container { status: Status::Dying(code), policy: Policy::Remove, .. }) = world.containers[name] {
                let mut stays = world.clone();
                stays.containers[name] = Some(Container { status: Status::Exited(code), ..container });
                all.push(stays);
            }
        }
    }
    // The supervisor may have begun to be, and not got further.
    if let Op::RunD { name, .. } | Op::Start(name) | Op::Restart(name) = op {
        for world in all.clone() {
            if let Some(container) = world.containers[name] {
                if matches!(container.status, Status::Running | Status::Created) {
                    let mut half = world.clone();
                    half.containers[name] = ended(container, 255, false);
                    all.push(half);
                }
                if !container.alive() {
                    let mut later = world.clone();
                    later.containers[name] = Some(Container { pending: true, ..container });
                    all.push(later);
                }
            }
        }
    }
    closure(all)
}

/// Where two commands given at once can lead: the answers of both, and the world.
pub fn both(a: Op, b: Op, worlds: Vec<World>) -> Vec<(Done, Done)> {
    struct At {
        a: Result<u8, (Answer, Text)>,
        b: Result<u8, (Answer, Text)>,
        world: World,
    }
    let mut all = Vec::new();
    let mut todo: Vec<At> = closure(worlds).into_iter().map(|world| At { a: Ok(0), b: Ok(0), world }).collect();
    while let Some(at) = todo.pop() {
        if let (Err((answer_a, text_a)), Err((answer_b, text_b))) = (&at.a, &at.b) {
            all.push((
                Done { answer: answer_a.clone(), text: text_a.clone(), world: at.world.clone() },
                Done { answer: answer_b.clone(), text: text_b.clone(), world: at.world.clone() },
            ));
            continue;
        }
        for first in [true, false] {
            let (op, now) = if first { (a, &at.a) } else { (b, &at.b) };
            let Ok(number) = now else { continue };
            for next in phase(op, *number, &at.world) {
                let (then, world) = match next {
                    Next::Done(done) => (Err((done.answer, done.text)), done.world),
                    Next::More(number, world) => (Ok(number), world),
                };
                for world in closure(vec![world]) {
                    let (a, b) = if first { (then.clone(), at.b.clone()) } else { (at.a.clone(), then.clone()) };
                    todo.push(At { a, b, world });
                }
            }
        }
    }
    all
}
