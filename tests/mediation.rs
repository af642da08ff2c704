//! Gateway and plugin together: what came through the gateway is known by its seal, and nothing else is let pass,
//! whatever socket it comes by.

use crate::harness::daemon::{self, FakeDaemon};
use crate::harness::engine::modern_engine;
use crate::harness::{Cli, Engine, Firewall, Shell, http, skipped};
use std::collections::BTreeSet;

const REQUIRED: &str = "only through Dockwarden's gateway";

#[test]
fn nobody_walks_around_the_gateway() {
    let mut engine = Engine::start();
    let plugin = engine.plugin_socket();
    let socket = plugin.display().to_string();
    let firewall = Firewall::start(engine.socket(), |_| {
        format!("plugin: {{ socket: {socket}, require: gateway }}\npolicy:\n  preset: developer\n")
    });
    engine.authorize();
    let around = Shell::new(engine.socket(), Cli::Machine);
    for line in ["docker ps", "docker run --rm tiny true", "curl -sf --unix-socket $SOCKET http://d/_ping"] {
        assert_ne!(around.run(line).code, 0, "{line}");
    }
    assert!(around.run("docker ps").err.contains(REQUIRED));

    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    assert_eq!(shell.must("(echo hi; sleep 1; echo late) | docker run --rm -i --network none tiny cat"), "hi\nlate");
    assert_eq!(
        shell.must("script -qec 'docker run --rm -t --network none tiny tty' /dev/null | tr -d '\\r'"),
        "/dev/pts/0"
    );
    shell.must("docker run -d --name web --network none tiny sleep 1000");
    assert_eq!(shell.must("echo in | docker exec -i web cat"), "in");
    shell.must("docker run -d -i --name reader --network none tiny sh -c 'read word; echo got $word; sleep 2'");
    assert_eq!(shell.must("(echo attached; sleep 4) | docker attach reader"), "got attached");
    shell.must("echo there >f && docker cp f web:/tmp/f && docker cp web:/tmp/f back && cmp f back");
    shell.must("mkdir b; printf 'FROM tiny\\nRUN echo built >/x\\n' >b/Dockerfile; DOCKER_BUILDKIT=0 docker build -q --network none -t built b");
    shell.must(
        "docker save tiny -o t.tar && docker load -i t.tar && docker logs web && docker events --since 1m --until 1s",
    );
    shell.must("docker create --network none --label x=$(head -c 100000 /dev/zero | tr '\\0' x) tiny true");
    let refused = shell.run("docker run --rm --privileged --network none tiny true");
    assert!(refused.err.contains("dockwarden: may not run privileged"), "{refused:?}");

    // Each was recorded at both doors, by the same subject.
    let records = firewall.records();
    let of = |door: &str| {
        let found =
            records.iter().filter(|record| record["door"] == door && record["request"]["operation"] == "ImageBuild");
        found.map(|record| record["subject"]["user"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((of("gateway"), of("plugin")), (vec!["root".into()], vec!["root".into()]));
}

/// BuildKit's tunnels too: the daemon takes those alone that the gateway opens.
#[test]
fn nobody_builds_around_the_gateway() {
    if modern_engine().is_none() {
        return skipped("builds around the gateway", "no ../shared/bin/modern-engine here, so no buildx");
    }
    let mut engine = Engine::start();
    let plugin = engine.plugin_socket().display().to_string();
    let firewall = Firewall::start(engine.socket(), |_| {
        format!("plugin: {{ socket: {plugin}, require: gateway }}\npolicy:\n  preset: developer\n")
    });
    engine.authorize();
    let file = "printf 'FROM tiny\\nARG N\\nRUN echo built-$N >/x\\n' >Dockerfile; printf 'target \"default\" {\\n  context = \"%s\"\\n  tags = [\"baked\"]\\n  network = \"none\"\\n}\\n' $WORK >bake.hcl; ";
    let around = Shell::new(engine.socket(), Cli::Modern);
    for line in ["docker build --network none -t around $WORK", "docker buildx bake -f $WORK/bake.hcl"] {
        let refused = around.run(&format!("{file}{line}"));
        assert!(refused.code != 0 && refused.err.contains(REQUIRED), "{line}: {refused:?}");
    }
    for path in ["/grpc", "/session", "/v1.41/grpc", "/build?version=2"] {
        let upgrade = "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n";
        let answer = http::send(engine.socket(), format!("POST {path} HTTP/1.1\r\nHost: d\r\n{upgrade}").as_bytes());
        assert!(answer.status() == 403 && answer.text().contains(REQUIRED), "{path}: {}", answer.text());
    }

    let shell = Shell::new(&firewall.socket(), Cli::Modern);
    let built = "docker run --rm --network none built cat /x";
    assert_eq!(
        shell.must(&format!("{file}docker build -q --network none --build-arg N=1 -t built $WORK >id; {built}")),
        "built-1"
    );
    assert_eq!(
        shell.must("docker buildx bake -f $WORK/bake.hcl >log 2>&1; docker run --rm --network none baked cat /x"),
        "built-"
    );
    let refused = shell.run("docker build --network host $WORK");
    assert!(refused.code != 0 && refused.err.contains("dockwarden: may not share the host's network"), "{refused:?}");
    assert_eq!(shell.must("docker images -q around"), "");
    let doors = |path: &str| {
        let records = firewall.records();
        let of = records.iter().filter(|record| record["request"]["path"].to_string().contains(path));
        of.map(|record| record["door"].as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(doors("/grpc"), ["gateway", "plugin"].map(str::to_owned).into());
}

#[test]
fn a_seal_is_good_for_one_request_once() {
    let mut engine = Engine::start();
    let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
    let key = place.path().join("key").display().to_string();
    let plugin = engine.plugin_socket().display().to_string();
    let mediation = format!("mediation: {{ key: {key} }}\npolicy:\n  preset: developer\n");
    let _plugin =
        Firewall::start(engine.socket(), |_| format!("plugin: {{ socket: {plugin}, require: gateway }}\n{mediation}"));
    engine.authorize();
    // A gateway in another process, in front of a daemon that shows what it is sent.
    let fake = FakeDaemon::start(|_, client| daemon::answer(client, 200, "{}"));
    let gateway = Firewall::start(&fake.socket(), |_| mediation.clone());
    let seal = |method: &str, path: &str, body: Option<&str>| {
        http::call(&gateway.socket(), method, path, body);
        let seen = fake.seen().pop().expect("a request");
        let seal = seen.fields.iter().find_map(|field| field.strip_prefix("X-Dockwarden-Seal: "));
        seal.expect("a seal").to_owned()
    };
    let raw = |method: &str, path: &str, seal: &str, body: &str| {
        let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nX-Dockwarden-Seal: {seal}\r\n{json}");
        let answer =
            http::send(engine.socket(), format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        (answer.status(), answer.text())
    };
    let good = seal("GET", "/v1.41/info", None);
    assert_eq!(raw("GET", "/v1.41/info", &good, "").0, 200);
    let volume = r#"{"Name":"v"}"#;
    for (what, (status, text), words) in [
        ("replayed", raw("GET", "/v1.41/info", &good, ""), "it was used before"),
        ("forged", raw("GET", "/v1.41/info", "v1;1;1;own;x;none;00", ""), "its signature is not ours"),
        ("own", raw("GET", "/v1.41/info", &good.replacen("v1", "v2", 1), ""), "version"),
        ("other target", raw("GET", "/v1.41/version", &seal("GET", "/v1.41/info", None), ""), "another request"),
        ("other method", raw("HEAD", "/v1.41/_ping", &seal("GET", "/v1.41/_ping", None), ""), ""),
        (
            "other body",
            raw(
                "POST",
                "/v1.41/volumes/create",
                &seal("POST", "/v1.41/volumes/create", Some(volume)),
                r#"{"Name":"w"}"#,
            ),
            "another body",
        ),
        ("none", raw("GET", "/v1.41/info", "", ""), ""),
    ] {
        assert!(status == 403 && text.contains(words), "{what}: {text}");
    }

    // A client's own seal goes no further than the gateway.
    let forged = "GET /v1.41/info HTTP/1.1\r\nHost: d\r\nConnection: close\r\nX-Dockwarden-Seal: mine\r\n\r\n";
    http::send(&gateway.socket(), forged.as_bytes());
    let seen = fake.seen().pop().expect("a request");
    let seals: Vec<&String> =
        seen.fields.iter().filter(|field| field.to_lowercase().contains("dockwarden-seal")).collect();
    assert!(seals.len() == 1 && !seals[0].contains("mine"), "{seals:?}");
}
