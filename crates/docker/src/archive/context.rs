//! The Dockerfile of a build context, found as the daemon finds it.
//!
//! The classic builder unpacks the whole context, follows links to the file that the query names, and
//! takes `dockerfile` where `Dockerfile` is meant and missing. What `.dockerignore` says comes too
//! late to matter. BuildKit does the same with an archive, and takes a body that is none for the
//! Dockerfile itself.

use std::io::Read;

use super::look::{Found, Look};
use super::path::{self, Path};
use super::tar::{BLOCK, is_header};
use super::{Compression, Limits, Open, Refusal, compression, shown};
use crate::dockerfile::Builder;

/// The name that the daemon looks for unless the query says another.
const DEFAULT: &str = "Dockerfile";
/// What it looks for then.
const FALLBACK: &str = "dockerfile";
/// Of a body BuildKit looks at so many bytes to tell what it is.
const LOOKED_AT: u64 = 1024;

/// The text of the Dockerfile. `name` is the parameter `dockerfile` of the query; empty: not given.
pub fn dockerfile(source: Open<'_>, name: &str, builder: Builder, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    if builder == Builder::BuildKit && !is_archive(source, limits)? {
        return whole(source, limits);
    }
    let name = if name.is_empty() { DEFAULT } else { name };
    let asked = path::clean(name.as_bytes())?;
    if asked.is_empty() {
        return Err(Refusal::NotAFile(shown(name.as_bytes())));
    }
    let names: Vec<Path> = match name {
        DEFAULT => vec![asked, vec![FALLBACK.as_bytes().to_vec()]],
        _ => vec![asked],
    };
    let mut found = Look::new(source, limits).files(&names)?.into_iter();
    let found = found.find(|found| *found != Found::Absent);
    match found {
        Some(Found::File(text)) if !text.is_empty() => Ok(text),
        Some(Found::File(_)) => Err(Refusal::Malformed("an empty Dockerfile")),
        Some(_) => Err(Refusal::NotAFile(shown(name.as_bytes()))),
        None => Err(Refusal::NoDockerfile(shown(name.as_bytes()))),
    }
}

/// Whether BuildKit takes the body for an archive (`frontend/dockerui`, `isArchive`).
///
/// It wants to see a whole header in the first bytes. Where a special header comes first it may see
/// none, and read the archive as a Dockerfile: refused.
fn is_archive(source: Open<'_>, limits: &Limits) -> Result<bool, Refusal> {
    let mut start = Vec::new();
    source()?.take(LOOKED_AT).read_to_end(&mut start)?;
    match compression::detect(&start) {
        Compression::None => {}
        Compression::Zstd => return Err(Refusal::Ambiguous("zstd, which BuildKit does not know")),
        _ => return Ok(true),
    }
    if !is_header(&start) {
        return match start.get(..BLOCK) {
            Some(block) if block.iter().all(|byte| *byte == 0) => Err(Refusal::Ambiguous("zeros")),
            _ => Ok(false),
        };
    }
    if matches!(start.get(156), Some(b'x' | b'g' | b'L' | b'K' | b'S')) {
        return Err(Refusal::Ambiguous("BuildKit sees no archive behind its first header"));
    }
    super::Tar::new(start.as_slice(), limits).next().map(|entry| entry.is_some())
}

/// A body that is the Dockerfile itself.
fn whole(source: Open<'_>, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    source()?.take(limits.file.saturating_add(1) as u64).read_to_end(&mut text)?;
    match text.len() > limits.file {
        true => Err(Refusal::TooMuch { of: "bytes of a file that must be read", limit: limits.file as u64 }),
        false => Ok(text),
    }
}
