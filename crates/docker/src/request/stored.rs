//! A container's configuration as the daemon keeps it, judged again when the container is started.
//!
//! Who starts a container need not be who created it, and what was granted then need not be granted now.
//! The daemon stores what was asked for merged with its own defaults, so a few fields say nothing about
//! what anybody asked: they are left out, as each note below says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::answer::Unreadable;
use crate::body::container::{CreateRequest, HostConfig};
use crate::body::mount::{BindOptions, Mount};
use crate::body::network::{EndpointSettings, NetworkingConfig};
use crate::image::Reference;
use crate::json;
use crate::privilege::Privilege;
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::resource::{Container, Image};

/// What daemons from 20.10 on hide by default, without what later ones added.
const MASKED_SINCE_20_10: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// The label of containers that are tasks. They hold secrets which their own configuration does not tell of.
const TASK: &str = "com.docker.swarm.task.id";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspection {
    config: Option<Value>,
    host_config: Option<Value>,
    mounts: Option<Vec<MountPoint>>,
    network_settings: Option<NetworkSettings>,
}

/// The networks that it was connected to, whether by its create or since.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

/// Its place in one of them. The daemon goes by the id where there is one.
#[derive(Default, Deserialize)]
struct Endpoint {
    #[serde(rename = "NetworkID")]
    network: Option<String>,
}

/// A mount as it was made, whichever field asked for it: also those taken over from other containers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MountPoint {
    #[serde(rename = "Type")]
    kind: Option<String>,
    name: Option<String>,
    source: Option<String>,
    destination: Option<String>,
    #[serde(rename = "RW")]
    writable: Option<bool>,
    propagation: Option<String>,
}

/// The stored configuration out of `GET /containers/{id}/json`, as if it were asked for now.
///
/// Fields that are not known here are left out where they say nothing (null, false, 0, empty); where they
/// say something, the answer cannot be read, for nobody can tell what it grants.
pub fn read(body: &[u8]) -> Result<CreateRequest, Unreadable> {
    let unreadable = Unreadable { what: "a container's configuration" };
    let inspection: Inspection = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let mut create: CreateRequest = typed(inspection.config.unwrap_or_default()).map_err(|_| unreadable.clone())?;
    let mut host: HostConfig = typed(inspection.host_config.unwrap_or_default()).map_err(|_| unreadable)?;
    without_defaults(&mut host);
    host.binds = None;
    host.volumes_from = None;
    host.mounts = Some(inspection.mounts.into_iter().flatten().map(MountPoint::mount).collect());
    create.volumes = None;
    create.host_config = Some(host);
    let networks = inspection.network_settings.unwrap_or_default().networks;
    create.networking_config = Some(NetworkingConfig { endpoints_config: Some(joined(networks.unwrap_or_default())) });
    Ok(create)
}

/// The networks by what the daemon goes by. Those that every daemon has are told by the network mode.
fn joined(networks: BTreeMap<String, Option<Endpoint>>) -> BTreeMap<String, Option<EndpointSettings>> {
    let own = |name: &str| matches!(name, "bridge" | "default" | "host" | "none");
    let networks = networks.into_iter().filter(|(name, _)| !own(name));
    networks
        .map(|(name, endpoint)| {
            (endpoint.unwrap_or_default().network.filter(|id| !id.is_empty()).unwrap_or(name), None)
        })
        .collect()
}

impl MountPoint {
    fn mount(self) -> Mount {
        let kind = self.kind.unwrap_or_default();
        let source = if kind == "volume" { self.name } else { self.source };
        Mount {
            source: source.unwrap_or_default(),
            target: self.destination.unwrap_or_default(),
            read_only: self.writable == Some(false),
            bind_options: Some(BindOptions {
                propagation: self.propagation.unwrap_or_default(),
                ..BindOptions::default()
            }),
            kind,
            ..Mount::default()
        }
    }
}

/// What the daemon fills in by itself, by its own configuration.
fn without_defaults(host: &mut HostConfig) {
    // daemon.json: log-driver, log-opts, default-runtime, default-ulimits.
    host.log_config = Default::default();
    host.runtime.clear();
    host.ulimits = None;
    // The default on cgroup v1.
    host.cgroupns_mode.clear();
    host.isolation.clear();
    // What it adds to containers that share the host's processes, which is asked for as such.
    if host.privileged || host.pid_mode == "host" || host.ipc_mode == "host" {
        host.security_opt.iter_mut().for_each(|options| options.retain(|option| option != "label=disable"));
    }
    // Its own lists, which differ from version to version.
    let holds = |paths: &Option<Vec<String>>, default: &[&str]| {
        paths.as_ref().is_some_and(|paths| default.iter().all(|path| paths.iter().any(|given| given == path)))
    };
    // A privileged container has none, and is asked for as such.
    if host.privileged || holds(&host.masked_paths, MASKED_SINCE_20_10) {
        host.masked_paths = None;
    }
    if host.privileged {
        host.readonly_paths = None;
    }
}

