//! Sockets that systemd opened for us (`LISTEN_FDS`). Each is checked before it is believed: a
//! connected or datagram socket in its place would make accept fail for ever.

use super::{ListenError, Socket};
use crate::sys;
use rustix::net::{AddressFamily, SocketType, sockopt};
use std::io;
use std::os::fd::OwnedFd;
use tokio::net::{TcpListener, UnixListener};

/// The socket called `wanted`, or at that place, from 0.
pub(super) fn take(wanted: &str) -> Result<Socket, ListenError> {
    let wrong = |problem: String| ListenError::Inherited { wanted: wanted.to_owned(), problem };
    let handed: Vec<_> = sd_notify::listen_fds_with_names()
        .map_err(|error| wrong(format!("its variables cannot be read: {error}")))?
        .collect();
    if handed.is_empty() {
        return Err(wrong("no sockets were handed over; start through the socket unit".to_owned()));
    }
    let named = handed.iter().find(|(_, name)| name == wanted);
    let placed = || wanted.parse::<usize>().ok().and_then(|place| handed.get(place));
    let Some((number, _)) = named.or_else(placed) else {
        let names: Vec<_> = handed.iter().map(|(_, name)| format!("`{name}`")).collect();
        return Err(wrong(format!("there is none; handed over were {}", names.join(", "))));
    };
    let socket = sys::duplicate(*number).map_err(|error| wrong(error.to_string()))?;
    check_and_wrap(socket).map_err(|error| wrong(error.to_string()))
}

pub(super) fn check_and_wrap(socket: OwnedFd) -> io::Result<Socket> {
    if sockopt::socket_type(&socket)? != SocketType::STREAM || !sockopt::socket_acceptconn(&socket)? {
        return Err(io::Error::other("it is not a listening stream socket (use ListenStream=, Accept=no)"));
    }
    match sockopt::socket_domain(&socket)? {
        AddressFamily::UNIX => {
            let socket = std::os::unix::net::UnixListener::from(socket);
            socket.set_nonblocking(true)?;
            // systemd made the file and will remove it.
            Ok(Socket::Unix { socket: UnixListener::from_std(socket)?, _file: None })
        }
        AddressFamily::INET | AddressFamily::INET6 => {
            let socket = std::net::TcpListener::from(socket);
            socket.set_nonblocking(true)?;
            Ok(Socket::Tcp(TcpListener::from_std(socket)?))
        }
        _ => Err(io::Error::other("it is neither a local nor a TCP socket")),
    }
}
