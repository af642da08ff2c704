//! From a request to its facts: what it touches, what it asks for, and the form in which it is sent.
//!
//! One function an operation's family. Each names resources, gathers privileges and rewrites names to
//! what they were judged as.

use super::{Body, Call, Misread, Request};
use crate::body::auth;
use crate::defaults::Defaults;
use crate::endpoint::{Kind, Operation};
use crate::facts::{Canonical, CanonicalBody, Facts, Spec};
use crate::image::Reference;
use crate::json;
use crate::obligation::Obligation;
use crate::privilege::asked::{Absent, Asked};
use crate::privilege::{Privilege, containers, mounts};
use crate::resource::{Image, Resource, Volume};
use crate::target::Query;
use crate::world::{Lookup, World};

mod containers_made;

/// Why a request has no facts (yet).
#[derive(Debug, Clone, PartialEq)]
pub enum Unsettled {
    /// Look these up, tell the world, and ask again.
    Open(Vec<Lookup>),
    /// The thing in the path is not there: the daemon's own answer.
    NotFound(Absent),
    /// It cannot be understood after all.
    Misread(Misread),
}

impl From<Misread> for Unsettled {
    fn from(misread: Misread) -> Self {
        Unsettled::Misread(misread)
    }
}

impl From<crate::target::QueryError> for Unsettled {
    fn from(error: crate::target::QueryError) -> Self {
        Unsettled::Misread(error.into())
    }
}

/// A request on its way to facts.
struct Draft<'w> {
    asked: Asked<'w>,
    defaults: &'w Defaults,
    resources: Vec<Resource>,
    /// The names of the path as they will be sent.
    names: Vec<String>,
    query: Query,
    body: Body,
    fetched: bool,
    spec: Option<Spec>,
    obligations: Vec<Obligation>,
    not_found: Option<Absent>,
}

impl Request {
    /// What the request is about, given what is known of the world, once the defaults were applied to it.
    ///
    /// Pure: asked again with the same world it says the same. While the world lacks something, the
    /// answer is [`Unsettled::Open`].
    pub fn facts(&self, world: &World, defaults: &Defaults) -> Result<Facts, Unsettled> {
        let mut draft = Draft {
            asked: Asked::new(world),
            defaults,
            resources: Vec::new(),
            names: self.call.names.clone(),
            query: self.call.query.clone(),
            body: self.body.clone(),
            fetched: self.fetched,
            spec: None,
            obligations: Vec::new(),
            not_found: None,
        };
        let outcome = draft.settle(&self.call);
        let open = world.take_open();
        if world.asked_too_much() || draft.asked.too_much {
            return Err(Misread::TooMuch.into());
        }
        if !open.is_empty() {
            return Err(Unsettled::Open(open));
        }
        outcome?;
        if let Some(absent) = draft.not_found {
            return Err(Unsettled::NotFound(absent));
        }
        Ok(draft.finish(&self.call)?)
    }
}

