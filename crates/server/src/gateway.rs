//! The gateway: the door in front of the daemon's socket.
//!
//! Accepts connections, finds out who is at the other end, and carries out one exchange after the
//! other: understand (crate `docker`), decide (crate `policy`), forward, record. Connections are bounded
//! in number, overall and for each subject; at the end no new ones are taken and running exchanges get
//! a while to finish.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use docker::request::Reading;
use policy::{Policy, Subject};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::limits::Limits;
use crate::listen::{Accepted, Listener};
use crate::owners::Owners;
use crate::record::{Record, Recorder, Unwritable};
use crate::seal::Seal;
use crate::share::Share;
use crate::spool::Spools;
use crate::subject::Identifier;
use crate::upstream::Upstream;

pub(crate) mod answer;
mod archive;
mod ask;
pub(crate) mod connection;
pub(crate) mod entry;
mod exchange;
mod fetch;
mod forward;
pub(crate) mod judge;
mod keep;
pub(crate) mod making;
pub(crate) mod prune;
mod rehearse;
pub(crate) mod resolve;

/// Where records go.
#[derive(Clone)]
pub enum Records {
    /// Into a file, which other doors may share.
    File(Arc<Recorder>),
    /// To somebody who listens, such as `explain`.
    Tell(mpsc::UnboundedSender<Record>),
    /// Nowhere.
    Nowhere,
}

/// What becomes of a request that is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is sent to the daemon.
    Forward,
    /// What only looks is sent to the daemon, if there is one; what would change anything is answered as
    /// a daemon might, and never sent.
    Rehearse,
}

/// What a gateway is made of.
pub struct Settings {
    /// The daemon.
    pub upstream: Upstream,
    /// The bounds.
    pub limits: Limits,
    /// How requests are read.
    pub reading: Reading,
    /// Where records go.
    pub records: Records,
    /// What becomes of granted requests.
    pub manner: Manner,
    /// Who everybody is taken for, instead of being identified.
    pub subject: Option<Subject>,
    /// The folder of archives while they are judged.
    pub spool: PathBuf,
    /// Where the host's file system is seen: `/`, but for a firewall that lives in a root of its own.
    pub host_root: PathBuf,
    /// Says on what is sent to the daemon that it was judged, for a plugin that asks.
    pub seal: Option<Arc<Seal>>,
    /// Who owns what. `None`: nobody owns anything.
    pub owners: Option<Arc<Owners>>,
}

/// A gateway in front of one daemon.
pub struct Gateway {
    pub(crate) settings: Settings,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    identifier: Identifier,
    connections: Arc<Semaphore>,
    of_subjects: Mutex<HashMap<String, usize>>,
    /// Room for bodies that are being judged, in units of [`BODY_UNIT`].
    pub(crate) bodies: Share,
    /// Likewise for answers that are being filtered.
    answers: Semaphore,
    /// Changes of containers' limits, one at a time.
    updates: Arc<tokio::sync::Mutex<()>>,
    spools: Spools,
    rehearsal: rehearse::Rehearsal,
}

impl Gateway {
    /// A gateway that decides by whatever policy is there at the time of each request.
    pub fn new(settings: Settings, policy: Arc<ArcSwap<Policy>>) -> Arc<Self> {
        let connections = Arc::new(Semaphore::new(settings.limits.connections));
        let units = |bytes: usize| bytes.wrapping_div(BODY_UNIT);
        let of_each = units(settings.limits.judged_bodies_bytes_per_subject);
        let bodies = Share::new(units(settings.limits.judged_bodies_bytes), of_each);
        let answers = Semaphore::new(units(settings.limits.judged_bodies_bytes).max(1));
        let spools = Spools::new(settings.spool.clone(), &settings.limits);
        Arc::new(Gateway {
            settings,
            policy,
            identifier: Identifier::new(),
            connections,
            of_subjects: Mutex::default(),
            bodies,
            answers,
            updates: Arc::default(),
            spools,
            rehearsal: rehearse::Rehearsal::default(),
        })
    }

    /// Serves until `stop` is done, and then until running exchanges have ended or their time is up.
    pub async fn serve(self: &Arc<Self>, listeners: Vec<Listener>, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut doors = JoinSet::new();
        for listener in listeners {
            doors.spawn(Arc::clone(self).accept(listener, stopped.clone()));
        }
        stop.await;
        let _ = stopping.send(true);
        let drained = async { while doors.join_next().await.is_some() {} };
        if tokio::time::timeout(self.settings.limits.drain, drained).await.is_err() {
            tracing::warn!("some exchanges did not end in time; they are cut off");
        }
        drop(doors);
        let gateway = Arc::clone(self);
        let _ = tokio::task::spawn_blocking(move || gateway.flush_records()).await;
    }

    /// The accept loop of one door, raced against the end.
    async fn accept(self: Arc<Self>, listener: Listener, mut stopped: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let told = stopped.clone();
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => self.admit(accepted, &mut connections, &told),
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// A task of its own for a connection; one too many is closed at once.
    fn admit(self: &Arc<Self>, accepted: Accepted, connections: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        let Ok(slot) = Arc::clone(&self.connections).try_acquire_owned() else {
            tracing::debug!(limit = self.settings.limits.connections, "too many connections; one was turned away");
            return;
        };
        let (gateway, stopped) = (Arc::clone(self), stopped.clone());
        connections.spawn(async move {
            // On the heap, and gone before a stream begins that may rest for days.
            if let Some(stream) = Box::pin(connection::serve(&gateway, accepted, stopped)).await {
                stream.run(gateway.settings.limits.stream_silence).await;
            }
            drop(slot);
        });
    }

    /// Opens the record file anew, after it was rotated.
    pub fn reopen_records(&self) {
        if let Records::File(recorder) = &self.settings.records {
            recorder.reopen();
        }
    }

    /// Waits, for a moment, until all records are written. Blocks.
    pub fn flush_records(&self) {
        if let Records::File(recorder) = &self.settings.records
            && let Err(error) = recorder.flush(FLUSH)
        {
            tracing::error!(%error, "records could not be written");
        }
    }

    fn record(&self, record: Record) {
        match &self.settings.records {
            Records::Tell(listener) => {
                let _ = listener.send(record);
            }
            file => file.note(&record),
        }
    }

    /// Whether something may change now: only if it can be recorded.
    fn may_change(&self) -> Result<(), Unwritable> {
        self.settings.records.ready()
    }

    /// Counts a subject's connection. `None`: it has as many as it may have.
    fn place_for(self: &Arc<Self>, subject: &Subject) -> Option<Place> {
        let mut counts = self.of_subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(subject.user.clone()).or_default();
        if *count >= self.settings.limits.connections_per_subject {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { gateway: Arc::clone(self), user: subject.user.clone() })
    }
}

impl Records {
    /// Keeps a record that is not of an exchange.
    pub fn note(&self, record: &impl Serialize) {
        if let Records::File(recorder) = self {
            recorder.write(record);
        }
    }

    /// Whether something may change now: only if it can be recorded.
    pub fn ready(&self) -> Result<(), Unwritable> {
        match self {
            Records::File(recorder) => recorder.ready(),
            Records::Tell(_) | Records::Nowhere => Ok(()),
        }
    }
}

/// A connection of a subject, counted until it is dropped.
struct Place {
    gateway: Arc<Gateway>,
    user: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.gateway.of_subjects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

/// Memory for bodies is counted in these, in bytes, and taken for one before it is read: beyond what is counted, a body
/// has no more than two of them.
pub(crate) const BODY_UNIT: usize = 8 << 10;
/// How long the last records may take.
const FLUSH: Duration = Duration::from_secs(5);
