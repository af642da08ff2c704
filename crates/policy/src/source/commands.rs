//! Docker commands as words of rules.
//!
//! A command is told by the requests that make it that command; where several share an end point, by a mark that a request
//! bears. What no request tells apart is switched off together, and said so when a rule is read. A filter is no mark: to
//! ask for the containers of one project shows less than to ask for all, so who may not ask for them may not ask for all.

use std::sync::LazyLock;

use super::mark::Mark;
use super::target::{Effect, Target};

const TABLE: &str = include_str!("commands.txt");

/// A command of the docker client, compose and buildx included.
#[derive(Debug)]
pub(crate) struct Command {
    names: Vec<&'static str>,
    /// The calls that make it that command, each of which is denied by who denies the command.
    own: Vec<Call>,
    /// The actions that it needs beside them.
    needed: Vec<&'static str>,
}

/// An action, as far as the request for it bears a mark.
#[derive(Debug)]
struct Call {
    mark: Option<Mark>,
    action: &'static str,
}

/// The commands that go with one that is denied.
#[derive(Default)]
pub(crate) struct Losses {
    /// They make the same request.
    pub same: Vec<&'static str>,
    /// They make such a request, too, or make it at times.
    pub partly: Vec<&'static str>,
    /// They make it on their way to something else.
    pub needing: Vec<&'static str>,
}

/// The command of that name, with or without the word docker.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    let words = name.split_whitespace().skip_while(|word| *word == "docker").collect::<Vec<_>>().join(" ");
    all().iter().find(|command| command.names.contains(&words.as_str()))
}

/// Every command.
pub(crate) fn all() -> &'static [Command] {
    static COMMANDS: LazyLock<Vec<Command>> = LazyLock::new(|| {
        TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).filter_map(Command::read).collect()
    });
    &COMMANDS
}

/// Every command, by all its names.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().iter().flat_map(|command| command.names.iter().copied())
}

/// All of it for the docs: what each command is told by, and what is denied with it.
pub fn table() -> String {
    let mut table =
        "| command | told by | denied with it: the same request | in part |\n|---|---|---|---|\n".to_owned();
    for command in all() {
        let names: Vec<String> = command.names.iter().map(|name| format!("`{name}`")).collect();
        let calls: Vec<String> = command.own.iter().map(Call::in_words).collect();
        let calls = if calls.is_empty() { "nothing: it asks no daemon".to_owned() } else { calls.join("; ") };
        let Losses { same, partly, .. } = command.losses();
        table.push_str(&format!("| {} | {calls} | {} | {} |\n", names.join(", "), same.join(", "), partly.join(", ")));
    }
    table
}

/// The command that is made up by that action alone, or first of all. None that opens a tunnel nobody looks into: that is
/// not allowed in passing.
pub(crate) fn command(action: &str) -> Option<&'static str> {
    let plain = |command: &&Command| {
        !command.name().starts_with("compose ") && command.own.len() <= FEW && !command.makes("Grpc")
    };
    let place = |command: &'static Command| {
        let at = command.own.iter().position(|call| call.mark.is_none() && call.action == action)?;
        Some((at.saturating_add(command.own.len()), command.name()))
    };
    all().iter().filter(plain).filter_map(place).min_by_key(|(others, _)| *others).map(|(_, name)| name)
}

impl Command {
    fn read(line: &'static str) -> Option<Command> {
        let mut columns = line.split('|').map(str::trim);
        let names = columns.next()?.split(',').map(str::trim).collect();
        let own = columns.next()?.split_whitespace().map(Call::read).collect();
        let needed = columns.next().unwrap_or_default().split_whitespace().collect();
        Some(Command { names, own, needed })
    }

    /// The first of its names.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Whether it asks a daemon for anything of its own.
    pub fn asks(&self) -> bool {
        !self.own.is_empty()
    }

    fn makes(&self, action: &str) -> bool {
        self.own.iter().any(|call| call.action == action)
    }

    /// What a rule of that effect means by it.
    pub fn targets(&self, effect: Effect) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        let needed = self.needed.iter().filter(|_| effect == Effect::Permit);
        let needed = needed.map(|action| Target::action(action));
        for target in self.own.iter().map(Call::target).chain(needed) {
            let alike =
                |other: &&mut Target| other.resource == target.resource && other.conditions == target.conditions;
            match targets.iter_mut().find(alike) {
                Some(other) => other.actions.extend(target.actions),
                None => targets.push(target),
            }
        }
        targets
    }

    /// What is lost beside it when it is denied.
    pub fn losses(&self) -> Losses {
        let mut losses = Losses::default();
        for other in all().iter().filter(|other| !std::ptr::eq(*other, self)) {
            let hits = |of: fn(&Call, &Call) -> bool| {
                other.own.iter().any(|theirs| self.own.iter().any(|ours| of(ours, theirs)))
            };
            let all_hit =
                other.asks() && other.own.iter().all(|theirs| self.own.iter().any(|ours| ours.covers(theirs)));
            if all_hit {
                losses.same.push(other.name());
            } else if hits(Call::meets) {
                losses.partly.push(other.name());
            } else if other.needed.iter().any(|action| self.own.iter().any(|ours| ours.keeps_from(other, action))) {
                losses.needing.push(other.name());
            }
        }
        losses
    }
}