impl Draft<'_> {
    fn settle(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation.endpoint().kind {
            Kind::Container => self.container(call),
            Kind::Exec => self.exec(call),
            Kind::Image => self.image(call),
            Kind::Build => self.build(call),
            Kind::Volume => self.volume(call),
            Kind::Network => self.network(call),
            Kind::System | Kind::Session => self.system(call),
            _ => self.named(call),
        }
    }

    fn container(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation {
            Operation::ContainerCreate => return self.container_create(),
            Operation::ContainerUpdate => return self.container_update(),
            _ => {}
        }
        match (call.operation, &mut self.body) {
            (Operation::ContainerList | Operation::ContainerPrune, _) => {
                self.resources.push(Resource::Daemon);
                return Ok(());
            }
            (Operation::CheckpointCreate, Body::Checkpoint(body)) => {
                let directory = body.checkpoint_dir.clone();
                self.asked.ask(Privilege::Checkpoint { directory });
            }
            (Operation::CheckpointList | Operation::CheckpointDelete, _) => self.checkpoint("dir")?,
            (Operation::ContainerStart, _) if self.query.one("checkpoint")?.is_some_and(|name| !name.is_empty()) => {
                self.checkpoint("checkpoint-dir")?;
            }
            (Operation::ContainerStart, _) if self.query.one("checkpoint-dir")?.is_some() => {
                self.checkpoint("checkpoint-dir")?
            }
            (Operation::PutContainerArchive, Body::Archive(archive)) => self.asked.copy_in(archive),
            (_, Body::Opaque(_)) => self.unexamined(),
            _ => {}
        }
        if call.operation == Operation::ContainerRename {
            not_an_id(self.query.one("name")?.unwrap_or_default(), "name")?;
        }
        self.container_of_path();
        match call.operation {
            Operation::ContainerStart | Operation::ContainerRestart => self.stored(),
            Operation::ContainerUnpause
            | Operation::ContainerRename
            | Operation::ContainerAttach
            | Operation::ContainerAttachWebsocket
            | Operation::ContainerArchive
            | Operation::ContainerArchiveInfo
            | Operation::PutContainerArchive
            | Operation::ContainerCopy
            | Operation::ContainerExport => self.driven(),
            _ => Ok(()),
        }
    }

    /// Whoever drives a container has its powers.
    fn driven(&mut self) -> Result<(), Unsettled> {
        let Some(Resource::Container(container)) = self.resources.last().cloned() else { return Ok(()) };
        if let Some(stored) = self.asked.world.stored(&container.id) {
            self.spec = Some(containers::spec(&container.name, &stored));
        }
        Ok(self.asked.powers(&container)?)
    }

    /// What the container was made with is asked again: a start is what puts it into effect.
    fn stored(&mut self) -> Result<(), Unsettled> {
        let Some(Resource::Container(container)) = self.resources.last().cloned() else { return Ok(()) };
        match self.asked.world.stored(&container.id) {
            Some(stored) => {
                self.spec = Some(containers::spec(&container.name, &stored));
                self.asked.container_start(&container, &stored)?;
            }
            None => self.asked.ask(Privilege::Unexamined { part: "a stored configuration" }),
        }
        Ok(())
    }

    fn checkpoint(&mut self, parameter: &str) -> Result<(), Unsettled> {
        let directory = self.query.one(parameter)?.unwrap_or_default().to_owned();
        self.asked.ask(Privilege::Checkpoint { directory });
        Ok(())
    }

    /// The container that the path names; its full id is sent.
    fn container_of_path(&mut self) {
        let Some(name) = self.names.first_mut() else { return };
        match self.asked.world.container(name) {
            Some(container) => {
                name.clone_from(&container.id);
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {name}") }),
        }
    }

    /// An exec belongs to a container. What it was prepared to do is asked again when it starts: who
    /// prepared it need not be who starts it.
    fn exec(&mut self, call: &Call) -> Result<(), Unsettled> {
        if let Body::ExecCreate(body) = &mut self.body {
            let (privileged, user) = (body.privileged, body.user.clone());
            self.container_of_path();
            let otherwise = match self.resources.last() {
                Some(Resource::Container(container)) => container.user.clone(),
                _ => String::new(),
            };
            if privileged {
                self.asked.ask(Privilege::Privileged);
            }
            self.asked.run_as(&user, &otherwise);
            return self.driven();
        }
        let Some(id) = self.names.first_mut() else { return Ok(()) };
        match self.asked.world.exec(id) {
            Some(exec) => {
                id.clone_from(&exec.id);
                if call.operation == Operation::ExecStart {
                    if exec.privileged {
                        self.asked.privileges.push(Privilege::Privileged);
                    }
                    self.asked.privileges.push(Privilege::RunAs(exec.user.clone()));
                }
                self.resources.push(Resource::Container(exec.container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such exec instance: {id}") }),
        }
        if call.operation == Operation::ExecStart { self.driven() } else { Ok(()) }
    }

    fn image(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation {
            Operation::ImageList | Operation::ImagePrune => self.resources.push(Resource::Daemon),
            Operation::ImageSearch => {
                let term = self.query.one("term")?.unwrap_or_default();
                let registry = term
                    .split_once('/')
                    .map(|(host, _)| host)
                    .filter(|host| host.contains(['.', ':']))
                    .unwrap_or("docker.io");
                self.asked.ask(Privilege::ContactRegistry { registry: registry.to_owned() });
                self.resources.push(Resource::Daemon);
            }
            Operation::ImageLoad => {
                if let Body::Archive(archive) = &self.body {
                    self.asked.load(archive);
                }
                self.resources.push(Resource::Daemon);
            }
            Operation::ImageCreate => self.pull_or_import()?,
            Operation::ImageCommit => self.commit()?,
            Operation::ImageGetAll => {
                for name in self.query.all("names").map(str::to_owned).collect::<Vec<_>>() {
                    self.image_named(&name)?;
                }
                if self.resources.is_empty() {
                    self.resources.push(Resource::Daemon);
                }
            }
            _ => self.image_of_path(call.operation)?,
        }
        Ok(())
    }

    /// The image that the path names. By id where the answer is the same; by name where the name itself
    /// is what is pushed, saved or taken away.
    fn image_of_path(&mut self, operation: Operation) -> Result<(), Unsettled> {
        let name = self.names.first().cloned().unwrap_or_default();
        if operation == Operation::ImagePush {
            // One tag, or without a tag all that there are: the name is what is pushed, whatever it stands for.
            let tag = self.query.one("tag")?.unwrap_or_default();
            let image = named(&name, tag, "tag")?;
            self.resources.push(Resource::Image(image));
            return Ok(());
        }
        let id = self.image_named(&name)?;
        if operation == Operation::ImageTag {
            let (repository, tag) =
                (self.query.one("repo")?.unwrap_or_default(), self.query.one("tag")?.unwrap_or_default());
            let (repository, tag) = (repository.to_owned(), tag.to_owned());
            self.asked.name_image(&repository, &tag, "repo")?;
        }
        let by_id = matches!(operation, Operation::ImageInspect | Operation::ImageHistory | Operation::ImageTag);
        if let (true, Some(id), Some(name)) = (by_id, id, self.names.first_mut()) {
            *name = id;
        }
        Ok(())
    }

    /// An image that must be there. Gives its id.
    fn image_named(&mut self, name: &str) -> Result<Option<String>, Unsettled> {
        let (image, _, _) = self.asked.image(name)?;
        let id = image.id.clone();
        self.resources.push(Resource::Image(image));
        if let Some(absent) = self.asked.absent.take() {
            self.not_found = Some(absent);
        }
        Ok(id)
    }

    /// `POST /images/create` is two operations: `fromImage` pulls, else `fromSrc` imports.
    fn pull_or_import(&mut self) -> Result<(), Unsettled> {
        let given = |query: &Query, name| query.one(name).map(|value| value.unwrap_or_default().to_owned());
        let (from_image, tag) = (given(&self.query, "fromImage")?, given(&self.query, "tag")?);
        let (source, repository) = (given(&self.query, "fromSrc")?, given(&self.query, "repo")?);
        self.resources.push(Resource::Daemon);
        if !from_image.is_empty() {
            if !source.is_empty() {
                return Err(Misread::value("the query", "has both fromImage and fromSrc").into());
            }
            let image = named(&from_image, &tag, "fromImage")?;
            self.asked.ask(Privilege::PullImage { image });
            return Ok(());
        }
        let image = if repository.is_empty() { Image::default() } else { named(&repository, &tag, "repo")? };
        if image.reference.is_some() {
            self.asked.ask(Privilege::NameImage { image: image.clone() });
        }
        let from = Some(source).filter(|source| source != "-");
        self.asked.ask(Privilege::ImportImage { image, from });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Unsettled> {
        if let Body::Commit(body) = &self.body
            && body.host_config.is_some()
        {
            return Err(Misread::value("HostConfig", "means nothing to a commit").into());
        }
        let given = |query: &Query, name| query.one(name).map(|value| value.unwrap_or_default().to_owned());
        let (container, repository, tag) =
            (given(&self.query, "container")?, given(&self.query, "repo")?, given(&self.query, "tag")?);
        match self.asked.world.container(&container) {
            Some(container) => {
                self.query.set("container", container.id.clone());
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {container}") }),
        }
        if !repository.is_empty() {
            self.asked.name_image(&repository, &tag, "repo")?;
        }
        // An image of it holds what it has seen.
        self.driven()
    }

    fn build(&mut self, call: &Call) -> Result<(), Unsettled> {
        self.resources.push(Resource::Daemon);
        if call.operation == Operation::ImageBuild {
            self.asked.build(&mut self.query)?;
            if let Body::Archive(archive) = &self.body {
                self.asked.building(archive, &mut self.query, self.fetched)?;
            }
        }
        Ok(())
    }

    fn volume(&mut self, call: &Call) -> Result<(), Unsettled> {
        match (&mut self.body, self.names.first()) {
            (Body::VolumeCreate(body), _) => {
                let body = body.value_mut();
                mounts::volume_name(&body.name, "Name")?;
                if body.cluster_volume_spec.is_some() {
                    self.asked.ask(Privilege::UseVolumeDriver { driver: "cluster".to_owned() });
                }
                let mut driver =
                    crate::body::mount::VolumeDriver { name: body.driver.clone(), options: body.driver_opts.take() };
                self.asked.volume_driver(&mut driver, "DriverOpts")?;
                body.driver_opts = driver.options;
                self.resources.push(Resource::Daemon);
            }
            (_, Some(name)) => {
                let known = self.asked.world.volume(name).map(|known| known.volume.clone());
                // The daemon says itself that it is not there: a volume's name is all its identity.
                let volume = known.unwrap_or_else(|| Volume { name: name.clone(), ..Volume::default() });
                self.resources.push(Resource::Volume(volume));
                if call.operation == Operation::VolumeUpdate {
                    self.unexamined();
                }
            }
            _ => self.resources.push(Resource::Daemon),
        }
        Ok(())
    }

    fn network(&mut self, _call: &Call) -> Result<(), Unsettled> {
        if let Body::NetworkCreate(body) = &self.body {
            self.resources.push(Resource::Daemon);
            let driver = if body.driver.is_empty() { "bridge" } else { &body.driver };
            self.asked.ask(Privilege::UseNetworkDriver { driver: driver.to_owned() });
            not_an_id(&body.name, "Name")?;
            self.asked.network_options(&body.options);
            if let Some(ipam) = &body.ipam {
                if !matches!(ipam.driver.as_str(), "" | "default") {
                    self.asked.ask(Privilege::UseNetworkDriver { driver: format!("ipam:{}", ipam.driver) });
                }
                self.asked.network_options(&ipam.options);
                self.asked.pools(ipam.config.as_ref());
            }
            let swarm = [
                ("ingress", body.ingress),
                ("config-only", body.config_only),
                ("config-from", body.config_from.is_some()),
            ];
            for (name, _) in swarm.iter().filter(|(_, asked)| *asked) {
                self.asked.ask(Privilege::SetNetworkOption { name: (*name).to_owned(), value: "true".to_owned() });
            }
            if !matches!(body.scope.as_str(), "" | "local") {
                self.asked.ask(Privilege::SetNetworkOption { name: "scope".to_owned(), value: body.scope.clone() });
            }
            return Ok(());
        }
        let Some(name) = self.names.first_mut() else {
            self.resources.push(Resource::Daemon);
            return Ok(());
        };
        match self.asked.world.network(name) {
            Some(network) => {
                name.clone_from(&network.id);
                self.resources.push(Resource::Network(network.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("network {name} not found") }),
        }
        self.network_member()
    }

    /// The container that is connected or disconnected, named in the body.
    fn network_member(&mut self) -> Result<(), Unsettled> {
        let member = match &mut self.body {
            Body::NetworkConnect(body) => {
                if let Some(endpoint) = &mut body.value_mut().endpoint_config {
                    self.asked.endpoint(endpoint)?;
                }
                &mut body.value_mut().container
            }
            Body::NetworkDisconnect(body) => &mut body.value_mut().container,
            _ => return Ok(()),
        };
        match self.asked.world.container(member) {
            Some(container) => {
                member.clone_from(&container.id);
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {member}") }),
        }
        if let (Body::NetworkConnect(_), Some(Resource::Network(network))) = (&self.body, self.resources.first()) {
            let name = if network.id.is_empty() { network.name.clone() } else { network.id.clone() };
            self.asked.join_network(&name);
        }
        Ok(())
    }

    fn system(&mut self, _call: &Call) -> Result<(), Unsettled> {
        self.resources.push(Resource::Daemon);
        if let Body::Auth(body) = &self.body {
            let registry = auth::registry_of(&body.serveraddress);
            self.asked.ask(Privilege::ContactRegistry { registry: registry.to_owned() });
        }
        Ok(())
    }

    /// Swarm, plugins and registries: known by name. Their bodies are not looked into.
    fn named(&mut self, call: &Call) -> Result<(), Unsettled> {
        let kind = call.operation.endpoint().kind;
        if matches!(self.body, Body::Opaque(_) | Body::Unread | Body::Archive(_)) {
            self.unexamined();
        }
        if kind == Kind::Distribution {
            let image = named(call.names.first().map_or("", String::as_str), "", "the path")?;
            let registry = image.reference.as_ref().map(|reference| reference.registry.clone()).unwrap_or_default();
            self.resources.push(Resource::Image(image));
            self.asked.ask(Privilege::ContactRegistry { registry });
            return Ok(());
        }
        self.resources.push(match call.names.first() {
            Some(name) => Resource::Named { kind, name: name.clone() },
            None => Resource::Daemon,
        });
        Ok(())
    }

    fn unexamined(&mut self) {
        self.asked.ask(Privilege::Unexamined { part: "a body" });
    }

    fn finish(self, call: &Call) -> Result<Facts, Misread> {
        let body = match &self.body {
            Body::None => CanonicalBody::None,
            Body::Unread => CanonicalBody::Unread,
            Body::Archive(_) => CanonicalBody::Archive,
            Body::Create(body) | Body::Commit(body) => written(body)?,
            Body::Update(body) => written(body)?,
            Body::ExecCreate(body) => written(body)?,
            Body::ExecStart(body) => written(body)?,
            Body::VolumeCreate(body) => written(body)?,
            Body::NetworkCreate(body) => written(body)?,
            Body::NetworkConnect(body) => written(body)?,
            Body::NetworkDisconnect(body) => written(body)?,
            Body::Checkpoint(body) => written(body)?,
            Body::Auth(body) => written(body)?,
            Body::Opaque(value) => CanonicalBody::Json(value.to_string().into_bytes()),
        };
        Ok(Facts {
            operation: call.operation,
            version: call.version,
            resources: self.resources,
            privileges: self.asked.privileges,
            spec: self.spec,
            obligations: self.obligations,
            absent: self.asked.absent,
            fetches: self.asked.fetches,
            canonical: Canonical { method: call.method(), target: call.target_with(&self.names, &self.query), body },
        })
    }
}

impl Asked<'_> {
    /// A name that an image is given.
    pub(crate) fn name_image(&mut self, repository: &str, tag: &str, field: &str) -> Result<(), Misread> {
        let image = named(repository, tag, field)?;
        self.ask(Privilege::NameImage { image });
        Ok(())
    }
}

fn written<T: serde::Serialize>(body: &json::Body<T>) -> Result<CanonicalBody, Misread> {
    Ok(CanonicalBody::Json(body.canonical()?))
}

/// An image by its name, with the tag or digest given beside it. The daemon lets the one given beside
/// replace the one in the name, so both together are refused.
fn named(repository: &str, tag: &str, field: &str) -> Result<Image, Misread> {
    let mut reference =
        Reference::parse(repository).map_err(|_| Misread::value(field, "is not the name of an image"))?;
    if !tag.is_empty() {
        let separator = if tag.contains(':') { '@' } else { ':' };
        let untagged = reference.tag.is_none() && reference.digest.is_none();
        let whole = format!("{repository}{separator}{tag}");
        reference = Reference::parse(&whole)
            .ok()
            .filter(|_| untagged)
            .ok_or_else(|| Misread::value(field, "and the tag together are not the name of an image"))?;
    }
    Ok(Image { reference: Some(reference), ..Image::default() })
}

/// Refuses names that could be taken for an id, or for the beginning of one. Wherever an id is kept, the daemon takes
/// a name for it once the thing of that id is gone: a container renamed to the id of another would be joined in its
/// place, by the daemon itself, after all questions were answered.
fn not_an_id(name: &str, field: &str) -> Result<(), Misread> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let could_be = name.len() >= SHORT_ID && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if could_be { Err(Misread::value(field, "could be taken for an id; choose another name")) } else { Ok(()) }
}

/// How long an id is where it is shown short.
const SHORT_ID: usize = 12;
