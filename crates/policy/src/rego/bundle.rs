//! Bundles, as OPA makes them: policies and data in one archive (or folder), a manifest that says what they may define,
//! and a signature over all of it.
//!
//! Source: OPA's documentation, "Bundles" (file format, signing). What OPA reads past is refused where it would mean
//! something: compiled policies, patches, files that the signature does not cover.

mod manifest;
mod pack;
mod roots;
mod signature;
#[cfg(test)]
mod tests;

pub use pack::unpack;
pub use roots::Roots;
pub use signature::{Verifier, algorithms};

use super::source::{RegoData, RegoModule};
use crate::NamedText;
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

/// Reads a bundle of that name. With a verifier it must be signed; signed, it needs one.
pub fn read(name: &str, files: &[BundleFile], verifier: Option<&Verifier>) -> Result<Bundle, BundleFault> {
    let signatures = files.iter().find(|file| file.path == signature::FILE);
    match (signatures, verifier) {
        (Some(signatures), Some(verifier)) => verifier.verify(signatures, files)?,
        (Some(_), None) => {
            return Err("it is signed, and nothing says whose signature counts: add `verify: { key: FILE }`"
                .to_owned()
                .into());
        }
        (None, Some(_)) => {
            return Err(format!("it is not signed (no `{}`), and `verify` wants it to be", signature::FILE).into());
        }
        (None, None) => {}
    }
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
            bundle.data.push(RegoData { path, text, roots: manifest.roots.clone() });
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
    let name = format!("{}/{}", bundle.trim_end_matches('/'), file.path);
    match String::from_utf8(file.bytes.clone()) {
        Ok(text) => Ok(NamedText { name, text }),
        Err(_) => Err(format!("its file `{}` is no text", file.path).into()),
    }
}
