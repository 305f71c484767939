//! How much is in a tree: what `ps -s` and `system df` show.

use crate::record::Record;
use crate::remove::open_same_mount;
use crate::store::Store;
use crate::sys::fs;
use crate::sys::name::{Name, t};
use std::os::fd::{AsFd, BorrowedFd};

/// Directories open at once, which is as deep as it is looked.
const DEPTH: u32 = 200;

/// A container's own files, and with the image's.
pub fn container(store: &Store, record: &Record) -> (u64, u64) {
    let own = tree(record.dir.as_fd(), t(c"upper"));
    let layers = record.layers.iter().map(|&layer| tree(store.dir(), layer));
    (own, layers.fold(own, u64::wrapping_add))
}

/// The sizes of all files, each once however many names it has; directories count nothing, as docker has it. Nothing is
/// opened but directories, and no link or mount is followed.
pub fn tree(dir: BorrowedFd, name: Name) -> u64 {
    let mut sum = Sum { bytes: 0, seen: Vec::new() };
    sum.directory(dir, name, 0);
    sum.bytes
}

struct Sum {
    bytes: u64,
    /// Files with several names, sorted.
    seen: Vec<(u64, u64)>,
}

impl Sum {
    fn directory(&mut self, dir: BorrowedFd, name: Name, depth: u32) {
        // What is mounted there is not its own.
        let Ok(dir) = open_same_mount(dir, name) else { return };
        let mut buf = fs::DirBuf::new();
        while let Ok(entries) = fs::read_dir(dir.as_fd(), &mut buf) {
            if entries.is_end() {
                return;
            }
            for (name, _) in entries {
                let Ok(stat) = fs::stat(dir.as_fd(), name) else { continue };
                if fs::is_dir(&stat) {
                    if depth < DEPTH {
                        self.directory(dir.as_fd(), name, depth.wrapping_add(1));
                    }
                } else if stat.st_nlink == 1 || self.first(&stat) {
                    self.bytes = self.bytes.wrapping_add(stat.st_size as u64);
                }
            }
        }
    }

    /// Whether none of its names was seen before.
    fn first(&mut self, stat: &fs::Stat) -> bool {
        let file = (stat.st_dev, stat.st_ino);
        let place = self.seen.binary_search(&file);
        if let Err(at) = place {
            self.seen.insert(at, file);
        }
        place.is_err()
    }
}
