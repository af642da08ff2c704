//! Why nothing is granted: what to say when no policy allows an action.
//!
//! No policy decided such a question, so there is none to name. But a `permit` that speaks of the action
//! and has a message says what is granted, or why nothing is.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, Effect};

use crate::decision::PolicyRef;
use crate::schema::World;
use crate::source::check::Checked;

/// How many places are named.
const NAMED: usize = 3;

/// What to say, by the action's name.
#[derive(Default)]
pub(crate) struct Explanations(HashMap<Arc<str>, Explanation>);

#[derive(Default)]
struct Explanation {
    /// The preset's first policy with a message, or else one's own.
    policy: Option<PolicyRef>,
    /// Whether that is one's own.
    own: bool,
    /// The places of own policies that permit such an action under some condition.
    places: Vec<Arc<str>>,
}

impl Explanations {
    pub fn new(checked: &[Checked], world: &World) -> Explanations {
        let mut found = Explanations::default();
        for permit in checked.iter().filter(|checked| checked.policy.effect() == Effect::Permit) {
            let constraint = permit.policy.action_constraint();
            // What is permitted on any action says nothing about this one.
            if constraint == ActionConstraint::Any {
                continue;
            }
            for action in world.actions_of(&constraint).into_iter().filter_map(|index| world.action(index)) {
                found.0.entry(action.name.clone()).or_default().add(permit);
            }
        }
        found
    }

    /// `policy developer/host-paths: host paths are not granted, but for config.yaml:12`
    pub fn text(&self, action: &str) -> Option<String> {
        let found = self.0.get(action)?;
        let mut places: Vec<&str> = found.places.iter().take(NAMED).map(AsRef::as_ref).collect();
        if found.places.len() > NAMED {
            places.push("others");
        }
        match (&found.policy, places.as_slice()) {
            (Some(policy), []) => Some(say(policy, "not granted")),
            (Some(policy), places) => {
                Some(format!("{}, but for what {} allows", say(policy, "not granted"), places.join(", ")))
            }
            (None, []) => None,
            (None, places) => Some(format!("no policy grants it, but for what {} allows", places.join(", "))),
        }
    }
}

impl Explanation {
    fn add(&mut self, permit: &Checked) {
        let own = !permit.preset;
        // A temporary rule says why it grants something, not why nothing is granted.
        let speaks = permit.reference.message.is_some() && !permit.temporary;
        if speaks && (self.policy.is_none() || (own && !self.own)) {
            self.policy = Some(permit.reference.clone());
            self.own = own;
        } else if own && !speaks && !self.places.contains(&permit.reference.origin) {
            self.places.push(permit.reference.origin.clone());
        }
    }
}

/// `policy developer/host-paths: host paths are not granted`
pub(crate) fn say(policy: &PolicyRef, otherwise: &str) -> String {
    let message = policy.message.as_deref().unwrap_or(otherwise);
    let word = if policy.id == policy.origin { "" } else { "policy " };
    format!("{word}{}: {message}", policy.id)
}
