//! One direction where at least one side speaks TLS, moved through user space.
//!
//! Bytes are read into a buffer that all streams of a thread share and kept only as long as it takes
//! to hand them on; a stream at rest holds no buffer of ours.

use bytes::Bytes;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Gives `first` and then all that `from` sends to `to`; at the end of `from`, closes `to` for
/// writing (under TLS: close_notify first) and leaves its other direction alone.
pub(super) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    first: Bytes,
    count: &AtomicU64,
) -> io::Result<()> {
    let mut piece = first;
    loop {
        if !piece.is_empty() {
            to.write_all(&piece).await?;
            to.flush().await?;
            count.fetch_add(piece.len() as u64, Ordering::Relaxed);
            drop(std::mem::take(&mut piece));
        }
        piece = poll_fn(|task| poll_piece(Pin::new(&mut from), task)).await?;
        if piece.is_empty() {
            return close_for_writing(&mut to).await;
        }
    }
}

/// What has arrived, in a buffer of just that size; empty at the end of the stream.
fn poll_piece(from: Pin<&mut impl AsyncRead>, task: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    SHARED.with_borrow_mut(|buffer| {
        let mut into = ReadBuf::new(buffer);
        ready!(from.poll_read(task, &mut into))?;
        Poll::Ready(Ok(Bytes::copy_from_slice(into.filled())))
    })
}

async fn close_for_writing(to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    match to.shutdown().await {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        ended => ended,
    }
}

thread_local! {
    /// Borrowed only within one poll, which never re-enters.
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}
