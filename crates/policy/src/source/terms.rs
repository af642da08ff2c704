//! What a rule allows or denies: a word (`exec`, `privileged`, `ContainerCreate`) or a mapping
//! (`{ mount: /srv/ci, readonly: true }`), or a list of these.

use serde_saphyr::Spanned;

use super::diagnostics::{Diagnostic, Diagnostics, Place, Text};
use super::target::{Effect, Target};
use super::{Node, commands, nearest};
use crate::schema::World;
use commands::Command;

mod image;
mod named;
mod special;

pub(super) use special::variable;

/// A privilege's word in rules: what it takes, and how it becomes targets.
struct Term {
    key: &'static str,
    /// The actions that the word alone means. None: it says nothing alone.
    actions: &'static [&'static str],
    /// Further keys that may stand beside it.
    beside: &'static [&'static str],
    read: fn(&Item<'_>) -> Result<Vec<Target>, String>,
}

/// One value of a term, with what stands beside it.
struct Item<'a> {
    term: &'static Term,
    value: &'a str,
    effect: Effect,
    beside: Vec<(&'a str, &'a Node)>,
}

/// Words for groups of actions.
const GROUPS: &[&str] = &["read", "change", "system", "swarm", "plugin", "secret", "config", "service", "task", "node"];
const EVERYTHING: &str = "everything";

fn terms() -> impl Iterator<Item = &'static Term> {
    special::TERMS.iter().chain(named::TERMS).chain(image::TERMS)
}

/// Reads what a rule speaks about.
pub(super) fn read(
    node: &Spanned<Node>,
    effect: Effect,
    text: &Text,
    world: &World,
    faults: &mut Diagnostics,
) -> Vec<Target> {
    match &node.value {
        Node::List(items) => items.iter().flat_map(|item| read(item, effect, text, world, faults)).collect(),
        Node::Map(entries) => mapping(node, entries, effect, text, faults),
        Node::Text(word) => word_targets(word, effect, &Place::of(text, node.referenced), world, faults),
        other => {
            let fault = Place::of(text, node.referenced).error(format!("a rule cannot allow or deny {}", other.kind()));
            faults.push(fault.help_with("write a docker command, or a mapping like `{ mount: /srv/ci }`".to_owned()));
            Vec::new()
        }
    }
}

/// A word alone: a command, a privilege with anything, an operation or action, a group of actions.
fn word_targets(word: &str, effect: Effect, place: &Place, world: &World, faults: &mut Diagnostics) -> Vec<Target> {
    if word == EVERYTHING {
        return vec![Target::everything()];
    }
    if let Some(term) = terms().find(|term| term.key == word) {
        if term.actions.is_empty() {
            faults.push(place.error(format!("`{word}` needs a value, as in `{{ {word}: NAME }}`")));
            return Vec::new();
        }
        return vec![Target::actions(term.actions.iter().copied())];
    }
    if let Some(command) = commands::find(word) {
        if effect == Effect::Forbid {
            faults.0.extend(more_than_meant(command, word, place));
        }
        return command.targets(effect);
    }
    if world.by_name(word).is_some() || GROUPS.contains(&word) {
        return vec![Target::action(word)];
    }
    let fault = place.error(format!("there is no command, operation or privilege `{word}`"));
    faults.push(fault.help_with(nearest(word, words(world)).map(|near| format!("did you mean `{near}`?"))));
    Vec::new()
}

/// What denying a command does beside what it says, or that it does nothing.
pub(super) fn more_than_meant(command: &Command, word: &str, place: &Place) -> Option<Diagnostic> {
    if !command.asks() {
        let help = "the client does it by itself, or sends what others say: leave it out".to_owned();
        return Some(
            place
                .warning(format!("nothing can deny `{word}`: it asks the daemon for nothing of its own"))
                .help_with(help),
        );
    }
    let lost = command.losses().words()?;
    Some(place.warning(format!("with `{word}` go other commands: {lost}")))
}

