//! One direction where at least one side speaks TLS, moved through user space.
//!
//! Bytes are read into a buffer that all streams of a thread share and kept only as long as it takes
//! to hand them on; a stream at rest holds no buffer of ours.

use crate::wire::{READ, poll_piece};
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

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
        let mut take = |read: &[u8]| piece = Bytes::copy_from_slice(read);
        poll_fn(|task| poll_piece(Pin::new(&mut from), task, READ, &mut take)).await?;
        if piece.is_empty() {
            return close_for_writing(&mut to).await;
        }
    }
}

async fn close_for_writing(to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    match to.shutdown().await {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        ended => ended,
    }
}
