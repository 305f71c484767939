//! gzip (RFC 1952) around DEFLATE: headers, checksums, and members one behind the other.

use super::inflate::{Inflate, RING};
use super::packed::Packed;
use crate::sys::{Errno, Large};

/// What every gzip member starts with.
pub const MAGIC: &[u8] = b"\x1f\x8b";

/// A gzip file on its way. EILSEQ is damage, ENODATA a file that ends too early.
pub struct Gzip {
    ring: Large,
    at: usize,
    end: usize,
    inflate: Inflate,
    crc: Crc,
    length: u32,
    /// Whether a member's header stands next.
    between: bool,
    /// Whether there was one already: only then may the file end.
    started: bool,
}

impl Gzip {
    /// Nothing is read yet.
    pub fn new() -> Box<Self> {
        let ring = Large(vec![0; RING]);
        let (inflate, crc) = (Inflate::new(), Crc::new());
        Box::new(Self { ring, at: 0, end: 0, inflate, crc, length: 0, between: true, started: false })
    }

    /// The piece that was unpacked last and not taken.
    pub fn rest(&self) -> &[u8] {
        self.ring.get(self.at..self.end).unwrap_or_default()
    }

    /// Goes on by `count` bytes of the rest.
    pub fn skip(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
    }

    /// Unpacks the next piece; it is empty at the end.
    pub fn more(&mut self, packed: &mut Packed) -> Result<(), Errno> {
        self.at = self.end & (RING - 1);
        self.end = self.at;
        while self.at == self.end {
            if self.between && !self.header(packed)? {
                return Ok(());
            }
            self.between = false;
            let ring = self.ring.first_chunk_mut().ok_or(Errno::EILSEQ)?;
            let (end, last) = self.inflate.run(packed, ring, self.at)?;
            self.end = end;
            let piece = self.ring.get(self.at..end).unwrap_or_default();
            self.crc.update(piece);
            self.length = self.length.wrapping_add(piece.len() as u32);
            if last {
                if (self.number(packed, 4)?, self.number(packed, 4)?) != (!self.crc.sum, self.length) {
                    return Err(Errno::EILSEQ);
                }
                self.between = true;
            }
        }
        Ok(())
    }

    /// Little-endian.
    fn number(&mut self, packed: &mut Packed, bytes: u32) -> Result<u32, Errno> {
        let mut value = 0_u32;
        for at in 0..bytes {
            value |= u32::from(self.inflate.byte(packed)?) << at.wrapping_mul(8);
        }
        Ok(value)
    }

    /// Magic, method and flags, then what the flags announce (2.3); false at the file's end, before which zeros may
    /// stand.
    fn header(&mut self, packed: &mut Packed) -> Result<bool, Errno> {
        let first = loop {
            match self.inflate.byte(packed) {
                Err(Errno::ENODATA) if self.started => return Ok(false),
                Ok(0) if self.started => {}
                other => break other?,
            }
        };
        let rest = self.number(packed, 3)?;
        let flags = rest >> 16;
        if first != 0x1f || rest & 0xffff != 0x08_8b || flags & 0xe0 != 0 {
            return Err(Errno::EILSEQ);
        }
        self.number(packed, 4)?;
        self.number(packed, 2)?;
        if flags & 4 != 0 {
            for _ in 0..self.number(packed, 2)? {
                self.number(packed, 1)?;
            }
        }
        for flag in [8, 16] {
            while flags & flag != 0 && self.number(packed, 1)? != 0 {}
        }
        if flags & 2 != 0 {
            self.number(packed, 2)?;
        }
        self.inflate.restart();
        (self.crc.sum, self.length, self.started) = (!0, 0, true);
        Ok(true)
    }
}

/// CRC-32 as in RFC 1952, four bytes at a step. The tables are made when they are needed, which costs fewer bytes of
/// the binary than to carry them.
struct Crc {
    tables: [[u32; 256]; 4],
    sum: u32,
}

impl Crc {
    fn new() -> Self {
        let mut crc = Self { tables: [[0; 256]; 4], sum: !0 };
        for byte in 0..=u8::MAX {
            let mut sum = u32::from(byte);
            // The byte itself, then with one to three bytes of zeros behind it.
            for table in &mut crc.tables {
                for _ in 0..8 {
                    sum = if sum & 1 != 0 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
                }
                if let Some(slot) = table.get_mut(usize::from(byte)) {
                    *slot = sum;
                }
            }
        }
        crc
    }

