//! Changes of bytes that know nothing of what the bytes mean.

use crate::random::Random;

/// Changes, adds, repeats or drops a few bytes.
pub fn bytes(text: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let end = (at + 1 + random.below(8)).min(text.len());
    match random.below(7) {
        0 if at < text.len() => text[at] ^= 1 << random.below(8),
        1 if at < text.len() => text[at] = random.number() as u8,
        2 => text.insert(at, random.number() as u8),
        3 => text.insert(at, random.pick(b" \t\r\n\0\"'\\/%;:,.#?&=+-*@{}[]<>")),
        4 if at < end => drop(text.drain(at..end)),
        5 if at < end => {
            let again = text[at..end].to_vec();
            text.splice(at..at, again);
        }
        _ => text.truncate(at),
    }
}
