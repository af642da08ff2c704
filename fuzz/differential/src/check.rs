//! What a kind of check is: it makes cases, reads them, and judges what the oracle says of them.

use crate::random::Random;

/// One case: what it is about (an operation, a method) and the bytes that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The operation, the method, or nothing.
    pub about: String,
    /// A body, a target, a connection's first bytes, a name.
    pub bytes: Vec<u8>,
}

/// What Dockwarden makes of a case.
pub enum Reading {
    /// It refuses it: nothing is carried out, so there is nothing to compare.
    Refused,
    /// It takes it: a question to the oracles.
    Taken(Question),
    /// It takes it and contradicts itself, whatever Go says.
    Broken(String),
}

/// A question to the oracles, and how the answer of each is judged.
pub struct Question {
    /// The frame to send.
    pub frame: Vec<u8>,
    /// Judges the answer of the oracle of that name.
    pub judge: Judge,
}

/// Says what differs, given the oracle's name and its answer.
pub type Judge = Box<dyn Fn(&str, &[u8]) -> Result<(), String>>;

/// A kind of check.
pub trait Check: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// Makes a case.
    fn make(&self, random: &mut Random) -> Case;
    /// Reads a case as Dockwarden does.
    fn read(&self, case: &Case) -> Reading;
    /// The pieces that shrinking may take out, as lengths that add up to the whole.
    fn pieces(&self, case: &Case) -> Vec<usize> {
        vec![1; case.bytes.len()]
    }
}

/// Appends a piece with its length before it.
pub fn put(frame: &mut Vec<u8>, piece: &[u8]) {
    frame.extend_from_slice(&u32::try_from(piece.len()).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend_from_slice(piece);
}

/// Takes the first piece off.
pub fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// A `Debug` form cut to a length that a terminal bears.
pub fn shown(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(4000) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
