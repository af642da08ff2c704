//! Keeps what is written down of owners and what the daemon has in step.
//!
//! At the start, and whenever the daemon comes back, everything that it has is listed: what is no more is forgotten, and
//! what was made in the moment of a crash finds its owner. In between the daemon's events tell what goes. Nothing here
//! gives anybody a thing that they did not set out to make.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use docker::answer;
use docker::answer::filter::{Item, Split, shape};
use docker::endpoint::{Kind, Operation};
use docker::http::{Framing, Method, write_request_head};
use docker::ownership::{OWNER_LABEL, RECORD_LABEL};
use docker::resource::Labels;
use docker::target::encode_segment;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::Firewall;
use super::ask::read_answer_head;
use crate::owners::{Adopted, Found, Owners, Thing, Usage};
use crate::seal;
use crate::stream::DaemonStream;
use crate::wire::{Rest, Wire};

/// What lists tell of a thing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    #[serde(alias = "ID")]
    id: String,
    name: Option<String>,
    names: Option<Vec<String>>,
    labels: Option<Labels>,
    repo_tags: Option<Vec<String>>,
    spec: Option<Spec>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Spec {
    name: Option<String>,
    labels: Option<Labels>,
}

/// An event, as far as it tells that something is gone.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Actor")]
    actor: Actor,
    #[serde(rename = "timeNano", default)]
    time: i64,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
}

