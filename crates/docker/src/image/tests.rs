use super::*;

#[test]
fn names_are_normalised_as_the_daemon_does() {
    for (given, expected) in [
        ("tiny", "docker.io/library/tiny"),
        ("library/tiny", "docker.io/library/tiny"),
        ("docker.io/tiny", "docker.io/library/tiny"),
        ("index.docker.io/someuser/app:1", "docker.io/someuser/app:1"),
        ("docker.io/libraryx/app:1", "docker.io/libraryx/app:1"),
        ("registry.test/app:1", "registry.test/app:1"),
        ("registry.test:5000/app:1", "registry.test:5000/app:1"),
        ("registry.test.evil.example/app:1", "registry.test.evil.example/app:1"),
        ("localhost/app:1", "localhost/app:1"),
        ("[::1]:5000/app", "[::1]:5000/app"),
        ("a/b__c--d.e_f", "docker.io/a/b__c--d.e_f"),
    ] {
        assert_eq!(Reference::parse(given).map(|r| r.to_string()), Ok(expected.to_owned()), "{given}");
    }
}

#[test]
fn what_is_not_a_name_is_refused() {
    for given in [
        "",
        "TINY",
        "a b",
        "a:",
        "a:b:c",
        "a@sha256:1",
        "-a",
        "a/",
        "/a",
        "a//b",
        "a..b",
        "a.-b",
        "../a",
        "a:..",
        "é",
        "a___b",
    ] {
        assert!(Reference::parse(given).is_err(), "{given}");
    }
}

#[test]
fn the_familiar_form_is_short() {
    assert_eq!(Reference::parse("docker.io/library/alpine:3").unwrap().familiar(), "alpine:3");
    assert_eq!(Reference::parse("registry.test/app").unwrap().familiar(), "registry.test/app");
}
