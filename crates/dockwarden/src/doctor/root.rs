//! A host's files below its root: the host that this program runs on, or a copy of one in a folder.

use std::fs::{self, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use policy::Diagnostics;

/// The folder that is a host's `/`.
#[derive(Debug, Clone, Default)]
pub struct Root(PathBuf);

impl Root {
    /// The host whose root is that folder.
    pub fn at(folder: &Path) -> Result<Root, String> {
        folder.canonicalize().map(Root).map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// Whether it is the host that this program runs on.
    pub fn is_this_host(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Where a file of that host is, here. A link that leads out of a copied root would lead to files of this host, so there
    /// is no such file.
    pub fn path(&self, inside: &str) -> Result<PathBuf, String> {
        let relative: PathBuf =
            Path::new(inside).components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let path = self.0.join(relative);
        let real = path.ancestors().find_map(|path| path.canonicalize().ok());
        match real {
            Some(real) if real.starts_with(&self.0) => Ok(path),
            _ => Err(format!("{}: a link leads out of {}", path.display(), self.0.display())),
        }
    }

    /// What that host calls a file of it.
    pub fn name(&self, path: &Path) -> String {
        match path.strip_prefix(&self.0) {
            Ok(inside) => format!("/{}", inside.display()),
            Err(_) => path.display().to_string(),
        }
    }

    /// The text of a file; `None` where it is not there. One that is there and cannot be read is a fault.
    pub fn read(&self, inside: &str) -> Result<Option<String>, Diagnostics> {
        let path = self.path(inside).map_err(|words| Diagnostics::sentence(&words))?;
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Diagnostics::sentence(&format!("{}: {error}", path.display()))),
        }
    }

    /// The text of a file, where it is there and can be read.
    pub fn text(&self, inside: &str) -> Option<String> {
        fs::read_to_string(self.path(inside).ok()?).ok()
    }

    /// The beginning of a packed text, as much as matters of a package's changes.
    pub fn unpacked(&self, inside: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let file = fs::File::open(self.path(inside).ok()?).ok()?;
        GzDecoder::new(file).take(MOST).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What there is to know of a file, links followed.
    pub fn metadata(&self, inside: &str) -> Option<Metadata> {
        fs::metadata(self.path(inside).ok()?).ok()
    }

    /// Whether there is such a file.
    pub fn has(&self, inside: &str) -> bool {
        self.metadata(inside).is_some()
    }

    /// The names in a folder, sorted.
    pub fn names(&self, inside: &str) -> Vec<String> {
        let entries = self.path(inside).ok().and_then(|path| path.read_dir().ok());
        let names =
            entries.into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// The most of a packed text.
const MOST: u64 = 4 << 20;
