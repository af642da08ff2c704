//! The plugin alone: clients on the daemon's own socket, and the daemon asks. What it shows is judged as at the
//! gateway; what it withholds, and what would have to be changed, is refused in words that name the gateway.

use crate::harness::daemon::{self, FakeDaemon};
use crate::harness::{Cli, Engine, Firewall, Shell, http};
use crate::subjects::certificates;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A daemon that asks, the firewall that it asks, and a shell on the daemon's own socket.
pub fn asking(engine: &mut Engine, rest: &str) -> (Firewall, Shell) {
    let firewall = answering(engine, rest);
    engine.authorize();
    let shell = Shell::new(engine.socket(), Cli::Machine);
    (firewall, shell)
}

pub fn answering(engine: &Engine, rest: &str) -> Firewall {
    let socket = engine.plugin_socket();
    Firewall::start(engine.socket(), |_| format!("plugin: {{ socket: {} }}\n{rest}", socket.display()))
}

/// What is said to a raw request.
fn said(socket: &Path, head: &str, body: &str) -> (u16, String) {
    let bytes = format!("{head}\r\nHost: d\r\nConnection: close\r\n{body}");
    let answer = http::send(socket, bytes.as_bytes());
    (answer.status(), answer.text())
}

#[test]
fn what_the_daemon_shows_is_judged() {
    let mut engine = Engine::start();
    let (firewall, shell) = asking(&mut engine, "policy:\n  preset: developer\n");
    shell.must("docker version && docker ps -a && docker images");
    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    assert_eq!(shell.must("echo hi | docker run --rm -i --network none tiny cat"), "hi");
    shell.must("docker run -d --name web --network none tiny sleep 1000");
    assert_eq!(shell.must("docker exec web echo out"), "out");
    assert_eq!(shell.must("echo in | docker exec -i web cat"), "in");
    shell.must("docker cp web:/etc/passwd . && grep -q user passwd");
    shell.must(
        "docker network create net && docker network connect net web 2>&1 | cat; docker network rm -f net 2>&1 | cat",
    );
    // What is not there is the daemon's to say: clients go by its 404.
    assert!(shell.run("docker inspect nothing").err.contains("No such object"));
    let pulled = shell.run("docker run --rm 127.0.0.1:5577/none:1 true");
    assert!(pulled.err.contains("Unable to find image"), "{pulled:?}");

    for (line, words) in [
        ("docker run --rm --privileged --network none tiny true", "may not run privileged"),
        ("docker run --rm -v /etc:/x --network none tiny true", "may not mount host path /etc"),
        ("docker run --rm --pid host --network none tiny true", "may not"),
        ("docker start nothing", "No such container: nothing"),
        ("mkdir b; echo FROM tiny >b/Dockerfile; DOCKER_BUILDKIT=0 docker build b", "through Dockwarden's gateway"),
        ("docker save tiny >t.tar && docker load <t.tar", "through Dockwarden's gateway"),
        ("docker cp /etc/passwd web:/tmp", "through Dockwarden's gateway"),
    ] {
        let refused = shell.run(line);
        assert!(refused.code != 0, "{line}: {refused:?}");
        let text = format!("{}{}", refused.out, refused.err);
        assert!(text.contains("authorization denied by plugin dockwarden: ") && text.contains(words), "{line}: {text}");
    }
    let records = firewall.records();
    let of = |operation: &str| -> Value {
        let found = records.iter().rfind(|record| record["request"]["operation"] == operation);
        found.unwrap_or_else(|| panic!("no record of {operation}")).clone()
    };
    assert!(records.iter().all(|record| record["door"] == "plugin"), "{records:?}");
    let built = of("ImageBuild");
    assert_eq!((built["outcome"].clone(), built["status"].clone()), ("refused".into(), 403.into()));
    assert_eq!(built["subject"]["user"], "socket:daemon");
    assert_eq!(built["subject"]["proof"]["kind"], "nothing");
    assert_eq!(of("ContainerExec")["outcome"], "allowed");
}

