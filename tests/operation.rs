//! Boring in production: a full disk, a graceful end, a changed policy.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http};
use std::fs;
use std::process::Command;
use std::time::Duration;

#[test]
fn while_records_cannot_be_written_nothing_changes_and_reads_go_on() {
    let engine = Engine::start();
    let disk = tempfile::tempdir().expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(disk.path()).status();
    assert!(mounted.expect("mount").success(), "needs root");
    let outcome = std::panic::catch_unwind(|| {
        let records = disk.path().join("records.jsonl");
        let firewall = Firewall::start(engine.socket(), |folder| {
            std::os::unix::fs::symlink(&records, folder.join("records.jsonl")).expect("a link");
            "policy: { preset: developer }\n".to_owned()
        });
        let socket = firewall.socket();
        let create =
            |name: &str| http::call(&socket, "POST", "/v1.41/volumes/create", Some(&format!(r#"{{"Name":"{name}"}}"#)));
        assert_eq!(create("before").0, 201);
        let filler = disk.path().join("filler");
        fs::write(&filler, vec![0; 4 << 20]).expect_err("a full disk");
        // Space held ahead lasts for a while; then changes stop, with a word about why.
        let full = eventually(Duration::from_secs(30), || {
            (0..500).any(|_| http::call(&socket, "POST", "/v1.41/volumes/create", Some(r#"{"Name":"full"}"#)).0 == 503)
        });
        assert!(full, "changes went on with a full disk");
        let (status, body) = create("after");
        assert_eq!(status, 503);
        assert!(body.contains("records cannot be written"), "{body}");
        assert_eq!(http::call(&socket, "GET", "/v1.41/containers/json", None).0, 200);
        let told = firewall.log().matches("records cannot be written").count();
        assert!((1..=2).contains(&told), "it should say so once:\n{}", firewall.log());

        fs::remove_file(&filler).expect("room again");
        assert!(eventually(Duration::from_secs(10), || create("again").0 == 201), "{}", firewall.log());
    });
    let _ = Command::new("umount").args(["-l"]).arg(disk.path()).status();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn an_end_lets_running_streams_finish() {
    let engine = Engine::start();
    let mut firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    shell.must("(docker run --rm --network none tiny sh -c 'echo one; sleep 3; echo two' >$WORK/out 2>&1; touch $WORK/ended) >/dev/null 2>&1 & sleep 1.5");
    firewall.terminate();
    assert!(eventually(Duration::from_secs(2), || !http::connects(&firewall.socket())), "new connections are taken");
    let out = shell.work().join("out");
    assert!(
        eventually(Duration::from_secs(8), || fs::read_to_string(&out).is_ok_and(|text| text.contains("two"))),
        "the stream was cut"
    );
    assert!(eventually(Duration::from_secs(15), || firewall.ended().is_some()), "it does not end");
    assert!(firewall.ended().is_some_and(|status| status.success()));
}

#[test]
fn a_new_policy_is_taken_whole_or_not_at_all() {
    let engine = Engine::start();
    let firewall = Firewall::preset(engine.socket(), "developer");
    let socket = firewall.socket();
    let list = || http::call(&socket, "GET", "/v1.41/containers/json", None).0;
    assert_eq!(list(), 200);
    let config = firewall.folder().join("config.yaml");
    let good = fs::read_to_string(&config).expect("the configuration");
    let reload = |text: String| {
        fs::write(&config, text).expect("the configuration");
        let told = Command::new("bash").args(["-c", &format!("builtin kill -HUP {}", firewall.pid())]).status();
        assert!(told.expect("bash").success());
    };
    reload(good.replace("preset: developer", "preset: none"));
    assert!(eventually(Duration::from_secs(5), || list() == 403), "{}", firewall.log());
    reload(good.replace("preset: developer", "preset: developr"));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(list(), 403, "a faulty policy must change nothing");
    assert!(firewall.log().contains("developr"), "{}", firewall.log());
    reload(good);
    assert!(eventually(Duration::from_secs(5), || list() == 200), "{}", firewall.log());
}
