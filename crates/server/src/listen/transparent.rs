//! Connections that were going elsewhere: the host's firewall hands them to us, and we go on to where they were going.
//!
//! By REDIRECT the kernel has put our address in the place of the daemon's and remembers that one; by TPROXY it has left
//! the connection as it is and made us its end. What an attacker would try here: connect to our own port and have us call
//! ourselves for ever; or have us, who stand inside, call what he cannot reach: the host's own services, the one that
//! tells machines of a cloud their secrets.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use nix::sys::socket::{setsockopt, sockopt};
use rustix::net::sockopt::{ip_original_dst, ipv6_original_dst};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How connections get here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diversion {
    /// Their destination was replaced by ours (`REDIRECT` of iptables, `redirect` of nftables).
    Redirect,
    /// They kept their destination (`TPROXY`).
    Tproxy,
}

/// Where connections may go on to. None named: to daemons anywhere, but not to what is this host's own business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations(pub Vec<Destination>);

/// Some addresses, and some ports of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// A network, by its first address and the length of its prefix; `None`: all that are usual.
    network: Option<(IpAddr, u8)>,
    ports: Option<(u16, u16)>,
}

/// A connection that goes nowhere. Each is a sentence for who made it.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum Astray {
    #[error(
        "this is dockwarden's own port, which leads nowhere: connect to the daemon itself, and let the host's firewall \
         send that connection here"
    )]
    NotDiverted,
    #[error("it cannot be told where this connection was going: {0}")]
    Unknown(io::Error),
    #[error("connections to {0} are not let through here (see `to` of the listener)")]
    Forbidden(SocketAddr),
    #[error(
        "this connection is dockwarden's own, which was sent back to it: let the host's firewall except what dockwarden \
         connects to"
    )]
    Loop,
}

impl Diversion {
    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Diversion::Redirect => "redirect",
            Diversion::Tproxy => "tproxy",
        }
    }

    /// By that name.
    pub fn from_name(name: &str) -> Option<Diversion> {
        [Diversion::Redirect, Diversion::Tproxy].into_iter().find(|diversion| diversion.name() == name)
    }

    /// Opens a port for such connections.
    pub(super) fn bind(self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        if self == Diversion::Tproxy {
            setsockopt(&socket, sockopt::IpTransparent, &true).map_err(|errno| match errno {
                nix::Error::EPERM => io::Error::other("`transparent: tproxy` needs CAP_NET_ADMIN"),
                errno => errno.into(),
            })?;
        }
        socket.bind(address)?;
        socket.listen(BACKLOG)
    }

    /// Where a connection was going that came to this port, if it may go there.
    pub(super) fn destination(self, stream: &TcpStream, port: u16, to: &Destinations) -> Result<SocketAddr, Astray> {
        let here = canonical(stream.local_addr().map_err(Astray::Unknown)?);
        let (there, ours) = match self {
            Diversion::Redirect => {
                let there = canonical(original(stream, here)?);
                (there, there == here)
            }
            // Its end is where it was going: at our own port it was going to us, or would go in a circle.
            Diversion::Tproxy => (here, here.port() == port),
        };
        match (ours, to.hold(there)) {
            (true, _) => Err(Astray::NotDiverted),
            (false, false) => Err(Astray::Forbidden(there)),
            (false, true) => Ok(there),
        }
    }
}

/// What the kernel remembers of a connection whose destination was replaced.
fn original(stream: &TcpStream, here: SocketAddr) -> Result<SocketAddr, Astray> {
    let remembered = match here {
        SocketAddr::V4(_) => ip_original_dst(stream).map(SocketAddr::V4),
        SocketAddr::V6(_) => ipv6_original_dst(stream).map(SocketAddr::V6),
    };
    remembered.map_err(|errno| match errno {
        // It keeps no track of connections that nothing is done to.
        rustix::io::Errno::NOENT | rustix::io::Errno::NOPROTOOPT => Astray::NotDiverted,
        errno => Astray::Unknown(errno.into()),
    })
}

impl Destinations {
    fn hold(&self, address: SocketAddr) -> bool {
        match self.0.as_slice() {
            [] => is_usual(address.ip()),
            named => named.iter().any(|destination| destination.holds(address)),
        }
    }
}

impl Destination {
    fn holds(&self, address: SocketAddr) -> bool {
        let there = match self.network {
            None => is_usual(address.ip()),
            Some((network, length)) => is_within(address.ip(), network, length),
        };
        there && self.ports.is_none_or(|(first, last)| (first..=last).contains(&address.port()))
    }
}

