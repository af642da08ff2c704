//! A connection with the bytes that were read from it and not yet used.
//!
//! One end of an exchange: the client's or the daemon's. Bytes beyond a head stay here until it is
//! known what they are: a body, the next request, or the first bytes of a stream that the daemon has yet
//! to take over.
//!
//! Reads go into a buffer that all connections of a thread share, and what has come is copied out: a copy
//! of a few hundred bytes costs less than keeping, for each of thousands of connections at rest, the room
//! for a read that may never come.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use docker::http::{BodyLength, ChunkError, Chunks, Framing};
use tokio::io::{AsyncRead, ReadBuf};

/// The most that one read takes, in bytes.
pub(crate) const READ: usize = 64 << 10;
/// The same where a head is expected. What follows it is held before it is known what it is: by a thousand connections,
/// a thousand times.
const HEAD: usize = 16 << 10;

/// A stream and what was read ahead from it.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    pub(crate) ahead: BytesMut,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Wire { stream, ahead: BytesMut::new() }
    }

    /// Reads some more. `0`: the other side will send no more. May be dropped without losing a byte.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        fill(&mut self.stream, &mut self.ahead, HEAD).await
    }
}

/// Appends what can be read to `ahead`, at most `most` bytes. May be dropped without losing a byte.
pub(crate) async fn fill<R: AsyncRead + Unpin>(reader: &mut R, ahead: &mut BytesMut, most: usize) -> io::Result<usize> {
    poll_fn(|task| {
        let read = poll_piece(Pin::new(reader), task, most, |piece| ahead.extend_from_slice(piece));
        // Who waits holds nothing, nor the room in which a piece has come that was taken out of it since.
        if read.is_pending() && ahead.is_empty() {
            *ahead = BytesMut::new();
        }
        read
    })
    .await
}

/// Reads once into the shared buffer and hands out what has come; nothing at the end of the stream.
pub(crate) fn poll_piece(
    from: Pin<&mut impl AsyncRead>,
    task: &mut Context<'_>,
    most: usize,
    take: impl FnOnce(&[u8]),
) -> Poll<io::Result<usize>> {
    SHARED.with_borrow_mut(|buffer| {
        let most = most.min(buffer.len());
        let mut into = ReadBuf::new(buffer.get_mut(..most).unwrap_or_default());
        ready!(from.poll_read(task, &mut into))?;
        take(into.filled());
        Poll::Ready(Ok(into.filled().len()))
    })
}

thread_local! {
    /// Borrowed only within one poll, which never re-enters.
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// Where a body stands.
#[derive(Debug)]
pub(crate) enum Rest {
    /// Read to its end.
    Done,
    /// So many bytes are to come.
    Length(u64),
    /// Chunks are to come.
    Chunks(Box<Chunks>),
    /// All until the other side closes.
    UntilClose,
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the connection was closed in the middle of a body")]
    Cut,
    #[error("nothing was sent for {} s in the middle of a body", .0.as_secs())]
    Silent(Duration),
    #[error(transparent)]
    Chunks(#[from] ChunkError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A piece of a body.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The bytes as they came, chunk framing included: what to pass on to keep the framing.
    pub(crate) raw: Bytes,
    /// Where the data is in them.
    data: std::ops::Range<usize>,
}

impl Piece {
    /// The data alone.
    pub(crate) fn data(&self) -> Bytes {
        self.raw.slice(self.data.clone())
    }
}

impl From<Framing> for Rest {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Rest::Done,
            Framing::Length(length) => Rest::Length(length),
            Framing::Chunked => Rest::Chunks(Box::new(Chunks::of_request())),
        }
    }
}

impl From<BodyLength> for Rest {
    fn from(length: BodyLength) -> Self {
        match length {
            BodyLength::None | BodyLength::Length(0) => Rest::Done,
            BodyLength::Length(length) => Rest::Length(length),
            BodyLength::Chunked => Rest::Chunks(Box::new(Chunks::of_response())),
            BodyLength::UntilClose => Rest::UntilClose,
        }
    }
}

impl Rest {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Rest::Done)
    }

    /// The next piece out of what was read ahead; `None`: more must be read first, or it is done.
    pub(crate) fn next(&mut self, ahead: &mut BytesMut) -> Result<Option<Piece>, BodyError> {
        if ahead.is_empty() {
            return Ok(None);
        }
        match self {
            Rest::Done => Ok(None),
            Rest::UntilClose => Ok(Some(whole(ahead.split().freeze()))),
            Rest::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(ahead.len());
                *left = left.saturating_sub(length as u64);
                if *left == 0 {
                    *self = Rest::Done;
                }
                Ok(Some(whole(ahead.split_to(length).freeze())))
            }
            Rest::Chunks(chunks) => {
                let step = chunks.feed(ahead)?;
                if step.done {
                    *self = Rest::Done;
                }
                let consumed = step.consumed.min(ahead.len());
                Ok((consumed > 0).then(|| Piece { raw: ahead.split_to(consumed).freeze(), data: step.data }))
            }
        }
    }

    /// The next piece, read as far as needed. `None`: the body is whole.
    pub(crate) async fn read<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut R,
        ahead: &mut BytesMut,
        silence: Option<Duration>,
    ) -> Result<Option<Piece>, BodyError> {
        self.read_some(reader, ahead, READ, silence).await
    }

    /// The same, of at most so many bytes beyond those that were read ahead.
    pub(crate) async fn read_some<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut R,
        ahead: &mut BytesMut,
        most: usize,
        silence: Option<Duration>,
    ) -> Result<Option<Piece>, BodyError> {
        loop {
            if let Some(piece) = self.next(ahead)? {
                return Ok(Some(piece));
            }
            if self.is_done() {
                return Ok(None);
            }
            let more = fill(reader, ahead, most);
            let read = match silence {
                Some(silence) => {
                    tokio::time::timeout(silence, more).await.map_err(|_| BodyError::Silent(silence))??
                }
                None => more.await?,
            };
            if read == 0 {
                return match self {
                    Rest::UntilClose => {
                        *self = Rest::Done;
                        Ok(None)
                    }
                    _ => Err(BodyError::Cut),
                };
            }
        }
    }
}

fn whole(raw: Bytes) -> Piece {
    let data = 0..raw.len();
    Piece { raw, data }
}
