//! What is kept of what administrators do, and of what ends by itself: lines in the same file as the exchanges, with the
//! same names for the same things.

use policy::Subject;
use serde::Serialize;
use serde_json::Value;
use ulid::Ulid;

use super::{Outcome, Timestamp};

/// One command at the admin socket, or the end of a temporary rule.
#[derive(Clone, Debug, Serialize)]
pub struct Administration {
    /// A ULID.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// Always `admin`.
    pub door: &'static str,
    /// Who; absent for what happens by itself.
    pub subject: Option<Subject>,
    /// What was asked.
    pub request: Command,
    /// What was made, changed or ended, as it was listed before or is listed now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Value>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why not.
    pub message: Option<String>,
    /// The policy snapshot that is in force afterwards.
    pub policy_version: Option<String>,
}

/// A command of the admin socket.
#[derive(Clone, Debug, Serialize)]
pub struct Command {
    /// Such as `rules add`.
    pub operation: &'static str,
}

impl Administration {
    /// The record of something that was carried out.
    pub fn done(operation: &'static str, subject: Option<Subject>, changed: Option<Value>) -> Self {
        Administration {
            id: Ulid::generate().to_string(),
            time: Timestamp::now(),
            door: "admin",
            subject,
            request: Command { operation },
            changed,
            outcome: Outcome::Allowed,
            message: None,
            policy_version: None,
        }
    }

    /// The record of something that was not.
    pub fn not_done(operation: &'static str, subject: Option<Subject>, outcome: Outcome, message: String) -> Self {
        Administration { outcome, message: Some(message), ..Administration::done(operation, subject, None) }
    }
}
