//! Times as they are typed: what docker's --since and --until take. `format::human` writes them.

use crate::cli::kind::decimal;
use crate::format::human::rfc3339;
use crate::text::{Line, Push, number, split_once};

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since 1970 as RFC 3339 in UTC, always with nine digits behind the second: 30 bytes, which sort as the times do.
pub fn rfc3339_nano(time: u64, line: &mut Line) {
    rfc3339(time / SECOND, line);
    line.pop();
    line.put(b".").dec0(time % SECOND, 9).put(b"Z");
}

/// What --since and --until take, in nanoseconds since 1970: a duration before `now`, the beginning of RFC 3339 (UTC where no
/// zone is said), or seconds since 1970.
pub fn parse(text: &[u8], now: u64) -> Option<u64> {
    match duration(text) {
        Some(before) if text != b"0" => Some(now.saturating_sub(before)),
        _ => date(text).or_else(|| {
            let (seconds, fraction) = split_once(text, b'.').unwrap_or((text, b""));
            number(seconds)?.checked_mul(SECOND)?.checked_add(nanoseconds(fraction)?)
        }),
    }
}

/// Go's: `1h30m`, `1.5s`, `300ms`; in nanoseconds.
pub fn duration(text: &[u8]) -> Option<u64> {
    let (mut sum, mut rest) = (0_u64, text);
    if rest == b"0" {
        return Some(0);
    }
    loop {
        let of = |in_number: bool, text: &[u8]| {
            text.iter().take_while(|byte| (byte.is_ascii_digit() || **byte == b'.') == in_number).count()
        };
        let (count, after) = rest.split_at_checked(of(true, rest))?;
        let (unit, after) = after.split_at_checked(of(false, after))?;
        let scale = match unit {
            b"h" => 3600 * SECOND,
            b"m" => 60 * SECOND,
            b"s" => SECOND,
            b"ms" => 1_000_000,
            b"us" => 1000,
            b"ns" => 1,
            _ => return None,
        };
        sum = sum.checked_add(decimal(count, scale)?)?;
        rest = after;
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

/// Digits behind the point, at most nine of them.
fn nanoseconds(digits: &[u8]) -> Option<u64> {
    let padded = digits.iter().chain(&[b'0'; 9]).take(9);
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| padded.fold(0, |sum: u64, digit| sum.wrapping_mul(10).wrapping_add(u64::from(digit & 15))))
}

/// `2026-11-24`, `2026-11-24T07:00`, `2026-11-24T07:00:00.5+01:00` and what is between.
fn date(text: &[u8]) -> Option<u64> {
    let mut fields = [0, 0, 0, 0, 0, 0_u64];
    let mut rest = text;
    for (index, (field, &before)) in fields.iter_mut().zip(b" --T::").enumerate() {
        if index > 0 {
            match rest.strip_prefix(&[before]) {
                Some(after) => rest = after,
                None if index > 2 => break,
                None => return None,
            }
        }
        let (digits, after) = rest.split_at_checked(if index == 0 { 4 } else { 2 })?;
        (*field, rest) = (number(digits)?, after);
    }
    let mut fraction: &[u8] = b"";
    if let Some(after) = rest.strip_prefix(b".") {
        (fraction, rest) = after.split_at_checked(after.iter().take_while(|byte| byte.is_ascii_digit()).count())?;
    }
    let [year, month, day, hour, minute, second] = fields;
    // The year begins in March, so that the odd day is its last.
    let (year, months) =
        if month > 2 { (year, month.wrapping_sub(3)) } else { (year.checked_sub(1)?, month.wrapping_add(9)) };
    let leaps = (year / 4).wrapping_sub(year / 100).wrapping_add(year / 400);
    let days = year.wrapping_mul(365).wrapping_add(leaps).wrapping_add(months.wrapping_mul(153).wrapping_add(2) / 5);
    let days = days.wrapping_add(day).checked_sub(719_469)?;
    let clock = |hour: u64, minute: u64| hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60));
    let seconds = days.wrapping_mul(86_400).wrapping_add(clock(hour, minute)).wrapping_add(second);
    // A thirtieth of February, or a 61st minute, is not what comes back.
    let mut back = Line::new();
    rfc3339(seconds, &mut back);
    let same = text.len().min(19).min(text.len().wrapping_sub(rest.len()));
    if back.get(..same) != text.get(..same) {
        return None;
    }
    let zone = match rest {
        [] | [b'Z'] => 0,
        [_, hour @ .., b':', _, _] => clock(number(hour)?, number(rest.get(rest.len().wrapping_sub(2)..)?)?),
        _ => return None,
    };
    let seconds = match rest.first() {
        Some(b'+') => seconds.checked_sub(zone)?,
        Some(b'-') => seconds.checked_add(zone)?,
        None | Some(b'Z') => seconds,
        _ => return None,
    };
    seconds.checked_mul(SECOND)?.checked_add(nanoseconds(fraction)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_log_has_a_fixed_width() {
        let mut line = Line::new();
        rfc3339_nano(1_795_503_600_000_000_042, &mut line);
        assert_eq!(*line, b"2026-11-24T07:00:00.000000042Z");
    }

    #[test]
    fn a_time_is_a_date_a_duration_or_seconds() {
        let now = 2_000_000_000 * SECOND;
        for (text, time) in [
            ("10m", Some(now - 600 * SECOND)),
            ("1h30m", Some(now - 5400 * SECOND)),
            ("1.5s", Some(now - 1_500_000_000)),
            ("300ms", Some(now - 300_000_000)),
            ("0", Some(0)),
            ("1795503600", Some(1_795_503_600_000_000_000)),
            ("1795503600.5", Some(1_795_503_600_500_000_000)),
            ("1795503600.0000000019", Some(1_795_503_600_000_000_001)),
            ("2026-11-24T07:00:00Z", Some(1_795_503_600_000_000_000)),
            ("2026-11-24T07:00:00.25Z", Some(1_795_503_600_250_000_000)),
            ("2026-11-24T07:00:00+01:00", Some(1_795_500_000_000_000_000)),
            ("2026-11-24T07:00-01:30", Some(1_795_509_000_000_000_000)),
            ("2026-11-24T07:00", Some(1_795_503_600_000_000_000)),
            ("2026-11-24T07", Some(1_795_503_600_000_000_000)),
            ("2026-11-24", Some(1_795_478_400_000_000_000)),
            ("2000-02-29", Some(951_782_400_000_000_000)),
            ("2026-02-30", None),
            ("2026-11-24T07:61", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026", Some(2026 * SECOND)),
            ("2026-1-1", None),
            ("2026-11-24X", None),
            ("2026-11-24T07:00:00+1", None),
            ("1969-12-31", None),
            ("10 m", None),
            ("m", None),
            ("1d", None),
            ("", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(parse(text.as_bytes(), now), time, "{text}");
        }
    }
}
