//! What ordinary clients do, as lines of shell. Each scenario runs on a fresh daemon twice, without and with the
//! firewall, and every line says how the two must compare. The lines are those of the recorded traffic
//! (`../shared/api/traffic`) wherever a daemon without a bridge and without the internet can carry them out.

pub mod builds;
pub mod clients;
pub mod containers;
pub mod images;
pub mod machine;
pub mod streams;

use crate::harness::{Cli, Kind};

/// How a line through the firewall compares with the same line on the bare daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exit status, stdout and stderr are equal.
    Same,
    /// The same, and it succeeds.
    Works,
    /// The same, but under this preset, which refuses it by a message that holds these words.
    SameUnlessPreset(&'static str, &'static str),
    /// Equal but for numbers that move by themselves (loads, sizes, process ids).
    Alike,
    /// Equal but for this name, in place of which the daemon's message has the id that was decided on.
    ById(&'static str),
    /// Refused by the policy, by a message that holds these words; where there are none, this client hides
    /// the message.
    Refused(&'static str),
}

impl Expect {
    /// What is expected under a policy.
    pub fn under(self, policy: &str) -> Expect {
        match self {
            Expect::SameUnlessPreset(preset, words) if policy.contains(&format!("preset: {preset}")) => {
                Expect::Refused(words)
            }
            Expect::SameUnlessPreset(..) => Expect::Same,
            other => other,
        }
    }
}

/// Which client a scenario needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The engine's own docker CLI.
    Own,
    /// Docker 28.5's CLI with compose.
    Compose,
    /// Docker 28.5's CLI with buildx.
    Buildx,
    /// Debian's docker-compose 1.29.
    OldCompose,
    /// Debian's python3-docker.
    Python,
}

impl Client {
    /// What the docs call it.
    pub fn title(self) -> &'static str {
        match self {
            Client::Own => "docker CLI (20.10 on engine 20.10, 28.5 on engine 28.5)",
            Client::Compose => "docker compose 2.40 of CLI 28.5",
            Client::Buildx => "docker CLI 28.5 with buildx 0.29 and compose 2.40",
            Client::OldCompose => "docker-compose 1.29",
            Client::Python => "docker-py 5.0",
        }
    }

    /// The docker CLI that its shell has.
    pub fn cli(self, engine: Kind) -> Cli {
        if matches!(self, Client::Compose | Client::Buildx) { Cli::Modern } else { engine.into() }
    }

    /// A command that fails where the client is missing.
    pub fn probe(self) -> &'static str {
        match self {
            Client::Own => "docker --version",
            Client::Compose => "docker compose version",
            Client::Buildx => "docker buildx version",
            Client::OldCompose => "/usr/bin/docker-compose version",
            Client::Python => "/usr/bin/python3 -c 'import docker'",
        }
    }
}

/// One line of shell.
#[derive(Debug)]
pub struct Step {
    /// The line; `$WORK` is a folder of its own, `$DAEMON` the daemon's process.
    pub line: &'static str,
    /// How the two runs compare.
    pub expect: Expect,
}

/// A sequence of lines on one fresh daemon.
#[derive(Debug)]
pub struct Scenario {
    /// Its name, as in the recordings.
    pub name: &'static str,
    /// Which client.
    pub client: Client,
    /// The policies that it is run through, one after the other, as the configuration has them.
    pub policies: &'static [&'static str],
    /// Its lines, in order.
    pub steps: &'static [Step],
}

/// The policy of most scenarios.
pub const DEVELOPER: &[&str] = &["{ preset: developer }"];

const fn same(line: &'static str) -> Step {
    Step { line, expect: Expect::Same }
}

const fn works(line: &'static str) -> Step {
    Step { line, expect: Expect::Works }
}

const fn same_unless(preset: &'static str, line: &'static str, words: &'static str) -> Step {
    Step { line, expect: Expect::SameUnlessPreset(preset, words) }
}

const fn alike(line: &'static str) -> Step {
    Step { line, expect: Expect::Alike }
}

const fn by_id(line: &'static str, name: &'static str) -> Step {
    Step { line, expect: Expect::ById(name) }
}

const fn refused(line: &'static str, words: &'static str) -> Step {
    Step { line, expect: Expect::Refused(words) }
}

/// All of them, in the order of the docs.
pub const ALL: &[&Scenario] = &[
    &machine::BASICS,
    &containers::LIFE,
    &containers::MISC,
    &containers::END,
    &containers::PRUNE,
    &streams::RUN_IT,
    &streams::EXEC,
    &streams::ATTACH,
    &streams::LOGS,
    &streams::EVENTS,
    &streams::COPY,
    &images::IMAGES,
    &images::EXPORT_COMMIT,
    &images::REGISTRY,
    &images::BUILD,
    &builds::BUILDKIT,
    &builds::FETCHED,
    &machine::VOLUMES,
    &machine::NETWORKS,
    &machine::SYSTEM,
    &machine::FORBIDDEN,
    &clients::COMPOSE,
    &clients::OLD_COMPOSE,
    &clients::DOCKER_PY,
];
