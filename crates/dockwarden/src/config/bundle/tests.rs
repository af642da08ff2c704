use std::path::Path;

use policy::Diagnostics;
use server::web::Url;
use tempfile::TempDir;

use super::{Fetched, Which};
use crate::config::{Config, Wishes, load};

const PLAIN: &[u8] = include_bytes!("../../../../policy/src/rego/bundle/cases/plain.tar.gz");
const HS256: &[u8] = include_bytes!("../../../../policy/src/rego/bundle/cases/hs256.tar.gz");
const SECRET: &[u8] = include_bytes!("../../../../policy/src/rego/bundle/cases/hs.secret");
/// Nobody listens there.
const HERE: &str = "http://127.0.0.1:1/docker.tar.gz";

fn fetched(from: &str, bytes: &[u8]) -> Fetched {
    Fetched { from: Url::parse(from).unwrap(), bytes: bytes.into(), etag: None }
}

/// Loads this section `rego:`, with the state in a folder.
fn loaded(folder: &Path, rego: &str, wishes: Wishes) -> Result<Config, Diagnostics> {
    let path = folder.join("config.yaml");
    let state = folder.join("state.db").display().to_string();
    let text = format!("state: {state}\npolicy:\n  preset: open\n  rego: {{ {rego} }}\n");
    std::fs::write(&path, text).unwrap();
    load(&Wishes { config: Some(path), ..wishes })
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_bundle_is_that_of_its_address() {
    let folder = folder();
    let given = |from| Wishes { bundle: Which::Given(fetched(from, PLAIN)), ..Wishes::default() };
    let rego = format!("bundle: \"{HERE}\"");
    let bundle = loaded(folder.path(), &rego, given(HERE)).unwrap().bundle.unwrap();
    assert_eq!(bundle.told(), "bundle `docker.tar.gz`, revision `state-7`");
    // The configuration names another address by now.
    let said = loaded(folder.path(), &rego, given("http://127.0.0.1:1/other.tar.gz")).unwrap_err().to_string();
    assert!(said.contains("the bundle cannot be fetched, and none is kept: 127.0.0.1:1"), "{said}");
}

#[test]
fn the_last_good_one_is_that_in_force_though_an_older_one_is_kept() {
    let folder = folder();
    let rego = format!("bundle: \"{HERE}\"");
    let given = Wishes { bundle: Which::Given(fetched(HERE, PLAIN)), ..Wishes::default() };
    let bundle = loaded(folder.path(), &rego, given).unwrap().bundle.unwrap();
    std::fs::write(&bundle.kept, "older").unwrap();
    for which in [Which::Fresh, Which::Kept] {
        let in_force = Some(fetched(HERE, PLAIN));
        let wishes = Wishes { bundle: which.clone(), in_force, ..Wishes::default() };
        let bundle = loaded(folder.path(), &rego, wishes).unwrap().bundle.unwrap();
        assert!(bundle.is_kept && *bundle.fetched.bytes == *PLAIN, "{which:?}");
        let in_force = Some(fetched("http://127.0.0.1:1/other.tar.gz", PLAIN));
        let wishes = Wishes { bundle: which, in_force, ..Wishes::default() };
        let said = loaded(folder.path(), &rego, wishes).unwrap_err().to_string();
        assert!(said.contains("`docker.tar.gz` is not used: it is not packed as bundles are"), "{said}");
    }
    std::fs::remove_file(&bundle.kept).unwrap();
    let wishes = Wishes { in_force: Some(fetched(HERE, PLAIN)), ..Wishes::default() };
    let bundle = loaded(folder.path(), &rego, wishes).unwrap().bundle.unwrap();
    bundle.keep();
    assert_eq!(std::fs::read(&bundle.kept).unwrap(), PLAIN);
}

#[test]
fn secrets_follow_one_another() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    for (name, bytes) in [("policy.tar.gz", HS256), ("next", &[b'n'; 40][..]), ("now", SECRET)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let rego = "files: [policy.tar.gz], verify: { algorithm: HS256, key: [next, now] }";
    let config = loaded(folder.path(), rego, Wishes::default()).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("now"), open).unwrap();
    let warnings = loaded(folder.path(), rego, Wishes::default()).unwrap().warnings;
    assert!(warnings[0].to_string().contains("can be read by every user of this host"), "{warnings:?}");
}
