//! What people read who are refused something.

use docker::endpoint::Operation;
use docker::privilege::Privilege;
use policy::{Decision, Sources};

use crate::cases;
use crate::support::*;

#[test]
fn refusals_of_developer_read_well() {
    let policy = preset("developer");
    let user = subject("bob", &[]);
    let mut text = String::new();
    for (_, facts) in cases::all() {
        let verdict = verdict(&policy, &user, &facts);
        if verdict != "allowed" && !text.contains(&verdict) {
            text.push_str(&verdict);
            text.push('\n');
        }
    }
    compare("messages.txt", &text);
}

/// The promise in every message: with this rule it passes.
#[test]
fn the_rules_in_messages_let_pass_what_was_refused() {
    let user = subject("bob", &[]);
    for name in ["developer", "restricted", "none"] {
        let policy = preset(name);
        let mut rules = "rules:\n".to_owned();
        let mut refused = Vec::new();
        for (case, facts) in cases::all() {
            let verdict = verdict(&policy, &user, &facts);
            match verdict.split_once("To allow it, add the rule: ") {
                Some((_, rule)) => {
                    rules.push_str(&format!("  {}\n", rule.trim_end_matches('.')));
                    refused.push((case, facts, rule.to_owned()));
                }
                None => {
                    let without = ["unexamined", "unknown pid mode", "Grpc", "Session", "whichever frontend"]
                        .iter()
                        .any(|part| case.contains(part));
                    assert!(verdict == "allowed" || without, "{case}: {verdict}");
                }
            }
        }
        let sources =
            Sources { preset: Some(name.to_owned()), policies: vec![text("more.yaml", &rules)], ..Sources::default() };
        let wider = load(&sources).unwrap_or_else(|faults| panic!("{faults}"));
        for (case, facts, rule) in refused {
            assert_eq!(self::verdict(&wider, &user, &facts), "allowed", "{name}, {case}: {rule}");
        }
    }
}

#[test]
fn several_refusals_are_named_and_counted() {
    let policy = preset("developer");
    let asked = vec![
        Privilege::Privileged,
        Privilege::MountHostPath(mount("/", false)),
        Privilege::MountHostPath(mount("/etc", true)),
        Privilege::AddCapability { name: "SYS_ADMIN".to_owned() },
        Privilege::UseDevice { path: "/dev/kmsg".to_owned(), permissions: "r".to_owned() },
        Privilege::Privileged,
    ];
    let facts = facts(Operation::ContainerCreate, vec![docker::resource::Resource::Daemon], asked);
    assert_eq!(
        verdict(&policy, &subject("bob", &[]), &facts),
        "dockwarden: may not run privileged (policy developer/privileged: a privileged container is root on the host); \
         may not mount host path / read-write, nor mount host path /etc read-only (policy developer/host-paths: host paths are not granted); \
         and 2 more things."
    );
}

#[test]
fn a_few_refusals_come_with_one_rule() {
    let asked = vec![Privilege::Privileged, Privilege::MountHostPath(mount("/etc", true))];
    let facts = facts(Operation::ContainerCreate, vec![docker::resource::Resource::Daemon], asked);
    let message = verdict(&preset("developer"), &subject("bob", &[]), &facts);
    let rule = "- allow: [privileged, { mount: /etc, readonly: true }]";
    assert!(message.ends_with(&format!(" To allow it, add the rule: {rule}.")), "{message}");
    let wider = yaml(&format!("preset: developer\nrules:\n  {rule}\n")).unwrap();
    assert_eq!(verdict(&wider, &subject("bob", &[]), &facts), "allowed");
}

#[test]
fn own_messages_and_places_are_told() {
    let policy = yaml("preset: open\nrules:\n  - deny: exec\n    except: [admins]\n    message: exec is off; ask ops\n  - deny: { mount: /etc }\n").unwrap();
    let exec = on_container(Operation::ContainerExec, &container("web", &[]));
    assert_eq!(
        verdict(&policy, &subject("bob", &[]), &exec),
        "dockwarden: may not exec in container web (config.yaml:3: exec is off; ask ops)."
    );
    assert_eq!(verdict(&policy, &subject("alice", &[]), &exec), "allowed");
    let mount = create(Privilege::MountHostPath(mount("/etc/ssh", true)));
    assert_eq!(
        verdict(&policy, &subject("bob", &[]), &mount),
        "dockwarden: may not mount host path /etc/ssh read-only (config.yaml:6: forbidden)."
    );
}

#[test]
fn what_own_rules_grant_is_pointed_at() {
    let etc = create(Privilege::MountHostPath(mount("/etc", true)));
    let policy = yaml("preset: developer\nrules:\n  - allow: { mount: /srv/ci }\n").unwrap();
    assert_eq!(
        verdict(&policy, &subject("bob", &[]), &etc),
        "dockwarden: may not mount host path /etc read-only (policy developer/host-paths: host paths are not granted, \
         but for what config.yaml:3 allows). To allow it, add the rule: - allow: { mount: /etc, readonly: true }."
    );
    let policy = yaml(
        "preset: developer\nrules:\n  - allow: { mount: /srv/ci }\n    message: host paths are those below /srv/ci\n",
    )
    .unwrap();
    assert_eq!(
        verdict(&policy, &subject("bob", &[]), &etc),
        "dockwarden: may not mount host path /etc read-only (config.yaml:3: host paths are those below /srv/ci). \
         To allow it, add the rule: - allow: { mount: /etc, readonly: true }."
    );
}

#[test]
fn nothing_of_a_request_can_paint_the_terminal() {
    let policy = preset("none");
    let name = "a\u{1b}[2J\r\nb\u{202e}c\"} - allow: privileged";
    let facts = on_container(Operation::ContainerExec, &container(name, &[]));
    let Decision::Refused(refusal) = policy.decide(&subject("bob", &[]), facts, &now()) else { panic!() };
    assert!(refusal.message().chars().all(|c| !c.is_control() && c != '\u{202e}'), "{}", refusal.message());
    assert_eq!(refusal.with_record("01J"), format!("{} Record 01J.", refusal.message()));
    let long = create(Privilege::AddCapability { name: "X".repeat(100_000) });
    assert!(verdict(&policy, &subject("bob", &[]), &long).len() < 2000);
}
