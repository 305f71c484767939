//! The story of `run`, top to bottom.

use crate::cli::{Options, Origin};
use crate::diagnose::Failure;
use crate::error::{Error, RUNTIME, Result};
use crate::format::human::{fraction, rfc3339, size};
use crate::init;
use crate::json::write::quote;
use crate::keep::Beside;
use crate::plan::{self, CONTAINER, Entry, Has, Ids, MASTER, NOWHERE, Plan, SUPERVISOR, Step, Undo};
use crate::spec::{ResourceLimit, Spec};
use crate::store::Store;
use crate::supervise::Watch;
use crate::sys::call::{Slot, Slots};
use crate::sys::name::{Text, t};
use crate::sys::process::{self, STDERR, STDIN};
use crate::sys::{Errno, exe, fs, terminal};
use crate::text::{Line, Push};
use crate::trace::Trace;
use crate::{
    assemble, cgroup, cli, detach, diagnose, diff, explain, host, image, keep, perform, record, store, supervise,
    userns,
};
use core::mem::ManuallyDrop;

/// `mydocker run`: the exit code.
pub fn run(args: &'static [Text]) -> Result<u8> {
    // What is known and planned is never freed: the process ends with it.
    let mut options = ManuallyDrop::new(cli::run(args, Origin::default())?);
    if options.help {
        return crate::print(cli::RUN.bytes());
    }
    let detached = options.life.detach && !options.life.keep;
    if options.spec.process.tty && !options.explain && !detached && !terminal::is_terminal(STDIN) {
        return Err(Error::new(text!("the input device is not a TTY"), &[])
            .hint(text!("-t needs a terminal on standard input; use -i alone for a pipe"), &[]));
    }
    if (options.life.detach || options.life.keep) && !options.explain {
        return detach::run(args, &mut options);
    }
    if options.life.restarts() {
        return Err(Error::new(
            text!("--restart needs -d or --keep: a foreground container is removed at its end"),
            &[],
        ));
    }
    let ground = Ground::new(&mut options)?;
    // An import may take long: a signal ends it as it would end tar, and the next one sweeps what it left.
    assemble::complete(&mut options, ground.store.as_ref())?;
    if !options.explain {
        detach::write_id(&options)?;
    }
    container(&options, &ground, None)
}

/// What a start stands on.
pub struct Ground {
    /// The ids of the container's user namespace.
    user: Option<Ids>,
    /// The store's path, and the store, which for --explain need not be there.
    path: Text,
    /// See `path`.
    pub store: Option<Store>,
    /// PR_SET_MM_MAP hides the program.
    own_program: bool,
    dry: bool,
    traced: bool,
    logged: bool,
}

impl Ground {
    /// Enters the user namespace if there is one, and opens the store.
    pub fn new(options: &mut Options) -> Result<Self> {
        let user = userns::ids(options.userns)?;
        let rootless = user.is_some_and(|ids| !ids.remapped);
        let (dry, traced, logged) = (options.explain, options.trace, options.log);
        let own_program = exe::can_change_program();
        if !dry && !own_program && !exe::is_sealed() {
            return Err(Error::sys(text!("run a sealed copy of the program"), t(c""), process::run_sealed()));
        }
        let path = store::path(options.root, rootless)?;
        // Modes are given as they shall be, whatever umask the caller has; the child sets docker's 0022.
        process::clear_umask();
        if !raise(options, process::NOFILE, 1024) | !raise(options, process::FSIZE, u64::MAX) {
            // Then a write fails (EFBIG) instead of ending us halfway; the command gets the signal's default action again.
            let _ = process::ignore(libc::SIGXFSZ);
        }
        // For --explain too: what the store's files look like depends on it.
        user.as_ref().map_or(Ok(()), userns::enter)?;
        let store = open_store(path, dry, rootless)?;
        Ok(Self { user, path, store, own_program, dry, traced, logged })
    }
}

