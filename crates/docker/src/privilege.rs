//! The privileges: everything that a request asks for beyond being carried out.
//!
//! One list for all ways of asking. A bind mount is the same privilege in `Binds`, in `Mounts`, and as
//! the driver options of a volume. What is not in this list grants nothing: each field of each body is
//! accounted for either here or as harmless in the table of the body it belongs to.

use std::fmt;

use serde::{Serialize, Serializer};

pub(crate) mod asked;
pub(crate) mod containers;
mod devices;
pub(crate) mod kernel;
mod limits;
pub(crate) mod mounts;
mod namespaces;
mod networks;
pub(crate) mod plugins;
pub(crate) mod services;
pub(crate) mod swarm;
pub(crate) mod users;
mod words;

pub use asked::Absent;
pub use kernel::{capability_name, security_option, security_option_pair};
pub use users::run_user;

use crate::resource::{Container, Image, Network, Thing, Volume};

/// One thing that an operation would grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Privilege {
    /// All capabilities, all devices, no confinement (`Privileged`, in a container or an exec).
    Privileged,
    /// A path of the host inside the container.
    MountHostPath(HostMount),
    /// A volume inside the container.
    MountVolume {
        /// Which one.
        volume: Volume,
        /// Where it is mounted in the container.
        target: String,
        /// Whether it cannot be written to.
        read_only: bool,
    },
    /// The files of an image inside the container.
    MountImage {
        /// Which one.
        image: Image,
        /// Where it is mounted in the container.
        target: String,
    },
    /// A file system in memory.
    MountTmpfs {
        /// Where it is mounted in the container.
        target: String,
        /// Mount options as given.
        options: String,
    },
    /// All mounts of another container (`VolumesFrom`).
    MountVolumesFrom {
        /// The other container.
        container: Container,
        /// Whether they cannot be written to.
        read_only: bool,
    },
    /// A volume driver other than `local`.
    UseVolumeDriver {
        /// Its name.
        driver: String,
    },
    /// An option for a volume's driver that is not a plain bind mount: for driver `local` the file
    /// system type, the device and the mount options, which can read any disk of the host.
    SetVolumeOption {
        /// The option's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A namespace shared with the host or with another container instead of its own.
    ShareNamespace {
        /// Which namespace.
        namespace: Namespace,
        /// With whom.
        with: Peer,
    },
    /// A capability beyond those that the daemon gives by default, or one of these asked for by name.
    AddCapability {
        /// Its name in upper case without `CAP_`, or `ALL`.
        name: String,
    },
    /// A device of the host.
    UseDevice {
        /// Its path on the host, cleaned and with symbolic links resolved.
        path: String,
        /// `r`, `w` and `m`, as asked.
        permissions: String,
    },
    /// Devices by driver and capability: GPUs, CDI devices.
    RequestDevice {
        /// The driver, `cdi`, `nvidia`, …; may be empty.
        driver: String,
        /// Device ids and capabilities, joined by commas.
        devices: String,
    },
    /// A rule of the devices control group.
    AllowDeviceClass {
        /// The rule, for example `c 1:3 rwm`.
        rule: String,
    },
    /// A security option: seccomp, AppArmor, SELinux label, no-new-privileges, …
    SetSecurityOption {
        /// The key: `seccomp`, `apparmor`, `label`, `no-new-privileges`, `writable-cgroups`, or what
        /// the request gave.
        name: String,
        /// The value. A seccomp profile is given as `custom`, never whole.
        value: String,
    },
    /// Kernel files that the daemon hides or makes read-only by default, laid open.
    ExposeKernelFiles {
        /// `MaskedPaths` or `ReadonlyPaths`.
        list: &'static str,
    },
    /// A kernel parameter.
    SetSysctl {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A runtime (or Windows isolation) asked for by name.
    UseRuntime {
        /// Its name.
        name: String,
    },
    /// A parent control group.
    SetCgroupParent {
        /// Its path.
        path: String,
    },
    /// A port of the host.
    PublishPort(PublishedPort),
    /// Every exposed port on a free port of the host.
    PublishAllPorts,
    /// The user that processes run as.
    RunAs(RunUser),
    /// A supplementary group of the processes.
    JoinGroup {
        /// Its name or number.
        group: String,
    },
    /// A log driver other than those that write files of the daemon's own.
    UseLogDriver {
        /// Its name.
        driver: String,
        /// `key=value` of its options, values left out where they may be secret.
        options: Vec<(String, String)>,
    },
    /// A link to another container: its address and its environment.
    LinkContainer {
        /// The other container.
        container: Container,
    },
    /// An image to make something from.
    UseImage {
        /// Which one.
        image: Image,
    },
    /// An image fetched from a registry.
    PullImage {
        /// Its name. Without tag and digest: all tags.
        image: Image,
    },
    /// An image made from an archive.
    ImportImage {
        /// The name that it will have, if any.
        image: Image,
        /// A URL that the daemon fetches; `None` when the archive is the body.
        from: Option<String>,
    },
    /// Images out of an archive, as it stands.
    LoadImages {
        /// Whether some come without a name. The others ask for theirs.
        unnamed: bool,
    },
    /// A name given to an image: by tag, build, commit, or import.
    NameImage {
        /// The name.
        image: Image,
    },
    /// A request by the daemon to a registry.
    ContactRegistry {
        /// Its host, `docker.io` for Docker Hub.
        registry: String,
    },
    /// A network joined.
    JoinNetwork {
        /// Which one.
        network: Network,
    },
    /// A driver for a new network, `bridge` unless another is named.
    UseNetworkDriver {
        /// Its name; `ipam:NAME` for the driver that manages addresses.
        driver: String,
    },
    /// An option of a new network or of an endpoint that is not known to be harmless.
    SetNetworkOption {
        /// The option's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A hardware address of the request's choice.
    SetMacAddress {
        /// The address.
        address: String,
    },
    /// A resource limit (`ulimit`).
    SetUlimit {
        /// Its name: `nofile`, …
        name: String,
        /// The soft limit, −1 for none.
        soft: i64,
        /// The hard limit, −1 for none.
        hard: i64,
    },
    /// A share of the host's resources beyond the fair one: the out-of-memory killer kept away, real-time
    /// scheduling.
    Prioritise {
        /// `oom-score`, `oom-kill-disable`, `realtime`.
        what: &'static str,
        /// The value asked for.
        value: i64,
    },
    /// A storage option, such as the size of the root file system.
    SetStorageOption {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// An annotation for the runtime.
    Annotate {
        /// Its key.
        name: String,
    },
    /// A container's memory written to, or read from, files.
    Checkpoint {
        /// The checkpoint's directory on the host; empty for the daemon's own.
        directory: String,
    },
    /// A build's context fetched by the daemon from a URL or a git repository.
    FetchBuildContext {
        /// Where from.
        from: String,
    },
    /// A build option that is not known to be harmless.
    SetBuildOption {
        /// The option's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Commands run by a build (`RUN`), as root unless the Dockerfile says otherwise.
    BuildRun {
        /// The network that they run in, `default` where none is named.
        network: String,
    },
    /// A URL or a git repository that the daemon fetches while it builds (`ADD`).
    BuildFetch {
        /// Where from, as the Dockerfile has it: variables in it are not known.
        from: String,
    },
    /// An image sent to a registry by a build.
    PushImage {
        /// Its name there.
        image: Image,
    },
    /// An image that reads the Dockerfile in place of BuildKit's own reader, or builds as it likes: what it does is not
    /// shown.
    UseFrontend {
        /// Which one; `None`: whichever the Dockerfile names (`# syntax=`).
        image: Option<Image>,
    },
    /// A folder that BuildKit keeps for the commands of later builds (`RUN --mount=type=cache`).
    MountBuildCache {
        /// Its name.
        id: String,
        /// Whether it is kept apart for who builds.
        own: bool,
    },
    /// A store of build results outside of the daemon and of registries.
    UseBuildCache {
        /// `registry`, `local` (a folder of the client's), `s3`, `gha`, `azblob`, …
        kind: String,
        /// Whether results are written there, and not only taken from it.
        export: bool,
    },
    /// A secret of the client's, or its agent for SSH, for a command of a build or for what the daemon fetches.
    UseBuildSecret {
        /// Its name.
        id: String,
        /// Whether it is an agent.
        agent: bool,
    },
    /// Builds through BuildKit that others began: their output and history, and what the daemon's store has of them.
    UseBuildsOfOthers,
    /// A file copied into a container that is more than its contents.
    CopySpecialFile {
        /// What is special about it.
        kind: SpecialFile,
        /// The first such file.
        path: String,
    },
    /// A swarm's secret, as a file in a container or handed to a driver.
    UseSecret {
        /// Which one.
        secret: Thing,
    },
    /// A swarm's config, as a file in a container or for its runtime.
    UseConfig {
        /// Which one.
        config: Thing,
    },
    /// A driver that keeps secrets outside of the swarm, or makes them from templates.
    UseSecretDriver {
        /// Its name; `template:NAME` for one that fills in templates.
        driver: String,
    },
    /// An option of a swarm that is not known to be harmless: managers of others, certificate authorities, roles.
    SetSwarmOption {
        /// `manager`, `role`, `force-new-cluster`, `external-ca` or `signing-ca`.
        name: &'static str,
        /// Its value; empty where it is a key.
        value: String,
    },
    /// A plugin installed: it runs with the daemon's powers.
    InstallPlugin {
        /// Its name: in a registry where it comes from there.
        image: Image,
    },
    /// A part of the request that this version of Dockwarden does not look into.
    Unexamined {
        /// Which part.
        part: &'static str,
    },
}

/// A host path mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostMount {
    /// The path as the daemon would clean it, with symbolic links resolved where they could be.
    pub path: String,
    /// The path as the request gives it, when it differs.
    pub asked: Option<String>,
    /// Where it is mounted in the container.
    pub target: String,
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// Mount propagation as asked, empty for the default.
    pub propagation: String,
    /// Whether it hides behind a volume of driver `local` with bind options.
    pub through_volume: bool,
    /// Whether symbolic links could be resolved: not on a daemon of another machine, nor on the nodes of a swarm.
    pub resolved: bool,
}

/// What makes a file more than its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialFile {
    /// A device node.
    Device,
    /// It runs as its owner or group (setuid, setgid), whoever starts it.
    SetId,
    /// It runs with capabilities (`security.capability`).
    Capability,
    /// A symbolic link with an absolute target, or one that leads out of the folder that is copied.
    OutsideLink,
    /// A hard link to a file that the container has already.
    OutsideHardLink,
    /// A name that leads upwards with `..`.
    OutsideName,
}

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// Processes.
    Pid,
    /// Networks.
    Network,
    /// Shared memory and message queues.
    Ipc,
    /// Host name.
    Uts,
    /// Users.
    User,
    /// Control groups.
    Cgroup,
}

/// With whom a namespace is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Peer {
    /// The host.
    Host,
    /// Another container.
    Container(Container),
    /// A mode that is not known; some daemons take it for "not the host".
    Unknown(String),
}

