//! Processes, signals and time: one thin function a system call.

use super::name::{Name, Text};
use super::{Errno, OwnedFd};
use core::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use syscalls::Sysno;

/// CLONE_INTO_CGROUP: the child is born in the cgroup of a descriptor (Linux 5.7, clone3 and cgroup v2 only).
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// `struct clone_args` of clone3(2), version 2.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Which side of a clone returned.
pub enum Side {
    /// In the new process.
    Child,
    /// In the old one: the child's pid, and its pidfd where one was asked for.
    Parent(c_int, Option<OwnedFd>),
}

fn parent(pid: usize, pidfd: RawFd) -> Side {
    // SAFETY: with CLONE_PIDFD the kernel has just made this descriptor.
    Side::Parent(pid as c_int, (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

/// `clone3({flags, pidfd, exit_signal=SIGCHLD, cgroup}, size)`: as fork does, with a copy of the memory.
pub fn clone3(flags: u64, cgroup: Option<BorrowedFd>) -> Result<Side, Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: flags | if cgroup.is_some() { INTO_CGROUP } else { 0 },
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        cgroup: cgroup.map_or(0, |fd| fd.as_raw_fd() as u64),
        ..CloneArgs::default()
    };
    // The size of version 0 (64 bytes) where nothing newer is used: Linux 5.3 and 5.4 know only that one.
    let size = if cgroup.is_some() { size_of::<CloneArgs>() } else { 64 };
    // SAFETY: without CLONE_VM the child has its own copy of memory and stack, so returning twice is sound in a
    // process with one thread; `args` and `pidfd` outlive the call.
    match unsafe { syscall!(Sysno::clone3, &raw mut args, size) }? {
        0 => Ok(Side::Child),
        pid => Ok(parent(pid, if flags & libc::CLONE_PIDFD as u64 != 0 { pidfd } else { -1 })),
    }
}

/// `clone(flags | SIGCHLD, NULL, &pidfd, NULL, 0)`: for kernels and filters without clone3.
pub fn clone(flags: u64) -> Result<Side, Errno> {
    let mut pidfd: RawFd = -1;
    let flags = flags as usize | libc::SIGCHLD as usize;
    // The raw order of arguments is flags, stack, parent_tid, then tls and child_tid in an order of the architecture;
    // both are 0. CLONE_PIDFD stores through parent_tid.
    // SAFETY: as for clone3.
    match unsafe { syscall!(Sysno::clone, flags, 0, &raw mut pidfd, 0, 0) }? {
        0 => Ok(Side::Child),
        pid => Ok(parent(pid, if flags & libc::CLONE_PIDFD as usize != 0 { pidfd } else { -1 })),
    }
}

/// `execve(path, argv, envp)`: returns only what went wrong. Both lists end with a null pointer.
pub fn execve(path: Name, argv: &StringList, envp: &StringList) -> Errno {
    // SAFETY: StringList's pointers are to kept C strings and end with null; the kernel only reads them.
    match unsafe { syscall!(Sysno::execve, path.as_ptr(), argv.0.as_ptr(), envp.0.as_ptr()) } {
        Err(errno) => errno,
        Ok(_) => Errno::EINVAL,
    }
}

/// A null-terminated array of C strings that are never freed, as execve takes it.
pub struct StringList(Vec<*const c_char>);

impl StringList {
    /// From strings that live as long as the process.
    pub fn new(strings: &[Text]) -> Self {
        let mut pointers: Vec<*const c_char> = strings.iter().map(|text| text.as_ptr()).collect();
        pointers.push(core::ptr::null());
        Self(pointers)
    }
}

/// `exit_group(code)`.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: ends the process.
        let _ = unsafe { syscall!(Sysno::exit_group, usize::from(code)) };
    }
}

/// How a child ended: its exit code, or 128 + the signal.
fn shell_code(status: c_int) -> u8 {
    if libc::WIFSIGNALED(status) { 128 | libc::WTERMSIG(status) as u8 } else { libc::WEXITSTATUS(status) as u8 }
}

/// struct rusage: 18 words on 64-bit targets; seconds and microseconds of user and of system time, ru_maxrss in kB, and more.
pub type Usage = [u64; 18];

