//! The same by other means: what the parsers' results are compared with.

use crate::tar::header::BLOCK;
use crate::tar::inflate::RING;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use std::sync::Mutex;

/// As much as a decoder is let write: three times round the ring.
pub const LIMIT: usize = 3 * RING;

/// Writes the checksum that the header needs.
pub fn set_checksum(block: &mut [u8; BLOCK]) {
    let sum: u32 =
        block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { byte.into() }).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Makes the checksums right where a reader would find headers.
pub fn repair(archive: &mut [u8]) {
    let mut at = 0_usize;
    while let Some(block) = archive.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
        if *block == [0; BLOCK] {
            return;
        }
        set_checksum(block);
        let digits: Vec<u8> = block[124..136].iter().copied().filter(u8::is_ascii_digit).collect();
        let size = digits.iter().fold(0_usize, |sum, digit| sum.wrapping_mul(8).wrapping_add(usize::from(digit & 7)));
        at = at.saturating_add(BLOCK).saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
    }
}

/// What another decoder makes of a DEFLATE stream.
pub enum Inflated {
    /// All of it, and how many bytes of input that was.
    Whole(Vec<u8>, usize),
    /// More than was asked for.
    Long,
    /// Damaged, or cut off.
    Wrong,
}

/// miniz_oxide, which also is what checks gzip.
pub fn inflate(bytes: &[u8]) -> Inflated {
    // Static: made once, it would be one of the first run's blocks.
    static ALL: Mutex<[u8; LIMIT]> = Mutex::new([0; LIMIT]);
    let mut all = ALL.lock().unwrap();
    let mut state = DecompressorOxide::new();
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    match decompress(&mut state, bytes, &mut all[..], 0, flags) {
        (TINFLStatus::Done, read, written) => Inflated::Whole(all[..written].to_vec(), read),
        (TINFLStatus::HasMoreOutput, ..) => Inflated::Long,
        _ => Inflated::Wrong,
    }
}

/// Why a gzip file is not taken.
pub enum Refused {
    /// Header, trailer, or what stands behind.
    Frame,
    /// What is in it, or it is too long to know.
    Content,
}

/// A gzip file with all its members, zeros behind them allowed.
pub fn gunzip(mut bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let (mut all, mut started) = (Vec::new(), false);
    loop {
        if started {
            bytes = &bytes[bytes.iter().take_while(|&&byte| byte == 0).count()..];
            if bytes.is_empty() {
                return Ok(all);
            }
        }
        started = true;
        let body = body(bytes).ok_or(Refused::Frame)?;
        let Inflated::Whole(part, length) = inflate(body) else { return Err(Refused::Content) };
        let (trailer, rest) = body[length..].split_first_chunk::<8>().ok_or(Refused::Frame)?;
        let expected = [crc32(&part).to_le_bytes(), (part.len() as u32).to_le_bytes()].concat();
        if trailer[..] != expected[..] {
            return Err(Refused::Frame);
        }
        all.extend(part);
        bytes = rest;
    }
}

/// What stands behind a member's header (RFC 1952, 2.3).
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = bytes.split_first_chunk::<10>()?;
    let flags = head[3];
    if head[..3] != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
        return None;
    }
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 != 0 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

/// A decimal number, and nothing beside it.
pub fn decimal(text: &[u8]) -> Option<u64> {
    // str::parse takes a sign.
    std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?.parse().ok()
}

/// A size by exact arithmetic: the number times its unit, rounded down, but not to nothing.
pub fn size(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let scale = match unit.as_str() {
        "" | "b" => 1_u128,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return None,
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let whole = if whole.is_empty() && fraction.is_some() { 0 } else { decimal(whole.as_bytes())? };
    let mut bytes = u128::from(whole) * scale;
    if let Some(fraction) = fraction {
        // Below 2^64 times 2^50; so with 35 digits and more it is less than one.
        let part = u128::from(decimal(fraction.as_bytes())?) * scale;
        bytes += if fraction.len() < 35 { part / 10_u128.pow(fraction.len() as u32) } else { 0 };
    }
    let nothing = digits.bytes().all(|digit| digit == b'0' || digit == b'.');
    (bytes != 0 || nothing).then_some(())?;
    i64::try_from(bytes).ok().map(|bytes| bytes as u64)
}
