//! Messages passed on as they come: as fast as they are taken, and no faster.

use std::future::poll_fn;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;

/// Who ended a direction before its end, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Whoever sends.
    Sender(Reason),
    /// Whoever receives.
    Receiver(Reason),
}

/// Passes on everything that comes, to its end; gives the trailers, which are yet to be sent.
pub(super) async fn pump(from: &mut RecvStream, to: &mut SendStream<Bytes>) -> Result<Option<HeaderMap>, Broken> {
    loop {
        let piece = tokio::select! {
            biased;
            reset = poll_fn(|task| to.poll_reset(task)) => return Err(Broken::Receiver(told(reset))),
            piece = from.data() => piece,
        };
        let Some(piece) = piece else {
            return from.trailers().await.map_err(|error| Broken::Sender(reason(&error)));
        };
        let piece = piece.map_err(|error| Broken::Sender(reason(&error)))?;
        let length = piece.len();
        send(to, piece).await.map_err(Broken::Receiver)?;
        // Only now may as much again be sent to us.
        from.flow_control().release_capacity(length).map_err(|error| Broken::Sender(reason(&error)))?;
    }
}

/// Sends all of it, as there is room.
pub(super) async fn send(to: &mut SendStream<Bytes>, mut data: Bytes) -> Result<(), Reason> {
    while !data.is_empty() {
        to.reserve_capacity(data.len());
        let room = match poll_fn(|task| to.poll_capacity(task)).await {
            Some(Ok(room)) => room,
            Some(Err(error)) => return Err(reason(&error)),
            None => return Err(Reason::CANCEL),
        };
        if room == 0 {
            tokio::task::yield_now().await;
            continue;
        }
        let piece = data.split_to(room.min(data.len()));
        to.send_data(piece, false).map_err(|error| reason(&error))?;
    }
    Ok(())
}

/// Ends what was sent, with trailers where there are some.
pub(super) fn end(to: &mut SendStream<Bytes>, trailers: Option<HeaderMap>) -> Result<(), Reason> {
    let ended = match trailers {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    };
    ended.map_err(|error| reason(&error))
}

/// Why a stream ended, as it is passed on.
pub(super) fn reason(error: &h2::Error) -> Reason {
    error.reason().unwrap_or(Reason::CANCEL)
}

/// What was told when the other side reset the stream, or was lost.
pub(super) fn told(reset: Result<Reason, h2::Error>) -> Reason {
    reset.unwrap_or_else(|error| reason(&error))
}
