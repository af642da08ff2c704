//! A Docker daemon of our own, by `scripts/private-daemon.sh`: it lives as long as we hold its stdin, so it goes
//! with the test process however that ends. Each has a network of its own, so that two never meet.

use super::repository;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Which engine the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The machine's own dockerd (Debian's 20.10).
    Machine,
    /// 28.5 through `modern-engine`, chosen by `E2E_ENGINE=modern`.
    Modern,
}

impl Kind {
    /// What the environment asks for.
    pub fn chosen() -> Kind {
        match std::env::var("E2E_ENGINE").as_deref() {
            Ok("modern") => Kind::Modern,
            Ok("" | "machine") | Err(_) => Kind::Machine,
            Ok(other) => panic!("E2E_ENGINE is `{other}`; it may be `machine` or `modern`"),
        }
    }
}

/// The command that starts and drives Docker 28.5; `None` where this machine has none.
pub fn modern_engine() -> Option<PathBuf> {
    let named = std::env::var_os("MODERN_ENGINE").map(PathBuf::from);
    let path = named.unwrap_or_else(|| repository().join("../shared/bin/modern-engine"));
    path.canonicalize().ok()
}

/// The client program of BuildKit of Docker 28.5, which any user may start; `None` where this machine has none.
pub fn buildx() -> Option<String> {
    let root = Command::new(modern_engine()?).arg("root").output().ok()?;
    let root = String::from_utf8(root.stdout).ok()?;
    let program = format!("{}/usr/libexec/docker/cli-plugins/docker-buildx", root.trim());
    Path::new(&program).exists().then_some(program)
}

/// A running throw-away daemon with the image `tiny`.
pub struct Engine {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    socket: PathBuf,
    kind: Kind,
}

impl Engine {
    /// Starts a daemon of the chosen kind, with a registry at 127.0.0.1:5577 as it sees it.
    pub fn start() -> Engine {
        Engine::start_with(&[])
    }

    /// The same, which answers on port 2375 of its own network too.
    pub fn over_tcp() -> Engine {
        Engine::start_with(&["--tcp".as_ref()])
    }

    /// The same with the files of a folder over its `/etc`, its configuration file among them.
    pub fn start_with_etc(etc: &Path) -> Engine {
        Engine::start_with(&["--etc".as_ref(), etc.as_os_str()])
    }

    fn start_with(options: &[&OsStr]) -> Engine {
        let kind = Kind::chosen();
        let mut command = Command::new(repository().join("scripts/private-daemon.sh"));
        command.args(["--own-net", "--registry"]).args(options);
        if kind == Kind::Modern {
            command.arg("--modern");
        }
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("scripts/private-daemon.sh");
        let orders = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().expect("its stdout"));
        let mut engine = Engine { process, orders, answers, socket: PathBuf::new(), kind };
        engine.await_ready();
        engine
    }

    /// The daemon's own socket, past any firewall.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The daemon's process.
    pub fn pid(&self) -> u32 {
        let file = self.socket.parent().expect("its folder").join("pid");
        std::fs::read_to_string(file).expect("its pid file").trim().parse().expect("its number")
    }

    /// Which engine it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where this daemon looks for its authorization plugin.
    pub fn plugin_socket(&self) -> PathBuf {
        self.socket.parent().expect("its folder").join("plugins/dockwarden.sock")
    }

    /// From now on it asks the plugin that listens there.
    pub fn authorize(&mut self) {
        self.order("authorize");
        assert_eq!(self.answer(), "authorized");
    }

    /// Kills the daemon at once, as a crash would.
    pub fn kill(&mut self) {
        self.order("kill");
        assert_eq!(self.answer(), "down");
    }

    /// Starts it again, on the same data.
    pub fn restart(&mut self) {
        self.order("start");
        self.await_ready();
    }

    fn await_ready(&mut self) {
        let answer = self.answer();
        let socket = answer.strip_prefix("ready ").unwrap_or_else(|| panic!("the daemon did not start: `{answer}`"));
        self.socket = PathBuf::from(socket);
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("a running daemon");
        writeln!(orders, "{order}").expect("private-daemon.sh listens");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("private-daemon.sh answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.process.wait();
    }
}
