//! Answers of our own: refusals and failures. The only place where they are made.
//!
//! `{"message": "..."}` is what docker prints. The client reads what it may know; the record keeps why.

use docker::http::{BodyLength, write_response_head};
use tokio::io::AsyncWriteExt;

use crate::stream::ClientStream;
use crate::upstream::NoWay;
use crate::wire::Wire;

/// What is said to the client in place of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Answer {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Answer { status, message: message.into() }
    }

    /// The daemon is away.
    pub(crate) fn unreachable(error: &std::io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<NoWay>()) {
            return Answer::new(403, format!("dockwarden: {error}"));
        }
        Answer::new(502, format!("dockwarden: the Docker daemon cannot be reached: {error}. Is it running?"))
    }

    /// The daemon said something that is no answer.
    pub(crate) fn garbled(what: &impl std::fmt::Display) -> Self {
        Answer::new(502, format!("dockwarden: the Docker daemon gave no answer that can be used: {what}"))
    }

    /// Sends it. With `close`, the client is told that nothing more will be read.
    pub(crate) async fn send(
        &self,
        client: &mut Wire<ClientStream>,
        head_only: bool,
        close: bool,
    ) -> std::io::Result<()> {
        let body = serde_json::json!({ "message": self.message });
        send_json(client, self.status, &[], &body, head_only, close).await
    }
}

/// Sends a JSON answer, with these fields beside its own.
pub(crate) async fn send_json(
    client: &mut Wire<ClientStream>,
    status: u16,
    more: &[(&str, &[u8])],
    body: &serde_json::Value,
    head_only: bool,
    close: bool,
) -> std::io::Result<()> {
    let bodiless = status == 204 || status == 304;
    let mut body = body.to_string().into_bytes();
    body.push(b'\n');
    let mut fields: Vec<(&str, &[u8])> = vec![("Server", b"Dockwarden")];
    fields.extend_from_slice(more);
    if !bodiless {
        fields.push(("Content-Type", b"application/json"));
    }
    if close {
        fields.push(("Connection", b"close"));
    }
    let length = if head_only || bodiless { BodyLength::None } else { BodyLength::Length(body.len() as u64) };
    let mut out = Vec::with_capacity(body.len().saturating_add(256));
    write_response_head(&mut out, status, reason(status), fields, length)
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
    if !head_only && !bodiless {
        out.extend_from_slice(&body);
    }
    client.stream.write_all(&out).await?;
    client.stream.flush().await
}

/// The standard words for a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    }
}
