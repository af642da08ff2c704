//! Privileges as a resource and what their context holds.

use std::net::IpAddr;

use cedar_policy::EntityUid;
use docker::privilege::{HostMount, Namespace, Peer, Privilege, PublishedPort, RunUser, Uid};
use docker::resource::{Image, Resource};

use super::{Attributes, Cast, address, boolean, capability, long, string, strings};
use crate::judge::Fault;
use crate::schema::Type;

/// One question's resource: its kind, its entity, and what its context holds beside the circumstances.
pub(crate) struct Asked {
    pub kind: Type,
    pub uid: EntityUid,
    pub extra: Attributes,
}

impl Asked {
    fn new(kind: Type, uid: EntityUid) -> Asked {
        Asked { kind, uid, extra: Attributes::new() }
    }

    fn with(mut self, attribute: (String, cedar_policy::RestrictedExpression)) -> Asked {
        self.extra.push(attribute);
        self
    }
}

impl Cast<'_> {
    /// The resource of an operation; `None` when the schema has no place for such a thing.
    pub fn resource(&mut self, resource: &Resource) -> Result<Option<Asked>, Fault> {
        Ok(Some(match resource {
            Resource::Daemon => Asked::new(Type::Daemon, self.daemon()),
            Resource::Container(container) => Asked::new(Type::Container, self.container(container)?),
            Resource::Image(image) => Asked::new(Type::Image, self.image(image)?),
            Resource::Volume(volume) => Asked::new(Type::Volume, self.volume(volume)?),
            Resource::Network(network) => Asked::new(Type::Network, self.network(network)?),
            Resource::Thing(thing) => return Ok(self.thing(thing)?.map(|(kind, uid)| Asked::new(kind, uid))),
        }))
    }

    /// Something that is shown or not.
    pub fn shown(&mut self, resource: &Resource) -> Result<Option<Asked>, Fault> {
        match resource {
            Resource::Container(container) => Ok(Some(Asked::new(Type::Container, self.listed_container(container)?))),
            other => self.resource(other),
        }
    }

    /// The resource of a privilege.
    pub fn privilege(&mut self, privilege: &Privilege) -> Result<Asked, Fault> {
        Ok(match privilege {
            Privilege::Privileged | Privilege::PublishAllPorts | Privilege::UseBuildsOfOthers => {
                Asked::new(Type::Daemon, self.daemon())
            }
            Privilege::UseFrontend { image: None } => Asked::new(Type::Daemon, self.daemon()),
            Privilege::MountBuildCache { id, own } => self.asked(Type::BuildCache, id)?.with(boolean("own", *own)),
            Privilege::UseBuildCache { kind, export } => {
                self.asked(Type::CacheStore, kind)?.with(boolean("export", *export))
            }
            Privilege::UseBuildSecret { id, agent } => {
                self.asked(Type::BuildSecret, id)?.with(boolean("agent", *agent))
            }
            Privilege::LoadImages { unnamed } => {
                Asked::new(Type::Daemon, self.daemon()).with(boolean("unnamed", *unnamed))
            }
            Privilege::BuildRun { network } => Asked::new(Type::Daemon, self.daemon()).with(string("network", network)),
            Privilege::MountHostPath(mount) => self.mount(mount),
            Privilege::MountVolume { volume, target, read_only } => Asked::new(Type::Volume, self.volume(volume)?)
                .with(boolean("readOnly", *read_only))
                .with(string("target", target)),
            Privilege::MountImage { image, target } => self.asked_image(image)?.with(string("target", target)),
            Privilege::MountTmpfs { target, options } => {
                Asked::new(Type::Daemon, self.daemon()).with(string("target", target)).with(string("options", options))
            }
            Privilege::MountVolumesFrom { container, read_only } => {
                Asked::new(Type::Container, self.container(container)?).with(boolean("readOnly", *read_only))
            }
            Privilege::LinkContainer { container } => Asked::new(Type::Container, self.container(container)?),
            Privilege::ShareNamespace { namespace, with } => self.shared_namespace(*namespace, with)?,
            Privilege::AddCapability { name } => Asked::new(Type::Capability, self.capability(name)?),
            Privilege::UseDevice { path, permissions } => {
                let parents = self.paths(Some(path)).collect();
                let uid = self.add(Type::Device, path, Attributes::new(), parents)?;
                Asked::new(Type::Device, uid).with(string("permissions", permissions))
            }
            Privilege::PublishPort(port) => self.port(port)?,
            Privilege::RunAs(user) => self.run_user(user)?,
            Privilege::UseImage { image }
            | Privilege::PullImage { image }
            | Privilege::NameImage { image }
            | Privilege::PushImage { image }
            | Privilege::UseFrontend { image: Some(image) }
            | Privilege::InstallPlugin { image } => self.asked_image(image)?,
            Privilege::UseSecret { secret: thing } | Privilege::UseConfig { config: thing } => {
                let (kind, uid) = self.thing(thing)?.ok_or(Fault::Unknown)?;
                Asked::new(kind, uid)
            }
            Privilege::UseSecretDriver { driver } => self.asked(Type::SecretDriver, driver)?,
            Privilege::SetSwarmOption { name, value } => self.option(Type::SwarmOption, name, value)?,
            Privilege::ImportImage { image, from } => {
                let nameless = image.reference.is_none() && image.id.is_none();
                let asked = if nameless { Asked::new(Type::Daemon, self.daemon()) } else { self.asked_image(image)? };
                from.iter().fold(asked, |asked, from| asked.with(string("from", from)))
            }
            Privilege::ContactRegistry { registry } => Asked::new(Type::Registry, self.registry(registry)),
            Privilege::JoinNetwork { network } => Asked::new(Type::Network, self.network(network)?),
            Privilege::Checkpoint { directory } if directory.is_empty() => Asked::new(Type::Daemon, self.daemon()),
            Privilege::Checkpoint { directory } => Asked::new(Type::HostPath, self.host_path(directory)),
            Privilege::UseLogDriver { driver, options } => {
                let options: Vec<String> = options.iter().map(|(key, value)| format!("{key}={value}")).collect();
                self.asked(Type::LogDriver, driver)?.with(strings("options", options.iter().map(String::as_str)))
            }
            Privilege::RequestDevice { driver, devices } => {
                self.asked(Type::DeviceDriver, driver)?.with(string("devices", devices))
            }
            Privilege::SetUlimit { name, soft, hard } => {
                self.asked(Type::Ulimit, name)?.with(long("soft", *soft)).with(long("hard", *hard))
            }
            Privilege::Prioritise { what, value } => self.asked(Type::Priority, what)?.with(long("value", *value)),
            Privilege::SetVolumeOption { name, value } => self.option(Type::VolumeOption, name, value)?,
            Privilege::SetSecurityOption { name, value } => self.option(Type::SecurityOption, name, value)?,
            Privilege::SetSysctl { name, value } => self.option(Type::Sysctl, name, value)?,
            Privilege::SetNetworkOption { name, value } => self.option(Type::NetworkOption, name, value)?,
            Privilege::SetStorageOption { name, value } => self.option(Type::StorageOption, name, value)?,
            Privilege::SetBuildOption { name, value } => self.option(Type::BuildOption, name, value)?,
            Privilege::UseVolumeDriver { driver } => self.asked(Type::VolumeDriver, driver)?,
            Privilege::UseNetworkDriver { driver } => self.asked(Type::NetworkDriver, driver)?,
            Privilege::AllowDeviceClass { rule } => self.asked(Type::DeviceClass, rule)?,
            Privilege::ExposeKernelFiles { list } => self.asked(Type::KernelFiles, list)?,
            Privilege::UseRuntime { name } => self.asked(Type::Runtime, name)?,
            Privilege::SetCgroupParent { path } => self.asked(Type::Cgroup, path)?,
            Privilege::JoinGroup { group } => self.asked(Type::RunGroup, group)?,
            Privilege::SetMacAddress { address } => self.asked(Type::MacAddress, address)?,
            Privilege::Annotate { name } => self.asked(Type::Annotation, name)?,
            Privilege::FetchBuildContext { from } => self.asked(Type::BuildContext, from)?,
            Privilege::BuildFetch { from } => self.asked(Type::BuildSource, from)?,
            Privilege::CopySpecialFile { kind, path } => {
                self.asked(Type::SpecialFile, kind.name())?.with(string("path", path))
            }
            Privilege::Unexamined { part } => self.asked(Type::Part, part)?,
        })
    }

    fn asked(&mut self, kind: Type, name: &str) -> Result<Asked, Fault> {
        Ok(Asked::new(kind, self.named(kind, name)?))
    }

    fn option(&mut self, kind: Type, name: &str, value: &str) -> Result<Asked, Fault> {
        Ok(self.asked(kind, name)?.with(string("value", value)))
    }

    fn asked_image(&mut self, image: &Image) -> Result<Asked, Fault> {
        Ok(Asked::new(Type::Image, self.image(image)?))
    }

    fn mount(&mut self, mount: &HostMount) -> Asked {
        Asked::new(Type::HostPath, self.host_path(&mount.path))
            .with(boolean("readOnly", mount.read_only))
            .with(string("target", &mount.target))
            .with(string("propagation", &mount.propagation))
            .with(boolean("throughVolume", mount.through_volume))
            .with(boolean("resolved", mount.resolved))
    }

    fn capability(&mut self, name: &str) -> Result<EntityUid, Fault> {
        let sets = capability::sets(name).map(|set| self.types.uid(Type::CapabilitySet, set)).collect();
        self.add(Type::Capability, name, Attributes::new(), sets)
    }

    fn shared_namespace(&mut self, namespace: Namespace, with: &Peer) -> Result<Asked, Fault> {
        let kind = namespace.name();
        let (asked, mode) = match with {
            Peer::Host => (Asked::new(Type::Namespace, self.namespace("host", kind)), "host"),
            Peer::Container(container) => (Asked::new(Type::Container, self.container(container)?), "container"),
            Peer::Unknown(mode) => (Asked::new(Type::Namespace, self.namespace("unknown", kind)), mode.as_str()),
        };
        Ok(asked.with(string("namespace", kind)).with(string("mode", mode)))
    }

    fn namespace(&self, whose: &str, kind: &str) -> EntityUid {
        self.types.uid(Type::Namespace, &format!("{whose}/{kind}"))
    }

    fn port(&mut self, port: &PublishedPort) -> Result<Asked, Fault> {
        let parsed: Option<IpAddr> = port.address.parse().ok();
        let mut attributes = vec![
            string("protocol", &port.protocol),
            boolean("loopback", parsed.is_some_and(|address| address.is_loopback())),
            long("first", port.first.into()),
            long("last", port.last.into()),
        ];
        if let Some(parsed) = parsed {
            attributes.push(address("address", parsed));
        }
        let id = format!("{}:{}-{}/{}", port.address, port.first, port.last, port.protocol);
        Ok(Asked::new(Type::Port, self.add(Type::Port, &id, attributes, Vec::new())?))
    }

    fn run_user(&mut self, user: &RunUser) -> Result<Asked, Fault> {
        let mut attributes = vec![string("name", &user.name), boolean("mayBeRoot", user.uid.may_be_root())];
        let id = match user.uid {
            Uid::Number(uid) => {
                attributes.push(long("uid", uid.into()));
                uid.to_string()
            }
            // No number can be spelt like that.
            Uid::Unknown => format!("name {}", user.name),
        };
        Ok(Asked::new(Type::RunUser, self.add(Type::RunUser, &id, attributes, Vec::new())?))
    }
}
