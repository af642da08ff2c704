//! One rule of the configuration as Cedar policies.

use super::cedar::{Statement, quote};
use super::diagnostics::Place;
use super::principals::Whom;
use super::target::{Effect, Target};

/// A rule that was read.
pub(super) struct Rule {
    pub effect: Effect,
    pub targets: Vec<Target>,
    pub to: Vec<Whom>,
    pub except: Vec<Whom>,
    pub message: Option<String>,
    pub place: Place,
}

impl Rule {
    /// The policies, named after the rule's line.
    pub fn statements(&self) -> Vec<Statement> {
        let origin = format!("{}:{}", self.place.file(), self.place.line());
        let unless = self.unless();
        let mut statements = Vec::new();
        for whom in &self.to {
            for target in &self.targets {
                let name = match statements.len() {
                    0 => origin.clone(),
                    others => format!("{origin}/{}", others.saturating_add(1)),
                };
                let mut annotations = format!("@id({})", quote(&name));
                if let Some(message) = &self.message {
                    annotations.push_str(&format!(" @message({})", quote(message)));
                }
                let text = target.policy(self.effect, &annotations, &whom.scope(), &unless);
                let (place, origin) = (self.place.clone(), origin.as_str().into());
                statements.push(Statement { text, place, name, origin, verbatim: false, preset: false });
            }
        }
        statements
    }

    fn unless(&self) -> String {
        let scopes: Vec<String> =
            self.except.iter().filter(|whom| !matches!(whom, Whom::Everyone)).map(Whom::scope).collect();
        scopes.join(" || ")
    }
}
