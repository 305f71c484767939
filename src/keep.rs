//! The poll loop beside a container that stays: its output goes to the log and to whoever is attached.
//!
//! Clients attach by `attach`, a socket in the container's directory, and get packets whose first byte says what they are.
//! What a client is slow to read holds the container's output back, but not for longer than `PATIENCE`. Its input does not
//! come through here: a client gets the pipe's end, or the terminal's, itself.

use crate::log::{LONGEST, Limits, Log};
use crate::perform::TAKEN_OVER;
use crate::plan::{CHILD, MASTER, PIPES, SUPERVISOR};
use crate::spec::Process;
use crate::supervise::{PIPE_MAX, Raw, TIMED_OUT, Watch, after, forward, readable, until};
use crate::sys::call::Slots;
use crate::sys::name::{Text, t};
use crate::sys::process::{self, PollFd};
use crate::sys::{Errno, OwnedFd, fs, socket, terminal};
use crate::text::{Line, Push, filled, keep};
use core::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Of what a client is told first, the first word: the container has a terminal, which comes along.
pub const TERMINAL: u32 = 1;
/// The same: its input is open, and comes along if it is not the terminal.
pub const OPEN: u32 = 2;
/// What a client is told last: the exit code. 1 and 2 are what came from standard output and error.
pub const CODE: u8 = 3;
/// From a client: its input has ended, and so shall the container's.
pub const END: u8 = 0;
/// From a client: a signal for the container's process.
pub const SIGNAL: u8 = 1;

/// How long a client may leave unread what it was sent, in milliseconds.
const PATIENCE: u64 = 10_000;
/// The same when the container has ended: somebody waits for that.
const LAST_PATIENCE: u64 = 2000;
const CLIENTS: usize = 32;
const ATTACH: Text = t(c"attach");

/// What stands beside it.
pub struct Beside<'a> {
    /// containers/ID.
    pub dir: BorrowedFd<'a>,
    /// How large its log may get; None for no log.
    pub log: Option<Limits>,
    /// Who is attached from the start, before any output comes: his socket's other end.
    pub client: Option<OwnedFd>,
    /// Who is attached when it has ended.
    pub clients: Vec<Client>,
    /// The kernel has killed something of it for want of memory.
    pub oom: bool,
    /// The command has been executed: this process is its pid.
    pub begun: &'a mut dyn FnMut(i32),
    /// The command has ended with this code; it has not been reaped yet, so its pid is still nobody else's.
    pub ended: &'a mut dyn FnMut(u8),
}

/// Says the exit code to those who are attached, when all that they could look at says it too.
pub fn farewell(clients: &[Client], code: u8) {
    for client in clients {
        let _ = socket::send(client.fd.as_fd(), CODE, &[code]);
    }
}

/// Somebody attached.
pub struct Client {
    fd: OwnedFd,
    /// Has not got yet what came last.
    owed: bool,
}

impl Client {
    /// Waits for room for what it is owed, else for what it says.
    fn poll(&self) -> PollFd {
        PollFd { events: if self.owed { libc::POLLOUT } else { libc::POLLIN }, ..readable(Some(&self.fd)) }
    }
}

/// One of the container's outputs.
struct Stream {
    from: Option<OwnedFd>,
    number: u8,
    /// A line's beginning that is not in the log yet, and what came last.
    buf: Vec<u8>,
    /// Where what came last begins.
    fresh: usize,
    /// What of it is in the log.
    logged: usize,
}

impl Stream {
    fn new(from: Option<OwnedFd>, number: u8) -> Self {
        let room = if from.is_some() { LONGEST } else { 0 };
        Self { from, number, buf: Vec::with_capacity(room), fresh: 0, logged: 0 }
    }

    /// Without a log nothing is kept for it.
    fn log(&mut self, log: &mut Option<Log>, end: bool) {
        let rest = self.buf.get(self.logged..).unwrap_or_default();
        let took = log.as_mut().map_or(rest.len(), |log| log.take(self.number, rest, end));
        self.logged = self.logged.wrapping_add(took);
    }

    fn fresh(&self) -> &[u8] {
        self.buf.get(self.fresh..).unwrap_or_default()
    }

    /// All have got it: what is in the log is let go.
    fn settle(&mut self) {
        self.buf.drain(..self.logged.min(self.buf.len()));
        (self.fresh, self.logged) = (self.buf.len(), 0);
    }
}

/// What is beside a container.
struct Keep<'a> {
    streams: [Stream; 2],
    /// The terminal, or what is the container's standard input.
    input: Option<OwnedFd>,
    tty: bool,
    /// Of a terminal: somebody may type.
    open: bool,
    log: Option<Log<'a>>,
    listener: Option<OwnedFd>,
    clients: Vec<Client>,
    /// Until when a client may be owed what came last.
    until: u64,
    /// And at the very last.
    last: u64,
    pid: i32,
}

