//! Calls answered by us, as gRPC answers what fails: the status and a sentence, in the head and without a message.
//!
//! The source is gRPC's own description, `PROTOCOL-HTTP2.md` (Trailers-Only, Status-Message).

use std::fmt::Write as _;

use h2::server::SendResponse;
use http::{HeaderValue, Response};

use bytes::Bytes;

/// Why a call fails, by gRPC's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// It cannot be understood.
    InvalidArgument = 3,
    /// There is no such thing.
    NotFound = 5,
    /// It is not allowed.
    PermissionDenied = 7,
    /// Nobody knows such a call.
    Unimplemented = 12,
    /// We, or the daemon, cannot do it.
    Unavailable = 14,
}

/// The answer to a call that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }

    /// What follows from the status that the same refusal would have in HTTP.
    pub(super) fn of_status(status: u16, message: String) -> Self {
        let code = match status {
            400 | 408 | 413 => Code::InvalidArgument,
            403 | 409 => Code::PermissionDenied,
            404 => Code::NotFound,
            _ => Code::Unavailable,
        };
        Refusal { code, message }
    }

    /// Sends it. Whoever has gone does not read it.
    pub(super) fn send(&self, respond: &mut SendResponse<Bytes>) {
        let mut response = Response::new(());
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from(self.code as u16));
        if let Ok(message) = HeaderValue::from_str(&encoded(&self.message)) {
            headers.insert("grpc-message", message);
        }
        let _ = respond.send_response(response, true);
    }
}

/// A sentence as it may stand in a head: what is not plain, by the numbers of its bytes.
fn encoded(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for byte in message.bytes().take(LONGEST) {
        match byte {
            b'%' | 0..=0x1f | 0x7f.. => {
                let _ = write!(out, "%{byte:02X}");
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}

/// The longest sentence, in bytes.
const LONGEST: usize = 4 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_written_plainly() {
        assert_eq!(encoded("may not RUN: 100 %\n…"), "may not RUN: 100 %25%0A%E2%80%A6");
        assert_eq!(encoded(&"x".repeat(10_000)).len(), LONGEST);
    }
}
