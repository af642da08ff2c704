//! `dockwarden doctor`: a host in a folder and a real daemon on its files, before and after what the doctor changes.

use crate::harness::{Cli, Engine, Firewall, Kind, Outcome, Shell, repository, skipped};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A host's root, with the files that a daemon starts on.
struct Site {
    place: TempDir,
}

impl Site {
    fn new(daemon_json: &str) -> Site {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        let site = Site { place };
        fs::create_dir_all(site.file("etc/docker")).expect("a folder");
        for (file, text) in [
            ("etc/docker/daemon.json", daemon_json),
            ("etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"),
            ("etc/group", "root:x:0:\ndocker:x:990:alice\nalice:x:1000:\n"),
            ("etc/subuid", "alice:100000:65536\ndockremap:150000:65536\n"),
            ("etc/subgid", "alice:100000:65536\n"),
        ] {
            fs::write(site.file(file), text).expect("a file");
        }
        site
    }

    fn file(&self, inside: &str) -> PathBuf {
        self.place.path().join(inside)
    }

    fn text(&self, inside: &str) -> String {
        fs::read_to_string(self.file(inside)).expect("a file")
    }

    /// `dockwarden doctor --root HERE ...`.
    fn doctor(&self, words: &str) -> Outcome {
        let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
        let mut command = Command::new(named);
        command.args(["doctor", "--root"]).arg(self.place.path()).args(words.split_whitespace());
        let said = command.stdin(Stdio::null()).output().expect("the binary");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome { code: said.status.code().unwrap_or(-1), out: text(&said.stdout), err: text(&said.stderr) }
    }

    /// What it finds where this daemon answers.
    fn found(&self, socket: &Path) -> Value {
        let said = self.doctor(&format!("--json --docker unix://{}", socket.display()));
        let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
        let bad = report["critical"] != 0 || report["warnings"] != 0;
        assert_eq!(said.code, i32::from(bad), "{said:?}");
        report
    }
}

fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().expect("findings").iter().filter_map(|finding| finding["id"].as_str()).collect()
}

fn finding<'a>(report: &'a Value, id: &str) -> &'a Value {
    let all = report["findings"].as_array().expect("findings");
    all.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("no {id} in {report:#}"))
}

/// A daemon as it is installed, then as the doctor would have it: root in its containers is somebody else.
#[test]
fn what_is_found_changes_with_what_is_applied() {
    let site = Site::new("{\n  \"debug\" : false\n}\n");
    let mut engine = Engine::start_with_etc(&site.file("etc"));
    let shell = Shell::new(engine.socket(), Cli::from(engine.kind()));
    shell.must("docker save -o $WORK/tiny.tar tiny");
    let map = |shell: &Shell| shell.must("docker run --rm --network none tiny cat /proc/self/uid_map");
    assert_eq!(map(&shell).split_whitespace().collect::<Vec<_>>(), ["0", "0", "4294967295"]);
    shell.must(&format!("docker create --name nosy -v {}:/s:ro --network none tiny true", engine.socket().display()));

    let before = site.found(engine.socket());
    assert!(before["daemon"]["version"].as_str().is_some_and(|version| version.starts_with(['2', '3'])), "{before:#}");
    for id in ["userns-off", "subid-overlap", "no-authorization", "docker-group", "socket-mounted", "live-restore"] {
        assert!(ids(&before).contains(&id), "{id}: {before:#}");
    }
    assert!(!ids(&before).contains(&"seccomp-off") && !ids(&before).contains(&"plugin-silent"), "{before:#}");
    let seen = finding(&before, "socket-mounted")["seen"][0]["what"].as_str().expect("words");
    assert!(seen.contains("container nosy"), "{seen}");

    let shown = site.doctor("--fix");
    assert!(shown.code == 1 && shown.out.contains("+  \"userns-remap\": \"default\",\n"), "{shown:?}");
    assert!(
        shown.out.contains("-dockremap:150000:65536\n+dockremap:") && shown.err.contains("are not seen"),
        "{shown:?}"
    );
    assert_eq!(site.text("etc/docker/daemon.json"), "{\n  \"debug\" : false\n}\n", "shown only");
    assert!(site.doctor("--apply").err.contains("--yes"), "nobody was asked");
    // What is shown is what `patch` takes.
    fs::write(site.file("diff"), &shown.out).expect("a file");
    let mut patch = Command::new("patch");
    patch.args(["-p1", "--dry-run", "-i"]).arg(site.file("diff")).current_dir(site.place.path());
    if let Ok(said) = patch.output() {
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    }

    shell.must("docker rm -f nosy");
    engine.kill();
    // This daemon sets no rules of the firewall, and does not start without when it is to keep containers apart.
    let done = site.doctor("--apply --yes --skip icc");
    assert!(done.code == 0 && done.err.contains("was not restarted"), "{done:?}");
    assert!(site.text("etc/docker/daemon.json").contains("\"debug\" : false"), "the rest stays");
    let kept = fs::read_dir(site.file("etc/docker")).expect("a folder").flatten().map(|entry| entry.file_name());
    let kept: Vec<_> = kept.filter(|name| name.to_string_lossy().contains(".before-dockwarden-")).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");

    engine.restart();
    let after = site.found(engine.socket());
    for id in [
        "userns-off",
        "userns-pending",
        "subid-overlap",
        "subid-missing",
        "live-restore",
        "new-privileges",
        "log-limits",
    ] {
        assert!(!ids(&after).contains(&id), "{id}: {after:#}");
    }
    assert!(ids(&after).contains(&"no-authorization"), "the rest is still so: {after:#}");
    let line = site.text("etc/subuid");
    let first = line.lines().find_map(|line| line.strip_prefix("dockremap:")).and_then(|rest| rest.split(':').next());
    let first = first.expect("its range").to_owned();
    assert_ne!(first, "150000", "it overlapped");
    assert!(site.text("etc/subgid").contains(&format!("dockremap:{first}:65536")), "the same in both");
    shell.must("docker load -q -i $WORK/tiny.tar");
    assert_eq!(map(&shell).split_whitespace().collect::<Vec<_>>(), ["0", first.as_str(), "65536"]);
    // As the host sees it: whom root's process in a container belongs to.
    shell.must("docker run -d --name sleeper --network none tiny sleep 60");
    let pid = shell.must("docker inspect -f '{{.State.Pid}}' sleeper");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    assert!(status.contains(&format!("Uid:\t{first}\t{first}")), "{status}");
    let nothing = site.doctor("--apply --yes --skip icc");
    assert!(nothing.code == 0 && nothing.err.contains("nothing to change"), "{nothing:?}");
}

