//! How texts are packed: a bit at a time, with a guess at each from what followed the like before.
//!
//! build.rs packs with it, the program unpacks, so both guess the same.

/// Of the last eight bytes, the newest lowest, the bits that make a context: the last byte, two, three whatever their case,
/// five, the kinds of three. One context more is the word so far.
const MASKS: [u64; 5] = [0xff, 0xffff, 0xdf_dfdf, 0xff_ffff_ffff, 0xe0_e0e0];

const CONTEXTS: usize = MASKS.len() + 1;

const BITS: u32 = 19;

/// What has followed a context: how often a 0 and a 1. Its place is a hash of the context; `tag` is more of the hash, so that
/// what another has left there is not taken for its own.
struct Counter {
    tag: u8,
    seen: [u8; 2],
}

/// What is learned on the way. All of it is 0 at first.
pub struct Model {
    counters: [Counter; 1 << BITS],
    /// How much more than at first each context is believed, by the kind of the last byte and the bits of this one so far.
    weights: [[i32; CONTEXTS]; 512],
    last: u64,
    word: u64,
}

impl Model {
    /// Nothing yet.
    pub const NEW: Self = Self {
        counters: [const { Counter { tag: 0, seen: [0; 2] } }; 1 << BITS],
        weights: [[0; CONTEXTS]; 512],
        last: 0,
        word: 0,
    };
}

/// The chance of a 0 of this many is all.
pub const CERTAIN: u32 = 1 << 23;

const ONE: i32 = 1_f32.to_bits().cast_signed();

/// The logarithm of odds, of which 1,024 are a doubling. A float's exponent is its logarithm, and the fraction is near enough.
fn logarithm(odds: f32) -> i32 {
    odds.to_bits().cast_signed().wrapping_sub(ONE) >> 13
}

/// The other way, as the chance of a 0. The fraction of a float between 1 and 2 is what it is above 1.
fn chance(logarithm: i32) -> u32 {
    let odds = f32::from_bits((logarithm.clamp(-0x4000, 0x4000) << 13).wrapping_add(ONE).cast_unsigned());
    (1.0 + 1.0 / (1.0 + odds)).to_bits() & (CERTAIN - 1)
}

impl Model {
    /// The next byte, which is ASCII, by what `bit` answers for each of its bits. It is asked with the chance of a 0.
    pub fn byte(&mut self, mut bit: impl FnMut(u32) -> bool) -> u8 {
        // Each context's hash, and its guess.
        let mut contexts = [(0_u64, 0_i32); CONTEXTS];
        let mut masks = MASKS.iter();
        for (context, (hash, _)) in contexts.iter_mut().enumerate() {
            let of = masks.next().map_or(self.word, |mask| self.last & mask);
            *hash = (of ^ (context as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        // The bits so far, below a 1.
        let mut byte = 1_usize;
        while byte < 128 {
            let at = |hash: u64| (hash >> (64 - BITS)) as usize ^ byte;
            let Some(weights) = self.weights.get_mut((self.last as usize & 0xe0) << 2 | byte) else { return 0 };
            let mut sum = 0_i32;
            for ((hash, guess), weight) in contexts.iter_mut().zip(weights.iter()) {
                let Some(counter) = self.counters.get_mut(at(*hash)) else { return 0 };
                let tag = (*hash >> (56 - BITS)) as u8;
                if counter.tag != tag {
                    *counter = Counter { tag, seen: [0; 2] };
                }
                let [zeros, ones] = counter.seen.map(f32::from);
                *guess = logarithm((ones + 0.14) / (zeros + 0.14));
                // Only one of both has ever followed: that says more.
                if zeros * ones == 0.0 {
                    *guess = guess.wrapping_add(*guess >> 2);
                }
                sum = sum.wrapping_add(guess.wrapping_mul(weight.wrapping_add(0x4000)) >> 16);
            }
            let zero = chance(sum);
            let one = bit(zero);
            let wrong = zero.wrapping_sub(if one { 0 } else { CERTAIN }).cast_signed() >> 7;
            // What was as good as known teaches nothing.
            if wrong.unsigned_abs() > 655 {
                for (&(hash, guess), weight) in contexts.iter().zip(weights.iter_mut()) {
                    *weight = weight.wrapping_add(wrong.wrapping_mul(guess) >> 17);
                    let Some(counter) = self.counters.get_mut(at(hash)) else { return 0 };
                    let [zeros, ones] = &mut counter.seen;
                    let (more, less) = if one { (ones, zeros) } else { (zeros, ones) };
                    *more = more.saturating_add(1);
                    // What was seen long ago says less.
                    if *less > 2 {
                        *less = (*less / 2).wrapping_add(1);
                    }
                }
            }
            byte = byte << 1 | usize::from(one);
        }
        let byte = byte as u8 & 127;
        self.last = self.last << 8 | u64::from(byte);
        // Letters whatever their case.
        self.word = if byte < 64 { 0 } else { self.word << 8 | u64::from(byte | 32) };
        byte
    }
}

/// Of the numbers that the packed text may still be, read as a fraction, how many there are above the lowest: an arithmetic code.
#[derive(Clone, Copy)]
pub struct Range(pub u32);

impl Range {
    /// Nothing known, before the first byte.
    pub const ALL: Self = Self(0);

    /// Whether it is so small that another byte is to be looked at, which it is made larger by.
    pub fn widen(&mut self) -> bool {
        let small = self.0 < 1 << 24;
        if small {
            self.0 = self.0 << 8 | 255;
        }
        small
    }

    /// The last number above the lowest that stands for a 0 of this chance.
    pub fn middle(self, zero: u32) -> u32 {
        (u64::from(self.0).wrapping_mul(u64::from(zero)) >> CERTAIN.trailing_zeros()) as u32
    }

    /// What is left of it after a bit.
    pub fn narrow(&mut self, middle: u32, one: bool) {
        self.0 = if one { self.0.wrapping_sub(middle).wrapping_sub(1) } else { middle };
    }
}
