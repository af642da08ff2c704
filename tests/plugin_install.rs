//! `dockwarden plugin`: packaged, installed, looked after and taken out on a real daemon, which lives through all of it.

use crate::harness::{Cli, Engine, Firewall, Outcome, Shell, eventually, http, repository, skipped};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A daemon, and what the command needs to know of it.
struct Site {
    engine: Engine,
    place: TempDir,
    /// The daemon's folder.
    folder: PathBuf,
}

impl Site {
    fn start() -> Site {
        let engine = Engine::start();
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        fs::create_dir(place.path().join("config")).expect("a folder");
        let folder = engine.socket().parent().expect("its folder").to_owned();
        Site { engine, place, folder }
    }

    fn configure(&self, text: &str) {
        fs::write(self.place.path().join("config/config.yaml"), text).expect("the configuration");
    }

    /// `dockwarden plugin ...`, told where this daemon is.
    fn plugin(&self, words: &str) -> Outcome {
        let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
        let at = |name: &str| self.folder.join(name);
        let mut command = Command::new(named);
        command.arg("plugin").args(words.split_whitespace());
        command.arg("--docker").arg(self.engine.socket()).arg("--daemon-json").arg(at("daemon.json"));
        command.arg("--pidfile").arg(at("pid")).arg("--plugins").arg(at("plugins"));
        let said = command.stdin(Stdio::null()).output().expect("the binary");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome { code: said.status.code().unwrap_or(-1), out: text(&said.stdout), err: text(&said.stderr) }
    }

    /// The same with an exit status of 0.
    fn must(&self, words: &str) -> String {
        let outcome = self.plugin(words);
        assert_eq!(outcome.code, 0, "plugin {words}: {outcome:?}\n{}", self.log());
        outcome.out
    }

    fn install(&self, words: &str) -> Outcome {
        let place = self.place.path().display();
        self.plugin(&format!("install --config {place}/config {words}"))
    }

    /// The managed one, with a state of its own.
    fn managed(&self, words: &str) -> Outcome {
        self.install(&format!("--as managed --state {}/state --yes {words}", self.place.path().display()))
    }

    fn status(&self) -> Value {
        let said = self.plugin("status --json");
        let status: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
        assert_eq!(said.code == 0, status["in_force"] == true, "{said:?}");
        status
    }

    fn shell(&self) -> Shell {
        Shell::new(self.engine.socket(), Cli::from(self.engine.kind()))
    }

    fn pid(&self) -> String {
        let pid = fs::read_to_string(self.folder.join("pid")).expect("its pidfile");
        assert!(Path::new("/proc").join(&pid).exists(), "the daemon has ended: {}", self.log());
        pid
    }

