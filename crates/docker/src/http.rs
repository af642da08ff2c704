//! HTTP/1.1 messages: bytes in, meaning out.
//!
//! The daemon's parser (Go's net/http) is forgiving: bare line feeds, folded fields, two equal
//! lengths, a length beside a transfer coding. Wherever one reader forgives and another does not,
//! a request can be hidden inside the body of another and pass unjudged. So this reader accepts one
//! spelling only, and the writers here produce that same spelling: what goes on to the daemon has
//! one meaning for everybody.
//!
//! No I/O and no waiting: the caller brings bytes and asks again when there are more. Nothing here
//! knows Docker; request targets are read by [`crate::target`], the next step.

mod chunks;
mod error;
mod framing;
mod headers;
mod media;
mod method;
mod request;
mod response;
mod scan;
pub(crate) mod syntax;
mod write;

pub use chunks::{ChunkError, Chunks, Step};
pub use error::HeadError;
pub use framing::{BodyLength, Framing};
pub use headers::Headers;
pub use media::MediaType;
pub use method::{Method, Version};
pub use request::RequestHead;
pub use response::ResponseHead;
pub use scan::{HeadLimits, HeadScan};
pub use write::{WriteError, write_chunk, write_last_chunk, write_request_head, write_response_head};

/// What a buffer holds: the beginning of a head, or all of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<H> {
    /// The head goes on; read more and ask again.
    Partial,
    /// The head is whole and well formed.
    Complete {
        /// What it says.
        head: H,
        /// How many bytes of the buffer it took; the body starts there.
        consumed: usize,
    },
}
