//! DEFLATE (RFC 1951), unpacked as it comes.

use super::packed::Packed;
use crate::sys::Errno;

/// The ring that is written to. Matches reach back 32 KiB in it; all of it is one window of the archive.
pub const RING: usize = 256 * 1024;
/// Codes up to this length are found in one step.
const FAST: u32 = 10;
/// The order in which a block tells the lengths of its length codes: RFC 1951, 3.2.7.
const ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A Huffman code: how many codes there are of each length, and their symbols in the codes' order.
struct Code {
    counts: [u16; 16],
    symbols: [u16; 320],
    /// By the next bits: the symbol and its length in the low four bits; 0 where the code is longer or none.
    fast: [u16; 1 << FAST],
}

impl Code {
    const fn new() -> Self {
        Self { counts: [0; 16], symbols: [0; 320], fast: [0; 1 << FAST] }
    }

    /// The canonical code of these lengths. One with holes is taken: whoever meets a hole is told.
    fn build(&mut self, lengths: &[u8]) -> Result<(), Errno> {
        self.counts = [0; 16];
        self.fast = [0; 1 << FAST];
        let mut code = 0_u32;
        let mut place = 0_usize;
        for length in 1..16_u32 {
            code <<= 1;
            for (symbol, _) in (0_u16..).zip(lengths).filter(|&(_, &own)| u32::from(own) == length) {
                if let (Some(slot), Some(count)) = (self.symbols.get_mut(place), self.counts.get_mut(length as usize)) {
                    *slot = symbol;
                    *count = count.wrapping_add(1);
                }
                place = place.wrapping_add(1);
                // The stream has a code's bits in the other order.
                let start = code.reverse_bits() >> 32_u32.wrapping_sub(length);
                for slot in self.fast.iter_mut().skip(start as usize).step_by(1 << length) {
                    if length <= FAST {
                        *slot = symbol << 4 | length as u16;
                    }
                }
                code = code.wrapping_add(1);
            }
            if code > 1 << length {
                return Err(Errno::EILSEQ);
            }
        }
        Ok(())
    }
}

/// What the decoder is in the middle of when the ring is full.
enum Block {
    /// Between two blocks.
    None,
    /// This many bytes that are not compressed.
    Stored(u32),
    /// Symbols of the two codes.
    Coded,
}

/// The decoder. Input comes from where it is handed to each call.
pub struct Inflate {
    bits: u64,
    count: u32,
    block: Block,
    last: bool,
    /// A match that the ring's end cut: bytes to come, and how far back they are.
    length: usize,
    distance: usize,
    literals: Code,
    distances: Code,
    /// How much was written since the start: a match cannot reach farther.
    written: usize,
}

impl Inflate {
    /// At the start of a stream.
    pub const fn new() -> Self {
        Self {
            bits: 0,
            count: 0,
            block: Block::None,
            last: false,
            length: 0,
            distance: 0,
            literals: Code::new(),
            distances: Code::new(),
            written: 0,
        }
    }

    /// Ready for another stream; what was read beyond the one before stays.
    pub fn restart(&mut self) {
        (self.block, self.last, self.written) = (Block::None, false, 0);
    }

    /// At least 32 bits at hand; ENODATA where the file has no more. A gzip's trailer of eight bytes stands behind a
    /// stream, so one that is whole is never short of them.
    fn fill(&mut self, packed: &mut Packed) -> Result<(), Errno> {
        if self.count < 32
            && let Some(&four) = packed.rest().first_chunk()
        {
            self.bits |= u64::from(u32::from_le_bytes(four)) << self.count;
            self.count = self.count.wrapping_add(32);
            packed.skip(4);
        }
        while self.count < 32 {
            self.bits |= u64::from(packed.byte()?) << self.count;
            self.count = self.count.wrapping_add(8);
        }
        Ok(())
    }

    fn drop_bits(&mut self, count: u32) {
        self.bits >>= count;
        self.count = self.count.wrapping_sub(count);
    }

    fn take(&mut self, packed: &mut Packed, count: u32) -> Result<u32, Errno> {
        self.fill(packed)?;
        let bits = self.bits as u32 & (1_u32 << count).wrapping_sub(1);
        self.drop_bits(count);
        Ok(bits)
    }

    /// A whole byte, after what is left of the one before; ENODATA where the file ends.
    pub fn byte(&mut self, packed: &mut Packed) -> Result<u8, Errno> {
        self.drop_bits(self.count & 7);
        if self.count == 0 {
            return packed.byte();
        }
        let byte = self.bits as u8;
        self.drop_bits(8);
        Ok(byte)
    }

    /// The next symbol of a code.
    fn symbol(&mut self, packed: &mut Packed, distances: bool) -> Result<usize, Errno> {
        self.fill(packed)?;
        let code = if distances { &self.distances } else { &self.literals };
        let found = *code.fast.get(self.bits as usize & ((1 << FAST) - 1)).unwrap_or(&0);
        if found != 0 {
            self.drop_bits(u32::from(found & 15));
            return Ok(usize::from(found >> 4));
        }
        // Bit by bit: `first` is the first code of a length, `place` where its symbol is.
        let (mut value, mut first, mut place) = (0_u32, 0_u32, 0_u32);
        for (length, &count) in (0_u32..).zip(&code.counts).skip(1) {
            value = value << 1 | (self.bits >> length.wrapping_sub(1)) as u32 & 1;
            let ahead = value.wrapping_sub(first << 1);
            first = (first << 1).wrapping_add(u32::from(count));
            if ahead < u32::from(count) {
                let symbol = code.symbols.get(place.wrapping_add(ahead) as usize).copied();
                self.drop_bits(length);
                return symbol.map(usize::from).ok_or(Errno::EILSEQ);
            }
            place = place.wrapping_add(u32::from(count));
        }
        Err(Errno::EILSEQ)
    }

