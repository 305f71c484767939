//! Tar archives: read plain or gzip, ustar, pax and GNU's long names, streamed; written.
//!
//! header.rs takes blocks apart and is pure; source.rs brings the bytes (packed.rs from the file, gzip.rs and
//! inflate.rs unpacked); unpack.rs makes the files, each relative to
//! a descriptor that was reached beneath the target without following a symlink. Whoever wrote the archive is not
//! trusted in any of it. write.rs makes an archive, member by member; tree.rs of a whole tree.

pub mod gzip;
pub mod header;
pub mod inflate;
pub mod packed;
mod source;
pub mod tree;
mod unpack;
pub mod write;

pub use source::Source;
pub use unpack::{Existing, into, unpack};
