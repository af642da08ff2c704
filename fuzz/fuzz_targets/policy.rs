//! The YAML of policies: a configuration with its section `policy:`, the section alone, a file of rules.
//!
//! Faults point into the text. A policy that is taken answers the same questions alike when it is loaded again with its
//! rules in another order, and a rule that denies one more thing changes that one thing.
#![no_main]

use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

use differential::world::{request, settle};
use docker::facts::Facts;
use libfuzzer_sys::fuzz_target;
use miette::Diagnostic as _;
use policy::source::Node;
use policy::{
    Circumstances, Diagnostics, Directory, Door, NamedText, Policy, PolicySection, Proof, Sources, Subject, presets,
};
use serde_saphyr::{Spanned, from_str};

#[derive(serde::Deserialize)]
struct Configuration {
    policy: PolicySection,
}

fuzz_target!(|text: &str| {
    // How a configuration's other sections are read. What is no YAML is a single fault, told without loading much.
    if let Err(error) = from_str::<Spanned<Node>>(text) {
        assert!(!error.to_string().is_empty(), "a fault without words");
        return;
    }
    let file = NamedText { name: "policy.yaml".to_owned(), text: text.to_owned() };
    let section = from_str(text).map(|file: Configuration| file.policy).or_else(|_| from_str::<PolicySection>(text));
    check(
        &match section {
            Ok(policy) => {
                let known = policy.preset.as_ref().is_none_or(|preset| presets().any(|(name, _)| name == preset.value));
                // A preset costs time and is the same every time.
                let preset = if known { none() } else { None };
                Sources { file, policy, preset, ..Sources::default() }
            }
            Err(_) => Sources { preset: none(), policies: vec![file], ..Sources::default() },
        },
        text,
    );
});

fn none() -> Option<String> {
    Some("none".to_owned())
}

fn check(sources: &Sources, text: &str) {
    let policy = match load(sources) {
        Ok(policy) => policy,
        Err(faults) => return told(&faults, text),
    };
    told(&Diagnostics(policy.warnings().to_vec()), text);
    let mut other = sources.clone();
    other.policy.rules.reverse();
    other.policies.push(NamedText { name: "denied.yaml".to_owned(), text: "- deny: exec".to_owned() });
    let other = load(&other).unwrap_or_else(|faults| panic!("refused in another order: {faults}"));
    for facts in &*QUESTIONS {
        let allowed = |policy: &Policy| policy.judge(&subject(), facts, &now()).allowed();
        let denied = ["ContainerExec", "ExecStart"].contains(&facts.operation.name());
        assert_eq!(allowed(&other), allowed(&policy) && !denied, "{} in another order", facts.operation.name());
    }
}

/// Every fault has words, and a place within the text if it has one.
fn told(faults: &Diagnostics, text: &str) {
    for fault in &faults.0 {
        assert!(!fault.message.is_empty() && !fault.to_string().is_empty(), "a fault without words");
        for label in fault.labels().into_iter().flatten() {
            let end = label.offset() + label.len();
            assert!(text.is_char_boundary(label.offset()) && text.is_char_boundary(end), "{fault}: out of the text");
        }
        assert!(fault.line <= text.matches('\n').count() + 1, "{fault}: no such line");
    }
}

/// On a host with a few names.
fn load(sources: &Sources) -> Result<Policy, Diagnostics> {
    let directory = Directory {
        is_group: &|name| ["docker", "staff", "ci"].contains(&name),
        is_user: &|name| ["root", "bob"].contains(&name),
        names: ["docker", "staff", "ci", "root", "bob"].map(str::to_owned).to_vec(),
    };
    Policy::load(sources, &directory)
}

fn subject() -> Subject {
    let proof = Proof::PeerCredentials { uid: 1001, gid: 1001, pid: Some(1) };
    let groups = vec!["docker".to_owned()];
    Subject { user: "bob".to_owned(), groups, uid: Some(1001), proof, container: None, address: None }
}

fn now() -> Circumstances {
    Circumstances { door: Door::Gateway, time: UNIX_EPOCH }
}

/// Requests of all sorts.
static QUESTIONS: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let created = [
        r#"{"Image":"alpine"}"#,
        r#"{"Image":"registry.test/app:1","User":"1000","HostConfig":{"Privileged":true,"PidMode":"host"}}"#,
        r#"{"Image":"a","HostConfig":{"Binds":["/srv/ci/x:/x:ro","data:/d"],"CapAdd":["CHOWN"],"NetworkMode":"host"}}"#,
    ];
    let created = created.map(|body| ("POST", "/containers/create?name=c", body));
    let others = [
        ("GET", "/containers/json", ""),
        ("GET", "/info", ""),
        ("POST", "/containers/web/exec", r#"{"Cmd":["sh"],"Privileged":true}"#),
        ("POST", "/containers/web/start", ""),
        ("DELETE", "/containers/web?force=1", ""),
        ("POST", "/images/create?fromImage=alpine&tag=3", ""),
        ("POST", "/volumes/create", r#"{"Name":"v"}"#),
        ("POST", "/networks/create", r#"{"Name":"n","Driver":"macvlan"}"#),
        ("POST", "/build?t=a", ""),
    ];
    let all = created.into_iter().chain(others);
    all.filter_map(|(method, target, body)| settle(&request(method, target, body.as_bytes()).ok()?)).collect()
});
