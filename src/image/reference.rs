//! How images are named: docker's references, `[HOST/]NAME[:TAG]`.
//!
//! One is kept as it is shown: without docker.io and its `library/`, always with its tag. The store's name for it has
//! %2F for each slash.

use crate::error::{Error, Result};
use crate::sys::name::{Name, Text};
use crate::text::{Line, Push, filled, has, is, keep, split, split_once};

/// What a file's name may be long.
const NAME_MAX: usize = 255;

/// The reference that a word is, with its tag; None if it is none.
pub fn parse(word: &[u8]) -> Option<Text> {
    let slash = word.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at.wrapping_add(1));
    let (path, last) = word.split_at_checked(slash)?;
    let (last, tag) = split_once(last, b':').unwrap_or((last, b"latest"));
    let mut name = Line::new();
    name.put(path).put(last);
    let mut name = name.as_slice();
    // `index.` is what it was called once.
    let hub = name.strip_prefix(b"index.").unwrap_or(name).strip_prefix(b"docker.io/");
    name = hub.unwrap_or(name);
    let (domain, path) =
        split_once(name, b'/').filter(|&(first, _)| hub.is_none() && is_domain(first)).unwrap_or((b"", name));
    if domain.is_empty()
        && let Some(official) = path.strip_prefix(b"library/")
        && !has(official, b'/')
    {
        name = official;
    }
    let digest = name.len() == 64 && name.iter().all(u8::is_ascii_hexdigit);
    let good = !digest
        && is_host(domain)
        && split(path, b'/').iter().all(|part| is_component(part))
        && is_tag(tag)
        // An id begins so.
        && !is(name, "sha256");
    let reference = filled("%:%", &[keep(name), keep(tag)]);
    (good && file(reference).to_bytes().len() <= NAME_MAX).then_some(reference)
}

/// The same for who has to have one.
pub fn required(word: Name) -> Result<Text> {
    parse(word.to_bytes()).ok_or_else(|| {
        let small = word.to_bytes().to_ascii_lowercase();
        let message = if parse(&small).is_some() {
            text!("invalid reference format: repository name (%) must be lowercase")
        } else {
            text!("invalid reference format: %")
        };
        Error::new(message, &[keep(word.to_bytes())])
            .hint(text!("an image is [HOST[:PORT]/]NAME[:TAG], the name in lower case"), &[])
    })
}

/// Repository and tag.
pub fn parts(reference: Name<'_>) -> (&[u8], &[u8]) {
    let bytes = reference.to_bytes();
    let at = bytes.iter().rposition(|&byte| byte == b':').unwrap_or(bytes.len());
    let (name, tag) = bytes.split_at_checked(at).unwrap_or_default();
    (name, tag.strip_prefix(b":").unwrap_or_default())
}

/// With the registry that is left out where it is docker's.
pub fn full(reference: Name) -> Text {
    let name = reference.to_bytes();
    match split_once(name, b'/') {
        Some((first, _)) if is_domain(first) => keep(name),
        Some(_) => filled("docker.io/%", &[reference]),
        None => filled("docker.io/library/%", &[reference]),
    }
}

/// The file name that stands for it.
pub fn file(reference: Name) -> Text {
    let mut name = Line::new();
    for &byte in reference.to_bytes() {
        name.put(if byte == b'/' { b"%2F" } else { core::slice::from_ref(&byte) });
    }
    keep(&name)
}

/// And back.
pub fn of_file(name: Name) -> Text {
    let (mut reference, mut rest) = (Line::new(), name.to_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match after.strip_prefix(b"2F") {
            Some(after) if byte == b'%' => {
                reference.push(b'/');
                rest = after;
            }
            _ => reference.push(byte),
        }
    }
    keep(&reference)
}

/// A registry's host is told from a name's first part by what such a part cannot have, or not alone.
fn is_domain(first: &[u8]) -> bool {
    has(first, b'.') || has(first, b':') || is(first, "localhost") || first.iter().any(u8::is_ascii_uppercase)
}

/// Labels of letters, digits and inner hyphens, with dots between; a port.
fn is_host(domain: &[u8]) -> bool {
    let (host, port) = split_once(domain, b':').unwrap_or((domain, b"1"));
    let label = |label: &&[u8]| {
        let ends = [label.first(), label.last()];
        ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
            && label.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.is_empty() || split(host, b'.').iter().all(label) && !port.is_empty() && port.iter().all(u8::is_ascii_digit)
}

/// Lower-case letters and digits; between them one dot, one or two underscores, or hyphens.
fn is_component(part: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [part.first(), part.last()];
    ends.iter().all(|end| end.is_some_and(plain))
        && part
            .split(plain)
            .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|&byte| byte == b'-'))
}

fn is_tag(tag: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    tag.len() <= 128
        && tag.first().is_some_and(word)
        && tag.iter().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    fn read(word: &str) -> Option<String> {
        parse(word.as_bytes()).map(|reference| String::from_utf8_lossy(reference.to_bytes()).into_owned())
    }

    #[test]
    fn docker_names_are_shown_short_and_with_their_tag() {
        for (word, shown) in [
            ("alpine", "alpine:latest"),
            ("alpine:3.19", "alpine:3.19"),
            ("library/alpine", "alpine:latest"),
            ("docker.io/alpine", "alpine:latest"),
            ("docker.io/library/alpine:3.19", "alpine:3.19"),
            ("index.docker.io/library/alpine", "alpine:latest"),
            ("docker.io/library/a/b", "library/a/b:latest"),
            ("docker.io/user/app", "user/app:latest"),
            ("user/app:V1_2.3-x", "user/app:V1_2.3-x"),
            ("quay.io/a/b/c", "quay.io/a/b/c:latest"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a:b", "localhost:5000/a:b"),
            ("HOST/a", "HOST/a:latest"),
            ("quay.io/library/a", "quay.io/library/a:latest"),
            ("a.b", "a.b:latest"),
            ("a__b", "a__b:latest"),
            ("a---b", "a---b:latest"),
            ("0", "0:latest"),
        ] {
            assert_eq!(read(word).as_deref(), Some(shown), "{word}");
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let (long, tag, digest) = ("a".repeat(300), format!("a:{}", "b".repeat(129)), "a".repeat(64));
        for word in [
            "",
            ":",
            "a:",
            ":b",
            "A",
            "a/B",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a.-b",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/..",
            "a b",
            "a:b c",
            "a:-b",
            "a:.b",
            "a@sha256:00",
            "sha256:ab",
            "sha256",
            "a\u{e4}",
            "a%2Fb",
            "host.:80x/a",
            "-h.io/a",
            "h:/a",
            &long,
            &tag,
            &digest,
        ] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn a_reference_and_its_file_name_are_one_to_one() {
        let reference = parse(b"quay.io:80/a/b:c").unwrap_or_default();
        assert_eq!(file(reference), t(c"quay.io:80%2Fa%2Fb:c"));
        assert_eq!(of_file(file(reference)), reference);
        assert_eq!(parts(reference), (&b"quay.io:80/a/b"[..], &b"c"[..]));
    }
}
