//! A request as understood: the operation, its names and parameters, and its body in types.
//!
//! Two steps. [`Call::read`] reads the head: which operation, and what kind of body it may carry.
//! [`Request::understand`] adds the body; an archive is too large for that, so it is read where it was
//! stored ([`Call::inspect`]) and added later ([`Request::with_archive`]). [`Request::facts`] then tells
//! what the request asks for and writes its canonical form, given a [`World`] that knows the things it
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::body::auth::AuthConfig;
use crate::body::container::{CheckpointRequest, CopyRequest, CreateRequest, UpdateRequest};
use crate::body::exec::{ExecCreateRequest, ExecStartRequest};
use crate::body::network::{NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest};
use crate::body::plugin::PluginPrivilege;
use crate::body::service::ServiceSpec;
use crate::body::swarm::{
    ConfigSpec, NodeSpec, SecretSpec, SwarmInitRequest, SwarmJoinRequest, SwarmSpec, SwarmUnlockRequest,
};
use crate::body::volume::{VolumeCreateRequest, VolumeUpdateRequest};
use crate::endpoint::{self, BodyKind, Effect, Operation};
use crate::http::{Method, RequestHead};
use crate::image::Reference;
use crate::json;
use crate::target::{ApiVersion, Query, Target, encode_segment};

mod archive;
mod build;
mod edits;
mod facts;
mod media;
mod misread;
mod nothing;
mod posed;
pub mod stored;
#[cfg(test)]
mod tests;

pub use archive::Archive;
pub(crate) use build::UNSHOWN_BUILD;
pub use edits::Edit;
pub use facts::Unsettled;
pub use misread::Misread;
pub use posed::{LONGEST_BODY, Posed};

/// How requests are to be read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Fields of bodies that are not known and let through all the same (`HostConfig.NewField`).
    pub allow_fields: BTreeSet<String>,
    /// The oldest API version that is taken.
    pub oldest: ApiVersion,
    /// The newest API version that is taken.
    pub newest: ApiVersion,
}

impl Default for Reading {
    /// API 1.24 to 1.56; no unknown fields.
    fn default() -> Self {
        Reading {
            allow_fields: BTreeSet::new(),
            oldest: ApiVersion { major: 1, minor: 24 },
            newest: ApiVersion { major: 1, minor: 56 },
        }
    }
}

/// The head of a request: what is called, before its body is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation.
    pub operation: Operation,
    /// The names in the path, decoded.
    pub names: Vec<String>,
    /// The API version in the path, if any.
    pub version: Option<ApiVersion>,
    /// The query.
    pub query: Query,
    /// The path as given (decoded), for records.
    pub path: String,
    /// What the client said.
    pub posed: Arc<Posed>,
    content_type: Option<String>,
}

impl Call {
    /// Reads a head. Refused: unknown end points, versions out of range, parameters that no known
    /// daemon reads (of operations that only look, they are left out instead).
    pub fn read(head: &RequestHead, reading: &Reading) -> Result<Call, Misread> {
        let content_type = head.content_type()?.map(|media| media.essence().to_owned());
        let target = Target::parse(head.target(), head.method())?;
        if *head.method() == Method::Options {
            return Ok(Call::options(head, &target));
        }
        let route = endpoint::route(head.method(), &target).ok_or_else(|| no_operation(head, target.path()))?;
        let version = target.version();
        if let Some(asked) = version {
            in_range(asked, reading)?;
        }
        let query = known_parameters(route.operation, target.query())?;
        let posed = Arc::new(Posed::new(head, &target, &query));
        Ok(Call {
            operation: route.operation,
            names: route.names,
            version,
            query,
            path: target.path().to_owned(),
            posed,
            content_type,
        })
    }

    /// `OPTIONS` of any path, which executes nothing: sent on as a question about the server itself.
    fn options(head: &RequestHead, target: &Target) -> Call {
        Call {
            operation: Operation::SystemOptions,
            names: Vec::new(),
            version: None,
            query: Query::default(),
            path: target.path().to_owned(),
            posed: Arc::new(Posed::new(head, target, &Query::default())),
            content_type: None,
        }
    }

