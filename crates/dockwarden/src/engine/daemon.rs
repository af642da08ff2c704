//! The daemon, asked over its own socket: about plugins, and whether it asks ours.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::door::MARKED;
use super::socket::{Answer, Request};

/// The daemon behind a socket.
#[derive(Debug, Clone)]
pub struct Daemon {
    socket: PathBuf,
}

/// A managed plugin as the daemon has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// Its id, which its socket's folder is called by.
    pub id: String,
    /// Whether it runs.
    pub enabled: bool,
    /// The name of its socket.
    pub socket: String,
}

/// Whom the daemon asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// The plugin of that name, which refused what Dockwarden refuses.
    Us,
    /// Nobody, or only such as let it pass.
    Nobody,
    /// Another plugin refused before: whether ours is asked cannot be told.
    Another(String),
    /// The daemon's answer is an error: a plugin that it asks does not answer.
    Broken(String),
    /// The daemon does not answer.
    Silent(String),
}

impl Daemon {
    /// The one behind that socket.
    pub fn new(socket: &Path) -> Self {
        Daemon { socket: socket.to_owned() }
    }

    /// Whether it asks the plugin of that name, seen by a request without effect.
    pub fn asks(&self, name: &str, wait: Duration) -> Asks {
        let answer = match Request::new("GET", MARKED, wait).ask(&self.socket) {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return Asks::Broken("the daemon waits for a plugin that does not answer".to_owned());
            }
            Err(error) => return Asks::Silent(format!("{}: {error}", self.socket.display())),
        };
        let words = answer.words();
        let denied = words.strip_prefix("authorization denied by plugin ").and_then(|rest| rest.split_once(": "));
        match (answer.status, denied) {
            (200, _) => Asks::Nobody,
            (403, Some((plugin, _))) if plugin == name => Asks::Us,
            (403, Some((plugin, _))) => Asks::Another(plugin.to_owned()),
            _ => Asks::Broken(words),
        }
    }

    /// Waits until it asks the plugin of that name.
    pub fn wait_until_it_asks(&self, name: &str) -> Result<(), String> {
        self.wait_until(name, |found| *found == Asks::Us)
    }

    /// Waits until it does not ask it any more.
    pub fn wait_until_it_asks_no_more(&self, name: &str) -> Result<(), String> {
        self.wait_until(name, |found| matches!(found, Asks::Nobody | Asks::Another(_)))
    }

    /// Waits for an answer to that question. The sentence says what it is instead.
    fn wait_until(&self, name: &str, wanted: impl Fn(&Asks) -> bool) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            let found = self.asks(name, RELOAD);
            if wanted(&found) {
                return Ok(());
            }
            if begin.elapsed() > RELOAD {
                return Err(found.words(name));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether an ordinary request passes.
    pub fn answers(&self) -> Result<(), String> {
        self.said("GET", "/_ping", None, WAIT).map(drop)
    }

    /// What it answers to a look.
    pub fn look(&self, target: &str) -> Result<Value, String> {
        self.said("GET", target, None, WAIT).map(|answer| answer.json())
    }

    /// The managed plugin of that name.
    pub fn plugin(&self, name: &str) -> Result<Option<Managed>, String> {
        let answer = self.ask("GET", &format!("/plugins/{name}/json"), None, WAIT)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let found = whole(answer)?.json();
        let text = |path: &str| found.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let enabled = found.get("Enabled").and_then(Value::as_bool).unwrap_or_default();
        Ok(Some(Managed { id: text("/Id"), enabled, socket: text("/Config/Interface/Socket") }))
    }

    /// Makes a managed plugin of a bundle's archive.
    pub fn create(&self, name: &str, archive: &[u8]) -> Result<(), String> {
        let target = format!("/plugins/create?name={name}");
        self.said("POST", &target, Some(("application/x-tar", archive)), PATIENCE).map(drop)
    }

    /// Sets what can be set: `NAME.source=PATH`, `NAME=VALUE`.
    pub fn set(&self, name: &str, settings: &[String]) -> Result<(), String> {
        let body = Value::from(settings.to_vec()).to_string();
        let body = Some(("application/json", body.as_bytes()));
        self.said("POST", &format!("/plugins/{name}/set"), body, WAIT).map(drop)
    }

    /// Starts it.
    pub fn enable(&self, name: &str) -> Result<(), String> {
        self.said("POST", &format!("/plugins/{name}/enable?timeout=30"), None, PATIENCE).map(drop)
    }

    /// Ends it, where it runs.
    pub fn disable(&self, name: &str) -> Result<(), String> {
        match self.plugin(name)? {
            Some(Managed { enabled: true, .. }) => {
                self.said("POST", &format!("/plugins/{name}/disable?force=1"), None, PATIENCE).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes it away, where it is there.
    pub fn remove(&self, name: &str) -> Result<(), String> {
        let answer = self.ask("DELETE", &format!("/plugins/{name}?force=1"), None, PATIENCE)?;
        if answer.status == 404 { Ok(()) } else { whole(answer).map(drop) }
    }

    fn said(
        &self,
        method: &'static str,
        target: &str,
        body: Option<(&'static str, &[u8])>,
        wait: Duration,
    ) -> Result<Answer, String> {
        whole(self.ask(method, target, body, wait)?)
    }

    fn ask(
        &self,
        method: &'static str,
        target: &str,
        body: Option<(&'static str, &[u8])>,
        wait: Duration,
    ) -> Result<Answer, String> {
        let request = Request { body, ..Request::new(method, target, wait) };
        request.ask(&self.socket).map_err(|error| format!("the daemon at {}: {error}", self.socket.display()))
    }
}

impl Asks {
    /// In words.
    pub fn words(&self, name: &str) -> String {
        match self {
            Asks::Us => format!("the daemon asks {name}"),
            Asks::Nobody => format!("the daemon does not ask {name}"),
            Asks::Another(other) => format!("plugin {other} refuses first: whether {name} is asked cannot be told"),
            Asks::Broken(words) => format!("the daemon answers with an error: {words}"),
            Asks::Silent(words) => format!("the daemon does not answer: {words}"),
        }
    }
}

fn whole(answer: Answer) -> Result<Answer, String> {
    match answer.status {
        200..=299 => Ok(answer),
        status => Err(format!("the daemon says: {} ({status})", answer.words())),
    }
}

/// For what is answered at once.
const WAIT: Duration = Duration::from_secs(20);
/// For what takes the daemon its time: unpacking a plugin, starting one.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the daemon may take to see its new configuration. For a plugin that is not there it waits 15 seconds.
const RELOAD: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
