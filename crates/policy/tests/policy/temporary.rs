//! Rules that end by themselves: what they deny, what they grant, what they lift and what they do not.

use std::time::Duration;

use docker::endpoint::{Kind, Operation};
use docker::facts::Facts;
use docker::privilege::Privilege;
use docker::resource::Resource;
use policy::{Circumstances, Decision, Directory, Policy, Sources, Subject, TemporaryRule};

use crate::support::*;

/// In seconds since 1970, a hundred seconds after [`now`].
const END: u64 = 1_795_345_972;

fn kept(id: &str, rule: &str, reason: &str) -> TemporaryRule {
    let (rule, reason, added_by) = (rule.to_owned(), reason.to_owned(), "root".to_owned());
    TemporaryRule { id: id.to_owned(), rule, reason, added_by, since: END - 200, until: END }
}

/// As they would be added, one after the other.
fn with(policy: &Policy, rules: &[&str]) -> Policy {
    let settle = |(at, rule): (usize, &&str)| kept(&format!("r{at}"), &settled(policy, rule), "");
    let rules = rules.iter().enumerate().map(settle).collect();
    policy.with_rules(rules).unwrap_or_else(|faults| panic!("{faults}"))
}

fn settled(policy: &Policy, rule: &str) -> String {
    policy.read_rule(rule, &host()).unwrap_or_else(|faults| panic!("{rule}: {faults}")).0
}

fn host() -> Directory<'static> {
    Directory {
        is_group: &|name| ["docker", "staff"].contains(&name),
        is_user: &|name| ["root", "bob"].contains(&name),
        names: vec!["docker".to_owned()],
    }
}

fn later(policy: &Policy, subject: &Subject, facts: &Facts, seconds: u64) -> bool {
    let now = now();
    let circumstances = Circumstances { time: now.time + Duration::from_secs(seconds), ..now };
    matches!(policy.decide(subject, facts.clone(), &circumstances), Decision::Allowed(_))
}

fn exec() -> Facts {
    on_container(Operation::ContainerExec, &container("web", &[("owner", "ci")]))
}

fn at(path: &str, read_only: bool) -> Facts {
    create(Privilege::MountHostPath(mount(path, read_only)))
}

#[test]
fn what_is_denied_is_refused_to_the_second_with_the_reason_and_the_end() {
    let open = preset("open");
    let rule = kept("7q3k9xmz", &settled(&open, "{ deny: exec, to: bob }"), "database migration");
    let policy = open.with_rules(vec![rule]).unwrap();
    let bob = subject("bob", &[]);
    assert_eq!(
        verdict(&policy, &bob, &exec()),
        "dockwarden: may not exec in container web (policy rules/7q3k9xmz: database migration, until 2026-11-22T11:12:52Z)."
    );
    assert!(!later(&policy, &bob, &exec(), 99));
    assert!(later(&policy, &bob, &exec(), 100));
    assert!(allows(&policy, &subject("root", &[]), &exec()));
    assert!(allows(&policy, &bob, &on_container(Operation::ContainerStop, &container("web", &[]))));
}

/// Answers about the daemon as a whole are remembered, but not while a rule that ends is about them.
#[test]
fn nothing_is_remembered_past_the_end() {
    let (bob, list) = (subject("bob", &[]), on_daemon(Operation::ContainerList));
    let denied = with(&preset("open"), &["{ deny: ps }"]);
    let lifted = with(&yaml("preset: open\nrules:\n  - deny: ps\n").unwrap(), &["{ allow: ps }"]);
    for (seconds, denies) in [(0, true), (99, true), (100, false), (0, true)] {
        assert_eq!(later(&denied, &bob, &list, seconds), !denies);
        assert_eq!(later(&lifted, &bob, &list, seconds), denies);
    }
}

#[test]
fn every_other_rule_has_its_words_too() {
    let open = preset("open");
    let said = |rule: &str, reason: &str| {
        let policy = open.with_rules(vec![kept("r", &settled(&open, rule), reason)]).unwrap();
        let said = verdict(&policy, &subject("bob", &[]), &exec());
        said.split_once("rules/r: ").unwrap().1.to_owned()
    };
    assert_eq!(said("{ deny: exec }", ""), "forbidden for a while, until 2026-11-22T11:12:52Z).");
    assert_eq!(said("{ deny: exec, message: ask ops }", "x"), "ask ops, until 2026-11-22T11:12:52Z).");
}

