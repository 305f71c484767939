//! Who runs the command: the user and the groups that a word names in the image's passwd and group, as docker reads it.

use crate::error::{Error, Result};
use crate::sys::name::{Name, Text, t};
use crate::sys::{Errno, OwnedFd, fs};
use crate::text::{keep, number, split_once};
use std::os::fd::AsFd;

/// What the command runs as.
#[derive(PartialEq, Eq, Debug)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// All groups for setgroups(2), `gid` first.
    pub groups: Vec<u32>,
    /// For HOME.
    pub home: Vec<u8>,
}

/// Opens a file of the image.
pub type Open<'a> = &'a dyn Fn(Name) -> core::result::Result<OwnedFd, Errno>;

/// For each of passwd and group: an image could hold anything under these names.
const FILE_MAX: usize = 1 << 20;

/// The user that `word` names: NAME or UID, then perhaps `:` and a group's NAME or GID; `:GROUP` is root with another
/// group; empty is root. Digits are always an id, which needs no entry. Without a group, the groups are the user's in
/// the group file.
///
/// `more` are groups besides, likewise names or numbers.
pub fn find(open: Open, word: &[u8], more: &[Text]) -> Result<User> {
    let (user, group) = split_once(word, b':').unwrap_or((word, b""));
    let group = Some(group).filter(|group| !group.is_empty());
    let wanted = if user.is_empty() { Some(0) } else { id(user)? };
    let passwd = read(open, t(c"/etc/passwd"))?;
    let entry = search(&passwd, &mut |entry| wanted.map_or(entry.name == user, |uid| entry.id == uid));
    let mut found = match (&entry, wanted) {
        (Some(entry), _) => entry.user()?,
        (None, Some(uid)) => User { uid, gid: 0, groups: Vec::new(), home: b"/".to_vec() },
        (None, None) => return Err(unknown(b"user ", user, b"passwd")),
    };
    if let Some(group) = group {
        found.gid = group_id(open, group)?;
    }
    found.groups.push(found.gid);
    if let (Some(user), None) = (entry, group) {
        search(&read(open, t(c"/etc/group"))?, &mut |entry| {
            let mut members = entry.rest.split(|&byte| byte == b',');
            if members.any(|member| member == user.name) && !found.groups.contains(&entry.id) {
                found.groups.push(entry.id);
            }
            false
        });
    }
    for group in more {
        let gid = group_id(open, group.to_bytes())?;
        if !found.groups.contains(&gid) {
            found.groups.push(gid);
        }
    }
    Ok(found)
}

fn group_id(open: Open, group: &[u8]) -> Result<u32> {
    match id(group)? {
        Some(gid) => Ok(gid),
        None => search(&read(open, t(c"/etc/group"))?, &mut |entry| entry.name == group)
            .map(|entry| entry.id)
            .ok_or_else(|| unknown(b"group ", group, b"group")),
    }
}

/// The name of a user of the host; empty where /etc/passwd has none.
pub fn name_of(uid: u32) -> Vec<u8> {
    let passwd = read(&|path| fs::open_follow(fs::CWD, path, libc::O_RDONLY, 0), t(c"/etc/passwd")).unwrap_or_default();
    search(&passwd, &mut |entry| entry.id == uid).map_or(Vec::new(), |entry| entry.name.to_vec())
}

/// The first entry that is right.
fn search<'a>(file: &'a [u8], right: &mut dyn FnMut(&Entry) -> bool) -> Option<Entry<'a>> {
    file.split(|&byte| byte == b'\n').filter_map(Entry::parse).find(|entry| right(entry))
}

/// Docker's words.
fn unknown(what: &[u8], word: &[u8], file: &[u8]) -> Error {
    Error::new(text!("unable to find %%: no matching entries in % file"), &[keep(what), keep(word), keep(file)])
}

/// A number where the word is digits; None where it is a name. Docker's range: 2^31 and more are negative to some.
fn id(word: &[u8]) -> Result<Option<u32>> {
    if !word.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    in_range(word)
        .map(Some)
        .ok_or_else(|| Error::new(text!("%: uids and gids must be in range 0-2147483647"), &[keep(word)]))
}

fn in_range(word: &[u8]) -> Option<u32> {
    number(word).and_then(|id| i32::try_from(id).ok()).map(|id| id as u32)
}

/// `name:password:id:` and what follows: the same in both files.
struct Entry<'a> {
    name: &'a [u8],
    id: u32,
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// None for a line that is damaged: read as docker does it, with 0 for what is no number, it would make a root.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let (name, rest) = split_once(line, b':')?;
        let (_, rest) = split_once(rest, b':')?;
        let (id, rest) = split_once(rest, b':')?;
        (!name.is_empty()).then_some(())?;
        Some(Self { name, id: in_range(id)?, rest })
    }

    /// Of a line in passwd; behind the id are group, remark, home and shell.
    fn user(&self) -> Result<User> {
        let mut fields = self.rest.split(|&byte| byte == b':');
        let gid = fields.next().and_then(in_range);
        let gid =
            gid.ok_or_else(|| Error::new(text!("/etc/passwd: the group of % is no number"), &[keep(self.name)]))?;
        let home = fields.nth(1).filter(|home| !home.is_empty()).unwrap_or(b"/").to_vec();
        Ok(User { uid: self.id, gid, groups: Vec::new(), home })
    }
}

