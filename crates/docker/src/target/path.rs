//! Paths: decoded, clean, and divided into version and rest.
//!
//! A decoded slash is a slash, because the router sees the decoded path; that `..%2f` climbs is the
//! reason why cleanness is judged after decoding. A newline would end `{name:.*}` for the router
//! and is refused with all control characters. A backslash, a plus sign or a `;` is an ordinary
//! character, here as there.

use super::TargetError;
use super::percent::{Plus, Undecodable, decode, encode};
use super::version::{ApiVersion, Prefix};

/// What Go itself leaves as it is in a path, beside letters, digits and `-._~`.
const KEPT: &[u8] = b"/$&+,:;=@";

/// A decoded path that the daemon would route as it stands, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    decoded: String,
    version: Option<ApiVersion>,
    /// Where the rest begins.
    rest: usize,
}

impl Path {
    /// The server itself. No other path lacks the slash at its start.
    pub(super) fn server() -> Self {
        Self { decoded: "*".to_owned(), version: None, rest: 0 }
    }

    pub(super) fn is_server(&self) -> bool {
        self.decoded == "*"
    }

    /// Reads the part of a target before the question mark.
    pub(super) fn parse(raw: &str) -> Result<Self, TargetError> {
        let decoded = decode(raw, Plus::Literal).map_err(|error| match error {
            Undecodable::Escape(escape) => TargetError::Escape(escape),
            Undecodable::NotUtf8 => TargetError::NotUtf8,
        })?;
        if decoded.contains(char::is_control) {
            return Err(TargetError::Control);
        }
        if !is_clean(&decoded) {
            return Err(TargetError::Unclean);
        }
        let prefix = Prefix::parse(&decoded)?;
        Ok(Self { version: prefix.version, rest: prefix.length, decoded })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.decoded
    }

    pub(super) fn version(&self) -> Option<ApiVersion> {
        self.version
    }

    pub(super) fn rest(&self) -> &str {
        self.decoded.get(self.rest..).unwrap_or_default()
    }

    pub(super) fn canonical(&self) -> String {
        if self.is_server() {
            return self.decoded.clone();
        }
        let mut out = String::with_capacity(self.decoded.len());
        encode(&mut out, &self.decoded, KEPT);
        out
    }
}

/// Whether Go's `path.Clean` would leave the path as it is, but for one slash at its end, which the
/// router keeps.
fn is_clean(path: &str) -> bool {
    let Some(inner) = path.strip_prefix('/') else {
        return false;
    };
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    path == "/" || inner.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}
