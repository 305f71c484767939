//! Members' names as paths that stay below the root.

use super::Existing;
use crate::sys::Errno;
use crate::sys::name::Name;
use crate::tar::header::Why;
use crate::tar::members::Done;
use crate::text::has;

/// PATH_MAX, with the NUL.
pub(super) const PATH_MAX: usize = 4096;

pub(super) const NUL: Why = text!("has a NUL in a name");

/// A member's name as a path that stays below the root: without slashes at its start and end and without `.`,
/// terminated by a NUL. The root itself is the empty path, or where a tree exists its base.
pub(in crate::tar) fn confine(
    name: &[u8],
    path: &mut Vec<u8>,
    existing: Option<&Existing>,
) -> core::result::Result<(), Why> {
    path.clear();
    path.extend_from_slice(existing.map_or(b"", |existing| existing.base));
    if name.is_empty() {
        return Err(text!("has no name"));
    }
    for component in name.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return Err(text!("leads out of the archive with `..`")),
            _ if has(component, 0) => return Err(NUL),
            _ => {}
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(component);
    }
    path.push(0);
    if path.len() > PATH_MAX { Err(text!("its name is too long")) } else { Ok(()) }
}

/// A confined, NUL-terminated path cut into its directory and its last name.
pub(in crate::tar) fn split(path: &[u8]) -> (&[u8], Name<'_>) {
    let slash = path.iter().rposition(|&byte| byte == b'/');
    let name = path.get(slash.map_or(0, |at| at.wrapping_add(1))..).unwrap_or_default();
    (path.get(..slash.unwrap_or(0)).unwrap_or_default(), Name::with_nul(name).unwrap_or_default())
}

/// The length of the longest directory that two paths share.
pub(super) fn common(one: &[u8], other: &[u8]) -> usize {
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let ends = |path: &[u8]| matches!(path.get(same), None | Some(b'/'));
    if ends(one) && ends(other) {
        return same;
    }
    one.iter().take(same).rposition(|&byte| byte == b'/').unwrap_or(0)
}

/// `bytes` as a C string in `buf`.
pub(super) fn terminated<'b>(bytes: &[u8], buf: &'b mut [u8; PATH_MAX]) -> Done<Name<'b>> {
    buf.get_mut(..bytes.len()).ok_or(Errno::ENAMETOOLONG)?.copy_from_slice(bytes);
    *buf.get_mut(bytes.len()).ok_or(Errno::ENAMETOOLONG)? = 0;
    Name::until_nul(buf).ok_or(Errno::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    fn confined(name: &[u8]) -> core::result::Result<String, Why> {
        let mut path = b"left over".to_vec();
        confine(name, &mut path, None).map(|()| String::from_utf8_lossy(&path).into_owned())
    }

    #[test]
    fn a_name_stays_below_the_root() {
        for (name, expected) in
            [("a", "a\0"), ("./a/b", "a/b\0"), ("/etc/passwd", "etc/passwd\0"), ("a//b/./c/", "a/b/c\0")]
        {
            assert_eq!(confined(name.as_bytes()).as_deref(), Ok(expected));
        }
        for root in ["/", "./", ".", "//"] {
            assert_eq!(confined(root.as_bytes()).as_deref(), Ok("\0"));
        }
        assert_eq!(confined(b"..a/a..b/...").as_deref(), Ok("..a/a..b/...\0"));
    }

    #[test]
    fn a_name_that_leads_out_is_refused() {
        for name in ["..", "../x", "a/../../x", "/..", "a/.."] {
            assert_eq!(confined(name.as_bytes()), Err(text!("leads out of the archive with `..`")));
        }
        assert_eq!(confined(b""), Err(text!("has no name")));
        assert_eq!(confined(b"a\0b"), Err(text!("has a NUL in a name")));
        assert_eq!(confined(&[b'a'; 4096]), Err(text!("its name is too long")));
        assert!(confined(&[b'a'; 4095]).is_ok());
    }

    #[test]
    fn two_paths_share_whole_names_only() {
        for (one, other, length) in [
            ("usr/bin", "usr/lib", 3),
            ("usr/bin", "usr/bin/x", 7),
            ("usr/bin", "usr/binary", 3),
            ("usr", "usr", 3),
            ("usr", "", 0),
            ("a", "b", 0),
        ] {
            assert_eq!(common(one.as_bytes(), other.as_bytes()), length, "{one} {other}");
            assert_eq!(common(other.as_bytes(), one.as_bytes()), length, "{other} {one}");
        }
    }

    #[test]
    fn a_path_is_cut_at_its_last_slash() {
        assert_eq!(split(b"a/b/c\0"), (&b"a/b"[..], t(c"c")));
        assert_eq!(split(b"a\0"), (&b""[..], t(c"a")));
    }
}
