//! Attacks as people would type them: refused by preset developer with a message that names the thing, and the
//! daemon has nothing new afterwards. The demo shows the same ones.

use crate::harness::http::{self, inventory};
use crate::harness::{Cli, Engine, Firewall, Shell};
use serde_json::Value;
use std::sync::{Mutex, OnceLock};

/// One daemon for all of them, one attack at a time: what is new on the daemon is then the attack's.
static ENGINE: OnceLock<Mutex<Engine>> = OnceLock::new();

macro_rules! attacks {
    ($($test:ident: $line:expr, $words:expr;)*) => {
        $(#[test] fn $test() { refuse($line, $words); })*
    };
}

attacks! {
    privileged: "docker run --rm --network none --privileged tiny true", "privileged";
    bind_of_the_root: "docker run --rm --network none -v /:/host tiny true", "host path /";
    bind_by_mount: "docker run --rm --network none --mount type=bind,src=/etc,dst=/e tiny true", "host path /etc";
    bind_of_the_socket: "docker run --rm --network none -v /var/run/docker.sock:/s tiny true", "docker.sock";
    bind_through_a_link: "ln -s / $WORK/innocent; docker run --rm --network none -v $WORK/innocent/etc:/e tiny true", "/etc";
    pid_host: "docker run --rm --network none --pid host tiny true", "pid";
    ipc_host: "docker run --rm --network none --ipc host tiny true", "ipc";
    uts_host: "docker run --rm --network none --uts host tiny true", "uts";
    network_host: "docker run --rm --network host tiny true", "network";
    userns_host: "docker run --rm --network none --userns host tiny true", "user";
    cap_add: "docker run --rm --network none --cap-add SYS_ADMIN tiny true", "SYS_ADMIN";
    cap_add_all: "docker run --rm --network none --cap-add all tiny true", "ALL";
    device: "docker run --rm --network none --device /dev/mem tiny true", "/dev/mem";
    device_cgroup_rule: "docker run --rm --network none --device-cgroup-rule 'b *:* rwm' tiny true", "b *:* rwm";
    seccomp_unconfined: "docker run --rm --network none --security-opt seccomp=unconfined tiny true", "seccomp";
    apparmor_unconfined: "docker run --rm --network none --security-opt apparmor=unconfined tiny true", "apparmor";
    systempaths_unconfined: "docker run --rm --network none --security-opt systempaths=unconfined tiny true", "path";
    sysctl: "docker run --rm --network none --sysctl net.ipv4.ip_forward=1 tiny true", "net.ipv4.ip_forward";
    cgroup_parent: "docker run --rm --network none --cgroup-parent /x tiny true", "cgroup";
    runtime: "docker run --rm --network none --runtime evil tiny true", "evil";
    volume_that_is_a_bind: "docker volume create -o type=none -o o=bind -o device=/ v", "/";
    anonymous_volume_that_is_a_bind:
        "docker run --rm --network none --mount type=volume,dst=/h,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ tiny true", "/";
    volume_that_is_an_overlay: "docker volume create -o type=overlay -o o=lowerdir=/etc:/usr -o device=overlay v", "overlay";
    volume_of_proc: "docker volume create -o type=proc -o device=proc v", "proc";
    volume_of_nfs: "docker volume create -o type=nfs -o o=addr=192.0.2.1 -o device=:/export v", "nfs";
    network_of_the_host: "docker network create -d macvlan -o parent=eth0 n", "macvlan";
    low_port: "docker create --network none -p 22:22 tiny true", "22";
    plugin: "docker plugin install --grant-all-permissions --disable evil/plugin", "plugin";
    swarm: "docker swarm init --advertise-addr 127.0.0.1", "swarm";
    foreign_volume_driver: "docker volume create -d evil v", "evil";
    folded_keys: r#"curl -s --unix-socket $SOCKET http://d/v1.41/containers/create -H 'Content-Type: application/json' -d '{"image":"tiny","hostconfig":{"PRIVILEGED":true}}' >&2; exit 1"#, "privileged";
    keys_that_fold_beyond_ascii: r#"curl -s --unix-socket $SOCKET http://d/v1.41/containers/create -H 'Content-Type: application/json' -d '{"Image":"tiny","Ho\u017ftConfig":{"Privileged":true}}' >&2; exit 1"#, "privileged";
    duplicate_keys: r#"curl -s --unix-socket $SOCKET http://d/v1.41/containers/create -H 'Content-Type: application/json' -d '{"Image":"tiny","HostConfig":{"Privileged":true},"HostConfig":{"Memory":0}}' >&2; exit 1"#, "HostConfig";
    escaped_path: r#"curl -s --path-as-is --unix-socket $SOCKET http://d/v1.41%2fcontainers%2fcreate -H 'Content-Type: application/json' -d '{"Image":"tiny","HostConfig":{"Privileged":true}}' >&2; exit 1"#, "privileged";
    unknown_field: r#"curl -s --unix-socket $SOCKET http://d/v1.41/containers/create -H 'Content-Type: application/json' -d '{"Image":"tiny","HostConfig":{"Brandnew":true}}' >&2; exit 1"#, "Brandnew";
    unknown_operation: "curl -s -X POST --unix-socket $SOCKET http://d/v1.41/brandnew/create >&2; exit 1", "brandnew";
}

/// The line fails with a message of ours on stderr that holds the words, and nothing is new on the daemon.
fn refuse(line: &str, words: &str) {
    let engine = ENGINE.get_or_init(|| Mutex::new(Engine::start()));
    let engine = engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let before = inventory(engine.socket());
    let outcome = shell.run(line);
    let after = inventory(engine.socket());
    assert_ne!(outcome.code, 0, "`{line}` went through: {outcome:#?}");
    let said = &outcome.err;
    assert!(said.contains("dockwarden: "), "`{line}` was refused by somebody else: {said}");
    assert!(said.to_lowercase().contains(&words.to_lowercase()), "the message names no `{words}`: {said}");
    assert_eq!(before, after, "`{line}` left something on the daemon");
}

/// What a refused CLI shows is the whole message, and it is one or two lines.
#[test]
fn a_refusal_is_short_and_says_what_to_do() {
    let engine = ENGINE.get_or_init(|| Mutex::new(Engine::start()));
    let engine = engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let outcome = shell.run("docker run --rm --network none -v /etc:/e tiny true");
    assert_eq!(outcome.code, 125, "{outcome:#?}");
    let message = outcome.err.split("dockwarden: ").nth(1).expect("our message");
    let message = message.split("\nSee 'docker run").next().unwrap_or_default();
    let message = message.split("\nRun 'docker run").next().unwrap_or_default();
    assert!(message.trim().lines().count() <= 3, "{message}");
    assert!(message.contains("/etc") && message.contains("developer"), "{message}");
}

/// A container that somebody with more rights made is no way to what he may and others may not.
#[test]
fn powers_of_other_peoples_containers_are_not_to_be_had() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker volume create -o type=none -o o=bind -o device=/ hostroot");
    direct.must("docker run -d --name admin --network none -v hostroot:/h tiny sleep 1000");
    direct.must("docker run -d --name hostpid --network none --pid host tiny sleep 1000");
    direct.must("docker run -d --name side --network none --pid container:hostpid tiny sleep 1000");
    let firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    for line in [
        "docker exec admin ls /h",
        "docker cp admin:/h/etc/hostname -",
        "docker run --rm --network none --volumes-from admin tiny ls /h",
        "docker commit admin stolen",
        "docker restart -t 0 admin",
        "docker run --rm --network none --pid container:hostpid tiny ps",
        "docker run --rm --network none --pid container:side tiny ps",
        "docker exec side ps",
        "docker rename hostpid aaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let outcome = shell.run(line);
        assert_ne!(outcome.code, 0, "`{line}` went through: {outcome:?}");
        assert!(outcome.err.contains("dockwarden: "), "`{line}`: {outcome:?}");
    }
}

