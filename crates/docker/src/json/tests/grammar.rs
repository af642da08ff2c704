//! What is not one JSON value, and what an error tells.

use super::super::{Kind, Options};
use super::{assert_all, canonical, refused};

#[test]
fn what_is_not_one_json_value_is_refused() {
    assert_all(&[
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("{} {}", "the body goes on after its value (line 1 column 4)"),
        ("{}}", "the body goes on after its value (line 1 column 3)"),
        ("{}]", "the body goes on after its value (line 1 column 3)"),
        ("{}\nxyz", "the body goes on after its value (line 2 column 1)"),
        ("{}\0", "the body goes on after its value (line 1 column 3)"),
        ("\u{FEFF}{}", "the body starts with a byte order mark"),
        ("{", "the body is not valid JSON: EOF while parsing an object (line 1 column 1)"),
        (r#"{"Image":"a",}"#, "the body is not valid JSON: trailing comma (line 1 column 14)"),
        ("{/*x*/}", "the body is not valid JSON: key must be a string (line 1 column 2)"),
        (r#"{'Image':"a"}"#, "the body is not valid JSON: key must be a string (line 1 column 2)"),
        (r#"{"Image":nul}"#, "`Image` is not valid JSON: expected ident (line 1 column 13)"),
        (r#"{"Tty":tru}"#, "`Tty` is not valid JSON: expected ident (line 1 column 11)"),
        (r#"{"StopTimeout":01}"#, "`StopTimeout` is not valid JSON: invalid number (line 1 column 17)"),
        (r#"{"StopTimeout":+1}"#, "`StopTimeout` is not valid JSON: expected value (line 1 column 16)"),
        (r#"{"User":"\ud800"}"#, "`User` is not valid JSON: unexpected end of hex escape (line 1 column 16)"),
        (r#"{"User":"\udc00"}"#, "`User` is not valid JSON: lone leading surrogate in hex escape (line 1 column 15)"),
        (
            r#"{"Us\ud800\u0041er":"a"}"#,
            "the body is not valid JSON: lone leading surrogate in hex escape (line 1 column 16)",
        ),
        (
            r#"{"Links":["\udc00"]}"#,
            "`Links[0]` is not valid JSON: lone leading surrogate in hex escape (line 1 column 17)",
        ),
        (
            "{\"User\":\"a\nb\"}",
            "`User` is not valid JSON: control character (\\u0000-\\u001F) found while parsing a string (line 2 column 0)",
        ),
    ]);
    let broken = refused(b"{\"Image\":\n\"a\xff\"}");
    assert_eq!(broken.to_string(), "the body is not valid UTF-8 (line 2 column 3)");
    assert_eq!((broken.kind, broken.line, broken.column), (Kind::Malformed, 2, 3));
}

#[test]
fn depth_is_bounded() {
    for field in ["Links", "Options", "User", "Tty"] {
        let deep = format!(r#"{{"{field}":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(refused(deep.as_bytes()).kind, Kind::Malformed | Kind::WrongType), "{field}");
    }
    let fitting = format!(r#"{{"Links":{}{}}}"#, "[".repeat(120), "]".repeat(120));
    assert_eq!(canonical(&fitting, &Options::default()).as_deref(), Ok("{}"));
}

#[test]
fn every_error_has_its_kind_and_place() {
    let cases: &[(&str, Kind, &str, usize, usize)] = &[
        (r#"{"Image":"#, Kind::Malformed, "Image", 1, 9),
        ("{}x", Kind::TrailingData, "", 1, 3),
        (r#"{"Tty":true,"tty":1}"#, Kind::Ambiguous, "Tty", 1, 17),
        (r#"{"Nope":1}"#, Kind::UnknownField, "Nope", 1, 7),
        (r#"{"Tty":1}"#, Kind::WrongType, "Tty", 1, 9),
        (r#"{"HostConfig":{"Mode":-1}}"#, Kind::OutOfRange, "HostConfig.Mode", 1, 25),
        (r#"{"Env":[null]}"#, Kind::Null, "Env[0]", 1, 13),
        ("null", Kind::Null, "", 0, 0),
    ];
    for (body, kind, path, line, column) in cases {
        let error = refused(body.as_bytes());
        assert_eq!(
            (error.kind, error.path.as_str(), error.line, error.column),
            (*kind, *path, *line, *column),
            "{body}"
        );
    }
}

#[test]
fn no_error_repeats_a_value() {
    let fields = ["Image", "Tty", "Cmd", "Env", "Labels", "StopTimeout", "HostConfig", "EndpointsConfig", "Nope"];
    let values =
        [r#""s3cret""#, r#"["s3cret", 5.25]"#, r#"{"a":"s3cret","a":1}"#, r#"[["s3cret"]]"#, r#""s3cret"#, "5.25"];
    for field in fields {
        for value in values {
            let body = format!(r#"{{"{field}":{value}}}"#);
            if let Err(error) = canonical(&body, &Options::default()) {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("s3cret") && !shown.contains("5.25"), "{body}: {shown}");
            }
        }
    }
}
