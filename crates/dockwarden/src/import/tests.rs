//! Each format: an example as its documentation describes them, what is made of it (`UPDATE=1` writes that anew), and broken
//! files. What is made loads, and decides as the example says: `tests/import.rs` asks a daemon.

use std::fs;
use std::path::PathBuf;

use policy::NamedText;

use super::{Format, Manner, import};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/imports")
}

fn example(name: &str) -> NamedText {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    NamedText { name: name.to_owned(), text }
}

const EXAMPLES: &[(Format, &str)] = &[
    (Format::Docksec, "docksec.json"),
    (Format::DockerSocketProxy, "traefik.env"),
    (Format::DockerSocketProxy, "portainer.env"),
    (Format::DockerSocketProxy, "restarts.env"),
    (Format::SocketProxy, "traefik.flags"),
    (Format::SocketProxy, "runner.flags"),
    (Format::Cetusguard, "cetusguard.rules"),
    (Format::TwistlockAuthz, "policy.json"),
    (Format::Sockguard, "sockguard.yaml"),
    (Format::OpaDockerAuthz, "authz.rego"),
];

#[test]
fn examples_become_what_is_kept_here() {
    for (format, name) in EXAMPLES {
        for manner in [Manner::Guarded, Manner::Permissive] {
            if manner == Manner::Permissive && !format.is_list() {
                continue;
            }
            let made = import(*format, &example(name), manner).unwrap_or_else(|faults| panic!("{name}: {faults}"));
            let ending = if manner == Manner::Permissive { "permissive.yaml" } else { "yaml" };
            let golden = folder().join("made").join(format!("{name}.{ending}"));
            if std::env::var_os("UPDATE").is_some() {
                fs::create_dir_all(golden.parent().unwrap()).unwrap();
                fs::write(&golden, &made).unwrap();
            }
            let kept = fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(made, kept, "{}", golden.display());
        }
    }
}

/// What is made is a configuration without a fault.
#[test]
fn what_is_made_loads() {
    for (format, name) in EXAMPLES.iter().filter(|(format, _)| *format != Format::OpaDockerAuthz) {
        for manner in [Manner::Guarded, Manner::Permissive] {
            let text = import(*format, &example(name), manner).unwrap();
            let text = NamedText { name: format!("{name}.yaml"), text };
            let wishes = crate::config::Wishes { text: Some(text.clone()), only_named: true, ..Default::default() };
            if let Err(faults) = crate::config::load(&wishes) {
                panic!("{name}: {faults}\n{}", text.text);
            }
        }
    }
}

#[test]
fn what_is_not_understood_is_a_fault_with_its_place() {
    use Format::*;
    for (format, text, fault) in [
        (Docksec, "{\"plugin\": {\"commands\": [{\"cmd\": \"exek\"}]}}", "x:1:34: there is no docker command `exek`"),
        (DockerSocketProxy, "CONTAINERS=1\nCONTAINER=1", "x:2:1: the proxy has no variable `CONTAINER`"),
        (DockerSocketProxy, "POST=\"1\"", "x:1:6: `POST` is 0 or 1, not `\"1\"`"),
        (DockerSocketProxy, "EXEC", "x:1:1: this is no variable with a value"),
        (DockerSocketProxy, "EXEC=1\nEXEC=0", "x:2:1: `EXEC` is set twice, first in line 1"),
        (DockerSocketProxy, "LOG_LEVEL=loud", "x:1:11: `loud` is no level of the log"),
        (SocketProxy, "-allowGET=/containers/(.*", "x:1:1: this is no regular expression: unclosed group"),
        (
            SocketProxy,
            "-allowGET=/containers/[a-f0-9]+/json",
            "x:1:1: this lets ContainerInspect pass for some names only",
        ),
        (SocketProxy, "-allowfrom=traefik -listenip=0.0.0.0", "x:1:1: `traefik` is no address of one client"),
        (SocketProxy, "-allowGTE=/x", "x:1:1: socket-proxy has no flag `allowGTE`"),
        (SocketProxy, "allow everything", "x:1:1: `allow` is neither a flag nor a variable"),
        (SocketProxy, "-proxyport", "x:1:1: `proxyport` needs a value"),
        (SocketProxy, "'-allowGET=/x", "x:1:1: a quotation is not ended"),
        (SocketProxy, "-proxycontainername=proxy", "x:1:1: lists in the labels of containers are not read"),
        (Cetusguard, "! ping\nGET /_ping\nget /info", "x:3:1: `get` are no methods"),
        (Cetusguard, "GET %API_PREFIX_INFOS%", "x:1:5: there is no variable `%API_PREFIX_INFOS%`"),
        (Cetusguard, "GET", "x:1:1: this is no rule"),
        (TwistlockAuthz, "{\"users\":[\"a\"],\"actions\":[\"containr\"]}", "x:1:1: there is no action like `containr`"),
        (
            TwistlockAuthz,
            "{\"users\":[\"a\"],\"actions\":[\"\"],\"x\":1}",
            "x:1:33: this is no policy: unknown field `x`",
        ),
        (
            TwistlockAuthz,
            "{\"users\":[\"a\"],\"actions\":[\"\"]}\n{\"users\":[\"a\"],\"actions\":[\"\"]}",
            "x:2:1: `a` has a policy already",
        ),
        (TwistlockAuthz, "[", "x:1:1: this is no policy"),
        (Sockguard, "rules: []\nclients: {}", "x:2:1: unknown field `clients`"),
        (
            Sockguard,
            "rules:\n  - { match: { method: GET, path: /info }, action: permit }",
            "x:2:52: `action` is allow or deny, not `permit`",
        ),
        (Sockguard, "rules:\n  - { match: { method: GET, path: info }, action: allow }", "x:2:35: `info` is no path"),
        (Sockguard, "listen: { address: \":2375\" }\nrules: []", "x:1:9: sockguard would not listen there without TLS"),
        (OpaDockerAuthz, "package other\nallow = true", "x:1:1: this is package `other`, not `docker.authz`"),
        (OpaDockerAuthz, "allow = true", "x:1:1: this is no policy in Rego"),
    ] {
        let file = NamedText { name: "x".to_owned(), text: text.to_owned() };
        let faults = match import(format, &file, Manner::Guarded) {
            Ok(made) => panic!("{text} became\n{made}"),
            Err(faults) => faults.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        assert!(faults.starts_with(fault), "{text}\n{faults}\nand not\n{fault}");
    }
}

/// A comment stays one, whatever the file holds.
#[test]
fn nothing_breaks_out_of_its_line() {
    let file =
        NamedText { name: "a\nb: c".to_owned(), text: "! x\nGET /info\u{85}x: 1|/info\nGET /version".to_owned() };
    let made = import(Format::Cetusguard, &file, Manner::Guarded).unwrap();
    for line in made.lines() {
        assert!(!line.starts_with("b:") && !line.starts_with("x:"), "{made}");
    }
}
