//! One client's connection: who it is, and its exchanges one after the other.

use std::os::fd::RawFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use policy::Subject;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{Gateway, Place, exchange};
use crate::firewall::answer::Answer;
use crate::firewall::connection::Connection;
use crate::listen::{Accepted, Peer};
use crate::stream::{ClientStream, hung_up};
use crate::sys;
use crate::wire::{Wire, fill};

/// What comes after an exchange.
pub(super) enum Next {
    /// Another one on this connection.
    Request,
    /// Nothing: the connection ends here.
    Close,
    /// Nothing, but what the client is still sending is read and thrown away for a moment, so that it
    /// reads our answer instead of an error of its own.
    Linger,
    /// No more HTTP: the daemon has taken the connection over.
    Takeover(Box<exchange::Takeover>),
}

/// What is left of a connection that the daemon takes over.
pub(super) struct Stream {
    takeover: Box<exchange::Takeover>,
    client: Wire<ClientStream>,
    _place: Place,
}

impl Stream {
    /// Moves its bytes to the end.
    pub(super) async fn run(self: Box<Self>, silence: Option<Duration>) {
        let Stream { takeover, client, _place } = *self;
        takeover.run(client, silence).await;
    }
}

/// Serves one connection to its end, or until the daemon takes it over.
pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    accepted: Accepted,
    mut stopped: watch::Receiver<bool>,
) -> Option<Box<Stream>> {
    let limits = &gateway.firewall.settings.limits;
    let (stream, peer) = match Box::pin(accepted.open(limits.handshake_wait)).await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(%error, "a client was not let in");
            return None;
        }
    };
    let mut client = Wire::new(stream);
    let subject = match Box::pin(identify(gateway, peer)).await {
        Ok(subject) => Arc::new(subject),
        Err(reason) => {
            tracing::warn!(%reason, "a client could not be identified");
            let words = format!("dockwarden: it cannot be told who you are: {reason}");
            turn_away(&mut client, &Answer::new(403, words)).await;
            return None;
        }
    };
    let Some(place) = gateway.place_for(&subject) else {
        tracing::debug!(user = subject.user, "too many connections of one user; one was turned away");
        let words = "dockwarden: you have too many connections open; close some, or ask for a higher limit \
                     (limits.connections_per_subject)";
        turn_away(&mut client, &Answer::new(429, words)).await;
        return None;
    };
    let mut connection = Connection { client, daemon: None, subject };
    // One wait and one timer for all exchanges: to move a timer that is set costs less than to set another.
    let mut stopped = pin!(async { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut rested = pin!(sleep(limits.keep_alive));
    loop {
        // An exchange that has begun is not cut by the end of the service; waiting for one is.
        if connection.client.ahead.is_empty() {
            let end = Instant::now().checked_add(limits.keep_alive).unwrap_or(rested.deadline());
            rested.as_mut().reset(end);
            tokio::select! {
                biased;
                () = &mut stopped => return None,
                read = connection.client.fill() => if !matches!(read, Ok(1..)) { return None },
                () = &mut rested => return None,
            }
        }
        // On the heap, and gone with the exchange: a connection at rest holds little.
        match Box::pin(exchange::run(gateway, &mut connection)).await {
            Next::Request => {}
            Next::Close => return None,
            Next::Linger => {
                Box::pin(linger(&mut connection.client)).await;
                return None;
            }
            Next::Takeover(takeover) => {
                return Some(Box::new(Stream { takeover, client: connection.client, _place: place }));
            }
        }
    }
}

async fn identify(gateway: &Gateway, peer: Peer) -> Result<Subject, String> {
    if let Some(subject) = &gateway.firewall.settings.subject {
        return Ok(subject.clone());
    }
    match tokio::time::timeout(gateway.firewall.settings.limits.identify_wait, gateway.identifier.identify(peer)).await
    {
        Ok(Ok(subject)) => Ok(subject),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the system's name services did not answer in time".to_owned()),
    }
}

/// Waits for a client to leave while its request is being carried out. Little is read ahead of it meanwhile: then the
/// socket's own buffer makes it wait.
pub(super) async fn left(client: &mut (impl AsyncRead + Unpin), ahead: &mut BytesMut, socket: RawFd) {
    while ahead.len() <= READ_AHEAD {
        match fill(client, ahead, READ_AHEAD).await {
            Ok(1..) => {}
            Ok(0) => break,
            Err(_) => return,
        }
    }
    // It sends no more, but it may still read: `docker -H ssh://` half-closes and waits.
    gone(socket).await;
}

/// Waits for a client to close both directions, without reading anything.
pub(super) async fn gone(socket: RawFd) {
    if let Ok(socket) = sys::duplicate(socket) {
        hung_up(&socket, LOOK_EVERY).await;
    }
}

/// Answers without reading, and ends at once: whoever is turned away must not keep a place that others need.
async fn turn_away(client: &mut Wire<ClientStream>, answer: &Answer) {
    let _ = tokio::time::timeout(TURN_AWAY, answer.send(client, false, true)).await;
}

/// Ends our side and reads on for a moment. A socket that is closed with unread bytes is reset, and the
/// client may lose the answer that tells it why.
async fn linger(client: &mut Wire<ClientStream>) {
    let _ = client.stream.shutdown().await;
    let mut waste = BytesMut::with_capacity(LINGER_READ);
    let drain = async {
        while matches!(client.stream.read_buf(&mut waste).await, Ok(1..)) {
            waste.clear();
        }
    };
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// How often to look whether a client of whom nothing more is read is still there.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Bytes that are read ahead of a client while its request is being carried out.
const READ_AHEAD: usize = 16 << 10;
const LINGER: Duration = Duration::from_secs(5);
const TURN_AWAY: Duration = Duration::from_secs(1);
const LINGER_READ: usize = 64 << 10;
