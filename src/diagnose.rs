//! Why it failed, in the words of somebody who has looked: off the fast path, after the failure.

use crate::error::{Error, NOT_EXECUTABLE, NOT_FOUND, RUNTIME};
use crate::plan::{Entry, Host, Plan, Step, Want};
use crate::spec::{Spec, Text};
use crate::store::Store;
use crate::sys::OwnedFd;
use crate::sys::name::t;
use crate::sys::process::Received;
use crate::sys::{Errno, fs};
use crate::text::{Line, Message, Push, filled, has, join, keep, row, until};
use crate::{perform, userns};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A step outside failed.
pub fn outside(spec: &Spec, host: &Host, store: &Store, entry: &Entry, errno: Errno) -> Error {
    let hint = match (&entry.step, errno) {
        (Step::Symlink(..), Errno::EEXIST) => {
            let name = spec.name.unwrap_or_default();
            let owner = store.named(name).unwrap_or_default().to_bytes();
            let pieces = [name, keep(owner.get(..12).unwrap_or_default())];
            return Error::new(text!("the name \"%\" is already in use by container %"), &pieces);
        }
        (Step::Fsopen(fs, _), Errno::ENODEV) if *fs == t(c"overlay") => {
            text!("this kernel has no overlayfs: modprobe overlay, or CONFIG_OVERLAY_FS")
        }
        (Step::Create | Step::Option(..), Errno::EINVAL | Errno::ELOOP | Errno::ESTALE)
            if entry.about == spec.lower.named =>
        {
            overlay(spec, host.store)
        }
        (Step::Set(_, file, value), _) => {
            let which = [entry.about.to_bytes(), b" (", file.to_bytes(), b" = ", value.to_bytes(), b")"];
            return Error::sys(entry.why, keep(&join(&which)), errno).hint(limit(*file, errno), &[]);
        }
        (Step::Idmap(..), Errno::EINVAL | Errno::EPERM) => {
            text!(
                "its file system, or one that is mounted below it, has no idmapped mounts on this kernel; `--userns host` does \
             without"
            )
        }
        (Step::Same(..), _) => text!("it was exchanged for something else since mydocker looked at it"),
        (Step::Mkdir(..), Errno::EROFS) => {
            text!("--root DIR names another store; limits need a cgroup that can be written")
        }
        (Step::File(..), Errno::EFBIG) => text!("ulimit -f is too little, and mydocker may not raise it"),
        (Step::Create, Errno::EPERM) if entry.about == spec.lower.named && host.user.is_some() => {
            text!("in a user namespace that needs Linux 5.11")
        }
        // Ubuntu's AppArmor lets an ordinary user make a user namespace, but not use it.
        (Step::Clone(_) | Step::Clone3(..), _) if host.user.is_some() => userns::forbidden(errno),
        (_, Errno::EPERM) => text!("something forbids it, such as an outer container: `mydocker check` says more"),
        (Step::Clone(_) | Step::Clone3(..), Errno::ENOSPC | Errno::EUSERS) => {
            text!("a limit in /proc/sys/user/max_*_namespaces is reached")
        }
        _ => Message::NONE,
    };
    perform::describe(entry, errno).hint(hint, &[host.store, spec.lower.named])
}

/// What overlayfs does not like, found by looking.
fn overlay(spec: &Spec, store: Text) -> Message {
    if fs::fs_type(store) == Ok(fs::OVERLAYFS) {
        return text!(
            "the store % is on an overlay itself, which cannot hold an upper directory: put it on another file \
                system with --root, or mount a tmpfs there"
        );
    }
    let mut layers = spec.lower.layers.iter().map(|layer| layer.to_bytes());
    if layers.any(|layer| layer.starts_with(b"/") && store.to_bytes().starts_with(layer)) {
        return text!("the store % lies inside the root file system %: choose another with --root");
    }
    text!("the file system of the store % may lack what an upper directory needs (xattrs, d_type); dmesg says more")
}

/// Why a cgroup refuses a value.
fn limit(file: Text, errno: Errno) -> Message {
    let control = file.to_bytes().ends_with(b"subtree_control");
    match errno {
        Errno::ENOENT if control => text!("the parent cgroup does not have the controller in its cgroup.controllers"),
        Errno::EBUSY if control => {
            text!("there are processes in the cgroup itself: it can hand controllers down only when it has none")
        }
        Errno::EBUSY => text!("the limit is below what the cgroup already holds"),
        Errno::ENOENT => text!("the controller has no such file here: the kernel may be built without it"),
        Errno::EINVAL | Errno::ERANGE | Errno::EACCES => {
            text!("the host does not have what was asked for, or the parent cgroup does not allow it")
        }
        _ => Message::NONE,
    }
}

