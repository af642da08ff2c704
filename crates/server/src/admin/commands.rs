//! What can be asked at the admin socket. A new command is a variant of [`Command`] and an arm here.

use std::sync::Arc;
use std::time::Duration;

use policy::Subject;
use serde_json::{Value, json};

use super::owners::OwnersDesk;
use super::words::{Command, Fault};
use crate::rules::{Rules, Wish, described};

/// The things that commands are about.
pub struct Desk {
    /// The temporary rules.
    pub rules: Arc<Rules>,
    /// Who owns what.
    pub owners: OwnersDesk,
}

/// What came of a command.
pub(super) struct Done {
    /// What is told.
    pub(super) answer: Value,
    /// What was changed, for the record.
    pub(super) changed: Option<Value>,
}

impl Desk {
    /// Does what is asked by somebody who may ask it.
    pub(super) async fn carry_out(&self, subject: &Subject, command: Command) -> Result<Done, Fault> {
        match command {
            Command::RulesAdd { rule, seconds, reason } => {
                let wish = Wish { rule, lasts: Duration::from_secs(seconds), reason };
                let (rule, warnings) = self.rules.add(wish, subject).await?;
                let warnings: Vec<_> = warnings.iter().map(super::Place::of).collect();
                Ok(Done { answer: json!({ "rule": rule, "warnings": warnings }), changed: Some(described(&rule)) })
            }
            Command::RulesRemove { id } => {
                let rule = self.rules.remove(&id).await?;
                Ok(Done { answer: json!({ "rule": rule }), changed: Some(described(&rule)) })
            }
            Command::OwnersList { name } => {
                Ok(Done { answer: self.owners.list(name.as_deref()).await?, changed: None })
            }
            Command::OwnersGive { name, to } => {
                let answer = self.owners.give(&name, to).await?;
                Ok(Done { changed: Some(answer.clone()), answer })
            }
            Command::OwnersShare { name, with, shared } => {
                let answer = self.owners.share(&name, with, shared).await?;
                Ok(Done { changed: Some(answer.clone()), answer })
            }
            Command::RulesList {} => Ok(Done { answer: json!({ "rules": self.rules.list() }), changed: None }),
        }
    }
}
