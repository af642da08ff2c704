//! Why a request cannot be understood, in words for the user.

use crate::http::HeadError;
use crate::target::{QueryError, TargetError};
use crate::{archive, buildkit, dockerfile, json};

/// A request that is not understood, hence refused: malformed, ambiguous, or unknown to this version.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Misread {
    /// The request's head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The path.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The JSON body.
    #[error(transparent)]
    Body(#[from] json::Error),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] archive::Refusal),
    /// A message of BuildKit's.
    #[error(transparent)]
    Message(#[from] buildkit::wire::Malformed),
    /// The Dockerfile in the build context.
    #[error(transparent)]
    Dockerfile(#[from] dockerfile::Misread),
    /// A trigger (`ONBUILD`) of an image that a build starts from.
    #[error("image {image} has a trigger (ONBUILD) that cannot be read: {reason}")]
    Trigger {
        /// The image as the Dockerfile names it.
        image: String,
        /// What is wrong with the trigger.
        reason: dockerfile::Misread,
    },
    /// Something in a Dockerfile that only building would tell.
    #[error("it cannot be told what `{text}` in the Dockerfile will be; write it without variables")]
    Unclear {
        /// As it stands.
        text: String,
    },
    /// No such end point.
    #[error("`{method} {path}` is no operation of the Docker API that is known here")]
    NoOperation {
        /// The method.
        method: String,
        /// The path, cut and cleaned for display.
        path: String,
    },
    /// An API version outside the range that is understood.
    #[error("API version {asked} is not spoken here: use {oldest} to {newest} (DOCKER_API_VERSION)")]
    Version {
        /// What the path says.
        asked: String,
        /// The oldest that is taken.
        oldest: String,
        /// The newest that is taken.
        newest: String,
    },
    /// A query parameter that no known daemon reads there.
    #[error("{operation} takes no query parameter `{name}` that is known here")]
    Parameter {
        /// The operation.
        operation: &'static str,
        /// The parameter.
        name: String,
    },
    /// A body where none belongs.
    #[error("{operation} takes no body")]
    NeedlessBody {
        /// The operation.
        operation: &'static str,
    },
    /// A body of another type than the end point reads.
    #[error("{operation} takes {expected}, not `{given}`")]
    ContentType {
        /// The operation.
        operation: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What the request says.
        given: String,
    },
    /// A value that the daemon would refuse or that two readers would take for two things.
    #[error("{field} {problem}")]
    Value {
        /// Where it stands: `HostConfig.Binds[0]`.
        field: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More than one request may ask for.
    #[error("the request asks for more things than can be judged at once")]
    TooMuch,
}

impl Misread {
    /// The HTTP status that answers it: what is malformed is a bad request, what is merely not known
    /// or not looked into is forbidden.
    pub fn status(&self) -> u16 {
        match self {
            Misread::Head(error) => error.status(),
            Misread::TooMuch | Misread::Archive(archive::Refusal::TooMuch { .. }) => 413,
            Misread::Archive(archive::Refusal::Io(_)) => 500,
            Misread::Archive(archive::Refusal::TooSlow) => 503,
            Misread::NoOperation { .. } | Misread::Unclear { .. } | Misread::Trigger { .. } => 403,
            Misread::Body(error) if error.kind == json::Kind::UnknownField => 403,
            Misread::Parameter { .. } | Misread::Message(buildkit::wire::Malformed::Unknown { .. }) => 403,
            Misread::Message(buildkit::wire::Malformed::TooLarge | buildkit::wire::Malformed::TooMuch) => 413,
            _ => 400,
        }
    }

    /// A bad value.
    pub(crate) fn value(field: impl Into<String>, problem: &'static str) -> Self {
        Misread::Value { field: field.into(), problem }
    }
}
