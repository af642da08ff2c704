//! Managed plugins: programs that the daemon runs, outside of what containers are confined by.

use serde_json::Value;

use super::finding::{Finding, Severity};
use super::host::{Host, text};
use crate::engine::is_own;

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    let Ok(daemon) = &host.daemon else { return };
    let mut finding = Finding::new("plugin-host-access", Severity::Warning, "Plugins have access to the host")
        .why(
            "Plugins run as root without the filter of system calls that containers have; what such a plugin has of the host, whoever \
             wrote it has.",
        )
        .remedy("See that you know who made it and that it is the newest; else docker plugin disable, and rm.");
    for plugin in &daemon.plugins {
        let name = text(plugin, "/Name");
        let powers = powers(plugin);
        let enabled = plugin.get("Enabled").and_then(Value::as_bool).unwrap_or_default();
        if powers.is_empty() || is_own(name) {
            continue;
        }
        let state = if enabled { "enabled" } else { "disabled" };
        finding = finding.saw(format!("{name} ({state}): {}", powers.join(", ")), None);
    }
    if !finding.seen.is_empty() {
        found.push(finding);
    }
}

/// What a plugin has of the host.
fn powers(plugin: &Value) -> Vec<String> {
    let is = |path: &str| plugin.pointer(path).and_then(Value::as_bool).unwrap_or_default();
    let list = |path: &str| plugin.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut powers = Vec::new();
    if text(plugin, "/Config/Network/Type") == "host" {
        powers.push("the host's network".to_owned());
    }
    for (path, words) in [
        ("/Config/PidHost", "the host's processes"),
        ("/Config/IpcHost", "the host's shared memory"),
        ("/Config/Linux/AllowAllDevices", "all devices"),
    ] {
        if is(path) {
            powers.push(words.to_owned());
        }
    }
    let capabilities = list("/Config/Linux/Capabilities");
    powers.extend(capabilities.iter().filter_map(Value::as_str).map(str::to_owned));
    for mount in list("/Settings/Mounts") {
        let read_only =
            mount.get("Options").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == "ro"));
        let source = text(&mount, "/Source");
        if source.starts_with('/') {
            powers.push(format!("{source}{}", if read_only { " (read-only)" } else { "" }));
        }
    }
    let devices = list("/Settings/Devices");
    powers
        .extend(devices.iter().map(|device| text(device, "/Path")).filter(|path| !path.is_empty()).map(str::to_owned));
    powers
}
