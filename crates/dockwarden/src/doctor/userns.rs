//! Whether root in containers is root on the host, and whether subordinate ids keep those apart whom they should.

use super::finding::{Edit, Finding, Place, Severity};
use super::host::Host;
use super::ranges::{COUNT, Entry, Range, Ranges, free};

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    found.extend(off(host));
    found.extend(pending(host));
    found.extend(overlaps(host));
    found.extend(owned(host));
    found.extend(lacking(host));
}

/// The user whose ids root in containers has, where it has other ones than the host's root: its name, and where that is
/// written.
pub fn remapped(host: &Host) -> Option<(String, Place)> {
    let setting = host.settings.get("userns-remap")?;
    let text = setting.text();
    let user = match text.split(':').next().unwrap_or_default() {
        "" | "host" => return None,
        "default" => DEFAULT,
        user => user,
    };
    let by_uid = user.parse().ok().and_then(|uid| host.accounts.user(uid));
    Some((by_uid.unwrap_or(user).to_owned(), setting.place))
}

/// Root in containers is root on the host.
fn off(host: &Host) -> Option<Finding> {
    let rootless = host.has_option("rootless") == Some(true);
    if rootless || remapped(host).is_some() || host.has_option("userns") == Some(true) {
        return None;
    }
    let mut finding = Finding::new("userns-off", Severity::Warning, "Root in a container is root on this host")
        .benchmark("2.9")
        .why(
            "What gets out of a container, by a hole of the kernel or by a mount that should not be there, is the host's root. \
             With user namespaces it is nobody.",
        )
        .remedy(
            "Set userns-remap. Images, containers and volumes of before are not seen any more while it is on (the daemon keeps \
             its things elsewhere then), containers with --privileged or --network host need --userns host, and files that \
             are mounted belong to other ids inside. Where root is needed after all, drop MKNOD \
             (`defaults: { drop_capabilities: [MKNOD] }`).",
        )
        .saw("userns-remap is not set", None);
    let store = host.settings.get("features").filter(|features| {
        features.value.get("containerd-snapshotter").is_some_and(|on| *on == serde_json::Value::Bool(true))
    });
    if let Some(store) = store {
        finding = finding
            .saw("the image store is containerd's, which not all versions have with userns-remap", Some(&store.place));
    } else if host.settings.may_be_set("userns-remap") {
        finding = finding.edit(Edit::Daemon(&["userns-remap"], "default".into()));
        finding.edits.extend(missing(host, &[DEFAULT], DEFAULT));
    }
    Some(finding)
}

/// It is configured, and the daemon has not taken it.
fn pending(host: &Host) -> Option<Finding> {
    let (user, place) = remapped(host)?;
    if host.has_option("userns") != Some(false) {
        return None;
    }
    let finding = Finding::new("userns-pending", Severity::Warning, "userns-remap is configured, and not in force")
        .benchmark("2.9")
        .why("The running daemon was started before: root in its containers is still root on this host.")
        .remedy("Restart Docker; containers stop.");
    Some(finding.saw(format!("userns-remap: {user}"), Some(&place)))
}

/// Two users share subordinate ids.
fn overlaps(host: &Host) -> Option<Finding> {
    let docker = remapped(host).map_or_else(|| DEFAULT.to_owned(), |(user, _)| user);
    let mut finding = Finding::new("subid-overlap", Severity::Warning, "Two users share subordinate ids")
        .benchmark("2.9")
        .why("Root in a container of the one has the ids, and so the files and processes, of the other's containers.");
    let mut moved = false;
    for ranges in [&host.subuid, &host.subgid] {
        for (one, other) in ranges.overlaps() {
            let words = format!(
                "{}:{} shares ids with {}:{}, line {}",
                other.user, other.range, one.user, one.range, one.place.line
            );
            finding = finding.saw(words, Some(&other.place));
            let is_docker = |entry: &Entry| entry.user == docker;
            let already =
                finding.edits.iter().any(|edit| matches!(edit, Edit::Range(kind, ..) if *kind == ranges.kind));
            if (is_docker(one) || is_docker(other)) && !already {
                moved = true;
                finding.edits.extend(proposed(host).map(|range| Edit::Range(ranges.kind, docker.clone(), range)));
            }
        }
    }
    if finding.seen.is_empty() {
        return None;
    }
    let free =
        proposed(host).map_or_else(|| "no range of 65536 is free".to_owned(), |range| format!("{range} is free"));
    let whose = match moved {
        true => format!(
            "Give {docker} a range of its own ({free} in both files). Where userns-remap is on already, what Docker has stored \
             belongs to the old ids, and is not seen under the new ones."
        ),
        false => format!(
            "Give one of them a range of its own ({free} in both files), then chown what they stored, or for rootless \
             podman: podman system migrate."
        ),
    };
    Some(finding.remedy(whose))
}