    /// Unpacks into `ring` from `at` up to its end, or to the stream's: how far it came, and whether the stream ended.
    pub fn run(&mut self, packed: &mut Packed, ring: &mut [u8; RING], at: usize) -> Result<(usize, bool), Errno> {
        let mut at = at;
        while at < RING {
            let end = at.wrapping_add(self.length).min(RING);
            self.length = self.length.wrapping_sub(end.wrapping_sub(at));
            while at < end {
                let byte = *ring.get(at.wrapping_sub(self.distance) & (RING - 1)).unwrap_or(&0);
                if let Some(slot) = ring.get_mut(at) {
                    *slot = byte;
                }
                at = at.wrapping_add(1);
            }
            if at == RING {
                break;
            }
            let literal = match self.block {
                Block::None if self.last => return Ok((at, true)),
                Block::None => {
                    self.start(packed)?;
                    continue;
                }
                Block::Stored(0) => {
                    self.block = Block::None;
                    continue;
                }
                Block::Stored(left) => {
                    self.block = Block::Stored(left.wrapping_sub(1));
                    usize::from(self.byte(packed)?)
                }
                Block::Coded => self.symbol(packed, false)?,
            };
            match literal {
                0..=255 => {
                    if let Some(slot) = ring.get_mut(at) {
                        *slot = literal as u8;
                    }
                    at = at.wrapping_add(1);
                    self.written = self.written.wrapping_add(1);
                }
                256 => self.block = Block::None,
                _ => self.find_match(packed, literal.wrapping_sub(257))?,
            }
        }
        Ok((at, false))
    }

    /// Length and distance: RFC 1951, 3.2.5, whose tables follow from their numbers.
    fn find_match(&mut self, packed: &mut Packed, symbol: usize) -> Result<(), Errno> {
        self.length = match symbol {
            0..8 => symbol.wrapping_add(3),
            8..28 => {
                let extra = (symbol >> 2).wrapping_sub(1) as u32;
                ((4 | symbol & 3) << extra).wrapping_add(3).wrapping_add(self.take(packed, extra)? as usize)
            }
            28 => 258,
            _ => return Err(Errno::EILSEQ),
        };
        let symbol = self.symbol(packed, true)?;
        self.distance = match symbol {
            0..4 => symbol.wrapping_add(1),
            4..30 => {
                let extra = (symbol >> 1).wrapping_sub(1) as u32;
                ((2 | symbol & 1) << extra).wrapping_add(1).wrapping_add(self.take(packed, extra)? as usize)
            }
            _ => return Err(Errno::EILSEQ),
        };
        if self.distance > self.written {
            return Err(Errno::EILSEQ);
        }
        self.written = self.written.wrapping_add(self.length);
        Ok(())
    }

    /// A block's head: RFC 1951, 3.2.3.
    fn start(&mut self, packed: &mut Packed) -> Result<(), Errno> {
        self.last = self.take(packed, 1)? != 0;
        let mut lengths = [0_u8; 320];
        match self.take(packed, 2)? {
            0 => {
                self.drop_bits(self.count & 7);
                let length = self.take(packed, 16)?;
                if self.take(packed, 16)? != !length & 0xffff {
                    return Err(Errno::EILSEQ);
                }
                self.block = Block::Stored(length);
                return Ok(());
            }
            1 => {
                for (slot, symbol) in lengths.iter_mut().zip(0..288) {
                    *slot = match symbol {
                        0..144 => 8,
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    };
                }
                self.literals.build(lengths.get(..288).unwrap_or_default())?;
                self.distances.build(&[5; 30])?;
            }
            2 => {
                let literals = self.take(packed, 5)?.wrapping_add(257) as usize;
                let distances = self.take(packed, 5)?.wrapping_add(1) as usize;
                let told = self.take(packed, 4)?.wrapping_add(4) as usize;
                for &symbol in ORDER.iter().take(told) {
                    let length = self.take(packed, 3)? as u8;
                    if let Some(slot) = lengths.get_mut(usize::from(symbol)) {
                        *slot = length;
                    }
                }
                self.literals.build(lengths.get(..19).unwrap_or_default())?;
                let both = literals.wrapping_add(distances);
                self.read_lengths(packed, lengths.get_mut(..both).ok_or(Errno::EILSEQ)?)?;
                let (literals, distances) =
                    lengths.get(..both).and_then(|both| both.split_at_checked(literals)).unwrap_or_default();
                self.literals.build(literals)?;
                self.distances.build(distances)?;
            }
            _ => return Err(Errno::EILSEQ),
        }
        self.block = Block::Coded;
        Ok(())
    }

    /// The lengths of the block's two codes, themselves coded: 16 repeats the one before, 17 and 18 are runs of 0.
    fn read_lengths(&mut self, packed: &mut Packed, lengths: &mut [u8]) -> Result<(), Errno> {
        let mut at = 0;
        let mut before = 0;
        while at < lengths.len() {
            let (length, times) = match self.symbol(packed, false)? {
                16 if at == 0 => return Err(Errno::EILSEQ),
                16 => (before, self.take(packed, 2)?.wrapping_add(3)),
                17 => (0, self.take(packed, 3)?.wrapping_add(3)),
                18 => (0, self.take(packed, 7)?.wrapping_add(11)),
                length => (length as u8, 1),
            };
            before = length;
            let end = at.wrapping_add(times as usize);
            lengths.get_mut(at..end).ok_or(Errno::EILSEQ)?.fill(length);
            at = end;
        }
        Ok(())
    }
}