/// A port of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedPort {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address of the host, empty for all.
    pub address: String,
    /// The first port of the range. 0: a free port of the daemon's choice.
    pub first: u16,
    /// The last port of the range.
    pub last: u16,
}

/// Who the processes run as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunUser {
    /// As given by the request, else by the image or the container; empty: nobody says.
    pub name: String,
    /// What that means inside the container.
    pub uid: Uid,
}

/// A user id inside the container, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uid {
    /// That number. 0 is root.
    Number(u32),
    /// A name which only the image's `/etc/passwd` resolves: may be root.
    Unknown,
}

/// The number; nothing where it is not known.
impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Uid::Number(number) => serializer.serialize_u32(*number),
            Uid::Unknown => serializer.serialize_none(),
        }
    }
}

impl Uid {
    /// Whether the user can be root.
    pub fn may_be_root(self) -> bool {
        matches!(self, Uid::Number(0) | Uid::Unknown)
    }
}

impl SpecialFile {
    /// The name used in policies: `device`, `set-id`, …
    pub fn name(self) -> &'static str {
        match self {
            SpecialFile::Device => "device",
            SpecialFile::SetId => "set-id",
            SpecialFile::Capability => "capability",
            SpecialFile::OutsideLink => "outside-link",
            SpecialFile::OutsideHardLink => "outside-hard-link",
            SpecialFile::OutsideName => "outside-name",
        }
    }
}

/// In words, to follow "copy".
impl fmt::Display for SpecialFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpecialFile::Device => "a device node",
            SpecialFile::SetId => "a file that runs as its owner (setuid or setgid)",
            SpecialFile::Capability => "a file with capabilities",
            SpecialFile::OutsideLink => "a symbolic link that leads out of its folder",
            SpecialFile::OutsideHardLink => "a hard link to a file that is not in the archive",
            SpecialFile::OutsideName => "a file whose name leads upwards",
        })
    }
}

impl Namespace {
    /// The name used in policies and messages: `pid`, `network`, …
    pub fn name(self) -> &'static str {
        match self {
            Namespace::Pid => "pid",
            Namespace::Network => "network",
            Namespace::Ipc => "ipc",
            Namespace::Uts => "uts",
            Namespace::User => "user",
            Namespace::Cgroup => "cgroup",
        }
    }
}
