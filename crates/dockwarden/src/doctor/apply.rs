//! Changes written: all of them or none, with what was there kept beside each file.

use std::fs;
use std::path::{Path, PathBuf};

use super::fix::Change;
use super::host::Host;
use crate::engine::{daemon_json, process};
use crate::replace::replace;
use crate::scratch::Scratch;

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What its host calls it.
    pub file: String,
    /// Where it is kept as it was; `None` where there was none.
    pub kept: Option<String>,
}

/// Writes them. The daemon looks at its new configuration first, where it is of a version that can.
pub fn apply(host: &Host, changes: &[Change], time: &str) -> Result<Vec<Written>, String> {
    for change in changes.iter().filter(|change| change.file == host.settings.name) {
        validate(host, &change.new)?;
    }
    let mut done: Vec<(&Change, PathBuf)> = Vec::new();
    let mut written = Vec::new();
    for change in changes {
        // Links are followed: what they lead to is the file.
        let path = host.root.path(&change.file)?;
        let path = path.canonicalize().unwrap_or(path);
        let kept = change.old.as_ref().map(|_| PathBuf::from(format!("{}.before-dockwarden-{time}", path.display())));
        if let Err(error) = write(change, &path, kept.as_deref()) {
            return Err(take_back(&done, &error));
        }
        written.push(Written { file: change.file.clone(), kept: kept.map(|kept| host.root.name(&kept)) });
        done.push((change, path));
    }
    Ok(written)
}

fn write(change: &Change, path: &Path, kept: Option<&Path>) -> Result<(), String> {
    let found = fs::read_to_string(path).ok();
    if found != change.old {
        return Err(format!("{} was changed by somebody else meanwhile; look again", path.display()));
    }
    if let (Some(kept), Some(old)) = (kept, &change.old) {
        replace(kept, path, old)?;
    } else if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    replace(path, path, &change.new)
}

/// Puts back what was written, the last first.
fn take_back(done: &[(&Change, PathBuf)], error: &str) -> String {
    let undo = |(change, path): &(&Change, PathBuf)| match &change.old {
        Some(old) => replace(path, path, old),
        None => fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display())),
    };
    let left: Vec<String> = done.iter().rev().filter_map(|one| undo(one).err()).collect();
    match left.as_slice() {
        [] => format!("{error}; everything is as it was before"),
        left => format!("{error}; and what was written could not be taken back: {}", left.join("; ")),
    }
}

/// Whether the daemon would take it: the one that runs, or the one that this host has. `userns-remap` is left out: who looks
/// at that makes the user and its ranges.
fn validate(host: &Host, text: &str) -> Result<(), String> {
    let text = daemon_json::without(text, "userns-remap");
    let scratch = Scratch::make()?;
    let file = scratch.path().join("daemon.json");
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    match host.process {
        Some(process) => process.validate(&file),
        None if host.root.is_this_host() => {
            let programs = ["/usr/bin/dockerd", "/usr/sbin/dockerd"].map(Path::new);
            programs
                .into_iter()
                .find(|program| program.exists())
                .map_or(Ok(()), |program| process::validate(program, &file))
        }
        None => Ok(()),
    }
}
