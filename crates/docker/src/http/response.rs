//! The head of an answer. The daemon is trusted to obey, not to be well: an answer may repeat what
//! a container or an image said, or come from something else that listens in the daemon's place.
//! So it is bounded and checked like a request, and what it means for the connection is read from
//! it alone.

use super::Parsed;
use super::error::HeadError;
use super::framing::BodyLength;
use super::headers::Headers;
use super::method::{Method, Version};
use super::request::keep_alive;
use super::scan::{HeadLimits, HeadScan, lines};

/// The head of an answer, well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    version: Version,
    status: u16,
    reason: String,
    headers: Headers,
    body: BodyLength,
}

impl ResponseHead {
    /// Reads a head from the start of a buffer. The method of the request it answers decides
    /// whether there is a body.
    pub fn parse(buf: &[u8], request: &Method, limits: &HeadLimits) -> Result<Parsed<Self>, HeadError> {
        let Some(consumed) = HeadScan::new(limits).advance(buf)? else {
            return Ok(Parsed::Partial);
        };
        let head = Self::read(buf.get(..consumed).unwrap_or_default(), request)?;
        Ok(Parsed::Complete { head, consumed })
    }

    fn read(head: &[u8], request: &Method) -> Result<Self, HeadError> {
        let mut lines = lines(head);
        let (version, status, reason) = status_line(lines.next().unwrap_or_default())?;
        let headers = Headers::parse(lines)?;
        let body = BodyLength::of_response(&headers, version, request, status)?;
        Ok(Self { version, status, reason, headers, body })
    }

    /// The status, 100 to 599.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The words after the status; bytes that are no UTF-8 are replaced. May be empty.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The daemon's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// How the body is delimited.
    pub fn body(&self) -> BodyLength {
        self.body
    }

    /// Whether this is only a notice and the answer proper follows.
    pub fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199) && !self.is_upgraded()
    }

    /// Whether the connection is no longer HTTP after this head.
    pub fn is_upgraded(&self) -> bool {
        self.status == 101
    }

    /// Whether the connection can carry another exchange once the body is read.
    pub fn keep_alive(&self) -> bool {
        let ends = self.body != BodyLength::UntilClose && !self.is_upgraded();
        ends && keep_alive(&self.headers, self.version)
    }
}

/// `HTTP/1.1 200 OK`; the reason may be empty, with or without the blank before it.
fn status_line(line: &[u8]) -> Result<(Version, u16, String), HeadError> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let version = Version::parse(parts.next().unwrap_or_default(), HeadError::StatusLine)?;
    let status = status(parts.next().unwrap_or_default()).ok_or(HeadError::StatusLine)?;
    let reason = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    Ok((version, status, reason))
}

fn status(digits: &[u8]) -> Option<u16> {
    let three = digits.len() == 3 && digits.iter().all(u8::is_ascii_digit);
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (three && (100..=599).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests;
