//! What was done is looked at and written down before the client hears of it: whose a new thing is, and that a new
//! container is what was judged.
//!
//! Its image was judged by what its name stood for a moment ago. If the name was given to another image
//! meanwhile, the container was made from something that nobody judged: it is taken away again.

use docker::answer::filter::scrubbed;
use docker::endpoint::Kind;
use docker::http::{BodyLength, Method, write_response_head};
use policy::Filter;
use tokio::io::AsyncWriteExt;

use super::super::connection::Next;
use super::super::exchange::{Exchange, Stop};
use super::fields;
use crate::firewall::answer::Answer;
use crate::firewall::ask::read_answer_head;
use crate::firewall::making::{self, Afterwards};
use crate::firewall::resolve;
use crate::owners::Thing;
use crate::record::Outcome;
use crate::wire::{BodyError, Rest, Wire};

/// Passes on the answer, if all is well. `image`: the one that a new container must be made from.
pub(super) async fn done(
    mut exchange: Exchange<'_>,
    image: Option<&str>,
    afterwards: Afterwards,
    filter: Option<&Filter>,
) -> Next {
    match answer(&mut exchange, image, afterwards, filter).await {
        Ok((out, status, reusable)) => {
            exchange.entry.outcome(Outcome::Allowed, Some(status), None);
            match exchange.connection.client.stream.write_all(&out).await {
                Ok(()) if reusable => Next::Request,
                _ => Next::Close,
            }
        }
        Err(answer) => {
            exchange.connection.daemon = None;
            exchange.stop(Stop::new(Outcome::Failed, answer)).await
        }
    }
}

async fn answer(
    exchange: &mut Exchange<'_>,
    image: Option<&str>,
    afterwards: Afterwards,
    filter: Option<&Filter>,
) -> Result<(Vec<u8>, u16, bool), Answer> {
    let limits = &exchange.gateway.firewall.settings.limits;
    let Some(Wire { stream, ahead }) = &mut exchange.connection.daemon else {
        return Err(Answer::garbled(&"there is no connection to it"));
    };
    let head = read_answer_head(stream, ahead, &Method::Post, limits.head_bytes, limits.answer_wait).await?;
    let (mut rest, mut body) = (Rest::from(head.body()), Vec::new());
    let broken = |error: BodyError| Answer::garbled(&error);
    while let Some(piece) = rest.read(stream, ahead, Some(limits.lookup_wait)).await.map_err(broken)? {
        body.extend_from_slice(&piece.data());
        if body.len() > limits.lookup_bytes {
            return Err(Answer::garbled(&"its answer is too large"));
        }
    }
    if !head.keep_alive() {
        exchange.connection.daemon = None;
    }
    let mut things = Vec::new();
    if let (201, Some(image)) = (head.status(), image) {
        things = verify(exchange, &body, image).await?;
    }
    write_down(exchange, afterwards, head.status(), &body, things).await?;
    // "The name is already in use by container 4f66…": whose that is, is not everybody's to know.
    if let Some(filter) = filter.filter(|filter| filter.hides() && head.status() >= 400) {
        body = scrubbed(&String::from_utf8_lossy(&body), filter.request()).into_bytes();
    }
    let reusable = exchange.head.keep_alive() && exchange.rest.is_done();
    let mut out = Vec::with_capacity(body.len().saturating_add(512));
    let length = BodyLength::Length(body.len() as u64);
    write_response_head(&mut out, head.status(), head.reason(), fields::of_answer(&head, !reusable), length)
        .map_err(|error| Answer::garbled(&error))?;
    out.extend_from_slice(&body);
    exchange.entry.traffic.to_client(body.len());
    Ok((out, head.status(), reusable))
}

/// Whether the new container is what was judged. If not, or if that cannot be told, it is removed. Gives the volumes
/// that it has.
async fn verify(exchange: &mut Exchange<'_>, body: &[u8], image: &str) -> Result<Vec<Thing>, Answer> {
    let Some(Thing { id, .. }) = making::made(Kind::Container, body) else {
        return Err(Answer::garbled(&"its answer to a create holds no id"));
    };
    match resolve::new_container(&exchange.gateway.firewall, &mut exchange.connection.daemon, &id).await {
        Ok(Some((container, volumes))) if container.image_id == image => {
            return Ok(volumes.into_iter().map(|id| Thing { kind: Kind::Volume, id }).collect());
        }
        _ => tracing::warn!(container = id, "a container was not made from the image that was judged; it is removed"),
    }
    resolve::remove_container(&exchange.gateway.firewall, &mut exchange.connection.daemon, &id).await?;
    let words = "dockwarden: the image's name was given to another image while the request was judged; try again";
    Err(Answer::new(409, words))
}

/// Writes down what came of it. `with`: what was made along.
async fn write_down(
    exchange: &mut Exchange<'_>,
    afterwards: Afterwards,
    status: u16,
    body: &[u8],
    with: Vec<Thing>,
) -> Result<(), Answer> {
    let intent = match afterwards {
        Afterwards::Nothing => return Ok(()),
        Afterwards::Resizing(resizing) => {
            if status < 300 {
                resizing.done().await;
            }
            return Ok(());
        }
        Afterwards::Naming(intent) => {
            return intent.settle().await.map_err(|unkept| Answer::new(503, format!("dockwarden: {unkept}")));
        }
        Afterwards::Making(intent) => intent,
    };
    let kind = intent.making().kind;
    let settled = match (status, making::made(kind, body)) {
        (300.., _) => intent.settle().await,
        (_, None) => return Err(Answer::garbled(&"it does not say what it made")),
        (_, Some(thing)) => {
            let kept = intent.finish([thing.clone()].into_iter().chain(with).collect()).await;
            if kept.is_err() && kind == Kind::Container {
                // Nobody's container: its maker could not even remove it.
                resolve::remove_container(&exchange.gateway.firewall, &mut exchange.connection.daemon, &thing.id)
                    .await?;
            }
            kept
        }
    };
    settled.map_err(|unkept| {
        let words = format!("dockwarden: who owns it could not be written down: {unkept}; ask the administrator");
        Answer::new(503, words)
    })
}
