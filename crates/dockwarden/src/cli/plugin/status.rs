//! `dockwarden plugin status`: whether the firewall is in force, by what can be seen rather than by what should be.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::{Exit, Failure};
use super::Places;
use crate::engine::daemon::{Asks, Daemon, Managed};
use crate::engine::daemon_json::DaemonJson;
use crate::engine::process::Process;
use crate::engine::{OWN, door, is_own, tagged};
use crate::talk;

/// Is the firewall in force?
///
/// Looks into the daemon's configuration file, asks the plugin itself, and sends the daemon a request without effect that
/// Dockwarden refuses under every policy. Exit status 0 when the daemon asks it, 1 when not.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    places: Places,
}

/// What was found.
struct Status {
    file: String,
    /// The list of the configuration file, or why it cannot be read.
    configured: Result<Vec<String>, String>,
    /// Our name in it, or the one that we would have.
    name: String,
    process: Result<Option<Process>, String>,
    managed: Option<Managed>,
    /// Whether the plugin itself answers; the sentence says why not.
    door: Result<(), String>,
    asks: Asks,
}

/// Looks, and says what was found.
pub fn run(arguments: &Arguments, as_json: bool) -> Result<Exit, Failure> {
    let status = Status::look(&arguments.places);
    let text = if as_json { status.for_programs() } else { status.for_people() };
    talk::result(text.trim_end())?;
    Ok(if status.in_force() { Exit::Done } else { Exit::Failed })
}

impl Status {
    fn look(places: &Places) -> Self {
        let Places { docker, daemon_json, pidfile, plugins } = places;
        let file = DaemonJson::read(daemon_json).map_err(|faults| faults.to_string());
        let usual = file.as_ref().map(DaemonJson::pidfile).unwrap_or_else(|_| "/var/run/docker.pid".into());
        let process = Process::find(pidfile.as_deref().unwrap_or(&usual));
        let configured = file.map(|file| file.plugins().to_vec());
        let ours = configured.iter().flatten().find(|name| is_own(name)).cloned();
        let name = ours.unwrap_or_else(|| OWN.to_owned());
        let daemon = Daemon::new(docker);
        let asks = daemon.asks(&name, PATIENCE);
        // Where the firewall wants everything through its gateway, the daemon says nothing of its plugins here: the
        // socket's folder says it instead.
        let managed = daemon.plugin(&tagged(&name)).ok().flatten();
        let door = door_of(plugins, &name, managed.as_ref());
        Status { file: daemon_json.display().to_string(), configured, name, process, managed, door, asks }
    }

    fn in_force(&self) -> bool {
        self.asks == Asks::Us
    }

    fn listed(&self) -> bool {
        self.configured.as_ref().is_ok_and(|names| names.contains(&self.name))
    }

    /// What is not as it should be.
    fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        match &self.configured {
            Err(error) => found.push(error.clone()),
            Ok(_) if !self.listed() && self.in_force() => found.push(format!(
                "the daemon asks, but {} does not say so: it will not any more after its next start or reload",
                self.file
            )),
            Ok(_) if self.listed() && self.asks == Asks::Nobody => found.push(format!(
                "{} names {}, but the daemon does not ask it: the firewall is off. It was disabled, or the file was \
                 changed and not read; `dockwarden plugin uninstall`, then `install`",
                self.file, self.name
            )),
            Ok(_) => {}
        }
        if let Some(Managed { enabled: false, .. }) = &self.managed {
            found.push(format!("{} is disabled; the daemon would not start with it in its configuration", self.name));
        }
        if let (Err(error), true) = (&self.door, self.listed() || self.in_force()) {
            found.push(error.clone());
        }
        match &self.process {
            Err(error) => found.push(error.clone()),
            Ok(None) => found.push("no daemon runs here (its pidfile names none)".to_owned()),
            Ok(Some(_)) => {}
        }
        match &self.asks {
            Asks::Broken(_) => found.push("Docker refuses everything: `dockwarden plugin rescue`".to_owned()),
            Asks::Us | Asks::Nobody | Asks::Another(_) | Asks::Silent(_) => {}
        }
        found
    }

    fn kind(&self) -> &'static str {
        match &self.managed {
            Some(Managed { enabled: true, .. }) => "managed, enabled",
            Some(Managed { enabled: false, .. }) => "managed, disabled",
            // The plugin does not let the daemon say more.
            None if tagged(&self.name) == self.name => "managed",
            None => "service",
        }
    }

    fn for_people(&self) -> String {
        let configured = match &self.configured {
            Ok(names) if names.is_empty() => "no plugins".to_owned(),
            Ok(names) => names.join(", "),
            Err(_) => "cannot be read".to_owned(),
        };
        let answers = if self.door.is_ok() { "answers" } else { "does not answer" };
        let verdict = if self.in_force() { "in force" } else { "NOT in force" };
        let mut text = format!(
            "{verdict}: {asks}\nplugin       {name} ({kind}), {answers}\nconfigured   {configured} ({file})\n",
            asks = self.asks.words(&self.name),
            name = self.name,
            kind = self.kind(),
            file = self.file,
        );
        for warning in self.warnings() {
            text.push_str(&format!("warning: {warning}\n"));
        }
        text
    }

    fn for_programs(&self) -> String {
        let asks = match &self.asks {
            Asks::Us => "yes",
            Asks::Nobody => "no",
            Asks::Another(_) => "unknown",
            Asks::Broken(_) => "broken",
            Asks::Silent(_) => "silent",
        };
        json!({
            "in_force": self.in_force(),
            "name": self.name,
            "kind": self.kind(),
            "configured": self.configured.as_deref().ok(),
            "answers": self.door.is_ok(),
            "asks": asks,
            "daemon": self.process.as_ref().ok().copied().flatten().map(Process::id),
            "warnings": self.warnings(),
        })
        .to_string()
    }
}

/// Asks the plugin itself.
fn door_of(plugins: &Path, name: &str, managed: Option<&Managed>) -> Result<(), String> {
    let socket = match managed {
        Some(managed) => Some(plugins.join(&managed.id).join(&managed.socket)),
        None if tagged(name) == name => door::of_managed(plugins),
        None => door::of_service(plugins, name),
    };
    match socket {
        Some(socket) => door::ask(&socket).map(drop),
        None => Err(format!("there is no socket of {name} in {}", plugins.display())),
    }
}

/// More than the daemon takes to give up a plugin that is not there.
const PATIENCE: Duration = Duration::from_secs(20);

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin status
  dockwarden plugin status --json || page-somebody";
