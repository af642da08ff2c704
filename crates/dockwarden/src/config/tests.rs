//! Cases are data: each `cases/NAME.yaml` is a configuration, `cases/NAME.txt` what is said of it, to
//! the letter. `UPDATE_CASES=1 cargo test` writes the texts anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use docker::defaults::Defaults;
use docker::target::ApiVersion;
use server::limits::Limits;
use server::listen::ListenAddress;
use server::plugin::Require;
use server::record::WhenUnwritable;

use super::{Config, Wishes, load};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn said(config: &Path) -> String {
    let folder = config.parent().unwrap().display().to_string();
    match load(&Wishes { config: Some(config.to_owned()), serves: true, ..Wishes::default() }) {
        Ok(config) => {
            format!("ok\n{}", config.warnings.iter().map(|warning| format!("{warning}\n")).collect::<String>())
        }
        Err(faults) => format!("{faults}\n").replace(&format!("{folder}/"), ""),
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(here("src/config/cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    cases.sort();
    assert!(cases.len() > 10);
    cases
}

#[test]
fn faulty_configurations_are_explained() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    for case in cases() {
        let (said, expected) = (said(&case), case.with_extension("txt"));
        if update {
            std::fs::write(&expected, &said).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap_or_default();
        assert_eq!(said, expected, "{}", case.display());
    }
}

#[test]
fn examples_have_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    for beside in ["limits.cedar", "docksec.json", "secdocker.yml"] {
        std::fs::copy(here("../../examples").join(beside), folder.path().join(beside)).unwrap();
    }
    std::fs::create_dir(folder.path().join("rego")).unwrap();
    std::fs::copy(here("../../examples/rego/authz.rego"), folder.path().join("rego/authz.rego")).unwrap();
    let examples = [
        "ci-whitelist.yaml",
        "docksec.yaml",
        "shared-server.yaml",
        "ci.yaml",
        "tls.yaml",
        "limits.yaml",
        "redact.yaml",
        "temporary-rules.yaml",
        "plugin.yaml",
        "mediation.yaml",
        "team.yaml",
        "rego.yaml",
        "transparent.yaml",
        "checks.yaml",
    ];
    for name in examples {
        let example = std::fs::read_to_string(here("../../examples").join(name)).unwrap();
        let place = folder.path().join(name);
        std::fs::write(&place, example).unwrap();
        let said = said(&place);
        // A name that this host does not know is no fault of the example.
        assert!(said.starts_with("ok\n"), "{name}: {said}");
    }
}

/// What may stand where something else is expected.
const ODD: [&str; 12] =
    ["", "[", "}", "*a", "&a {x: *a}", "? x", "- -1", "1e999", "0x10000000000000000", "!!binary é", "|", "~"];

#[test]
fn whatever_is_written_is_read_or_explained() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("config.yaml");
    let mut odd = ODD.iter().cycle();
    for case in cases() {
        let text = std::fs::read_to_string(case).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let key = line.split_once(':').map_or("", |(key, _)| key);
            let instead = format!("{key}: {}", odd.next().unwrap());
            let mut lines = lines.clone();
            lines[number] = &instead;
            std::fs::write(&place, lines.join("\n")).unwrap();
            let loaded = load(&Wishes { config: Some(place.clone()), serves: true, ..Wishes::default() });
            for fault in loaded.err().into_iter().flat_map(|faults| faults.0) {
                assert!(!fault.message.is_empty() && fault.line <= lines.len(), "{instead}: {fault}");
            }
        }
    }
}

fn certificates(folder: &Path) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (name, text) in
        [("ca.pem", certificate.pem()), ("server.pem", certificate.pem()), ("server.key", key.serialize_pem())]
    {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

fn loaded(text: &str, wishes: Wishes) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("b.cedar"), "permit (principal, action, resource);").unwrap();
    load(&Wishes { config: Some(path), ..wishes }).unwrap()
}

const FULL: &str = "
listen:
  - { socket: dw.sock, mode: 0600, owner: root, group: 0 }
  - { address: '[::1]:2375' }
  - { systemd: docker }
upstream: tcp://10.0.0.1:2375
groups: { admins: [root, alice] }
policy:
  preset: none
  cedar: ['*.cedar']
defaults:
  { memory: 1g, cpus: 0.5, pids: 512, user: '1000:1000', env: [A=b=c], no_new_privileges: true, drop_capabilities: [cap_mknod] }
limits: { head_bytes: 64k, head_wait: 1m30s, answer_wait: 2h, stream_silence: none, connections: 10, drain: 0s }
records: { file: /var/log/dw.jsonl, when_unwritable: continue }
understand: { allow_fields: [HostConfig.New], oldest_api: 1.30, newest_api: 1.50 }
state: state/dw.db
plugin: { socket: plugins/dw.sock, require: gateway }
mediation: { key: dw.key }
";

