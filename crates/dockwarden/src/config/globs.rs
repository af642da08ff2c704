//! `policies/*.cedar`: the files that a pattern names. Wildcards only in the last component: policies
//! are not searched for in places that nobody looked at.

use std::io;
use std::path::{Path, PathBuf};

/// Why a pattern names nothing.
#[derive(Debug, thiserror::Error)]
pub enum GlobError {
    /// See the sentence.
    #[error("wildcards are for the last part of the path only")]
    Folder,
    /// See the sentence.
    #[error("cannot list `{}`: {source}", folder.display())]
    Unlisted { folder: PathBuf, source: io::Error },
    /// See the sentence.
    #[error("no file matches `{}`", .0.display())]
    Nothing(PathBuf),
}

/// The files, in the order of their names.
pub fn expand(pattern: &Path) -> Result<Vec<PathBuf>, GlobError> {
    let (folder, last) = match (pattern.parent(), pattern.file_name().and_then(|name| name.to_str())) {
        (Some(folder), Some(last)) => (folder, last),
        _ => return Ok(vec![pattern.to_owned()]),
    };
    if has_wildcard(&folder.to_string_lossy()) {
        return Err(GlobError::Folder);
    }
    if !has_wildcard(last) {
        return Ok(vec![pattern.to_owned()]);
    }
    let unlisted = |source| GlobError::Unlisted { folder: folder.to_owned(), source };
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(listed).map_err(unlisted)? {
        let name = entry.map_err(unlisted)?.file_name();
        // As in a shell: files that are hidden (and the leftovers of editors) are not meant.
        if name.to_str().is_some_and(|name| !name.starts_with('.') && matches(last.as_bytes(), name.as_bytes())) {
            files.push(folder.join(name));
        }
    }
    files.sort();
    if files.is_empty() { Err(GlobError::Nothing(pattern.to_owned())) } else { Ok(files) }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// `*` is anything, `?` is one byte.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, name) || name.split_first().is_some_and(|(_, shorter)| matches(pattern, shorter))
        }
        (Some((wanted, rest)), Some((found, after))) => (*wanted == b'?' || wanted == found) && matches(rest, after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards() {
        for (pattern, name) in
            [("*.cedar", "a.cedar"), ("*", ""), ("a*b*c", "aXbYbc"), ("?.yaml", "1.yaml"), ("a", "a")]
        {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in [("*.cedar", "a.cedar~"), ("?", ""), ("a*b", "abc"), ("", "a"), ("A", "a")] {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
