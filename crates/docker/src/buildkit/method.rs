//! The methods of BuildKit's two tunnels, and what each needs. What is not here is refused.
//!
//! In `/grpc` the client calls the daemon; in `/session`, and in the connection within `Control/Session`, the daemon calls
//! its client.

use crate::endpoint::Operation;

#[cfg(test)]
mod tests;

/// Who calls whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// The client calls the daemon (`/grpc`).
    Grpc,
    /// The daemon calls the client (`/session`).
    Session,
}

/// What has to be done with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it tells nothing of others and changes nothing of theirs.
    Pass,
    /// Pass it, after its first message was read, for the record: ids of secrets and hosts, never their values.
    Noted,
    /// The build that it names must be the subject's own.
    OwnBuild,
    /// That, and each result that it names must have been given by an answer that was judged.
    OwnResults,
    /// That, and its request is judged ([`Build`](super::Build)).
    Judged,
    /// That, and its answer is held and judged too.
    JudgedWithAnswer,
    /// Its events are read, and those of the subject's own builds passed on.
    OwnHistory,
    /// The content that it names must have been named by the history of a build of the subject's own.
    OwnContent,
    /// A connection in which the daemon calls the client: ended on both sides, as `/session` is.
    Session,
    /// The same operation of the Docker API, on the daemon, must be granted.
    Granted(Operation),
    /// It is refused, for this reason.
    Refused(&'static str),
}

/// Where a call names its build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Nowhere.
    Nothing,
    /// In the header field [`BUILD_ID`].
    Header,
    /// In its message, field 1.
    Message,
    /// In its message, which begins a build of that name.
    New,
}

/// The header field in which calls of `LLBBridge` name their build.
pub const BUILD_ID: &str = "buildkit-controlapi-buildid";

/// A method.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// `/moby.buildkit.v1.Control/Solve`
    pub path: &'static str,
    /// Who calls whom.
    pub tunnel: Tunnel,
    /// What has to be done with it.
    pub need: Need,
    /// Where it names its build.
    pub names: Names,
    /// Whether messages may go on and on in either direction, for as long as the build lasts.
    pub streams: bool,
}

impl Method {
    /// The method of that path.
    pub fn of(tunnel: Tunnel, path: &str) -> Option<&'static Method> {
        METHODS.iter().find(|method| method.tunnel == tunnel && method.path == path)
    }

    /// Service and method without the service's package: `Control/Solve`.
    pub fn name(&self) -> &'static str {
        self.path.rsplit_once('.').map_or(self.path, |(_, name)| name)
    }
}

const fn grpc(path: &'static str, need: Need, names: Names) -> Method {
    Method { path, tunnel: Tunnel::Grpc, need, names, streams: false }
}

const fn session(path: &'static str, need: Need) -> Method {
    Method { path, tunnel: Tunnel::Session, need, names: Names::Nothing, streams: false }
}

const fn streaming(method: Method) -> Method {
    Method { streams: true, ..method }
}

const STORE: &str = "the daemon's store is read by the digests of one's own builds alone";

