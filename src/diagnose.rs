//! Why it failed, in the words of somebody who has looked: off the fast path, after the failure.

use crate::error::{Error, NOT_EXECUTABLE, NOT_FOUND};
use crate::perform;
use crate::plan::{Entry, Host, Step, Want};
use crate::spec::{Spec, Text};
use crate::store::Store;
use crate::sys::OwnedFd;
use crate::sys::{Errno, fs};
use crate::text::{Line, Push, keep};
use core::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A step outside failed.
pub fn outside(spec: &Spec, host: &Host, store: &Store, entry: &Entry, errno: Errno) -> Error {
    let plain = perform::describe(entry, errno);
    match (&entry.step, errno) {
        (Step::Symlink(..), Errno::EEXIST) => match spec.name {
            Some(name) => {
                let owner = store.named(name).unwrap_or(c"");
                Error::new(
                    "the name \"%\" is already in use by container %",
                    &[name.to_bytes(), owner.to_bytes().get(..12).unwrap_or_default()],
                )
            }
            None => plain,
        },
        (Step::Fsopen(fs, _), Errno::ENODEV) if *fs == c"overlay" => {
            plain.hint("this kernel has no overlayfs: modprobe overlay, or CONFIG_OVERLAY_FS", &[])
        }
        (Step::Create | Step::Option(..), Errno::EINVAL | Errno::ELOOP | Errno::ESTALE)
            if entry.about == spec.lower.named =>
        {
            overlay(spec, host, plain)
        }
        (Step::Set(..), _) => limit(spec, entry, errno),
        (Step::Clone(_) | Step::Clone3(..), Errno::EPERM) => {
            plain.hint("an outer container or a seccomp filter forbids namespaces", &[])
        }
        (Step::Clone(_) | Step::Clone3(..), Errno::ENOSPC | Errno::EUSERS) => {
            plain.hint("a limit in /proc/sys/user/max_*_namespaces is reached", &[])
        }
        _ => plain,
    }
}

/// What overlayfs does not like, found by looking.
fn overlay(spec: &Spec, host: &Host, plain: Error) -> Error {
    const OVERLAYFS: i64 = 0x794c_7630;
    if fs::fs_type(host.store) == Ok(OVERLAYFS) {
        return plain.hint("the store % is on an overlay itself, which cannot hold an upper directory: put it on another file system with --root, or mount a tmpfs there", &[host.store.to_bytes()]);
    }
    let below =
        spec.lower.layers.iter().any(|layer| {
            layer.to_bytes().first() == Some(&b'/') && host.store.to_bytes().starts_with(layer.to_bytes())
        });
    if below {
        return plain.hint(
            "the store lies inside the root file system %: choose another with --root",
            &[spec.lower.named.to_bytes()],
        );
    }
    plain.hint("the store's file system may lack what an upper directory needs (xattrs, d_type); dmesg says more", &[])
}

/// A cgroup refused a value.
fn limit(spec: &Spec, entry: &Entry, errno: Errno) -> Error {
    let Step::Set(_, file, value) = entry.step else { return perform::describe(entry, errno) };
    let _ = spec;
    let plain = Error::sys(
        entry.why,
        &[entry.about.to_bytes(), b" (", file.to_bytes(), b" = ", value.to_bytes(), b")"].concat(),
        errno,
    );
    match errno {
        Errno::ENOENT if file.to_bytes().ends_with(b"subtree_control") => {
            plain.hint("the parent cgroup does not have the controller in its cgroup.controllers", &[])
        }
        Errno::EBUSY if file.to_bytes().ends_with(b"subtree_control") => plain
            .hint("there are processes in the cgroup itself: it can hand controllers down only when it has none", &[]),
        Errno::EBUSY => plain.hint("the limit is below what the cgroup already holds", &[]),
        Errno::ENOENT => plain.hint("the controller has no such file here: the kernel may be built without it", &[]),
        Errno::EINVAL | Errno::ERANGE | Errno::EACCES => {
            plain.hint("the host does not have what was asked for, or the parent cgroup does not allow it", &[])
        }
        _ => plain,
    }
}

