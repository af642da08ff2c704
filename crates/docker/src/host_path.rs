//! Paths of the host, cleaned as the daemon cleans them (Go's `path.Clean`).

/// Cleans an absolute path: no empty parts, no `.`, and `..` taken away with the part before it.
///
/// The daemon cleans before it follows symbolic links, so `/srv/link/../etc` is `/srv/etc` wherever
/// the link leads. `None` for what is not absolute or holds a NUL, at which the kernel would stop reading.
pub fn clean(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.contains('\0') {
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
    Some(format!("/{}", parts.join("/")))
}

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
