//! Bytes that no client sends: each is answered in the 400s or the connection closed, none reaches the daemon,
//! and others are served meanwhile.

use crate::harness::http::{self, Answer};
use crate::harness::{Engine, Firewall};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static ENGINE: OnceLock<Engine> = OnceLock::new();

const CREATE: &str = r#"{"Image":"tiny","Cmd":["true"],"HostConfig":{"NetworkMode":"none"}}"#;

struct Bench {
    firewall: Firewall,
    name: String,
}

/// A firewall, and a container name that must never come to be.
fn bench(name: &str) -> Bench {
    let engine = ENGINE.get_or_init(Engine::start);
    Bench { firewall: Firewall::preset(engine.socket(), "developer"), name: format!("smuggled-{name}") }
}

impl Bench {
    /// A create that the policy allows, so that only its form can be what is refused.
    fn create(&self, line: &str, headers: &str, body: &str) -> Vec<u8> {
        let json = if headers.contains("Content-Type") { "" } else { "Content-Type: application/json\r\n" };
        format!("{}\r\nHost: d\r\n{json}{headers}\r\n{body}", line.replace("NAME", &self.name)).into_bytes()
    }

    fn plain(&self) -> Vec<u8> {
        self.create(
            "POST /v1.41/containers/create?name=NAME HTTP/1.1",
            &format!("Content-Length: {}\r\n", CREATE.len()),
            CREATE,
        )
    }

    fn send(&self, bytes: &[u8]) -> Answer {
        http::send(&self.firewall.socket(), bytes)
    }

    /// Sends bytes that must be answered with one of these statuses, or a close where 0 is among them.
    fn refused(&mut self, bytes: &[u8], statuses: &[u16]) {
        let answer = self.send(bytes);
        let status = answer.status();
        assert!(statuses.contains(&status), "status {status}, not one of {statuses:?}: {}", answer.text());
        assert!(status != 0 || answer.closed, "neither an answer nor a close");
        self.harmless();
    }

