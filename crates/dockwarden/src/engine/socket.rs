//! One request on a local socket and its answer: a daemon's, or a plugin's.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A request of our own.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'static str,
    /// The target, spelled as it is sent.
    pub target: &'a str,
    /// The type of the body, and the body.
    pub body: Option<(&'static str, &'a [u8])>,
    /// How long an answer may take.
    pub wait: Duration,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// One without a body.
    pub fn new(method: &'static str, target: &'a str, wait: Duration) -> Self {
        Request { method, target, body: None, wait }
    }

    /// Asks. HTTP/1.0, for its answers are never in chunks.
    pub fn ask(&self, socket: &Path) -> io::Result<Answer> {
        let mut stream = connect(socket)?;
        let end = Instant::now().checked_add(self.wait);
        stream.set_write_timeout(Some(self.wait))?;
        let (kind, body) = self.body.unwrap_or(("", b""));
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let (method, target, length) = (self.method, self.target, body.len());
        let head = format!("{method} {target} HTTP/1.0\r\nHost: docker\r\n{kind}Content-Length: {length}\r\n\r\n");
        // Who refuses a body may answer and close before it is sent; then the answer says why.
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        loop {
            if let Some(answer) = whole(&bytes) {
                return Ok(answer);
            }
            let left = end.and_then(|end| end.checked_duration_since(Instant::now())).filter(|left| !left.is_zero());
            let Some(left) = left else { return Err(ErrorKind::TimedOut.into()) };
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut piece) {
                Ok(0) => return read(&bytes).ok_or_else(|| ErrorKind::UnexpectedEof.into()),
                Ok(length) => bytes.extend_from_slice(piece.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                Err(error) => return Err(sent.err().unwrap_or(error)),
            }
            if bytes.len() > MOST {
                return Err(io::Error::new(ErrorKind::InvalidData, "the answer is too long"));
            }
        }
    }
}

impl Answer {
    /// What it says: the member `message` of an error, or the text.
    pub fn words(&self) -> String {
        let message = self.json().get("message").and_then(Value::as_str).map(str::to_owned);
        message.unwrap_or_else(|| String::from_utf8_lossy(&self.body).trim().to_owned())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A socket whose path is too long for an address (those of managed plugins have an id of 64 letters) is reached by its
/// folder.
fn connect(socket: &Path) -> io::Result<UnixStream> {
    let direct = UnixStream::connect(socket);
    let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else { return direct };
    match direct {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let folder = File::open(folder)?;
            UnixStream::connect(Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
        }
        direct => direct,
    }
}

/// An answer that says how long it is, once all of it is there: who sends it may keep the connection open, or cut it off
/// where the end of a request was not of interest.
fn whole(bytes: &[u8]) -> Option<Answer> {
    let (head, body) = taken_apart(bytes)?;
    if status(&head) == Some(204) {
        return Some(Answer { status: 204, body: Vec::new() });
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    Some(Answer { status: status(&head)?, body: body.get(..length)?.to_vec() })
}

/// An answer that ended with its connection.
fn read(bytes: &[u8]) -> Option<Answer> {
    let (head, body) = taken_apart(bytes)?;
    Some(Answer { status: status(&head)?, body: body.to_vec() })
}

fn taken_apart(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    Some((head, bytes.get(end.checked_add(4)?..)?))
}

fn status(head: &str) -> Option<u16> {
    head.split(' ').nth(1)?.parse().ok()
}

/// The most of an answer: nothing that is asked here is near to that.
const MOST: usize = 4 << 20;
