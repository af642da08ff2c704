//! What real clients and known attacks sent: `fuzz/corpus/recorded.jsonl.gz`, one request a line.

use std::io;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::world::call;

/// One request that was sent.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The method; empty when only the whole connection is known.
    pub method: String,
    /// The target.
    pub target: String,
    /// The bytes from the first line on.
    pub raw: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// In the order of the file.
    pub sent: Vec<Sent>,
}

impl Recorded {
    /// Reads the file.
    pub fn load(path: &Path) -> io::Result<Self> {
        let text = unpacked(path)?;
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let sent = lines.map(|line| Ok(sent(&serde_json::from_slice(line)?))).collect::<io::Result<_>>()?;
        Ok(Recorded { sent })
    }

    /// The JSON bodies, each with the operation that it was sent to.
    pub fn bodies(&self) -> Vec<(String, Vec<u8>)> {
        let body = |sent: &Sent| {
            let call = call(&sent.method, &sent.target).ok()?;
            (!sent.body.is_empty()).then(|| (call.operation.name().to_owned(), sent.body.clone()))
        };
        self.sent.iter().filter_map(body).collect()
    }
}

/// What is in a file, with the help of gzip(1).
pub fn unpacked(path: &Path) -> io::Result<Vec<u8>> {
    let output = Command::new("gzip").arg("-dc").arg(path).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{} cannot be unpacked", path.display())));
    }
    Ok(output.stdout)
}

fn sent(line: &Value) -> Sent {
    let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if line.get("raw").is_some() {
        return Sent { raw: latin1(&text("raw")), ..Sent::default() };
    }
    let (method, target, body) = (text("method"), text("target"), latin1(&text("body")));
    let mut raw = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    let headers = line.get("headers").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut framed = false;
    for header in &headers {
        let part = |index: usize| header.get(index).and_then(Value::as_str).unwrap_or_default();
        framed |= matches!(part(0).to_ascii_lowercase().as_str(), "content-length" | "transfer-encoding");
        raw.extend(latin1(&format!("{}: {}\r\n", part(0), part(1))));
    }
    if !framed && !body.is_empty() {
        raw.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(&body);
    Sent { method, target, raw, body }
}

/// The bytes of a text that has one letter a byte.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}
