//! What the tests stand on: a throw-away daemon, a firewall in front of it, a shell with a docker CLI,
//! and raw bytes on a socket. Nothing here asserts anything about the firewall's decisions.

pub mod daemon;
pub mod engine;
pub mod firewall;
pub mod http;
pub mod networks;
pub mod normal;
pub mod service;
pub mod shell;

pub use engine::{Engine, Kind};
pub use firewall::Firewall;
pub use service::Service;
pub use shell::{Cli, KILLED, Outcome, Shell};

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Says that a test cannot run here, where libtest's capture does not swallow it, and lets `make test` count it.
pub fn skipped(what: &str, reason: &str) {
    let line = format!("SKIPPED: {what}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("E2E_SKIPPED") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

/// The repository's root folder.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Asks again and again until the answer is yes; false when it never is.
pub fn eventually(limit: Duration, mut question: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if question() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