impl Firewall {
    /// Keeps owners and daemon in step, until it is dropped.
    pub async fn keep_owners(self: Arc<Self>) {
        let Some(owners) = self.settings.owners.clone() else { return };
        let mut first = true;
        loop {
            match self.in_step(&owners, first).await {
                Ok(()) => first = false,
                Err(error) => tracing::debug!("owners and daemon are not in step yet: {error}"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Brings both in step, and follows the daemon's events until they end.
    async fn in_step(&self, owners: &Owners, first: bool) -> Result<(), String> {
        // Events first: what goes while the lists are made is told.
        let mut events = self.events().await?;
        let mut left = self.reconcile(owners, first).await?;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LATER), if left => left = self.reconcile(owners, false).await?,
                gone = events.next() => match gone? {
                    Some((thing, time)) => owners.gone(vec![thing], time).await.map_err(|unkept| unkept.to_string())?,
                    None => return Ok(()),
                },
                () = owners.unsettled() => {
                    // A daemon that was left alone in the middle may still be at it.
                    tokio::time::sleep(SOON).await;
                    left = self.reconcile(owners, false).await?;
                }
            }
        }
    }

    /// Whether there are intents of which nothing has come yet.
    async fn reconcile(&self, owners: &Owners, first: bool) -> Result<bool, String> {
        let looked = owners.moment();
        let mut found = Vec::new();
        for (kind, operation, target) in LISTS {
            let Some(listed) = self.list(*kind, *operation, target).await? else { continue };
            let there: HashSet<String> = listed.iter().map(|found| found.thing.id.clone()).collect();
            owners.only(*kind, &there, looked).await.map_err(|unkept| unkept.to_string())?;
            found.extend(
                listed.into_iter().filter(|found| owners.of(found.thing.kind, &found.thing.id).owners.is_empty()),
            );
        }
        let images: Vec<Found> = found.iter().filter(|found| found.thing.kind == Kind::Image).cloned().collect();
        let adopted = owners.adopt(found).await.map_err(|unkept| unkept.to_string())?;
        let Adopted { count, left: open } = adopted;
        if count > 0 {
            tracing::info!("{count} things that were made when the firewall or its client left have their owner now");
        }
        if first {
            let left = images.into_iter().filter(|found| owners.of(Kind::Image, &found.thing.id).owners.is_empty());
            let left = left.filter(|found| !found.names.is_empty()).map(|found| found.thing.id).collect();
            owners.everybodys(left).await.map_err(|unkept| unkept.to_string())?;
        }
        Ok(open)
    }

    /// Everything that the daemon has, with its names.
    pub(crate) async fn inventory(&self) -> Result<Vec<(Thing, Vec<String>)>, String> {
        let mut all = Vec::new();
        for (kind, operation, target) in LISTS {
            let listed = self.list(*kind, *operation, target).await?.unwrap_or_default();
            all.extend(listed.into_iter().map(|found| (found.thing, found.names)));
        }
        Ok(all)
    }

    /// What the daemon says of one thing, on a line of its own. `None`: there is no such thing.
    pub(crate) async fn inspected(&self, operation: Operation, name: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(target) = super::resolve::inspect_target(operation, name) else { return Ok(None) };
        let answers = super::ask::ask(self, &mut None, &Method::Get, &[&target]).await;
        match answers.map_err(|answer| answer.message)?.pop() {
            Some((200, body)) => Ok(Some(body)),
            Some((404, _)) => Ok(None),
            Some((status, _)) => Err(said(status)),
            None => Err("the daemon did not answer".to_owned()),
        }
    }

    /// All things of a kind. `None`: there is no swarm.
    pub(super) async fn list(
        &self,
        kind: Kind,
        operation: Operation,
        target: &str,
    ) -> Result<Option<Vec<Found>>, String> {
        let Some(form) = shape(operation) else { return Err("its lists have no form".to_owned()) };
        let (status, mut answer) = self.open(target).await?;
        if status != 200 {
            return if matches!(kind, Kind::Service | Kind::Secret | Kind::Config) {
                Ok(None)
            } else {
                Err(said(status))
            };
        }
        let (mut split, mut all) = (Split::new(form.shape), Vec::new());
        while let Some(piece) = answer.next().await? {
            split.feed(&piece);
            while let Some(whole) = split.next_item().map_err(|error| error.to_string())? {
                if is_of(whole.item, kind) {
                    all.push(read(kind, &whole.bytes)?);
                }
            }
        }
        split.finish().map_err(|error| error.to_string())?;
        Ok(Some(all))
    }

    async fn events(&self) -> Result<Events, String> {
        let mut target = "/events?filters=".to_owned();
        let filters = serde_json::json!({
            "type": ["container", "image", "volume", "network", "service", "secret", "config"],
            "event": ["destroy", "delete", "remove"],
        });
        encode_segment(&mut target, &filters.to_string());
        let (status, answer) = self.open(&target).await?;
        if status != 200 {
            return Err(said(status));
        }
        Ok(Events { answer, text: BytesMut::new() })
    }

    /// The answer to a question of our own, on a line of its own.
    async fn open(&self, target: &str) -> Result<(u16, Coming), String> {
        let limits = &self.settings.limits;
        let stream = self.settings.upstream.connect(limits.connect_wait).await.map_err(|error| error.to_string())?;
        let mut wire = Wire::new(stream);
        let seal = self.settings.seal.as_ref().map(|seal| seal.own(&Method::Get, target));
        let fields: [(&str, &[u8]); 2] = [("Host", b"docker"), ("User-Agent", b"Dockwarden")];
        let seal = seal.as_ref().map(|seal| (seal::FIELD, seal.as_bytes()));
        let mut out = Vec::with_capacity(512);
        write_request_head(&mut out, &Method::Get, target, fields.into_iter().chain(seal), Framing::None)
            .map_err(|error| error.to_string())?;
        wire.stream.write_all(&out).await.map_err(|error| error.to_string())?;
        let Wire { stream, ahead } = &mut wire;
        let wait = Some(limits.lookup_wait);
        let head = read_answer_head(stream, ahead, &Method::Get, limits.head_bytes, wait).await;
        let head = head.map_err(|answer| answer.message)?;
        Ok((head.status(), Coming { rest: Rest::from(head.body()), wire }))
    }
}

/// An answer that is being read.
struct Coming {
    wire: Wire<DaemonStream>,
    rest: Rest,
}

impl Coming {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let Wire { stream, ahead } = &mut self.wire;
        let piece = self.rest.read(stream, ahead, None).await.map_err(|error| error.to_string())?;
        Ok(piece.map(|piece| piece.data().to_vec()))
    }
}

