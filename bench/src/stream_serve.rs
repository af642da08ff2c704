//! `bench stream-serve`: the upstream of the stream trials, because nginx cannot answer 101 by itself.
//!
//! It knows every container: `GET .../json` gives a canned inspection (a proxy may ask who is meant before it
//! forwards), `POST .../attach` is answered with 101 and the stream is then ours. A line with a number
//! on the stream is answered with that many bytes; until then the stream is idle. One thread a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::http::{Head, read_head};

const STACK: usize = 128 * 1024;
const BLOCK: usize = 256 * 1024;
const SWITCHED: &[u8] = b"HTTP/1.1 101 UPGRADED\r\n\
    Content-Type: application/vnd.docker.raw-stream\r\n\
    Connection: Upgrade\r\n\
    Upgrade: tcp\r\n\r\n";

/// Serves until it is ended.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let socket: String = arguments.required("socket")?;
    let listener = UnixListener::bind(&socket).map_err(Failure::during(format!("cannot listen on {socket}")))?;
    for client in listener.incoming() {
        let client = client.map_err(Failure::during("cannot accept"))?;
        // A client that goes away is none of our business: the trial on the other side sees it and fails.
        let serve = move || drop(serve(&client));
        thread::Builder::new().stack_size(STACK).spawn(serve).map_err(Failure::during("cannot start a thread"))?;
    }
    Ok(String::new())
}

fn serve(client: &UnixStream) -> io::Result<()> {
    let mut from = BufReader::with_capacity(4096, client);
    while let Some(head) = read_head(&mut from)? {
        io::copy(&mut from.by_ref().take(head.content_length()?), &mut io::sink())?;
        let (path, is_attach) = target(&head);
        if is_attach {
            return stream(client, &mut from);
        }
        answer(client, path)?;
    }
    Ok(())
}

/// The path without its query, and whether the stream shall be taken over.
fn target(head: &Head) -> (&str, bool) {
    let path = head.first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    (path, head.first.starts_with("POST ") && path.ends_with("/attach"))
}

fn answer(mut client: &UnixStream, path: &str) -> io::Result<()> {
    let (status, body) = match path {
        path if path.ends_with("/_ping") => ("200 OK", json!("OK")),
        path if path.ends_with("/version") => ("200 OK", version()),
        path if path.ends_with("/json") => ("200 OK", inspection()),
        _ => ("404 Not Found", json!({ "message": "the stream upstream knows only containers" })),
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nApi-Version: 1.51\r\nOstype: linux\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all((head + &body).as_bytes())
}

fn version() -> Value {
    json!({ "Version": "28.5.2", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64" })
}

fn inspection() -> Value {
    json!({
        "Id": "b".repeat(64),
        "Name": "/bench",
        "Created": "2025-11-22T10:00:00.000000000Z",
        "Path": "sh",
        "Args": [],
        "Image": format!("sha256:{}", "1".repeat(64)),
        "State": { "Status": "running", "Running": true, "Paused": false, "Pid": 4242 },
        "Config": { "Image": "nginx:1.27-alpine", "User": "1000:1000", "Tty": true, "OpenStdin": true, "Labels": {} },
        "HostConfig": { "NetworkMode": "bridge", "Privileged": false, "PidMode": "", "IpcMode": "private" },
        "Mounts": [],
        "NetworkSettings": { "Networks": {} },
    })
}

fn stream(mut client: &UnixStream, from: &mut impl BufRead) -> io::Result<()> {
    client.write_all(SWITCHED)?;
    let mut wanted = String::new();
    from.read_line(&mut wanted)?;
    let mut left: u64 = wanted.trim().parse().unwrap_or(0);
    let block = vec![b'x'; if left == 0 { 0 } else { BLOCK }];
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        client.write_all(block.get(..size).unwrap_or_default())?;
        left -= size as u64;
    }
    Ok(())
}
