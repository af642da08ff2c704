use super::*;

fn check(raw: &str, expected: Result<&[(&str, &str)], &str>) {
    match (Query::parse(raw), expected) {
        (Ok(query), Ok(expected)) => {
            assert_eq!(query.iter().collect::<Vec<_>>(), expected, "{raw}");
            assert_eq!(Query::parse(&query.canonical()), Ok(query), "{raw} encoded anew");
        }
        (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected, "{raw}"),
        (found, expected) => panic!("{raw}: expected {expected:?}, got {found:?}"),
    }
}

#[test]
fn reads_parameters() {
    check("", Ok(&[]));
    check("&&", Ok(&[]));
    check("a", Ok(&[("a", "")]));
    check("a=", Ok(&[("a", "")]));
    check("=", Ok(&[("", "")]));
    check("=a", Ok(&[("", "a")]));
    check("a=b=c", Ok(&[("a", "b=c")]));
    check("a&&b=1&", Ok(&[("a", ""), ("b", "1")]));
    check("%61ll=1", Ok(&[("all", "1")]));
    check("?name=x", Ok(&[("?name", "x")]));
    check("a=x+y%2Bz%20w", Ok(&[("a", "x y+z w")]));
    check("a%3Db=c%26d", Ok(&[("a=b", "c&d")]));
    check("a=%3B", Ok(&[("a", ";")]));
    check("changes=CMD%20a%0Ab", Ok(&[("changes", "CMD a\nb")]));
    check("a=%C3%A4", Ok(&[("a", "ä")]));
    check("a=1&A=2&a=3", Ok(&[("a", "1"), ("A", "2"), ("a", "3")]));
    check("a=%2525", Ok(&[("a", "%25")]));
}

#[test]
fn refuses_what_readers_differ_on() {
    let semicolon = "the query holds a `;`; separate parameters with `&`, or write `%3B`";
    check("a=1;name=qqS", Err(semicolon));
    check(";", Err(semicolon));
    check("name=%zz&", Err("the query holds the invalid escape `%zz`"));
    check("%zz", Err("the query holds the invalid escape `%zz`"));
    check("a=%", Err("the query holds the invalid escape `%`"));
    check("a=%4", Err("the query holds the invalid escape `%4`"));
    check("a=%4&b=1", Err("the query holds the invalid escape `%4`"));
    check("a=%+f", Err("the query holds the invalid escape `%+f`"));
    check("a=%FF", Err("the query is not valid UTF-8"));
    check("a=%00", Err("the query holds a NUL character"));
    check("a%00b=1", Err("the query holds a NUL character"));
    let character = "the query holds a character that must be percent-encoded";
    for raw in ["a=b c", "a=ä", "a=b#c", "a=\n", "a=\0"] {
        check(raw, Err(character));
    }
    assert!(Query::parse(&"a&".repeat(256)).is_ok());
    assert_eq!(Query::parse(&"a&".repeat(257)), Err(QueryError::TooMany));
}

#[test]
fn answers_questions() {
    let query = Query::parse("t=a&t=b&q=0&name=x").unwrap();
    assert_eq!(query.one("name"), Ok(Some("x")));
    assert_eq!(query.one("NAME"), Ok(None));
    assert_eq!(query.one("t").unwrap_err().to_string(), "the query parameter `t` is repeated");
    assert_eq!(query.all("t").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(query.names().collect::<Vec<_>>(), ["t", "t", "q", "name"]);
    assert_eq!(query.first_unknown(&["t", "name"]), Some("q"));
    assert_eq!(query.first_unknown(&["t", "name", "q"]), None);
    assert_eq!((query.flag("q"), query.flag("v")), (Ok(Some(false)), Ok(None)));
    assert_eq!(query.canonical(), "t=a&t=b&q=0&name=x");
    // Escaped and plain spellings of one name are one parameter.
    let spelled = Query::parse("signal=FIRST&sign%61l=SECOND").unwrap();
    assert_eq!(spelled.one("signal"), Err(QueryError::Repeated("signal".to_owned())));
}

#[test]
fn encodes_in_one_spelling() {
    let canonical = |raw: &str| Query::parse(raw).unwrap().canonical();
    assert_eq!(canonical("a&&%62=%7e+%2f/"), "a=&b=~%20%2F%2F");
    assert_eq!(canonical("filters={\"label\":[\"a=b\"]}"), "filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D");
    assert_eq!(canonical("=&"), "=");
}

/// The rows `bool` of what real daemons answered; `%00` among them is refused with the query.
#[test]
fn reads_booleans_as_the_daemon() {
    for value in ["0", "false", "no", "none", "NONE", " false", "", "\t\u{a0}False\u{2003}\n"] {
        assert!(!go_bool(value), "{value:?}");
    }
    for value in ["1", "true", "True", "yes", "off", "2", "f", "00", "n o", "ｎｏ", "\u{200b}no"] {
        assert!(go_bool(value), "{value:?}");
    }
}
