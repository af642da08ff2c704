//! Who may ask, and what becomes of what is no question.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use policy::Proof;
use serde_json::{Value, json};

use super::*;
use crate::firewall::{Firewall, Manner, Settings};
use crate::listen::{ListenAddress, ListenSpec};
use crate::owners::Owners;
use crate::rules::tests::{open, policy, root};
use crate::state::State;
use crate::upstream::{Upstream, UpstreamAddress};

async fn admin(groups: &[&str]) -> Arc<Admin> {
    let state = Arc::new(State::in_memory().unwrap());
    let owners = tokio::task::spawn_blocking({
        let state = Arc::clone(&state);
        || Owners::load(state).unwrap()
    });
    let owners = owners.await.unwrap();
    let rules = open(policy("open"), state, Limits::default()).await.unwrap();
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    let limits = Limits { head_bytes: 1024, head_wait: Duration::from_millis(300), ..Limits::default() };
    let settings = Settings {
        upstream: Upstream::new(UpstreamAddress::Unix(PathBuf::from("/nowhere")), None),
        limits: limits.clone(),
        reading: docker::request::Reading::default(),
        records: Records::Nowhere,
        manner: Manner::Forward,
        subject: None,
        spool: std::env::temp_dir(),
        host_root: "/".into(),
        seal: None,
        checks: Arc::new(crate::checks::Desk::new(crate::checks::Checks::default(), &Limits::default())),
        owners: Some(Arc::clone(&owners)),
    };
    let firewall = Firewall::new(settings, Arc::clone(rules.policy()));
    Admin::new(Desk { rules, owners: OwnersDesk { firewall, owners } }, groups, Records::Nowhere, limits)
}

#[tokio::test(flavor = "multi_thread")]
async fn root_ourselves_and_the_groups_may_ask_and_containers_may_not() {
    let admin = admin(&["wheel", "ops"]).await;
    let of = |user: &str, groups: &[&str], uid: Option<u32>| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Subject { user: user.to_owned(), groups, uid, ..root() }
    };
    let own = geteuid().as_raw();
    assert!(admin.may_ask(&root()));
    assert!(admin.may_ask(&of("whoever", &[], Some(own))));
    assert!(admin.may_ask(&of("bob", &["users", "wheel"], Some(4_000_001))));
    assert!(admin.may_ask(&of("alice", &[], Some(4_000_001))), "a member by the configuration");
    assert!(!admin.may_ask(&of("bob", &["users"], Some(4_000_001))));
    // A container's root, and a process that is nobody knows where: whatever groups they say.
    for user in ["container:4f5e", "uid:0", "alice"] {
        assert!(!admin.may_ask(&of(user, &["wheel", "ops", "root"], None)), "{user}");
    }
    let elsewhere = Subject { proof: Proof::Nothing, uid: None, ..root() };
    assert!(!admin.may_ask(&elsewhere));
}

/// A socket with somebody behind it.
struct Door {
    socket: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Door {
    async fn open() -> Door {
        let socket = std::env::temp_dir().join(format!("dockwarden-admin-{}.sock", ulid::Ulid::generate()));
        let address = ListenAddress::Unix { path: socket.clone(), mode: Some(0o600), owner: None, group: None };
        let listener = Listener::bind(ListenSpec { address, tls: None }).unwrap();
        let task = tokio::spawn(admin(&[]).await.serve(listener));
        Door { socket, task }
    }

    /// What is answered to some bytes.
    async fn say(&self, bytes: &'static [u8]) -> String {
        let socket = self.socket.clone();
        tokio::task::spawn_blocking(move || said(&socket, bytes)).await.unwrap()
    }

    async fn ask(&self, command: Command) -> Result<Value, Fault> {
        let socket = self.socket.clone();
        tokio::task::spawn_blocking(move || ask(&socket, command)).await.unwrap()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn said(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_added_listed_and_removed() {
    let door = Door::open().await;
    let add = |rule: &str| Command::RulesAdd { rule: rule.to_owned(), seconds: 60, reason: "x".to_owned() };
    let added = door.ask(add("{ deny: exec }")).await.unwrap();
    let listed = door.ask(Command::RulesList {}).await.unwrap();
    assert_eq!(listed, json!({ "rules": [added["rule"]] }));
    let id = added["rule"]["id"].as_str().unwrap().to_owned();
    door.ask(Command::RulesRemove { id: id.clone() }).await.unwrap();
    assert_eq!(door.ask(Command::RulesRemove { id }).await.unwrap_err().kind, FaultKind::NotFound);
    let fault = door.ask(add("{ deny: exce }")).await.unwrap_err();
    assert_eq!((fault.kind, fault.diagnostics[0].column), (FaultKind::Invalid, 9));
    assert_eq!(fault.diagnostics[0].help.as_deref(), Some("did you mean `exec`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_question_gets_a_fault() {
    let door = Door::open().await;
    for (bytes, words) in [
        (&b"\n"[..], "cannot be read"),
        (b"GET / HTTP/1.1\r\n\r\n", "cannot be read"),
        (b"{\"version\":2,\"ask\":{\"command\":\"new\"}}\n", "speaks version 1"),
        (b"{\"version\":1,\"ask\":{\"command\":\"rules_list\",\"more\":1}}\n", "unknown field `more`"),
        (b"{\"version\":1,\"ask\":{\"command\":\"rules_list\"},\"as\":\"root\"}\n", "unknown field `as`"),
        (b"{\"version\":1,\"ask\":{\"command\":\"rules_wish\"}}\n", "unknown variant"),
        (b"{\"version\":1,\"version\":1,\"ask\":{\"command\":\"rules_list\"}}\n", "duplicate field"),
        (b"{\"version\":1", "took too long"),
        (&[b'x'; 4096], "too long"),
    ] {
        let answer = door.say(bytes).await;
        let fault = serde_json::from_str::<Value>(&answer).unwrap_or_default()["fault"].clone();
        assert_eq!(fault["kind"], "invalid", "{answer}");
        assert!(fault["message"].as_str().unwrap().contains(words), "{words}: {answer}");
    }
    assert_eq!(door.ask(Command::RulesList {}).await.unwrap(), json!({ "rules": [] }), "it still answers");
}