/// Where the socket is.
pub fn address(dir: BorrowedFd) -> Text {
    filled("%/%", &[place(dir), ATTACH])
}

/// A directory's path by its descriptor: a socket's address has to be short, and a store may be deep.
pub fn place(dir: BorrowedFd) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/self/fd/").dec(dir.as_raw_fd() as u64))
}

/// Waits for the container's process, and relays meanwhile. Its exit code as a shell would report it. `watch` gets what
/// the child says before it executes the command, if it fails, and what it has used.
pub fn container(
    pid: i32,
    process: &Process,
    slots: &mut Slots,
    signals: &OwnedFd,
    watch: &mut Watch,
    beside: &mut Beside,
) -> Result<u8, Errno> {
    // Nothing of it is closed by hand: soon this process ends, or executes itself.
    let child = ManuallyDrop::new(slots.take(CHILD));
    let mut keep = ManuallyDrop::new(Keep::new(pid, process, slots)?);
    let mut early = true;
    let (mut over, mut late) = (false, false);
    // The signal that is sent next, and when.
    let mut alarm = watch.timeout.map(|timeout| (after(timeout), watch.stop.0));
    let mut fds = ManuallyDrop::new(Vec::with_capacity(CLIENTS.wrapping_add(6)));
    let code = loop {
        let mut begun = readable(None);
        if early && watch.said.is_none() {
            begun.fd = slots.get(SUPERVISOR).as_raw_fd();
        }
        // What comes is read when all have what came before.
        let listens = !early && !keep.is_owing();
        fds.clear();
        let [output, error] = &keep.streams;
        let from = |stream: &Stream| if listens { readable(stream.from.as_ref()) } else { readable(None) };
        for fd in [
            readable(Some(signals)),
            readable(child.as_ref()),
            begun,
            readable(keep.listener.as_ref()),
            from(output),
            from(error),
        ] {
            fds.push(fd);
        }
        for client in &keep.clients {
            fds.push(client.poll());
        }
        let next = if keep.is_owing() { keep.until } else { u64::MAX };
        let next = alarm.map_or(next, |(at, _)| next.min(at));
        process::poll(&mut fds, if next == u64::MAX { None } else { Some(until(next)) })?;
        let ready = |index: usize| fds.get(index).is_some_and(|fd| fd.revents != 0);
        if ready(2) {
            match process::receive(slots.get(SUPERVISOR))? {
                None => {
                    early = false;
                    keep.begin(beside)?;
                    (beside.begun)(pid);
                }
                Some((TAKEN_OVER, _)) => {}
                failure => watch.said = failure,
            }
        }
        over |= ready(0) && forward(signals, &Raw::NONE, &mut |signal| _ = process::kill(pid, signal)) || ready(1);
        // Not before all is read that it has said.
        if over && (!early || watch.said.is_some()) {
            over = false;
            if let Some(code) = process::ended(pid)? {
                break code;
            }
        }
        for index in (0..keep.clients.len()).rev() {
            if ready(index.wrapping_add(6)) && !keep.hear(index) {
                keep.clients.swap_remove(index);
            }
        }
        if ready(3) {
            keep.accept();
        }
        keep.deliver();
        for index in 0..2_usize {
            if ready(index.wrapping_add(4)) && !keep.is_owing() {
                keep.read(index);
            }
        }
        if let Some((at, signal)) = alarm
            && until(at) == 0
        {
            late = true;
            alarm = Some((after(watch.stop.1), libc::SIGKILL));
            let _ = process::kill(pid, signal);
        }
    };
    keep.drain();
    let code = if late { TIMED_OUT } else { code };
    if !early {
        let _ = fs::unlink(beside.dir, ATTACH);
        (beside.ended)(code);
    }
    process::wait_usage(pid, 0, &mut watch.usage)?;
    beside.clients = core::mem::take(&mut keep.clients);
    Ok(code)
}

impl<'a> Keep<'a> {
    fn new(pid: i32, process: &Process, slots: &mut Slots) -> Result<Self, Errno> {
        let [(stdin_w, _), (stdout_r, _), (stderr_r, _)] = PIPES;
        let (input, output, error) = (slots.take(stdin_w), slots.take(stdout_r), slots.take(stderr_r));
        let master = slots.take(MASTER);
        let output = match &master {
            Some(master) => Some(fs::duplicate(master.as_fd())?),
            None => output,
        };
        let input = master.or(input);
        for fd in [&input, &output, &error].into_iter().flatten() {
            terminal::set_nonblocking(fd.as_fd())?;
        }
        Ok(Self {
            input,
            tty: process.tty,
            open: process.stdin,
            streams: [Stream::new(output, 1), Stream::new(error, 2)],
            log: None,
            listener: None,
            clients: Vec::new(),
            until: 0,
            last: u64::MAX,
            pid,
        })
    }