/// What goes, as the daemon tells it.
struct Events {
    answer: Coming,
    text: BytesMut,
}

impl Events {
    /// The next thing that is gone, and when it went, in billionths of a second since 1970. `None`: no more is told.
    async fn next(&mut self) -> Result<Option<(Thing, i64)>, String> {
        loop {
            let mut events = serde_json::Deserializer::from_slice(&self.text).into_iter::<Event>();
            let event = match events.next() {
                Some(Ok(event)) => Some(event),
                Some(Err(error)) if error.is_eof() => None,
                Some(Err(error)) => return Err(format!("an event cannot be read: {error}")),
                None => None,
            };
            let read = events.byte_offset();
            if let Some(event) = event {
                let _ = self.text.split_to(read.min(self.text.len()));
                let gone = matches!(event.action.as_str(), "destroy" | "delete" | "remove");
                match Kind::from_noun(&event.kind).filter(|_| gone) {
                    Some(kind) => return Ok(Some((Thing { kind, id: event.actor.id }, event.time))),
                    None => continue,
                }
            }
            match self.answer.next().await? {
                Some(piece) => self.text.extend_from_slice(&piece),
                None => return Ok(None),
            }
            if self.text.len() > LONGEST_EVENT {
                return Err("an event is too long".to_owned());
            }
        }
    }
}

fn is_of(item: Item, kind: Kind) -> bool {
    match item {
        Item::Container => kind == Kind::Container,
        Item::Image => kind == Kind::Image,
        Item::Volume => kind == Kind::Volume,
        Item::Network => kind == Kind::Network,
        _ => matches!(kind, Kind::Service | Kind::Secret | Kind::Config),
    }
}

fn read(kind: Kind, bytes: &[u8]) -> Result<Found, String> {
    let listed: Listed = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let spec = listed.spec.unwrap_or_default();
    let labels = listed.labels.or(spec.labels).unwrap_or_default();
    let name = listed.name.or(spec.name).unwrap_or_default();
    let id = if kind == Kind::Volume { name.clone() } else { listed.id };
    if id.is_empty() {
        return Err(format!("a {} in a list has no id", kind.noun()));
    }
    // Links give a container further names, `/other/alias`.
    let own = |name: &String| !name.trim_start_matches('/').contains('/');
    let own_names = listed.names.unwrap_or_default().into_iter().filter(own);
    let tags = listed.repo_tags.unwrap_or_default().into_iter().filter(|tag| !tag.starts_with("<none>"));
    let volumes =
        if kind == Kind::Container { answer::volumes_of_container(bytes).unwrap_or_default() } else { Vec::new() };
    Ok(Found {
        thing: Thing { kind, id },
        label: labels.get(OWNER_LABEL).cloned(),
        record: labels.get(RECORD_LABEL).cloned(),
        names: Some(name).filter(|name| !name.is_empty()).into_iter().chain(own_names).chain(tags).collect(),
        usage: Usage::default(),
        volumes,
    })
}

fn said(status: u16) -> String {
    format!("the daemon answered {status}")
}

/// How everything of a kind is listed.
const LISTS: &[(Kind, Operation, &str)] = &[
    (Kind::Container, Operation::ContainerList, "/containers/json?all=1"),
    (Kind::Image, Operation::ImageList, "/images/json?all=1"),
    (Kind::Volume, Operation::VolumeList, "/volumes"),
    (Kind::Network, Operation::NetworkList, "/networks"),
    (Kind::Service, Operation::ServiceList, "/services"),
    (Kind::Secret, Operation::SecretList, "/secrets"),
    (Kind::Config, Operation::ConfigList, "/configs"),
];
/// When to try again to be in step.
const AGAIN: Duration = Duration::from_secs(2);
/// When to look what came of a making whose client left.
const SOON: Duration = Duration::from_secs(1);
/// When to look again for what was begun and is not there yet.
const LATER: Duration = Duration::from_secs(5);
/// The longest event, in bytes. Labels and names stand in them.
const LONGEST_EVENT: usize = 4 << 20;