/// A step in the child that failed.
pub struct Failure {
    /// The step.
    pub entry: Entry,
    /// Why.
    pub errno: Errno,
    /// The file that could not be executed; empty where none was found.
    pub path: Text,
    /// The same, open (O_PATH).
    pub file: Option<OwnedFd>,
}

/// A step in the child failed.
pub fn inside(spec: &Spec, failure: &Failure) -> Error {
    let (entry, errno) = (&failure.entry, failure.errno);
    let plain = perform::describe(entry, errno);
    let about = entry.about.to_bytes();
    match (&entry.step, errno) {
        (Step::Exec, _) => command(spec, failure),
        (Step::Target(_, Want::Directory, _), Errno::ENOTDIR) => {
            Error::new("%: the source is a directory, but the target in the container is a file, or below one", &[about])
        }
        (Step::Target(_, Want::File, _), Errno::EISDIR) => {
            Error::new("%: the source is a file, but the target in the container is a directory", &[about])
        }
        (Step::Target(..), Errno::EPERM) => {
            Error::new("%: the target leads to /proc, where nothing can be mounted", &[about])
        }
        (Step::CheckCwd, _) => Error::new("the working directory % is outside the container", &[about]),
        (Step::Rlimit(..), Errno::EPERM) => plain.hint("a hard limit above mydocker's own needs CAP_SYS_RESOURCE, and nofile is at most /proc/sys/fs/nr_open", &[]),
        (_, Errno::ENOMEM) if spec.limits.memory.is_some() => plain.hint("the memory limit is too small to start", &[]),
        (Step::MoveMount(..) | Step::Open(..), Errno::ENOTDIR | Errno::ELOOP) => {
            plain.hint("in the image this is no directory", &[])
        }
        (Step::Create | Step::MountAt(..), Errno::EPERM) => plain.hint("an outer container hides parts of /proc or /sys, and the kernel allows no fuller view: run the outer one with them unmasked", &[]),
        _ => plain,
    }
}

/// Below this a start itself may not fit: /bin/true of busybox starts in 192 KiB (docs/bench).
const LITTLE: u64 = 256 << 10;

/// A container that was killed although nothing has been said: if its limit is that small, it never got to run.
pub fn too_little(memory: u64, code: &core::result::Result<u8, Errno>) -> Option<Error> {
    if memory >= LITTLE || !matches!(code, Ok(137)) {
        return None;
    }
    let mut bytes = Line::new();
    bytes.dec(memory).put(b" (").dec(memory >> 10).put(b"k)");
    Some(
        Error::new("--memory %: too little to start a container, it was killed", &[&bytes])
            .hint("256k starts a small command", &[]),
    )
}

/// The command was not executed.
fn command(spec: &Spec, failure: &Failure) -> Error {
    let errno = failure.errno;
    let command = spec.process.args.first().copied().unwrap_or(c"").to_bytes();
    let path = if failure.path.is_empty() { command } else { failure.path.to_bytes() };
    let plain = Error::sys("execute", path, errno);
    let Some(file) = &failure.file else {
        if errno == Errno::ENOENT && !command.contains(&b'/') {
            return plain.code(NOT_FOUND).hint("not found in the container, whose PATH is %", &[spec.process.path()]);
        }
        let missing = matches!(errno, Errno::ENOENT | Errno::ENOTDIR);
        return plain.code(if missing { NOT_FOUND } else { NOT_EXECUTABLE });
    };
    let stat = fs::fstat(file.as_fd());
    let head = head(file.as_fd());
    // Of a script this may be the interpreter.
    let mut buf = [0; 4096];
    let name = fs::read_link(fs::CWD, descriptor(file.as_fd()), &mut buf).unwrap_or(path);
    let plain = plain.code(NOT_EXECUTABLE);
    match errno {
        _ if stat.as_ref().is_ok_and(fs::is_dir) => plain.hint("% is a directory", &[name]),
        Errno::EACCES if stat.is_ok_and(|stat| stat.st_mode & 0o111 == 0) => {
            plain.hint("% has no x bit: chmod +x", &[name])
        }
        Errno::EACCES => match interpreter(&head) {
            Some(interpreter) => plain.hint("it may not be executed, or its interpreter % may not", &[interpreter]),
            None => plain.hint("the user may not execute it, or its mount is noexec", &[]),
        },
        Errno::ENOENT | Errno::ENOTDIR => match interpreter(&head) {
            Some(interpreter) => {
                plain.code(NOT_FOUND).hint("its interpreter % is not in the container", &[interpreter])
            }
            None => plain.code(NOT_FOUND),
        },
        Errno::ENOEXEC => plain.hint("%", &[&format(&head)]),
        Errno::ENOMEM => plain.hint("the memory limit may be too small to start it", &[]),
        _ => plain,
    }
}

