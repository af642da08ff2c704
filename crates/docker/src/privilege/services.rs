//! Services: other names than a container's own configuration, the same privileges.
//!
//! A service's tasks may run on any node of the swarm. What is looked up on this node (links in paths, images)
//! need not be the same on the others: so paths count as unresolved, images must be named, and what an image says
//! of its user counts only where the name holds a digest.

use super::{Privilege, PublishedPort, SpecialFile};
use crate::body::mount::Mount;
use crate::body::service::{NetworkAttachment, PortConfig, ResourceRequirements, ServiceSpec, TaskSpec};
use crate::body::task::{ContainerSpec, CredentialSpec, FileTarget, Privileges};
use crate::endpoint::Kind;
use crate::facts::{Spec, Variables};
use crate::image::Reference;
use crate::privilege::asked::Asked;
use crate::privilege::kernel;
use crate::privilege::limits::Limits;
use crate::request::Misread;
use crate::resource::{Image, Thing};
use crate::target::ApiVersion;

/// Where a task's container stands in the body.
const CONTAINER: &str = "TaskTemplate.ContainerSpec";

impl Asked<'_> {
    /// Everything that a service asks for. The body is rewritten to what was judged.
    ///
    /// Harmless, hence not asked: names, labels, how many tasks, on which nodes, how updates go about.
    pub(crate) fn service(&mut self, body: &mut ServiceSpec) -> Result<(), Misread> {
        self.elsewhere = true;
        if said_otherwise(body) {
            return Err(Misread::value(
                "Labels",
                "says otherwise than the label of that name in TaskTemplate.ContainerSpec",
            ));
        }
        for port in body.endpoint_spec.iter().flat_map(|endpoint| endpoint.ports.iter().flatten()) {
            let port = published(port)
                .ok_or_else(|| Misread::value("EndpointSpec.Ports", "has a protocol or a port that cannot be read"))?;
            self.ask(Privilege::PublishPort(port));
        }
        let networks = body.networks.iter_mut().chain(body.task_template.networks.iter_mut()).flatten();
        self.task_networks(networks.collect());
        self.task(&mut body.task_template)
    }

    /// Harmless: restart policy, placement, limits, reservations of memory and CPUs, forced updates.
    fn task(&mut self, task: &mut TaskSpec) -> Result<(), Misread> {
        // One of them counts, by the runtime; all are judged.
        if let Some(container) = &mut task.container_spec {
            self.task_container(container)?;
        }
        if let Some(plugin) = &task.plugin_spec {
            self.swarm_plugin(plugin)?;
        }
        if task.network_attachment_spec.is_some() || task.runtime == "attachment" {
            return Err(Misread::value("TaskTemplate", "attaches a container to a network, which no service may"));
        }
        if let Some(log) = &task.log_driver {
            self.log_driver(&log.name, log.options.as_ref());
        }
        if let Some(resources) = &task.resources {
            self.generic_resources(resources);
        }
        Ok(())
    }

    /// Harmless: command, environment, labels, host name, directory, terminal, health check, stop signal and time,
    /// hosts and name servers, init, capabilities dropped.
    fn task_container(&mut self, container: &mut ContainerSpec) -> Result<(), Misread> {
        let (user, volumes) = self.service_image(&mut container.image)?;
        self.run_as(&container.user, &user);
        for target in volumes {
            self.anonymous_volume(&target, "");
        }
        self.groups(container.groups.as_ref());
        self.capabilities(container.capability_add.iter().flatten());
        self.sysctls(container.sysctls.as_ref());
        self.runtime(&container.isolation);
        if let Some(privileges) = &mut container.privileges {
            self.task_privileges(privileges);
        }
        for (index, mount) in container.mounts.iter_mut().flatten().enumerate() {
            let field = format!("{CONTAINER}.Mounts[{index}]");
            without_template(mount, &field)?;
            self.mount(mount, "", &field)?;
        }
        for secret in container.secrets.iter_mut().flatten() {
            let known = self.reference(Kind::Secret, &mut secret.secret_id, &mut secret.secret_name);
            self.ask(Privilege::UseSecret { secret: known });
            self.file(secret.file.as_ref());
        }
        for config in container.configs.iter_mut().flatten() {
            let known = self.reference(Kind::Config, &mut config.config_id, &mut config.config_name);
            self.ask(Privilege::UseConfig { config: known });
            self.file(config.file.as_ref());
        }
        self.limits(&Limits {
            oom_kill_disable: None,
            oom_score_adj: container.oom_score_adj,
            cpu_realtime_period: 0,
            cpu_realtime_runtime: 0,
            ulimits: container.ulimits.as_deref().unwrap_or_default(),
            storage: None,
        });
        Ok(())
    }

    /// A secret or config as a file. The daemon gives it a mode of Go's, whose bits above the permissions make it run as
    /// its owner, who may be root.
    fn file(&mut self, file: Option<&FileTarget>) {
        if let Some(file) = file.filter(|file| file.mode & !PERMISSIONS != 0) {
            self.ask(Privilege::CopySpecialFile { kind: SpecialFile::SetId, path: file.name.clone() });
        }
    }

    /// The image of a service, and what its configuration says of user and volumes. Each node pulls it, by its name.
    fn service_image(&mut self, given: &mut String) -> Result<(String, Vec<String>), Misread> {
        let field = format!("{CONTAINER}.Image");
        let mut reference = Reference::parse(given)
            .map_err(|_| Misread::value(&field, "is not the name of an image"))?
            .with_default_tag();
        // A node takes a name for an id, or for the beginning of one, where it has no image of that name. With a tag
        // there is none that could be, but for the tag of `sha256`.
        if reference.registry == "docker.io" && reference.path == "library/sha256" {
            return Err(Misread::value(field, "is the id of an image; other nodes need its name"));
        }
        if !given.contains('@') && !given.rsplit('/').next().unwrap_or_default().contains(':') {
            given.push_str(":latest");
        }
        if let Some(digest) = self.pin(&reference).cloned() {
            given.push_str(&format!("@{digest}"));
            reference.digest = Some(digest);
        }
        let known = if reference.digest.is_some() { self.world.image(given) } else { None };
        let (user, volumes) = known.map(|known| (known.user.clone(), known.volumes.clone())).unwrap_or_default();
        let labels = known.map(|known| known.image.labels.clone()).unwrap_or_default();
        let image = Image { reference: Some(reference), labels, ..Image::default() };
        self.ask(Privilege::UseImage { image: image.clone() });
        self.ask(Privilege::PullImage { image });
        Ok((user, volumes))
    }

    /// What a container's `SecurityOpt` says, in a form of its own: said in the container's words.
    fn task_privileges(&mut self, privileges: &mut Privileges) {
        if let Some(context) = privileges.se_linux_context.as_ref() {
            if context.disable {
                self.security_option("label=disable");
            }
            let parts =
                [("user", &context.user), ("role", &context.role), ("type", &context.kind), ("level", &context.level)];
            for (part, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
                self.security_option(&format!("label={part}:{value}"));
            }
        }
        if let Some(seccomp) = privileges.seccomp.as_ref() {
            match seccomp.mode.as_str() {
                "" | "default" if seccomp.profile.is_empty() => {}
                "unconfined" => self.security_option("seccomp=unconfined"),
                _ => self.security_option("seccomp=custom"),
            }
        }
        match privileges.app_armor.as_ref().map_or("", |armor| armor.mode.as_str()) {
            "" | "default" => {}
            "disabled" => self.security_option("apparmor=unconfined"),
            other => self.security_option(&format!("apparmor={other}")),
        }
        if let Some(credentials) = privileges.credential_spec.as_mut() {
            self.credentials(credentials);
        }
    }

    /// Windows accounts, as the option `credentialspec` of a container.
    fn credentials(&mut self, credentials: &mut CredentialSpec) {
        if !credentials.config.is_empty() {
            let config = self.thing(Kind::Config, &credentials.config);
            self.security_option(&format!("credentialspec=config://{}", config.name));
            if !config.id.is_empty() {
                credentials.config.clone_from(&config.id);
            }
            self.ask(Privilege::UseConfig { config });
        }
        for (scheme, value) in [("file", &credentials.file), ("registry", &credentials.registry)] {
            if !value.is_empty() {
                self.security_option(&format!("credentialspec={scheme}://{value}"));
            }
        }
    }

    /// A secret or config that a service uses, by its id. The daemon compares the name with it.
    fn reference(&mut self, kind: Kind, id: &mut String, name: &mut String) -> Thing {
        let given = if id.is_empty() { name.as_str() } else { id.as_str() };
        let thing = self.thing(kind, given);
        if !thing.id.is_empty() {
            id.clone_from(&thing.id);
            name.clone_from(&thing.name);
        }
        thing
    }

    /// The networks of a service, by their ids. Those that every node has by itself keep their names: the swarm knows
    /// them under ids of its own.
    fn task_networks(&mut self, networks: Vec<&mut NetworkAttachment>) {
        if networks.is_empty() {
            self.join_network("bridge");
        }
        for attachment in networks {
            self.join_network(&attachment.target);
            self.endpoint_options(attachment.driver_opts.as_ref());
            let known = if attachment.target == "host" { None } else { self.world.network(&attachment.target) };
            match (known, attachment.target.as_str()) {
                (_, "host" | "bridge" | "none") => {}
                (Some(known), _) => attachment.target.clone_from(&known.id),
                (None, name) => self.missing(404, format!("network {name} not found")),
            }
        }
    }

    /// What a node has by its configuration: GPUs, most of all.
    fn generic_resources(&mut self, resources: &ResourceRequirements) {
        let reserved = resources.reservations.iter().flat_map(|reserved| reserved.generic_resources.iter().flatten());
        for resource in reserved {
            let named = resource.named_resource_spec.iter().map(|named| (&named.kind, named.value.clone()));
            let counted = resource.discrete_resource_spec.iter().map(|some| (&some.kind, some.value.to_string()));
            for (driver, devices) in named.chain(counted) {
                self.ask(Privilege::RequestDevice { driver: driver.clone(), devices });
            }
        }
    }
}