/// A file of the image, empty where there is none.
fn read(open: Open, path: Name) -> Result<Vec<u8>> {
    match open(path).and_then(|fd| fs::read_all(fd.as_fd(), FILE_MAX)) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(Vec::new()),
        Ok(text) if text.len() < FILE_MAX => Ok(text),
        Ok(_) => Err(Error::sys(text!("read"), path, Errno::EFBIG)),
        Err(errno) => Err(Error::sys(text!("open"), path, errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        # a remark\n\
        broken:x::5::/broken:/bin/sh\n\
        app:x:1000:1001:An app:/home/app:/bin/sh\n\
        again:x:1000:7::/again:\n\
        bare:x:1002:1002";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,app\nextra:x:2000:nobody,app\nsame:x:1001:app\nbad:x:-1:app\n";

    fn file(text: &str) -> core::result::Result<OwnedFd, Errno> {
        let (reader, mut writer) = std::io::pipe().map_err(|_| Errno::EIO)?;
        writer.write_all(text.as_bytes()).map_err(|_| Errno::EIO)?;
        Ok(reader.into())
    }

    fn open(path: Name) -> core::result::Result<OwnedFd, Errno> {
        file(if path == t(c"/etc/passwd") { PASSWD } else { GROUP })
    }

    fn found(word: &str) -> String {
        show(find(&open, word.as_bytes(), &[]))
    }

    fn show(result: Result<User>) -> String {
        match result {
            Ok(user) => format!("{} {} {:?} {}", user.uid, user.gid, user.groups, String::from_utf8_lossy(&user.home)),
            Err(error) => String::from_utf8_lossy(&error.text()).trim_end().replace("mydocker: ", ""),
        }
    }

    #[test]
    fn a_user_brings_group_home_and_supplementary_groups() {
        assert_eq!(found("app"), "1000 1001 [1001, 10, 2000] /home/app");
        assert_eq!(found("1000"), "1000 1001 [1001, 10, 2000] /home/app");
        assert_eq!(found(""), "0 0 [0, 10] /root");
    }

    #[test]
    fn groups_besides_are_added_once_each() {
        let add = |more: &[Text]| show(find(&open, b"app:5", more));
        assert_eq!(add(&[t(c"wheel"), t(c"7"), t(c"10"), t(c"5")]), "1000 5 [5, 10, 7] /home/app");
        assert_eq!(add(&[t(c"foo")]), "unable to find group foo: no matching entries in group file");
        assert_eq!(add(&[t(c"-1")]), "unable to find group -1: no matching entries in group file");
    }

    #[test]
    fn a_group_that_is_named_is_the_only_one() {
        assert_eq!(found("app:extra"), "1000 2000 [2000] /home/app");
        assert_eq!(found("app:5"), "1000 5 [5] /home/app");
        assert_eq!(found("7:8"), "7 8 [8] /");
        assert_eq!(found(":10"), "0 10 [10] /root");
        assert_eq!(found(":wheel"), "0 10 [10] /root");
    }

    #[test]
    fn a_number_needs_no_entry_but_a_name_does() {
        assert_eq!(found("1234"), "1234 0 [0] /");
        assert_eq!(found("foo"), "unable to find user foo: no matching entries in passwd file");
        assert_eq!(found("app:foo"), "unable to find group foo: no matching entries in group file");
    }

    #[test]
    fn nothing_but_a_number_in_range_is_an_id() {
        for name in ["0x0", "+0", " 0", "0 ", "-1", "-0", "1e3", "０"] {
            assert_eq!(found(name), format!("unable to find user {name}: no matching entries in passwd file"));
            assert_eq!(
                found(&format!("1:{name}")),
                format!("unable to find group {name}: no matching entries in group file")
            );
        }
        for id in ["2147483648", "4294967295", "4294967296", "99999999999", "18446744073709551616"] {
            assert_eq!(found(id), format!("{id}: uids and gids must be in range 0-2147483647"));
            assert_eq!(found(&format!("0:{id}")), format!("{id}: uids and gids must be in range 0-2147483647"));
        }
        assert_eq!((found("app:"), found(":")), (found("app"), found("")));
        assert_eq!(found("1:2:3"), "unable to find group 2:3: no matching entries in group file");
    }

    #[test]
    fn a_damaged_line_is_no_user_and_above_all_not_root() {
        assert_eq!(found("broken"), "unable to find user broken: no matching entries in passwd file");
        assert_eq!(found("bare"), "1002 1002 [1002] /");
    }

    #[test]
    fn an_image_without_the_files_has_numbers_only() {
        let none = |_: Name| Err(Errno::ENOENT);
        assert_eq!(show(find(&none, b"", &[])), "0 0 [0] /");
        assert_eq!(show(find(&none, b"5", &[])), "5 0 [0] /");
        assert_eq!(show(find(&none, b"root", &[])), "unable to find user root: no matching entries in passwd file");
    }

    #[test]
    fn what_is_no_file_or_too_large_is_an_error() {
        assert_eq!(
            show(find(&|_| Err(Errno::ENXIO), b"", &[])),
            "open on /etc/passwd: ENXIO (No such device or address)"
        );
        let endless = |_: Name| std::fs::File::open("/dev/zero").map(OwnedFd::from).map_err(|_| Errno::EIO);
        assert_eq!(show(find(&endless, b"", &[])), "read on /etc/passwd: EFBIG (File too large)");
    }
}
