//! Rehearsal: a daemon that does nothing, for `explain -- docker ...`, where the real client runs its whole course.
//!
//! What was made in a rehearsal is remembered by its made-up id, so that the next request finds it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use docker::body::container::CreateRequest;
use docker::endpoint::Operation;
use docker::image::Reference;
use docker::privilege::run_user;
use docker::request::Reading;
use docker::resource::{Container, Image};
use docker::world::{KnownExec, KnownImage, Lookup, World};
use serde_json::{Value, json};
/// What was made so far.
#[derive(Default)]
pub(crate) struct Rehearsal {
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    containers: HashMap<String, Container>,
    stored: HashMap<String, CreateRequest>,
    execs: HashMap<String, KnownExec>,
    images: Vec<String>,
}

impl Rehearsal {
    /// Tells the world of a thing that was made in the rehearsal.
    pub(crate) fn know(&self, lookup: &Lookup, world: &mut World) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match lookup {
            Lookup::Container(name) => {
                let known = made.containers.values().find(|made| made.id == *name || made.name == *name);
                let known = known.cloned();
                if let Some(known) = &known {
                    world.learn_stored(known.id.clone(), made.stored.get(&known.id).cloned().unwrap_or_default());
                }
                known.map(|known| world.learn_container(name.clone(), Some(known))).is_some()
            }
            Lookup::Exec(id) => {
                made.execs.get(id).map(|known| world.learn_exec(id.clone(), Some(known.clone()))).is_some()
            }
            Lookup::Image(name) if made.images.contains(name) => {
                let names = Reference::parse(name).map(Reference::with_default_tag).into_iter().collect();
                let image = Image { id: Some(format!("sha256:{}", id_of(name))), names, ..Image::default() };
                world.learn_image(name.clone(), Some(KnownImage { image, ..KnownImage::default() }));
                true
            }
            _ => false,
        }
    }

    /// The answer of a daemon that did it.
    pub(crate) fn answer(
        &self,
        operation: Operation,
        names: &[String],
        parameter: impl Fn(&str) -> String,
        body: &Value,
    ) -> (u16, Value) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.first().cloned().unwrap_or_default();
        match operation {
            Operation::ContainerCreate => {
                let (container, stored) = container(&parameter("name"), body);
                made.stored.insert(container.id.clone(), stored);
                let answer = json!({ "Id": container.id, "Warnings": [] });
                made.images.push(container.image.clone());
                made.containers.insert(container.id.clone(), container);
                (201, answer)
            }
            Operation::ContainerExec => {
                let container = made.containers.get(&name).cloned().unwrap_or_default();
                let id = id_of(&name);
                let user = run_user(body["User"].as_str().filter(|user| !user.is_empty()).unwrap_or(&container.user));
                let privileged = body["Privileged"] == true;
                made.execs.insert(id.clone(), KnownExec { id: id.clone(), container, privileged, user });
                (201, json!({ "Id": id }))
            }
            Operation::ImageCreate => {
                let (image, tag) = (parameter("fromImage"), parameter("tag"));
                made.images.push(if tag.is_empty() { image } else { format!("{image}:{tag}") });
                (200, json!({ "status": "not pulled: this is a rehearsal" }))
            }
            Operation::ImageBuild => (200, json!({ "stream": "not built: this is a rehearsal\n" })),
            Operation::VolumeCreate => {
                (201, json!({ "Name": body["Name"], "Driver": "local", "Mountpoint": "", "Scope": "local" }))
            }
            Operation::NetworkCreate => (201, json!({ "Id": id_of(&name), "Warning": "" })),
            Operation::ImageCommit => (201, json!({ "Id": format!("sha256:{}", id_of(&name)) })),
            Operation::ServiceCreate | Operation::SecretCreate | Operation::ConfigCreate => {
                (201, json!({ "ID": swarm_id_of(&body["Name"]) }))
            }
            Operation::ServiceUpdate => (200, json!({ "Warnings": null })),
            Operation::SwarmInit => (200, swarm_id_of(&body["AdvertiseAddr"])),
            Operation::SystemAuth => (200, json!({ "Status": "Login Succeeded" })),
            Operation::ContainerUpdate => (200, json!({ "Warnings": [] })),
            Operation::ImageDelete => (200, json!([])),
            Operation::ImageTag => (201, json!({})),
            Operation::ContainerPrune | Operation::ImagePrune | Operation::VolumePrune | Operation::NetworkPrune => {
                (200, json!({ "SpaceReclaimed": 0 }))
            }
            _ => (204, Value::Null),
        }
    }

    /// The answer to a question about something that was made, or when there is no daemon at all.
    pub(crate) fn look(
        &self,
        operation: Operation,
        names: &[String],
        alone: bool,
        reading: &Reading,
    ) -> Option<(u16, Value)> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let container = names.first().and_then(|name| made.containers.get(name));
        match (operation, container) {
            (Operation::ContainerWait, Some(_)) => Some((200, json!({ "StatusCode": 0 }))),
            (Operation::ContainerInspect, Some(container)) => Some((200, inspected(container))),
            (Operation::ContainerLogs, Some(_)) => Some((200, Value::Null)),
            _ if !alone => None,
            (Operation::SystemPing | Operation::SystemPingHead | Operation::SystemEvents, _) => {
                Some((200, Value::Null))
            }
            (Operation::SystemVersion, _) => {
                let (oldest, newest) = (reading.oldest.to_string(), reading.newest.to_string());
                Some((200, json!({ "Version": "rehearsal", "ApiVersion": newest, "MinAPIVersion": oldest })))
            }
            (Operation::SystemInfo, _) => Some((200, json!({ "ServerVersion": "rehearsal", "OSType": "linux" }))),
            (operation, _) if operation.name().ends_with("List") => Some((200, json!([]))),
            _ => Some((404, json!({ "message": "there is no daemon, and this was not made in the rehearsal" }))),
        }
    }
}

/// The container that a create would have made, read as the daemon's own answer about it would be.
fn container(name: &str, body: &Value) -> (Container, CreateRequest) {
    let id = id_of(name);
    let name = if name.is_empty() { format!("rehearsal_{}", id.get(..6).unwrap_or_default()) } else { name.to_owned() };
    let host = body.get("HostConfig").cloned().unwrap_or_default();
    let answer = json!({
        "Id": id,
        "Name": name,
        "Config": { "Image": body.get("Image"), "User": body.get("User"), "Labels": body.get("Labels") },
        "HostConfig": host,
        "Mounts": [],
        "State": { "Running": true },
    });
    let answer = answer.to_string().into_bytes();
    let stored = docker::request::stored::read(&answer).unwrap_or_default();
    (docker::answer::container(&answer).unwrap_or_default(), stored)
}

fn inspected(container: &Container) -> Value {
    json!({
        "Id": container.id,
        "Name": format!("/{}", container.name),
        "Image": container.image_id,
        "State": { "Status": "running", "Running": true, "ExitCode": 0 },
        "Config": { "Image": container.image, "User": container.user, "Labels": container.labels, "Tty": false },
        "HostConfig": {},
        "NetworkSettings": { "Networks": {} },
        "Mounts": [],
    })
}

/// An id that looks like one of a swarm's and is none.
fn swarm_id_of(seed: &Value) -> Value {
    let id = id_of(seed.as_str().unwrap_or_default());
    id.get(..25).unwrap_or_default().into()
}

/// An id that looks like one of a daemon's and is none.
fn id_of(seed: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos()).unwrap_or_default();
    let mut id = format!("{now:032x}");
    for byte in seed.bytes().rev().chain(std::iter::repeat(0)).take(16) {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}
