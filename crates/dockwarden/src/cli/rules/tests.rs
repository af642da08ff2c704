//! What flags become, and what is shown.

use super::show::short;
use super::text::rule;
use super::time;

fn words(text: &str) -> Vec<String> {
    text.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn flags_become_rules() {
    for (what, to, except, on, expected) in [
        ("exec", "", "", "", "{ deny: exec }"),
        ("exec", "everyone", "admins|root", "", "{ deny: exec, to: everyone, except: [admins, root] }"),
        ("image prune|rm", "ci", "", "", "{ deny: [image prune, rm], to: ci }"),
        ("mount=/srv/ci,readonly=true", "", "", "", "{ deny: { mount: /srv/ci, readonly: true } }"),
        ("port=8080", "user:a b", "", "", "{ deny: { port: 8080 }, to: user:a b }"),
        ("security_option=seccomp=unconfined", "", "", "", "{ deny: { security_option: seccomp=unconfined } }"),
        ("image=*|a: b", "x, to: root", "", "", r#"{ deny: [{ image: "*" }, "a: b"], to: "x, to: root" }"#),
        ("rm", "", "", "name=db-*|label=a=b", r#"{ deny: rm, on: { name: "db-*", label: a=b } }"#),
    ] {
        let made = rule("deny", &words(what), &words(to), &words(except), &words(on)).unwrap();
        assert_eq!(made, expected);
    }
    assert!(rule("deny", &words("mount=/a,b"), &[], &[], &[]).unwrap_err().contains("--rule"));
}

#[test]
fn times_are_whole_seconds() {
    for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1h30m", 5400)] {
        assert_eq!(time(text).unwrap().as_secs(), seconds);
    }
    for text in ["", "0s", "500ms", "1500ms", "5", "-1s", "1w", "2h x"] {
        assert!(time(text).is_err(), "{text}");
    }
}

#[test]
fn what_is_left_is_short() {
    for (seconds, text) in
        [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m 59s"), (3601, "1h"), (7260, "2h 1m"), (180_000, "2d 2h")]
    {
        assert_eq!(short(seconds), text);
    }
}
