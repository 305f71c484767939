//! Why it failed, in the words of somebody who has looked: off the fast path, after the failure.

use crate::error::{Error, NOT_EXECUTABLE, NOT_FOUND};
use crate::perform;
use crate::plan::{Entry, Host, Step};
use crate::spec::{Spec, Text};
use crate::store::Store;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, fs};
use crate::text::{Line, Push, keep};
use core::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

/// A step outside failed.
pub fn outside(spec: &Spec, host: &Host, store: &Store, entry: &Entry, errno: Errno) -> Error {
    let plain = perform::describe(entry, errno);
    match (&entry.step, errno) {
        (Step::Symlink(..), Errno::EEXIST) => match spec.name {
            Some(name) => {
                let owner = store.named(name).unwrap_or(c"");
                Error::new(&[
                    b"the name \"",
                    name.to_bytes(),
                    b"\" is already in use by container ",
                    owner.to_bytes().get(..12).unwrap_or_default(),
                ])
            }
            None => plain,
        },
        (Step::Fsopen(fs, _), Errno::ENODEV) if *fs == c"overlay" => {
            plain.hint(&[b"this kernel has no overlayfs: modprobe overlay, or CONFIG_OVERLAY_FS"])
        }
        (Step::Create, Errno::EINVAL | Errno::ELOOP | Errno::ESTALE) if entry.about == spec.lower.named => {
            overlay(spec, host, plain)
        }
        (Step::Set(..), _) => limit(spec, entry, errno),
        (Step::Clone(..), Errno::EPERM) => plain.hint(&[b"an outer container or a seccomp filter forbids namespaces"]),
        (Step::Clone(..), Errno::ENOSPC | Errno::EUSERS) => {
            plain.hint(&[b"a limit in /proc/sys/user/max_*_namespaces is reached"])
        }
        _ => plain,
    }
}

/// What overlayfs does not like, found by looking.
fn overlay(spec: &Spec, host: &Host, plain: Error) -> Error {
    const OVERLAYFS: i64 = 0x794c_7630;
    if fs::fs_type(host.store) == Ok(OVERLAYFS) {
        return plain.hint(&[b"the store ", host.store.to_bytes(), b" is on an overlay itself, which cannot hold an upper directory: put it on another file system with --root, or mount a tmpfs there"]);
    }
    let below =
        spec.lower.layers.iter().any(|layer| {
            layer.to_bytes().first() == Some(&b'/') && host.store.to_bytes().starts_with(layer.to_bytes())
        });
    if below {
        return plain.hint(&[
            b"the store lies inside the root file system ",
            spec.lower.named.to_bytes(),
            b": choose another with --root",
        ]);
    }
    plain.hint(&[b"the store's file system may lack what an upper directory needs (xattrs, d_type); dmesg says more"])
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
            plain.hint(&[b"the parent cgroup does not have the controller in its cgroup.controllers"])
        }
        Errno::EBUSY if file.to_bytes().ends_with(b"subtree_control") => plain
            .hint(&[b"there are processes in the cgroup itself: it can hand controllers down only when it has none"]),
        Errno::EBUSY => plain.hint(&[b"the limit is below what the cgroup already holds"]),
        Errno::ENOENT => plain.hint(&[b"the controller has no such file here: the kernel may be built without it"]),
        Errno::EINVAL | Errno::ERANGE | Errno::EACCES => {
            plain.hint(&[b"the host does not have what was asked for, or the parent cgroup does not allow it"])
        }
        _ => plain,
    }
}

