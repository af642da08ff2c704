//! The rule that would let a refused thing pass, in the words of the configuration file.

use docker::endpoint::{Kind, Operation};
use docker::facts::Facts;
use docker::privilege::{HostMount, Namespace, Peer, Privilege, PublishedPort, Uid};
use docker::resource::Resource;

use super::printable;
use crate::source::command;

/// A rule that allows something.
pub(super) struct Rule {
    what: String,
    /// The one thing that it should be limited to.
    on: Option<String>,
}

/// The rule for the question at this place: the resources first, then the privileges. `None` for what
/// nobody should allow in passing.
pub(super) fn rule(facts: &Facts, at: usize) -> Option<Rule> {
    let Some(at) = at.checked_sub(facts.resources.len()) else {
        return operation(facts.operation, facts.resources.get(at)?);
    };
    Some(Rule { what: term(facts.privileges.get(at)?)?, on: None })
}

/// Rules as they are added to the configuration, on one line.
pub(super) fn together(rules: &[Rule]) -> Option<String> {
    let lone = |rule: &Rule| match &rule.on {
        Some(name) => format!("- {{ allow: {}, on: {{ name: {} }} }}", rule.what, scalar(name)),
        None => format!("- allow: {}", rule.what),
    };
    match rules {
        [] => None,
        [rule] => Some(format!("the rule: {}", lone(rule))),
        rules if rules.iter().all(|rule| rule.on.is_none()) => {
            let mut what: Vec<&str> = rules.iter().map(|rule| rule.what.as_str()).collect();
            what.dedup();
            Some(format!("the rule: - allow: [{}]", what.join(", ")))
        }
        rules => Some(format!("the rules: {}", rules.iter().map(lone).collect::<Vec<_>>().join(" and "))),
    }
}

/// An operation by the command that it makes up, on the one thing where that has a name.
fn operation(operation: Operation, resource: &Resource) -> Option<Rule> {
    // What is not looked into is allowed on purpose or not at all.
    if matches!(operation, Operation::Grpc | Operation::Session) {
        return None;
    }
    let what = command(operation.name()).unwrap_or(operation.name()).to_owned();
    let on = match resource {
        Resource::Container(container) => Some(container.name.clone()),
        Resource::Volume(volume) => Some(volume.name.clone()),
        Resource::Network(network) => Some(network.name.clone()),
        // Tasks come and go.
        Resource::Thing(thing) if thing.kind != Kind::Task => Some(thing.name.clone()),
        Resource::Daemon | Resource::Image(_) | Resource::Thing(_) => None,
    };
    Some(Rule { what, on: on.filter(|name| !name.contains('*') && printable(name) == *name) })
}

