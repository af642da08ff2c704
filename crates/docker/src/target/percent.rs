//! Percent-encoding as Go decodes it, and the one way in which we encode.

use std::fmt::Write;

use crate::http::syntax::{hex_digit, shown};

/// What a plus sign stands for: itself in a path, a blank in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    Literal,
    Blank,
}

/// Why text cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// The percent sign and what follows it.
    Escape(String),
    NotUtf8,
}

/// Decodes once. `%2525` is `%25` afterwards, and stays so: the daemon decodes once.
pub(super) fn decode(raw: &str, plus: Plus) -> Result<String, Undecodable> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                out.push(pair(*high, *low).ok_or_else(|| bad_escape(&[b'%', *high, *low]))?);
                rest = tail;
            }
            (b'%', _) => return Err(bad_escape(&[b"%", tail].concat())),
            (b'+', _) if plus == Plus::Blank => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8(out).map_err(|_| Undecodable::NotUtf8)
}

fn pair(high: u8, low: u8) -> Option<u8> {
    Some(hex_digit(high)?.wrapping_shl(4) | hex_digit(low)?)
}

fn bad_escape(bytes: &[u8]) -> Undecodable {
    Undecodable::Escape(shown(bytes))
}

/// Appends text with everything encoded but letters, digits, `-._~` and the bytes in `kept`.
pub(super) fn encode(out: &mut String, text: &str, kept: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
