//! Policies in Rego through a real daemon: docker-socket-firewall's flags with its two files at the gateway, a policy
//! for opa-docker-authz and that of securing-docker at the plugin's door.

use crate::authorization::asking;
use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const AUTHZ: &str = r#"package docker.authz

allow { not networkCreate; not denied_image }

networkCreate { re_match("^(/v[0-9.]+)?/networks/create[?]", input.Path) }

denied_image { input.Body.Image == "denied" }
"#;

const BUILD: &str = r#"package docker.build

allow { not hasDenied }

hasDenied { images[_] = "denied" }

images[output] {
  line := input.Dockerfile[_]
  startswith(line, "FROM ")
  output = substring(line, 5, -1)
}
"#;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn dockwarden() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dockwarden"))
}

fn compat(folder: &Path, target: &Path, flags: &[&str]) -> Command {
    let mut command = dockwarden();
    command.args(["compat", "docker-socket-firewall", "-host"]).arg(folder.join("s.sock"));
    command.arg(format!("--target={}", target.display())).arg("-policyDir").arg(folder).args(flags);
    command.env("XDG_STATE_HOME", folder).env("HOME", folder).stdin(Stdio::null());
    command
}

#[test]
fn the_flags_and_files_of_docker_socket_firewall() {
    let engine = Engine::start();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    // Without both files nothing starts.
    fs::write(folder.join("authz.rego"), AUTHZ).unwrap();
    let refused = compat(folder, engine.socket(), &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("build.rego"), "{refused:?}");

    fs::write(folder.join("build.rego"), BUILD).unwrap();
    let log = fs::File::create(folder.join("log")).unwrap();
    let process = compat(folder, engine.socket(), &["-verbose"]).stderr(log).spawn().unwrap();
    let _running = Running(process);
    let socket = folder.join("s.sock");
    let said = || fs::read_to_string(folder.join("log")).unwrap();
    assert!(eventually(Duration::from_secs(10), || http::connects(&socket)), "{}", said());
    let shell = Shell::new(&socket, Cli::from(engine.kind()));
    assert_eq!(shell.must("docker run --rm --network none -e TOKEN=hunter2 tiny echo hi"), "hi");
    let refused = shell.run("docker network create n");
    assert!(refused.err.contains("authz.rego:3 (data.docker.authz.allow) is undefined"), "{refused:?}");
    shell.must("mkdir ok; echo 'FROM tiny' >ok/Dockerfile; DOCKER_BUILDKIT=0 docker build -q $WORK/ok");
    shell.must("docker tag tiny denied; mkdir no; echo 'FROM denied' >no/Dockerfile");
    let refused = shell.run("DOCKER_BUILDKIT=0 docker build $WORK/no");
    assert!(refused.err.contains("build.rego:3 (data.docker.build.allow)"), "{refused:?}");
    let said = said();
    for words in ["querying data.docker.authz.allow, input: {", "TOKEN=[redacted]", "decision: true (by "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn policies_decide_inside_the_daemon() {
    let mut engine = Engine::start();
    let place = tempfile::tempdir().unwrap();
    let policy = place.path().join("authz.rego");
    fs::write(
        &policy,
        r#"package docker.authz
import rego.v1

default allow := false

allow if not deny

deny if {
	input.PathArr[2] == "containers"
	some bind in input.BindMounts
	not startswith(bind.Resolved, "/srv/allowed")
}

deny if input.Body.HostConfig.Privileged == true

deny if "evil" in object.get(input.Query, "name", [])
"#,
    )
    .unwrap();
    let rest = format!("policy:\n  preset: open\n  rego: [{}]\n", policy.display());
    let (_firewall, shell) = asking(&mut engine, &rest);
    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    shell.must("mkdir -p /srv/allowed; docker run --rm --network none -v /srv/allowed:/x:ro tiny true");
    for line in [
        "docker run --rm --network none -v /etc:/x:ro tiny true",
        "docker run --rm --network none --privileged tiny true",
        "docker run --rm --network none --name evil tiny true",
    ] {
        let refused = shell.run(line);
        assert!(refused.code != 0 && refused.err.contains("authz.rego:4"), "{line}: {refused:?}");
    }
}

#[test]
fn a_policy_that_changes_is_taken_whole_or_not_at_all() {
    let engine = Engine::start();
    let place = tempfile::tempdir().unwrap();
    let policy = place.path().join("authz.rego");
    fs::write(&policy, "package docker.authz\nallow := true\n").unwrap();
    let firewall =
        Firewall::start(engine.socket(), |_| format!("policy:\n  preset: open\n  rego: [{}]\n", policy.display()));
    let info = || http::call(&firewall.socket(), "GET", "/info", None).0;
    assert_eq!(info(), 200);
    fs::write(&policy, "package docker.authz\nallow :=\n").unwrap();
    assert!(eventually(Duration::from_secs(10), || firewall.log().contains("the policy stays as it is")));
    assert_eq!(info(), 200);
    fs::write(&policy, "package docker.authz\nallow := false\n").unwrap();
    assert!(eventually(Duration::from_secs(10), || info() == 403), "{}", firewall.log());
}
