//! Questions of our own to the daemon, and the connection that they and the judged request take.
//!
//! Several are sent before the first is answered. The daemon answers in order and nothing else tells whose an answer
//! is: so a connection on which anything went wrong is let go, and what is said unasked is never read.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use docker::http::{Framing, HeadLimits, Method, Parsed, ResponseHead, write_request_head};
use tokio::io::{AsyncRead, AsyncWriteExt};

use super::Firewall;
use super::answer::Answer;
use crate::seal;
use crate::stream::DaemonStream;
use crate::wire::{BodyError, READ, Rest, Wire, fill};

/// A connection to the daemon, as long as there is one.
pub(crate) type Line = Option<Wire<DaemonStream>>;

/// The answers to these questions, in their order, within one time limit. No more than [`AT_ONCE`].
pub(crate) async fn ask(
    firewall: &Firewall,
    line: &mut Line,
    method: &Method,
    targets: &[&str],
) -> Result<Vec<(u16, Vec<u8>)>, Answer> {
    ask_in_time(firewall, line, method, targets, None).await
}

/// The answer to a question about a registry, with what the client sent to log in there.
pub(crate) async fn ask_as(
    firewall: &Firewall,
    line: &mut Line,
    target: &str,
    login: Option<&[u8]>,
) -> Result<(u16, Vec<u8>), Answer> {
    let answers = ask_in_time(firewall, line, &Method::Get, &[target], login).await?;
    answers.into_iter().next().ok_or_else(|| Answer::garbled(&"it gave no answer"))
}

async fn ask_in_time(
    firewall: &Firewall,
    line: &mut Line,
    method: &Method,
    targets: &[&str],
    login: Option<&[u8]>,
) -> Result<Vec<(u16, Vec<u8>)>, Answer> {
    let asking = ask_all(firewall, line, method, targets, login);
    let asked = tokio::time::timeout(firewall.settings.limits.lookup_wait, asking).await;
    asked.unwrap_or(Err(AskError::Late)).map_err(|error| {
        *line = None;
        match error {
            AskError::Late => Answer::new(504, "dockwarden: the Docker daemon did not answer in time"),
            AskError::Unreachable(error) => Answer::unreachable(&error),
            AskError::Lost => Answer::garbled(&"it closed the connection"),
            AskError::Garbled(what) => Answer::garbled(&what),
        }
    })
}

/// Asks all at once, and what a connection that went away left open again on a new one.
async fn ask_all(
    firewall: &Firewall,
    line: &mut Line,
    method: &Method,
    targets: &[&str],
    login: Option<&[u8]>,
) -> Result<Vec<(u16, Vec<u8>)>, AskError> {
    let mut answers = Vec::with_capacity(targets.len());
    let mut at_once = targets.len();
    while let Some(left) = targets.get(answers.len()..).filter(|left| !left.is_empty()) {
        let (fresh, before) = (line.is_none(), answers.len());
        let some = left.get(..at_once).unwrap_or(left);
        match ask_some(firewall, line, method, some, login, &mut answers).await {
            // Gone stale, or a daemon that takes one question at a time.
            Err(AskError::Lost) if !fresh || at_once > 1 || answers.len() > before => {
                *line = None;
                at_once = 1;
            }
            asked => asked?,
        }
    }
    Ok(answers)
}

enum AskError {
    Late,
    Unreachable(std::io::Error),
    Lost,
    Garbled(String),
}

/// Sends all questions, then reads the answers; fewer, where the daemon ends the connection after one.
async fn ask_some(
    firewall: &Firewall,
    line: &mut Line,
    method: &Method,
    targets: &[&str],
    login: Option<&[u8]>,
    answers: &mut Vec<(u16, Vec<u8>)>,
) -> Result<(), AskError> {
    let limits = &firewall.settings.limits;
    let wire = daemon(firewall, line).await.map_err(AskError::Unreachable)?;
    let mut out = Vec::with_capacity(targets.len().saturating_mul(256));
    for target in targets {
        let seal = firewall.settings.seal.as_ref().map(|seal| seal.own(method, target));
        let seal = seal.as_ref().map(|seal| (seal::FIELD, seal.as_bytes()));
        let login = login.map(|login| ("X-Registry-Auth", login));
        let fields = OWN_FIELDS.into_iter().chain(login).chain(seal);
        write_request_head(&mut out, method, target, fields, Framing::None)
            .map_err(|error| AskError::Garbled(error.to_string()))?;
    }
    wire.stream.write_all(&out).await.map_err(|_| AskError::Lost)?;
    for _ in targets {
        let head = read_head(wire, method, limits.head_bytes).await?;
        let held = answers.iter().map(|(_, body)| body.len()).fold(0, usize::saturating_add);
        let body = read_body(wire, &head, limits.lookup_bytes.saturating_sub(held)).await?;
        answers.push((head.status(), body));
        if !head.keep_alive() {
            *line = None;
            break;
        }
    }
    Ok(())
}

