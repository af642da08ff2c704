//! Messages that are read before they are passed on, within bounds.

use bytes::Bytes;
use docker::buildkit::wire::{self, Malformed};
use docker::request::Misread;
use h2::RecvStream;

use super::Tunnel;
use super::call::Stop;
use super::pump::reason;
use super::refusal::{Code, Refusal};
use crate::firewall::BODY_UNIT;
use crate::share::Held;

/// The one message of a call or an answer, and the room that it takes among all that is judged.
pub(super) struct Message {
    frame: Vec<u8>,
    room: Held,
}

impl Message {
    /// Reads a body to its end, which holds one message.
    pub(super) async fn read(tunnel: &Tunnel, body: &mut RecvStream) -> Result<Message, Stop> {
        let firewall = &tunnel.gateway.firewall;
        let limits = &firewall.settings.limits;
        let (mut frame, mut room) = (Vec::new(), Held::default());
        let reading = async {
            while let Some(piece) = body.data().await {
                let piece = piece.map_err(|error| Stop::Reset(reason(&error)))?;
                frame.extend_from_slice(&piece);
                if frame.len() > limits.judged_body_bytes {
                    return Err(too_large(limits.judged_body_bytes));
                }
                firewall.bodies.wait(&tunnel.subject.user, &mut room, units(frame.len())).await;
                // The rest may come: it would wait for this for ever otherwise.
                let _ = body.flow_control().release_capacity(piece.len());
            }
            Ok(())
        };
        match tokio::time::timeout(limits.judged_body_wait, reading).await {
            Ok(read) => read?,
            Err(_) => {
                let words = "dockwarden: a message took too long (limits.judged_body_wait)";
                return Err(Stop::Malformed(Refusal::new(Code::InvalidArgument, words)));
            }
        }
        Ok(Message { frame, room })
    }

    /// The message without its frame.
    pub(super) fn bytes(&self) -> Result<&[u8], Stop> {
        wire::single(&self.frame).map_err(malformed)
    }

    /// Waits for room for all that may come of reading it.
    pub(super) async fn make_room(&mut self, tunnel: &Tunnel) -> Result<(), Stop> {
        let firewall = &tunnel.gateway.firewall;
        let room = units(wire::most_held(self.frame.len())).min(firewall.bodies.each());
        let waiting = firewall.bodies.wait(&tunnel.subject.user, &mut self.room, room);
        tokio::time::timeout(firewall.settings.limits.judged_body_wait, waiting).await.map_err(|_| {
            let words = "dockwarden: too much is being judged; try again (limits.judged_bodies_bytes)";
            Refusal::new(Code::Unavailable, words).into()
        })
    }

    /// Gives back the room that is not needed: so many bytes came of it.
    pub(super) fn settle(&mut self, held: usize) {
        self.room.shrink(units(held));
    }

    /// The room alone, for as long as what came of it lasts.
    pub(super) fn into_room(self) -> Held {
        self.room
    }

    /// Whether nothing came at all, as where an answer is an error.
    pub(super) fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// As it came.
    pub(super) fn into_frame(self) -> Bytes {
        self.frame.into()
    }
}

fn units(bytes: usize) -> usize {
    bytes.wrapping_div(BODY_UNIT)
}

/// A message that was judged, in its frame.
pub(super) fn framed(message: &[u8]) -> Result<Bytes, Stop> {
    Ok(wire::framed(message).map_err(malformed)?.into())
}

pub(super) fn malformed(error: Malformed) -> Stop {
    Stop::Malformed(misread(&Misread::from(error)))
}

pub(super) fn misread(misread: &Misread) -> Refusal {
    Refusal::of_status(misread.status(), format!("dockwarden: {misread}"))
}

fn too_large(most: usize) -> Stop {
    let words = format!(
        "dockwarden: the message is larger than {most} bytes, the most that is judged (limits.judged_body_bytes)"
    );
    Stop::Malformed(Refusal::new(Code::InvalidArgument, words))
}