fn term(privilege: &Privilege) -> Option<String> {
    Some(match privilege {
        Privilege::Privileged => "privileged".to_owned(),
        Privilege::MountHostPath(mount) => host_path(mount),
        Privilege::MountVolume { volume, read_only, .. } if !volume.name.is_empty() => {
            with_read_only(pair("volume", &volume.name), *read_only)
        }
        Privilege::MountVolume { .. } => pair("volume", "*"),
        Privilege::MountImage { image, .. } | Privilege::UseImage { image } | Privilege::PullImage { image } => {
            pair("image", &image.describe())
        }
        Privilege::NameImage { image } => pair("name_image", &image.describe()),
        Privilege::MountTmpfs { .. } => "tmpfs".to_owned(),
        Privilege::MountVolumesFrom { container, .. } => pair("volumes_from", &container.name),
        Privilege::LinkContainer { container } => pair("link", &container.name),
        Privilege::UseVolumeDriver { driver } => pair("volume_driver", driver),
        Privilege::SetVolumeOption { name, value } => pair("volume_option", &shown(name, value)),
        Privilege::ShareNamespace { namespace, with } => shared(*namespace, with)?,
        Privilege::AddCapability { name } => pair("capability", name),
        Privilege::UseDevice { path, permissions } => map(&[("device", path), ("permissions", permissions)]),
        Privilege::RequestDevice { driver, .. } => pair("device_driver", driver),
        Privilege::AllowDeviceClass { rule } => pair("device_class", rule),
        Privilege::SetSecurityOption { name, value } => pair("security_option", &format!("{name}={value}")),
        Privilege::ExposeKernelFiles { list } => pair("kernel_files", list),
        Privilege::SetSysctl { name, .. } => pair("sysctl", name),
        Privilege::UseRuntime { name } => pair("runtime", name),
        Privilege::SetCgroupParent { path } => pair("cgroup_parent", path),
        Privilege::PublishPort(port) => published(port),
        Privilege::PublishAllPorts => "publish_all_ports".to_owned(),
        Privilege::UseBuildsOfOthers => "builds_of_others".to_owned(),
        Privilege::RunAs(user) => match user.uid {
            Uid::Number(0) | Uid::Unknown => pair("user", "root"),
            Uid::Number(uid) => pair("user", &uid.to_string()),
        },
        Privilege::JoinGroup { group } => pair("group", group),
        Privilege::UseLogDriver { driver, .. } => pair("log_driver", driver),
        Privilege::ImportImage { .. } => "import".to_owned(),
        Privilege::LoadImages { .. } => "load".to_owned(),
        Privilege::ContactRegistry { registry } => pair("registry", registry),
        Privilege::JoinNetwork { network } => pair("network", &network.name),
        Privilege::UseNetworkDriver { driver } => pair("network_driver", driver),
        Privilege::SetNetworkOption { name, value } => pair("network_option", &shown(name, value)),
        Privilege::SetMacAddress { .. } => "mac_address".to_owned(),
        Privilege::SetUlimit { name, .. } => pair("ulimit", name),
        Privilege::Prioritise { what, .. } => pair("priority", what),
        Privilege::SetStorageOption { name, .. } => pair("storage_option", name),
        Privilege::Annotate { name } => pair("annotation", name),
        Privilege::Checkpoint { .. } => "checkpoint".to_owned(),
        // A place with a login in it is not repeated.
        Privilege::FetchBuildContext { from } if from.contains(['@', '?']) => return None,
        Privilege::FetchBuildContext { from } => pair("build_context", from),
        Privilege::SetBuildOption { name, .. } => pair("build_option", name),
        Privilege::BuildRun { .. } => "build_run".to_owned(),
        Privilege::BuildFetch { from } if from.contains(['@', '?', '$']) => return None,
        Privilege::BuildFetch { from } => pair("build_fetch", from),
        Privilege::PushImage { image } => pair("push_image", &image.describe()),
        Privilege::UseFrontend { image: Some(image) } => pair("frontend", &image.describe()),
        // Whichever it names: that should be allowed on purpose.
        Privilege::UseFrontend { image: None } => return None,
        Privilege::MountBuildCache { id, .. } => pair("build_cache", id),
        Privilege::UseBuildCache { kind, .. } => pair("cache_store", kind),
        Privilege::UseBuildSecret { id, .. } => pair("build_secret", id),
        Privilege::CopySpecialFile { kind, .. } => pair("special_file", kind.name()),
        Privilege::UseSecret { secret } => pair("use_secret", &secret.name),
        Privilege::UseConfig { config } => pair("use_config", &config.name),
        Privilege::UseSecretDriver { driver } => pair("secret_driver", driver),
        Privilege::SetSwarmOption { name, value } => pair("swarm_option", &swarm_option(name, value)),
        Privilege::InstallPlugin { image } => pair("install_plugin", &image.describe()),
        // Whoever allows what nobody has looked at should do so on purpose.
        Privilege::Unexamined { .. } => return None,
    })
}

/// An option with its value where that cannot be a secret.
fn shown(name: &str, value: &str) -> String {
    match name {
        "type" | "subnet" => format!("{name}={value}"),
        _ => name.to_owned(),
    }
}

/// A swarm's option; an address that may hold a login or a pattern is left out.
fn swarm_option(name: &str, value: &str) -> String {
    match name {
        "manager" | "role" if !value.contains('*') => format!("{name}={value}"),
        _ => name.to_owned(),
    }
}

fn host_path(mount: &HostMount) -> String {
    let mut pairs = vec![("mount", mount.path.as_str())];
    if mount.read_only {
        pairs.push(("readonly", "true"));
    }
    if matches!(mount.propagation.as_str(), "shared" | "rshared") {
        pairs.push(("propagation", "shared"));
    }
    if !mount.resolved {
        pairs.push(("unresolved", "true"));
    }
    map(&pairs)
}

fn shared(namespace: Namespace, with: &Peer) -> Option<String> {
    match with {
        Peer::Host => Some(pair("namespace", &format!("host/{}", namespace.name()))),
        Peer::Container(_) => Some(pair("namespace", "container")),
        Peer::Unknown(_) => None,
    }
}

fn published(port: &PublishedPort) -> String {
    let ports = match (port.first, port.last) {
        (0, _) => "free".to_owned(),
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    pair("port", &ports)
}

fn with_read_only(text: String, read_only: bool) -> String {
    match text.strip_suffix(" }") {
        Some(start) if read_only => format!("{start}, readonly: true }}"),
        _ => text,
    }
}

fn pair(key: &str, value: &str) -> String {
    map(&[(key, value)])
}

/// A YAML mapping on one line. Values that YAML could read otherwise are quoted.
fn map(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {}", scalar(value))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn scalar(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=' | '@');
    let value = printable(value);
    let starts_plain = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let colons = !value.contains(": ") && !value.ends_with(':');
    if starts_plain && colons && value.chars().all(|c| plain(c) || c == ':') {
        value
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
