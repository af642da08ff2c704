//! The running firewall, as commands ask it: over its admin socket.

use std::path::{Path, PathBuf};

use clap::Args;
use policy::{Diagnostic, Diagnostics, NamedText, Severity};
use serde::de::DeserializeOwned;
use server::admin::{self, Command, Fault, FaultKind, Place};

use super::Failure;
use crate::config::{self, Wishes};

/// Which firewall is asked.
#[derive(Debug, Args)]
pub struct Running {
    /// The configuration file of the running firewall [default: /etc/dockwarden/config.yaml, where there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Its admin socket, instead of the configuration's
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
}

impl Running {
    /// Its admin socket.
    pub fn socket(self) -> Result<PathBuf, Failure> {
        match self.socket {
            Some(socket) => Ok(socket),
            None => Ok(config::admin_socket(&Wishes { config: self.config, ..Wishes::default() })?),
        }
    }
}

/// Asks the firewall behind a socket. `text` is what was sent to be read there: faults in it are shown in their place.
pub fn ask<T: DeserializeOwned>(socket: &Path, command: Command, text: &str) -> Result<T, Failure> {
    let answer = admin::ask(socket, command).map_err(|fault| failure(fault, text))?;
    serde_json::from_value(answer)
        .map_err(|error| Failure::Sentence(format!("the firewall's answer cannot be read: {error}")))
}

fn failure(fault: Fault, text: &str) -> Failure {
    match fault.kind {
        FaultKind::NotAllowed => Failure::NotAllowed(fault.message),
        FaultKind::Invalid if fault.diagnostics.is_empty() => Failure::Invalid(Diagnostics::sentence(&fault.message)),
        FaultKind::Invalid => Failure::Invalid(Diagnostics(diagnostics(&fault.diagnostics, text))),
        FaultKind::NotFound | FaultKind::Failed => Failure::Sentence(fault.message),
    }
}

/// Places in a rule that was sent, with the rule to be underlined.
pub fn diagnostics(places: &[Place], text: &str) -> Vec<Diagnostic> {
    let text = NamedText { name: "rule".to_owned(), text: text.to_owned() };
    let diagnostic = |place: &Place| {
        let mut diagnostic = Diagnostic::at(&text, place.line, place.column, place.message.clone());
        diagnostic.length = place.length;
        diagnostic.severity = if place.warning { Severity::Warning } else { Severity::Error };
        diagnostic.help_with(place.help.clone())
    };
    places.iter().map(diagnostic).collect()
}
