use super::*;

/// The path after the version, the version and the canonical target, or the refusal.
fn check(raw: &str, expected: Result<(&str, Option<&str>, &str), &str>) {
    let found = Target::parse(raw, &Method::Get);
    match (found, expected) {
        (Ok(target), Ok((rest, version, canonical))) => {
            assert!(!target.is_server());
            assert!(target.path().ends_with(rest) && target.path().starts_with('/'), "{raw}");
            assert_eq!(target.rest(), rest, "{raw}");
            assert_eq!(target.version().map(|v| v.to_string()).as_deref(), version, "{raw}");
            assert_eq!(target.canonical(), canonical, "{raw}");
            let again = Target::parse(canonical, &Method::Get);
            assert_eq!(again.as_ref(), Ok(&target), "{raw} encoded anew");
        }
        (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected, "{raw}"),
        (found, expected) => panic!("{raw}: expected {expected:?}, got {found:?}"),
    }
}

fn unclean(raw: &str) {
    check(raw, Err("the path has an empty, `.` or `..` segment"));
}

#[test]
fn reads_paths() {
    check("/", Ok(("/", None, "/")));
    check("/containers/json", Ok(("/containers/json", None, "/containers/json")));
    check("/v1.41/containers/json", Ok(("/containers/json", Some("1.41"), "/v1.41/containers/json")));
    check("/v1.99/info", Ok(("/info", Some("1.99"), "/v1.99/info")));
    check("/v1.41/_ping", Ok(("/_ping", Some("1.41"), "/v1.41/_ping")));
    check("/v1.0/info", Ok(("/info", Some("1.0"), "/v1.0/info")));
    // Letter case counts: these reach nothing.
    check("/V1.41/info", Ok(("/V1.41/info", None, "/V1.41/info")));
    check("/INFO", Ok(("/INFO", None, "/INFO")));
    // A slash at the end counts: `/networks/` is a list, `/volumes/` the volume without a name.
    for path in ["/info/", "/containers/json/", "/_ping/", "/networks", "/networks/", "/volumes/"] {
        check(path, Ok((path, None, path)));
    }
    check("/v1.41/", Ok(("/", Some("1.41"), "/v1.41/")));
}

#[test]
fn decodes_once_and_encodes_in_one_spelling() {
    check("/%69nfo", Ok(("/info", None, "/info")));
    check("/v1%2E41/info", Ok(("/info", Some("1.41"), "/v1.41/info")));
    check("/v1.41/%69nfo", Ok(("/info", Some("1.41"), "/v1.41/info")));
    check("/v1.41%2Finfo", Ok(("/info", Some("1.41"), "/v1.41/info")));
    check("/%761.41/info", Ok(("/info", Some("1.41"), "/v1.41/info")));
    check("/containers%2Fjson", Ok(("/containers/json", None, "/containers/json")));
    check("/containers%2fjs%6fn", Ok(("/containers/json", None, "/containers/json")));
    let image = "/containers/ruby/x/json";
    check("/containers/ruby%2Fx/json", Ok((image, None, image)));
    check("/networks/%20", Ok(("/networks/ ", None, "/networks/%20")));
    let question = "/containers/json?all=1";
    check("/containers/json%3fall=1", Ok((question, None, "/containers/json%3Fall=1")));
    check("/a%2525", Ok(("/a%25", None, "/a%2525")));
    check("/a+b;c\\d:e@f", Ok(("/a+b;c\\d:e@f", None, "/a+b;c%5Cd:e@f")));
    check("/%c3%a4", Ok(("/ä", None, "/%C3%A4")));
    check("/info;x=1", Ok(("/info;x=1", None, "/info;x=1")));
    check("/images/a:1@sha256:b/json", Ok(("/images/a:1@sha256:b/json", None, "/images/a:1@sha256:b/json")));
}

#[test]
fn refuses_versions_that_readers_differ_on() {
    for version in [
        "v1",
        "v1.",
        "v.1",
        "v01.41",
        "v1.041",
        "v1.41.0",
        "v1.41.9",
        "v1.41.0.0.1",
        "v....",
        "v..",
        "v1.40.",
        "v001.040",
        "v1..41",
        "v1.65536",
        "v99999999999999999999.1",
        "v1.41/v1.40",
        "v1.41/v1",
        "v00.1",
    ] {
        let text = "is ambiguous; use one prefix of the form `/v1.41`";
        let raw = format!("/{version}/info");
        check(&raw, Err(&format!("the API version `{version}/info` {text}")));
    }
    assert_eq!(Target::parse("/v1.41", &Method::Get), Err(TargetError::Version("v1.41".to_owned())));
    check("/v", Ok(("/v", None, "/v")));
    check("/version", Ok(("/version", None, "/version")));
    check("/v1.x/info", Ok(("/v1.x/info", None, "/v1.x/info")));
    check("/v-1.41/info", Ok(("/v-1.41/info", None, "/v-1.41/info")));
    assert!(ApiVersion { major: 1, minor: 9 } < ApiVersion { major: 1, minor: 41 });
}

