//! The volumes: where each is, and its first content.

use super::Undo;
use super::builder::Builder;
use super::mounts;
use super::step::Step;
use crate::spec::{Source, Text};
use crate::sys::call::{CWD, Slot};
use crate::text::{Line, Push, filled, keep};

/// What the volumes are of, where it is not there yet.
pub(super) fn make(plan: &mut Builder) {
    for &path in &plan.host.missing {
        plan.doing_for(text!("make the volume's directory"), path);
        plan.mkdir_if_missing(CWD, path).undo = Undo::IfFailed;
    }
    volumes(plan);
}

/// Named volumes and those that end with the container.
fn volumes(plan: &mut Builder) {
    for (index, mount) in plan.spec.mounts.iter().enumerate() {
        plan.doing_for(text!("make the volume"), mount.typed);
        let path = match mount.source {
            Source::Volume(name) => {
                let dir = filled("volumes/%", &[name]);
                plan.mkdir_if_missing(CWD, dir);
                fill(plan, index, CWD);
                data(name)
            }
            Source::Anonymous => {
                let dir = anonymous(plan.dir, index);
                plan.mkdir_if_missing(CWD, dir).undo = if plan.spec.kept { Undo::Nothing } else { Undo::Tree };
                fill(plan, index, CWD);
                filled("%/_data", &[dir])
            }
            _ => continue,
        };
        let ends = mount.source == Source::Anonymous && !plan.spec.kept;
        let undo = if ends { Undo::Tree } else { Undo::Nothing };
        plan.mkdir_if_missing(CWD, path).undo = undo;
    }
}

/// The first content of a volume, before it has a directory for it.
pub(super) fn fill(plan: &mut Builder, index: usize, root: Slot) {
    // From the root where there is one before the container's process is on its way.
    let early = !mounts::is_made_outside(plan);
    let Some(mount) = plan.spec.mounts.get(index).filter(|_| plan.host.fill.contains(&index) && early == (root == CWD))
    else {
        return;
    };
    let dir = match mount.source {
        Source::Volume(name) => filled("volumes/%", &[name]),
        _ => anonymous(plan.dir, index),
    };
    plan.doing_for(text!("make the volume"), mount.typed);
    plan.add(Step::Fill(root, plan.spec.lower.layers.clone().leak(), dir, mount.target));
}

/// Where a named volume's data is, relative to the store.
pub fn data(name: Text) -> Text {
    filled("volumes/%/_data", &[name])
}

pub fn anonymous(dir: Text, index: usize) -> Text {
    let mut path = Line::new();
    path.put(dir.to_bytes()).put(b"/volume").dec(index as u64);
    keep(&path)
}
