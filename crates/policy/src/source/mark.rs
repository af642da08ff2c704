//! What tells commands apart that share an end point, by what a request says or is done to.

use super::target::Target;

/// A mark of requests. Names are those of the table of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Of what docker compose makes or made, but for the containers of `compose run`.
    Compose,
    /// Of containers that `compose run` makes.
    OneOff,
    /// Of what `stack deploy` makes or made.
    Stack,
    /// Of a builder of buildx.
    Builder,
    /// What the facts of a request call so.
    Says(&'static str),
    /// An update of a service that is no rollback.
    Update,
}

/// What docker compose puts on each thing that it makes.
const PROJECT: &str = "com.docker.compose.project";
/// What it puts on containers of `compose run`.
const ONE_OFF: &str = "com.docker.compose.oneoff=True";
/// What `stack deploy` puts on each thing that it makes.
const NAMESPACE: &str = "com.docker.stack.namespace";
/// How containers and volumes of a builder are called.
const BUILDER: &str = "buildx_buildkit_*";

impl Mark {
    pub fn from_name(name: &str) -> Option<Mark> {
        Some(match name {
            "compose" => Mark::Compose,
            "oneoff" => Mark::OneOff,
            "stack" => Mark::Stack,
            "builder" => Mark::Builder,
            "update" => Mark::Update,
            _ => Mark::Says(docker::mark::MARKS.iter().copied().find(|mark| *mark == name)?),
        })
    }

    /// The requests for the action that bear the mark.
    pub fn narrow(self, target: Target, action: &str) -> Target {
        let made = matches!(action, "ContainerCreate" | "ServiceCreate" | "ServiceUpdate");
        match self {
            Mark::Compose if made => target.when(labelled(PROJECT)).when(format!("!({})", one_off())),
            Mark::OneOff => target.when(one_off()),
            Mark::Stack if action == "ServiceUpdate" => target.when(labelled(NAMESPACE)).when(not_a_rollback()),
            Mark::Stack if made => target.when(labelled(NAMESPACE)),
            Mark::Builder if made => target.when(format!("context has spec && context.spec.name like \"{BUILDER}\"")),
            Mark::Compose => target.of_type(kind(action)).when(format!("resource.hasTag(\"{PROJECT}\")")),
            Mark::Stack => target.of_type(kind(action)).when(format!("resource.hasTag(\"{NAMESPACE}\")")),
            Mark::Builder => target.of_type(kind(action)).when(format!("resource.name like \"{BUILDER}\"")),
            Mark::Says(mark) => target.when(format!("context.marks.contains(\"{mark}\")")),
            Mark::Update => target.when(not_a_rollback()),
        }
    }

    /// Whether no request bears both.
    pub fn excludes(self, other: Mark) -> bool {
        let pair = |one, two| (self, other) == (one, two) || (other, self) == (one, two);
        pair(Mark::Compose, Mark::OneOff)
            || pair(Mark::Compose, Mark::Builder)
            || pair(Mark::OneOff, Mark::Builder)
            || pair(Mark::Says("rollback"), Mark::Update)
            || pair(Mark::Says("rollback"), Mark::Stack)
            || pair(Mark::Says("manager"), Mark::Says("worker"))
    }

    /// For the docs.
    pub fn words(self) -> &'static str {
        match self {
            Mark::Compose => "label `com.docker.compose.project`",
            Mark::OneOff => "label `com.docker.compose.oneoff=True`",
            Mark::Stack => "label `com.docker.stack.namespace`",
            Mark::Builder => "name `buildx_buildkit_*`",
            Mark::Update => "no `rollback=previous`",
            Mark::Says("rollback") => "`rollback=previous`",
            Mark::Says("rotate-token") => "`rotateWorkerToken`, `rotateManagerToken`",
            Mark::Says("rotate-key") => "`rotateManagerUnlockKey`",
            Mark::Says("rotate-ca") => "`CAConfig.ForceRotate` or a signing certificate",
            Mark::Says("manager") => "`Role` manager",
            Mark::Says(_) => "`Role` worker",
        }
    }
}

fn labelled(label: &str) -> String {
    format!("context has spec && context.spec.labelKeys.contains(\"{label}\")")
}

fn one_off() -> String {
    format!("context has spec && context.spec.labels.contains(\"{ONE_OFF}\")")
}

fn not_a_rollback() -> &'static str {
    "!context.marks.contains(\"rollback\")"
}

/// What the action is done to.
fn kind(action: &str) -> &'static str {
    match action {
        _ if action.starts_with("Network") => "Network",
        _ if action.starts_with("Volume") => "Volume",
        _ if action.starts_with("Service") => "Service",
        _ if action.starts_with("Secret") => "Secret",
        _ if action.starts_with("Config") => "Config",
        _ => "Container",
    }
}
