//! The head of a request. A [`RequestHead`] exists only if every field that shapes the exchange
//! (host, length, coding, upgrade, expectation) stands at most once and in its only spelling.

use super::Parsed;
use super::error::HeadError;
use super::framing::Framing;
use super::headers::Headers;
use super::media::MediaType;
use super::method::{Method, Version};
use super::scan::{HeadLimits, HeadScan, lines};
use super::syntax::{is_token, is_visible, shown};

/// The head of a request, well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    method: Method,
    target: String,
    version: Version,
    headers: Headers,
    framing: Framing,
}

impl RequestHead {
    /// Reads a head from the start of a buffer. For a buffer that grows by small pieces, ask
    /// [`HeadScan`] first and parse once it has found the end.
    pub fn parse(buf: &[u8], limits: &HeadLimits) -> Result<Parsed<Self>, HeadError> {
        let Some(consumed) = HeadScan::new(limits).advance(buf)? else {
            return Ok(Parsed::Partial);
        };
        let head = Self::read(buf.get(..consumed).unwrap_or_default())?;
        Ok(Parsed::Complete { head, consumed })
    }

    fn read(head: &[u8]) -> Result<Self, HeadError> {
        let mut lines = lines(head);
        let (method, target, version) = request_line(lines.next().unwrap_or_default())?;
        let headers = Headers::parse(lines)?;
        let framing = Framing::of_request(&headers, version)?;
        check_host(&headers, version)?;
        check_upgrade(&headers)?;
        check_expect(&headers)?;
        headers.content_type()?;
        Ok(Self { method, target, version, headers, framing })
    }

    /// What is to be done.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The raw request target: visible ASCII, otherwise not yet understood.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The client's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// All fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// How the body is delimited.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the client would send another request on this connection.
    pub fn keep_alive(&self) -> bool {
        keep_alive(&self.headers, self.version)
    }

    /// The protocol asked for. The daemon takes the connection over when this field is present,
    /// whatever it says and whether or not `Connection` lists it: so must everybody else.
    pub fn upgrade(&self) -> Option<&str> {
        self.headers.get("Upgrade").and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11 && !self.framing.is_empty() && self.headers.get("Expect").is_some()
    }

    /// The media type of the body, if it tells one.
    pub fn content_type(&self) -> Result<Option<MediaType>, HeadError> {
        self.headers.content_type()
    }
}

pub(super) fn keep_alive(headers: &Headers, version: Version) -> bool {
    let close = headers.has_connection_option("close");
    !close && (version == Version::Http11 || headers.has_connection_option("keep-alive"))
}

fn request_line(line: &[u8]) -> Result<(Method, String, Version), HeadError> {
    if line == b"PRI * HTTP/2.0" {
        return Err(HeadError::Http2Preface);
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HeadError::RequestLine);
    };
    if method.is_empty() || target.is_empty() {
        return Err(HeadError::RequestLine);
    }
    let version = Version::parse(version, HeadError::RequestLine)?;
    let method = Method::parse(method)?;
    if !is_visible(target) {
        return Err(HeadError::TargetCharacter);
    }
    Ok((method, String::from_utf8_lossy(target).into_owned(), version))
}

/// Exactly one Host on HTTP/1.1, at most one on 1.0, of the characters that Go accepts. It may be
/// empty: the docker CLI sends it so on `/session`.
fn check_host(headers: &Headers, version: Version) -> Result<(), HeadError> {
    match headers.one("Host")? {
        None if version == Version::Http11 => Err(HeadError::NoHost),
        Some(host) if !host.iter().all(|byte| is_host_byte(*byte)) => Err(HeadError::Host(shown(host))),
        _ => Ok(()),
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}

/// One protocol name, with or without version. Lists and empty values leave open what was agreed.
fn check_upgrade(headers: &Headers) -> Result<(), HeadError> {
    match headers.one("Upgrade")? {
        Some(value) if !value.split(|byte| *byte == b'/').all(is_token) => Err(HeadError::Upgrade(shown(value))),
        _ => Ok(()),
    }
}

fn check_expect(headers: &Headers) -> Result<(), HeadError> {
    match headers.one("Expect")? {
        Some(value) if !value.eq_ignore_ascii_case(b"100-continue") => Err(HeadError::Expect(shown(value))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
