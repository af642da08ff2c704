//! Where in the Dockerfile an operation stands.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::buildkit::message::llb::{Definition, Source, SourceInfo};
use crate::buildkit::wire::Reader;
use crate::request::Misread;

/// A step of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1 on.
    pub line: u32,
    /// The line as it stands, cut to what fits a message.
    pub text: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// A file that operations were made from.
#[derive(Debug, Clone)]
pub(super) struct File {
    name: String,
    data: Vec<u8>,
}

/// A line of one of the files. The line itself is looked for when it is to be told: whoever sends a file of millions of
/// lines and as many operations has none of them searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    file: usize,
    line: u32,
}

impl Spot {
    pub(super) fn place(self, files: &[File]) -> Option<Place> {
        let file = files.get(self.file)?;
        let at = usize::try_from(self.line.checked_sub(1)?).ok()?;
        let text = file.data.split(|byte| *byte == b'\n').nth(at)?;
        Some(Place { file: printable(file.name.as_bytes()), line: self.line, text: printable(text) })
    }
}

/// The places of a definition's operations.
pub(super) struct Places<'a> {
    source: &'a Source,
    /// Where its files begin among all.
    first: usize,
}

impl<'a> Places<'a> {
    /// Those that are told, if any are. Their files are added to `files`.
    pub(super) fn of(
        definition: &'a Definition,
        reader: &mut Reader<'_>,
        files: &mut Vec<File>,
    ) -> Result<Option<Places<'a>>, Misread> {
        let Some(source) = definition.source.as_ref().filter(|source| !source.locations.is_empty()) else {
            return Ok(None);
        };
        let first = files.len();
        for SourceInfo { filename, data, .. } in &source.infos {
            reader.hold(size_of::<File>().saturating_add(filename.len()).saturating_add(data.len()))?;
            files.push(File { name: filename.clone(), data: data.clone() });
        }
        Ok(Some(Places { source, first }))
    }

    /// Of the operation of that digest.
    pub(super) fn of_operation(&self, digest: &str) -> Option<Spot> {
        let location = self.source.locations.get(digest)?.0.locations.first()?;
        let index = usize::try_from(location.source_index).ok().filter(|index| *index < self.source.infos.len())?;
        let line = u32::try_from(location.ranges.first()?.start.as_ref()?.line).ok()?;
        Some(Spot { file: self.first.checked_add(index)?, line })
    }
}

/// What an operation goes by: the digest of its bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut digest, byte| {
        use fmt::Write as _;
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

/// The longest that is told of a line.
const LONGEST: usize = 120;

fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.trim().chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}
