//! Query strings, read as Go's `url.ParseQuery` does, with what it leaves open refused.
//!
//! Names are decoded like values (`?%61ll=1` is `all`) and are case-sensitive. Of a repeated
//! parameter the daemon's handlers take the first value, other readers the last: whoever expects
//! one value asks with [`Query::one`], which takes neither. Parameters that a body of a form type
//! would add are not seen here: such bodies are to be refused by the caller.

use thiserror::Error;

use super::percent::{Plus, Undecodable, decode, encode};
use crate::http::syntax::{is_visible, shown};

/// Parameters that one query may have.
const MAX_PARAMETERS: usize = 256;

/// The parameters of a query, decoded, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    parameters: Vec<(String, String)>,
}

/// A query that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// Blanks, control characters, `#`, letters beyond ASCII.
    #[error("the query holds a character that must be percent-encoded")]
    Character,
    /// Some readers separate parameters with it; Go refuses it.
    #[error("the query holds a `;`; separate parameters with `&`, or write `%3B`")]
    Semicolon,
    /// A percent sign without two hexadecimal digits.
    #[error("the query holds the invalid escape `{0}`")]
    Escape(String),
    /// Escapes that make no UTF-8.
    #[error("the query is not valid UTF-8")]
    NotUtf8,
    /// An encoded NUL, at which readers written in C stop.
    #[error("the query holds a NUL character")]
    Nul,
    /// More parameters than allowed.
    #[error("the query has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// Two values where one is expected.
    #[error("the query parameter `{0}` is repeated")]
    Repeated(String),
}

impl Query {
    /// Reads the part of a target after the question mark.
    pub fn parse(raw: &str) -> Result<Self, QueryError> {
        if !is_visible(raw.as_bytes()) || raw.contains('#') {
            return Err(QueryError::Character);
        }
        if raw.contains(';') {
            return Err(QueryError::Semicolon);
        }
        let mut parameters = Vec::new();
        for piece in raw.split('&').filter(|piece| !piece.is_empty()) {
            if parameters.len() >= MAX_PARAMETERS {
                return Err(QueryError::TooMany);
            }
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            parameters.push((text(name)?, text(value)?));
        }
        Ok(Self { parameters })
    }

    /// The value of a parameter that must not be repeated.
    pub fn one(&self, name: &str) -> Result<Option<&str>, QueryError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(QueryError::Repeated(shown(name.as_bytes()))),
            (value, None) => Ok(value),
        }
    }

    /// The value of a parameter that must not be repeated; empty where it is not given, which the daemon takes for
    /// the same.
    pub fn value(&self, name: &str) -> Result<&str, QueryError> {
        self.one(name).map(Option::unwrap_or_default)
    }

    /// The same query without all but these parameters.
    pub fn only(&self, known: &[&str]) -> Self {
        let parameters = self.parameters.iter().filter(|(name, _)| known.contains(&name.as_str()));
        Self { parameters: parameters.cloned().collect() }
    }

    /// Gives a parameter the one value that was judged, in its place or at the end.
    pub fn set(&mut self, name: &str, value: String) {
        match self.parameters.iter_mut().find(|(given, _)| given == name) {
            Some((_, given)) => *given = value,
            None => self.parameters.push((name.to_owned(), value)),
        }
    }

    /// Gives a parameter that may be repeated the values that were judged, in their order.
    pub fn set_all(&mut self, name: &str, values: Vec<String>) {
        let given = self.parameters.iter_mut().filter(|(given, _)| given == name);
        given.zip(values).for_each(|((_, given), value)| *given = value);
    }

    /// A boolean that must not be repeated, if it is given.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, QueryError> {
        Ok(self.one(name)?.map(go_bool))
    }

    /// Every value of a parameter that is a list.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Every parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every name in order, as often as it stands there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// The first name that is not among the known ones.
    pub fn first_unknown(&self, known: &[&str]) -> Option<&str> {
        self.names().find(|name| !known.contains(name))
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The query encoded anew, in order, each meaning in one spelling. A blank becomes `%20`, which
    /// nobody misreads, and not a plus sign.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.iter() {
            if !out.is_empty() {
                out.push('&');
            }
            encode(&mut out, name, b"");
            out.push('=');
            encode(&mut out, value, b"");
        }
        out
    }
}

/// A boolean as the daemon reads it: everything is true but a few words, `off` and `f` included.
pub fn go_bool(value: &str) -> bool {
    // Go lowers letters beyond ASCII too, but none of them becomes a letter of these words.
    let value = value.trim().to_ascii_lowercase();
    !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
}

fn text(raw: &str) -> Result<String, QueryError> {
    match decode(raw, Plus::Blank) {
        Ok(text) if text.contains('\0') => Err(QueryError::Nul),
        Ok(text) => Ok(text),
        Err(Undecodable::Escape(escape)) => Err(QueryError::Escape(escape)),
        Err(Undecodable::NotUtf8) => Err(QueryError::NotUtf8),
    }
}

#[cfg(test)]
mod tests;
