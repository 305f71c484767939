//! A foreground container: no config is written for it, since all that it was made of is its supervisor's, which lives as
//! long as it does: the command line, the environment, and a file in memory that says what the image is.

use super::process::of_process;
use super::state::{State, Status, now};
use super::{Done, LONGEST, Record, STATE, read};
use crate::spec::Text;
use crate::sys::{Errno, OwnedFd, exe, fs, process};
use crate::text::{Push, keep, number, split};
use std::os::fd::{AsFd, BorrowedFd};

/// The state of a foreground container, and behind it what no command line tells for sure: how many of its words are the
/// command's. What the image is stands in a file that is only the supervisor's: a symlink of 60 bytes and more has a block of
/// its own on ext4, which takes longer to free than all this.
pub fn running(dir: BorrowedFd, pid: i32, words: usize, image: Text) -> Done<()> {
    let state = State { status: Status::Running, pid, supervisor: process::pid(), started: now(), ..State::NEW };
    let mut text = state.text();
    text.put(b"\n").dec(words as u64);
    let file = exe::memory_file(0)?;
    fs::write_all(file.as_fd(), image.to_bytes())?;
    // Open as long as the supervisor lives.
    core::mem::forget(file);
    fs::symlink(keep(&text), dir, STATE)
}

impl Record {
    /// From the supervisor's command line.
    pub(super) fn of_foreground(id: Text, dir: OwnedFd) -> Done<Self> {
        let mut record = Self::nothing(id, dir);
        let text = read(record.dir.as_fd(), STATE).unwrap_or_default();
        // Without these it is still being made.
        let [state, words] = split(text, b'\n') else { return Err(Errno::ENOENT) };
        let state = State::parse(state).ok_or(Errno::ENOENT)?;
        let text = image_of(state.supervisor)?.leak();
        let [image, id, layers @ ..] = split(text, b'\n') else { return Err(Errno::ENOENT) };
        (record.created, record.image, record.image_id) = (state.started, keep(image), keep(id));
        record.layers = layers.iter().map(|layer| keep(layer)).collect();
        let of = |file: &[u8]| fs::read_file(of_process(state.supervisor, file), LONGEST);
        let line = of(b"/cmdline")?;
        let args: Vec<Text> =
            split(line.strip_suffix(b"\0").unwrap_or(line), 0).iter().map(|word| keep(word)).collect();
        // `mydocker run`, its flags, perhaps the image, and as many words as the state says.
        let command = args.len().saturating_sub(number(words).unwrap_or(0) as usize);
        record.words = args.get(command..).unwrap_or_default().into();
        record.flags = args.get(2..command).unwrap_or_default().into();
        let environ = of(b"/environ")?;
        record.origin.environ = Some(environ);
        record.origin.base = split(environ, 0).iter().find_map(|entry| entry.strip_prefix(b"PWD=")).map(keep);
        if let Ok(options) = record.options() {
            record.name = options.spec.name.unwrap_or_default();
        }
        Ok(record)
    }
}

/// That file's content.
fn image_of(supervisor: i32) -> Done<Vec<u8>> {
    let fds = fs::open(fs::CWD, of_process(supervisor, b"/fd"), libc::O_RDONLY | libc::O_DIRECTORY, 0)?;
    let mut found = None;
    fs::each_entry(fds.as_fd(), &mut |fd, _| {
        if fs::read_link(fds.as_fd(), fd, &mut [0; 64]).is_ok_and(|link| link.starts_with(b"/memfd:mydocker")) {
            found = Some(keep(fd.to_bytes()));
        }
    })?;
    let file = fs::open_follow(fds.as_fd(), found.ok_or(Errno::ENOENT)?, libc::O_RDONLY, 0)?;
    fs::read_all(file.as_fd(), LONGEST)
}