/// Whether a label of the service says otherwise than its containers' label of that name: policies see one of them.
fn said_otherwise(body: &ServiceSpec) -> bool {
    let container = body.task_template.container_spec.as_ref().and_then(|container| container.labels.as_ref());
    let differs = |(name, value): (&String, &String)| {
        container.and_then(|labels| labels.get(name)).is_some_and(|own| own != value)
    };
    body.labels.iter().flatten().any(differs)
}

/// The daemon fills in templates (`{{.Node.Hostname}}`) on each node, after all was judged: what a mount says is no
/// longer what it is.
fn without_template(mount: &Mount, field: &str) -> Result<(), Misread> {
    let driver = mount.volume_options.iter().flat_map(|options| &options.driver_config);
    let options = driver.flat_map(|driver| driver.options.iter().flatten());
    let texts = options.flat_map(|(name, value)| [name, value]).chain([&mount.source, &mount.target]);
    match texts.into_iter().any(|text| text.contains("{{")) {
        true => Err(Misread::value(field, "holds a template; say what is mounted")),
        false => Ok(()),
    }
}

/// The bits of a file's mode that are permissions.
const PERMISSIONS: u32 = 0o777;

/// A port of all nodes, or of those that run a task. 0 is a free one.
fn published(port: &PortConfig) -> Option<PublishedPort> {
    let protocol = match port.protocol.as_str() {
        "" => "tcp",
        known @ ("tcp" | "udp" | "sctp") => known,
        _ => return None,
    };
    let number = u16::try_from(port.published_port).ok()?;
    Some(PublishedPort { protocol: protocol.to_owned(), address: String::new(), first: number, last: number })
}

