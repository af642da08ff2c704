//! The answer's half where not all of it may be shown.

use std::io;

use docker::answer::filter::scrubbed;
use docker::http::{BodyLength, ResponseHead, Version, write_chunk, write_last_chunk, write_response_head};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::super::filter::Filtering;
use super::super::{Ahead, fields};
use super::{Download, HEAD};
use crate::wire::{BodyError, READ, Rest, fill};

impl Download<'_> {
    /// Passes on what may be shown of the answer, in chunks, or until the end for a client that knows none.
    pub(super) async fn filter<R, W>(
        &self,
        head: &ResponseHead,
        daemon: &mut R,
        ahead: Ahead<'_>,
        client: &mut W,
        mut filtering: Box<Filtering<'_>>,
    ) -> Result<bool, BodyError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let old = self.head.version() == Version::Http10;
        let length = if old { BodyLength::UntilClose } else { BodyLength::Chunked };
        let reusable = !old && head.keep_alive() && self.head.keep_alive();
        let mut out = Vec::with_capacity(HEAD);
        write_response_head(&mut out, head.status(), head.reason(), fields::of_answer(head, !reusable), length)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut rest = Rest::from(head.body());
        let mut ended = false;
        loop {
            let mut shown = Vec::new();
            while let Some(piece) = rest.next(ahead)? {
                filtering.pass(&piece.data(), &mut shown).await?;
                filtering.make_room(shown.capacity())?;
            }
            ended = ended || rest.is_done();
            if ended {
                filtering.finish(&mut shown)?;
            }
            self.traffic.to_client(shown.len());
            if old {
                out.append(&mut shown);
            } else {
                write_chunk(&mut out, &shown);
            }
            if ended && !old {
                write_last_chunk(&mut out);
            }
            client.write_all(&out).await?;
            client.flush().await?;
            out.clear();
            if ended {
                return Ok(reusable);
            }
            if fill(daemon, ahead, READ).await? == 0 {
                match rest {
                    Rest::UntilClose => ended = true,
                    _ => return Err(BodyError::Cut),
                }
            }
        }
    }

    /// Passes on an error without the ids of what its reader may not see.
    pub(super) async fn scrub<R, W>(
        &self,
        head: &ResponseHead,
        daemon: &mut R,
        ahead: Ahead<'_>,
        client: &mut W,
        request: &str,
    ) -> Result<bool, BodyError>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (mut rest, mut body) = (Rest::from(head.body()), Vec::new());
        while let Some(piece) = rest.read(daemon, ahead, None).await? {
            body.extend_from_slice(&piece.data());
            if body.len() > ERROR {
                return Err(io::Error::other("its error is too large").into());
            }
        }
        let body = scrubbed(&String::from_utf8_lossy(&body), request).into_bytes();
        let reusable = head.keep_alive() && self.head.keep_alive();
        let mut out = Vec::with_capacity(body.len().saturating_add(HEAD));
        let length = BodyLength::Length(body.len() as u64);
        write_response_head(&mut out, head.status(), head.reason(), fields::of_answer(head, !reusable), length)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        out.extend_from_slice(&body);
        self.traffic.to_client(body.len());
        client.write_all(&out).await?;
        client.flush().await?;
        Ok(reusable)
    }
}

/// The most that is read of an error whose ids are taken away, in bytes.
const ERROR: usize = 1 << 20;
