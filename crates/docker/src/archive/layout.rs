//! Where the entries of an archive end up on the daemon's disk.
//!
//! The daemon unpacks entry by entry below a root that it cannot leave: symbolic links in the folders
//! of a name are followed, what is there already under a name is removed first, with everything below
//! it. Of all that only the symbolic links are kept here, for they alone decide where a name leads.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::effort::Effort;
use super::path::{Path, clean, join, parts};
use super::{Entry, Kind, Refusal, shown};

/// The daemon gives up after as many links in one name.
const MOST_LINKS: usize = 255;
/// Parts of names that are still to be walked.
const MOST_OPEN: usize = 8192;

/// The symbolic links that are there at some moment of the unpacking.
#[derive(Debug)]
pub(super) struct Layout {
    root: Folder,
    /// Bytes that the links have taken so far.
    size: usize,
    effort: Rc<Effort>,
    /// Whether a walk since [`Layout::take_left`] would have left the root.
    left: bool,
}

/// The parts of the tree that lead to links.
type Folder = BTreeMap<Vec<u8>, Node>;

#[derive(Debug)]
enum Node {
    Link(Vec<u8>),
    Folder(Folder),
}

/// The end of a way.
struct Walk<'a> {
    place: Vec<&'a [u8]>,
    /// Whether it led above the root, or to where only the whole file system begins.
    left: bool,
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
    pub(super) fn new(effort: Rc<Effort>) -> Self {
        Layout { root: Folder::new(), size: 0, effort, left: false }
    }

    /// Unpacks an entry.
    pub(super) fn apply(&mut self, entry: &Entry) -> Result<Step, Refusal> {
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
                self.insert(&at, entry.link.clone())?;
                Ok(Step::Symbolic(at))
            }
            Kind::HardLink => {
                let to = self.place(&clean(&entry.link)?)?;
                match self.link(&to) {
                    Some(target) => {
                        self.insert(&at, target)?;
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
        let walk = self.walk(path.iter().rev().map(Vec::as_slice).collect())?;
        let Some(Walk { place, left }) = walk else { return Err(Refusal::Malformed("a circle of symbolic links")) };
        let place = place.into_iter().map(<[u8]>::to_vec).collect();
        self.left |= left;
        Ok(place)
    }

    /// Whether the entries applied since this was asked last went through a link that leads out of the root.
    pub(super) fn take_left(&mut self) -> bool {
        std::mem::take(&mut self.left)
    }

    /// Whether the link at a place leads out of the root, itself or by another one.
    pub(super) fn leads_out(&self, at: &[Vec<u8>]) -> Result<bool, Refusal> {
        // One that leads to itself leads nowhere.
        Ok(self.walk(at.iter().rev().map(Vec::as_slice).collect())?.is_some_and(|walk| walk.left))
    }

    /// Where all links are.
    pub(super) fn links(&self) -> Vec<Path> {
        let (mut links, mut open) = (Vec::new(), vec![(Path::new(), &self.root)]);
        while let Some((place, folder)) = open.pop() {
            for (name, node) in folder {
                let at = [place.as_slice(), std::slice::from_ref(name)].concat();
                match node {
                    Node::Link(_) => links.push(at),
                    Node::Folder(below) => open.push((at, below)),
                }
            }
        }
        links
    }

    /// Follows every link on a way whose first part is the last of `open`. `None`: in a circle.
    fn walk<'a>(&'a self, mut open: Vec<&'a [u8]>) -> Result<Option<Walk<'a>>, Refusal> {
        let mut walk = Walk { place: Vec::with_capacity(open.len()), left: false };
        // The folders on the way in which there are links.
        let mut folders = vec![&self.root];
        let mut links = 0_usize;
        while let Some(part) = open.pop() {
            self.effort.step()?;
            if links > MOST_LINKS {
                return Ok(None);
            }
            if open.len() > MOST_OPEN {
                return Err(Refusal::Malformed("a circle of symbolic links"));
            }
            if matches!(part, b"" | b".") {
                continue;
            }
            if part == b".." {
                walk.left |= walk.place.pop().is_none();
                folders.truncate(walk.place.len().saturating_add(1));
                continue;
            }
            let known = if folders.len() > walk.place.len() { folders.last() } else { None };
            match known.and_then(|folder| folder.get(part)) {
                Some(Node::Link(target)) => {
                    links = links.saturating_add(1);
                    if target.starts_with(b"/") {
                        walk.left = true;
                        walk.place.clear();
                        folders.truncate(1);
                    }
                    open.extend(parts(target).rev());
                }
                Some(Node::Folder(folder)) => {
                    walk.place.push(part);
                    folders.push(folder);
                }
                None => walk.place.push(part),
            }
        }
        Ok(Some(walk))
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
    fn insert(&mut self, at: &[Vec<u8>], target: Vec<u8>) -> Result<(), Refusal> {
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
        let most = self.effort.limits.links;
        match size > most {
            true => Err(Refusal::TooMuch { of: "bytes of symbolic links", limit: most as u64 }),
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
