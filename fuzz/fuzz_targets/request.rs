//! Whole requests, `METHOD TARGET\nBODY`, all the way to the facts: what is sent is understood again as what
//! it was judged as.
#![no_main]

use differential::world::{asked, request, settle};
use docker::facts::CanonicalBody;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let body = bytes.get(line.len() + 1..).unwrap_or_default();
    let Some((method, target)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else { return };
    let Ok(understood) = request(method, target, body) else { return };
    let Some(facts) = settle(&understood) else { return };
    let sent = match &facts.canonical.body {
        CanonicalBody::Json(body) => body.as_slice(),
        _ => b"",
    };
    let again = request(facts.canonical.method.as_str(), &facts.canonical.target, sent);
    let again = settle(&again.expect("what is sent is accepted")).expect("what is sent has facts");
    assert_eq!(again.canonical, facts.canonical, "what is sent is sent otherwise");
    assert_eq!(asked(&again), asked(&facts), "what is sent asks for other privileges");
});
