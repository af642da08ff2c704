//! The history of builds: what is told of it is what is the subject's own.

use std::collections::BTreeSet;

use bytes::Bytes;
use docker::buildkit::message::control::{BuildHistoryEvent, BuildHistoryRequest};
use docker::buildkit::wire::{self, Frames, MOST_MESSAGE, Strictness};
use docker::privilege::Privilege;
use h2::{Reason, RecvStream, SendStream};

use super::call::{Call, Stop};
use super::judge::Judging;
use super::message::{Message, framed, malformed};
use super::pump::{end, reason, send, told};

/// Passes the question on, and of the answer the events of the subject's own builds.
pub(super) async fn run(call: &mut Call) -> Result<(), Stop> {
    let message = Message::read(&call.tunnel, &mut call.body).await?;
    let allowed: &BTreeSet<String> = &call.tunnel.gateway.firewall.settings.reading.allow_fields;
    wire::read::<BuildHistoryRequest>(message.bytes()?, Strictness::Known(allowed)).map_err(malformed)?;
    let all = Judging::grants(&call.tunnel, &Privilege::UseBuildsOfOthers);
    let (answer, mut out) = call.open(Some(message.into_frame())).await?;
    let Some((mut body, mut down)) = call.answered(answer, &mut out).await? else { return Ok(()) };
    events(call, &mut body, &mut down, all).await.inspect_err(|_| {
        // The head has been sent: an event that cannot be read ends the answer, and is not passed on.
        down.send_reset(Reason::CANCEL);
        out.send_reset(Reason::CANCEL);
    })
}

/// Passes on what is told, to the end.
async fn events(call: &Call, from: &mut RecvStream, to: &mut SendStream<Bytes>, all: bool) -> Result<(), Stop> {
    let mut frames = Frames::new(MOST_MESSAGE);
    loop {
        let piece = tokio::select! {
            biased;
            reset = std::future::poll_fn(|task| to.poll_reset(task)) => return Err(Stop::Reset(told(reset))),
            piece = from.data() => piece,
        };
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|error| Stop::Reset(reason(&error)))?;
        frames.feed(&piece);
        while let Some(message) = frames.next().map_err(malformed)? {
            if is_told(call, &message, all)? {
                send(to, framed(&message)?).await.map_err(Stop::Reset)?;
            }
        }
        let _ = from.flow_control().release_capacity(piece.len());
    }
    frames.finish().map_err(malformed)?;
    let trailers = from.trailers().await.map_err(|error| Stop::Reset(reason(&error)))?;
    end(to, trailers).map_err(Stop::Reset)
}

/// Whether an event is told. What the daemon's store has of the build may be read from now on.
fn is_told(call: &Call, message: &[u8], all: bool) -> Result<bool, Stop> {
    let event: BuildHistoryEvent = wire::read(message, Strictness::Lenient).map_err(malformed)?;
    // One without a build only says that nothing more is there yet.
    let Some(record) = event.record else { return Ok(true) };
    let builds = &call.tunnel.gateway.builds;
    let own = builds.is_own(&record.reference, &call.tunnel.subject.user);
    if own {
        builds.note_content(&record.reference, &record.digests());
    }
    Ok(own || all)
}
