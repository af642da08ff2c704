//! Methods and versions. Methods are exact: `get` is another method than `GET`, as it is for the
//! daemon, and override fields mean nothing.

use std::fmt;

use super::error::HeadError;
use super::syntax::{is_token, shown};

/// A request method.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other token. The Docker API has no use for it; policy sees it as unknown.
    Other(String),
}

impl Method {
    /// The method of this exact spelling.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeadError> {
        Ok(match bytes {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            _ if is_token(bytes) => Self::Other(String::from_utf8_lossy(bytes).into_owned()),
            _ => return Err(HeadError::Method(shown(bytes))),
        })
    }

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version of HTTP that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    /// The version of this exact spelling; `otherwise` when the bytes are no version at all.
    pub(super) fn parse(bytes: &[u8], otherwise: HeadError) -> Result<Self, HeadError> {
        match bytes {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            _ if bytes.starts_with(b"HTTP/") => Err(HeadError::Version(shown(bytes))),
            _ => Err(otherwise),
        }
    }
}
