//! Key `state:`: the file of what must outlive the process.

use std::path::{Path, PathBuf};

use server::state::{State, StateError};

use super::file::{ConfigFile, Field};
use super::{defaults, records};

/// The file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    /// Where.
    pub file: PathBuf,
    /// Whether it is the usual one, whose folder is made when it is missing.
    usual: bool,
}

/// Reads the key; what is absent is as usual.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> StateFile {
    match section.and_then(|field| file.field_path(field)) {
        Some(file) => StateFile { file, usual: false },
        None => StateFile { file: defaults::state_folder().join("state.db"), usual: true },
    }
}

impl StateFile {
    /// Opens it, and makes the usual folder where it is missing.
    pub fn open(&self) -> Result<State, StateError> {
        if let Some(folder) = self.file.parent().filter(|_| self.usual) {
            records::make(folder).map_err(|source| StateError::Open { file: self.file.clone(), source })?;
        }
        State::open(&self.file)
    }

    /// Its folder, which may not be there yet.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// Its folder, where the configuration names it: other things are kept beside it then.
    pub fn named_folder(&self) -> Option<&Path> {
        self.file.parent().filter(|_| !self.usual)
    }
}
