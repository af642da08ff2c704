//! Section `records:`: where is kept what happened.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use server::record::{RecordError, RecordSettings, Recorder, WhenUnwritable};

use super::defaults;
use super::file::{ConfigFile, Field};

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The file.
    pub file: PathBuf,
    /// What happens to changes while it cannot be written.
    pub when_unwritable: WhenUnwritable,
    /// Whether the folder is the usual one, which is made when it is missing.
    usual_folder: bool,
}

/// Reads the section; what is absent is as usual, records beside the state.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>, state: Option<&Path>) -> Records {
    let usual_folder = state.is_none();
    let folder = state.map_or_else(defaults::state_folder, Path::to_owned);
    let when_unwritable = WhenUnwritable::RefuseChanges;
    let mut records = Records { file: folder.join("records.jsonl"), when_unwritable, usual_folder };
    let Some(section) = section else { return records };
    let fields = file.fields(section.value, "`records`", &["file", "when_unwritable"]);
    if let Some(path) = fields.get("file").and_then(|field| file.field_path(field)) {
        records.file = path;
        records.usual_folder = false;
    }
    if let Some(field) = fields.get("when_unwritable") {
        match file.field_word(field).as_deref() {
            Some("refuse") | None => {}
            Some("continue") => records.when_unwritable = WhenUnwritable::Continue,
            Some(other) => {
                let message = format!("`when_unwritable` cannot be `{other}`");
                file.fault_with(field.value.referenced, message, "it is `refuse` or `continue`");
            }
        }
    }
    records
}

impl Records {
    /// Opens the file, and makes the usual folder where it is missing.
    pub fn open(&self) -> Result<Recorder, RecordError> {
        if self.usual_folder
            && let Some(folder) = self.file.parent()
        {
            make(folder).map_err(|source| RecordError::Open { file: self.file.clone(), source })?;
        }
        let settings = RecordSettings { when_unwritable: self.when_unwritable, ..RecordSettings::new(&self.file) };
        Recorder::open(settings)
    }
}

/// Makes the folder of what is kept. Records say who did what: no business of other users.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o750).create(folder)
}
