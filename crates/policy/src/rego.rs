//! The second judge: policies in Rego, evaluated by regorus.
//!
//! It is asked about what Cedar is asked about, once a request, in the documents that the predecessors' policies were
//! written against and in our own words ([`input`]). Only `true` is a yes. Undefined, false, anything that is no boolean,
//! an error, too much time, too large a document: no, with a reason that names the file. What could not be evaluated at
//! all, or not within bounds, is a fault at load ([`check`]).

mod builtins;
pub mod bundle;
mod check;
mod conflict;
mod evaluate;
mod fault;
mod graph;
mod input;
mod load;
mod nesting;
mod redact;
mod source;
#[cfg(test)]
mod tests;
mod told;

use std::sync::Arc;

use docker::endpoint::Operation;
use docker::facts::Facts;

use crate::Answered;
use crate::decision::PolicyRef;
use crate::judge::Case;
use crate::message::printable;
use evaluate::Verdict;
use input::Form;

pub(crate) use load::load;
pub use source::{Notation, RegoData, RegoModule, RegoSources, Syntax};
pub use told::RegoTold;

/// The action of the judge's one question, in records and where answers are told.
pub(crate) const ACTION: &str = "rego";

/// Where the predecessors' policies say yes.
pub(crate) const ALLOW: &str = "data.docker.authz.allow";
/// Where those of docker-socket-firewall say yes to a build.
pub(crate) const BUILD: &str = "data.docker.build.allow";

/// The judge by Rego policies.
pub(crate) struct Rego {
    /// Ready to be cloned: what it was compiled to is shared.
    engine: regorus::Engine,
    form: Form,
    allow: Entry,
    /// Asked about classic builds in place of `allow`.
    build: Option<Entry>,
    /// Whether policies look at the time.
    looks_at_time: bool,
    /// Whether policies leave notes.
    traces: bool,
    /// Whether it is told how a decision came about.
    tell: bool,
    /// How many files.
    count: usize,
    /// All that a decision depends on, for the version.
    written: Vec<String>,
}

/// A rule that says yes or no.
struct Entry {
    /// `data.docker.authz.allow`
    path: Arc<str>,
    /// Its definitions: `authz.rego:3`.
    places: Vec<String>,
}

impl Rego {
    /// The answer to a request; `None` where it is not asked.
    pub fn judge(&self, case: &Case<'_>) -> Option<Answered> {
        // As opa-docker-authz does it: clients negotiate with it, and it tells nothing.
        if case.facts.operation == Operation::SystemPingHead && self.form != Form::DockerSocketFirewall {
            return None;
        }
        let entry = match &self.build {
            Some(build) if case.facts.operation == Operation::ImageBuild => build,
            _ => &self.allow,
        };
        Some(self.answer(case, entry))
    }

    fn answer(&self, case: &Case<'_>, entry: &Entry) -> Answered {
        let Some(posed) = &case.facts.posed else {
            return entry.refused(case.facts, "it is not known how the request was put".to_owned());
        };
        if self.is_build(entry) && case.facts.dockerfile.is_none() {
            let reason = "the Dockerfile is not seen here, so it cannot be judged";
            return entry.refused(case.facts, format!("{}: {reason}", entry.said()));
        }
        let document = match input::document(self.form, case, posed) {
            Ok(document) => document,
            Err(reason) => return entry.refused(case.facts, format!("{}: {reason}", entry.said())),
        };
        let shown = self.tell.then(|| document.clone());
        let evaluated = self.evaluate(entry, document.into(), case.circumstances.time);
        let answer = match &evaluated.verdict {
            Verdict::Yes => Answered { allowed: true, ..entry.answered(case.facts) },
            Verdict::No(reason) => entry.refused(case.facts, format!("{} {reason}", entry.said())),
            Verdict::Failed(error) => {
                let reason = format!("{} cannot be evaluated: {error}", entry.said());
                Answered { error: Some(reason.clone()), ..entry.refused(case.facts, reason) }
            }
        };
        let told = shown.map(|document| Arc::new(self.told(entry, document, evaluated)));
        Answered { rego: told, ..answer }
    }

    fn is_build(&self, entry: &Entry) -> bool {
        self.build.as_ref().is_some_and(|build| build.path == entry.path)
    }

    /// How many files it was read from.
    pub fn count(&self) -> usize {
        self.count
    }

    /// All that a decision depends on.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(String::as_str)
    }
}

impl Entry {
    /// `policy authz.rego:3 (data.docker.authz.allow)`
    fn said(&self) -> String {
        let place = self.places.first().map_or("", String::as_str);
        format!("policy {place} ({})", self.path)
    }

    fn answered(&self, facts: &Facts) -> Answered {
        let posed = facts.posed.as_ref();
        let asked = posed.map(|posed| format!("{} {}", posed.method, posed.encoded_path)).unwrap_or_default();
        let origin = self.places.first().map_or("", String::as_str);
        Answered {
            action: ACTION.into(),
            resource: self.path.to_string(),
            words: printable(&format!("request {asked}")),
            allowed: false,
            policies: vec![PolicyRef {
                id: origin.into(),
                origin: origin.into(),
                message: None,
                note: None,
                quiet: false,
            }],
            reason: None,
            error: None,
            rego: None,
        }
    }

    fn refused(&self, facts: &Facts, reason: String) -> Answered {
        Answered { reason: Some(printable(&reason)), ..self.answered(facts) }
    }
}
