//! An archive of a tree.
//!
//! The same tree gives the same bytes: names sorted, no names of users, no times but the files' own. A tree that changes
//! meanwhile, or whose owner is hostile, gives other members, never a damaged archive: a file is opened once, by a
//! descriptor of what was looked at before, and its data has the size that the header promises.

use super::header::{Kind, Member};
use super::write::Tar;
use crate::error::Error;
use crate::remove::on_same_mount;
use crate::sys::name::{Name, Text, t};
use crate::sys::{Errno, OwnedFd, fs, process};
use crate::text::{Line, Message, Push, keep};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// XATTR_LIST_MAX and XATTR_SIZE_MAX.
const XATTR_MAX: usize = 65536;
/// PATH_MAX, with the NUL.
const PATH_MAX: usize = 4096;

/// What a system call answered.
type Done<T> = Result<T, Errno>;

/// Consecutive ids: the first as the container has it, the first on the host, how many.
pub type IdRange = (u32, u32, u32);

/// How a tree is written. The default is the tree as it is.
#[derive(Default)]
pub struct How<'h> {
    /// What stands before each name. Where there is nothing, the top itself is no member.
    pub prefix: &'h [u8],
    /// It is overlayfs' upper layer, which notes opaque directories by that attribute: these and its whiteouts become those of
    /// a layer's archive.
    pub opaque: Option<Text>,
    /// What is mounted in it belongs to it. Else a mount point is shown as an empty file or directory.
    pub cross: bool,
    /// Paths below the top that are left out, with all below them; with `cross` they are as mount points are without.
    pub without: &'h [Text],
    /// The ids of a user namespace that we are not in, users' and groups'; none: they are as the files have them.
    pub ids: [&'h [IdRange]; 2],
}

/// Where files with several names are remembered, by a hash: a list each.
const LISTS: usize = 4096;

/// The names in the directories on the way, each directory's sorted: however deep that is, in memory that is used again.
#[derive(Default)]
pub struct Names {
    /// NUL-terminated.
    bytes: Vec<u8>,
    /// Where each is, and its d_type.
    sorted: Vec<(usize, u8)>,
}

impl Names {
    /// Adds those of an open directory: what `forget` wants, whose second part is the number of the first of them.
    pub fn read(&mut self, dir: BorrowedFd) -> Done<(usize, usize)> {
        let mark = (self.bytes.len(), self.sorted.len());
        let (bytes, sorted) = (&mut self.bytes, &mut self.sorted);
        let mut buf = fs::DirBuf::new();
        // To the very end: what a FUSE file system does not tell at once is not left out.
        loop {
            let entries = fs::read_dir(dir, &mut buf)?;
            if entries.is_end() {
                break;
            }
            for (name, kind) in entries {
                sorted.push((bytes.len(), kind));
                bytes.extend_from_slice(name.to_bytes_with_nul());
            }
        }
        let name = |at: usize| bytes.get(at..).and_then(Name::until_nul).unwrap_or_default().to_bytes();
        let new = sorted.get_mut(mark.1..).unwrap_or_default();
        new.sort_unstable_by(|one, other| name(one.0).cmp(name(other.0)));
        Ok(mark)
    }

    /// One of them, in a buffer, since the vector may move while the name is used; none behind the last.
    pub fn get<'b>(&self, number: usize, buf: &'b mut [u8; 256]) -> Option<(Name<'b>, u8)> {
        let &(at, kind) = self.sorted.get(number)?;
        let name = self.bytes.get(at..).and_then(Name::until_nul)?.to_bytes_with_nul();
        buf.get_mut(..name.len())?.copy_from_slice(name);
        Some((Name::until_nul(buf)?, kind))
    }

    /// Those of the last directory.
    pub fn forget(&mut self, (bytes, sorted): (usize, usize)) {
        self.bytes.truncate(bytes);
        self.sorted.truncate(sorted);
    }
}

/// A file with several names, and the one behind it in its list (0: none).
struct Known {
    file: (u64, u64),
    path: Text,
    next: usize,
}

/// A tree that is being written.
struct Tree<'t, 'a, 'h> {
    tar: &'t mut Tar<'a>,
    how: &'h How<'h>,
    member: Member,
    names: Names,
    lists: Vec<usize>,
    known: Vec<Known>,
    xattrs: Vec<u8>,
    value: Vec<u8>,
    /// A key of a record, or a descriptor's number.
    line: Line,
    /// By which what was found is opened: our own /proc/self/fd.
    fds: OwnedFd,
}