impl Call {
    fn read(word: &'static str) -> Call {
        match word.split_once(':') {
            Some((mark, action)) => Call { mark: Mark::from_name(mark), action },
            None => Call { mark: None, action: word },
        }
    }

    /// For the docs.
    fn in_words(&self) -> String {
        match self.mark {
            Some(mark) => format!("`{}` with {}", self.action, mark.words()),
            None => format!("`{}`", self.action),
        }
    }

    fn target(&self) -> Target {
        let target = Target::action(self.action);
        match self.mark {
            Some(mark) => mark.narrow(target, self.action),
            None => target,
        }
    }

    /// Whether every request of the other is one of these.
    fn covers(&self, other: &Call) -> bool {
        self.action == other.action && (self.mark.is_none() || self.mark == other.mark)
    }

    /// Whether one request can be both.
    fn meets(&self, other: &Call) -> bool {
        let apart = match (self.mark, other.mark) {
            (Some(one), Some(other)) => one.excludes(other),
            _ => false,
        };
        self.action == other.action && !apart
    }

    /// Whether a command that needs the action meets this on its way. What compose needs is done to what it made.
    fn keeps_from(&self, command: &Command, action: &str) -> bool {
        let there = self.mark.is_none() || (self.mark == Some(Mark::Compose) && command.name().starts_with("compose "));
        self.action == action && there
    }
}

impl Losses {
    /// `create (the same request); system prune (in part)`. None where nothing else is lost.
    pub fn words(&self) -> Option<String> {
        let group = |names: &[&str], most: usize, how: &str| {
            let named: Vec<String> = names.iter().take(most).map(|name| format!("`{name}`")).collect();
            let others = match names.len().saturating_sub(most) {
                0 => String::new(),
                1 => " and 1 more".to_owned(),
                more => format!(" and {more} more"),
            };
            (!names.is_empty()).then(|| format!("{}{others} ({how})", named.join(", ")))
        };
        let groups: Vec<String> = [
            group(&self.same, NAMED, "the same request"),
            group(&self.partly, NAMED, "in part"),
            group(&self.needing, NEEDING, "in need of it"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!groups.is_empty()).then(|| groups.join("; "))
    }
}

/// What makes up more calls than this is not suggested for one of them.
const FEW: usize = 3;
/// How many commands are named when a rule is read; docs/commands.md has all.
const NAMED: usize = 12;
/// How many of those that only need it.
const NEEDING: usize = 4;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::schema::World;

    #[test]
    fn every_command_means_known_actions_and_has_one_row() {
        let world = World::new().unwrap();
        let mut seen = BTreeSet::new();
        for command in all() {
            for name in &command.names {
                assert!(seen.insert(*name), "{name} stands twice");
            }
            for call in &command.own {
                assert!(world.by_name(call.action).is_some(), "{}: no action {}", command.name(), call.action);
            }
            for action in &command.needed {
                assert!(world.by_name(action).is_some(), "{}: no action {action}", command.name());
            }
        }
        let marks = TABLE.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        for word in marks.filter_map(|word| word.split_once(':')).map(|(mark, _)| mark) {
            assert!(Mark::from_name(word).is_some(), "no mark {word}");
        }
    }

    #[test]
    fn what_goes_with_a_command_is_told() {
        let words = |name: &str| find(name).unwrap().losses().words().unwrap_or_default();
        assert!(words("run").starts_with("`buildx create`, `compose bridge convert`"), "{}", words("run"));
        assert!(find("docker  run").unwrap().losses().same.contains(&"create"));
        assert_eq!(words("rename"), "`compose scale`, `compose up`, `compose watch` (in need of it)");
        assert_eq!(words("service rollback"), "");
        assert_eq!(words("service update"), "`service scale` (the same request); `stack deploy` (in part)");
        assert_eq!(words("pull"), "`compose pull` (the same request)");
        assert_eq!(words("import"), "");
        assert_eq!(words("compose run"), "`compose bridge convert`, `create`, `run` (in part)");
        assert_eq!(words("logout"), "");
        assert!(!find("logout").unwrap().asks());
        let losses = find("container prune").unwrap().losses();
        assert_eq!((losses.same, losses.partly), (vec![], vec!["system prune"]));
    }

    #[test]
    fn suggestions_open_no_tunnel() {
        assert_eq!(command("ContainerExec"), Some("exec"));
        assert_eq!(command("ContainerCreate"), Some("create"));
        assert_eq!(command("Grpc"), None);
        assert_eq!(command("BuildPrune"), None);
    }
}
