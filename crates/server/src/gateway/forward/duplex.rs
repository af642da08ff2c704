//! Both halves of an exchange at once: the archive that was judged goes up while the answer comes down.
//!
//! The daemon may answer before it has read everything (`docker load` shows progress), and the client
//! may leave while it waits (`docker events`), which the daemon must notice. A slow reader is waited for
//! and nothing is held but what fits one read.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use docker::endpoint::Answer as AnswerKind;
use docker::http::{BodyLength, ResponseHead, Version, write_response_head};
use docker::request::Call;
use policy::{Filter, Policy};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::super::connection::{Next, left};
use super::super::exchange::{Exchange, Stop};
use super::filter::Filtering;
use super::witness::{Made, Witness};
use super::{Ahead, Takeover, fields, takes_over};
use crate::firewall::answer::Answer;
use crate::firewall::ask::read_answer_head;
use crate::record::Outcome;
use crate::spool::Spool;
use crate::stream::Traffic;
use crate::wire::{BodyError, READ, Rest, Wire, fill};

mod filtered;

/// How the answer ended.
enum Down {
    /// It was passed on whole; whether both connections can be used again.
    Whole { status: u16, reusable: bool },
    /// It is the beginning of a stream.
    Takeover(Box<ResponseHead>),
    /// The daemon gave none.
    None(Answer),
    /// It broke off when the client had read a part.
    Broken { status: u16, why: String },
}

/// How the request's half ended before the answer did.
enum Up {
    /// The client left.
    Gone,
    /// The archive cannot be read back.
    Unreadable(io::Error),
}

/// Passes the archive up, if there is one, and the answer down.
///
/// `made`: the image that it makes.
pub(super) async fn run(
    mut exchange: Exchange<'_>,
    call: &Call,
    filter: Option<(&Policy, &Filter)>,
    made: Made,
) -> Next {
    let outcome = both(&mut exchange, call, filter, made).await;
    let connection = &mut *exchange.connection;
    match outcome {
        Ok(Down::Whole { status, reusable }) => {
            exchange.entry.outcome(Outcome::Allowed, Some(status), None);
            match (reusable, exchange.rest.is_done()) {
                (true, true) => Next::Request,
                (_, true) => Next::Close,
                (_, false) => Next::Linger,
            }
        }
        Ok(Down::Takeover(head)) => {
            exchange.entry.outcome(Outcome::Allowed, Some(head.status()), None);
            let mut bytes = Vec::with_capacity(256);
            if exchange.native
                && let Some(daemon) = connection.daemon.take()
            {
                let takeover = Takeover { entry: exchange.entry, daemon, head: Vec::new(), tunnel: exchange.tunnel };
                return Next::Takeover(Box::new(takeover));
            }
            let length = if head.is_upgraded() { BodyLength::None } else { BodyLength::UntilClose };
            let written =
                write_response_head(&mut bytes, head.status(), head.reason(), fields::of_takeover(&head), length);
            match (written, connection.daemon.take()) {
                (Ok(()), Some(daemon)) => Next::Takeover(Box::new(Takeover {
                    entry: exchange.entry,
                    daemon,
                    head: bytes,
                    tunnel: exchange.tunnel,
                })),
                _ => Next::Close,
            }
        }
        Ok(Down::None(answer)) => {
            connection.daemon = None;
            exchange.stop(Stop::new(Outcome::Failed, answer)).await
        }
        Ok(Down::Broken { status, why }) => {
            connection.daemon = None;
            let words = format!("the answer broke off: {why}");
            exchange.entry.outcome(Outcome::Interrupted, Some(status), Some(words));
            Next::Close
        }
        Err(Up::Gone) => {
            connection.daemon = None;
            Next::Close
        }
        Err(Up::Unreadable(error)) => {
            connection.daemon = None;
            let answer = Answer::new(500, format!("dockwarden: the archive cannot be read back: {error}"));
            exchange.stop(Stop::new(Outcome::Failed, answer)).await
        }
    }
}

async fn both(
    exchange: &mut Exchange<'_>,
    call: &Call,
    filter: Option<(&Policy, &Filter)>,
    made: Made,
) -> Result<Down, Up> {
    let limits = &exchange.gateway.firewall.settings.limits;
    let spool = exchange.spool.take();
    let sent = AtomicBool::new(spool.is_none());
    let Some(Wire { stream: daemon, ahead: daemon_ahead }) = &mut exchange.connection.daemon else {
        return Ok(Down::None(Answer::garbled(&"there is no connection to it")));
    };
    let Wire { stream: client, ahead: client_ahead } = &mut exchange.connection.client;
    let client_socket = client.number();
    let (client_reads, client_writes) = tokio::io::split(client);
    let (daemon_reads, daemon_writes) = tokio::io::split(daemon);
    let traffic = &*exchange.entry.traffic;
    let filtering = filter.map(|(policy, filter)| {
        let subject = &exchange.connection.subject;
        Filtering::new(exchange.gateway, policy, subject, filter, &exchange.entry.withheld)
    });
    let witness = Witness::of(&exchange.gateway.firewall, call, made);
    let stream = call.operation.endpoint().answer == AnswerKind::Stream;
    let upload = Upload { spool, sent: &sent, traffic, client_socket };
    let up = upload.run(client_reads, client_ahead, daemon_writes, stream);
    let down = Download { head: &exchange.head, call, most: limits.head_bytes, wait: limits.answer_wait, traffic };
    let down = down.run(daemon_reads, daemon_ahead, client_writes, filtering, witness);
    let outcome = tokio::select! {
        biased;
        down = down => Ok(down),
        up = up => Err(up),
    };
    // It answered without reading all: what follows on that connection would be taken for the rest.
    if !sent.load(Ordering::Relaxed) {
        exchange.connection.daemon = None;
    }
    outcome
}

