//! Unknown fields that are allowed through.

use std::collections::BTreeSet;

use super::super::{Kind, Options, Step, read};
use super::{Create, assert_same, canonical};

fn allow(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| path.to_string()).collect()
}

#[test]
fn allowed_fields_keep_their_place() {
    let allowed = allow(&["Future", "HostConfig.Mounts.NewThing", "hostconfig.logconfig.mode", "EndpointsConfig.New"]);
    let options = Options { allow_fields: &allowed };
    let cases = [
        (r#"{"Future":[1,{"a":null}]}"#, r#"{"Future":[1,{"a":null}]}"#),
        ("{\"FUTURE\":\"\u{17F}\",\"Tty\":true}", "{\"Future\":\"\u{17F}\",\"Tty\":true}"),
        (
            r#"{"HostConfig":{"Mounts":[{"Type":"bind"},{"newthing":{"b":18446744073709551615},"Target":"/t"}]}}"#,
            r#"{"HostConfig":{"Mounts":[{"Type":"bind"},{"NewThing":{"b":18446744073709551615},"Target":"/t"}]}}"#,
        ),
        (r#"{"HostConfig":{"LogConfig":{"Mode":1}}}"#, r#"{"HostConfig":{"LogConfig":{"mode":1}}}"#),
        (r#"{"EndpointsConfig":{"a.b":{"New":null}}}"#, r#"{"EndpointsConfig":{"a.b":{"New":null}}}"#),
        (r#"{"Future":1,"future":1}"#, "`Future` is given twice (line 1 column 20)"),
        (r#"{"Future":{"a":1,"a":1}}"#, r#"`Future["a"]` is given twice (line 1 column 20)"#),
        (r#"{"Future":"\ud800"}"#, "`Future` is not valid JSON: unexpected end of hex escape (line 1 column 18)"),
        (r#"{"NewThing":1}"#, "unknown field `NewThing` at line 1 column 11"),
        (r#"{"HostConfig":{"Future":1}}"#, "unknown field `HostConfig.Future` at line 1 column 23"),
        (r#"{"HostConfig":{"Mounts.NewThing":1}}"#, "unknown field `HostConfig.Mounts.NewThing` at line 1 column 32"),
        (
            r#"{"HostConfig":{"Mounts":[{"VolumeOptions":{"NewThing":1}}]}}"#,
            "unknown field `HostConfig.Mounts[0].VolumeOptions.NewThing` at line 1 column 53",
        ),
    ];
    for (body, expected) in cases {
        let answer = canonical(body, &options).unwrap_or_else(|error| error.to_string());
        assert_same(&answer, expected, body);
    }
}

#[test]
fn extras_are_told_and_not_misplaced() {
    let allowed = allow(&["HostConfig.Mounts.NewThing", "EndpointsConfig.New"]);
    let options = Options { allow_fields: &allowed };
    let text = br#"{"HostConfig":{"Mounts":[{},{"NEWTHING":7}]}}"#;
    let mut body = read::<Create>(text, &options).unwrap();
    let extra = &body.extras()[0];
    assert_eq!(extra.path(), "HostConfig.Mounts[1].NewThing");
    assert_eq!((extra.name.as_str(), &extra.value), ("NewThing", &serde_json::json!(7)));
    let place = [Step::Field("HostConfig".into()), Step::Field("Mounts".into()), Step::Index(1)];
    assert_eq!(extra.place, place);

    body.value_mut().user = "1000".into();
    let edited = body.canonical().unwrap();
    assert_eq!(read::<Create>(&edited, &options).unwrap(), body);

    body.value_mut().host_config.as_mut().unwrap().mounts.as_mut().unwrap().pop();
    let lost = body.canonical().unwrap_err();
    assert_eq!(lost.kind, Kind::Unwritable);
    assert_eq!(lost.to_string(), "`HostConfig.Mounts[1].NewThing` has lost its place in the body");

    let mut body = read::<Create>(br#"{"EndpointsConfig":{"n":{"New":1}}}"#, &options).unwrap();
    body.value_mut().endpoints.clear();
    assert_eq!(body.canonical().unwrap_err().path, r#"EndpointsConfig["n"].New"#);
    assert_eq!(body.into_value(), Create::default());
}
