//! What is done to a container from outside: stop, kill, restart, wait, pause, rename, rm.
//!
//! Nobody is asked: each command acts by the container's directory, its cgroups and a pidfd of its first process. So all
//! of them work beside each other, and whatever has become of the supervisor.

mod ending;
pub mod prune;
pub mod update;

use crate::cgroup::{self, freezer};
use crate::cli::{Given, kind};
use crate::detach::{self, say};
use crate::error::{Error, Result, USAGE};
use crate::record::{self, Kind, Record, Status};
use crate::store::{self, Store};
use crate::sys::name::t;
use crate::sys::{Errno, fs, process};
use crate::text::{Line, Push, keep};
use crate::volumes;
use ending::{Ending, end};
use std::os::fd::AsFd;

/// The number of a signal that was asked for.
fn signal(given: &Given) -> Result<Option<i32>> {
    given.value("signal").map_or(Ok(None), |word| match (kind::SIGNAL.read)(word.to_bytes()) {
        Some(number) => Ok(Some(number as i32)),
        None => Err(Error::new(text!("invalid signal: %"), &[word])),
    })
}

/// The signal by which a container is asked to end, and how long that may take, in milliseconds: its own flags, its image's
/// word, docker's default.
fn manners(store: &Store, record: &Record) -> (i32, u64) {
    // Without its image, or with one that cannot be read, there is still the default.
    match record.composed(store).or_else(|_| record.options()) {
        Ok(options) if options.spec.stop_signal != 0 => (options.spec.stop_signal as i32, options.life.grace()),
        Ok(options) => (libc::SIGTERM, options.life.grace()),
        Err(_) => (libc::SIGTERM, 10_000),
    }
}

/// The containers that were named, each with how it is to end. What cannot be found is said; 1 then.
fn endings(given: &Given, store: &Store) -> Result<(Vec<Ending>, u8)> {
    let asked = signal(given)?;
    let time = given.value("timeout").or_else(|| given.value("time"));
    let grace = time.map(|time| match (kind::SECONDS.read)(time.to_bytes()) {
        Some(_) => Ok(kind::grace(time)),
        None => Err(Error::new(text!("--% %: %"), &[t(c"timeout"), time, kind::SECONDS.wants.text()]).code(USAGE)),
    });
    let grace = grace.transpose()?;
    let mut list = Vec::new();
    let code = given.each(&mut |word| {
        let record = store.find(word)?;
        let (signal, usual) = manners(store, &record);
        list.push(Ending::new(word, record, asked.unwrap_or(signal), grace.unwrap_or(usual)));
        Ok(())
    });
    Ok((list, code))
}

/// Says the container's word, or why it has not ended.
fn tell(ending: &mut Ending, code: &mut u8) {
    let done = ending.error.take().map_or_else(|| say(ending.word), Err);
    if let Err(error) = done {
        error.print();
        *code = 1;
    }
}

/// `mydocker stop`.
pub fn stop(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let (mut list, mut code) = endings(given, &store)?;
    end(&store, &mut list, &mut |ending| tell(ending, &mut code))?;
    Ok(code)
}

/// `mydocker restart`.
pub fn restart(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let (mut list, mut code) = endings(given, &store)?;
    let mut ended = Vec::new();
    list.retain(|ending| {
        // One of `run --rm` stays meanwhile.
        ending.record.stay(true);
        ending.record.kind != Kind::Foreground || {
            in_foreground(&ending.record).print();
            code = 1;
            false
        }
    });
    end(&store, &mut list, &mut |ending| {
        let transient = ending.record.kind == Kind::Transient;
        if ending.error.is_none() {
            return ended.push((ending.word, transient));
        }
        if transient {
            ending.record.stay(false);
        }
        tell(ending, &mut code);
    })?;
    // A supervisor gets no descriptor of another's container: it would hold that one's lock.
    drop(list);
    for (word, transient) in ended {
        // Nobody sweeps until it is locked.
        let _ = store.making();
        let begun = store.find(word).and_then(|record| {
            if !transient {
                return detach::begin(&store, &record);
            }
            record.stay(false);
            detach::begin(&store, &store.find(word)?)
        });
        store.made();
        let said = begun.and_then(|code| if code == 0 { say(word) } else { Ok(1) });
        code |= said.unwrap_or_else(|error| {
            error.print();
            1
        }) & 1;
    }
    Ok(code)
}

/// A container that has nothing that stays.
fn in_foreground(record: &Record) -> Error {
    Error::new(text!("container % is in the foreground of a terminal: it ends with its command"), &[record.known_as()])
        .hint(text!("one of `run -d` or `run --keep` stays"), &[])
}

