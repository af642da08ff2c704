//! The daemon goes away and comes back: clients are told so, and the firewall needs no restart.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http};
use std::time::Duration;

#[test]
fn a_daemon_that_is_down_is_a_502_that_says_so_and_comes_back() {
    let mut engine = Engine::start();
    let mut firewall = Firewall::preset(engine.socket(), "developer");
    let socket = firewall.socket();
    let shell = Shell::new(&socket, Cli::from(engine.kind()));
    assert_eq!(shell.must("docker run --rm --network none tiny echo up"), "up");

    engine.kill();
    let (status, body) = http::call(&socket, "GET", "/v1.41/containers/json", None);
    assert_eq!(status, 502, "{body}");
    assert!(body.contains("dockwarden: ") && body.contains("daemon"), "{body}");
    let outcome = shell.run("docker ps");
    assert_ne!(outcome.code, 0);
    assert_eq!(http::call(&socket, "POST", "/v1.41/containers/x/start", None).0, 502);

    engine.restart();
    assert_eq!(shell.must("docker run --rm --network none tiny echo back"), "back");
    assert!(firewall.ended().is_none());
}

#[test]
fn a_stream_ends_when_the_daemon_dies() {
    let mut engine = Engine::start();
    let firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    shell.must("docker run -d --name r1 --network none tiny sleep 1000");
    shell.must("(docker logs -f r1 >$WORK/logs 2>&1; touch $WORK/ended) >/dev/null 2>&1 & (docker events >$WORK/events 2>&1; touch $WORK/ended2) >/dev/null 2>&1 & sleep 1");
    engine.kill();
    let ended = || shell.work().join("ended").exists() && shell.work().join("ended2").exists();
    assert!(eventually(Duration::from_secs(10), ended), "a client hangs on a dead daemon");
}

#[test]
fn it_starts_before_its_daemon() {
    let mut engine = Engine::start();
    engine.kill();
    let firewall = Firewall::preset(engine.socket(), "developer");
    assert_eq!(http::call(&firewall.socket(), "GET", "/v1.41/info", None).0, 502);
    engine.restart();
    assert_eq!(http::call(&firewall.socket(), "GET", "/v1.41/info", None).0, 200);
}
