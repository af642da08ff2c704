//! As much HTTP/1.1 as the trials speak, over blocking Unix sockets: whole answers by length or in
//! chunks on the client's side, request heads on the server's. It serves our own peers; it is not a parser for
//! hostile input.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(10);
const BUFFER: usize = 16 * 1024;

/// A client's connection.
pub struct Connection(BufReader<UnixStream>);

/// An answer, read to its end.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects to the socket at `path`.
    pub fn open(path: &str) -> Result<Self, Failure> {
        let stream = UnixStream::connect(path).map_err(Failure::during(format!("cannot connect to {path}")))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(Failure::during("cannot set a timeout"))?;
        Ok(Self(BufReader::with_capacity(BUFFER, stream)))
    }

    /// Sends a whole request and reads the whole answer.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.0.get_mut().write_all(request)?;
        read_answer(&mut self.0)
    }

    /// Sends bytes on a stream that was taken over.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads bytes from a stream that was taken over.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// The bytes of a request as docker's CLI would send it.
pub fn request(method: &str, path: &str, body: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n")
        .into_bytes();
    if let Some(body) = body {
        let entity = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        bytes.extend_from_slice(entity.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

/// The first line and the header lines of a message; none when the peer has closed.
pub fn read_head(from: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(first) = read_line(from)? else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        match read_line(from)? {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(line) if line.is_empty() => return Ok(Some(Head { first, headers })),
            Some(line) => headers.push(line),
        }
    }
}

/// The head of a request or an answer.
pub struct Head {
    /// Request line or status line.
    pub first: String,
    headers: Vec<String>,
}

impl Head {
    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Length of the body; 0 when not said.
    pub fn content_length(&self) -> io::Result<u64> {
        self.header("content-length")
            .map_or(Ok(0), |value| value.parse().map_err(|_| malformed("content-length", value)))
    }

    fn status(&self) -> io::Result<u16> {
        let code = self.first.split(' ').nth(1).unwrap_or_default();
        code.parse().map_err(|_| malformed("status line", &self.first))
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    }
}

fn read_answer(from: &mut impl BufRead) -> io::Result<Answer> {
    let head = read_head(from)?
        .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed before the answer"))?;
    let status = head.status()?;
    let mut body = Vec::new();
    if head.is_chunked() {
        read_chunks(from, &mut body)?;
    } else if status >= 200 {
        read_exactly(from, head.content_length()?, &mut body)?;
    }
    Ok(Answer { status, body })
}

fn read_chunks(from: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = u64::from_str_radix(&line, 16).map_err(|_| malformed("chunk size", &line))?;
        read_exactly(from, size, body)?;
        read_line(from)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn read_exactly(from: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    match from.take(size).read_to_end(body)? as u64 {
        got if got == size => Ok(()),
        got => Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("body ended after {got} of {size} bytes"))),
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(Some(line))
}

fn malformed(what: &str, value: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}: `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> io::Result<(u16, String)> {
        // A buffer of three bytes: every boundary falls somewhere inside.
        let mut from = BufReader::with_capacity(3, text.as_bytes());
        read_answer(&mut from).map(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    #[test]
    fn a_body_ends_by_length_by_last_chunk_or_is_not_there() {
        let sized = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1";
        assert_eq!(answer(sized).unwrap(), (200, "hello".into()));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nc\r\n, two chunks\r\n0\r\n\r\n";
        assert_eq!(answer(chunked).unwrap(), (200, "hello, two chunks".into()));
        assert_eq!(answer("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nstream").unwrap(), (101, String::new()));
        assert_eq!(answer("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), (204, String::new()));
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(answer("").is_err());
        assert!(answer("HTTP/1.1 200 OK\r\nContent-Le").is_err());
        assert!(answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").is_err());
        assert!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").is_err());
    }

    #[test]
    fn a_request_says_the_length_of_its_body_only_if_it_has_one() {
        assert!(!String::from_utf8_lossy(&request("GET", "/_ping", None)).contains("Content-Length"));
        assert!(request("POST", "/x", Some(b"{}")).ends_with(b"Content-Length: 2\r\n\r\n{}"));
    }
}
