//! Every end point of the Docker API as a table: which operation a method and a path mean.
//!
//! Sources: the routers of the daemons 20.10 to 29 and the API descriptions 1.24 to 1.56. What is not
//! in the table is not an operation and is never forwarded.

use serde::Serialize;

use crate::http::Method;
use crate::target::Target;

mod table;
#[cfg(test)]
mod tests;

pub use table::{ENDPOINTS, Operation};

/// The family that an operation belongs to, named as the Docker API groups its end points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The daemon itself.
    System,
    /// Containers.
    Container,
    /// Processes started beside a container's own.
    Exec,
    /// Images.
    Image,
    /// The image builder.
    Build,
    /// A tunnel in which the daemon calls the client back.
    Session,
    /// Volumes.
    Volume,
    /// Networks.
    Network,
    /// Managed plugins.
    Plugin,
    /// Questions to a registry.
    Distribution,
    /// The swarm as a whole.
    Swarm,
    /// Swarm nodes.
    Node,
    /// Swarm services.
    Service,
    /// Swarm tasks.
    Task,
    /// Swarm secrets.
    Secret,
    /// Swarm configs.
    Config,
}

impl Kind {
    /// The family of that name.
    pub fn from_noun(noun: &str) -> Option<Kind> {
        ENDPOINTS.iter().map(|endpoint| endpoint.kind).find(|kind| kind.noun() == noun)
    }

    /// The word for one of that family, in messages and policies.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::System => "system",
            Kind::Container => "container",
            Kind::Exec => "exec",
            Kind::Image => "image",
            Kind::Build => "build",
            Kind::Session => "session",
            Kind::Volume => "volume",
            Kind::Network => "network",
            Kind::Plugin => "plugin",
            Kind::Distribution => "distribution",
            Kind::Swarm => "swarm",
            Kind::Node => "node",
            Kind::Service => "service",
            Kind::Task => "task",
            Kind::Secret => "secret",
            Kind::Config => "config",
        }
    }
}

/// Whether an operation can change anything on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It only looks.
    Read,
    /// It can change something, or reaches into a running process.
    Change,
}

/// What the daemon reads from a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// Nothing: a body is refused.
    None,
    /// Nothing, although clients send an empty JSON object.
    Empty,
    /// One JSON value, judged whole.
    Json,
    /// An archive, streamed.
    Tar,
    /// Bytes of the connection after it was taken over.
    Stream,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// An HTTP message; the connection can be used again.
    Message,
    /// The daemon takes the connection over: bytes flow both ways until both sides are done.
    Stream,
}

/// One end point.
#[derive(Debug)]
pub struct Endpoint {
    /// The operation's name, as the API descriptions spell it.
    pub operation: Operation,
    /// The HTTP method.
    pub method: Method,
    /// The path without the version. `{name}` is one segment, `{name*}` spans slashes.
    pub path: &'static str,
    /// The family.
    pub kind: Kind,
    /// Whether it can change anything.
    pub effect: Effect,
    /// What its body is.
    pub body: BodyKind,
    /// What its answer is.
    pub answer: Answer,
    /// The minor number of the first API version 1.x that has it.
    pub since: u16,
    /// The query parameters that any known daemon reads.
    pub parameters: &'static [&'static str],
}

/// An end point together with the names found in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The end point.
    pub operation: Operation,
    /// The path's parameters in order, decoded: a name, or a name and a checkpoint.
    pub names: Vec<String>,
}

impl Operation {
    /// The operation's row of the table.
    pub fn endpoint(self) -> &'static Endpoint {
        table::row(self)
    }

    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<Operation> {
        ENDPOINTS.iter().map(|endpoint| endpoint.operation).find(|operation| operation.name() == name)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Finds the end point as the daemon's router does: by the decoded path, in the order of the table,
/// where a parameter may span slashes. `None`: the daemon has no such end point.
pub fn route(method: &Method, target: &Target) -> Option<Route> {
    let path = target.rest();
    ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.method == *method)
        .find_map(|endpoint| Some(Route { operation: endpoint.operation, names: match_path(endpoint.path, path)? }))
}

/// The parameters of `path` under `pattern`, if it fits. An empty parameter never fits.
fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == path).then(Vec::new);
    };
    let (parameter, after) = rest.split_once('}')?;
    let path = path.strip_prefix(before)?;
    if parameter.ends_with('*') {
        let name = path.strip_suffix(after)?;
        return (!name.is_empty()).then(|| vec![name.to_owned()]);
    }
    let end = path.find('/').unwrap_or(path.len());
    let (name, remaining) = path.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let mut names = vec![name.to_owned()];
    names.extend(match_path(after, remaining)?);
    Some(names)
}
