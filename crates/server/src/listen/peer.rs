//! What the kernel says about the other end of a connection, taken down at once after accept.
//! Nothing is looked up here; [`crate::subject`] makes a subject of it.

use crate::sys;
use nix::sys::socket::{getsockopt, sockopt};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustls::pki_types::CertificateDer;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

/// The other end of a connection.
#[derive(Debug)]
pub enum Peer {
    /// A process on this host, as it was when it connected.
    Unix {
        /// Effective user id.
        uid: u32,
        /// Effective group id.
        gid: u32,
        /// Supplementary groups; may lack `gid`.
        groups: Vec<u32>,
        /// Which process.
        process: Process,
    },
    /// A network client.
    Tcp {
        /// Where it comes from.
        address: SocketAddr,
        /// Its own certificate, checked against the client authority during the handshake.
        certificate: Option<CertificateDer<'static>>,
    },
}

/// The process that connected.
#[derive(Debug)]
pub enum Process {
    /// Held by a descriptor, so that its number cannot be another process' by the time we look.
    Held {
        /// Its number.
        pid: i32,
        /// The hold on it.
        pidfd: OwnedFd,
    },
    /// In a process namespace that cannot be seen from here.
    Elsewhere,
    /// Ended before it could be held.
    Gone,
    /// The kernel does not let us hold it.
    Unheld(io::Error),
}

impl Peer {
    /// Asks the kernel who connected to a Unix socket.
    pub(super) fn of_unix(socket: &impl AsFd) -> io::Result<Self> {
        let who = getsockopt(socket, sockopt::PeerCredentials)?;
        Ok(Self::Unix {
            uid: who.uid(),
            gid: who.gid(),
            groups: sys::peer_groups(socket)?,
            process: Process::hold(socket, who.pid()),
        })
    }
}

impl Process {
    fn hold(socket: &impl AsFd, pid: i32) -> Self {
        if pid == 0 {
            return Self::Elsewhere;
        }
        match getsockopt(socket, sockopt::PeerPidfd) {
            Ok(pidfd) => Self::Held { pid, pidfd },
            Err(nix::Error::ENOPROTOOPT) => Self::hold_by_number(pid),
            Err(nix::Error::ESRCH | nix::Error::EINVAL | nix::Error::ENODATA) => Self::Gone,
            Err(error) => Self::Unheld(error.into()),
        }
    }

    /// Kernels before 6.5. Weaker: the process may have ended and its number been given away in the
    /// moment since it connected.
    fn hold_by_number(pid: i32) -> Self {
        let Some(number) = Pid::from_raw(pid) else { return Self::Elsewhere };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => Self::Held { pid, pidfd },
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => Self::Gone,
            Err(error) => Self::Unheld(error.into()),
        }
    }
}
