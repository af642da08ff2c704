//! Questions as the daemon asks them.

use super::question::Question;
use super::subject;
use docker::body::base64;
use docker::request::{Call, Reading};
use policy::Proof;

fn question(json: &str) -> Result<Question, String> {
    Question::read(json.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_question_is_read_or_refused() {
    let good =
        question(r#"{"RequestMethod":"GET","RequestUri":"/v1.41/info","RequestHeaders":{"User-Agent":"x"}}"#).unwrap();
    assert_eq!((good.head.method().as_str(), good.head.target()), ("GET", "/v1.41/info"));
    for bad in [
        "",
        "{}",
        "null",
        "[]",
        "{",
        r#"{"RequestMethod":"GET"}"#,
        r#"{"RequestURI":"/info","RequestMethod":"GET"}"#,
        r#"{"RequestUri":"/a b","RequestMethod":"GET"}"#,
        r#"{"RequestUri":"/a\r\nHost: x","RequestMethod":"GET"}"#,
        r#"{"RequestUri":"/a","RequestMethod":"GET /x HTTP/1.1\r\n"}"#,
        r#"{"RequestUri":"/a","RequestMethod":"GET","RequestBody":"*"}"#,
        r#"{"RequestUri":"/a","RequestMethod":"GET","RequestHeaders":{"Content-Type":"a\r\nb: c"}}"#,
        r#"{"RequestUri":"/a","RequestMethod":"POST","RequestHeaders":{"Content-Type":"a, b"}}"#,
    ] {
        assert!(question(bad).is_err(), "{bad}");
    }
}

/// Whether a body is taken to be withheld.
fn withheld(method: &str, path: &str, fields: &str, body: &str) -> bool {
    let body = base64::encode(body.as_bytes());
    let json = format!(
        r#"{{"RequestMethod":"{method}","RequestUri":"{path}","RequestHeaders":{{{fields}}},"RequestBody":"{body}"}}"#
    );
    let question = question(&json).unwrap();
    question.withholds(&Call::read(&question.head, &Reading::default()).unwrap())
}

#[test]
fn a_body_that_is_not_shown_is_missed() {
    const JSON: &str = r#""Content-Type":"application/json""#;
    let create = "/containers/create";
    assert!(!withheld("POST", create, &format!(r#"{JSON},"Content-Length":"2""#), "{}"));
    assert!(!withheld("POST", create, JSON, "{}"));
    assert!(withheld("POST", create, &format!(r#"{JSON},"Content-Length":"1048576""#), ""));
    assert!(withheld("POST", create, JSON, ""));
    // A form, whose values the daemon would take before those of the query, hidden behind a second type.
    assert!(withheld("POST", "/containers/x/kill?signal=0", &format!(r#"{JSON},"Content-Length":"8""#), ""));
    assert!(withheld("POST", "/containers/x/kill?signal=0", JSON, ""));
    for harmless in [r#""Content-Type":"text/plain","Content-Length":"0""#, r#""Content-Length":"0""#, ""] {
        assert!(!withheld("POST", "/containers/x/kill?signal=0", harmless, ""), "{harmless}");
    }
    assert!(!withheld("GET", "/info", JSON, ""));
    assert!(!withheld("POST", "/build", r#""Content-Type":"application/x-tar","Content-Length":"9999""#, ""));
}

#[test]
fn who_asks_is_told_by_the_certificate_or_nobody() {
    let asked = |more: &str| {
        let question = question(&format!(r#"{{"RequestMethod":"GET","RequestUri":"/info"{more}}}"#)).unwrap();
        subject::of(&question).map_err(|error| error.to_string())
    };
    let nobody = asked("").unwrap();
    assert_eq!((nobody.user.as_str(), nobody.proof), ("socket:daemon", Proof::Nothing));
    assert!(asked(r#","User":"alice","UserAuthNMethod":"TLS""#).is_err());
    assert!(asked(r#","UserAuthNMethod":"Other""#).is_err());
    let certificate = |name: &str| {
        let mut parameters = rcgen::CertificateParams::new(vec!["a.example.org".to_owned()]).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        base64::encode(parameters.self_signed(&key).unwrap().pem().as_bytes())
    };
    let shown = |user: &str, name: &str, method: &str| {
        let pem = certificate(name);
        asked(&format!(r#","User":"{user}","UserAuthNMethod":"{method}","RequestPeerCertificates":["{pem}"]"#))
    };
    let alice = shown("alice", "alice", "TLS").unwrap();
    assert_eq!(alice.user, "alice");
    assert!(matches!(alice.proof, Proof::Certificate { names, .. } if names == ["dns:a.example.org"]));
    assert!(shown("alice", "bob", "TLS").is_err());
    assert!(shown("alice", "alice", "").is_err());
    // A name that only other subjects have.
    assert!(shown("socket:daemon", "socket:daemon", "TLS").is_err());
}
