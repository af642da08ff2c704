//! Watches files by their folders, and tells when they are not what they were.
//!
//! Editors put a new file in the place of the old one, and mounted configuration is a link to a link that is swapped: so
//! the folders of the files and of all links on the way are watched, and what counts is whether the names lead to other
//! files or contents than before.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Watches the files that a function names; asked again after each change, for patterns may name others then.
pub struct Watch {
    name: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<()>,
    /// The names that count, for whoever hears of events first.
    names: Arc<Mutex<BTreeSet<OsString>>>,
    folders: BTreeSet<PathBuf>,
    seen: Seen,
    /// Something has happened that was not looked at yet.
    stirred: bool,
}

/// What identifies each file: device, inode, length, time of the last change.
type Seen = BTreeMap<PathBuf, Option<(u64, u64, u64, i64, i64)>>;

impl Watch {
    /// Begins to watch.
    pub fn new(name: Box<dyn Fn() -> Vec<PathBuf> + Send>) -> notify::Result<Watch> {
        // One event that waits says as much as a thousand.
        let (tell, events) = mpsc::channel(1);
        let names = Arc::<Mutex<BTreeSet<OsString>>>::default();
        let counts = Arc::clone(&names);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let matters = |event| matters(&event, &counts.lock().unwrap_or_else(PoisonError::into_inner));
            if event.map_or(true, matters) {
                let _ = tell.try_send(());
            }
        })?;
        let (folders, seen) = (BTreeSet::new(), Seen::new());
        let mut watch = Watch { name, watcher, events, names, folders, seen, stirred: false };
        watch.follow();
        watch.seen = look(&(watch.name)());
        Ok(watch)
    }

    /// Watches these from now on. What was not watched before may have changed since it was read: it counts as changed.
    pub fn watch(&mut self, name: Box<dyn Fn() -> Vec<PathBuf> + Send>) {
        let before = std::mem::take(&mut self.seen);
        self.seen = name()
            .into_iter()
            .map(|file| {
                let seen = before.get(&file).copied().flatten();
                (file, seen)
            })
            .collect();
        self.name = name;
        self.follow();
    }

    /// Returns when something has changed and come to rest. May be dropped at any time.
    pub async fn changed(&mut self) {
        loop {
            if !self.stirred && self.events.recv().await.is_none() {
                return std::future::pending().await;
            }
            self.stirred = true;
            self.rest().await;
            self.stirred = false;
            // In this order: what changes in between is heard of.
            self.follow();
            let now = look(&(self.name)());
            if now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// Waits until nothing has happened for a moment, but not for ever.
    async fn rest(&mut self) {
        let rest =
            async { while tokio::time::timeout(REST, self.events.recv()).await.is_ok_and(|event| event.is_some()) {} };
        let _ = tokio::time::timeout(LONGEST_UNREST, rest).await;
    }

    /// Watches the folders that count now.
    fn follow(&mut self) {
        let places: BTreeSet<PathBuf> = (self.name)().iter().flat_map(|file| places(file)).collect();
        let wanted: BTreeSet<PathBuf> = places.iter().filter_map(|place| place.parent()).map(Path::to_owned).collect();
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) =
            places.iter().filter_map(|place| place.file_name()).map(OsStr::to_owned).collect();
        for gone in self.folders.difference(&wanted) {
            let _ = self.watcher.unwatch(gone);
        }
        for folder in &wanted {
            // Again for those that are watched: another folder may be there under the same name.
            let _ = self.watcher.unwatch(folder);
            if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!("changes in `{}` will not be noticed: {error}", folder.display());
            }
        }
        self.folders = wanted;
    }
}

/// Opening and reading changes nothing, and what is written into other files of the folder (records, perhaps) is no matter.
/// A new, renamed or removed one may be what a pattern or a link is about.
fn matters(event: &Event, names: &BTreeSet<OsString>) -> bool {
    let ours = || event.paths.iter().filter_map(|path| path.file_name()).any(|name| names.contains(name));
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => ours(),
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Name(_)) => true,
        EventKind::Modify(_) => ours(),
        _ => true,
    }
}

fn look(files: &[PathBuf]) -> Seen {
    let identity = |file: &PathBuf| {
        let found = std::fs::metadata(file).ok()?;
        Some((found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
    };
    files.iter().map(|file| (file.clone(), identity(file))).collect()
}

/// A file, and the links on the way to it.
fn places(file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([file.to_owned()]);
    let mut path = file.to_owned();
    for _ in 0..MOST_LINKS {
        let Some((link, target)) = first_link(&path) else { break };
        let folder = link.parent().unwrap_or(Path::new("/"));
        let rest = path.strip_prefix(&link).unwrap_or(Path::new(""));
        path = if rest.as_os_str().is_empty() { folder.join(target) } else { folder.join(target).join(rest) };
        found.extend([link, path.clone()]);
    }
    found
}

/// The first part of a path that is a link, and where it leads.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut so_far = PathBuf::new();
    for component in path.components() {
        so_far.push(component);
        if let Some(target) =
            matches!(component, Component::Normal(_)).then(|| std::fs::read_link(&so_far).ok()).flatten()
        {
            return Some((so_far, target));
        }
    }
    None
}

/// How long nothing must happen.
const REST: Duration = Duration::from_millis(500);
const LONGEST_UNREST: Duration = Duration::from_secs(2);
/// As the kernel has it.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests;
