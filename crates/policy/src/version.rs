//! Tells one policy from another in records: a hash of everything that can change a decision.

/// FNV-1a, 64 bit. Not against forgers: the policy is its author's own.
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub fn new() -> Fingerprint {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text, told apart from its neighbours.
    pub fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Sixteen hexadecimal digits.
    pub fn finish(self) -> String {
        format!("{:016x}", self.0)
    }
}
