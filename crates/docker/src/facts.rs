//! The facts of a request: all that a policy can judge, and the request in the form in which it will
//! be sent if it is granted. Both are made at once from the same reading.

use std::fmt;

use crate::endpoint::{Effect, Operation};
use crate::http::Method;
use crate::privilege::{Absent, Privilege};
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
    /// What the request needs and the daemon does not have: if all is granted, this is the answer, and
    /// nothing is sent, for what would be there by then was not judged.
    pub absent: Option<Absent>,
    /// The request as it would be sent.
    pub canonical: Canonical,
}

impl Facts {
    /// Whether the operation can change anything.
    pub fn effect(&self) -> Effect {
        self.operation.endpoint().effect
    }
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
    /// An archive that streams through.
    Archive,
}

/// Bodies hold passwords and the data of secrets: only their length is shown.
impl fmt::Debug for CanonicalBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CanonicalBody::None => f.write_str("None"),
            CanonicalBody::Json(body) => write!(f, "Json({} bytes)", body.len()),
            CanonicalBody::Archive => f.write_str("Archive"),
        }
    }
}

/// The limits and flags of a container that would be made, or of the containers of a service: context for policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The names of the environment variables; never their values.
    pub environment: Vec<String>,
}
