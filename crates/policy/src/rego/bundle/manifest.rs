//! `.manifest`: what a bundle says about itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{BundleFault, BundleFile, Roots, text};
use crate::message::printable;
use crate::rego::source::Syntax;
use crate::source::Diagnostic;

/// Where it stands.
pub(super) const FILE: &str = ".manifest";

/// What counts of it.
#[derive(Default)]
pub(super) struct Manifest {
    pub revision: Option<String>,
    pub roots: Roots,
    /// The syntax of all policies, where it is said for all.
    pub syntax: Option<Syntax>,
}

/// As it is written. What is not known here might limit or change what a bundle means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    revision: Option<String>,
    roots: Option<Vec<String>>,
    #[serde(default)]
    wasm: Vec<IgnoredAny>,
    rego_version: Option<u8>,
    #[serde(default)]
    file_rego_versions: BTreeMap<String, u8>,
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,
}

/// The manifest of a bundle; one without says nothing.
pub(super) fn of(bundle: &str, files: &[BundleFile]) -> Result<Manifest, BundleFault> {
    let Some(file) = files.iter().find(|file| file.path == FILE) else { return Ok(Manifest::default()) };
    let named = text(bundle, file)?;
    let written: Written = serde_json::from_str(&named.text).map_err(|error| {
        let sentence = error.to_string();
        let sentence = printable(sentence.split(" at line ").next().unwrap_or_default());
        BundleFault::File(Box::new(Diagnostic::at(&named, error.line(), error.column(), sentence)))
    })?;
    let Written { revision, roots, wasm, rego_version, file_rego_versions, _metadata } = written;
    if !wasm.is_empty() {
        return Err("it answers by compiled policies (`wasm` of its manifest); only Rego is read".to_owned().into());
    }
    let syntax = match rego_version {
        // Said for one file otherwise, by patterns: the reader finds out.
        _ if !file_rego_versions.is_empty() => None,
        None => None,
        Some(0) => Some(Syntax::V0),
        Some(1) => Some(Syntax::V1),
        Some(other) => return Err(format!("`rego_version` of its manifest is {other}; known are 0 and 1").into()),
    };
    let revision = revision.filter(|revision| !revision.is_empty()).map(|revision| printable(&revision));
    Ok(Manifest { revision, roots: roots.map(Roots::new).unwrap_or_default(), syntax })
}
