use super::*;

fn parse(input: &str) -> Result<RequestHead, HeadError> {
    match RequestHead::parse(input.as_bytes(), &HeadLimits::default())? {
        Parsed::Complete { head, consumed } => {
            assert_eq!(consumed, input.len());
            Ok(head)
        }
        Parsed::Partial => panic!("partial: {input:?}"),
    }
}

/// A request line and fields, separated by `|`.
fn head(lines: &str) -> Result<RequestHead, HeadError> {
    parse(&format!("{}\r\n\r\n", lines.replace('|', "\r\n")))
}

fn check_line(line: &str, expected: Result<(&str, &str, Version), (u16, &str)>) {
    let found = head(&format!("{line}|Host: a"));
    let found = found.as_ref().map(|head| (head.method().as_str(), head.target(), head.version()));
    let found = found.map_err(|error| (error.status(), error.to_string()));
    assert_eq!(found, expected.map_err(|(status, text)| (status, text.to_owned())), "{line}");
}

#[test]
fn reads_request_lines() {
    check_line("GET /info HTTP/1.1", Ok(("GET", "/info", Version::Http11)));
    check_line("HEAD /_ping HTTP/1.0", Ok(("HEAD", "/_ping", Version::Http10)));
    check_line("OPTIONS * HTTP/1.1", Ok(("OPTIONS", "*", Version::Http11)));
    check_line("GET http://x/info HTTP/1.1", Ok(("GET", "http://x/info", Version::Http11)));
    check_line("get /info HTTP/1.1", Ok(("get", "/info", Version::Http11)));
    assert_eq!(*head("get / HTTP/1.0").unwrap().method(), Method::Other("get".to_owned()));
    for method in ["PATCH", "TRACE", "CONNECT", "FOO"] {
        check_line(&format!("{method} / HTTP/1.1"), Ok((method, "/", Version::Http11)));
    }
}

#[test]
fn refuses_other_request_lines() {
    let form = "the request line is not of the form `METHOD TARGET HTTP/1.1`";
    for line in [
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET /a b HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET / http/1.1",
        "GET / XTTP/1.1",
    ] {
        check_line(line, Err((400, form)));
    }
    check_line("G(T / HTTP/1.1", Err((400, "`G(T` is not an HTTP method")));
    let target = "the request target holds a character that must be percent-encoded";
    check_line("GET /é HTTP/1.1", Err((400, target)));
    check_line("GET /a\tb HTTP/1.1", Err((400, target)));
    for version in ["HTTP/1.2", "HTTP/2.0", "HTTP/2", "HTTP/0.9", "HTTP/1.10", "HTTP/"] {
        let text = format!("HTTP version `{version}` is not spoken here; use HTTP/1.1");
        check_line(&format!("GET / {version}"), Err((505, &text)));
    }
    check_line("PRI * HTTP/2.0", Err((505, "HTTP/2 is not spoken here; use HTTP/1.1")));
    let preface = RequestHead::parse(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &HeadLimits::default());
    assert_eq!(preface, Err(HeadError::Http2Preface));
}

#[test]
fn waits_for_the_rest() {
    let whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..whole.len() {
        let parsed = RequestHead::parse(&whole[..cut], &HeadLimits::default());
        assert_eq!(parsed, Ok(Parsed::Partial), "cut at {cut}");
    }
    let pipelined = [&whole[..], &whole[..]].concat();
    match RequestHead::parse(&pipelined, &HeadLimits::default()).unwrap() {
        Parsed::Complete { consumed, .. } => assert_eq!(consumed, whole.len()),
        Parsed::Partial => panic!("partial"),
    }
}

/// The fields of a `POST / HTTP/1.1` and how its body is delimited, or the refusal.
fn check_framing(fields: &str, expected: Result<Framing, (u16, &str)>) {
    let found = head(&format!("POST / HTTP/1.1|Host: a{fields}"));
    let found = found.map(|head| head.framing()).map_err(|e| (e.status(), e.to_string()));
    assert_eq!(found, expected.map_err(|(status, text)| (status, text.to_owned())), "{fields}");
}

