//! Two HTTP/2 connections as one: what one side calls, the other is called.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, client, server};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Tunnel;
use super::call;

type Caller<A> = server::Connection<A, Bytes>;
type Accepted = (Request<RecvStream>, SendResponse<Bytes>);

/// Carries calls from the one to the other, until either leaves.
pub(super) async fn run<A, B>(caller: A, callee: B, tunnel: Arc<Tunnel>) -> Result<(), h2::Error>
where
    A: AsyncRead + AsyncWrite + Unpin + Send,
    B: AsyncRead + AsyncWrite + Unpin + Send,
{
    let wait = tunnel.gateway.firewall.settings.limits.handshake_wait;
    let agreed =
        async { tokio::try_join!(settings_of_server().handshake(caller), settings_of_client().handshake(callee)) };
    let (mut caller, (calls_out, callee)) = match tokio::time::timeout(wait, agreed).await {
        Ok(Ok(agreed)) => agreed,
        // Clients open a tunnel to see whether there is one, and leave.
        Ok(Err(error)) if error.is_io() => return Ok(()),
        Ok(Err(error)) => return Err(error),
        Err(_) => return Err(Reason::SETTINGS_TIMEOUT.into()),
    };
    // All in one task: a message that is passed on wakes no other thread.
    let mut calls = FuturesUnordered::new();
    let mut callee = pin!(callee);
    let mut closing = pin!(async {
        tunnel.refused.notified().await;
        tokio::time::sleep(REFUSED).await;
    });
    let ended = loop {
        let under_way = calls.len();
        tokio::select! {
            biased;
            Some(()) = calls.next() => {}
            () = &mut closing => {
                caller.abrupt_shutdown(Reason::NO_ERROR);
                break Ok(());
            }
            accepted = next(&mut caller, under_way) => match accepted {
                Some(Ok((request, respond))) => {
                    calls.push(call::answer(Arc::clone(&tunnel), calls_out.clone(), request, respond));
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            },
            ended = &mut callee => {
                // What is under way ends with it; its callers are told.
                let farewell = async {
                    loop {
                        tokio::select! {
                            call = calls.next() => if call.is_none() { break },
                            accepted = caller.accept() => if accepted.is_none() { break },
                        }
                    }
                };
                let _ = tokio::time::timeout(FAREWELL, farewell).await;
                caller.abrupt_shutdown(Reason::NO_ERROR);
                let _ = tokio::time::timeout(FAREWELL, std::future::poll_fn(|task| caller.poll_closed(task))).await;
                return ended.or_else(quiet);
            }
        }
    };
    // Its calls end with it, and whoever carries them out is told.
    drop(calls);
    drop(calls_out);
    let farewell = async { tokio::join!(std::future::poll_fn(|task| caller.poll_closed(task)), callee) };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    ended.or_else(quiet)
}

/// The next call, once there are few enough. One that its caller reset is none any more to the connection, but is under
/// way here until it has noticed: whoever calls and resets again and again would pile them up.
async fn next<A>(caller: &mut Caller<A>, calls: usize) -> Option<Result<Accepted, h2::Error>>
where
    A: AsyncRead + AsyncWrite + Unpin,
{
    if calls < STREAMS as usize {
        return caller.accept().await;
    }
    std::future::poll_fn(|task| caller.poll_closed(task)).await.err().map(Err)
}

/// Who simply leaves does nothing wrong.
fn quiet(error: h2::Error) -> Result<(), h2::Error> {
    if error.is_io() || error.reason() == Some(Reason::NO_ERROR) { Ok(()) } else { Err(error) }
}

fn settings_of_server() -> server::Builder {
    let mut builder = server::Builder::new();
    builder
        .max_concurrent_streams(STREAMS)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(ALL_WINDOWS)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADS)
        .max_send_buffer_size(BUFFER);
    builder
}

fn settings_of_client() -> client::Builder {
    let mut builder = client::Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(ALL_WINDOWS)
        .max_frame_size(FRAME)
        .max_header_list_size(HEADS)
        .max_send_buffer_size(BUFFER);
    builder
}

/// Calls at one time in one tunnel: as many as the daemon takes.
const STREAMS: u32 = 250;
/// Bytes of one call that may be on the way to us.
const WINDOW: u32 = 1 << 20;
/// Bytes of all calls of a tunnel that may be on the way to us.
const ALL_WINDOWS: u32 = 2 << 20;
/// The longest frame, in bytes.
const FRAME: u32 = 256 << 10;
/// The longest head, in bytes. The daemon's errors have the Dockerfile in theirs.
const HEADS: u32 = 1 << 20;
/// Bytes of one call that are held while they cannot be sent.
const BUFFER: usize = 256 << 10;
/// When a tunnel is closed in which a build was refused: all calls of the build have been told by then.
const REFUSED: Duration = Duration::from_millis(300);
/// How long to wait for what is being said when the other side has gone.
const FAREWELL: Duration = Duration::from_secs(1);
