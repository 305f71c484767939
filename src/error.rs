//! What went wrong, as one line for the user: what was done, to which object, the errno by name, and the way out.

use crate::sys::errno::{self, Errno};
use crate::sys::fs;
use crate::sys::name::Name;
use crate::sys::process::STDERR;
use crate::text::{Line, Message, Push, fill};

/// A command that is not `run` failed.
pub const FAILED: u8 = 1;
/// `run` failed before its command, or flags were wrong.
pub const RUNTIME: u8 = 125;
/// A flag's value was found to be wrong by the command itself: 125 too.
pub const USAGE: u8 = 0;
/// The command cannot be invoked.
pub const NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;

/// An error that ends mydocker. Boxed, so that a `Result` is one word.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: u8,
    line: Line,
    hint: Line,
}

/// The result of what can end mydocker.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// A message with a piece in place of each `%`; exit code 125. What users or images wrote goes through
    /// `Push::safe` at the end.
    pub fn new(message: Message, pieces: &[Name]) -> Self {
        Self::of(fill(message.bytes(), pieces))
    }

    fn of(line: Line) -> Self {
        Self(Box::new(Parts { code: RUNTIME, line, hint: Line::new() }))
    }

    /// "WHAT on WHICH: ERRNO (text)"; without `which`, "WHAT: ERRNO (text)".
    pub fn sys(what: Message, which: Name, errno: Errno) -> Self {
        let mut line = Line::new();
        line.say(what);
        if !which.is_empty() {
            line.put(b" on ").put(which.to_bytes());
        }
        errno::describe(errno, line.put(b": "));
        Self::of(line).hint(if errno == Errno::EMFILE { text!("ulimit -n 64 is enough") } else { Message::NONE }, &[])
    }

    /// With the way out: a second line, `hint: …`. An empty one leaves what was there.
    pub fn hint(mut self, message: Message, pieces: &[Name]) -> Self {
        if !message.is_empty() {
            self.0.hint = fill(message.bytes(), pieces);
        }
        self
    }

    /// With another exit code than 125.
    pub fn code(mut self, code: u8) -> Self {
        self.0.code = code;
        self
    }

    /// docker's: 125 is for `run` and for flags, since another code could be the container's.
    pub fn plain(mut self) -> Self {
        if self.0.code == RUNTIME {
            self.0.code = FAILED;
        }
        self
    }

    /// The exit code of mydocker.
    pub fn exit_code(&self) -> u8 {
        if self.0.code == USAGE { RUNTIME } else { self.0.code }
    }

    /// On standard error.
    pub fn print(&self) {
        let _ = fs::write_all(STDERR, &self.text());
    }

    /// The line or two for stderr, control bytes made visible; nothing where another process has said it (`Message::NONE`).
    pub fn text(&self) -> Line {
        let mut line = Line::new();
        if self.0.line.is_empty() {
            return line;
        }
        line.put(b"mydocker: ").safe(&self.0.line).put(b"\n");
        if !self.0.hint.is_empty() {
            line.put(b"hint: ").safe(&self.0.hint).put(b"\n");
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::name::t;

    #[test]
    fn an_error_is_one_line_whatever_the_object_is_named() {
        let error =
            Error::sys(text!("unpack"), t(c"/a\nb"), Errno::EINVAL).hint(text!("did you mean --%?"), &[t(c"dmesg")]);
        assert_eq!(
            *error.text(),
            b"mydocker: unpack on /a\\nb: EINVAL (Invalid argument)\nhint: did you mean --dmesg?\n"
        );
        assert_eq!(error.exit_code(), 125);
    }
}