    fn daemon_json(&self) -> String {
        fs::read_to_string(self.folder.join("daemon.json")).expect("daemon.json")
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("plugin")).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_managed_plugin_comes_and_goes_while_the_daemon_lives() {
    let mut site = Site::start();
    site.configure(
        "policy:\n  preset: developer\n  rules:\n    - allow: { mount: /srv/shared }\n    - allow: plugin ls\n",
    );
    fs::write(site.folder.join("daemon.json"), "{\n    \"debug\" : false\n}\n").expect("daemon.json");
    let (pid, before) = (site.pid(), site.daemon_json());
    assert_eq!(site.status()["asks"], "no");

    let shown = site.install("--as managed --dry-run");
    assert!(shown.code == 0 && shown.out.contains("would: enable dockwarden:latest"), "{shown:?}");
    assert!(site.install("--as managed").err.contains("--yes"), "nobody was asked");
    assert_eq!(site.daemon_json(), before);

    let done = site.managed("");
    assert_eq!(done.code, 0, "{done:?}\n{}", site.log());
    assert_eq!(
        site.daemon_json(),
        "{\n    \"authorization-plugins\": [\"dockwarden:latest\"],\n    \"debug\" : false\n}\n"
    );
    assert_eq!(fs::read_to_string(site.folder.join("daemon.json.before-dockwarden")).expect("a backup"), before);
    let status = site.status();
    assert_eq!((&status["in_force"], &status["name"]), (&true.into(), &"dockwarden:latest".into()), "{status}");
    assert!(status["warnings"].as_array().is_some_and(Vec::is_empty), "{status}");
    assert!(site.install("--as managed --yes").err.contains("already"));

    let shell = site.shell();
    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    for (line, words) in [
        ("docker run --rm --privileged --network none tiny true", "may not run privileged"),
        ("docker run --rm -v /etc:/x --network none tiny true", "may not mount host path /etc"),
        ("docker plugin disable -f dockwarden", "may not"),
    ] {
        let refused = shell.run(line);
        let denied = "authorization denied by plugin dockwarden:latest: ";
        assert!(
            refused.code != 0 && refused.err.contains(denied) && refused.err.contains(words),
            "{line}: {refused:?}"
        );
    }
    // Links of the host are followed, although the plugin lives in a root of its own.
    let link = site.place.path().join("link");
    std::os::unix::fs::symlink("/etc", &link).expect("a link");
    let refused = shell.run(&format!("docker run --rm -v {}/cron.d:/x --network none tiny true", link.display()));
    assert!(refused.err.contains("/etc/cron.d"), "{refused:?}");
    let records = fs::read_to_string(site.place.path().join("state/records.jsonl")).expect("records");
    assert!(records.lines().any(|line| line.contains("ContainerCreate") && line.contains("\"refused\"")));

    let gone = site.must("uninstall");
    assert!(gone.contains("remove dockwarden:latest"), "{gone}");
    assert_eq!((site.daemon_json(), site.pid()), (before, pid));
    assert_eq!(shell.must("docker plugin ls -q"), "");
    assert_eq!(site.status()["asks"], "no");
    shell.must("docker run --rm -v /etc:/x:ro --network none tiny true");

    // It is there again before the daemon is, whatever became of that.
    assert_eq!(site.managed("").code, 0, "{}", site.log());
    site.engine.kill();
    site.engine.restart();
    assert_eq!(site.status()["in_force"], true);
    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    assert_ne!(shell.run("docker run --rm --privileged --network none tiny true").code, 0);
    site.must("uninstall");
}

#[test]
fn an_installation_that_fails_leaves_nothing() {
    let site = Site::start();
    let (pid, before) = (site.pid(), site.daemon_json());
    let shell = site.shell();
    for (what, configuration, words) in [
        ("seen at once", "policy: { preset: nosuch }\n", "there is no preset"),
        ("seen by the plugin only", "records: { file: /nowhere/records.jsonl }\n", "the daemon says"),
    ] {
        site.configure(configuration);
        let failed = site.managed("");
        assert_eq!(failed.code, 1, "{what}: {failed:?}");
        assert!(
            failed.err.contains(words) && failed.err.contains("everything is as it was before"),
            "{what}: {failed:?}"
        );
        assert_eq!((site.daemon_json(), site.pid()), (before.clone(), pid.clone()), "{what}");
        assert_eq!(shell.must("docker plugin ls -q"), "", "{what}");
    }
    // The last moment: the file of the daemon cannot be written.
    site.configure("policy: { preset: open }\n");
    fs::create_dir(site.folder.join("daemon.json.before-dockwarden")).expect("a folder in the way");
    let failed = site.managed("");
    assert!(failed.code == 1 && failed.out.contains("undo: remove the plugin dockwarden:latest"), "{failed:?}");
    assert_eq!((site.daemon_json(), site.pid(), shell.must("docker plugin ls -q")), (before, pid, String::new()));

    // A service that nobody runs.
    let failed = site.install("--as service --yes");
    assert!(failed.code == 1 && failed.err.contains("--plugin-socket"), "{failed:?}");
    assert!(site.plugin("install --name fw").err.contains("the policy guards it"));
}

/// `serve` as a plugin of this daemon.
fn serving(site: &Site, rest: &str) -> Firewall {
    let socket = site.engine.plugin_socket();
    Firewall::start(site.engine.socket(), |_| format!("plugin: {{ socket: {} }}\n{rest}", socket.display()))
}

#[test]
fn a_service_is_asked_after_other_plugins_and_docker_is_rescued_from_it() {
    let site = Site::start();
    let pid = site.pid();
    let shell = site.shell();
    let other = Other::start(&site.folder.join("plugins/other.sock"));
    fs::write(site.folder.join("daemon.json"), "{\"authorization-plugins\": [\"other\"]}\n").expect("daemon.json");
    Command::new("bash").args(["-c", &format!("builtin kill -HUP {pid}")]).status().expect("bash");
    assert!(eventually(Duration::from_secs(5), || http::call(site.engine.socket(), "GET", "/info", None).0 == 200
        && !other.seen().is_empty()));

    let firewall = serving(&site, "policy:\n  preset: developer\n");
    let done = site.install("--as service --yes");
    assert_eq!(done.code, 0, "{done:?}\n{}", firewall.log());
    assert_eq!(site.daemon_json(), "{\"authorization-plugins\": [\"other\", \"dockwarden\"]}\n");
    assert_eq!(site.status()["in_force"], true);
    // Both are asked, one after the other; either refuses.
    let refused = shell.run("docker run --rm --privileged --network none tiny true");
    assert!(refused.err.contains("denied by plugin dockwarden: "), "{refused:?}");
    assert!(
        other.seen().iter().any(|line| line.starts_with("POST ") && line.contains("/containers/create")),
        "{:?}",
        other.seen()
    );
    let refused = shell.run("docker volume create not-by-other");
    assert!(refused.err.contains("denied by plugin other: "), "{refused:?}");
    assert!(firewall.records().iter().all(|record| record["request"]["operation"] != "VolumeCreate"));
    shell.must("docker volume create good");

    // It dies, and everything is refused after a while; nothing that asks the daemon would help.
    drop(firewall);
    let status = site.status();
    assert!(status["asks"] == "broken" && status["warnings"].to_string().contains("rescue"), "{status}");
    let rescued = site.must("rescue");
    assert!(rescued.contains("take dockwarden out of"), "{rescued}");
    assert_eq!(site.daemon_json(), "{\"authorization-plugins\": [\"other\"]}\n");
    shell.must("docker run --rm --network none tiny true");
    assert_eq!(site.pid(), pid);
    // The other one is gone too: a daemon that is told of it again would end, so it is not.
    drop(other);
    fs::write(site.folder.join("daemon.json"), "{\"authorization-plugins\": [\"other\", \"dockwarden\"]}\n")
        .expect("it");
    let refused = site.plugin("rescue");
    assert!(refused.code == 1 && refused.err.contains("other"), "{refused:?}");
    assert_eq!(site.pid(), pid);
    fs::write(site.folder.join("daemon.json"), "{\"authorization-plugins\": [\"other\", \"dockwarden\"]}\n")
        .expect("it");
    site.must("rescue --name other --name dockwarden");
    assert_eq!((site.daemon_json().as_str(), site.pid()), ("{}\n", pid));
    shell.must("docker ps");
}

#[test]
fn a_plugin_that_wants_the_gateway_is_installed_and_looked_after_from_outside_of_it() {
    let site = Site::start();
    let pid = site.pid();
    let socket = site.engine.plugin_socket();
    let firewall = Firewall::start(site.engine.socket(), |_| {
        format!("plugin: {{ socket: {}, require: gateway }}\npolicy: {{ preset: open }}\n", socket.display())
    });
    let done = site.install("--as service --yes");
    assert_eq!(done.code, 0, "{done:?}\n{}", firewall.log());
    assert_ne!(site.shell().run("docker ps").code, 0);
    Shell::new(&firewall.socket(), Cli::from(site.engine.kind())).must("docker ps");
    let status = site.status();
    assert!(status["in_force"] == true && status["warnings"].as_array().is_some_and(Vec::is_empty), "{status}");
    site.must("uninstall");
    site.shell().must("docker ps");
    assert_eq!(site.pid(), pid);
}

#[test]
fn a_daemon_that_does_not_start_is_rescued() {
    let mut site = Site::start();
    site.engine.kill();
    fs::write(site.folder.join("daemon.json"), "{\"authorization-plugins\": [\"dockwarden\"]}\n").expect("it");
    let said = site.plugin("rescue");
    assert!(said.code == 0 && said.err.contains("systemctl start docker"), "{said:?}");
    assert_eq!(site.daemon_json(), "{}\n");
    site.engine.restart();
    site.shell().must("docker ps");
}

#[test]
fn nobody_takes_the_firewall_out_but_whom_the_policy_names() {
    let site = Site::start();
    // Through the gateway, as nothing else tells users apart here; everything is allowed, but for the firewall itself.
    let direct = site.shell();
    let place = site.place.path().display();
    site.must_package();
    direct.must(&format!(
        "docker plugin create team/dockwarden:1 {place}/bundle && touch {place}/bundle/rootfs/other && \
         docker plugin create other:1 {place}/bundle"
    ));
    let id = direct.must("docker plugin ls --no-trunc --format '{{.ID}} {{.Name}}' | grep dockwarden | cut -d' ' -f1");
    let firewall = Firewall::start(site.engine.socket(), |_| "policy:\n  preset: open\n".to_owned());
    let refused = |socket: &Path, what: &str, method: &str, path: &str, body: Option<&str>| {
        let (status, said) = http::call(socket, method, path, body);
        assert_eq!(status, 403, "{what}: {said}");
        assert!(said.contains("this is the firewall itself"), "{what}: {said}");
    };
    let all = |socket: &Path| {
        for name in ["team/dockwarden:1", "team%2Fdockwarden:1", "docker.io/team/dockwarden:1", id.as_str(), &id[..12]]
        {
            for operation in ["disable", "disable?force=1", "d%69sable", "enable", "set", "upgrade?remote=x/y:1"] {
                let body = if operation.starts_with("set") || operation.starts_with("up") { Some("[]") } else { None };
                refused(socket, operation, "POST", &format!("/plugins/{name}/{operation}"), body);
            }
            refused(socket, "rm", "DELETE", &format!("/plugins/{name}?force=1"), None);
        }
    };
    all(&firewall.socket());
    let shell = Shell::new(&firewall.socket(), Cli::from(site.engine.kind()));
    assert_ne!(shell.run("docker plugin rm -f team/dockwarden:1").code, 0);
    shell.must("docker plugin rm -f other:1");

    // The same at the plugin, on the daemon's own socket.
    let plugin = serving(&site, "policy:\n  preset: open\n");
    assert_eq!(site.install("--as service --yes").code, 0, "{}", plugin.log());
    let (status, said) = http::call(site.engine.socket(), "POST", "/plugins/team%2Fdockwarden:1/d%69sable", None);
    assert!(status == 403 && said.contains("denied by plugin dockwarden: "), "{said}");
    all(site.engine.socket());
    site.must("uninstall");

    // Whom a rule names may.
    drop(firewall);
    let named = "policy:\n  preset: open\n  rules:\n    - { allow: plugin rm, on: { name: team/dockwarden:1 }, to: user:root }\n";
    let firewall = Firewall::start(site.engine.socket(), |_| named.to_owned());
    refused(&firewall.socket(), "set", "POST", "/plugins/team/dockwarden:1/set", Some("[]"));
    Shell::new(&firewall.socket(), Cli::from(site.engine.kind())).must("docker plugin rm team/dockwarden:1");
}

impl Site {
    fn must_package(&self) {
        let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
        let made = Command::new(named).args(["plugin", "package"]).arg(self.place.path().join("bundle")).output();
        assert!(made.expect("the binary").status.success());
    }
}

/// Another authorization plugin: it refuses what has `not-by-other` in its body, and notes what it is asked.
struct Other {
    process: Child,
    place: TempDir,
}

impl Other {
    fn start(socket: &Path) -> Other {
        let place = tempfile::tempdir().expect("a folder");
        let program = place.path().join("other.py");
        fs::write(&program, OTHER).expect("the program");
        let seen = place.path().join("seen");
        let process =
            Command::new("python3").arg(program).arg(socket).arg(seen).stdin(Stdio::null()).spawn().expect("python3");
        assert!(eventually(Duration::from_secs(10), || http::connects(socket)));
        Other { process, place }
    }

