//! A granted request, carried out: sent to the daemon in canonical form, its answer passed back.
//!
//! [`send`] is the only function that writes a client's request to the daemon. It takes the permit by
//! value, and only the decision makes one: no permit, no bytes.

use bytes::{Bytes, BytesMut};
use docker::endpoint::{Answer as AnswerKind, Operation};
use docker::facts::CanonicalBody;
use docker::http::{Framing, Method, RequestHead, ResponseHead, write_request_head};
use docker::request::Call;
use policy::{Permit, Policy};
use tokio::io::AsyncWriteExt;

use super::connection::Next;
use super::exchange::{Exchange, Granted, Stop};
use super::tunnel::{self, SHARED_KEY, Tunnel};
use crate::firewall::answer::Answer;
use crate::firewall::entry::Entry;
use crate::firewall::making::Afterwards;
use crate::firewall::{Manner, ask};
use crate::record::Outcome;
use crate::seal;
use crate::stream::{Already, ClientStream, DaemonStream, relay};
use crate::wire::{Rest, Wire};

mod check;
mod duplex;
mod fields;
mod filter;
mod witness;

pub(super) use fields::SESSION_ID;

use witness::Made;

/// A connection that the daemon is about to take over.
pub(super) struct Takeover {
    entry: Entry,
    daemon: Wire<DaemonStream>,
    /// The head of the daemon's answer, to be given to the client first.
    head: Vec<u8>,
    /// What ends it on both sides, where it is a tunnel of BuildKit's.
    tunnel: Option<Tunnel>,
}

impl Takeover {
    /// Moves bytes both ways until both sides are done. What the client sent too early goes now: the
    /// daemon drops what arrives together with the request.
    pub(super) async fn run(self: Box<Self>, client: Wire<ClientStream>, silence: Option<std::time::Duration>) {
        let Takeover { mut entry, daemon, head, tunnel } = *self;
        let Wire { stream: mut client, ahead } = client;
        if client.write_all(&head).await.is_err() {
            return;
        }
        if let Some(tunnel) = tunnel {
            return tunnel.run(Wire { stream: client, ahead }, daemon, &mut entry).await;
        }
        // The stream may rest for days: what it needs no more goes now. Buffers are larger than what is in them.
        drop(head);
        let copied = |ahead: BytesMut| Bytes::copy_from_slice(&ahead);
        let already = Already { to_daemon: copied(ahead), to_client: copied(daemon.ahead) };
        let traffic = std::sync::Arc::clone(&entry.traffic);
        if let Err(error) = relay(client, daemon.stream, already, silence, &traffic).await {
            entry.warning(&format!("the stream broke: {error}"));
        }
    }
}

/// Carries out what was granted.
pub(super) async fn run(mut exchange: Exchange<'_>, granted: Granted, policy: &Policy) -> Next {
    if exchange.gateway.firewall.settings.manner == Manner::Rehearse
        && let Some(next) = exchange.rehearse(&granted).await
    {
        return next;
    }
    let Granted { mut permit, call, image, naming, afterwards } = granted;
    let filter = permit.take_filter();
    match exchange.tunnel_of(&call) {
        Ok(tunnel) => exchange.tunnel = tunnel,
        Err(stop) => return exchange.stop(stop).await,
    }
    if let Err(error) = send(&mut exchange, permit, &call).await {
        exchange.connection.daemon = None;
        let (outcome, answer) = match error.kind() {
            std::io::ErrorKind::InvalidInput => (Outcome::Malformed, Answer::new(400, format!("dockwarden: {error}"))),
            _ => (Outcome::Failed, Answer::unreachable(&error)),
        };
        return exchange.stop(Stop::new(outcome, answer)).await;
    }
    // What images come of a stream of messages is told within it; all else in one small answer.
    let told_within = matches!(call.operation, Operation::ImageCreate | Operation::ImageBuild | Operation::ImageLoad);
    match afterwards {
        Afterwards::Nothing if image.is_none() => {
            let made = Made { intent: None, naming };
            duplex::run(exchange, &call, filter.as_deref().map(|filter| (policy, filter)), made).await
        }
        Afterwards::Making(intent) if told_within => {
            let made = Made { intent: Some(intent), naming };
            duplex::run(exchange, &call, filter.as_deref().map(|filter| (policy, filter)), made).await
        }
        afterwards => check::done(exchange, image.as_deref(), afterwards, filter.as_deref()).await,
    }
}

