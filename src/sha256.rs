//! SHA-256 (FIPS 180-4), for the names of layers.

use crate::sys::sha;

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
pub static K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

/// Of the square roots of the first eight.
const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// The size of what is hashed at a time.
pub type Block = [u8; 64];

/// A hash on its way.
pub struct Sha256 {
    state: [u32; 8],
    /// What does not fill a block yet.
    block: Block,
    filled: usize,
    length: u64,
}

impl Sha256 {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self { state: START, block: [0; 64], filled: 0, length: 0 }
    }

    /// Hashes some more.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if self.filled != 0 {
            let count = self.block.len().wrapping_sub(self.filled).min(rest.len());
            let (head, tail) = rest.split_at_checked(count).unwrap_or_default();
            for (slot, &byte) in self.block.iter_mut().skip(self.filled).zip(head) {
                *slot = byte;
            }
            self.filled = self.filled.wrapping_add(count);
            rest = tail;
            if self.filled < self.block.len() {
                return;
            }
            compress(&mut self.state, &[self.block]);
        }
        let (blocks, tail) = rest.as_chunks();
        compress(&mut self.state, blocks);
        for (slot, &byte) in self.block.iter_mut().zip(tail) {
            *slot = byte;
        }
        self.filled = tail.len();
    }

    /// The digest of all of it.
    pub fn finish(&mut self) -> [u8; 32] {
        let bits = self.length.wrapping_mul(8);
        self.update(&[0x80]);
        while self.filled != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        let mut digest = [0; 32];
        for (slot, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *slot = word.to_be_bytes();
        }
        digest
    }
}

fn compress(state: &mut [u32; 8], blocks: &[Block]) {
    if !sha::compress(state, blocks) {
        for block in blocks {
            portable(state, block);
        }
    }
}

/// For processors without instructions for it.
#[inline(never)]
fn portable(state: &mut [u32; 8], block: &Block) {
    let mut words = [0_u32; 16];
    for (word, &bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u32::from_be_bytes(bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for &constant in &K {
        let [word, second, .., tenth, _, _, _, _, fifteenth, _] = words;
        let choice = (e & f) ^ (!e & g);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let one = h
            .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
            .wrapping_add(choice)
            .wrapping_add(constant)
            .wrapping_add(word);
        let two = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)).wrapping_add(majority);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
        // The word sixteen rounds on takes this one's place.
        words.rotate_left(1);
        if let Some(last) = words.last_mut() {
            *last = word
                .wrapping_add(second.rotate_right(7) ^ second.rotate_right(18) ^ (second >> 3))
                .wrapping_add(tenth)
                .wrapping_add(fifteenth.rotate_right(17) ^ fifteenth.rotate_right(19) ^ (fifteenth >> 10));
        }
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: [u8; 32]) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn of(bytes: &[u8]) -> String {
        let mut hash = Sha256::new();
        hash.update(bytes);
        hex(hash.finish())
    }

    #[test]
    fn the_vectors_of_the_standard() {
        assert_eq!(of(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(of(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            of(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
        assert_eq!(of(&[b'a'; 1_000_000]), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }

    #[test]
    fn another_library_has_the_same_for_every_length_and_cut() {
        use sha2::Digest;
        let bytes: Vec<u8> = (0..400_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for length in 0..bytes.len() {
            let (text, _) = bytes.split_at(length);
            let expected = hex(sha2::Sha256::digest(text).into());
            assert_eq!(of(text), expected, "{length}");
            for cut in [1, 63, 64, 65] {
                let mut hash = Sha256::new();
                text.chunks(cut).for_each(|piece| hash.update(piece));
                assert_eq!(hex(hash.finish()), expected, "{length} by {cut}");
            }
        }
    }

    #[test]
    fn the_processor_and_the_portable_rounds_agree() {
        let blocks: [Block; 3] =
            [1, 2, 3].map(|seed| core::array::from_fn(|at| (at as u8).wrapping_mul(seed).wrapping_add(seed)));
        let (mut fast, mut slow) = (START, START);
        if sha::compress(&mut fast, &blocks) {
            blocks.iter().for_each(|block| portable(&mut slow, block));
            assert_eq!(fast, slow);
        }
    }
}
