//! Sizes, ages and times as docker prints them (docker/go-units, and Go's time package).

use crate::sys::name::Text;
use crate::text::{Line, Message, Push, fill, keep, number, split, split_once};

/// Divided; 0 by 0.
fn over(value: u64, by: u64) -> u64 {
    value.checked_div(by).unwrap_or(0)
}

/// Bytes with a unit: `digits` significant ones as %.Ng has them, in steps of `step`: 1000 (kB) or 1024 (KiB).
pub fn size(bytes: u64, digits: usize, step: u64) -> Text {
    let (mut value, mut one, mut unit) = (bytes, 1_u64, 0_usize);
    while over(value, one) >= step {
        unit = unit.wrapping_add(1);
        // What is cut off is behind the last digit shown; what is left can be multiplied.
        if value >= 1 << 32 { value = over(value, step) } else { one = one.wrapping_mul(step) }
    }
    let whole = over(value, one);
    let more = [10, 100, 1000].iter().filter(|&&edge| whole >= edge).count();
    let places = digits.saturating_sub(more).saturating_sub(1);
    let mut line = Line::new();
    fraction(value, one, places, &mut line);
    while places != 0 && line.pop_if(|last| *last == b'0').is_some() {}
    line.pop_if(|last| *last == b'.');
    let (units, rest): (&[u8], &[u8]) = if step == 1000 { (b"BkMGTPE", b"B") } else { (b"BKMGTPE", b"iB") };
    line.extend(units.get(unit));
    line.put(if unit == 0 { b"" } else { rest });
    keep(&line)
}

/// `part / whole` rounded to some places behind the point, as %.Nf prints it. `part` is below 2^50 or places few.
pub fn fraction(part: u64, whole: u64, places: usize, line: &mut Line) {
    let scale = (0..places).fold(1_u64, |scale, _| scale.wrapping_mul(10));
    let scaled = over(part.wrapping_mul(scale).wrapping_add(whole / 2), whole);
    line.dec(over(scaled, scale));
    if places != 0 {
        line.put(b".").dec0(scaled.checked_rem(scale).unwrap_or(0), places);
    }
}

/// Below how many seconds, how many are one, in words.
const AGES: Message = text!(
    "\
1 1 Less than a second
2 1 1 second
60 1 % seconds
120 60 About a minute
3600 60 % minutes
7200 3600 About an hour
172800 3600 % hours
1209600 86400 % days
5184000 604800 % weeks
63072000 2592000 % months
18446744073709551615 31536000 % years"
);

/// How long that is: units.HumanDuration.
pub fn age(seconds: u64) -> Text {
    // From an hour on it counts in hours, rounded.
    let seconds = if seconds < 3600 { seconds } else { (seconds.saturating_add(1800) / 3600).wrapping_mul(3600) };
    let row = split(AGES.bytes(), b'\n').iter().find_map(|row| {
        let (below, row) = split_once(row, b' ')?;
        let (one, words) = split_once(row, b' ')?;
        let mut count = Line::new();
        count.dec(over(seconds, number(one)?));
        (seconds < number(below)?).then(|| fill(words, &[keep(&count)]))
    });
    keep(&row.unwrap_or_default())
}

/// Nanoseconds since 1970 as RFC3339Nano in UTC, without zeros at the end; Go's zero time for 0.
pub fn time(nanoseconds: u64) -> Text {
    if nanoseconds == 0 {
        return crate::sys::name::t(c"0001-01-01T00:00:00Z");
    }
    let mut line = Line::new();
    rfc3339(nanoseconds / 1_000_000_000, &mut line);
    // In place of the Z.
    line.pop();
    line.put(b".").dec0(nanoseconds % 1_000_000_000, 9);
    while line.pop_if(|last| *last == b'0').is_some() {}
    line.pop_if(|last| *last == b'.');
    keep(line.put(b"Z"))
}

/// As Go prints a time in UTC: `2026-11-24 07:00:00 +0000 UTC`.
pub fn created_at(nanoseconds: u64) -> Text {
    let mut line = Line::new();
    rfc3339(nanoseconds / 1_000_000_000, &mut line);
    line.pop();
    line.iter_mut().filter(|byte| **byte == b'T').for_each(|byte| *byte = b' ');
    keep(line.put(b" +0000 UTC"))
}

