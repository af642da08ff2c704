//! What a rule speaks about, on its way from words to Cedar.

use super::cedar::quote;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Permit,
    Forbid,
}

/// Actions on resources under conditions: one policy without its principal.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Names of actions or of groups of actions. None: all.
    pub actions: Vec<String>,
    /// The resource of the scope, as Cedar writes it: `== Runtime::"runc"`. Empty: any.
    pub resource: String,
    /// All must hold.
    pub conditions: Vec<String>,
}

impl Target {
    pub fn actions<'a>(actions: impl IntoIterator<Item = &'a str>) -> Target {
        Target {
            actions: actions.into_iter().map(str::to_owned).collect(),
            resource: String::new(),
            conditions: Vec::new(),
        }
    }

    pub fn action(name: &str) -> Target {
        Target::actions([name])
    }

    pub fn everything() -> Target {
        Target::actions([])
    }

    pub fn equal(self, kind: &str, id: &str) -> Target {
        Target { resource: format!("== {kind}::{}", quote(id)), ..self }
    }

    pub fn within(self, kind: &str, id: &str) -> Target {
        Target { resource: format!("in {kind}::{}", quote(id)), ..self }
    }

    pub fn of_type(self, kind: &str) -> Target {
        Target { resource: format!("is {kind}"), ..self }
    }

    pub fn when(mut self, condition: impl Into<String>) -> Target {
        self.conditions.push(condition.into());
        self
    }

    /// Whether it is about some resources only.
    pub fn is_narrow(&self) -> bool {
        !self.resource.is_empty() || !self.conditions.is_empty()
    }

    /// The policy as text, for one principal.
    pub fn policy(&self, effect: Effect, annotations: &str, principal: &str, unless: &str) -> String {
        let effect = match effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        let action = self.action_scope();
        let resource = format!("resource {}", self.resource);
        let mut text = format!("{annotations}\n{effect} ({principal}, {action}, {})", resource.trim_end());
        if !self.conditions.is_empty() {
            let conditions: Vec<String> = self.conditions.iter().map(|condition| format!("({condition})")).collect();
            text.push_str(&format!("\nwhen {{ {} }}", conditions.join(" && ")));
        }
        if !unless.is_empty() {
            text.push_str(&format!("\nunless {{ {unless} }}"));
        }
        text.push(';');
        text
    }

    /// The same as one condition, to stand among others. What has no such resource must not look at its attributes: Cedar
    /// leaves out the rest of a conjunction once a part of it is false.
    pub fn condition(&self) -> String {
        let mut parts = Vec::new();
        if !self.actions.is_empty() {
            parts.push(self.action_scope());
        }
        if let Some((kind, _)) = self.resource.strip_prefix("== ").and_then(|uid| uid.split_once("::")) {
            parts.push(format!("resource is {kind}"));
        }
        if !self.resource.is_empty() {
            parts.push(format!("resource {}", self.resource));
        }
        parts.extend(self.conditions.iter().map(|condition| format!("({condition})")));
        if parts.is_empty() { "true".to_owned() } else { parts.join(" && ") }
    }

    /// The actions of a scope.
    fn action_scope(&self) -> String {
        let uids: Vec<String> = self.actions.iter().map(|action| format!("Action::{}", quote(action))).collect();
        match uids.as_slice() {
            [] => "action".to_owned(),
            [one] => format!("action in {one}"),
            many => format!("action in [{}]", many.join(", ")),
        }
    }
}

/// A condition on a text: `*` stands for anything, alone for no condition at all.
pub(super) fn matches(what: &str, pattern: &str) -> Option<String> {
    match pattern {
        "*" => None,
        _ if pattern.contains('*') => Some(format!("{what} like {}", quote(pattern))),
        _ => Some(format!("{what} == {}", quote(pattern))),
    }
}
