//! What is said on the admin socket, in both directions, and the client's side of it.
//!
//! The question is one line, `{"version":1,"ask":{"command":"rules_remove","id":"7q3k9xmz"}}`; so is the answer,
//! `{"version":1,"done":{…}}` or `{"version":1,"fault":{"kind":"not_found","message":"…"}}`. An unknown field is a fault:
//! a word that this version does not know may change what is meant.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use policy::{Diagnostic, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Outcome;
use crate::rules::RuleFault;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    /// Add a temporary rule.
    RulesAdd { rule: String, seconds: u64, reason: String },
    /// All that hold.
    RulesList {},
    /// End one before its time.
    RulesRemove { id: String },
    /// Whose things are: all of them, or those of that name.
    OwnersList { name: Option<String> },
    /// Make a thing somebody's.
    OwnersGive { name: String, to: String },
    /// Share a thing with a group, or no longer.
    OwnersShare { name: String, with: String, shared: bool },
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}{}", places(.diagnostics))]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// The sentence.
    pub message: String,
    /// Where in a text that was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Place>,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Who asks may not.
    NotAllowed,
    /// What is asked makes no sense.
    Invalid,
    /// What it is about is not there.
    NotFound,
    /// It could not be done.
    Failed,
}

/// A fault or a warning with its place in a text that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in `policy::Diagnostic`")]
pub struct Place {
    pub warning: bool,
    pub line: usize,
    pub column: usize,
    pub length: usize,
    pub message: String,
    pub help: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    version: u32,
    ask: Command,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

/// What every question has, of whatever version it is.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Command {
    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Command::RulesAdd { .. } => "rules add",
            Command::RulesList {} => "rules list",
            Command::RulesRemove { .. } => "rules remove",
            Command::OwnersList { .. } => "owners list",
            Command::OwnersGive { .. } => "owners give",
            Command::OwnersShare { .. } => "owners share",
        }
    }

    /// Whether it changes something: then it must be possible to record it.
    pub(super) fn changes(&self) -> bool {
        match self {
            Command::RulesAdd { .. } | Command::RulesRemove { .. } => true,
            Command::OwnersGive { .. } | Command::OwnersShare { .. } => true,
            Command::RulesList {} | Command::OwnersList { .. } => false,
        }
    }
}

impl Fault {
    /// One without a place.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        Fault { kind, message: message.into(), diagnostics: Vec::new() }
    }

    /// For the record.
    pub(super) fn outcome(&self) -> Outcome {
        match self.kind {
            FaultKind::NotAllowed => Outcome::Refused,
            FaultKind::Invalid => Outcome::Malformed,
            FaultKind::NotFound => Outcome::NotFound,
            FaultKind::Failed => Outcome::Failed,
        }
    }
}

impl From<RuleFault> for Fault {
    fn from(fault: RuleFault) -> Fault {
        let message = fault.to_string();
        match fault {
            RuleFault::Faulty(faults) => Fault {
                diagnostics: faults.0.iter().map(Place::of).collect(),
                ..Fault::new(FaultKind::Invalid, message)
            },
            RuleFault::Unfit(_) => Fault::new(FaultKind::Invalid, message),
            RuleFault::Unknown(_) => Fault::new(FaultKind::NotFound, message),
            RuleFault::Unkept(_) | RuleFault::Policy(_) => Fault::new(FaultKind::Failed, message),
        }
    }
}

impl Place {
    /// Of a fault or a warning.
    pub fn of(fault: &Diagnostic) -> Place {
        Place {
            warning: fault.severity == Severity::Warning,
            line: fault.line,
            column: fault.column,
            length: fault.length,
            message: fault.message.clone(),
            help: fault.help.clone(),
        }
    }
}

fn places(places: &[Place]) -> String {
    places.iter().map(|place| format!("; {}:{}: {}", place.line, place.column, place.message)).collect()
}

/// Understands a question.
pub(super) fn read(line: &[u8]) -> Result<Command, Fault> {
    let unread =
        |error: serde_json::Error| Fault::new(FaultKind::Invalid, format!("the question cannot be read: {error}"));
    let Versioned { version } = serde_json::from_slice(line).map_err(unread)?;
    if version != VERSION {
        let sentence = format!(
            "this firewall speaks version {VERSION} on its admin socket, not {version}; use its own `dockwarden`"
        );
        return Err(Fault::new(FaultKind::Invalid, sentence));
    }
    serde_json::from_slice(line).map(|question: Question| question.ask).map_err(unread)
}

/// Puts an answer into words.
pub(super) fn write(answer: Result<Value, Fault>) -> String {
    let (done, fault) = match answer {
        Ok(done) => (Some(done), None),
        Err(fault) => (None, Some(fault)),
    };
    let line = serde_json::to_string(&Answer { version: VERSION, done, fault });
    format!("{}\n", line.unwrap_or_default())
}

/// Asks the firewall behind a socket. Blocks, for a moment.
pub fn ask(socket: &Path, command: Command) -> Result<Value, Fault> {
    let place = socket.display();
    let away = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "you may not connect to it",
            _ => "is `dockwarden serve` running, and is this its socket? (--socket, or `admin` in the configuration)",
        };
        Fault::new(FaultKind::Failed, format!("cannot ask the firewall at `{place}`: {error}; {hint}"))
    };
    let mut stream = UnixStream::connect(socket).map_err(away)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(away)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(away)?;
    let question = serde_json::to_string(&Question { version: VERSION, ask: command });
    let question = question.map_err(|error| Fault::new(FaultKind::Failed, error.to_string()))?;
    // One that turns us away does so without reading: its answer says why.
    let _ = stream.write_all(format!("{question}\n").as_bytes());
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER)).read_line(&mut line).map_err(away)?;
    match serde_json::from_str(&line) {
        Ok(Answer { fault: Some(fault), .. }) => Err(fault),
        Ok(Answer { done: Some(done), .. }) => Ok(done),
        Ok(_) | Err(_) => {
            Err(Fault::new(FaultKind::Failed, format!("the firewall at `{place}` gave no answer that can be read")))
        }
    }
}

/// The version of these words. One that means something else gets another number.
const VERSION: u32 = 1;
/// A policy is compiled meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_ANSWER: u64 = 64 << 20;