/// Starts the container and stays beside it until it has ended and nothing is left of it but what is kept: its exit code.
pub fn container(options: &Options, ground: &Ground, mut beside: Option<&mut Beside>) -> Result<u8> {
    let spec = &options.spec;
    // Before anything is made: from here on a signal is read in the loop, and cannot end us halfway.
    let failed = |errno| Error::sys(text!("block signals"), t(c""), errno);
    process::block_signals().map_err(failed)?;
    // A caller that ignores SIGCHLD would have the kernel reap the container, exit code and all.
    process::default_action(libc::SIGCHLD).map_err(failed)?;
    let dir = ground.store.as_ref().map_or(fs::CWD, Store::dir);
    let mut host = ManuallyDrop::new(host::look(spec, dir, ground.path, ground.user)?);
    host.has.program = ground.own_program;
    let mut before = None;
    loop {
        // Where there is no way without what has just failed, that is said.
        let plan = ManuallyDrop::new(plan::build(spec, &host).map_err(|error| before.take().unwrap_or(error))?);
        let Some(store) = ground.store.as_ref().filter(|_| !ground.dry) else {
            return crate::print(&explain::plan(&plan));
        };
        if beside.is_none() {
            store.making().map_err(|errno| Error::sys(text!("lock the store"), ground.path, errno))?;
            if !image::is_there(store.dir(), spec.lower.id) {
                return Err(image::gone(spec.lower.named));
            }
        }
        let trace = if ground.traced { Trace::new(&plan)? } else { Trace::OFF };
        let mut start = Start {
            spec,
            plan: &plan,
            store,
            trace,
            logged: ground.logged,
            beside: beside.as_deref_mut(),
            done: 0,
            pid: 0,
            slots: Slots::new(plan.slots),
            watch: Watch {
                timeout: options.timeout,
                stop: (spec.stop_signal as i32, options.life.grace()),
                ..Watch::default()
            },
            begun: if options.stats { process::nanoseconds() } else { 0 },
            diff: options.life.diff,
        };
        let stopped = match start.outside() {
            Ok(()) => start.supervise(),
            Err((entry, errno)) => {
                start.abandon();
                let clean = start.undo(true);
                Err(Stopped {
                    step: Some((&entry.step, errno)),
                    clean,
                    error: diagnose::outside(spec, &host, store, entry, errno),
                })
            }
        };
        match stopped {
            // What this kernel hasn't got is known by trying it; the next plan does without.
            Err(Stopped { step: Some((step, errno)), clean: true, error }) if host.has.without(step, errno) => {
                // What cannot be had without rules for devices says so itself.
                before = Some(error).filter(|_| errno != Errno::ENOSYS && host.has.device_filter);
            }
            Err(Stopped { step: Some((Step::Symlink(..), Errno::EEXIST)), clean: true, .. })
                if spec.name.is_some_and(|name| store.settle(name)) => {}
            Err(stopped) => return Err(stopped.error),
            Ok(code) => return Ok(code),
        }
    }
}

/// A start that came to nothing.
struct Stopped<'a> {
    /// The step that failed, outside or inside.
    step: Option<(&'a Step, Errno)>,
    /// All that was made for it could be taken back.
    clean: bool,
    error: Error,
}

/// The caller's limits are meant for what is run, and the command gets them; mydocker itself needs more. False where it
/// may not have that.
fn raise(options: &mut Options, resource: u32, least: u64) -> bool {
    let (soft, hard) = process::limit(resource);
    if soft >= least {
        return true;
    }
    // Above the hard limit it needs CAP_SYS_RESOURCE.
    let raised = [(least, hard.max(least)), (hard, hard)];
    let raised = raised.iter().find(|&&(soft, hard)| process::set_limit(resource, soft, hard).is_ok());
    let typed = t(c"as it was");
    options.spec.process.rlimits.insert(0, ResourceLimit { resource, soft, hard, typed });
    raised.is_some_and(|&(soft, _)| soft >= least)
}

/// Opened, swept; for --explain only if it is there.
fn open_store(path: Text, dry: bool, rootless: bool) -> Result<Option<Store>> {
    if dry && !fs::exists(path) {
        return Ok(None);
    }
    let store = Store::open(path, rootless)?;
    if !dry {
        store.sweep();
    }
    Ok(Some(store))
}

impl Has {
    /// Takes off what the kernel has just said it hasn't got; false if the error means something else.
    pub fn without(&mut self, step: &Step, errno: Errno) -> bool {
        let before = *self;
        match (step, errno) {
            (
                Step::Fsopen(..) | Step::OpenTree(..) | Step::SetAttr(..) | Step::Fsmount(..) | Step::MoveMount(..),
                Errno::ENOSYS,
            ) => self.detached = false,
            // clone3 with a flag or a size that it doesn't know: EINVAL, E2BIG.
            (Step::Clone3(_, cgroup), Errno::EINVAL | Errno::E2BIG) if *cgroup != NOWHERE => self.into_cgroup = false,
            // EPERM: a filter that is older than the call; clone will say if it is namespaces that are forbidden.
            (Step::Clone3(..), Errno::ENOSYS | Errno::EINVAL | Errno::E2BIG | Errno::EPERM) => self.clone3 = false,
            // Not built in, or not allowed to us: without a say on devices there shall be none.
            (Step::FilterDevices(..), Errno::EPERM | Errno::EINVAL | Errno::ENOSYS) => self.device_filter = false,
            (Step::Option(key, _), Errno::EINVAL) if *key == plan::LOWER => self.lowers = false,
            // Before 6.5 all options are looked at at once. It may be another's file system: that says the same once more.
            (Step::Create, Errno::EINVAL) => self.lowers = false,
            (Step::OpenSelf(_), _) => self.pidfd = false,
            // A pidfd is no namespace before Linux 5.8.
            (Step::Clone(_) | Step::Setns(..), Errno::EINVAL) => self.pidfd = false,
            _ => {}
        }
        *self != before
    }
}