/// A plugin of the daemon's is asked whether it answers; where Dockwarden is in force, less is wrong.
#[test]
fn plugins_are_seen_to_answer() {
    let mut engine = Engine::start();
    let plugin = engine.plugin_socket();
    let firewall = Firewall::start(engine.socket(), |_| {
        format!(
            "plugin: {{ socket: {} }}\npolicy: {{ preset: developer, rules: [{{ allow: plugin ls }}] }}\n",
            plugin.display()
        )
    });
    let site = Site::new("{\n  \"authorization-plugins\": [\"dockwarden\"]\n}\n");
    fs::create_dir_all(site.file("run/docker/plugins")).expect("a folder");
    fs::hard_link(&plugin, site.file("run/docker/plugins/dockwarden.sock")).expect("the same socket");
    // The file says it, and the daemon was not told.
    let off = site.found(engine.socket());
    assert_eq!(finding(&off, "firewall-off")["seen"][0]["line"], 2, "{off:#}");
    engine.authorize();
    let on = site.found(engine.socket());
    for id in ["firewall-off", "plugin-silent", "no-authorization", "around-dockwarden"] {
        assert!(!ids(&on).contains(&id), "{id}: {on:#}");
    }
    drop(firewall);
    let silent = site.found(engine.socket());
    assert_eq!(finding(&silent, "plugin-silent")["severity"], "critical", "{silent:#}");
}

/// What the daemon itself would not take is not written.
#[test]
fn a_daemon_that_validates_is_asked_first() {
    let engine = Engine::start();
    if engine.kind() != Kind::Modern {
        return skipped("a_daemon_that_validates_is_asked_first", "Docker 20.10 has no --validate");
    }
    let before = "{\n  \"live-restor\": true\n}\n";
    let site = Site::new("{}");
    // Its command line says where its file is.
    let folder = engine.socket().parent().expect("its folder");
    let name = folder.file_name().expect("its name").to_string_lossy();
    let file = format!("run/{name}/daemon.json");
    fs::create_dir_all(site.file(&format!("run/{name}"))).expect("a folder");
    fs::write(site.file(&file), before).expect("a file");
    let apply = format!("--apply --yes --pidfile {}", folder.join("pid").display());
    let said = site.doctor(&apply);
    assert!(said.code == 1 && said.err.contains("don't match any configuration option: live-restor"), "{said:?}");
    assert_eq!(site.text(&file), before);
    assert!(!site.text("etc/subgid").contains("dockremap"), "all or nothing");
    fs::write(site.file(&file), "{}").expect("a file");
    let said = site.doctor(&apply);
    assert!(said.code == 0 && site.text(&file).contains("userns-remap"), "{said:?}");
}

/// Without a daemon the files are looked at; one that nobody can understand ends it, with its place.
#[test]
fn files_alone_and_broken_ones() {
    let site = Site::new("{\n  \"hosts\": [\"tcp://0.0.0.0:2375\"]\n}\n");
    let said = site.doctor("");
    assert!(said.code == 1 && said.out.starts_with("Only files were looked at"), "{said:?}");
    assert!(said.out.contains("/etc/docker/daemon.json:2: listens on tcp://0.0.0.0:2375"), "{said:?}");
    let said = site.doctor("--only tcp-without-tls --skip tcp-without-tls");
    assert!(said.code == 0 && said.out.contains("0 critical, 0 warnings, 0 notes."), "{said:?}");
    assert_eq!(site.doctor("--only no-such-thing").code, 64);

    fs::write(site.file("etc/docker/daemon.json"), "{\n  \"debug\": true,\n}\n").expect("a file");
    fs::write(site.file("etc/subgid"), "alice:100000\n").expect("a file");
    for words in ["", "--fix", "--apply --yes"] {
        let said = site.doctor(words);
        assert!(said.code == 3 && said.out.is_empty(), "{said:?}");
        assert!(said.err.contains("daemon.json:3:1") && said.err.contains("/etc/subgid:1:1"), "{said:?}");
    }
    let said = site.doctor("--json");
    assert!(said.code == 3 && said.err.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{said:?}");
}

/// The example of docs/doctor.md.
#[test]
fn the_diff_of_the_page() {
    let page = fs::read_to_string(repository().join("docs/doctor.md")).expect("docs/doctor.md");
    let block = page.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let (line, diff) = block.split_once('\n').expect("a line");
    let site = Site::new("{\n  \"debug\": false\n}\n");
    fs::write(site.file("etc/subuid"), "alice:100000:65536\n").expect("a file");
    let words = line.strip_prefix("$ dockwarden doctor ").expect("its words");
    assert_eq!(site.doctor(words).out, diff);
}
