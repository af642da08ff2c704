//! One rule of the configuration as Cedar policies.

use super::cedar::{Statement, quote};
use super::diagnostics::Place;
use super::principals::Whom;
use super::target::{Effect, Target};
use crate::schema::World;

/// A rule that was read.
#[derive(Clone)]
pub(super) struct Rule {
    /// What its policies are called, unless after its line.
    pub name: Option<String>,
    pub effect: Effect,
    pub targets: Vec<Target>,
    pub to: Vec<Whom>,
    pub except: Vec<Whom>,
    pub words: Words,
    pub place: Place,
}

/// What is said about what a rule refuses, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// To who is refused.
    pub message: Option<String>,
    /// To administrators: kept in the record and logged.
    pub note: Option<String>,
    /// Who is refused is told neither the message nor by which rule.
    pub quiet: bool,
}

/// What a rule's policies are called, and what they say to whom they refuse.
pub(super) struct Label {
    pub name: String,
    pub origin: String,
    pub words: Words,
    pub temporary: bool,
}

impl Rule {
    /// The policies, named after the rule's line. `lifted`: when what a target is about is not forbidden after all.
    pub fn statements(&self, lifted: &dyn Fn(&Target) -> Vec<String>) -> Vec<Statement> {
        let origin = format!("{}:{}", self.place.file(), self.place.line());
        let name = self.name.clone().unwrap_or_else(|| origin.clone());
        let label = Label { name, origin, words: self.words.clone(), temporary: false };
        match self.effect {
            Effect::Permit => self.lower(&label, &|_| Vec::new()),
            Effect::Forbid => self.lower(&label, lifted),
        }
    }

    /// The policies under a label: one for each principal and target. Several are counted.
    pub fn lower(&self, label: &Label, lifted: &dyn Fn(&Target) -> Vec<String>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for whom in &self.to {
            for target in &self.targets {
                let name = match statements.len() {
                    0 => label.name.clone(),
                    others => format!("{}/{}", label.name, others.saturating_add(1)),
                };
                let annotations = format!("@id({}){}", quote(&name), label.words.annotations());
                let unless: Vec<String> = scopes(&self.except).chain(lifted(target)).collect();
                let text = target.policy(self.effect, &annotations, &whom.scope(), &unless.join(" || "));
                let (place, origin) = (self.place.clone(), label.origin.as_str().into());
                let temporary = label.temporary;
                statements.push(Statement { text, place, name, origin, verbatim: false, preset: false, temporary });
            }
        }
        statements
    }

    /// The same rule about other targets.
    pub fn with_targets(&self, targets: Vec<Target>) -> Rule {
        Rule { targets, ..self.clone() }
    }

    /// When this rule, by those of its targets, lifts what is forbidden about a target. `None`: never.
    pub fn lifts(&self, forbidden: &Target, world: &World, by: fn(&Target) -> bool) -> Option<String> {
        if self.effect == Effect::Forbid {
            return None;
        }
        let denied = world.actions_named(&forbidden.actions);
        let touches = |target: &&Target| by(target) && !world.actions_named(&target.actions).is_disjoint(&denied);
        let things: Vec<String> =
            self.targets.iter().filter(touches).map(|target| format!("({})", target.condition())).collect();
        if things.is_empty() {
            return None;
        }
        let conditions = [self.is_about(), Some(format!("({})", things.join(" || ")))];
        Some(format!("({})", conditions.into_iter().flatten().collect::<Vec<_>>().join(" && ")))
    }

    /// A condition on the principal: that the rule is about it. `None`: it is about everyone.
    pub fn is_about(&self) -> Option<String> {
        let everyone = self.to.iter().any(|whom| matches!(whom, Whom::Everyone));
        let to = (!everyone).then(|| format!("({})", scopes(&self.to).collect::<Vec<_>>().join(" || ")));
        let except = scopes(&self.except).map(|scope| format!("!({scope})"));
        let conditions: Vec<String> = to.into_iter().chain(except).collect();
        (!conditions.is_empty()).then(|| conditions.join(" && "))
    }
}

impl Words {
    fn annotations(&self) -> String {
        let said = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| format!(" @{name}({})", quote(text))).unwrap_or_default()
        };
        let quiet = if self.quiet { " @quiet" } else { "" };
        format!("{}{}{quiet}", said("message", &self.message), said("note", &self.note))
    }
}

fn scopes(whom: &[Whom]) -> impl Iterator<Item = String> {
    whom.iter().filter(|whom| !matches!(whom, Whom::Everyone)).map(Whom::scope)
}
