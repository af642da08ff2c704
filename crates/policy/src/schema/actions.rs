//! The two tables that actions are made of: which resources an operation can touch, and the privileges.

use docker::endpoint::{Kind, Operation};
use docker::privilege::Privilege;

use super::Type;

/// A privilege as an action.
pub(crate) struct PrivilegeAction {
    /// The name in policies.
    pub name: &'static str,
    resources: &'static [Type],
    /// What its context holds beside the circumstances, as in the schema.
    pub context: &'static [&'static str],
}

const fn privilege(
    name: &'static str,
    resources: &'static [Type],
    context: &'static [&'static str],
) -> PrivilegeAction {
    PrivilegeAction { name, resources, context }
}

/// Every privilege, named as its variant in lower camel case.
pub(crate) static PRIVILEGES: &[PrivilegeAction] = &[
    privilege("privileged", &[Type::Daemon], &[]),
    privilege(
        "mountHostPath",
        &[Type::HostPath],
        &["readOnly: Bool", "target: String", "propagation: String", "throughVolume: Bool", "resolved: Bool"],
    ),
    privilege("mountVolume", &[Type::Volume], &["readOnly: Bool", "target: String"]),
    privilege("mountImage", &[Type::Image], &["target: String"]),
    privilege("mountTmpfs", &[Type::Daemon], &["target: String", "options: String"]),
    privilege("mountVolumesFrom", &[Type::Container], &["readOnly: Bool"]),
    privilege("useVolumeDriver", &[Type::VolumeDriver], &[]),
    privilege("setVolumeOption", &[Type::VolumeOption], &["value: String"]),
    privilege("shareNamespace", &[Type::Namespace, Type::Container], &["namespace: String", "mode: String"]),
    privilege("addCapability", &[Type::Capability], &[]),
    privilege("useDevice", &[Type::Device], &["permissions: String"]),
    privilege("requestDevice", &[Type::DeviceDriver], &["devices: String"]),
    privilege("allowDeviceClass", &[Type::DeviceClass], &[]),
    privilege("setSecurityOption", &[Type::SecurityOption], &["value: String"]),
    privilege("exposeKernelFiles", &[Type::KernelFiles], &[]),
    privilege("setSysctl", &[Type::Sysctl], &["value: String"]),
    privilege("useRuntime", &[Type::Runtime], &[]),
    privilege("setCgroupParent", &[Type::Cgroup], &[]),
    privilege("publishPort", &[Type::Port], &[]),
    privilege("publishAllPorts", &[Type::Daemon], &[]),
    privilege("runAs", &[Type::RunUser], &[]),
    privilege("joinGroup", &[Type::RunGroup], &[]),
    privilege("useLogDriver", &[Type::LogDriver], &["options: Set<String>"]),
    privilege("linkContainer", &[Type::Container], &[]),
    privilege("useImage", &[Type::Image], &[]),
    privilege("pullImage", &[Type::Image], &[]),
    privilege("importImage", &[Type::Image, Type::Daemon], &["from?: String"]),
    privilege("loadImages", &[Type::Daemon], &["unnamed: Bool"]),
    privilege("nameImage", &[Type::Image], &[]),
    privilege("contactRegistry", &[Type::Registry], &[]),
    privilege("joinNetwork", &[Type::Network], &[]),
    privilege("useNetworkDriver", &[Type::NetworkDriver], &[]),
    privilege("setNetworkOption", &[Type::NetworkOption], &["value: String"]),
    privilege("setMacAddress", &[Type::MacAddress], &[]),
    privilege("setUlimit", &[Type::Ulimit], &["soft: Long", "hard: Long"]),
    privilege("prioritise", &[Type::Priority], &["value: Long"]),
    privilege("setStorageOption", &[Type::StorageOption], &["value: String"]),
    privilege("annotate", &[Type::Annotation], &[]),
    privilege("checkpoint", &[Type::Daemon, Type::HostPath], &[]),
    privilege("fetchBuildContext", &[Type::BuildContext], &[]),
    privilege("setBuildOption", &[Type::BuildOption], &["value: String"]),
    privilege("buildRun", &[Type::Daemon], &["network: String"]),
    privilege("buildFetch", &[Type::BuildSource], &[]),
    privilege("pushImage", &[Type::Image], &[]),
    privilege("useFrontend", &[Type::Image, Type::Daemon], &[]),
    privilege("mountBuildCache", &[Type::BuildCache], &["own: Bool"]),
    privilege("useBuildCache", &[Type::CacheStore], &["export: Bool"]),
    privilege("useBuildSecret", &[Type::BuildSecret], &["agent: Bool"]),
    privilege("useBuildsOfOthers", &[Type::Daemon], &[]),
    privilege("copySpecialFile", &[Type::SpecialFile], &["path: String"]),
    privilege("useSecret", &[Type::Secret], &[]),
    privilege("useConfig", &[Type::Config], &[]),
    privilege("useSecretDriver", &[Type::SecretDriver], &[]),
    privilege("setSwarmOption", &[Type::SwarmOption], &["value: String"]),
    privilege("installPlugin", &[Type::Image], &[]),
    privilege("unexamined", &[Type::Part], &[]),
];

