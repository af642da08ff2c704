//! A session within `/grpc`: a connection whose bytes are messages of a call (`Control/Session`).
//!
//! Both ends of it are taken out of their messages, and meet as those of `/session` do: what the daemon calls in it is
//! looked at in the same way.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use docker::buildkit::append::bytes_message;
use docker::buildkit::message::session::BytesMessage;
use docker::buildkit::wire::{self, Frames, Strictness};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};

use super::builds::{Builds, is_session_id};
use super::call::{Call, Stop, only};
use super::message::{framed, malformed};
use super::pump::{end, reason, send};
use super::refusal::{Code, Refusal};
use super::{SESSION_ID, nameless_session, relay};

/// Opens the session on both sides, and carries it to its end. Boxed: it is a tunnel within a tunnel.
pub(super) fn run(call: &mut Call) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + '_>> {
    Box::pin(open(call))
}

async fn open(call: &mut Call) -> Result<(), Stop> {
    let Some(id) = only(&call.head.headers, SESSION_ID).filter(|id| is_session_id(id)) else {
        return Err(Stop::Malformed(Refusal::new(Code::InvalidArgument, nameless_session())));
    };
    let session = Builds::open_session(&call.tunnel.gateway.builds, id, &call.tunnel.subject.user);
    let session = session.map_err(|taken| call.refuse(&format!("may not open this session: {taken}")))?;
    let nested = call.tunnel.nested(session).map_err(|words| Refusal::new(Code::Unavailable, words))?;
    let (answer, mut up) = call.open(None).await?;
    let Some((mut of_daemon, mut down)) = call.answered(answer, &mut up).await? else { return Ok(()) };
    let (client, of_client_side) = tokio::io::duplex(BUFFER);
    let (daemon, of_daemon_side) = tokio::io::duplex(BUFFER);
    let (to_client, from_client) = split(of_client_side);
    let (to_daemon, from_daemon) = split(of_daemon_side);
    let ended = tokio::select! {
        _ = relay::run(daemon, client, Arc::new(nested)) => Ok(()),
        ended = unwrapped(&mut call.body, from_client) => ended,
        ended = unwrapped(&mut of_daemon, from_daemon) => ended,
        ended = wrapped(to_client, &mut down) => ended,
        ended = wrapped(to_daemon, &mut up) => ended,
    };
    if let Err(Stop::Malformed(_)) = &ended {
        down.send_reset(Reason::CANCEL);
        up.send_reset(Reason::CANCEL);
        return ended;
    }
    let _ = end(&mut up, None);
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let _ = end(&mut down, Some(trailers));
    Ok(())
}

/// Takes bytes out of the messages that they come in.
async fn unwrapped(from: &mut RecvStream, mut to: WriteHalf<DuplexStream>) -> Result<(), Stop> {
    let mut frames = Frames::new(MOST);
    while let Some(piece) = from.data().await {
        let piece = piece.map_err(|error| Stop::Reset(reason(&error)))?;
        frames.feed(&piece);
        while let Some(message) = frames.next().map_err(malformed)? {
            let bytes: BytesMessage = wire::read(&message, Strictness::Lenient).map_err(malformed)?;
            to.write_all(&bytes.data).await.map_err(|_| Stop::Reset(Reason::CANCEL))?;
        }
        let _ = from.flow_control().release_capacity(piece.len());
    }
    Ok(())
}

/// Puts bytes into messages.
async fn wrapped(mut from: ReadHalf<DuplexStream>, to: &mut SendStream<Bytes>) -> Result<(), Stop> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).await.map_err(|_| Stop::Reset(Reason::CANCEL))?;
        if read == 0 {
            return Ok(());
        }
        let message = bytes_message(piece.get(..read).unwrap_or_default());
        send(to, framed(&message)?).await.map_err(Stop::Reset)?;
    }
}

/// The longest message that is taken: clients and daemons send some 32 KiB, and what is not whole is held.
const MOST: usize = 1 << 20;
/// Bytes that are held between the connection and its messages.
const BUFFER: usize = 64 << 10;
/// The most that one message carries: as the daemon's own do.
const PIECE: usize = 32 << 10;
