//! What files for a container (`PUT /containers/{id}/archive`) would do beyond writing plain files.
//!
//! The daemon unpacks them with the container's root as theirs, which no name and no link leaves. So
//! the findings are no refusals: they say what a policy may want to know. They go by where entries
//! land: a link can hide behind another one of the same archive, which its name does not show.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::layout::{Layout, Step};
use super::look::{self, Look};
use super::path::{self, Path, join};
use super::{Compression, Entry, Kind, Limits, Open, Refusal, shown};

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
    /// Symbolic links that lead out of the folder that the archive is unpacked into, and entries that were put
    /// through one.
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

/// Entries whose names are remembered, to tell which hard links are foreign.
const MOST_NAMES: usize = 100_000;

/// Reads the whole archive, which must not be compressed.
pub fn summary(source: Open<'_>, limits: &Limits) -> Result<Summary, Refusal> {
    let look = Look::new(source, limits);
    let (compression, mut tar) = look.open()?;
    if compression != Compression::None {
        return Err(Refusal::Compressed(compression));
    }
    let mut reading = Reading { summary: Summary::default(), layout: look.layout(), names: Names::default() };
    while let Some(entry) = tar.next()? {
        if entry.kind != Kind::Global {
            reading.note(&entry)?;
        }
    }
    reading.links_at_last()?;
    Ok(reading.summary)
}

/// Reads through files that become an image (`POST /images/create`): whether that can be done is all there is to know.
pub fn readable(source: Open<'_>, limits: &Limits) -> Result<(), Refusal> {
    let (_, mut tar) = Look::new(source, limits).open()?;
    while tar.next()?.is_some() {}
    Ok(())
}

/// Set-user-id and set-group-id.
const SET_ID: i64 = 0o6000;

/// An archive that is being read.
struct Reading {
    summary: Summary,
    layout: Layout,
    names: Names,
}

impl Reading {
    fn note(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let step = match self.layout.apply(entry) {
            // A name that leads upwards. The daemon refuses it itself; it is noted.
            Err(Refusal::Outside(_)) => Step::Nothing,
            step => step?,
        };
        let named = path::clean(&entry.name).unwrap_or_default();
        self.link(entry, &step, &named)?;
        self.summary.note(entry);
        self.names.add(&join(match &step {
            Step::Nothing => &named,
            Step::Put(at) | Step::Link { at, .. } | Step::Symbolic(at) => at,
        }));
        Ok(())
    }

    /// Where a link leads, or an entry that goes through one.
    fn link(&mut self, entry: &Entry, step: &Step, named: &Path) -> Result<(), Refusal> {
        let symbolic = entry.kind == Kind::SymbolicLink;
        let absolute = symbolic && entry.link.starts_with(b"/");
        // By its name, as daemons refuse it; or from where it was put, and through what is there now.
        let folder = named.split_last().map_or(&[][..], |(_, folder)| folder);
        let escapes = symbolic && path::escapes(folder, &entry.link);
        let leads_out = match step {
            Step::Symbolic(at) if !absolute => self.layout.leads_out(at)?,
            _ => false,
        };
        let left = self.layout.take_left();
        self.summary.absolute_links.if_so(absolute, entry);
        self.summary.escaping_links.if_so(escapes || leads_out || left, entry);
        if entry.kind == Kind::HardLink {
            let known = match step {
                Step::Link { to, .. } => self.names.has(&join(to)),
                // To a symbolic link of the archive, which is what is made.
                Step::Symbolic(_) => true,
                Step::Put(_) => false,
                Step::Nothing => path::clean(&entry.link).is_ok_and(|to| self.names.has(&join(&to))),
            };
            self.summary.foreign_hard_links.if_so(!known, entry);
        }
        Ok(())
    }

    /// What a link leads through can be replaced behind it: each that is left is looked at once more.
    fn links_at_last(&mut self) -> Result<(), Refusal> {
        if self.summary.absolute_links.any() || self.summary.escaping_links.any() {
            return Ok(());
        }
        for at in self.layout.links() {
            if self.layout.leads_out(&at)? {
                self.summary.escaping_links = Finding { count: 1, first: Some(look::place(&at)) };
                break;
            }
        }
        Ok(())
    }
}

impl Summary {
    /// What an entry tells by itself.
    fn note(&mut self, entry: &Entry) {
        self.entries = self.entries.saturating_add(1);
        self.absolute.if_so(entry.name.starts_with(b"/"), entry);
        let upwards = path::parts(&entry.name).any(|part| part == b"..");
        self.upwards.if_so(upwards, entry);
        match entry.kind {
            Kind::Character | Kind::Block => self.devices.if_so(true, entry),
            Kind::Fifo => self.fifos.if_so(true, entry),
            Kind::File => self.bytes = self.bytes.saturating_add(entry.size),
            Kind::SymbolicLink | Kind::HardLink | Kind::Directory | Kind::Global | Kind::Unknown(_) => {}
        }
        // On a folder it only says which group new files get.
        let runs = !matches!(entry.kind, Kind::SymbolicLink | Kind::Directory);
        self.set_id.if_so(runs && entry.mode & SET_ID != 0, entry);
        let capable = entry.attributes.iter().any(|name| name == b"security.capability");
        self.capabilities.if_so(capable, entry);
        let owner = if entry.uid == 0 { &mut self.roots } else { &mut self.others };
        owner.if_so(true, entry);
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