/// `wait4(pid, &status, options, &usage)`: the pid (0 with WNOHANG where none has ended) and the code as a shell reports it.
pub fn wait_usage(pid: c_int, options: c_int, usage: &mut Usage) -> Result<(c_int, u8), Errno> {
    let mut status: c_int = 0;
    // SAFETY: the kernel writes one int, and a struct rusage, which has the size of `usage`.
    let pid = unsafe { syscall!(Sysno::wait4, pid as isize, &raw mut status, options, usage.as_mut_ptr()) }?;
    Ok((pid as c_int, shell_code(status)))
}

/// The same without what was used.
pub fn wait(pid: c_int, options: c_int) -> Result<(c_int, u8), Errno> {
    wait_usage(pid, options, &mut [0; 18])
}

/// `waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL)`: the code of a child that has ended. It stays to be waited
/// for, so that its pid is nobody else's.
pub fn ended(pid: c_int) -> Result<Option<u8>, Errno> {
    // struct siginfo is 128 bytes: signal, errno, code, on 64-bit targets padding, then pid, uid, status.
    let mut info = [0_i32; 32];
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the kernel writes a siginfo.
    unsafe { syscall!(Sysno::waitid, libc::P_PID, pid, info.as_mut_ptr(), flags, 0) }?;
    let [_, _, code, rest @ ..] = info;
    let [pid, _, status] = if cfg!(target_pointer_width = "64") {
        let [_, a, b, c, ..] = rest;
        [a, b, c]
    } else {
        let [a, b, c, ..] = rest;
        [a, b, c]
    };
    let status = if code == libc::CLD_EXITED { status as u8 } else { 128 | status as u8 };
    Ok((pid != 0).then_some(status))
}

/// `setsid()`.
pub fn new_session() -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::setsid) }.map(drop)
}

/// `kill(pid, signal)`.
#[inline(never)]
pub fn kill(pid: c_int, signal: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::kill, pid as isize, signal) }.map(drop)
}

/// `pidfd_send_signal(process, signal, NULL, 0)`: to that process or to none.
pub fn signal(process: BorrowedFd, signal: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::pidfd_send_signal, process.as_raw_fd(), signal, 0, 0) }.map(drop)
}

/// `ioctl(process, PIDFD_GET_INFO, {mask=PIDFD_INFO_EXIT})`, Linux 6.15: the code of a process that was somebody else's
/// child; ESRCH before that one has waited for it.
pub fn code_of(process: BorrowedFd) -> Result<u8, Errno> {
    // struct pidfd_info, its first version: mask, cgroup id, eleven ids of 32 bits, the exit status.
    let mut info = [0_u32; 16];
    info[0] = 8;
    // SAFETY: the kernel writes 64 bytes, as the request's number says.
    unsafe { syscall!(Sysno::ioctl, process.as_raw_fd(), 0xc040_ff0b_u32, info.as_mut_ptr()) }?;
    let [mask, .., status] = info;
    if mask & 8 == 0 { Err(Errno::ESRCH) } else { Ok(shell_code(status as c_int)) }
}

/// The kernel's sigset_t, bit N-1 for signal N: all but SIGTTIN and SIGTTOU, by which a shell's job control stops who
/// reads from or sets the terminal in the background.
const ALL: u64 = !(1 << (libc::SIGTTIN - 1) | 1 << (libc::SIGTTOU - 1));
const SIGSET: usize = 8;

/// `rt_sigprocmask(SIG_SETMASK, mask, NULL)`.
fn set_mask(mask: u64) -> Result<(), Errno> {
    // SAFETY: eight bytes are read.
    unsafe { syscall!(Sysno::rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, 0, SIGSET) }.map(drop)
}

/// Blocks every signal; they are read from `signal_fd`.
pub fn block_signals() -> Result<(), Errno> {
    set_mask(ALL)
}

/// Unblocks every signal.
pub fn unblock_signals() -> Result<(), Errno> {
    set_mask(0)
}

/// `rt_sigaction(signal, SIG_DFL)`.
pub fn default_action(signal: c_int) -> Result<(), Errno> {
    set_action(signal, 0)
}

/// `rt_sigaction(signal, SIG_IGN)`.
pub fn ignore(signal: c_int) -> Result<(), Errno> {
    set_action(signal, 1)
}

