//! The two ends of an exchange as byte streams, and what happens once both sides have agreed to
//! stop speaking HTTP (attach, exec, build sessions).
//!
//! The exchange before ([`crate::listen`] made the client's end) has decided that these bytes may
//! flow; from here on nothing is read or judged. What must hold: a half-closed direction never ends
//! the other one (docker CLI closes its input at once and then waits for output), and no byte that
//! was received is dropped while its receiver is there.

mod copy;
mod relay;
mod splice;
#[cfg(test)]
mod tests;

pub(crate) use relay::hung_up;
pub use relay::{Already, Traffic, Transferred, relay};

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A client's end of a connection.
#[derive(Debug)]
pub enum ClientStream {
    /// A local socket.
    Unix(UnixStream),
    /// A network socket in the clear.
    Tcp(TcpStream),
    /// A network socket under TLS, after its handshake.
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// The daemon's end of a connection.
#[derive(Debug)]
pub enum DaemonStream {
    /// The daemon's local socket.
    Unix(UnixStream),
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
                    Self::Unix(socket) => Pin::new(socket).poll_read(task, into),
                    Self::Tcp(socket) => Pin::new(socket).poll_read(task, into),
                    Self::Tls(socket) => Pin::new(socket).poll_read(task, into),
                }
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Unix(socket) => Pin::new(socket).poll_write(task, bytes),
                    Self::Tcp(socket) => Pin::new(socket).poll_write(task, bytes),
                    Self::Tls(socket) => Pin::new(socket).poll_write(task, bytes),
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                task: &mut Context<'_>,
                pieces: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    Self::Unix(socket) => Pin::new(socket).poll_write_vectored(task, pieces),
                    Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(task, pieces),
                    Self::Tls(socket) => Pin::new(socket).poll_write_vectored(task, pieces),
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    Self::Unix(socket) => socket.is_write_vectored(),
                    Self::Tcp(socket) => socket.is_write_vectored(),
                    Self::Tls(socket) => socket.is_write_vectored(),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Unix(socket) => Pin::new(socket).poll_flush(task),
                    Self::Tcp(socket) => Pin::new(socket).poll_flush(task),
                    Self::Tls(socket) => Pin::new(socket).poll_flush(task),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    Self::Unix(socket) => Pin::new(socket).poll_shutdown(task),
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
    Unix(&'a UnixStream),
    Tcp(&'a TcpStream),
}

impl Raw<'_> {
    async fn readable(self) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.readable().await,
            Self::Tcp(socket) => socket.readable().await,
        }
    }

    async fn writable(self) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.writable().await,
            Self::Tcp(socket) => socket.writable().await,
        }
    }

    /// Tries `call`; on `WouldBlock` the socket's readiness is forgotten, so that the next wait
    /// waits.
    fn try_io<T>(self, interest: Interest, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self {
            Self::Unix(socket) => socket.try_io(interest, call),
            Self::Tcp(socket) => socket.try_io(interest, call),
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
