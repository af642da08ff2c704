//! Watches files by their folders, and tells when they are not what they were.
//!
//! Editors put a new file in the place of the old one, and mounted configuration is a link to a link that is swapped: so
//! the folders of the files and of all links on the way are watched, and what counts is whether the names lead to other
//! files or contents than before.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Watches the files that a function names; asked again after each change, for patterns may name others then.
pub struct Watch {
    name: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<()>,
    folders: BTreeSet<PathBuf>,
    seen: Seen,
}

/// What identifies each file: device, inode, length, time of the last change.
type Seen = BTreeMap<PathBuf, Option<(u64, u64, u64, i64, i64)>>;

impl Watch {
    /// Begins to watch.
    pub fn new(name: Box<dyn Fn() -> Vec<PathBuf> + Send>) -> notify::Result<Watch> {
        // One event that waits says as much as a thousand.
        let (tell, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.map_or(true, |event| matters(event.kind)) {
                let _ = tell.try_send(());
            }
        })?;
        let seen = look(&name());
        let mut watch = Watch { name, watcher, events, folders: BTreeSet::new(), seen };
        watch.follow();
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
            if self.events.recv().await.is_none() {
                return std::future::pending().await;
            }
            self.rest().await;
            let now = look(&(self.name)());
            self.follow();
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
        let wanted: BTreeSet<PathBuf> = (self.name)().iter().flat_map(|file| folders(file)).collect();
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

/// Opening and reading changes nothing.
fn matters(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => matches!(kind, AccessKind::Close(AccessMode::Write)),
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

/// The folder of a file, and the folders of the links on the way to it.
fn folders(file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = vec![file.to_owned()];
    for _ in 0..MOST_LINKS {
        let Some(path) = left.pop() else { break };
        found.extend(path.parent().map(Path::to_owned));
        let mut so_far = PathBuf::new();
        for component in path.components() {
            so_far.push(component);
            let link = matches!(component, Component::Normal(_)).then(|| std::fs::read_link(&so_far).ok()).flatten();
            if let Some(target) = link {
                let folder = so_far.parent().unwrap_or(Path::new("/"));
                found.insert(folder.to_owned());
                let rest = path.strip_prefix(&so_far).unwrap_or(Path::new(""));
                left.push(if rest.as_os_str().is_empty() {
                    folder.join(target)
                } else {
                    folder.join(target).join(rest)
                });
                break;
            }
        }
    }
    found
}

/// How long nothing must happen.
const REST: Duration = Duration::from_millis(500);
const LONGEST_UNREST: Duration = Duration::from_secs(5);
/// As the kernel has it.
const MOST_LINKS: usize = 40;