    /// The command is executed: from now on there is something to log and to attach to.
    fn begin(&mut self, beside: &mut Beside<'a>) -> Result<(), Errno> {
        self.log = beside.log.map(|limits| Log::open(beside.dir, limits));
        // Without a socket nobody can attach; that is not the container's failure.
        let _ = fs::unlink(beside.dir, ATTACH);
        self.listener = socket::listen(address(beside.dir)).ok();
        if let Some(client) = beside.client.take() {
            terminal::set_nonblocking(client.as_fd())?;
            self.welcome(client);
            // As docker's StdinOnce: who has started it attached has its input, and with him it ends.
            if !self.tty {
                self.input = None;
            }
        }
        Ok(())
    }

    fn accept(&mut self) {
        if let Some(Ok(client)) = self.listener.as_ref().map(|listener| socket::accept(listener.as_fd())) {
            self.welcome(client);
        }
    }

    fn is_owing(&self) -> bool {
        self.clients.iter().any(|client| client.owed)
    }

    /// A new client, who gets what comes from now on.
    fn welcome(&mut self, fd: OwnedFd) {
        let open = if self.open && self.input.is_some() { OPEN } else { 0 };
        let words = [open | if self.tty { TERMINAL } else { 0 }, 0, 0];
        let said = match &self.input {
            Some(input) => process::send(fd.as_fd(), words, input.as_fd()),
            None => process::say(fd.as_fd(), words),
        };
        if self.clients.len() < CLIENTS && said.is_ok() {
            self.clients.push(Client { fd, owed: false });
        }
    }

    /// What a client says. False where it is gone.
    fn hear(&mut self, index: usize) -> bool {
        let Some(client) = self.clients.get(index).filter(|client| !client.owed) else { return true };
        let mut packet = [0; 2];
        match (socket::receive(client.fd.as_fd(), &mut packet), packet) {
            (Ok(1), [END, _]) if !self.tty => self.input = None,
            (Ok(2), [SIGNAL, signal]) => _ = process::kill(self.pid, i32::from(signal)),
            (Ok(0), _) => return false,
            (Err(errno), _) => return errno == Errno::EAGAIN,
            _ => {}
        }
        true
    }

    /// What a stream has brought, to the log and the clients: how much.
    fn read(&mut self, index: usize) -> usize {
        let Some(stream) = self.streams.get_mut(index) else { return 0 };
        let Some(from) = &stream.from else { return 0 };
        let got = match fs::read_more(from.as_fd(), &mut stream.buf) {
            Err(Errno::EAGAIN) => return 0,
            // EIO: nobody has the terminal open any more.
            got => got.unwrap_or(0),
        };
        stream.log(&mut self.log, got == 0);
        if got == 0 {
            stream.from = None;
        }
        if !self.clients.is_empty() {
            self.clients.iter_mut().for_each(|client| client.owed = got > 0);
            self.until = after(PATIENCE).min(self.last);
        }
        self.deliver();
        got
    }

    /// Sends what came last to those who have not got it. Who takes too long for it gets no more.
    fn deliver(&mut self) {
        let late = self.is_owing() && until(self.until) == 0;
        for stream in &mut self.streams {
            let fresh = stream.fresh();
            if fresh.is_empty() {
                continue;
            }
            self.clients.retain_mut(|client| {
                if !client.owed {
                    return true;
                }
                let sent = socket::send(client.fd.as_fd(), stream.number, fresh);
                client.owed = sent == Err(Errno::EAGAIN);
                sent.is_ok() || client.owed && !late
            });
            if !self.clients.iter().any(|client| client.owed) {
                stream.settle();
            }
        }
    }

    /// The rest, when the container has ended: until the end of the pipes or until they hold nothing. At most what they can
    /// hold: with --pid host something may go on writing.
    fn drain(&mut self) {
        // So that even who reads slowly gets all, and the exit code, without being waited for.
        self.clients.iter().for_each(|client| socket::enlarge(client.fd.as_fd()));
        self.last = after(LAST_PATIENCE);
        self.until = self.until.min(self.last);
        for index in 0..2_usize {
            let mut moved = 0_usize;
            while moved < PIPE_MAX {
                while self.is_owing() {
                    let mut fds: Vec<PollFd> =
                        self.clients.iter().filter(|client| client.owed).map(Client::poll).collect();
                    let _ = process::poll(&mut fds, Some(until(self.until)));
                    self.deliver();
                }
                match self.read(index) {
                    0 => break,
                    got => moved = moved.wrapping_add(got),
                }
            }
        }
        for stream in &mut self.streams {
            stream.log(&mut self.log, true);
        }
        if let Some(log) = &mut self.log {
            log.end();
        }
    }
}
