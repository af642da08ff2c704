//! Chunked bodies, decoded in place: each step tells which of the bytes it was shown are data.
//!
//! The decoder serves both for reading a body and for relaying one unchanged: in either case it
//! tells where the body ends, and so where the next message begins. An attacker works on just that
//! place, with sizes that overflow (`ffffffffffffffff1`), signs, blanks, `0x`, line ends that only
//! one reader accepts, and fields hidden in extensions or trailers. None of these is read here.

use std::ops::Range;

use thiserror::Error;

use super::syntax::{hex_digit, is_control};

/// Digits of a chunk size: what 64 bits hold.
const MAX_DIGITS: u8 = 16;

/// Bytes of extensions and trailers that one whole answer may have. Go sends none.
const MAX_EXTRAS: u32 = 16 * 1024;

/// A chunked body that this reader does not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChunkError {
    /// Something else than hexadecimal digits, or too many of them.
    #[error("the body has an invalid chunk size")]
    Size,
    /// A line that does not end with CR LF, or data longer than its size said.
    #[error("a chunk of the body does not end with CR LF")]
    LineEnd,
    /// An extension on a request, or one with control characters.
    #[error("the body has chunk extensions, which are not accepted")]
    Extension,
    /// A trailer on a request, or one with control characters.
    #[error("the body has trailer fields, which are not accepted")]
    Trailer,
    /// Extensions and trailers over the limit.
    #[error("the body has more than {MAX_EXTRAS} bytes of chunk extensions and trailer fields")]
    TooManyExtras,
}

/// What one step found in the input it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are dealt with. What remains is for the next step, or, after the
    /// end, belongs to the next message.
    pub consumed: usize,
    /// Which of them are data; may be empty.
    pub data: Range<usize>,
    /// Whether the body has ended.
    pub done: bool,
}

/// A decoder of one chunked body.
#[derive(Debug, Clone)]
pub struct Chunks {
    state: State,
    /// Bytes of extensions and trailers still accepted; none at all for requests.
    extras: Option<u32>,
}

/// What the next byte is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size { size: u64, digits: u8 },
    Extension { size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
    Failed(ChunkError),
}

const NEXT_SIZE: State = State::Size { size: 0, digits: 0 };

impl Chunks {
    /// For the body of a request: no extensions, no trailers.
    pub fn of_request() -> Self {
        Self { state: NEXT_SIZE, extras: None }
    }

    /// For the body of an answer: extensions and trailers are skipped, up to a limit.
    pub fn of_response() -> Self {
        Self { state: NEXT_SIZE, extras: Some(MAX_EXTRAS) }
    }

    /// Whether the body has ended. A connection that closes before this cut the body short.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next bytes, up to the end of one stretch of data or of the input. Ask again with
    /// the rest until all is consumed or the body is done. After an error every step fails alike.
    pub fn feed(&mut self, input: &[u8]) -> Result<Step, ChunkError> {
        let mut at: usize = 0;
        loop {
            match self.state {
                State::Data { left } => return Ok(self.take(at, input.len(), left)),
                State::Done => {
                    return Ok(Step { consumed: at, data: at..at, done: true });
                }
                State::Failed(error) => return Err(error),
                _ => {}
            }
            let Some(byte) = input.get(at) else {
                return Ok(Step { consumed: at, data: at..at, done: false });
            };
            self.state = self.next(*byte).unwrap_or_else(State::Failed);
            at = at.saturating_add(1);
        }
    }

    fn take(&mut self, at: usize, end: usize, left: u64) -> Step {
        let there = end.saturating_sub(at);
        let taken = usize::try_from(left).map_or(there, |left| left.min(there));
        // `taken` is no more than `left`, so the conversion back and the difference are exact.
        let left = left.saturating_sub(u64::try_from(taken).unwrap_or(left));
        self.state = if left == 0 { State::DataCr } else { State::Data { left } };
        let consumed = at.saturating_add(taken);
        Step { consumed, data: at..consumed, done: false }
    }

    fn next(&mut self, byte: u8) -> Result<State, ChunkError> {
        match (self.state, byte) {
            (State::Size { size, digits }, _) => self.size(size, digits, byte),
            (State::Extension { size }, b'\r') => Ok(State::SizeLf { size }),
            (State::Extension { size }, _) => {
                self.spend(byte, ChunkError::Extension)?;
                Ok(State::Extension { size })
            }
            (State::SizeLf { size: 0 }, b'\n') => Ok(State::TrailerStart),
            (State::SizeLf { size }, b'\n') => Ok(State::Data { left: size }),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(NEXT_SIZE),
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart, b' ' | b'\t') => Err(ChunkError::Trailer),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::TrailerStart | State::Trailer, _) => {
                self.spend(byte, ChunkError::Trailer)?;
                Ok(State::Trailer)
            }
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::Done),
            _ => Err(ChunkError::LineEnd),
        }
    }

    fn size(&mut self, size: u64, digits: u8, byte: u8) -> Result<State, ChunkError> {
        match (byte, hex_digit(byte)) {
            (b'\r', _) if digits > 0 => Ok(State::SizeLf { size }),
            (b';', _) if digits > 0 => {
                self.spend(byte, ChunkError::Extension)?;
                Ok(State::Extension { size })
            }
            (_, Some(digit)) if digits < MAX_DIGITS => {
                let size = size.checked_mul(16).ok_or(ChunkError::Size)?;
                let size = size.checked_add(u64::from(digit)).ok_or(ChunkError::Size)?;
                Ok(State::Size { size, digits: digits.saturating_add(1) })
            }
            _ => Err(ChunkError::Size),
        }
    }

    /// Pays for a byte that is neither size nor data; `refused` where there may be none.
    fn spend(&mut self, byte: u8, refused: ChunkError) -> Result<(), ChunkError> {
        let left = self.extras.ok_or(refused)?;
        if is_control(byte) {
            return Err(refused);
        }
        self.extras = Some(left.checked_sub(1).ok_or(ChunkError::TooManyExtras)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