fn set_action(signal: c_int, handler: u64) -> Result<(), Errno> {
    // struct kernel_sigaction: handler, flags, restorer, mask.
    let action = [handler, 0, 0, 0];
    // SAFETY: 32 bytes are read; no handler is installed.
    unsafe { syscall!(Sysno::rt_sigaction, signal, action.as_ptr(), 0, SIGSET) }.map(drop)
}

/// `signalfd4(-1, all, 8, SFD_CLOEXEC | SFD_NONBLOCK)`.
pub fn signal_fd() -> Result<OwnedFd, Errno> {
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    let mask = ALL;
    // SAFETY: eight bytes are read; the descriptor is new.
    unsafe {
        syscall!(Sysno::signalfd4, -1_isize, &raw const mask, SIGSET, flags).map(|fd| OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// RLIMIT_FSIZE, whose type libc does not agree on.
pub const FSIZE: u32 = 1;
/// RLIMIT_NOFILE.
pub const NOFILE: u32 = 7;

/// `prlimit64(0, resource, NULL, &{soft, hard})`.
pub fn limit(resource: u32) -> (u64, u64) {
    let mut limit = [u64::MAX; 2];
    // SAFETY: the kernel writes a struct rlimit64 of two words. It cannot fail for a known resource.
    let _ = unsafe { syscall!(Sysno::prlimit64, 0, resource, 0, limit.as_mut_ptr()) };
    let [soft, hard] = limit;
    (soft, hard)
}

/// `prlimit64(0, resource, {soft, hard}, NULL)`.
pub fn set_limit(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = [soft, hard];
    // SAFETY: a struct rlimit64 of two words is read.
    unsafe { syscall!(Sysno::prlimit64, 0, resource, limit.as_ptr(), 0) }.map(drop)
}

/// `rt_sigtimedwait(all but SIGCHLD, NULL, time, 8)`: whether a signal came within so many milliseconds.
pub fn wait_signal_for(ms: u64) -> bool {
    let mask = ALL & !(1 << (libc::SIGCHLD - 1));
    let time = libc::timespec { tv_sec: (ms / 1000) as i64, tv_nsec: (ms % 1000).wrapping_mul(1_000_000) as i64 };
    // SAFETY: eight bytes and a timespec are read.
    unsafe { syscall!(Sysno::rt_sigtimedwait, &raw const mask, 0, &raw const time, SIGSET) }.is_ok()
}

/// `rt_sigtimedwait(all, NULL, NULL, 8)`: the next signal, blocked as they all are.
pub fn wait_signal() -> Result<c_int, Errno> {
    let mask = ALL;
    // SAFETY: eight bytes are read.
    unsafe { syscall!(Sysno::rt_sigtimedwait, &raw const mask, 0, 0, SIGSET) }.map(|signal| signal as c_int)
}

// SAFETY: main opens /dev/null for those of the three that the caller has closed, and nothing closes them.
/// Standard input.
pub const STDIN: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(0) };
// SAFETY: as above.
/// Standard output.
pub const STDOUT: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(1) };
// SAFETY: as above.
/// Standard error.
pub const STDERR: BorrowedFd<'static> = unsafe { BorrowedFd::borrow_raw(2) };

/// What is waited for in `poll`: a descriptor (-1: ignored), events and what came.
pub type PollFd = libc::pollfd;

/// `ppoll(fds, count, timeout in ms or NULL, NULL, 0)`.
pub fn poll(fds: &mut [PollFd], timeout_ms: Option<u64>) -> Result<usize, Errno> {
    let ms = timeout_ms.unwrap_or(0);
    let time = libc::timespec { tv_sec: (ms / 1000) as i64, tv_nsec: (ms % 1000).wrapping_mul(1_000_000) as i64 };
    let time = if timeout_ms.is_some() { &raw const time } else { core::ptr::null() };
    // SAFETY: the kernel writes the revents of `fds` only; ppoll may write the rest of the time into the timespec,
    // which is a local that is not used again.
    unsafe { syscall!(Sysno::ppoll, fds.as_mut_ptr(), fds.len(), time, 0, 0) }
}

/// `socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0)`: SOCK_STREAM, or SOCK_SEQPACKET for whole packets.
pub fn socket_pair(kind: c_int) -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut pair: [RawFd; 2] = [-1; 2];
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: the kernel writes two ints.
    unsafe { syscall!(Sysno::socketpair, libc::AF_UNIX, kind, 0, pair.as_mut_ptr()) }?;
    let [a, b] = pair;
    // SAFETY: both are new.
    Ok(unsafe { (OwnedFd::from_raw_fd(a), OwnedFd::from_raw_fd(b)) })
}

