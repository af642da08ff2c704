//! Heads of answers: no panic, and what decides over the connection is consistent.
#![no_main]

use docker::http::{BodyLength, HeadLimits, Method, Parsed, ResponseHead, write_response_head};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = HeadLimits::default();
    for method in [Method::Get, Method::Head] {
        let Ok(Parsed::Complete { head, consumed }) = ResponseHead::parse(bytes, &method, &limits) else { continue };
        assert!(consumed <= bytes.len());
        assert!((100..=599).contains(&head.status()));
        assert!(!head.keep_alive() || head.body() != BodyLength::UntilClose, "open, and its end unknown");
        assert!(!(head.is_interim() && head.is_upgraded()));
        let left_out = ["Content-Length", "Transfer-Encoding"];
        let fields =
            head.headers().iter().filter(|(name, _)| left_out.iter().all(|out| !out.eq_ignore_ascii_case(name)));
        let mut written = Vec::new();
        write_response_head(&mut written, head.status(), head.reason(), fields, head.body())
            .expect("it can be written");
        let Ok(Parsed::Complete { head: again, .. }) = ResponseHead::parse(&written, &method, &limits) else {
            assert!(
                written.len() > limits.bytes || head.headers().len() >= limits.fields,
                "what is written is refused"
            );
            continue;
        };
        assert_eq!((again.status(), again.body()), (head.status(), head.body()));
    }
});