/// Whoever starts an exec need not be who prepared it: what it does is asked of him.
#[test]
fn an_exec_is_judged_again_when_it_starts() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker run -d --name plain --network none tiny sleep 1000");
    let firewall = Firewall::preset(engine.socket(), "developer");
    for (privileged, expected) in [(true, 403), (false, 200)] {
        let prepared = format!(r#"{{"AttachStdout":true,"Cmd":["echo","in"],"Privileged":{privileged}}}"#);
        let (status, body) = http::call(engine.socket(), "POST", "/v1.41/containers/plain/exec", Some(&prepared));
        assert_eq!(status, 201, "{body}");
        let id = serde_json::from_str::<Value>(&body).expect("JSON")["Id"].as_str().expect("an id").to_owned();
        let target = format!("/v1.41/exec/{id}/start");
        let (status, body) = http::call(&firewall.socket(), "POST", &target, Some(r#"{"Detach":true}"#));
        assert_eq!(status, expected, "Privileged {privileged}: {body}");
    }
}

/// What a rule grants can be used: run, attach, exec, restart.
#[test]
fn what_is_granted_can_be_used() {
    let engine = Engine::start();
    let firewall = Firewall::start(engine.socket(), |_| {
        "policy:\n  preset: developer\n  rules:\n    - allow: { mount: /tmp }\n".to_owned()
    });
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    assert_eq!(shell.must("docker run --rm --network none --cap-add CHOWN tiny echo hi"), "hi");
    assert_eq!(shell.must("docker run --rm --network none -v /tmp:/w tiny echo hi"), "hi");
    shell.must("docker run -d --name granted --network none -v /tmp:/w:ro tiny sleep 1000");
    assert_eq!(shell.must("docker exec granted echo in"), "in");
    shell.must("docker restart -t 0 granted");
    shell.must("docker cp granted:/bin/busybox $WORK/");
}
