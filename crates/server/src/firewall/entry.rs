//! The record of the exchange under way. Written when it is dropped, so there is one for every exchange:
//! on an answer, a disconnect, a time-out, or a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use docker::endpoint::Operation;
use docker::http::RequestHead;
use docker::obligation::Obligation;
use docker::request::Call;
use policy::{Answered, Door, Policy, Subject};
use ulid::Ulid;

use super::{Firewall, Records};
use crate::checks::Checked;
use crate::record::{Bytes, Edit, Hidden, Outcome, Question, Record, Request, Timestamp, path_without_values};
use crate::stream::Traffic;

/// A record in the making.
pub(crate) struct Entry {
    firewall: Arc<Firewall>,
    /// On the heap: it is large, and passed from hand to hand.
    record: Option<Box<Record>>,
    began: Instant,
    /// Bytes of bodies and streams, counted while they move.
    pub(crate) traffic: Arc<Traffic>,
    /// What was kept back of the answer, counted while it passes.
    pub(crate) withheld: Withheld,
}

/// What a client was not shown.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    pub(crate) things: AtomicU64,
    pub(crate) values: AtomicU64,
}

impl Withheld {
    pub(crate) fn add(count: &AtomicU64, more: usize) {
        count.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn so_far(&self) -> Option<Hidden> {
        let hidden =
            Hidden { things: self.things.load(Ordering::Relaxed), values: self.values.load(Ordering::Relaxed) };
        (hidden != Hidden::default()).then_some(hidden)
    }
}

impl Entry {
    /// Begins the record of an exchange, under the policy that will decide about it.
    pub(crate) fn new(firewall: &Arc<Firewall>, door: Door, subject: Option<&Subject>, policy: &Policy) -> Self {
        let record = Box::new(Record {
            id: Ulid::generate().to_string(),
            time: Timestamp::now(),
            duration_ms: 0,
            door: door.name().to_owned(),
            subject: subject.cloned(),
            daemon: firewall.settings.upstream.destination(),
            request: Request::default(),
            resource: None,
            obligations: Vec::new(),
            questions: Vec::new(),
            checks: Vec::new(),
            outcome: Outcome::Interrupted,
            mode: policy.mode().to_string(),
            status: None,
            message: None,
            policy_version: Some(policy.version().to_owned()),
            bytes: Bytes::default(),
            hidden: None,
        });
        Entry {
            firewall: Arc::clone(firewall),
            record: Some(record),
            began: Instant::now(),
            traffic: Arc::default(),
            withheld: Withheld::default(),
        }
    }

    /// The id that the client is told.
    pub(crate) fn id(&self) -> &str {
        self.record.as_ref().map_or("", |record| &record.id)
    }

    fn change(&mut self, change: impl FnOnce(&mut Record)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    pub(crate) fn head(&mut self, head: &RequestHead) {
        self.change(|record| {
            record.request.method = head.method().to_string();
            record.request.path = path_without_values(head.target());
        });
    }

    pub(crate) fn call(&mut self, call: &Call) {
        self.change(|record| {
            record.request.api_version = call.version.map(|version| version.to_string());
            record.request.operation = Some(call.operation.name().to_owned());
        });
    }

    /// A call within a tunnel, which is no request of HTTP's first version.
    pub(crate) fn call_within(&mut self, path: &str, operation: Option<Operation>) {
        self.change(|record| {
            record.request.method = "POST".to_owned();
            record.request.path = path_without_values(path);
            record.request.operation = operation.map(|operation| operation.name().to_owned());
        });
    }

    /// The build that a call is of. It is the client's word: what is longer than names are, or would do something to a
    /// terminal, is not kept.
    pub(crate) fn build(&mut self, reference: &str) {
        let kept = reference.chars().filter(char::is_ascii_graphic).take(LONGEST_BUILD).collect();
        self.change(|record| record.request.build = Some(kept));
    }

    /// The edits that were made to the request before it was judged.
    pub(crate) fn obligations(&mut self, obligations: &[Obligation]) {
        let edit = |obligation: &Obligation| Edit { set: obligation.key(), value: obligation.value() };
        self.change(|record| record.obligations = obligations.iter().map(edit).collect());
    }

    pub(crate) fn answers(&mut self, answers: &[Answered]) {
        // What a policy looked at is for those who listen, and for no file.
        let tells = matches!(self.firewall.settings.records, Records::Tell(_));
        answers.iter().filter_map(|answer| answer.rego.as_ref()).for_each(|told| tracing::info!("{told}"));
        let question = |answer: &Answered| Question {
            action: answer.action.to_string(),
            resource: short(&answer.resource),
            allowed: answer.allowed,
            policies: answer.policies.iter().map(|policy| policy.id.to_string()).collect(),
            reason: answer.reason.as_deref().map(short),
            rego: answer.rego.clone().filter(|_| tells),
        };
        self.change(|record| {
            record.resource = answers.first().map(|answer| short(&answer.resource));
            record.questions = answers.iter().map(question).collect();
        });
    }

    /// What others said of images.
    pub(crate) fn checked(&mut self, told: Vec<Checked>) {
        self.change(|record| record.checks.extend(told));
    }

    /// What came of it, and what the client was told.
    pub(crate) fn outcome(&mut self, outcome: Outcome, status: Option<u16>, message: Option<String>) {
        self.change(|record| {
            record.outcome = outcome;
            record.status = status;
            if message.is_some() {
                record.message = message;
            }
        });
    }

    /// Something to say of an exchange that is carried out all the same.
    pub(crate) fn warning(&mut self, warning: &str) {
        self.change(|record| {
            let before = record.message.take().map(|before| format!("{before} ")).unwrap_or_default();
            record.message = Some(format!("{before}{warning}"));
        });
    }

    /// There was no exchange: the connection was closed before a request came.
    pub(crate) fn forget(&mut self) {
        self.record = None;
    }
}

/// A text that a client may have made long, cut: a record must always fit.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// The longest text of a client's that is kept, in characters.
const LONGEST: usize = 300;
/// The longest name of a build, in characters.
const LONGEST_BUILD: usize = 128;

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        let moved = self.traffic.so_far();
        record.bytes = Bytes { to_daemon: moved.to_daemon, to_client: moved.to_client };
        record.hidden = self.withheld.so_far();
        record.duration_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.firewall.record(*record);
    }
}