/// A step in the child failed. `root` is the container's root.
pub fn inside(spec: &Spec, entry: &Entry, errno: Errno, root: BorrowedFd) -> Error {
    let plain = perform::describe(entry, errno);
    match (&entry.step, errno) {
        (Step::Exec, _) => command(spec, errno, root),
        (Step::Target(..), Errno::ENOTDIR) | (Step::MoveMount(..), Errno::ENOTDIR) if entry.why.contains("volume") => {
            Error::new(&[entry.about.to_bytes(), b": the source is a directory, but the target in the container is a file, or below one"])
        }
        (Step::Target(..), Errno::EISDIR) => Error::new(&[entry.about.to_bytes(), b": the source is a file, but the target in the container is a directory"]),
        (Step::CheckCwd, _) => Error::new(&[b"the working directory ", entry.about.to_bytes(), b" is outside the container"]),
        (Step::Rlimit(..), Errno::EPERM) => plain.hint(&[b"a hard limit above mydocker's own needs CAP_SYS_RESOURCE"]),
        (_, Errno::ENOMEM) if spec.limits.memory.is_some() => {
            plain.hint(&[b"the memory limit is too small to start"])
        }
        (Step::MoveMount(..), Errno::ENOTDIR) => plain.hint(&[b"in the image this is no directory"]),
        (Step::Create, Errno::EPERM) => plain.hint(&[b"an outer container hides parts of /proc or /sys, and the kernel allows no fuller view: run the outer one with them unmasked"]),
        _ => plain,
    }
}

/// The command was not executed.
fn command(spec: &Spec, errno: Errno, root: BorrowedFd) -> Error {
    let command = spec.process.args.first().copied().unwrap_or(c"");
    let word = command.to_bytes();
    let search = spec.process.env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH=")).unwrap_or_default();
    let path = found(spec, root, command, search);
    let Some(path) = path else {
        if word.contains(&b'/') {
            return Error::new(&[word, b": no such file in the container"]).code(NOT_FOUND);
        }
        return Error::new(&[word, b": not found in the container; PATH there is ", search]).code(NOT_FOUND);
    };
    let name = path.to_bytes();
    let Ok(fd) = open_in_root(root, path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0) else {
        return Error::sys("execute", name, errno).code(NOT_EXECUTABLE);
    };
    let stat = fs::fstat(fd.as_fd());
    if stat.as_ref().is_ok_and(fs::is_dir) {
        return Error::new(&[name, b": is a directory"]).code(NOT_EXECUTABLE);
    }
    if errno == Errno::EACCES {
        let error = Error::new(&[name, b": permission denied"]).code(NOT_EXECUTABLE);
        let no_x = stat.is_ok_and(|stat| stat.st_mode & 0o111 == 0);
        return if no_x { error.hint(&[b"it has no x bit: chmod +x"]) } else { error };
    }
    let mut head = [0; 4096];
    let count = fs::read(fd.as_fd(), &mut head).unwrap_or(0);
    let head = head.get(..count).unwrap_or_default();
    if errno == Errno::ENOENT || errno == Errno::ENOTDIR {
        let missing = interpreter(head);
        return Error::new(&[
            name,
            b": its interpreter ",
            missing.unwrap_or(b"(unknown)"),
            b" is not in the container",
        ])
        .code(NOT_FOUND);
    }
    if errno == Errno::ENOEXEC {
        return Error::new(&[name, b": exec format error: ", &format(head)]).code(NOT_EXECUTABLE);
    }
    if errno == Errno::ENOMEM {
        return Error::sys("execute", name, errno)
            .code(NOT_EXECUTABLE)
            .hint(&[b"the memory limit may be too small to start it"]);
    }
    Error::sys("execute", name, errno).code(NOT_EXECUTABLE)
}

/// The file that execve was tried on, inside the root.
fn found(spec: &Spec, root: BorrowedFd, command: Text, search: &[u8]) -> Option<Text> {
    let word = command.to_bytes();
    let exists = |path: Line| {
        let path = keep(&path);
        open_in_root(root, path, libc::O_PATH, 0).is_ok().then_some(path)
    };
    let cwd = spec.process.cwd.to_bytes();
    let mut line = Line::new();
    if word.contains(&b'/') {
        if word.first() != Some(&b'/') {
            line.put(cwd).put(b"/");
        }
        line.put(word);
        return exists(line).map(|_| command);
    }
    search.split(|&byte| byte == b':').find_map(|dir| {
        let mut line = Line::new();
        line.put(dir).put(b"/").put(word);
        exists(line)
    })
}

/// What the kernel would have run it with: a script's `#!` line, or the ELF's PT_INTERP.
fn interpreter(head: &[u8]) -> Option<&[u8]> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|&byte| byte == b'\n').next()?.trim_ascii_start();
        return line.split(|byte| byte.is_ascii_whitespace()).next();
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
