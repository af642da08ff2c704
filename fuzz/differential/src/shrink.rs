//! Makes a case that differs as small as it can be while it still differs.

use crate::check::{Case, Check};

/// The most tries; a case of a few pieces needs far fewer.
const TRIES: usize = 20_000;

/// Takes out stretches of pieces, long ones first, as long as `differs` says so.
pub fn shrink(check: &dyn Check, case: &Case, mut differs: impl FnMut(&Case) -> bool) -> Case {
    let (mut smallest, mut tries) = (case.clone(), TRIES);
    loop {
        let lengths = check.pieces(&smallest);
        let mut stretch = lengths.len();
        let mut found = None;
        while stretch > 0 && found.is_none() {
            // Every stretch of a short case, every other of a long one.
            let step = if lengths.len() <= 80 { 1 } else { (stretch / 2).max(1) };
            for start in (0..=lengths.len() - stretch).step_by(step) {
                if tries == 0 {
                    return smallest;
                }
                tries -= 1;
                let without = without(&smallest, &lengths, start, stretch);
                if differs(&without) {
                    found = Some(without);
                    break;
                }
            }
            stretch = if lengths.len() <= 80 { stretch - 1 } else { stretch / 2 };
        }
        match found {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

fn without(case: &Case, lengths: &[usize], start: usize, stretch: usize) -> Case {
    let from: usize = lengths[..start].iter().sum();
    let to: usize = from + lengths[start..start + stretch].iter().sum::<usize>();
    let mut bytes = case.bytes.clone();
    bytes.drain(from..to);
    Case { about: case.about.clone(), bytes }
}
