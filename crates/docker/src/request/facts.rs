//! From a request to its facts: what it touches, what it asks for, and the form in which it is sent.
//!
//! One function an operation's family, in the files beside. Each names resources, gathers privileges and rewrites names to
//! what they were judged as.

use std::sync::Arc;

use super::{Archive, Body, Call, Misread, Request};
use crate::body::auth;
use crate::defaults::Defaults;
use crate::endpoint::{Kind, Operation};
use crate::facts::{Canonical, CanonicalBody, Dockerfile, Facts, Spec};
use crate::json;
use crate::mark;
use crate::obligation::Obligation;
use crate::ownership;
use crate::privilege::Privilege;
use crate::privilege::asked::{Absent, Asked};
use crate::resource::Resource;
use crate::target::Query;
use crate::world::{Lookup, World};

mod containers;
mod containers_made;
mod images;
mod making;
mod networks;
mod plugins;
mod swarm;
mod volumes;

/// Why a request has no facts (yet).
#[derive(Debug, Clone, PartialEq)]
pub enum Unsettled {
    /// Look these up, tell the world, and ask again.
    Open(Vec<Lookup>),
    /// The thing in the path is not there: the daemon's own answer.
    NotFound(Absent),
    /// It cannot be understood after all.
    Misread(Misread),
}

impl From<Misread> for Unsettled {
    fn from(misread: Misread) -> Self {
        Unsettled::Misread(misread)
    }
}

impl From<crate::target::QueryError> for Unsettled {
    fn from(error: crate::target::QueryError) -> Self {
        Unsettled::Misread(error.into())
    }
}

/// A request on its way to facts.
struct Draft<'w> {
    asked: Asked<'w>,
    defaults: &'w Defaults,
    resources: Vec<Resource>,
    /// The names of the path as they will be sent.
    names: Vec<String>,
    query: Query,
    body: Body,
    fetched: bool,
    spec: Option<Spec>,
    obligations: Vec<Obligation>,
    shared_with: Vec<String>,
    not_found: Option<Absent>,
}

impl Request {
    /// What the request is about, given what is known of the world, once the defaults were applied to it.
    ///
    /// Pure: asked again with the same world it says the same. While the world lacks something, the
    /// answer is [`Unsettled::Open`].
    pub fn facts(&self, world: &World, defaults: &Defaults) -> Result<Facts, Unsettled> {
        let mut draft = Draft {
            asked: Asked { pins: self.pins.clone(), ..Asked::new(world) },
            defaults,
            resources: Vec::new(),
            names: self.call.names.clone(),
            query: self.call.query.clone(),
            body: self.body.clone(),
            fetched: self.fetched,
            spec: None,
            obligations: Vec::new(),
            shared_with: Vec::new(),
            not_found: None,
        };
        let outcome = draft.settle(&self.call).and_then(|()| Ok(draft.label(&self.call, self)?));
        let open = world.take_open();
        if world.asked_too_much() || draft.asked.too_much {
            return Err(Misread::TooMuch.into());
        }
        if !open.is_empty() {
            return Err(Unsettled::Open(open));
        }
        outcome?;
        if let Some(absent) = draft.not_found {
            return Err(Unsettled::NotFound(absent));
        }
        Ok(draft.finish(&self.call)?)
    }
}

