//! Names inside an archive, cleaned as Go's `path/filepath` cleans them.
//!
//! A [`Path`] is where something is: its parts below the root of the archive, without `.` and `..`.

use super::{Refusal, shown};

/// The place of an entry. Empty: the root.
pub(super) type Path = Vec<Vec<u8>>;

/// `filepath.Clean("/" + name)`, but what leads above the root is refused: daemons disagree about it.
pub(super) fn clean(name: &[u8]) -> Result<Path, Refusal> {
    let mut path = Path::new();
    for part in parts(name) {
        match part {
            b"" | b"." => {}
            b".." => {
                path.pop().ok_or_else(|| Refusal::Outside(shown(name)))?;
            }
            _ => path.push(part.to_vec()),
        }
    }
    Ok(path)
}

/// The parts of a name as it stands, some of them empty.
pub(super) fn parts(name: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    name.split(|byte| *byte == b'/')
}

/// The parts with slashes between them.
pub(super) fn join(path: &[Vec<u8>]) -> Vec<u8> {
    path.join(&b'/')
}

/// Whether a target of a link leads above the root when it is followed from a folder, by its words alone.
pub(super) fn escapes(folder: &[Vec<u8>], target: &[u8]) -> bool {
    let mut depth = if target.starts_with(b"/") { 0 } else { folder.len() };
    for part in parts(target) {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            _ => depth = depth.saturating_add(1),
        }
    }
    false
}
