//! Where policies come from: presets, Cedar files and the rules of the configuration, all turned into
//! one list of Cedar policies, each with the place it was read from.
//!
//! Texts come in with their names; nothing is opened here. All faults are found before any is told.

use std::collections::BTreeMap;
use std::sync::Arc;

pub mod diagnostics;
pub mod docksec;
pub mod secdocker;
pub mod section;
pub mod temporary;

pub(crate) mod cedar;
pub(crate) mod check;
mod commands;
mod filter;
mod lower;
mod mark;
mod nearest;
mod node;
mod own;
pub(crate) mod principals;
pub(crate) mod redact;
mod rules;
mod target;
mod terms;

pub(crate) use commands::command;
pub use commands::table as command_table;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use nearest::nearest;
pub use node::Node;
pub use secdocker::SecDocker;
pub use section::PolicySection;
pub use temporary::TemporaryRule;

use crate::preset;
use crate::quota::QuotaEntry;
use crate::rego::RegoSources;
use crate::schema::World;
use cedar::Statement;
use diagnostics::{Place, Text};
use docker::defaults::Defaults;
use lower::Rule;
use redact::Redact;
use serde_saphyr::Spanned;
use temporary::Temporary;

/// A text and the name it goes by: a file's path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedText {
    /// The name, for diagnostics and records.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Everything that a policy is made of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file that the section was read from; empty where there is none.
    pub file: NamedText,
    /// Its section `policy:`.
    pub policy: PolicySection,
    /// A preset that wins over the section's.
    pub preset: Option<String>,
    /// The configuration of docksec: commands that are switched off.
    pub docksec: Option<NamedText>,
    /// Further policies: Cedar, or rules where the name ends in `.yaml` or `.yml`.
    pub policies: Vec<NamedText>,
    /// A configuration of SecDocker.
    pub secdocker: Option<SecDocker>,
    /// Groups beside the system's own, with their members.
    pub groups: BTreeMap<String, Vec<String>>,
    /// What containers get where their clients say nothing.
    pub defaults: Defaults,
    /// What everybody may have at most.
    pub quotas: Vec<QuotaEntry>,
    /// The Rego policies.
    pub rego: Option<RegoSources>,
    /// The file's section `redact:`: what is hidden within answers.
    pub redact: Option<Spanned<Node>>,
    /// The section's `checks:`. Others ask them; a decision can change with them all the same.
    pub checks: Option<Spanned<Node>>,
}

/// Who is known on this host, for telling a misspelt name.
pub struct Directory<'a> {
    /// Whether the host has a group of that name.
    pub is_group: &'a dyn Fn(&str) -> bool,
    /// Whether the host has a user of that name.
    pub is_user: &'a dyn Fn(&str) -> bool,
    /// Names to suggest, as far as they can be listed.
    pub names: Vec<String>,
}

/// What the sources amount to, before Cedar reads it.
pub(crate) struct Gathered {
    pub preset: String,
    pub redact: Redact,
    pub defaults: Defaults,
    parts: Vec<Part>,
}

/// A statement of a Cedar file, or a rule: what it comes to in Cedar depends on the temporary rules of the moment.
enum Part {
    Statement(Statement),
    Rule(Rule),
}

impl Gathered {
    /// All as Cedar, under these temporary rules.
    pub fn statements(&self, temporary: &[Temporary], world: &World) -> Vec<Statement> {
        let lifted = |target: &target::Target| temporary.iter().filter_map(|rule| rule.lifts(target, world)).collect();
        let lasting = self.parts.iter().flat_map(|part| match part {
            Part::Statement(statement) => vec![statement.clone()],
            Part::Rule(rule) => rule.statements(&lifted),
        });
        let rules = self.parts.iter().filter_map(|part| match part {
            Part::Rule(rule) => Some(rule),
            Part::Statement(_) => None,
        });
        let own = own::guards(rules, temporary, world);
        lasting.chain(temporary.iter().flat_map(Temporary::statements)).chain(own).collect()
    }
}

