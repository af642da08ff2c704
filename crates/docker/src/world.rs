//! What is known of the world while a request is read: the daemon's own things, and host paths.
//!
//! This crate does no I/O. Reading a request asks the world; what the world does not know yet is noted
//! as a [`Lookup`], the caller looks it up and reads again, until nothing is open. So what was looked
//! up and what was judged can never be two different lists.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::body::container::CreateRequest;
use crate::body::plugin::PluginConfig;
use crate::body::service::ServiceSpec;
use crate::endpoint::Kind;
use crate::privilege::{Absent, RunUser};
use crate::resource::{Container, Image, Labels, Network, Thing, Volume};

/// One thing to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookup {
    /// A container by name, id or prefix of an id.
    Container(String),
    /// An image by name, id or prefix of an id.
    Image(String),
    /// A network by name, id or prefix of an id.
    Network(String),
    /// A volume by name.
    Volume(String),
    /// An exec by id.
    Exec(String),
    /// A service, secret, config, node, task or plugin by name, id or prefix of an id.
    Thing(Kind, String),
    /// A path of the host, cleaned, whose symbolic links are to be followed.
    HostPath(String),
}

/// An image and what its configuration says of the processes made from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownImage {
    /// The image, asked for by id.
    pub image: Image,
    /// The user of its configuration.
    pub user: String,
    /// The paths of its configuration that become anonymous volumes.
    pub volumes: Vec<String>,
    /// What it was made for: `linux/amd64`, `linux/arm/v7`.
    pub platform: String,
    /// The instructions that run in whatever build starts from it (`ONBUILD`).
    pub triggers: Vec<String>,
}

/// A volume and the options that it was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownVolume {
    /// The volume.
    pub volume: Volume,
    /// The driver's options.
    pub options: Labels,
}

/// An exec that was prepared, and the container in which it will run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownExec {
    /// The full id.
    pub id: String,
    /// The container.
    pub container: Container,
    /// Whether it runs with all capabilities.
    pub privileged: bool,
    /// The user that it runs as.
    pub user: RunUser,
}

/// A service, secret, config, node, task or plugin, and what is stored of it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownThing {
    /// The thing.
    pub thing: Thing,
    /// What a service was before its last update, and would be again by a rollback.
    pub previous: Option<Previous>,
    /// The service that a task is of, by its id.
    pub service: Option<String>,
}

/// What is stored of a service beside what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Previous {
    /// The version of the service that has it. An update names the version that it was made for.
    pub version: u64,
    /// What the service was. `None`: it cannot be read.
    pub spec: Option<Box<ServiceSpec>>,
}

/// A host path after its symbolic links were followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownPath {
    /// Where it leads. A part that does not exist is kept as it is.
    Resolved(String),
    /// It cannot be told: the daemon is on another machine.
    Remote,
}

/// The most that is looked up at once for one request: each costs the daemon a question.
const MOST_LOOKUPS: usize = 256;

/// All that is known.
#[derive(Debug, Default)]
pub struct World {
    containers: HashMap<String, Option<Container>>,
    images: HashMap<String, Option<KnownImage>>,
    networks: HashMap<String, Option<Network>>,
    volumes: HashMap<String, Option<KnownVolume>>,
    execs: HashMap<String, Option<KnownExec>>,
    things: HashMap<(Kind, String), Result<KnownThing, Absent>>,
    stored: HashMap<String, Arc<CreateRequest>>,
    plugins: HashMap<String, Arc<PluginConfig>>,
    paths: HashMap<String, KnownPath>,
    open: RefCell<BTreeSet<Lookup>>,
    too_much: Cell<bool>,
}

macro_rules! known {
    ($(#[$about:meta])* $ask:ident, $(#[$tell_about:meta])* $tell:ident, $field:ident, $lookup:ident -> $thing:ty) => {
        $(#[$about])*
        pub fn $ask(&self, name: &str) -> Option<&$thing> {
            match self.$field.get(name) {
                Some(known) => known.as_ref(),
                None => {
                    self.ask(Lookup::$lookup(name.to_owned()));
                    None
                }
            }
        }

        $(#[$tell_about])*
        pub fn $tell(&mut self, name: String, known: Option<$thing>) {
            self.$field.insert(name, known);
        }
    };
}

impl World {
    /// A world of which nothing is known yet.
    pub fn new() -> Self {
        World::default()
    }

    known!(
        /// The container of that name. `None`: there is none, or it is yet to be looked up.
        container,
        /// Notes what a look at the daemon gave.
        learn_container, containers, Container -> Container
    );
    known!(
        /// The image of that name or id.
        image,
        /// Notes what a look at the daemon gave.
        learn_image, images, Image -> KnownImage
    );
    known!(
        /// The network of that name or id.
        network,
        /// Notes what a look at the daemon gave.
        learn_network, networks, Network -> Network
    );
    known!(
        /// The volume of that name.
        volume,
        /// Notes what a look at the daemon gave.
        learn_volume, volumes, Volume -> KnownVolume
    );
    known!(
        /// The exec of that id.
        exec,
        /// Notes what a look at the daemon gave.
        learn_exec, execs, Exec -> KnownExec
    );

    /// The configuration that the daemon keeps of a container, by its full id. Known as soon as the
    /// container is.
    pub fn stored(&self, id: &str) -> Option<Arc<CreateRequest>> {
        self.stored.get(id).cloned()
    }

    /// Notes the configuration that the daemon keeps of a container.
    pub fn learn_stored(&mut self, id: String, stored: CreateRequest) {
        self.stored.insert(id, Arc::new(stored));
    }

    /// The thing of that kind and name, or what the daemon answers where there is none. `None`: yet to be looked up.
    pub fn thing(&self, kind: Kind, name: &str) -> Option<&Result<KnownThing, Absent>> {
        let known = self.things.get(&(kind, name.to_owned()));
        if known.is_none() {
            self.ask(Lookup::Thing(kind, name.to_owned()));
        }
        known
    }

    /// Notes what a look at the daemon gave.
    pub fn learn_thing(&mut self, kind: Kind, name: String, known: Result<KnownThing, Absent>) {
        self.things.insert((kind, name), known);
    }

    /// The configuration that the daemon keeps of a plugin, by its full id. Known as soon as the plugin is.
    pub fn plugin(&self, id: &str) -> Option<Arc<PluginConfig>> {
        self.plugins.get(id).cloned()
    }

    /// Notes the configuration that the daemon keeps of a plugin.
    pub fn learn_plugin(&mut self, id: String, config: PluginConfig) {
        self.plugins.insert(id, Arc::new(config));
    }

    /// Where a cleaned path of the host leads. `None`: yet to be looked up.
    pub fn host_path(&self, path: &str) -> Option<&KnownPath> {
        let known = self.paths.get(path);
        if known.is_none() {
            self.ask(Lookup::HostPath(path.to_owned()));
        }
        known
    }

    /// Notes where a path leads.
    pub fn learn_host_path(&mut self, path: String, known: KnownPath) {
        self.paths.insert(path, known);
    }

    fn ask(&self, lookup: Lookup) {
        let mut open = self.open.borrow_mut();
        if open.len() < MOST_LOOKUPS {
            open.insert(lookup);
        } else {
            self.too_much.set(true);
        }
    }

    /// Whether more was asked than may be looked up for one request.
    pub fn asked_too_much(&self) -> bool {
        self.too_much.get()
    }

    /// What was asked and is not known, and forgets that it was asked.
    pub fn take_open(&self) -> Vec<Lookup> {
        std::mem::take(&mut *self.open.borrow_mut()).into_iter().collect()
    }
}
