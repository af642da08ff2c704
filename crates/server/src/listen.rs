//! Where clients come in: sockets that we make, and sockets that systemd made for us.
//!
//! The step before is the configuration; the step after is [`crate::subject`], which finds out who
//! the peer is. What an attacker would try here: connect in the moment between the making of a
//! socket and the setting of its mode; take all descriptors so that the accept loop spins or dies;
//! open a TLS connection and never finish the handshake. So: nobody can connect before the mode is
//! set, errors of accept wait and go on, and handshakes belong to the connection's own task.

mod inherited;
mod peer;
#[cfg(test)]
mod tests;
mod transparent;
mod unix;

pub use peer::{Peer, Process};
pub use transparent::{Astray, Destination, Destinations, Diversion, NoDestination};

use crate::stream::{ClientStream, LocalStream};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_rustls::TlsAcceptor;

/// One way in, as configured.
#[derive(Clone, Debug)]
pub struct ListenSpec {
    /// Where.
    pub address: ListenAddress,
    /// TLS on top; only for network sockets.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A local socket, made here and removed at the end.
    Unix {
        /// Absolute path of the socket.
        path: PathBuf,
        /// Permission bits; 0660 when absent.
        mode: Option<u32>,
        /// Name or number of the owner; who runs us when absent.
        owner: Option<String>,
        /// Name or number of the group; when absent `docker`, where there is such a group.
        group: Option<String>,
    },
    /// A network socket.
    Tcp(SocketAddr),
    /// A network socket for connections that were going elsewhere, and go on to there.
    Transparent {
        /// Our own end.
        address: SocketAddr,
        /// How they get here.
        by: Diversion,
        /// Where they may go.
        to: Destinations,
    },
    /// A socket from systemd's socket activation: its `FileDescriptorName=`, or its place, from 0.
    Inherited(String),
}

/// Why a door cannot be opened. Each is a sentence for who wrote the configuration.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum ListenError {
    #[error("cannot listen on `{place}`: {what}: {source}")]
    System { place: String, what: &'static str, source: io::Error },
    #[error("cannot listen on `{}`: another process is answering on this socket; stop it first or choose another path", path.display())]
    Living { path: PathBuf },
    #[error("cannot listen on `{}`: there is something that is not a socket; remove it yourself or choose another path", path.display())]
    NotASocket { path: PathBuf },
    #[error("cannot listen on `{}`: {problem}", path.display())]
    Path { path: PathBuf, problem: &'static str },
    #[error("cannot listen on `{}`: there is no {kind} `{name}` on this host", path.display())]
    NoSuchName { path: PathBuf, kind: &'static str, name: String },
    #[error("cannot listen on `{place}`: TLS is for network addresses, this is a local socket")]
    TlsOnUnix { place: String },
    #[error("cannot take over socket `{wanted}` from systemd: {problem}")]
    Inherited { wanted: String, problem: String },
}

/// An open way in. Dropping it closes the door and removes the socket file that it made.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<Arc<rustls::ServerConfig>>,
    place: String,
}

#[derive(Debug)]
enum Socket {
    Unix { socket: UnixListener, _file: Option<unix::SocketFile> },
    Tcp(TcpListener),
    Transparent { socket: TcpListener, port: u16, by: Diversion, to: Destinations },
}

/// A connection of which nothing has been read yet.
#[derive(Debug)]
pub struct Accepted {
    transport: Transport,
    tls: Option<Arc<rustls::ServerConfig>>,
    peer: Peer,
    diverted: Option<Diverted>,
}

/// Of a connection that was going elsewhere: what we know of its way.
#[derive(Debug)]
pub struct Diverted {
    /// Where it goes on to.
    pub destination: Result<SocketAddr, Astray>,
    /// Where it comes from.
    pub client: SocketAddr,
    /// Whether its client speaks TLS to us.
    pub tls: bool,
}

#[derive(Debug)]
enum Transport {
    Unix(LocalStream),
    Tcp(TcpStream),
}

/// Why a TLS client was turned away before it could ask anything.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum HandshakeError {
    #[error("the TLS handshake was not finished within {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("the TLS handshake failed: {0}")]
    Failed(io::Error),
}

impl Listener {
    /// Opens the door. Must be called within the tokio runtime; does not read from any client.
    pub fn bind(spec: ListenSpec) -> Result<Self, ListenError> {
        let place = spec.address.to_string();
        let socket = match spec.address {
            ListenAddress::Unix { path, mode, owner, group } => {
                let wanted = unix::Wanted { mode, owner, group };
                let (socket, file) = unix::bind(&path, &wanted)?;
                Socket::Unix { socket, _file: Some(file) }
            }
            ListenAddress::Tcp(address) => Socket::Tcp(bind_tcp(address, &place)?),
            ListenAddress::Transparent { address, by, to } => {
                let failed = |source| ListenError::System { place: place.clone(), what: "cannot bind", source };
                let socket = by.bind(address).map_err(failed)?;
                let port = socket.local_addr().map_err(failed)?.port();
                Socket::Transparent { socket, port, by, to }
            }
            ListenAddress::Inherited(wanted) => inherited::take(&wanted)?,
        };
        if spec.tls.is_some() && matches!(socket, Socket::Unix { .. }) {
            return Err(ListenError::TlsOnUnix { place });
        }
        Ok(Self { socket, tls: spec.tls, place })
    }

