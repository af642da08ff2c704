//! Where in the Dockerfile an operation stands.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::buildkit::message::llb::{Definition, Source};

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

/// The places of a definition's operations, where it tells them.
pub(super) struct Places<'a>(Option<&'a Source>);

impl<'a> Places<'a> {
    pub(super) fn of(definition: &'a Definition) -> Places<'a> {
        Places(definition.source.as_ref())
    }

    /// Whether any are told.
    pub(super) fn any(&self) -> bool {
        self.0.is_some_and(|source| !source.locations.is_empty())
    }

    /// Of the operation of that digest.
    pub(super) fn of_operation(&self, digest: &str) -> Option<Place> {
        let source = self.0?;
        let location = source.locations.get(digest)?.0.locations.first()?;
        let info = source.infos.get(usize::try_from(location.source_index).ok()?)?;
        let line = u32::try_from(location.ranges.first()?.start.as_ref()?.line).ok()?;
        let text = info.data.split(|byte| *byte == b'\n').nth(usize::try_from(line.checked_sub(1)?).ok()?)?;
        Some(Place { file: printable(info.filename.as_bytes()), line, text: printable(text) })
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
