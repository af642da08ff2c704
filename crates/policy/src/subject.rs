//! Who asks. A subject is found out by a door (crate `server`) and judged here; nothing in this
//! module looks anything up. The names are what policies are written with, so every kind of subject
//! that is not a user of the host carries a prefix no host user can have: `uid:`, `container:`,
//! `address:`, `socket:`.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Who asks, and how that was proven.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The name policies know: a user of the host, a certificate's common name, or a prefixed name
    /// (`uid:1234`, `container:<id>`, `address:192.0.2.1`, `socket:daemon`).
    pub user: String,
    /// Names of all groups of a host user, as the kernel has them for this very process; `gid:123`
    /// where a group has no name. `containers` for a container.
    pub groups: Vec<String>,
    /// User id on this host. Absent for whoever is no user of the host, above all for a container:
    /// its root has uid 0 in the kernel's eyes too (that number is in `proof`).
    pub uid: Option<u32>,
    /// What the above rests on.
    pub proof: Proof,
    /// Full id of the container that the peer runs in.
    pub container: Option<String>,
    /// Where a network peer came from.
    pub address: Option<IpAddr>,
}

/// What a subject's name rests on, strongest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// The kernel's word about the process at the other end of a Unix socket, as of its connect.
    PeerCredentials {
        /// Effective user id.
        uid: u32,
        /// Effective group id.
        gid: u32,
        /// The process; absent when it lives in a process namespace that cannot be seen from here.
        pid: Option<i32>,
    },
    /// A client certificate that the configured authority has signed.
    Certificate {
        /// The last common name of the certificate's subject.
        common_name: Option<String>,
        /// Subject alternative names: `dns:`, `email:`, `uri:` and `ip:`, each with its value.
        names: Vec<String>,
    },
    /// Only the address that the connection came from. Weak: neighbours on a network can fake it.
    Address,
    /// Nothing at all: what a daemon says of clients on its own plain socket.
    Nothing,
}
