//! What an operation is done to, as the daemon itself describes it.
//!
//! Names and short ids are resolved before anything is decided: a resource carries the full, immutable
//! id, and everything that a policy may want to know about it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::endpoint::Kind;
use crate::image::Reference;
use crate::ownership::Ownership;

/// Labels, or any other map of strings to strings.
pub type Labels = BTreeMap<String, String>;

/// A thing that an operation or a privilege touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Resource {
    /// The daemon as a whole: lists, information, and the making of new things.
    Daemon,
    /// A container.
    Container(Container),
    /// An image, or the name of one that is not there (yet).
    Image(Image),
    /// A volume.
    Volume(Volume),
    /// A network.
    Network(Network),
    /// A service, secret, config, node, task or plugin.
    Thing(Thing),
}

/// A container as the daemon knows it (`GET /containers/{id}/json`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The full id, 64 hexadecimal digits.
    pub id: String,
    /// The name, without the leading slash.
    pub name: String,
    /// The labels.
    pub labels: Labels,
    /// The image as it was named when the container was created.
    pub image: String,
    /// The id of the image that it was made from.
    pub image_id: String,
    /// The user that its processes run as (`Config.User`), empty for the default, root.
    pub user: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// Whether it runs now.
    pub running: bool,
    /// To whom it belongs, as the firewall has recorded it.
    pub ownership: Ownership,
}

/// An image: a name, an id, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The name that was asked for. `None`: it was asked for by id.
    pub reference: Option<Reference>,
    /// The id (`sha256:…`) where the daemon has it.
    pub id: Option<String>,
    /// Every name that the daemon has for it. Asked for by id, an image counts as being of all these
    /// repositories; asked for by name, of that one only.
    pub names: Vec<Reference>,
    /// The labels of its configuration.
    pub labels: Labels,
    /// To whom it belongs, as the firewall has recorded it.
    pub ownership: Ownership,
}

/// A volume as the daemon knows it (`GET /volumes/{name}`), or the name of one that would be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The name. Empty: anonymous, the daemon makes one up.
    pub name: String,
    /// The driver, `local` unless another is named.
    pub driver: String,
    /// The labels.
    pub labels: Labels,
    /// Whether it exists already.
    pub exists: bool,
    /// To whom it belongs, as the firewall has recorded it.
    pub ownership: Ownership,
}

/// A network as the daemon knows it (`GET /networks/{id}`), or the name of one that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// The full id; empty when it does not exist.
    pub id: String,
    /// The name.
    pub name: String,
    /// The driver; empty when it does not exist.
    pub driver: String,
    /// The labels.
    pub labels: Labels,
    /// To whom it belongs, as the firewall has recorded it.
    pub ownership: Ownership,
}

/// A service, secret, config, node, task or plugin as the daemon knows it, or the name of one that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thing {
    /// The family.
    pub kind: Kind,
    /// The full id; empty when it does not exist.
    pub id: String,
    /// The name. A task has none of its own: its id.
    pub name: String,
    /// The labels. A task has those of its container; a plugin has none.
    pub labels: Labels,
    /// To whom it belongs, as the firewall has recorded it.
    pub ownership: Ownership,
}

impl Resource {
    /// To whom it belongs; the daemon is nobody's.
    pub fn ownership(&self) -> Option<&Ownership> {
        match self {
            Resource::Daemon => None,
            Resource::Container(container) => Some(&container.ownership),
            Resource::Image(image) => Some(&image.ownership),
            Resource::Volume(volume) => Some(&volume.ownership),
            Resource::Network(network) => Some(&network.ownership),
            Resource::Thing(thing) => Some(&thing.ownership),
        }
    }

    /// Whether it belongs to this user.
    pub fn is_of(&self, user: &str) -> bool {
        self.ownership().is_some_and(|ownership| ownership.owners.iter().any(|owner| owner == user))
    }

    /// The resource in the user's words, for messages: "container web", "the daemon".
    pub fn describe(&self) -> String {
        match self {
            Resource::Daemon => "the daemon".to_owned(),
            Resource::Container(container) => format!("container {}", container.name),
            Resource::Image(image) => format!("image {}", image.describe()),
            Resource::Volume(volume) if volume.name.is_empty() => "an anonymous volume".to_owned(),
            Resource::Volume(volume) => format!("volume {}", volume.name),
            Resource::Network(network) => format!("network {}", network.name),
            Resource::Thing(thing) => format!("{} {}", thing.kind.noun(), thing.name),
        }
    }
}

impl Image {
    /// The name where there is one, else the id.
    pub fn describe(&self) -> String {
        match (&self.reference, &self.id) {
            (Some(reference), _) => reference.familiar(),
            (None, Some(id)) => id.clone(),
            (None, None) => "without a name".to_owned(),
        }
    }
}