/// `mydocker kill`: SIGKILL is waited for, as docker does; any other signal is only sent.
pub fn kill(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let asked = signal(given)?.unwrap_or(libc::SIGKILL);
    let layout = cgroup::everywhere(store.rootless);
    let mut list = Vec::new();
    let mut code = given.each(&mut |word| {
        let record = store.find(word)?;
        if asked == libc::SIGKILL && record.state().is_live() {
            list.push(Ending::new(word, record, asked, 0));
            return Ok(());
        }
        let (init, _) = record.init()?;
        // PID 1 of a pid namespace gets from here too only what it handles, but for SIGKILL and SIGSTOP.
        let deadly = asked == manners(&store, &record).0;
        if deadly {
            record.stop();
        }
        let failed = |errno| Error::sys(text!("send the signal to container"), record.known_as(), errno);
        process::signal(init.as_fd(), asked).map_err(failed)?;
        if deadly && freezer::is_frozen(&layout, record.id) {
            freezer::thaw(&layout, record.id).map_err(failed)?;
        }
        say(word).map(drop)
    });
    end(&store, &mut list, &mut |ending| tell(ending, &mut code))?;
    Ok(code)
}

/// `mydocker wait`: the exit code of each, in their order, as soon as it has ended.
pub fn wait(given: &Given) -> Result<u8> {
    let store = given.store()?;
    Ok(given.each(&mut |word| {
        let mut line = Line::new();
        line.dec(u64::from(next_end(&store.find(word)?)?));
        say(keep(&line)).map(drop)
    }))
}

fn next_end(record: &Record) -> Result<u8> {
    let failed = |errno| Error::sys(text!("wait for container"), record.known_as(), errno);
    // Watched first, then looked at: what happens between is seen.
    let events = fs::inotify().map_err(failed)?;
    fs::watch(events.as_fd(), record.dir.as_fd()).map_err(failed)?;
    let state = record.state();
    if !state.is_live() {
        return Ok(state.code);
    }
    let supervisor = process::open_process(state.supervisor).ok();
    loop {
        let mut fds = [ending::readable(Some(&events)), ending::readable(supervisor.as_ref())];
        if supervisor.is_some() {
            process::poll(&mut fds, None).map_err(failed)?;
        }
        let mut code = None;
        fs::each_event(events.as_fd(), &mut |_, name| code = code.or(record::code_in(name))).map_err(failed)?;
        let [_, gone] = fds;
        if let Some(code) = code {
            return Ok(code);
        }
        if record.kind != Kind::Foreground && (supervisor.is_none() || gone.revents != 0) {
            // It was killed.
            return Ok(record.state().code);
        }
        if gone.revents == 0 && supervisor.is_some() {
            continue;
        }
        // In somebody's foreground: its code is mydocker's own, when that one's parent has taken it.
        for _ in 0..40 {
            match supervisor.as_ref().map_or(Err(Errno::ENOSYS), |fd| process::code_of(fd.as_fd())) {
                Ok(code) => return Ok(code),
                Err(Errno::ESRCH) => _ = process::poll(&mut [], Some(25)),
                Err(_) => break,
            }
        }
        let message = text!("container % has ended in the foreground: only who started it knows the exit code");
        return Err(Error::new(message, &[record.known_as()]));
    }
}

/// `mydocker pause`.
pub fn pause(given: &Given) -> Result<u8> {
    each_paused(given, &mut |layout, record| {
        let (init, _) = record.init()?;
        // This command may be killed before all is frozen. A `commit` is not to be just about to freeze it.
        let _turn = record.joins();
        if freezer::is_frozen(layout, record.id) {
            return Err(Error::new(text!("container % is already paused"), &[record.known_as()]));
        }
        let failed = |errno| {
            let error = Error::sys(text!("pause container"), record.known_as(), errno);
            match errno {
                Errno::ENOENT => error.hint(text!("it is in no cgroup that could be frozen"), &[]),
                Errno::EBUSY => error.hint(text!("one of its processes is in an uninterruptible system call"), &[]),
                _ => error,
            }
        };
        let mut tries = 0_u32;
        loop {
            let done = freezer::freeze(layout, record.id);
            // It may have ended meanwhile, and then its cgroups go; so do they where a `stop` lets it run to its end.
            let patience = if done == Err(Errno::ENOENT) && tries < 20 { 20 } else { 0 };
            let mut fds = [ending::readable(Some(&init))];
            // v1's freezer holds one that is being killed, and with its supervisor gone nobody would let it go.
            if process::poll(&mut fds, Some(patience)) != Ok(0) || !record.state().is_live() {
                let _ = freezer::thaw(layout, record.id);
                return Err(record.not_running());
            }
            if patience == 0 {
                return done.map_err(failed);
            }
            tries = tries.wrapping_add(1);
        }
    })
}

