//! The root's mounts by mount(2) alone, for kernels before Linux 5.12.
use super::Builder;
pub fn sources(_plan: &mut Builder) {}
pub fn mounts(_plan: &mut Builder) {}
