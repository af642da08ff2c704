//! What is weak about a Docker host, why, and what to do about it.
//!
//! [`host`] looks, at files below a root and at what the daemon says; one file a family of checks turns what was seen into
//! [`finding`]s, and asks nobody; [`fix`] turns these into new texts of files, [`apply`] writes them, [`show`] prints.
//! Nothing here restarts a daemon unless it is told to, and nothing is written before it was shown.

mod access;
mod accounts;
pub mod apply;
mod authorization;
mod defaults;
pub mod finding;
pub mod fix;
mod holes;
pub mod host;
mod machine;
mod plugins;
mod ranges;
mod root;
mod settings;
pub mod show;
#[cfg(test)]
mod tests;
mod units;
mod userns;

use finding::Finding;
use host::Host;

/// All that is weak, the worst first.
pub fn examine(host: &Host) -> Vec<Finding> {
    let mut found = Vec::new();
    for check in CHECKS {
        check(host, &mut found);
    }
    found.sort_by_key(|finding| finding.severity);
    found
}

/// Every family of checks, in the order in which findings of one severity are told.
const CHECKS: &[fn(&Host, &mut Vec<Finding>)] = &[
    access::check,
    authorization::check,
    userns::check,
    defaults::check,
    holes::check,
    plugins::check,
    machine::check,
];

/// The names of all findings.
pub const IDS: [&str; 26] = [
    "tcp-without-tls",
    "socket-open",
    "docker-group",
    "socket-mounted",
    "files-writable",
    "no-authorization",
    "plugin-silent",
    "firewall-off",
    "around-dockwarden",
    "userns-off",
    "userns-pending",
    "subid-overlap",
    "subid-owned",
    "subid-missing",
    "new-privileges",
    "seccomp-off",
    "icc",
    "live-restore",
    "log-limits",
    "insecure-registries",
    "content-trust",
    "known-holes",
    "plugin-host-access",
    "rootful",
    "cgroup-v1",
    "no-mac",
];
