//! What somebody who mistyped a name may have meant.

use crate::spec::Text;

/// The name at the smallest edit distance, where that is a typing error's.
pub fn nearest(typed: &[u8], names: &mut dyn Iterator<Item = Text>) -> Option<Text> {
    let mut least = typed.len().wrapping_div(3).clamp(1, 3).wrapping_add(1);
    let mut found = None;
    for name in names {
        let distance = distance(typed, name.to_bytes());
        if distance < least {
            (least, found) = (distance, Some(name));
        }
    }
    found
}

/// Longer than any name; what is longer is no typing error.
const LONGEST: usize = 16;

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    // row[i] is the distance of the part of `a` that was seen to the first i of `b`.
    let mut row: [usize; LONGEST] = core::array::from_fn(|index| index);
    for (index, x) in a.iter().enumerate() {
        let (mut before, mut left) = (index, index.wrapping_add(1));
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let change = before.wrapping_add(usize::from(x != y));
            before = *cell;
            left = change.min(left.min(before).wrapping_add(1));
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = index.wrapping_add(1);
        }
    }
    row.get(b.len()).copied().unwrap_or(usize::MAX)
}
