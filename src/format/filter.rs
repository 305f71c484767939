//! What `--filter NAME=VALUE` takes: of several values of one name any may fit, of several names all must.

use crate::error::{Error, Result, USAGE};
use crate::sys::name::Text;
use crate::text::{is, keep, split_once};

/// The filters that were given.
pub struct Filters(Vec<(&'static [u8], &'static [u8])>);

impl Filters {
    /// From the flag's values; a name that is not in the list is an error.
    pub fn read(given: &[Text], names: &str) -> Result<Self> {
        let mut filters = Vec::new();
        for &typed in given {
            let Some((name, value)) = split_once(typed.to_bytes(), b'=') else {
                let message = text!(
                    "invalid argument \"%\" for \"-f, --filter\" flag: bad format of filter (expected name=value)"
                );
                return Err(Error::new(message, &[typed]).code(USAGE));
            };
            if !is(name, names) {
                return Err(invalid(name).hint(text!("there are %"), &[keep(names.as_bytes())]));
            }
            filters.push((name, value));
        }
        Ok(Self(filters))
    }

    /// The values of a name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'static [u8]> + 'a {
        self.0.iter().filter(move |(of, _)| *of == name.as_bytes()).map(|&(_, value)| value)
    }

    /// Whether one of a name's values fits, or there is none.
    pub fn any(&self, name: &str, fits: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let mut values = self.values(name).peekable();
        values.peek().is_none() || values.any(fits)
    }

    /// Whether all labels that are asked for are there: `label=KEY` or `label=KEY=VALUE`.
    pub fn labels(&self, labels: &[Text]) -> bool {
        self.values("label").all(|wanted| labels.iter().any(|label| Self::has(label.to_bytes(), wanted)))
    }

    /// Whether a label is the one that is wanted: KEY, or KEY=VALUE.
    pub fn has(label: &[u8], wanted: &[u8]) -> bool {
        let rest = label.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"=") && !wanted.contains(&b'='))
    }
}

/// docker's words.
pub fn invalid(what: &[u8]) -> Error {
    Error::new(text!("invalid filter '%'"), &[keep(what)])
}

/// Whether a text fits a pattern: it has it somewhere, `^` is its beginning and `$` its end.
pub fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (begin, end) = (pattern.strip_prefix(b"^"), pattern.strip_suffix(b"$"));
    let part = begin.unwrap_or(pattern);
    let part = if end.is_some() { part.strip_suffix(b"$").unwrap_or(part) } else { part };
    match (begin, end) {
        (Some(_), Some(_)) => text == part,
        (Some(_), None) => text.starts_with(part),
        (None, Some(_)) => text.ends_with(part),
        (None, None) => part.is_empty() || text.windows(part.len()).any(|window| window == part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    #[test]
    fn any_of_a_name_all_of_the_labels() {
        let given = [t(c"name=a"), t(c"name=b"), t(c"label=x"), t(c"label=y=1")];
        let filters = Filters::read(&given, "name label").unwrap_or(Filters(Vec::new()));
        assert!(filters.any("name", &mut |name| name == b"b"));
        assert!(!filters.any("name", &mut |name| name == b"c"));
        assert!(filters.any("id", &mut |_| false));
        assert!(filters.labels(&[t(c"x="), t(c"y=1")]));
        assert!(!filters.labels(&[t(c"x=2"), t(c"y=11")]));
        assert!(!filters.labels(&[t(c"xx=2"), t(c"y=1")]));
        let said = |given| Filters::read(&[given], "name").err().map(|error| (error.exit_code(), error.text()));
        assert!(
            said(t(c"x=1"))
                .is_some_and(|(code, text)| code == 125 && text.starts_with(b"mydocker: invalid filter 'x'\n"))
        );
        assert!(said(t(c"name")).is_some_and(|(code, _)| code == 125));
    }

    #[test]
    fn a_pattern_is_a_part_or_anchored() {
        for (pattern, text, fit) in [
            ("ant", "antelope", true),
            ("^ant$", "antelope", false),
            ("^ant$", "ant", true),
            ("^ant", "antelope", true),
            ("ope$", "antelope", true),
            ("ope$", "opera", false),
            ("", "x", true),
            ("longer", "long", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), fit, "{pattern} {text}");
        }
    }
}
