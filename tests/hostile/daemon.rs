//! A daemon that misbehaves: the client gets 502, 504 or a broken connection, others are served meanwhile, and
//! memory stays bounded.

use crate::harness::daemon::{FakeDaemon, Seen, answer, container};
use crate::harness::{Firewall, http};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Shorter than the firewall's own, so that the test is over soon.
const LIMITS: &str = "limits: { lookup_wait: 2s, answer_wait: 2s }\n";

/// Writes the same over and over, until nobody reads it any more.
fn endless(to: &mut UnixStream, head: &[u8], piece: &[u8]) -> bool {
    let mut alive = to.write_all(head).is_ok();
    while alive {
        alive = to.write_all(piece).is_ok();
    }
    false
}

/// One misbehaviour for each name of a container, and for the list with each filter; pings are always answered.
fn misbehave(seen: &Seen, to: &mut UnixStream) -> bool {
    let path = seen.line.split(' ').nth(1).unwrap_or_default();
    let word =
        ["garbage", "cut-head", "cut-body", "silent", "heads", "chunks", "long", "two-lengths", "interim", "big"]
            .into_iter()
            .find(|word| path.contains(word));
    match word {
        None if path.ends_with("/_ping") => answer(to, 200, "OK"),
        None => answer(to, 200, "[]"),
        Some("garbage") => to.write_all(b"\x16\x03\x01\x02\0\x01\0\0nonsense\r\n\r\n").is_ok(),
        Some("cut-head") => {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Le");
            false
        }
        Some("cut-body") => {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"Id\":");
            false
        }
        // Until the firewall lets go.
        Some("silent") => {
            let _ = to.read(&mut [0]);
            false
        }
        Some("heads") => endless(to, b"HTTP/1.1 200 OK\r\n", &b"X-A: b\r\n".repeat(1_000)),
        Some("chunks") => {
            let piece = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
            endless(to, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &piece)
        }
        Some("long") => to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]HTTP/1.1 200 OK\r\n\r\n").is_ok(),
        Some("two-lengths") => {
            to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]").is_ok()
        }
        Some("interim") => endless(to, b"", &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
        _ => {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
            endless(to, b"", &[b' '; 0x10000])
        }
    }
}

fn firewall(daemon: &FakeDaemon) -> Firewall {
    Firewall::start(&daemon.socket(), |_| format!("policy: {{ preset: developer }}\n{LIMITS}"))
}

#[test]
fn every_misbehaviour_ends_in_an_answer_or_a_close() {
    let daemon = FakeDaemon::start(misbehave);
    let mut firewall = firewall(&daemon);
    let socket = firewall.socket();
    assert_eq!(http::call(&socket, "GET", "/_ping", None).0, 200);
    let (descriptors, before) = (firewall.descriptors(), firewall.memory());
    // What it does, what the client of a list hears of it, and whoever asks for a container by that name.
    let expected: &[(&str, u16, u16)] = &[
        ("garbage", 502, 502),
        ("cut-head", 502, 502),
        ("cut-body", 0, 502),
        ("silent", 504, 504),
        ("heads", 502, 502),
        ("two-lengths", 502, 502),
        ("interim", 502, 502),
        ("chunks", 0, 502),
        ("big", 0, 502),
    ];
    std::thread::scope(|scope| {
        for (word, list, named) in expected {
            let socket = &socket;
            scope.spawn(move || {
                let begin = Instant::now();
                let filter = format!("/v1.41/containers/json?filters={{\"name\":[\"{word}\"]}}");
                match list {
                    0 => broken(socket, &filter),
                    status => assert_eq!(http::call(socket, "GET", &filter, None).0, *status, "{word}, in a list"),
                }
                let (status, body) = http::call(socket, "POST", &format!("/v1.41/containers/{word}/start"), None);
                assert_eq!(status, *named, "{word}, by name: {body}");
                assert!(begin.elapsed() < Duration::from_secs(15), "{word}: {:?}", begin.elapsed());
            });
        }
        // Meanwhile, others.
        for _ in 0..50 {
            let begin = Instant::now();
            assert_eq!(http::call(&socket, "GET", "/_ping", None).0, 200);
            assert!(begin.elapsed() < Duration::from_secs(1), "others wait: {:?}", begin.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    firewall.has_come_to_rest(descriptors);
    let after = firewall.memory();
    println!("a misbehaving daemon: {before} KiB before, {after} KiB after");
    assert!(after < before + 64 * 1024, "{before} KiB before, {after} KiB after");
}

/// An answer that never ends, or ends too early, is passed on as far as it comes, and then the connection is closed.
fn broken(socket: &std::path::Path, path: &str) {
    let mut stream = UnixStream::connect(socket).expect("connect");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n").as_bytes()).expect("a request");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
    let mut piece = vec![0; 0x10000];
    let mut got = 0;
    // The client of an endless answer is the one to end it.
    while got < 32 << 20 {
        match stream.read(&mut piece).expect("bytes or an end") {
            0 => break,
            length => got += length,
        }
    }
    assert!(piece.starts_with(b"HTTP/1.1 200") || got > piece.len(), "no head");
}

/// Sends requests one after the other on one connection.
fn ask(stream: &mut UnixStream, method: &str, path: &str) -> u16 {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    http::receive(stream, Duration::from_secs(10), Duration::from_millis(200)).status()
}

#[test]
fn what_is_said_unasked_is_nobodys_answer() {
    let daemon = FakeDaemon::start(misbehave);
    let firewall = firewall(&daemon);
    let mut stream = UnixStream::connect(firewall.socket()).expect("connect");
    let long = "/v1.41/containers/json?filters={\"name\":[\"long\"]}";
    assert_eq!(ask(&mut stream, "GET", long), 200);
    assert_eq!(ask(&mut stream, "GET", "/_ping"), 200);
    assert_eq!(ask(&mut stream, "GET", "/v1.41/containers/json"), 200);
}

#[test]
fn an_answer_that_comes_too_late_is_not_taken_for_the_next() {
    let (slow, fast) = ("a".repeat(64), "b".repeat(64));
    let (one, other) = (slow.clone(), fast.clone());
    let daemon = FakeDaemon::start(move |seen, to| {
        if seen.line.contains("/containers/slow/") {
            std::thread::sleep(Duration::from_secs(3));
            return answer(to, 200, &container(&one));
        }
        match seen.line.split(' ').next() {
            Some("GET") => answer(to, 200, &container(&other)),
            _ => answer(to, 204, ""),
        }
    });
    let firewall = firewall(&daemon);
    let mut stream = UnixStream::connect(firewall.socket()).expect("connect");
    assert_eq!(ask(&mut stream, "POST", "/v1.41/containers/slow/stop"), 504);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(ask(&mut stream, "POST", "/v1.41/containers/fast/stop"), 204);
    let stopped: Vec<_> = daemon.seen().into_iter().filter(|seen| seen.line.starts_with("POST")).collect();
    assert_eq!(stopped.len(), 1, "{stopped:?}");
    assert!(stopped[0].line.contains(&fast), "stopped another container than the one that was named: {stopped:?}");
}
