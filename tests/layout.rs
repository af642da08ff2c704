//! What ARCHITECTURE.md says about who may use whom, looked up in the code.

use crate::harness::repository;
use std::fs;
use std::path::{Path, PathBuf};

/// The sources below a folder of the crates, or of one module: its file and its folder.
fn sources(of: &str) -> Vec<PathBuf> {
    let at = repository().join("crates").join(of);
    let mut files = vec![at.with_extension("rs")];
    gather(&at, &mut files);
    files.retain(|file| {
        file.is_file() && !file.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
    });
    assert!(!files.is_empty(), "there is no {of}");
    files
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => gather(&path, files),
            path if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            _ => {}
        }
    }
}

fn never(of: &str, words: &[&str]) {
    for file in sources(of) {
        let text = fs::read_to_string(&file).expect("a source");
        for (at, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let used = words.iter().find(|word| code.contains(*word));
            assert!(used.is_none(), "{}:{}: {line}", file.display(), at + 1);
        }
    }
}

#[test]
fn dependencies_point_down_only() {
    for (of, above) in [
        ("docker", &["policy", "server", "dockwarden"][..]),
        ("policy", &["server", "dockwarden"]),
        ("server", &["dockwarden"]),
    ] {
        let manifest = fs::read_to_string(repository().join("crates").join(of).join("Cargo.toml")).expect("a manifest");
        let uses = |name: &str| manifest.lines().any(|line| line.split([' ', '.', '=']).next() == Some(name));
        assert!(!above.iter().any(|name| uses(name)), "crate {of} uses one above it");
    }
}

#[test]
fn doors_never_use_one_another() {
    never("server/src/gateway", &["crate::plugin"]);
    never("server/src/plugin", &["crate::gateway"]);
    never("server/src/firewall", &["crate::gateway", "crate::plugin"]);
}

#[test]
fn one_crate_names_the_judges() {
    for of in ["docker/src", "server/src", "dockwarden/src"] {
        never(of, &["cedar_policy", "regorus"]);
    }
}

#[test]
fn what_understands_and_what_decides_do_no_io() {
    for of in ["docker/src", "policy/src"] {
        never(of, &["std::fs", "std::process", "std::os::unix", "TcpStream", "tokio::"]);
    }
}
