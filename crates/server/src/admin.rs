//! The admin socket: where those who look after the firewall talk to the running one.
//!
//! One line of JSON each way ([`words`]), then the connection ends. Who may ask anything is root, the user that the
//! firewall runs as, and members of the groups that the configuration names, by the kernel's word about the process that
//! connected; a container is never one of these, whatever user it runs as. What an attacker would try here: connect often,
//! say nothing, say too much. So strangers are turned away before a byte is read, and sizes, waits and connections are
//! bounded. Everything that is asked is recorded, what was refused too (of strangers, one a second). What can be asked is in [`commands`].

mod commands;
mod owners;
#[cfg(test)]
mod tests;
mod words;

pub use commands::Desk;
pub use owners::OwnersDesk;
pub use words::{Command, Fault, FaultKind, Place, ask};

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use policy::Subject;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::firewall::Records;
use crate::limits::Limits;
use crate::listen::{Accepted, Listener, Peer};
use crate::record::{Administration, Outcome};
use crate::stream::ClientStream;
use crate::subject::Identifier;
use crate::wire::Wire;

/// What answers on the admin socket.
pub struct Admin {
    desk: Desk,
    /// Whose members may ask, beside root and ourselves.
    groups: Vec<String>,
    records: Records,
    limits: Limits,
    identifier: Identifier,
    connections: Arc<Semaphore>,
    /// When a stranger was last recorded: they must not fill the disk.
    stranger: Mutex<Option<Instant>>,
}

impl Admin {
    /// One that carries out what the desk can do.
    pub fn new(desk: Desk, groups: Vec<String>, records: Records, limits: Limits) -> Arc<Self> {
        let connections = Arc::new(Semaphore::new(limits.admin_connections));
        let (identifier, stranger) = (Identifier::new(), Mutex::default());
        Arc::new(Admin { desk, groups, records, limits, identifier, connections, stranger })
    }

    /// Answers until it is dropped.
    pub async fn serve(self: Arc<Self>, listener: Listener) {
        loop {
            let accepted = listener.accept().await;
            let Ok(slot) = Arc::clone(&self.connections).try_acquire_owned() else {
                tracing::debug!(limit = self.limits.admin_connections, "too many administrators; one was turned away");
                continue;
            };
            let admin = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = admin.meet(accepted).await {
                    tracing::debug!(%error, "an administrator left");
                }
                drop(slot);
            });
        }
    }

    /// One connection from its begin to its end.
    async fn meet(&self, accepted: Accepted) -> io::Result<()> {
        let opened = accepted.open(self.limits.handshake_wait).await;
        let (stream, peer) = opened.map_err(|error| io::Error::other(error.to_string()))?;
        let mut wire = Wire::new(stream);
        let subject = match self.identify(peer).await {
            Ok(subject) => subject,
            Err(fault) => return self.answer(&mut wire, Err(fault)).await,
        };
        if !self.may_ask(&subject) {
            return self.turn_away(&mut wire, subject).await;
        }
        let asked = match self.read(&mut wire).await {
            Ok(line) => words::read(&line),
            Err(fault) => Err(fault),
        };
        let answer = match asked {
            Ok(command) => self.carry_out(subject, command).await,
            Err(fault) => Err(fault),
        };
        self.answer(&mut wire, answer).await
    }

    async fn identify(&self, peer: Peer) -> Result<Subject, Fault> {
        let identified = tokio::time::timeout(self.limits.identify_wait, self.identifier.identify(peer)).await;
        let reason = match identified {
            Ok(Ok(subject)) => return Ok(subject),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the system's name services did not answer in time".to_owned(),
        };
        Err(Fault::new(FaultKind::NotAllowed, format!("it cannot be told who you are: {reason}")))
    }

    /// Root of this host, ourselves, and members of the groups. A container has no `uid`.
    fn may_ask(&self, subject: &Subject) -> bool {
        let Some(uid) = subject.uid else { return false };
        let policy = self.desk.rules.policy().load();
        uid == 0 || uid == geteuid().as_raw() || self.groups.iter().any(|group| policy.is_member(subject, group))
    }

    async fn turn_away(&self, wire: &mut Wire<ClientStream>, subject: Subject) -> io::Result<()> {
        let sentence = format!(
            "`{}` may not administer this firewall; root may, and members of the groups in `admin: {{ groups }}`",
            subject.user
        );
        if self.is_news() {
            tracing::warn!("{sentence}");
            let record = Administration::not_done("connect", Some(subject), Outcome::Refused, sentence.clone());
            self.records.note(&record);
        }
        self.answer(wire, Err(Fault::new(FaultKind::NotAllowed, sentence))).await
    }

    /// Whether it is a while since a stranger was recorded.
    fn is_news(&self) -> bool {
        let mut last = self.stranger.lock().unwrap_or_else(PoisonError::into_inner);
        let news = last.is_none_or(|last| last.elapsed() >= BETWEEN_STRANGERS);
        if news {
            *last = Some(Instant::now());
        }
        news
    }

    /// The line that says what is asked.
    async fn read(&self, wire: &mut Wire<ClientStream>) -> Result<Vec<u8>, Fault> {
        let most = self.limits.head_bytes;
        let fault = |what: &str| Fault::new(FaultKind::Invalid, what.to_owned());
        let reading = async {
            loop {
                if let Some(end) = wire.ahead.iter().position(|byte| *byte == b'\n') {
                    return Ok(wire.ahead.split_to(end).to_vec());
                }
                if wire.ahead.len() > most {
                    return Err(fault("what is asked is too long (limits.head_bytes)"));
                }
                if !matches!(wire.fill().await, Ok(1..)) {
                    return Err(fault("nothing was asked: a line of JSON is expected"));
                }
            }
        };
        tokio::time::timeout(self.limits.head_wait, reading)
            .await
            .unwrap_or_else(|_| Err(fault("the question took too long")))
    }

    /// Does what is asked, and records it.
    async fn carry_out(&self, subject: Subject, command: Command) -> Result<serde_json::Value, Fault> {
        let operation = command.name();
        let done = match self.records.ready() {
            Err(unwritable) if command.changes() => Err(Fault::new(FaultKind::Failed, unwritable.to_string())),
            _ => self.desk.carry_out(&subject, command).await,
        };
        let version = Some(self.desk.rules.policy().load().version().to_owned());
        let record = match &done {
            Ok(done) => {
                tracing::info!(user = subject.user, "{operation}");
                Administration::done(operation, Some(subject), done.changed.clone())
            }
            Err(fault) => Administration::not_done(operation, Some(subject), fault.outcome(), fault.to_string()),
        };
        self.records.note(&Administration { policy_version: version, ..record });
        done.map(|done| done.answer)
    }

    async fn answer(&self, wire: &mut Wire<ClientStream>, answer: Result<serde_json::Value, Fault>) -> io::Result<()> {
        let line = words::write(answer);
        let sent = async {
            wire.stream.write_all(line.as_bytes()).await?;
            wire.stream.shutdown().await
        };
        tokio::time::timeout(self.limits.head_wait, sent).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

const BETWEEN_STRANGERS: Duration = Duration::from_secs(1);