async fn read_body(daemon: &mut Wire<DaemonStream>, head: &ResponseHead, most: usize) -> Result<Vec<u8>, AskError> {
    let garbled = |error: BodyError| AskError::Garbled(error.to_string());
    let Wire { stream, ahead } = daemon;
    let (mut rest, mut body) = (Rest::from(head.body()), Vec::new());
    while let Some(piece) = rest.read(stream, ahead, None).await.map_err(garbled)? {
        body.extend_from_slice(&piece.data());
        if body.len() > most {
            return Err(AskError::Garbled("its answer about the things that are named is too large".to_owned()));
        }
    }
    Ok(body)
}

/// Questions that are sent before the first is answered: few enough to fit a socket's buffer, or both sides would
/// wait for one another to read.
pub(crate) const AT_ONCE: usize = 16;
/// What our own questions say of themselves.
const OWN_FIELDS: [(&str, &[u8]); 2] = [("Host", b"docker"), ("User-Agent", b"Dockwarden")];

async fn read_head(daemon: &mut Wire<DaemonStream>, method: &Method, most: usize) -> Result<ResponseHead, AskError> {
    let mut heads = AnswerHeads::new(method, most);
    loop {
        match heads.next(&mut daemon.ahead) {
            Ok(Some(head)) => return Ok(head),
            Ok(None) => {}
            Err(what) => return Err(AskError::Garbled(what)),
        }
        match daemon.fill().await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(AskError::Lost),
        }
    }
}

/// Reads the head of one answer; interim answers before it are skipped, but not without end.
pub(crate) struct AnswerHeads<'a> {
    method: &'a Method,
    limits: HeadLimits,
    skipped: usize,
}

impl<'a> AnswerHeads<'a> {
    pub(crate) fn new(method: &'a Method, most: usize) -> Self {
        let limits = HeadLimits { bytes: most.max(ANSWER_HEAD), ..HeadLimits::default() };
        AnswerHeads { method, limits, skipped: 0 }
    }

    /// The head at the beginning of what was read; `None` while it is not there whole.
    pub(crate) fn next(&mut self, ahead: &mut BytesMut) -> Result<Option<ResponseHead>, String> {
        while self.skipped < MOST_INTERIM {
            match ResponseHead::parse(ahead, self.method, &self.limits) {
                Ok(Parsed::Partial) => return Ok(None),
                Ok(Parsed::Complete { head, consumed }) => {
                    ahead.advance(consumed.min(ahead.len()));
                    if !head.is_interim() {
                        return Ok(Some(head));
                    }
                    self.skipped = self.skipped.saturating_add(1);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("it sends interim answers without end".to_owned())
    }
}

/// The head of the daemon's answer, waited for as long as it takes unless a limit is set.
pub(crate) async fn read_answer_head<R: AsyncRead + Unpin>(
    daemon: &mut R,
    ahead: &mut BytesMut,
    method: &Method,
    most: usize,
    wait: Option<Duration>,
) -> Result<ResponseHead, Answer> {
    let mut heads = AnswerHeads::new(method, most);
    let reading = async {
        loop {
            match heads.next(ahead) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(what) => return Err(Answer::garbled(&what)),
            }
            match fill(daemon, ahead, READ).await {
                Ok(1..) => {}
                Ok(0) => return Err(Answer::garbled(&"it closed the connection without one")),
                Err(error) => return Err(Answer::garbled(&error)),
            }
        }
    };
    match wait {
        None => reading.await,
        Some(wait) => tokio::time::timeout(wait, reading)
            .await
            .unwrap_or_else(|_| Err(Answer::new(504, "dockwarden: the Docker daemon did not answer in time"))),
    }
}

/// The daemon may answer with a larger head than clients may send.
const ANSWER_HEAD: usize = 256 << 10;
/// Interim answers before an answer. The daemon sends one at most.
const MOST_INTERIM: usize = 16;

/// The connection to the daemon: a new one where there is none, where the daemon has closed it meanwhile, or where it
/// said something unasked, which would be taken for the answer to what is asked next.
pub(crate) async fn daemon<'l>(firewall: &Firewall, line: &'l mut Line) -> std::io::Result<&'l mut Wire<DaemonStream>> {
    if let Some(daemon) = line {
        let stale = tokio::select! {
            biased;
            _ = daemon.fill() => true,
            () = std::future::ready(()) => !daemon.ahead.is_empty(),
        };
        if stale {
            *line = None;
        }
    }
    if line.is_none() {
        let stream = firewall.settings.upstream.connect(firewall.settings.limits.connect_wait).await?;
        *line = Some(Wire::new(stream));
    }
    line.as_mut().ok_or_else(|| std::io::Error::other("no connection"))
}
