//! `on`: the resources that a rule is limited to, by label, name or image.

use serde_saphyr::Spanned;

use super::cedar::quote;
use super::diagnostics::{Diagnostics, Place, Text};
use super::target::{Effect, Target, matches};
use super::{Node, nearest};
use crate::schema::{Type, World};

/// A condition on a resource, and the types that have what it looks at.
struct Filter {
    condition: String,
    fits: fn(Type) -> bool,
}

/// Narrows targets to the resources that `on` describes.
pub(super) fn narrow(
    targets: Vec<Target>,
    on: &Spanned<Node>,
    effect: Effect,
    text: &Text,
    world: &World,
    faults: &mut Diagnostics,
) -> Vec<Target> {
    let place = Place::of(text, on.referenced);
    let Node::Map(entries) = &on.value else {
        faults.push(
            place.error("expected a mapping").help_with("write it like `on: { label: { owner: ci } }`".to_owned()),
        );
        return Vec::new();
    };
    let mut filters: Vec<Filter> = Vec::new();
    for (key, value) in entries {
        match filter(&key.value, &value.value) {
            Some(found) => filters.extend(found),
            None => {
                let help = match nearest(&key.value, ["label", "name", "image"]) {
                    Some(near) if near != key.value => format!("did you mean `{near}`?"),
                    _ => "write `label: { KEY: VALUE }`, `label: KEY`, `name: PATTERN` or `image: PATTERN`".to_owned(),
                };
                faults.push(
                    Place::of(text, key.referenced)
                        .error(format!("`on` cannot read this `{}`", key.value))
                        .help_with(help),
                );
            }
        }
    }
    targets.into_iter().flat_map(|target| narrow_one(target, &filters, effect, &place, world, faults)).collect()
}

fn filter(key: &str, value: &Node) -> Option<Vec<Filter>> {
    Some(match (key, value) {
        ("label", Node::Map(labels)) => {
            let condition = |(key, value): &(Spanned<String>, Spanned<Node>)| {
                Some(labelled(&key.value, Some(&value.value.word()?)))
            };
            labels.iter().map(condition).collect::<Option<_>>()?
        }
        ("label", Node::Text(label)) => match label.split_once('=') {
            Some((key, value)) => vec![labelled(key, Some(value))],
            None => vec![labelled(label, None)],
        },
        ("name", value) => vec![Filter { condition: condition("resource.name", &value.word()?), fits: Type::has_name }],
        ("image", value) => vec![Filter {
            condition: condition("resource.image", &value.word()?),
            fits: |kind| kind == Type::Container,
        }],
        _ => return None,
    })
}

fn labelled(key: &str, value: Option<&str>) -> Filter {
    let key = quote(key);
    let value = value.and_then(|value| matches(&format!("resource.getTag({key})"), value));
    let value = value.map(|condition| format!(" && {condition}")).unwrap_or_default();
    Filter { condition: format!("resource.hasTag({key}){value}"), fits: Type::has_labels }
}

fn condition(what: &str, pattern: &str) -> String {
    matches(what, pattern).unwrap_or_else(|| "true".to_owned())
}

/// One target for each type of resource that the filters fit.
fn narrow_one(
    target: Target,
    filters: &[Filter],
    effect: Effect,
    place: &Place,
    world: &World,
    faults: &mut Diagnostics,
) -> Vec<Target> {
    let mut by_type: Vec<(Type, Vec<String>)> = Vec::new();
    let mut without: Vec<&str> = Vec::new();
    for action in &target.actions {
        let types = world
            .by_name(action)
            .and_then(|index| world.action(index))
            .map(|action| action.resources.as_slice())
            .unwrap_or_default();
        let fitting: Vec<Type> =
            types.iter().copied().filter(|kind| filters.iter().all(|filter| (filter.fits)(*kind))).collect();
        if fitting.is_empty() {
            without.push(action);
        }
        for kind in fitting {
            match by_type.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, actions)) => actions.push(action.clone()),
                None => by_type.push((kind, vec![action.clone()])),
            }
        }
    }
    // A rule that denies must not silently deny less than it says.
    let says_less = effect == Effect::Forbid && !without.is_empty();
    let scoped = !target.resource.is_empty() && !target.resource.starts_with("is ");
    if by_type.is_empty() || scoped || says_less {
        let what = if without.is_empty() { "this".to_owned() } else { without.join(", ") };
        let fault = place.error(format!("`on` can say nothing about {what}"));
        faults.push(
            fault.help_with(
                "labels and names are those of existing containers, images, volumes and networks".to_owned(),
            ),
        );
        return Vec::new();
    }
    let narrowed = |(kind, actions): (Type, Vec<String>)| {
        let conditions =
            target.conditions.iter().cloned().chain(filters.iter().map(|filter| filter.condition.clone())).collect();
        Target { actions, resource: format!("is {}", kind.name()), conditions }
    };
    by_type.into_iter().map(narrowed).collect()
}
