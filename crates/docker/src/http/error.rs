//! Why a head is refused, in sentences for the person whose client sent it.
//!
//! Names of fields are repeated, values only where they are harmless: credentials travel in heads,
//! and errors end up in logs.

use thiserror::Error;

/// A head that this reader does not accept.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The first byte opens a TLS handshake.
    #[error("this looks like TLS, but this address speaks plain HTTP")]
    Tls,
    /// HTTP/2 without negotiation. Newer daemons take gRPC that way past their plugins.
    #[error("HTTP/2 is not spoken here; use HTTP/1.1")]
    Http2Preface,
    /// Another version of HTTP.
    #[error("HTTP version `{0}` is not spoken here; use HTTP/1.1")]
    Version(String),
    /// An empty line where a message should start.
    #[error("the message starts with an empty line")]
    LeadingEmptyLine,
    /// Line feed alone. The daemon takes it for a line end, other readers do not.
    #[error("a line ends with LF alone; lines end with CR LF")]
    BareLf,
    /// Carriage return alone.
    #[error("a CR stands without LF; lines end with CR LF")]
    BareCr,
    /// A control character, NUL included.
    #[error("the head holds the control character 0x{0:02x}")]
    Control(u8),
    /// A field continued on the next line, which some readers join and others read as a new field.
    #[error("a field is folded over several lines, which HTTP/1.1 no longer allows")]
    Folded,
    /// The whole head is over the limit.
    #[error("the head is larger than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The first line is over the limit.
    #[error("the first line is longer than {limit} bytes")]
    LineTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// More fields than allowed.
    #[error("the head has more than {limit} fields")]
    TooManyFields {
        /// Fields allowed.
        limit: usize,
    },
    /// Not `METHOD TARGET HTTP/1.1` with single blanks.
    #[error("the request line is not of the form `METHOD TARGET HTTP/1.1`")]
    RequestLine,
    /// A method that is no token.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    /// A target with a character that must be percent-encoded.
    #[error("the request target holds a character that must be percent-encoded")]
    TargetCharacter,
    /// Not `HTTP/1.1 200 Reason`.
    #[error("the status line is not of the form `HTTP/1.1 200 OK`")]
    StatusLine,
    /// A line without a colon.
    #[error("a line of the head is not of the form `Name: value`")]
    NoColon,
    /// A field name that is no token; most often a blank before the colon.
    #[error("`{0}` is not a field name")]
    FieldName(String),
    /// A field that may stand only once.
    #[error("the field `{0}` is repeated")]
    Repeated(String),
    /// HTTP/1.1 without Host.
    #[error("the field `Host` is missing, which HTTP/1.1 requires")]
    NoHost,
    /// A Host with characters that no host has.
    #[error("`{0}` cannot be read as `Host`")]
    Host(String),
    /// A length that is not plain digits, or does not fit.
    #[error("`{0}` cannot be read as `Content-Length`")]
    ContentLength(String),
    /// Both ways of telling the length: the classic of request smuggling.
    #[error("`Content-Length` and `Transfer-Encoding` contradict each other; send only one")]
    TwoLengths,
    /// A coding other than `chunked`.
    #[error("the transfer coding `{0}` is not supported; only a single `chunked` is")]
    TransferEncoding(String),
    /// HTTP/1.0 has no transfer codings: the daemon ignores the field, other readers do not.
    #[error("`Transfer-Encoding` does not exist in HTTP/1.0")]
    TransferEncodingOnHttp10,
    /// An Upgrade that names no protocol.
    #[error("`{0}` cannot be read as `Upgrade`")]
    Upgrade(String),
    /// An expectation other than `100-continue`.
    #[error("the expectation `{0}` is not supported; only `100-continue` is")]
    Expect(String),
    /// A media type that is not `type/subtype`.
    #[error("`{0}` cannot be read as `Content-Type`")]
    ContentType(String),
}

impl HeadError {
    /// The status to answer a request with. A daemon's answer that fails is 502, whatever the error.
    pub fn status(&self) -> u16 {
        match self {
            Self::Http2Preface | Self::Version(_) => 505,
            Self::LineTooLong { .. } => 414,
            Self::TooLarge { .. } | Self::TooManyFields { .. } => 431,
            Self::Expect(_) => 417,
            Self::TransferEncoding(_) => 501,
            _ => 400,
        }
    }
}
