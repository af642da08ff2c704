use std::fmt::Write as _;
use std::io::Read as _;

use super::*;
use crate::body::base64;
use crate::buildkit::message::control::{BuildHistoryEvent, BuildHistoryRequest, StatusRequest};
use crate::buildkit::message::session::{BytesMessage, CheckAgentRequest, FetchTokenRequest, GetSecretRequest, Packet};
use crate::buildkit::wire::{Malformed, read};

const PACKED: &[u8] = include_bytes!("../../../../tests-data/buildkit/recorded.jsonl.gz");
const FACTS: &str = "tests-data/buildkit/facts.txt";

/// A message of a conversation.
#[derive(serde::Deserialize)]
pub(super) struct Recorded {
    pub(super) scenario: String,
    pub(super) path: String,
    pub(super) answer: bool,
    message: String,
}

impl Recorded {
    pub(super) fn bytes(&self) -> Vec<u8> {
        base64::decode(self.message.as_bytes()).unwrap()
    }
}

pub(super) fn recorded() -> Vec<Recorded> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(PACKED).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn build(
    path: &str,
    answer: bool,
    bytes: &[u8],
    allowed: &BTreeSet<String>,
) -> Option<Result<Build, Misread>> {
    match (path, answer) {
        (SOLVE | BRIDGE_SOLVE, false) => Some(request(path, bytes, &reading(allowed))),
        (BRIDGE_SOLVE, true) => Some(Build::of_answer(bytes, &reading(allowed))),
        _ => None,
    }
}

/// Reads a message that is not judged.
pub(super) fn other(path: &str, answer: bool, bytes: &[u8]) -> Result<String, Malformed> {
    let none = BTreeSet::new();
    let known = Strictness::Known(&none);
    let (_, name) = path.rsplit_once('.').unwrap();
    Ok(match (name, answer) {
        ("Control/Status", false) => read::<StatusRequest>(bytes, known)?.reference,
        ("Control/ListenBuildHistory", false) => read::<BuildHistoryRequest>(bytes, known)?.reference,
        ("Control/ListenBuildHistory", true) => {
            let event: BuildHistoryEvent = read(bytes, Strictness::Lenient)?;
            event.record.map_or_else(String::new, |record| format!("{} {}", record.reference, record.digests().len()))
        }
        ("FileSync/DiffCopy", _) => format!("{}", read::<Packet>(bytes, known)?.kind),
        ("FileSend/DiffCopy", _) => format!("{}", read::<BytesMessage>(bytes, known)?.data.len()),
        ("Secrets/GetSecret", false) => read::<GetSecretRequest>(bytes, known)?.id,
        ("SSH/CheckAgent", false) => read::<CheckAgentRequest>(bytes, known)?.id,
        ("Auth/FetchToken", false) => read::<FetchTokenRequest>(bytes, known)?.host,
        ("LLBBridge/Return", false) => read::<bridge::ReturnRequest>(bytes, known).map(|_| String::new())?,
        ("LLBBridge/Evaluate", false) => read::<bridge::EvaluateRequest>(bytes, known)?.reference,
        other => panic!("{other:?}"),
    })
}

#[test]
fn every_conversation_is_understood() {
    let none = BTreeSet::new();
    let mut text = String::new();
    let (mut judged, mut given) = (0, BTreeSet::new());
    for recorded in recorded() {
        let bytes = recorded.bytes();
        let tunnel = if recorded.path.contains(".v1.Control/") || recorded.path.contains("LLBBridge") {
            Tunnel::Grpc
        } else {
            Tunnel::Session
        };
        let method = Known::of(tunnel, &recorded.path).unwrap();
        if method.need == Need::OwnResults && !recorded.answer {
            let named = named(method, &bytes, &none).unwrap();
            assert!(named.is_subset(&given), "{}: {named:?}", recorded.scenario);
            continue;
        }
        let Some(build) = build(&recorded.path, recorded.answer, &bytes, &none) else {
            other(&recorded.path, recorded.answer, &bytes).unwrap();
            continue;
        };
        judged += 1;
        let build = build.unwrap();
        given.extend(build.results().iter().cloned());
        let name = recorded.path.rsplit_once('.').unwrap().1;
        let what = if recorded.answer { "answer" } else { "request" };
        let _ = writeln!(text, "{} {name} {what}", recorded.scenario);
        if let Some(begins) = build.begins() {
            let _ = writeln!(text, "  begins {begins}");
        }
        for session in build.sessions() {
            let _ = writeln!(text, "  session {session}");
        }
        let asked = asked(&build).unwrap_or_else(|refused| vec![format!("refused: {refused}")]);
        for line in asked {
            let _ = writeln!(text, "  {}", line.strip_prefix("may not ").unwrap_or(&line));
        }
    }
    assert!(judged > 70, "{judged}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FACTS);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "UPDATE=1 writes {FACTS} anew");
}

#[test]
fn history_tells_what_of_the_store_is_whose() {
    let events: Vec<_> =
        recorded().into_iter().filter(|it| it.answer && it.path.ends_with("ListenBuildHistory")).collect();
    assert!(events.len() > 10);
    for event in events {
        let event: BuildHistoryEvent = read(&event.bytes(), Strictness::Lenient).unwrap();
        let record = event.record.unwrap();
        assert_eq!(record.reference.len(), 25);
        assert!(record.digests().iter().all(|digest| digest.starts_with("sha256:")) && !record.digests().is_empty());
    }
}