fn words(world: &World) -> Vec<&str> {
    let mut words: Vec<&str> =
        commands::names().chain(terms().map(|term| term.key)).chain(GROUPS.iter().copied()).collect();
    words.push(EVERYTHING);
    words.extend(world.actions.iter().map(|action| action.name.as_ref()));
    words
}

fn mapping(
    node: &Spanned<Node>,
    entries: &[(Spanned<String>, Spanned<Node>)],
    effect: Effect,
    text: &Text,
    faults: &mut Diagnostics,
) -> Vec<Target> {
    let place = Place::of(text, node.referenced);
    let found = entries.iter().find_map(|(key, value)| Some((key, value, terms().find(|term| term.key == key.value)?)));
    let Some((main, value, term)) = found else {
        for (key, _) in entries {
            let near = nearest(&key.value, terms().map(|term| term.key));
            let fault = Place::of(text, key.referenced).error(format!("a rule knows no privilege `{}`", key.value));
            faults.push(fault.help_with(near.map(|near| format!("did you mean `{near}`?"))));
        }
        if entries.is_empty() {
            faults.push(place.error("this rule says nothing"));
        }
        return Vec::new();
    };
    let mut beside = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| key.value != main.value) {
        if term.beside.contains(&key.value.as_str()) {
            beside.push((key.value.as_str(), &value.value));
        } else {
            let help = match (nearest(&key.value, term.beside.iter().copied()), term.beside) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, []) => "make two rules of it".to_owned(),
                (None, known) => format!("beside `{}` there can be {}", term.key, known.join(", ")),
            };
            faults.push(
                Place::of(text, key.referenced)
                    .error(format!("`{}` says nothing about `{}`", key.value, term.key))
                    .help_with(help),
            );
        }
    }
    let values: Vec<&Spanned<Node>> = match &value.value {
        Node::List(items) => items.iter().collect(),
        _ => vec![value],
    };
    let mut targets = Vec::new();
    for value in values {
        let read = match value.value.word() {
            Some(word) => (term.read)(&Item { term, value: &word, effect, beside: beside.clone() }),
            None => Err(format!("`{}` cannot be {}", term.key, value.value.kind())),
        };
        match read {
            Ok(found) => targets.extend(found),
            Err(message) => faults.push(Place::of(text, value.referenced).error(message)),
        }
    }
    targets
}

impl Item<'_> {
    /// The actions of the term, on any resource.
    fn target(&self) -> Target {
        Target::actions(self.term.actions.iter().copied())
    }

    /// A switch beside the term.
    fn flag(&self, key: &str) -> Result<bool, String> {
        match self.beside(key) {
            None | Some(Node::Bool(false)) => Ok(false),
            Some(Node::Bool(true)) => Ok(true),
            Some(other) => Err(format!("`{key}` is true or false, not {}", other.kind())),
        }
    }

    /// A text beside the term.
    fn text(&self, key: &str) -> Result<Option<String>, String> {
        self.beside(key)
            .map(|node| node.word().ok_or_else(|| format!("`{key}` is a text, not {}", node.kind())))
            .transpose()
    }

    fn beside(&self, key: &str) -> Option<&Node> {
        self.beside.iter().find(|(name, _)| *name == key).map(|(_, node)| *node)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_mean_one_thing_and_every_privilege_has_one() {
        let world = World::new().unwrap();
        let keys: Vec<&str> = terms().map(|term| term.key).collect();
        assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len());
        for key in &keys {
            // `port` is what is published; the command is `container port`.
            let is_command = commands::names().any(|name| name == *key);
            assert_eq!(is_command, *key == "port", "{key} is a command too");
        }
        let reached: BTreeSet<&str> = terms().flat_map(|term| term.actions).copied().collect();
        for privilege in crate::schema::PRIVILEGES {
            let name = privilege.name;
            assert!(
                reached.contains(name)
                    || commands::names().any(|word| {
                        let command = commands::find(word).unwrap();
                        let targets = command.targets(Effect::Permit);
                        targets.iter().any(|target| target.actions.iter().any(|action| action == name))
                    }),
                "no word for {name}"
            );
            assert!(world.by_name(name).is_some());
        }
    }
}
