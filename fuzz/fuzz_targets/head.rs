//! Heads of requests: the first bytes of a connection.
//!
//! The verdict does not depend on how the bytes were cut into reads, and a head that is accepted says what
//! it said when it is written anew.
#![no_main]

use docker::http::{HeadLimits, HeadScan, Parsed, RequestHead, write_request_head};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = HeadLimits::default();
    let whole = RequestHead::parse(bytes, &limits);
    let mut scan = HeadScan::new(&limits);
    let steps = (0..=bytes.len()).step_by(1 + bytes.len() / 50);
    let ended = steps.chain([bytes.len()]).find_map(|end| scan.advance(&bytes[..end]).transpose());
    let Ok(Parsed::Complete { head, consumed }) = whole else { return };
    assert_eq!(ended, Some(Ok(consumed)), "the scan ends elsewhere");

    let left_out = ["Host", "Content-Length", "Transfer-Encoding"];
    let host = head.headers().get("Host").unwrap_or(b"docker");
    let others = head.headers().iter().filter(|(name, _)| left_out.iter().all(|out| !out.eq_ignore_ascii_case(name)));
    let fields: Vec<(&str, &[u8])> = std::iter::once(("Host", host)).chain(others).collect();
    let mut written = Vec::new();
    write_request_head(&mut written, head.method(), head.target(), fields, head.framing()).expect("it can be written");
    // Writing makes it HTTP/1.1, a little longer, and may so go over the limits.
    let Ok(Parsed::Complete { head: again, consumed }) = RequestHead::parse(&written, &limits) else {
        assert!(written.len() > limits.bytes || head.headers().len() >= limits.fields, "what is written is refused");
        return;
    };
    assert_eq!(consumed, written.len());
    let parts = |head: &RequestHead| (head.method().clone(), head.target().to_owned(), head.framing());
    assert_eq!(parts(&again), parts(&head));
});
