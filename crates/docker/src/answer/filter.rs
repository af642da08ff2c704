//! What may be left out of an answer, and how that is done while the answer passes.
//!
//! Pure, as all of this crate: bytes in, bytes out. [`shape`] says what an operation answers with; [`Split`] takes the
//! answer apart into things, one at a time, and writes what is to pass; [`listed`] says what a thing is, so that policy
//! can be asked about it; [`Redactions`] hides values within it. Who asks policy is the server.
//!
//! What does not have the shape that it should ends the answer with an error: nothing is passed on unread.

mod error;
pub mod listed;
mod names;
mod pattern;
mod redact;
mod shape;
mod split;
#[cfg(test)]
mod tests;
mod tree;

pub use error::scrubbed;
pub use names::{keep_containers, keep_names, names, neighbours};
pub use pattern::{Pattern, PatternError};
pub use redact::{Family, MARK, Redaction, Redactions, holds_mark};
pub use shape::{Answered, Item, Shape, shape};
pub use split::{MOST_ITEM, Malformed, Split, Whole};
pub use tree::Tree;
