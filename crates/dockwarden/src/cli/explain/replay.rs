//! Requests from a file: as recorded (a JSON object a line, with `request`), or as raw HTTP. They are
//! sent to the rehearsal's socket, so that they are judged as any other.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use server::record::Record;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::rehearse::Rehearsal;
use crate::talk;

/// A recorded exchange, as far as it matters here.
#[derive(Deserialize)]
struct Recorded {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    target: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: Body,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    encoding: String,
    data: String,
    truncated: bool,
}

/// The bytes of each request in a file; `-` is stdin.
pub fn read(file: &Path) -> Result<Vec<Vec<u8>>, String> {
    let name = file.display();
    let unreadable = |error| format!("cannot read the requests in `{name}`: {error}");
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        bytes = std::fs::read(file).map_err(unreadable)?;
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Ok(vec![raw(bytes)]);
    }
    let whole = serde_json::from_slice::<Recorded>(&bytes).map(|one| vec![one]);
    let recorded = whole.or_else(|_| serde_json::Deserializer::from_slice(&bytes).into_iter().collect());
    let recorded: Vec<Recorded> = recorded.map_err(|error| format!("`{name}` holds no recorded exchanges: {error}"))?;
    recorded
        .iter()
        .map(|recorded| written(&recorded.request).map_err(|problem| format!("`{name}`: {problem}")))
        .collect()
}

/// Sends each on a connection of its own, and tells what was recorded of it.
pub async fn send(mut rehearsal: Rehearsal, requests: &[Vec<u8>]) -> Result<Vec<Record>, String> {
    let mut told = Vec::new();
    for request in requests {
        match exchange(&mut rehearsal, request).await {
            Ok(Some(record)) => told.push(record),
            Ok(None) => talk::say("a request got no answer in time"),
            Err(error) => talk::say(&format!("a request could not be sent: {error}")),
        }
    }
    told.extend(rehearsal.end().await);
    if told.is_empty() { Err("there was no request to judge".to_owned()) } else { Ok(told) }
}

async fn exchange(rehearsal: &mut Rehearsal, request: &[u8]) -> std::io::Result<Option<Record>> {
    let mut stream = UnixStream::connect(rehearsal.socket()).await?;
    // It may be answered, and closed, before it is read to its end: that is told by the record.
    let _ = stream.write_all(request).await;
    let mut answer = [0; 4096];
    let _ = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await;
    // What goes on after an answer (a stream, a body that is longer) ends when we leave.
    let at_once = rehearsal.next(A_MOMENT).await;
    drop(stream);
    match at_once {
        Some(record) => Ok(Some(record)),
        None => Ok(rehearsal.next(PATIENCE).await),
    }
}

/// Raw HTTP as people write it: line ends as HTTP has them, in the head.
fn raw(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    if text.contains('\r') {
        return bytes;
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
    let mut head = head.replace('\n', "\r\n");
    if !head.to_ascii_lowercase().contains("\r\nhost:") {
        head.push_str("\r\nHost: docker");
    }
    format!("{head}\r\n\r\n{body}").into_bytes()
}

/// A recorded request as bytes. Its body is whole by now, so its length is told instead of chunks.
fn written(request: &Request) -> Result<Vec<u8>, String> {
    let Request { method, target, headers, body } = request;
    if body.truncated {
        return Err(format!("the body of `{method} {target}` was cut off when it was recorded"));
    }
    let content = match body.encoding.as_str() {
        "base64" => base64(&body.data).ok_or_else(|| format!("the body of `{method} {target}` is no base64"))?,
        _ => body.data.clone().into_bytes(),
    };
    let framing = |name: &str| ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str());
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !framing(name)) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !content.is_empty() || headers.iter().any(|(name, _)| framing(name)) {
        head.push_str(&format!("Content-Length: {}\r\n", content.len()));
    }
    head.push_str("\r\n");
    Ok([head.into_bytes(), content].concat())
}

/// Recordings may break their lines.
fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    docker::body::base64::decode(&letters)
}

const A_MOMENT: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_requests_get_the_line_ends_of_http() {
        let given = b"POST /containers/create HTTP/1.1\nContent-Length: 3\n\n{ }".to_vec();
        let expected = "POST /containers/create HTTP/1.1\r\nContent-Length: 3\r\nHost: docker\r\n\r\n{ }";
        assert_eq!(String::from_utf8(raw(given)).unwrap(), expected);
        let exact = b"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n".to_vec();
        assert_eq!(raw(exact.clone()), exact);
    }

    #[test]
    fn recorded_requests_get_their_length() {
        let recorded = r#"{"request": {"method": "POST", "target": "/x", "headers": [["Host", "docker"],
            ["Transfer-Encoding", "chunked"]], "body": {"encoding": "base64", "data": "aGkK"}}}"#;
        let recorded: Recorded = serde_json::from_str(recorded).unwrap();
        let bytes = String::from_utf8(written(&recorded.request).unwrap()).unwrap();
        assert_eq!(bytes, "POST /x HTTP/1.1\r\nHost: docker\r\nContent-Length: 3\r\n\r\nhi\n");
    }

    #[test]
    fn a_body_that_was_cut_off_is_not_judged() {
        let recorded = r#"{"request": {"method": "POST", "target": "/x", "body": {"data": "a", "truncated": true}}}"#;
        let recorded: Recorded = serde_json::from_str(recorded).unwrap();
        assert!(written(&recorded.request).is_err());
    }
}
