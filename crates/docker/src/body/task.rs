//! The containers of a service (moby `swarm.ContainerSpec`): other names than a container's own
//! configuration, the same privileges.

use std::collections::BTreeMap;

use super::Empty;
use super::container::{Healthcheck, Ulimit};
use super::mount::Mount;
use crate::json::go_struct;

go_struct! {
    /// A task's container.
    pub struct ContainerSpec {
        image: String = "Image",
        labels: Option<BTreeMap<String, String>> = "Labels",
        /// A container's `Entrypoint`.
        command: Option<Vec<String>> = "Command",
        /// A container's `Cmd`.
        args: Option<Vec<String>> = "Args",
        hostname: String = "Hostname",
        env: Option<Vec<String>> = "Env",
        dir: String = "Dir",
        user: String = "User",
        groups: Option<Vec<String>> = "Groups",
        privileges: Option<Privileges> = "Privileges",
        init: Option<bool> = "Init",
        stop_signal: String = "StopSignal",
        tty: bool = "TTY",
        open_stdin: bool = "OpenStdin",
        read_only: bool = "ReadOnly",
        mounts: Option<Vec<Mount>> = "Mounts",
        stop_grace_period: Option<i64> = "StopGracePeriod",
        healthcheck: Option<Healthcheck> = "Healthcheck",
        hosts: Option<Vec<String>> = "Hosts",
        dns_config: Option<DnsConfig> = "DNSConfig",
        secrets: Option<Vec<SecretReference>> = "Secrets",
        configs: Option<Vec<ConfigReference>> = "Configs",
        isolation: String = "Isolation",
        sysctls: Option<BTreeMap<String, String>> = "Sysctls",
        capability_add: Option<Vec<String>> = "CapabilityAdd",
        capability_drop: Option<Vec<String>> = "CapabilityDrop",
        ulimits: Option<Vec<Ulimit>> = "Ulimits",
        oom_score_adj: i64 = "OomScoreAdj",
    }

    /// What a container's `SecurityOpt` says, in a form of its own.
    pub struct Privileges {
        credential_spec: Option<CredentialSpec> = "CredentialSpec",
        se_linux_context: Option<SeLinuxContext> = "SELinuxContext",
        seccomp: Option<Seccomp> = "Seccomp",
        app_armor: Option<AppArmor> = "AppArmor",
        no_new_privileges: bool = "NoNewPrivileges",
    }

    /// Windows accounts: from a config, a file of the host or its registry.
    pub struct CredentialSpec {
        config: String = "Config",
        file: String = "File",
        registry: String = "Registry",
    }

    /// SELinux labels.
    pub struct SeLinuxContext {
        disable: bool = "Disable",
        user: String = "User",
        role: String = "Role",
        kind: String = "Type",
        level: String = "Level",
    }

    /// Which system calls are let through.
    pub struct Seccomp {
        mode: String = "Mode",
        /// In base64, as Go's `[]byte`.
        profile: String = "Profile",
    }

    /// Whether AppArmor confines.
    pub struct AppArmor {
        mode: String = "Mode",
    }

    /// Name servers.
    pub struct DnsConfig {
        nameservers: Option<Vec<String>> = "Nameservers",
        search: Option<Vec<String>> = "Search",
        options: Option<Vec<String>> = "Options",
    }

    /// A secret as a file in the container.
    pub struct SecretReference {
        file: Option<FileTarget> = "File",
        secret_id: String = "SecretID",
        secret_name: String = "SecretName",
    }

    /// A config as a file in the container, or for the container's runtime.
    pub struct ConfigReference {
        file: Option<FileTarget> = "File",
        runtime: Option<Empty> = "Runtime",
        config_id: String = "ConfigID",
        config_name: String = "ConfigName",
    }

    /// A file in the container.
    pub struct FileTarget {
        name: String = "Name",
        uid: String = "UID",
        gid: String = "GID",
        mode: u32 = "Mode",
    }
}
