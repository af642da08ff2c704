//! API versions: those that are understood are taken, and lowering the oldest brings no old powers back.

use crate::harness::http::{call, get};
use crate::harness::{Engine, Firewall, Kind};
use std::path::Path;
use std::sync::OnceLock;

static ENGINE: OnceLock<Engine> = OnceLock::new();

fn firewall(understand: &str) -> (&'static Engine, Firewall) {
    let engine = ENGINE.get_or_init(Engine::start);
    (engine, Firewall::start(engine.socket(), |_| format!("policy:\n  preset: developer\n{understand}")))
}

fn refused(socket: &Path, method: &str, path: &str, body: Option<&str>, words: &str) {
    let (status, said) = call(socket, method, path, body);
    assert!(matches!(status, 400 | 403), "{method} {path}: {status} {said}");
    assert!(said.contains("dockwarden: ") && said.contains(words), "{method} {path} says no `{words}`: {said}");
}

#[test]
fn versions_that_nobody_has_looked_at_are_refused() {
    let (_, firewall) = firewall("");
    for version in ["1.23", "1.12", "1.57", "2.0"] {
        let words = format!("API version {version} is not spoken here: use 1.24 to 1.56");
        refused(&firewall.socket(), "GET", &format!("/v{version}/containers/json"), None, &words);
    }
    assert_eq!(call(&firewall.socket(), "GET", "/v1.24/containers/json", None).0, 200);
}

#[test]
fn the_range_of_versions_is_the_administrators() {
    let (_, firewall) = firewall("understand: { oldest_api: \"1.30\", newest_api: \"1.40\" }\n");
    for version in ["1.29", "1.41"] {
        let words = "use 1.30 to 1.40";
        refused(&firewall.socket(), "GET", &format!("/v{version}/containers/json"), None, words);
    }
    for version in ["1.30", "1.40"] {
        assert_eq!(call(&firewall.socket(), "GET", &format!("/v{version}/containers/json"), None).0, 200);
    }
}

/// Daemons of old take a second `HostConfig` at a start, and one in pieces at a create.
#[test]
fn old_versions_have_no_old_powers() {
    let (engine, firewall) = firewall("understand: { oldest_api: \"1.12\" }\n");
    if engine.kind() == Kind::Modern {
        return assert_eq!(call(&firewall.socket(), "GET", "/v1.23/containers/json", None).0, 400);
    }
    let create = r#"{"Image":"tiny","Cmd":["true"],"HostConfig":{"NetworkMode":"none"}}"#;
    let (status, said) = call(&firewall.socket(), "POST", "/v1.23/containers/create?name=old", Some(create));
    assert_eq!(status, 201, "{said}");
    let start = "/v1.23/containers/old/start";
    refused(&firewall.socket(), "POST", start, Some(r#"{"Binds":["/:/host"],"Privileged":true}"#), "takes no body");
    let stored = get(engine.socket(), "/containers/old/json");
    assert_eq!((&stored["State"]["Status"], &stored["HostConfig"]["Privileged"]), (&"created".into(), &false.into()));
    let pieces = r#"{"Image":"tiny","Privileged":true,"Binds":["/:/host"]}"#;
    refused(&firewall.socket(), "POST", "/v1.18/containers/create?name=pieces", Some(pieces), "Privileged");
    assert_eq!(call(&firewall.socket(), "POST", start, None).0, 204);
    let copied = call(&firewall.socket(), "POST", "/v1.23/containers/old/copy", Some(r#"{"Resource":"/bin/busybox"}"#));
    assert_eq!(copied.0, 200, "{}", copied.1.chars().take(200).collect::<String>());
    refused(&firewall.socket(), "POST", "/v1.23/containers/old/copy", Some(r#"{"Resource":"/x","From":"/"}"#), "From");
    assert_eq!(call(engine.socket(), "DELETE", "/containers/old?force=1", None).0, 204);
}
