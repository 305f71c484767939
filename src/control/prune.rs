//! `container prune`: removing all that has ended.

use super::{remove, take};
use crate::cli::Given;
use crate::error::Result;
use crate::format::filter::{Filters, invalid};
use crate::format::human;
use crate::image::Image;
use crate::image::config::Part;
use crate::record::{self, Kind};
use crate::store::Store;
use crate::text::{Line, Push};
use crate::{time, usage};

/// `mydocker container prune`.
pub fn containers(given: &Given) -> Result<u8> {
    let filters = Filters::read(&given.values("filter"), "until label label!")?;
    if !given.confirm(text!("This will remove all stopped containers."))? {
        return Ok(0);
    }
    let (mut said, mut bytes) = (Line::new(), 0);
    ended(&given.store()?, &filters, &mut said, &mut bytes)?;
    said.say(text!("Total reclaimed space: ")).put(human::size(bytes, 4, 1000).to_bytes());
    crate::print(said.put(b"\n"))
}

/// Removes the containers that have ended, or were never started, and says which.
pub fn ended(store: &Store, filters: &Filters, said: &mut Line, bytes: &mut u64) -> Result<()> {
    let mut until = u64::MAX;
    for value in filters.values("until") {
        until = until.min(time::parse(value, record::now()).ok_or_else(|| invalid(value))?);
    }
    let empty = said.len();
    for record in store.records() {
        if record.kind != Kind::Stays || record.state().is_live() || record.created >= until {
            continue;
        }
        let image = Image::recorded(record.layers.clone(), record.image_id);
        let mut labels = image.says(store.dir()).map(|config| config.list(Part::Labels).to_vec()).unwrap_or_default();
        labels.extend(record.options().map(|options| options.life.labels).unwrap_or_default());
        let unwanted = |value: &[u8]| labels.iter().any(|label| Filters::has(label.to_bytes(), value));
        if !filters.labels(&labels) || filters.values("label!").any(unwanted) {
            continue;
        }
        let size = usage::container(store, &record).0;
        // Started or removed meanwhile: not ours any more.
        if take(&record).is_err() || remove(store, &record, false).is_err() {
            continue;
        }
        if said.len() == empty {
            said.say(text!("Deleted Containers:\n"));
        }
        said.put(record.id.to_bytes()).put(b"\n");
        *bytes = bytes.wrapping_add(size);
    }
    if said.len() != empty {
        said.put(b"\n");
    }
    Ok(())
}
