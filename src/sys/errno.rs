//! Errno: the kernel's number, its name, and libc's words for it.

pub use syscalls::Errno;

/// Names by number, from asm-generic/errno-base.h and errno.h (the same on every architecture we build for); a
/// dash where a number has no name. One string: a table of slices would cost 16 bytes a row.
static NAMES: &str = "- EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT \
ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK \
EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG \
EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE \
ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN \
ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT \
ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED \
ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY \
EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED \
EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON";

/// The symbolic name, such as "ENOENT".
pub fn name(errno: Errno) -> &'static [u8] {
    let number = usize::try_from(errno.into_raw()).unwrap_or(0);
    NAMES.split(' ').nth(number).unwrap_or("-").as_bytes()
}

/// libc's text, such as "No such file or directory".
pub fn description(errno: Errno) -> &'static [u8] {
    // SAFETY: strerror returns a NUL-terminated string; musl's are constants, glibc's (in unit tests) may be
    // overwritten by the next call from this thread, and every caller copies at once.
    unsafe { core::ffi::CStr::from_ptr(libc::strerror(errno.into_raw())) }.to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_numbers() {
        for (number, text) in
            [(1, "EPERM"), (2, "ENOENT"), (22, "EINVAL"), (38, "ENOSYS"), (40, "ELOOP"), (42, "ENOMSG")]
        {
            assert_eq!(name(Errno::new(number)), text.as_bytes());
        }
        for (number, text) in
            [(75, "EOVERFLOW"), (95, "EOPNOTSUPP"), (110, "ETIMEDOUT"), (122, "EDQUOT"), (133, "EHWPOISON")]
        {
            assert_eq!(name(Errno::new(number)), text.as_bytes());
        }
        assert_eq!(name(Errno::new(200)), b"-");
        assert_eq!(description(Errno::ENOENT), b"No such file or directory");
    }
}
