//! The daemon: where it is, and connections to it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::listen::{Astray, Diverted};
use crate::stream::DaemonStream;

/// Where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamAddress {
    /// A local socket.
    Unix(PathBuf),
    /// A network socket.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not the address of a daemon: expected unix:///path or tcp://host:port")]
pub struct AddressError {
    given: String,
}

impl FromStr for UpstreamAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError { given: text.to_owned() };
        if let Some(path) = text.strip_prefix("unix://").or_else(|| text.starts_with('/').then_some(text)) {
            return if path.starts_with('/') { Ok(UpstreamAddress::Unix(path.into())) } else { Err(error()) };
        }
        let rest = text.strip_prefix("tcp://").ok_or_else(error)?;
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':').ok_or_else(error)?;
        let port = port.parse().map_err(|_| error())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() { Err(error()) } else { Ok(UpstreamAddress::Tcp { host, port }) }
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpstreamAddress::Unix(path) => write!(f, "unix://{}", path.display()),
            UpstreamAddress::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            UpstreamAddress::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

/// The daemon behind the firewall.
#[derive(Clone)]
pub struct Upstream {
    address: UpstreamAddress,
    tls: Option<Arc<rustls::ClientConfig>>,
    way: Option<Arc<Way>>,
}

/// Of a daemon that somebody was on the way to when they were handed to us.
struct Way {
    /// Why we do not go there.
    astray: Option<Astray>,
    /// Where they come from: not from ourselves.
    client: SocketAddr,
}

impl Upstream {
    /// A daemon at that address; with TLS where a configuration for it is given.
    pub fn new(address: UpstreamAddress, tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        Upstream { address, tls, way: None }
    }

    /// The daemon that a connection was going to; this one's TLS for clients who speak TLS themselves.
    pub(crate) fn diverted(&self, diverted: Diverted) -> Upstream {
        let Diverted { destination, client, tls } = diverted;
        let (destination, astray) = match destination {
            Ok(destination) => (destination, None),
            Err(astray) => (SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0), Some(astray)),
        };
        let address = UpstreamAddress::Tcp { host: destination.ip().to_string(), port: destination.port() };
        Upstream { address, tls: self.tls.clone().filter(|_| tls), way: Some(Arc::new(Way { astray, client })) }
    }

    /// Where requests went that were going there by themselves.
    pub(crate) fn destination(&self) -> Option<String> {
        self.way.as_ref().filter(|way| way.astray.is_none()).map(|_| self.address.to_string())
    }

    /// Where it is.
    pub fn address(&self) -> &UpstreamAddress {
        &self.address
    }

    /// Whether paths of the host that bodies name are paths of this host.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.address, UpstreamAddress::Unix(_))
    }

    /// A new connection.
    pub(crate) async fn connect(&self, within: Duration) -> io::Result<DaemonStream> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time");
        tokio::time::timeout(within, self.open()).await.map_err(late)?
    }

    async fn open(&self) -> io::Result<DaemonStream> {
        let (host, port) = match &self.address {
            UpstreamAddress::Unix(path) => return Ok(DaemonStream::Unix(UnixStream::connect(path).await?.try_into()?)),
            UpstreamAddress::Tcp { host, port } => (host, *port),
        };
        if let Some(way) = &self.way {
            way.leads_on()?;
        }
        let socket = TcpStream::connect((host.as_str(), port)).await?;
        socket.set_nodelay(true)?;
        if self.way.is_some() {
            ours().note(socket.local_addr()?);
        }
        let Some(tls) = &self.tls else { return Ok(DaemonStream::Tcp(socket)) };
        let name =
            ServerName::try_from(host.clone()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await?;
        Ok(DaemonStream::Tls(Box::new(stream)))
    }
}

/// We do not go where somebody was going.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoWay(String);

impl Way {
    /// By the time that somebody asks something, it is known who calls: if we do, our call has been noted.
    fn leads_on(&self) -> io::Result<()> {
        let looped = Some(Astray::Loop).filter(|_| ours().hold(self.client));
        match self.astray.as_ref().or(looped.as_ref()) {
            Some(astray) => Err(io::Error::other(NoWay(astray.to_string()))),
            None => Ok(()),
        }
    }
}

/// Our own ends of connections that were made of late, by which those are known that are sent back to us.
#[derive(Default)]
struct Ours(Mutex<HashMap<SocketAddr, Instant>>);

fn ours() -> &'static Ours {
    static OURS: LazyLock<Ours> = LazyLock::new(Ours::default);
    &OURS
}

impl Ours {
    fn note(&self, address: SocketAddr) {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.len() >= MANY {
            ours.retain(|_, since| since.elapsed() < OF_LATE);
        }
        ours.insert(canonical(address), Instant::now());
    }

    fn hold(&self, address: SocketAddr) -> bool {
        let ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ours.get(&canonical(address)).is_some_and(|since| since.elapsed() < OF_LATE)
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// What comes back comes back at once.
const OF_LATE: Duration = Duration::from_secs(10);
/// How many are noted before the old ones are looked for.
const MANY: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (given, expected) in [
            ("unix:///var/run/docker.sock", Some("unix:///var/run/docker.sock")),
            ("/run/d.sock", Some("unix:///run/d.sock")),
            ("tcp://127.0.0.1:2375", Some("tcp://127.0.0.1:2375")),
            ("tcp://[::1]:2375/", Some("tcp://[::1]:2375")),
            ("unix://relative", None),
            ("tcp://host", None),
            ("http://host:1", None),
            ("", None),
        ] {
            let read = given.parse::<UpstreamAddress>().ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{given}");
        }
    }
}
