//! One connection of the daemon's, and its questions one after the other.
//!
//! It is not closed for resting: the daemon would ask on it in that very moment, be cut off, ask once more with an
//! empty body, and be refused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use docker::http::{BodyLength, Framing, HeadLimits, Method, Parsed, RequestHead, write_response_head};
use tokio::io::AsyncWriteExt;

use super::question::Question;
use super::{Plugin, judge, learn, loopback, subject};
use crate::firewall::BODY_UNIT;
use crate::firewall::connection::Connection;
use crate::listen::{Accepted, Peer};
use crate::share::Held;
use crate::wire::{BodyError, Rest, Wire};

/// What the daemon is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Let it pass.
    Allow,
    /// Refuse it, with these words.
    Deny(String),
}

/// Answers until the daemon leaves.
pub(super) async fn serve(plugin: &Arc<Plugin>, accepted: Accepted) {
    let limits = &plugin.firewall.settings.limits;
    let (stream, peer) = match accepted.open(limits.handshake_wait).await {
        Ok(opened) => opened,
        Err(error) => return tracing::warn!(%error, "somebody was not let in to the plugin"),
    };
    if !may_ask(&peer).await {
        return tracing::warn!(?peer, "somebody who is not the daemon was turned away from the plugin");
    }
    let subject = Arc::new(subject::nobody());
    let mut connection = Connection { client: Wire::new(stream), daemon: None, subject };
    while let Ok(true) = exchange(plugin, &mut connection).await {}
}

/// The daemon runs as root, or as the user that we run as. The socket's mode says so too. Over the network it has
/// shown its certificate by now; on a port of the loopback the kernel says whose socket it is.
async fn may_ask(peer: &Peer) -> bool {
    let may = |uid: u32| uid == 0 || uid == rustix::process::geteuid().as_raw();
    match peer {
        Peer::Unix { uid, .. } => may(*uid),
        Peer::Tcp { certificate: Some(_), .. } => true,
        Peer::Tcp { address: SocketAddr::V4(end), .. } if end.ip().is_loopback() => {
            let users = loopback::users(*end).await.unwrap_or_default();
            !users.is_empty() && users.into_iter().all(may)
        }
        Peer::Tcp { .. } => false,
    }
}

/// One question and its answer; whether the connection goes on.
async fn exchange(plugin: &Arc<Plugin>, connection: &mut Connection) -> Result<bool, BodyError> {
    let Some(head) = read_head(&mut connection.client).await? else { return Ok(false) };
    let limits = &plugin.firewall.settings.limits;
    let most = QUESTION.max(limits.judged_body_bytes.saturating_mul(2));
    let length = match head.framing() {
        Framing::None => 0,
        Framing::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Framing::Chunked => usize::MAX,
    };
    let post = *head.method() == Method::Post;
    match head.target() {
        _ if length > most => {
            let words = format!("the daemon's question is larger than {most} bytes (limits.judged_body_bytes)");
            answer(connection, &verdict(&Verdict::Deny(words))).await?;
            Ok(false)
        }
        "/Plugin.Activate" if post => {
            drop(read_body(connection, head.framing()).await?);
            answer(connection, &serde_json::json!({ "Implements": ["authz"] })).await?;
            Ok(true)
        }
        // What was done is done. It stands by itself: nothing need be known of what was asked.
        "/AuthZPlugin.AuthZRes" if post => {
            let body = read_body(connection, head.framing()).await?;
            answer(connection, &verdict(&learn::learn(plugin, &body).await)).await?;
            Ok(true)
        }
        "/AuthZPlugin.AuthZReq" if post => {
            let mut room = Held::default();
            let units = length.wrapping_div(BODY_UNIT).min(plugin.firewall.bodies.each());
            plugin.firewall.bodies.wait(DAEMON, &mut room, units).await;
            let body = read_body(connection, head.framing()).await?;
            let asked = judged_in_time(plugin, connection, &body).await;
            drop(room);
            answer(connection, &verdict(&asked)).await?;
            Ok(true)
        }
        _ => {
            let words = "this is no question that an authorization plugin knows".to_owned();
            answer(connection, &verdict(&Verdict::Deny(words))).await?;
            Ok(false)
        }
    }
}