#[test]
fn reads_framing() {
    check_framing("", Ok(Framing::None));
    check_framing("|Content-Length: 0", Ok(Framing::Length(0)));
    check_framing("|content-length:  17 ", Ok(Framing::Length(17)));
    check_framing("|Content-Length: 18446744073709551615", Ok(Framing::Length(u64::MAX)));
    check_framing("|Transfer-Encoding: chunked", Ok(Framing::Chunked));
    check_framing("|TRANSFER-ENCODING: Chunked", Ok(Framing::Chunked));
    assert!(Framing::None.is_empty() && Framing::Length(0).is_empty());
    assert!(!Framing::Length(1).is_empty() && !Framing::Chunked.is_empty());
}

#[test]
fn refuses_lengths_that_readers_differ_on() {
    for value in ["", "+5", "-5", "05", "00", "5 5", "5,5", "5, 5", "0x5", "5.0", "1e3", "５", "\"5\""] {
        let text = format!("`{}` cannot be read as `Content-Length`", value.as_bytes().escape_ascii());
        check_framing(&format!("|Content-Length: {value}"), Err((400, &text)));
    }
    let big = "18446744073709551616";
    let text = format!("`{big}` cannot be read as `Content-Length`");
    check_framing(&format!("|Content-Length: {big}"), Err((400, &text)));

    let repeated = Err((400, "the field `Content-Length` is repeated"));
    check_framing("|Content-Length: 5|Content-Length: 5", repeated);
    check_framing("|Content-Length: 5|content-length: 6", repeated);
}

#[test]
fn refuses_transfer_codings_that_readers_differ_on() {
    for value in [
        "xchunked",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, identity",
        "chunked, chunked",
        "chunked;q=1",
        ", chunked",
        "\"chunked\"",
        "",
    ] {
        let text = format!(
            "the transfer coding `{}` is not supported; only a single `chunked` is",
            value.as_bytes().escape_ascii()
        );
        check_framing(&format!("|Transfer-Encoding: {value}"), Err((501, &text)));
    }
    let both = Err((400, "`Content-Length` and `Transfer-Encoding` contradict each other; send only one"));
    check_framing("|Content-Length: 5|Transfer-Encoding: chunked", both);
    check_framing("|Transfer-Encoding: chunked|Content-Length: 0", both);
    let twice = Err((400, "the field `Transfer-Encoding` is repeated"));
    check_framing("|Transfer-Encoding: chunked|Transfer-Encoding: chunked", twice);
    // The underscore is another name, for the daemon as for us.
    check_framing("|Transfer_Encoding: chunked", Ok(Framing::None));
    let old = head("POST / HTTP/1.0|Transfer-Encoding: chunked").unwrap_err();
    assert_eq!(old, HeadError::TransferEncodingOnHttp10);
}

fn check_refusal(lines: &str, status: u16, text: &str) {
    let error = head(lines).unwrap_err();
    assert_eq!((error.status(), error.to_string().as_str()), (status, text), "{lines}");
}

#[test]
fn demands_one_host() {
    check_refusal("GET / HTTP/1.1", 400, "the field `Host` is missing, which HTTP/1.1 requires");
    check_refusal("GET / HTTP/1.1|Host: a|Host: a", 400, "the field `Host` is repeated");
    check_refusal("GET / HTTP/1.0|Host: a|Host: b", 400, "the field `Host` is repeated");
    check_refusal("GET / HTTP/1.1|Host: a/b", 400, "`a/b` cannot be read as `Host`");
    check_refusal("GET / HTTP/1.1|Host: a b", 400, "`a b` cannot be read as `Host`");
    check_refusal("GET / HTTP/1.1|Host : a", 400, "`Host ` is not a field name");
    for host in ["", "docker", "localhost:2375", "[::1]:80", "%2Frun%2Fdocker.sock"] {
        assert!(head(&format!("GET / HTTP/1.1|Host: {host}")).is_ok(), "{host}");
    }
    assert!(head("GET / HTTP/1.0").is_ok());
}

