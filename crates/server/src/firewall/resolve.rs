//! Looks at the daemon and at the host, so that a request can be judged by what its names stand for.
//!
//! The looks are requests of our own, on the line that the judged request will take. A look that
//! fails is not "nothing there": it ends the exchange. All that a round of looking asks of the daemon is
//! sent at once, for a create names half a dozen things and each wait would cost two changes of process.

use docker::answer::{self, Unreadable};
use docker::defaults::Defaults;
use docker::endpoint::{self, Kind, Operation};
use docker::facts::Facts;
use docker::http::Method;
use docker::privilege::Absent;
use docker::request::{Request, Unsettled};
use docker::target::{Target, encode_segment};
use docker::world::{KnownImage, KnownPath, KnownThing, KnownVolume, Lookup, World};

use super::answer::Answer;
use super::ask::{AT_ONCE, Line, ask, daemon};
use super::{Firewall, Manner};
use crate::host_path;
use crate::record::Outcome;

/// Rounds of looking: an exec leads to a container, an image to its user.
const ROUNDS: usize = 4;

/// Why a request has no facts, as it is said and recorded.
pub(crate) struct Unresolved {
    pub(crate) outcome: Outcome,
    pub(crate) answer: Answer,
}

/// The facts of a request with the defaults applied, everything that it names looked at afresh.
pub(crate) async fn facts(
    firewall: &Firewall,
    line: &mut Line,
    request: &Request,
    defaults: &Defaults,
) -> Result<Facts, Unresolved> {
    settled(firewall, line, |world| request.facts(world, defaults)).await
}

/// What `find` finds once it knows everything of the world that it asks for.
pub(crate) async fn settled<T>(
    firewall: &Firewall,
    line: &mut Line,
    find: impl Fn(&World) -> Result<T, Unsettled>,
) -> Result<T, Unresolved> {
    let mut world = World::new();
    for _ in 0..ROUNDS {
        let open = match find(&world) {
            Ok(found) => return Ok(found),
            Err(Unsettled::Open(open)) => open,
            Err(Unsettled::NotFound(absent)) => {
                let answer = Answer::new(absent.status, absent.message);
                return Err(Unresolved { outcome: Outcome::NotFound, answer });
            }
            Err(Unsettled::Misread(misread)) => {
                let answer = Answer::new(misread.status(), format!("dockwarden: {misread}"));
                return Err(Unresolved { outcome: Outcome::Malformed, answer });
            }
        };
        let looked = look(firewall, line, open, &mut world).await;
        looked.map_err(|answer| Unresolved { outcome: Outcome::Failed, answer })?;
    }
    Err(Unresolved { outcome: Outcome::Failed, answer: Answer::garbled(&"its things lead from one to another") })
}

async fn look(firewall: &Firewall, line: &mut Line, open: Vec<Lookup>, world: &mut World) -> Result<(), Answer> {
    let mut asked = Vec::with_capacity(open.len());
    for lookup in open {
        if firewall.settings.manner == Manner::Rehearse && firewall.rehearsal.know(&lookup, world) {
            continue;
        }
        match lookup {
            Lookup::HostPath(path) if firewall.settings.upstream.is_local() => {
                let known = follow(firewall, path.clone()).await?;
                world.learn_host_path(path, known);
            }
            Lookup::HostPath(path) => world.learn_host_path(path, KnownPath::Remote),
            Lookup::Thing(kind, name) => {
                let known = thing(firewall, line, kind, &name, world).await?;
                world.learn_thing(kind, name, known);
            }
            lookup => asked.push(lookup),
        }
    }
    for some in asked.chunks(AT_ONCE) {
        let targets: Vec<Option<String>> = some.iter().map(target_of).collect();
        let bodies = inspect(firewall, line, &targets).await?;
        for (lookup, body) in some.iter().zip(bodies) {
            learn(firewall, line, lookup.clone(), body, world).await?;
        }
    }
    Ok(())
}

/// The target of the inspection that answers a lookup.
fn target_of(lookup: &Lookup) -> Option<String> {
    match lookup {
        Lookup::Container(name) => inspect_target(Operation::ContainerInspect, name),
        Lookup::Image(name) => inspect_target(Operation::ImageInspect, name),
        Lookup::Network(name) => inspect_target(Operation::NetworkInspect, name),
        Lookup::Volume(name) => inspect_target(Operation::VolumeInspect, name),
        Lookup::Exec(id) => inspect_target(Operation::ExecInspect, id),
        Lookup::HostPath(_) | Lookup::Thing(..) => None,
    }
}

