//! A thousand uploads that stop short of their end: what has come of them is not held in memory without bound.

use crate::harness::daemon::{FakeDaemon, answer};
use crate::harness::{Firewall, http};
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1_000;
/// What each sends of the mebibyte that it announces.
const SENT: usize = 255 << 10;

/// A client that sends as much as is taken from it.
struct Unfinished {
    stream: UnixStream,
    left: usize,
}

impl Unfinished {
    fn connect(socket: &Path, path: &str, kind: &str) -> Unfinished {
        let mut stream = UnixStream::connect(socket).expect("connect");
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: {kind}\r\nContent-Length: 1048576\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a head");
        stream.set_nonblocking(true).expect("a socket");
        Unfinished { stream, left: SENT }
    }

    fn send(&mut self) {
        while self.left > 0 {
            match self.stream.write(&[b' '; SENT][..self.left]) {
                Ok(written) => self.left -= written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("let go before its time: {error}"),
            }
        }
    }
}

/// What the firewall holds at most, in KiB, beyond what it held before, and how many were sent whole.
fn held(firewall: &Firewall, path: &str, kind: &str) -> (u64, usize) {
    let quiet = firewall.memory();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Unfinished::connect(&firewall.socket(), path, kind)).collect();
    let (begin, mut most) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_secs(6) {
        clients.iter_mut().for_each(Unfinished::send);
        std::thread::sleep(Duration::from_millis(100));
        most = most.max(firewall.memory());
    }
    // Others, also of the same user, are served meanwhile, and so are bodies as small as most.
    let begin = Instant::now();
    assert_eq!(http::call(&firewall.socket(), "GET", "/_ping", None).0, 200);
    assert_eq!(http::call(&firewall.socket(), "POST", "/v1.41/containers/create", Some("{\"Image\":\"a\"}")).0, 404);
    assert!(begin.elapsed() < Duration::from_secs(2), "others wait: {:?}", begin.elapsed());
    let sent = clients.iter().filter(|client| client.left == 0).count();
    println!("{path}: {quiet} KiB before, {most} KiB with {CLIENTS} unfinished ones, {sent} of which were taken whole");
    (most.saturating_sub(quiet), sent)
}

/// A firewall in front of a daemon that has no images.
fn firewall() -> (FakeDaemon, Firewall) {
    let daemon = FakeDaemon::start(|seen, to| match seen.line.contains("/_ping") {
        true => answer(to, 200, "OK"),
        false => answer(to, 404, "{\"message\":\"No such image\"}"),
    });
    let firewall = Firewall::preset(&daemon.socket(), "developer");
    (daemon, firewall)
}

#[test]
fn a_thousand_unfinished_bodies_take_no_more_than_their_share() {
    let (_daemon, mut firewall) = firewall();
    let descriptors = firewall.descriptors();
    let (bodies, _) = held(&firewall, "/v1.41/containers/create", "application/json");
    // One subject's share is 64 MiB, and each may hold a little beside it that is not counted.
    assert!(bodies < 112 << 10, "{bodies} KiB");
    firewall.has_come_to_rest(descriptors);
}

#[test]
fn a_thousand_unfinished_archives_are_on_the_disk() {
    let (_daemon, mut firewall) = firewall();
    let descriptors = firewall.descriptors();
    let (archives, sent) = held(&firewall, "/v1.41/build", "application/x-tar");
    assert_eq!(sent, CLIENTS, "not all was taken");
    // Each may hold 16 KiB that were read with its head and some 30 KiB for its connection and exchange; pieces that are
    // being written, and the threads that write, are of a few at a time, however slow the disk.
    assert!(archives < 96 << 10, "{archives} KiB");
    firewall.has_come_to_rest(descriptors);
}
