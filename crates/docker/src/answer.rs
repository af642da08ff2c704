//! The daemon's answers that are read: what it says of the things that a request names.
//!
//! Only what is judged is read. An answer that cannot be read is no answer: the caller refuses.

use std::collections::BTreeMap;

use serde::Deserialize;

pub mod filter;
mod thing;

pub use thing::{plugin, thing};

use crate::image::Reference;
use crate::ownership::Ownership;
use crate::privilege::run_user;
use crate::resource::{Container, Image, Labels, Network, Volume};
use crate::world::{KnownExec, KnownImage, KnownVolume};

/// An answer that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the daemon's answer about {what} cannot be read")]
pub struct Unreadable {
    /// What was asked about: `a container`.
    pub what: &'static str,
}

/// `GET /containers/{id}/json`.
pub fn container(body: &[u8]) -> Result<Container, Unreadable> {
    let unreadable = Unreadable { what: "a container" };
    let answer: ContainerAnswer = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    if !is_id(&answer.id) {
        return Err(unreadable);
    }
    let config = answer.config.unwrap_or_default();
    let host = answer.host_config.unwrap_or_default();
    Ok(Container {
        id: answer.id,
        name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        labels: config.labels.unwrap_or_default(),
        image: config.image.unwrap_or_default(),
        image_id: answer.image.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        privileged: host.privileged == Some(true),
        running: answer.state.and_then(|state| state.running) == Some(true),
        ownership: Ownership::default(),
    })
}

/// The volumes that a container has mounted, by name: of `GET /containers/{id}/json`, or of an item of the list.
pub fn volumes_of_container(body: &[u8]) -> Result<Vec<String>, Unreadable> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Mounted {
        mounts: Option<Vec<Mount>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Mount {
        #[serde(rename = "Type")]
        kind: Option<String>,
        name: Option<String>,
    }
    let unreadable = |_| Unreadable { what: "a container's mounts" };
    let mounts = serde_json::from_slice::<Mounted>(body).map_err(unreadable)?.mounts.unwrap_or_default();
    let volumes = mounts.into_iter().filter(|mount| mount.kind.as_deref() == Some("volume"));
    Ok(volumes.filter_map(|mount| mount.name).collect())
}

/// `GET /images/{name}/json`.
pub fn image(body: &[u8]) -> Result<KnownImage, Unreadable> {
    let unreadable = Unreadable { what: "an image" };
    let answer: ImageAnswer = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let id = answer.id.filter(|id| id.strip_prefix("sha256:").is_some_and(is_id)).ok_or(unreadable)?;
    let config = answer.config.unwrap_or_default();
    let names = answer.repo_tags.into_iter().flatten().chain(answer.repo_digests.into_iter().flatten());
    let image = Image {
        reference: None,
        id: Some(id),
        names: names.filter_map(|name| Reference::parse(&name).ok()).collect(),
        labels: config.labels.unwrap_or_default(),
        ownership: Ownership::default(),
    };
    Ok(KnownImage {
        image,
        user: config.user.unwrap_or_default(),
        volumes: config.volumes.unwrap_or_default().into_keys().collect(),
        platform: platform(&[answer.os, answer.architecture, answer.variant]),
        triggers: config.on_build.unwrap_or_default(),
    })
}

/// `linux/arm/v7`, of as many parts as are told.
fn platform(parts: &[Option<String>]) -> String {
    let told = parts.iter().flatten().map(String::as_str).filter(|part| !part.is_empty());
    told.collect::<Vec<_>>().join("/")
}

/// `GET /networks/{id}`.
pub fn network(body: &[u8]) -> Result<Network, Unreadable> {
    let unreadable = Unreadable { what: "a network" };
    let answer: NetworkAnswer = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let id = answer.id.filter(|id| !id.is_empty()).ok_or(unreadable)?;
    Ok(Network {
        id,
        name: answer.name.unwrap_or_default(),
        driver: answer.driver.unwrap_or_default(),
        labels: answer.labels.unwrap_or_default(),
        ownership: Ownership::default(),
    })
}

/// `GET /volumes/{name}`.
pub fn volume(body: &[u8]) -> Result<KnownVolume, Unreadable> {
    let answer: VolumeAnswer = serde_json::from_slice(body).map_err(|_| Unreadable { what: "a volume" })?;
    Ok(KnownVolume {
        volume: Volume {
            name: answer.name.unwrap_or_default(),
            driver: answer.driver.unwrap_or_default(),
            labels: answer.labels.unwrap_or_default(),
            exists: true,
            ownership: Ownership::default(),
        },
        options: answer.options.unwrap_or_default(),
    })
}

/// An exec that is known, but for its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecAnswer {
    id: String,
    /// The full id of its container.
    pub container: String,
    privileged: bool,
    user: Option<String>,
}

/// `GET /exec/{id}/json`.
pub fn exec(body: &[u8]) -> Result<ExecAnswer, Unreadable> {
    let unreadable = Unreadable { what: "an exec" };
    let answer: RawExec = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let process = answer.process.unwrap_or_default();
    match (answer.id, answer.container) {
        (Some(id), Some(container)) if is_id(&id) && is_id(&container) => {
            Ok(ExecAnswer { id, container, privileged: process.privileged == Some(true), user: process.user })
        }
        _ => Err(unreadable),
    }
}

impl ExecAnswer {
    /// The exec in its container, whose user it has unless it was given one.
    pub fn within(self, container: Container) -> KnownExec {
        let user = self.user.filter(|user| !user.is_empty()).unwrap_or_else(|| container.user.clone());
        KnownExec { id: self.id, privileged: self.privileged, user: run_user(&user), container }
    }
}

/// Whether this is a full id: 64 hexadecimal digits.
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerAnswer {
    id: String,
    name: Option<String>,
    image: Option<String>,
    config: Option<Config>,
    host_config: Option<Host>,
    state: Option<State>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    labels: Option<Labels>,
    image: Option<String>,
    user: Option<String>,
    volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    on_build: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Host {
    privileged: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageAnswer {
    id: Option<String>,
    repo_tags: Option<Vec<String>>,
    repo_digests: Option<Vec<String>>,
    config: Option<Config>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkAnswer {
    id: Option<String>,
    name: Option<String>,
    driver: Option<String>,
    labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VolumeAnswer {
    name: Option<String>,
    driver: Option<String>,
    labels: Option<Labels>,
    options: Option<Labels>,
}

#[derive(Deserialize)]
struct RawExec {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "ContainerID")]
    container: Option<String>,
    #[serde(rename = "ProcessConfig")]
    process: Option<Process>,
}

#[derive(Default, Deserialize)]
struct Process {
    privileged: Option<bool>,
    user: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_refused() {
        assert!(container(b"{}").is_err());
        assert!(container(br#"{"Id":"short"}"#).is_err());
        assert!(image(b"[]").is_err());
        assert!(exec(br#"{"ID":"x"}"#).is_err());
    }
}
