//! Data that stands where a rule does. The engine asks the data first, so that a document could say yes in place of the
//! policy: OPA refuses to load both, and so do we.

use regorus::Value;
use regorus::unstable::Span;
use serde_saphyr::Spanned;

use super::RegoData;
use super::graph::Graph;
use crate::message::one_line;
use crate::source::diagnostics::{Place, Text};
use crate::source::{Diagnostic, Diagnostics, Node};

/// Looks for a value at the path of a rule, or on the way to one. `all`: the documents together; `each`: one by one, each
/// below its path.
pub(super) fn check(graph: &Graph, all: &Value, each: &[(&RegoData, Value)], faults: &mut Diagnostics) {
    for (path, node) in &graph.rules {
        // All of them begin with `data`.
        let Some((steps, span)) = path.get(1..).zip(node.span.as_ref()) else { continue };
        if obstacle(all, steps).is_none() {
            continue;
        }
        let found = each.iter().find_map(|(data, value)| Some((data, steps.get(..obstacle(value, steps)?)?)));
        if let Some((data, at)) = found {
            faults.push(fault(data, at, path, span));
        }
    }
}

/// How many of the steps lead to a value that is in the way: one at their end, or one before it that is no object.
fn obstacle(value: &Value, steps: &[String]) -> Option<usize> {
    let mut value = value;
    for (at, step) in steps.iter().enumerate() {
        let Ok(members) = value.as_object() else { return Some(at) };
        value = members.get(&Value::from(step.as_str()))?;
    }
    Some(steps.len())
}

fn fault(data: &RegoData, at: &[String], rule: &[String], span: &Span) -> Diagnostic {
    let (value, rule_at) =
        (one_line(&format!("data.{}", at.join("."))), format!("{}:{}", span.source.file(), span.line));
    let message = match one_line(&rule.join(".")) {
        rule if rule == value => format!("it gives a value to `{value}`, which is a rule ({rule_at})"),
        rule => format!("it gives `{value}` a value of its own, and `{rule}` is a rule ({rule_at})"),
    };
    let help =
        format!("the data would overrule the rule: take `{value}` out of it, or give one of the two another name");
    place(data, at).error(message).help_with(help)
}

/// Where a document names a path, as well as that can be told.
fn place(data: &RegoData, at: &[String]) -> Place {
    let text = Text::new(&data.text);
    let mut place = Place::whole(&text);
    let Ok(tree) = serde_saphyr::from_str::<Spanned<Node>>(&data.text.text) else { return place };
    let mut node = &tree;
    for step in at.iter().skip(data.path.len()) {
        let Node::Map(members) = &node.value else { break };
        let Some((name, member)) = members.iter().find(|(name, _)| name.value == *step) else { break };
        (node, place) = (member, Place::of(&text, name.referenced));
    }
    place
}