    fn seen(&self) -> Vec<String> {
        let seen = fs::read_to_string(self.place.path().join("seen")).unwrap_or_default();
        seen.lines().map(str::to_owned).collect()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const OTHER: &str = r#"
import base64, http.server, json, socketserver, sys
class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        told = {'Implements': ['authz']}
        if self.path == '/AuthZPlugin.AuthZReq':
            asked = json.loads(asked or '{}')
            with open(sys.argv[2], 'a') as seen:
                print(asked.get('RequestMethod'), asked.get('RequestUri'), file=seen)
            body = base64.b64decode(asked.get('RequestBody', ''))
            told = {'Allow': b'not-by-other' not in body, 'Msg': 'not that'}
        elif self.path == '/AuthZPlugin.AuthZRes':
            told = {'Allow': True}
        told = json.dumps(told).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(told)))
        self.end_headers()
        self.wfile.write(told)
    def address_string(self): return ''
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
Server(sys.argv[1], Answers).serve_forever()
"#;

#[test]
fn the_units_and_their_configuration_are_sound() {
    let packaging = repository().join("packaging");
    let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
    let checked = Command::new(&named).args(["check", "--config"]).arg(packaging.join("config.yaml")).output();
    assert!(checked.expect("the binary").status.success());
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped("the_units_and_their_configuration_are_sound", "there is no systemd-analyze");
    }
    let place = tempfile::tempdir().expect("a folder");
    let units = ["dockwarden.service", "dockwarden-plugin.service", "dockwarden.socket"];
    for unit in units {
        // The program must be there to be verified.
        let text = fs::read_to_string(packaging.join(unit)).expect(unit).replace("/usr/bin/dockwarden", "/bin/true");
        fs::write(place.path().join(unit), text).expect(unit);
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no"]).args(units.map(|unit| place.path().join(unit)));
    let said =
        verify.env("SYSTEMD_UNIT_PATH", format!("{}:", place.path().display())).output().expect("systemd-analyze");
    let words = String::from_utf8_lossy(&said.stderr);
    let ours: Vec<&str> = words.lines().filter(|line| line.contains("dockwarden")).collect();
    assert!(said.status.success() && ours.is_empty(), "{words}");
}
