//! A shell with a docker CLI that points at a socket: `DOCKER_HOST` is set, `$WORK` is a folder of its own (seen
//! under the same name by the CLI), `docker` is the client asked for.

use super::engine::{Engine, Kind, modern_engine};
use super::repository;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Which docker client a shell has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cli {
    /// The machine's own (Debian's 20.10).
    Machine,
    /// 28.5 with buildx and compose, through `modern-engine`.
    Modern,
}

impl From<Kind> for Cli {
    fn from(kind: Kind) -> Cli {
        match kind {
            Kind::Machine => Cli::Machine,
            Kind::Modern => Cli::Modern,
        }
    }
}

/// How a command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit status; [`KILLED`] when it did not end by itself.
    pub code: i32,
    /// All of stdout.
    pub out: String,
    /// All of stderr.
    pub err: String,
}

/// The exit status of a command that did not end.
pub const KILLED: i32 = -1;

/// A shell; see the module.
pub struct Shell {
    place: TempDir,
    socket: PathBuf,
    limit: Duration,
    daemon: Option<u32>,
}

impl Shell {
    /// A shell whose docker client talks to `socket`.
    pub fn new(socket: &Path, cli: Cli) -> Shell {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        for folder in ["bin", "work", "home"] {
            fs::create_dir(place.path().join(folder)).expect("a folder");
        }
        let docker = place.path().join("bin/docker");
        fs::write(&docker, client(cli, socket)).expect("the client");
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).expect("the client");
        Shell { place, socket: socket.to_owned(), limit: Duration::from_secs(30), daemon: None }
    }

    /// The same, and `$DAEMON` is the process of this daemon: whose network servers can be started in.
    pub fn beside(self, engine: &Engine) -> Shell {
        Shell { daemon: Some(engine.pid()), ..self }
    }

    /// Runs a line of shell.
    pub fn run(&self, line: &str) -> Outcome {
        let folder = self.place.path();
        let (out, err) = (folder.join("out"), folder.join("err"));
        let path = std::env::var("PATH").unwrap_or_default();
        // Into files, not pipes: a process left in the background must not keep us waiting.
        let mut child = Command::new("bash")
            .args(["-c", line])
            .current_dir(folder.join("work"))
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .env("WORK", folder.join("work"))
            .env("CLIENTS", repository().join("tests/clients"))
            .env("HOME", folder.join("home"))
            .env("SOCKET", &self.socket)
            .env("DAEMON", self.daemon.unwrap_or_default().to_string())
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()))
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_TLS_VERIFY")
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out).expect("stdout"))
            .stderr(fs::File::create(&err).expect("stderr"))
            .process_group(0)
            .spawn()
            .expect("bash");
        let end = Instant::now() + self.limit;
        let code = loop {
            if let Some(status) = child.try_wait().expect("its status") {
                break status.code().unwrap_or(KILLED);
            }
            if Instant::now() > end {
                end_group(child.id());
                let _ = child.wait();
                break KILLED;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        Outcome { code, out: text(&out), err: text(&err) }
    }

    /// Runs a line that must succeed; its stdout, trimmed.
    pub fn must(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 0, "`{line}` failed: {}{}", outcome.out, outcome.err);
        outcome.out.trim().to_owned()
    }

    /// The folder known as `$WORK`.
    pub fn work(&self) -> PathBuf {
        self.place.path().join("work")
    }

    /// Everything that this shell's place is called, for taking it out of outputs.
    pub fn place(&self) -> &Path {
        self.place.path()
    }
}

/// Kills a command and what it started. By bash's own `kill`, never by `/bin/kill -KILL -GROUP`: procps 4.0.2 reads
/// that as `kill -1`, which ends every process of the machine.
fn end_group(leader: u32) {
    assert!(leader > 1, "not a process of ours");
    let _ = Command::new("bash").args(["-c", &format!("builtin kill -KILL -- -{leader}")]).status();
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The script that is `docker` in the shell.
fn client(cli: Cli, socket: &Path) -> String {
    match cli {
        // Debian's own where there are several: the one that the recordings were made with.
        Cli::Machine => "#!/bin/sh\nfor docker in /usr/bin/docker /usr/local/bin/docker; do\n  \
                         [ ! -x $docker ] || exec $docker \"$@\"\ndone\necho 'no docker CLI' >&2; exit 127\n"
            .to_owned(),
        // It lives in a root of its own: bring our folders in, for this command alone.
        Cli::Modern => {
            let engine = modern_engine().expect("modern-engine").display().to_string();
            format!(
                "#!/bin/sh\nexec unshare --mount --propagation slave sh -c '\nmount --rbind /tmp \"$({engine} root)/tmp\"\n\
                 export PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexec {engine} cli {} \"$@\"' docker \"$@\"\n",
                socket.display()
            )
        }
    }
}
