//! The story of `exec`: a command in a container that runs.

use crate::attach::{KEYS, keys};
use crate::cgroup::freezer;
use crate::cli::{self, Given, kind};
use crate::detach::{Tell, background};
use crate::diagnose::{self, Failure};
use crate::error::{Error, NOT_EXECUTABLE, Result};
use crate::image::{Image, config};
use crate::perform::{self, FORKED, TAKEN_OVER};
use crate::plan::exec::Join;
use crate::plan::{self, CONTAINER, Entry, MASTER, Plan, SUPERVISOR, Step};
use crate::record::{Record, Status};
use crate::spec::Spec;
use crate::store::{self, Store};
use crate::supervise::{self, Watch};
use crate::sys::call::Slots;
use crate::sys::name::{Name, Text, t};
use crate::sys::process::{self, STDIN};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, OwnedFd, exe, fs, terminal};
use crate::text::{Line, Push, keep};
use crate::trace::Trace;
use crate::{assemble, cgroup, explain, host, init, userns};
use core::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// `mydocker exec`: the command's exit code.
pub fn exec(given: &Given) -> Result<u8> {
    if given.has("tty") && given.has("interactive") && !given.has("detach") && !terminal::is_terminal(STDIN) {
        return Err(Error::new(text!("the input device is not a TTY"), &[])
            .hint(text!("-t and -i together need a terminal on standard input"), &[]));
    }
    // What the caller has left open is nothing to us, and the container must not get at it.
    let _ = process::close_from(3).or_else(|_| perform::each_descriptor(process::close));
    let own_program = exe::can_change_program();
    if !own_program && !exe::is_sealed() {
        return Err(Error::sys(text!("run a sealed copy of the program"), t(c""), process::run_sealed()));
    }
    let rootless = userns::ids(None)?.is_some();
    // An ordinary user stays where he is: it is the container's user namespace that he has rights in, not one of his own.
    let store = Store::open(store::path(given.value("root"), rootless)?, rootless)?;
    let record = store.find(given.word())?;
    if record.state().status == Status::Restarting {
        return Err(Error::new(text!("container % is restarting, wait until it is running"), &[record.known_as()]));
    }
    let (container, pid) = record.command()?;
    let join = |tell: &mut Option<Tell>| {
        joined(given, &store, &record, (&container, pid), own_program, tell).map_err(|error| {
            // Whatever it was that could not be done, it is because the container has ended; or its process has no root any
            // more, and waits for the others of its namespace to go (zap_pid_ns_processes).
            let root = fs::open_follow(fs::CWD, proc_path(pid, b"/root"), libc::O_PATH, 0);
            let is_ending = matches!(root, Err(Errno::ENOENT | Errno::ESRCH));
            if is_ending || process::has_ended(container.as_fd()) { record.not_running() } else { error }
        })
    };
    if !given.has("detach") || given.has("explain") {
        return join(&mut None);
    }
    // Somebody has to wait for the command, and to read what it writes to its terminal.
    let done = background(&mut |tell| {
        join(&mut Some(tell)).unwrap_or_else(|error| {
            let error = given.command.failed(error);
            error.print();
            error.exit_code()
        })
    });
    done.map_err(|errno| Error::sys(text!("create the process"), t(c""), errno))
}

