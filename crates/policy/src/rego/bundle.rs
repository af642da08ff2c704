//! Bundles, as OPA makes them: policies and data in one archive (or folder), a manifest that says what they may define,
//! and a signature over all of it.
//!
//! Source: OPA's documentation, "Bundles" (file format, signing). What OPA reads past is refused where it would mean
//! something: compiled policies, patches, files that the signature does not cover.

mod canonical;
mod manifest;
mod pack;
mod roots;
mod signature;
#[cfg(test)]
mod tests;

pub use pack::unpack;
pub use roots::Roots;
pub use signature::{Verifier, algorithms};

use super::source::{Notation, RegoData, RegoModule};
use crate::NamedText;
use crate::message::printable;
use crate::source::Diagnostic;

/// What a bundle holds.
#[derive(Debug, Default)]
pub struct Bundle {
    /// What its maker calls this state of it.
    pub revision: Option<String>,
    /// The policies, without tests.
    pub modules: Vec<RegoModule>,
    /// The data, below the names of their folders.
    pub data: Vec<RegoData>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// From the bundle's root, without a slash in front: `docker/authz.rego`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why a bundle is not used.
#[derive(Debug)]
pub enum BundleFault {
    /// The whole of it, in a sentence about "it".
    Whole(String),
    /// One of its files.
    File(Box<Diagnostic>),
}

impl From<String> for BundleFault {
    fn from(sentence: String) -> Self {
        Self::Whole(sentence)
    }
}

/// Reads a bundle of that name. With a verifier it must be signed, and what was hashed is what is read; signed, it needs
/// one.
pub fn read(name: &str, files: &[BundleFile], verifier: Option<&Verifier>) -> Result<Bundle, BundleFault> {
    let signatures = files.iter().find(|file| file.path == signature::FILE);
    match (signatures, verifier) {
        (Some(signatures), Some(verifier)) => of(name, &verifier.verify(signatures, files)?, |_| Notation::Json),
        (Some(_), None) => {
            let sentence = "it is signed, and nothing says whose signature counts: add `verify: { key: FILE }`";
            Err(sentence.to_owned().into())
        }
        (None, Some(_)) => {
            Err(format!("it is not signed (no `{}`), and `verify` wants it to be", signature::FILE).into())
        }
        (None, None) => of(name, files, Notation::of),
    }
}

/// What these files mean. `notation`: that of a document, by its name.
fn of(name: &str, files: &[BundleFile], notation: impl Fn(&str) -> Notation) -> Result<Bundle, BundleFault> {
    if files.iter().any(|file| file.path == "patch.json") {
        return Err("it holds changes to another bundle (`patch.json`); only whole ones are read".to_owned().into());
    }
    let manifest = manifest::of(name, files)?;
    let mut bundle = Bundle { revision: manifest.revision, ..Bundle::default() };
    for file in files {
        let (folders, called) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let is_module = called.ends_with(".rego") && !called.ends_with("_test.rego");
        if !is_module && !is_data(called) {
            continue;
        }
        let text = text(name, file)?;
        if is_module {
            bundle.modules.push(RegoModule { text, syntax: manifest.syntax, roots: manifest.roots.clone() });
        } else {
            let path = folders.split('/').filter(|folder| !folder.is_empty()).map(str::to_owned).collect();
            let (notation, roots) = (notation(called), manifest.roots.clone());
            bundle.data.push(RegoData { path, text, notation, roots });
        }
    }
    Ok(bundle)
}

/// Whether a bundle means something by a file of that name. The rest of a folder need not be read, unless it is signed.
pub fn is_meant(path: &str) -> bool {
    let called = path.rsplit('/').next().unwrap_or(path);
    called.ends_with(".rego") || is_data(called) || [manifest::FILE, signature::FILE, "patch.json"].contains(&path)
}

fn is_data(called: &str) -> bool {
    matches!(called, "data.json" | "data.yaml" | "data.yml")
}

/// A file of a bundle as it is called where something is wrong with it: `policy.tar.gz/docker/authz.rego`.
fn text(bundle: &str, file: &BundleFile) -> Result<NamedText, BundleFault> {
    // Whoever packs a bundle names its files: a name must not look like another line where it is told.
    let path = printable(&file.path);
    let name = format!("{}/{path}", bundle.trim_end_matches('/'));
    match String::from_utf8(file.bytes.clone()) {
        Ok(text) => Ok(NamedText { name, text }),
        Err(_) => Err(format!("its file `{path}` is no text").into()),
    }
}
