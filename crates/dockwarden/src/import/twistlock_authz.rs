//! Twistlock's authorization plugin: a policy a line, each a JSON object with users and the actions that they may do.
//!
//! An action is a regular expression over the names that the plugin has for calls: `container` is all that begins with it,
//! the empty one is everything. A user is the name of a certificate; the empty one is who shows none.

use docker::endpoint::{ENDPOINTS, Operation};
use docker::http::Method;
use policy::{Diagnostics, NamedText};
use regex::Regex;
use serde::Deserialize;

use super::plan::{Grant, Plan};
use super::{Faults, advice};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    #[serde(default)]
    name: String,
    users: Vec<String>,
    actions: Vec<String>,
    #[serde(default)]
    readonly: bool,
}

/// Reads a file of policies.
pub fn read(file: &NamedText) -> Result<Plan, Diagnostics> {
    let mut faults = Faults::new(file);
    let mut plan = Plan::of("twistlock-authz", file);
    plan.leave(
        "where the daemon asks: it was an authorization plugin, so say `dockwarden plugin install`, or listen for clients with \
         certificates (docs/plugin.md); users are the names of certificates",
    );
    let mut policies: Vec<(usize, Policy)> = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Policy>(line) {
            Ok(policy) => policies.push((number, policy)),
            Err(error) => {
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                let help = r#"a policy is one line: {"name":"ops","users":["alice"],"actions":["container"]}"#;
                faults.helped(number, error.column().max(1), format!("this is no policy: {message}"), help);
            }
        }
    }
    once(&policies, &mut faults);
    for (line, policy) in &policies {
        let operations = operations(policy, *line, &mut faults);
        let what = format!("policy {}{}", policy.name, if policy.readonly { ", readonly" } else { "" });
        let origin = plan.origin(*line, &what);
        if operations.is_empty() {
            continue;
        }
        let users = policy.users.iter().map(|user| match user.as_str() {
            "" => NAMELESS.to_owned(),
            user => format!("user:{user}"),
        });
        plan.add(Grant { origin, operations, to: users.collect(), ..Grant::default() });
    }
    faults.unless_any(plan)
}

/// A user who stands in two policies got what one of them said, as it came.
fn once(policies: &[(usize, Policy)], faults: &mut Faults<'_>) {
    let mut named: Vec<&str> = Vec::new();
    for (line, policy) in policies {
        if policy.users.is_empty() {
            faults.at(*line, 1, "this policy is for nobody");
        }
        for user in &policy.users {
            if named.contains(&user.as_str()) {
                let who = if user.is_empty() { "who has no name".to_owned() } else { format!("`{user}`") };
                faults.helped(
                    *line,
                    1,
                    format!("{who} has a policy already"),
                    "a user has one: put their actions together",
                );
            }
            named.push(user);
        }
    }
}

fn operations(policy: &Policy, line: usize, faults: &mut Faults<'_>) -> Vec<Operation> {
    let mut operations = Vec::new();
    for action in &policy.actions {
        let pattern = match Regex::new(action) {
            Ok(pattern) => pattern,
            Err(_) => {
                faults.at(line, 1, format!("action `{action}` is no regular expression"));
                continue;
            }
        };
        let meant = ENDPOINTS.iter().filter(|endpoint| !policy.readonly || endpoint.method == Method::Get);
        let meant = meant.map(|endpoint| endpoint.operation).filter(|operation| pattern.is_match(called(*operation)));
        let known = ACTIONS.iter().any(|(name, _)| pattern.is_match(name));
        if !known {
            let names: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).collect();
            faults.helped(line, 1, format!("there is no action like `{action}`"), advice(action, &names));
        }
        operations.extend(meant);
    }
    operations.sort();
    operations.dedup();
    operations
}

/// The plugin's name for a call; empty for those that it had none for.
fn called(operation: Operation) -> &'static str {
    ACTIONS.iter().find(|(_, operations)| operations.contains(&operation)).map_or("", |(name, _)| *name)
}

/// Whoever asks on the daemon's own socket.
const NAMELESS: &str = "user:socket:daemon";

const ACTIONS: &[(&str, &[Operation])] = &[
    ("container_archive", &[Operation::ContainerArchive]),
    ("container_archive_extract", &[Operation::PutContainerArchive]),
    ("container_archive_info", &[Operation::ContainerArchiveInfo]),
    ("container_attach", &[Operation::ContainerAttach]),
    ("container_attach_websocket", &[Operation::ContainerAttachWebsocket]),
    ("container_changes", &[Operation::ContainerChanges]),
    ("container_commit", &[Operation::ImageCommit]),
    ("container_copyfiles", &[Operation::ContainerCopy]),
    ("container_create", &[Operation::ContainerCreate]),
    ("container_delete", &[Operation::ContainerDelete]),
    ("container_exec_create", &[Operation::ContainerExec]),
    ("container_exec_inspect", &[Operation::ExecInspect]),
    ("container_exec_start", &[Operation::ExecStart]),
    ("container_export", &[Operation::ContainerExport]),
    ("container_inspect", &[Operation::ContainerInspect]),
    ("container_kill", &[Operation::ContainerKill]),
    ("container_list", &[Operation::ContainerList]),
    ("container_logs", &[Operation::ContainerLogs]),
    ("container_pause", &[Operation::ContainerPause]),
    ("container_rename", &[Operation::ContainerRename]),
    ("container_resize", &[Operation::ContainerResize]),
    ("container_restart", &[Operation::ContainerRestart]),
    ("container_start", &[Operation::ContainerStart]),
    ("container_stats", &[Operation::ContainerStats]),
    ("container_stop", &[Operation::ContainerStop]),
    ("container_top", &[Operation::ContainerTop]),
    ("container_unpause", &[Operation::ContainerUnpause]),
    ("container_wait", &[Operation::ContainerWait]),
    ("docker_auth", &[Operation::SystemAuth]),
    ("docker_events", &[Operation::SystemEvents]),
    ("docker_info", &[Operation::SystemInfo]),
    ("docker_ping", &[Operation::SystemPing, Operation::SystemPingHead]),
    ("docker_version", &[Operation::SystemVersion]),
    ("image_build", &[Operation::ImageBuild]),
    ("image_create", &[Operation::ImageCreate]),
    ("image_delete", &[Operation::ImageDelete]),
    ("image_history", &[Operation::ImageHistory]),
    ("image_inspect", &[Operation::ImageInspect]),
    ("image_list", &[Operation::ImageList]),
    ("image_push", &[Operation::ImagePush]),
    ("image_tag", &[Operation::ImageTag]),
    ("images_archive", &[Operation::ImageGet]),
    ("images_load", &[Operation::ImageLoad]),
    ("images_search", &[Operation::ImageSearch]),
    ("network_connect", &[Operation::NetworkConnect]),
    ("network_create", &[Operation::NetworkCreate]),
    ("network_disconnect", &[Operation::NetworkDisconnect]),
    ("network_inspect", &[Operation::NetworkInspect]),
    ("network_list", &[Operation::NetworkList, Operation::NetworkListSlash]),
    ("network_remove", &[Operation::NetworkDelete]),
    ("volume_create", &[Operation::VolumeCreate]),
    ("volume_inspect", &[Operation::VolumeInspect]),
    ("volume_list", &[Operation::VolumeList]),
    ("volume_remove", &[Operation::VolumeDelete]),
];
