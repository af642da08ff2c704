//! Each check on hosts made for it: files below a scratch root, and answers of a daemon that were written by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::finding::{Finding, Severity};
use super::host::{Host, Places, Running};
use super::root::Root;
use super::{CHECKS, IDS, apply, examine, fix, show};
use crate::engine::daemon::Asks;

/// A host's root in a folder.
pub struct Scratch(TempDir);

impl Scratch {
    /// An empty one.
    pub fn new() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }

    /// One where nothing is weak that a file can say.
    fn sound() -> Scratch {
        let host = Scratch::new();
        let daemon = json!({
            "userns-remap": "default", "live-restore": true, "icc": false, "no-new-privileges": true,
            "log-opts": { "max-size": "10m" }, "authorization-plugins": [],
        });
        host.put("/etc/docker/daemon.json", &format!("{daemon:#}\n"));
        host.put(
            "/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nme:x:1001:999::/:/bin/sh\n",
        );
        host.put("/etc/group", "root:x:0:\ndocker:x:990:\nalice:x:1000:\n");
        host.put("/etc/subuid", "alice:100000:65536\ndockremap:165536:65536\n");
        host.put("/etc/subgid", "alice:100000:65536\ndockremap:165536:65536\n");
        host.put("/etc/profile.d/docker.sh", "export DOCKER_CONTENT_TRUST=1\n");
        host
    }

    /// Writes a file, with the folders that it is in.
    pub fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn root(&self) -> Root {
        Root::at(self.0.path()).unwrap()
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.0.path().join(file.trim_start_matches('/'))
    }

    fn places(&self) -> Places {
        Places { root: self.0.path().to_owned(), docker: None, pidfile: None }
    }

    fn look(&self) -> Host {
        Host::look(&self.places()).unwrap()
    }

    fn found(&self) -> Vec<Finding> {
        examine(&self.look())
    }

    /// The finding of that name.
    fn finding(&self, id: &str) -> Option<Finding> {
        self.found().into_iter().find(|finding| finding.id == id)
    }

    /// The same where the daemon says that.
    fn finding_with(&self, running: Running, id: &str) -> Option<Finding> {
        let host = Host { daemon: Ok(running), ..self.look() };
        examine(&host).into_iter().find(|finding| finding.id == id)
    }

    /// The new text that findings would give a file.
    fn changed(&self, file: &str) -> String {
        let host = self.look();
        let changes = fix::changes(&host, &examine(&host));
        changes.into_iter().find(|change| change.file == file).map(|change| change.new).unwrap_or_default()
    }
}

fn running(info: Value) -> Running {
    Running { version: "29.5.1".to_owned(), info, ..Running::default() }
}

#[test]
fn a_sound_host_has_nothing_worse_than_notes() {
    let host = Scratch::sound();
    // Who runs the tests may not be root, and then the files are not root's.
    let bad: Vec<_> = host.found().into_iter().filter(|finding| finding.severity < Severity::Note).collect();
    let bad: Vec<_> = bad.iter().map(|finding| finding.id).filter(|id| *id != "files-writable").collect();
    assert_eq!(bad, ["no-authorization"]);
    let host = host.look();
    assert_eq!(fix::changes(&host, &examine(&host)), []);
}

#[test]
fn every_name_is_known_and_on_the_page() {
    let page = include_str!("../../../../docs/doctor.md");
    for id in IDS {
        assert_eq!(page.matches(&format!("\n| `{id}` |")).count(), 1, "docs/doctor.md: {id}");
        let source = SOURCES.iter().filter(|source| source.contains(&format!("\"{id}\""))).count();
        assert_eq!(source, 1, "{id}");
    }
    assert_eq!(CHECKS.len(), SOURCES.len());
}

const SOURCES: &[&str] = &[
    include_str!("access.rs"),
    include_str!("authorization.rs"),
    include_str!("userns.rs"),
    include_str!("defaults.rs"),
    include_str!("holes.rs"),
    include_str!("plugins.rs"),
    include_str!("machine.rs"),
];

