//! Nonces that were used, remembered for as long as their seals could still be taken.
//!
//! Two sets in turn: one that is being filled and the one before it, forgotten whole. So each is remembered for at
//! least one turn, which is longer than any seal lives, and none is looked through.

use std::collections::HashSet;

use super::{FRESH, SKEW, SealError};

/// The nonces of this turn and the one before.
pub(super) struct Nonces {
    most: usize,
    began: u64,
    now: HashSet<u128>,
    before: HashSet<u128>,
}

impl Nonces {
    pub(super) fn new(most: usize) -> Self {
        Nonces { most, began: 0, now: HashSet::new(), before: HashSet::new() }
    }

    /// Uses a nonce, once. `now`: milliseconds.
    pub(super) fn take(&mut self, nonce: u128, now: u64) -> Result<(), SealError> {
        if now.saturating_sub(self.began) > TURN || now < self.began {
            self.before = std::mem::take(&mut self.now);
            self.began = now;
        }
        if self.before.contains(&nonce) || self.now.contains(&nonce) {
            return Err(SealError::Replayed);
        }
        if self.now.len() >= self.most {
            return Err(SealError::Crowded);
        }
        self.now.insert(nonce);
        Ok(())
    }
}

/// A seal that lies ahead as far as may be lives this long.
const TURN: u64 = FRESH + SKEW;
