//! The policy: an immutable snapshot of everything that decides, made once and asked for every request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use cedar_policy::{Effect, PolicyId};
use docker::defaults::Defaults;
use docker::facts::{CanonicalBody, Facts};
use docker::resource::Resource;

use crate::Subject;
use crate::cache::{Cache, Key};
use crate::decision::{Answered, Circumstances, Decision, Judgement, Mode, Permit, PolicyRef, Refusal};
use crate::explain::{self, Explanations};
use crate::index::Index;
use crate::judge::{Case, Judge};
use crate::looks;
use crate::message::{self, Reason};
use crate::quota::{Quota, Quotas};
use crate::rego::{self, Rego};
use crate::schema::{self, World};
use crate::show::{Forbidden, NOT_SHOWN};
use crate::source::cedar::Statement;
use crate::source::check::{self, Checked};
use crate::source::diagnostics::Text;
use crate::source::temporary::{self, Temporary};
use crate::source::{self, Diagnostic, Diagnostics, Directory, Gathered, Known, Sources, TemporaryRule};
use crate::version::Fingerprint;

/// A compiled policy.
pub struct Policy {
    pub(crate) base: Arc<Base>,
    /// Those that are compiled in.
    rules: Vec<TemporaryRule>,
    pub(crate) index: Index,
    references: HashMap<PolicyId, PolicyRef>,
    /// What to say when no policy allows an action, by the action's name.
    explanations: Explanations,
    /// What builds may fetch, as far as policies say by name.
    fetches: BTreeSet<String>,
    /// Who is forbidden to be shown things.
    pub(crate) forbidden: Forbidden,
    version: String,
    cache: Cache,
    /// Who is shown the daemon.
    pub(crate) shown: Cache,
}

/// What was read: the same in all snapshots that differ by their temporary rules only.
pub(crate) struct Base {
    pub(crate) world: World,
    pub(crate) gathered: Gathered,
    groups: BTreeMap<String, Vec<String>>,
    memberships: BTreeMap<String, Vec<Arc<str>>>,
    pub(crate) mode: Mode,
    rego: Option<Rego>,
    quotas: Quotas,
    /// The quotas as they are written, for the version.
    written_quotas: String,
    /// The checks likewise.
    written_checks: String,
    warnings: Vec<Diagnostic>,
}

impl Policy {
    /// Reads, checks and compiles. Every fault is told at once.
    pub fn load(sources: &Sources, directory: &Directory<'_>) -> Result<Policy, Diagnostics> {
        let mut faults = Diagnostics::default();
        let world = World::new().map_err(|error| internal(&error))?;
        let known = Known::new(directory, &sources.groups);
        let gathered = source::gather(sources, &known, &world, &mut faults);
        let statements = gathered.statements(&[], &world);
        let file = Text::new(&sources.file);
        let quotas = Quotas::read(&sources.quotas, &file, &known, &mut faults);
        let rego = sources.rego.as_ref().and_then(|sources| rego::load(sources, &file, &mut faults));
        let mut base = Base {
            gathered,
            groups: sources.groups.clone(),
            memberships: source::memberships(&sources.groups),
            mode: sources.policy.mode(),
            rego,
            quotas,
            written_quotas: format!("{:?}", sources.quotas),
            written_checks: sources.checks.as_ref().map(|checks| checks.value.flow()).unwrap_or_default(),
            warnings: Vec::new(),
            world,
        };
        let version = base.version(&statements);
        let checked = check::check(statements, &base.world, Some(&known), &mut faults);
        faults.sort();
        if faults.has_errors() {
            return Err(faults);
        }
        base.warnings = faults.0;
        Policy::compile(Arc::new(base), checked, Vec::new(), version)
    }

    /// The same policy with these temporary rules, and no others.
    pub fn with_rules(&self, rules: Vec<TemporaryRule>) -> Result<Policy, Diagnostics> {
        let mut faults = Diagnostics::default();
        let base = Arc::clone(&self.base);
        let temporary: Vec<_> =
            rules.iter().filter_map(|rule| Temporary::read(rule, &base.world, &mut faults)).collect();
        let statements = base.gathered.statements(&temporary, &base.world);
        let version = base.version(&statements);
        let checked = check::check(statements, &base.world, None, &mut faults);
        faults.sort();
        if faults.has_errors() {
            return Err(faults);
        }
        Policy::compile(base, checked, rules, version)
    }

