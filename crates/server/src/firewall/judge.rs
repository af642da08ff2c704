//! The decision about a request that is understood: the same at every door.
//!
//! What comes before differs (where head and body come from), and what comes after (it is sent, or let pass). Between
//! them is this, once: the question, what the record keeps of it, and the end of an exchange in words.

use std::sync::Arc;
use std::time::SystemTime;

use docker::facts::Facts;
use docker::request::Misread;
use policy::{Circumstances, Decision, Door, Permit, Policy, Refusal, Subject};

use super::answer::Answer;
use super::entry::Entry;
use super::{Firewall, Manner};
use crate::record::Outcome;

/// The end of an exchange by an answer of ours.
pub(crate) struct Stop {
    pub(crate) outcome: Outcome,
    pub(crate) answer: Answer,
    /// What the policy refuses first, to follow "may not".
    pub(crate) may_not: Option<String>,
}

impl Stop {
    pub(crate) fn new(outcome: Outcome, answer: Answer) -> Self {
        Stop { outcome, answer, may_not: None }
    }

    pub(crate) fn malformed(misread: &Misread) -> Self {
        Stop::new(Outcome::Malformed, Answer::new(misread.status(), format!("dockwarden: {misread}")))
    }
}

/// Decides, and tells the record.
pub(crate) fn decide(
    firewall: &Arc<Firewall>,
    entry: &mut Entry,
    policy: &Policy,
    subject: &Subject,
    facts: Facts,
    door: Door,
) -> Result<Permit, Stop> {
    entry.obligations(&facts.obligations);
    if let (Some(fetch), Manner::Forward) = (facts.fetches.first(), firewall.settings.manner) {
        let words = format!("dockwarden: image {} was fetched and is not there", fetch.image.familiar());
        return Err(Stop::new(Outcome::Failed, Answer::new(409, words)));
    }
    let permit = match policy.decide(subject, facts, &circumstances(door)) {
        Decision::Allowed(permit) => permit,
        Decision::Refused(refusal) => return Err(refused(entry, subject, &refusal)),
    };
    entry.answers(permit.answers());
    if let Some(warning) = permit.warning() {
        tracing::warn!(user = subject.user, "{warning}");
        entry.warning(warning);
    }
    Ok(permit)
}

/// Ends here what would be refused whatever is found out yet.
pub(crate) fn refuse_early(
    entry: &mut Entry,
    policy: &Policy,
    subject: &Subject,
    facts: &Facts,
    door: Door,
) -> Result<(), Stop> {
    match policy.refuses(subject, facts, &circumstances(door)) {
        Some(refusal) => Err(refused(entry, subject, &refusal)),
        None => Ok(()),
    }
}

fn refused(entry: &mut Entry, subject: &Subject, refusal: &Refusal) -> Stop {
    entry.answers(refusal.answers());
    let refused = refusal.answers().iter().filter(|answer| !answer.allowed);
    let may_not = refused.clone().next().map(|answer| answer.words.clone());
    for (answer, note) in refused.filter_map(|answer| Some((answer, answer.policies.first()?.note.as_ref()?))) {
        tracing::warn!(user = subject.user, record = %entry.id(), "may not {}: {note}", answer.words);
    }
    let message = refusal.with_record(entry.id());
    Stop { may_not, ..Stop::new(Outcome::Refused, Answer::new(refusal.status(), message)) }
}

/// Whether something may change now.
pub(crate) fn may_change(firewall: &Firewall) -> Result<(), Stop> {
    firewall.may_change().map_err(|unwritable| {
        let words = format!(
            "dockwarden: nothing may change while records cannot be written ({unwritable}); \
             ask the administrator to make room for them"
        );
        Stop::new(Outcome::Failed, Answer::new(503, words))
    })
}

pub(crate) fn circumstances(door: Door) -> Circumstances {
    Circumstances { door, time: SystemTime::now() }
}
