//! A local socket that is woken only for what it waits for.
//!
//! Whenever the other side of a Unix socket reads, the kernel tells everybody who listens for it that
//! there is room to write. `tokio::net::UnixStream` always listens: a short exchange then wakes us four
//! times, twice for nothing, and these wake-ups were a third of what a request cost. So this listens for
//! bytes to read, and for room only once a write had to wait.

use crate::sys;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf};

/// A connected local socket.
#[derive(Debug)]
pub struct LocalStream {
    socket: AsyncFd<UnixStream>,
    /// The same socket, listening for room to write.
    room: OnceLock<AsyncFd<UnixStream>>,
}

impl TryFrom<tokio::net::UnixStream> for LocalStream {
    type Error = io::Error;

    fn try_from(socket: tokio::net::UnixStream) -> io::Result<Self> {
        let socket = sys::listen_for(Interest::READABLE, socket.into_std()?)?;
        Ok(Self { socket, room: OnceLock::new() })
    }
}

impl LocalStream {
    pub(super) fn poll_read(&self, task: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.socket.poll_read_ready(task))?;
            let space = into.initialize_unfilled();
            let length = space.len();
            match ready.try_io(|socket| socket.get_ref().read(space)) {
                Ok(Ok(read)) => {
                    // No more has come, which saves asking: what comes now wakes us.
                    if read > 0 && read < length {
                        ready.clear_ready();
                    }
                    into.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }

    pub(super) fn poll_write(&self, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_by(task, || self.socket.get_ref().write(bytes))
    }

    /// Calls what writes to the socket, now and whenever there is room again, until it need not wait.
    pub(super) fn poll_write_by<T>(
        &self,
        task: &mut Context<'_>,
        mut call: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        if self.room.get().is_none() {
            match call() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
        let room = self.room()?;
        loop {
            let mut ready = ready!(room.poll_write_ready(task))?;
            if let Ok(done) = ready.try_io(|_| call()) {
                return Poll::Ready(done);
            }
        }
    }

    fn room(&self) -> io::Result<&AsyncFd<UnixStream>> {
        if let Some(room) = self.room.get() {
            return Ok(room);
        }
        let room = sys::listen_for(Interest::WRITABLE, self.socket.get_ref().try_clone()?)?;
        Ok(self.room.get_or_init(|| room))
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await.map(drop)
    }

    pub(super) fn try_read_by<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.socket.try_io(Interest::READABLE, |_| call())
    }

    pub(super) fn close_for_writing(&self) -> io::Result<()> {
        self.socket.get_ref().shutdown(Shutdown::Write)
    }
}

impl AsFd for LocalStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

impl AsRawFd for LocalStream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
