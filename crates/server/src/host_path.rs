//! Where a path of the host leads: its symbolic links followed one by one.
//!
//! What does not exist is kept as it stands, for the daemon makes missing directories. A link that
//! leads to nothing is followed all the same, or it could be filled in after this look.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// A path that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("host path {0} leads in a circle")]
    Circle(String),
    #[error("host path {0} leads through a link of /proc, which is another one for each process")]
    Magic(String),
    #[error("host path {path} cannot be looked at: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("host path {0} is not UTF-8")]
    NotUtf8(String),
}

/// Follows all links of a cleaned, absolute path. `root` is where the host's own is seen: a firewall that lives in a root
/// of its own would take for missing what is a link on the host. Blocks on the file system.
pub(crate) fn follow(root: &Path, path: &str) -> Result<String, PathError> {
    let mut rest = parts(Path::new(path));
    let mut reached = PathBuf::from("/");
    let mut links: usize = 0;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            reached.pop();
            continue;
        }
        let next = reached.join(&part);
        // No part of it is a link any more: so it stays within the root.
        let seen = root.join(next.strip_prefix("/").unwrap_or(&next));
        let link = match fs::symlink_metadata(&seen) {
            Ok(metadata) => metadata.file_type().is_symlink(),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => false,
            Err(error) => return Err(PathError::Unreadable { path: path.to_owned(), reason: error.to_string() }),
        };
        if !link {
            reached = next;
            continue;
        }
        links = links.saturating_add(1);
        if links > MAX_LINKS {
            return Err(PathError::Circle(path.to_owned()));
        }
        if reached.starts_with("/proc") {
            return Err(PathError::Magic(path.to_owned()));
        }
        let target = fs::read_link(&seen)
            .map_err(|error| PathError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
        if target.is_absolute() {
            reached = PathBuf::from("/");
        }
        let mut parts = parts(&target);
        parts.append(&mut rest);
        rest = parts;
    }
    reached.into_os_string().into_string().map_err(|_| PathError::NotUtf8(path.to_owned()))
}

/// The names in a path; `.` and the root are left out.
fn parts(path: &Path) -> VecDeque<std::ffi::OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_wherever_they_stand() {
        let name = format!("dockwarden-links-{}", std::process::id());
        let root = std::env::temp_dir().canonicalize().unwrap().join(name);
        fs::create_dir_all(root.join("a/b")).unwrap();
        let host = Path::new("/");
        let at = |name: &str| root.join(name).to_str().unwrap().to_owned();
        symlink("/etc", root.join("absolute")).unwrap();
        symlink("../a", root.join("a/relative")).unwrap();
        symlink("nowhere/x", root.join("dangling")).unwrap();
        symlink("circle", root.join("circle")).unwrap();
        assert_eq!(follow(host, &at("a/b")), Ok(at("a/b")));
        assert_eq!(follow(host, &at("absolute/ssh")), Ok("/etc/ssh".to_owned()));
        assert_eq!(follow(host, &at("a/relative/b")), Ok(at("a/b")));
        assert_eq!(follow(host, &at("dangling/y")), Ok(at("nowhere/x/y")));
        assert_eq!(follow(host, &at("not/there")), Ok(at("not/there")));
        assert!(matches!(follow(host, &at("circle")), Err(PathError::Circle(_))));
        assert!(matches!(follow(host, "/proc/self/root/etc"), Err(PathError::Magic(_))));
        assert_eq!(follow(host, "/"), Ok("/".to_owned()));
        // The same host, seen elsewhere: links lead where they lead on the host.
        fs::create_dir(root.join("etc")).unwrap();
        symlink("/absolute/x", root.join("etc/far")).unwrap();
        symlink("../../..", root.join("etc/out")).unwrap();
        assert_eq!(follow(&root, "/etc/far/y"), Ok("/etc/x/y".to_owned()));
        assert_eq!(follow(&root, "/etc/out/a/relative"), Ok("/a".to_owned()));
        assert_eq!(follow(&root, "/not/there"), Ok("/not/there".to_owned()));
        fs::remove_dir_all(root).unwrap();
    }
}
