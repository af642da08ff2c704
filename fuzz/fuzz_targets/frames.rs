//! Frames of gRPC. The first byte says in what pieces they come.
//!
//! In whatever pieces, the same messages come out; what is one message is that one; and what was taken out, framed anew, is
//! what came in.
#![no_main]

use docker::buildkit::wire::{Frames, Malformed, framed, single};
use libfuzzer_sys::fuzz_target;

fn messages(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Result<(), Malformed>) {
    let mut frames = Frames::new(4096);
    let mut messages = Vec::new();
    for piece in bytes.chunks(size) {
        frames.feed(piece);
        loop {
            match frames.next() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    (messages, frames.finish())
}

fuzz_target!(|bytes: &[u8]| {
    let [size, stream @ ..] = bytes else { return };
    let whole = messages(stream, stream.len().max(1));
    assert_eq!(messages(stream, usize::from(*size).max(1)), whole);
    if let (found, Ok(())) = &whole {
        let again: Vec<u8> = found.iter().flat_map(|message| framed(message).expect("it is short")).collect();
        assert_eq!(again, stream);
        if let [one] = found.as_slice() {
            assert_eq!(single(stream), Ok(one.as_slice()));
        }
    }
});
