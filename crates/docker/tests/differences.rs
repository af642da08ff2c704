//! Differences that were found beside Go and by fuzzing (docs/fuzzing.md), each a line of
//! `tests-data/differences/cases.jsonl`: never again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use docker::defaults::Defaults;
use docker::facts::CanonicalBody;
use docker::http::{HeadLimits, Parsed, RequestHead};
use docker::image::Reference;
use docker::request::{Call, Reading, Request};
use docker::world::World;

const CASES: &str = include_str!("../tests-data/differences/cases.jsonl");

/// What is read must be sent on in this form; none: it is refused.
#[derive(serde::Deserialize)]
struct Case {
    id: String,
    /// `name` and `short name` of an image, or method and target of a body.
    kind: String,
    input: String,
    expected: Option<String>,
}

#[test]
fn nothing_differs_again() {
    for line in CASES.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let sent = match case.kind.as_str() {
            "name" => Reference::parse(&case.input).ok().map(|name| name.to_string()),
            "short name" => Reference::parse(&case.input).ok().map(|name| name.familiar()),
            request => body(request, &case.input),
        };
        assert_eq!(sent, case.expected, "{}", case.id);
    }
}

/// The body that is sent on.
fn body(request: &str, body: &str) -> Option<String> {
    let head = format!("{request} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\r\n");
    let Parsed::Complete { head, .. } = RequestHead::parse(head.as_bytes(), &HeadLimits::default()).unwrap() else {
        panic!("half a head: {request}");
    };
    let call = Call::read(&head, &Reading::default()).ok()?;
    let request = Request::understand(call, body.as_bytes(), &Reading::default()).ok()?;
    match request.facts(&World::new(), &Defaults::default()).ok()?.canonical.body {
        CanonicalBody::Json(body) => Some(String::from_utf8(body).unwrap()),
        _ => None,
    }
}