#[test]
fn addresses_of_the_network() {
    let host = Scratch::sound();
    assert!(host.finding("tcp-without-tls").is_none());
    host.put("/etc/docker/daemon.json", "{\n  \"hosts\": [\"fd://\", \"tcp://0.0.0.0:2375\"]\n}\n");
    let finding = host.finding("tcp-without-tls").unwrap();
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.seen[0].place.as_ref().unwrap().to_string(), "/etc/docker/daemon.json:2");
    assert!(host.changed("/etc/docker/daemon.json").contains("\"hosts\": [\"fd://\"]"));
    host.put("/etc/docker/daemon.json", "{ \"hosts\": [\"tcp://0.0.0.0:2376\"], \"tlsverify\": true }");
    assert!(host.finding("tcp-without-tls").is_none());
    host.put("/etc/docker/daemon.json", "{ \"hosts\": [\"tcp://0.0.0.0:2376\"], \"tls\": true }");
    assert!(host.finding("tcp-without-tls").unwrap().title.contains("asks nobody"));
    assert!(host.changed("/etc/docker/daemon.json").contains("[\"unix:///var/run/docker.sock\"]"));

    host.put("/etc/docker/daemon.json", "{}");
    host.put(
        "/lib/systemd/system/docker.service",
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// -H tcp://127.0.0.1:2375 --debug\n",
    );
    let finding = host.finding("tcp-without-tls").unwrap();
    assert_eq!(finding.seen[0].place.as_ref().unwrap().to_string(), "/lib/systemd/system/docker.service:2");
    let drop_in = host.changed("/etc/systemd/system/docker.service.d/zz-dockwarden-doctor.conf");
    assert!(drop_in.ends_with("ExecStart=\nExecStart=/usr/bin/dockerd -H fd:// --debug\n"), "{drop_in}");
    host.put("/etc/systemd/system/docker.service.d/zz-dockwarden-doctor.conf", &drop_in);
    assert!(host.finding("tcp-without-tls").is_none());
    host.put("/lib/systemd/system/docker.socket", "[Socket]\nListenStream=2375\n");
    assert!(host.finding("tcp-without-tls").is_some());
}