/// Writes what was opened with O_PATH, and all that is below. `what` is for the error.
pub fn tree(tar: &mut Tar, top: OwnedFd, how: &How, what: Message) -> Result<(), Error> {
    let fds = fs::open_follow(fs::CWD, t(c"/proc/self/fd"), libc::O_PATH | libc::O_DIRECTORY, 0)
        .map_err(|errno| Error::sys(text!("open"), t(c"/proc/self/fd"), errno))?;
    // One descriptor a directory on the way, of which PATH_MAX has 2,048.
    let (soft, hard) = process::limit(process::NOFILE);
    let _ = process::set_limit(process::NOFILE, soft.max(hard.min(4096)), hard);
    let mut tree = Tree {
        tar,
        how,
        member: Member { path: how.prefix.to_vec(), ..Member::default() },
        names: Names::default(),
        lists: vec![0; LISTS],
        known: Vec::new(),
        xattrs: vec![0; XATTR_MAX],
        value: vec![0; XATTR_MAX],
        line: Line::new(),
        fds,
    };
    let done = tree.found(top, true);
    let path = keep(&tree.member.path);
    done.map_err(|errno| tar.error(what, path, errno))
}

impl Tree<'_, '_, '_> {
    /// One entry, as `member.path` names it, with all below.
    fn entry(&mut self, dir: BorrowedFd, name: Name, kind: u8) -> Done<()> {
        let below = self.member.path.get(self.how.prefix.len()..).unwrap_or_default();
        let below = below.strip_prefix(b"/").unwrap_or(below);
        if self.how.without.iter().any(|out| out.to_bytes() == below) {
            return if self.how.cross { self.mount_point(kind) } else { Ok(()) };
        }
        // Only looked at: to open a device that a container exchanges for its file could have effects on the host.
        let flags = libc::O_PATH | libc::O_NOFOLLOW;
        let looked = if self.how.cross { fs::open(dir, name, flags, 0) } else { on_same_mount(dir, name, flags) };
        match looked {
            // Removed meanwhile.
            Err(Errno::ENOENT) => Ok(()),
            Err(Errno::EXDEV) => self.mount_point(kind),
            looked => self.found(looked?, false),
        }
    }

    fn found(&mut self, looked: OwnedFd, top: bool) -> Done<()> {
        let stat = fs::fstat(looked.as_fd())?;
        let [uids, gids] = self.how.ids;
        let member = &mut self.member;
        (member.uid, member.gid) = (inside(uids, stat.st_uid), inside(gids, stat.st_gid));
        member.mode = stat.st_mode & 0o7777;
        member.mtime = (stat.st_mtime, stat.st_mtime_nsec);
        (member.size, member.device) = (0, stat.st_rdev);
        member.link.clear();
        match fs::kind(&stat) {
            libc::S_IFDIR => self.directory(looked, top),
            libc::S_IFREG if stat.st_nlink > 1 && self.other_name(&stat) => member_of(self, Kind::HardLink),
            libc::S_IFREG => self.regular(&looked, stat.st_size as u64),
            libc::S_IFLNK => {
                let mut target = [0; PATH_MAX];
                match fs::read_link(looked.as_fd(), t(c""), &mut target) {
                    // One of /proc whose process is gone, or not of its pid namespace.
                    Err(Errno::ENOENT) => return Ok(()),
                    link => self.member.link.extend_from_slice(link?),
                }
                member_of(self, Kind::Symlink)
            }
            // Of no use to anybody but who listens there.
            libc::S_IFSOCK => Ok(()),
            libc::S_IFCHR if self.how.opaque.is_some() && stat.st_rdev == 0 => self.whiteout(b""),
            format => member_of(self, Kind::Node(format)),
        }
    }

    /// The empty file that says that `member.path` is deleted; with a name, one in that directory.
    fn whiteout(&mut self, name: &[u8]) -> Done<()> {
        let whole = self.member.path.clone();
        let path = &mut self.member.path;
        if name.is_empty() {
            let at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash.wrapping_add(1));
            path.splice(at..at, *b".wh.");
            self.member.mode = 0o600;
        } else {
            path.extend_from_slice(name);
        }
        let done = member_of(self, Kind::File);
        self.member.path = whole;
        done
    }

    /// What is mounted there is not looked at. The name is in the tree.
    fn mount_point(&mut self, kind: u8) -> Done<()> {
        let path = core::mem::take(&mut self.member.path);
        self.member = Member { mode: 0o755, path, ..Member::default() };
        if kind != libc::DT_DIR {
            return member_of(self, Kind::File);
        }
        self.member.path.push(b'/');
        member_of(self, Kind::Directory)
    }

    fn regular(&mut self, looked: &OwnedFd, size: u64) -> Done<()> {
        let fd = self.open(looked, libc::O_RDONLY | libc::O_NONBLOCK)?;
        self.xattrs(fd.as_fd())?;
        self.member.size = size;
        member_of(self, Kind::File)?;
        self.tar.data(fd.as_fd(), size)
    }

    fn directory(&mut self, looked: OwnedFd, top: bool) -> Done<()> {
        let fd = self.open(&looked, libc::O_RDONLY | libc::O_DIRECTORY)?;
        drop(looked);
        let length = self.member.path.len();
        if !top || length != 0 {
            if length.wrapping_add(2) >= PATH_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            if !self.member.path.ends_with(b"/") {
                self.member.path.push(b'/');
            }
            let opaque = self.xattrs(fd.as_fd())?;
            member_of(self, Kind::Directory)?;
            if opaque {
                self.member.mode &= 0o666;
                self.whiteout(b".wh..wh..opq")?;
            }
        }
        let mark = match self.names.read(fd.as_fd()) {
            // Removed meanwhile.
            Err(Errno::ENOENT) => {
                self.member.path.truncate(length);
                return Ok(());
            }
            mark => mark?,
        };
        let start = self.member.path.len();
        let mut next = mark.1;
        let mut buf = [0; 256];
        while let Some((name, kind)) = self.names.get(next, &mut buf) {
            self.member.path.extend_from_slice(name.to_bytes());
            self.entry(fd.as_fd(), name, kind)?;
            self.member.path.truncate(start);
            next = next.wrapping_add(1);
        }
        self.member.path.truncate(length);
        self.names.forget(mark);
        Ok(())
    }

    /// Opens what was looked at, whatever has its name by now.
    fn open(&mut self, looked: &OwnedFd, flags: i32) -> Done<OwnedFd> {
        self.line.clear();
        self.line.dec(looked.as_raw_fd() as u64).push(0);
        fs::open_follow(self.fds.as_fd(), Name::with_nul(&self.line).unwrap_or_default(), flags, 0)
    }

    /// Records of the extended attributes; true for an opaque directory of overlayfs.
    fn xattrs(&mut self, fd: BorrowedFd) -> Done<bool> {
        let mut opaque = false;
        let names = match fs::list_xattr(fd, &mut self.xattrs) {
            // A file system without any.
            Err(Errno::EOPNOTSUPP) => &[],
            names => names?,
        };
        for name in names.split_inclusive(|&byte| byte == 0) {
            let of = Name::with_nul(name).unwrap_or_default();
            let key = of.to_bytes();
            // The label is this host's.
            if key == b"security.selinux" {
                continue;
            }
            let mut value = match fs::get_xattr(fd, of, &mut self.value) {
                Err(Errno::ENODATA) => continue,
                value => value?,
            };
            if key.starts_with(b"trusted.overlay.") || key.starts_with(b"user.overlay.") {
                opaque |= self.how.opaque == Some(of) && value == b"y";
                continue;
            }
            let mut plain = [0; 20];
            if key == b"security.capability"
                && let [_, _, _, 3, rest @ ..] = value
            {
                // Revision 3 names a root of this host behind the same as 2 has.
                plain
                    .get_mut(3..)
                    .unwrap_or_default()
                    .iter_mut()
                    .zip(core::iter::once(&2).chain(rest))
                    .for_each(|(to, from)| *to = *from);
                plain.iter_mut().zip(value.get(..3).unwrap_or_default()).for_each(|(to, from)| *to = *from);
                value = &plain;
            }
            self.line.clear();
            self.tar.record(self.line.put(b"SCHILY.xattr.").put(key), value);
        }
        Ok(opaque)
    }

    /// Whether this file was written under another name, which is then the member's link; else it is noted.
    fn other_name(&mut self, stat: &fs::Stat) -> bool {
        let file = (stat.st_dev, stat.st_ino);
        let Some(list) = self.lists.get_mut(file.1 as usize % LISTS) else { return false };
        let mut next = *list;
        while let Some(known) = next.checked_sub(1).and_then(|at| self.known.get(at)) {
            if known.file == file {
                self.member.link.extend_from_slice(known.path.to_bytes());
                return true;
            }
            next = known.next;
        }
        self.known.push(Known { file, path: keep(&self.member.path), next: *list });
        *list = self.known.len();
        false
    }
}

