//! What is kept of one exchange: one line of JSON each, who asked what, every question with its
//! answer and the policies that decided it, what came of it.
//!
//! The step before is the exchange, which makes one record whatever happens to it; the step after
//! are the people who read it with `jq`. Never in a record: bodies, values of the query (build
//! arguments and credentials travel there), headers. Writing is in [`recorder`](Recorder): a full
//! disk must neither lose a record silently nor let a change go by unrecorded.

mod administration;
mod file;
mod recorder;
#[cfg(test)]
mod tests;
mod time;

pub use administration::Administration;
pub use recorder::{RecordError, RecordSettings, Recorder, Unwritable, WhenUnwritable};
pub use time::Timestamp;

use std::sync::Arc;

use policy::{RegoTold, Subject};
use serde::Serialize;

use crate::checks::Checked;

/// One exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The id that the client was told, a ULID.
    pub id: String,
    /// When the request's head had been read.
    pub time: Timestamp,
    /// From then until the last byte of the answer or stream.
    pub duration_ms: u64,
    /// The way in: `gateway` or `plugin`.
    pub door: String,
    /// Who asked; absent when that could not be told.
    pub subject: Option<Subject>,
    /// The daemon that was asked, where clients say which by the way that they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon: Option<String>,
    /// What was asked.
    pub request: Request,
    /// The main resource, by its full id where it has one.
    pub resource: Option<String>,
    /// The edits that were made to it first.
    pub obligations: Vec<Edit>,
    /// What was asked of the policy, in order.
    pub questions: Vec<Question>,
    /// What others said of the images that it uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Checked>,
    /// What came of it.
    pub outcome: Outcome,
    /// `enforce`, `warn` or `record`.
    pub mode: String,
    /// The status the client got.
    pub status: Option<u16>,
    /// The sentence for people: reason of a refusal or a failure.
    pub message: Option<String>,
    /// The policy snapshot that decided.
    pub policy_version: Option<String>,
    /// Bytes of bodies and streams.
    pub bytes: Bytes,
    /// What the client was not shown of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Hidden>,
}

/// What was asked, without anything that may be secret.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// Path and names of the query, see [`path_without_values`].
    pub path: String,
    /// The API version in the path.
    pub api_version: Option<String>,
    /// The API's own name for the call.
    pub operation: Option<String>,
    /// The build that it is a call of, as BuildKit calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}

/// One edit of a request, called as in the configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Edit {
    /// What was set.
    pub set: &'static str,
    /// To what; of an environment variable only its name.
    pub value: String,
}

/// One question and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// The action.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The answer.
    pub allowed: bool,
    /// Ids of the policies that decided it; none when nothing allowed it.
    pub policies: Vec<String>,
    /// Why the answer is no, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How a Rego policy came to it; never in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rego: Option<Arc<RegoTold>>,
}

/// What came of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Carried out.
    Allowed,
    /// Not allowed by the policy.
    Refused,
    /// Could not be understood, or could be understood in two ways.
    Malformed,
    /// Names something that is not there.
    #[serde(rename = "not found")]
    NotFound,
    /// Allowed, but the daemon or we could not do it.
    Failed,
    /// The client or the daemon left, or time ran out.
    Interrupted,
}

/// Bytes of bodies and streams, without heads.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Bytes {
    /// From the client to the daemon.
    pub to_daemon: u64,
    /// From the daemon to the client.
    pub to_client: u64,
}

/// What a client was not shown of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// Things that were left out.
    pub things: u64,
    /// Values within things.
    pub values: u64,
}

/// The path of a request target with the names of its query but not their values, and no more than
/// a bounded piece of it: `/build?buildargs=SECRET&t=x` becomes `/build?buildargs&t`.
pub fn path_without_values(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut shown = path.to_owned();
    for (place, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        shown.push(if place == 0 { '?' } else { '&' });
        shown.push_str(pair.split('=').next().unwrap_or_default());
    }
    if let Some((end, _)) = shown.char_indices().nth(LONGEST_PATH) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

/// In characters.
const LONGEST_PATH: usize = 2048;
