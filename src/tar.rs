//! Reading tar archives: plain or gzip, ustar, pax and GNU's long names, streamed.
//!
//! header.rs takes blocks apart and is pure; source.rs brings the bytes (packed.rs from the file, gzip.rs and
//! inflate.rs unpacked); unpack.rs makes the files, each relative to
//! a descriptor that was reached beneath the target without following a symlink. Whoever wrote the archive is not
//! trusted in any of it.

pub mod gzip;
pub mod header;
pub mod inflate;
pub mod packed;
mod source;
mod unpack;

pub use source::Source;
pub use unpack::unpack;
