//! What comes out: a permit or a refusal, and every question with its answer.
//!
//! A `Permit` can only be made in this crate, by [`crate::Policy::decide`], and owns the request that it
//! was given for. Nothing is forwarded without one. The request is the edited one: a door that cannot send
//! another than it was given must look at [`Permit::obligations`], and refuse where there are any; the same holds for answers
//! and [`Permit::answer_changes`].

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use docker::facts::{Canonical, Facts};
use docker::obligation::Obligation;
use serde::Serialize;

use crate::{Filter, RegoTold};

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The proxy's listeners.
    Gateway,
    /// The authorization plugin inside the daemon's path.
    Plugin,
}

/// What a question depends on beside the subject and the facts.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// The door at which the request arrived.
    pub door: Door,
    /// When.
    pub time: SystemTime,
}

/// Whether refusals are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Refuse what is not allowed.
    #[default]
    Enforce,
    /// Let it pass, but say and record that it would be refused.
    Warn,
    /// Let it pass and record that it would be refused.
    Record,
}

/// The decision about one request.
#[derive(Debug)]
pub enum Decision {
    /// Go on, with this.
    Allowed(Permit),
    /// Do not, and say this.
    Refused(Refusal),
}

/// The right to send one request, and the request.
#[derive(Debug)]
pub struct Permit {
    canonical: Canonical,
    obligations: Vec<Obligation>,
    answers: Arc<[Answered]>,
    warning: Option<String>,
    filter: Option<Box<Filter>>,
}

/// The answer of a policy that says no.
#[derive(Debug, Clone)]
pub struct Refusal {
    message: String,
    answers: Arc<[Answered]>,
}

/// All questions of one request with their answers.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The operation on each resource, then each privilege.
    pub answers: Arc<[Answered]>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The action: an operation's name or a privilege's.
    pub action: Arc<str>,
    /// The resource as policies name it: `HostPath::"/etc"`.
    pub resource: String,
    /// The question in the user's words, to follow "may not": `mount host path /etc read-write`.
    pub words: String,
    /// The answer.
    pub allowed: bool,
    /// The policies that decided. None, when no policy allows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRef>,
    /// Why the answer is no: `policy developer/host-paths: host paths are not granted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What went wrong with a policy: then the answer is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How a Rego policy came to it, where that is to be told.
    #[serde(skip)]
    pub rego: Option<Arc<RegoTold>>,
}

/// A policy that decided a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyRef {
    /// Its name: `@id`, or the place.
    pub id: Arc<str>,
    /// The place it was read from, `file:line`.
    pub origin: Arc<str>,
    /// Its `@message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Arc<str>>,
    /// Its `@note`, for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
    /// Whether it is `@quiet`: who is refused is not told of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

impl Permit {
    /// For the request that these facts are of.
    pub(crate) fn new(
        facts: Facts,
        answers: Arc<[Answered]>,
        warning: Option<String>,
        filter: Option<Box<Filter>>,
    ) -> Permit {
        Permit { canonical: facts.canonical, obligations: facts.obligations, answers, warning, filter }
    }

    /// The request that may be sent.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// The request, for sending: the permit is used up.
    pub fn into_canonical(self) -> Canonical {
        self.canonical
    }

    /// How the answer must be changed on its way. A door that cannot do that must refuse where
    /// [`answer_changes`](Permit::answer_changes).
    pub fn take_filter(&mut self) -> Option<Box<Filter>> {
        self.filter.take()
    }

    /// Whether the answer would have to be changed: things left out, values hidden.
    pub fn answer_changes(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.form().is_some())
    }

    /// The edits that were made to the client's request.
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// Every question with its answer, for the record.
    pub fn answers(&self) -> &Arc<[Answered]> {
        &self.answers
    }

    /// Why this would have been refused, in the modes that only warn and record.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

impl Refusal {
    pub(crate) fn new(message: String, answers: Arc<[Answered]>) -> Refusal {
        Refusal { message, answers }
    }

    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        403
    }

    /// What the user reads: what was refused, by what, and what would pass.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same with the id of the record.
    pub fn with_record(&self, id: &str) -> String {
        format!("{} Record {id}.", self.message)
    }

    /// Every question with its answer, for the record.
    pub fn answers(&self) -> &Arc<[Answered]> {
        &self.answers
    }
}

impl Judgement {
    /// Whether every answer is yes. No question, no answer, no permit.
    pub fn allowed(&self) -> bool {
        !self.answers.is_empty() && self.answers.iter().all(|answer| answer.allowed)
    }

    /// The questions that were answered with no.
    pub fn refused(&self) -> impl Iterator<Item = &Answered> {
        self.answers.iter().filter(|answer| !answer.allowed)
    }
}

impl Door {
    /// The name in policies and records.
    pub fn name(self) -> &'static str {
        match self {
            Door::Gateway => "gateway",
            Door::Plugin => "plugin",
        }
    }
}

impl Mode {
    /// The mode of that name.
    pub fn from_name(name: &str) -> Option<Mode> {
        [Mode::Enforce, Mode::Warn, Mode::Record].into_iter().find(|mode| mode.name() == name)
    }

    /// The name in configuration and records.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Warn => "warn",
            Mode::Record => "record",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