    /// Nothing has come of it: no such container, and the firewall is well.
    fn harmless(&mut self) {
        let daemon = ENGINE.get().expect("an engine").socket();
        let (status, _) = http::call(daemon, "GET", &format!("/containers/{}/json", self.name), None);
        assert_eq!(status, 404, "it reached the daemon: {} is there", self.name);
        assert_eq!(http::call(&self.firewall.socket(), "GET", "/_ping", None).0, 200);
        assert!(self.firewall.ended().is_none(), "the firewall ended");
        let log = self.firewall.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

#[test]
fn the_plain_create_passes() {
    let bench = bench("none");
    assert_eq!(bench.send(&bench.plain()).status(), 201);
}

macro_rules! refused {
    ($($test:ident: $line:expr, $headers:expr, $body:expr, $statuses:expr;)*) => {
        $(#[test] fn $test() {
            let mut bench = bench(stringify!($test));
            let bytes = bench.create($line, $headers, $body);
            bench.refused(&bytes, $statuses);
        })*
    };
}

const LINE: &str = "POST /v1.41/containers/create?name=NAME HTTP/1.1";

refused! {
    no_http: "hello", "", "", &[0, 400];
    unknown_version: "POST /v1.41/containers/create?name=NAME HTTP/3.7", "Content-Length: 67\r\n", CREATE, &[0, 400, 505];
    length_and_chunks: LINE, "Content-Length: 67\r\nTransfer-Encoding: chunked\r\n", &format!("43\r\n{CREATE}\r\n0\r\n\r\n"), &[0, 400];
    two_lengths: LINE, "Content-Length: 67\r\nContent-Length: 5\r\n", CREATE, &[0, 400];
    length_with_a_sign: LINE, "Content-Length: +67\r\n", CREATE, &[0, 400];
    chunked_twice: LINE, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &format!("43\r\n{CREATE}\r\n0\r\n\r\n"), &[0, 400, 501];
    chunked_by_another_name: LINE, "Transfer-Encoding: xchunked\r\n", &format!("43\r\n{CREATE}\r\n0\r\n\r\n"), &[0, 400, 501];
    broken_chunk: LINE, "Transfer-Encoding: chunked\r\n", &format!("zz\r\n{CREATE}\r\n0\r\n\r\n"), &[0, 400];
    space_before_colon: LINE, "Content-Length : 67\r\n", CREATE, &[0, 400];
    folded_header: LINE, "X-A: b\r\n Content-Length: 67\r\n", CREATE, &[0, 400];
    nul_in_header: LINE, "X-A: \0\r\nContent-Length: 67\r\n", CREATE, &[0, 400];
    path_with_dots: "POST /v1.41/containers/../containers/create?name=NAME HTTP/1.1", "Content-Length: 67\r\n", CREATE, &[301, 400, 403, 404];
    bad_escape: "POST /v1.41/containers/cre%zzate?name=NAME HTTP/1.1", "Content-Length: 67\r\n", CREATE, &[400];
    connect: "CONNECT /v1.41/containers/create?name=NAME HTTP/1.1", "Content-Length: 67\r\n", CREATE, &[0, 400, 403, 404, 405];
    name_given_twice: "POST /v1.41/containers/create?name=NAME&name=NAME HTTP/1.1", "Content-Length: 67\r\n", CREATE, &[400, 403];
    form_body: LINE, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 67\r\n", CREATE, &[400, 403];
    body_that_is_no_json: LINE, "Content-Length: 5\r\n", "{\"Ima", &[400];
    body_of_two_values: LINE, "Content-Length: 69\r\n", &format!("{CREATE}{{}}"), &[400];
    body_of_the_wrong_type: LINE, "Content-Length: 2\r\n", "[]", &[400];
    body_nested_deep: LINE, "Transfer-Encoding: chunked\r\n", &format!("4e20\r\n{}\r\n0\r\n\r\n", "[".repeat(20000)), &[400];
    no_body: LINE, "Content-Length: 0\r\n", "", &[400];
}

/// HTTP/2 is BuildKit's tunnel: what is no frame ends it, and is no request either.
#[test]
fn what_is_no_frame_ends_the_tunnel() {
    let mut bench = bench("h2");
    let bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"[..], &bench.plain()].concat();
    let answer = bench.send(&bytes);
    assert!(answer.closed, "{}", answer.text());
    bench.harmless();
}

#[test]
fn random_bytes() {
    let bytes: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    bench("random").refused(&bytes, &[0, 400]);
}

#[test]
fn a_huge_header() {
    let mut bench = bench("header");
    let bytes = bench.create(LINE, &format!("X-A: {}\r\nContent-Length: 67\r\n", "a".repeat(2 << 20)), CREATE);
    bench.refused(&bytes, &[0, 400, 431]);
}

#[test]
fn ten_thousand_headers() {
    let mut bench = bench("headers");
    let bytes = bench.create(LINE, &format!("{}Content-Length: 67\r\n", "X-A: b\r\n".repeat(10_000)), CREATE);
    bench.refused(&bytes, &[0, 400, 431]);
}

#[test]
fn a_body_over_the_limit_is_told_so() {
    let mut bench = bench("big");
    let body = CREATE.replace("true", &"x".repeat(17 << 20));
    let bytes = bench.create(LINE, &format!("Content-Length: {}\r\n", body.len()), &body);
    bench.refused(&bytes, &[413]);
    let announced = bench.create(LINE, "Content-Length: 99999999999\r\n", "{");
    bench.refused(&announced, &[413]);
}

#[test]
fn a_body_that_is_cut_off() {
    let mut bench = bench("cut");
    let bytes = bench.create(LINE, "Content-Length: 67\r\n", &CREATE[..40]);
    let mut stream = UnixStream::connect(bench.firewall.socket()).expect("connect");
    stream.write_all(&bytes).expect("bytes");
    drop(stream);
    std::thread::sleep(Duration::from_millis(300));
    bench.harmless();
}

#[test]
fn a_slow_head_is_given_up_and_others_are_served() {
    let mut bench = bench("slow");
    let head = bench.plain();
    let mut stream = UnixStream::connect(bench.firewall.socket()).expect("connect");
    let begin = Instant::now();
    let mut sent = 0;
    // The limit is 10 s for the whole head; a byte now and then must not extend it.
    while begin.elapsed() < Duration::from_secs(20) && stream.write_all(&head[sent..=sent]).is_ok() {
        sent += 1;
        let ping = Instant::now();
        assert_eq!(http::call(&bench.firewall.socket(), "GET", "/_ping", None).0, 200);
        assert!(ping.elapsed() < Duration::from_secs(1), "others wait");
        let answer = http::receive(&mut stream, Duration::from_secs(1), Duration::from_millis(10));
        if answer.closed || answer.status() == 408 {
            break;
        }
    }
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(20), "given up after {took:?}");
    bench.harmless();
}

#[test]
fn a_request_pipelined_behind_an_upgrade_goes_nowhere() {
    let mut bench = bench("upgrade");
    // Refused by the daemon: the connection stays HTTP there, so a blind tunnel would carry the second request on.
    for first in [
        "GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        "POST /v1.41/exec/0123456789ab/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let mut bytes = first.as_bytes().to_vec();
        bytes.extend(
            String::from_utf8_lossy(&bench.plain()).replace(r#"["true"]"#, r#"["true"],"Privileged":1"#).bytes(),
        );
        let answer = bench.send(&bytes);
        assert!(!answer.statuses().contains(&201), "{}", answer.text());
        bench.harmless();
    }
}

#[test]
fn a_second_request_in_one_packet_is_judged_too() {
    let mut bench = bench("second");
    let evil = CREATE.replace(r#""HostConfig":{"#, r#""HostConfig":{"Privileged":true,"#);
    let mut bytes = b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n".to_vec();
    bytes.extend(bench.create(LINE, &format!("Content-Length: {}\r\n", evil.len()), &evil));
    let answer = bench.send(&bytes);
    assert_eq!(answer.statuses().first(), Some(&200), "{}", answer.text());
    assert!(!answer.statuses().contains(&201), "{}", answer.text());
    bench.harmless();
}
