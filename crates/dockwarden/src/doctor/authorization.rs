//! Whom the daemon asks before it does something, and whether they can be relied on.

use super::finding::{Finding, Severity};
use super::host::{Answer, Host};
use crate::engine::daemon::Asks;
use crate::engine::is_own;

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    found.extend(nobody(host));
    found.extend(silent(host));
    found.extend(not_asked(host));
    found.extend(not_ours(host));
}

/// The daemon asks nobody.
fn nobody(host: &Host) -> Option<Finding> {
    if !host.plugins.is_empty() {
        return None;
    }
    let only_root = roots_only(host);
    let (severity, title) = match only_root {
        true => (Severity::Note, "The daemon asks no authorization plugin; its socket is root's only"),
        false => (Severity::Warning, "The daemon asks no authorization plugin"),
    };
    let finding = Finding::new("no-authorization", severity, title)
        .benchmark("2.12")
        .why(match only_root {
            true => "A gateway in front of it, such as Dockwarden's, is the only wall: what reaches the socket otherwise is not asked.",
            false => "Whoever reaches the socket may do everything, and everything includes being root on this host.",
        })
        .remedy(
            "dockwarden plugin install, which starts the plugin before the daemon is told of it: a daemon that is told of \
             a plugin that does not answer ends.",
        );
    Some(finding.saw(format!("{} names no authorization-plugins", host.settings.name), None))
}

/// One that it asks does not answer.
fn silent(host: &Host) -> Option<Finding> {
    let mut finding = Finding::new("plugin-silent", Severity::Critical, "An authorization plugin does not answer")
        .benchmark("2.12")
        .why("Docker refuses everything while it waits for it, and does not come up after its next start or reload.")
        .remedy("Start the plugin; or take it out of the list: for Dockwarden's by `dockwarden plugin rescue`, for others with --name NAME.");
    for plugin in &host.plugins {
        if let Answer::No(why) = &plugin.answer {
            finding = finding.saw(format!("{}: {why}", plugin.name), Some(&plugin.place));
        }
    }
    (!finding.seen.is_empty()).then_some(finding)
}

/// Dockwarden is in the list, and the daemon does not ask it.
fn not_asked(host: &Host) -> Option<Finding> {
    let own = host.plugins.iter().find(|plugin| is_own(&plugin.name))?;
    let words = match host.asks.as_ref()? {
        Asks::Nobody => "the daemon does not ask it: it was disabled, or the file was changed and not read".to_owned(),
        Asks::Broken(words) => format!("the daemon fails where it should ask: {words}"),
        Asks::Us | Asks::Another(_) | Asks::Silent(_) => return None,
    };
    let finding = Finding::new("firewall-off", Severity::Critical, "Dockwarden is configured, and not in force")
        .why("What comes by the daemon's own socket is not judged, although it looks as if it were.")
        .remedy("dockwarden plugin status says what is wrong; `dockwarden plugin uninstall`, then `install`, puts it right.");
    Some(finding.saw(words, Some(&own.place)))
}

/// Others are asked, and Dockwarden is not.
fn not_ours(host: &Host) -> Option<Finding> {
    let others: Vec<&str> = host.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    if others.is_empty() || others.iter().any(|name| is_own(name)) || roots_only(host) {
        return None;
    }
    let title = "Dockwarden does not stand in the way of the daemon's own socket";
    let finding = Finding::new("around-dockwarden", Severity::Note, title)
        .why("Who uses the daemon's socket instead of the gateway's is judged by the other plugins alone.")
        .remedy("Make the daemon's socket root's only, or dockwarden plugin install: plugins are asked one after the other.");
    Some(
        finding.saw(format!("the daemon asks {}", others.join(", ")), host.plugins.first().map(|plugin| &plugin.place)),
    )
}

/// Whether nobody but root reaches the daemon, as far as that can be seen.
fn roots_only(host: &Host) -> bool {
    use std::os::unix::fs::MetadataExt;
    let by_network = host.listens.iter().any(|listens| !listens.address.starts_with("unix://"));
    let mut sockets = host.sockets().map(|path| host.root.metadata(path)).peekable();
    let closed = |mode: u32, uid: u32, gid: u32| uid == 0 && mode & 0o002 == 0 && (gid == 0 || mode & 0o020 == 0);
    !by_network
        && sockets.peek().is_some()
        && sockets.all(|found| found.is_some_and(|found| closed(found.mode(), found.uid(), found.gid())))
}
