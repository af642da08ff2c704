//! A file gets another text, whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Puts a text at a path, with owner and mode of the file `like`; where that is not there, anybody may read it.
pub fn replace(path: &Path, like: &Path, text: &str) -> Result<(), String> {
    let new = {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".{}", std::process::id()));
        PathBuf::from(name)
    };
    let written = made(&new, like, text).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&new);
        format!("{}: {error}", path.display())
    })
}

/// A new file, on the disk.
fn made(new: &Path, like: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    match fs::metadata(like) {
        Ok(found) => {
            chown(new, Some(found.uid()), Some(found.gid()))?;
            file.set_permissions(found.permissions())?;
        }
        Err(_) => file.set_permissions(Permissions::from_mode(0o644))?,
    }
    file.sync_all()
}
