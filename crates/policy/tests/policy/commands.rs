//! What it means to deny a command: the calls that were recorded of it, and no others. The table of it is in docs/commands.md.

use std::collections::BTreeSet;

use docker::endpoint::{ENDPOINTS, Endpoint, Kind, Operation};
use docker::facts::{Facts, Spec};
use docker::http::Method;
use docker::mark::MARKS;
use docker::privilege::Privilege;
use docker::resource::{Network, Resource, Thing, Volume};
use policy::Policy;

use crate::docs;
use crate::support::*;

const RECORDED: &str = include_str!("recorded-commands.txt");
const LABELS: [(&str, &str); 2] = [("com.docker.compose.project", "web"), ("com.docker.stack.namespace", "web")];

fn denying(command: &str) -> Policy {
    let rules = format!("preset: open\nrules: [{{ deny: '{command}'}}]\n");
    yaml(&rules).unwrap_or_else(|faults| panic!("{command}: {faults}"))
}

/// The same operation on plain things, and on things and in requests that bear marks.
fn variants(endpoint: &Endpoint) -> Vec<Facts> {
    let named = endpoint.path.contains('{') && endpoint.operation != Operation::SystemOptions;
    let labels: [&[(&str, &str)]; 2] = [&[], &LABELS];
    let on = |labels: &[(&str, &str)]| {
        let name = if labels.is_empty() { "x" } else { "buildx_buildkit_x0" };
        let resource = match (endpoint.kind, named || endpoint.operation == Operation::ImageCommit) {
            (_, false) | (Kind::System | Kind::Build | Kind::Session | Kind::Swarm, _) => Resource::Daemon,
            (Kind::Container | Kind::Exec, true) => Resource::Container(container(name, labels)),
            (Kind::Image | Kind::Distribution, true) if endpoint.operation == Operation::ImageCommit => {
                Resource::Container(container(name, labels))
            }
            (Kind::Image | Kind::Distribution, true) => Resource::Image(image("alpine:3.20")),
            (Kind::Volume, true) => Resource::Volume(Volume { labels: map(labels), ..volume(name) }),
            (Kind::Network, true) => Resource::Network(Network { labels: map(labels), ..network(name, "bridge") }),
            (kind, true) => Resource::Thing(Thing { labels: map(labels), ..thing(kind, name) }),
        };
        let privileges = match endpoint.operation {
            Operation::ImageCreate if labels.is_empty() => vec![Privilege::PullImage { image: image("x") }],
            Operation::ImageCreate => vec![Privilege::ImportImage { image: image("x"), from: None }],
            Operation::ImageLoad => vec![Privilege::LoadImages { unnamed: false }],
            _ => Vec::new(),
        };
        Facts { spec: None, ..facts(endpoint.operation, vec![resource], privileges) }
    };
    let mut all: Vec<Facts> = labels.map(on).into();
    let makes = [Operation::ContainerCreate, Operation::ServiceCreate, Operation::ServiceUpdate];
    if makes.contains(&endpoint.operation) {
        let spec = |name: &str, labels: &[(&str, &str)]| Facts {
            spec: Some(Spec { name: name.to_owned(), labels: map(labels), ..Spec::default() }),
            ..on(&[])
        };
        let one_off = [LABELS[0], ("com.docker.compose.oneoff", "True")];
        all.extend([spec("x", &LABELS), spec("x", &one_off), spec("buildx_buildkit_x0", &[])]);
    }
    let marked = MARKS.iter().map(|mark| Facts { marks: vec![mark], ..on(&[]) });
    all.extend(marked);
    all
}

/// Which operations each of these commands denies, at least in some variant: all denied at once, each in a line of its own.
fn denied(commands: &[&str]) -> Vec<BTreeSet<&'static str>> {
    let rules: String = commands.iter().map(|command| format!("  - deny: {command}\n")).collect();
    let policy = yaml(&format!("preset: open\nrules:\n{rules}")).unwrap_or_else(|faults| panic!("{faults}"));
    let user = subject("bob", &[]);
    let mut denied = vec![BTreeSet::new(); commands.len()];
    for endpoint in ENDPOINTS {
        for facts in variants(endpoint) {
            let judgement = policy.judge(&user, &facts, &now());
            for forbid in judgement.refused().flat_map(|answer| &answer.policies) {
                let line: usize = forbid.origin.trim_start_matches("config.yaml:").parse().unwrap();
                denied[line - 3].insert(endpoint.operation.name());
            }
        }
    }
    denied
}

/// `GET /images/{name}/json`
fn operation(call: &str) -> &'static str {
    let (method, path) = call.split_once(' ').unwrap();
    let plain = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => panic!("{other}"),
    };
    let found = ENDPOINTS.iter().find(|endpoint| endpoint.method == method && plain(endpoint.path) == plain(path));
    found.unwrap_or_else(|| panic!("no end point for {call}")).operation.name()
}

