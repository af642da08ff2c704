//! Ten thousand requests of random bytes: noise, heads with flipped bytes, cut ones, huge ones, rubbish behind a good
//! request. Seeded: a failure comes again.

use crate::harness::daemon::{FakeDaemon, Seen, answer};
use crate::harness::{Firewall, http};
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const REQUESTS: u64 = 10_000;
const THREADS: u64 = 4;
const SEED: u64 = 0x00D0_C4A2_DE17;

const PING: &str = "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
/// None of the changes is granted: whatever becomes of them by a flipped byte, the daemon must not see it.
const TEMPLATES: &[&str] = &[
    PING,
    "GET /v1.41/containers/json?all=1&limit=5 HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5\r\n\r\n",
    "HEAD /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n",
    "POST /v1.41/containers/create?name=c HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
     Content-Length: 47\r\n\r\n{\"Image\":\"t\",\"HostConfig\":{\"Privileged\":true }}",
    "POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
     Transfer-Encoding: chunked\r\n\r\n2f\r\n{\"Image\":\"t\",\"HostConfig\":{\"PidMode\":\"host\"}}  \r\n0\r\n\r\n",
    "POST /v1.41/exec/0123456789abcdef/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
     Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "POST /v1.41/swarm/leave?force=1 HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n",
];

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..=self.below(most)).map(|_| self.next() as u8).collect()
    }

    fn template(&mut self) -> Vec<u8> {
        TEMPLATES[self.below(TEMPLATES.len())].as_bytes().to_vec()
    }
}

/// The bytes of one connection.
fn request(random: &mut Random) -> Vec<u8> {
    match random.below(100) {
        0..25 => random.bytes(2048),
        25..65 => flipped(random),
        65..80 => {
            let mut bytes = random.template();
            bytes.truncate(random.below(bytes.len()));
            bytes
        }
        80..82 => huge(random),
        _ => {
            let mut bytes = PING.as_bytes().to_vec();
            bytes.extend(if random.below(2) == 0 { flipped(random) } else { random.bytes(512) });
            bytes
        }
    }
}

/// A good request in which one to four bytes are another, or one bit of them is.
fn flipped(random: &mut Random) -> Vec<u8> {
    let mut bytes = random.template();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        bytes[at] = if random.below(2) == 0 { random.next() as u8 } else { bytes[at] ^ (1 << random.below(8)) };
    }
    bytes
}

/// A head beyond all limits: one long field, or many.
fn huge(random: &mut Random) -> Vec<u8> {
    let field = match random.below(2) {
        0 => format!("X-A: {}\r\n", "a".repeat(100 << 10)),
        _ => "X-A: b\r\n".repeat(5_000),
    };
    format!("GET /_ping HTTP/1.1\r\nHost: docker\r\n{field}\r\n").into_bytes()
}

/// What came of one connection, or what is wrong with it.
fn send(socket: &Path, bytes: &[u8]) -> Result<Vec<u16>, String> {
    let mut stream = UnixStream::connect(socket).map_err(|error| error.to_string())?;
    // A refusal may come, and the connection close, before all is sent.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let answer = http::receive(&mut stream, Duration::from_secs(10), Duration::from_secs(10));
    let statuses = answer.statuses();
    let good = |status: &u16| matches!(status, 200 | 400..=499 | 501 | 505);
    match answer.closed && statuses.iter().all(good) {
        true => Ok(statuses),
        false => Err(format!("closed: {}, answered {statuses:?}: {}", answer.closed, answer.text())),
    }
}

/// Only looks may arrive, in the one form in which they are written.
fn well_formed(seen: &Seen) -> bool {
    let mut words = seen.line.split(' ');
    let (method, target, version) = (words.next(), words.next().unwrap_or_default(), words.next());
    matches!(method, Some("GET" | "HEAD"))
        && target.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_graphic())
        && version == Some("HTTP/1.1")
        && words.next().is_none()
        && seen.fields.iter().filter(|field| *field == "Host: docker").count() == 1
        && seen.fields.iter().all(|field| field.starts_with("Host: ") || field.starts_with("User-Agent: "))
        && seen.body.is_empty()
}

#[test]
fn ten_thousand_random_requests_do_no_harm() {
    let daemon = FakeDaemon::start(|seen, to| match seen.line.split(' ').nth(1) {
        Some(path) if path.ends_with("/_ping") => {
            answer(to, 200, if seen.line.starts_with("HEAD") { "" } else { "OK" })
        }
        Some(path) if path.contains("/containers/json") => answer(to, 200, "[]"),
        _ => answer(to, 404, r#"{"message":"no such thing"}"#),
    });
    let mut firewall = Firewall::preset(&daemon.socket(), "developer");
    let socket = firewall.socket();
    // What the first requests set up for good is no growth.
    assert_eq!(http::call(&socket, "GET", "/_ping", None).0, 200);
    let (descriptors, before) = (firewall.descriptors(), firewall.memory());
    let begin = Instant::now();
    let all: Vec<u16> = std::thread::scope(|scope| {
        let work = |thread: u64| {
            let mut random = Random(SEED + thread);
            let mut statuses = Vec::new();
            for _ in 0..REQUESTS / THREADS {
                let bytes = request(&mut random);
                match send(&socket, &bytes) {
                    Ok(more) => statuses.extend(more),
                    Err(what) => panic!("{what}\nto: {}", bytes.escape_ascii()),
                }
            }
            statuses
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("all answered")).collect()
    });
    let count = |status: std::ops::RangeInclusive<u16>| all.iter().filter(|found| status.contains(found)).count();
    println!(
        "{REQUESTS} requests in {:.1?}: {} answers in the 200s, {} refused",
        begin.elapsed(),
        count(200..=299),
        count(400..=599)
    );
    firewall.has_come_to_rest(descriptors);
    let after = firewall.memory();
    println!("memory: {before} KiB before, {after} KiB after");
    assert!(after < before + 16 * 1024, "{before} KiB before, {after} KiB after");
    let seen = daemon.seen();
    println!("the daemon saw {} requests, all of them looks", seen.len());
    if let Some(bad) = seen.iter().find(|seen| !well_formed(seen)) {
        panic!("this reached the daemon: {bad:?}");
    }
}
