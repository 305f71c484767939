//! What only the supervisor does: the steps that are much code or allocate, and the way back. Not for the child, which has
//! none of this (see layout.ld).

use super::step as shared;
use crate::error::{Error, Result};
use crate::plan::{CONTAINER, Entry, Plan, Step, Undo};
use crate::record::STATE;
use crate::spec::Text;
use crate::sys::call::{CWD, Slots};
use crate::sys::name::t;
use crate::sys::resolve::open_in_root;
use crate::sys::{Errno, bpf, fs};
use crate::text::keep;
use crate::{cgroup, copy, devices, remove};
use std::os::fd::{AsFd, BorrowedFd};

/// Makes one step of those outside.
pub fn step(entry: &Entry, slots: &mut Slots) -> core::result::Result<(), Errno> {
    match entry.step {
        Step::FilterDevices(cgroup, rules) => {
            bpf::filter_devices(slots.get(cgroup), &devices::program(rules.to_bytes()))
        }
        Step::Fill(root, layers, volume, target) => {
            fill((root != CWD).then(|| slots.get(root)), layers, volume, target)
        }
        _ => shared(entry, slots),
    }
}

/// Gives a volume what the image has at the target, topmost layer first. Copied beside and renamed, under a lock: a copy
/// that was cut off is not taken for the volume's content, and of two first users one waits for the other.
fn fill(root: Option<BorrowedFd>, layers: &[Text], volume: Text, target: Text) -> core::result::Result<(), Errno> {
    let (copy, data) = (t(c".filling"), t(c"_data"));
    let volume = fs::open(fs::CWD, volume, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    let volume = volume.as_fd();
    fs::lock(volume, libc::LOCK_EX)?;
    if !fs::is_empty(volume, data) {
        return Ok(());
    }
    if fs::stat(volume, copy).is_ok() {
        remove::tree(volume, copy).map_err(|(errno, _)| errno)?;
    }
    for &layer in layers {
        let layer = fs::open_follow(fs::CWD, layer, libc::O_PATH | libc::O_DIRECTORY, 0)?;
        let root = root.unwrap_or(layer.as_fd());
        match open_in_root(root, target, libc::O_RDONLY | libc::O_DIRECTORY, 0) {
            Ok(from) => {
                fs::mkdir(volume, copy, 0o755)?;
                let to = fs::open(volume, copy, libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
                copy::tree(from.as_fd(), to.as_fd()).map_err(|(errno, _)| errno)?;
                return fs::rename(volume, copy, volume, data, 0);
            }
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Takes back what the first `done` steps outside have left on the host, last first. One that fails does not stop
/// the others; what is left behind is said, and the next mydocker command tries again.
pub fn undo(plan: &Plan, done: usize, slots: &Slots, failed: bool) -> Vec<Error> {
    let mut errors = Vec::new();
    for entry in plan.outside.iter().take(done).rev() {
        let (dir, path) = match entry.step {
            Step::Mkdir(dir, path, _) | Step::Symlink(_, dir, path) => (slots.get(dir), path),
            Step::Running(..) => (slots.get(CONTAINER), STATE),
            _ => continue,
        };
        let result = match entry.undo {
            Undo::Nothing => continue,
            Undo::IfFailed if !failed => continue,
            Undo::IfFailed => match fs::rmdir(dir, path) {
                // Another container uses it already, or somebody has put something else there.
                Err(Errno::ENOTEMPTY | Errno::EEXIST | Errno::ENOENT | Errno::ENOTDIR) => continue,
                result => result.map_err(|errno| Error::sys(text!("remove"), path, errno)),
            },
            Undo::Unlink => fs::unlink(dir, path).map_err(|errno| Error::sys(text!("remove the name"), path, errno)),
            Undo::Cgroup => cgroup::remove(path).map_err(|errno| Error::sys(text!("remove the cgroup"), path, errno)),
            Undo::Leave => cgroup::leave(path).map_err(|errno| Error::sys(text!("remove the cgroup"), path, errno)),
            // A directory whose content could not be removed cannot be either: once is said enough.
            Undo::Work | Undo::Tree if !errors.is_empty() => continue,
            Undo::Work => work(dir, path),
            Undo::Tree => tree(dir, path),
        };
        errors.extend(result.err());
    }
    errors
}

/// What overlayfs makes in its work directory: one directory in another, and a file in the last.
pub const WORK: [Text; 4] = [t(c"work"), t(c"work"), t(c"incompat"), t(c"volatile")];
/// The file.
pub const DIRTY: Text = t(c"dirty");

fn work(dir: BorrowedFd, path: Text) -> Result<()> {
    if remove_work(dir, &WORK).is_ok() { Ok(()) } else { tree(dir, path) }
}

/// Down through the directories, none of which may be a mount point (EXDEV), and removing on the way up.
fn remove_work(dir: BorrowedFd, chain: &[Text]) -> core::result::Result<(), Errno> {
    let Some((&name, below)) = chain.split_first() else { return fs::unlink(dir, DIRTY) };
    match remove::open_same_mount(dir, name) {
        // An overlay that is not volatile, or was never mounted, has less.
        Err(Errno::ENOENT) => return Ok(()),
        opened => remove_work(opened?.as_fd(), below)?,
    }
    fs::rmdir(dir, name)
}

fn tree(dir: BorrowedFd, path: Text) -> Result<()> {
    remove::tree(dir, path).map_err(|(errno, what)| {
        let error = Error::sys(text!("remove"), keep(&what), errno);
        if errno != Errno::EXDEV && errno != Errno::EBUSY {
            return error;
        }
        error.hint(text!("something is mounted there; nothing below it was touched: unmount it, and the next mydocker command removes the rest"), &[])
    })
}