    /// Reads a rule that is to be added: what is to be kept of it, and what may not be meant. Its faults are told as
    /// those of a file called `rule`.
    pub fn read_rule(&self, text: &str, directory: &Directory<'_>) -> Result<(String, Vec<Diagnostic>), Diagnostics> {
        let mut faults = Diagnostics::default();
        let known = Known::new(directory, &self.base.groups);
        let settled = temporary::settle(text, &known, &self.base.world, &mut faults);
        let kept = settled.map(|(kept, statements)| {
            check::check(statements, &self.base.world, Some(&known), &mut faults);
            kept
        });
        match kept {
            Some(kept) if !faults.has_errors() => Ok((kept, faults.0)),
            _ => Err(faults),
        }
    }

    fn compile(
        base: Arc<Base>,
        checked: Vec<Checked>,
        rules: Vec<TemporaryRule>,
        version: String,
    ) -> Result<Policy, Diagnostics> {
        let acting = checked.iter().filter(|checked| !checked.explains_only);
        let index = Index::new(acting.map(|checked| (&checked.policy, checked.looks)), &base.world)
            .map_err(|error| internal(&error))?;
        Ok(Policy {
            explanations: Explanations::new(&checked, &base.world),
            fetches: fetches(&checked, &base.world),
            forbidden: Forbidden::new(&checked, &base.world),
            references: checked.into_iter().map(|checked| (checked.policy.id().clone(), checked.reference)).collect(),
            base,
            rules,
            index,
            version,
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
        match self.base.mode {
            Mode::Enforce => Decision::Refused(Refusal::new(message, judgement.answers)),
            Mode::Warn | Mode::Record => {
                Decision::Allowed(Permit::new(facts, judgement.answers, Some(message), filter))
            }
        }
    }

    /// The refusal of a request by what is known of it so far, where the rest can only add questions: a build whose
    /// context was not read yet. Makes no permit.
    pub fn refuses(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances) -> Option<Refusal> {
        let judgement = if facts.canonical.body == CanonicalBody::Unread {
            // What a Rego policy says of the rest may be another thing than what it says of all.
            self.judge_by_cedar(subject, facts, circumstances)
        } else {
            self.judge(subject, facts, circumstances)
        };
        if judgement.allowed() || self.base.mode != Mode::Enforce {
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
        let judgement = self.judge_by_cedar(subject, facts, circumstances);
        let Some(rego) = &self.base.rego else { return judgement };
        let groups = self.groups(subject);
        match rego.judge(&Case { subject, groups: &groups, facts, circumstances }) {
            Some(answer) => Judgement { answers: judgement.answers.iter().cloned().chain([answer]).collect() },
            None => judgement,
        }
    }

    fn judge_by_cedar(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances) -> Judgement {
        let key = self
            .can_be_remembered(facts)
            .then(|| Key::new(subject, facts.operation, facts.version, circumstances.door));
        if let Some(answers) = key.as_ref().and_then(|key| self.cache.get(key)) {
            return Judgement { answers };
        }
        let groups = self.groups(subject);
        let judge = Judge { world: &self.base.world, index: &self.index, describe: &|id| self.reference(id) };
        let mut answers = judge.judge(&Case { subject, groups: &groups, facts, circumstances });
        for answer in answers.iter_mut().filter(|answer| !answer.allowed) {
            answer.reason = Some(self.reason_on_record(answer));
        }
        let answers: Arc<[Answered]> = answers.into();
        if let Some(key) = &key {
            self.cache.keep(key, subject, &answers);
        }
        Judgement { answers }
    }

    /// The addresses, and patterns of them, by which policies grant builds what they fetch. Whether one is granted to
    /// somebody is to be asked.
    pub fn named_fetches(&self) -> impl Iterator<Item = &str> {
        self.fetches.iter().map(String::as_str)
    }

    /// The subject's groups, with those of the configuration.
    pub(crate) fn groups<'a>(&'a self, subject: &'a Subject) -> Vec<&'a str> {
        let added = self.base.memberships.get(&subject.user).into_iter().flatten();
        let mut groups: Vec<&str> = subject.groups.iter().map(String::as_str).chain(added.map(AsRef::as_ref)).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// What this subject may have at most.
    pub fn quota(&self, subject: &Subject) -> Quota {
        self.base.quotas.of(&subject.user, &self.groups(subject))
    }

    /// A short hash of everything that can change a decision.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether refusals are carried out.
    pub fn mode(&self) -> Mode {
        self.base.mode
    }

    /// The temporary rules that are compiled in; those that ended a moment ago may be among them.
    pub fn rules(&self) -> &[TemporaryRule] {
        &self.rules
    }

    /// Whether a subject is in a group of the host or of the configuration.
    pub fn is_member(&self, subject: &Subject, group: &str) -> bool {
        self.groups(subject).contains(&group)
    }

    /// What containers get where their clients say nothing: applied before facts are told, so that it is judged.
    pub fn defaults(&self) -> &Defaults {
        &self.base.gathered.defaults
    }

    /// The preset's name.
    pub fn preset(&self) -> &str {
        &self.base.gathered.preset
    }

    /// How many policies there are, the preset's included.
    pub fn count(&self) -> usize {
        self.references.len()
    }

    /// How many Rego files there are beside.
    pub fn rego_count(&self) -> usize {
        self.base.rego.as_ref().map_or(0, Rego::count)
    }

    /// What may not mean what was meant, although the policy can be used.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.base.warnings
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
            && facts.marks.is_empty()
            && !self.index.looks(World::operation(facts.operation)).at_time
    }

    pub(crate) fn reference(&self, id: &PolicyId) -> PolicyRef {
        self.references.get(id).cloned().unwrap_or_else(|| PolicyRef {
            id: id.to_string().into(),
            origin: id.to_string().into(),
            message: None,
            note: None,
            quiet: false,
        })
    }

    /// Why the answer is no, with all that only administrators are told.
    fn reason_on_record(&self, answer: &Answered) -> String {
        match answer.policies.first().filter(|_| answer.error.is_none()) {
            Some(forbid) => {
                let note = forbid.note.as_ref().map(|note| format!(" [{note}]")).unwrap_or_default();
                explain::say(forbid, "forbidden") + &note
            }
            None => self.reason(answer).text,
        }
    }

    /// Why the answer is no, for who is refused.
    fn reason(&self, answer: &Answered) -> Reason {
        if let (rego::ACTION, Some(reason)) = (&*answer.action, &answer.reason) {
            return Reason { text: reason.clone(), can_be_allowed: false };
        }
        if let Some(error) = &answer.error {
            return Reason { text: message::printable(error), can_be_allowed: false };
        }
        if let Some(forbid) = answer.policies.first() {
            let text = if forbid.quiet { String::new() } else { explain::say(forbid, "forbidden") };
            return Reason { text, can_be_allowed: false };
        }
        let text = self.explanations.text(&answer.action).unwrap_or_else(|| match self.preset() {
            "none" => "no policy grants it".to_owned(),
            preset => format!("preset {preset} grants no such thing"),
        });
        Reason { text, can_be_allowed: true }
    }
}

impl Base {
    /// A short hash of everything that can change a decision.
    fn version(&self, statements: &[Statement]) -> String {
        let mut fingerprint = Fingerprint::new();
        fingerprint.add(self.mode.name());
        for (group, members) in &self.groups {
            fingerprint.add(group);
            members.iter().for_each(|member| fingerprint.add(member));
        }
        for statement in statements {
            fingerprint.add(&statement.name);
            fingerprint.add(&statement.text);
        }
        if self.gathered.defaults != Defaults::default() {
            fingerprint.add(&format!("{:?}", self.gathered.defaults));
        }
        if self.written_quotas != "[]" {
            fingerprint.add(&self.written_quotas);
        }
        self.rego.iter().flat_map(Rego::written).for_each(|text| fingerprint.add(text));
        if !self.written_checks.is_empty() {
            fingerprint.add(&self.written_checks);
        }
        if !self.gathered.redact.is_empty() {
            fingerprint.add(&format!("{:?}", self.gathered.redact));
        }
        fingerprint.finish()
    }
}

/// The texts that those policies name which permit fetching for builds.
fn fetches(checked: &[Checked], world: &World) -> BTreeSet<String> {
    let Some(fetch) = world.by_name("buildFetch") else { return BTreeSet::new() };
    let permits = checked.iter().filter(|it| !it.explains_only && it.policy.effect() == Effect::Permit);
    let about = permits.filter(|it| world.actions_of(&it.policy.action_constraint()).contains(&fetch));
    let written = about.filter_map(|it| it.policy.to_json().ok());
    written.flat_map(|json| looks::texts(&json).into_iter().chain(looks::mentions(&json, "BuildSource"))).collect()
}

/// A fault that is nobody's but ours.
fn internal(error: &dyn fmt::Display) -> Diagnostics {
    Diagnostics::sentence(&error.to_string())
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("version", &self.version).field("preset", &self.preset()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
