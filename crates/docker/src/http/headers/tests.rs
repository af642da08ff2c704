use super::*;

fn headers(lines: &str) -> Result<Headers, HeadError> {
    Headers::parse(lines.split('|').filter(|line| !line.is_empty()).map(str::as_bytes))
}

fn check(lines: &str, expected: &[(&str, &str)]) {
    let headers = headers(lines).unwrap();
    let found: Vec<_> = headers.iter().map(|(name, value)| (name, str::from_utf8(value).unwrap())).collect();
    assert_eq!(found, expected, "{lines}");
    assert_eq!(headers.len(), expected.len());
}

#[test]
fn reads_fields() {
    check("", &[]);
    check("Host: a", &[("Host", "a")]);
    check("Host:a|X-Y: \t b c \t", &[("Host", "a"), ("X-Y", "b c")]);
    check("A:|B: :", &[("A", ""), ("B", ":")]);
    check("A: 1|a: 2", &[("A", "1"), ("a", "2")]);
}

#[test]
fn refuses_what_is_no_field() {
    let refused = |lines| headers(lines).unwrap_err().to_string();
    assert_eq!(refused("Host"), "a line of the head is not of the form `Name: value`");
    assert_eq!(refused(": x"), "`` is not a field name");
    assert_eq!(refused("Host : x"), "`Host ` is not a field name");
    assert_eq!(refused("Ho\tst: x"), "`Ho\\tst` is not a field name");
    assert_eq!(refused("Hö: x"), "`H\\xc3\\xb6` is not a field name");
    assert_eq!(refused("A: \u{1}"), "the head holds the control character 0x01");
}

#[test]
fn looks_up_by_name() {
    let headers = headers("A: 1|b: 2|a: 3").unwrap();
    assert_eq!(headers.get("a"), Some(&b"1"[..]));
    assert_eq!(headers.all("A").collect::<Vec<_>>(), [b"1", b"3"]);
    assert_eq!(headers.one("B"), Ok(Some(&b"2"[..])));
    assert_eq!(headers.one("c"), Ok(None));
    assert_eq!(headers.one("A"), Err(HeadError::Repeated("A".to_owned())));
}

#[test]
fn reads_connection_options() {
    let headers = headers("Connection: Upgrade , x|connection: CLOSE").unwrap();
    assert!(headers.has_connection_option("upgrade"));
    assert!(headers.has_connection_option("close"));
    assert!(!headers.has_connection_option("keep-alive"));
}

#[test]
fn reads_the_media_type() {
    let check = |line: &str, expected: Result<Option<&str>, &str>| {
        let found = headers(line).unwrap().content_type();
        let found = found.map(|media| media.map(|media| media.essence().to_owned()));
        assert_eq!(
            found.map_err(|error| error.to_string()),
            expected.map(|media| media.map(str::to_owned)).map_err(str::to_owned),
            "{line}"
        );
    };
    check("A: b", Ok(None));
    check("Content-Type:", Ok(None));
    check("Content-Type: APPLICATION/JSON; charset=utf-16", Ok(Some("application/json")));
    check("Content-Type: application/x-tar ;", Ok(Some("application/x-tar")));
    check("Content-Type: json", Err("`json` cannot be read as `Content-Type`"));
    check("Content-Type: a/b/c", Err("`a/b/c` cannot be read as `Content-Type`"));
    check("Content-Type: a /b", Err("`a /b` cannot be read as `Content-Type`"));
    check("Content-Type: ;a/b", Err("`;a/b` cannot be read as `Content-Type`"));
    check("Content-Type: a/b, c/d", Err("`a/b, c/d` cannot be read as `Content-Type`"));
    // Go lowers the dotted capital I to `i`.
    let dotted = "`appl\\xc4\\xb0cation/json` cannot be read as `Content-Type`";
    check("Content-Type: applİcation/json", Err(dotted));
    check("Content-Type: a/b|content-type: a/b", Err("the field `Content-Type` is repeated"));
}
