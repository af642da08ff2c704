//! What the host itself brings: whom the daemon runs as, and what its kernel keeps apart.

use super::finding::{Finding, Severity};
use super::host::Host;
use super::ranges::COUNT;

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    found.extend(rootful(host));
    found.extend(cgroups(host));
    found.extend(confinement(host));
}

/// The daemon is root, and need not be.
fn rootful(host: &Host) -> Option<Finding> {
    if host.has_option("rootless") == Some(true) {
        return None;
    }
    let lacking = lacking(host);
    let finding = Finding::new("rootful", Severity::Note, match lacking.is_empty() {
        true => "Docker runs as root; rootless is possible here",
        false => "Docker runs as root; rootless is not possible here as it is",
    })
    .benchmark("2.1")
    .why("What goes wrong in a daemon that is root goes wrong as root. A rootless one is one user, who can be taken over, and no more.")
    .remedy("For users who need a Docker of their own: dockerd-rootless-setuptool.sh install. docs/doctor.md says what works in it, and what does not.");
    Some(match lacking.is_empty() {
        true => finding.saw("newuidmap, user namespaces and subordinate ids are there", None),
        false => lacking.into_iter().fold(finding, |finding, words| finding.saw(words, None)),
    })
}

/// What rootless Docker would need.
fn lacking(host: &Host) -> Vec<String> {
    let mut lacking = Vec::new();
    let programs = ["newuidmap", "newgidmap"].into_iter().filter(|name| !host.root.has(&format!("/usr/bin/{name}")));
    lacking.extend(programs.map(|name| format!("there is no /usr/bin/{name} (package uidmap)")));
    if !STARTERS.iter().any(|file| host.root.has(file)) {
        lacking.push(
            "there is no dockerd-rootless.sh (package docker-ce-rootless-extras, or docker.io with rootlesskit)"
                .to_owned(),
        );
    }
    let kernel = |file: &str| host.root.text(file).map(|text| text.trim().to_owned());
    for (file, refusing) in KERNEL {
        if kernel(file).as_deref() == Some(*refusing) {
            lacking.push(format!("{file} is {refusing}: the kernel lets no user make a user namespace"));
        }
    }
    let enough = |entry: &super::ranges::Entry| entry.range.count >= COUNT;
    let someone = host.subuid.entries.iter().any(|entry| {
        enough(entry) && host.subgid.entries.iter().any(|other| other.user == entry.user && enough(other))
    });
    if !someone {
        lacking.push(format!("no user has {COUNT} subordinate ids in /etc/subuid and in /etc/subgid"));
    }
    lacking
}

/// The old control groups.
fn cgroups(host: &Host) -> Option<Finding> {
    let said = host.info("/CgroupVersion").and_then(serde_json::Value::as_str);
    let there = host.root.has("/sys/fs/cgroup");
    let version = said.or_else(|| match (there, host.root.has("/sys/fs/cgroup/cgroup.controllers")) {
        (_, true) => Some("2"),
        (true, false) => Some("1"),
        (false, false) => None,
    });
    if version != Some("1") {
        return None;
    }
    let finding = Finding::new("cgroup-v1", Severity::Note, "Control groups are of version 1")
        .why(
            "A container with SYS_ADMIN leaves it by their release_agent, containers see the host's groups unless asked \
             otherwise, and rootless daemons cannot limit anything.",
        )
        .remedy("Start the kernel with systemd.unified_cgroup_hierarchy=1, or update the distribution: all current ones use version 2.");
    Some(finding.saw("/sys/fs/cgroup has no cgroup.controllers", None))
}

/// No security module confines containers.
fn confinement(host: &Host) -> Option<Finding> {
    let enabled = |file: &str| host.root.text(file).is_some_and(|text| matches!(text.trim(), "Y" | "1"));
    let apparmor = host
        .has_option("apparmor")
        .or_else(|| host.root.has("/sys/module").then(|| enabled("/sys/module/apparmor/parameters/enabled")));
    let selinux = host.has_option("selinux") == Some(true) || enabled("/sys/fs/selinux/enforce");
    if apparmor != Some(false) || selinux {
        return None;
    }
    let finding = Finding::new("no-mac", Severity::Note, "Neither AppArmor nor SELinux confines containers")
        .benchmark("5.2")
        .why("Writes to /proc and /sys, mounts and ptrace out of a container with too many capabilities are stopped by these alone.")
        .remedy("Start the kernel with apparmor=1 security=apparmor and install the package apparmor; or SELinux and selinux-enabled.");
    Some(finding.saw("the daemon has neither", None))
}

/// What starts a rootless daemon.
const STARTERS: &[&str] = &["/usr/bin/dockerd-rootless.sh", "/usr/share/docker.io/contrib/dockerd-rootless.sh"];
/// Switches of the kernel, with the value by which users get no user namespaces.
const KERNEL: &[(&str, &str)] = &[
    ("/proc/sys/user/max_user_namespaces", "0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
];
