//! What is asked for beside an operation: the mounts of a create, the image of a pull, the powers of a container that is
//! started. Lists of paths do not look at it, so it is granted by rules of its own.

use docker::endpoint::{Effect, Operation};

/// What gives nobody the host, as words of rules: about what preset `developer` grants.
pub const ORDINARY: &[&str] = &[
    "image",
    "name_image",
    "push_image",
    "registry",
    "loadImages",
    "build_run",
    "build_cache",
    "build_secret",
    "tmpfs",
    "volume",
    "{ volume_driver: local }",
    "volumes_from",
    "link",
    "user",
    "group",
    "network",
    "{ network_driver: [bridge, \"null\", \"ipam:default\"] }",
    "mac_address",
    "{ port: [free, 1024-65535] }",
    "publish_all_ports",
    "{ namespace: container }",
    "{ security_option: seccomp=builtin }",
    "{ runtime: [runc, io.containerd.runc.v2] }",
    "{ log_driver: [json-file, local, none, default] }",
    "{ ulimit: [nproc, core, stack, memlock, nofile] }",
    "{ capability: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, SETFCAP] }",
    "{ capability: [SETGID, SETPCAP, SETUID, SYS_CHROOT] }",
];

/// Every privilege that there is but for paths of the host, by the names of the schema.
pub const ANYTHING: &[&str] = &[
    "privileged",
    "mountVolume",
    "mountImage",
    "mountTmpfs",
    "mountVolumesFrom",
    "useVolumeDriver",
    "setVolumeOption",
    "shareNamespace",
    "addCapability",
    "useDevice",
    "requestDevice",
    "allowDeviceClass",
    "setSecurityOption",
    "exposeKernelFiles",
    "setSysctl",
    "useRuntime",
    "setCgroupParent",
    "publishPort",
    "publishAllPorts",
    "runAs",
    "joinGroup",
    "useLogDriver",
    "linkContainer",
    "useImage",
    "pullImage",
    "importImage",
    "loadImages",
    "nameImage",
    "contactRegistry",
    "joinNetwork",
    "useNetworkDriver",
    "setNetworkOption",
    "setMacAddress",
    "setUlimit",
    "prioritise",
    "setStorageOption",
    "annotate",
    "checkpoint",
    "fetchBuildContext",
    "setBuildOption",
    "buildRun",
    "buildFetch",
    "copySpecialFile",
    "useSecret",
    "useConfig",
    "useSecretDriver",
    "setSwarmOption",
    "installPlugin",
    "pushImage",
    "mountBuildCache",
    "useBuildCache",
    "useBuildSecret",
    "useBuildsOfOthers",
    "useFrontend",
    "unexamined",
];

/// Paths of the host.
pub const HOST_PATHS: &str = "mountHostPath";

/// Whether an operation asks for anything beside itself.
pub fn asks(operation: Operation) -> bool {
    match operation.endpoint().effect {
        Effect::Read => ASKING_READS.contains(&operation),
        Effect::Change => !PLAIN_CHANGES.contains(&operation),
    }
}

/// Whether it puts into effect what a container was made with, and nothing of its own.
pub fn starts(operation: Operation) -> bool {
    matches!(operation, Operation::ContainerStart | Operation::ContainerRestart | Operation::ContainerUnpause)
}

/// Whether it makes something, runs something in it or changes it: then what is asked for is up to whoever asks. To attach
/// is to talk to what others made.
pub fn makes(operation: Operation) -> bool {
    let attaches = matches!(operation, Operation::ContainerAttach | Operation::ContainerAttachWebsocket);
    operation.endpoint().effect == Effect::Change && asks(operation) && !starts(operation) && !attaches
}

const ASKING_READS: &[Operation] = &[
    Operation::ContainerTop,
    Operation::ContainerArchive,
    Operation::ContainerArchiveInfo,
    Operation::ContainerExport,
    Operation::CheckpointList,
    Operation::ImageSearch,
    Operation::DistributionInspect,
    Operation::GetPluginPrivileges,
];

const PLAIN_CHANGES: &[Operation] = &[
    Operation::ContainerStop,
    Operation::ContainerKill,
    Operation::ContainerPause,
    Operation::ContainerResize,
    Operation::ContainerDelete,
    Operation::ContainerPrune,
    Operation::ExecResize,
    Operation::ImageDelete,
    Operation::ImagePrune,
    Operation::BuildPrune,
    Operation::BuildCancel,
    Operation::VolumeDelete,
    Operation::VolumePrune,
    Operation::NetworkDisconnect,
    Operation::NetworkDelete,
    Operation::NetworkPrune,
    Operation::ServiceDelete,
    Operation::SecretDelete,
    Operation::ConfigDelete,
    Operation::NodeDelete,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ANYTHING, HOST_PATHS};

    /// The page has them from the schema.
    #[test]
    fn anything_is_every_privilege() {
        let page = include_str!("../../../../docs/policy.md");
        let table = page.split("<!-- privileges").nth(1).and_then(|rest| rest.split("<!-- end").next()).unwrap();
        let known: BTreeSet<&str> =
            table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        let named: BTreeSet<&str> = ANYTHING.iter().copied().chain([HOST_PATHS]).collect();
        assert_eq!(known, named);
    }
}
