//! A Dockerfile, and what building it would do: which images it takes, what it runs, what it fetches.
//!
//! Two readers take it apart: ours, which follows the daemon's own parser line by line in the dialects
//! of Docker 20.10 and 28 ([`lines`]), and the crate `parse-dockerfile`. Where any two of them see
//! different instructions the build is refused. What variables hide is refused too, or asked for as
//! what it could be. Nothing is known here of the images named: what is in them, and the triggers that
//! they bring along (see [`triggers`]), the caller looks up.

use std::collections::BTreeMap;
use std::sync::Arc;

mod asks;
mod build;
mod directive;
mod heredoc;
mod lines;
mod second;
mod shell;
mod split;
mod stages;
mod steps;

#[cfg(test)]
mod tests;

pub use asks::Ask;
pub use build::{read, triggers};
pub use directive::detect_syntax;
use lines::Dialect;

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// The daemon's own (`POST /build` without `version=2`).
    Classic,
    /// BuildKit (`version=2`).
    BuildKit,
}

/// The arguments of a build, as its query gives them. `None`: named without a value, which means nothing.
pub type BuildArgs = BTreeMap<String, Option<String>>;

/// What a build would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The Dockerfile as it stands.
    pub text: Arc<str>,
    /// The images that its stages start from. `scratch` and other stages are none.
    pub bases: Vec<ImageName>,
    /// What its instructions do.
    pub steps: Steps,
    /// What instructions do that it leaves to those who build from the result (`ONBUILD`).
    pub onbuild: Steps,
    /// Images that read the Dockerfile in place of the built-in reader (`# syntax=`), BuildKit only.
    /// Empty text: one that cannot be told.
    pub syntax: Vec<String>,
}

/// What instructions do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    /// Images that files are copied from, or that are mounted while a command runs.
    pub copies_from: Vec<ImageName>,
    /// Commands run, in order.
    pub runs: Vec<Run>,
    /// What the daemon fetches, other than images.
    pub fetches: Vec<Fetch>,
    /// What could not be told: to be refused.
    pub unknown: Vec<Unknown>,
}

/// An image as a Dockerfile names it, variables expanded: a name, an id, or the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// The name.
    pub name: String,
    /// The platform that is asked for with it (`FROM --platform`), empty for none.
    pub platform: String,
    /// The line of the Dockerfile.
    pub line: usize,
}

/// A command that is run (`RUN`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The line of the Dockerfile.
    pub line: usize,
    /// `--network`, where given; not `default`.
    pub network: Option<String>,
    /// `--security`, where given; not `sandbox`.
    pub security: Option<String>,
    /// `--mount`, each as it stands.
    pub mounts: Vec<String>,
    /// `--device`, each as it stands.
    pub devices: Vec<String>,
}

/// Something that the daemon fetches (`ADD` of a URL or a git repository).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where from, as it stands. Variables in it are not known.
    pub from: String,
    /// Whether variables hide if it is fetched at all: it may as well be a file of the context.
    pub unsure: bool,
    /// The line of the Dockerfile.
    pub line: usize,
}

/// Something that could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// As it stands.
    pub text: String,
    /// The line of the Dockerfile.
    pub line: usize,
}

/// Why a Dockerfile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// The daemon would refuse it too, or we cannot tell.
    #[error("line {line} of the Dockerfile cannot be read: {reason}")]
    Line {
        /// Which line.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// Two daemons, or two readers, see different instructions.
    #[error("the Dockerfile can be read in two ways{}", at(line))]
    Ambiguous {
        /// The first line that differs, where one can be named.
        line: Option<usize>,
    },
    /// The classic builder of today drops their text, that of 20.10 takes it for instructions.
    #[error("line {line} of the Dockerfile has a here-document, which needs BuildKit")]
    Heredoc {
        /// Which line.
        line: usize,
    },
    /// No instruction.
    #[error("the Dockerfile has no stage: FROM is missing")]
    NoStage,
    /// More than anybody writes.
    #[error("the Dockerfile is too long")]
    TooLong,
}

impl Misread {
    fn at(line: usize, reason: &'static str) -> Self {
        Misread::Line { line, reason }
    }
}

fn at(line: &Option<usize>) -> String {
    line.map(|line| format!(" at line {line}")).unwrap_or_default()
}
