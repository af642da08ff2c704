//! Rules that come and go: what is kept, what is lost by nobody, and what a fault changes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use policy::{Directory, Proof, Sources};

use super::*;

pub(crate) fn root() -> Subject {
    Subject {
        user: "root".to_owned(),
        groups: vec!["root".to_owned()],
        uid: Some(0),
        proof: Proof::PeerCredentials { uid: 0, gid: 0, pid: None },
        container: None,
        address: None,
    }
}

/// A preset with a group `ops`.
pub(crate) fn policy(preset: &str) -> Policy {
    let groups = [("ops".to_owned(), vec!["alice".to_owned()])].into();
    let sources = Sources { preset: Some(preset.to_owned()), groups, ..Sources::default() };
    Policy::load(&sources, &host()).unwrap()
}

fn host() -> Directory<'static> {
    Directory { is_group: &|_| false, is_user: &|name| name == "root", names: Vec::new() }
}

pub(crate) async fn open(policy: Policy, state: Arc<State>, limits: Limits) -> Result<Arc<Rules>, OpenError> {
    let read = |policy: &Policy, text: &str| policy.read_rule(text, &host());
    Rules::open(policy, state, Records::Nowhere, limits, Box::new(read)).await
}

pub(crate) fn wish(rule: &str, seconds: u64) -> Wish {
    Wish { rule: rule.to_owned(), lasts: Duration::from_secs(seconds), reason: "a reason".to_owned() }
}

