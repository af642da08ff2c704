//! A daemon of the test's own: a raw socket that keeps what it is sent and answers whatever the test wants.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request line.
    pub line: String,
    /// The header lines.
    pub fields: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A listening daemon; see the module. Its threads end with the connections that they serve.
pub struct FakeDaemon {
    place: TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FakeDaemon {
    /// Answers each request by `answer`, which writes what it likes and says whether the connection goes on.
    pub fn start(answer: impl Fn(&Seen, &mut UnixStream) -> bool + Send + Sync + 'static) -> FakeDaemon {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        let listener = UnixListener::bind(place.path().join("daemon.sock")).expect("a socket");
        let seen = Arc::new(Mutex::default());
        let (answer, all) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (answer, all) = (Arc::clone(&answer), Arc::clone(&all));
                std::thread::spawn(move || serve(&client, &*answer, &all));
            }
        });
        FakeDaemon { place, seen }
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.place.path().join("daemon.sock")
    }

    /// All that has arrived.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test thread panicked").clone()
    }
}

fn serve(client: &UnixStream, answer: &dyn Fn(&Seen, &mut UnixStream) -> bool, all: &Mutex<Vec<Seen>>) {
    let mut from = BufReader::new(client);
    let mut to = client.try_clone().expect("a second handle");
    while let Some(request) = read(&mut from) {
        all.lock().expect("no test thread panicked").push(request.clone());
        if !answer(&request, &mut to) {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
}

pub(super) fn read(from: &mut impl BufRead) -> Option<Seen> {
    let line = read_line(from)?;
    let mut fields = Vec::new();
    loop {
        match read_line(from)? {
            field if field.is_empty() => break,
            field => fields.push(field),
        }
    }
    let named = |field: &&String| field.to_ascii_lowercase().starts_with("content-length: ");
    let length = fields.iter().find(named).and_then(|field| field.get(16..)?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Seen { line, fields, body })
}

fn read_line(from: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).ok().filter(|length| *length > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

/// Writes an answer of JSON; whether the client was there to take it.
pub fn answer(to: &mut impl Write, status: u16, body: &str) -> bool {
    let head =
        format!("HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    to.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).is_ok()
}

/// The inspection of a container: enough to be judged by.
pub fn container(id: &str) -> String {
    format!(
        r#"{{"Id":"{id}","Name":"/c","Image":"sha256:{id}","State":{{"Running":true}},"Config":{{"Image":"tiny"}},
        "HostConfig":{{"NetworkMode":"none"}},"Mounts":[]}}"#
    )
}
