//! The keys of structs and maps: folded, given twice, unknown.

use super::super::{Options, read};
use super::{Create, assert_all, assert_host_configs, canonical, refused};

#[test]
fn keys_fold_as_in_go() {
    assert_all(&[
        ("{}", "{}"),
        (" \t\r\n{ } \n", "{}"),
        (r#"{"HostConfig":{"Privileged":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
        (r#"{"hostconfig":{"PRIVILEGED":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
        ("{\"Ho\u{17F}tConfig\":{\"Networ\u{212A}Mode\":\"host\"}}", r#"{"HostConfig":{"NetworkMode":"host"}}"#),
        (r#"{"Ho\u017ftConfig":{"Networ\u212aMode":"host"}}"#, r#"{"HostConfig":{"NetworkMode":"host"}}"#),
        (r#"{"\u0048ost\u0043onfig":{"\u0050rivileged":true}}"#, r#"{"HostConfig":{"Privileged":true}}"#),
        (r#"{"Labels":{"a":"1","A":"2"}}"#, r#"{"Labels":{"A":"2","a":"1"}}"#),
        (r#"{"image":"b","USER":"a"}"#, r#"{"Image":"b","User":"a"}"#),
    ]);
}

#[test]
fn what_is_given_twice_is_refused() {
    assert_all(&[
        (r#"{"HostConfig":{"Privileged":true},"HostConfig":{}}"#, "`HostConfig` is given twice (line 1 column 46)"),
        (r#"{"HostConfig":{"Privileged":true},"hostconfig":null}"#, "`HostConfig` is given twice (line 1 column 46)"),
        ("{\"User\":\"0\",\"U\u{17F}er\":null}", "`User` is given twice (line 1 column 19)"),
        ("{\"Image\":\"a\",\n \"IMAGE\":\"a\"}", "`Image` is given twice (line 2 column 8)"),
        (r#"{"Labels":{"a":"1","b":"2","a":"1"}}"#, r#"`Labels["a"]` is given twice (line 1 column 30)"#),
        (r#"{"Labels":{"a":"1","\u0061":"1"}}"#, r#"`Labels["a"]` is given twice (line 1 column 27)"#),
        (r#"{"Options":{"a":[{"b":1,"b":2}]}}"#, r#"`Options["a"][0]["b"]` is given twice (line 1 column 27)"#),
        (r#"{"Links":{"a":1,"a":2}}"#, r#"`Links["a"]` is given twice (line 1 column 19)"#),
        (
            r#"{"Options":{"$serde_json::private::RawValue":"{\"a\":1,\"a\":2}"}}"#,
            r#"`Options["$serde_json::private::RawValue"]` is a reserved name, which readers take differently (line 1 column 44)"#,
        ),
        (r#"{"Links":1,"links":1}"#, "`Links` is given twice (line 1 column 18)"),
    ]);
    assert_host_configs(&[
        (
            r#""Mounts":[{"Type":"bind","Source":"/","Target":"/h"}],"Mounts":[{"Target":"/h2"}]"#,
            "!`HostConfig.Mounts` is given twice (line 1 column 77)",
        ),
        (r#""Binds":["/:/h"],"Binds":[null]"#, "!`HostConfig.Binds` is given twice (line 1 column 39)"),
        (r#""Sysctls":{"a":"1"},"sysctls":{"b":"1"}"#, "!`HostConfig.Sysctls` is given twice (line 1 column 44)"),
        (r#""Privileged":true,"Privileged":null"#, "!`HostConfig.Privileged` is given twice (line 1 column 45)"),
        (
            r#""Mounts":[{},{"VolumeOptions":{"NoCopy":true},"volumeoptions":{}}]"#,
            "!`HostConfig.Mounts[1].VolumeOptions` is given twice (line 1 column 76)",
        ),
    ]);
}

#[test]
fn unknown_fields_are_refused_with_their_path() {
    assert_all(&[
        (
            r#"{"HostConfig":{"Privilegedd":true}}"#,
            "unknown field `HostConfig.Privilegedd` at line 1 column 28; did you mean `Privileged`?",
        ),
        ("{\"Pr\u{131}vileged\":true}", "unknown field `Prıvileged` at line 1 column 14"),
        (r#"{"Host_Config":{}}"#, "unknown field `Host_Config` at line 1 column 14; did you mean `HostConfig`?"),
        (r#"{"HostConfig\u0000":{}}"#, r"unknown field `HostConfig\0` at line 1 column 19; did you mean `HostConfig`?"),
        ("{\"\u{FF29}mage\":\"a\"}", "unknown field `Ｉmage` at line 1 column 10; did you mean `Image`?"),
        (r#"{"x\n\u001b[2J":1}"#, r"unknown field `x\n\u{1b}[2J` at line 1 column 15"),
        (r#"{"":1}"#, "unknown field `` at line 1 column 3"),
        (r#"{"ExposedPorts":{"80/tcp":{"a":1}}}"#, r#"unknown field `ExposedPorts["80/tcp"].a` at line 1 column 30"#),
        (
            r#"{"Env":[],"HostConfig":{"Mounts":[{},{"VolumeOptions":{"no":1}}]}}"#,
            "unknown field `HostConfig.Mounts[1].VolumeOptions.no` at line 1 column 59",
        ),
    ]);
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(5000));
    assert_eq!(refused(long.as_bytes()).path, format!("{}…", "x".repeat(64)));
}

/// What two clients may send as one request has one canonical form, and reading it again changes nothing.
#[test]
fn prefixes_are_refused_and_spellings_agree() {
    let body = r#"{"Image":"tiny","Cmd":["sh"],"Labels":{"k":"s"},"HostConfig":{"Binds":["/a:/b"],"Sysctls":{"a":"1"},
        "Mounts":[{"Type":"bind","VolumeOptions":{"Labels":{}}}],"Memory":5},"EndpointsConfig":{"n":{"Aliases":[]}}}"#;
    let expected = canonical(body, &Options::default()).unwrap();
    for (end, _) in body.char_indices() {
        assert!(read::<Create>(&body.as_bytes()[..end], &Options::default()).is_err(), "cut at {end}");
    }
    for name in
        ["Image", "Cmd", "Labels", "HostConfig", "Binds", "Sysctls", "Mounts", "Type", "EndpointsConfig", "Aliases"]
    {
        let folded = name.to_uppercase().replace('S', "\u{17F}").replace('K', "\u{212A}");
        for spelling in [name.to_lowercase(), name.to_uppercase(), folded] {
            let body = body.replace(&format!("\"{name}\":"), &format!("\"{spelling}\":"));
            assert_eq!(canonical(&body, &Options::default()).as_ref(), Ok(&expected), "{spelling}");
        }
    }
}