/// A step in the child that failed.
pub struct Failure<'a> {
    /// Its place in the plan's inside.
    pub index: usize,
    /// The step.
    pub entry: &'a Entry,
    /// Why.
    pub errno: Errno,
    /// The file that could not be executed; empty where none was found.
    pub path: Text,
    /// The same, open (O_PATH).
    pub file: Option<OwnedFd>,
}

impl<'a> Failure<'a> {
    /// What the child has said; None for what is no step's.
    pub fn of(plan: &'a Plan, (words, file): Received) -> Option<Self> {
        let [step, errno, candidate] = words;
        let index = step as usize;
        let entry = plan.inside.get(index)?;
        let path = plan.exec.candidates.get(candidate as usize).copied();
        Some(Self { index, entry, errno: Errno::new(errno as i32), path: path.unwrap_or_default(), file })
    }
}

/// A step in the child failed.
pub fn inside(spec: &Spec, failure: &Failure) -> Error {
    let (entry, errno) = (failure.entry, failure.errno);
    let about = entry.about.to_bytes();
    let mut hint = Message::NONE;
    let instead = match (&entry.step, errno) {
        (Step::Exec, _) => return command(spec, failure),
        (Step::Target(_, Want::Directory, _), Errno::ENOTDIR) => {
            text!("%: the source is a directory, but the target in the container is a file, or below one")
        }
        (Step::Target(_, Want::File, _), Errno::EISDIR) => {
            text!("%: the source is a file, but the target in the container is a directory")
        }
        (Step::Target(_, Want::Directory, _), Errno::EBUSY) => {
            text!("%: the target leads to /, over which nothing can be mounted")
        }
        (Step::Target(..), Errno::EXDEV) => text!("%: the target leads to /proc, where nothing can be mounted"),
        (Step::Target(_, Want::Present, _), Errno::ENOENT) => text!("the working directory % is not in the container"),
        (Step::CheckCwd, Errno::EXDEV) => text!("the working directory % is outside the container"),
        (step, errno) => {
            hint = match (step, errno) {
                (Step::Target(..) | Step::Mkdir(..), Errno::EACCES | Errno::EOVERFLOW) => {
                    text!("in a user namespace only what belongs to its ids can be changed")
                }
                (Step::Rlimit(..), Errno::EPERM) => {
                    text!(
                        "a hard limit above mydocker's own needs CAP_SYS_RESOURCE, and nofile is at most \
                     /proc/sys/fs/nr_open"
                    )
                }
                (Step::Set(..), Errno::EACCES) if spec.process.oom_score == Some(entry.about) => {
                    text!("less than mydocker's own needs CAP_SYS_RESOURCE")
                }
                (Step::Set(..), Errno::ENOENT) => {
                    text!("no namespace has such a value on this kernel, or no such profile is loaded")
                }
                (Step::Keyring, Errno::EDQUOT) => {
                    text!("root_maxkeys and root_maxbytes in /proc/sys/kernel/keys limit them")
                }
                (_, Errno::ENOMEM) if spec.limits.memory.is_some_and(|bytes| bytes < 1 << 20) => {
                    text!("the memory limit may be too small to start")
                }
                (Step::Open(_, path, ..), Errno::ENOENT) if path.to_bytes().starts_with(b"/proc/") => {
                    text!("mydocker needs /proc: mount -t proc proc /proc")
                }
                (Step::MoveMount(..) | Step::Open(..), Errno::ENOTDIR | Errno::ELOOP) => {
                    text!("in the image this is no directory")
                }
                (Step::Create | Step::Fsmount(..) | Step::MountAt(..), Errno::EPERM) => {
                    text!(
                        "an outer container hides parts of /proc or /sys, and the kernel allows no fuller view: run the \
                     outer one with them unmasked"
                    )
                }
                (Step::Loopback, Errno::EPERM) => text!("that needs CAP_NET_ADMIN; --net host does without"),
                (_, Errno::EPERM) => {
                    text!("something forbids it, such as an outer container: `mydocker check` says more")
                }
                _ => Message::NONE,
            };
            Message::NONE
        }
    };
    if !instead.is_empty() {
        // docker's code for `exec -w` to where nothing is.
        let code = if let Step::Target(_, Want::Present, _) = entry.step { NOT_EXECUTABLE } else { RUNTIME };
        return Error::new(instead, &[keep(about)]).code(code);
    }
    perform::describe(entry, errno).hint(hint, &[])
}

/// Below this a start itself may not fit: /bin/true of busybox starts in 128 KiB (docs/bench).
const LITTLE: u64 = 128 << 10;