    /// The target as it is sent: the version, the end point's path with these names, this query.
    fn target_with(&self, names: &[String], query: &Query) -> String {
        if self.operation == Operation::SystemOptions {
            return "/_ping".to_owned();
        }
        let mut target = self.version.map(|version| format!("/v{version}")).unwrap_or_default();
        let mut names = names.iter();
        let mut rest = self.operation.endpoint().path;
        while let Some((before, after)) = rest.split_once('{') {
            target.push_str(before);
            encode_segment(&mut target, names.next().map_or("", String::as_str));
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        target.push_str(rest);
        if !query.is_empty() {
            target.push('?');
            target.push_str(&query.canonical());
        }
        target
    }

    /// What the body is. Two end points have two: `POST /images/create` takes an archive only to import it,
    /// and a build takes none where `remote` says what to build.
    pub fn body_kind(&self) -> BodyKind {
        match self.operation {
            Operation::ImageCreate if !self.imports_body() => BodyKind::Empty,
            Operation::ImageBuild if self.query.all("remote").any(|remote| !remote.is_empty()) => BodyKind::Empty,
            operation => operation.endpoint().body,
        }
    }

    /// `fromSrc=-`, and no `fromImage`, which the daemon looks at first.
    fn imports_body(&self) -> bool {
        let given = |name| self.query.all(name).next().unwrap_or_default();
        given("fromImage").is_empty() && given("fromSrc") == "-"
    }

    /// Whether it opens a tunnel of BuildKit's.
    pub fn is_tunnel(&self) -> bool {
        matches!(self.operation, Operation::Grpc | Operation::Session)
    }

    fn method(&self) -> Method {
        self.operation.endpoint().method.clone()
    }
}

/// The body of a request, in types.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the bodies are named like their end points")]
pub enum Body {
    None,
    /// An archive that was not read yet.
    Unread,
    Archive(Box<Archive>),
    Create(Box<json::Body<CreateRequest>>),
    Update(Box<json::Body<UpdateRequest>>),
    ExecCreate(json::Body<ExecCreateRequest>),
    ExecStart(json::Body<ExecStartRequest>),
    VolumeCreate(json::Body<VolumeCreateRequest>),
    NetworkCreate(json::Body<NetworkCreateRequest>),
    NetworkConnect(json::Body<NetworkConnectRequest>),
    NetworkDisconnect(json::Body<NetworkDisconnectRequest>),
    Commit(Box<json::Body<CreateRequest>>),
    Checkpoint(json::Body<CheckpointRequest>),
    Copy(json::Body<CopyRequest>),
    Auth(json::Body<AuthConfig>),
    VolumeUpdate(json::Body<VolumeUpdateRequest>),
    SwarmInit(Box<json::Body<SwarmInitRequest>>),
    SwarmJoin(json::Body<SwarmJoinRequest>),
    SwarmUpdate(Box<json::Body<SwarmSpec>>),
    SwarmUnlock(json::Body<SwarmUnlockRequest>),
    Node(json::Body<NodeSpec>),
    Service(Box<json::Body<ServiceSpec>>),
    Secret(json::Body<SecretSpec>),
    Config(json::Body<ConfigSpec>),
    /// The privileges that a plugin is granted.
    Plugin(json::Body<Vec<PluginPrivilege>>),
    PluginSet(json::Body<Vec<String>>),
}

/// A request that was read whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The head.
    pub call: Call,
    /// The body.
    pub body: Body,
    /// Whether the images that it needs were fetched for it.
    fetched: bool,
    /// Whose the things are that it makes, and its record, where they are labelled so.
    maker: Option<(String, String)>,
    /// Whose things alone a prune may touch.
    only: Option<String>,
    /// Whether the removal of an image leaves what is below it.
    keeps_parents: bool,
    /// The images whose names are to be sent as what they stand for.
    pins: Pins,
}

/// What names of images stand for: a digest of their registry's, or the id of an image that is here.
pub type Pins = BTreeMap<Reference, String>;

impl Request {
    /// Reads the body that a call came with. `bytes` is empty for what streams and for archives.
    pub fn understand(mut call: Call, bytes: &[u8], reading: &Reading) -> Result<Request, Misread> {
        media::check(&call, !bytes.is_empty())?;
        let body = read_body(&call, bytes, &json::Options { allow_fields: &reading.allow_fields })?;
        if !bytes.is_empty() && bytes.len() <= LONGEST_BODY {
            Arc::make_mut(&mut call.posed).body = Some(bytes.into());
        }
        Ok(Request { call, body, fetched: false, maker: None, only: None, keeps_parents: false, pins: Pins::new() })
    }

    /// Whether it opens a tunnel of BuildKit's. What is said in it is judged call by call ([`buildkit`](crate::buildkit)):
    /// who cannot look into it has not seen what is asked.
    pub fn is_tunnel(&self) -> bool {
        self.call.is_tunnel()
    }

    /// Whether its archive is yet to be read: then its facts are those that its head alone tells. What the
    /// archive holds can only add to what is asked.
    pub fn is_unread(&self) -> bool {
        self.body == Body::Unread
    }

    /// The same request with its archive, read.
    pub fn with_archive(self, archive: Archive) -> Request {
        Request { body: Body::Archive(Box::new(archive)), ..self }
    }

    /// The same request: what it makes is labelled as this user's, with the id of its record. Without, a client that sends
    /// such a label is refused.
    pub fn made_by(self, user: &str, record: &str) -> Request {
        Request { maker: Some((user.to_owned(), record.to_owned())), ..self }
    }

    /// The same prune of this user's things alone.
    pub fn only_of(self, user: &str) -> Request {
        Request { only: Some(user.to_owned()), ..self }
    }

    /// The same removal of an image, without what is below it.
    pub fn keeping_parents(self) -> Request {
        Request { keeps_parents: true, ..self }
    }

    /// The same request, sent with what these names stand for in the place of the names: the image that a pull fetches, that
    /// a service runs, that is mounted. (That of a container keeps its name, and is looked at when it is made.)
    pub fn pinned(self, pins: Pins) -> Request {
        Request { pins, ..self }
    }