fn in_memory() -> Arc<State> {
    Arc::new(State::in_memory().unwrap())
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("dockwarden-rules-{}", Ulid::generate()));
    std::fs::create_dir(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_added_is_there_after_a_restart_and_what_ended_is_not() {
    let folder = folder();
    let file = folder.join("state.db");
    let rules = open(policy("open"), Arc::new(State::open(&file).unwrap()), Limits::default()).await.unwrap();
    let (short, _) = rules.add(wish("{ deny: ps }", 1), &root()).await.unwrap();
    let (long, _) = rules.add(wish("{ deny: exec, to: ops }", 3600), &root()).await.unwrap();
    let (removed, _) = rules.add(wish("{ deny: rm }", 3600), &root()).await.unwrap();
    assert_eq!(rules.remove(&format!("rules/{}", removed.id)).await.unwrap(), removed);
    assert!(matches!(rules.remove(&removed.id).await, Err(RuleFault::Unknown(_))));
    assert_eq!((long.rule.as_str(), long.added_by.as_str()), ("{ deny: exec, to: group:ops }", "root"));
    assert_eq!(long.until - long.since, 3600);
    let version = rules.policy().load().version().to_owned();
    drop(rules);
    while now() < short.until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rules = open(policy("open"), Arc::new(State::open(&file).unwrap()), Limits::default()).await.unwrap();
    assert_eq!(rules.list(), [long]);
    assert_ne!(rules.policy().load().version(), version, "the one that ended is not in it");
    drop(rules);
    let state = Arc::new(State::open(&file).unwrap());
    assert_eq!(state.with(kept::all).await.unwrap().len(), 1, "nor is it kept");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_ends_by_itself() {
    let state = in_memory();
    let rules = open(policy("open"), Arc::clone(&state), Limits::default()).await.unwrap();
    let before = rules.policy().load().version().to_owned();
    let running = tokio::spawn({
        let rules = Arc::clone(&rules);
        async move { rules.run().await }
    });
    rules.add(wish("{ deny: ps }", 60), &root()).await.unwrap();
    let (first, _) = rules.add(wish("{ deny: exec }", 1), &root()).await.unwrap();
    let with_both = rules.policy().load().rules().len();
    while now() < first.until {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(rules.list().len(), 1, "to the second");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!((with_both, rules.policy().load().rules().len()), (2, 1), "and soon out of the policy");
    assert_eq!(state.with(kept::all).await.unwrap().len(), 1);
    assert_ne!(rules.policy().load().version(), before);
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_do_not_lose_one_another() {
    let rules = open(policy("open"), in_memory(), Limits::default()).await.unwrap();
    let words = ["ps", "exec", "rm", "logs", "pull", "push", "build", "commit", "kill", "start", "stop", "top"];
    let add = |word: &'static str| {
        let rules = Arc::clone(&rules);
        tokio::spawn(async move { rules.add(wish(&format!("{{ deny: {word} }}"), 600), &root()).await.unwrap().0.id })
    };
    let adding: Vec<_> = words.into_iter().map(add).collect();
    let reload = |preset: &'static str| {
        let rules = Arc::clone(&rules);
        tokio::spawn(async move { rules.take(policy(preset)).await.unwrap() })
    };
    let reloading = ["readonly", "developer"].map(reload);
    for reload in reloading {
        reload.await.unwrap();
    }
    let mut ids = BTreeSet::new();
    for add in adding {
        ids.insert(add.await.unwrap());
    }
    let listed: BTreeSet<String> = rules.list().into_iter().map(|rule| rule.id).collect();
    assert_eq!(listed, ids);
    assert_eq!(ids.len(), words.len());
    let in_force = rules.policy().load_full();
    assert!(["readonly", "developer"].contains(&in_force.preset()), "{}", in_force.preset());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_fault_changes_nothing() {
    let limits = Limits { temporary_rules: 2, temporary_time: Duration::from_secs(3600), ..Limits::default() };
    let state = in_memory();
    let rules = open(policy("open"), Arc::clone(&state), limits).await.unwrap();
    let before = rules.policy().load().version().to_owned();
    let long = format!("{{ deny: [{}exec] }}", "exec, ".repeat(1000));
    for (rule, seconds) in [("{ deny: exce }", 60), ("{ deny: exec, to: opps }", 60), ("{", 60), ("", 60)] {
        assert!(matches!(rules.add(wish(rule, seconds), &root()).await, Err(RuleFault::Faulty(_))), "{rule}");
    }
    for (rule, seconds, words) in
        [("{ deny: exec }", 0, "a second or more"), ("{ deny: exec }", 3601, "at most"), (long.as_str(), 60, "longer")]
    {
        let fault = rules.add(wish(rule, seconds), &root()).await.unwrap_err();
        assert!(matches!(&fault, RuleFault::Unfit(sentence) if sentence.contains(words)), "{fault}");
    }
    let two_lines = Wish { reason: "a\nb".to_owned(), ..wish("{ deny: exec }", 60) };
    assert!(matches!(rules.add(two_lines, &root()).await, Err(RuleFault::Unfit(_))));
    assert_eq!(rules.policy().load().version(), before);
    rules.add(wish("{ deny: exec }", 60), &root()).await.unwrap();
    rules.add(wish("{ deny: rm }", 60), &root()).await.unwrap();
    let full = rules.add(wish("{ deny: ps }", 60), &root()).await.unwrap_err();
    assert!(full.to_string().contains("limits.temporary_rules"), "{full}");
    assert_eq!(state.with(kept::all).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_does_not_hold() {
    let state = in_memory();
    let rules = open(policy("open"), Arc::clone(&state), Limits::default()).await.unwrap();
    let before = rules.policy().load().version().to_owned();
    state.with(|db| db.execute_batch("DROP TABLE rules")).await.unwrap();
    let fault = rules.add(wish("{ deny: exec }", 60), &root()).await.unwrap_err();
    assert!(matches!(fault, RuleFault::Unkept(_)), "{fault}");
    assert_eq!((rules.policy().load().version(), rules.list().len()), (before.as_str(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_read_any_more_is_not_left_out() {
    let state = in_memory();
    let until = kept::seconds(now() + 600);
    state
        .with(move |db| db.execute("INSERT INTO rules VALUES ('x', '{ deny: nosuch }', '', 'root', 0, ?)", [until]))
        .await
        .unwrap();
    let error = open(policy("open"), state, Limits::default()).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("temporary rule x:1:"), "{error}");
}
