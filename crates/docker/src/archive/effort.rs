//! What one look into an archive has cost so far, and whether it goes on.
//!
//! A few hundred bytes can become gigabytes, or millions of names to follow, and links can have them read
//! several times. So what is counted is counted over all passes of a look, and between any two steps it can
//! be ended by whoever asked for it.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use super::{Limits, Refusal};

/// The cost so far.
#[derive(Debug)]
pub(super) struct Effort {
    pub(super) limits: Limits,
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    steps: Cell<u64>,
}

impl Effort {
    pub(super) fn new(limits: &Limits) -> Self {
        Effort { limits: limits.clone(), packed: Cell::new(0), unpacked: Cell::new(0), steps: Cell::new(0) }
    }

    /// Bytes were taken from the stored archive.
    pub(super) fn packed(&self, bytes: usize) -> Result<(), Refusal> {
        self.packed.set(self.packed.get().saturating_add(bytes as u64));
        self.go_on()
    }

    /// Plain bytes came out. Stops a bomb.
    pub(super) fn unpacked(&self, bytes: usize) -> Result<(), Refusal> {
        let all = self.unpacked.get().saturating_add(bytes as u64);
        self.unpacked.set(all);
        let Limits { unpacked, ratio, grace, .. } = self.limits;
        if all > unpacked {
            return Err(Refusal::TooMuch { of: "bytes after decompression", limit: unpacked });
        }
        if all > grace && all > self.packed.get().saturating_mul(ratio) {
            return Err(Refusal::TooMuch { of: "bytes from each compressed one", limit: ratio });
        }
        self.go_on()
    }

    /// A part of a name is followed.
    pub(super) fn step(&self) -> Result<(), Refusal> {
        let steps = self.steps.get().saturating_add(1);
        self.steps.set(steps);
        match steps > self.limits.steps {
            true => Err(Refusal::TooMuch { of: "parts of names", limit: self.limits.steps }),
            false => self.go_on(),
        }
    }

    /// Whether anybody still waits for what is found.
    fn go_on(&self) -> Result<(), Refusal> {
        if self.limits.stop.load(Ordering::Relaxed) { Err(Refusal::TooSlow) } else { Ok(()) }
    }
}