/// Whether the fields that the client sent can go on.
pub(super) fn sendable(head: &RequestHead, call: &Call) -> Result<(), Stop> {
    let fields = fields::of_request(head, call, None);
    let refused = |error| Stop::new(Outcome::Malformed, Answer::new(400, format!("dockwarden: {error}")));
    fields.map(drop).map_err(refused)
}

/// The name of the copy of a context, where a session is opened.
fn shared_key(exchange: &Exchange<'_>, call: &Call) -> Result<Option<Vec<u8>>, String> {
    if call.operation != Operation::Session {
        return Ok(None);
    }
    let given = exchange.head.headers().one(SHARED_KEY).map_err(|error| error.to_string())?;
    Ok(Some(tunnel::shared_key(&exchange.connection.subject.user, given.unwrap_or_default())))
}

/// Writes a permitted request to the daemon; the bytes of the archive that was judged follow later.
async fn send(exchange: &mut Exchange<'_>, permit: Permit, call: &Call) -> std::io::Result<()> {
    let canonical = permit.into_canonical();
    let invalid = |error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error);
    let (framing, body, content_type): (_, &[u8], Option<&[u8]>) = match &canonical.body {
        CanonicalBody::Json(body) => (Framing::Length(body.len() as u64), body, Some(b"application/json")),
        CanonicalBody::Archive => match &exchange.spool {
            Some(spool) => (Framing::Length(spool.len()), b"", Some(b"application/x-tar")),
            None => return Err(invalid("the archive was not judged".to_owned())),
        },
        CanonicalBody::Message(_) => return Err(invalid("a message of BuildKit's is sent in its tunnel".to_owned())),
        CanonicalBody::Unread => return Err(invalid("the archive was not judged".to_owned())),
        CanonicalBody::None if matches!(canonical.method, Method::Post | Method::Put) => {
            (Framing::Length(0), b"", None)
        }
        CanonicalBody::None => (Framing::None, b"", None),
    };
    let mut fields = fields::of_request(&exchange.head, call, content_type).map_err(invalid)?;
    let shared_key = shared_key(exchange, call).map_err(invalid)?;
    fields.extend(shared_key.iter().map(|key| (SHARED_KEY, key.as_slice())));
    let seal = exchange.gateway.firewall.settings.seal.as_ref();
    let (subject, canonical) = (&exchange.connection.subject, &canonical);
    let seal = seal.map(|seal| seal.judged(subject, &canonical.method, &canonical.target, &canonical.body));
    fields.extend(seal.as_ref().map(|seal| (seal::FIELD, seal.as_bytes())));
    let mut out = Vec::with_capacity(body.len().saturating_add(512));
    write_request_head(&mut out, &canonical.method, &canonical.target, fields, framing)
        .map_err(|error| invalid(error.to_string()))?;
    out.extend_from_slice(body);
    exchange.entry.traffic.to_daemon(body.len());
    let daemon = ask::daemon(&exchange.gateway.firewall, &mut exchange.connection.daemon).await?;
    daemon.stream.write_all(&out).await?;
    daemon.stream.flush().await
}

/// Whether this answer is the beginning of a stream: 101, or 200 without a length where the client did
/// not ask for an upgrade (moby `HijackConnection`).
fn takes_over(call: &Call, head: &ResponseHead) -> bool {
    if call.is_tunnel() {
        return head.is_upgraded();
    }
    let endless = matches!(Rest::from(head.body()), Rest::UntilClose);
    call.operation.endpoint().answer == AnswerKind::Stream && (head.is_upgraded() || (head.status() == 200 && endless))
}

/// What was read of the client's body and what is left to read, for both halves of an exchange.
type Ahead<'a> = &'a mut BytesMut;
