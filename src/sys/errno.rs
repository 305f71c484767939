//! Errno: the kernel's number, its name, and the words for it.

use crate::text::{Line, Message, Push, row, split_once};
use core::num::NonZeroI32;

/// The kernel's number of an error. It is not 0, so that a `Result<(), Errno>` is one register; the syscalls crate's may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(NonZeroI32);

macro_rules! errnos {
    ($($name:ident)*) => {
        #[allow(missing_docs, dead_code)]
        impl Errno {
            $(pub const $name: Self = Self::new(libc::$name);)*
        }
    };
}

errnos!(
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
    EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE ERANGE
    EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA ETIME EPROTO EBADMSG EOVERFLOW ELIBACC ELIBBAD EUSERS
    EOPNOTSUPP ECONNRESET ENOBUFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH ESTALE EUCLEAN EREMOTEIO EDQUOT ENOMEDIUM
    ECANCELED ENOKEY EILSEQ
);

impl Errno {
    /// From a number; one that the kernel has not for 0.
    pub const fn new(number: i32) -> Self {
        match NonZeroI32::new(number) {
            Some(number) => Self(number),
            None => Self(NonZeroI32::MAX),
        }
    }

    /// The number.
    pub const fn into_raw(self) -> i32 {
        self.0.get()
    }
}

/// What a system call has returned: -4095 to -1 are errors.
pub fn answer(raw: usize) -> Result<usize, Errno> {
    match raw as isize {
        -4095..0 => Err(Errno::new((raw as i32).wrapping_neg())),
        _ => Ok(raw),
    }
}

/// What our system calls can fail with, on every architecture the same: number, name, libc's words. One string: a
/// table of slices would cost 32 bytes a row, and the errors of streams, semaphores and keys cannot come.
const TABLE: Message = text!(
    "\
1 EPERM Operation not permitted
2 ENOENT No such file or directory
3 ESRCH No such process
4 EINTR Interrupted system call
5 EIO I/O error
6 ENXIO No such device or address
7 E2BIG Argument list too long
8 ENOEXEC Exec format error
9 EBADF Bad file descriptor
10 ECHILD No child process
11 EAGAIN Resource temporarily unavailable
12 ENOMEM Out of memory
13 EACCES Permission denied
14 EFAULT Bad address
15 ENOTBLK Block device required
16 EBUSY Resource busy
17 EEXIST File exists
18 EXDEV Cross-device link
19 ENODEV No such device
20 ENOTDIR Not a directory
21 EISDIR Is a directory
22 EINVAL Invalid argument
23 ENFILE Too many open files in system
24 EMFILE No file descriptors available
25 ENOTTY Not a tty
26 ETXTBSY Text file busy
27 EFBIG File too large
28 ENOSPC No space left on device
29 ESPIPE Invalid seek
30 EROFS Read-only file system
31 EMLINK Too many links
32 EPIPE Broken pipe
34 ERANGE Result not representable
35 EDEADLK Resource deadlock would occur
36 ENAMETOOLONG Filename too long
37 ENOLCK No locks available
38 ENOSYS Function not implemented
39 ENOTEMPTY Directory not empty
40 ELOOP Symbolic link loop
61 ENODATA No data available
62 ETIME Device timeout
71 EPROTO Protocol error
74 EBADMSG Bad message
75 EOVERFLOW Value too large for data type
79 ELIBACC Cannot access a needed shared library
80 ELIBBAD Accessing a corrupted shared library
87 EUSERS Too many users
95 EOPNOTSUPP Not supported
104 ECONNRESET Connection reset by peer
105 ENOBUFS No buffer space available
110 ETIMEDOUT Operation timed out
111 ECONNREFUSED Connection refused
112 EHOSTDOWN Host is down
113 EHOSTUNREACH Host is unreachable
116 ESTALE Stale file handle
117 EUCLEAN Data consistency error
121 EREMOTEIO Remote I/O error
122 EDQUOT Quota exceeded
123 ENOMEDIUM No medium found
125 ECANCELED Operation canceled
126 ENOKEY Required key not available"
);

/// "ENOENT (No such file or directory)"; "errno 57" for what is not in the table.
pub fn describe(errno: Errno, line: &mut Line) {
    let number = errno.into_raw() as u64;
    match row(TABLE, number).and_then(|row| split_once(row, b' ')) {
        Some((name, words)) => line.put(name).put(b" (").put(words).put(b")"),
        None => line.put(b"errno ").dec(number),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errno_is_described_by_name_and_in_words() {
        for (errno, text) in [
            (Errno::EPERM, &b"EPERM (Operation not permitted)"[..]),
            (Errno::EOPNOTSUPP, b"EOPNOTSUPP (Not supported)"),
            (Errno::ENOKEY, b"ENOKEY (Required key not available)"),
            (Errno::new(200), b"errno 200"),
        ] {
            let mut line = Line::new();
            describe(errno, &mut line);
            assert_eq!(*line, text);
        }
    }

    #[test]
    fn every_row_has_the_name_of_its_number() {
        for (errno, name) in [
            (Errno::ENOENT, "ENOENT"),
            (Errno::ERANGE, "ERANGE"),
            (Errno::ELOOP, "ELOOP"),
            (Errno::ENODATA, "ENODATA"),
            (Errno::EOVERFLOW, "EOVERFLOW"),
            (Errno::EUSERS, "EUSERS"),
            (Errno::ESTALE, "ESTALE"),
            (Errno::EDQUOT, "EDQUOT"),
        ] {
            let mut line = Line::new();
            describe(errno, &mut line);
            assert!(line.starts_with(name.as_bytes()));
        }
    }
}
