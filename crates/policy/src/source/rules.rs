//! The everyday rules: `- deny: exec`, `- allow: { mount: /srv/ci, readonly: true }`.

use serde_saphyr::Spanned;

use super::diagnostics::{Diagnostics, Place, Severity, Text};
use super::lower::{Rule, Words};
use super::principals::{self, Whom};
use super::target::{Effect, Target};
use super::{Known, Node, filter, nearest, terms};
use crate::schema::World;

const KEYS: &[&str] = &["allow", "deny", "to", "except", "on", "message", "note", "quiet"];

/// Reads rules. Each fault is told; a rule with one is left out.
pub(super) fn read_all(
    rules: &[Spanned<Node>],
    text: &Text,
    known: &Known<'_>,
    world: &World,
    faults: &mut Diagnostics,
) -> Vec<Rule> {
    rules.iter().filter_map(|rule| read(rule, text, known, world, faults)).collect()
}

/// Reads one rule; none where it is at fault.
pub(super) fn read(
    node: &Spanned<Node>,
    text: &Text,
    known: &Known<'_>,
    world: &World,
    faults: &mut Diagnostics,
) -> Option<Rule> {
    let place = Place::of(text, node.referenced);
    let Node::Map(entries) = &node.value else {
        faults.push(
            place
                .error(format!("a rule cannot be {}", node.value.kind()))
                .help_with("write it like `- deny: exec`".to_owned()),
        );
        return None;
    };
    let (before, told) = (faults.errors(), faults.0.len());
    check_keys(entries, text, faults);
    let find = |key: &str| entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value);
    let (effect, what) = match (find("allow"), find("deny")) {
        (Some(what), None) => (Effect::Permit, what),
        (None, Some(what)) => (Effect::Forbid, what),
        (Some(_), Some(_)) => {
            faults.push(place.error("a rule cannot both allow and deny").help_with("make two rules of it".to_owned()));
            return None;
        }
        (None, None) => {
            faults.push(
                place
                    .error("this rule neither allows nor denies")
                    .help_with("a rule begins with `allow:` or `deny:`".to_owned()),
            );
            return None;
        }
    };
    let mut targets: Vec<Target> = terms::read(what, effect, text, world, faults);
    if let Some(on) = find("on") {
        targets = filter::narrow(targets, on, effect, text, world, faults);
    }
    let mut names = |key: &str| find(key).map(|node| principals::read(node, text, known, faults));
    let to = names("to").unwrap_or_else(|| vec![Whom::Everyone]);
    let except = names("except").unwrap_or_default();
    for (key, whom) in [("to", &to), ("except", &except)] {
        let everyone = key == "except" && whom.iter().any(|whom| matches!(whom, Whom::Everyone));
        let nobody = key == "to" && whom.is_empty() && faults.errors() == before;
        if everyone || nobody {
            faults.push(place.error("this rule is for nobody"));
        }
    }
    let words = Words {
        message: find("message").and_then(|node| said("message", node, text, faults)),
        note: find("note").and_then(|node| said("note", node, text, faults)),
        quiet: find("quiet").is_some_and(|node| is_quiet(node, text, faults)),
    };
    if faults.errors() > before {
        // What it would deny beside is no matter yet.
        let found = faults.0.split_off(told);
        faults.0.extend(found.into_iter().filter(|fault| fault.severity == Severity::Error));
        return None;
    }
    Some(Rule { name: None, effect, targets, to, except, words, place })
}

fn said(what: &str, node: &Spanned<Node>, text: &Text, faults: &mut Diagnostics) -> Option<String> {
    match &node.value {
        Node::Text(message) => Some(message.clone()),
        other => {
            let fault = format!("a {what} is a text, not {}", other.kind());
            faults.push(Place::of(text, node.referenced).error(fault));
            None
        }
    }
}

fn is_quiet(node: &Spanned<Node>, text: &Text, faults: &mut Diagnostics) -> bool {
    if let Node::Bool(quiet) = node.value {
        return quiet;
    }
    let fault = format!("`quiet` is true or false, not {}", node.value.kind());
    faults.push(Place::of(text, node.referenced).error(fault));
    false
}

fn check_keys(entries: &[(Spanned<String>, Spanned<Node>)], text: &Text, faults: &mut Diagnostics) {
    for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.value.as_str())) {
        let help = match nearest(&key.value, KEYS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("a rule has {}", KEYS.join(", ")),
        };
        faults.push(Place::of(text, key.referenced).error(format!("a rule has no `{}`", key.value)).help_with(help));
    }
}
