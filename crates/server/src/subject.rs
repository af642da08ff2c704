//! From the other end of a connection to a subject: who asks, proven by what.
//!
//! The step before is [`crate::listen`], the step after the policy. What an attacker would try here:
//! be root in a container and pass for root of the host (the kernel shows the same uid for both);
//! hide the container behind cgroup names of his choice; connect, exit, and have his process number
//! taken by somebody better; make the name service fail so that a rule against his name does not
//! match; get a certificate whose name reads like another kind of subject. Whatever remains in
//! doubt is refused with its own sentence.

pub(crate) mod certificate;
mod names;
mod process;
#[cfg(test)]
mod tests;

use crate::listen::{Peer, Process};
use names::Names;
use policy::{Proof, Subject};
use process::Home;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Finds out who peers are. One for the process: it remembers names for a minute.
#[derive(Debug)]
pub struct Identifier {
    names: Names,
    /// Containers that we ourselves are in; a peer in the same one is a neighbour, not a stranger.
    own_containers: BTreeSet<String>,
}

/// Why nobody can say who is asking. The connection is refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum IdentifyError {
    #[error("the process that connected has ended; who it was can no longer be told")]
    Gone,
    #[error(
        "process {pid} cannot be looked at: {source} (is /proc mounted with hidepid? give dockwarden CAP_SYS_PTRACE)"
    )]
    Hidden { pid: i32, source: std::io::Error },
    #[error("the process that connected cannot be held: {0} (Linux 5.3 or later is needed)")]
    Unheld(String),
    #[error("process {pid} is within {count} containers, one around the other; which one is asking cannot be told")]
    SeveralContainers { pid: i32, count: usize },
    #[error("the name of {what} cannot be looked up: {problem}")]
    Names { what: String, problem: String },
    #[error("the client certificate does not say who this is: {0}")]
    Certificate(String),
}

impl Identifier {
    /// Looks once at where we ourselves live.
    pub fn new() -> Self {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self { names: Names::new(REMEMBER), own_containers: process::containers(&own) }
    }

    /// Who is at the other end. Takes the peer, so that the hold on its process ends with this.
    /// Cheap for users seen within the last minute; may wait for the system's name services, so
    /// bound it with [`crate::limits::Limits::identify_wait`].
    pub async fn identify(&self, peer: Peer) -> Result<Subject, IdentifyError> {
        match peer {
            Peer::Unix { uid, gid, groups, process } => {
                let (home, pid) = self.home(&process)?;
                let proof = Proof::PeerCredentials { uid, gid, pid };
                match home {
                    Home::Host => self.host_user(uid, gid, groups, proof).await,
                    Home::Container(id) => Ok(container(id, proof)),
                    Home::Nested => Ok(unplaced(uid, proof)),
                }
            }
            Peer::Tcp { address, certificate: None } => Ok(by_address(address)),
            Peer::Tcp { address, certificate: Some(certificate) } => {
                let named = certificate::named(&certificate)?;
                let user = named.user;
                let proof = Proof::Certificate { common_name: named.common_name, names: named.names };
                Ok(Subject { user, proof, ..by_address(address) })
            }
        }
    }

    fn home(&self, process: &Process) -> Result<(Home, Option<i32>), IdentifyError> {
        match process {
            Process::Held { pid, pidfd } => Ok((process::home(*pid, pidfd, &self.own_containers)?, Some(*pid))),
            Process::Elsewhere => Ok((Home::Nested, None)),
            Process::Gone => Err(IdentifyError::Gone),
            Process::Unheld(error) => Err(IdentifyError::Unheld(error.to_string())),
        }
    }

    async fn host_user(&self, uid: u32, gid: u32, groups: Vec<u32>, proof: Proof) -> Result<Subject, IdentifyError> {
        // The kernel's list may lack the primary group.
        let gids: BTreeSet<u32> = groups.into_iter().chain([gid]).collect();
        let (user, groups) = self.names.of(uid, gids).await?;
        Ok(Subject { user, groups, uid: Some(uid), proof, container: None, address: None })
    }
}

impl Default for Identifier {
    fn default() -> Self {
        Self::new()
    }
}

/// A container's root is not the host's root, nor are its groups the host's.
fn container(id: String, proof: Proof) -> Subject {
    Subject {
        user: format!("container:{id}"),
        groups: vec!["containers".to_owned()],
        uid: None,
        proof,
        container: Some(id),
        address: None,
    }
}

/// A process in another process namespace that is no container we know. Its uid may be that of a
/// user of the host in a sandbox of his own, or of root in a container of another kind; so it gets
/// the number for a name, and none of the user's groups.
fn unplaced(uid: u32, proof: Proof) -> Subject {
    Subject { user: format!("uid:{uid}"), groups: Vec::new(), uid: None, proof, container: None, address: None }
}

fn by_address(address: SocketAddr) -> Subject {
    // An IPv4 client of an IPv6 socket is still the IPv4 client that the policy names.
    let address = address.ip().to_canonical();
    Subject {
        user: format!("address:{address}"),
        groups: Vec::new(),
        uid: None,
        proof: Proof::Address,
        container: None,
        address: Some(address),
    }
}

/// How long the name of a uid or gid is remembered. Membership itself is never remembered: the
/// kernel tells it for each connection.
const REMEMBER: Duration = Duration::from_secs(60);