#[test]
fn what_is_allowed_is_granted_for_a_while_and_lifts_what_rules_deny() {
    let policy =
        yaml("preset: developer\nrules:\n  - deny: exec\n    except: [admins]\n    message: ask ops\n").unwrap();
    let (bob, carol) = (subject("bob", &[]), subject("carol", &[]));
    assert!(!allows(&policy, &bob, &exec()) && allows(&policy, &subject("alice", &[]), &exec()));
    let lifted = with(&policy, &["{ allow: exec, to: bob }"]);
    assert!(allows(&lifted, &bob, &exec()) && later(&lifted, &bob, &exec(), 99));
    assert!(!later(&lifted, &bob, &exec(), 100), "not after its end");
    assert!(!allows(&lifted, &carol, &exec()), "not for others");
    assert!(verdict(&lifted, &carol, &exec()).contains("ask ops"), "{}", verdict(&lifted, &carol, &exec()));
    assert!(allows(&lifted, &subject("alice", &[]), &exec()), "what was excepted still is");
}

#[test]
fn what_a_group_may_its_members_may_and_who_is_excepted_may_not() {
    let policy = yaml("preset: developer\nrules:\n  - deny: exec\n").unwrap();
    let lifted = with(&policy, &["{ allow: exec, to: [staff, ci], except: [bob] }"]);
    assert!(allows(&lifted, &subject("carol", &["staff"]), &exec()));
    assert!(allows(&lifted, &subject("runner", &[]), &exec()), "a group of the configuration");
    assert!(!allows(&lifted, &subject("bob", &["staff"]), &exec()));
    assert!(!allows(&lifted, &subject("carol", &[]), &exec()));
}

#[test]
fn only_the_same_thing_is_lifted() {
    let policy = yaml("preset: developer\nrules:\n  - allow: { mount: /srv }\n  - deny: [{ mount: /srv/secret }, exec, { capability: CHOWN }]\n").unwrap();
    let bob = subject("bob", &[]);
    let lifted = with(&policy, &["{ allow: { mount: /srv/secret/ci, readonly: true } }"]);
    assert!(allows(&lifted, &bob, &at("/srv/secret/ci/a", true)));
    assert!(!allows(&lifted, &bob, &at("/srv/secret/ci/a", false)), "only to read");
    assert!(!allows(&lifted, &bob, &at("/srv/secret", true)) && !allows(&lifted, &bob, &at("/srv/secret/cix", true)));
    assert!(!allows(&lifted, &bob, &exec()));
    let by_label = with(&policy, &["{ allow: exec, on: { label: { owner: ci } } }"]);
    assert!(allows(&by_label, &bob, &exec()));
    assert!(!allows(&by_label, &bob, &on_container(Operation::ContainerExec, &container("db", &[]))));
    let everything = with(&policy, &["{ allow: everything, to: bob }"]);
    assert!(allows(&everything, &bob, &exec()) && allows(&everything, &bob, &at("/srv/secret", false)));
    assert!(allows(&everything, &bob, &create(Privilege::Privileged)));
}

#[test]
fn what_cedar_files_presets_and_temporary_rules_forbid_stays_forbidden() {
    let bob = subject("bob", &[]);
    let cedar = load(&Sources {
        policies: vec![text(
            "local.cedar",
            "forbid (principal, action == Action::\"ContainerExec\", resource);\nforbid (principal, action == Action::\"ExecStart\", resource);",
        )],
        ..Sources::default()
    })
    .unwrap();
    assert!(!allows(&with(&cedar, &["{ allow: exec }"]), &bob, &exec()));
    let denied = with(&preset("developer"), &["{ deny: exec }", "{ allow: exec, to: bob }"]);
    assert!(!allows(&denied, &bob, &exec()));
}

#[test]
fn a_file_of_rules_is_lifted_as_the_configuration_is() {
    let rules = load(&Sources { policies: vec![text("more.yaml", "- deny: exec\n")], ..Sources::default() }).unwrap();
    let bob = subject("bob", &[]);
    assert!(!allows(&rules, &bob, &exec()));
    assert!(allows(&with(&rules, &["{ allow: exec, to: bob }"]), &bob, &exec()));
}