/// Reads a struct, leaving out unknown fields that say nothing.
pub(crate) fn typed<T: serde::de::DeserializeOwned + Default>(value: Value) -> Result<T, json::Error> {
    let Value::Object(mut fields) = value else { return Ok(T::default()) };
    loop {
        let bytes = Value::Object(fields.clone()).to_string().into_bytes();
        let error = match json::read::<T>(&bytes, &json::Options::default()) {
            Ok(body) => return Ok(body.into_value()),
            Err(error) => error,
        };
        let silent = fields.get(&error.path).is_some_and(says_nothing);
        if error.kind != json::Kind::UnknownField || !silent {
            return Err(error);
        }
        fields.remove(&error.path);
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(says_nothing),
        Value::Bool(true) => false,
    }
}

impl Asked<'_> {
    /// The powers of a container: what whoever drives it, joins it or takes from it has through it. Asked as if
    /// they were asked for now, so that a container is no way around the policy, and what the policy grants can
    /// be used. A container that shares another's namespaces has the other's powers too.
    ///
    /// No powers over the host, hence not asked: ports, networks, limits, image, environment.
    pub(crate) fn powers(&mut self, container: &Container) -> Result<(), Misread> {
        if container.id.is_empty() || !self.driven.insert(container.id.clone()) {
            return Ok(());
        }
        let Some(stored) = self.world.stored(&container.id) else {
            self.ask(Privilege::Unexamined { part: "a stored configuration" });
            return Ok(());
        };
        if container.labels.contains_key(TASK) {
            self.ask(Privilege::Unexamined { part: "the secrets of a swarm's task" });
        }
        let mut body = CreateRequest::clone(&stored);
        self.run_as(&body.user, "");
        let host = body.host_config.get_or_insert_with(HostConfig::default);
        self.kernel(host);
        self.mounts(host)?;
        self.namespaces(host)?;
        self.network_namespace(host)?;
        self.devices(host.devices.as_mut(), host.device_cgroup_rules.as_ref(), host.device_requests.as_ref())?;
        // What it refers to may be gone: then there is nothing to have through it.
        self.absent = None;
        Ok(())
    }

    /// Everything that starting a container grants. Nothing is rewritten: the daemon has it already.
    pub(crate) fn container_start(&mut self, container: &Container, stored: &CreateRequest) -> Result<(), Misread> {
        let mut body = stored.clone();
        // By the name that it was made under: names move on, the image does not change.
        let reference = Reference::parse(&container.image).ok().map(Reference::with_default_tag);
        let mut image = match self.world.image(&container.image_id) {
            Some(known) => known.image.clone(),
            None => Image { id: Some(container.image_id.clone()), ..Image::default() },
        };
        image.reference = reference.filter(|_| !container.image.starts_with("sha256:"));
        self.ask(Privilege::UseImage { image });
        self.container_rest(&mut body, "", &[])?;
        // What is missing is told by the daemon, as without us.
        self.absent = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_the_daemon_are_nobodys_wish() {
        let body = br#"{"Config":{"Image":"tiny","User":"","NewField":{"a":[]}},
            "HostConfig":{"Runtime":"crun","LogConfig":{"Type":"journald","Config":{}},"CgroupnsMode":"host","Newer":false,
            "Ulimits":[{"Name":"nofile","Soft":1,"Hard":1}],"Privileged":true,"MaskedPaths":null,"PidMode":"host"}}"#;
        let stored = read(body).unwrap();
        let host = stored.host_config.unwrap();
        assert_eq!((host.runtime.as_str(), host.cgroupns_mode.as_str(), host.ulimits), ("", "", None));
        assert!(host.privileged);
        assert_eq!(host.pid_mode, "host");
    }

    #[test]
    fn what_says_something_unknown_cannot_be_read() {
        assert!(read(br#"{"HostConfig":{"NewPower":true}}"#).is_err());
        assert!(read(br#"{"HostConfig":{"Mounts":[{"Type":"bind","NewPower":1}]}}"#).is_err());
        assert!(read(b"[]").is_err());
    }
}
