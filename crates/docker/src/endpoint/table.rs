//! The table itself: one line an end point, in the order in which the daemon's router tries them.

use super::{Answer, BodyKind, Effect, Endpoint, Kind};
use crate::http::Method;

macro_rules! endpoints {
    ($($operation:ident $method:ident $path:literal $kind:ident $effect:ident $body:ident $answer:ident $since:literal [$($parameter:literal),*];)*) => {
        /// An operation of the Docker API, named as the API descriptions name it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the names are the API's own")]
        pub enum Operation { $($operation),* }

        impl Operation {
            /// The name, for example `ContainerCreate`.
            pub fn name(self) -> &'static str {
                match self { $(Operation::$operation => stringify!($operation)),* }
            }
        }

        /// Every end point that Dockwarden knows.
        pub static ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            operation: Operation::$operation,
            method: Method::$method,
            path: $path,
            kind: Kind::$kind,
            effect: Effect::$effect,
            body: BodyKind::$body,
            answer: Answer::$answer,
            since: $since,
            parameters: &[$($parameter),*],
        }),*];
    };
}

/// The row of an operation.
#[allow(clippy::indexing_slicing, reason = "the macro makes one row for each variant, in the same order")]
pub(super) fn row(operation: Operation) -> &'static Endpoint {
    &ENDPOINTS[operation as usize]
}

