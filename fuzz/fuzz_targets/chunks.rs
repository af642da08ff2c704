//! The decoder of chunked bodies: what it finds does not depend on how the bytes were cut into reads, and
//! what it decodes can be written and decoded again.
#![no_main]

use docker::http::{Chunks, write_chunk, write_last_chunk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for start in [Chunks::of_request, Chunks::of_response] {
        let whole = decoded(start(), bytes, usize::MAX);
        for pace in [1, 3] {
            assert_eq!(decoded(start(), bytes, pace), whole, "read by {pace}");
        }
        if let Some((data, _, true)) = whole {
            let mut written = Vec::new();
            write_chunk(&mut written, &data);
            write_last_chunk(&mut written);
            let length = written.len();
            assert_eq!(decoded(Chunks::of_request(), &written, 2), Some((data, length, true)));
        }
    }
});

/// The data, the bytes consumed, and whether the body has ended. `None`: refused.
fn decoded(mut chunks: Chunks, bytes: &[u8], pace: usize) -> Option<(Vec<u8>, usize, bool)> {
    let (mut data, mut at) = (Vec::new(), 0);
    let mut end = 0;
    while !chunks.is_done() && end < bytes.len() {
        end = end.saturating_add(pace).min(bytes.len());
        while at < end && !chunks.is_done() {
            let step = chunks.feed(&bytes[at..end]).ok()?;
            assert!(step.consumed <= end - at && step.data.end <= step.consumed, "a step beyond the input");
            data.extend_from_slice(&bytes[at..end][step.data.clone()]);
            at += step.consumed;
            if step.consumed == 0 {
                break;
            }
        }
    }
    Some((data, at, chunks.is_done()))
}
