use super::*;

const LIMITS: HeadLimits = HeadLimits { bytes: 60, line: 20, fields: 3 };

/// The verdict on a head that arrives whole; checked to be the same for every way of cutting it.
fn check(input: &[u8], expected: Result<Option<usize>, HeadError>) {
    assert_eq!(HeadScan::new(&LIMITS).advance(input), expected, "{}", input.escape_ascii());
    for cut in 0..input.len() {
        let mut scan = HeadScan::new(&LIMITS);
        let verdict = match scan.advance(&input[..cut]) {
            Ok(None) => scan.advance(input),
            early => early,
        };
        assert_eq!(verdict, expected, "cut at {cut}: {}", input.escape_ascii());
    }
}

#[test]
fn finds_the_end() {
    check(b"", Ok(None));
    check(b"GET / HTTP/1.1", Ok(None));
    check(b"GET / HTTP/1.1\r", Ok(None));
    check(b"GET / HTTP/1.1\r\nHost: a\r\n", Ok(None));
    check(b"GET / HTTP/1.1\r\n\r\n", Ok(Some(18)));
    check(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n", Ok(Some(27)));
}

#[test]
fn refuses_other_line_ends_at_once() {
    check(b"GET / HTTP/1.1\n", Err(HeadError::BareLf));
    check(b"GET / HTTP/1.1\r\nHost: a\n\r\n", Err(HeadError::BareLf));
    check(b"GET / HTTP/1.1\rHost: a", Err(HeadError::BareCr));
    check(b"GET / HTTP/1.1\r\r\n", Err(HeadError::BareCr));
    check(b"\r\nGET / HTTP/1.1\r\n\r\n", Err(HeadError::LeadingEmptyLine));
    check(b"\nGET / HTTP/1.1\r\n\r\n", Err(HeadError::BareLf));
}

#[test]
fn refuses_folding_and_control_characters() {
    check(b"G / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", Err(HeadError::Folded));
    check(b"G / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", Err(HeadError::Folded));
    check(b"G / HTTP/1.1\r\n A: b\r\n\r\n", Err(HeadError::Folded));
    check(b"G / HTTP/1.1\r\nA: \0\r\n\r\n", Err(HeadError::Control(0)));
    check(b"G / HTTP/1.1\r\nA: \x7f\r\n\r\n", Err(HeadError::Control(0x7f)));
    check(b"\x16\x03\x01\x02\x00\x01", Err(HeadError::Tls));
}

#[test]
fn keeps_to_the_limits() {
    check(b"GET /67890 HTTP/1.11\r\n\r\n", Ok(Some(24)));
    check(b"GET /678901 HTTP/1.11\r\n", Err(HeadError::LineTooLong { limit: 20 }));
    check(b"G /\r\na:\r\nb:\r\nc:\r\n\r\n", Ok(Some(19)));
    check(b"G /\r\na:\r\nb:\r\nc:\r\nd:\r\n", Err(HeadError::TooManyFields { limit: 3 }));
    let head = |length: usize| [b"G /\r\na:", &vec![b'x'; length][..], b"\r\n\r\n"].concat();
    check(&head(49), Ok(Some(60)));
    check(&head(50), Err(HeadError::TooLarge { limit: 60 }));
    check(&head(500), Err(HeadError::TooLarge { limit: 60 }));
}