/// A start under way.
struct Start<'a, 'b, 'c> {
    spec: &'a Spec,
    plan: &'a Plan,
    store: &'a Store,
    trace: Trace,
    logged: bool,
    /// For one that is not in the foreground: who is told, and what is written.
    beside: Option<&'b mut Beside<'c>>,
    done: usize,
    pid: i32,
    slots: Slots,
    watch: Watch,
    /// When it began, with --stats; else 0.
    begun: u64,
    /// --diff.
    diff: bool,
}

/// Ends the child. Where it cannot be killed it is not waited for: it ends with this process.
fn end(pid: i32) {
    let _ = process::kill(pid, libc::SIGKILL).and_then(|()| process::wait(pid, 0));
}

impl<'a> Start<'a, '_, '_> {
    /// The steps outside, in order. The child doesn't come back from here.
    fn outside(&mut self) -> core::result::Result<(), (&'a Entry, Errno)> {
        let whole = self.plan;
        for (index, entry) in whole.outside.iter().enumerate() {
            let result = match entry.step {
                Step::Clone(_) | Step::Clone3(..) => {
                    self.log(entry);
                    let pid = init::create(self.plan, &entry.step, &mut self.slots, self.trace);
                    self.pid = pid.map_err(|errno| (entry, errno))?;
                    self.trace.record(index);
                    self.done = index.wrapping_add(1);
                    continue;
                }
                Step::Lock(_) => {
                    let result = perform::step(entry, &mut self.slots);
                    self.store.made();
                    result
                }
                Step::Running(words, image) => record::running(self.slots.get(CONTAINER), self.pid, words, image),
                Step::MapIds(uid, gid, into) => {
                    userns::map(self.pid, uid, gid).map(|user| self.slots.set(into, Some(user)))
                }
                _ => perform::outside::step(entry, &mut self.slots),
            };
            self.log(entry);
            self.trace.record(index);
            if let Err(errno) = result {
                return Err((entry, errno));
            }
            self.done = index.wrapping_add(1);
        }
        Ok(())
    }

    /// A step beside the child has failed: it ends before anything of it is taken back.
    fn abandon(&mut self) {
        if self.pid != 0 {
            end(self.pid);
        }
    }

