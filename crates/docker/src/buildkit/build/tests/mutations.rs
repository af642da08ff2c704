//! Whatever becomes of a message, it is understood or refused.

use super::recorded::{build, other, recorded};
use super::*;
use crate::buildkit::wire::{Frames, framed, single};

/// Marsaglia's xorshift: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap().checked_rem(most).unwrap_or(0)
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
            2 if !bytes.is_empty() => drop(bytes.remove(at)),
            3 => {
                let to = at.saturating_add(self.below(40)).min(bytes.len());
                let piece = bytes[at.min(to)..to].to_vec();
                bytes.extend(piece);
            }
            _ if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            _ => {}
        }
    }
}

#[test]
fn a_thousand_mutations_of_each_message() {
    let none = BTreeSet::new();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut understood, mut refused) = (0_u32, 0_u32);
    for recorded in recorded() {
        let bytes = recorded.bytes();
        for _ in 0..1000 {
            let mut mutated = bytes.clone();
            for _ in 0..=numbers.below(3) {
                numbers.mutate(&mut mutated);
            }
            let outcome = match build(&recorded.path, recorded.answer, &mutated, &none) {
                // The world is not asked: that is the dear part, and `asks` and `attacks` do it.
                Some(Ok(build)) => !matches!(build.facts(&World::new()), Err(Unsettled::Misread(_))),
                Some(Err(_)) => false,
                None => other(&recorded.path, recorded.answer, &mutated).is_ok(),
            };
            if outcome { understood += 1 } else { refused += 1 }
        }
    }
    assert!(understood > 1000 && refused > 100_000, "{understood} {refused}");
}

#[test]
fn a_thousand_mutations_of_frames() {
    let mut numbers = Numbers(7);
    for recorded in recorded().into_iter().take(50) {
        let frame = framed(&recorded.bytes()).unwrap();
        for _ in 0..1000 {
            let mut mutated = frame.clone();
            numbers.mutate(&mut mutated);
            let _ = single(&mutated);
            let mut frames = Frames::new(1 << 16);
            for piece in mutated.chunks(1 + numbers.below(300)) {
                frames.feed(piece);
                while let Ok(Some(_)) = frames.next() {}
            }
        }
    }
}