/// A container that was killed although nothing has been said: if its limit is that small, it never got to run.
pub fn too_little(memory: u64, code: &core::result::Result<u8, Errno>) -> Option<Error> {
    if memory >= LITTLE || !matches!(code, Ok(137)) {
        return None;
    }
    let mut bytes = Line::new();
    bytes.dec(memory).put(b" (").dec(memory >> 10).put(b"k)");
    Some(
        Error::new(text!("--memory %: too little to start a container, it was killed"), &[keep(&bytes)])
            .hint(text!("256k starts a small command"), &[]),
    )
}

/// The command was not executed.
fn command(spec: &Spec, failure: &Failure) -> Error {
    let errno = failure.errno;
    let command = spec.process.args.first().copied().unwrap_or_default().to_bytes();
    let path = if failure.path.is_empty() { command } else { failure.path.to_bytes() };
    let missing = errno == Errno::ENOENT || errno == Errno::ENOTDIR;
    let plain = Error::sys(text!("execute"), keep(path), errno).code(if missing { NOT_FOUND } else { NOT_EXECUTABLE });
    let Some(file) = &failure.file else {
        let searched = errno == Errno::ENOENT && !has(command, b'/');
        return plain.hint(
            if searched { text!("not found in the container, whose PATH is %") } else { Message::NONE },
            &[keep(spec.process.path())],
        );
    };
    let mode = fs::fstat(file.as_fd()).map_or(0, |stat| stat.st_mode);
    let file = descriptor(file.as_fd());
    // Through the descriptor, since its mount may be gone from every namespace.
    let head = fs::read_file(file, 4096).unwrap_or_default();
    if mode & libc::S_IFMT == libc::S_IFDIR || errno == Errno::EACCES && mode & 0o111 == 0 {
        // Of a script this may be the interpreter.
        let mut buf = [0; 4096];
        let name = fs::read_link(fs::CWD, file, &mut buf).unwrap_or(path);
        let hint = if mode & 0o111 == 0 { text!("% has no x bit: chmod +x") } else { text!("% is a directory") };
        return plain.code(NOT_EXECUTABLE).hint(hint, &[keep(name)]);
    }
    let interpreter = interpreter(head);
    let hint = match errno {
        Errno::EACCES if interpreter.is_none() => text!("the user may not execute it, or its mount is noexec"),
        Errno::EACCES => text!("it may not be executed, or its interpreter % may not"),
        Errno::ENOENT | Errno::ENOTDIR if interpreter.is_some() => text!("its interpreter % is not in the container"),
        Errno::ENOEXEC => return plain.hint(text!("%"), &[format(head)]),
        Errno::ENOMEM => text!("the memory limit may be too small to start it"),
        _ => Message::NONE,
    };
    plain.hint(hint, &[keep(interpreter.unwrap_or_default())])
}

fn descriptor(file: BorrowedFd) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/self/fd/").dec(file.as_raw_fd() as u64))
}

/// What the kernel would have run it with: a script's `#!` line, or the ELF's PT_INTERP.
pub fn interpreter(head: &[u8]) -> Option<&[u8]> {
    if let Some(line) = head.strip_prefix(b"#!") {
        // The kernel parts at blanks and tabs only: a carriage return belongs to the name.
        let mut words = until(line, b'\n').split(|&byte| byte == b' ' || byte == b'\t');
        return words.find(|word| !word.is_empty());
    }
    // ELF64, little-endian: e_phoff at 32, e_phentsize at 54, e_phnum at 56; p_type, p_offset at 8, p_filesz at 32.
    head.strip_prefix(b"\x7fELF\x02\x01")?;
    let (mut at, size) = (number(head, 32, 8)?, number(head, 54, 2)?);
    for _ in 0..number(head, 56, 2)? {
        let row = head.get(at..)?;
        if number(row, 0, 4)? == 3 {
            let name = head.get(number(row, 8, 8)?..)?;
            return Some(until(name.get(..number(row, 32, 8)?)?, 0));
        }
        at = at.checked_add(size)?;
    }
    None
}

/// A little-endian number of some bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..length)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

/// What kind of file it is that the kernel did not want to execute.
pub fn format(head: &[u8]) -> Text {
    if head.is_empty() {
        return text!("the file is empty").text();
    }
    if !head.starts_with(b"\x7fELF") {
        return text!("a script needs a #! line, and this is no ELF file").text();
    }
    let machine = row(MACHINES, number(head, 18, 2).unwrap_or(0) as u64).unwrap_or(b"another machine");
    let ours = std::env::consts::ARCH.as_bytes();
    if machine == ours {
        return text!("the ELF file is damaged or cut off").text();
    }
    filled("the ELF file is for %, this kernel runs %", &[keep(machine), keep(ours)])
}

/// e_machine's names, from elf.h.
const MACHINES: Message = text!(
    "\
3 i386
8 mips
20 powerpc
21 powerpc64
22 s390
40 arm
62 x86_64
183 aarch64
243 riscv
258 loongarch"
);