/// Tells the world what the daemon said; nothing, where there is no such thing.
async fn learn(
    firewall: &Firewall,
    line: &mut Line,
    lookup: Lookup,
    body: Option<Vec<u8>>,
    world: &mut World,
) -> Result<(), Answer> {
    match lookup {
        Lookup::Container(name) => {
            let known = body.map(|body| container(firewall, &body, world)).transpose()?;
            world.learn_container(name, known);
        }
        Lookup::Image(name) => {
            let mut known = read(body, answer::image)?;
            if let Some(KnownImage { image, .. }) = &mut known {
                image.ownership = firewall.owners_of(Kind::Image, image.id.as_deref().unwrap_or_default());
            }
            world.learn_image(name, known);
        }
        Lookup::Network(name) => {
            let mut known = read(body, answer::network)?;
            if let Some(network) = &mut known {
                network.ownership = firewall.owners_of(Kind::Network, &network.id);
            }
            world.learn_network(name, known);
        }
        Lookup::Volume(name) => {
            let mut known = read(body, answer::volume)?;
            if let Some(KnownVolume { volume, .. }) = &mut known {
                volume.ownership = firewall.owners_of(Kind::Volume, &volume.name);
            }
            world.learn_volume(name, known);
        }
        Lookup::Exec(id) => {
            let known = match read(body, answer::exec)? {
                Some(exec) => {
                    let within = inspect_container(firewall, line, &exec.container).await?;
                    let within = within.map(|body| container(firewall, &body, world)).transpose()?;
                    within.map(|within| exec.within(within))
                }
                None => None,
            };
            world.learn_exec(id, known);
        }
        Lookup::HostPath(_) | Lookup::Thing(..) => {}
    }
    Ok(())
}

fn container(firewall: &Firewall, body: &[u8], world: &mut World) -> Result<docker::resource::Container, Answer> {
    let mut known = answer::container(body).map_err(|error| Answer::garbled(&error))?;
    if let Some(owners) = &firewall.settings.owners {
        owners.mark_container(&mut known);
    }
    // Where it cannot be read, whoever needs it is refused.
    if let Ok(stored) = docker::request::stored::read(body) {
        world.learn_stored(known.id.clone(), stored);
    }
    Ok(known)
}

async fn inspect_container(firewall: &Firewall, line: &mut Line, name: &str) -> Result<Option<Vec<u8>>, Answer> {
    let target = inspect_target(Operation::ContainerInspect, name);
    Ok(inspect(firewall, line, &[target]).await?.pop().flatten())
}

/// A service, secret, config, node, task or plugin, or the daemon's own words where there is none: no such thing, or
/// no swarm.
async fn thing(
    firewall: &Firewall,
    line: &mut Line,
    kind: Kind,
    name: &str,
    world: &mut World,
) -> Result<Result<KnownThing, Absent>, Answer> {
    let none = || Absent { status: 404, message: format!("{} {name} not found", kind.noun()) };
    let operation = match kind {
        Kind::Service => Operation::ServiceInspect,
        Kind::Secret => Operation::SecretInspect,
        Kind::Config => Operation::ConfigInspect,
        Kind::Node => Operation::NodeInspect,
        Kind::Task => Operation::TaskInspect,
        Kind::Plugin => Operation::PluginInspect,
        _ => return Ok(Err(none())),
    };
    let body = match inspect_thing(firewall, line, operation, name).await? {
        Some((200, body)) => body,
        Some((status @ (404 | 503), body)) => {
            return Ok(Err(said(&body).map_or_else(none, |message| Absent { status, message })));
        }
        Some((400, _)) | None => return Ok(Err(none())),
        Some((status, _)) => return Err(Answer::garbled(&format!("it answered {status} to {operation} of `{name}`"))),
    };
    let mut known = answer::thing(kind, &body).map_err(|error| Answer::garbled(&error))?;
    known.thing.ownership = match &known.service {
        Some(service) => firewall.owners_of(Kind::Service, service),
        None => firewall.owners_of(kind, &known.thing.id),
    };
    // Where it cannot be read, whoever needs it is refused.
    if let (Kind::Plugin, Ok(config)) = (kind, answer::plugin(&body)) {
        world.learn_plugin(known.thing.id.clone(), config);
    }
    Ok(Ok(known))
}

/// Status and body of the answer to an inspection; `None` for a name that cannot be asked about.
async fn inspect_thing(
    firewall: &Firewall,
    line: &mut Line,
    operation: Operation,
    name: &str,
) -> Result<Option<(u16, Vec<u8>)>, Answer> {
    let Some(target) = inspect_target(operation, name) else { return Ok(None) };
    if firewall.settings.manner == Manner::Rehearse && daemon(firewall, line).await.is_err() {
        return Ok(None);
    }
    Ok(ask(firewall, line, &Method::Get, &[&target]).await?.pop())
}

