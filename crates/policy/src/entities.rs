//! The things of one request as Cedar entities.
//!
//! Built anew for each request and without looking at the schema, which would cost more than the
//! decision; tests validate what is built here against it. An id is any text: it is never parsed, so
//! quotes, line breaks and foreign letters in names stay what they are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use cedar_policy::{Entities, Entity, EntityUid, RestrictedExpression};
use docker::endpoint::Kind;
use docker::resource::{Container, Labels, Network, Thing, Volume};

use crate::Subject;
use crate::judge::Fault;
use crate::schema::{Action, Type, Types};

pub(crate) mod capability;
mod image;
mod privilege;

pub(crate) use privilege::Asked;

/// The id of the one daemon.
const LOCAL: &str = "local";

/// Attributes of an entity or a context.
pub(crate) type Attributes = Vec<(String, RestrictedExpression)>;

/// The entities of one request, as they are collected.
pub(crate) struct Cast<'a> {
    types: &'a Types,
    entities: HashMap<EntityUid, Entity>,
    /// Whether one thing was described in two ways: an image that is there and the same name to pull.
    contradictory: bool,
}

impl<'a> Cast<'a> {
    pub fn new(types: &'a Types) -> Cast<'a> {
        Cast { types, entities: HashMap::new(), contradictory: false }
    }

    /// The entities; `None` when they contradict one another and must be put on stage one by one.
    pub fn finish(self) -> Result<Option<Entities>, Fault> {
        if self.contradictory {
            return Ok(None);
        }
        Ok(Some(Entities::from_entities(self.entities.into_values(), None).map_err(Box::new)?))
    }

    /// The subject with its groups: those that came with it and those that the configuration adds.
    pub fn subject(&mut self, subject: &Subject, groups: &[&str]) -> Result<EntityUid, Fault> {
        let mut attributes = Attributes::new();
        if let Some(uid) = subject.uid {
            attributes.push(long("uid", uid.into()));
        }
        if let Some(container) = &subject.container {
            attributes.push(string("container", container));
        }
        let parents: Vec<EntityUid> = groups.iter().map(|group| self.bare(Type::Group, group)).collect();
        self.add(Type::User, &subject.user, attributes, parents)
    }

    /// An action, so that policies about its groups find it.
    pub fn action(&mut self, action: &Action) {
        self.insert(action.entity.clone());
    }

    pub fn daemon(&mut self) -> EntityUid {
        self.bare(Type::Daemon, LOCAL)
    }

    pub fn container(&mut self, container: &Container) -> Result<EntityUid, Fault> {
        let attributes = vec![
            string("name", &container.name),
            string("image", &container.image),
            string("user", &container.user),
            boolean("privileged", container.privileged),
            boolean("running", container.running),
        ];
        let daemon = self.daemon();
        self.labelled(Type::Container, &container.id, attributes, vec![daemon], &container.labels)
    }

    pub fn volume(&mut self, volume: &Volume) -> Result<EntityUid, Fault> {
        let attributes = vec![
            string("name", &volume.name),
            string("driver", &volume.driver),
            boolean("exists", volume.exists),
            boolean("anonymous", volume.name.is_empty()),
        ];
        let daemon = self.daemon();
        self.labelled(Type::Volume, &volume.name, attributes, vec![daemon], &volume.labels)
    }

    /// A network, by its id; one that does not exist by its name.
    pub fn network(&mut self, network: &Network) -> Result<EntityUid, Fault> {
        let attributes = vec![
            string("name", &network.name),
            string("driver", &network.driver),
            boolean("exists", !network.id.is_empty()),
        ];
        let id = if network.id.is_empty() { &network.name } else { &network.id };
        let daemon = self.daemon();
        self.labelled(Type::Network, id, attributes, vec![daemon], &network.labels)
    }

    /// A service, secret, config, node, task or plugin, by its id; one that does not exist by its name. `None` for what
    /// the schema does not have.
    pub fn thing(&mut self, thing: &Thing) -> Result<Option<(Type, EntityUid)>, Fault> {
        let kind = match thing.kind {
            Kind::Service => Type::Service,
            Kind::Task => Type::Task,
            Kind::Node => Type::Node,
            Kind::Secret => Type::Secret,
            Kind::Config => Type::Config,
            Kind::Plugin => Type::Plugin,
            _ => return Ok(None),
        };
        let attributes = vec![string("name", &thing.name), boolean("exists", !thing.id.is_empty())];
        let id = if thing.id.is_empty() { &thing.name } else { &thing.id };
        Ok(Some((kind, self.labelled(kind, id, attributes, Vec::new(), &thing.labels)?)))
    }

    /// What has nothing but a name.
    pub fn named(&mut self, kind: Type, name: &str) -> Result<EntityUid, Fault> {
        self.add(kind, name, vec![string("name", name)], Vec::new())
    }

    /// A host path with all the paths above it.
    pub fn host_path(&mut self, path: &str) -> EntityUid {
        let uid = self.types.uid(Type::HostPath, path);
        let mut current = path;
        while let Some(above) = above(current) {
            let (child, parent) = (self.types.uid(Type::HostPath, current), self.types.uid(Type::HostPath, above));
            self.insert(Entity::new_no_attrs(child, [parent].into()));
            current = above;
        }
        self.bare(Type::HostPath, current);
        uid
    }

    /// An entity without attributes and parents.
    fn bare(&mut self, kind: Type, id: &str) -> EntityUid {
        let uid = self.types.uid(kind, id);
        self.insert(Entity::with_uid(uid.clone()));
        uid
    }

    fn add(
        &mut self,
        kind: Type,
        id: &str,
        attributes: Attributes,
        parents: Vec<EntityUid>,
    ) -> Result<EntityUid, Fault> {
        self.labelled(kind, id, attributes, parents, &Labels::new())
    }

    fn labelled(
        &mut self,
        kind: Type,
        id: &str,
        attributes: Attributes,
        parents: Vec<EntityUid>,
        labels: &Labels,
    ) -> Result<EntityUid, Fault> {
        let uid = self.types.uid(kind, id);
        let tags = labels.iter().map(|(key, value)| string(key, value));
        self.insert(Entity::new_with_tags(uid.clone(), attributes, parents, tags).map_err(Box::new)?);
        Ok(uid)
    }

    fn insert(&mut self, entity: Entity) {
        match self.entities.entry(entity.uid()) {
            Entry::Vacant(place) => {
                place.insert(entity);
            }
            Entry::Occupied(present) => self.contradictory |= !present.get().deep_eq(&entity),
        }
    }
}

/// The path above, `None` for the root and for what is no absolute path.
fn above(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some(("", "")) | None => None,
        Some(("", _)) => Some("/"),
        Some((parent, _)) => Some(parent),
    }
}

pub(crate) fn string(name: &str, value: &str) -> (String, RestrictedExpression) {
    (name.to_owned(), RestrictedExpression::new_string(value.to_owned()))
}

pub(crate) fn strings<'a>(name: &str, values: impl Iterator<Item = &'a str>) -> (String, RestrictedExpression) {
    let values = values.map(|value| RestrictedExpression::new_string(value.to_owned()));
    (name.to_owned(), RestrictedExpression::new_set(values))
}

pub(crate) fn boolean(name: &str, value: bool) -> (String, RestrictedExpression) {
    (name.to_owned(), RestrictedExpression::new_bool(value))
}

pub(crate) fn long(name: &str, value: i64) -> (String, RestrictedExpression) {
    (name.to_owned(), RestrictedExpression::new_long(value))
}

pub(crate) fn address(name: &str, value: IpAddr) -> (String, RestrictedExpression) {
    (name.to_owned(), RestrictedExpression::new_ip(value.to_string()))
}
