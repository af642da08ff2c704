//! The things of one request as Cedar entities.
//!
//! Built anew for each request and without looking at the schema, which would cost more than the
//! decision; tests validate what is built here against it. An id is any text: it is never parsed, so
//! quotes, line breaks and foreign letters in names stay what they are.
//!
//! A thing names everything that it is in: a path all the paths above it. What has neither attributes nor
//! a place in anything else then needs no entity, for Cedar asks nothing of it; and putting entities
//! together was a fifth of what a decision cost.

use std::iter::successors;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use cedar_policy::entities_errors::EntitiesError;
use cedar_policy::{Entities, Entity, EntityUid, RestrictedExpression};
use docker::endpoint::Kind;
use docker::ownership::Ownership;
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
    entities: Vec<Entity>,
}

impl<'a> Cast<'a> {
    pub fn new(types: &'a Types) -> Cast<'a> {
        Cast { types, entities: Vec::new() }
    }

    /// The entities; `None` when one thing was described in two ways (an image that is there and the same
    /// name to pull) and they must be put on stage one by one.
    pub fn finish(self) -> Result<Option<Entities>, Fault> {
        // Added to none, and not `from_entities`, which looks for circles of every kind: things name all that they
        // are in, so there is nothing to work out.
        match Entities::empty().add_entities(self.entities, None) {
            Ok(entities) => Ok(Some(entities)),
            Err(EntitiesError::Duplicate(_)) => Ok(None),
            Err(error) => Err(Box::new(error).into()),
        }
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
        let parents = groups.iter().map(|group| self.types.uid(Type::Group, group)).collect();
        self.add(Type::User, &subject.user, attributes, parents)
    }

    /// An action, so that policies about its groups find it.
    pub fn action(&mut self, action: &Action) {
        self.entities.push(action.entity.clone());
    }

    pub fn daemon(&self) -> EntityUid {
        self.types.uid(Type::Daemon, LOCAL)
    }

    pub fn container(&mut self, container: &Container) -> Result<EntityUid, Fault> {
        let attributes = vec![
            string("name", &container.name),
            string("image", &container.image),
            string("user", &container.user),
            boolean("privileged", container.privileged),
            boolean("running", container.running),
        ];
        let attributes = self.owned(attributes, &container.ownership);
        let daemon = self.daemon();
        self.labelled(Type::Container, &container.id, attributes, vec![daemon], &container.labels)
    }

    /// A container by what lists and events tell of it. What they do not tell is not there: a policy that asks for it
    /// cannot be evaluated, rather than take it for empty.
    pub fn listed_container(&mut self, container: &Container) -> Result<EntityUid, Fault> {
        let mut attributes = vec![string("name", &container.name)];
        if !container.image.is_empty() {
            attributes.push(string("image", &container.image));
        }
        let attributes = self.owned(attributes, &container.ownership);
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
        let attributes = self.owned(attributes, &volume.ownership);
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
        let attributes = self.owned(attributes, &network.ownership);
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
        let mut attributes = vec![string("name", &thing.name), boolean("exists", !thing.id.is_empty())];
        if kind.has_owner() {
            attributes = self.owned(attributes, &thing.ownership);
        }
        let id = if thing.id.is_empty() { &thing.name } else { &thing.id };
        Ok(Some((kind, self.labelled(kind, id, attributes, Vec::new(), &thing.labels)?)))
    }

    /// With the attributes that say whose it is.
    fn owned(&self, mut attributes: Attributes, ownership: &Ownership) -> Attributes {
        let set = |kind, names: &[String]| {
            let uids = names.iter().map(|name| RestrictedExpression::new_entity_uid(self.types.uid(kind, name)));
            RestrictedExpression::new_set(uids)
        };
        if let [owner] = ownership.owners.as_slice() {
            let owner = RestrictedExpression::new_entity_uid(self.types.uid(Type::User, owner));
            attributes.push(("owner".to_owned(), owner));
        }
        attributes.push(("owners".to_owned(), set(Type::User, &ownership.owners)));
        attributes.push(("sharedWith".to_owned(), set(Type::Group, &ownership.shared_with)));
        attributes
    }

    /// What has nothing but a name.
    pub fn named(&mut self, kind: Type, name: &str) -> Result<EntityUid, Fault> {
        self.add(kind, name, vec![string("name", name)], Vec::new())
    }

    /// A host path within all the paths above it.
    pub fn host_path(&mut self, path: &str) -> EntityUid {
        let uid = self.types.uid(Type::HostPath, path);
        let parents = self.paths(above(path)).collect();
        self.entities.push(Entity::new_no_attrs(uid.clone(), parents));
        uid
    }

    /// A path and all the paths above it.
    fn paths(&self, path: Option<&str>) -> impl Iterator<Item = EntityUid> {
        successors(path, |path| above(path)).map(|path| self.types.uid(Type::HostPath, path))
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
        self.entities.push(Entity::new_with_tags(uid.clone(), attributes, parents, tags).map_err(Box::new)?);
        Ok(uid)
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
    let usual = USUAL_ADDRESSES.iter().find(|(usual, _)| *usual == value);
    let made = usual.map_or_else(|| RestrictedExpression::new_ip(value.to_string()), |(_, made)| made.clone());
    (name.to_owned(), made)
}

/// Addresses are dear to make, for Cedar reads the name of their type each time. These are in nearly every
/// request that publishes a port.
static USUAL_ADDRESSES: LazyLock<[(IpAddr, RestrictedExpression); 4]> = LazyLock::new(|| {
    [
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ]
    .map(|address| (address, RestrictedExpression::new_ip(address.to_string())))
});
