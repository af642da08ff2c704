//! Looks at the daemon and at the host, so that a request can be judged by what its names stand for.
//!
//! The looks are requests of our own, on the connection that the judged request will take. A look that
//! fails is not "nothing there": it ends the exchange.

use bytes::{Buf, BytesMut};
use docker::answer::{self, Unreadable};
use docker::defaults::Defaults;
use docker::endpoint::{self, Kind, Operation};
use docker::facts::Facts;
use docker::http::{Framing, HeadLimits, Method, Parsed, ResponseHead, write_request_head};
use docker::privilege::Absent;
use docker::request::{Request, Unsettled};
use docker::target::{Target, encode_segment};
use docker::world::{KnownPath, KnownThing, Lookup, World};
use tokio::io::AsyncWriteExt;

use super::answer::Answer;
use super::connection::Connection;
use super::{Gateway, Manner};
use crate::host_path;
use crate::record::Outcome;
use crate::stream::DaemonStream;
use crate::wire::{BodyError, Rest, Wire};

/// Rounds of looking: an exec leads to a container, an image to its user.
const ROUNDS: usize = 4;

/// Why a request has no facts, as it is said and recorded.
pub(super) struct Unresolved {
    pub(super) outcome: Outcome,
    pub(super) answer: Answer,
}

