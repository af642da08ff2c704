//! A body that is an archive: stored whole, then looked into, before anything of it is sent.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use docker::archive::{Limits as Bounds, Refusal};
use docker::http::Framing;
use docker::request::{Archive, Call, Misread};
use tokio::time::Instant;

use super::connection::left;
use super::exchange::{Exchange, Stop, client_left};
use crate::firewall::answer::Answer;
use crate::firewall::connection::Connection;
use crate::limits::Limits;
use crate::record::Outcome;
use crate::share::{Held, Share};
use crate::spool::{KEPT, Receiving, Spool, SpoolError};
use crate::stream::ClientStream;
use crate::wire::{BodyError, Rest, Wire};

/// Why an archive was not received.
#[derive(Debug, thiserror::Error)]
enum NotReceived {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("the archive comes too slowly: less than {0} bytes a second (limits.archive_rate)")]
    Slow(usize),
}

impl Exchange<'_> {
    /// Receives the archive. Nothing of it is left when that fails.
    pub(super) async fn receive(&mut self) -> Result<Spool, Stop> {
        let limits = &self.gateway.firewall.settings.limits;
        let length = match self.head.framing() {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let user = &self.connection.subject.user;
        let receiving = self.gateway.spools.receive(user, length, limits).await.map_err(|error| not_stored(&error))?;
        if !self.rest.is_done() {
            self.say_continue().await?;
        }
        let reading = read(&mut self.rest, &mut self.connection.client, receiving, limits);
        let failed = |status, what: &dyn std::fmt::Display| {
            Stop::new(Outcome::Malformed, Answer::new(status, format!("dockwarden: {what}")))
        };
        match tokio::time::timeout(limits.archive_wait, reading).await {
            Ok(Ok(spool)) => Ok(spool),
            Ok(Err(NotReceived::Spool(error))) => Err(not_stored(&error)),
            Ok(Err(error @ (NotReceived::Slow(_) | NotReceived::Body(BodyError::Silent(_))))) => {
                Err(failed(408, &error))
            }
            Ok(Err(NotReceived::Body(error))) => Err(failed(400, &error)),
            Err(_) => Err(failed(408, &"the archive took too long (limits.archive_wait)")),
        }
    }

    /// Looks into it, for as long as the client waits for that.
    pub(super) async fn look_into(&mut self, call: &Call, spool: &Spool) -> Result<Archive, Stop> {
        let gateway = self.gateway;
        let Connection { client: Wire { stream, ahead }, subject, .. } = &mut *self.connection;
        let socket = stream.number();
        let look = look(&gateway.spools.looks, &subject.user, call, spool, &gateway.firewall.settings.limits);
        tokio::select! {
            biased;
            looked = look => looked,
            () = left(stream, ahead, socket) => {
                Err(client_left())
            }
        }
    }
}

/// Reads an archive to its end. Of each a little is read until it is its turn: then a piece.
async fn read(
    rest: &mut Rest,
    client: &mut Wire<ClientStream>,
    mut receiving: Receiving,
    limits: &Limits,
) -> Result<Spool, NotReceived> {
    let Wire { stream, ahead } = client;
    let mut pace = Pace::default();
    loop {
        let since = Instant::now();
        let Some(little) = rest.read_some(stream, ahead, KEPT, Some(limits.body_silence)).await? else { break };
        pace.waited(since.elapsed());
        let _turn = receiving.turn().await;
        pace.came(little.data().len());
        let mut whole = receiving.add(&little.data());
        while !whole && let Some(piece) = at_once(rest.read(stream, ahead, None)).await.transpose()?.flatten() {
            pace.came(piece.data().len());
            whole = receiving.add(&piece.data());
        }
        receiving.put_down().await?;
        if ahead.is_empty() {
            // Who waits for the next turn holds no room for a piece meanwhile.
            *ahead = BytesMut::new();
        }
        if !rest.is_done() {
            pace.keep(limits)?;
        }
    }
    Ok(receiving.end().await?)
}

