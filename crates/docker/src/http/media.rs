//! `Content-Type`, as far as the daemon reads it: type and subtype, letter case and parameters
//! ignored.
//!
//! It decides what a body means: handlers that read query parameters also take them from a body of
//! type `application/x-www-form-urlencoded`, and there the body wins over the query.

use super::error::HeadError;
use super::headers::Headers;
use super::syntax::{is_token, shown, trim};

/// A media type, for example `application/json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// Reads a field value. Go lowers letters beyond ASCII too (`İ` becomes `i`); no real client
    /// sends any, so they are refused with everything else that is no `token/token`.
    pub fn parse(value: &[u8]) -> Result<Self, HeadError> {
        let essence = trim(value.split(|byte| *byte == b';').next().unwrap_or_default());
        let mut parts = essence.split(|byte| *byte == b'/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(kind), Some(subtype), None) if is_token(kind) && is_token(subtype) => {
                Ok(Self(String::from_utf8_lossy(essence).to_ascii_lowercase()))
            }
            _ => Err(HeadError::ContentType(shown(value))),
        }
    }

    /// Type and subtype in lower case.
    pub fn essence(&self) -> &str {
        &self.0
    }
}

impl Headers {
    /// The media type of the body. An empty field counts as absent, as it does for Go.
    pub fn content_type(&self) -> Result<Option<MediaType>, HeadError> {
        match self.one("Content-Type")? {
            None | Some(b"") => Ok(None),
            Some(value) => MediaType::parse(value).map(Some),
        }
    }
}
