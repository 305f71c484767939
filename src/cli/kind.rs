//! What the flags' values are, as docker takes them: how each is read, and what is said where it can't be.

use crate::error::{Error, Result};
use crate::plan::security;
use crate::spec::{ResourceLimit, Text};
use crate::text::{Message, is, number, split, split_once};
use crate::time;

/// A kind of value.
pub struct Kind {
    /// The value as a number, where it is one; None where it is wrong.
    pub read: fn(&[u8]) -> Option<u64>,
    /// What it has to be.
    pub wants: Message,
}

const fn kind(wants: Message, read: fn(&[u8]) -> Option<u64>) -> Kind {
    Kind { read, wants }
}

/// Takes no value of its own; `--flag=false` turns it off.
pub static SWITCH: Kind = kind(text!("must be true or false"), switch);
/// What its flag takes apart.
pub static ANY: Kind = kind(text!(""), |_| Some(0));
pub static PATH: Kind = kind(text!("the working directory is an absolute path"), |value| {
    (value.is_empty() || value.starts_with(b"/")).then_some(0)
});
pub static HOST_NAME: Kind = kind(text!("a host name has 1 to 64 letters, digits, dots and hyphens"), |value| {
    is_name(value, 1, 64).then_some(0)
});
pub static NAME: Kind =
    kind(text!("a name has 2 to 64 of [a-zA-Z0-9_.-] and begins with a letter or digit"), |value| {
        (is_name(value, 2, 64) && value.first().is_some_and(u8::is_ascii_alphanumeric)).then_some(0)
    });
pub static SIZE: Kind = kind(text!("no size; use a number with b, k, m or g"), bytes);
pub static SIZE_OR_UNLIMITED: Kind =
    kind(text!("no size; use a number with b, k, m or g, or -1"), |value| unlimited(value).or_else(|| bytes(value)));
/// In microseconds of a period of 100 ms.
pub static CPUS: Kind =
    kind(text!("must be a number of CPUs such as 1.5, at least 0.01"), |value| match decimal(value, 1000)? {
        0 if !value.iter().all(|byte| *byte == b'0' || *byte == b'.') => None,
        1..10 => None,
        thousandths => thousandths.checked_mul(100),
    });
/// As `CPUS`.
pub static PERCENT: Kind = kind(text!("no percentage of one CPU, such as 50; at least 1"), |value| {
    let tenths = decimal(value.strip_suffix(b"%").unwrap_or(value), 10)?;
    if tenths < 10 { None } else { tenths.checked_mul(100) }
});
pub static SHARES: Kind = kind(text!("must be a number from 2 to 262144"), |value| match number(value)? {
    1 | 262_145.. => None,
    shares => Some(shares),
});
pub static PIDS: Kind = kind(text!("must be a number of processes, or -1 for no limit"), |value| {
    unlimited(value).or_else(|| number(value)).map(|pids| if pids == 0 { u64::MAX } else { pids })
});
/// A list of the kernel's.
pub static LIST: Kind = kind(text!("must be a list such as 0-2,7"), |value| {
    let range = |range: &[u8]| {
        let (from, to) = split_once(range, b'-').unwrap_or((range, range));
        matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to && to < 8192)
    };
    split(value, b',').iter().all(|part| range(part)).then_some(0)
});
/// As the kernel reads it, to which 010 is 8.
pub static OOM_SCORE: Kind = kind(text!("must be a number from -1000 to 1000"), |value| {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    (number(digits)? <= 1000 && (digits.len() == 1 || !digits.starts_with(b"0"))).then_some(0)
});
/// In milliseconds.
pub static DURATION: Kind = kind(text!("must be a time such as 1.5s, 2m or 1h30m"), duration);
pub static CAPABILITY: Kind = kind(text!("is no capability, such as NET_ADMIN or ALL"), security::capability);
pub static LEVEL: Kind =
    kind(text!("must be debug, info, warn or error"), |value| either(value, "debug info", "warn warning error fatal"));
pub static SHARED: Kind = kind(text!("must be host or private"), |value| either(value, "host", "private "));
pub static NETWORK: Kind = kind(text!("must be none or host"), |value| either(value, "host", "none"));
pub static SIGNAL: Kind = kind(text!("is no signal"), signal);

pub static RESTART: Kind = kind(text!("must be no, on-failure, on-failure:N, always or unless-stopped"), |value| {
    let retries = value.strip_prefix(b"on-failure:").and_then(number);
    (retries.is_some() || is(value, "no on-failure always unless-stopped")).then_some(0)
});
pub static SECONDS: Kind = kind(text!("must be a number of seconds, or -1 for as long as it takes"), |value| {
    unlimited(value).or_else(|| number(value)).map(|_| 0)
});
/// What `SECONDS` reads, in milliseconds; -1 is for ever.
pub fn grace(seconds: Text) -> u64 {
    number(seconds.to_bytes()).map_or(u64::MAX, |seconds| seconds.saturating_mul(1000))
}

pub static LOG_DRIVER: Kind =
    kind(text!("must be json-file, local or none"), |value| is(value, "json-file local none").then_some(0));

/// A switch's value.
pub fn switch(value: &[u8]) -> Option<u64> {
    either(value, "true 1", "false 0")
}

/// 1 for a word of the first list, 0 for one of the second.
fn either(value: &[u8], yes: &str, no: &str) -> Option<u64> {
    if is(value, yes) { Some(1) } else { is(value, no).then_some(0) }
}

