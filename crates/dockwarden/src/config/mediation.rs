//! Section `mediation:`: the key by which the plugin knows what came through the gateway, where the two are different
//! processes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use server::seal::{Seal, read_or_make};

use super::file::{ConfigFile, Field};
use super::{defaults, records};

/// The file of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mediation {
    key: PathBuf,
    /// Whether it is in the usual folder, which is made when it is missing.
    usual: bool,
}

/// Reads the section; what is absent is as usual, beside the state.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>, state: Option<&Path>) -> Option<Mediation> {
    let fields = file.fields(section?.value, "`mediation`", &["key"]);
    let folder = state.map_or_else(defaults::state_folder, Path::to_owned);
    Some(match fields.get("key") {
        Some(field) => Mediation { key: file.field_path(field)?, usual: false },
        None => Mediation { key: folder.join("mediation.key"), usual: state.is_none() },
    })
}

impl Mediation {
    /// The same, where the key is there and may be read: for commands of people who need not be allowed to.
    pub fn known(&self) -> Option<Arc<Seal>> {
        self.key.exists().then(|| self.seal().ok()).flatten()
    }

    /// The seal with that key, which is made where there is none. The sentence says why there can be none.
    pub fn seal(&self) -> Result<Arc<Seal>, String> {
        if let Some(folder) = self.key.parent().filter(|_| self.usual) {
            records::make(folder).map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
        }
        let seal = read_or_make(&self.key).and_then(|key| Seal::new(&key));
        seal.map(Arc::new).map_err(|error| format!("{error} (see `mediation`)"))
    }
}
