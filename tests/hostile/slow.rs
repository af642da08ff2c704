//! A thousand clients that send a byte a second.

use super::Latency;
use crate::harness::{Engine, Firewall, eventually, http};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1_000;
const REQUESTS: usize = 200;
/// Shorter than the firewall's own, so that the test is over within half a minute.
const LIMITS: &str = "limits: { head_wait: 8s, judged_body_wait: 8s }\n";

const HEAD: &str = "GET /v1.41/containers/json HTTP/1.1\r\nHost: docker\r\n\r\n";
const CREATE: &str = "POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\
                      Content-Length: 67\r\n\r\n";
const BODY: &str = r#"{"Image":"tiny","Cmd":["true"],"HostConfig":{"NetworkMode":"none"}}"#;

struct Slow {
    stream: UnixStream,
    /// What it sends, byte by byte.
    rest: std::str::Bytes<'static>,
}

impl Slow {
    /// Every other one has sent its head and is slow with its body.
    fn connect(socket: &Path, number: usize) -> Slow {
        let mut stream = UnixStream::connect(socket).expect("connect");
        let rest = if number.is_multiple_of(2) {
            HEAD.bytes()
        } else {
            stream.write_all(CREATE.as_bytes()).expect("a head");
            BODY.bytes()
        };
        Slow { stream, rest }
    }

    fn send_a_byte(&mut self) {
        let byte = self.rest.next().expect("more to send than there is time");
        let _ = self.stream.write_all(&[byte]);
    }
}

#[test]
fn a_thousand_slow_clients_keep_nobody_waiting_and_are_ended() {
    let engine = Engine::start();
    let mut firewall = Firewall::start(engine.socket(), |_| format!("policy: {{ preset: developer }}\n{LIMITS}"));
    let measure = |when: &str| {
        for path in ["/_ping", "/v1.41/containers/json"] {
            let latency = Latency::of(&firewall, path, REQUESTS);
            println!("{when}: {path}: {latency}");
            assert!(latency.median < Duration::from_millis(200), "{when}: an honest client waits: {latency}");
        }
    };
    measure("quiet");
    let (descriptors, quiet) = (firewall.descriptors(), firewall.memory());

    let begin = Instant::now();
    let mut slow: Vec<Slow> = (0..CLIENTS).map(|number| Slow::connect(&firewall.socket(), number)).collect();
    let mut loaded = 0;
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| measure("beside 1000 slow clients"));
        for second in 1..=5 {
            slow.iter_mut().for_each(Slow::send_a_byte);
            std::thread::sleep((begin + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
            loaded = loaded.max(firewall.memory());
        }
        measured.join().expect("served");
    });
    println!("memory: {quiet} KiB quiet, {loaded} KiB with them");
    assert!(loaded < quiet + 32 * 1024, "{quiet} KiB before, {loaded} KiB with the slow clients");

    // A byte now and then must not extend the limit. Each is told why, and let go.
    let told = |slow: &mut Slow| {
        slow.send_a_byte();
        http::receive(&mut slow.stream, Duration::from_secs(10), Duration::from_secs(5))
    };
    let answers: Vec<_> = slow.iter_mut().map(told).collect();
    assert!(answers.iter().all(|answer| answer.status() == 408), "{:?}", answers.iter().map(|a| a.status()).max());
    println!("all told 408 within {:.1?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(20), "ended after {:?}", begin.elapsed());
    drop(slow);
    firewall.has_come_to_rest(descriptors);
    assert!(eventually(Duration::from_secs(5), || http::call(&firewall.socket(), "GET", "/_ping", None).0 == 200));
}
