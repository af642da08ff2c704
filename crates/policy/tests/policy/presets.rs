//! What each preset grants (the table is in docs/presets.md), and how strict the strict ones are.

use docker::endpoint::Operation;
use docker::facts::{Facts, Spec};
use docker::privilege::{Privilege, run_user};

use crate::cases;
use crate::support::*;

pub const NAMES: &[&str] = &["open", "developer", "ci", "ci-whitelist", "readonly", "restricted", "team", "none"];

/// Each case with what each preset says to it.
pub fn granted() -> Vec<(String, Vec<bool>)> {
    let policies: Vec<_> = NAMES.iter().map(|name| preset(name)).collect();
    let user = subject("bob", &["staff"]);
    let signs = |facts: &docker::facts::Facts| policies.iter().map(|policy| allows(policy, &user, facts)).collect();
    cases::all().into_iter().map(|(name, facts)| (name, signs(&facts))).collect()
}

#[test]
fn clients_can_say_hello_under_every_preset() {
    for name in NAMES {
        let policy = preset(name);
        for operation in
            [Operation::SystemPing, Operation::SystemPingHead, Operation::SystemVersion, Operation::SystemOptions]
        {
            assert!(allows(&policy, &subject("nobody", &[]), &on_daemon(operation)), "{name} {operation}");
        }
    }
}

#[test]
fn stricter_presets_grant_no_more() {
    let order = ["open", "developer", "ci"].iter().zip(["developer", "ci", "none"]);
    let user = subject("bob", &[]);
    for (loose, strict) in order.chain([
        (&"developer", "restricted"),
        (&"developer", "team"),
        (&"ci", "ci-whitelist"),
        (&"open", "readonly"),
        (&"readonly", "none"),
    ]) {
        let (loose_policy, strict_policy) = (preset(loose), preset(strict));
        for (name, facts) in cases::all() {
            let grants_more = allows(&strict_policy, &user, &facts) && !allows(&loose_policy, &user, &facts);
            assert!(!grants_more, "{strict} grants `{name}`, {loose} does not");
        }
    }
}

#[test]
fn every_shipped_policy_has_a_name_of_its_preset() {
    for (name, text) in policy::presets() {
        assert!(NAMES.contains(&name));
        let named = text.matches("@id(\"").count();
        assert_eq!(named, text.matches(&format!("@id(\"{name}/")).count(), "{name}");
        let policies = text.matches("permit (").count() + text.matches("forbid (").count();
        assert_eq!(named, policies, "{name}");
        // But for the walls between users, through which nothing that is allowed beside must lead.
        assert!(name == "team" || !text.contains("forbid ("), "{name} forbids: nobody could allow that");
    }
}

/// What securing-docker meant: no container runs as root, however that is spelled, and whose rule lets some do so, they do it
/// without MKNOD and all other capabilities.
#[test]
fn restricted_knows_root_in_every_spelling() {
    let user = subject("bob", &[]);
    let strict = preset("restricted");
    let lenient =
        yaml("preset: restricted\nrules:\n  - allow: { user: root }\n").unwrap_or_else(|faults| panic!("{faults}"));
    let hardened = |user: &str, dropped: &[&str]| {
        let dropped_capabilities = dropped.iter().map(|name| (*name).to_owned()).collect();
        let spec = Spec { no_new_privileges: true, dropped_capabilities, ..Spec::default() };
        Facts { spec: Some(spec), ..create(Privilege::RunAs(run_user(user))) }
    };
    for name in ["", "0", "00", "+0", "-0", "0:0", "0:1000", ":", ":1000", "root", "root:root", "app", "ROOT", "0x0"] {
        assert!(!allows(&strict, &user, &hardened(name, &["ALL"])), "{name:?}");
        assert!(allows(&lenient, &user, &hardened(name, &["ALL"])), "{name:?}");
        assert!(!allows(&lenient, &user, &hardened(name, &[])), "{name:?} with MKNOD");
    }
    for name in ["1000", "01000", "+1", "65534"] {
        assert!(allows(&strict, &user, &hardened(name, &["ALL"])), "{name:?}");
    }
    let mknod = create(Privilege::AddCapability { name: "MKNOD".to_owned() });
    assert!(!allows(&lenient, &user, &mknod));
}
