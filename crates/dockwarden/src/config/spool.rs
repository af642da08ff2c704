//! Key `spool:`: where archives are kept while they are judged.

use std::path::{Path, PathBuf};

use super::file::{ConfigFile, Field};
use super::{defaults, records};

/// The folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    folder: PathBuf,
    /// Whether it is the usual one, which is made when it is missing.
    usual: bool,
}

/// Reads the key; what is absent is as usual, beside the state.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>, state: Option<&Path>) -> Spool {
    match section.and_then(|field| file.field_path(field)) {
        Some(folder) => Spool { folder, usual: false },
        None => Spool { folder: state.map_or_else(defaults::state_folder, Path::to_owned), usual: state.is_none() },
    }
}

impl Spool {
    /// The folder, once archives can be stored in it. The sentence says why they cannot.
    pub fn open(&self) -> Result<PathBuf, String> {
        let made = if self.usual { records::make(&self.folder) } else { Ok(()) };
        made.and_then(|()| server::spool::probe(&self.folder)).map_err(|error| {
            format!("archives cannot be stored in `{}` to be judged: {error} (see `spool`)", self.folder.display())
        })?;
        Ok(self.folder.clone())
    }
}