/// `pipe2(O_CLOEXEC)`: the end to read and the end to write.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let mut pair: [RawFd; 2] = [-1; 2];
    // SAFETY: the kernel writes two ints.
    unsafe { syscall!(Sysno::pipe2, pair.as_mut_ptr(), libc::O_CLOEXEC) }?;
    let [a, b] = pair;
    // SAFETY: both are new.
    Ok(unsafe { (OwnedFd::from_raw_fd(a), OwnedFd::from_raw_fd(b)) })
}

/// What goes between child and supervisor: three words, and perhaps a descriptor as SCM_RIGHTS. The kernel's struct
/// iovec and struct msghdr, seven words on 64-bit targets, and room for a cmsghdr with an int.
struct Message {
    words: [u32; 3],
    iov: [usize; 2],
    rights: [usize; 3],
    header: [usize; 7],
}

/// CMSG_LEN of one int: the header, 16 bytes, and 4.
const RIGHTS_LEN: usize = 20;

impl Message {
    /// The pointers are into the message itself, so it must not move afterwards.
    fn connect(&mut self) {
        self.iov = [self.words.as_mut_ptr() as usize, 12];
        self.header = [0, 0, self.iov.as_ptr() as usize, 1, self.rights.as_mut_ptr() as usize, 24, 0];
    }
}

/// `sendmsg(socket, three words and a descriptor, 0)`, see unix(7).
pub fn send(socket: BorrowedFd, words: [u32; 3], fd: BorrowedFd) -> Result<(), Errno> {
    let mut message = Message { words, iov: [0; 2], rights: [0; 3], header: [0; 7] };
    message.connect();
    // cmsg_level and cmsg_type are ints in one word, the descriptor the first half of the next.
    let kind = (libc::SOL_SOCKET as usize) | (libc::SCM_RIGHTS as usize) << 32;
    let kind = if cfg!(target_endian = "little") { kind } else { kind.rotate_right(32) };
    message.rights = [RIGHTS_LEN, kind, fd.as_raw_fd() as usize];
    // SAFETY: the header and what it points to are in `message`, which outlives the call; the kernel only reads.
    unsafe { syscall!(Sysno::sendmsg, socket.as_raw_fd(), message.header.as_ptr(), 0) }.map(drop)
}

/// The same without a descriptor, which is a plain write.
pub fn say(socket: BorrowedFd, words: [u32; 3]) -> Result<(), Errno> {
    super::fs::write_all(socket, words.map(u32::to_ne_bytes).as_flattened())
}

/// What came: the words, and the descriptor if there was one.
pub type Received = ([u32; 3], Option<OwnedFd>);

/// `recvmsg(socket, three words and a descriptor, MSG_CMSG_CLOEXEC)`; None where the other side has ended.
pub fn receive(socket: BorrowedFd) -> Result<Option<Received>, Errno> {
    let mut message = Message { words: [0; 3], iov: [0; 2], rights: [0; 3], header: [0; 7] };
    message.connect();
    let flags = libc::MSG_CMSG_CLOEXEC;
    // SAFETY: as for send; the kernel writes the words, the control message and the header, all in `message`.
    let mut call = || unsafe { syscall!(Sysno::recvmsg, socket.as_raw_fd(), message.header.as_mut_ptr(), flags) };
    let count = super::socket::read_on(&mut call)?;
    let [length, _, fd] = message.rights;
    // SAFETY: a descriptor that came is new and ours.
    let fd = (length == RIGHTS_LEN).then(|| unsafe { OwnedFd::from_raw_fd(fd as u32 as RawFd) });
    Ok((count == 12).then_some((message.words, fd)))
}

/// `prctl(PR_SET_PDEATHSIG, SIGKILL)`.
pub fn die_with_parent() -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL) }.map(drop)
}

/// `close_range(first, ~0U, 0)`.
pub fn close_from(first: c_int) -> Result<(), Errno> {
    // SAFETY: for a process that uses none of them any more.
    unsafe { syscall!(Sysno::close_range, first, u32::MAX, 0) }.map(drop)
}

