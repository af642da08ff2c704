//! Managed plugins: programs of the daemon's own, with its powers and what they are granted beside them.
//!
//! What a plugin is granted stands in three places: in the list that a client sends along with an installation, in
//! the plugin's `config.json`, and in what the daemon keeps of it. All become the same privileges as a container's.

use super::{HostMount, Namespace, Peer, Privilege};
use crate::body::plugin::{PluginConfig, PluginMount, PluginPrivilege};
use crate::body::service::PluginSpec;
use crate::host_path;
use crate::image::Reference;
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::resource::Image;
use crate::world::KnownPath;

/// The rule of the devices control group for everything.
const ALL_DEVICES: &str = "a *:* rwm";

impl Asked<'_> {
    /// A plugin fetched from a registry, with the privileges that the client grants it. The daemon takes the list only
    /// if it is exactly what the plugin asks for, so it is sent as it is.
    pub(crate) fn install_plugin(&mut self, remote: &str, granted: &[PluginPrivilege]) -> Result<(), Misread> {
        let image = plugin_image(remote, "remote")?;
        let registry = image.reference.as_ref().map(|reference| reference.registry.clone()).unwrap_or_default();
        self.ask(Privilege::ContactRegistry { registry });
        self.ask(Privilege::InstallPlugin { image });
        for privilege in granted {
            self.plugin_privilege(&privilege.name, privilege.value.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    /// A plugin that a service installs on every node.
    pub(crate) fn swarm_plugin(&mut self, plugin: &PluginSpec) -> Result<(), Misread> {
        self.install_plugin(&plugin.remote, &[])?;
        // By its name it takes over, and may disable, a plugin that is there.
        if !plugin.name.is_empty() {
            self.ask(Privilege::InstallPlugin { image: plugin_image(&plugin.name, "name")? });
        }
        for privilege in plugin.privileges.iter().flatten() {
            self.plugin_privilege(&privilege.name, privilege.value.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    /// One privilege in the daemon's words (moby `computePrivileges`).
    fn plugin_privilege(&mut self, name: &str, values: &[String]) -> Result<(), Misread> {
        let own = |value: &String| matches!(value.as_str(), "" | "true");
        match name {
            "network" => values.iter().for_each(|mode| self.plugin_network(mode)),
            "host ipc namespace" if values.iter().all(own) => self.share_with_host(Namespace::Ipc),
            "host pid namespace" if values.iter().all(own) => self.share_with_host(Namespace::Pid),
            "mount" => values.iter().for_each(|source| self.plugin_path(source, "", false)),
            "device" => values.iter().for_each(|path| self.plugin_device(path)),
            "allow-all-devices" if values.iter().all(own) => {
                self.ask(Privilege::AllowDeviceClass { rule: ALL_DEVICES.to_owned() });
            }
            "capabilities" => self.capabilities(values.iter()),
            _ => return Err(Misread::value("the list of privileges", "has one that is not known here")),
        }
        Ok(())
    }

    /// What a plugin's configuration grants it.
    pub(crate) fn plugin(&mut self, config: &PluginConfig) {
        self.plugin_network(&config.network.kind);
        for (host, namespace) in [(config.ipc_host, Namespace::Ipc), (config.pid_host, Namespace::Pid)] {
            if host {
                self.share_with_host(namespace);
            }
        }
        self.capabilities(config.linux.capabilities.iter().flatten());
        if config.linux.allow_all_devices {
            self.ask(Privilege::AllowDeviceClass { rule: ALL_DEVICES.to_owned() });
        }
        for device in config.linux.devices.iter().flatten().filter(|device| !device.path.is_empty()) {
            self.plugin_device(&device.path);
        }
        for mount in config.mounts.iter().flatten() {
            self.plugin_mount(mount);
        }
    }

    /// New values for a plugin's settings, `name[.field]=value`: paths of its mounts and devices.
    ///
    /// Harmless beside that the plugin is changed at all: its environment and arguments.
    pub(crate) fn plugin_settings(&mut self, config: &PluginConfig, settings: &[String]) {
        for setting in settings {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            // The daemon cuts at the dot; a name that has one itself is tried whole as well.
            let called = |given: &String| given == name || name.rsplit_once('.').is_some_and(|(name, _)| given == name);
            for mount in config.mounts.iter().flatten().filter(|mount| called(&mount.name)) {
                self.plugin_mount(&PluginMount { source: value.to_owned(), ..mount.clone() });
            }
            if config.linux.devices.iter().flatten().any(|device| called(&device.name)) {
                self.plugin_device(value);
            }
        }
    }

    fn share_with_host(&mut self, namespace: Namespace) {
        self.ask(Privilege::ShareNamespace { namespace, with: Peer::Host });
    }

    fn plugin_network(&mut self, mode: &str) {
        match mode {
            "" | "none" | "null" => {}
            "bridge" => self.join_network("bridge"),
            "host" => self.share_with_host(Namespace::Network),
            other => self.ask(Privilege::ShareNamespace {
                namespace: Namespace::Network,
                with: Peer::Unknown(other.to_owned()),
            }),
        }
    }

    /// A mount as mount(2) would make it. Without a source there is nothing to mount yet.
    fn plugin_mount(&mut self, mount: &PluginMount) {
        let options: Vec<&str> = mount.options.iter().flatten().map(String::as_str).collect();
        let bind = mount.kind == "bind" || options.iter().any(|option| matches!(*option, "bind" | "rbind"));
        match mount.kind.as_str() {
            _ if mount.source.is_empty() => {}
            _ if bind => self.plugin_path(&mount.source, &mount.destination, options.contains(&"ro")),
            "tmpfs" => {
                self.ask(Privilege::MountTmpfs { target: mount.destination.clone(), options: options.join(",") })
            }
            kind => {
                for (name, value) in [("type", kind), ("device", mount.source.as_str()), ("o", &options.join(","))] {
                    self.ask(Privilege::SetVolumeOption { name: name.to_owned(), value: value.to_owned() });
                }
            }
        }
    }

    /// A path of the host that is sent as it stands, so what its links lead to is only a guess.
    fn plugin_path(&mut self, source: &str, target: &str, read_only: bool) {
        let path = self.followed(source);
        self.ask(Privilege::MountHostPath(HostMount {
            asked: (path != source).then(|| source.to_owned()),
            path,
            target: target.to_owned(),
            read_only,
            propagation: String::new(),
            through_volume: false,
            resolved: false,
        }));
    }

    fn plugin_device(&mut self, path: &str) {
        let path = self.followed(path);
        self.ask(Privilege::UseDevice { path, permissions: "rwm".to_owned() });
    }

    /// Where a path leads now; what is no path stays what it is.
    fn followed(&mut self, given: &str) -> String {
        let Some(cleaned) = host_path::clean(given) else { return given.to_owned() };
        match self.world.host_path(&cleaned) {
            Some(KnownPath::Resolved(path)) => path.clone(),
            Some(KnownPath::Remote) | None => cleaned,
        }
    }
}

/// The name of a plugin, which is named as images are.
pub(crate) fn plugin_image(name: &str, field: &str) -> Result<Image, Misread> {
    let reference = Reference::parse(name).map_err(|_| Misread::value(field, "is not the name of a plugin"))?;
    Ok(Image { reference: Some(reference.with_default_tag()), ..Image::default() })
}
