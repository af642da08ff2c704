//! Terms whose values have a form of their own: paths, devices, capabilities, ports, users, namespaces.

use super::super::cedar::quote;
use super::super::target::{Effect, Target, matches};
use super::{Item, Term};

pub(super) const TERMS: &[Term] = &[
    Term {
        key: "mount",
        actions: &["mountHostPath"],
        beside: &["readonly", "propagation", "unresolved", "alone"],
        read: mount,
    },
    Term { key: "device", actions: &["useDevice"], beside: &["permissions"], read: device },
    Term { key: "capability", actions: &["addCapability"], beside: &[], read: capability },
    Term { key: "port", actions: &["publishPort"], beside: &["address", "protocol"], read: port },
    Term { key: "user", actions: &["runAs"], beside: &[], read: user },
    Term { key: "namespace", actions: &["shareNamespace"], beside: &[], read: namespace },
    Term { key: "environment", actions: &[], beside: &[], read: environment },
];

const NAMESPACES: &[&str] = &["pid", "network", "ipc", "uts", "user", "cgroup"];

/// A host path and everything below. To allow it means as far as symbolic links were followed, and
/// without mounts spreading back to the host, unless the rule says otherwise. `alone`: not what is below it.
fn mount(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let path = clean_path(item.value)?;
    let alone = item.flag("alone")?;
    let mut target = if alone { item.target().equal("HostPath", path) } else { item.target().within("HostPath", path) };
    let (read_only, unresolved) = (item.flag("readonly")?, item.flag("unresolved")?);
    let shared = match item.text("propagation")?.as_deref() {
        None => false,
        Some("shared") => true,
        Some(other) => return Err(format!("`propagation` can only be `shared`, not `{other}`")),
    };
    if read_only {
        target = target.when("context.readOnly");
    }
    if item.effect == Effect::Permit && !shared {
        target = target.when("context.propagation != \"shared\" && context.propagation != \"rshared\"");
    }
    if item.effect == Effect::Permit && !unresolved {
        target = target.when("context.resolved");
    }
    if item.effect == Effect::Forbid && shared {
        target = target.when("[\"shared\", \"rshared\"].contains(context.propagation)");
    }
    Ok(vec![target])
}

fn device(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let target = item.target().within("HostPath", clean_path(item.value)?);
    let Some(permissions) = item.text("permissions")? else { return Ok(vec![target]) };
    if permissions.is_empty() || !permissions.chars().all(|c| "rwm".contains(c)) {
        return Err(format!("permissions are some of r, w and m, not `{permissions}`"));
    }
    // What is asked for must be within what is allowed; what is denied must not be asked for at all.
    let letters =
        ["r", "w", "m"].into_iter().filter(|letter| permissions.contains(letter) == (item.effect == Effect::Forbid));
    let asked: Vec<String> = letters.map(|letter| format!("context.permissions like \"*{letter}*\"")).collect();
    Ok(vec![match (item.effect, asked.is_empty()) {
        (_, true) => target,
        (Effect::Permit, false) => target.when(format!("!({})", asked.join(" || "))),
        (Effect::Forbid, false) => target.when(asked.join(" || ")),
    }])
}

fn capability(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let name = item.value.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    match name {
        "*" => Ok(vec![item.target()]),
        _ if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') => {
            Ok(vec![item.target().equal("Capability", name)])
        }
        _ => Err(format!("`{}` is no capability", item.value)),
    }
}