/// All that are known.
pub static METHODS: &[Method] = &[
    grpc("/moby.buildkit.v1.Control/Solve", Need::Judged, Names::New),
    streaming(grpc("/moby.buildkit.v1.Control/Status", Need::OwnBuild, Names::Message)),
    streaming(grpc("/moby.buildkit.v1.Control/Session", Need::Session, Names::Nothing)),
    grpc("/moby.buildkit.v1.Control/ListWorkers", Need::Pass, Names::Nothing),
    grpc("/moby.buildkit.v1.Control/Info", Need::Pass, Names::Nothing),
    streaming(grpc("/moby.buildkit.v1.Control/ListenBuildHistory", Need::OwnHistory, Names::Nothing)),
    grpc("/moby.buildkit.v1.Control/UpdateBuildHistory", Need::OwnBuild, Names::Message),
    streaming(grpc("/moby.buildkit.v1.Control/Prune", Need::Granted(Operation::BuildPrune), Names::Nothing)),
    grpc("/moby.buildkit.v1.Control/DiskUsage", Need::Granted(Operation::BuildPrune), Names::Nothing),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Solve", Need::JudgedWithAnswer, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/ResolveImageConfig", Need::Judged, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/ResolveSourceMeta", Need::Judged, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/NewContainer", Need::Judged, Names::Header),
    // What runs in such a container is judged with the container: who may have one, may run anything.
    streaming(grpc("/moby.buildkit.v1.frontend.LLBBridge/ExecProcess", Need::OwnBuild, Names::Header)),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/ReleaseContainer", Need::OwnBuild, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Return", Need::OwnResults, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/ReadFile", Need::OwnResults, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/ReadDir", Need::OwnResults, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/StatFile", Need::OwnResults, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Evaluate", Need::OwnResults, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Inputs", Need::OwnBuild, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Ping", Need::OwnBuild, Names::Header),
    grpc("/moby.buildkit.v1.frontend.LLBBridge/Warn", Need::OwnBuild, Names::Header),
    grpc("/containerd.services.content.v1.Content/Info", Need::OwnContent, Names::Nothing),
    streaming(grpc("/containerd.services.content.v1.Content/Read", Need::OwnContent, Names::Nothing)),
    grpc("/containerd.services.content.v1.Content/List", Need::Refused(STORE), Names::Nothing),
    grpc("/containerd.services.content.v1.Content/Status", Need::Refused(STORE), Names::Nothing),
    grpc("/containerd.services.content.v1.Content/ListStatuses", Need::Refused(STORE), Names::Nothing),
    grpc("/grpc.health.v1.Health/Check", Need::Pass, Names::Nothing),
    grpc("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Need::Pass, Names::Nothing),
    session("/grpc.health.v1.Health/Check", Need::Pass),
    streaming(session("/moby.filesync.v1.FileSync/DiffCopy", Need::Pass)),
    session(
        "/moby.filesync.v1.FileSync/TarStream",
        Need::Refused("an older way to send files, which no daemon of today uses"),
    ),
    streaming(session("/moby.filesync.v1.FileSend/DiffCopy", Need::Pass)),
    streaming(session("/moby.upload.v1.Upload/Pull", Need::Pass)),
    session("/moby.filesync.v1.Auth/Credentials", Need::Noted),
    session("/moby.filesync.v1.Auth/FetchToken", Need::Noted),
    session("/moby.filesync.v1.Auth/GetTokenAuthority", Need::Noted),
    session("/moby.filesync.v1.Auth/VerifyTokenAuthority", Need::Noted),
    session("/moby.buildkit.secrets.v1.Secrets/GetSecret", Need::Noted),
    session("/moby.sshforward.v1.SSH/CheckAgent", Need::Noted),
    streaming(session("/moby.sshforward.v1.SSH/ForwardAgent", Need::Pass)),
    session(
        "/moby.exporter.v1.Exporter/FindExporters",
        Need::Refused("exporters are named with the build, where they are judged"),
    ),
    // An image layout of the client's (`--build-context NAME=oci-layout://…`) and its cache (`type=local`).
    session("/containerd.services.content.v1.Content/Info", Need::Pass),
    streaming(session("/containerd.services.content.v1.Content/Read", Need::Pass)),
    streaming(session("/containerd.services.content.v1.Content/Write", Need::Pass)),
    streaming(session("/containerd.services.content.v1.Content/List", Need::Pass)),
    session("/containerd.services.content.v1.Content/Status", Need::Pass),
    session("/containerd.services.content.v1.Content/ListStatuses", Need::Pass),
    session("/containerd.services.content.v1.Content/Update", Need::Pass),
    session("/containerd.services.content.v1.Content/Abort", Need::Pass),
    session("/containerd.services.content.v1.Content/Delete", Need::Pass),
];