    /// Beside the running container, until it has ended and nothing is left of it.
    fn supervise(&mut self) -> core::result::Result<u8, Stopped<'a>> {
        let pid = self.pid;
        self.close_childs_ends();
        let mut lost = Ok(());
        if self.spec.process.tty && self.slots.is_empty(MASTER) {
            // Made by the child where a terminal cannot be made outside; none comes if the child has failed before.
            let socket = self.slots.get(SUPERVISOR);
            let said = match process::receive(socket) {
                Ok(Some((perform::TAKEN_OVER, None))) => process::receive(socket),
                said => said,
            };
            match said {
                Ok(Some((_, master @ Some(_)))) => self.slots.set(MASTER, master),
                Ok(said) => self.watch.said = said,
                Err(errno) => lost = Err(errno),
            }
        }
        let mut code = lost.and_then(|()| process::signal_fd()).and_then(|signals| {
            let (process, slots) = (&self.spec.process, &mut self.slots);
            match &mut self.beside {
                Some(beside) => keep::container(pid, process, slots, &signals, &mut self.watch, beside),
                None => supervise::container(pid, process, slots, &signals, &mut self.watch),
            }
        });
        if code.is_err() {
            end(pid);
        }
        let failure = self.report(&mut code);
        let diagnosed = match (&failure, self.spec.limits.memory) {
            (Some(failure), _) => Some(diagnose::inside(self.spec, failure)),
            (None, Some(memory)) => diagnose::too_little(memory, &code),
            (None, None) => None,
        };
        self.log_inside(failure.as_ref().map_or(usize::MAX, |failure| failure.index));
        let _ = fs::write_all(STDERR, &self.trace.table(self.plan));
        if self.begun != 0 && failure.is_none() {
            let _ = fs::write_all(STDERR, &self.used());
        }
        if self.diff && failure.is_none() && self.beside.is_none() {
            self.store.find(self.spec.id).map_or_else(|error| error.print(), |record| diff::tell(self.store, &record));
        }
        if self.beside.is_some() {
            let oom = self.cgroups().any(|path| {
                let killed = |file, key| cgroup::keyed(path, file, key).is_some_and(|count| count != 0);
                killed("memory.events", b"oom_kill") || killed("memory.oom_control", b"oom_kill")
            });
            self.beside.iter_mut().for_each(|beside| beside.oom = oom);
        }
        let clean = self.undo(failure.is_some() || code.is_err());
        let step = failure.map(|failure| (&failure.entry.step, failure.errno));
        match (diagnosed, code) {
            (Some(error), _) => Err(Stopped { step, clean, error }),
            (None, Ok(code)) => Ok(code),
            (None, Err(errno)) => Err(Stopped {
                step: None,
                clean,
                error: Error::sys(text!("relay the container's streams"), t(c""), errno),
            }),
        }
    }

    /// The child's ends of pipes and terminal would keep them open; a mount held here would outlive its namespace.
    fn close_childs_ends(&mut self) {
        self.slots.close_but(plan::OURS);
    }

    /// What the child said before it ended, if it never got to the command.
    fn report(&mut self, code: &mut core::result::Result<u8, Errno>) -> Option<Failure<'a>> {
        let mut said = self.watch.said.take();
        let said = loop {
            match said {
                None | Some((perform::TAKEN_OVER, _)) => {}
                Some(said) => break said,
            }
            said = match process::receive(self.slots.get(SUPERVISOR)) {
                Ok(None) => return None,
                Ok(said) => said,
                Err(errno) => {
                    // What it had to say is lost.
                    if *code == Ok(RUNTIME) {
                        *code = Err(errno);
                    }
                    return None;
                }
            };
        };
        Failure::of(self.plan, said)
    }

    /// The container's cgroups.
    fn cgroups(&self) -> impl Iterator<Item = Text> + 'a {
        self.plan.outside.iter().filter_map(|entry| match (entry.step, entry.undo) {
            (Step::Mkdir(_, path, _), Undo::Cgroup) => Some(path),
            _ => None,
        })
    }

    /// --stats: what the cgroups have counted, which is all that ran in them; else what the kernel has counted for the
    /// processes that were waited for.
    fn used(&self) -> Line {
        let wall = process::nanoseconds().wrapping_sub(self.begun);
        let [user, user_us, system, system_us, peak, ..] = self.watch.usage;
        let us = |seconds: u64, us| seconds.wrapping_mul(1_000_000).wrapping_add(us);
        let mut used =
            cgroup::Used { user: us(user, user_us), system: us(system, system_us), peak: peak.wrapping_mul(1024) };
        self.cgroups().for_each(|path| used.read(path));
        let mut line = Line::new();
        for (name, us) in
            [(text!("wall "), wall / 1000), (text!("s, user "), used.user), (text!("s, system "), used.system)]
        {
            fraction(us, 1_000_000, 3, line.say(name));
        }
        line.say(text!("s, peak memory ")).put(size(used.peak, 4, 1024).to_bytes()).put(b"\n");
        line
    }

    /// The container's directory, cgroups and name, last made first. Its mounts ended with its namespace.
    /// What could not be removed is said, and the next command tries again; true if nothing is left.
    fn undo(&mut self, failed: bool) -> bool {
        // The lock is held to the end; the mounts have to go before what they are made of.
        for slot in (0..self.plan.slots as u16).map(Slot).filter(|&slot| slot != CONTAINER) {
            self.slots.set(slot, None);
        }
        let errors = perform::outside::undo(self.plan, self.done, &self.slots, failed);
        errors.iter().for_each(Error::print);
        errors.is_empty()
    }

    /// The seed's log: a JSON object a line.
    fn log(&self, entry: &Entry) {
        if self.logged {
            let mut message = Line::new();
            explain::step(self.plan, entry, &mut message);
            let _ = fs::write_all(STDERR, &json(&message));
        }
    }

    /// The steps inside, which the child cannot log by itself, up to the one that failed.
    fn log_inside(&self, failed: usize) {
        self.plan.inside.iter().take(failed.saturating_add(1)).for_each(|entry| self.log(entry));
    }
}

/// `{"level":"info","msg":"…","time":"2026-11-24T07:00:00Z"}`
fn json(message: &[u8]) -> Line {
    let mut line = Line::new();
    line.put(b"{\"level\":\"info\",\"msg\":");
    quote(&mut line, message);
    line.put(b",\"time\":\"");
    rfc3339(process::now().0, &mut line);
    line.put(b"\"}\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_is_json_with_a_time() {
        assert!(json(b"a\"b\n").starts_with(b"{\"level\":\"info\",\"msg\":\"a\\\"b\\n\",\"time\":\""));
    }
}
