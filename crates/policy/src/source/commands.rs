//! Docker commands as words of rules.

use super::target::{Effect, Target};

const TABLE: &str = include_str!("commands.txt");
/// What docker compose puts on each container that it makes.
const COMPOSE: &str = "context has spec && context.spec.labelKeys.contains(\"com.docker.compose.project\")";

/// What a rule of that effect means by a command; nothing for what is no command.
pub(super) fn targets(command: &str, effect: Effect) -> Vec<Target> {
    let words = command.split_whitespace().skip_while(|word| *word == "docker").collect::<Vec<_>>().join(" ");
    let Some((_, own, needed)) = rows().find(|(names, ..)| names.split(',').any(|name| name.trim() == words)) else {
        return Vec::new();
    };
    let actions = own.split_whitespace();
    let actions: Vec<&str> = match effect {
        Effect::Forbid => actions.collect(),
        Effect::Permit => actions.chain(needed.split_whitespace()).collect(),
    };
    let (of_compose, plain): (Vec<&str>, Vec<&str>) =
        actions.into_iter().partition(|action| action.starts_with("compose:"));
    let mut targets = Vec::new();
    if !plain.is_empty() {
        targets.push(Target::actions(plain));
    }
    if !of_compose.is_empty() {
        let actions = of_compose.into_iter().filter_map(|action| action.strip_prefix("compose:"));
        targets.push(Target::actions(actions).when(COMPOSE));
    }
    targets
}

/// The command that is made up by that action alone, or first of all.
pub(crate) fn command(action: &str) -> Option<&'static str> {
    let of_docker = rows().filter(|(names, ..)| !names.starts_with("compose ") && !names.starts_with("inspect"));
    let mut made: Vec<(usize, &str)> = of_docker
        .filter_map(|(names, own, _)| {
            let at = own.split_whitespace().position(|own| own == action)?;
            Some((at.saturating_add(own.split_whitespace().count()), names.split(',').next()?.trim()))
        })
        .collect();
    made.sort_by_key(|(others, _)| *others);
    made.first().map(|(_, name)| *name)
}

/// Every command, by all its names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    rows().flat_map(|(names, ..)| names.split(',').map(str::trim))
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('|').map(str::trim);
        Some((columns.next()?, columns.next()?, columns.next()?))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::World;

    #[test]
    fn every_command_means_known_actions_and_has_one_row() {
        let world = World::new().unwrap();
        let mut seen = BTreeSet::new();
        for (names, own, needed) in rows() {
            for name in names.split(',') {
                assert!(seen.insert(name.trim()), "{name} stands twice");
            }
            for action in own.split_whitespace().chain(needed.split_whitespace()) {
                let action = action.strip_prefix("compose:").unwrap_or(action);
                assert!(world.by_name(action).is_some(), "{names}: no action {action}");
            }
            assert!(!own.is_empty(), "{names}");
        }
    }
}