fn joined(
    given: &Given,
    store: &Store,
    record: &Record,
    (container, pid): (&OwnedFd, i32),
    own_program: bool,
    tell: &mut Option<Tell>,
) -> Result<u8> {
    let keys = given.value("detach-keys").map_or(Ok(KEYS), keys)?;
    let looked = |errno| Error::sys(text!("look at container"), record.known_as(), errno);
    let root = fs::open_follow(fs::CWD, proc_path(pid, b"/root"), libc::O_PATH | libc::O_DIRECTORY, 0);
    let spec = ManuallyDrop::new(compose(given, store, record, root.map_err(looked)?)?);
    let mut host = ManuallyDrop::new(host::process(&spec, userns::of(pid).map_err(looked)?)?);
    host.has.program = own_program;
    let status = fs::read_file(proc_path(pid, b"/status"), 4096).map_err(looked)?;
    let layout = cgroup::look(&spec.limits, cgroup::DEVICES | cgroup::FREEZER);
    if freezer::is_frozen(&layout, record.id) {
        return Err(Error::new(text!("container % is paused, unpause it first"), &[record.known_as()]));
    }
    let cgroups = ManuallyDrop::new(cgroup::of(pid, record.id, &layout).map_err(looked)?);
    let join = Join {
        spec: &spec,
        cgroups: &cgroups,
        bounding: host::set(status, b"CapBnd:\t"),
        privileged: given.has("privileged"),
        detached: given.has("detach"),
    };
    process::block_signals().map_err(looked)?;
    process::default_action(libc::SIGCHLD).map_err(looked)?;
    loop {
        let plan = ManuallyDrop::new(plan::exec::build(&join, &host)?);
        if given.has("explain") {
            return crate::print(&explain::plan(&plan));
        }
        let mut slots = Slots::new(plan.slots);
        let held = if host.has.pidfd {
            fs::duplicate(container.as_fd())
        } else {
            fs::open(fs::CWD, proc_path(pid, b""), libc::O_PATH | libc::O_DIRECTORY, 0)
        };
        slots.set(CONTAINER, Some(held.map_err(looked)?));
        // All that was found by its number was the container's as long as it lives.
        if process::has_ended(container.as_fd()) {
            return Err(record.not_running());
        }
        match attempt(&join, &plan, &mut slots, keys, tell) {
            // What this kernel hasn't got is known by trying it; the next plan does without.
            Err(Stopped { step: Some((step, errno)), .. }) if host.has.without(step, errno) => {}
            Err(stopped) => return Err(stopped.error),
            Ok(code) => return Ok(code),
        }
    }
}

/// A file of a process in /proc.
fn proc_path(pid: i32, name: &[u8]) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/").dec(pid as u64).put(name))
}

/// What the command is given: as the container's own, but for what was said.
fn compose(given: &Given, store: &Store, record: &Record, root: OwnedFd) -> Result<Spec> {
    let mut options = ManuallyDrop::new(record.options()?);
    let mut env = Vec::new();
    for file in given.values("env-file") {
        cli::env::file(file, &mut |line| cli::env::entry(line, Default::default(), true, &mut env))?;
    }
    for entry in given.values("env") {
        cli::env::entry(entry.to_bytes(), Default::default(), false, &mut env)?;
    }
    if let Some(dir) = given.value("workdir") {
        if (kind::PATH.read)(dir.to_bytes()).is_none() {
            return Err(
                Error::new(text!("--% %: %"), &[t(c"workdir"), dir, kind::PATH.wants.text()]).code(NOT_EXECUTABLE)
            );
        }
        options.cwd = Some(keep(&cli::clean(dir.to_bytes())));
    }
    options.user = given.value("user").or(options.user);
    options.entrypoint = Some(t(c""));
    options.words = given.words.get(1..).unwrap_or_default();
    options.live = Some(root);
    let process = &mut options.spec.process;
    (process.tty, process.init) = (given.has("tty"), false);
    process.stdin = given.has("interactive") && !given.has("detach");
    options.spec.kept = false;
    let image = Image::recorded(record.layers.clone(), record.image_id);
    assemble::compose(&mut options, &image, record.image, record.id, store.dir())
        .map_err(|error| error.code(NOT_EXECUTABLE))?;
    let process = &mut options.spec.process;
    for entry in env {
        config::put(&mut process.env, entry);
    }
    Ok(core::mem::take(&mut options.spec))
}

/// A regular file of a container that runs: ENXIO for what is none. Not opened before it is known to be one, and then that
/// very file: the container may exchange it meanwhile.
pub fn open_live(root: BorrowedFd, path: Name) -> core::result::Result<OwnedFd, Errno> {
    let found = open_in_root(root, path, libc::O_PATH, 0)?;
    if fs::kind(&fs::fstat(found.as_fd())?) != libc::S_IFREG {
        return Err(Errno::ENXIO);
    }
    fs::reopen(found.as_fd(), libc::O_RDONLY | libc::O_NONBLOCK)
}