/// `mydocker unpause`.
pub fn unpause(given: &Given) -> Result<u8> {
    each_paused(given, &mut |layout, record| {
        let frozen = || freezer::is_frozen(layout, record.id);
        // A `pause` that is at it would go on, and both would say that it is done.
        let _turn = frozen().then(|| record.joins());
        if !frozen() {
            return Err(Error::new(text!("container % is not paused"), &[record.known_as()]));
        }
        let failed = |errno| Error::sys(text!("unpause container"), record.known_as(), errno);
        freezer::thaw(layout, record.id).map_err(failed)
    })
}

fn each_paused(given: &Given, act: &mut dyn FnMut(&cgroup::Layout, &Record) -> Result<()>) -> Result<u8> {
    let store = given.store()?;
    let layout = cgroup::everywhere(store.rootless);
    Ok(given.each(&mut |word| {
        let record = store.find(word)?;
        act(&layout, &record)?;
        say(word).map(drop)
    }))
}

/// `mydocker rename`.
pub fn rename(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let name = given.words.get(1).copied().unwrap_or_default();
    // docker's own names begin with a slash.
    let name = name.to_bytes().strip_prefix(b"/").map_or(name, keep);
    if (kind::NAME.read)(name.to_bytes()).is_none() {
        return Err(Error::new(text!("invalid container name (%): %"), &[name, kind::NAME.wants.text()]));
    }
    let record = store.find(given.word())?;
    if record.kind == Kind::Foreground {
        return Err(in_foreground(&record));
    }
    if record.name == name {
        return Err(Error::new(text!("renaming a container with the same name as its current name"), &[]));
    }
    record.rename(&store, name).map(|()| 0)
}

/// `mydocker rm`.
pub fn rm(given: &Given) -> Result<u8> {
    let store = given.store()?;
    let force = given.has("force");
    let mut list = Vec::new();
    let mut code = given.each(&mut |word| {
        let record = match store.find(word) {
            // docker's: forced, it is well that it isn't there.
            Err(error) if force => {
                error.print();
                return Ok(());
            }
            record => record?,
        };
        let state = record.state();
        if !force && state.is_live() {
            let (how, way) = if freezer::is_frozen(&cgroup::everywhere(store.rootless), record.id) {
                (text!("paused"), text!("Unpause and then stop"))
            } else if state.status == Status::Restarting {
                (text!("restarting"), text!("Stop"))
            } else {
                (text!("running"), text!("Stop"))
            };
            let message =
                text!("you cannot remove a % container %. % the container before attempting removal or force remove");
            return Err(Error::new(message, &[how.text(), record.known_as(), way.text()]));
        }
        list.push(Ending::new(word, record, if force { libc::SIGKILL } else { 0 }, 0));
        Ok(())
    });
    end(&store, &mut list, &mut |ending| {
        if ending.error.is_none() {
            ending.error = remove(&store, &ending.record, given.has("volumes")).err();
        }
        tell(ending, &mut code);
    })?;
    Ok(code)
}

/// Removes a container that has ended, and its anonymous volumes with it or not. Fine if it has gone by itself.
fn remove(store: &Store, record: &Record, volumes: bool) -> Result<()> {
    let known_as = record.known_as();
    take(record)?;
    // The directory that was locked may be gone, or going: a container of `run --rm`, or another `rm`.
    if fs::fstat(record.dir.as_fd()).is_ok_and(|stat| stat.st_nlink == 0) {
        return Ok(());
    }
    if !volumes && record.kind == Kind::Stays {
        volumes::orphan(store, record)?;
    }
    // Limits that `update` gave it where it had none before are in cgroups that its supervisor knows nothing of.
    store::remove_cgroups(&cgroup::everywhere(store.rootless), record.id);
    store.remove(record.id).map_err(|(errno, path)| {
        let error = Error::sys(text!("remove"), keep(&path), errno);
        match errno {
            Errno::EXDEV | Errno::EBUSY => {
                error.hint(text!("something is mounted there: unmount it, and remove container % again"), &[known_as])
            }
            _ => error,
        }
    })
}

/// Takes the lock of a container that has ended. Who only looks holds it for a moment.
pub fn take(record: &Record) -> Result<()> {
    for _ in 0..400 {
        match record.lock() {
            Err(Errno::EAGAIN) if !record.state().is_live() => _ = process::poll(&mut [], Some(5)),
            Err(Errno::EAGAIN) => break,
            done => return done.map_err(|errno| Error::sys(text!("lock container"), record.known_as(), errno)),
        }
    }
    Err(Error::new(text!("container % is being started or removed"), &[record.known_as()]))
}
