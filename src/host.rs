//! The facts about the host that a plan depends on. Looks, changes nothing.

use crate::cgroup;
use crate::error::{Error, Result};
use crate::plan::{Has, Host, MASKS, SYSRQ};
use crate::spec::{Mount, Source, Spec, Text};
use crate::sys::process::{STDERR, STDIN, STDOUT};
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, fs, terminal};
use crate::text::{Line, Push, keep};
use std::os::fd::{AsFd, BorrowedFd};

/// Looks at the host for a spec. `store` is its directory.
pub fn look(spec: &Spec, store: BorrowedFd, path: Text) -> Result<Host> {
    let mut host = Host {
        has: Has::ALL,
        masks: masks(),
        throttles: throttles(),
        mqueue: fs::exists(c"/proc/sys/fs/mqueue"),
        cgroups: cgroup::look(&spec.limits),
        missing: Vec::new(),
        fill: Vec::new(),
        files: Vec::new(),
        terminals: [STDIN, STDOUT, STDERR].map(terminal::is_terminal),
        store: path,
    };
    for (index, mount) in spec.mounts.iter().enumerate() {
        let file = match mount.source {
            Source::Host(source) => host_source(source, mount, &mut host.missing)?,
            Source::Volume(name) => {
                if mount.copy && is_empty(store, crate::plan::data(name)) {
                    host.fill.push(index);
                }
                false
            }
            Source::Anonymous => {
                if mount.copy {
                    host.fill.push(index);
                }
                false
            }
            Source::Tmpfs(_) => false,
        };
        check_target(spec, store, mount, file)?;
        host.files.push(file);
    }
    Ok(host)
}

fn masks() -> u32 {
    let mut bits = if fs::exists(c"/proc/sysrq-trigger") { SYSRQ } else { 0 };
    for (index, (path, _)) in MASKS.iter().enumerate() {
        if fs::exists(path) {
            bits |= 1 << index;
        }
    }
    bits
}

fn throttles() -> u32 {
    (0..4096)
        .take_while(|&cpu| {
            let mut path = Line::new();
            path.put(b"/sys/devices/system/cpu/cpu").dec(cpu).put(b"/thermal_throttle");
            fs::exists(keep(&path))
        })
        .count() as u32
}

/// Whether a host path is a file; the directories to make where it is missing.
fn host_source(source: Text, mount: &Mount, missing: &mut Vec<Text>) -> Result<bool> {
    // O_PATH: a FIFO, a socket or a device is not opened, so nothing blocks.
    match fs::open_follow(fs::CWD, source, libc::O_PATH, 0) {
        Ok(fd) => match fs::fstat(fd.as_fd()) {
            Ok(stat) => Ok(!fs::is_dir(&stat)),
            Err(errno) => Err(Error::sys("open the volume's source", mount.typed.to_bytes(), errno)),
        },
        Err(Errno::ENOENT) if mount.make_source => {
            let bytes = source.to_bytes();
            let ends =
                bytes.iter().enumerate().filter(|&(index, &byte)| byte == b'/' && index > 0).map(|(index, _)| index);
            for end in ends.chain([bytes.len()]) {
                let path = keep(bytes.get(..end).unwrap_or_default());
                if !fs::exists(path) && !missing.contains(&path) {
                    missing.push(path);
                }
            }
            Ok(false)
        }
        Err(Errno::ENOENT) => {
            Err(Error::new(&[mount.typed.to_bytes(), b": bind source path does not exist: ", source.to_bytes()]))
        }
        Err(errno) => Err(Error::sys("open the volume's source", mount.typed.to_bytes(), errno)),
    }
}

fn is_empty(store: BorrowedFd, path: Text) -> bool {
    let mut buf = fs::DirBuf::new();
    match fs::open(store, path, libc::O_RDONLY | libc::O_DIRECTORY, 0) {
        Ok(dir) => !matches!(fs::read_dir(dir.as_fd(), &mut buf).map(|mut entries| entries.next().is_some()), Ok(true)),
        Err(_) => true,
    }
}

/// A file on a directory or the reverse, as far as the image shows: before anything is made on the host.
fn check_target(spec: &Spec, store: BorrowedFd, mount: &Mount, file: bool) -> Result<()> {
    for layer in &spec.lower.layers {
        let Ok(layer) = fs::open_follow(store, layer, libc::O_PATH | libc::O_DIRECTORY, 0) else { continue };
        let Ok(target) = open_in_root(layer.as_fd(), mount.target, libc::O_PATH, 0) else { continue };
        let Ok(stat) = fs::fstat(target.as_fd()) else { continue };
        if fs::is_dir(&stat) != file {
            return Ok(());
        }
        let kind = |file: bool| -> &'static [u8] { if file { b"a file" } else { b"a directory" } };
        let source = match mount.source {
            Source::Host(path) => path.to_bytes(),
            _ => b"the volume",
        };
        return Err(Error::new(&[
            mount.typed.to_bytes(),
            b": ",
            source,
            b" is ",
            kind(file),
            b", but ",
            mount.target.to_bytes(),
            b" in the image is ",
            kind(!file),
        ]));
    }
    Ok(())
}
