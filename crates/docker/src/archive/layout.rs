//! Where the entries of an archive end up on the daemon's disk.
//!
//! The daemon unpacks entry by entry below a root that it cannot leave: symbolic links in the folders
//! of a name are followed, what is there already under a name is removed first, with everything below
//! it. Of all that only the symbolic links are kept here, for they alone decide where a name leads.

use std::collections::BTreeMap;

use super::path::{Path, clean, join};
use super::{Entry, Kind, Limits, Refusal, shown};

/// The daemon gives up after as many links in one name.
const MOST_LINKS: usize = 255;
/// Parts of names that are still to be walked.
const MOST_OPEN: usize = 8192;
/// Parts of names that are walked in one archive: what bounds the time that hostile names take.
const MOST_STEPS: u64 = 64_000_000;

/// The symbolic links that are there at some moment of the unpacking.
#[derive(Debug, Default)]
pub(super) struct Layout {
    root: Folder,
    /// Bytes that the links have taken so far.
    size: usize,
    steps: u64,
}

/// The parts of the tree that lead to links.
type Folder = BTreeMap<Vec<u8>, Node>;

#[derive(Debug)]
enum Node {
    Link(Vec<u8>),
    Folder(Folder),
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Nothing,
    /// Puts something that is no symbolic link at a place.
    Put(Path),
    /// Puts another name of what is at `to`.
    Link { at: Path, to: Path },
    /// Puts a symbolic link at a place.
    Symbolic(Path),
}

impl Layout {
    /// Unpacks an entry.
    pub(super) fn apply(&mut self, entry: &Entry, limits: &Limits) -> Result<Step, Refusal> {
        if entry.kind == Kind::Global {
            return Ok(Step::Nothing);
        }
        let at = self.place(&clean(&entry.name)?)?;
        match (at.is_empty(), entry.kind) {
            (true, Kind::Directory) => return Ok(Step::Nothing),
            (true, _) => return Err(Refusal::Ambiguous("an entry in place of the root")),
            _ => {}
        }
        match entry.kind {
            Kind::Directory => {
                self.remove(&at, |node| matches!(node, Node::Link(_)));
                Ok(Step::Put(at))
            }
            Kind::SymbolicLink => {
                self.insert(&at, entry.link.clone(), limits)?;
                Ok(Step::Symbolic(at))
            }
            Kind::HardLink => {
                let to = self.place(&clean(&entry.link)?)?;
                match self.link(&to) {
                    Some(target) => {
                        self.insert(&at, target, limits)?;
                        Ok(Step::Symbolic(at))
                    }
                    None => {
                        self.remove(&at, |_| true);
                        Ok(Step::Link { at, to })
                    }
                }
            }
            _ => {
                self.remove(&at, |_| true);
                Ok(Step::Put(at))
            }
        }
    }

    /// Where a path leads when every link in it is followed, also the last one. The root is never left;
    /// what does not exist is taken as it stands (`moby/sys/symlink.FollowSymlinkInScope`).
    pub(super) fn resolve(&mut self, path: &[Vec<u8>]) -> Result<Path, Refusal> {
        let mut open: Path = path.iter().rev().cloned().collect();
        let mut place = Path::new();
        let mut folders = vec![Some(&self.root)];
        let mut links = 0_usize;
        while let Some(part) = open.pop() {
            self.steps = self.steps.saturating_add(1);
            if links > MOST_LINKS || open.len() > MOST_OPEN {
                return Err(Refusal::Malformed("a circle of symbolic links"));
            }
            if self.steps > MOST_STEPS {
                return Err(Refusal::TooMuch { of: "parts of names", limit: MOST_STEPS });
            }
            if matches!(part.as_slice(), b"" | b".") {
                continue;
            }
            if part == b".." {
                place.pop();
                folders.truncate(folders.len().saturating_sub(1).max(1));
                continue;
            }
            match folders.last().copied().flatten().and_then(|folder| folder.get(&part)) {
                Some(Node::Link(target)) => {
                    links = links.saturating_add(1);
                    if target.starts_with(b"/") {
                        place.clear();
                        folders.truncate(1);
                    }
                    open.extend(target.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
                }
                Some(Node::Folder(folder)) => {
                    place.push(part);
                    folders.push(Some(folder));
                }
                None => {
                    place.push(part);
                    folders.push(None);
                }
            }
        }
        Ok(place)
    }

    /// Where an entry is put: the links of its folders are followed, it itself is not.
    fn place(&mut self, path: &[Vec<u8>]) -> Result<Path, Refusal> {
        let Some((last, folder)) = path.split_last() else { return Ok(Path::new()) };
        let mut place = self.resolve(folder)?;
        place.push(last.clone());
        Ok(place)
    }

    /// The target of the link at a place, if there is one.
    fn link(&self, at: &[Vec<u8>]) -> Option<Vec<u8>> {
        let (last, parts) = at.split_last()?;
        let mut folder = &self.root;
        for part in parts {
            let Some(Node::Folder(below)) = folder.get(part) else { return None };
            folder = below;
        }
        match folder.get(last)? {
            Node::Link(target) => Some(target.clone()),
            Node::Folder(_) => None,
        }
    }

    /// Puts a link at a place, in place of what is there.
    fn insert(&mut self, at: &[Vec<u8>], target: Vec<u8>, limits: &Limits) -> Result<(), Refusal> {
        if target.is_empty() || target.contains(&0) {
            return Err(Refusal::NotAFile(shown(&join(at))));
        }
        let Some((last, parts)) = at.split_last() else { return Ok(()) };
        let mut size = self.size.saturating_add(target.len()).saturating_add(NODE);
        let mut folder = &mut self.root;
        for part in parts {
            size = size.saturating_add(if folder.contains_key(part) { 0 } else { part.len().saturating_add(NODE) });
            let node = folder.entry(part.clone()).or_insert_with(|| Node::Folder(Folder::new()));
            // Links on the way were followed to get here.
            let Node::Folder(below) = node else { return Ok(()) };
            folder = below;
        }
        folder.insert(last.clone(), Node::Link(target));
        self.size = size;
        match size > limits.links {
            true => Err(Refusal::TooMuch { of: "bytes of symbolic links", limit: limits.links as u64 }),
            false => Ok(()),
        }
    }

    /// Removes what is at a place, with everything below it.
    fn remove(&mut self, at: &[Vec<u8>], which: impl Fn(&Node) -> bool) {
        let Some((last, parts)) = at.split_last() else { return };
        let mut folder = &mut self.root;
        for part in parts {
            let Some(Node::Folder(below)) = folder.get_mut(part) else { return };
            folder = below;
        }
        if folder.get(last).is_some_and(which) {
            folder.remove(last);
        }
    }
}

/// What a name takes in memory beside its bytes, roughly.
const NODE: usize = 96;
