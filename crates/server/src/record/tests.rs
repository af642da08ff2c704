//! Records on a real disk, a full one among them.

#![allow(clippy::arithmetic_side_effects)]

use super::file::LogFile;
use super::*;
use crate::tls::tests::Scratch;
use policy::Proof;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

const SOON: Duration = Duration::from_secs(10);

fn record(id: &str) -> Record {
    Record {
        id: id.to_owned(),
        time: (UNIX_EPOCH + Duration::from_millis(1_795_345_023_120)).into(),
        duration_ms: 12,
        door: "gateway".to_owned(),
        daemon: None,
        subject: Some(Subject {
            user: "alice".to_owned(),
            groups: vec!["docker".to_owned()],
            uid: Some(1000),
            proof: Proof::PeerCredentials { uid: 1000, gid: 1000, pid: Some(7) },
            container: None,
            address: None,
        }),
        request: Request {
            method: "POST".to_owned(),
            path: path_without_values("/v1.47/containers/create?name=x"),
            api_version: Some("1.47".to_owned()),
            build: None,
            operation: Some("ContainerCreate".to_owned()),
        },
        resource: None,
        obligations: vec![Edit { set: "memory", value: "1g".to_owned() }],
        checks: Vec::new(),
        questions: vec![Question {
            action: "mount".to_owned(),
            resource: "HostPath::\"/etc\"".to_owned(),
            allowed: false,
            policies: vec!["developer:12".to_owned()],
            reason: None,
            rego: None,
        }],
        outcome: Outcome::Refused,
        mode: "enforce".to_owned(),
        status: Some(403),
        message: Some("may not mount host path /etc".to_owned()),
        policy_version: Some("v1".to_owned()),
        bytes: Bytes::default(),
        hidden: None,
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn ids(path: &Path) -> Vec<String> {
    lines(path).iter().map(|line| line["id"].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn a_record_is_one_line_of_json() {
    let line = serde_json::to_string(&record("01J")).unwrap();
    assert_eq!(
        line,
        concat!(
            r#"{"id":"01J","time":"2026-11-22T10:57:03.120Z","duration_ms":12,"door":"gateway","#,
            r#""subject":{"user":"alice","groups":["docker"],"uid":1000,"proof":{"kind":"peer_credentials","uid":1000,"gid":1000,"pid":7},"container":null,"address":null},"#,
            r#""request":{"method":"POST","path":"/v1.47/containers/create?name","api_version":"1.47","operation":"ContainerCreate"},"#,
            r#""resource":null,"obligations":[{"set":"memory","value":"1g"}],"questions":[{"action":"mount","resource":"HostPath::\"/etc\"","allowed":false,"policies":["developer:12"]}],"#,
            r#""outcome":"refused","mode":"enforce","status":403,"message":"may not mount host path /etc","policy_version":"v1","bytes":{"to_daemon":0,"to_client":0}}"#
        )
    );
    assert_eq!(serde_json::to_string(&Outcome::NotFound).unwrap(), r#""not found""#);
}

#[test]
fn values_of_the_query_are_not_kept() {
    for (target, shown) in [
        ("/build?buildargs=%7B%22TOKEN%22%3A%22s%22%7D&t=x", "/build?buildargs&t"),
        ("/info", "/info"),
        ("/x?&&a=b=c&flag", "/x?a&flag"),
    ] {
        assert_eq!(path_without_values(target), shown);
    }
    assert!(path_without_values(&"/ä".repeat(5000)).chars().count() == 2049);
}

#[test]
fn times_are_those_of_date() {
    for (seconds, shown) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400, "2000-02-29T00:00:00.000Z"),
        (951_868_799, "2000-02-29T23:59:59.000Z"),
        (1_709_251_199, "2024-02-29T23:59:59.000Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000Z"),
    ] {
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(), shown);
    }
}

#[test]
fn lines_are_appended_in_order_and_space_is_held_ahead() {
    let scratch = Scratch::new();
    let file = scratch.0.join("records.jsonl");
    let recorder = Recorder::open(RecordSettings::new(&file)).unwrap();
    for number in 0..500 {
        recorder.write(&record(&number.to_string()));
    }
    recorder.flush(SOON).unwrap();
    recorder.ready().unwrap();
    assert_eq!(ids(&file), (0..500).map(|n: i32| n.to_string()).collect::<Vec<_>>());
    let found = std::fs::metadata(&file).unwrap();
    assert_eq!(found.permissions().mode() & 0o777 & !0o640, 0);
    if found.blocks() * 512 < 1 << 20 {
        eprintln!("SKIPPED: this file system holds no space ahead");
    }
    drop(recorder);
    Recorder::open(RecordSettings::new(&file)).unwrap().write(&record("last"));
    assert_eq!(ids(&file).last().unwrap(), "last", "written on drop, appended");
}

#[test]
fn a_line_that_a_crash_cut_off_does_not_spoil_the_next() {
    let scratch = Scratch::new();
    let file = scratch.0.join("records.jsonl");
    std::fs::write(&file, "{\"id\":\"cut").unwrap();
    Recorder::open(RecordSettings::new(&file)).unwrap().write(&record("next"));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("{\"id\":\"cut\n{\"id\":\"next\""), "{text}");
}

#[test]
fn a_file_that_was_moved_away_is_made_anew() {
    let scratch = Scratch::new();
    let (file, old) = (scratch.0.join("records.jsonl"), scratch.0.join("records.1"));
    let recorder = Recorder::open(RecordSettings::new(&file)).unwrap();
    recorder.write(&record("a"));
    recorder.flush(SOON).unwrap();
    std::fs::rename(&file, &old).unwrap();
    recorder.write(&record("b"));
    recorder.flush(SOON).unwrap();
    assert_eq!((ids(&old), ids(&file)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    std::fs::rename(&file, &old).unwrap();
    recorder.reopen();
    recorder.flush(SOON).unwrap();
    assert!(file.exists(), "without waiting for a record");
    // copytruncate
    std::fs::write(&file, "").unwrap();
    recorder.write(&record("c"));
    recorder.flush(SOON).unwrap();
    assert_eq!(ids(&file), ["c"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_a_sentence() {
    let error = Recorder::open(RecordSettings::new("/no/such/records.jsonl")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot open the record file `/no/such/records.jsonl`: No such file or directory (os error 2)"
    );
}

#[test]
fn a_device_will_do() {
    let recorder = Recorder::open(RecordSettings::new("/dev/null")).unwrap();
    recorder.write(&record("x"));
    recorder.flush(SOON).unwrap();
    recorder.ready().unwrap();
}

#[test]
fn lost_records_are_counted_and_said_first() {
    let scratch = Scratch::new();
    let file = scratch.0.join("records.jsonl");
    let recorder = Recorder::open(RecordSettings { queue_bytes: 2000, ..RecordSettings::new(&file) }).unwrap();
    // The directory goes away, and with it the place for a new file.
    let away = scratch.0.with_extension("away");
    std::fs::rename(&scratch.0, &away).unwrap();
    for number in 0..10 {
        recorder.write(&record(&number.to_string()));
    }
    wait_for(|| recorder.ready().is_err());
    assert!(recorder.flush(Duration::from_millis(50)).is_err());
    std::fs::rename(&away, &scratch.0).unwrap();
    recorder.flush(SOON).unwrap();
    recorder.ready().unwrap();
    let lines = lines(&file);
    let lost = lines[0]["lost"].as_u64().unwrap();
    assert!(lost > 0 && lines[0]["message"].as_str().unwrap().contains("were lost since"), "{}", lines[0]);
    assert_eq!(lines.len() as u64, 1 + 10 - lost, "none lost silently");
}

#[test]
fn with_continue_changes_go_on() {
    let scratch = Scratch::new();
    let settings = RecordSettings {
        when_unwritable: WhenUnwritable::Continue,
        ..RecordSettings::new(scratch.0.join("records.jsonl"))
    };
    let recorder = Recorder::open(settings).unwrap();
    std::fs::remove_dir_all(&scratch.0).unwrap();
    recorder.write(&record("x"));
    assert!(recorder.flush(Duration::from_millis(100)).is_err());
    recorder.ready().unwrap();
}

/// A small disk of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(scratch: &Scratch) -> Option<Self> {
        let path = scratch.0.join("disk");
        std::fs::create_dir(&path).unwrap();
        let mount =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"]).arg(&path).status();
        mount.is_ok_and(|status| status.success()).then_some(Self(path))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_changes_before_records_are_lost() {
    let scratch = Scratch::new();
    let Some(disk) = Disk::mount(&scratch) else { return eprintln!("SKIPPED: may not mount a tmpfs") };
    let file = disk.0.join("records.jsonl");
    let settings = RecordSettings { space_ahead: 32 << 10, ..RecordSettings::new(&file) };
    let recorder = Recorder::open(settings).unwrap();
    recorder.ready().unwrap();
    let ballast = disk.0.join("ballast");
    assert!(std::fs::write(&ballast, vec![1; 256 << 10]).is_err(), "the disk is full now");

    // The space held ahead takes some records; the lack of more is noticed while there is room.
    let mut written = 0;
    while recorder.ready().is_ok() {
        recorder.write(&record(&written.to_string()));
        let _ = recorder.flush(Duration::from_millis(200));
        written += 1;
        assert!(written < 100, "noticed too late");
    }
    assert!(written > 0);
    let unwritable = recorder.ready().unwrap_err().to_string();
    assert!(unwritable.contains("No space left on device"), "{unwritable}");
    // What was under way when it was noticed still gets on the disk, and then beyond it.
    for _ in 0..100 {
        recorder.write(&record(&written.to_string()));
        written += 1;
    }
    wait_for(|| std::fs::metadata(&file).unwrap().len() >= 31 << 10);
    std::thread::sleep(Duration::from_millis(1500));
    recorder.ready().unwrap_err();

    std::fs::remove_file(&ballast).unwrap();
    wait_for(|| recorder.ready().is_ok());
    recorder.flush(SOON).unwrap();
    assert_eq!(ids(&file), (0..written).map(|n| n.to_string()).collect::<Vec<_>>(), "all, in order, whole");
}

#[test]
fn without_space_held_ahead_it_is_noticed_on_write() {
    let scratch = Scratch::new();
    let Some(disk) = Disk::mount(&scratch) else { return eprintln!("SKIPPED: may not mount a tmpfs") };
    let file = disk.0.join("records.jsonl");
    let recorder = Recorder::open(RecordSettings { space_ahead: 0, ..RecordSettings::new(&file) }).unwrap();
    let ballast = disk.0.join("ballast");
    assert!(std::fs::write(&ballast, vec![1; 256 << 10]).is_err());
    for number in 0..20 {
        recorder.write(&record(&number.to_string()));
    }
    wait_for(|| recorder.ready().is_err());
    std::fs::remove_file(&ballast).unwrap();
    recorder.flush(SOON).unwrap();
    assert_eq!(ids(&file).len(), 20);
}

#[test]
fn the_file_is_made_for_owner_and_group_only() {
    let scratch = Scratch::new();
    let path = scratch.0.join("records.jsonl");
    LogFile::open(&path, 0).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < SOON, "did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}
