//! What the plugin end points carry (moby `types.PluginPrivilege`, `types.PluginConfig`).

use crate::json::{self, Ignored, go_struct};

go_struct! {
    /// One privilege that a plugin is granted: the body of a pull and an upgrade is a list of these.
    pub struct PluginPrivilege {
        name: String = "Name",
        description: String = "Description",
        value: Option<Vec<String>> = "Value",
    }

    /// What a plugin is: `config.json` in its archive, and part of what the daemon says of it.
    pub struct PluginConfig {
        args: Ignored = "Args",
        description: Ignored = "Description",
        docker_version: Ignored = "DockerVersion",
        documentation: Ignored = "Documentation",
        entrypoint: Ignored = "Entrypoint",
        env: Ignored = "Env",
        interface: Ignored = "Interface",
        ipc_host: bool = "IpcHost",
        linux: PluginLinux = "Linux",
        mounts: Option<Vec<PluginMount>> = "Mounts",
        network: PluginNetwork = "Network",
        pid_host: bool = "PidHost",
        propagated_mount: String = "PropagatedMount",
        /// A plugin runs with the daemon's powers, whoever it runs as.
        user: Ignored = "User",
        work_dir: Ignored = "WorkDir",
        rootfs: Ignored = "rootfs",
    }

    /// What ties a plugin to the kernel.
    pub struct PluginLinux {
        capabilities: Option<Vec<String>> = "Capabilities",
        allow_all_devices: bool = "AllowAllDevices",
        devices: Option<Vec<PluginDevice>> = "Devices",
    }

    /// A device of the host in a plugin.
    pub struct PluginDevice {
        name: String = "Name",
        description: Ignored = "Description",
        settable: Ignored = "Settable",
        path: String = "Path",
    }

    /// A mount in a plugin.
    pub struct PluginMount {
        name: String = "Name",
        description: Ignored = "Description",
        settable: Ignored = "Settable",
        source: String = "Source",
        destination: String = "Destination",
        kind: String = "Type",
        options: Option<Vec<String>> = "Options",
    }

    /// The network of a plugin.
    pub struct PluginNetwork {
        kind: String = "Type",
    }
}

impl PluginConfig {
    /// Reads the `config.json` of a plugin's archive.
    pub fn read(bytes: &[u8]) -> Result<PluginConfig, json::Error> {
        Ok(json::read::<PluginConfig>(bytes, &json::Options::default())?.into_value())
    }
}
