//! The two ends of an exchange as byte streams, and what happens once both sides have agreed to
//! stop speaking HTTP (attach, exec, build sessions).
//!
//! The exchange before ([`crate::listen`] made the client's end) has decided that these bytes may
//! flow; from here on nothing is read or judged. What must hold: a half-closed direction never ends
//! the other one (docker CLI closes its input at once and then waits for output), and no byte that
//! was received is dropped while its receiver is there.

mod copy;
mod local;
mod relay;
mod splice;
#[cfg(test)]
mod tests;

pub use local::LocalStream;
pub(crate) use relay::hung_up;
pub use relay::{Already, Traffic, Transferred, relay};

use nix::sys::socket::{setsockopt, sockopt};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A client's end of a connection.
#[derive(Debug)]
pub enum ClientStream {
    /// A local socket.
    Unix(LocalStream),
    /// A network socket in the clear.
    Tcp(TcpStream),
    /// A network socket under TLS, after its handshake.
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// The daemon's end of a connection.
#[derive(Debug)]
pub enum DaemonStream {
    /// The daemon's local socket.
    Unix(LocalStream),
    /// A daemon over the network in the clear.
    Tcp(TcpStream),
    /// A daemon over the network under TLS, after the handshake.
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl ClientStream {
    /// The number of the socket's descriptor, open as long as this is.
    pub(crate) fn number(&self) -> RawFd {
        match self {
            Self::Unix(socket) => socket.as_raw_fd(),
            Self::Tcp(socket) => socket.as_raw_fd(),
            Self::Tls(socket) => socket.get_ref().0.as_raw_fd(),
        }
    }
}

impl DaemonStream {
    /// Lets so many bytes be on their way at once, as far as the kernel permits: the daemon is woken less often. Sockets of
    /// the network find out by themselves how many are good.
    pub(crate) fn widen(&self, bytes: usize) {
        if let Some(Raw::Unix(socket)) = self.raw() {
            let _ = setsockopt(socket, sockopt::SndBufForce, &bytes)
                .or_else(|_| setsockopt(socket, sockopt::SndBuf, &bytes));
        }
    }
}

macro_rules! as_stream {
    ($stream:ident) => {
        impl $stream {
            /// The socket itself, where the bytes on it are the bytes of the stream.
            fn raw(&self) -> Option<Raw<'_>> {
                match self {
                    Self::Unix(socket) => Some(Raw::Unix(socket)),
                    Self::Tcp(socket) => Some(Raw::Tcp(socket)),
                    Self::Tls(_) => None,
                }
            }
        }

        impl AsyncRead for $stream {
            fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Unix(socket) => socket.poll_read(task, into),
                    Self::Tcp(socket) => Pin::new(socket).poll_read(task, into),
                    Self::Tls(socket) => Pin::new(socket).poll_read(task, into),
                }
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Unix(socket) => socket.poll_write(task, bytes),
                    Self::Tcp(socket) => Pin::new(socket).poll_write(task, bytes),
                    Self::Tls(socket) => Pin::new(socket).poll_write(task, bytes),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Unix(_) => Poll::Ready(Ok(())),
                    Self::Tcp(socket) => Pin::new(socket).poll_flush(task),
                    Self::Tls(socket) => Pin::new(socket).poll_flush(task),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Unix(socket) => Poll::Ready(socket.close_for_writing()),
                    Self::Tcp(socket) => Pin::new(socket).poll_shutdown(task),
                    Self::Tls(socket) => Pin::new(socket).poll_shutdown(task),
                }
            }
        }
    };
}

as_stream!(ClientStream);
as_stream!(DaemonStream);

/// A socket without TLS: the kernel can move its bytes without showing them to us.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Unix(&'a LocalStream),
    Tcp(&'a TcpStream),
}

impl Raw<'_> {
    async fn readable(self) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.readable().await,
            Self::Tcp(socket) => socket.readable().await,
        }
    }

    /// Tries what reads from the socket; on `WouldBlock` its readiness is forgotten, so that the next
    /// wait waits.
    fn try_read_by<T>(self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Unix(socket) => socket.try_read_by(call),
            Self::Tcp(socket) => socket.try_io(Interest::READABLE, call),
        }
    }

    /// Does what writes to the socket as soon as there is room.
    async fn write_by<T>(self, mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Unix(socket) => poll_fn(|task| socket.poll_write_by(task, &mut call)).await,
            Self::Tcp(socket) => socket.async_io(Interest::WRITABLE, call).await,
        }
    }
}

impl AsFd for Raw<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(socket) => socket.as_fd(),
            Self::Tcp(socket) => socket.as_fd(),
        }
    }
}
