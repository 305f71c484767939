//! `container prune`, `system prune`: removing what nobody uses.

use super::{remove, take};
use crate::cli::Given;
use crate::error::{Error, Result};
use crate::format::filter::{Filters, invalid};
use crate::format::human;
use crate::ps::Shown;
use crate::record::{self, Kind};
use crate::store::Store;
use crate::sys::name::t;
use crate::text::{Line, Message, Push};
use crate::{images, time, usage, volumes};
use std::os::fd::AsFd;

/// What was removed, a line each, and how many bytes that was.
pub type Pruned = (Line, u64);

/// Hears of each kind, and what of it was removed.
pub type Tell<'a> = &'a mut dyn FnMut(Message, Pruned);

/// Asks, removes, and says what: of each kind a heading and its lines.
pub fn prune(given: &Given, question: &[u8], act: &mut dyn FnMut(&Store, Tell) -> Result<()>) -> Result<u8> {
    if !given.confirm(question)? {
        return Ok(0);
    }
    let (mut said, mut bytes) = (Line::new(), 0_u64);
    let done = act(&given.store()?, &mut |heading, (lines, freed)| {
        if !lines.is_empty() {
            said.say(text!("Deleted ")).say(heading).put(b":\n").put(&lines).put(b"\n");
        }
        bytes = bytes.wrapping_add(freed);
    });
    said.say(text!("Total reclaimed space: ")).put(human::size(bytes, 4, 1000).to_bytes());
    crate::print(said.put(b"\n"))?;
    done.map(|()| 0)
}

/// `mydocker container prune`.
pub fn containers(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "until label label!")?;
    prune(given, text!("This will remove all stopped containers.").bytes(), &mut |store, tell| {
        tell(text!("Containers"), ended(store, &filters)?);
        Ok(())
    })
}

/// `mydocker system prune`.
pub fn system(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "until label")?;
    let (all, volumes) = (given.has("all"), given.has("volumes"));
    if volumes && filters.values("until").next().is_some() {
        return Err(Error::new(text!("ERROR: The \"until\" filter is not supported with \"--volumes\""), &[]));
    }
    let mut question = Line::new();
    question.say(text!("This will remove:\n  - all stopped containers\n"));
    if volumes {
        question.say(text!("  - all anonymous volumes not used by at least one container\n"));
    }
    question.say(if all {
        text!("  - all images without at least one container associated to them\n")
    } else {
        text!("  - all dangling images\n")
    });
    prune(given, &question, &mut |store, tell| {
        tell(text!("Containers"), ended(store, &filters)?);
        if volumes {
            tell(text!("Volumes"), volumes::prune(store, false, &filters)?);
        }
        tell(text!("Images"), images::prune(store, all, &filters)?);
        Ok(())
    })
}

/// Removes the containers that have ended, or were never started.
fn ended(store: &Store, filters: &Filters) -> Result<Pruned> {
    let (mut said, mut bytes) = (Line::new(), 0_u64);
    let mut until = u64::MAX;
    for value in filters.values("until") {
        until = until.min(time::parse(value, record::now()).ok_or_else(|| invalid(value))?);
    }
    for shown in Shown::all(store) {
        let (record, labels) = (&shown.record, shown.labels());
        let unwanted = |value: &[u8]| labels.iter().any(|label| Filters::has(label.to_bytes(), value));
        let wanted = filters.labels(&labels) && !filters.values("label!").any(unwanted);
        if record.kind != Kind::Stays || shown.runs() || record.created >= until || !wanted {
            continue;
        }
        let size = usage::tree(record.dir.as_fd(), t(c"upper"));
        // Started or removed meanwhile: not ours any more.
        if take(record).is_err() || remove(store, record, false).is_err() {
            continue;
        }
        said.put(record.id.to_bytes()).put(b"\n");
        bytes = bytes.wrapping_add(size);
    }
    Ok((said, bytes))
}