/// Seconds since 1970 as RFC 3339 in UTC.
pub fn rfc3339(seconds: u64, line: &mut Line) {
    let (mut year, mut month, mut days) = (1970_u64, 1_u64, seconds / 86_400);
    loop {
        let length = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if days < length {
            break;
        }
        days = days.wrapping_sub(length);
        (year, month) = if month == 12 { (year.wrapping_add(1), 1) } else { (year, month.wrapping_add(1)) };
    }
    let second = seconds % 86_400;
    let parts = [year, month, days.wrapping_add(1), second / 3600, second / 60 % 60, second % 60];
    for (part, end) in parts.iter().zip(b"--T::Z") {
        line.dec0(*part, 2).put(&[*end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: Text) -> String {
        String::from_utf8_lossy(text.to_bytes()).into_owned()
    }

    #[test]
    fn sizes_are_units_human_size() {
        // From docker/go-units' size_test.go, and %.3g as ps and images have it.
        for (bytes, four, three) in [
            (0, "0B", "0B"),
            (1000, "1kB", "1kB"),
            (1024, "1.024kB", "1.02kB"),
            (1_000_000, "1MB", "1MB"),
            (1_048_576, "1.049MB", "1.05MB"),
            (2_000_000_000, "2GB", "2GB"),
            (4_261_550, "4.262MB", "4.26MB"),
            (72_800_000, "72.8MB", "72.8MB"),
            (123_456_789, "123.5MB", "123MB"),
            (3_420_000_000_000, "3.42TB", "3.42TB"),
            (5_372_000_000_000_000, "5.372PB", "5.37PB"),
            (999, "999B", "999B"),
        ] {
            assert_eq!((text(size(bytes, 4, 1000)), text(size(bytes, 3, 1000))), (four.into(), three.into()));
        }
        for (bytes, want) in [
            (0, "0B"),
            (1024, "1KiB"),
            (1 << 20, "1MiB"),
            (66_060_288, "63MiB"),
            (8_332_500_992, "7.76GiB"),
            (1_047_527_424, "999MiB"),
            (1_072_693_248, "1023MiB"),
            (u64::MAX, "16EiB"),
        ] {
            assert_eq!(text(size(bytes, 4, 1024)), want);
        }
    }

    #[test]
    fn ages_are_units_human_duration() {
        const DAY: u64 = 86_400;
        // From docker/go-units' duration_test.go.
        for (seconds, want) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (45, "45 seconds"),
            (60, "About a minute"),
            (90, "About a minute"),
            (120, "2 minutes"),
            (3 * 60 + 40, "3 minutes"),
            (3600, "About an hour"),
            (3600 + 29 * 60, "About an hour"),
            (3600 + 31 * 60, "2 hours"),
            (2 * 3600, "2 hours"),
            (24 * 3600, "24 hours"),
            (2 * DAY, "2 days"),
            (7 * DAY, "7 days"),
            (13 * DAY + 5 * 3600, "13 days"),
            (14 * DAY, "2 weeks"),
            (35 * DAY, "5 weeks"),
            (60 * DAY, "2 months"),
            (65 * DAY, "2 months"),
            (365 * DAY, "12 months"),
            (24 * 30 * DAY, "24 months"),
            (2 * 365 * DAY, "2 years"),
            (3 * 365 * DAY, "3 years"),
        ] {
            assert_eq!(text(age(seconds)), want, "{seconds}");
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        let mut line = Line::new();
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_503_600, "2026-11-24T07:00:00Z"),
        ] {
            line.clear();
            rfc3339(seconds, &mut line);
            assert_eq!(String::from_utf8_lossy(&line), text);
        }
        assert_eq!(text(time(0)), "0001-01-01T00:00:00Z");
        assert_eq!(text(time(1_795_503_600_000_000_000)), "2026-11-24T07:00:00Z");
        assert_eq!(text(time(1_795_503_600_012_300_000)), "2026-11-24T07:00:00.0123Z");
        assert_eq!(text(time(1_795_503_600_000_000_001)), "2026-11-24T07:00:00.000000001Z");
        assert_eq!(text(created_at(1_795_503_600_999_000_000)), "2026-11-24 07:00:00 +0000 UTC");
    }
}