/// What the daemon says in an error.
pub(crate) fn said(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    serde_json::from_slice::<Said>(body).ok().map(|said| said.message)
}

/// A container that was made just now, and the volumes that were made with it or mounted.
pub(crate) async fn new_container(
    firewall: &Firewall,
    line: &mut Line,
    id: &str,
) -> Result<Option<(docker::resource::Container, Vec<String>)>, Answer> {
    let body = inspect_container(firewall, line, id).await?;
    read(body, |body| Ok((answer::container(body)?, answer::volumes_of_container(body)?)))
}

/// Takes away a container that should not have been made.
pub(crate) async fn remove_container(firewall: &Firewall, line: &mut Line, id: &str) -> Result<(), Answer> {
    if !answer::is_id(id) {
        return Err(Answer::garbled(&"its answer to a create holds no id"));
    }
    let target = format!("/containers/{id}?force=1&v=1");
    match ask(firewall, line, &Method::Delete, &[&target]).await?.first() {
        Some((204 | 404, _)) => Ok(()),
        Some((status, _)) => Err(Answer::garbled(&format!("a container could not be taken away again ({status})"))),
        None => Err(Answer::garbled(&"a container could not be taken away again")),
    }
}

fn read<T>(body: Option<Vec<u8>>, read: impl Fn(&[u8]) -> Result<T, Unreadable>) -> Result<Option<T>, Answer> {
    body.map(|body| read(&body)).transpose().map_err(|error| Answer::garbled(&error))
}

async fn follow(firewall: &Firewall, path: String) -> Result<KnownPath, Answer> {
    let root = firewall.settings.host_root.clone();
    let followed = tokio::task::spawn_blocking(move || host_path::follow(&root, &path)).await;
    match followed {
        Ok(Ok(path)) => Ok(KnownPath::Resolved(path)),
        Ok(Err(error)) => Err(Answer::new(403, format!("dockwarden: {error}"))),
        Err(_) => Err(Answer::new(500, "dockwarden: a host path could not be looked at")),
    }
}

/// The bodies of inspections; `None`: there is no such thing.
async fn inspect(
    firewall: &Firewall,
    line: &mut Line,
    targets: &[Option<String>],
) -> Result<Vec<Option<Vec<u8>>>, Answer> {
    let mut bodies = vec![None; targets.len()];
    if firewall.settings.manner == Manner::Rehearse && daemon(firewall, line).await.is_err() {
        return Ok(bodies);
    }
    let asked: Vec<&str> = targets.iter().flatten().map(String::as_str).collect();
    // In the order of the targets that there are.
    let answers = ask(firewall, line, &Method::Get, &asked).await?;
    let places = bodies.iter_mut().zip(targets).filter_map(|(body, target)| Some((body, target.as_ref()?)));
    for ((place, target), answer) in places.zip(answers) {
        *place = match answer {
            (200, body) => Some(body),
            // 20.10 answers 400 to what cannot be a name, such as upper case in an image's.
            (400 | 404, _) => None,
            (status, _) => {
                return Err(Answer::garbled(&format!("it answered {status} to a question about `{target}`")));
            }
        };
    }
    Ok(bodies)
}

/// The target of an inspection; `None` for a name that would make it the target of something else.
pub(crate) fn inspect_target(operation: Operation, name: &str) -> Option<String> {
    let (before, after) = operation.endpoint().path.split_once('{')?;
    let mut target = before.to_owned();
    encode_segment(&mut target, name);
    target.push_str(after.split_once('}')?.1);
    let parsed = Target::parse(&target, &Method::Get).ok()?;
    let route = endpoint::route(&Method::Get, &parsed)?;
    let same = route.operation == operation && route.names.first().is_some_and(|read| read == name);
    let flat = !matches!(operation, Operation::ContainerInspect | Operation::ExecInspect) || !name.contains('/');
    (same && flat).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_asked_about_as_itself_or_not_at_all() {
        let target = |operation, name: &str| inspect_target(operation, name);
        assert_eq!(target(Operation::ContainerInspect, "web").as_deref(), Some("/containers/web/json"));
        assert_eq!(
            target(Operation::ImageInspect, "registry.test:5000/a/b:1").as_deref(),
            Some("/images/registry.test%3A5000%2Fa%2Fb%3A1/json")
        );
        for name in ["", "..", ".", "a/../b", "a\0b", "web/json/../../x", "a/b"] {
            assert_eq!(target(Operation::ContainerInspect, name), None, "{name:?}");
        }
        assert_eq!(target(Operation::VolumeInspect, "../containers/json"), None);
    }
}
