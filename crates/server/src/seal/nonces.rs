//! Nonces that were used, remembered for as long as their seals could still be taken.
//!
//! Two sets in turn: one that is being filled and the one before it, forgotten whole. So each is remembered for at
//! least one turn, which is longer than any seal lives, and none is looked through.
//!
//! Turns go by a clock that nobody sets. Where the wall's clock is set back, seals that have died live again when it
//! comes to their time once more, long after their nonces were forgotten. But nonces count: of each sealer the highest
//! that was forgotten stays known, and what is not above it is used, or older than something that has died.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::{FRESH, SKEW, SealError};

/// A number that is never used twice: who counts, and how far they have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Nonce {
    place: u64,
    count: u64,
}

impl Nonce {
    /// As it stands in a seal: two times 16 hexadecimal digits.
    pub(super) fn read(text: &str) -> Option<Nonce> {
        let (place, count) = text.split_at_checked(16)?;
        let half = |text| u64::from_str_radix(text, 16).ok();
        Some(Nonce { place: half(place)?, count: half(count)? })
    }
}

/// The nonces of this turn and the one before, and how far each sealer had come in those that were forgotten.
pub(super) struct Nonces {
    most: usize,
    began: Instant,
    now: HashSet<Nonce>,
    before: HashSet<Nonce>,
    forgotten: HashMap<u64, u64>,
}

impl Nonces {
    pub(super) fn new(most: usize) -> Self {
        let (now, before) = (HashSet::new(), HashSet::new());
        Nonces { most, began: Instant::now(), now, before, forgotten: HashMap::new() }
    }

    /// Uses a nonce, once.
    pub(super) fn take(&mut self, nonce: Nonce, now: Instant) -> Result<(), SealError> {
        if now.saturating_duration_since(self.began) > TURN {
            self.turn(now);
        }
        let forgotten = self.forgotten.get(&nonce.place).is_some_and(|highest| nonce.count <= *highest);
        if forgotten || self.before.contains(&nonce) || self.now.contains(&nonce) {
            return Err(SealError::Replayed);
        }
        if self.now.len() >= self.most {
            return Err(SealError::Crowded);
        }
        self.now.insert(nonce);
        Ok(())
    }

    fn turn(&mut self, now: Instant) {
        for nonce in std::mem::replace(&mut self.before, std::mem::take(&mut self.now)) {
            let highest = self.forgotten.entry(nonce.place).or_insert(nonce.count);
            *highest = nonce.count.max(*highest);
        }
        self.began = now;
    }
}

/// A seal that lies ahead as far as may be lives this long.
const TURN: Duration = Duration::from_millis(FRESH + SKEW);
