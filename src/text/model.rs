//! How texts are packed: a bit at a time, with a guess at each from what followed the same last bytes before.
//!
//! build.rs packs with it, the program unpacks, so both guess the same.

/// Contexts are none to `ORDERS - 1` of the last bytes, each with the bits of this byte so far.
const ORDERS: usize = 4;

const BITS: u32 = 18;

/// How many counters there are: a context's place is a hash of it, and a smaller table would mix more of them up.
pub const COUNTERS: usize = 1 << BITS;

/// How often a 0 and a 1 have followed a context.
pub type Counter = [u8; 2];

/// Fills `text`, which is ASCII, with what `bit` answers for each of its bits. It is asked with the odds of a 0 and of
/// a 1, each at least 1.
pub fn walk(counters: &mut [Counter; COUNTERS], text: &mut [u8], mut bit: impl FnMut(u32, u32) -> bool) {
    let mut last = 0_u32;
    for place in text {
        // The bits so far, below a 1.
        let mut byte = 1_u32;
        while byte < 128 {
            let (mut zero, mut one) = (1_u32, 1_u32);
            let mut places = [0_u32; ORDERS];
            let (mut hash, mut before) = (byte, last);
            for (order, place) in places.iter_mut().enumerate() {
                *place = hash.wrapping_mul(0x9e37_79b1) >> (32 - BITS);
                let [zeros, ones] = counters.get(*place as usize).copied().unwrap_or_default();
                // The longer the context, the more it says; more again if only one of both has ever followed.
                let weight = (order as u32).wrapping_add(u32::from(zeros == 0 || ones == 0));
                zero = zero.wrapping_add(u32::from(zeros) << weight);
                one = one.wrapping_add(u32::from(ones) << weight);
                hash = hash.wrapping_mul(0x2f0b_4c47).rotate_left(15) ^ before & 255;
                before >>= 8;
            }
            let one = bit(zero, one);
            for place in places {
                if let Some([zeros, ones]) = counters.get_mut(place as usize) {
                    let (more, less) = if one { (ones, zeros) } else { (zeros, ones) };
                    *more = more.saturating_add(1);
                    // What was seen long ago says less.
                    if *less > 2 {
                        *less = (*less / 2).wrapping_add(1);
                    }
                }
            }
            byte = byte << 1 | u32::from(one);
        }
        *place = byte as u8 & 127;
        last = last << 8 | u32::from(*place);
    }
}

/// The numbers between which the packed text lies, as far as it is known: an arithmetic code.
pub struct Range {
    low: u32,
    high: u32,
}

impl Range {
    /// Nothing known.
    pub const ALL: Self = Self { low: 0, high: u32::MAX };

    /// The last number that stands for a 0.
    pub fn middle(&self, zero: u32, one: u32) -> u32 {
        let part = self.high.wrapping_sub(self.low).checked_div(zero.wrapping_add(one)).unwrap_or(0);
        self.low.wrapping_add(part.wrapping_mul(zero))
    }

    /// After a bit; `shifted` is called with each byte that is known of both ends.
    pub fn narrow(&mut self, middle: u32, one: bool, mut shifted: impl FnMut(u8)) {
        if one {
            self.low = middle.wrapping_add(1)
        } else {
            self.high = middle
        }
        while (self.low ^ self.high) >> 24 == 0 {
            shifted((self.low >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 255;
        }
    }
}