/// `close(fd)`: gone whatever it answers.
pub fn close(fd: c_int) -> Result<(), Errno> {
    // SAFETY: as for close_from.
    let _ = unsafe { syscalls::syscall!(Sysno::close, fd) };
    Ok(())
}

/// `fcntl(fd, F_SETFD, 0)`: it is the next program's too.
pub fn keep_at_exec(fd: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fcntl, fd.as_raw_fd(), libc::F_SETFD, 0) }.map(drop)
}

/// `fcntl(fd, F_DUPFD_CLOEXEC, 3)` of a number that the program before has left, and `close` of that.
pub fn adopt(fd: c_int) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers; the descriptor is new.
    let new =
        unsafe { syscall!(Sysno::fcntl, fd, libc::F_DUPFD_CLOEXEC, 3).map(|fd| OwnedFd::from_raw_fd(fd as RawFd)) };
    close(fd)?;
    new
}

/// `dup3(fd, number, 0)`.
pub fn duplicate_to(fd: BorrowedFd, number: c_int) -> Result<(), Errno> {
    // SAFETY: what was open there is a standard stream, which nobody owns.
    unsafe { syscall!(Sysno::dup3, fd.as_raw_fd(), number, 0) }.map(drop)
}

/// `fcntl(fd, F_GETFD)`, and `close` of what would be the next program's: what a caller has left open.
pub fn close_inherited(fd: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers. Ours are all close-on-exec, so this one is nobody's.
    match unsafe { syscall!(Sysno::fcntl, fd, libc::F_GETFD) }? {
        0 => close(fd),
        _ => Ok(()),
    }
}

/// `fcntl(fd, F_SETFD, FD_CLOEXEC)`.
pub fn set_cloexec(fd: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::fcntl, fd, libc::F_SETFD, libc::FD_CLOEXEC) }.map(drop)
}

/// `unshare(CLONE_NEWUSER | CLONE_NEWNS)`, and newuidmap and newgidmap, which map more ids than one's own: executed by a
/// child that is not in the namespace, since only what is outside of it may map others than itself. EACCES: one of them
/// did not want to.
pub fn enter(uid: &[Text], gid: &[Text]) -> Result<(), Errno> {
    let (ours, theirs) = socket_pair(libc::SOCK_STREAM)?;
    // Or there would be no child to wait for.
    default_action(libc::SIGCHLD)?;
    let Side::Parent(child, _) = clone(0)? else { map(&theirs, ours, uid, gid) };
    drop(theirs);
    // SAFETY: no pointers.
    unsafe { syscall!(Sysno::unshare, libc::CLONE_NEWUSER | libc::CLONE_NEWNS) }?;
    super::fs::write_all(std::os::fd::AsFd::as_fd(&ours), b"1")?;
    match wait(child, 0)? {
        (_, 0) => Ok(()),
        _ => Err(Errno::EACCES),
    }
}

/// The child of `enter`: waits until there is a namespace; ends with it if there is none.
fn map(theirs: &OwnedFd, ours: OwnedFd, uid: &[Text], gid: &[Text]) -> ! {
    drop(ours);
    let execute = |args: &[Text]| {
        execve(args.first().copied().unwrap_or_default(), &StringList::new(args), &StringList::new(&[]))
    };
    if super::fs::read(std::os::fd::AsFd::as_fd(theirs), &mut [0]) == Ok(1) {
        match clone(0) {
            Ok(Side::Child) => _ = execute(uid),
            Ok(Side::Parent(pid, _)) if matches!(wait(pid, 0), Ok((_, 0))) => _ = execute(gid),
            _ => {}
        }
    }
    exit(1)
}

/// `getrandom(buf, 0)`.
pub fn random(buf: &mut [u8]) -> Result<(), Errno> {
    // SAFETY: the kernel writes at most the length that is passed; up to 256 bytes come whole.
    let got = unsafe { syscall!(Sysno::getrandom, buf.as_mut_ptr(), buf.len(), 0) }?;
    if got == buf.len() { Ok(()) } else { Err(Errno::EIO) }
}

/// `clock_gettime(clock)`: seconds and nanoseconds. A system call: the vDSO would be 1.5 kB of libc.
fn clock(clock: c_int) -> (u64, u64) {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the timespec.
    let _ = unsafe { syscall!(Sysno::clock_gettime, clock, &raw mut time) };
    (time.tv_sec as u64, time.tv_nsec as u64)
}

