//! The facts of a request: all that a policy can judge, and the request in the form in which it will
//! be sent if it is granted. Both are made at once from the same reading.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::endpoint::{Effect, Operation};
use crate::http::Method;
use crate::image::Reference;
use crate::obligation::Obligation;
use crate::ownership::Making;
use crate::privilege::{Absent, Privilege};
use crate::request::Posed;
use crate::resource::{Labels, Resource};
use crate::target::ApiVersion;

/// What a request is about.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The operation.
    pub operation: Operation,
    /// The API version in the path; `None`: the daemon's newest.
    pub version: Option<ApiVersion>,
    /// What the operation is done to: one thing, or the several that it touches (network and container).
    pub resources: Vec<Resource>,
    /// What it asks for beyond that.
    pub privileges: Vec<Privilege>,
    /// The container that it would make or change, in short.
    pub spec: Option<Spec>,
    /// What makes it another command than those that share its end point: some of [`MARKS`](crate::mark::MARKS).
    pub marks: Vec<&'static str>,
    /// The edits that were made to it first: all else here tells of the edited request.
    pub obligations: Vec<Obligation>,
    /// What the request needs and the daemon does not have: if all is granted, this is the answer, and
    /// nothing is sent, for what would be there by then was not judged.
    pub absent: Option<Absent>,
    /// The images that must be fetched before it is known what the request does. If all is granted so far,
    /// fetch them, say so ([`Request::fetched`](crate::request::Request::fetched)), and ask for the facts again.
    pub fetches: Vec<Fetch>,
    /// What is new when it is done.
    pub makes: Option<Making>,
    /// The groups with which the client shares what it makes.
    pub shared_with: Vec<String>,
    /// The request as its client put it; `None`: nobody did.
    pub posed: Option<Arc<Posed>>,
    /// The Dockerfile of a build, once its context was read.
    pub dockerfile: Option<Dockerfile>,
    /// The request as it would be sent.
    pub canonical: Canonical,
}

/// The Dockerfile of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// As it stands.
    pub text: Arc<str>,
    /// The images that its stages start from, variables expanded.
    pub bases: Vec<String>,
}

impl Facts {
    /// Those of a request that asks for nothing beside the operation on these resources, and makes nothing.
    pub fn plain(
        operation: Operation,
        version: Option<ApiVersion>,
        resources: Vec<Resource>,
        canonical: Canonical,
    ) -> Facts {
        Facts {
            operation,
            version,
            resources,
            privileges: Vec::new(),
            spec: None,
            marks: Vec::new(),
            obligations: Vec::new(),
            absent: None,
            fetches: Vec::new(),
            makes: None,
            shared_with: Vec::new(),
            posed: None,
            dockerfile: None,
            canonical,
        }
    }

    /// Whether the operation can change anything.
    pub fn effect(&self) -> Effect {
        self.operation.endpoint().effect
    }
}

/// An image that the daemon would fetch while it carries out the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Its name.
    pub image: Reference,
    /// The platform, `linux/arm64`; empty for the daemon's own.
    pub platform: String,
}

/// A request in canonical form: rebuilt from what was understood, never copied from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The body.
    pub body: CanonicalBody,
}

/// The body of a canonical request.
#[derive(Clone, PartialEq, Eq)]
pub enum CanonicalBody {
    /// None.
    None,
    /// A JSON value, written anew.
    Json(Vec<u8>),
    /// A message of BuildKit's, as it came, with what was appended to it.
    Message(Vec<u8>),
    /// The archive that was judged.
    Archive,
    /// An archive that nobody has read yet: nothing that can be sent.
    Unread,
}

/// Bodies hold passwords and the data of secrets: only their length is shown.
impl fmt::Debug for CanonicalBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CanonicalBody::None => f.write_str("None"),
            CanonicalBody::Json(body) => write!(f, "Json({} bytes)", body.len()),
            CanonicalBody::Message(body) => write!(f, "Message({} bytes)", body.len()),
            CanonicalBody::Archive => f.write_str("Archive"),
            CanonicalBody::Unread => f.write_str("Unread"),
        }
    }
}

/// The limits and flags of a container that would be made, as it would be after a change, or of the containers of a
/// service: context for policies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The name asked for; empty for one of the daemon's choice.
    pub name: String,
    /// The image as named by the request.
    pub image: String,
    /// Memory limit in bytes, 0 for none.
    pub memory: i64,
    /// CPU limit in billionths of a CPU, 0 for none.
    pub nano_cpus: i64,
    /// Limit on processes, 0 for none.
    pub pids: i64,
    /// Size of `/dev/shm` in bytes, 0 for the default.
    pub shm_size: i64,
    /// Whether the root file system is read-only.
    pub read_only: bool,
    /// Whether processes are kept from gaining privileges (`no-new-privileges`).
    pub no_new_privileges: bool,
    /// Capabilities dropped, upper case without `CAP_`; `ALL` for all.
    pub dropped_capabilities: Vec<String>,
    /// The network mode as asked, `default` when none is.
    pub network: String,
    /// The restart policy's name, `no` when none is.
    pub restart: String,
    /// The labels.
    pub labels: Labels,
    /// The names of the environment variables.
    pub environment: Vec<String>,
    /// The variables with their values: for policies to compare with, and for nobody's eyes.
    #[serde(skip)]
    pub variables: Variables,
}

/// Environment variables as they were given, `NAME=value`. They hold passwords: nothing shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub Vec<String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}