    fn update(&mut self, bytes: &[u8]) {
        let [one, two, three, four] = &self.tables;
        let row = |table: &[u32; 256], byte: u32| *table.get(usize::from(byte as u8)).unwrap_or(&0);
        let (words, rest) = bytes.as_chunks::<4>();
        let sum = words.iter().fold(self.sum, |sum, &word| {
            let sum = sum ^ u32::from_le_bytes(word);
            row(four, sum) ^ row(three, sum >> 8) ^ row(two, sum >> 16) ^ row(one, sum >> 24)
        });
        self.sum = rest.iter().fold(sum, |sum, &byte| row(one, sum ^ u32::from(byte)) ^ (sum >> 8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    /// Numbers that look random and are always the same (xorshift).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
    }

    /// What gzip's reader makes of a file, read `piece` bytes at a time.
    fn unpacked(file: &[u8], piece: usize) -> Result<Vec<u8>, Errno> {
        let (reader, mut writer) = std::io::pipe().map_err(|_| Errno::EIO)?;
        let file = file.to_vec();
        // The reader may stop early, and then the writer's error is of no interest.
        let thread = std::thread::spawn(move || drop(writer.write_all(&file)));
        let result = (|| {
            let mut packed = Packed::new(reader.as_fd(), b"", 0, piece);
            let mut gzip = Gzip::new();
            let mut all = Vec::new();
            loop {
                gzip.more(&mut packed)?;
                if gzip.rest().is_empty() {
                    return Ok(all);
                }
                all.extend_from_slice(gzip.rest());
                gzip.skip(gzip.rest().len());
            }
        })();
        drop(reader);
        let _ = thread.join();
        result
    }

    fn member(data: &[u8], level: u8) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(data);
        let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        file.extend(miniz_oxide::deflate::compress_to_vec(data, level));
        file.extend((!crc.sum).to_le_bytes());
        file.extend((data.len() as u32).to_le_bytes());
        file
    }

    /// Of all kinds: repeated, nearly random, in words, long enough to go round the ring.
    fn samples() -> Vec<Vec<u8>> {
        let mut random = Random(42);
        let mut samples = vec![Vec::new(), b"a".to_vec(), vec![0; 700_000]];
        samples.push((0..600_000).map(|_| random.next() as u8).collect());
        samples
            .push((0..600_000).filter_map(|_| b"etaoin shrdlu".get((random.next() % 13) as usize).copied()).collect());
        let words: Vec<Vec<u8>> =
            (0..500).map(|_| (0..random.next() % 12).map(|_| random.next() as u8).collect()).collect();
        samples
            .push((0..100_000).filter_map(|_| words.get((random.next() % 500) as usize).cloned()).flatten().collect());
        samples
    }

    #[test]
    fn the_check_value_of_crc_32() {
        let mut crc = Crc::new();
        crc.update(b"123456789");
        assert_eq!(!crc.sum, 0xcbf4_3926);
    }

    #[test]
    fn what_another_library_packs_comes_out_again() {
        for sample in samples() {
            for level in [0, 1, 6, 9] {
                assert!(unpacked(&member(&sample, level), 65536).as_deref() == Ok(&sample), "level {level}");
            }
        }
        let sample = b"some text, some more text".to_vec();
        assert_eq!(unpacked(&member(&sample, 6), 1), Ok(sample));
    }

    #[test]
    fn members_follow_each_other_and_zeros_may_stand_behind() {
        let file = [member(b"one ", 6), member(b"", 6), member(b"two", 0), vec![0; 600]].concat();
        for piece in [1, 7, 4096] {
            assert_eq!(unpacked(&file, piece), Ok(b"one two".to_vec()));
        }
        assert_eq!(unpacked(&[member(b"one", 6), b"x".to_vec()].concat(), 64), Err(Errno::ENODATA));
        assert_eq!(unpacked(&[member(b"one", 6), b"some words".to_vec()].concat(), 64), Err(Errno::EILSEQ));
    }

    #[test]
    fn a_header_may_have_a_name_a_remark_and_more() {
        let mut file = b"\x1f\x8b\x08\x1e\0\0\0\0\0\x03\x02\0xyname\0remark\0cc".to_vec();
        file.extend(member(b"text", 6).split_off(10));
        assert_eq!(unpacked(&file, 4096), Ok(b"text".to_vec()));
    }

    #[test]
    fn a_file_that_is_cut_is_never_whole() {
        let file = member(b"some text, some more text, and some other text", 6);
        for end in 0..file.len() {
            assert_eq!(unpacked(file.split_at(end).0, 4096), Err(Errno::ENODATA), "{end}");
        }
    }

    #[test]
    fn damage_is_found_and_does_no_harm() {
        let sample: Vec<u8> = samples().pop().unwrap_or_default().into_iter().take(20_000).collect();
        let file = member(&sample, 6);
        let mut random = Random(7);
        for _ in 0..500 {
            let mut bad = file.clone();
            let at = 10 + (random.next() as usize) % (bad.len() - 10);
            let bit = 1 << (random.next() % 8);
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= bit;
            }
            assert!(unpacked(&bad, 4096).is_err(), "byte {at}");
        }
    }
}