#[test]
fn the_version_goes_with_the_rules_and_comes_back() {
    let policy = preset("developer");
    let denied = with(&policy, &["{ deny: exec }"]);
    let lifted = with(&policy, &["{ allow: exec }"]);
    assert_ne!(policy.version(), denied.version());
    assert_ne!(denied.version(), lifted.version());
    let again = denied.with_rules(Vec::new()).unwrap();
    assert_eq!((again.version(), again.count()), (policy.version(), policy.count()));
    assert_eq!(lifted.rules().len(), 1);
    assert_eq!(again.rules().len(), 0);
}

#[test]
fn names_are_settled_when_a_rule_is_added() {
    let policy = yaml("preset: developer\n").unwrap();
    for (rule, expected) in [
        ("{ deny: exec }", "{ deny: exec, to: everyone }"),
        ("deny: exec\nto: [bob, staff, ci]\n", "{ deny: exec, to: [user:bob, group:staff, group:ci] }"),
        ("{ deny: exec, to: user:eve, except: [uid:7] }", "{ deny: exec, to: user:eve, except: user:uid:7 }"),
        (
            "{ allow: { mount: /srv, readonly: true }, message: 'a: b' }",
            r#"{ allow: { mount: /srv, readonly: true }, message: "a: b", to: everyone }"#,
        ),
        (
            r#"{ allow: [rm, { image: "*" }, { port: 8080 }] }"#,
            r#"{ allow: [rm, { image: "*" }, { port: 8080 }], to: everyone }"#,
        ),
        ("{ deny: rm, on: { label: { a: 'true' } } }", r#"{ deny: rm, on: { label: { a: "true" } }, to: everyone }"#),
    ] {
        let once = settled(&policy, rule);
        assert_eq!(once, expected);
        assert_eq!(settled(&policy, &once), once, "it means the same read again");
    }
}

#[test]
fn a_group_that_is_gone_has_no_members_and_harms_nobody() {
    let before = yaml("preset: developer\n").unwrap();
    let rule = kept("r", &settled(&before, "{ deny: exec, to: ci }"), "");
    let after = load(&Sources::default()).unwrap().with_rules(vec![rule]).unwrap();
    assert!(allows(&after, &subject("runner", &[]), &exec()));
    assert!(!allows(&after, &subject("x", &["ci"]), &exec()));
}

#[test]
fn what_is_wrong_with_a_rule_is_told_with_its_place() {
    let policy = yaml("preset: developer\n").unwrap();
    for (rule, line, words) in [
        ("{ deny: exce }", 1, "no command, operation or privilege `exce`"),
        ("deny: exec\nto: stuff\n", 2, "nobody knows a user or a group `stuff`"),
        ("{ deny: exec, for: 2h }", 1, "a rule has no `for`"),
        ("{ deny: exec, allow: logs }", 1, "cannot both allow and deny"),
        ("[{ deny: exec }]", 1, "a rule cannot be a list"),
        ("deny: [", 1, ""),
        ("", 0, ""),
        ("{ allow: { mount: srv } }", 1, "no absolute path"),
        ("{ deny: exec, on: { label: x }, to: [] }", 1, "for nobody"),
        ("{ deny: exec }\n---\n{ allow: everything }", 0, ""),
    ] {
        let faults = policy.read_rule(rule, &host()).map(|(kept, _)| kept).expect_err(rule);
        let fault = faults.0.first().unwrap();
        assert!(fault.message.contains(words) && (line == 0 || fault.line == line), "{rule}: {faults}");
    }
    let (_, warnings) = policy.read_rule("{ allow: { capability: NOSUCH } }", &host()).unwrap();
    assert!(warnings.iter().any(|warning| warning.message.contains("NOSUCH")), "{warnings:?}");
}

/// A few hundred bytes that unfold to billions of words.
#[test]
fn a_rule_that_unfolds_without_end_is_a_fault() {
    let mut rule = "deny: [&a [exec, exec, exec, exec, exec, exec, exec, exec, exec, exec]".to_owned();
    for (name, before) in ('b'..='k').zip('a'..) {
        rule.push_str(&format!(", &{name} [{}]", vec![format!("*{before}"); 10].join(", ")));
    }
    rule.push(']');
    assert!(preset("open").read_rule(&rule, &host()).is_err());
}

#[test]
fn a_refusal_says_what_temporary_rules_allow_and_not_why() {
    let policy = preset("developer");
    let rule = kept("r", &settled(&policy, "{ allow: { mount: /srv } }"), "a secret reason");
    let policy = policy.with_rules(vec![rule]).unwrap();
    let said = verdict(&policy, &subject("bob", &[]), &at("/etc", false));
    assert!(said.contains("but for what temporary rule r allows") && !said.contains("secret reason"), "{said}");
}

/// Whatever is denied and whatever is allowed for a while, the two go together: a policy of both is sound.
#[test]
fn every_word_can_be_denied_and_lifted() {
    let schema = Policy::schema();
    let actions: Vec<&str> =
        schema.lines().filter_map(|line| line.strip_prefix("action ")?.split(" in ").next()).collect();
    let words = actions.iter().copied().filter(|word| word.chars().all(char::is_alphanumeric));
    let mut things: Vec<String> = words.map(str::to_owned).collect();
    let more = [
        "everything",
        "read",
        "change",
        "exec",
        "compose up",
        "{ mount: /srv, readonly: true }",
        "{ image: alpine:3.20 }",
        "{ image: registry.test }",
        "{ image: 'sha256:1' }",
        "{ registry: docker.io }",
        "{ port: 80, address: 10.0.0.0/8 }",
        "{ user: 5 }",
        "{ user: root }",
        "{ device: /dev/fuse, permissions: r }",
        "{ namespace: host }",
        "{ namespace: container/pid }",
        "{ sysctl: a=b }",
        "{ runtime: runc }",
        "{ capability: CHOWN }",
        "{ volume: v*, readonly: true }",
        "{ security_option: seccomp=unconfined }",
        "{ link: x }",
        "{ network: n }",
    ];
    things.extend(more.map(str::to_owned));
    let denies: String = things.iter().map(|thing| format!("  - deny: {thing}\n")).collect();
    let policy = yaml(&format!("preset: developer\nrules:\n{denies}")).unwrap_or_else(|faults| panic!("{faults}"));
    let allow = |thing: &String| format!("{{ allow: {thing} }}");
    let on =
        ["{ allow: [exec, logs], on: { name: a* } }".to_owned(), "{ allow: image rm, on: { label: a=b } }".to_owned()];
    let rules: Vec<String> = things.iter().map(allow).chain(on).collect();
    for some in rules.chunks(100) {
        with(&policy, &some.iter().map(String::as_str).collect::<Vec<_>>());
    }
    // Those of preset `open` and all of them at once: nothing is denied to whom everything is allowed.
    let all = with(&policy, &["{ allow: everything, to: bob }"]);
    let facts = facts(Operation::ContainerCreate, vec![Resource::Daemon], vec![Privilege::Privileged]);
    assert!(allows(&all, &subject("bob", &[]), &facts) && !allows(&all, &subject("eve", &[]), &facts));
}

/// The firewall's own plugin is given up for a while by a rule that names it, and by no other.
#[test]
fn the_firewall_itself_is_lifted_by_its_name_only() {
    let plugin = Resource::Thing(thing(Kind::Plugin, "dockwarden:latest"));
    let (bob, disable) = (subject("bob", &[]), facts(Operation::PluginDisable, vec![plugin], Vec::new()));
    let open = preset("open");
    assert!(!allows(&with(&open, &["{ allow: plugin disable, to: bob }"]), &bob, &disable));
    assert!(!allows(
        &with(&open, &["{ allow: plugin disable, on: { name: x/dockwarden:1 }, to: bob }"]),
        &bob,
        &disable
    ));
    let named = with(&open, &["{ allow: plugin disable, on: { name: dockwarden:latest }, to: bob }"]);
    assert!(later(&named, &bob, &disable, 99) && !later(&named, &bob, &disable, 100));
    assert!(!allows(&named, &subject("root", &[]), &disable));
}
