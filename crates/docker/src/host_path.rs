//! Paths of the host, cleaned as the daemon cleans them (Go's `path.Clean`).

/// Cleans an absolute path: no empty parts, no `.`, and `..` taken away with the part before it.
///
/// The daemon cleans before it follows symbolic links, so `/srv/link/../etc` is `/srv/etc` wherever
/// the link leads. `None` for what is not absolute, holds a NUL, at which the kernel would stop reading, or is too
/// long or deep.
pub fn clean(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\0') || path.len() > LONGEST {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    (parts.len() <= DEEPEST).then(|| format!("/{}", parts.join("/")))
}

/// The longest path that the kernel takes (`PATH_MAX`).
const LONGEST: usize = 4096;
/// Each part of a path is a thing that a policy may name; nobody nests as deep as this.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (given, expected) in [
            ("/", Some("/")),
            ("//", Some("/")),
            ("/.", Some("/")),
            ("/tmp/..", Some("/")),
            ("/../..", Some("/")),
            ("/srv//ci/./x/", Some("/srv/ci/x")),
            ("/srv/ci/link/../etc", Some("/srv/ci/etc")),
            ("/ ", Some("/ ")),
            ("srv", None),
            ("", None),
            ("/srv/ci\0/../..", None),
        ] {
            assert_eq!(clean(given).as_deref(), expected, "{given:?}");
        }
    }
}
