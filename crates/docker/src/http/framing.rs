//! How long a body is. The one question on which two readers must never differ.
//!
//! An attacker sends both `Content-Length` and `Transfer-Encoding`, or one of them twice, or in a
//! spelling that only one reader understands (`chunked, identity`, `+5`, ` 05`). One reader then
//! sees a body where the other sees a second request. All of it is refused here.

use super::error::HeadError;
use super::headers::Headers;
use super::method::{Method, Version};
use super::syntax::{decimal, shown};

/// How a request's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No field speaks of a body: there is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks until the last one; empty only once they have been read.
    Chunked,
}

impl Framing {
    /// Whether the body is known to be empty.
    pub fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }

    pub(super) fn of_request(headers: &Headers, version: Version) -> Result<Self, HeadError> {
        match (content_length(headers)?, is_chunked(headers, version)?) {
            (Some(_), true) => Err(HeadError::TwoLengths),
            (Some(length), false) => Ok(Self::Length(length)),
            (None, true) => Ok(Self::Chunked),
            (None, false) => Ok(Self::None),
        }
    }
}

/// How an answer's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body, whatever the fields say: HEAD, 1xx, 204, 304.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks until the last one.
    Chunked,
    /// Everything until the daemon closes, as for a taken-over stream that was not upgraded.
    UntilClose,
}

impl BodyLength {
    pub(super) fn of_response(
        headers: &Headers,
        version: Version,
        request: &Method,
        status: u16,
    ) -> Result<Self, HeadError> {
        let framing = Framing::of_request(headers, version)?;
        if *request == Method::Head || is_bodiless(status) {
            return Ok(Self::None);
        }
        Ok(match framing {
            Framing::None => Self::UntilClose,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked,
        })
    }
}

/// Whether answers of this status never have a body.
pub(super) fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

fn content_length(headers: &Headers) -> Result<Option<u64>, HeadError> {
    let Some(value) = headers.one("Content-Length")? else {
        return Ok(None);
    };
    match decimal(value) {
        Some(length) => Ok(Some(length)),
        None => Err(HeadError::ContentLength(shown(value))),
    }
}

fn is_chunked(headers: &Headers, version: Version) -> Result<bool, HeadError> {
    let Some(value) = headers.one("Transfer-Encoding")? else {
        return Ok(false);
    };
    if version == Version::Http10 {
        return Err(HeadError::TransferEncodingOnHttp10);
    }
    match value.eq_ignore_ascii_case(b"chunked") {
        true => Ok(true),
        false => Err(HeadError::TransferEncoding(shown(value))),
    }
}
