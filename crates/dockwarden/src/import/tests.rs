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
    (Format::LinuxserverSocketProxy, "restarts.env"),
    (Format::SocketProxy, "traefik.flags"),
    (Format::SocketProxy, "runner.flags"),
    (Format::Cetusguard, "cetusguard.rules"),
    (Format::TwistlockAuthz, "policy.json"),
    (Format::Sockguard, "sockguard.yaml"),
    (Format::OpaDockerAuthz, "authz.rego"),
    (Format::Secdocker, "secdocker.yml"),
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
        (DockerSocketProxy, "ALLOW_START=1", "x:1:13: `ALLOW_START` opens nothing while POST is 0"),
        (DockerSocketProxy, "ALLOW_PAUSE=1", "x:1:1: the proxy has no variable `ALLOW_PAUSE`"),
        (DockerSocketProxy, "SOCKET_PATH=docker:2375", "x:1:13: `docker:2375` is no absolute path"),
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
        // A volume by what is an id elsewhere: that is a name without anything but these letters.
        (
            Cetusguard,
            "DELETE %API_PREFIX_VOLUMES%/%VOLUME_ID%",
            "x:1:8: this lets VolumeDelete pass for some names only",
        ),
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
        (Sockguard, SOCKGUARD_LOGS, "x:2:35: sockguard does not start with ContainerLogs on the list"),
        (Sockguard, SOCKGUARD_CREATE, "x:2:36: sockguard looks into the bodies of ContainerCreate by itself"),
        (Sockguard, SOCKGUARD_BUT_ONE, "x:2:36: what this says of ContainerStop depends on a name"),
        (Sockguard, SOCKGUARD_BELOW_ONE, "x:2:35: what this says of ContainerStop depends on a name"),
        (Sockguard, SOCKGUARD_HOLE, "x:3:36: what this says of ContainerStop depends on a name"),
        (Secdocker, "plugins: [Anchore]", "x:1:11: where `Anchore` asks stands in no file"),
        (Secdocker, "restrictions: { ports: [x] }", "x:1:25: `x` is no port"),
        (Secdocker, "restrictions: { port: [1] }", "x:1:17: `restrictions` has no key `port`"),
        (
            Secdocker,
            "restrictions: { securitypolicies: [no-new-privileges] }",
            "x:1:36: no rule can say `no-new-privileges`",
        ),
        (Secdocker, "general: { memory: much }", "x:1:20: `memory` cannot be `much`"),
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

/// What no ordinary name shows: rules about single things, before and after those about all.
const SOCKGUARD_LOGS: &str = "rules:
  - { match: { method: GET, path: /containers/*/logs }, action: allow }";
const SOCKGUARD_CREATE: &str = "rules:
  - { match: { method: POST, path: /containers/create }, action: allow }";
const SOCKGUARD_BUT_ONE: &str = "rules:
  - { match: { method: POST, path: /containers/secret/stop }, action: deny }
  - { match: { method: POST, path: /containers/*/stop }, action: allow }";
const SOCKGUARD_BELOW_ONE: &str = "rules:
  - { match: { method: '*', path: '/*/secret/**' }, action: deny }
  - { match: { method: POST, path: /containers/*/stop }, action: allow }";
const SOCKGUARD_HOLE: &str = "rules:
  - { match: { method: POST, path: /*/ci-secret/stop }, action: deny }
  - { match: { method: POST, path: /containers/ci-*/stop }, action: allow }";

/// A rule that never counts, as an earlier one denies what it is about, grants nothing.
#[test]
fn the_first_rule_that_fits_decides() {
    let rules = "rules:
  - { match: { method: POST, path: /containers/** }, action: deny }
  - { match: { method: POST, path: /containers/web/stop }, action: allow }";
    let file = NamedText { name: "x".to_owned(), text: rules.to_owned() };
    let made = import(Format::Sockguard, &file, Manner::Guarded).unwrap();
    assert!(!made.contains("ContainerStop"), "{made}");
}

/// A name is one part of a path: what is below it is another operation's.
#[test]
fn a_variable_for_a_name_is_no_way_down() {
    let text = "DELETE %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%".to_owned();
    let made = import(Format::Cetusguard, &NamedText { name: "x".to_owned(), text }, Manner::Guarded).unwrap();
    assert!(made.contains("- allow: [ContainerDelete]"), "{made}");
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