/// `8080`, `8000-8999`, `free`. To allow means that all ports asked for are among these, to deny that
/// any is.
fn port(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let mut target = item.target();
    if item.value == "free" {
        target = target.when("resource.first == 0");
    } else if item.value != "*" {
        let (first, last) = item.value.split_once('-').unwrap_or((item.value, item.value));
        let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number > 0);
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err(format!("`{}` is no port; write 8080, 8000-8999 or free", item.value));
        };
        if first > last {
            return Err(format!("`{}` holds no port", item.value));
        }
        target = target.when(match item.effect {
            Effect::Permit => format!("resource.first >= {first} && resource.last <= {last}"),
            Effect::Forbid => format!("resource.first <= {last} && resource.last >= {first}"),
        });
    }
    if let Some(address) = item.text("address")? {
        let host = address.split_once('/').map_or(address.as_str(), |(host, _)| host);
        if host.parse::<std::net::IpAddr>().is_err() {
            return Err(format!("`{address}` is no address"));
        }
        let inside = format!("resource.address.isInRange(ip({}))", quote(&address));
        target = target.when(match item.effect {
            Effect::Permit => format!("resource has address && {inside}"),
            // No address is every address.
            Effect::Forbid => format!("if resource has address then {inside} else true"),
        });
    }
    Ok(vec![match item.text("protocol")? {
        Some(protocol) => target.when(format!("resource.protocol == {}", quote(&protocol))),
        None => target,
    }])
}

fn user(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let target = item.target();
    Ok(vec![match item.value {
        "root" => target.when("resource.mayBeRoot"),
        "nonroot" => target.when("!resource.mayBeRoot"),
        value if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            let uid: u32 = value.parse().map_err(|_| format!("`{value}` is no user id"))?;
            target.when(format!("resource has uid && resource.uid == {uid}"))
        }
        value if value.contains(':') => {
            return Err("a user is root, nonroot, a number or a name, without a group".to_owned());
        }
        value => matches("resource.name", value).into_iter().fold(target, Target::when),
    }])
}

/// `NAME=value`, or `NAME` with any value. Only what makes a container or a service is asked: what one has already holds the
/// variables of its image too. There is nothing to allow, as variables are no privilege.
fn environment(item: &Item<'_>) -> Result<Vec<Target>, String> {
    if item.effect == Effect::Permit {
        return Err("variables can only be denied: they are no privilege, and need no rule that allows them".to_owned());
    }
    variable(item.value)
        .map(|target| vec![target])
        .ok_or_else(|| "this is no variable; write NAME or NAME=value".to_owned())
}

/// Whatever makes something with this variable.
pub(in super::super) fn variable(variable: &str) -> Option<Target> {
    let (name, list) = match variable.split_once('=') {
        Some((name, _)) => (name, "variables"),
        None => (variable, "environment"),
    };
    let target = Target::actions(["ContainerCreate", "ServiceCreate", "ServiceUpdate"]);
    (!name.is_empty() && !variable.contains('\0'))
        .then(|| target.when(format!("context has spec && context.spec.{list}.contains({})", quote(variable))))
}

/// `host`, `host/pid`, `container`, `container/pid`, `*`.
fn namespace(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let (with, kind) = item.value.split_once('/').map_or((item.value, None), |(with, kind)| (with, Some(kind)));
    let kind = kind.map(|kind| if kind == "net" { "network" } else { kind });
    if kind.is_some_and(|kind| !NAMESPACES.contains(&kind)) {
        return Err(format!("there is no such namespace; one of {}", NAMESPACES.join(", ")));
    }
    let one = |kind: &str| item.target().equal("Namespace", &format!("host/{kind}"));
    match (with, kind) {
        ("*", None) => Ok(vec![item.target()]),
        ("host", Some(kind)) => Ok(vec![one(kind)]),
        ("host", None) => Ok(NAMESPACES.iter().map(|kind| one(kind)).collect()),
        ("container", kind) => {
            let target = item.target().of_type("Container");
            Ok(vec![
                kind.map(|kind| format!("context.namespace == {}", quote(kind))).into_iter().fold(target, Target::when),
            ])
        }
        _ => Err(format!("`{}` is no namespace; write host/pid or container/pid", item.value)),
    }
}

/// An absolute path as the daemon would clean it.
fn clean_path(path: &str) -> Result<&str, String> {
    let clean =
        path == "/" || (path.starts_with('/') && path.split('/').skip(1).all(|part| !matches!(part, "" | "." | "..")));
    if clean {
        Ok(path)
    } else {
        Err(format!("`{path}` is no absolute path without `.`, `..` and doubled or trailing slashes"))
    }
}
