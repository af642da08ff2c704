//! Writing heads and chunks, in the only spelling that the readers here accept.
//!
//! Whatever goes out is checked again at this last place: a value taken from a body, a policy or an
//! answer must not bring line ends with it and so write fields, or whole requests, of its own. The
//! fields that tell the length are written from the framing and cannot be given by hand.

use std::io::Write;

use thiserror::Error;

use super::framing::{BodyLength, Framing, is_bodiless};
use super::method::Method;
use super::syntax::{is_field_value, is_token, is_visible, trim};

/// A head that must not be written. Always a mistake of the caller, never sent to anyone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The method is no token.
    #[error("the method to be written is invalid")]
    Method,
    /// The target is empty or holds something else than visible ASCII.
    #[error("the request target to be written is invalid")]
    Target,
    /// The status is no status, or the reason holds control characters.
    #[error("the status or reason to be written is invalid")]
    Status,
    /// A name that is no token, or a value with control characters or blanks at its ends.
    #[error("the field `{0}` to be written is invalid")]
    Field(String),
    /// A request needs exactly one Host.
    #[error("the request to be written needs exactly one `Host`")]
    Host,
    /// Only the framing says how long the body is; some answers have none.
    #[error("the body's length to be written contradicts the head")]
    Framing,
}

/// Appends the head of an HTTP/1.1 request; on error, nothing.
pub fn write_request_head<'a>(
    out: &mut Vec<u8>,
    method: &Method,
    target: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    framing: Framing,
) -> Result<(), WriteError> {
    if !is_token(method.as_str().as_bytes()) {
        return Err(WriteError::Method);
    }
    if target.is_empty() || !is_visible(target.as_bytes()) {
        return Err(WriteError::Target);
    }
    whole(out, |out| {
        put(out, &[method.as_str().as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1"]);
        match write_fields(out, fields)? {
            1 => {}
            _ => return Err(WriteError::Host),
        }
        match framing {
            Framing::None => {}
            Framing::Length(length) => put_length(out, length),
            Framing::Chunked => put_chunked(out),
        }
        Ok(())
    })
}

/// Appends the head of an HTTP/1.1 answer; on error, nothing.
///
/// [`BodyLength::None`] is for answers that have no body by their status or because HEAD was asked;
/// an empty body of any other answer is `Length(0)`, or the client would wait for the end.
pub fn write_response_head<'a>(
    out: &mut Vec<u8>,
    status: u16,
    reason: &str,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    body: BodyLength,
) -> Result<(), WriteError> {
    if !(100..=599).contains(&status) || !is_field_value(reason.as_bytes()) {
        return Err(WriteError::Status);
    }
    whole(out, |out| {
        put(out, &[b"HTTP/1.1 ", status.to_string().as_bytes(), b" ", reason.as_bytes()]);
        write_fields(out, fields)?;
        match body {
            BodyLength::None => {}
            _ if is_bodiless(status) => return Err(WriteError::Framing),
            BodyLength::Length(length) => put_length(out, length),
            BodyLength::Chunked => put_chunked(out),
            BodyLength::UntilClose => {}
        }
        Ok(())
    })
}

/// Appends data as one chunk. No data is no chunk: an empty one would end the body.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    put(out, &[format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"]);
}

/// Appends the end of a chunked body.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    put(out, &[b"0\r\n\r\n"]);
}

/// Lets `write` append a head and ends it, or takes back what a failed one wrote.
fn whole(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), WriteError>) -> Result<(), WriteError> {
    let before = out.len();
    let result = write(out);
    match result {
        Ok(()) => put(out, &[b"\r\n\r\n"]),
        Err(_) => out.truncate(before),
    }
    result
}

/// Appends fields, each preceded by the end of the line before. Gives the number of Host fields.
fn write_fields<'a>(
    out: &mut Vec<u8>,
    fields: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<usize, WriteError> {
    let mut hosts: usize = 0;
    for (name, value) in fields {
        if !is_token(name.as_bytes()) || !is_field_value(value) || trim(value) != value {
            return Err(WriteError::Field(name.escape_default().to_string()));
        }
        if is(name, "Content-Length") || is(name, "Transfer-Encoding") {
            return Err(WriteError::Framing);
        }
        hosts = hosts.saturating_add(usize::from(is(name, "Host")));
        put(out, &[b"\r\n", name.as_bytes(), b": ", value]);
    }
    Ok(hosts)
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

fn put_length(out: &mut Vec<u8>, length: u64) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "\r\nContent-Length: {length}");
}

fn put_chunked(out: &mut Vec<u8>) {
    put(out, &[b"\r\nTransfer-Encoding: chunked"]);
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests;