    /// The next connection. Errors are waited out and said in the log, so that the loop around this
    /// goes on for ever. May be dropped at any time without losing a connection.
    pub async fn accept(&self) -> Accepted {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.accept_one().await {
                Ok(accepted) => return accepted,
                Err(error) if one_client_only(&error) => {
                    tracing::debug!(door = %self.place, %error, "a client left before it was let in");
                    // Not even a flood of these may keep other tasks of this thread waiting.
                    tokio::task::yield_now().await;
                }
                Err(error) => {
                    tracing::error!(
                        door = %self.place, %error,
                        "cannot accept connections, trying again in {} ms", pause.as_millis()
                    );
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn accept_one(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                // At once: the longer this waits, the likelier the process has gone.
                let peer = Peer::of_unix(&stream).map_err(left)?;
                Ok(Accepted { transport: Transport::Unix(stream.try_into()?), tls: None, peer, diverted: None })
            }
            Socket::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                self.accepted(stream, address, None)
            }
            Socket::Transparent { socket, port, by, to } => {
                let (stream, client) = socket.accept().await?;
                let destination = by.destination(&stream, *port, to);
                let diverted = Diverted { destination, client, tls: self.tls.is_some() };
                self.accepted(stream, client, Some(diverted))
            }
        }
    }

    fn accepted(&self, stream: TcpStream, address: SocketAddr, diverted: Option<Diverted>) -> io::Result<Accepted> {
        stream.set_nodelay(true).map_err(left)?;
        // So that a client whose machine was switched off does not hold a stream for ever.
        rustix::net::sockopt::set_socket_keepalive(&stream, true).map_err(|errno| left(errno.into()))?;
        let peer = Peer::Tcp { address, certificate: None };
        Ok(Accepted { transport: Transport::Tcp(stream), tls: self.tls.clone(), peer, diverted })
    }

    /// Where this listens, as it would be written on the command line.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The bound network address, of interest when the port was left to the system.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) | Socket::Transparent { socket, .. } => socket.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }
}

impl Accepted {
    /// Its way, if it was going elsewhere.
    pub fn diverted(&mut self) -> Option<Diverted> {
        self.diverted.take()
    }

    /// The stream to speak HTTP on, and who is at its other end. Under TLS this is the handshake:
    /// call it in the connection's own task, never in the accept loop.
    pub async fn open(self, within: Duration) -> Result<(ClientStream, Peer), HandshakeError> {
        let (stream, tls) = match (self.transport, self.tls) {
            (Transport::Unix(stream), _) => return Ok((ClientStream::Unix(stream), self.peer)),
            (Transport::Tcp(stream), None) => return Ok((ClientStream::Tcp(stream), self.peer)),
            (Transport::Tcp(stream), Some(tls)) => (stream, TlsAcceptor::from(tls)),
        };
        let stream = tokio::time::timeout(within, tls.accept(stream))
            .await
            .map_err(|_| HandshakeError::TooSlow(within))?
            .map_err(HandshakeError::Failed)?;
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|leaf| leaf.clone().into_owned());
        let peer = match self.peer {
            Peer::Tcp { address, .. } => Peer::Tcp { address, certificate },
            unix @ Peer::Unix { .. } => unix,
        };
        Ok((ClientStream::Tls(Box::new(stream)), peer))
    }
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix { path, .. } => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) | Self::Transparent { address, .. } => write!(f, "tcp://{address}"),
            Self::Inherited(name) => write!(f, "fd://{name}"),
        }
    }
}

fn bind_tcp(address: SocketAddr, place: &str) -> Result<TcpListener, ListenError> {
    let failed = |what| {
        let place = place.to_owned();
        move |source| ListenError::System { place, what, source }
    };
    let socket = std::net::TcpListener::bind(address).map_err(failed("cannot bind"))?;
    socket.set_nonblocking(true).map_err(failed("cannot prepare"))?;
    TcpListener::from_std(socket).map_err(failed("cannot prepare"))
}

/// Marks an error as one that concerns a single connection.
fn left(error: io::Error) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, error)
}

/// accept(2) passes on what happened to the connection it took from the queue; those say nothing
/// about the next one. All others (no descriptors, no memory) are about us.
fn one_client_only(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::Interrupted
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::PermissionDenied
    )
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
