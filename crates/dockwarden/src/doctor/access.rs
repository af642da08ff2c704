//! Who reaches the API: by which sockets, addresses and groups, and out of which containers.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use super::finding::{Edit, Finding, Severity};
use super::host::{Host, Listens, text};

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    found.extend(without_tls(host));
    found.extend(open_sockets(host));
    found.extend(group(host));
    found.extend(mounted(host));
    found.extend(writable_files(host));
}

/// An address of the network that takes orders from everybody.
fn without_tls(host: &Host) -> Option<Finding> {
    let verified = host.settings.is_on("tlsverify") == Some(true);
    let is_open = |listens: &&Listens| listens.address.starts_with("tcp://") && !verified;
    let open: Vec<&Listens> = host.listens.iter().filter(is_open).collect();
    if open.is_empty() {
        return None;
    }
    let half = host.settings.is_on("tls") == Some(true);
    let title = match half {
        true => "The API is on the network with TLS that asks nobody who they are",
        false => "The API is on the network without TLS",
    };
    let mut finding = Finding::new("tcp-without-tls", Severity::Critical, title)
        .benchmark("2.7")
        .why(
            "Whoever reaches that address is root on this host: users of it, containers in the host's network, and on \
             other than loopback addresses the network. Nobody is asked for a name.",
        )
        .remedy(
            "Take the address away (clients can come by ssh: DOCKER_HOST=ssh://host), or have Dockwarden listen there \
             with certificates (`listen: [{ address: ..., tls: ... }]`), or set tlsverify, tlscacert, tlscert and tlskey.",
        );
    for listens in &open {
        finding = finding.saw(format!("listens on {}", listens.address), listens.place.as_ref());
    }
    let (closed, kept): (Vec<_>, Vec<_>) =
        host.settings.all("hosts").into_iter().partition(|setting| setting.text().starts_with("tcp://"));
    if closed.iter().any(|setting| setting.by_flag) {
        finding.edits.extend(without_addresses(host));
    } else if !closed.is_empty() {
        let mut kept: Vec<String> = kept.iter().map(|setting| setting.text()).collect();
        if kept.is_empty() {
            kept.push("unix:///var/run/docker.sock".to_owned());
        }
        finding = finding.edit(Edit::Daemon(&["hosts"], Value::from(kept)));
    }
    Some(finding)
}

/// A drop-in whose command has no addresses of the network.
fn without_addresses(host: &Host) -> Option<Edit> {
    let words = super::units::command(&host.root, "docker.service");
    let mut kept: Vec<String> = Vec::new();
    let mut dropped = false;
    for word in words.iter().map(|word| word.text.as_str()) {
        let value = word.trim_start_matches("--host").trim_start_matches("-H").trim_start_matches('=');
        if !value.starts_with("tcp://") {
            kept.push(if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() });
            continue;
        }
        dropped = true;
        if word.starts_with("tcp://") {
            kept.pop();
        }
    }
    let text = format!(
        "# By `dockwarden doctor`: no API on the network without TLS.\n[Service]\nExecStart=\nExecStart={}\n",
        kept.join(" ")
    );
    dropped.then_some(Edit::DropIn { unit: "docker.service", text })
}

/// A socket that others than root and a group reach.
fn open_sockets(host: &Host) -> Option<Finding> {
    let mut finding = Finding::new("socket-open", Severity::Critical, "The daemon's socket is open to every user")
        .benchmark("3.16")
        .why("Whoever can write to it is root on this host; every user and every process here can.")
        .remedy("chmod o-rwx the socket, and correct what makes it: SocketMode in docker.socket, a start script, a cron job.");
    for (path, metadata) in sockets(host) {
        if metadata.mode() & 0o002 != 0 {
            finding = finding.saw(format!("{path} has mode {:04o}", metadata.mode() & 0o7777), None);
        }
    }
    let configured = super::units::values(&host.root, "docker.socket", "SocketMode").pop();
    let is_open = |mode: &str| u32::from_str_radix(mode, 8).is_ok_and(|mode| mode & 0o002 != 0);
    if let Some(mode) = configured.filter(|mode| is_open(&mode.text)) {
        let text = "# By `dockwarden doctor`: the daemon's socket is not for everybody.\n[Socket]\nSocketMode=0660\n";
        finding = finding
            .saw(format!("SocketMode={}", mode.text), Some(&mode.place))
            .edit(Edit::DropIn { unit: "docker.socket", text: text.to_owned() });
    }
    (!finding.seen.is_empty()).then_some(finding)
}