/// What a command that goes on writes to its terminal is read by another process, so that it never waits for that.
fn nobody_reads(slots: &Slots) -> core::result::Result<u8, Errno> {
    background(&mut |tell| {
        tell.executed();
        let (master, mut buf) = (slots.get(MASTER), [0; 4096]);
        let ready = || process::PollFd { fd: master.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        while process::poll(&mut [ready()], None).is_ok() && fs::read(master, &mut buf).is_ok_and(|count| count > 0) {}
        0
    })
}

/// What came to nothing.
struct Stopped<'a> {
    /// The step that failed.
    step: Option<(&'a Step, Errno)>,
    error: Error,
}

type Done<'a, T> = core::result::Result<T, Stopped<'a>>;

/// An ordinary user's cgroups have to have one above them both that is his.
fn refused(entry: &Entry, errno: Errno) -> Error {
    let error = perform::describe(entry, errno);
    if !matches!(entry.step, Step::Clone3(..)) || errno != Errno::EACCES {
        return error;
    }
    error.hint(text!("mydocker has to be started in the same delegated tree: systemd-run --user --scope"), &[])
}

/// The steps, then beside the command until it has ended: its exit code.
fn attempt<'a>(
    join: &Join,
    plan: &'a Plan,
    slots: &mut Slots,
    keys: &'static [u8],
    tell: &mut Option<Tell>,
) -> Done<'a, u8> {
    let mut pid = 0;
    for entry in &plan.outside {
        let done = match entry.step {
            Step::Clone(_) | Step::Clone3(..) => {
                init::create(plan, &entry.step, slots, Trace::OFF).map(|child| pid = child)
            }
            _ => perform::step(entry, slots),
        };
        done.map_err(|errno| Stopped { step: Some((&entry.step, errno)), error: refused(entry, errno) })?;
    }
    slots.close_but(plan::OURS);
    let lost = |errno| Stopped { step: None, error: Error::sys(text!("relay the command's streams"), t(c""), errno) };
    let mut watch = Watch { stop: (libc::SIGTERM, 0), keys, ..Watch::default() };
    let mut command = 0;
    // What is said until the command is a process of the container, or until (-d) it is executed.
    loop {
        match process::receive(slots.get(SUPERVISOR)).map_err(lost)? {
            Some((TAKEN_OVER, master)) => slots.set(MASTER, master),
            Some(([FORKED, child, _], _)) => {
                command = child as i32;
                // A container that may trace could have said it instead: no other process than our child is signalled.
                process::ended(command).map_err(lost)?;
                if tell.is_none() {
                    break;
                }
            }
            other => {
                watch.said = other;
                break;
            }
        }
    }
    if let Some(tell) = tell.take_if(|_| command != 0 && watch.said.is_none()) {
        tell.executed();
    }
    let (_, code) = process::wait(pid, 0).map_err(lost)?;
    let mut code = Ok(code);
    if command != 0 {
        code = process::signal_fd()
            .and_then(|signals| supervise::container(command, &join.spec.process, slots, &signals, &mut watch));
        if watch.detached {
            nobody_reads(slots).map_err(lost)?;
            return Err(Stopped { step: None, error: Error::new(text!("read escape sequence"), &[]).code(1) });
        }
        if code.is_err() {
            let _ = process::kill(command, libc::SIGKILL).and_then(|()| process::wait(command, 0));
        }
        if watch.said.is_none() {
            watch.said = process::receive(slots.get(SUPERVISOR)).unwrap_or(None);
        }
    }
    match watch.said.and_then(|said| Failure::of(plan, said)) {
        Some(failure) => Err(Stopped {
            step: Some((&failure.entry.step, failure.errno)),
            error: diagnose::inside(join.spec, &failure),
        }),
        None => code.map_err(lost),
    }
}