#[test]
fn demands_single_clear_fields() {
    let with = |fields: &str| format!("POST / HTTP/1.1|Host: a|{fields}");
    for name in ["Content-Type", "Upgrade", "Expect"] {
        let text = format!("the field `{name}` is repeated");
        check_refusal(&with(&format!("{name}: a/b|{name}: a/b")), 400, &text);
    }
    check_refusal(&with("Upgrade:"), 400, "`` cannot be read as `Upgrade`");
    check_refusal(&with("Upgrade: h2c, tcp"), 400, "`h2c, tcp` cannot be read as `Upgrade`");
    check_refusal(&with("Content-Type: x"), 400, "`x` cannot be read as `Content-Type`");
    let expectation = "the expectation `200-ok` is not supported; only `100-continue` is";
    check_refusal(&with("Expect: 200-ok"), 417, expectation);
}

#[test]
fn tells_what_becomes_of_the_connection() {
    let keeps = |lines: &str| head(lines).unwrap().keep_alive();
    assert!(keeps("GET / HTTP/1.1|Host: a"));
    assert!(!keeps("GET / HTTP/1.1|Host: a|Connection: Close"));
    assert!(!keeps("GET / HTTP/1.1|Host: a|Connection: keep-alive, close"));
    assert!(!keeps("GET / HTTP/1.0"));
    assert!(keeps("GET / HTTP/1.0|Connection: Keep-Alive"));

    let upgrade = |lines: &str| head(lines).unwrap().upgrade().map(str::to_owned);
    assert_eq!(upgrade("POST / HTTP/1.1|Host: a"), None);
    assert_eq!(upgrade("POST / HTTP/1.1|Host: a|Upgrade: tcp").as_deref(), Some("tcp"));
    assert_eq!(upgrade("POST / HTTP/1.0|upgrade: HTTP/2.0").as_deref(), Some("HTTP/2.0"));

    let waits = |lines: &str| head(lines).unwrap().expects_continue();
    assert!(waits("PUT / HTTP/1.1|Host: a|Expect: 100-Continue|Content-Length: 1"));
    assert!(!waits("PUT / HTTP/1.1|Host: a|Expect: 100-continue"));
    assert!(!waits("PUT / HTTP/1.0|Expect: 100-continue|Content-Length: 1"));
}

#[test]
fn shows_little_of_long_values() {
    let error = head(&format!("GET / HTTP/1.1|Host: a|Upgrade: {}", ",".repeat(900))).unwrap_err();
    assert_eq!(error, HeadError::Upgrade(format!("{}...", ",".repeat(64))));
}

/// The rows `http` of what real daemons answered that are not named above: what they accept and
/// mean is accepted and means the same; what they accept by leniency is refused.
#[test]
fn agrees_with_the_daemons_or_refuses() {
    assert!(head("GET /info HTTP/1.0").is_ok());
    let body = head("GET /containers/json HTTP/1.1|Host: a|Content-Length: 2").unwrap();
    assert_eq!(body.framing(), Framing::Length(2));
    let gzip = head("POST /a HTTP/1.1|Host: a|Content-Encoding: gzip|Content-Length: 2").unwrap();
    assert_eq!(gzip.headers().get("content-encoding"), Some(&b"gzip"[..]));
    let h2c = "GET /_ping HTTP/1.1|Host: a|Connection: Upgrade, HTTP2-Settings|Upgrade: h2c";
    assert_eq!(head(h2c).unwrap().upgrade(), Some("h2c"));
    let other = "POST /info HTTP/1.1|Host: a|X-HTTP-Method-Override: GET";
    assert_eq!(*head(other).unwrap().method(), Method::Post);
    assert_eq!(parse("GET / HTTP/1.1\nHost: a\n\n"), Err(HeadError::BareLf));
    check_refusal("GET / HTTP/1.1|Host: a|A: b| c", 400, &HeadError::Folded.to_string());
}
