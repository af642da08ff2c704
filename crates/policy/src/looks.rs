//! What a policy looks at, read from its text: which parts of the context must be made, and whether a
//! decision can be remembered.

use std::collections::BTreeSet;

use serde_json::Value;

/// The dear or changing parts of the context that a set of policies looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    pub at_time: bool,
    pub at_version: bool,
    pub at_address: bool,
    pub at_spec: bool,
    pub at_marks: bool,
}

impl Looks {
    pub const EVERYWHERE: Looks =
        Looks { at_time: true, at_version: true, at_address: true, at_spec: true, at_marks: true };

    /// What the conditions of a policy (in Cedar's JSON form) look at.
    pub fn of(policy: &Value) -> Looks {
        let mut looks = Looks::default();
        looks.visit(policy);
        looks
    }

    pub fn and(self, other: Looks) -> Looks {
        Looks {
            at_time: self.at_time || other.at_time,
            at_version: self.at_version || other.at_version,
            at_address: self.at_address || other.at_address,
            at_spec: self.at_spec || other.at_spec,
            at_marks: self.at_marks || other.at_marks,
        }
    }

    fn visit(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    match attribute_of_context(key, inner) {
                        Some(attribute) => self.note(attribute),
                        None => self.visit_member(key, inner),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.visit(item)),
            _ => {}
        }
    }

    fn visit_member(&mut self, key: &str, inner: &Value) {
        if key == "Var" && inner == "context" {
            // The context as a whole.
            *self = Looks::EVERYWHERE;
        } else if key != "Value" {
            self.visit(inner);
        }
    }

    fn note(&mut self, attribute: &str) {
        match attribute {
            "time" => self.at_time = true,
            "apiVersion" => self.at_version = true,
            "address" => self.at_address = true,
            "spec" => self.at_spec = true,
            "marks" => self.at_marks = true,
            _ => {}
        }
    }
}

/// `context.attribute` or `context has attribute`.
fn attribute_of_context<'a>(key: &str, inner: &'a Value) -> Option<&'a str> {
    if key != "." && key != "has" {
        return None;
    }
    let of_context = inner.get("left")?.get("Var")? == "context";
    let attribute = inner.get("attr")?.as_str()?;
    of_context.then_some(attribute)
}

/// Every text that a policy compares with, a pattern with `*` for anything.
pub(crate) fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => match (map.get("Value"), map.get("pattern").and_then(Value::as_array)) {
            (Some(Value::String(text)), _) => BTreeSet::from([text.clone()]),
            (_, Some(pieces)) => {
                let literal = |piece: &Value| piece.get("Literal").and_then(Value::as_str).map(str::to_owned);
                BTreeSet::from([pieces.iter().map(|piece| literal(piece).unwrap_or_else(|| "*".to_owned())).collect()])
            }
            _ => map.values().flat_map(texts).collect(),
        },
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => BTreeSet::new(),
    }
}

/// Every entity of the given type that a policy names, in its scope or its conditions.
pub(crate) fn mentions(policy: &Value, kind: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(policy, kind, &mut found);
    found
}

fn collect(value: &Value, kind: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let (Some(Value::String(of)), Some(Value::String(id))) = (map.get("type"), map.get("id"))
                && of == kind
            {
                found.insert(id.clone());
            }
            map.values().for_each(|inner| collect(inner, kind, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, kind, found)),
        _ => {}
    }
}
