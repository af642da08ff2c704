//! gRPC's frames: a byte that says whether the message is compressed, four for its length, the message.

use super::Malformed;

/// The longest message that is held: what the daemon itself takes.
pub const MOST_MESSAGE: usize = 16 << 20;

const HEAD: usize = 5;

/// The messages of a stream, out of the pieces that it comes in.
#[derive(Debug)]
pub struct Frames {
    held: Vec<u8>,
    /// How much at its beginning was given out.
    given: usize,
    most: usize,
}

impl Frames {
    /// Of messages no longer than this.
    pub fn new(most: usize) -> Frames {
        Frames { held: Vec::new(), given: 0, most: most.min(MOST_MESSAGE) }
    }

    /// The next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        // Once for each piece, and not for each message: there may be thousands in one.
        self.held.drain(..self.given);
        self.given = 0;
        self.held.extend_from_slice(piece);
    }

    fn rest(&self) -> &[u8] {
        self.held.get(self.given..).unwrap_or_default()
    }

    /// The next message, once it is there whole. A length that is too large is refused before the message comes.
    #[allow(clippy::should_implement_trait, reason = "more may come after none")]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some((length, rest)) = head(self.rest(), self.most)? else { return Ok(None) };
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let message = message.to_vec();
        self.given = self.given.saturating_add(HEAD).saturating_add(length);
        Ok(Some(message))
    }

    /// How much is held that is no message yet.
    pub fn held(&self) -> usize {
        self.rest().len()
    }

    /// The end, which may not be in the middle of a message.
    pub fn finish(&self) -> Result<(), Malformed> {
        if self.rest().is_empty() { Ok(()) } else { Err(Malformed::Short) }
    }
}

/// The one message of a call that takes one.
pub fn single(body: &[u8]) -> Result<&[u8], Malformed> {
    let (length, rest) = head(body, MOST_MESSAGE)?.ok_or(Malformed::Short)?;
    match rest.len().cmp(&length) {
        std::cmp::Ordering::Less => Err(Malformed::Short),
        std::cmp::Ordering::Equal => Ok(rest),
        std::cmp::Ordering::Greater => Err(Malformed::NotOne { found: 2 }),
    }
}

/// A message in its frame.
pub fn framed(message: &[u8]) -> Result<Vec<u8>, Malformed> {
    let length = u32::try_from(message.len()).map_err(|_| Malformed::TooLarge)?;
    let mut frame = Vec::with_capacity(HEAD.saturating_add(message.len()));
    frame.push(0);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    Ok(frame)
}

fn head(bytes: &[u8], most: usize) -> Result<Option<(usize, &[u8])>, Malformed> {
    let Some((flag, rest)) = bytes.split_first() else { return Ok(None) };
    if *flag != 0 {
        return Err(Malformed::Compressed);
    }
    let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed::TooLarge)?;
    if length > most { Err(Malformed::TooLarge) } else { Ok(Some((length, rest))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_any_pieces() {
        let stream = [framed(b"one").unwrap(), framed(b"").unwrap(), framed(b"three").unwrap()].concat();
        for size in 1..stream.len() {
            let mut frames = Frames::new(100);
            let mut messages = Vec::new();
            for piece in stream.chunks(size) {
                frames.feed(piece);
                while let Some(message) = frames.next().unwrap() {
                    messages.push(message);
                }
            }
            assert_eq!(messages, [&b"one"[..], b"", b"three"], "in pieces of {size}");
            frames.finish().unwrap();
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(single(&[1, 0, 0, 0, 0]), Err(Malformed::Compressed));
        assert_eq!(single(&[0, 0, 0, 0, 2, 1]), Err(Malformed::Short));
        assert_eq!(single(&[0, 0, 0]), Err(Malformed::Short));
        assert_eq!(single(&[]), Err(Malformed::Short));
        assert_eq!(single(&[0, 0xff, 0xff, 0xff, 0xff]), Err(Malformed::TooLarge));
        assert_eq!(single(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::NotOne { found: 2 }));
        assert_eq!(single(&[0, 0, 0, 0, 0]), Ok(&[][..]));
        let mut frames = Frames::new(10);
        frames.feed(&[0, 0, 0, 0, 11]);
        assert_eq!(frames.next(), Err(Malformed::TooLarge), "before the message has come");
        let mut frames = Frames::new(10);
        frames.feed(&[0, 0, 0, 0, 3, 1]);
        assert_eq!((frames.next(), frames.held(), frames.finish()), (Ok(None), 6, Err(Malformed::Short)));
    }
}