/// A service's container in short, as context for policies. Daemons drop what the API version of a request does not
/// have, and take a request without a version for one of theirs: what could be dropped counts as not said.
pub(crate) fn spec(body: &ServiceSpec, version: Option<ApiVersion>) -> Spec {
    let since = |minor| version.is_some_and(|version| version >= ApiVersion { major: 1, minor });
    let none = ContainerSpec::default();
    let task = &body.task_template;
    let container = task.container_spec.as_ref().unwrap_or(&none);
    let limits = task.resources.as_ref().and_then(|resources| resources.limits.clone()).unwrap_or_default();
    let network = task.networks.iter().chain(body.networks.iter()).flatten().next();
    let restart = task.restart_policy.as_ref().map(|policy| policy.condition.clone()).unwrap_or_default();
    let mut labels = container.labels.clone().unwrap_or_default();
    labels.extend(body.labels.clone().unwrap_or_default());
    Spec {
        name: body.name.clone(),
        image: container.image.clone(),
        memory: limits.memory_bytes,
        nano_cpus: limits.nano_cpus,
        pids: if since(41) { limits.pids.max(0) } else { 0 },
        shm_size: 0,
        read_only: container.read_only,
        no_new_privileges: since(44)
            && container.privileges.as_ref().is_some_and(|privileges| privileges.no_new_privileges),
        dropped_capabilities: container
            .capability_drop
            .iter()
            .flatten()
            .filter(|_| since(41))
            .map(|name| kernel::capability_name(name))
            .collect(),
        network: network.map_or("default", |network| network.target.as_str()).to_owned(),
        restart: if restart.is_empty() { "any".to_owned() } else { restart },
        labels,
        environment: kernel::environment_names(container.env.as_deref().unwrap_or_default()),
        variables: Variables(container.env.clone().unwrap_or_default()),
    }
}