/// The request's half.
struct Upload<'a> {
    spool: Option<Spool>,
    /// Whether the daemon was sent all of it.
    sent: &'a AtomicBool,
    traffic: &'a Traffic,
    client_socket: RawFd,
}

impl Upload<'_> {
    /// Sends the archive, then waits for the client to leave. Ends only with that.
    async fn run<R, W>(mut self, mut client: R, ahead: Ahead<'_>, mut daemon: W, stream: bool) -> Up
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        // Let go of as soon as it is sent: a build may go on for hours.
        if let Some(spool) = self.spool.take()
            && let Err(error) = self.send(&spool, &mut daemon).await
        {
            return Up::Unreadable(error);
        }
        // A client that is done sending before the daemon has taken over is not a client that left.
        if stream {
            return std::future::pending().await;
        }
        left(&mut client, ahead, self.client_socket).await;
        Up::Gone
    }

    async fn send<W: AsyncWrite + Unpin>(&self, spool: &Spool, daemon: &mut W) -> io::Result<()> {
        let mut at = 0_u64;
        loop {
            let piece = spool.read(at).await?;
            at = at.saturating_add(piece.len() as u64);
            self.traffic.to_daemon(piece.len());
            let written = if piece.is_empty() { daemon.flush().await } else { daemon.write_all(&piece).await };
            if written.is_err() {
                // The daemon reads no more: its answer says why, if it has one.
                return std::future::pending().await;
            }
            if piece.is_empty() {
                self.sent.store(true, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}

/// The answer's half.
struct Download<'a> {
    head: &'a docker::http::RequestHead,
    call: &'a Call,
    most: usize,
    wait: Option<Duration>,
    traffic: &'a Traffic,
}

impl Download<'_> {
    async fn run<R, W>(
        self,
        mut daemon: R,
        ahead: Ahead<'_>,
        mut client: W,
        filtering: Option<Filtering<'_>>,
        mut witness: Option<Witness<'_>>,
    ) -> Down
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let method = &self.call.operation.endpoint().method;
        let head = match read_answer_head(&mut daemon, ahead, method, self.most, self.wait).await {
            Ok(head) => head,
            Err(answer) => return Down::None(answer),
        };
        if takes_over(self.call, &head) {
            return Down::Takeover(Box::new(head));
        }
        let status = head.status();
        if let Some(witness) = witness.take_if(|_| status >= 400)
            && let Err(error) = witness.nothing().await
        {
            tracing::debug!("{error}");
        }
        let bodiless = matches!(head.body(), BodyLength::None);
        let passed = match filtering {
            Some(filtering) if !bodiless && status >= 400 && filtering.hides() => {
                self.scrub(&head, &mut daemon, ahead, &mut client, filtering.request()).await
            }
            Some(filtering) if !bodiless && status < 300 && filtering.changes() => {
                // It was not asked for, and what is in it cannot be read.
                if head.headers().get("Content-Encoding").is_some() {
                    return Down::None(Answer::garbled(&"it is encoded, and must be filtered"));
                }
                self.filter(&head, &mut daemon, ahead, &mut client, Box::new(filtering)).await
            }
            _ => self.pass(&head, &mut daemon, ahead, &mut client, witness).await,
        };
        match passed {
            Ok(reusable) => Down::Whole { status, reusable },
            Err(why) => Down::Broken { status, why: why.to_string() },
        }
    }

    /// Passes the answer on. Chunks keep their framing, except for a client of HTTP/1.0, which knows none.
    async fn pass<R, W>(
        &self,
        head: &ResponseHead,
        daemon: &mut R,
        ahead: Ahead<'_>,
        client: &mut W,
        mut witness: Option<Witness<'_>>,
    ) -> Result<bool, BodyError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let old = self.head.version() == Version::Http10;
        let length = match head.body() {
            BodyLength::Chunked if old => BodyLength::UntilClose,
            length => length,
        };
        let endless = matches!(length, BodyLength::UntilClose);
        let reusable = !endless && head.keep_alive() && self.head.keep_alive();
        let mut out = Vec::with_capacity(ahead.len().saturating_add(HEAD).min(OUT));
        write_response_head(&mut out, head.status(), head.reason(), fields::of_answer(head, !reusable), length)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut rest = Rest::from(head.body());
        loop {
            // As much as there is goes out in one write, together with the head.
            while let Some(piece) = rest.next(ahead)? {
                if let Some(witness) = &mut witness {
                    witness.saw(&piece.data()).await?;
                }
                let bytes = if old { piece.data() } else { piece.raw.clone() };
                self.traffic.to_client(bytes.len());
                if out.len().saturating_add(bytes.len()) > OUT {
                    client.write_all(&out).await?;
                    out.clear();
                    client.write_all(&bytes).await?;
                } else {
                    out.extend_from_slice(&bytes);
                }
            }
            if let Some(witness) = witness.take_if(|_| rest.is_done()) {
                witness.end().await?;
            }
            client.write_all(&out).await?;
            client.flush().await?;
            out.clear();
            if rest.is_done() {
                return Ok(reusable);
            }
            if fill(daemon, ahead, READ).await? == 0 {
                if let Some(witness) = witness.take_if(|_| endless) {
                    witness.end().await?;
                }
                return if endless { Ok(false) } else { Err(BodyError::Cut) };
            }
        }
    }
}

/// Room for the head of an answer as they usually are, in bytes.
const HEAD: usize = 1 << 10;
/// Bytes that are collected for one write.
const OUT: usize = 16 << 10;
