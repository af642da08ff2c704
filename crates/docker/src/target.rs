//! Request targets, read as Go's net/url and the daemon's router (gorilla/mux) read them.
//!
//! The daemon matches the percent-decoded path: `/containers%2fjson`, `/%69nfo` and `/v1%2E41/info`
//! all reach their handlers, so whoever matches the raw target is walked around. Here a target is
//! decoded once into path, version and query, and what goes on to the daemon is our own spelling of
//! that meaning, never the client's. Whatever the daemon would redirect, or another reader could
//! take for something else, is refused.
//!
//! Which operation a path names is not known here; that is the endpoint table's part.

mod path;
mod percent;
mod query;
mod version;

use thiserror::Error;

use crate::http::{Method, syntax::is_visible};

use path::Path;
pub use query::{Query, QueryError, go_bool};
pub use version::ApiVersion;

/// What a request is addressed to: a path of the API with its query, or the server itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: Path,
    query: Query,
}

/// A target that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Absolute form (`http://host/info`, which the daemon routes by its path alone), a bare
    /// authority, `*` with another method than OPTIONS.
    #[error("the request target is not a path; it must start with `/`")]
    NotAPath,
    /// Blanks, control characters, letters beyond ASCII.
    #[error("the request target holds a character that must be percent-encoded")]
    Character,
    /// A fragment never leaves a well-behaved client; some readers cut it off, Go does not.
    #[error("the request target holds a `#`")]
    Fragment,
    /// A percent sign without two hexadecimal digits.
    #[error("the path holds the invalid escape `{0}`")]
    Escape(String),
    /// Escapes that make no UTF-8.
    #[error("the path is not valid UTF-8")]
    NotUtf8,
    /// An encoded NUL, line end or other control character.
    #[error("the path holds a control character")]
    Control,
    /// What the daemon answers with a redirect to another path.
    #[error("the path has an empty, `.` or `..` segment")]
    Unclean,
    /// A version that readers understand differently, or two of them.
    #[error("the API version `{0}` is ambiguous; use one prefix of the form `/v1.41`")]
    Version(String),
    /// The query is refused.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Target {
    /// Reads the raw target of a request line.
    pub fn parse(raw: &str, method: &Method) -> Result<Self, TargetError> {
        if !is_visible(raw.as_bytes()) {
            return Err(TargetError::Character);
        }
        if raw.contains('#') {
            return Err(TargetError::Fragment);
        }
        if raw == "*" && *method == Method::Options {
            return Ok(Self { path: Path::server(), query: Query::default() });
        }
        if !raw.starts_with('/') {
            return Err(TargetError::NotAPath);
        }
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        Ok(Self { path: Path::parse(path)?, query: Query::parse(query)? })
    }

    /// Whether this is `OPTIONS *`, for which nothing is executed. Its path is `*`, which is the
    /// path of nothing else.
    pub fn is_server(&self) -> bool {
        self.path.is_server()
    }

    /// The decoded path, version included.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The API version that the path asks for; none means the daemon's newest.
    pub fn version(&self) -> Option<ApiVersion> {
        self.path.version()
    }

    /// The decoded path after the version, which names the operation.
    pub fn rest(&self) -> &str {
        self.path.rest()
    }

    /// The query; empty if there is none.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The path encoded anew, each meaning in one spelling.
    pub fn canonical_path(&self) -> String {
        self.path.canonical()
    }

    /// Path and query encoded anew: the target to forward.
    pub fn canonical(&self) -> String {
        let mut target = self.canonical_path();
        if !self.query.is_empty() {
            target.push('?');
            target.push_str(&self.query.canonical());
        }
        target
    }
}

/// Appends text to a path or query that is being built, for example the id that a name was resolved
/// to, so that it stays one segment and one value: everything but letters, digits and `-._~` is
/// percent-encoded. `.` and `..` stay what they are: the finished target is to be parsed again.
pub fn encode_segment(out: &mut String, text: &str) {
    percent::encode(out, text, b"");
}

#[cfg(test)]
mod tests;