#[test]
fn sockets_and_who_is_in_their_group() {
    let host = Scratch::sound();
    assert!(host.finding("docker-group").is_none() && host.finding("socket-open").is_none());
    host.put("/etc/group", "root:x:0:\ndocker:x:990:alice,root,bob\nmine:x:999:\n");
    let finding = host.finding("docker-group").unwrap();
    assert_eq!((finding.severity, finding.seen[0].what.as_str()), (Severity::Warning, "members of docker: alice, bob"));
    host.put("/etc/docker/daemon.json", "{ \"group\": \"mine\" }");
    assert_eq!(host.finding("docker-group").unwrap().seen[0].what, "members of mine: me", "by their own group");

    fs::create_dir_all(host.path("/var/run")).unwrap();
    // Nobody listens any more.
    drop(UnixListener::bind(host.path("/var/run/docker.sock")).unwrap());
    let mode = |mode| fs::set_permissions(host.path("/var/run/docker.sock"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o666);
    assert_eq!(host.finding("socket-open").unwrap().seen[0].what, "/var/run/docker.sock has mode 0666");
    mode(0o600);
    assert!(host.finding("socket-open").is_none() && host.finding("docker-group").is_none(), "the owner's only");
    host.put("/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/run/docker.sock\nSocketMode=0666\n");
    assert_eq!(host.finding("socket-open").unwrap().seen[0].place.as_ref().unwrap().line, 3);
    assert!(host.changed("/etc/systemd/system/docker.socket.d/zz-dockwarden-doctor.conf").contains("SocketMode=0660"));

    let guarded = Host { asks: Some(Asks::Us), ..Scratch::sound().look() };
    assert!(examine(&guarded).iter().all(|finding| finding.id != "docker-group"));
}

#[test]
fn containers_that_have_the_socket() {
    let host = Scratch::sound();
    let with = |source: &str| Running {
        containers: vec![
            json!({ "Names": ["/web"], "State": "running", "Mounts": [{ "Source": source, "RW": false }] }),
        ],
        ..running(Value::Null)
    };
    for source in ["/var/run/docker.sock", "/run/docker.sock", "/run", "/var/run", "/"] {
        let finding = host.finding_with(with(source), "socket-mounted").unwrap();
        assert!(finding.why.contains("`:ro`") && finding.seen[0].what.contains("container web (running)"), "{source}");
    }
    for source in ["/srv", "/run/dockwarden/docker.sock", "/var", ""] {
        assert!(host.finding_with(with(source), "socket-mounted").is_none(), "{source}");
    }
    let guarded = Host { asks: Some(Asks::Us), daemon: Ok(with("/")), ..host.look() };
    let found = examine(&guarded);
    assert_eq!(found.iter().find(|finding| finding.id == "socket-mounted").unwrap().severity, Severity::Note);
}

#[test]
fn files_in_others_hands() {
    let host = Scratch::sound();
    fs::set_permissions(host.path("/etc/subuid"), fs::Permissions::from_mode(0o666)).unwrap();
    let finding = host.finding("files-writable").unwrap();
    assert!(finding.seen.iter().any(|seen| seen.what.starts_with("/etc/subuid") && seen.what.ends_with("mode 0666")));
}

#[test]
fn whom_the_daemon_asks() {
    let host = Scratch::sound();
    let finding = host.finding("no-authorization").unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    host.put("/etc/docker/daemon.json", "{\n  \"authorization-plugins\": [\"other\"]\n}");
    assert!(host.finding("no-authorization").is_none());
    let finding = host.finding("plugin-silent").unwrap();
    assert!(finding.seen[0].what.starts_with("other: there is no socket"), "{finding:?}");
    host.put("/etc/docker/plugins/other.spec", "tcp://10.0.0.1:1234\n");
    assert!(host.finding("plugin-silent").is_none(), "it cannot be seen");
    let managed = |enabled: bool| Running {
        plugins: vec![json!({ "Name": "other:latest", "Enabled": enabled })],
        ..running(Value::Null)
    };
    assert!(host.finding("around-dockwarden").is_some());
    for (enabled, silent) in [(true, false), (false, true)] {
        let mut host = Host { daemon: Ok(managed(enabled)), ..host.look() };
        host = host.asked(None);
        assert_eq!(examine(&host).iter().any(|finding| finding.id == "plugin-silent"), silent);
    }
    host.put("/etc/docker/daemon.json", "{ \"authorization-plugins\": [\"dockwarden\"] }");
    for (asks, off) in [(Asks::Us, false), (Asks::Nobody, true), (Asks::Broken("x".into()), true)] {
        let host = Host { asks: Some(asks), ..host.look() };
        assert_eq!(examine(&host).iter().any(|finding| finding.id == "firewall-off"), off);
    }
    assert!(host.finding("around-dockwarden").is_none());
}

#[test]
fn root_in_containers() {
    let host = Scratch::sound();
    assert!(host.finding("userns-off").is_none());
    host.put("/etc/docker/daemon.json", "{}");
    host.put("/etc/subuid", "alice:100000:65536\n");
    let finding = host.finding("userns-off").unwrap();
    assert_eq!(finding.benchmark, Some("2.9"));
    assert!(host.changed("/etc/docker/daemon.json").contains("\"userns-remap\": \"default\""));
    // 165536 is taken in the other file.
    assert_eq!(host.changed("/etc/subuid"), "alice:100000:65536\ndockremap:231072:65536\n");
    assert_eq!(host.changed("/etc/subgid"), "", "dockremap has some");
    let says = |options: &[&str]| running(json!({ "SecurityOptions": options }));
    assert!(host.finding_with(says(&["name=rootless"]), "userns-off").is_none());
    assert!(host.finding_with(says(&["name=userns"]), "userns-off").is_none());
    assert!(host.finding_with(says(&["name=seccomp,profile=default"]), "userns-off").is_some());
    let sound = Scratch::sound();
    assert!(sound.finding_with(says(&["name=seccomp,profile=default"]), "userns-pending").is_some());
    assert!(sound.finding_with(says(&["name=userns"]), "userns-pending").is_none());
    host.put("/etc/docker/daemon.json", "{ \"userns-remap\": \"host\" }");
    assert!(host.finding("userns-off").is_some());
    host.put("/etc/docker/daemon.json", "{}");
    host.put("/lib/systemd/system/docker.service", "[Service]\nExecStart=dockerd --userns-remap=\"\"\n");
    assert!(host.finding("userns-off").unwrap().edits.is_empty(), "the command line says it");
}

#[test]
fn subordinate_ids() {
    let host = Scratch::sound();
    for id in ["subid-overlap", "subid-owned", "subid-missing"] {
        assert!(host.finding(id).is_none(), "{id}");
    }
    host.put("/etc/subuid", "alice:100000:65536\ndockremap:150000:65536\n");
    let finding = host.finding("subid-overlap").unwrap();
    assert_eq!(finding.seen[0].what, "dockremap:150000:65536 shares ids with alice:100000:65536, line 1");
    assert_eq!(host.changed("/etc/subuid"), "alice:100000:65536\ndockremap:231072:65536\n");
    host.put("/etc/subuid", "alice:100000:65536\nbob:100001:1\ndockremap:165536:65536\n");
    let finding = host.finding("subid-overlap").unwrap();
    assert!(finding.edits.is_empty() && finding.remedy.contains("231072:65536 is free"), "{finding:?}");

    host.put("/etc/subuid", "alice:100000:65536\ndockremap:500:65536\n");
    let finding = host.finding("subid-owned").unwrap();
    assert_eq!((finding.severity, finding.seen.len()), (Severity::Warning, 1));
    assert!(finding.seen[0].what.contains("alice (1000), me (1001)"), "{finding:?}");
    host.put("/etc/subuid", "dockremap:0:65536\n");
    assert_eq!(host.finding("subid-owned").unwrap().severity, Severity::Critical);

    host.put("/etc/subuid", "dockremap:165536:1000\n");
    assert!(host.finding("subid-missing").unwrap().remedy.contains("Lengthen"));
    host.put("/etc/docker/daemon.json", "{ \"userns-remap\": \"1000:1000\" }");
    assert!(host.finding("subid-missing").unwrap().seen[0].what.contains("/etc/subuid"), "alice has some in the other");
    assert!(host.changed("/etc/subuid").contains("alice:231072:65536"));
    host.put("/etc/login.defs", "SUB_UID_MIN\t\t 300000\n");
    assert!(host.changed("/etc/subuid").contains("alice:300000:65536"));
}

#[test]
fn what_containers_get() {
    let host = Scratch::sound();
    let ids =
        ["new-privileges", "seccomp-off", "icc", "live-restore", "log-limits", "insecure-registries", "content-trust"];
    for id in ids {
        assert!(host.finding(id).is_none(), "{id}");
    }
    host.put(
        "/etc/docker/daemon.json",
        "{\n  \"seccomp-profile\": \"unconfined\",\n  \"insecure-registries\": [\"r:5000\"]\n}",
    );
    host.put("/etc/profile.d/docker.sh", "");
    for id in ids {
        assert!(host.finding(id).is_some(), "{id}");
    }
    assert_eq!(host.finding("insecure-registries").unwrap().seen[0].place.as_ref().unwrap().line, 3);
    assert_eq!(
        host.changed("/etc/docker/daemon.json"),
        "{\n  \"userns-remap\": \"default\",\n  \"no-new-privileges\": true,\n  \
         \"log-opts\": { \"max-file\": \"3\", \"max-size\": \"10m\" },\n  \"icc\": false,\n  \"live-restore\": true,\n  \
         \"seccomp-profile\": \"unconfined\",\n  \"insecure-registries\": [\"r:5000\"]\n}"
    );
    // What the daemon has already needs no file.
    let has = |info: Value| Running {
        bridge: json!({ "Options": { "com.docker.network.bridge.enable_icc": "false" } }),
        ..running(info)
    };
    let info =
        json!({ "LiveRestoreEnabled": true, "LoggingDriver": "local", "SecurityOptions": ["name=no-new-privileges"] });
    for id in ["icc", "live-restore", "log-limits", "new-privileges"] {
        assert!(host.finding_with(has(info.clone()), id).is_none(), "{id}");
    }
    assert!(host.finding_with(running(json!({ "Swarm": { "LocalNodeState": "active" } })), "live-restore").is_none());
    // What would keep the daemon from starting is not proposed.
    host.put("/etc/docker/daemon.json", "{ \"iptables\": false }");
    assert!(host.finding("icc").unwrap().edits.is_empty());
    host.put("/var/lib/docker/swarm/docker-state.json", "{}");
    assert!(host.finding("live-restore").is_none());
    host.put("/etc/docker/daemon.json", "{ \"features\": { \"containerd-snapshotter\": true } }");
    assert!(host.finding("userns-off").unwrap().edits.is_empty());
    let sound = Scratch::sound();
    let pending = sound.finding_with(running(json!({ "LiveRestoreEnabled": false })), "live-restore").unwrap();
    assert!(pending.edits.is_empty() && pending.remedy.contains("Restart"), "{pending:?}");
    assert!(sound.finding_with(running(json!({ "SecurityOptions": [] })), "seccomp-off").is_some());
}

#[test]
fn known_holes_of_the_version() {
    let host = Scratch::sound();
    let of = |version: &str| Running { version: version.to_owned(), ..Running::default() };
    assert!(host.finding_with(of("29.5.1"), "known-holes").is_none());
    let named = |finding: Option<Finding>| {
        finding.unwrap().seen.iter().map(|seen| seen.what.chars().take(14).collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(
        named(host.finding_with(of("29.3.0"), "known-holes")),
        ["CVE-2026-33997", "CVE-2026-41567", "CVE-2026-42306"]
    );
    assert!(host.finding_with(of("20.10.24+dfsg1"), "known-holes").unwrap().remedy.contains("may have mended"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, b"docker.io (20.10.24+dfsg1-1)\n  * Fix CVE-2026-41567\n").unwrap();
    host.put("/usr/share/doc/docker.io/changelog.Debian.gz", "");
    fs::write(host.path("/usr/share/doc/docker.io/changelog.Debian.gz"), packer.finish().unwrap()).unwrap();
    assert_eq!(named(host.finding_with(of("20.10.24+dfsg1"), "known-holes")), ["CVE-2026-33997", "CVE-2026-42306"]);
    assert_eq!(named(host.finding_with(of("20.10.24"), "known-holes")).len(), 3, "its makers' own has no such list");
    host.put("/etc/docker/daemon.json", "{ \"authorization-plugins\": [\"x\"] }");
    assert_eq!(named(host.finding_with(of("27.1.0"), "known-holes"))[..2], ["CVE-2026-34040", "CVE-2024-41110"]);
}

#[test]
fn plugins_with_powers_over_the_host() {
    let host = Scratch::sound();
    let with = |plugin: Value| Running { plugins: vec![plugin], ..running(Value::Null) };
    let plugin = json!({
        "Name": "vieux/sshfs:latest", "Enabled": true,
        "Config": { "Network": { "Type": "host" }, "PidHost": true, "Linux": { "Capabilities": ["CAP_SYS_ADMIN"] } },
        "Settings": { "Mounts": [{ "Source": "/etc", "Options": ["ro"] }], "Devices": [{ "Path": "/dev/fuse" }] },
    });
    let finding = host.finding_with(with(plugin), "plugin-host-access").unwrap();
    assert_eq!(
        finding.seen[0].what,
        "vieux/sshfs:latest (enabled): the host's network, the host's processes, CAP_SYS_ADMIN, /etc (read-only), /dev/fuse"
    );
    let harmless = json!({ "Name": "x", "Config": { "Network": { "Type": "" } }, "Settings": { "Mounts": [] } });
    assert!(host.finding_with(with(harmless), "plugin-host-access").is_none());
}

#[test]
fn the_machine() {
    let host = Scratch::sound();
    assert!(host.finding("rootful").unwrap().title.contains("not possible"));
    for file in ["/usr/bin/newuidmap", "/usr/bin/newgidmap", "/usr/bin/dockerd-rootless.sh"] {
        host.put(file, "");
    }
    assert!(host.finding("rootful").unwrap().title.ends_with("rootless is possible here"));
    host.put("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    assert!(host.finding("rootful").unwrap().seen[0].what.contains("is 1"));
    assert!(host.finding_with(running(json!({ "SecurityOptions": ["name=rootless"] })), "rootful").is_none());

    assert!(host.finding("cgroup-v1").is_none() && host.finding("no-mac").is_none(), "it cannot be seen");
    host.put("/sys/fs/cgroup/memory/tasks", "");
    host.put("/sys/module/x", "");
    assert!(host.finding("cgroup-v1").is_some() && host.finding("no-mac").is_some());
    host.put("/sys/fs/cgroup/cgroup.controllers", "memory\n");
    host.put("/sys/module/apparmor/parameters/enabled", "Y\n");
    assert!(host.finding("cgroup-v1").is_none() && host.finding("no-mac").is_none());
    let says = |info| running(info);
    assert!(host.finding_with(says(json!({ "CgroupVersion": "1" })), "cgroup-v1").is_some());
    assert!(host.finding_with(says(json!({ "SecurityOptions": ["name=seccomp"] })), "no-mac").is_some());
    assert!(host.finding_with(says(json!({ "SecurityOptions": ["name=selinux"] })), "no-mac").is_none());
}

#[test]
fn broken_files_are_all_told_and_nothing_else() {
    let host = Scratch::sound();
    host.put("/etc/docker/daemon.json", "{\n  \"debug\": yes\n}");
    host.put("/etc/subuid", "alice:1:2\nbob;1;2\n");
    let faults = Host::look(&host.places()).unwrap_err();
    let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("daemon.json:2:12: it is not JSON: expected value"), "{faults:?}");
    assert!(faults[1].starts_with("/etc/subuid:2:1: it has 1 fields, not 3"), "{faults:?}");
}

#[test]
fn links_do_not_lead_out_of_the_root() {
    let (host, outside) = (Scratch::sound(), Scratch::new());
    outside.put("/daemon.json", "{}");
    fs::remove_file(host.path("/etc/docker/daemon.json")).unwrap();
    std::os::unix::fs::symlink(outside.path("/daemon.json"), host.path("/etc/docker/daemon.json")).unwrap();
    assert!(Host::look(&host.places()).unwrap_err().to_string().contains("leads out of"));
    let place = host.look_at("/../../etc/passwd");
    assert!(place.starts_with(host.0.path()), "{place:?}");
}

impl Scratch {
    fn look_at(&self, file: &str) -> std::path::PathBuf {
        self.root().path(file).unwrap()
    }
}

#[test]
fn changes_are_written_whole_or_taken_back() {
    let host = Scratch::sound();
    let before = "{\n  \"debug\" : true\n}\n";
    host.put("/etc/docker/daemon.json", before);
    fs::remove_file(host.path("/etc/subuid")).unwrap();
    let looked = host.look();
    let changes = fix::changes(&looked, &examine(&looked));
    let diff: String = changes.iter().map(fix::Change::diff).collect();
    assert!(
        diff.contains("--- a/etc/docker/daemon.json\n+++ b/etc/docker/daemon.json\n")
            && diff.contains("--- /dev/null\n")
    );
    let written = apply::apply(&looked, &changes, "T").unwrap();
    assert_eq!(written[0].kept.as_deref(), Some("/etc/docker/daemon.json.before-dockwarden-T"));
    assert_eq!(fs::read_to_string(host.path("/etc/docker/daemon.json.before-dockwarden-T")).unwrap(), before);
    assert_eq!(written[1].kept, None, "there was none");
    let ids: Vec<_> = host.found().iter().map(|finding| finding.id).collect();
    assert!(!ids.contains(&"userns-off") && !ids.contains(&"live-restore"), "{ids:?}");
    let error = apply::apply(&looked, &changes, "T2").unwrap_err();
    assert!(error.contains("changed by somebody else"), "{error}");

    // The last one cannot be written: the first is as it was.
    let host = Scratch::sound();
    host.put("/etc/docker/daemon.json", before);
    let looked = host.look();
    let mut changes = fix::changes(&looked, &examine(&looked));
    changes.push(fix::Change { file: "/etc/passwd/x".into(), old: None, new: "x".into(), findings: vec![] });
    assert!(apply::apply(&looked, &changes, "T").unwrap_err().contains("everything is as it was"));
    assert_eq!(fs::read_to_string(host.path("/etc/docker/daemon.json")).unwrap(), before);
}

#[test]
fn reports_are_short_and_count() {
    let host = Scratch::sound();
    host.put("/etc/docker/daemon.json", "{ \"hosts\": [\"tcp://0.0.0.0:2375\\u001b[2J\"] }");
    let looked = host.look();
    let findings = examine(&looked);
    let text = show::for_people(&looked, &findings, false);
    assert!(text.starts_with("Only files were looked at"), "{text}");
    assert!(text.contains("\nCRITICAL\n") && text.contains("[tcp-without-tls, CIS 2.7]"), "{text}");
    assert!(text.contains("    - /etc/docker/daemon.json:1: listens on tcp://0.0.0.0:2375?[2J\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("1 critical, ") && last.contains("--fix"), "{last}");
    let object = show::for_programs(&looked, &findings);
    assert_eq!((&object["critical"], &object["daemon"]["version"]), (&json!(1), &Value::Null));
    assert_eq!(object["findings"][0]["seen"][0]["file"], "/etc/docker/daemon.json");
    assert_eq!(Path::new(object["findings"][0]["id"].as_str().unwrap()), Path::new("tcp-without-tls"));
}
