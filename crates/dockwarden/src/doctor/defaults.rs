//! What containers get from the daemon where nobody says: what they may do, reach and fill, and where their images come from.

use serde_json::Value;

use super::finding::{Edit, Finding, Place, Severity};
use super::host::{Host, text};

/// Looks at all of it.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    found.extend(new_privileges(host));
    found.extend(seccomp(host));
    found.extend(between_containers(host));
    found.extend(live_restore(host));
    found.extend(logs(host));
    found.extend(insecure_registries(host));
    found.extend(content_trust(host));
}

/// Programs that run as their owner may gain what their container was not given.
fn new_privileges(host: &Host) -> Option<Finding> {
    let running = host.has_option("no-new-privileges").filter(|on| *on);
    if host.settings.is_on("no-new-privileges") == Some(true) || running.is_some() {
        return None;
    }
    let title = "Containers may gain privileges by setuid programs";
    let finding = Finding::new("new-privileges", Severity::Warning, title)
        .benchmark("2.14")
        .why("A process that was started as nobody in particular becomes its container's root by any setuid program in the image.")
        .remedy("Set no-new-privileges; sudo, su and ping in containers stop working where they stand on setuid.");
    Some(switch(host, finding, "no-new-privileges", true))
}

/// System calls are not filtered.
fn seccomp(host: &Host) -> Option<Finding> {
    let profile = host.settings.get("seccomp-profile").filter(|profile| profile.text() == "unconfined");
    let running = host.has_option("seccomp");
    if profile.is_none() && running != Some(false) {
        return None;
    }
    let finding = Finding::new("seccomp-off", Severity::Warning, "System calls of containers are not filtered")
        .benchmark("5.22")
        .why("The holes of the kernel by which containers were left are mostly in calls that the daemon's own profile refuses.");
    Some(match profile {
        Some(profile) => {
            finding.remedy("Take seccomp-profile out.").saw("seccomp-profile: unconfined", Some(&profile.place))
        }
        None => finding
            .remedy("Use a kernel with CONFIG_SECCOMP_FILTER, and a daemon that was built with seccomp.")
            .saw("the daemon says that it has no seccomp", None),
    })
}

/// Containers of the default network reach one another.
fn between_containers(host: &Host) -> Option<Finding> {
    let bridge = host.daemon.as_ref().ok().map(|daemon| &daemon.bridge);
    let running =
        bridge.map(|bridge| text(bridge, "/Options/com.docker.network.bridge.enable_icc")).unwrap_or_default();
    let has_bridge = bridge.map_or_else(
        || host.settings.get("bridge").is_none_or(|bridge| bridge.text() != "none"),
        |bridge| !bridge.is_null(),
    );
    let configured = host.settings.is_on("icc");
    if !has_bridge || (configured == Some(false) && running != "true") || running == "false" {
        return None;
    }
    let title = "Containers of the default network reach one another";
    let finding = Finding::new("icc", Severity::Note, title)
        .benchmark("2.2")
        .why("One that is taken over attacks its neighbours, by any port that they listen on.")
        .remedy("Set icc to false. Containers that belong together get a network of their own: docker network create.");
    if configured == Some(false) {
        return Some(pending(host, finding, "icc"));
    }
    let iptables = host.settings.get("iptables").filter(|iptables| !iptables.is_on());
    Some(match iptables {
        // A daemon that is told both does not start.
        Some(iptables) => finding
            .remedy("Let Docker set rules of the firewall first (iptables), then set icc to false: without, the daemon does not start.")
            .saw(format!("iptables is {}", iptables.text()), Some(&iptables.place)),
        None => switch(host, finding, "icc", false),
    })
}

/// Containers end with the daemon.
fn live_restore(host: &Host) -> Option<Finding> {
    let running = host.info("/LiveRestoreEnabled").and_then(Value::as_bool);
    let configured = host.settings.is_on("live-restore") == Some(true);
    // A swarm does not go with it: the daemon would not start.
    let says = host.info("/Swarm/LocalNodeState").map(|state| state == "active");
    let in_swarm = says.unwrap_or_else(|| host.root.has("/var/lib/docker/swarm/docker-state.json"));
    if running == Some(true) || (configured && running.is_none()) || in_swarm {
        return None;
    }
    let finding = Finding::new("live-restore", Severity::Note, "Containers end when the daemon does")
        .benchmark("2.15")
        .why("An update of Docker, or of its firewall's settings, takes everything down; so it is put off.")
        .remedy("Set live-restore; a reload (SIGHUP) is enough.");
    if configured {
        return Some(pending(host, finding, "live-restore"));
    }
    Some(switch(host, finding, "live-restore", true))
}