/// What can be shown, or not, in lists, events and the disk usage. Who is shown the daemon is shown all.
pub(super) const SHOWN: &[Type] = &[
    Type::Daemon,
    Type::Container,
    Type::Image,
    Type::Volume,
    Type::Network,
    Type::Service,
    Type::Task,
    Type::Node,
    Type::Secret,
    Type::Config,
    Type::Plugin,
];

pub(super) fn privilege_resources(privilege: &PrivilegeAction) -> &'static [Type] {
    privilege.resources
}

/// The action of a privilege.
pub(crate) fn privilege_name(privilege: &Privilege) -> &'static str {
    match privilege {
        Privilege::Privileged => "privileged",
        Privilege::MountHostPath(_) => "mountHostPath",
        Privilege::MountVolume { .. } => "mountVolume",
        Privilege::MountImage { .. } => "mountImage",
        Privilege::MountTmpfs { .. } => "mountTmpfs",
        Privilege::MountVolumesFrom { .. } => "mountVolumesFrom",
        Privilege::UseVolumeDriver { .. } => "useVolumeDriver",
        Privilege::SetVolumeOption { .. } => "setVolumeOption",
        Privilege::ShareNamespace { .. } => "shareNamespace",
        Privilege::AddCapability { .. } => "addCapability",
        Privilege::UseDevice { .. } => "useDevice",
        Privilege::RequestDevice { .. } => "requestDevice",
        Privilege::AllowDeviceClass { .. } => "allowDeviceClass",
        Privilege::SetSecurityOption { .. } => "setSecurityOption",
        Privilege::ExposeKernelFiles { .. } => "exposeKernelFiles",
        Privilege::SetSysctl { .. } => "setSysctl",
        Privilege::UseRuntime { .. } => "useRuntime",
        Privilege::SetCgroupParent { .. } => "setCgroupParent",
        Privilege::PublishPort(_) => "publishPort",
        Privilege::PublishAllPorts => "publishAllPorts",
        Privilege::RunAs(_) => "runAs",
        Privilege::JoinGroup { .. } => "joinGroup",
        Privilege::UseLogDriver { .. } => "useLogDriver",
        Privilege::LinkContainer { .. } => "linkContainer",
        Privilege::UseImage { .. } => "useImage",
        Privilege::PullImage { .. } => "pullImage",
        Privilege::ImportImage { .. } => "importImage",
        Privilege::LoadImages { .. } => "loadImages",
        Privilege::NameImage { .. } => "nameImage",
        Privilege::ContactRegistry { .. } => "contactRegistry",
        Privilege::JoinNetwork { .. } => "joinNetwork",
        Privilege::UseNetworkDriver { .. } => "useNetworkDriver",
        Privilege::SetNetworkOption { .. } => "setNetworkOption",
        Privilege::SetMacAddress { .. } => "setMacAddress",
        Privilege::SetUlimit { .. } => "setUlimit",
        Privilege::Prioritise { .. } => "prioritise",
        Privilege::SetStorageOption { .. } => "setStorageOption",
        Privilege::Annotate { .. } => "annotate",
        Privilege::Checkpoint { .. } => "checkpoint",
        Privilege::FetchBuildContext { .. } => "fetchBuildContext",
        Privilege::SetBuildOption { .. } => "setBuildOption",
        Privilege::BuildRun { .. } => "buildRun",
        Privilege::BuildFetch { .. } => "buildFetch",
        Privilege::PushImage { .. } => "pushImage",
        Privilege::UseFrontend { .. } => "useFrontend",
        Privilege::MountBuildCache { .. } => "mountBuildCache",
        Privilege::UseBuildCache { .. } => "useBuildCache",
        Privilege::UseBuildSecret { .. } => "useBuildSecret",
        Privilege::UseBuildsOfOthers => "useBuildsOfOthers",
        Privilege::CopySpecialFile { .. } => "copySpecialFile",
        Privilege::UseSecret { .. } => "useSecret",
        Privilege::UseConfig { .. } => "useConfig",
        Privilege::UseSecretDriver { .. } => "useSecretDriver",
        Privilege::SetSwarmOption { .. } => "setSwarmOption",
        Privilege::InstallPlugin { .. } => "installPlugin",
        Privilege::Unexamined { .. } => "unexamined",
    }
}