/// The members of a group whose socket it is.
fn group(host: &Host) -> Option<Finding> {
    let sockets: Vec<(&str, Metadata)> = sockets(host).collect();
    let mut groups: Vec<String> = sockets
        .iter()
        .filter(|(_, metadata)| metadata.mode() & 0o020 != 0 && metadata.gid() != 0)
        .map(|(_, metadata)| {
            let gid = u64::from(metadata.gid());
            host.accounts.group(gid).map_or_else(|| gid.to_string(), str::to_owned)
        })
        .collect();
    if sockets.is_empty() {
        // As the daemon would make it.
        groups.push(host.settings.get("group").map_or("docker".to_owned(), |setting| setting.text()));
    }
    groups.sort();
    groups.dedup();
    let (severity, why) = match host.is_guarded() {
        true => {
            (Severity::Note, "Dockwarden judges what they ask for, as the daemon asks it; without it they are root.")
        }
        false => (Severity::Warning, "Every one of them is root on this host, without a password and without a trace."),
    };
    let mut finding = Finding::new("docker-group", severity, "").benchmark("1.1.2").why(why).remedy(
        "Let people reach Dockwarden's socket instead of the daemon's, and make that root's only \
             (docs/plugin-install.md, \"Both doors\"); take whom you do not know out: gpasswd -d USER GROUP.",
    );
    let mut members = Vec::new();
    for group in &groups {
        let of_group = host.accounts.members(group);
        if !of_group.is_empty() {
            finding = finding.saw(format!("members of {group}: {}", of_group.join(", ")), None);
            members.extend(of_group);
        }
    }
    members.sort();
    members.dedup();
    finding.title = match members.len() {
        0 => return None,
        1 => format!("A user reaches the daemon by the group {}", groups.join(" and ")),
        count => format!("{count} users reach the daemon by the group {}", groups.join(" and ")),
    };
    Some(finding)
}

/// Containers that have the daemon's socket, or a folder that it is in.
fn mounted(host: &Host) -> Option<Finding> {
    let severity = if host.is_guarded() { Severity::Note } else { Severity::Warning };
    let mut finding = Finding::new("socket-mounted", severity, "")
        .benchmark("5.32")
        .why(
            "What runs there is root on this host: it makes a container that mounts /. Read-only (`:ro`) does not protect: \
             it keeps the file from being replaced, not from being connected to.",
        )
        .remedy("Mount Dockwarden's socket in its place, with a policy for what the container needs (preset `readonly` for dashboards).");
    let containers = host.daemon.as_ref().map(|daemon| daemon.containers.as_slice()).unwrap_or_default();
    for container in containers {
        let mounts = container.get("Mounts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = text(container, "/Names/0").trim_start_matches('/');
        for source in mounts.iter().map(|mount| text(mount, "/Source")).filter(|source| holds_a_socket(host, source)) {
            finding = finding.saw(format!("container {name} ({}) mounts {source}", text(container, "/State")), None);
        }
    }
    finding.title = match finding.seen.len() {
        0 => return None,
        1 => "A container has the daemon's socket".to_owned(),
        count => format!("Containers have the daemon's socket, {count} times"),
    };
    Some(finding)
}

/// Whether a path of the host is one of the daemon's sockets, or a folder above one.
fn holds_a_socket(host: &Host, source: &str) -> bool {
    let source = source.strip_prefix("/var/run").map_or_else(|| source.to_owned(), |rest| format!("/run{rest}"));
    let is_above = |socket: &str| {
        let socket = socket.strip_prefix("/var/run").map_or_else(|| socket.to_owned(), |rest| format!("/run{rest}"));
        std::path::Path::new(&socket).starts_with(&source)
    };
    !source.is_empty() && host.sockets().any(is_above)
}

/// Files that say what the daemon does, in others' hands.
fn writable_files(host: &Host) -> Option<Finding> {
    let mut finding = Finding::new(
        "files-writable",
        Severity::Critical,
        "Others than root can change what Docker does",
    )
    .benchmark("3.17")
    .why("Who writes these files decides how the daemon, which is root, works: a runtime of their own is root's.")
    .remedy("chown root:root and chmod go-w these files.");
    let files = [host.settings.name.as_str(), "/etc/docker", "/etc/subuid", "/etc/subgid", "/etc/default/docker"];
    for file in files {
        let Some(metadata) = host.root.metadata(file) else { continue };
        if metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
            let owner =
                host.accounts.user(metadata.uid().into()).map_or_else(|| metadata.uid().to_string(), str::to_owned);
            finding = finding.saw(format!("{file} belongs to {owner}, mode {:04o}", metadata.mode() & 0o7777), None);
        }
    }
    (!finding.seen.is_empty()).then_some(finding)
}

/// The daemon's own sockets that are there.
fn sockets(host: &Host) -> impl Iterator<Item = (&str, Metadata)> {
    host.sockets().filter_map(|path| Some((path, host.root.metadata(path)?)))
}
