//! The policy: an immutable snapshot of everything that decides, made once and asked for every request.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use cedar_policy::PolicyId;
use docker::defaults::Defaults;
use docker::facts::Facts;
use docker::resource::Resource;

use crate::Subject;
use crate::cache::{Cache, Key};
use crate::decision::{Answered, Circumstances, Decision, Judgement, Mode, Permit, PolicyRef, Refusal};
use crate::explain::{self, Explanations};
use crate::index::Index;
use crate::judge::{Case, Judge};
use crate::message::{self, Reason};
use crate::quota::{Quota, Quotas};
use crate::schema::{self, World};
use crate::show::{Forbidden, NOT_SHOWN};
use crate::source::diagnostics::Text;
use crate::source::redact::Redact;
use crate::source::{self, Diagnostic, Diagnostics, Directory, Known, NamedText, Sources, check};
use crate::version::Fingerprint;

/// A compiled policy.
pub struct Policy {
    pub(crate) world: World,
    pub(crate) index: Index,
    references: HashMap<PolicyId, PolicyRef>,
    /// What to say when no policy allows an action, by the action's name.
    explanations: Explanations,
    memberships: BTreeMap<String, Vec<Arc<str>>>,
    preset: String,
    pub(crate) mode: Mode,
    defaults: Defaults,
    quotas: Quotas,
    /// Who is forbidden to be shown things.
    pub(crate) forbidden: Forbidden,
    pub(crate) redact: Redact,
    version: String,
    warnings: Vec<Diagnostic>,
    cache: Cache,
    /// Who is shown the daemon.
    pub(crate) shown: Cache,
}

impl Policy {
    /// Reads, checks and compiles. Every fault is told at once.
    pub fn load(sources: &Sources, directory: &Directory<'_>) -> Result<Policy, Diagnostics> {
        let mut faults = Diagnostics::default();
        let internal = |error: &dyn fmt::Display| {
            Diagnostics(vec![Diagnostic::at(&NamedText::default(), 0, 0, error.to_string())])
        };
        let world = World::new().map_err(|error| internal(&error))?;
        let known = Known::new(directory, &sources.groups);
        let gathered = source::gather(sources, &known, &world, &mut faults);
        let mode = sources.policy.mode();
        let mut fingerprint = Fingerprint::new();
        fingerprint.add(mode.name());
        for (group, members) in &sources.groups {
            fingerprint.add(group);
            members.iter().for_each(|member| fingerprint.add(member));
        }
        for statement in &gathered.statements {
            fingerprint.add(&statement.name);
            fingerprint.add(&statement.text);
        }
        if sources.defaults != Defaults::default() {
            fingerprint.add(&format!("{:?}", sources.defaults));
        }
        if !sources.quotas.is_empty() {
            fingerprint.add(&format!("{:?}", sources.quotas));
        }
        let quotas = Quotas::read(&sources.quotas, &Text::new(&sources.file), &known, &mut faults);
        if !gathered.redact.is_empty() {
            fingerprint.add(&format!("{:?}", gathered.redact));
        }
        let checked = check::check(gathered.statements, &world, &known, &mut faults);
        faults.sort();
        if faults.has_errors() {
            return Err(faults);
        }
        let acting = checked.iter().filter(|checked| !checked.explains_only);
        let index = Index::new(acting.map(|checked| (&checked.policy, checked.looks)), &world)
            .map_err(|error| internal(&error))?;
        Ok(Policy {
            explanations: Explanations::new(&checked, &world),
            forbidden: Forbidden::new(&checked, &world),
            redact: gathered.redact,
            references: checked.into_iter().map(|checked| (checked.policy.id().clone(), checked.reference)).collect(),
            world,
            index,
            memberships: source::memberships(&sources.groups),
            preset: gathered.preset,
            mode,
            defaults: sources.defaults.clone(),
            quotas,
            version: fingerprint.finish(),
            warnings: faults.0,
            cache: Cache::default(),
            shown: Cache::default(),
        })
    }

    /// Decides on a request. The only maker of permits.
    pub fn decide(&self, subject: &Subject, facts: Facts, circumstances: &Circumstances) -> Decision {
        let judgement = self.judge(subject, &facts, circumstances);
        if let Some(refusal) = self.refuses_mark(&facts, &judgement.answers) {
            return Decision::Refused(refusal);
        }
        let filter = self.filter(subject, &facts, circumstances);
        if judgement.allowed() {
            return Decision::Allowed(Permit::new(facts, judgement.answers, None, filter));
        }
        let message = self.refusal(subject, &facts, circumstances, &judgement.answers);
        match self.mode {
            Mode::Enforce => Decision::Refused(Refusal::new(message, judgement.answers)),
            Mode::Warn | Mode::Record => {
                Decision::Allowed(Permit::new(facts, judgement.answers, Some(message), filter))
            }
        }
    }

