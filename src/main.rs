//! mydocker: a container runtime made of system calls. See docs/design.md.
#![cfg_attr(not(test), no_main)]

mod copy;
mod error;
mod image;
mod remove;
mod sys;
mod tar;
mod text;
mod users;
