//! Privileges in the user's words.

use std::fmt;

use super::{HostMount, Peer, Privilege, PublishedPort, RunUser, Uid};

/// The privilege in the user's words, to follow "may not": `mount host path /etc read-write`.
impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Privilege::Privileged => f.write_str("run privileged"),
            Privilege::MountHostPath(mount) => mount.fmt(f),
            Privilege::MountVolume { volume, .. } if volume.name.is_empty() => f.write_str("mount an anonymous volume"),
            Privilege::MountVolume { volume, .. } => write!(f, "mount volume {}", volume.name),
            Privilege::MountImage { image, .. } => write!(f, "mount image {}", image.describe()),
            Privilege::MountTmpfs { target, .. } => write!(f, "mount a tmpfs at {target}"),
            Privilege::MountVolumesFrom { container, .. } => {
                write!(f, "mount the volumes of container {}", container.name)
            }
            Privilege::UseVolumeDriver { driver } => write!(f, "use volume driver {driver}"),
            Privilege::SetVolumeOption { name, value } if matches!(name.as_str(), "type" | "device") => {
                write!(f, "set volume option {name}={}", without_login(value))
            }
            // `o` holds the passwords of network file systems.
            Privilege::SetVolumeOption { name, .. } => write!(f, "set volume option {name}"),
            Privilege::ShareNamespace { namespace, with } => match with {
                Peer::Host => write!(f, "share the host's {} namespace", namespace.name()),
                Peer::Container(container) => {
                    write!(f, "share the {} namespace of container {}", namespace.name(), container.name)
                }
                Peer::Unknown(mode) => write!(f, "use {} mode `{mode}`", namespace.name()),
            },
            Privilege::AddCapability { name } => write!(f, "add capability {name}"),
            Privilege::UseDevice { path, .. } => write!(f, "use device {path}"),
            Privilege::RequestDevice { driver, devices } => write!(f, "request devices {devices} of driver `{driver}`"),
            Privilege::AllowDeviceClass { rule } => write!(f, "add device cgroup rule `{rule}`"),
            Privilege::SetSecurityOption { name, value } => write!(f, "set security option {name}={value}"),
            Privilege::ExposeKernelFiles { list } => write!(f, "lay open kernel files ({list})"),
            Privilege::SetSysctl { name, value } => write!(f, "set sysctl {name}={value}"),
            Privilege::UseRuntime { name } => write!(f, "use runtime {name}"),
            Privilege::SetCgroupParent { path } => write!(f, "set the parent cgroup {path}"),
            Privilege::PublishPort(port) => port.fmt(f),
            Privilege::PublishAllPorts => f.write_str("publish all ports"),
            Privilege::RunAs(user) => user.fmt(f),
            Privilege::JoinGroup { group } => write!(f, "join group {group}"),
            Privilege::UseLogDriver { driver, .. } => write!(f, "use log driver {driver}"),
            Privilege::LinkContainer { container } => write!(f, "link to container {}", container.name),
            Privilege::UseImage { image } => write!(f, "use image {}", image.describe()),
            Privilege::PullImage { image } => write!(f, "pull image {}", image.describe()),
            Privilege::ImportImage { image, from: None } => write!(f, "import image {}", image.describe()),
            Privilege::ImportImage { from: Some(url), .. } => write!(f, "import an image from {}", without_login(url)),
            Privilege::LoadImages { unnamed: false } => f.write_str("load images from an archive"),
            Privilege::LoadImages { unnamed: true } => f.write_str("load images without a name from an archive"),
            Privilege::NameImage { image } => write!(f, "name an image {}", image.describe()),
            Privilege::ContactRegistry { registry } => write!(f, "contact registry {registry}"),
            Privilege::JoinNetwork { network } => write!(f, "join network {}", network.name),
            Privilege::UseNetworkDriver { driver } => write!(f, "use network driver {driver}"),
            Privilege::SetNetworkOption { name, value } if name == "subnet" => {
                write!(f, "use addresses {value} in a network")
            }
            Privilege::SetNetworkOption { name, .. } => write!(f, "set network option {name}"),
            Privilege::SetMacAddress { address } => write!(f, "set hardware address {address}"),
            Privilege::SetUlimit { name, soft, hard } => write!(f, "set ulimit {name}={soft}:{hard}"),
            Privilege::Prioritise { what, value } => write!(f, "set {what} to {value}"),
            Privilege::SetStorageOption { name, .. } => write!(f, "set storage option {name}"),
            Privilege::Annotate { name } => write!(f, "set annotation {name}"),
            Privilege::Checkpoint { directory } if directory.is_empty() => f.write_str("use checkpoints"),
            Privilege::Checkpoint { directory } => write!(f, "use checkpoints in host directory {directory}"),
            Privilege::FetchBuildContext { from } => write!(f, "build from remote context {}", without_login(from)),
            Privilege::SetBuildOption { name, .. } => write!(f, "set build option {name}"),
            Privilege::BuildRun { network } if network == "default" => f.write_str("run commands in a build"),
            Privilege::BuildRun { network } => write!(f, "run commands in a build on network {network}"),
            Privilege::BuildFetch { from } => write!(f, "fetch {} in a build", without_login(from)),
            Privilege::PushImage { image } => write!(f, "push image {} from a build", image.describe()),
            Privilege::UseFrontend { image: Some(image) } => write!(f, "build with frontend {}", image.describe()),
            Privilege::UseFrontend { image: None } => f.write_str("build with whichever frontend the Dockerfile names"),
            Privilege::MountBuildCache { id, .. } => write!(f, "mount build cache {id}"),
            Privilege::UseBuildCache { kind, export: false } => {
                write!(f, "take build results from a cache of type {kind}")
            }
            Privilege::UseBuildCache { kind, export: true } => {
                write!(f, "write build results to a cache of type {kind}")
            }
            Privilege::UseBuildSecret { id, agent: false } => write!(f, "use secret {id} in a build"),
            Privilege::UseBuildSecret { id, agent: true } => write!(f, "use SSH agent {id} in a build"),
            Privilege::UseBuildsOfOthers => f.write_str("use builds of others"),
            Privilege::CopySpecialFile { kind, path } => write!(f, "copy {kind} into a container: {path}"),
            Privilege::UseSecret { secret } => write!(f, "use secret {}", secret.name),
            Privilege::UseConfig { config } => write!(f, "use config {}", config.name),
            Privilege::UseSecretDriver { driver } => write!(f, "use secret driver {driver}"),
            Privilege::SetSwarmOption { name, value } if value.is_empty() => write!(f, "set swarm option {name}"),
            Privilege::SetSwarmOption { name, value } => {
                write!(f, "set swarm option {name}={}", without_login(value))
            }
            Privilege::InstallPlugin { image } => write!(f, "install plugin {}", image.describe()),
            Privilege::Unexamined { part } => write!(f, "use {part}, which this version does not look into"),
        }
    }
}