/// The preset where none is named.
const DEFAULT_PRESET: &str = "developer";

/// Turns the sources into statements.
pub(crate) fn gather(sources: &Sources, known: &Known<'_>, world: &World, faults: &mut Diagnostics) -> Gathered {
    let file = Text::new(&sources.file);
    sources.policy.check(&file, faults);
    let (preset, place) = match (&sources.preset, &sources.policy.preset) {
        (Some(name), _) => (name.clone(), None),
        (None, Some(name)) => (name.value.clone(), Some(Place::of(&file, name.referenced))),
        (None, None) => (DEFAULT_PRESET.to_owned(), None),
    };
    let mut parts = Vec::new();
    match preset::text(&preset) {
        Some(text) => {
            let text = Text::new(&NamedText { name: format!("preset {preset}"), text: text.to_owned() });
            parts.extend(cedar::statements(&text, true).into_iter().map(Part::Statement));
        }
        None => {
            let names = preset::presets().map(|(name, _)| name);
            let place = place.unwrap_or_else(|| Place::whole(&file));
            faults
                .push(place.error(format!("there is no preset `{preset}`")).help_with(preset::advice(&preset, names)));
        }
    }
    parts.extend(rules::read_all(&sources.policy.rules, &file, known, world, faults).into_iter().map(Part::Rule));
    match sources.docksec.as_ref().map(docksec::read) {
        Some(Ok(file)) => {
            faults.0.extend(file.warnings.iter().cloned());
            parts.extend(file.rules().into_iter().map(Part::Rule));
        }
        Some(Err(found)) => faults.0.extend(found.0),
        None => {}
    }
    for policies in &sources.policies {
        let text = Text::new(policies);
        if [".yaml", ".yml"].iter().any(|ending| policies.name.ends_with(ending)) {
            match section::read_rules(&text) {
                Ok(rules) => {
                    parts.extend(rules::read_all(&rules, &text, known, world, faults).into_iter().map(Part::Rule))
                }
                Err(fault) => faults.push(fault),
            }
        } else {
            parts.extend(cedar::statements(&text, false).into_iter().map(Part::Statement));
        }
    }
    let mut defaults = sources.defaults.clone();
    if let Some(secdocker) = &sources.secdocker {
        parts.extend(secdocker.rules(faults).into_iter().map(Part::Rule));
        secdocker.force(&mut defaults.force, faults);
        secdocker.remarks(faults);
    }
    let redact = sources.redact.as_ref().map(|section| redact::read(section, &file, known, faults)).unwrap_or_default();
    Gathered { preset, parts, redact, defaults }
}

/// All names of groups and users that are known.
pub(crate) struct Known<'a> {
    directory: &'a Directory<'a>,
    groups: &'a BTreeMap<String, Vec<String>>,
}

impl<'a> Known<'a> {
    pub fn new(directory: &'a Directory<'a>, groups: &'a BTreeMap<String, Vec<String>>) -> Known<'a> {
        Known { directory, groups }
    }

    pub fn is_group(&self, name: &str) -> bool {
        self.groups.contains_key(name) || (self.directory.is_group)(name)
    }

    pub fn is_user(&self, name: &str) -> bool {
        self.groups.values().flatten().any(|member| member == name) || (self.directory.is_user)(name)
    }

    /// The known name most like this one.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let groups = self.groups.keys().chain(self.groups.values().flatten());
        nearest(name, groups.chain(&self.directory.names).map(String::as_str))
    }
}

/// The groups that the configuration adds to each user.
pub(crate) fn memberships(groups: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<Arc<str>>> {
    let mut of_user: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
    for (group, members) in groups {
        let group: Arc<str> = group.as_str().into();
        for member in members {
            of_user.entry(member.clone()).or_default().push(group.clone());
        }
    }
    of_user
}