impl Draft<'_> {
    fn settle(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation.endpoint().kind {
            Kind::Container => self.container(call)?,
            Kind::Exec => self.exec(call)?,
            Kind::Image => self.image(call)?,
            Kind::Build => self.build(call)?,
            Kind::Distribution => self.distribution(call)?,
            Kind::Volume => self.volume()?,
            Kind::Network => self.network()?,
            Kind::System | Kind::Session => self.system(),
            Kind::Swarm => self.swarm(),
            Kind::Service => self.service(call)?,
            kind @ (Kind::Node | Kind::Task | Kind::Secret | Kind::Config) => self.member(kind)?,
            Kind::Plugin => self.plugin(call)?,
        }
        Ok(())
    }

    fn system(&mut self) {
        self.resources.push(Resource::Daemon);
        if let Body::Auth(body) = &self.body {
            let registry = auth::registry_of(&body.serveraddress);
            self.asked.ask(Privilege::ContactRegistry { registry: registry.to_owned() });
        }
    }

    /// Labels what is made as its maker's. What is there already stays its owner's.
    fn label(&mut self, call: &Call, request: &Request) -> Result<(), Misread> {
        if let Some(owner) = &request.only {
            ownership::limit(&mut self.query, owner)?;
        }
        self.shared_with = ownership::shared_with(&mut self.body);
        let Some((maker, record)) = &request.maker else {
            return ownership::refuse_labels(call.operation, &mut self.body, &self.query);
        };
        let owner = match self.resources.first() {
            Some(Resource::Thing(thing)) => thing.ownership.owners.first().map(String::as_str),
            Some(Resource::Volume(volume)) if volume.exists => volume.ownership.owners.first().map(String::as_str),
            _ => Some(maker.as_str()),
        };
        match &mut self.body {
            // A second network of a name would keep others from theirs. Newer daemons check it in any case.
            Body::NetworkCreate(body) => body.value_mut().check_duplicate = Some(true),
            // What is below an image that is taken away, and has no name, may be somebody else's.
            _ if call.operation == Operation::ImageDelete && request.keeps_parents => {
                self.query.set("noprune", "1".to_owned());
            }
            _ => {}
        }
        // What is there already was made by another request.
        let record = Some(record.as_str()).filter(|_| matches!(self.resources.first(), Some(Resource::Daemon)));
        ownership::stamp(call.operation, &mut self.body, &mut self.query, owner, record)
    }

    /// The service, node, plugin, … that the path names; its full id is sent. One that is not there is judged by its
    /// name, and the daemon's own answer is told to those who may know.
    fn thing_of_path(&mut self, kind: Kind) {
        let Some(name) = self.names.first_mut() else {
            self.resources.push(Resource::Daemon);
            return;
        };
        let thing = self.asked.thing(kind, name);
        if !thing.id.is_empty() {
            name.clone_from(&thing.id);
        }
        self.resources.push(Resource::Thing(thing));
    }

    fn finish(self, call: &Call) -> Result<Facts, Misread> {
        let body = canonical_body(&self.body)?;
        let makes = self.making(call);
        Ok(Facts {
            operation: call.operation,
            version: call.version,
            resources: self.resources,
            privileges: self.asked.privileges,
            spec: self.spec,
            marks: mark::of(call.operation, &self.query, &self.body),
            obligations: self.obligations,
            absent: self.asked.absent,
            fetches: self.asked.fetches,
            makes,
            shared_with: self.shared_with,
            posed: Some(Arc::clone(&call.posed)),
            dockerfile: dockerfile(&self.body),
            canonical: Canonical { method: call.method(), target: call.target_with(&self.names, &self.query), body },
        })
    }
}

fn dockerfile(body: &Body) -> Option<Dockerfile> {
    let Body::Archive(archive) = body else { return None };
    let Archive::Context(build) = archive.as_ref() else { return None };
    let bases = build.bases.iter().map(|base| base.name.clone()).collect();
    Some(Dockerfile { text: Arc::clone(&build.text), bases })
}

/// A body as it is sent.
pub(super) fn canonical_body(body: &Body) -> Result<CanonicalBody, Misread> {
    Ok(match body {
        Body::None => CanonicalBody::None,
        Body::Unread => CanonicalBody::Unread,
        Body::Archive(_) => CanonicalBody::Archive,
        Body::Create(body) | Body::Commit(body) => written(body)?,
        Body::Update(body) => written(body)?,
        Body::ExecCreate(body) => written(body)?,
        Body::ExecStart(body) => written(body)?,
        Body::VolumeCreate(body) => written(body)?,
        Body::NetworkCreate(body) => written(body)?,
        Body::NetworkConnect(body) => written(body)?,
        Body::NetworkDisconnect(body) => written(body)?,
        Body::Checkpoint(body) => written(body)?,
        Body::Auth(body) => written(body)?,
        Body::Copy(body) => written(body)?,
        Body::VolumeUpdate(body) => written(body)?,
        Body::SwarmInit(body) => written(body)?,
        Body::SwarmJoin(body) => written(body)?,
        Body::SwarmUpdate(body) => written(body)?,
        Body::SwarmUnlock(body) => written(body)?,
        Body::Node(body) => written(body)?,
        Body::Service(body) => written(body)?,
        Body::Secret(body) => written(body)?,
        Body::Config(body) => written(body)?,
        Body::Plugin(body) => written(body)?,
        Body::PluginSet(body) => written(body)?,
    })
}

fn written<T: serde::Serialize>(body: &json::Body<T>) -> Result<CanonicalBody, Misread> {
    Ok(CanonicalBody::Json(body.canonical()?))
}

/// Refuses names that could be taken for an id, or for the beginning of one. Wherever an id is kept, the daemon takes
/// a name for it once the thing of that id is gone: a container renamed to the id of another would be joined in its
/// place, by the daemon itself, after all questions were answered.
fn not_an_id(name: &str, field: &str) -> Result<(), Misread> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let could_be = name.len() >= SHORT_ID && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if could_be { Err(Misread::value(field, "could be taken for an id; choose another name")) } else { Ok(()) }
}

/// How long an id is where it is shown short.
const SHORT_ID: usize = 12;

/// The same for what belongs to a swarm, whose ids are numbers of 25 digits to the base 36.
fn not_a_swarm_id(name: &str, field: &str) -> Result<(), Misread> {
    let digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let could_be = name.len() == SWARM_ID && name.bytes().all(digit) && name.bytes().any(|byte| byte.is_ascii_digit());
    if could_be { Err(Misread::value(field, "could be taken for an id; choose another name")) } else { Ok(()) }
}

/// How long an id of a swarm is.
const SWARM_ID: usize = 25;