async fn judged_in_time(plugin: &Arc<Plugin>, connection: &mut Connection, body: &[u8]) -> Verdict {
    let question = match Question::read(body) {
        Ok(question) => question,
        Err(error) => return Verdict::Deny(error.to_string()),
    };
    // On the heap, and gone with the question.
    let judging = Box::pin(judge::judge(plugin, connection, &question));
    match tokio::time::timeout(DECISION, judging).await {
        Ok(verdict) => verdict,
        Err(_) => {
            connection.daemon = None;
            Verdict::Deny("it could not be decided in time".to_owned())
        }
    }
}

/// `None`: the daemon left.
async fn read_head(client: &mut Wire<crate::stream::ClientStream>) -> Result<Option<RequestHead>, BodyError> {
    let limits = HeadLimits::default();
    loop {
        match RequestHead::parse(&client.ahead, &limits) {
            Ok(Parsed::Complete { head, consumed }) => {
                client.ahead.advance(consumed.min(client.ahead.len()));
                return Ok(Some(head));
            }
            Ok(Parsed::Partial) => {}
            Err(error) => {
                tracing::warn!(%error, "what was asked of the plugin is no HTTP");
                return Ok(None);
            }
        }
        if client.fill().await? == 0 {
            return Ok(None);
        }
    }
}

async fn read_body(connection: &mut Connection, framing: Framing) -> Result<Bytes, BodyError> {
    let Wire { stream, ahead } = &mut connection.client;
    let (mut rest, mut body) = (Rest::from(framing), BytesMut::new());
    while let Some(piece) = rest.read(stream, ahead, Some(QUESTION_SILENCE)).await? {
        body.extend_from_slice(&piece.data());
    }
    Ok(body.freeze())
}

fn verdict(verdict: &Verdict) -> serde_json::Value {
    match verdict {
        Verdict::Allow => serde_json::json!({ "Allow": true }),
        Verdict::Deny(words) => serde_json::json!({ "Allow": false, "Msg": printable(words) }),
    }
}

/// The daemon prints it on terminals as it is, after words of its own that name the plugin.
fn printable(words: &str) -> String {
    let words = words.strip_prefix("dockwarden: ").unwrap_or(words);
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

async fn answer(connection: &mut Connection, body: &serde_json::Value) -> std::io::Result<()> {
    let mut body = body.to_string().into_bytes();
    body.push(b'\n');
    let mut out = Vec::with_capacity(body.len().saturating_add(128));
    let fields: [(&str, &[u8]); 1] = [("Content-Type", b"application/vnd.docker.plugins.v1.2+json")];
    write_response_head(&mut out, 200, "OK", fields, BodyLength::Length(body.len() as u64))
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
    out.extend_from_slice(&body);
    connection.client.stream.write_all(&out).await?;
    connection.client.stream.flush().await
}

/// The most that the daemon asks at once: 4 MiB of body as base64, and its header fields, which may have 1 MiB.
const QUESTION: usize = 8 << 20;
/// The longest pause within a question.
const QUESTION_SILENCE: Duration = Duration::from_secs(30);
/// For the whole of a decision, looks at the daemon included.
const DECISION: Duration = Duration::from_secs(60);
/// Under this name the daemon holds room for its questions. No user has such a name.
const DAEMON: &str = "plugin:daemon";
/// The longest message, in characters.
const LONGEST: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_fit_for_terminals() {
        assert_eq!(printable("dockwarden: may not\n\u{1b}[31mmount"), "may not  [31mmount");
        assert_eq!(printable(&"x".repeat(5000)).len(), LONGEST);
        assert_eq!(verdict(&Verdict::Deny("no".into())), serde_json::json!({ "Allow": false, "Msg": "no" }));
        assert_eq!(verdict(&Verdict::Allow), serde_json::json!({ "Allow": true }));
    }
}