#[test]
fn what_the_daemon_withholds_is_refused() {
    let mut engine = Engine::start();
    let (_firewall, shell) = asking(&mut engine, "policy:\n  preset: developer\n");
    shell.must("docker create --name web --network none tiny sleep 1000");
    let socket = engine.socket().to_owned();
    let refused = |what: &str, (status, text): (u16, String)| {
        assert_eq!(status, 403, "{what}: {text}");
        assert!(text.contains("authorization denied by plugin dockwarden: "), "{what}: {text}");
        text
    };
    const JSON: &str = "Content-Type: application/json\r\n";
    let create = "POST /v1.41/containers/create HTTP/1.1";
    let privileged = |pad: usize| {
        format!(r#"{{"Image":"tiny","HostConfig":{{"Privileged":true}},"Env":["PAD={}"]}}"#, "x".repeat(pad))
    };
    // Seen whole, seen cut, and in chunks.
    let small = privileged(10);
    let text =
        refused("small", said(&socket, create, &format!("{JSON}Content-Length: {}\r\n\r\n{small}", small.len())));
    assert!(text.contains("may not run privileged"), "{text}");
    let large = privileged(1 << 20);
    // Newer daemons show bodies of up to 4 MiB.
    let seen_or_not = |text: &str| text.contains("gateway") || text.contains("may not run privileged");
    let text =
        refused("large", said(&socket, create, &format!("{JSON}Content-Length: {}\r\n\r\n{large}", large.len())));
    assert!(seen_or_not(&text), "{text}");
    let chunked = |head: &str, body: &str| {
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
    };
    let text = refused("large, in chunks", said(&socket, create, &chunked(JSON, &large)));
    assert!(seen_or_not(&text), "{text}");
    refused("small, in chunks", said(&socket, create, &chunked(JSON, &small)));
    refused("both lengths", said(&socket, create, &chunked(&format!("{JSON}Content-Length: 0\r\n"), &small)));

    // A form's values come before those of the query; a second type hides the first from the plugin.
    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
    let rename = "POST /containers/web/rename?name=good HTTP/1.1";
    for (what, body) in [
        ("form", format!("{FORM}Content-Length: 8\r\n\r\nname=bad")),
        ("form in chunks", chunked(FORM, "name=bad")),
        ("form behind JSON", format!("{FORM}{JSON}Content-Length: 8\r\n\r\nname=bad")),
        ("form behind JSON, in chunks", chunked(&format!("{FORM}{JSON}"), "name=bad")),
        ("form behind text, in chunks", chunked(&format!("{FORM}Content-Type: text/plain\r\n"), "name=bad")),
        ("form, both lengths", chunked(&format!("{FORM}{JSON}Content-Length: 0\r\n"), "name=bad")),
    ] {
        refused(what, said(&socket, rename, &body));
    }
    assert!(shell.must("docker ps -a --format '{{.Names}}'").contains("web"));

    // However the path is spelled, it is the same.
    for path in ["/v1.41%2fcontainers%2fcreate", "/v1.41/containers/cr%65ate", "/%76%31.41/containers/create"] {
        let head = format!("POST {path} HTTP/1.1");
        refused(path, said(&socket, &head, &format!("{JSON}Content-Length: {}\r\n\r\n{small}", small.len())));
    }
    for target in ["http://evil/v1.41/containers/create", "/v1.41/containers/create?#%zz"] {
        let head = format!("POST {target} HTTP/1.1");
        refused(target, said(&socket, &head, &format!("{JSON}Content-Length: {}\r\n\r\n{small}", small.len())));
    }
    // Two readings.
    let twice = r#"{"Image":"tiny","HostConfig":{"Privileged":true},"hostconfig":{"Memory":0}}"#;
    refused("twice", said(&socket, create, &format!("{JSON}Content-Length: {}\r\n\r\n{twice}", twice.len())));
    // Tunnels.
    refused(
        "session",
        said(&socket, "POST /session HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"),
    );
    assert_eq!(shell.must("docker ps -aq | wc -l"), "1");
}

#[test]
fn what_would_be_changed_is_refused() {
    let mut engine = Engine::start();
    let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
    let folder = place.path().display();
    std::fs::create_dir(place.path().join("real")).expect("a folder");
    std::os::unix::fs::symlink("real", place.path().join("link")).expect("a link");
    let rest = format!(
        "defaults: {{ memory: 64m, no_new_privileges: true }}\n\
         policy:\n  preset: developer\n  rules:\n    - allow: {{ mount: {folder} }}\n"
    );
    let (_firewall, shell) = asking(&mut engine, &rest);
    let run = "docker run --rm --network none";
    let good = format!("{run} -m 64m --security-opt no-new-privileges");
    shell.must(&format!("{good} -v {folder}/real/:/x tiny true"));
    for (line, words) in [
        (format!("{run} tiny true"), "say --memory 64m --security-opt no-new-privileges yourself".to_owned()),
        (format!("{good} -v {folder}/link:/x tiny true"), format!("write `{folder}/real:/x`")),
    ] {
        let refused = shell.run(&line);
        assert!(refused.code != 0 && refused.err.contains(&words), "{line}: {refused:?}");
        assert!(refused.err.contains("gateway"), "{line}: {refused:?}");
    }
    // A container by its name is the same container.
    shell.must("docker create -m 64m --security-opt no-new-privileges --name web --network none tiny true");
    shell.must("docker create -m 64m --security-opt no-new-privileges --network container:web tiny true");
}

#[test]
fn what_would_be_hidden_limited_or_counted_is_refused() {
    let mut engine = Engine::start();
    let rest = "quotas:\n  - { containers: 3 }\n\
                policy:\n  preset: developer\n  rules:\n    - deny: show\n      to: socket:daemon\n";
    let (_firewall, shell) = asking(&mut engine, rest);
    for line in ["docker ps", "docker images", "docker system df", "timeout 5 docker events --since 1m --until 1s"] {
        let refused = shell.run(line);
        assert!(refused.code != 0 && refused.err.contains("the daemon does not let its plugin"), "{line}: {refused:?}");
    }
    let refused = shell.run("docker container prune -f");
    assert!(refused.code != 0 && refused.err.contains("limits it to your own"), "{refused:?}");
    let refused = shell.run("docker create --network none tiny true");
    assert!(refused.code != 0 && refused.err.contains("you have a quota"), "{refused:?}");
    shell.must("docker version");
}

#[test]
fn the_plugin_answers_nobody_but_the_daemon_and_denies_what_is_empty() {
    let mut engine = Engine::start();
    let socket = engine.plugin_socket();
    let (firewall, shell) = asking(&mut engine, "policy:\n  preset: open\n");
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let ask = |path: &str, body: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: \r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = http::send(&socket, format!("{head}{body}").as_bytes());
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let text = answer.text();
        serde_json::from_str::<Value>(text.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
    };
    assert_eq!(ask("/Plugin.Activate", "")["Implements"][0], "authz");
    assert_eq!(ask("/AuthZPlugin.AuthZRes", "")["Allow"], true);
    for empty in ["", "{}", "null", "{", r#"{"RequestMethod":"GET","RequestURI":"/info"}"#] {
        let told = ask("/AuthZPlugin.AuthZReq", empty);
        assert!(told["Allow"] == false && told["Msg"].is_string(), "{empty}: {told}");
    }
    assert_eq!(ask("/VolumeDriver.Create", "{}")["Allow"], false);
    let good = r#"{"RequestMethod":"GET","RequestUri":"/_ping"}"#;
    assert_eq!(ask("/AuthZPlugin.AuthZReq", good), serde_json::json!({ "Allow": true }));

    // The daemon asks again until somebody is there.
    shell.must("docker ps");
    drop(firewall);
    let later = std::thread::scope(|threads| {
        let waiting = threads.spawn(|| shell.run("docker ps"));
        std::thread::sleep(std::time::Duration::from_secs(1));
        let _again = answering(&engine, "policy:\n  preset: open\n");
        waiting.join().expect("the shell")
    });
    assert_eq!(later.code, 0, "{later:?}");
}

#[test]
fn over_the_network_only_a_certificate_may_ask() {
    let fake = FakeDaemon::start(|_, client| daemon::answer(client, 200, "{}"));
    let port = 40_000 + std::process::id() % 20_000;
    let firewall = Firewall::start(&fake.socket(), |folder| {
        certificates(folder);
        let tls = "{ certificate: server.pem, key: server.key, client_ca: ca.pem }";
        format!("plugin: {{ address: '127.0.0.1:{port}', tls: {tls} }}\npolicy: {{ preset: developer }}\n")
    });
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    let folder = firewall.folder().display();
    let ask = |more: &str| {
        shell.run(&format!(
            "curl -sS --cacert {folder}/ca.pem {more} -d '{{\"RequestMethod\":\"GET\",\"RequestUri\":\"/_ping\"}}' \
             https://127.0.0.1:{port}/AuthZPlugin.AuthZReq"
        ))
    };
    let nobody = ask("");
    assert!(nobody.code != 0 && nobody.out.is_empty(), "{nobody:?}");
    let daemon = ask(&format!("--cert {folder}/alice.pem --key {folder}/alice.key"));
    assert_eq!(daemon.out.trim(), "{\"Allow\":true}", "{daemon:?}");
}

/// The plugin alone learns from the daemon's answers whose a thing is, before the client hears of it.
#[test]
fn owners_are_learned_from_answers() {
    let mut engine = Engine::start();
    let (firewall, shell) = asking(&mut engine, "policy:\n  preset: developer\n");
    shell.must("docker run -d --name web --network none -v data:/data tiny sleep 1000 && docker commit web made");
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    let admin = firewall.folder().join("admin.sock");
    let listed = shell.must(&format!("{binary} owners --socket {} list --of socket:daemon", admin.display()));
    for name in ["web", "data", "made:latest"] {
        assert!(listed.split_whitespace().any(|word| word == name), "no `{name}` in {listed}");
    }
    assert!(!listed.contains("tiny:latest"), "{listed}");
    let claimed = shell.run("docker run -d --network none --label dockwarden.owner=root tiny true");
    assert!(claimed.code != 0 && claimed.err.contains("only the firewall sets"), "{claimed:?}");
}

#[test]
fn what_is_forced_is_to_be_said() {
    let mut engine = Engine::start();
    let config = crate::harness::repository().join("examples/secdocker.yml");
    let policy = format!("policy: {{ preset: open, secdocker: {} }}\n", config.display());
    let (_firewall, shell) = asking(&mut engine, &policy);
    let refused = shell.run("docker create --network none -m 64m tiny true");
    let words = "say --memory 1g --cpus 0.25 --user 1000 --env MY_ENV=... yourself";
    assert!(refused.code != 0 && refused.err.contains(words), "{refused:?}");
    shell.must("docker create --network none --memory 1g --cpus 0.25 --user 1000 --env MY_ENV=true tiny true");
    let blocked =
        shell.run("docker create --network none --memory 1g --cpus 0.25 --user 0 --env MY_ENV=true tiny true");
    assert!(blocked.err.contains("blocked by restrictions.users: root"), "{blocked:?}");
}
