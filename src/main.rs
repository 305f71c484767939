//! mydocker: a container runtime made of system calls. See docs/design.md.
#![cfg_attr(not(test), no_main)]

mod error;
mod sys;
mod text;
