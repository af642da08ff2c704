//! A new container is looked at before its client hears of it.
//!
//! The image was judged by what its name stood for a moment ago. If the name was given to another image
//! meanwhile, the container was made from something that nobody judged: it is taken away again.

use docker::answer::filter::scrubbed;
use docker::http::{BodyLength, Method, write_response_head};
use policy::Filter;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use super::super::answer::Answer;
use super::super::connection::Next;
use super::super::exchange::{Exchange, Stop};
use super::super::resolve;
use super::duplex::read_answer_head;
use super::fields;
use crate::record::Outcome;
use crate::wire::{BodyError, Rest, Wire};

/// The daemon's answer to a create.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

/// Passes on the answer to a create, if the container is made from that image.
pub(super) async fn created(mut exchange: Exchange<'_>, image: &str, filter: Option<&Filter>) -> Next {
    match answer(&mut exchange, image, filter).await {
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
    image: &str,
    filter: Option<&Filter>,
) -> Result<(Vec<u8>, u16, bool), Answer> {
    let limits = &exchange.gateway.settings.limits;
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
    if head.status() == 201 {
        verify(exchange, &body, image).await?;
    }
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

/// Whether the new container is what was judged. If not, or if that cannot be told, it is removed.
async fn verify(exchange: &mut Exchange<'_>, body: &[u8], image: &str) -> Result<(), Answer> {
    let Ok(Created { id }) = serde_json::from_slice(body) else {
        return Err(Answer::garbled(&"its answer to a create holds no id"));
    };
    let made_from = resolve::image_of(exchange.gateway, exchange.connection, &id).await;
    match made_from {
        Ok(Some(made_from)) if made_from == image => return Ok(()),
        _ => tracing::warn!(container = id, "a container was not made from the image that was judged; it is removed"),
    }
    resolve::remove_container(exchange.gateway, exchange.connection, &id).await?;
    let words = "dockwarden: the image's name was given to another image while the request was judged; try again";
    Err(Answer::new(409, words))
}
