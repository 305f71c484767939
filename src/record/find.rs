//! Which container is meant.

use super::Record;
use crate::error::{Error, Result};
use crate::spec::Text;
use crate::store::Store;
use crate::sys::{Errno, fs};
use crate::text::{is, keep};

/// There is none of that name, or no more.
pub fn missing(word: Text) -> Error {
    Error::new(text!("no such container: %"), &[word])
}

impl Store {
    /// All containers. What ends meanwhile is left out.
    pub fn records(&self) -> Vec<Record> {
        let mut ids = Vec::new();
        // The sweep has read it before.
        let _ = fs::rewind(self.containers());
        let _ = fs::each_entry(self.containers(), &mut |id, _| ids.push(keep(id.to_bytes())));
        ids.iter().filter_map(|&id| Record::open(self, id).ok()).collect()
    }

    /// The container of that name, id, or beginning of an id that is no other's.
    pub fn find(&self, word: Text) -> Result<Record> {
        let none = || missing(word);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || is(&[*byte], "_ . -");
        if word.is_empty() || !word.to_bytes().iter().all(plain) {
            return Err(none());
        }
        // docker's order: a whole id, a name, a part of an id.
        let mut id = if word.to_bytes().len() == 64 { Some(word) } else { self.named(word) };
        if id.is_none() {
            let mut several = false;
            let _ = fs::rewind(self.containers());
            let _ = fs::each_entry(self.containers(), &mut |entry, _| {
                if entry.to_bytes().starts_with(word.to_bytes()) {
                    several |= id.is_some();
                    id = Some(keep(entry.to_bytes()));
                }
            });
            if several {
                return Err(Error::new(text!("% is the beginning of several containers' ids"), &[word]));
            }
        }
        match Record::open(self, id.ok_or_else(none)?) {
            Err(Errno::ENOENT) => Err(none()),
            other => other.map_err(|errno| Error::sys(text!("open container"), word, errno)),
        }
    }
}