fn descriptor(file: BorrowedFd) -> Text {
    let mut path = Line::new();
    keep(path.put(b"/proc/self/fd/").dec(file.as_raw_fd() as u64))
}

/// The beginning of the file: through the descriptor, since its mount may be gone from every namespace.
fn head(file: BorrowedFd) -> Line {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    fs::open_follow(fs::CWD, descriptor(file), flags, 0)
        .and_then(|file| fs::read_all(file.as_fd(), 4096))
        .unwrap_or_default()
}

/// What the kernel would have run it with: a script's `#!` line, or the ELF's PT_INTERP.
pub fn interpreter(head: &[u8]) -> Option<&[u8]> {
    if let Some(line) = head.strip_prefix(b"#!") {
        // The kernel parts at blanks and tabs only: a carriage return belongs to the name.
        let mut words = line.split(|&byte| byte == b'\n').next()?.split(|byte| b" \t".contains(byte));
        return words.find(|word| !word.is_empty());
    }
    let word = |at: usize| Some(u64::from_le_bytes(head.get(at..at.checked_add(8)?)?.try_into().ok()?) as usize);
    let half = |at: usize| Some(usize::from(u16::from_le_bytes(head.get(at..at.checked_add(2)?)?.try_into().ok()?)));
    // ELF64, little-endian: e_phoff at 32, e_phentsize at 54, e_phnum at 56; p_type, p_offset at 8, p_filesz at 32.
    head.strip_prefix(b"\x7fELF\x02\x01")?;
    let (table, size, count) = (word(32)?, half(54)?, half(56)?);
    (0..count).find_map(|index| {
        let at = table.checked_add(index.checked_mul(size)?)?;
        if head.get(at..at.checked_add(4)?)? != [3, 0, 0, 0] {
            return None;
        }
        let from = word(at.checked_add(8)?)?;
        let name = head.get(from..from.checked_add(word(at.checked_add(32)?)?)?)?;
        CStr::from_bytes_until_nul(name).ok().map(CStr::to_bytes)
    })
}

/// What kind of file it is that the kernel did not want to execute.
fn format(head: &[u8]) -> Line {
    let mut line = Line::new();
    if head.is_empty() {
        line.put(b"the file is empty");
        return line;
    }
    if !head.starts_with(b"\x7fELF") {
        line.put(b"a script needs a #! line, and this is no ELF file");
        return line;
    }
    let machine = match head.get(18..20) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    };
    line.put(b"the ELF file is for ")
        .put(machine_name(machine))
        .put(b", this kernel runs ")
        .put(std::env::consts::ARCH.as_bytes());
    line
}

/// e_machine's names, from elf.h.
fn machine_name(machine: u16) -> &'static [u8] {
    match machine {
        3 => b"i386",
        8 => b"mips",
        20 => b"powerpc",
        21 => b"powerpc64",
        22 => b"s390",
        40 => b"arm",
        62 => b"x86_64",
        183 => b"aarch64",
        243 => b"riscv",
        258 => b"loongarch",
        _ => b"another machine",
    }
}
