//! What the findings would have changed: new texts of files, as a diff.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use similar::TextDiff;

use super::finding::{Edit, Finding};
use super::host::Host;
use super::ranges::{Kind, Ranges};
use crate::engine::daemon_json;

/// A file with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What its host calls it.
    pub file: String,
    /// Its text; `None` where there is no such file.
    pub old: Option<String>,
    /// Its text afterwards.
    pub new: String,
    /// The findings that it is for.
    pub findings: Vec<&'static str>,
}

/// All changes that findings have, one a file.
pub fn changes(host: &Host, findings: &[Finding]) -> Vec<Change> {
    let mut changed: BTreeMap<String, Change> = BTreeMap::new();
    // Members come before those that are there: the last one first, so that they stand in the order of the findings.
    for finding in findings.iter().rev() {
        for edit in finding.edits.iter().rev() {
            let (file, old) = edit.file(host);
            let change = changed.entry(file.clone()).or_insert_with(|| Change {
                file,
                new: old.clone().unwrap_or_default(),
                old,
                findings: Vec::new(),
            });
            change.new = edit.applied(&change.new);
            if !change.findings.contains(&finding.id) {
                change.findings.insert(0, finding.id);
            }
        }
    }
    changed.into_values().filter(|change| change.old.as_ref() != Some(&change.new)).collect()
}

impl Edit {
    /// The file, and its text.
    fn file(&self, host: &Host) -> (String, Option<String>) {
        match self {
            Edit::Daemon(..) => (host.settings.name.clone(), host.settings.file.text().map(str::to_owned)),
            Edit::Range(Kind::User, ..) => (Kind::User.file().to_owned(), host.subuid.text.clone()),
            Edit::Range(Kind::Group, ..) => (Kind::Group.file().to_owned(), host.subgid.text.clone()),
            Edit::DropIn { unit, .. } => {
                let file = format!("/etc/systemd/system/{unit}.d/zz-dockwarden-doctor.conf");
                let old = host.root.text(&file);
                (file, old)
            }
        }
    }

    /// A text of the file with this edit.
    fn applied(&self, text: &str) -> String {
        match self {
            Edit::Daemon(keys, value) => daemon_json::set(Some(text), keys, value),
            Edit::Range(_, user, range) => Ranges::text_with(Some(text), user, *range),
            Edit::DropIn { text, .. } => text.clone(),
        }
    }
}

impl Change {
    /// As `patch -p1` takes it, in the host's root.
    pub fn diff(&self) -> String {
        let old = self.old.as_deref().unwrap_or_default();
        let (before, after) = match self.old {
            Some(_) => (format!("a{}", self.file), format!("b{}", self.file)),
            None => ("/dev/null".to_owned(), format!("b{}", self.file)),
        };
        TextDiff::from_lines(old, &self.new).unified_diff().header(&before, &after).to_string()
    }

    /// For programs.
    pub fn as_json(&self) -> Value {
        json!({ "file": self.file, "findings": self.findings, "diff": self.diff() })
    }
}