#[test]
fn to_deny_a_command_denies_what_it_was_recorded_to_send() {
    let rows = RECORDED.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    // `port` alone is what is published.
    let names = rows.iter().flat_map(|row| row[0].split(", ")).filter(|name| *name != "port");
    let names: Vec<&str> = names.collect();
    let denied = denied(&names);
    for row in rows {
        let column = |number: usize| row.get(number).copied().unwrap_or_default();
        let calls = column(1).split(", ").filter(|call| !call.is_empty());
        let mut expected: BTreeSet<&str> = calls.map(operation).collect();
        for difference in column(2).split_whitespace() {
            match difference.split_at(1) {
                ("+", name) => assert!(expected.insert(name), "{row:?}"),
                (_, name) => assert!(expected.remove(name), "{row:?}"),
            }
        }
        for name in column(0).split(", ") {
            let at = names.iter().position(|other| *other == name);
            assert!(at.is_none_or(|at| denied[at] == expected), "{name}: {at:?}, expected {expected:?}");
        }
    }
}

/// Commands that share an end point are told apart where a request tells.
#[test]
fn marks_tell_commands_apart() {
    let user = subject("bob", &[]);
    let service = |marks: Vec<&'static str>| Facts {
        marks,
        ..facts(Operation::ServiceUpdate, vec![Resource::Thing(thing(Kind::Service, "web"))], Vec::new())
    };
    let swarm = |marks: Vec<&'static str>| Facts { marks, ..on_daemon(Operation::SwarmUpdate) };
    let node = |mark: &'static str| Facts {
        marks: vec![mark],
        ..facts(Operation::NodeUpdate, vec![Resource::Thing(thing(Kind::Node, "n"))], Vec::new())
    };
    let image_from = |privilege: Privilege| facts(Operation::ImageCreate, vec![Resource::Daemon], vec![privilege]);
    let pull = || image_from(Privilege::PullImage { image: image("x") });
    let import = || image_from(Privilege::ImportImage { image: image("x"), from: None });
    let create = |labels: &[(&str, &str)]| Facts {
        spec: Some(Spec { labels: map(labels), ..Spec::default() }),
        ..on_daemon(Operation::ContainerCreate)
    };
    let (project, one_off) = (LABELS[0], ("com.docker.compose.oneoff", "True"));
    let exec = |labels: &[(&str, &str)]| on_container(Operation::ContainerExec, &container("x", labels));
    let stop = |name: &str| on_container(Operation::ContainerStop, &container(name, &[]));
    for (command, denied, passes) in [
        ("service rollback", service(vec!["rollback"]), service(vec![])),
        ("service update", service(vec![]), service(vec!["rollback"])),
        ("service scale", service(vec![]), service(vec!["rollback"])),
        ("swarm join-token", swarm(vec!["rotate-token"]), swarm(vec![])),
        ("swarm join-token --rotate", swarm(vec!["rotate-token"]), on_daemon(Operation::SwarmInspect)),
        ("swarm unlock-key --rotate", swarm(vec!["rotate-key"]), swarm(vec!["rotate-token"])),
        ("swarm ca --rotate", swarm(vec!["rotate-ca"]), swarm(vec!["rotate-key"])),
        ("swarm unlock-key", on_daemon(Operation::SwarmUnlockkey), on_daemon(Operation::SwarmInspect)),
        // A rotation brings new options with it, so who may not set options may not rotate.
        ("swarm update", swarm(vec!["rotate-token"]), on_daemon(Operation::SwarmInspect)),
        ("node promote", node("manager"), node("worker")),
        ("node demote", node("worker"), node("manager")),
        ("pull", pull(), import()),
        ("import", import(), pull()),
        ("compose up", create(&[project]), create(&[])),
        ("compose up", create(&[project]), create(&[project, one_off])),
        ("compose run", create(&[project, one_off]), create(&[project])),
        ("compose exec", exec(&[project]), exec(&[])),
        ("buildx stop", stop("buildx_buildkit_x0"), stop("web")),
        ("stack rm", removal(&LABELS), removal(&[])),
    ] {
        let policy = denying(command);
        assert!(!allows(&policy, &user, &denied), "{command} is not denied");
        assert!(allows(&policy, &user, &passes), "{command} denies too much");
    }
}

fn removal(labels: &[(&str, &str)]) -> Facts {
    let service = Thing { labels: map(labels), ..thing(Kind::Service, "web") };
    facts(Operation::ServiceDelete, vec![Resource::Thing(service)], Vec::new())
}

#[test]
fn what_is_denied_beside_is_told_when_a_rule_is_read() {
    let warnings = |rule: &str| {
        let policy = yaml(&format!("preset: open\nrules:\n  - {rule}\n")).unwrap_or_else(|faults| panic!("{faults}"));
        policy.warnings().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let told = warnings("deny: run");
    assert!(told[0].starts_with("config.yaml:3:11: with `run` go other commands: "), "{told:?}");
    assert!(told[0].contains("`create`") && told[0].contains("`compose up`"), "{told:?}");
    let told = warnings("deny: ps");
    assert!(told[0].contains("`compose ls`, `compose port`, `compose ps` (the same request)"), "{told:?}");
    let told = warnings("deny: context use");
    assert_eq!(
        told,
        [
            "config.yaml:3:11: nothing can deny `context use`: it asks the daemon for nothing of its own (the client does it by \
          itself, or sends what others say: leave it out)"
        ]
    );
    assert_eq!(warnings("deny: tag"), [] as [&str; 0]);
    assert_eq!(warnings("allow: run"), [] as [&str; 0]);
    let unknown = yaml("preset: open\nrules:\n  - deny: containr logs\n").unwrap_err().to_string();
    assert!(unknown.contains("did you mean `container logs`?"), "{unknown}");
}

#[test]
fn the_commands_are_in_the_docs() {
    docs::compare("commands.md", "commands", &policy::command_table());
}