    /// The refusal of a request by what is known of it so far, where the rest can only add questions: a build whose
    /// context was not read yet. Makes no permit.
    pub fn refuses(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances) -> Option<Refusal> {
        let judgement = self.judge(subject, facts, circumstances);
        if judgement.allowed() || self.mode != Mode::Enforce {
            return None;
        }
        let message = self.refusal(subject, facts, circumstances, &judgement.answers);
        Some(Refusal::new(message, judgement.answers))
    }

    /// The words of a refusal. What is not shown to the subject is not named: it may have been asked about by its id.
    fn refusal(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances, answers: &[Answered]) -> String {
        match self.unnamed(subject, facts, circumstances, answers) {
            None => message::refusal(facts, answers, &|answer| self.reason(answer)),
            Some((facts, answers)) => message::refusal(&facts, &answers, &|answer| {
                let Reason { text, can_be_allowed } = self.reason(answer);
                // A rule would have to name it.
                Reason { text, can_be_allowed: can_be_allowed && !answer.words.contains(NOT_SHOWN) }
            }),
        }
    }

    /// Answers every question that a request raises, without deciding on it.
    pub fn judge(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances) -> Judgement {
        let key = self
            .can_be_remembered(facts)
            .then(|| Key::new(subject, facts.operation, facts.version, circumstances.door));
        if let Some(answers) = key.as_ref().and_then(|key| self.cache.get(key)) {
            return Judgement { answers };
        }
        let groups = self.groups(subject);
        let judge = Judge { world: &self.world, index: &self.index, describe: &|id| self.reference(id) };
        let mut answers = judge.judge(&Case { subject, groups: &groups, facts, circumstances });
        for answer in answers.iter_mut().filter(|answer| !answer.allowed) {
            answer.reason = Some(self.reason(answer).text);
        }
        let answers: Arc<[Answered]> = answers.into();
        if let Some(key) = &key {
            self.cache.keep(key, subject, &answers);
        }
        Judgement { answers }
    }

    /// The subject's groups, with those of the configuration.
    pub(crate) fn groups<'a>(&'a self, subject: &'a Subject) -> Vec<&'a str> {
        let added = self.memberships.get(&subject.user).into_iter().flatten();
        let mut groups: Vec<&str> = subject.groups.iter().map(String::as_str).chain(added.map(AsRef::as_ref)).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// What this subject may have at most.
    pub fn quota(&self, subject: &Subject) -> Quota {
        self.quotas.of(&subject.user, &self.groups(subject))
    }

    /// A short hash of everything that can change a decision.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether refusals are carried out.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What containers get where their clients say nothing: applied before facts are told, so that it is judged.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The preset's name.
    pub fn preset(&self) -> &str {
        &self.preset
    }

    /// How many policies there are, the preset's included.
    pub fn count(&self) -> usize {
        self.references.len()
    }

    /// What may not mean what was meant, although the policy can be used.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The Cedar schema that policies are written against.
    pub fn schema() -> String {
        schema::text()
    }

    /// Only the same question gets the same answer: one about the daemon as a whole, asking for
    /// nothing beside, under policies that do not look at the time.
    fn can_be_remembered(&self, facts: &Facts) -> bool {
        matches!(facts.resources.as_slice(), [Resource::Daemon])
            && facts.privileges.is_empty()
            && facts.spec.is_none()
            && !self.index.looks(World::operation(facts.operation)).at_time
    }

    pub(crate) fn reference(&self, id: &PolicyId) -> PolicyRef {
        self.references.get(id).cloned().unwrap_or_else(|| PolicyRef {
            id: id.to_string().into(),
            origin: id.to_string().into(),
            message: None,
        })
    }

    fn reason(&self, answer: &Answered) -> Reason {
        if let Some(error) = &answer.error {
            return Reason { text: message::printable(error), can_be_allowed: false };
        }
        if let Some(forbid) = answer.policies.first() {
            return Reason { text: explain::say(forbid, "forbidden"), can_be_allowed: false };
        }
        let text = self.explanations.text(&answer.action).unwrap_or_else(|| match self.preset.as_str() {
            "none" => "no policy grants it".to_owned(),
            preset => format!("preset {preset} grants no such thing"),
        });
        Reason { text, can_be_allowed: true }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("version", &self.version).field("preset", &self.preset).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
