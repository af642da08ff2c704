//! Ordinary work comes out the same with the firewall as without it, but for what the policy means to refuse: every
//! scenario runs live, on a daemon of its own, once directly and once through the firewall with each of its policies.

use crate::harness::normal::{normal, without_numbers};
use crate::harness::{Engine, Firewall, KILLED, Kind, Outcome, Shell, engine, skipped};
use crate::scenarios::{self, Client, Expect, Scenario};
use std::fmt::Write;
use std::time::Instant;

macro_rules! scenarios {
    ($($test:ident => $scenario:path;)*) => {
        $(#[test] fn $test() { compare(&$scenario); })*

        /// A scenario in the docs that no test runs would be a promise without a proof.
        #[test]
        fn every_scenario_is_run() {
            let mut run = [$($scenario.name),*].to_vec();
            let mut listed: Vec<_> = scenarios::ALL.iter().map(|scenario| scenario.name).collect();
            run.sort_unstable();
            listed.sort_unstable();
            assert_eq!(run, listed);
        }
    };
}

scenarios! {
    basics => scenarios::machine::BASICS;
    containers => scenarios::containers::LIFE;
    container_misc => scenarios::containers::MISC;
    container_end => scenarios::containers::END;
    prune => scenarios::containers::PRUNE;
    run_it => scenarios::streams::RUN_IT;
    exec => scenarios::streams::EXEC;
    attach => scenarios::streams::ATTACH;
    logs => scenarios::streams::LOGS;
    events => scenarios::streams::EVENTS;
    cp => scenarios::streams::COPY;
    images => scenarios::images::IMAGES;
    export_commit => scenarios::images::EXPORT_COMMIT;
    registry => scenarios::images::REGISTRY;
    build_classic => scenarios::images::BUILD;
    build_buildkit => scenarios::builds::BUILDKIT;
    build_fetched => scenarios::builds::FETCHED;
    volumes => scenarios::machine::VOLUMES;
    networks => scenarios::machine::NETWORKS;
    system => scenarios::machine::SYSTEM;
    swarm_and_plugins => scenarios::machine::FORBIDDEN;
    compose => scenarios::clients::COMPOSE;
    old_compose => scenarios::clients::OLD_COMPOSE;
    docker_py => scenarios::clients::DOCKER_PY;
}

/// Runs a scenario both ways and tells every difference at once.
fn compare(scenario: &Scenario) {
    if matches!(scenario.client, Client::Compose | Client::Buildx) && engine::modern_engine().is_none() {
        return skipped(scenario.name, "no ../shared/bin/modern-engine here, so no docker CLI 28.5");
    }
    let Some(direct) = run(scenario, None) else {
        return skipped(scenario.name, &format!("{} is not installed", scenario.client.title()));
    };
    let mut differences = String::new();
    for policy in scenario.policies {
        let through = run(scenario, Some(policy)).expect("a client that was there a moment ago");
        for (step, (direct, through)) in scenario.steps.iter().zip(direct.iter().zip(&through)) {
            if let Some(difference) = difference(step.expect.under(policy), direct, through) {
                writeln!(differences, "\n{policy} `{}`: {difference}", step.line).expect("a string");
            }
        }
    }
    assert!(differences.is_empty(), "scenario {}:{differences}", scenario.name);
}

/// Every step's outcome on a fresh daemon, without or with a policy; `None` where the client is missing.
fn run(scenario: &Scenario, policy: Option<&str>) -> Option<Vec<Outcome>> {
    let engine = Engine::start();
    let firewall = policy.map(|policy| Firewall::start(engine.socket(), |_| format!("policy: {policy}\n")));
    let socket = firewall.as_ref().map_or_else(|| engine.socket().to_owned(), Firewall::socket);
    let shell = Shell::new(&socket, scenario.client.cli(engine.kind())).beside(&engine);
    if shell.run(scenario.client.probe()).code != 0 {
        return None;
    }
    let mut places = vec![shell.place()];
    places.extend(socket.parent());
    places.extend(engine.socket().parent());
    let inside = engine
        .socket()
        .parent()
        .and_then(|folder| folder.file_name())
        .map(|name| std::path::Path::new("/run").join(name));
    places.extend(inside.as_deref());
    let outcomes = scenario.steps.iter().map(|step| {
        let begin = Instant::now();
        let outcome = shell.run(step.line);
        println!("{:.1} s `{}`", begin.elapsed().as_secs_f32(), step.line);
        Outcome { code: outcome.code, out: normal(&outcome.out, &places), err: normal(&outcome.err, &places) }
    });
    Some(outcomes.collect())
}

fn difference(expect: Expect, direct: &Outcome, through: &Outcome) -> Option<String> {
    if direct.code == KILLED || through.code == KILLED {
        return Some(format!("did not end: {}", both(direct, through)));
    }
    match expect {
        Expect::Works if direct.code != 0 => Some(format!("fails without the firewall: {direct:#?}")),
        Expect::Same | Expect::Works | Expect::SameUnlessPreset(..) => {
            (direct != through).then(|| both(direct, through))
        }
        Expect::Alike => {
            let text = |outcome: &Outcome| (outcome.code, without_numbers(&outcome.out), without_numbers(&outcome.err));
            (text(direct) != text(through)).then(|| both(direct, through))
        }
        Expect::ById(name) => {
            let text = |outcome: &Outcome| (outcome.code, outcome.out.clone(), outcome.err.replace(name, "<id>"));
            (text(direct) != text(through)).then(|| both(direct, through))
        }
        Expect::Refused(words) => {
            let said = format!("{}{}", through.out, through.err);
            let named = words.is_empty() || (said.contains("dockwarden: ") && said.contains(words));
            let well = through.code != 0 && named;
            (!well).then(|| format!("must be refused and name `{words}`; was {through:#?}"))
        }
    }
}

fn both(direct: &Outcome, through: &Outcome) -> String {
    let mut text = format!("exit {} directly, {} through the firewall", direct.code, through.code);
    for (name, direct, through) in [("stdout", &direct.out, &through.out), ("stderr", &direct.err, &through.err)] {
        if direct != through {
            write!(text, "\n--- {name} directly\n{direct}\n--- {name} through\n{through}").expect("a string");
        }
    }
    text
}

/// Engines by name, for messages.
#[test]
fn the_engine_is_the_one_asked_for() {
    let engine = Engine::start();
    let version = crate::harness::http::get(engine.socket(), "/version");
    let version = version["Version"].as_str().unwrap_or_default().to_owned();
    match engine.kind() {
        Kind::Machine => assert!(!version.is_empty()),
        Kind::Modern => assert!(version.starts_with("28."), "{version}"),
    }
}
