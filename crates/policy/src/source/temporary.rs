//! Rules that end by themselves: `allow: exec` to alice for half an hour.
//!
//! They are the rules of the configuration with a time at which they end, kept elsewhere. The end is a condition of
//! their policies, so that a rule is over to the second, whenever the snapshot without it comes. One that allows also
//! lifts what rules of the configuration deny, for the same subject and the same thing: that is what people ask it for.
//! It lifts nothing else: not what Cedar files and presets forbid, and not what another temporary rule denies.

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use std::time::{Duration, UNIX_EPOCH};

use super::cedar::{Statement, quote};
use super::diagnostics::{Diagnostics, Text};
use super::lower::{Label, Rule, Words};
use super::target::Target;
use super::{Directory, Known, NamedText, Node, rules, section};
use crate::circumstances::timestamp;
use crate::schema::World;

/// A rule that ends by itself, as it is kept and listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryRule {
    /// Its name; its policies are called `rules/ID`.
    pub id: String,
    /// What it says, as [`crate::Policy::read_rule`] wrote it.
    pub rule: String,
    /// Why there is such a rule. May be empty.
    pub reason: String,
    /// The user who added it.
    pub added_by: String,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// Until when, in seconds since 1970: from then on it has no effect.
    pub until: u64,
}

/// A temporary rule that was read.
pub(crate) struct Temporary {
    rule: Rule,
    id: String,
    reason: String,
    until: u64,
}

impl TemporaryRule {
    /// The begin, written like the end.
    pub fn begin(&self) -> String {
        moment(self.since)
    }

    /// The end as it is written everywhere: `2026-11-26T04:12:09Z`.
    pub fn end(&self) -> String {
        moment(self.until)
    }
}

impl Temporary {
    /// Reads one that was kept. The names in it were settled when it was added.
    pub fn read(kept: &TemporaryRule, world: &World, faults: &mut Diagnostics) -> Option<Temporary> {
        let text = NamedText { name: format!("temporary rule {}", kept.id), text: kept.rule.clone() };
        let anybody = Directory { is_group: &|_| true, is_user: &|_| true, names: Vec::new() };
        let nobody = Default::default();
        let node = node(&Text::new(&text), faults)?;
        let rule = rules::read(&node, &Text::new(&text), &Known::new(&anybody, &nobody), world, faults)?;
        Some(Temporary { rule, id: kept.id.clone(), reason: kept.reason.clone(), until: kept.until })
    }

    /// Its policies.
    pub fn statements(&self) -> Vec<Statement> {
        let ended = |target: &Target| target.clone().when(self.lasts());
        let targets = self.rule.targets.iter().map(ended).collect();
        let label = Label {
            name: format!("rules/{}", self.id),
            origin: format!("temporary rule {}", self.id),
            words: Words { message: Some(self.message()), ..self.rule.words.clone() },
            temporary: true,
        };
        self.rule.with_targets(targets).lower(&label, &|_| Vec::new())
    }

    /// What is said to whom it refuses: why, and how long yet.
    fn message(&self) -> String {
        let why = self.rule.words.message.as_deref().filter(|message| !message.is_empty());
        let why = why.or(Some(&self.reason)).filter(|why| !why.is_empty()).unwrap_or("forbidden for a while");
        format!("{why}, until {}", moment(self.until))
    }

    /// When it lifts what a rule of the configuration forbids about a target. `None`: never.
    pub fn lifts(&self, forbidden: &Target, world: &World) -> Option<String> {
        self.while_it_lasts(self.rule.lifts(forbidden, world, |_| true))
    }

    /// The same, where it says on which things.
    pub fn lifts_by_name(&self, forbidden: &Target, world: &World) -> Option<String> {
        self.while_it_lasts(self.rule.lifts(forbidden, world, Target::is_narrow))
    }

    fn while_it_lasts(&self, condition: Option<String>) -> Option<String> {
        condition.map(|condition| format!("({} && {condition})", self.lasts()))
    }

    /// The condition that its time is not over.
    fn lasts(&self) -> String {
        format!("context.time < datetime({})", quote(&moment(self.until)))
    }
}

/// Reads a rule that is to be added, and writes it so that it will mean the same at any time: which names are groups and
/// which are users is settled now.
pub(crate) fn settle(
    text: &str,
    known: &Known<'_>,
    world: &World,
    faults: &mut Diagnostics,
) -> Option<(String, Vec<Statement>)> {
    let text = Text::new(&NamedText { name: "rule".to_owned(), text: text.to_owned() });
    let node = node(&text, faults)?;
    let rule = rules::read(&node, &text, known, world, faults)?;
    let Node::Map(entries) = &node.value else { return None };
    let other = |(key, value): &(Spanned<String>, Spanned<Node>)| {
        let is_names = ["to", "except"].contains(&key.value.as_str());
        (!is_names).then(|| format!("{}: {}", key.value, value.value.flow()))
    };
    let mut pairs: Vec<String> = entries.iter().filter_map(other).collect();
    for (key, whom) in [("to", &rule.to), ("except", &rule.except)] {
        let names: Vec<String> = whom.iter().map(|whom| Node::Text(whom.name()).flow()).collect();
        match names.as_slice() {
            [] => {}
            [one] => pairs.push(format!("{key}: {one}")),
            several => pairs.push(format!("{key}: [{}]", several.join(", "))),
        }
    }
    let label = Label { name: "rule".to_owned(), origin: "rule".to_owned(), words: Words::default(), temporary: true };
    Some((format!("{{ {} }}", pairs.join(", ")), rule.lower(&label, &|_| Vec::new())))
}

fn node(text: &Text, faults: &mut Diagnostics) -> Option<Spanned<Node>> {
    match serde_saphyr::from_str::<Spanned<Node>>(text.as_str()) {
        Ok(node) => Some(node),
        Err(error) => {
            faults.push(section::fault(text, &error));
            None
        }
    }
}

fn moment(seconds: u64) -> String {
    timestamp(UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH))
}
