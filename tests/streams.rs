//! Taken-over connections, to the last byte and the last half-close (the table of daemon-facts, section G):
//! a proxy that closes both directions at the first end loses output without an error.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

static ENGINE: OnceLock<Engine> = OnceLock::new();

struct Bench {
    shell: Shell,
    firewall: Firewall,
}

fn bench() -> Bench {
    let engine = ENGINE.get_or_init(Engine::start);
    let firewall = Firewall::preset(engine.socket(), "developer");
    Bench { shell: Shell::new(&firewall.socket(), Cli::from(engine.kind())), firewall }
}

#[test]
fn input_that_ends_comes_back() {
    assert_eq!(bench().shell.must("echo hi | docker run -i --rm --network none tiny cat"), "hi");
}

#[test]
fn output_after_the_end_of_input_arrives() {
    let line = "echo hi | docker run -i --rm --network none tiny sh -c 'cat; sleep 1; echo late'";
    assert_eq!(bench().shell.must(line), "hi\nlate");
}

#[test]
fn output_without_input_arrives() {
    assert_eq!(bench().shell.must("docker run --rm --network none tiny echo plain"), "plain");
}

#[test]
fn thirty_megabytes_pass_through_run_both_ways() {
    let bench = bench();
    let sent = bench.shell.must("head -c 30000000 /dev/urandom >$WORK/big; md5sum <$WORK/big");
    assert_eq!(bench.shell.must("docker run -i --rm --network none tiny cat <$WORK/big | md5sum"), sent);
}

#[test]
fn thirty_megabytes_pass_through_exec_and_cp() {
    let bench = bench();
    let sent = bench.shell.must("head -c 30000000 /dev/urandom >$WORK/big; md5sum <$WORK/big");
    let name = bench.shell.must("docker run -d --network none tiny sleep 1000");
    assert_eq!(bench.shell.must(&format!("docker exec -i {name} cat <$WORK/big | md5sum")), sent);
    bench.shell.must(&format!("docker cp $WORK/big {name}:/big"));
    assert_eq!(bench.shell.must(&format!("docker exec {name} md5sum /big")).replace("/big", "-"), sent);
    assert_eq!(bench.shell.must(&format!("docker cp {name}:/big - | tar -xO | md5sum")), sent);
    bench.shell.must(&format!("docker rm -f {name}"));
}

#[test]
fn save_and_load_pass_whole() {
    let bench = bench();
    let line = "docker tag tiny saved:1; docker save saved:1 | docker load";
    assert_eq!(bench.shell.must(line), "Loaded image: saved:1");
}

#[test]
fn logs_follow_live() {
    let bench = bench();
    let script = "sh -c 'for i in 1 2 3; do echo $i; sleep 1; done'";
    let name = bench.shell.must(&format!("docker run -d --network none tiny {script}"));
    let begin = Instant::now();
    assert_eq!(bench.shell.must(&format!("docker logs -f {name} | head -n 1")), "1");
    assert!(begin.elapsed() < Duration::from_secs(3), "the first line waited for the last");
    assert_eq!(bench.shell.must(&format!("docker logs -f {name}")), "1\n2\n3");
}

#[test]
fn a_terminal_is_resized() {
    let line = "script -qec \"stty rows 33 cols 111; docker run -it --rm --network none tiny \
                sh -c 'sleep 1; stty size'\" /dev/null </dev/null";
    let said = bench().shell.must(line);
    assert!(said.ends_with("33 111"), "{said}");
}

#[test]
fn detach_keys_leave_the_container_running() {
    let bench = bench();
    let name = bench.shell.must("docker run -dit --network none tiny sh");
    bench.shell.run(&format!("(sleep 1; printf '\\020\\021'; sleep 1) | script -qec 'docker attach {name}' /dev/null"));
    assert_eq!(bench.shell.must(&format!("docker inspect -f '{{{{.State.Running}}}}' {name}")), "true");
    bench.shell.must(&format!("docker rm -f {name}"));
}

#[test]
fn bytes_sent_with_the_head_are_held_until_the_daemon_listens() {
    let bench = bench();
    let body = r#"{"Image":"tiny","Cmd":["cat"],"OpenStdin":true,"StdinOnce":true,"AttachStdin":true,"Tty":false,"HostConfig":{"NetworkMode":"none"}}"#;
    let (status, answer) = http::call(&bench.firewall.socket(), "POST", "/v1.41/containers/create", Some(body));
    assert_eq!(status, 201, "{answer}");
    let created: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let id = created["Id"].as_str().expect("an id");
    assert_eq!(http::call(&bench.firewall.socket(), "POST", &format!("/v1.41/containers/{id}/start"), None).0, 204);
    let mut stream = UnixStream::connect(bench.firewall.socket()).expect("connect");
    let head = format!(
        "POST /v1.41/containers/{id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly bytes\n"
    );
    stream.write_all(head.as_bytes()).expect("the head");
    stream.shutdown(std::net::Shutdown::Write).expect("half-close");
    let answer = http::receive(&mut stream, Duration::from_secs(5), Duration::from_secs(3));
    assert_eq!(answer.status(), 101, "{}", answer.text());
    assert!(answer.text().contains("early bytes"), "lost: {}", answer.text());
    assert!(answer.closed);
}

#[test]
fn a_client_that_goes_leaves_no_connection_behind() {
    let bench = bench();
    let name = bench.shell.must("docker run -d --network none tiny sh -c 'while :; do echo tick; sleep 0.2; done'");
    let open = || std::fs::read_dir(format!("/proc/{}/fd", bench.firewall.pid())).map_or(0, Iterator::count);
    let before = open();
    for _ in 0..5 {
        bench.shell.run(&format!("timeout 1 docker logs -f {name}"));
    }
    let gone = eventually(Duration::from_secs(10), || open() <= before + 2);
    bench.shell.must(&format!("docker rm -f {name}"));
    assert!(gone, "{before} descriptors before, {} after", open());
}

/// Attach over a WebSocket is an attach: for those who may have the container's powers.
#[test]
fn a_websocket_is_judged_like_an_attach() {
    let bench = bench();
    let engine = ENGINE.get_or_init(Engine::start);
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker run -d --name ws-plain --network none tiny sh -c 'echo tick; sleep 1000'");
    direct.must("docker run -d --name ws-host --network none --pid host tiny sleep 1000");
    let attach = |name: &str| {
        let head = format!(
            "GET /v1.41/containers/{name}/attach/ws?logs=1&stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nOrigin: http://d\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let mut stream = UnixStream::connect(bench.firewall.socket()).expect("connect");
        stream.write_all(head.as_bytes()).expect("the head");
        http::receive(&mut stream, Duration::from_secs(5), Duration::from_millis(500))
    };
    let plain = attach("ws-plain");
    assert!(plain.status() == 101 && plain.text().contains("tick"), "{}", plain.text());
    let host = attach("ws-host");
    assert!(host.status() == 403 && host.text().contains("share the host's pid namespace"), "{}", host.text());
    direct.must("docker rm -f ws-plain ws-host");
}
