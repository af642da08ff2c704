//! One end of a tunnel: a stream, and what was read from it before it became one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};

use crate::stream::Traffic;
use crate::wire::Wire;

/// An end, whose bytes are counted as they come. What is sent is gathered: a frame and its head are two pieces.
pub(super) struct End<S> {
    stream: BufWriter<S>,
    ahead: BytesMut,
    traffic: Arc<Traffic>,
    count: fn(&Traffic, usize),
}

impl<S: AsyncWrite> End<S> {
    pub(super) fn new(wire: Wire<S>, traffic: Arc<Traffic>, count: fn(&Traffic, usize)) -> Self {
        End { stream: BufWriter::with_capacity(GATHERED, wire.stream), ahead: wire.ahead, traffic, count }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for End<S> {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let end = self.get_mut();
        let before = into.filled().len();
        let read = if end.ahead.is_empty() {
            Pin::new(&mut end.stream).poll_read(task, into)
        } else {
            let piece = end.ahead.len().min(into.remaining());
            into.put_slice(end.ahead.get(..piece).unwrap_or_default());
            end.ahead.advance(piece);
            Poll::Ready(Ok(()))
        };
        (end.count)(&end.traffic, into.filled().len().saturating_sub(before));
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for End<S> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(task, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(task)
    }
}

/// Bytes that are gathered before they are sent.
const GATHERED: usize = 64 << 10;
