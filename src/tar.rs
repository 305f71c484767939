//! Tar archives: read plain or gzip, ustar, pax and GNU's long names, streamed; written.
//!
//! header.rs takes blocks apart and is pure; source.rs brings the bytes (packed.rs from the file, gzip.rs and
//! inflate.rs unpacked); members.rs puts together what several blocks say of a file; unpack.rs makes the files, each relative to
//! a descriptor that was reached beneath the target without following a symlink. Whoever wrote the archive is not
//! trusted in any of it. write.rs makes an archive, member by member; tree.rs of a whole tree; again.rs the one that a tree
//! was unpacked from, by what squeeze.rs has kept of it.

pub mod again;
pub mod gzip;
pub mod header;
pub mod inflate;
mod members;
pub mod packed;
mod source;
pub mod squeeze;
pub mod tree;
mod unpack;
pub mod write;

pub use members::Members;
pub use source::{Sink, Source};
pub use unpack::{Existing, into, unpack};