/// The resources that an operation can touch. A question about any other is refused unasked: policies
/// were validated against this list.
pub(crate) fn operation_resources(operation: Operation) -> Vec<Type> {
    let endpoint = operation.endpoint();
    let own = match endpoint.kind {
        Kind::System | Kind::Build | Kind::Session | Kind::Swarm => Type::Daemon,
        Kind::Container | Kind::Exec => Type::Container,
        Kind::Image | Kind::Distribution => Type::Image,
        Kind::Volume => Type::Volume,
        Kind::Network => Type::Network,
        Kind::Plugin => Type::Plugin,
        Kind::Node => Type::Node,
        Kind::Service => Type::Service,
        Kind::Task => Type::Task,
        Kind::Secret => Type::Secret,
        Kind::Config => Type::Config,
    };
    let others: &[Type] = match operation {
        Operation::NetworkConnect | Operation::NetworkDisconnect => &[Type::Container],
        Operation::ImageCommit => &[Type::Daemon, Type::Container],
        Operation::ImageBuild => &[Type::Image],
        Operation::DistributionInspect => &[Type::Daemon],
        // What these make, or name in the query, is a thing of its family.
        Operation::ImageCreate
        | Operation::ImageGetAll
        | Operation::ImageLoad
        | Operation::VolumeCreate
        | Operation::NetworkCreate
        | Operation::PluginPull
        | Operation::PluginCreate
        | Operation::GetPluginPrivileges
        | Operation::ServiceCreate
        | Operation::SecretCreate
        | Operation::ConfigCreate => &[Type::Daemon],
        _ => &[],
    };
    let named = endpoint.path.contains('{') && operation != Operation::SystemOptions;
    let mut resources = if named || !others.is_empty() { vec![own] } else { vec![Type::Daemon] };
    for other in others {
        if !resources.contains(other) {
            resources.push(*other);
        }
    }
    resources
}

/// Whether a read shows secrets, or a whole file system or memory.
pub(super) fn is_sensitive(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::DebugVars
            | Operation::DebugPprofIndex
            | Operation::DebugPprofCmdline
            | Operation::DebugPprofProfile
            | Operation::DebugPprofSymbol
            | Operation::DebugPprofTrace
            | Operation::DebugPprofNamed
            | Operation::SwarmInspect
            | Operation::SwarmUnlockkey
            | Operation::ConfigInspect
            | Operation::ConfigList
            | Operation::SecretInspect
            | Operation::ContainerExport
            | Operation::ContainerArchive
            | Operation::ContainerArchiveInfo
            | Operation::ImageGet
            | Operation::ImageGetAll
            | Operation::CheckpointList
    )
}