/// Subordinate ids that are somebody's real ones.
fn owned(host: &Host) -> Option<Finding> {
    let title = "Subordinate ids are ids that somebody has";
    let mut finding = Finding::new("subid-owned", Severity::Warning, title)
        .benchmark("2.9")
        .why("Who has the range acts as that user or group in a container: reads its files, ends its processes.")
        .remedy(format!(
            "Use a range above all ids in use{}.",
            proposed(host).map_or_else(String::new, |range| format!(", such as {range}"))
        ));
    let files = [
        (&host.subuid, host.accounts.users().collect::<Vec<_>>()),
        (&host.subgid, host.accounts.groups().collect::<Vec<_>>()),
    ];
    for (ranges, ids) in &files {
        for entry in &ranges.entries {
            let inside = ids.iter().filter(|(name, id)| entry.range.contains(*id) && *name != entry.user);
            let names: Vec<String> = inside.map(|(name, id)| format!("{name} ({id})")).collect();
            let root = entry.range.contains(0);
            if root {
                finding.severity = Severity::Critical;
            }
            if root || !names.is_empty() {
                let names = if names.is_empty() { "root (0)".to_owned() } else { few(&names) };
                finding = finding.saw(format!("{}:{} holds {names}", entry.user, entry.range), Some(&entry.place));
            }
        }
    }
    (!finding.seen.is_empty()).then_some(finding)
}

/// The user of userns-remap has no ids, or too few.
fn lacking(host: &Host) -> Option<Finding> {
    let (user, place) = remapped(host)?;
    let uid = host.accounts.uid(&user).map(|uid| uid.to_string()).unwrap_or_default();
    let names = [user.as_str(), uid.as_str()];
    let mut finding = Finding::new("subid-missing", Severity::Warning, format!("{user} has too few subordinate ids"))
        .benchmark("2.9")
        .why(
            "Docker does not start where the user of userns-remap has none (for `default` it makes some), and images with files of \
             ids beyond a short range cannot be unpacked.",
        );
    for ranges in [&host.subuid, &host.subgid] {
        let count = ranges.of_user(&names).map(|entry| entry.range.count).fold(0_u64, u64::saturating_add);
        if count < COUNT {
            finding = finding.saw(format!("{} of them in {}", count, ranges.kind.file()), Some(&place));
        }
    }
    if finding.seen.is_empty() {
        return None;
    }
    finding.edits = missing(host, &names, &user);
    let short = finding.edits.is_empty();
    Some(finding.remedy(match short {
        true => format!("Lengthen its range to {COUNT} ids, where those are free."),
        false => "Give it a range of its own in both files.".to_owned(),
    }))
}

/// Lines for a user who has none.
fn missing(host: &Host, names: &[&str], user: &str) -> Vec<Edit> {
    let lacks = |ranges: &&Ranges| ranges.of_user(names).next().is_none();
    let range = proposed(host);
    let lacking = [&host.subuid, &host.subgid].into_iter().filter(lacks);
    lacking.filter_map(|ranges| Some(Edit::Range(ranges.kind, user.to_owned(), range?))).collect()
}

/// A range that is free in both files, and in no user's or group's hands.
fn proposed(host: &Host) -> Option<Range> {
    let taken: Vec<Range> = host.subuid.entries.iter().chain(&host.subgid.entries).map(|entry| entry.range).collect();
    let minimum = |text: String| {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some("SUB_UID_MIN"))?.to_owned();
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let from = host.root.text("/etc/login.defs").and_then(minimum).unwrap_or(USUAL);
    free(&taken, &host.accounts.ids(), from)
}

/// The first of many.
fn few(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Whom Docker makes for `userns-remap: default`.
const DEFAULT: &str = "dockremap";
/// Where ranges begin, where a host does not say.
const USUAL: u64 = 100_000;
