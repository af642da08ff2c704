//! What BuildKit's messages are made of: gRPC's frames and protobuf's fields, read without trust.
//!
//! A reader of protobuf leaves out what it does not know, and puts together what comes in pieces: so what is judged and
//! what the daemon does could be two things. This one refuses a field that the message does not have, a field of another
//! kind, a message in two pieces and an entry of a map that says a thing twice, at every level. Of a plain value that comes
//! twice the last one counts, as it does to every reader: an edit relies on that ([`append`](super::append)).
//!
//! Nothing here panics, recurses without a bound, or holds more than [`most_held`] of what it was given.

use std::collections::BTreeSet;

mod field;
mod frame;
pub(crate) mod reader;
mod slot;
#[cfg(test)]
mod tests;

pub use frame::{Frames, MOST_MESSAGE, framed, single};
pub use reader::{Message, Reader, most_held, read};
pub use slot::{Slot, Whole};

pub(crate) use field::varint;

pub(crate) use reader::message;

/// How messages are read.
#[derive(Debug, Clone, Copy)]
pub enum Strictness<'a> {
    /// A field that is not known is refused, but for these: `Control.SolveRequest.18`.
    Known(&'a BTreeSet<String>),
    /// Fields that are not known are left out: for what the daemon says of itself.
    Lenient,
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It ends in the middle, or says that it is longer than what it is in.
    #[error("a message of BuildKit's is cut short")]
    Short,
    /// A frame that is compressed, which nobody here sends.
    #[error("a compressed message of BuildKit's is not read")]
    Compressed,
    /// More than is held.
    #[error("a message of BuildKit's is too large")]
    TooLarge,
    /// More fields, or deeper, than anybody's.
    #[error("a message of BuildKit's has too many parts")]
    TooMuch,
    /// Another number of messages than one.
    #[error("{found} messages where one is expected")]
    NotOne {
        /// How many there are.
        found: usize,
    },
    /// A number, or the head of a field, that readers could take for two things.
    #[error("{message} cannot be read: a number in it is written as nobody writes it")]
    Number {
        /// The message.
        message: &'static str,
    },
    /// A field of the message of another kind.
    #[error("{message} cannot be read: its field {number} is of another kind")]
    Kind {
        /// The message.
        message: &'static str,
        /// The field.
        number: u32,
    },
    /// A text that is none.
    #[error("{message} cannot be read: its field {number} is no text")]
    Text {
        /// The message.
        message: &'static str,
        /// The field.
        number: u32,
    },
    /// A message, or an entry of a map, in two pieces.
    #[error("{message} cannot be read: its field {number} comes in pieces")]
    Pieces {
        /// The message.
        message: &'static str,
        /// The field.
        number: u32,
    },
    /// A field that the message does not have.
    #[error(
        "{message} has a field {number} that is not known here; an administrator can let it through by the name {message}.{number}"
    )]
    Unknown {
        /// The message.
        message: &'static str,
        /// The field.
        number: u32,
    },
}
