//! What was found: one weakness, with what was seen, why it matters and what to do.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::ranges::{Kind, Range};

/// How bad a finding is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The host is given away, or Docker will not start again.
    Critical,
    /// Something that keeps an attacker out elsewhere does not here.
    Warning,
    /// Worth knowing.
    Note,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as its host calls it.
    pub file: String,
    /// The line, from 1; 0: the file as such.
    pub line: usize,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Where, where it is from a file.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What.
    pub what: String,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Its name, which stays the same over versions.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// In one line.
    pub title: String,
    /// What was seen.
    pub seen: Vec<Seen>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub remedy: String,
    /// The recommendation of the CIS Docker Benchmark, by the numbers of [`BENCHMARK`].
    pub benchmark: Option<&'static str>,
    /// What `--fix` would change.
    #[serde(skip)]
    pub edits: Vec<Edit>,
}

/// A change of one file that is part of what to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A member of daemon.json, by the keys that lead to it.
    Daemon(&'static [&'static str], Value),
    /// A user's range of subordinate ids: its first line is this one, or it gets one.
    Range(Kind, String, Range),
    /// A drop-in of a unit of systemd's.
    DropIn {
        /// The unit.
        unit: &'static str,
        /// The whole text.
        text: String,
    },
}

impl Finding {
    /// One of which nothing was seen yet.
    pub fn new(id: &'static str, severity: Severity, title: impl Into<String>) -> Finding {
        let (title, why, remedy) = (title.into(), String::new(), String::new());
        Finding { id, severity, title, seen: Vec::new(), why, remedy, benchmark: None, edits: Vec::new() }
    }

    /// With a recommendation of the benchmark.
    pub fn benchmark(self, number: &'static str) -> Finding {
        Finding { benchmark: Some(number), ..self }
    }

    /// Why it matters.
    pub fn why(self, why: impl Into<String>) -> Finding {
        Finding { why: why.into(), ..self }
    }

    /// What to do.
    pub fn remedy(self, remedy: impl Into<String>) -> Finding {
        Finding { remedy: remedy.into(), ..self }
    }

    /// With something that was seen.
    pub fn saw(mut self, what: impl Into<String>, place: Option<&Place>) -> Finding {
        self.seen.push(Seen { place: place.cloned(), what: what.into() });
        self
    }

    /// With a change that is part of what to do.
    pub fn edit(mut self, edit: Edit) -> Finding {
        self.edits.push(edit);
        self
    }
}

impl Severity {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// Whose recommendations are named.
pub const BENCHMARK: &str = "CIS Docker Benchmark v1.6.0";
