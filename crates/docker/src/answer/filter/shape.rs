//! What the answers of operations look like, as far as things can be left out of them or hidden in them.
//!
//! Members of an object that are not named here are left out when an answer is filtered: what a newer daemon tells
//! beside was not looked at.

use crate::endpoint::{Kind, Operation};

/// A thing in an answer, by the form that it has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// A container of `/containers/json`.
    Container,
    /// `GET /containers/{id}/json`.
    ContainerInspect,
    /// The processes of a container.
    Processes,
    /// `GET /exec/{id}/json`.
    Exec,
    /// An image of `/images/json`.
    Image,
    /// `GET /images/{name}/json`.
    ImageInspect,
    /// A layer of an image's history.
    Layer,
    /// A volume, in a list or alone.
    Volume,
    /// A network, in a list or alone.
    Network,
    /// A service, task, node, secret, config or plugin, in a list or alone.
    Thing(Kind),
    /// A record of the build cache.
    BuildCache,
    /// An event.
    Event,
    /// `GET /info`.
    Info,
    /// `GET /swarm` and `GET /swarm/unlockkey`.
    Swarm,
}

/// The form of a JSON value in an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// A thing, read whole.
    Item(Item),
    /// A number, text or flag, which tells of nobody.
    Plain,
    /// A list, or null.
    List(&'static Shape),
    /// An object, or null.
    Members(&'static [(&'static str, Shape)]),
    /// Things one after the other, each passed on as soon as it is there.
    Stream(Item),
    /// What is not named: never passed on.
    Unknown,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The form.
    pub shape: &'static Shape,
    /// The things in it.
    pub items: &'static [Item],
    /// Whether they are listed, and each is shown or not. Otherwise the request named the one thing, and was judged.
    pub listed: bool,
}

impl Item {
    /// Whether it names things that its viewer may not see.
    pub fn names_others(self) -> bool {
        matches!(self, Item::ImageInspect | Item::Layer | Item::Network)
    }
}

/// The form of the answer to that operation; `None`: there is nothing in it that could be filtered.
pub fn shape(operation: Operation) -> Option<Answered> {
    let list = |shape, items| Some(Answered { shape, items, listed: true });
    let one = |shape, items| Some(Answered { shape, items, listed: false });
    macro_rules! list {
        ($item:expr) => {{
            const ITEM: Item = $item;
            list(&Shape::List(&Shape::Item(ITEM)), &[ITEM])
        }};
    }
    macro_rules! one {
        ($item:expr) => {{
            const ITEM: Item = $item;
            one(&Shape::Item(ITEM), &[ITEM])
        }};
    }
    match operation {
        Operation::ContainerList => list!(Item::Container),
        Operation::ImageList => list!(Item::Image),
        Operation::VolumeList => list(&VOLUMES, &[Item::Volume]),
        Operation::NetworkList | Operation::NetworkListSlash => list!(Item::Network),
        Operation::ServiceList => list!(Item::Thing(Kind::Service)),
        Operation::TaskList => list!(Item::Thing(Kind::Task)),
        Operation::NodeList => list!(Item::Thing(Kind::Node)),
        Operation::SecretList => list!(Item::Thing(Kind::Secret)),
        Operation::ConfigList => list!(Item::Thing(Kind::Config)),
        Operation::PluginList => list!(Item::Thing(Kind::Plugin)),
        Operation::SystemEvents => list(&Shape::Stream(Item::Event), &[Item::Event]),
        Operation::SystemDataUsage => {
            list(&DISK_USAGE, &[Item::Container, Item::Image, Item::Volume, Item::BuildCache])
        }
        Operation::ContainerInspect => one!(Item::ContainerInspect),
        Operation::ContainerTop => one!(Item::Processes),
        Operation::ExecInspect => one!(Item::Exec),
        Operation::ImageInspect => one!(Item::ImageInspect),
        Operation::ImageHistory => one(&Shape::List(&Shape::Item(Item::Layer)), &[Item::Layer]),
        Operation::VolumeInspect => one!(Item::Volume),
        Operation::NetworkInspect => one!(Item::Network),
        Operation::ServiceInspect => one!(Item::Thing(Kind::Service)),
        Operation::TaskInspect => one!(Item::Thing(Kind::Task)),
        Operation::NodeInspect => one!(Item::Thing(Kind::Node)),
        Operation::SecretInspect => one!(Item::Thing(Kind::Secret)),
        Operation::ConfigInspect => one!(Item::Thing(Kind::Config)),
        Operation::PluginInspect => one!(Item::Thing(Kind::Plugin)),
        Operation::SystemInfo => one!(Item::Info),
        Operation::SwarmInspect | Operation::SwarmUnlockkey => one!(Item::Swarm),
        _ => None,
    }
}

static VOLUMES: Shape =
    Shape::Members(&[("Volumes", Shape::List(&Shape::Item(Item::Volume))), ("Warnings", Shape::List(&Shape::Plain))]);

/// `/system/df`: lists side by side, and from API 1.52 on the same lists each with its sums.
static DISK_USAGE: Shape = Shape::Members(&[
    ("LayersSize", Shape::Plain),
    ("Images", Shape::List(&Shape::Item(Item::Image))),
    ("Containers", Shape::List(&Shape::Item(Item::Container))),
    ("Volumes", Shape::List(&Shape::Item(Item::Volume))),
    ("BuildCache", Shape::List(&Shape::Item(Item::BuildCache))),
    ("BuilderSize", Shape::Plain),
    (
        "ImageUsage",
        Shape::Members(&[("Items", Shape::List(&Shape::Item(Item::Image))), ACTIVE, TOTAL, RECLAIMABLE, SIZE]),
    ),
    (
        "ContainerUsage",
        Shape::Members(&[("Items", Shape::List(&Shape::Item(Item::Container))), ACTIVE, TOTAL, RECLAIMABLE, SIZE]),
    ),
    (
        "VolumeUsage",
        Shape::Members(&[("Items", Shape::List(&Shape::Item(Item::Volume))), ACTIVE, TOTAL, RECLAIMABLE, SIZE]),
    ),
    (
        "BuildCacheUsage",
        Shape::Members(&[("Items", Shape::List(&Shape::Item(Item::BuildCache))), ACTIVE, TOTAL, RECLAIMABLE, SIZE]),
    ),
]);

const ACTIVE: (&str, Shape) = ("ActiveCount", Shape::Plain);
const TOTAL: (&str, Shape) = ("TotalCount", Shape::Plain);
const RECLAIMABLE: (&str, Shape) = ("Reclaimable", Shape::Plain);
const SIZE: (&str, Shape) = ("TotalSize", Shape::Plain);