#[test]
fn every_key_is_understood() {
    let Config { settings, policy, .. } = loaded(FULL, Wishes::default());
    let [socket, address, systemd] = settings.listen.as_slice() else { panic!("{:?}", settings.listen) };
    let ListenAddress::Unix { path, mode, owner, group } = &socket.address else { panic!("{socket:?}") };
    assert!(path.is_absolute() && path.ends_with("dw.sock"), "{path:?}");
    assert_eq!((*mode, owner.as_deref(), group.as_deref()), (Some(0o600), Some("root"), Some("0")));
    assert_eq!(address.address.to_string(), "tcp://[::1]:2375");
    assert_eq!(systemd.address, ListenAddress::Inherited("docker".to_owned()));
    assert_eq!(settings.upstream.address.to_string(), "tcp://10.0.0.1:2375");
    let limits = Limits {
        head_bytes: 64 << 10,
        head_wait: Duration::from_secs(90),
        answer_wait: Some(Duration::from_secs(7200)),
        stream_silence: None,
        connections: 10,
        drain: Duration::ZERO,
        ..Limits::default()
    };
    assert_eq!(settings.limits, limits);
    let plugin = settings.plugin.as_ref().unwrap();
    let ListenAddress::Unix { path, mode, .. } = &plugin.listen.address else { panic!("{plugin:?}") };
    assert!(path.is_absolute() && path.ends_with("plugins/dw.sock"), "{path:?}");
    assert_eq!((*mode, plugin.require), (Some(0o600), Require::Gateway));
    assert!(settings.mediation.is_some());
    assert_eq!(settings.records.file, Path::new("/var/log/dw.jsonl"));
    assert_eq!(settings.records.when_unwritable, WhenUnwritable::Continue);
    // 1.30 and 1.50 are versions, not the numbers 1.3 and 1.5.
    assert_eq!(settings.understand.oldest, ApiVersion { major: 1, minor: 30 });
    assert_eq!(settings.understand.newest, ApiVersion { major: 1, minor: 50 });
    assert_eq!(settings.understand.allow_fields, ["HostConfig.New"]);
    let defaults = Defaults {
        memory: Some(1 << 30),
        nano_cpus: Some(500_000_000),
        pids: Some(512),
        user: Some("1000:1000".to_owned()),
        env: vec![("A".to_owned(), "b=c".to_owned())],
        no_new_privileges: true,
        drop_capabilities: vec!["MKNOD".to_owned()],
        ..Defaults::default()
    };
    assert_eq!(policy.defaults(), &defaults);
    assert_eq!(
        (policy.preset(), policy.count()),
        ("none", 1 + loaded("policy: { preset: none }", Wishes::default()).policy.count())
    );
}

#[test]
fn flags_win_over_the_file() {
    let wishes = Wishes {
        listen: vec![super::parse_address("unix:///run/other.sock").unwrap()],
        upstream: "tcp://other:1".parse().ok(),
        preset: Some("open".to_owned()),
        ..Wishes::default()
    };
    let Config { settings, policy, .. } = loaded(FULL, wishes);
    let listen: Vec<String> = settings.listen.iter().map(|listen| listen.address.to_string()).collect();
    assert_eq!(listen, ["unix:///run/other.sock"]);
    assert_eq!((settings.upstream.address.to_string().as_str(), policy.preset()), ("tcp://other:1", "open"));
}

#[test]
fn an_empty_file_means_everything_as_usual() {
    for text in ["", "# nothing\n", "policy:\nlisten:\n"] {
        let Config { settings, policy, .. } = loaded(text, Wishes::default());
        let listen: Vec<String> = settings.listen.iter().map(|listen| listen.address.to_string()).collect();
        assert_eq!(listen, ["unix:///run/dockwarden/docker.sock"]);
        assert_eq!(settings.upstream.address.to_string(), "unix:///var/run/docker.sock");
        assert_eq!((policy.preset(), settings.limits), ("developer", Limits::default()));
        assert!(settings.records.file.ends_with("dockwarden/records.jsonl"));
    }
}

#[test]
fn a_plugin_alone_has_no_gateway() {
    let plugin = "plugin: { socket: /run/docker/plugins/dockwarden.sock }";
    let settings = loaded(plugin, Wishes::default()).settings;
    assert!(settings.listen.is_empty() && settings.mediation.is_none());
    assert_eq!(settings.plugin.unwrap().require, Require::Policy);
    let flag = Wishes { plugin_socket: Some("/run/x.sock".into()), ..Wishes::default() };
    let settings = loaded(plugin, flag.clone()).settings;
    assert_eq!(settings.plugin.unwrap().listen.address.to_string(), "unix:///run/x.sock");
    let both = Wishes { listen: vec![super::parse_address("/run/y.sock").unwrap()], ..flag };
    assert_eq!(loaded("", both).settings.listen.len(), 1);
}

#[test]
fn records_are_kept_beside_the_state() {
    let settings = loaded("state: /srv/dw/state.db", Wishes::default()).settings;
    assert_eq!(settings.records.file, Path::new("/srv/dw/records.jsonl"));
}

#[test]
fn a_socket_in_front_of_itself_is_refused() {
    let listen = vec![super::parse_address("unix:///var/run/docker.sock").unwrap()];
    let wishes =
        Wishes { listen, upstream: "unix:///run/docker.sock".parse().ok(), only_named: true, ..Wishes::default() };
    let faults = load(&Wishes { serves: true, ..wishes.clone() }).unwrap_err().to_string();
    let linked = Path::new("/var/run").canonicalize().is_ok_and(|folder| folder == Path::new("/run"));
    assert!(!linked || faults.contains("cannot be both"), "{faults}");
    assert!(load(&wishes).is_ok());
}

#[test]
fn addresses_on_the_command_line() {
    for (given, expected) in [
        ("unix:///run/dw.sock", Some("unix:///run/dw.sock")),
        ("/run/dw.sock", Some("unix:///run/dw.sock")),
        ("tcp://0.0.0.0:2375", Some("tcp://0.0.0.0:2375")),
        ("tcp://localhost:2375", Some("tcp://127.0.0.1:2375")),
        ("tcp://[::]:2375", Some("tcp://[::]:2375")),
        ("fd://docker", Some("fd://docker")),
        ("tcp://example.org:2375", None),
        ("tcp://:2375", None),
        ("dw.sock", None),
        ("", None),
    ] {
        let read = super::parse_address(given).ok().map(|address| address.to_string());
        assert_eq!(read.as_deref(), expected, "{given}");
    }
}
