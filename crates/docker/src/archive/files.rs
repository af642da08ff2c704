//! What files for a container (`PUT /containers/{id}/archive`) would do beyond writing plain files.
//!
//! The daemon unpacks them with the container's root as theirs, which no name and no link leaves. So
//! the findings are no refusals: they say what a policy may want to know.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::path::{self, join};
use super::{Compression, Entry, Kind, Limits, Open, Refusal, open, shown};

/// How often something was found, and the first name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// How many entries.
    pub count: u64,
    /// The first of them.
    pub first: Option<String>,
}

/// What is in the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// All entries.
    pub entries: u64,
    /// All bytes of files.
    pub bytes: u64,
    /// Names that start with a slash.
    pub absolute: Finding,
    /// Names that lead upwards with `..`.
    pub upwards: Finding,
    /// Symbolic links with an absolute target.
    pub absolute_links: Finding,
    /// Symbolic links that lead out of the folder that the archive is unpacked into.
    pub escaping_links: Finding,
    /// Hard links to what the archive does not hold: to files of the container.
    pub foreign_hard_links: Finding,
    /// Device nodes.
    pub devices: Finding,
    /// Named pipes.
    pub fifos: Finding,
    /// Files that run as their owner or group (setuid, setgid).
    pub set_id: Finding,
    /// Files with capabilities (`security.capability`).
    pub capabilities: Finding,
    /// Entries owned by root.
    pub roots: Finding,
    /// Entries owned by others.
    pub others: Finding,
}

/// Whether a compressed archive is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Packed {
    Refused,
    Taken,
}

/// Entries whose names are remembered, to tell which hard links are foreign.
const MOST_NAMES: usize = 100_000;

/// Reads the whole archive.
pub fn summary(source: Open<'_>, packed: Packed, limits: &Limits) -> Result<Summary, Refusal> {
    let (compression, mut tar) = open(source, limits)?;
    if compression != Compression::None && packed == Packed::Refused {
        return Err(Refusal::Compressed(compression));
    }
    let mut summary = Summary::default();
    let mut names = Names::default();
    while let Some(entry) = tar.next()? {
        if entry.kind != Kind::Global {
            summary.note(&entry, &mut names);
        }
    }
    Ok(summary)
}

/// Set-user-id and set-group-id.
const SET_ID: i64 = 0o6000;

impl Summary {
    fn note(&mut self, entry: &Entry, names: &mut Names) {
        self.entries = self.entries.saturating_add(1);
        self.absolute.if_so(entry.name.starts_with(b"/"), entry);
        let upwards = entry.name.split(|byte| *byte == b'/').any(|part| part == b"..");
        self.upwards.if_so(upwards, entry);
        let place = path::clean(&entry.name).unwrap_or_default();
        match entry.kind {
            Kind::SymbolicLink => {
                self.absolute_links.if_so(entry.link.starts_with(b"/"), entry);
                let folder = place.split_last().map_or(&[][..], |(_, folder)| folder);
                self.escaping_links.if_so(path::escapes(folder, &entry.link), entry);
            }
            Kind::HardLink => {
                let known = path::clean(&entry.link).is_ok_and(|target| names.has(&join(&target)));
                self.foreign_hard_links.if_so(!known, entry);
            }
            Kind::Character | Kind::Block => self.devices.if_so(true, entry),
            Kind::Fifo => self.fifos.if_so(true, entry),
            Kind::File => self.bytes = self.bytes.saturating_add(entry.size),
            Kind::Directory | Kind::Global | Kind::Unknown(_) => {}
        }
        // On a folder it only says which group new files get.
        let runs = !matches!(entry.kind, Kind::SymbolicLink | Kind::Directory);
        self.set_id.if_so(runs && entry.mode & SET_ID != 0, entry);
        let capable = entry.attributes.iter().any(|name| name == b"security.capability");
        self.capabilities.if_so(capable, entry);
        let owner = if entry.uid == 0 { &mut self.roots } else { &mut self.others };
        owner.if_so(true, entry);
        names.add(&join(&place));
    }
}

impl Finding {
    fn if_so(&mut self, found: bool, entry: &Entry) {
        if found {
            self.count = self.count.saturating_add(1);
            self.first.get_or_insert_with(|| shown(&entry.name));
        }
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.count > 0
    }
}

/// The names so far, by hash. When there are too many, the rest counts as unknown.
#[derive(Default)]
struct Names {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Names {
    fn add(&mut self, name: &[u8]) {
        if self.seen.len() < MOST_NAMES {
            self.seen.insert(self.hasher.hash_one(name));
        }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.seen.contains(&self.hasher.hash_one(name))
    }
}
