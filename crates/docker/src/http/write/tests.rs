use super::*;
use crate::http::{Chunks, HeadLimits, Parsed, RequestHead, ResponseHead};

type Fields<'a> = &'a [(&'a str, &'a [u8])];

fn request(method: Method, target: &str, fields: Fields<'_>, framing: Framing) -> Result<String, WriteError> {
    let mut out = b"before ".to_vec();
    let result = write_request_head(&mut out, &method, target, fields.iter().copied(), framing);
    let out = String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned();
    if result.is_err() {
        assert_eq!(out, "", "a refused head leaves nothing behind");
    }
    result.map(|()| out)
}

fn response(status: u16, reason: &str, body: BodyLength) -> Result<String, WriteError> {
    let mut out = Vec::new();
    write_response_head(&mut out, status, reason, [("A", &b"b"[..])], body)?;
    Ok(String::from_utf8(out).unwrap())
}

const HOST: (&str, &[u8]) = ("Host", b"docker");

#[test]
fn writes_what_the_reader_reads() {
    for framing in [Framing::None, Framing::Length(0), Framing::Length(9), Framing::Chunked] {
        let fields: Fields<'_> = &[HOST, ("X-A", b"\xc3\xa4 b")];
        let text = request(Method::Post, "/a?b=c", fields, framing).unwrap();
        let parsed = RequestHead::parse(text.as_bytes(), &HeadLimits::default()).unwrap();
        let Parsed::Complete { head, consumed } = parsed else { panic!("partial") };
        assert_eq!(consumed, text.len());
        assert_eq!((head.method(), head.target()), (&Method::Post, "/a?b=c"));
        assert_eq!(head.framing(), framing);
        assert_eq!(head.headers().get("x-a"), Some(&b"\xc3\xa4 b"[..]));
    }
    for body in [BodyLength::Length(3), BodyLength::Chunked, BodyLength::UntilClose] {
        let text = response(200, "OK", body).unwrap();
        let limits = HeadLimits::default();
        let parsed = ResponseHead::parse(text.as_bytes(), &Method::Get, &limits).unwrap();
        let Parsed::Complete { head, .. } = parsed else { panic!("partial") };
        assert_eq!((head.status(), head.reason(), head.body()), (200, "OK", body));
    }
}

#[test]
fn writes_plainly() {
    let text = request(Method::Get, "/_ping", &[HOST], Framing::None).unwrap();
    assert_eq!(text, "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n");
    let text = response(204, "No Content", BodyLength::None).unwrap();
    assert_eq!(text, "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n");
    let text = response(403, "Forbidden", BodyLength::Length(2)).unwrap();
    assert_eq!(text, "HTTP/1.1 403 Forbidden\r\nA: b\r\nContent-Length: 2\r\n\r\n");
}

#[test]
fn refuses_injection() {
    let refused =
        |method: Method, target: &str, fields: Fields<'_>| request(method, target, fields, Framing::None).unwrap_err();
    let other = |name: &str| Method::Other(name.to_owned());
    assert_eq!(refused(other("GET / HTTP/1.1\r\nX:"), "/", &[HOST]), WriteError::Method);
    assert_eq!(refused(other(""), "/", &[HOST]), WriteError::Method);
    for target in ["", "/a b", "/a\r\nX: y", "/é", "/\0"] {
        assert_eq!(refused(Method::Get, target, &[HOST]), WriteError::Target, "{target:?}");
    }
    for name in ["", "A B", "A:", "A\r\nB", "Ä"] {
        let error = WriteError::Field(name.escape_default().to_string());
        assert_eq!(refused(Method::Get, "/", &[HOST, (name, b"x")]), error);
    }
    for value in [&b"a\r\nB: c"[..], b"a\nb", b"a\rb", b"\0", b" a", b"a\t"] {
        let error = WriteError::Field("A".to_owned());
        assert_eq!(refused(Method::Get, "/", &[HOST, ("A", value)]), error, "{value:?}");
    }
    for name in ["content-length", "Transfer-Encoding"] {
        assert_eq!(refused(Method::Get, "/", &[HOST, (name, b"5")]), WriteError::Framing);
    }
    assert_eq!(refused(Method::Get, "/", &[]), WriteError::Host);
    assert_eq!(refused(Method::Get, "/", &[HOST, ("HOST", b"x")]), WriteError::Host);

    let refused = |status, reason| response(status, reason, BodyLength::Length(0)).unwrap_err();
    assert_eq!(refused(200, "OK\r\nX: y"), WriteError::Status);
    assert_eq!(refused(99, ""), WriteError::Status);
    assert_eq!(refused(600, ""), WriteError::Status);
    assert_eq!(refused(204, ""), WriteError::Framing);
    assert_eq!(refused(101, ""), WriteError::Framing);
}

#[test]
fn writes_chunks() {
    let mut out = Vec::new();
    write_chunk(&mut out, b"");
    write_chunk(&mut out, &[b'x'; 18]);
    write_last_chunk(&mut out);
    assert_eq!(out, b"12\r\nxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    let step = Chunks::of_request().feed(&out).unwrap();
    assert_eq!(step.data, 4..22);
}
