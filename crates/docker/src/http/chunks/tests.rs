use super::*;

/// Decodes input that arrives in pieces of a size. Gives the data and what is left over.
fn decode(mut chunks: Chunks, input: &[u8], piece: usize) -> Result<(Vec<u8>, Option<Vec<u8>>), ChunkError> {
    let (mut data, mut rest) = (Vec::new(), input);
    while !rest.is_empty() && !chunks.is_done() {
        let shown = &rest[..rest.len().min(piece)];
        let step = chunks.feed(shown)?;
        assert!(step.consumed > 0 && step.data.end <= step.consumed);
        assert_eq!(step.done, chunks.is_done());
        data.extend_from_slice(&shown[step.data]);
        rest = &rest[step.consumed..];
    }
    Ok((data, chunks.is_done().then(|| rest.to_vec())))
}

/// The data and the left-over of a body, or `None` for a left-over if it does not end.
fn check(chunks: Chunks, input: &str, expected: Result<(&str, Option<&str>), ChunkError>) {
    let expected = expected.map(|(data, left)| (data.into(), left.map(|left| left.into())));
    for piece in 1..=input.len().max(1) {
        let found = decode(chunks.clone(), input.as_bytes(), piece);
        assert_eq!(found, expected, "{input:?} in pieces of {piece}");
    }
}

#[test]
fn decodes() {
    let check = |input, data, left| check(Chunks::of_request(), input, Ok((data, left)));
    check("", "", None);
    check("0\r\n\r\n", "", Some(""));
    check("00\r\n\r\nGET", "", Some("GET"));
    check("3\r\nabc\r\n0\r\n\r\n", "abc", Some(""));
    check("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nrest", "abc0123456789", Some("rest"));
    check("0000000000000003\r\na\r\n\r\n0\r\n\r\n", "a\r\n", Some(""));
    check("3\r\nab", "ab", None);
    check("3\r\nabc\r\n0\r\n\r", "abc", None);
    check("ffffffffffffffff\r\nabc", "abc", None);
}

#[test]
fn refuses_other_sizes_and_line_ends() {
    for input in [
        "\r\n",
        " 3\r\nabc",
        "+3\r\nabc",
        "-3\r\nabc",
        "0x3\r\nabc",
        "3 \r\nabc",
        "3\t\r\n",
        "g\r\n",
        "3\nabc",
        "00000000000000003\r\n",
        "ffffffffffffffff1\r\n",
        "٣\r\n",
        "3_0\r\n",
        ";a\r\n",
    ] {
        check(Chunks::of_request(), input, Err(ChunkError::Size));
        check(Chunks::of_response(), input, Err(ChunkError::Size));
    }
    for input in ["3\r\r\nabc", "3\rabc", "3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc\r3", "0\r\n\rX"] {
        check(Chunks::of_request(), input, Err(ChunkError::LineEnd));
        check(Chunks::of_response(), input, Err(ChunkError::LineEnd));
    }
}

#[test]
fn refuses_extras_on_requests() {
    check(Chunks::of_request(), "3;a=b\r\nabc", Err(ChunkError::Extension));
    check(Chunks::of_request(), "0;\r\n\r\n", Err(ChunkError::Extension));
    check(Chunks::of_request(), "0\r\nContent-Length: 9\r\n\r\n", Err(ChunkError::Trailer));
    check(Chunks::of_request(), "0\r\n\n", Err(ChunkError::Trailer));
}

#[test]
fn skips_bounded_extras_on_answers() {
    let check = |input: &str, expected| check(Chunks::of_response(), input, expected);
    check("3;a=\"b\"\r\nabc\r\n0;\r\nA: b\r\nC: d\r\n\r\nx", Ok(("abc", Some("x"))));
    check("3;a\nabc", Err(ChunkError::Extension));
    check("3;\0\r\nabc", Err(ChunkError::Extension));
    check("0\r\nA: b\n\r\n", Err(ChunkError::Trailer));
    check("0\r\nA: b\r\n fold\r\n\r\n", Err(ChunkError::Trailer));
    check("0\r\nA: b\rX", Err(ChunkError::LineEnd));

    let mut flood = Chunks::of_response();
    let mut result = flood.feed(b"0\r\n");
    for _ in 0..2000 {
        result = result.and_then(|_| flood.feed(b"Aaaaaaa: b\r\n"));
    }
    assert_eq!(result, Err(ChunkError::TooManyExtras));
}

#[test]
fn stays_done_and_stays_failed() {
    let mut chunks = Chunks::of_request();
    assert!(chunks.feed(b"0\r\n\r\n").unwrap().done);
    assert_eq!(chunks.feed(b"more"), Ok(Step { consumed: 0, data: 0..0, done: true }));

    let mut chunks = Chunks::of_request();
    assert_eq!(chunks.feed(b"x"), Err(ChunkError::Size));
    assert_eq!(chunks.feed(b"0\r\n\r\n"), Err(ChunkError::Size));
    assert!(!chunks.is_done());
}