/// What containers print fills the disk.
fn logs(host: &Host) -> Option<Finding> {
    let driver = host.settings.get("log-driver");
    let running = host.info("/LoggingDriver").and_then(Value::as_str).map(str::to_owned);
    let name = driver.as_ref().map(|driver| driver.text()).or(running).unwrap_or_else(|| "json-file".to_owned());
    let options = host.settings.all("log-opts");
    let limits = |value: &Value| {
        value.get("max-size").is_some() || value.as_str().is_some_and(|text| text.starts_with("max-size="))
    };
    if name != "json-file" || options.iter().any(|option| limits(&option.value)) {
        return None;
    }
    let mut finding = Finding::new("log-limits", Severity::Warning, "What containers print is kept without a limit")
        .why("Any container fills the disk of the host, and then nothing on it works: records of the firewall are refused too.")
        .remedy("Limit log files; containers that are there keep theirs without a limit until they are made anew.");
    finding = finding.saw("log-driver json-file without max-size", driver.as_ref().map(|driver| &driver.place));
    if host.settings.may_be_set("log-opts") {
        finding = finding
            .edit(Edit::Daemon(&["log-opts", "max-file"], "3".into()))
            .edit(Edit::Daemon(&["log-opts", "max-size"], "10m".into()));
    }
    Some(finding)
}

/// Images come from registries that anybody on the way can be.
fn insecure_registries(host: &Host) -> Option<Finding> {
    let mut finding = Finding::new("insecure-registries", Severity::Warning, "Images are pulled from registries without TLS")
        .benchmark("2.5")
        .why("Whoever is on the way to the registry gives this host images of their own, and sees its passwords.")
        .remedy("Give the registry a certificate, its authority's in /etc/docker/certs.d/HOST:PORT/ca.crt, and take it out of the list.");
    for registry in host.settings.all("insecure-registries") {
        finding = finding.saw(registry.text(), Some(&registry.place));
    }
    (!finding.seen.is_empty()).then_some(finding)
}

/// Clients take images of whoever has the name.
fn content_trust(host: &Host) -> Option<Finding> {
    let folder = host.root.names("/etc/profile.d").into_iter().map(|name| format!("/etc/profile.d/{name}"));
    let files = ["/etc/environment", "/etc/profile"].map(str::to_owned).into_iter().chain(folder);
    let is_set = |text: String| {
        let lines = text.lines().map(|line| line.trim().trim_start_matches("export ").replace(['"', '\''], ""));
        lines.into_iter().any(|line| line.starts_with("DOCKER_CONTENT_TRUST=1"))
    };
    if files.filter_map(|file| host.root.text(&file)).any(is_set) {
        return None;
    }
    let finding = Finding::new("content-trust", Severity::Note, "Images are not checked for who signed them")
        .benchmark("4.5")
        .why("A tag is whatever its registry says today. Content trust is a setting of clients, so it holds for those who want it.")
        .remedy(
            "export DOCKER_CONTENT_TRUST=1 in /etc/profile.d/docker.sh where your images are signed that way; what holds for \
             all users is asked by the firewall (pulls by digest, or `deny` all registries but yours).",
        );
    Some(finding.saw("DOCKER_CONTENT_TRUST is not set for users of this host", None))
}

/// Configured, and not taken by the daemon that runs.
fn pending(host: &Host, finding: Finding, key: &str) -> Finding {
    let place = host.settings.get(key).map(|setting| setting.place);
    let finding = finding.saw(format!("{key} is configured, and not in force"), place.as_ref());
    finding.remedy("Restart Docker.")
}

/// With what a switch is set to, and its change where the file may say it.
fn switch(host: &Host, finding: Finding, key: &'static str, value: bool) -> Finding {
    let set = host.settings.get(key);
    let words =
        set.as_ref().map_or_else(|| format!("{key} is not set"), |setting| format!("{key} is {}", setting.text()));
    let place: Option<&Place> = set.as_ref().map(|setting| &setting.place);
    let finding = finding.saw(words, place);
    let keys: &'static [&'static str] = match key {
        "no-new-privileges" => &["no-new-privileges"],
        "icc" => &["icc"],
        _ => &["live-restore"],
    };
    if host.settings.may_be_set(key) { finding.edit(Edit::Daemon(keys, value.into())) } else { finding }
}