#[test]
fn refuses_what_the_daemon_redirects() {
    for raw in [
        "//info",
        "//",
        "/./info",
        "/x/../info",
        "/.",
        "/..",
        "/./",
        "/info/.",
        "/info/..",
        "/info//",
        "/v1.41//info",
        "/containers//json",
        "/images//json",
        "/containers/%2e%2e/info",
        "/v1.41/containers/..%2Finfo",
        "/containers/x/..%2f../json",
        "/a%2f%2fb",
        "/%2e",
        "/a%2f%2f",
        "/%2Finfo",
        "//host/info",
        "/a/.%2e/b",
    ] {
        unclean(raw);
    }
    check("/...", Ok(("/...", None, "/...")));
    check("/.a/..b", Ok(("/.a/..b", None, "/.a/..b")));
}

#[test]
fn refuses_what_is_no_path() {
    for raw in [
        "",
        "*",
        "info",
        "http://otherhost/info",
        "http:///info",
        "x:/info",
        "docker:2375",
        "?a=b",
        "foo://_ping/containers/create",
        "%2Finfo",
        "\\info",
    ] {
        check(raw, Err("the request target is not a path; it must start with `/`"));
    }
    check("/info#frag", Err("the request target holds a `#`"));
    check("/info?a=#", Err("the request target holds a `#`"));
    for raw in ["/a b", "/ä", "/a\nb", "/\0", "/a\u{7f}", "/?a b"] {
        check(raw, Err("the request target holds a character that must be percent-encoded"));
    }
}

#[test]
fn refuses_bad_escapes_and_control_characters() {
    check("/%zz", Err("the path holds the invalid escape `%zz`"));
    check("/%4", Err("the path holds the invalid escape `%4`"));
    check("/%", Err("the path holds the invalid escape `%`"));
    check("/%?a=41", Err("the path holds the invalid escape `%`"));
    check("/%u0041", Err("the path holds the invalid escape `%u0`"));
    check("/%ff", Err("the path is not valid UTF-8"));
    check("/%c0%af", Err("the path is not valid UTF-8"));
    for raw in ["/containers/a%00b/json", "/containers/x%0ay/json", "/%0d", "/%7f", "/%c2%85"] {
        check(raw, Err("the path holds a control character"));
    }
}

#[test]
fn reads_the_query_too() {
    check("/info?", Ok(("/info", None, "/info")));
    check("/info?&", Ok(("/info", None, "/info")));
    check("/a?%62=c+d&e", Ok(("/a", None, "/a?b=c%20d&e=")));
    check("/a??b=c", Ok(("/a", None, "/a?%3Fb=c")));
    check("/a?http://x/../y", Ok(("/a", None, "/a?http%3A%2F%2Fx%2F..%2Fy=")));
    check("/a?b=%zz", Err("the query holds the invalid escape `%zz`"));
    let target = Target::parse("/containers/json?all=1", &Method::Get).unwrap();
    assert_eq!(target.query().flag("all"), Ok(Some(true)));
}

#[test]
fn knows_the_server_itself() {
    let server = Target::parse("*", &Method::Options).unwrap();
    assert!(server.is_server() && server.query().is_empty());
    assert_eq!((server.path(), server.rest(), server.version()), ("*", "*", None));
    assert_eq!((server.canonical_path(), server.canonical()), ("*".to_owned(), "*".to_owned()));
    check("/*", Ok(("/*", None, "/%2A")));
    let other = Method::Other("options".to_owned());
    assert_eq!(Target::parse("*", &other), Err(TargetError::NotAPath));
    assert_eq!(Target::parse("*?a", &Method::Options), Err(TargetError::NotAPath));
    assert!(Target::parse("/info", &Method::Options).is_ok());
}

#[test]
fn encodes_a_segment() {
    let mut out = String::from("/containers/");
    encode_segment(&mut out, "a/../b?c&d=e");
    assert_eq!(out, "/containers/a%2F..%2Fb%3Fc%26d%3De");
}