/// The facts of a request with the defaults applied, everything that it names looked at afresh.
pub(super) async fn facts(
    gateway: &Gateway,
    connection: &mut Connection,
    request: &Request,
    defaults: &Defaults,
) -> Result<Facts, Unresolved> {
    let mut world = World::new();
    for _ in 0..ROUNDS {
        let open = match request.facts(&world, defaults) {
            Ok(facts) => return Ok(facts),
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
        for lookup in open {
            let looked = look(gateway, connection, lookup, &mut world).await;
            looked.map_err(|answer| Unresolved { outcome: Outcome::Failed, answer })?;
        }
    }
    Err(Unresolved { outcome: Outcome::Failed, answer: Answer::garbled(&"its things lead from one to another") })
}

async fn look(gateway: &Gateway, connection: &mut Connection, lookup: Lookup, world: &mut World) -> Result<(), Answer> {
    if gateway.settings.manner == Manner::Rehearse && gateway.rehearsal.know(&lookup, world) {
        return Ok(());
    }
    match lookup {
        Lookup::HostPath(path) => {
            let known =
                if gateway.settings.upstream.is_local() { follow(path.clone()).await? } else { KnownPath::Remote };
            world.learn_host_path(path, known);
        }
        Lookup::Container(name) => {
            let known = container(gateway, connection, &name, world).await?;
            world.learn_container(name, known);
        }
        Lookup::Image(name) => {
            let body = inspect(gateway, connection, Operation::ImageInspect, &name).await?;
            world.learn_image(name, read(body, answer::image)?);
        }
        Lookup::Network(name) => {
            let body = inspect(gateway, connection, Operation::NetworkInspect, &name).await?;
            world.learn_network(name, read(body, answer::network)?);
        }
        Lookup::Volume(name) => {
            let body = inspect(gateway, connection, Operation::VolumeInspect, &name).await?;
            world.learn_volume(name, read(body, answer::volume)?);
        }
        Lookup::Exec(id) => {
            let body = inspect(gateway, connection, Operation::ExecInspect, &id).await?;
            let known = match read(body, answer::exec)? {
                Some(exec) => {
                    container(gateway, connection, &exec.container, world).await?.map(|within| exec.within(within))
                }
                None => None,
            };
            world.learn_exec(id, known);
        }
        Lookup::Thing(kind, name) => {
            let known = thing(gateway, connection, kind, &name, world).await?;
            world.learn_thing(kind, name, known);
        }
    }
    Ok(())
}

async fn container(
    gateway: &Gateway,
    connection: &mut Connection,
    name: &str,
    world: &mut World,
) -> Result<Option<docker::resource::Container>, Answer> {
    let Some(body) = inspect(gateway, connection, Operation::ContainerInspect, name).await? else { return Ok(None) };
    let known = answer::container(&body).map_err(|error| Answer::garbled(&error))?;
    // Where it cannot be read, whoever needs it is refused.
    if let Ok(stored) = docker::request::stored::read(&body) {
        world.learn_stored(known.id.clone(), stored);
    }
    Ok(Some(known))
}

/// A service, secret, config, node, task or plugin, or the daemon's own words where there is none: no such thing, or
/// no swarm.
async fn thing(
    gateway: &Gateway,
    connection: &mut Connection,
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
    let body = match question(gateway, connection, operation, name).await? {
        Some((200, body)) => body,
        Some((status @ (404 | 503), body)) => {
            return Ok(Err(said(&body).map_or_else(none, |message| Absent { status, message })));
        }
        Some((400, _)) | None => return Ok(Err(none())),
        Some((status, _)) => return Err(unexpected(status, operation, name)),
    };
    let known = answer::thing(kind, &body).map_err(|error| Answer::garbled(&error))?;
    // Where it cannot be read, whoever needs it is refused.
    if let (Kind::Plugin, Ok(config)) = (kind, answer::plugin(&body)) {
        world.learn_plugin(known.thing.id.clone(), config);
    }
    Ok(Ok(known))
}

/// What the daemon says in an error.
fn said(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Said {
        message: String,
    }
    serde_json::from_slice::<Said>(body).ok().map(|said| said.message)
}

/// The image that a container was made from, by its id.
pub(super) async fn image_of(
    gateway: &Gateway,
    connection: &mut Connection,
    id: &str,
) -> Result<Option<String>, Answer> {
    Ok(container(gateway, connection, id, &mut World::new()).await?.map(|container| container.image_id))
}

/// Takes away a container that should not have been made.
pub(super) async fn remove_container(gateway: &Gateway, connection: &mut Connection, id: &str) -> Result<(), Answer> {
    if !answer::is_id(id) {
        return Err(Answer::garbled(&"its answer to a create holds no id"));
    }
    let target = format!("/containers/{id}?force=1&v=1");
    match ask(gateway, connection, &Method::Delete, &target).await? {
        (204 | 404, _) => Ok(()),
        (status, _) => Err(Answer::garbled(&format!("a container could not be taken away again ({status})"))),
    }
}

fn read<T>(body: Option<Vec<u8>>, read: impl Fn(&[u8]) -> Result<T, Unreadable>) -> Result<Option<T>, Answer> {
    body.map(|body| read(&body)).transpose().map_err(|error| Answer::garbled(&error))
}

async fn follow(path: String) -> Result<KnownPath, Answer> {
    let followed = tokio::task::spawn_blocking(move || host_path::follow(&path)).await;
    match followed {
        Ok(Ok(path)) => Ok(KnownPath::Resolved(path)),
        Ok(Err(error)) => Err(Answer::new(403, format!("dockwarden: {error}"))),
        Err(_) => Err(Answer::new(500, "dockwarden: a host path could not be looked at")),
    }
}

/// The body of an inspection; `None`: there is no such thing.
async fn inspect(
    gateway: &Gateway,
    connection: &mut Connection,
    operation: Operation,
    name: &str,
) -> Result<Option<Vec<u8>>, Answer> {
    match question(gateway, connection, operation, name).await? {
        Some((200, body)) => Ok(Some(body)),
        // 20.10 answers 400 to what cannot be a name, such as upper case in an image's.
        Some((400 | 404, _)) | None => Ok(None),
        Some((status, _)) => Err(unexpected(status, operation, name)),
    }
}

fn unexpected(status: u16, operation: Operation, name: &str) -> Answer {
    Answer::garbled(&format!("it answered {status} to {operation} of `{name}`"))
}

/// Status and body of the answer to an inspection; `None` for a name that cannot be asked about.
async fn question(
    gateway: &Gateway,
    connection: &mut Connection,
    operation: Operation,
    name: &str,
) -> Result<Option<(u16, Vec<u8>)>, Answer> {
    let Some(target) = inspect_target(operation, name) else { return Ok(None) };
    if gateway.settings.manner == Manner::Rehearse && daemon(gateway, connection).await.is_err() {
        return Ok(None);
    }
    let asked =
        tokio::time::timeout(gateway.settings.limits.lookup_wait, ask(gateway, connection, &Method::Get, &target))
            .await;
    let late = || Answer::new(504, "dockwarden: the Docker daemon did not answer in time");
    asked.map_err(|_| late())?.map(Some)
}

/// The target of an inspection; `None` for a name that would make it the target of something else.
fn inspect_target(operation: Operation, name: &str) -> Option<String> {
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

/// A question of our own. Asked again on a new connection where the old one has gone stale.
async fn ask(
    gateway: &Gateway,
    connection: &mut Connection,
    method: &Method,
    target: &str,
) -> Result<(u16, Vec<u8>), Answer> {
    let fresh = connection.daemon.is_none();
    match ask_once(gateway, connection, method, target).await {
        Err(AskError::Lost) if !fresh => {
            connection.daemon = None;
            ask_once(gateway, connection, method, target).await
        }
        asked => asked,
    }
    .map_err(|error| {
        connection.daemon = None;
        match error {
            AskError::Unreachable(error) => Answer::unreachable(&error),
            AskError::Lost => Answer::garbled(&"it closed the connection"),
            AskError::Garbled(what) => Answer::garbled(&what),
        }
    })
}

enum AskError {
    Unreachable(std::io::Error),
    Lost,
    Garbled(String),
}

async fn ask_once(
    gateway: &Gateway,
    connection: &mut Connection,
    method: &Method,
    target: &str,
) -> Result<(u16, Vec<u8>), AskError> {
    let limits = &gateway.settings.limits;
    let daemon = daemon(gateway, connection).await.map_err(AskError::Unreachable)?;
    let mut out = Vec::with_capacity(256);
    write_request_head(&mut out, method, target, OWN_FIELDS, Framing::None)
        .map_err(|error| AskError::Garbled(error.to_string()))?;
    daemon.stream.write_all(&out).await.map_err(|_| AskError::Lost)?;
    let head = read_head(daemon, method, limits.head_bytes).await?;
    let mut rest = Rest::from(head.body());
    let mut body = Vec::new();
    let Wire { stream, ahead } = daemon;
    let read = async {
        while let Some(piece) = rest.read(stream, ahead, None).await? {
            body.extend_from_slice(&piece.data());
            if body.len() > limits.lookup_bytes {
                return Ok(false);
            }
        }
        Ok::<bool, BodyError>(true)
    };
    match read.await {
        Ok(true) => {}
        Ok(false) => return Err(AskError::Garbled("its answer about a thing is too large".to_owned())),
        Err(error) => return Err(AskError::Garbled(error.to_string())),
    }
    if !head.keep_alive() {
        connection.daemon = None;
    }
    Ok((head.status(), body))
}

/// What our own questions say of themselves.
const OWN_FIELDS: [(&str, &[u8]); 2] = [("Host", b"docker"), ("User-Agent", b"Dockwarden")];

async fn read_head(daemon: &mut Wire<DaemonStream>, method: &Method, most: usize) -> Result<ResponseHead, AskError> {
    loop {
        match parse_head(&mut daemon.ahead, method, most) {
            Ok(Some(head)) => return Ok(head),
            Ok(None) => {}
            Err(what) => return Err(AskError::Garbled(what)),
        }
        match daemon.fill().await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(AskError::Lost),
        }
    }
}

/// The head of an answer at the beginning of what was read; interim answers are skipped.
pub(super) fn parse_head(ahead: &mut BytesMut, method: &Method, most: usize) -> Result<Option<ResponseHead>, String> {
    let limits = HeadLimits { bytes: most.max(ANSWER_HEAD), ..HeadLimits::default() };
    loop {
        match ResponseHead::parse(ahead, method, &limits) {
            Ok(Parsed::Partial) => return Ok(None),
            Ok(Parsed::Complete { head, consumed }) => {
                ahead.advance(consumed.min(ahead.len()));
                if !head.is_interim() {
                    return Ok(Some(head));
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The daemon may answer with a larger head than clients may send.
const ANSWER_HEAD: usize = 256 << 10;

/// The connection to the daemon, opened when there is none.
pub(super) async fn daemon<'c>(
    gateway: &Gateway,
    connection: &'c mut Connection,
) -> std::io::Result<&'c mut Wire<DaemonStream>> {
    if connection.daemon.is_none() {
        let stream = gateway.settings.upstream.connect(gateway.settings.limits.connect_wait).await?;
        connection.daemon = Some(Wire::new(stream));
    }
    connection.daemon.as_mut().ok_or_else(|| std::io::Error::other("no connection"))
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