/// What is there without waiting for it.
async fn at_once<T>(what: impl Future<Output = T>) -> Option<T> {
    let mut what = pin!(what);
    poll_fn(|task| match what.as_mut().poll(task) {
        Poll::Ready(there) => Poll::Ready(Some(there)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// How fast an archive comes. The time that we take ourselves does not count.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: usize,
}

impl Pace {
    fn came(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn waited(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    /// Whether enough has come, each time that the client was waited for as long as it may be silent.
    fn keep(&mut self, limits: &Limits) -> Result<(), NotReceived> {
        if self.waited < limits.body_silence {
            return Ok(());
        }
        let seconds = usize::try_from(self.waited.as_secs()).unwrap_or(usize::MAX);
        if self.bytes < limits.archive_rate.saturating_mul(seconds) {
            return Err(NotReceived::Slow(limits.archive_rate));
        }
        *self = Pace::default();
        Ok(())
    }
}

/// Looks into an archive when it is its turn. Decompressing and reading take a thread of their own.
async fn look(looks: &Share, user: &str, call: &Call, spool: &Spool, limits: &Limits) -> Result<Archive, Stop> {
    let mut turn = Held::default();
    looks.wait(user, &mut turn, 1).await;
    let bounds = Bounds {
        unpacked: limits.archive_unpacked_bytes as u64,
        ratio: limits.archive_ratio as u64,
        ..Bounds::default()
    };
    let _end = End(Arc::clone(&bounds.stop));
    let (call, open) = (call.clone(), spool.opener());
    let looking = tokio::task::spawn_blocking(move || {
        let looked = call.inspect(&open, &bounds);
        // Others have their turn when the thread is free, and not before.
        drop(turn);
        looked
    });
    match tokio::time::timeout(limits.archive_look_wait, looking).await {
        Ok(Ok(looked)) => looked.map_err(|misread| not_understood(&misread)),
        Ok(Err(_)) => {
            Err(Stop::new(Outcome::Failed, Answer::new(500, "dockwarden: the archive could not be looked into")))
        }
        Err(_) => Err(not_understood(&Misread::Archive(Refusal::TooSlow))),
    }
}

/// Ends a look that nobody waits for any more, because its time is up or its client left.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn not_stored(error: &SpoolError) -> Stop {
    let (outcome, status) = match error {
        SpoolError::TooLarge(_) => (Outcome::Malformed, 413),
        SpoolError::Crowded(_) | SpoolError::Share(_) | SpoolError::Full(_) => (Outcome::Failed, 503),
        SpoolError::Io(_) => (Outcome::Failed, 500),
    };
    Stop::new(outcome, Answer::new(status, format!("dockwarden: {error}")))
}

fn not_understood(misread: &Misread) -> Stop {
    let bound = match misread {
        Misread::Archive(Refusal::TooMuch { of, .. }) if of.ends_with("decompression") => {
            " (limits.archive_unpacked_bytes)"
        }
        Misread::Archive(Refusal::TooMuch { of, .. }) if of.ends_with("compressed one") => " (limits.archive_ratio)",
        Misread::Archive(Refusal::TooSlow) => " (limits.archive_look_wait)",
        _ => "",
    };
    let outcome = if misread.status() >= 500 { Outcome::Failed } else { Outcome::Malformed };
    Stop::new(outcome, Answer::new(misread.status(), format!("dockwarden: {misread}{bound}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_too_little_is_not_waited_for() {
        let limits = Limits { body_silence: Duration::from_secs(10), archive_rate: 100, ..Limits::default() };
        let mut pace = Pace::default();
        let mut second = |bytes| {
            pace.waited(Duration::from_secs(1));
            pace.came(bytes);
            pace.keep(&limits).is_ok()
        };
        assert!((0..9).all(|_| second(1)), "not yet");
        assert!(second(991), "enough over the whole");
        assert!((0..9).all(|_| second(100)), "counted anew");
        assert!(!second(99), "what came before is no credit");
    }
}
