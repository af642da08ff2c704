//! Looking for files in an archive by the names under which the daemon would find them afterwards.
//!
//! One pass notes the links and what is put under the names as they stand. Only where links lead
//! elsewhere does it take another pass, or one more for each hard link.

use std::io::Read;
use std::rc::Rc;

use super::effort::Effort;
use super::layout::{Layout, Step};
use super::path::{Path, join};
use super::{Compression, Kind, Limits, Open, Refusal, Tar, compression, shown};

/// A look into an archive: any number of passes, within bounds that hold for all of them together.
pub(super) struct Look<'a> {
    source: Open<'a>,
    effort: Rc<Effort>,
}

impl<'a> Look<'a> {
    pub(super) fn new(source: Open<'a>, limits: &Limits) -> Self {
        Look { source, effort: Rc::new(Effort::new(limits)) }
    }

    /// Opens the archive and finds out how it is compressed.
    pub(super) fn open(&self) -> Result<(Compression, Tar<Box<dyn Read>>), Refusal> {
        let (compression, reader) = compression::unpack((self.source)()?, &self.effort)?;
        Ok((compression, Tar::new(reader, self.limits())))
    }

    /// A folder into which nothing was unpacked yet.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(Rc::clone(&self.effort))
    }

    fn limits(&self) -> &Limits {
        &self.effort.limits
    }
}

/// What is under a name when all is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Absent,
    /// A file with these contents.
    File(Vec<u8>),
    /// A folder, a device or another thing that is no file.
    Other,
    /// Another name of what was at a place before the entry of a number.
    Linked { to: Path, before: u64 },
}

/// A place that is looked at.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) place: Path,
    pub(super) found: Found,
    /// Whether other contents were there before.
    pub(super) replaced: bool,
}

/// What a pass gave.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) layout: Layout,
    pub(super) watched: Vec<Watched>,
    /// Whether something was put into a folder.
    pub(super) folders: bool,
}

impl Look<'_> {
    /// What is under these names, links followed.
    pub(super) fn files(&self, names: &[Path]) -> Result<Vec<Found>, Refusal> {
        let mut first = self.pass(names, None)?;
        let places: Vec<Path> = names.iter().map(|name| first.layout.resolve(name)).collect::<Result<_, _>>()?;
        if places != names {
            first = self.pass(&places, None)?;
        }
        first.watched.into_iter().map(|watched| self.follow(watched.found)).collect()
    }

    /// Follows hard links back to the contents that they had when they were made.
    fn follow(&self, mut found: Found) -> Result<Found, Refusal> {
        let most = self.limits().follow;
        for _ in 0..most {
            let Found::Linked { to, before } = found else { return Ok(found) };
            found = self.pass(&[to], Some(before))?.watched.pop().map_or(Found::Absent, |last| last.found);
        }
        match found {
            Found::Linked { .. } => Err(Refusal::TooMuch { of: "hard links to one another", limit: most as u64 }),
            found => Ok(found),
        }
    }

    /// Unpacks the archive, up to an entry, and notes what is put at some places.
    pub(super) fn pass(&self, places: &[Path], before: Option<u64>) -> Result<Pass, Refusal> {
        let (_, mut tar) = self.open()?;
        let watched =
            places.iter().map(|place| Watched { place: place.clone(), found: Found::Absent, replaced: false });
        let mut pass = Pass { layout: self.layout(), watched: watched.collect(), folders: false };
        while let Some(entry) = tar.next()? {
            if before.is_some_and(|before| entry.number >= before) {
                break;
            }
            let step = pass.layout.apply(&entry)?;
            let (at, symbolic) = match &step {
                Step::Nothing => continue,
                Step::Put(at) | Step::Link { at, .. } => (at, false),
                Step::Symbolic(at) => (at, true),
            };
            pass.folders |= at.len() > 1;
            for watched in &mut pass.watched {
                if entry.kind != Kind::Directory && watched.place.len() > at.len() && watched.place.starts_with(at) {
                    watched.found = Found::Absent;
                }
                if watched.place != *at {
                    continue;
                }
                let now = match (&step, entry.kind) {
                    _ if symbolic => Found::Absent,
                    (Step::Link { to, .. }, _) => Found::Linked { to: to.clone(), before: entry.number },
                    (_, Kind::File) => Found::File(tar.contents(self.limits().file)?),
                    _ => Found::Other,
                };
                let before = std::mem::replace(&mut watched.found, now);
                watched.replaced |= before != Found::Absent && before != watched.found;
            }
        }
        Ok(pass)
    }
}

/// A place in words.
pub(super) fn place(path: &[Vec<u8>]) -> String {
    shown(&join(path))
}