/// Whether daemons are to be expected at an address, and nothing else that only this host can reach.
fn is_usual(address: IpAddr) -> bool {
    let (local, link_local) = match address {
        IpAddr::V4(four) => (four.is_broadcast(), four.is_link_local()),
        IpAddr::V6(six) => (false, six.is_unicast_link_local()),
    };
    !(local || link_local || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

fn is_within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(four) => (u128::from(four.to_bits()), 32),
        IpAddr::V6(six) => (six.to_bits(), 128),
    };
    let ((address, width), (network, other)) = (bits(address), bits(network));
    let rest = u32::from(u8::saturating_sub(width, length));
    width == other && address.checked_shr(rest).unwrap_or(0) == network.checked_shr(rest).unwrap_or(0)
}

/// An IPv4 connection to an IPv6 socket is an IPv4 connection.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A destination that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address or a network, with a port or without: `10.0.0.5:2376`, `10.0.0.0/8`, `[fd00::1]:2375-2376`, `*:2376`"
)]
pub struct NoDestination;

impl FromStr for Destination {
    type Err = NoDestination;

    fn from_str(text: &str) -> Result<Destination, NoDestination> {
        let (network, ports) = match text.strip_prefix('[') {
            Some(rest) => {
                let (network, ports) = rest.split_once(']').ok_or(NoDestination)?;
                let ports = if ports.is_empty() { None } else { Some(ports.strip_prefix(':').ok_or(NoDestination)?) };
                (network, ports)
            }
            None => match text.split_once(':') {
                Some((network, ports)) if !ports.contains(':') => (network, Some(ports)),
                _ => (text, None),
            },
        };
        let network = if network == "*" { None } else { Some(read_network(network).ok_or(NoDestination)?) };
        let ports = ports.map(|ports| read_ports(ports).ok_or(NoDestination)).transpose()?;
        Ok(Destination { network, ports })
    }
}

fn read_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let widest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(widest), |length| length.parse().ok())?;
    (length <= widest).then_some((address, length))
}

fn read_ports(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (0 < first && first <= last).then_some((first, last))
}

impl fmt::Display for Diversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Connections that wait to be accepted, as in the standard library.
const BACKLOG: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn to(list: &[&str]) -> Destinations {
        Destinations(list.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn daemons_are_expected_elsewhere() {
        for (address, usual) in [
            ("10.0.0.5:2375", true),
            ("8.8.8.8:443", true),
            ("[fd00::1]:2375", true),
            ("127.0.0.1:2375", false),
            ("127.8.8.8:2375", false),
            ("[::1]:2375", false),
            ("169.254.169.254:80", false),
            ("[fe80::1]:2375", false),
            ("0.0.0.0:2375", false),
            ("[::]:2375", false),
            ("224.0.0.1:2375", false),
            ("255.255.255.255:2375", false),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(to(&[]).hold(address), usual, "{address}");
            assert_eq!(to(&["*"]).hold(address), usual, "{address}");
            assert!(!to(&["*:1"]).hold(address), "{address}");
        }
    }

    #[test]
    fn destinations_are_networks_and_ports() {
        for (named, address, holds) in [
            ("10.0.0.5", "10.0.0.5:1", true),
            ("10.0.0.5", "10.0.0.6:1", false),
            ("10.0.0.0/8", "10.255.0.1:1", true),
            ("10.0.0.0/8", "11.0.0.1:1", false),
            ("10.0.0.0/8:2376", "10.0.0.1:2376", true),
            ("10.0.0.0/8:2376", "10.0.0.1:2375", false),
            ("10.0.0.5:2375-2376", "10.0.0.5:2376", true),
            ("0.0.0.0/0", "127.0.0.1:2375", true),
            ("127.0.0.1:2375", "127.0.0.1:2375", true),
            ("::/0", "10.0.0.1:1", false),
            ("fd00::/8", "[fdff::1]:1", true),
            ("[fd00::1]:2375", "[fd00::1]:2375", true),
            ("[fd00::/8]:2375", "[fd00::1]:2376", false),
        ] {
            assert_eq!(to(&[named]).hold(address.parse().unwrap()), holds, "{named} {address}");
        }
        for none in [
            "",
            "host",
            "host:1",
            "10.0.0.5:",
            "10.0.0.5:0",
            "10.0.0.5:9-1",
            "10.0.0.0/33",
            "[fd00::1",
            "[fd00::1]1",
            "*/8",
        ] {
            assert_eq!(none.parse::<Destination>(), Err(NoDestination), "{none}");
        }
    }
}
