//! The root of a container that does not run, or its image alone, as a mount of ours: for who reads or writes files there.

use super::mounts::{attach_volume, copy, lowers, overlay};
use super::{Builder, Entry, FS, Host, ROOT, SOURCES, Step};
use crate::spec::{Source, Spec};
use crate::sys::call::CWD;
use crate::sys::name::t;
use crate::text::{Message, filled};

/// What is to be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The image, whose layers are several.
    Image,
    /// The root without what is mounted in it.
    Bare,
    /// The root with the volumes, attached in a mount namespace of our own, which is entered.
    Whole,
}

/// The steps, and how many slots they have. The root is in `ROOT`.
pub fn rest(spec: &Spec, host: &Host, what: Rest) -> (Vec<Entry>, usize) {
    let dir = filled("containers/%", &[spec.id]);
    let slots = usize::from(SOURCES).wrapping_add(spec.mounts.len()).wrapping_add(spec.lower.layers.len());
    let (steps, view) = (Vec::new(), Vec::new());
    // Nobody executes anything there, and a device has no business with us.
    let mut plan =
        Builder { spec, host, dir, capabilities: 0, nodev: true, view, why: Message::NONE, about: t(c""), steps };
    plan.doing(text!("enter the store"));
    plan.add(Step::Chdir(host.store));
    if what == Rest::Image {
        plan.doing_for(text!("mount the overlay"), spec.lower.named);
        plan.add(Step::Fsopen(t(c"overlay"), FS));
        lowers(&mut plan);
        if host.user.is_some() {
            plan.option(t(c"userxattr"), t(c""));
        }
        plan.create(plan.no_devices(), ROOT);
        return (plan.steps, slots);
    }
    if what == Rest::Whole {
        plan.doing(text!("make the volume"));
        super::volumes::make(&mut plan);
        plan.doing(text!("create a mount namespace"));
        plan.add(Step::Unshare(libc::CLONE_NEWNS as u64));
        plan.add(Step::Mount(t(c"none"), t(c"/"), t(c""), libc::MS_REC | libc::MS_PRIVATE, t(c"")));
    }
    super::outside::container_directory(&mut plan);
    overlay(&mut plan);
    if what == Rest::Whole {
        // Before the root covers those that are in the container's directory.
        let volumes = || spec.mounts.iter().enumerate().filter(|(_, mount)| !matches!(mount.source, Source::Tmpfs(_)));
        for (index, mount) in volumes() {
            super::volumes::fill(&mut plan, index, ROOT);
            copy(&mut plan, index, mount);
        }
        plan.doing(text!("attach the root"));
        plan.move_mount(ROOT, CWD, plan.dir);
        for (index, mount) in volumes() {
            attach_volume(&mut plan, index, mount);
        }
    }
    (plan.steps, slots)
}
