//! Why a body was refused, in one sentence for the user.
//!
//! It names fields, keys and places, clipped and escaped, and never a value: bodies hold passwords.

use super::place::Fault;

/// A body that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What is wrong with it.
    pub kind: Kind,
    /// Where: `HostConfig.Mounts[0].VolumeOptions`, empty for the whole body.
    pub path: String,
    /// Line in the body, from 1; 0 where it has no meaning.
    pub line: usize,
    /// Column in bytes, as far as had been read; 0 where it has no meaning.
    pub column: usize,
    /// The whole sentence, with the place.
    pub message: String,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not JSON, not UTF-8 or nested too deeply.
    Malformed,
    /// A whole value, and then something more.
    TrailingData,
    /// A field or a key is given twice, perhaps in another spelling; or a key that serde_json keeps
    /// for itself.
    Ambiguous,
    /// A field that nobody knows or has allowed.
    UnknownField,
    /// A value of another type than Go would take.
    WrongType,
    /// A number that its Go type cannot hold.
    OutOfRange,
    /// `null` for the whole body or for an element of a list.
    Null,
    /// The value cannot be written again; the body as it was read is not at fault.
    Unwritable,
}

impl Error {
    pub(super) fn at(fault: Fault, line: usize, column: usize) -> Self {
        let Fault { kind, path, mut message, nearest } = fault;
        match (kind, line) {
            (_, 0) => {}
            (Kind::UnknownField, _) => message.push_str(&format!(" at line {line} column {column}")),
            _ => message.push_str(&format!(" (line {line} column {column})")),
        }
        if let Some(nearest) = nearest {
            message.push_str(&format!("; did you mean `{nearest}`?"));
        }
        Error { kind, path, line, column, message }
    }

    pub(super) fn whole_body(kind: Kind, what: &str) -> Self {
        Error { kind, path: String::new(), line: 0, column: 0, message: format!("the body {what}") }
    }

    pub(super) fn trailing(line: usize, column: usize) -> Self {
        let message = "the body goes on after its value".to_owned();
        let fault = Fault { kind: Kind::TrailingData, path: String::new(), message, nearest: None };
        Error::at(fault, line, column)
    }

    pub(super) fn not_utf8(bytes: &[u8], valid: usize) -> Self {
        let before = bytes.get(..valid).unwrap_or_default();
        let line = before.split(|&byte| byte == b'\n').count();
        let column = before.rsplit(|&byte| byte == b'\n').next().map_or(0, <[u8]>::len).saturating_add(1);
        let message = "the body is not valid UTF-8".to_owned();
        Error::at(Fault { kind: Kind::Malformed, path: String::new(), message, nearest: None }, line, column)
    }
}

/// What a sentence is about.
pub(super) fn subject(path: &str) -> String {
    if path.is_empty() { "the body".to_owned() } else { format!("`{path}`") }
}

/// A name from the body, fit for a line of a log.
pub(super) fn clip(name: &str) -> String {
    let mut clipped: String = name.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    if name.chars().nth(LONGEST_NAME).is_some() {
        clipped.push('…');
    }
    clipped
}

const LONGEST_NAME: usize = 64;