endpoints! {
    SystemOptions             Options "/{name*}"                                       System       Read    None   Message   0 [];
    SystemPing                Get     "/_ping"                                         System       Read    None   Message  11 [];
    SystemPingHead            Head    "/_ping"                                         System       Read    None   Message  40 [];
    SystemVersion             Get     "/version"                                       System       Read    None   Message   0 [];
    SystemInfo                Get     "/info"                                          System       Read    None   Message   0 [];
    SystemEvents              Get     "/events"                                        System       Read    None   Message   3 ["filters", "since", "until"];
    SystemDataUsage           Get     "/system/df"                                     System       Read    None   Message  25 ["type", "verbose"];
    SystemAuth                Post    "/auth"                                          System       Change  Json   Message   0 [];
    DebugVars                 Get     "/debug/vars"                                    System       Read    None   Message   0 [];
    DebugPprofIndex           Get     "/debug/pprof/"                                  System       Read    None   Message   0 [];
    DebugPprofCmdline         Get     "/debug/pprof/cmdline"                           System       Read    None   Message   0 [];
    DebugPprofProfile         Get     "/debug/pprof/profile"                           System       Read    None   Message   0 ["seconds"];
    DebugPprofSymbol          Get     "/debug/pprof/symbol"                            System       Read    None   Message   0 [];
    DebugPprofTrace           Get     "/debug/pprof/trace"                             System       Read    None   Message   0 ["seconds"];
    DebugPprofNamed           Get     "/debug/pprof/{name}"                            System       Read    None   Message   0 ["debug", "gc", "seconds"];

    ContainerList             Get     "/containers/json"                               Container    Read    None   Message   0 ["all", "filters", "limit", "size", "trunc_cmd", "before", "since", "sizes"];
    ContainerCreate           Post    "/containers/create"                             Container    Change  Json   Message   0 ["name", "platform"];
    ContainerInspect          Get     "/containers/{name*}/json"                        Container    Read    None   Message   0 ["size"];
    ContainerTop              Get     "/containers/{name*}/top"                         Container    Read    None   Message   3 ["ps_args"];
    ContainerLogs             Get     "/containers/{name*}/logs"                        Container    Read    None   Message  11 ["follow", "since", "stderr", "stdout", "tail", "timestamps", "until", "details"];
    ContainerChanges          Get     "/containers/{name*}/changes"                     Container    Read    None   Message   0 [];
    ContainerExport           Get     "/containers/{name*}/export"                      Container    Read    None   Message   0 [];
    ContainerStats            Get     "/containers/{name*}/stats"                       Container    Read    None   Message  17 ["one-shot", "stream"];
    ContainerResize           Post    "/containers/{name*}/resize"                      Container    Change  None   Message  16 ["h", "w"];
    ContainerStart            Post    "/containers/{name*}/start"                       Container    Change  None   Message   0 ["detachKeys", "checkpoint", "checkpoint-dir"];
    ContainerStop             Post    "/containers/{name*}/stop"                        Container    Change  None   Message   0 ["signal", "t"];
    ContainerRestart          Post    "/containers/{name*}/restart"                     Container    Change  None   Message   0 ["signal", "t"];
    ContainerKill             Post    "/containers/{name*}/kill"                        Container    Change  None   Message   0 ["signal"];
    ContainerUpdate           Post    "/containers/{name*}/update"                      Container    Change  Json   Message  22 [];
    ContainerRename           Post    "/containers/{name*}/rename"                      Container    Change  None   Message  17 ["name"];
    ContainerPause            Post    "/containers/{name*}/pause"                       Container    Change  None   Message  12 [];
    ContainerUnpause          Post    "/containers/{name*}/unpause"                     Container    Change  None   Message  12 [];
    ContainerAttach           Post    "/containers/{name*}/attach"                      Container    Change  None   Stream    0 ["detachKeys", "logs", "stderr", "stdin", "stdout", "stream"];
    ContainerAttachWebsocket  Get     "/containers/{name*}/attach/ws"                   Container    Change  None   Stream    0 ["detachKeys", "logs", "stderr", "stdin", "stdout", "stream"];
    ContainerWait             Post    "/containers/{name*}/wait"                        Container    Read    None   Message   0 ["condition"];
    CheckpointDelete          Delete  "/containers/{name}/checkpoints/{checkpoint}"    Container    Change  None   Message  25 ["dir"];
    ContainerDelete           Delete  "/containers/{name*}"                             Container    Change  None   Message   0 ["force", "link", "v"];
    ContainerArchiveInfo      Head    "/containers/{name*}/archive"                     Container    Read    None   Message  20 ["path"];
    ContainerArchive          Get     "/containers/{name*}/archive"                     Container    Read    None   Message  20 ["path"];
    PutContainerArchive       Put     "/containers/{name*}/archive"                     Container    Change  Tar    Message  20 ["copyUIDGID", "noOverwriteDirNonDir", "path"];
    ContainerCopy             Post    "/containers/{name*}/copy"                        Container    Change  Json   Message   4 [];
    ContainerPrune            Post    "/containers/prune"                              Container    Change  None   Message  25 ["filters"];
    CheckpointList            Get     "/containers/{name*}/checkpoints"                 Container    Read    None   Message  25 ["dir"];
    CheckpointCreate          Post    "/containers/{name*}/checkpoints"                 Container    Change  Json   Message  25 [];

    ContainerExec             Post    "/containers/{name*}/exec"                        Exec         Change  Json   Message  15 [];
    ExecStart                 Post    "/exec/{id*}/start"                               Exec         Change  Json   Stream   15 [];
    ExecResize                Post    "/exec/{id*}/resize"                              Exec         Change  None   Message  15 ["h", "w"];
    ExecInspect               Get     "/exec/{id*}/json"                                Exec         Read    None   Message  16 [];

    ImageList                 Get     "/images/json"                                   Image        Read    None   Message   7 ["all", "digests", "filters", "identity", "manifests", "shared-size", "only_ids", "filter"];
    ImageSearch               Get     "/images/search"                                 Image        Read    None   Message   0 ["filters", "limit", "term"];
    ImageGetAll               Get     "/images/get"                                    Image        Read    None   Message  15 ["names", "platform"];
    ImageGet                  Get     "/images/{name*}/get"                             Image        Read    None   Message   7 ["platform"];
    ImageHistory              Get     "/images/{name*}/history"                         Image        Read    None   Message   0 ["platform"];
    ImageInspect              Get     "/images/{name*}/json"                            Image        Read    None   Message   0 ["manifests", "platform"];
    ImageAttestations         Get     "/images/{name*}/attestations"                    Image        Read    None   Message  55 ["platform", "statement", "type"];
    ImageLoad                 Post    "/images/load"                                   Image        Change  Tar    Message   7 ["platform", "quiet"];
    ImageCreate               Post    "/images/create"                                 Image        Change  Tar    Message   0 ["changes", "fromImage", "fromSrc", "message", "platform", "repo", "tag"];
    ImagePush                 Post    "/images/{name*}/push"                            Image        Change  Empty  Message   0 ["platform", "tag"];
    ImageTag                  Post    "/images/{name*}/tag"                             Image        Change  None   Message   0 ["repo", "tag", "force"];
    ImagePrune                Post    "/images/prune"                                  Image        Change  None   Message  25 ["filters"];
    ImageDelete               Delete  "/images/{name*}"                                 Image        Change  None   Message   0 ["force", "noprune", "platforms"];
    ImageCommit               Post    "/commit"                                        Image        Change  Json   Message   0 ["author", "changes", "comment", "container", "pause", "repo", "tag"];

    ImageBuild                Post    "/build"                                         Build        Change  Tar    Message   0 ["buildargs", "cachefrom", "cpuperiod", "cpuquota", "cpusetcpus", "cpushares", "dockerfile", "extrahosts", "forcerm", "labels", "memory", "memswap", "networkmode", "nocache", "outputs", "platform", "pull", "q", "remote", "rm", "shmsize", "squash", "t", "target", "version", "buildid", "cgroupparent", "cpusetmems", "ulimits", "session", "securityopt", "isolation"];
    BuildPrune                Post    "/build/prune"                                   Build        Change  None   Message  31 ["all", "filters", "keep-storage", "max-used-space", "min-free-space", "reserved-space"];
    BuildCancel               Post    "/build/cancel"                                  Build        Change  None   Message  38 ["id"];

    Session                   Post    "/session"                                       Session      Change  Stream Stream   31 [];

    Grpc                      Post    "/grpc"                                          Build        Change  Stream Stream   39 [];

    VolumeList                Get     "/volumes"                                       Volume       Read    None   Message  21 ["filters"];
    VolumeInspect             Get     "/volumes/{name*}"                                Volume       Read    None   Message  21 [];
    VolumeCreate              Post    "/volumes/create"                                Volume       Change  Json   Message  21 [];
    VolumeUpdate              Put     "/volumes/{name*}"                                Volume       Change  Json   Message  42 ["version"];
    VolumePrune               Post    "/volumes/prune"                                 Volume       Change  None   Message  25 ["filters"];
    VolumeDelete              Delete  "/volumes/{name*}"                                Volume       Change  None   Message  21 ["force"];

    NetworkList               Get     "/networks"                                      Network      Read    None   Message  21 ["filters"];
    NetworkListSlash          Get     "/networks/"                                     Network      Read    None   Message  25 ["filters"];
    NetworkInspect            Get     "/networks/{id*}"                                 Network      Read    None   Message  21 ["scope", "verbose"];
    NetworkCreate             Post    "/networks/create"                               Network      Change  Json   Message  21 [];
    NetworkConnect            Post    "/networks/{id*}/connect"                         Network      Change  Json   Message  21 [];
    NetworkDisconnect         Post    "/networks/{id*}/disconnect"                      Network      Change  Json   Message  21 [];
    NetworkPrune              Post    "/networks/prune"                                Network      Change  None   Message  25 ["filters"];
    NetworkDelete             Delete  "/networks/{id*}"                                 Network      Change  None   Message  21 [];

    PluginList                Get     "/plugins"                                       Plugin       Read    None   Message  24 ["filters"];
    GetPluginPrivileges       Get     "/plugins/privileges"                            Plugin       Read    None   Message  25 ["name", "remote"];
    PluginInspect             Get     "/plugins/{name*}/json"                           Plugin       Read    None   Message  25 [];
    PluginPull                Post    "/plugins/pull"                                  Plugin       Change  Json   Message  24 ["name", "remote"];
    PluginCreate              Post    "/plugins/create"                                Plugin       Change  Tar    Message  25 ["name"];
    PluginEnable              Post    "/plugins/{name*}/enable"                         Plugin       Change  None   Message  24 ["timeout"];
    PluginDisable             Post    "/plugins/{name*}/disable"                        Plugin       Change  None   Message  24 ["force"];
    PluginUpgrade             Post    "/plugins/{name*}/upgrade"                        Plugin       Change  Json   Message  26 ["remote"];
    PluginPush                Post    "/plugins/{name*}/push"                           Plugin       Change  None   Message  25 [];
    PluginSet                 Post    "/plugins/{name*}/set"                            Plugin       Change  Json   Message  25 [];
    PluginDelete              Delete  "/plugins/{name*}"                                Plugin       Change  None   Message  24 ["force"];

    DistributionInspect       Get     "/distribution/{name*}/json"                      Distribution Read    None   Message  30 [];

    SwarmInspect              Get     "/swarm"                                         Swarm        Read    None   Message  24 [];
    SwarmUnlockkey            Get     "/swarm/unlockkey"                               Swarm        Read    None   Message  25 [];
    SwarmInit                 Post    "/swarm/init"                                    Swarm        Change  Json   Message  24 [];
    SwarmJoin                 Post    "/swarm/join"                                    Swarm        Change  Json   Message  24 [];
    SwarmLeave                Post    "/swarm/leave"                                   Swarm        Change  None   Message  24 ["force"];
    SwarmUpdate               Post    "/swarm/update"                                  Swarm        Change  Json   Message  24 ["rotateManagerToken", "rotateManagerUnlockKey", "rotateWorkerToken", "version"];
    SwarmUnlock               Post    "/swarm/unlock"                                  Swarm        Change  Json   Message  25 [];

    NodeList                  Get     "/nodes"                                         Node         Read    None   Message  24 ["filters"];
    NodeInspect               Get     "/nodes/{id}"                                    Node         Read    None   Message  24 [];
    NodeUpdate                Post    "/nodes/{id}/update"                             Node         Change  Json   Message  24 ["version"];
    NodeDelete                Delete  "/nodes/{id}"                                    Node         Change  None   Message  24 ["force"];

    ServiceList               Get     "/services"                                      Service      Read    None   Message  24 ["filters", "status"];
    ServiceInspect            Get     "/services/{id}"                                 Service      Read    None   Message  24 ["insertDefaults"];
    ServiceCreate             Post    "/services/create"                               Service      Change  Json   Message  24 [];
    ServiceUpdate             Post    "/services/{id}/update"                          Service      Change  Json   Message  24 ["registryAuthFrom", "rollback", "version"];
    ServiceDelete             Delete  "/services/{id}"                                 Service      Change  None   Message  24 [];
    ServiceLogs               Get     "/services/{id}/logs"                            Service      Read    None   Message  25 ["details", "follow", "since", "stderr", "stdout", "tail", "timestamps", "until"];

    TaskList                  Get     "/tasks"                                         Task         Read    None   Message  24 ["filters"];
    TaskInspect               Get     "/tasks/{id}"                                    Task         Read    None   Message  24 [];
    TaskLogs                  Get     "/tasks/{id}/logs"                               Task         Read    None   Message  29 ["details", "follow", "since", "stderr", "stdout", "tail", "timestamps"];

    SecretList                Get     "/secrets"                                       Secret       Read    None   Message  25 ["filters"];
    SecretInspect             Get     "/secrets/{id}"                                  Secret       Read    None   Message  25 [];
    SecretCreate              Post    "/secrets/create"                                Secret       Change  Json   Message  25 [];
    SecretUpdate              Post    "/secrets/{id}/update"                           Secret       Change  Json   Message  26 ["version"];
    SecretDelete              Delete  "/secrets/{id}"                                  Secret       Change  None   Message  25 [];

    ConfigList                Get     "/configs"                                       Config       Read    None   Message  30 ["filters"];
    ConfigInspect             Get     "/configs/{id}"                                  Config       Read    None   Message  30 [];
    ConfigCreate              Post    "/configs/create"                                Config       Change  Json   Message  30 [];
    ConfigUpdate              Post    "/configs/{id}/update"                           Config       Change  Json   Message  30 ["version"];
    ConfigDelete              Delete  "/configs/{id}"                                  Config       Change  None   Message  30 [];
}