    /// Whether it is a prune of one user's things alone.
    pub fn is_limited(&self) -> bool {
        self.only.is_some()
    }

    /// The same request, its [`fetches`](crate::facts::Facts::fetches) done: from now on images are what
    /// they are, and the daemon is told to fetch none anew.
    pub fn fetched(self) -> Request {
        Request { fetched: true, ..self }
    }
}

fn read_body(call: &Call, bytes: &[u8], options: &json::Options<'_>) -> Result<Body, Misread> {
    match call.body_kind() {
        BodyKind::None | BodyKind::Stream if bytes.is_empty() => return Ok(Body::None),
        BodyKind::None | BodyKind::Stream => return Err(Misread::NeedlessBody { operation: call.operation.name() }),
        BodyKind::Empty if call.operation == Operation::ImageBuild && !bytes.is_empty() => {
            return Err(Misread::value("the body", "must be empty where `remote` says what to build"));
        }
        BodyKind::Empty => return nothing::empty(call, bytes),
        BodyKind::Tar => return Ok(Body::Unread),
        BodyKind::Json => {}
    }
    Ok(match call.operation {
        Operation::ContainerCreate => Body::Create(Box::new(json::read(bytes, options)?)),
        Operation::ContainerUpdate => Body::Update(Box::new(json::read(bytes, options)?)),
        Operation::ContainerExec => Body::ExecCreate(json::read(bytes, options)?),
        // Daemons from 23 on take no body for an empty one.
        Operation::ExecStart if bytes.is_empty() => Body::ExecStart(json::Body::new(ExecStartRequest::default())),
        Operation::ExecStart => Body::ExecStart(json::read(bytes, options)?),
        Operation::VolumeCreate => Body::VolumeCreate(json::read(bytes, options)?),
        Operation::NetworkCreate => Body::NetworkCreate(json::read(bytes, options)?),
        Operation::NetworkConnect => Body::NetworkConnect(json::read(bytes, options)?),
        Operation::NetworkDisconnect => Body::NetworkDisconnect(json::read(bytes, options)?),
        Operation::ImageCommit if nothing::is_nothing(bytes) => Body::None,
        Operation::ImageCommit => Body::Commit(Box::new(json::read(bytes, options)?)),
        Operation::CheckpointCreate => Body::Checkpoint(json::read(bytes, options)?),
        Operation::SystemAuth => Body::Auth(json::read(bytes, options)?),
        Operation::ContainerCopy => Body::Copy(json::read(bytes, options)?),
        Operation::VolumeUpdate => Body::VolumeUpdate(json::read(bytes, options)?),
        Operation::SwarmInit => Body::SwarmInit(Box::new(json::read(bytes, options)?)),
        Operation::SwarmJoin => Body::SwarmJoin(json::read(bytes, options)?),
        Operation::SwarmUpdate => Body::SwarmUpdate(Box::new(json::read(bytes, options)?)),
        Operation::SwarmUnlock => Body::SwarmUnlock(json::read(bytes, options)?),
        Operation::NodeUpdate => Body::Node(json::read(bytes, options)?),
        Operation::ServiceCreate | Operation::ServiceUpdate => Body::Service(Box::new(json::read(bytes, options)?)),
        Operation::SecretCreate | Operation::SecretUpdate => Body::Secret(json::read(bytes, options)?),
        Operation::ConfigCreate | Operation::ConfigUpdate => Body::Config(json::read(bytes, options)?),
        // Nothing granted: clients write no list at all.
        Operation::PluginPull | Operation::PluginUpgrade if nothing::is_nothing(bytes) => {
            Body::Plugin(json::Body::new(Vec::new()))
        }
        Operation::PluginPull | Operation::PluginUpgrade => Body::Plugin(json::read(bytes, options)?),
        Operation::PluginSet => Body::PluginSet(json::read(bytes, options)?),
        operation => return Err(Misread::NeedlessBody { operation: operation.name() }),
    })
}

fn no_operation(head: &RequestHead, path: &str) -> Misread {
    let path = path.chars().filter(|c| !c.is_control()).take(100).collect();
    Misread::NoOperation { method: head.method().as_str().to_owned(), path }
}

fn in_range(asked: ApiVersion, reading: &Reading) -> Result<(), Misread> {
    if (reading.oldest..=reading.newest).contains(&asked) {
        return Ok(());
    }
    Err(Misread::Version {
        asked: asked.to_string(),
        oldest: reading.oldest.to_string(),
        newest: reading.newest.to_string(),
    })
}

/// The parameters that the end point reads. One that is unknown could be a privilege of a newer daemon:
/// where something can change, it is refused; where one only looks, it is not sent on.
fn known_parameters(operation: Operation, query: &Query) -> Result<Query, Misread> {
    let endpoint = operation.endpoint();
    match (query.first_unknown(endpoint.parameters), endpoint.effect) {
        (None, _) => Ok(query.clone()),
        (Some(name), Effect::Change) => Err(Misread::Parameter {
            operation: operation.name(),
            name: name.chars().filter(|c| !c.is_control()).take(60).collect(),
        }),
        (Some(_), Effect::Read) => Ok(query.only(endpoint.parameters)),
    }
}
