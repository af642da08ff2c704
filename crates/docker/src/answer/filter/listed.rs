//! What a thing in a list or an event is, by what stands there: nobody asks the daemon about each of hundreds.
//!
//! Lists tell names, ids, labels and, of containers, the image. What they do not tell (a container's user, for one) is
//! left empty here, and policies that ask for it are not answered: see [`Resource`] and policy's `show`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{image, is_id, network, thing, volume};
use super::{Item, Malformed};
use crate::endpoint::Kind;
use crate::image::Reference;
use crate::resource::{Container, Image, Labels, Resource};

/// What an event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The thing.
    pub about: About,
    /// The full id of a container that it names beside: who was connected to a network.
    pub container: Option<String>,
}

/// The thing that an event tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A container or the daemon: all is said.
    Known(Resource),
    /// To be looked up: events of such things do not tell their labels.
    Named {
        /// The family.
        kind: Kind,
        /// Its id, or the name that it is looked up by.
        id: String,
        /// The name of an image that the event is about.
        name: Option<Reference>,
    },
}

/// The thing that an item of a list is. `None`: such items are not listed.
pub fn resource(item: Item, bytes: &[u8]) -> Result<Option<Resource>, Malformed> {
    let unreadable = |_| Malformed("a thing in it cannot be read");
    Ok(Some(match item {
        Item::Container => Resource::Container(listed_container(bytes)?),
        Item::Image => Resource::Image(listed_image(bytes)?),
        Item::Volume => Resource::Volume(volume(bytes).map_err(unreadable)?.volume),
        Item::Network => Resource::Network(network(bytes).map_err(unreadable)?),
        Item::Thing(kind) => Resource::Thing(thing(kind, bytes).map_err(unreadable)?.thing),
        // It is of no one: whoever built last may have made it for anybody.
        Item::BuildCache => Resource::Daemon,
        _ => return Ok(None),
    }))
}

/// A thing as an inspection tells it, to be asked about as if it stood in a list.
pub fn inspected(kind: Kind, bytes: &[u8]) -> Result<Resource, Malformed> {
    let unreadable = |_| Malformed("a thing in it cannot be looked up");
    Ok(match kind {
        Kind::Image => Resource::Image(image(bytes).map_err(unreadable)?.image),
        Kind::Volume => Resource::Volume(volume(bytes).map_err(unreadable)?.volume),
        Kind::Network => Resource::Network(network(bytes).map_err(unreadable)?),
        kind => Resource::Thing(thing(kind, bytes).map_err(unreadable)?.thing),
    })
}

/// An image under each of its names. One that has none is asked for by its id.
pub fn under_each_name(image: &Image) -> Vec<(Option<String>, Image)> {
    if image.names.is_empty() {
        return vec![(None, image.clone())];
    }
    let named = |name: &Reference| Image { reference: Some(name.clone()), ..image.clone() };
    image.names.iter().map(|name| (Some(name.familiar()), named(name))).collect()
}

fn listed_container(bytes: &[u8]) -> Result<Container, Malformed> {
    let read: ContainerItem =
        serde_json::from_slice(bytes).map_err(|_| Malformed("a container in it cannot be read"))?;
    if !is_id(&read.id) {
        return Err(Malformed("a container in it has no id"));
    }
    // Links give it further names, `/other/alias`.
    let own = |name: &String| !name.trim_start_matches('/').contains('/');
    let name = read.names.unwrap_or_default().into_iter().find(own).unwrap_or_default();
    // Where the name was given to another image since, its id stands here: not what the container was made with.
    let image = read.image.filter(|image| !image.starts_with("sha256:")).unwrap_or_default();
    Ok(Container {
        id: read.id,
        name: name.trim_start_matches('/').to_owned(),
        labels: read.labels.unwrap_or_default(),
        image,
        image_id: read.image_id.unwrap_or_default(),
        ..Container::default()
    })
}

fn listed_image(bytes: &[u8]) -> Result<Image, Malformed> {
    let read: ImageItem = serde_json::from_slice(bytes).map_err(|_| Malformed("an image in it cannot be read"))?;
    if !read.id.strip_prefix("sha256:").is_some_and(is_id) {
        return Err(Malformed("an image in it has no id"));
    }
    let names = read.repo_tags.into_iter().flatten().chain(read.repo_digests.into_iter().flatten());
    Ok(Image {
        reference: None,
        id: Some(read.id),
        names: names.filter_map(|name| Reference::parse(&name).ok()).collect(),
        labels: read.labels.unwrap_or_default(),
        ..Image::default()
    })
}

/// What an event tells of.
pub fn event(bytes: &[u8]) -> Result<Event, Malformed> {
    let read: EventItem = serde_json::from_slice(bytes).map_err(|_| Malformed("an event in it cannot be read"))?;
    let Actor { id, attributes } = read.actor;
    let mut attributes = attributes.unwrap_or_default();
    let kind = match read.kind.as_str() {
        "container" if is_id(&id) => {
            // Labels stand among what else is told; these two are always the daemon's own.
            let (name, image) = (attributes.remove("name"), attributes.remove("image"));
            let (name, image) = (name.unwrap_or_default(), image.unwrap_or_default());
            let container = Container { id, name, image, labels: attributes, ..Container::default() };
            return Ok(Event { about: About::Known(Resource::Container(container)), container: None });
        }
        "image" => Kind::Image,
        "volume" => Kind::Volume,
        "network" => Kind::Network,
        "service" => Kind::Service,
        "node" => Kind::Node,
        "secret" => Kind::Secret,
        "config" => Kind::Config,
        // Of the daemon, the builder, plugins, and of whatever newer daemons tell.
        _ => return Ok(Event { about: About::Known(Resource::Daemon), container: None }),
    };
    let name = attributes.get("name").filter(|_| kind == Kind::Image).and_then(|name| Reference::parse(name).ok());
    let container = attributes.remove("container").filter(|id| !id.is_empty());
    Ok(Event { about: About::Named { kind, id, name }, container })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerItem {
    id: String,
    names: Option<Vec<String>>,
    image: Option<String>,
    #[serde(rename = "ImageID")]
    image_id: Option<String>,
    labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImageItem {
    id: String,
    repo_tags: Option<Vec<String>>,
    repo_digests: Option<Vec<String>>,
    labels: Option<Labels>,
}

#[derive(Deserialize)]
struct EventItem {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Actor")]
    actor: Actor,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
}
