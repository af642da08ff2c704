//! Raw bytes on a Unix socket, and as much HTTP as the tests need to read what comes back.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Everything read.
    pub bytes: Vec<u8>,
    /// The other side closed (rather than fall silent).
    pub closed: bool,
}

impl Answer {
    /// The status of the first response, 0 when there is none.
    pub fn status(&self) -> u16 {
        self.statuses().first().copied().unwrap_or_default()
    }

    /// The statuses of all responses in what came back (bodies are not skipped: a test's bodies hold none).
    pub fn statuses(&self) -> Vec<u16> {
        let text = self.text();
        text.match_indices("HTTP/1.1 ")
            .filter_map(|(at, word)| text.get(at + word.len()..)?.get(..3)?.parse().ok())
            .collect()
    }

    /// As text, for messages and searches.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Does anybody listen?
pub fn connects(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Sends bytes and reads until the other side closes or is silent for a second.
pub fn send(socket: &Path, bytes: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(socket).expect("connect");
    // A refusal may come, and the connection close, before all is sent.
    let _ = stream.write_all(bytes);
    receive(&mut stream, Duration::from_secs(5), Duration::from_secs(1))
}

/// Reads until the other side closes or is silent: `first` is the patience before the first byte, `quiet` after it.
pub fn receive(stream: &mut UnixStream, first: Duration, quiet: Duration) -> Answer {
    let mut answer = Answer { bytes: Vec::new(), closed: false };
    let mut piece = [0; 65536];
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
    let mut last = Instant::now();
    loop {
        let patience = if answer.bytes.is_empty() { first } else { quiet };
        match stream.read(&mut piece) {
            Ok(0) => answer.closed = true,
            Ok(length) => {
                answer.bytes.extend_from_slice(&piece[..length]);
                last = Instant::now();
                continue;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if last.elapsed() < patience {
                    continue;
                }
            }
            Err(_) => answer.closed = true,
        }
        return answer;
    }
}

/// A plain well-formed request with an optional JSON body; its status and body.
pub fn call(socket: &Path, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = UnixStream::connect(socket).expect("connect");
    let _ = stream.write_all(request.as_bytes());
    let answer = receive(&mut stream, Duration::from_secs(30), Duration::from_secs(30));
    let text = answer.text();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let body =
        if head.to_ascii_lowercase().contains("transfer-encoding: chunked") { unchunk(body) } else { body.to_owned() };
    (answer.status(), body)
}

/// A GET whose answer is JSON.
pub fn get(socket: &Path, path: &str) -> Value {
    let (status, body) = call(socket, "GET", path, None);
    assert_eq!(status, 200, "GET {path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}"))
}

/// What a daemon has: containers, volumes, networks and images, by what they are called.
pub fn inventory(socket: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let lists = [
        ("/containers/json?all=1", None, "Id"),
        ("/volumes", Some("Volumes"), "Name"),
        ("/networks", None, "Id"),
        ("/images/json?all=1", None, "Id"),
    ];
    for (path, inside, key) in lists {
        let list = get(socket, path);
        let list = inside.map_or(&list, |inside| &list[inside]);
        for item in list.as_array().into_iter().flatten() {
            found.push(format!("{path} {}", item[key].as_str().unwrap_or_default()));
        }
    }
    found.sort();
    found
}

fn unchunk(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        let Some(piece) = after.get(..size) else { break };
        whole.push_str(piece);
        rest = after.get(size + 2..).unwrap_or_default();
    }
    whole
}