/// A place without what may be secret in it: the login before the host, the query after the path.
fn without_login(place: &str) -> String {
    let place = place.split(['?', '#']).next().unwrap_or_default();
    match place.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => place.rsplit_once('@').map_or(place, |(_, rest)| rest).to_owned(),
    }
}

impl fmt::Display for HostMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = if self.read_only { "read-only" } else { "read-write" };
        write!(f, "mount host path {} {access}", self.path)?;
        if let Some(asked) = &self.asked {
            write!(f, " (asked for as {asked})")?;
        }
        if self.through_volume {
            f.write_str(" through a volume")?;
        }
        Ok(())
    }
}

impl fmt::Display for PublishedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = if self.address.is_empty() { String::new() } else { format!("{}:", self.address) };
        match (self.first, self.last) {
            (0, _) => write!(f, "publish a free port on {address}*/{}", self.protocol),
            (first, last) if first == last => write!(f, "publish port {address}{first}/{}", self.protocol),
            (first, last) => write!(f, "publish ports {address}{first}-{last}/{}", self.protocol),
        }
    }
}

impl fmt::Display for RunUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.uid, self.name.as_str()) {
            (Uid::Number(0), "") => f.write_str("run as root (no user is given)"),
            (Uid::Number(0), name) => write!(f, "run as root (user `{name}`)"),
            (Uid::Number(uid), _) => write!(f, "run as uid {uid}"),
            (Uid::Unknown, name) => write!(f, "run as user `{name}`, who may be root"),
        }
    }
}