/// The wall clock: seconds since 1970 and nanoseconds.
pub fn now() -> (u64, u64) {
    clock(libc::CLOCK_REALTIME)
}

/// Nanoseconds of the monotonic clock.
pub fn nanoseconds() -> u64 {
    let (seconds, nanoseconds) = clock(libc::CLOCK_MONOTONIC);
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
}

/// `getpid()`.
pub fn pid() -> c_int {
    // SAFETY: no arguments.
    unsafe { syscall!(Sysno::getpid) }.unwrap_or(0) as c_int
}

/// `pidfd_open(getpid(), 0)`.
pub fn open_self() -> Result<OwnedFd, Errno> {
    open_process(pid())
}

/// `pidfd_open(pid, 0)`.
pub fn open_process(pid: c_int) -> Result<OwnedFd, Errno> {
    // SAFETY: no pointers; the descriptor is new, and close-on-exec as all pidfds are.
    unsafe { syscall!(Sysno::pidfd_open, pid, 0).map(|fd| OwnedFd::from_raw_fd(fd as RawFd)) }
}

/// Whether the process of a pidfd, or of a directory in /proc, has ended.
pub fn has_ended(process: BorrowedFd) -> bool {
    let mut fds = [PollFd { fd: process.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    // A directory can always be read.
    poll(&mut fds, Some(0)) != Ok(0) && super::fs::open(process, super::name::t(c"stat"), libc::O_RDONLY, 0).is_err()
}

/// `unshare(CLONE_FILES)`: a copy of the table of descriptors.
pub fn unshare_files() -> Result<(), Errno> {
    // SAFETY: the descriptors keep their numbers.
    unsafe { syscall!(Sysno::unshare, libc::CLONE_FILES) }.map(drop)
}

/// `umask(0)`.
pub fn clear_umask() {
    // SAFETY: no pointers. It cannot fail.
    let _ = unsafe { syscall!(Sysno::umask, 0) };
}

/// `geteuid()`.
pub fn euid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall!(Sysno::geteuid) }.unwrap_or(0) as u32
}

/// `getegid()`.
pub fn egid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall!(Sysno::getegid) }.unwrap_or(0) as u32
}

/// `socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC)`, then `ioctl(SIOCSIFFLAGS, {"lo", IFF_UP})`: 127.0.0.1 comes by itself.
pub fn loopback_up() -> Result<(), Errno> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the descriptor is new.
    let socket =
        unsafe { syscall!(Sysno::socket, libc::AF_INET, kind, 0).map(|fd| OwnedFd::from_raw_fd(fd as RawFd)) }?;
    // struct ifreq: 16 bytes of name, then ifr_flags.
    let mut request = [0_u8; 40];
    request.iter_mut().zip(b"lo").for_each(|(to, from)| *to = *from);
    if let Some(flags) = request.get_mut(16..18) {
        flags.copy_from_slice(&(libc::IFF_UP as u16).to_ne_bytes());
    }
    // SAFETY: 40 bytes, sizeof(struct ifreq), are read.
    unsafe { syscall!(Sysno::ioctl, socket.as_raw_fd(), 0x8914, request.as_ptr()) }.map(drop)
}

/// A page shared with the child of clone: times of a start, for --trace-startup.
pub fn shared_words(count: usize) -> Result<&'static [core::sync::atomic::AtomicU64], Errno> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping of zeros that is never unmapped; atomics may be shared between processes.
    unsafe {
        let at = syscall!(Sysno::mmap, 0, count.saturating_mul(8), prot, flags, -1_isize, 0)?;
        Ok(core::slice::from_raw_parts(at as *const core::sync::atomic::AtomicU64, count))
    }
}

#[cfg(not(any(test, fuzzing)))]
pub use super::start::{forget_environment, run_sealed, variable};

/// The tests are not started as the program is.
#[cfg(any(test, fuzzing))]
pub fn run_sealed() -> Errno {
    Errno::ENOSYS
}

/// The tests have theirs.
#[cfg(any(test, fuzzing))]
pub fn forget_environment() {}

/// The environment variable's value.
#[cfg(any(test, fuzzing))]
pub fn variable(name: Name) -> Option<Text> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    std::env::var_os(std::ffi::OsStr::from_bytes(name.to_bytes())).map(|value| crate::text::keep(&value.into_vec()))
}
