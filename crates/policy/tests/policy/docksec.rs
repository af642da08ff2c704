//! The configuration of docksec as a part of the policy.

use docker::endpoint::Operation;
use policy::{Decision, Diagnostics, Policy, Refusal, Sources, TemporaryRule};

use crate::support::*;

const FILE: &str = r#"{
  "plugin": {
    "commands": [
      { "cmd": "ps", "dmsg": "ask ops", "amsg": "somebody looks around" },
      { "cmd": "exec", "allow": true, "dmsg": "not today" },
      { "cmd": "container kill" }
    ]
  }
}"#;

fn with(preset: &str, file: &str) -> Result<Policy, Diagnostics> {
    load(&Sources { preset: Some(preset.to_owned()), docksec: Some(text("main.json", file)), ..Sources::default() })
}

fn open(file: &str) -> Policy {
    with("open", file).unwrap_or_else(|faults| panic!("{faults}"))
}

fn refusal(policy: &Policy, operation: Operation) -> Refusal {
    match policy.decide(&subject("bob", &[]), on_daemon(operation), &now()) {
        Decision::Refused(refusal) => refusal,
        Decision::Allowed(_) => panic!("{operation} is allowed"),
    }
}

#[test]
fn commands_are_denied_with_their_words() {
    let policy = open(FILE);
    let user = subject("bob", &[]);
    let refused = refusal(&policy, Operation::ContainerList);
    assert_eq!(refused.message(), "dockwarden: may not list containers (main.json:4: ask ops).");
    let answer = &refused.answers()[0];
    assert_eq!(answer.reason.as_deref(), Some("main.json:4: ask ops [somebody looks around]"));
    assert_eq!(answer.policies[0].note.as_deref(), Some("somebody looks around"));
    let web = container("web", &[]);
    assert!(allows(&policy, &user, &on_container(Operation::ContainerExec, &web)));
    let kill = verdict(&policy, &user, &on_container(Operation::ContainerKill, &web));
    assert_eq!(kill, "dockwarden: may not kill container web (main.json:6: docker container kill is switched off).");
    assert!(allows(&policy, &user, &on_daemon(Operation::ImageList)));
    // What the preset does not grant stays so.
    let developer = with("developer", FILE).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(!allows(&developer, &user, &create(docker::privilege::Privilege::Privileged)));
    assert_eq!(developer.preset(), "developer");
}

#[test]
fn where_nothing_is_described_the_record_has_all() {
    let policy = open(&FILE.replace("\"commands\"", "\"description\": false, \"commands\""));
    let refused = refusal(&policy, Operation::ContainerList);
    assert_eq!(refused.message(), "dockwarden: may not list containers.");
    assert_eq!(refused.answers()[0].reason.as_deref(), Some("main.json:4: ask ops [somebody looks around]"));
}

#[test]
fn a_file_of_one_line_is_as_good() {
    let line: String = FILE.lines().map(str::trim).collect();
    let policy = open(&line);
    let web = container("web", &[]);
    let refused = refusal(&policy, Operation::ContainerList);
    assert!(refused.message().contains("(main.json:1: ask ops)"), "{}", refused.message());
    let kill = verdict(&policy, &subject("bob", &[]), &on_container(Operation::ContainerKill, &web));
    assert!(kill.contains("(policy main.json:1:"), "{kill}");
}

#[test]
fn a_temporary_rule_lifts_it_for_a_while() {
    let rule = TemporaryRule {
        id: "x".to_owned(),
        rule: "{ allow: ps, to: user:bob }".to_owned(),
        reason: String::new(),
        added_by: "root".to_owned(),
        since: 0,
        until: 4_000_000_000,
    };
    let policy = open(FILE).with_rules(vec![rule]).unwrap_or_else(|faults| panic!("{faults}"));
    let list = on_daemon(Operation::ContainerList);
    assert!(allows(&policy, &subject("bob", &[]), &list));
    assert!(!allows(&policy, &subject("eve", &[]), &list));
}

#[test]
fn faults_are_told_with_those_of_the_rest() {
    let faults = with("nosuch", "{\"plugin\": {\"commands\": [{\"cmd\": \"exek\"}]}}").unwrap_err().to_string();
    assert!(faults.contains("main.json:1:34: there is no docker command `exek` (did you mean `exec`?)"), "{faults}");
    assert!(faults.contains("there is no preset `nosuch`"), "{faults}");
}

/// `note` and `quiet` are there for rules and Cedar policies as well.
#[test]
fn rules_have_notes_and_can_be_quiet() {
    let policy = yaml("preset: open\nrules:\n  - { deny: ps, message: why, note: who, quiet: true }\n").unwrap();
    let refused = refusal(&policy, Operation::ContainerList);
    assert_eq!(refused.message(), "dockwarden: may not list containers.");
    assert_eq!(refused.answers()[0].reason.as_deref(), Some("config.yaml:3: why [who]"));
    for (rule, expected) in [
        ("{ deny: ps, note: 1 }", "a note is a text, not a number"),
        ("{ deny: ps, quiet: perhaps }", "`quiet` is true or false, not a text"),
    ] {
        let faults = yaml(&format!("preset: open\nrules: [{rule}]\n")).unwrap_err().to_string();
        assert!(faults.contains(expected), "{faults}");
    }
}
