//! Names, and what is put into a bundle.

use super::bundle;
use crate::engine::{is_own, local, own_name, tagged};
use std::path::Path;

#[test]
fn names_are_those_that_the_policy_guards() {
    for name in ["dockwarden", "dockwarden:latest", "team/dockwarden:1.0", "registry.test:5000/a/dockwarden:x"] {
        assert!(own_name(name).is_ok() && is_own(name), "{name}");
    }
    for name in [
        "",
        "fw",
        "dockwarden-2",
        "dockwarden/fw:1",
        "a/b",
        "Dockwarden",
        "dockwarden/..",
        "x?/dockwarden",
        "a b/dockwarden",
    ] {
        assert!(own_name(name).is_err(), "{name}");
    }
    assert_eq!(tagged("dockwarden"), "dockwarden:latest");
    assert_eq!(tagged("registry.test:5000/dockwarden"), "registry.test:5000/dockwarden:latest");
    assert_eq!(tagged("a/dockwarden:1"), "a/dockwarden:1");
}

#[test]
fn only_a_daemon_of_this_host() {
    assert_eq!(local("unix:///run/docker.sock"), Ok("/run/docker.sock".into()));
    assert!(local("tcp://127.0.0.1:2375").is_err() && local("docker.sock").is_err());
}

#[test]
fn a_bundle_has_what_its_program_needs_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("plugin");
    let made = bundle::write(&folder, &std::env::current_exe().unwrap()).unwrap();
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["interface"]["types"][0], "docker.authz/1.0");
    assert_eq!(config["entrypoint"][0], "/dockwarden");
    assert!(config["linux"]["capabilities"].as_array().unwrap().is_empty());
    for file in made.libraries.iter().map(|path| path.strip_prefix("/").unwrap()).chain([Path::new("dockwarden")]) {
        assert!(folder.join("rootfs").join(file).metadata().unwrap().is_file(), "{file:?}");
    }
    assert!(bundle::write(&folder, &std::env::current_exe().unwrap()).is_err(), "it is not empty");
    assert!(bundle::write(&place.path().join("x"), Path::new("/etc/passwd")).is_err());
}
