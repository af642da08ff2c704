//! The gateway: the door in front of the daemon's socket.
//!
//! Accepts connections, finds out who is at the other end, and carries out one exchange after the
//! other: understand (crate `docker`), decide (crate `policy`), forward, record. Connections are bounded
//! in number, overall and for each subject; at the end no new ones are taken and running exchanges get
//! a while to finish.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy::Subject;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::firewall::{BODY_UNIT, Firewall};
use crate::listen::{Accepted, Diverted, Listener};
use crate::share::Share;
use crate::spool::Spools;
use crate::subject::Identifier;

use tunnel::Builds;

mod archive;
mod connection;
mod exchange;
mod fetch;
mod forward;
mod rehearse;
mod tunnel;

/// The gateway of one firewall.
pub struct Gateway {
    firewall: Arc<Firewall>,
    identifier: Arc<Identifier>,
    connections: Arc<Semaphore>,
    of_subjects: Arc<Mutex<HashMap<String, usize>>>,
    /// Room for answers that are being filtered, in units of [`BODY_UNIT`].
    answers: Arc<Semaphore>,
    /// Changes of containers' limits, one at a time.
    updates: Arc<tokio::sync::Mutex<()>>,
    spools: Arc<Spools>,
    builds: Arc<Builds>,
    /// BuildKit's tunnels, one by one.
    tunnels: Arc<Share>,
}

impl Gateway {
    /// The gateway to what this firewall guards.
    pub fn new(firewall: Arc<Firewall>) -> Arc<Self> {
        let limits = &firewall.settings.limits;
        let connections = Arc::new(Semaphore::new(limits.connections));
        let answers = Semaphore::new(limits.judged_bodies_bytes.wrapping_div(BODY_UNIT).max(1));
        let spools = Spools::new(firewall.settings.spool.clone(), limits);
        Arc::new(Gateway {
            identifier: Arc::new(Identifier::new()),
            connections,
            of_subjects: Arc::default(),
            answers: Arc::new(answers),
            updates: Arc::default(),
            spools: Arc::new(spools),
            builds: Arc::default(),
            tunnels: Arc::new(Share::new(limits.tunnels, limits.tunnels_per_subject)),
            firewall,
        })
    }

    /// The same gateway, within the same bounds, to the daemon that a connection was going to.
    fn diverted(&self, diverted: Diverted) -> Arc<Self> {
        Arc::new(Gateway {
            firewall: self.firewall.diverted(diverted),
            identifier: Arc::clone(&self.identifier),
            connections: Arc::clone(&self.connections),
            of_subjects: Arc::clone(&self.of_subjects),
            answers: Arc::clone(&self.answers),
            updates: Arc::clone(&self.updates),
            spools: Arc::clone(&self.spools),
            builds: Arc::clone(&self.builds),
            tunnels: Arc::clone(&self.tunnels),
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
        if tokio::time::timeout(self.firewall.settings.limits.drain, drained).await.is_err() {
            tracing::warn!("some exchanges did not end in time; they are cut off");
        }
        drop(doors);
        let firewall = Arc::clone(&self.firewall);
        let _ = tokio::task::spawn_blocking(move || firewall.flush_records()).await;
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
    fn admit(self: &Arc<Self>, mut accepted: Accepted, connections: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        let Ok(slot) = Arc::clone(&self.connections).try_acquire_owned() else {
            tracing::debug!(
                limit = self.firewall.settings.limits.connections,
                "too many connections; one was turned away"
            );
            return;
        };
        let gateway = match accepted.diverted() {
            Some(diverted) => self.diverted(diverted),
            None => Arc::clone(self),
        };
        let stopped = stopped.clone();
        connections.spawn(async move {
            // On the heap, and gone before a stream begins that may rest for days.
            if let Some(stream) = Box::pin(connection::serve(&gateway, accepted, stopped)).await {
                stream.run(gateway.firewall.settings.limits.stream_silence).await;
            }
            drop(slot);
        });
    }

    /// Counts a subject's connection. `None`: it has as many as it may have.
    fn place_for(self: &Arc<Self>, subject: &Subject) -> Option<Place> {
        let mut counts = self.of_subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(subject.user.clone()).or_default();
        if *count >= self.firewall.settings.limits.connections_per_subject {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { gateway: Arc::clone(self), user: subject.user.clone() })
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