/// Letters, digits, `_`, `.` and `-`.
pub fn is_name(value: &[u8], least: usize, most: usize) -> bool {
    let fine = |&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte == b'-';
    value.len() >= least && value.len() <= most && value.iter().all(fine)
}

fn unlimited(value: &[u8]) -> Option<u64> {
    (value == b"-1").then_some(u64::MAX)
}

/// A number with a fraction, times `scale` (at most 2^50), rounded down: decimal("1.5", 1000) is 1500.
pub fn decimal(value: &[u8], scale: u64) -> Option<u64> {
    let Some((whole, fraction)) = split_once(value, b'.') else { return number(value)?.checked_mul(scale) };
    let whole = if whole.is_empty() { 0 } else { number(whole)? };
    number(fraction)?;
    // From the last digit up: rounding down at each is the same as once at the end.
    let part = fraction.iter().rev().fold(0, |below: u64, digit| {
        let here = u64::from(digit & 15).saturating_mul(scale);
        below.saturating_add(here).wrapping_div(10)
    });
    whole.checked_mul(scale)?.checked_add(part)
}

/// Bytes with a unit: b, k, m, g, t, p, upper or lower case, perhaps followed by b or ib; a blank before it is fine.
pub fn bytes(value: &[u8]) -> Option<u64> {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (value, unit) = value.split_at_checked(digits)?;
    let unit = unit.strip_prefix(b" ").unwrap_or(unit).to_ascii_lowercase();
    let shift = match *unit {
        [] | [b'b'] => 0,
        [letter] | [letter, b'b'] | [letter, b'i', b'b'] => {
            b"\0kmgtp".iter().position(|&of| of == letter)?.checked_mul(10)?
        }
        _ => return None,
    };
    let bytes = decimal(value, 1_u64.checked_shl(u32::try_from(shift).ok()?)?)?;
    // Less than a byte is not nothing: a limit that was asked for would be none.
    let lost = bytes == 0 && value.iter().any(|digit| (b'1'..=b'9').contains(digit));
    (!lost && bytes <= i64::MAX as u64).then_some(bytes)
}

/// A time as Go writes it, in milliseconds: 1.5s, 300ms, 1h30m; a number alone is seconds. What is shorter than a
/// millisecond is one, since 0 is no time at all.
pub fn duration(value: &[u8]) -> Option<u64> {
    let seconds = decimal(value, time::SECOND);
    let any = value.iter().any(|digit| (b'1'..=b'9').contains(digit));
    seconds.or_else(|| time::duration(value)).map(|time| time.div_ceil(1_000_000).max(u64::from(any)))
}

/// RLIMIT_* by number, from asm-generic/resource.h.
const RLIMITS: &[u8] =
    b"cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime";

/// The name of one.
pub fn rlimit_name(resource: u32) -> &'static [u8] {
    split(RLIMITS, b' ').get(resource as usize).copied().unwrap_or_default()
}

/// In place of one for the same resource: a limit cannot be raised again.
pub fn last(limits: &mut Vec<ResourceLimit>, limit: ResourceLimit) {
    limits.retain(|other| other.resource != limit.resource);
    limits.push(limit);
}

/// `name=soft[:hard]`, -1 for unlimited.
pub fn ulimit(value: Text) -> Result<ResourceLimit> {
    let wrong = |what: Message| Error::new(text!("--ulimit %: %"), &[value, what.text()]);
    let (name, limits) = split_once(value.to_bytes(), b'=').ok_or_else(|| wrong(text!("is NAME=SOFT[:HARD]")))?;
    let Some(resource) = split(RLIMITS, b' ').iter().position(|of| *of == name) else {
        return Err(wrong(text!("unknown limit; try nofile, nproc, core, stack, memlock or fsize")));
    };
    let (soft, hard) = split_once(limits, b':').unwrap_or((limits, limits));
    let limit = |value: &[u8]| unlimited(if value == b"unlimited" { b"-1" } else { value }).or_else(|| number(value));
    match (limit(soft), limit(hard)) {
        (Some(soft), Some(hard)) if soft <= hard => {
            Ok(ResourceLimit { resource: resource as u32, soft, hard, typed: value })
        }
        (Some(_), Some(_)) => Err(wrong(text!("the soft limit must be less than or equal to the hard limit"))),
        _ => Err(wrong(text!("a limit is a number, or -1 for unlimited"))),
    }
}

/// The signals' names, from x86's and arm's asm/signal.h.
const SIGNALS: &str = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP \
TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";

/// A signal's number, from that or from its name, with or without SIG.
fn signal(value: &[u8]) -> Option<u64> {
    let upper = value.to_ascii_uppercase();
    let name = upper.strip_prefix(b"SIG").unwrap_or(&upper);
    let named = split(SIGNALS.as_bytes(), b' ').iter().position(|of| *of == name);
    let offset = |prefix: &[u8], sign: u8| match name.strip_prefix(prefix)? {
        [] => Some(0),
        [first, digits @ ..] if *first == sign => number(digits).filter(|offset| *offset <= 30),
        _ => None,
    };
    // 32 and 33 are the C libraries' own.
    let real_time = || offset(b"RTMIN", b'+').map(|up| up.wrapping_add(34));
    let from_top = || offset(b"RTMAX", b'-').map(|down| 64_u64.wrapping_sub(down));
    let known =
        named.map(|index| (index as u64).wrapping_add(1)).or_else(real_time).or_else(from_top).or_else(|| number(name));
    known.filter(|number| (1..=64).contains(number))
}
