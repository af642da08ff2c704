//! Faults in policies: where, what, and what may have been meant; all at once.

use std::time::{Duration, UNIX_EPOCH};

use docker::defaults::Defaults;
use docker::endpoint::Operation;
use docker::facts::Facts;
use docker::obligation::Obligation;
use policy::{Circumstances, Decision, Mode, Policy, Sources};

use crate::support::*;

fn faults(result: Result<Policy, policy::Diagnostics>) -> String {
    result.expect_err("a fault").to_string()
}

#[test]
fn rules_tell_every_fault_and_the_nearest_word() {
    let section = "\
preset: develper
mode: enforc
rules:
  - deny: exce
  - allow: { mout: /srv }
  - allow: { mount: /srv/../etc, readonyl: true }
  - alow: privileged
  - deny: exec
    to: admns
  - allow: { capability: [CHOWN, \"SYS ADMIN\"] }
    message: [a]
  - deny: run
    on: { lable: x }
  - deny: ps
    on: { label: x }
  - deny: exec
    except: everyone
  - just words
";
    assert_eq!(
        faults(yaml(section)),
        "\
config.yaml:1:9: there is no preset `develper` (did you mean `developer`?)
config.yaml:2:7: there is no mode `enforc` (did you mean `enforce`?)
config.yaml:4:11: there is no command, operation or privilege `exce` (did you mean `exec`?)
config.yaml:5:14: a rule knows no privilege `mout` (did you mean `mount`?)
config.yaml:6:21: `/srv/../etc` is no absolute path without `.`, `..` and doubled or trailing slashes
config.yaml:6:34: `readonyl` says nothing about `mount` (did you mean `readonly`?)
config.yaml:7:5: a rule has no `alow` (did you mean `allow`?)
config.yaml:7:5: this rule neither allows nor denies (a rule begins with `allow:` or `deny:`)
config.yaml:9:9: nobody knows a user or a group `admns` (did you mean `admins`?)
config.yaml:10:34: `SYS ADMIN` is no capability
config.yaml:11:14: a message is a text, not a list
config.yaml:13:11: `on` cannot read this `lable` (did you mean `label`?)
config.yaml:15:9: `on` can say nothing about ContainerList (labels and names are those of existing containers, images, volumes and networks)
config.yaml:16:5: this rule is for nobody
config.yaml:18:5: a rule cannot be a text (write it like `- deny: exec`)"
    );
}

#[test]
fn cedar_tells_every_fault_and_the_nearest_word() {
    let policies = "\
permit (principal, action == Action::\"ContainerCreat\", resource);
permit (principal in Group::\"stff\", action == Action::\"ContainerList\", resource);
permit (principal == User::\"eve\", action, resource);

permit (principal, action == Action::\"ContainerExec\", resource) when { resource.privilegd };
forbid (principal, action, resource
  when { true };
permit (principal == ?principal, action, resource);
@id(\"a\") permit (principal, action, resource);
@id(\"a\") permit (principal, action, resource);
permit (principal, action == Action::\"ContainerList\", resource is Volume);
forbid (principal, action == Action::\"addCapability\", resource) when { context.spec.memory > 5 };
";
    compare("cedar-faults.txt", &(faults(cedar(policies)) + "\n"));
}

#[test]
fn a_policy_that_can_never_apply_is_an_error() {
    let help = "no action that it names is done to such a resource, or its conditions contradict one another";
    for never in [
        "permit (principal, action == Action::\"ContainerList\", resource is Volume);",
        "forbid (principal, action == Action::\"ContainerExec\", resource == Daemon::\"local\");",
        "forbid (principal, action, resource) when { resource is Container && resource is Volume };",
        "forbid (principal, action, resource) when { false };",
        "permit (principal, action, resource) when { false };",
    ] {
        assert_eq!(faults(cedar(never)), format!("local.cedar:1:1: this policy can never apply ({help})"), "{never}");
    }
    assert!(cedar("@message(\"nothing\") permit (principal, action, resource) when { false };").is_ok());
}

#[test]
fn what_only_may_be_misspelt_is_a_warning() {
    let warnings = |policy: Policy| policy.warnings().iter().map(ToString::to_string).collect::<Vec<_>>();
    let policy = cedar("permit (principal == User::\"eve\", action, resource);").unwrap();
    assert_eq!(warnings(policy), ["local.cedar:1:29: this host has no user `eve`"]);
    let policy = yaml("rules:\n  - deny: { capability: SYS_ADMN }\n").unwrap();
    assert_eq!(warnings(policy), ["config.yaml:2:5: there is no capability `SYS_ADMN` (did you mean `SYS_ADMIN`?)"]);
}

#[test]
fn an_error_in_evaluation_is_a_refusal() {
    let policy = cedar("@id(\"sum\") forbid (principal, action == Action::\"ContainerCreate\", resource) when { context has spec && context.spec.memory + 1 < 0 };\npermit (principal, action, resource);").unwrap();
    let mut facts = on_daemon(Operation::ContainerCreate);
    assert_eq!(verdict(&policy, &subject("bob", &[]), &facts), "allowed");
    facts.spec.as_mut().unwrap().memory = i64::MAX;
    let message = verdict(&policy, &subject("bob", &[]), &facts);
    assert!(
        message.starts_with("dockwarden: may not create containers (policy sum (local.cedar:1) cannot be evaluated: "),
        "{message}"
    );
}

#[test]
fn modes_let_pass_what_they_would_refuse() {
    for (mode, expected) in [("warn", Mode::Warn), ("record", Mode::Record)] {
        let policy = yaml(&format!("preset: none\nmode: {mode}\n")).unwrap();
        assert_eq!(policy.mode(), expected);
        let Decision::Allowed(permit) =
            policy.decide(&subject("bob", &[]), on_daemon(Operation::ContainerList), &now())
        else {
            panic!()
        };
        assert!(permit.warning().unwrap().starts_with("dockwarden: may not list containers"));
        assert!(!permit.answers()[0].allowed);
        let Decision::Allowed(permit) = policy.decide(&subject("bob", &[]), on_daemon(Operation::SystemPing), &now())
        else {
            panic!()
        };
        assert_eq!(permit.warning(), None);
    }
}

#[test]
fn time_door_address_and_version_can_be_asked_for() {
    let policy = cedar(
        "permit (principal, action == Action::\"ContainerList\", resource) when { context.time < datetime(\"2026-12-01\") };
         permit (principal, action == Action::\"ImageList\", resource) when { context has address && context.address.isInRange(ip(\"10.0.0.0/8\")) };
         permit (principal, action == Action::\"VolumeList\", resource) when { context has apiVersion && context.apiVersion.greaterThan(decimal(\"1.50\")) && context.door == \"gateway\" && context.proof == \"peer-credentials\" };",
    )
    .unwrap();
    let mut user = subject("bob", &[]);
    let at = |seconds| Circumstances { time: UNIX_EPOCH + Duration::from_secs(seconds), ..now() };
    let asks = |user: &policy::Subject, operation, circumstances: &Circumstances| {
        matches!(policy.decide(user, on_daemon(operation), circumstances), Decision::Allowed(_))
    };
    for _ in 0..2 {
        assert!(asks(&user, Operation::ContainerList, &now()));
        assert!(!asks(&user, Operation::ContainerList, &at(1_800_000_000)));
        assert!(asks(&user, Operation::VolumeList, &now()));
        assert!(!asks(&user, Operation::ImageList, &now()));
    }
    user.address = Some("10.1.2.3".parse().unwrap());
    assert!(asks(&user, Operation::ImageList, &now()));
}

#[test]
fn the_version_changes_with_everything_that_decides() {
    let version = |section: &str| yaml(section).unwrap().version().to_owned();
    let base = version("preset: none");
    assert_eq!(base, version("preset: none"));
    assert_eq!(base.len(), 16);
    assert_ne!(base, version("preset: open"));
    assert_ne!(base, version("preset: none\nmode: warn"));
    assert_ne!(base, version("preset: none\nrules: [{ allow: ps }]"));
    let grouped = Sources {
        preset: Some("none".to_owned()),
        groups: [("a".to_owned(), vec!["b".to_owned()])].into(),
        ..Sources::default()
    };
    assert_ne!(base, load(&grouped).unwrap().version());
    let limited = Sources {
        preset: Some("none".to_owned()),
        defaults: Defaults { pids: Some(512), ..Defaults::default() },
        ..Sources::default()
    };
    assert_ne!(base, load(&limited).unwrap().version());
}

#[test]
fn a_permit_tells_what_was_edited() {
    let obligations = vec![Obligation::Pids(512)];
    for mode in ["enforce", "warn"] {
        let policy = yaml(&format!("preset: open\nmode: {mode}")).unwrap();
        let facts = Facts { obligations: obligations.clone(), ..on_daemon(Operation::ContainerCreate) };
        match policy.decide(&subject("bob", &[]), facts, &now()) {
            Decision::Allowed(permit) => assert_eq!(permit.obligations(), obligations),
            Decision::Refused(refusal) => panic!("{}", refusal.message()),
        }
    }
}

#[test]
fn names_of_any_kind_are_only_names() {
    let policy = cedar("permit (principal == User::\"bob\", action, resource) when { resource is Container && resource.name == \"web\" };").unwrap();
    for name in [
        "web\"",
        "web\\",
        "\"; permit(principal,action,resource); //",
        "web\n",
        "ｗeb",
        "",
        "web\0",
        "🐳",
        "../web",
        "web *",
    ] {
        assert!(
            !allows(
                &policy,
                &subject("bob", &[]),
                &on_container(Operation::ContainerExec, &container(name, &[(name, name)]))
            ),
            "{name:?}"
        );
        assert!(
            !allows(&policy, &subject(name, &[name]), &on_container(Operation::ContainerExec, &container("web", &[]))),
            "{name:?}"
        );
    }
    assert!(allows(&policy, &subject("bob", &[]), &on_container(Operation::ContainerExec, &container("web", &[]))));
}