/// Writes the member as one of that kind.
fn member_of(tree: &mut Tree, kind: Kind) -> Done<()> {
    tree.member.kind = kind;
    tree.tar.member(&tree.member)
}

/// The id in a user namespace; nobody's where it has none there.
pub fn inside(ranges: &[IdRange], id: u32) -> u32 {
    if ranges.is_empty() {
        return id;
    }
    let found = ranges.iter().find_map(|&(first, outside, count)| {
        let at = id.checked_sub(outside).filter(|at| *at < count)?;
        first.checked_add(at)
    });
    found.unwrap_or(65534)
}

// A test that panics has failed.
#[cfg(test)]
#[allow(clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::tar::Source;
    use std::fs::File;
    use std::io::{Read, Seek};
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    #[test]
    fn ids_of_a_namespace_are_those_inside() {
        let ranges = [(0, 1000, 1), (1, 100_000, 65536)];
        for (outside, expected) in [(1000, 0), (100_000, 1), (165_535, 65536), (165_536, 65534), (0, 65534)] {
            assert_eq!(inside(&ranges, outside), expected);
        }
        assert_eq!(inside(&[], 7), 7);
    }

    fn archive(of: &Path, how: &How) -> File {
        let mut file = tempfile(of);
        let dir = File::open(of).expect("the tree");
        let mut tar = Tar::new(file.as_fd());
        tree(&mut tar, dir.into(), how, text!("read")).map_err(|error| error.text()).expect("written");
        tar.end().expect("the end mark");
        file.rewind().expect("rewound");
        file
    }

    fn tempfile(of: &Path) -> File {
        let path = of.with_extension("tar");
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("made");
        std::fs::remove_file(&path).expect("removed");
        file
    }

    fn empty(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("mydocker-write-{name}-{}", std::process::id()));
        std::fs::create_dir(&dir).expect("made");
        dir
    }

    /// Names, types, modes, links and content.
    fn listed(root: &Path, dir: &Path, list: &mut Vec<String>) {
        let mut entries: Vec<_> =
            std::fs::read_dir(dir).expect("read").map(|entry| entry.expect("an entry").path()).collect();
        entries.sort();
        for path in entries {
            use std::os::unix::fs::MetadataExt;
            let found = path.symlink_metadata().expect("looked at");
            let content = if found.is_file() { std::fs::read(&path).expect("read").len() } else { 0 };
            let name = path.strip_prefix(root).expect("below").display();
            list.push(format!(
                "{name} {:o} {} {}.{} {content}",
                found.mode(),
                found.nlink(),
                found.mtime(),
                found.mtime_nsec()
            ));
            if found.is_dir() {
                listed(root, &path, list);
            }
        }
    }

    #[test]
    fn a_tree_is_unpacked_as_it_was() {
        let (from, to) = (empty("from"), empty("to"));
        std::fs::create_dir_all(from.join("b/sub")).expect("made");
        for (name, length) in [("a", 0), ("b/one", 1), ("b/block", 512), ("b/large", 700_000), ("c", 511)] {
            std::fs::write(from.join(name), vec![7; length]).expect("written");
        }
        symlink("../a", from.join("b/link")).expect("made");
        std::fs::hard_link(from.join("b/large"), from.join("b/sub/again")).expect("made");
        let mut file = archive(&from, &How::default());
        let first = {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("read");
            file.rewind().expect("rewound");
            bytes
        };
        let target = File::open(&to).expect("the target");
        let mut source = Source::new(file.as_fd(), b"x.tar", 0);
        crate::tar::unpack(&mut source, target.as_fd(), None).map_err(|error| error.text()).expect("unpacked");
        let lists = [&from, &to].map(|root| {
            let mut list = Vec::new();
            listed(root, root, &mut list);
            list
        });
        assert_eq!(lists[0], lists[1]);
        let mut second = Vec::new();
        archive(&to, &How::default()).read_to_end(&mut second).expect("read");
        assert!(first == second, "the same tree is the same archive");
        for dir in [from, to] {
            std::fs::remove_dir_all(dir).expect("removed");
        }
    }
}
