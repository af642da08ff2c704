//! A folder of our own for a moment.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// It is gone when this is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one that nobody else enters.
    pub fn make() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("dockwarden-scratch.{}", std::process::id()));
        let made = fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map(|()| Scratch(folder.clone())).map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
