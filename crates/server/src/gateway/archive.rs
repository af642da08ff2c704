//! A body that is an archive: stored whole, then looked into, before anything of it is sent.

use std::time::Instant;

use docker::archive::{Limits as Bounds, Refusal};
use docker::http::Framing;
use docker::request::{Archive, Call, Misread};

use super::answer::Answer;
use super::exchange::{Exchange, Stop};
use crate::record::Outcome;
use crate::spool::{Spool, SpoolError};
use crate::wire::BodyError;

/// Why an archive was not received.
#[derive(Debug, thiserror::Error)]
enum NotReceived {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl Exchange<'_> {
    /// Receives the archive. Nothing of it is left when that fails.
    pub(super) async fn receive(&mut self) -> Result<Spool, Stop> {
        let limits = &self.gateway.settings.limits;
        let length = match self.head.framing() {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        let mut receiving = self.gateway.spools.receive(length, limits).await.map_err(|error| not_stored(&error))?;
        if !self.rest.is_done() {
            self.say_continue().await?;
        }
        let client = &mut self.connection.client;
        let reading = async {
            let silence = Some(limits.body_silence);
            while let Some(piece) = self.rest.read(&mut client.stream, &mut client.ahead, silence).await? {
                receiving.add(&piece.data()).await?;
            }
            Ok::<Spool, NotReceived>(receiving.end().await?)
        };
        let failed = |status, what: &dyn std::fmt::Display| {
            Stop::new(Outcome::Malformed, Answer::new(status, format!("dockwarden: {what}")))
        };
        match tokio::time::timeout(limits.archive_wait, reading).await {
            Ok(Ok(spool)) => Ok(spool),
            Ok(Err(NotReceived::Spool(error))) => Err(not_stored(&error)),
            Ok(Err(NotReceived::Body(error @ BodyError::Silent(_)))) => Err(failed(408, &error)),
            Ok(Err(NotReceived::Body(error))) => Err(failed(400, &error)),
            Err(_) => Err(failed(408, &"the archive took too long (limits.archive_wait)")),
        }
    }

    /// Looks into it. Decompressing and reading take a thread of their own; only so many at a time.
    pub(super) async fn look_into(&self, call: &Call, spool: &Spool) -> Result<Archive, Stop> {
        let limits = &self.gateway.settings.limits;
        let failed =
            || Stop::new(Outcome::Failed, Answer::new(500, "dockwarden: the archive could not be looked into"));
        let _turn = self.gateway.spools.looks.acquire().await.map_err(|_| failed())?;
        let bounds = Bounds {
            unpacked: limits.archive_unpacked_bytes as u64,
            ratio: limits.archive_ratio as u64,
            ..Bounds::default()
        };
        let until = Instant::now().checked_add(limits.archive_look_wait).ok_or_else(failed)?;
        let (call, open) = (call.clone(), spool.opener(until));
        let looked = tokio::task::spawn_blocking(move || call.inspect(&open, &bounds)).await;
        looked.map_err(|_| failed())?.map_err(|misread| not_understood(&misread))
    }
}

fn not_stored(error: &SpoolError) -> Stop {
    let (outcome, status) = match error {
        SpoolError::TooLarge(_) => (Outcome::Malformed, 413),
        SpoolError::Crowded(_) | SpoolError::Full(_) => (Outcome::Failed, 503),
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
