//! The real binary in front of a daemon, on a socket in a folder of its own; killed when dropped.

use super::{Engine, eventually, http};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A running `dockwarden serve`.
pub struct Firewall {
    process: Child,
    place: TempDir,
    /// The process whose network it is in; its own, where there is none.
    network: Option<u32>,
}

impl Firewall {
    /// In front of `upstream`, with a preset.
    pub fn preset(upstream: &Path, preset: &str) -> Firewall {
        Firewall::start(upstream, |_| format!("policy:\n  preset: {preset}\n"))
    }

    /// In front of `upstream`, with the rest of the configuration file given; it may use the folder it is told.
    pub fn start(upstream: &Path, rest: impl FnOnce(&Path) -> String) -> Firewall {
        Firewall::start_in(None, upstream, rest)
    }

    /// The same within the network of a daemon, so that both mean the same by 127.0.0.1.
    pub fn beside(engine: &Engine, rest: impl FnOnce(&Path) -> String) -> Firewall {
        Firewall::start_in(Some(engine.pid()), engine.socket(), rest)
    }

    fn start_in(network: Option<u32>, upstream: &Path, rest: impl FnOnce(&Path) -> String) -> Firewall {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        let folder = place.path();
        let rest = rest(folder);
        // More ways in, where the caller left a note of them.
        let more = fs::read_to_string(folder.join("listen")).unwrap_or_default();
        let records = folder.join("records.jsonl");
        let configuration = format!(
            "listen:\n  - socket: {socket}\n{more}upstream: unix://{upstream}\nstate: {folder}/state.db\n\
             records: {{ file: {records} }}\n{rest}",
            socket = folder.join("docker.sock").display(),
            upstream = upstream.display(),
            folder = folder.display(),
            records = records.display(),
        );
        fs::write(folder.join("config.yaml"), configuration).expect("the configuration");
        let mut firewall = Firewall { process: start(folder, network), place, network };
        firewall.must_come_up();
        firewall
    }

    fn must_come_up(&mut self) {
        let listening =
            eventually(Duration::from_secs(10), || self.ended().is_some() || http::connects(&self.socket()));
        assert!(listening && self.ended().is_none(), "the firewall did not come up; it said:\n{}", self.log());
    }

    /// Kills it without a word, and starts it on what it left behind.
    pub fn kill_and_start_again(&mut self) {
        self.process.kill().expect("its end");
        self.process.wait().expect("its end");
        self.process = start(self.place.path(), self.network);
        self.must_come_up();
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    /// The records so far, once they have come to rest.
    pub fn records(&self) -> Vec<Value> {
        std::thread::sleep(Duration::from_millis(200));
        let text = fs::read_to_string(self.place.path().join("records.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
    }

    /// Asks it to stop, as systemd would.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("bash").args(["-c", &format!("builtin kill -{name} {}", self.pid())]).status();
        assert!(sent.expect("bash").success());
    }

    /// Where clients connect.
    pub fn socket(&self) -> PathBuf {
        self.place.path().join("docker.sock")
    }

    /// What it said on stdout and stderr so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// Its exit status, when it has ended.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.process.try_wait().expect("its status")
    }

    /// The process, for looking at /proc.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

fn start(folder: &Path, network: Option<u32>) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).expect("the log");
    command(folder, network)
        .env("XDG_STATE_HOME", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log"))
        .stderr(log)
        .spawn()
        .expect("the firewall's binary")
}

/// The binary just built, or the one that `DOCKWARDEN` names.
fn command(folder: &Path, network: Option<u32>) -> Command {
    let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
    let mut command = match network {
        None => Command::new(named),
        Some(pid) => {
            let mut within = Command::new("nsenter");
            within.arg("--net").arg("--target").arg(pid.to_string()).arg(named);
            within
        }
    };
    command.arg("serve").arg("--config").arg(folder.join("config.yaml"));
    command
}

impl Drop for Firewall {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the firewall said:\n{}", self.log());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
