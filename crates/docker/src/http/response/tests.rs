use super::*;

fn head(request: &Method, lines: &str) -> Result<ResponseHead, HeadError> {
    let text = format!("{}\r\n\r\n", lines.replace('|', "\r\n"));
    match ResponseHead::parse(text.as_bytes(), request, &HeadLimits::default())? {
        Parsed::Complete { head, consumed } => {
            assert_eq!(consumed, text.len());
            Ok(head)
        }
        Parsed::Partial => panic!("partial: {text:?}"),
    }
}

fn check_line(line: &str, expected: Result<(u16, &str), HeadError>) {
    let found = head(&Method::Get, line);
    let found = found.as_ref().map(|head| (head.status(), head.reason()));
    assert_eq!(found.map_err(Clone::clone), expected, "{line}");
}

#[test]
fn reads_status_lines() {
    check_line("HTTP/1.1 200 OK", Ok((200, "OK")));
    check_line("HTTP/1.0 404 Not Found", Ok((404, "Not Found")));
    check_line("HTTP/1.1 200", Ok((200, "")));
    check_line("HTTP/1.1 200 ", Ok((200, "")));
    for line in [
        "HTTP/1.1",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 0200 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK",
        "HTTP/1.1 2x0 OK",
        "ICY 200 OK",
    ] {
        check_line(line, Err(HeadError::StatusLine));
    }
    check_line("HTTP/2.0 200 OK", Err(HeadError::Version("HTTP/2.0".to_owned())));
    check_line("HTTP/1.1 200 O\0K", Err(HeadError::Control(0)));
}

fn check_body(request: Method, lines: &str, expected: Result<BodyLength, HeadError>) {
    assert_eq!(head(&request, lines).map(|head| head.body()), expected, "{request} {lines}");
}

#[test]
fn tells_where_the_body_ends() {
    check_body(Method::Get, "HTTP/1.1 200 OK|Content-Length: 7", Ok(BodyLength::Length(7)));
    check_body(Method::Get, "HTTP/1.1 200 OK|Content-Length: 0", Ok(BodyLength::Length(0)));
    let chunked = "HTTP/1.1 200 OK|Transfer-Encoding: chunked";
    check_body(Method::Get, chunked, Ok(BodyLength::Chunked));
    check_body(Method::Post, "HTTP/1.1 200 OK", Ok(BodyLength::UntilClose));
    check_body(Method::Head, chunked, Ok(BodyLength::None));
    check_body(Method::Head, "HTTP/1.1 200 OK|Content-Length: 7", Ok(BodyLength::None));
    for status in [100, 101, 103, 204, 304] {
        let line = format!("HTTP/1.1 {status} x|Content-Length: 7");
        check_body(Method::Get, &line, Ok(BodyLength::None));
    }
}

#[test]
fn refuses_what_readers_differ_on() {
    let both = "|Content-Length: 7|Transfer-Encoding: chunked";
    check_body(Method::Get, &format!("HTTP/1.1 200 OK{both}"), Err(HeadError::TwoLengths));
    check_body(Method::Head, &format!("HTTP/1.1 200 OK{both}"), Err(HeadError::TwoLengths));
    let old = "HTTP/1.0 200 OK|Transfer-Encoding: chunked";
    check_body(Method::Get, old, Err(HeadError::TransferEncodingOnHttp10));
    let twice = "HTTP/1.1 200 OK|Content-Length: 7|Content-Length: 7";
    check_body(Method::Get, twice, Err(HeadError::Repeated("Content-Length".to_owned())));
}

#[test]
fn tells_what_becomes_of_the_connection() {
    let get = |lines: &str| head(&Method::Get, lines).unwrap();
    assert!(get("HTTP/1.1 100 Continue").is_interim());
    assert!(get("HTTP/1.1 103 Early Hints").is_interim());
    let upgraded = get("HTTP/1.1 101 UPGRADED|Connection: Upgrade|Upgrade: tcp");
    assert!(upgraded.is_upgraded() && !upgraded.is_interim() && !upgraded.keep_alive());
    assert!(get("HTTP/1.1 200 OK|Content-Length: 1").keep_alive());
    assert!(!get("HTTP/1.1 200 OK|Content-Length: 1|Connection: close").keep_alive());
    assert!(!get("HTTP/1.0 200 OK|Content-Length: 1").keep_alive());
    assert!(!get("HTTP/1.1 200 OK").keep_alive());
}

#[test]
fn bounds_garbage() {
    let limits = HeadLimits { bytes: 1000, line: 100, fields: 10 };
    let parse = |bytes: &[u8]| ResponseHead::parse(bytes, &Method::Get, &limits);
    assert_eq!(parse(&[b'x'; 101]), Err(HeadError::LineTooLong { limit: 100 }));
    let fields = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &[b'x'; 1000]].concat();
    assert_eq!(parse(&fields), Err(HeadError::TooLarge { limit: 1000 }));
}
