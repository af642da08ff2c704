//! The client's side of a taken-over stream: `attach` with `Upgrade: tcp`, as docker's CLI asks for it.
//!
//! How much the upstream shall send is asked for on the stream itself, in one line, so that nothing in the
//! request differs from what the CLI sends: a proxy that refuses unknown query parameters is measured too.

use crate::failure::Failure;
use crate::http::Connection;

/// A container that the stream upstream knows, as it knows all.
const REQUEST: &str = "POST /v1.41/containers/bench/attach?stderr=1&stdin=1&stdout=1&stream=1 HTTP/1.1\r\n\
    Host: docker\r\n\
    User-Agent: Docker-Client/28.5.2 (linux)\r\n\
    Content-Length: 0\r\n\
    Content-Type: text/plain\r\n\
    Connection: Upgrade\r\n\
    Upgrade: tcp\r\n\r\n";

/// A stream that the upstream has agreed to; it stays idle until something is asked for.
pub fn open(socket: &str) -> Result<Connection, Failure> {
    let mut connection = Connection::open(socket)?;
    let answer = connection.ask(REQUEST.as_bytes()).map_err(Failure::during("no answer to attach"))?;
    match answer.status {
        101 => Ok(connection),
        other => {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            Err(Failure::trial(format!("attach was answered with {other} instead of 101: {}", body.trim())))
        }
    }
}
