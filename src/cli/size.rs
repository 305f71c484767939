//! Numbers as docker takes them: sizes, decimals, --ulimit, signals.

use super::bad;
use crate::error::Result;
use crate::spec::{ResourceLimit, Text};
use crate::text::{number, split_once};

/// `number` with a fraction, times `scale`, rounded down: decimal("1.5", 1000) is 1500.
pub fn decimal(bytes: &[u8], scale: u64) -> Option<u64> {
    let (whole, fraction) = split_once(bytes, b'.').unwrap_or((bytes, b""));
    if fraction.is_empty() && bytes.contains(&b'.') || fraction.len() > 18 {
        return None;
    }
    let whole = number(if whole.is_empty() && !fraction.is_empty() { b"0" } else { whole })?.checked_mul(scale)?;
    let mut part = 0_u128;
    if !fraction.is_empty() {
        let digits = number(fraction)?;
        let power = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        part = u128::from(digits).checked_mul(u128::from(scale))?.checked_div(power)?;
    }
    whole.checked_add(u64::try_from(part).ok()?)
}

/// Bytes with a unit: b, k, m, g, t, p, upper or lower case, perhaps followed by b or ib; a blank before it is fine.
pub fn bytes(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (value, unit) = (text.get(..digits)?, text.get(digits..)?);
    let unit = unit.strip_prefix(b" ").unwrap_or(unit).to_ascii_lowercase();
    let shift = match unit.split_first() {
        None => 0,
        Some((b'b', [])) => 0,
        Some((letter, b"" | b"b" | b"ib")) => {
            b"kmgtp".iter().position(|of| of == letter)?.checked_add(1)?.checked_mul(10)?
        }
        _ => return None,
    };
    decimal(value, 1_u64.checked_shl(u32::try_from(shift).ok()?)?).filter(|&bytes| bytes <= i64::MAX as u64)
}

/// RLIMIT_* by number, from asm-generic/resource.h.
const RLIMITS: [&[u8]; 16] = [
    b"cpu",
    b"fsize",
    b"data",
    b"stack",
    b"core",
    b"rss",
    b"nproc",
    b"nofile",
    b"memlock",
    b"as",
    b"locks",
    b"sigpending",
    b"msgqueue",
    b"nice",
    b"rtprio",
    b"rttime",
];

/// `name=soft[:hard]`, -1 for unlimited.
pub fn ulimit(value: Text) -> Result<ResourceLimit> {
    let wrong = |what: &[u8]| bad("ulimit", value, what);
    let (name, limits) = split_once(value.to_bytes(), b'=').ok_or_else(|| wrong(b"is NAME=SOFT[:HARD]"))?;
    let resource = RLIMITS.iter().position(|of| *of == name);
    let resource = resource.ok_or_else(|| wrong(b"unknown limit; try nofile, nproc, core, stack, memlock or fsize"))?;
    let (soft, hard) = split_once(limits, b':').unwrap_or((limits, limits));
    let limit = |bytes: &[u8]| if bytes == b"-1" || bytes == b"unlimited" { Some(u64::MAX) } else { number(bytes) };
    match (limit(soft), limit(hard)) {
        (Some(soft), Some(hard)) if soft <= hard => {
            Ok(ResourceLimit { resource: resource as u32, soft, hard, typed: value })
        }
        (Some(_), Some(_)) => Err(wrong(b"the soft limit must be less than or equal to the hard limit")),
        _ => Err(wrong(b"a limit is a number, or -1 for unlimited")),
    }
}

/// The signals' names by number, from x86 and arm's asm/signal.h.
const SIGNALS: &[u8] =
    b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP \
TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";

/// Checks a signal's number or name, with or without SIG. What it is for needs a container that stays.
pub fn signal(value: Text) -> Result<()> {
    let upper = value.to_bytes().to_ascii_uppercase();
    let name = upper.strip_prefix(b"SIG").unwrap_or(&upper);
    let known = SIGNALS.split(|&byte| byte == b' ').any(|of| of == name)
        || name.starts_with(b"RTMIN")
        || name.starts_with(b"RTMAX");
    if known || number(name).is_some_and(|number| (1..=64).contains(&number)) {
        return Ok(());
    }
    Err(bad("stop-signal", value, b"is no signal"))
}
