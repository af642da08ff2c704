//! The plugin: the door inside the daemon, which asks it before it carries out a request (`docker.authz/1.0`).
//!
//! It sees what the gateway cannot: requests that went around it. It sees less of each: no archive, no body of 1 MiB
//! or more, no user of a local socket; and it can only say yes or no. So what it cannot see, and what would have to be
//! changed, is refused in words that name the gateway, and what comes from the gateway is known by its [`seal`]
//! and let pass, for it was judged there.
//!
//! The daemon lets a request through when it is told `Allow`, whatever else is said (`Err` beside it is ignored), and
//! when a plugin dies in the middle it asks once more with an empty body. Here every failure is an answer that says
//! no, and an empty question is refused.
//!
//! [`seal`]: crate::seal

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::firewall::Firewall;
use crate::listen::{Accepted, Listener};

mod connection;
mod judge;
mod learn;
mod loopback;
mod question;
mod subject;
#[cfg(test)]
mod tests;

/// What requests must have to be let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Require {
    /// The policy's yes.
    #[default]
    Policy,
    /// The gateway's word that it judged them: nobody walks around it.
    Gateway,
}

/// The plugin of one daemon.
pub struct Plugin {
    firewall: Arc<Firewall>,
    require: Require,
    /// Its own, so that clients of the gateway cannot keep the daemon from asking.
    connections: Arc<Semaphore>,
}

impl Plugin {
    /// A plugin that decides by the gateway's policy, looks at its daemon and keeps its records.
    pub fn new(firewall: Arc<Firewall>, require: Require) -> Arc<Self> {
        let connections = Arc::new(Semaphore::new(firewall.settings.limits.connections));
        Arc::new(Plugin { firewall, require, connections })
    }

    /// Serves until `stop` is done. The daemon keeps its connections open: they are cut then, and what it asks
    /// meanwhile fails.
    pub async fn serve(self: &Arc<Self>, listeners: Vec<Listener>, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut doors = JoinSet::new();
        for listener in listeners {
            doors.spawn(Arc::clone(self).accept(listener, stopped.clone()));
        }
        stop.await;
        let _ = stopping.send(true);
        while doors.join_next().await.is_some() {}
    }

    async fn accept(self: Arc<Self>, listener: Listener, mut stopped: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => self.admit(accepted, &mut connections),
            }
        }
    }

    fn admit(self: &Arc<Self>, accepted: Accepted, connections: &mut JoinSet<()>) {
        let Ok(slot) = Arc::clone(&self.connections).try_acquire_owned() else {
            tracing::warn!("the daemon asks on more connections than there may be (limits.connections)");
            return;
        };
        let plugin = Arc::clone(self);
        connections.spawn(async move {
            connection::serve(&plugin, accepted).await;
            drop(slot);
        });
    }
}
