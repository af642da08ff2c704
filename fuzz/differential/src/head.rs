//! Heads. Whenever the start of a connection is taken, net/http reads from it, and from the head that we
//! would write, the same method, target, fields and body, and begins the next message at the same byte.

use std::collections::BTreeMap;

use docker::http::{
    Chunks, Framing, HeadLimits, Parsed, RequestHead, Version, write_chunk, write_last_chunk, write_request_head,
};
use docker::target::Target;
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading, put, shown};
use crate::mutate;
use crate::random::Random;
use crate::recorded::{Recorded, latin1};

/// Starts of connections.
pub struct Heads {
    recorded: Vec<Vec<u8>>,
}

/// A request as we read it.
struct Message {
    head: RequestHead,
    body: Vec<u8>,
    left: usize,
}

impl Heads {
    /// With the recorded ones to start from.
    pub fn new(recorded: &Recorded) -> Self {
        let short = |raw: &&Vec<u8>| raw.len() < 4096;
        Heads { recorded: recorded.sent.iter().map(|sent| &sent.raw).filter(short).cloned().collect() }
    }
}

impl Check for Heads {
    fn name(&self) -> &'static str {
        "head"
    }

    fn make(&self, random: &mut Random) -> Case {
        let mut bytes =
            if random.chance(30) && !self.recorded.is_empty() { random.pick(&self.recorded) } else { made(random) };
        for _ in 0..random.pick(&[0, 0, 1, 1, 2]) {
            change(&mut bytes, random);
        }
        if random.chance(40) {
            bytes.extend_from_slice(b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        Case { about: String::new(), bytes }
    }

    fn read(&self, case: &Case) -> Reading {
        let Some(message) = read(&case.bytes) else {
            return Reading::Refused;
        };
        let forwarded = match written(&message) {
            Ok(forwarded) => forwarded,
            Err(why) => return Reading::Broken(why),
        };
        match read(&forwarded) {
            Some(again) if again.body == message.body && again.left == 0 => {}
            _ => {
                return Reading::Broken(format!(
                    "what is written is read otherwise: {}",
                    shown(&forwarded.escape_ascii().to_string())
                ));
            }
        }
        let mut frame = vec![b'H'];
        put(&mut frame, &case.bytes);
        put(&mut frame, &forwarded);
        let judge = move |_: &str, answer: &[u8]| judge(&message, answer);
        Reading::Taken(Question { frame, judge: Box::new(judge) })
    }
}

/// The first message, if it is whole and accepted.
fn read(bytes: &[u8]) -> Option<Message> {
    let Ok(Parsed::Complete { head, consumed }) = RequestHead::parse(bytes, &HeadLimits::default()) else {
        return None;
    };
    let rest = bytes.get(consumed..)?;
    let (body, taken) = match head.framing() {
        Framing::None => (Vec::new(), 0),
        Framing::Length(length) => {
            let length = usize::try_from(length).ok()?;
            (rest.get(..length)?.to_vec(), length)
        }
        Framing::Chunked => chunked(rest)?,
    };
    Some(Message { head, body, left: rest.len() - taken })
}

fn chunked(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut chunks, mut body, mut at) = (Chunks::of_request(), Vec::new(), 0);
    loop {
        let step = chunks.feed(&input[at..]).ok()?;
        body.extend_from_slice(&input[at..][step.data.clone()]);
        at += step.consumed;
        match step.done {
            true => return Some((body, at)),
            false if step.consumed == 0 => return None,
            false => {}
        }
    }
}

/// The message as we would write it, all its fields kept.
fn written(message: &Message) -> Result<Vec<u8>, String> {
    let head = &message.head;
    let left_out = ["Host", "Content-Length", "Transfer-Encoding"];
    let host = head.headers().get("Host").unwrap_or(b"docker");
    let others = head.headers().iter().filter(|(name, _)| left_out.iter().all(|out| !out.eq_ignore_ascii_case(name)));
    let fields: Vec<(&str, &[u8])> = std::iter::once(("Host", host)).chain(others).collect();
    let mut out = Vec::new();
    write_request_head(&mut out, head.method(), head.target(), fields, head.framing())
        .map_err(|why| why.to_string())?;
    match head.framing() {
        Framing::Chunked => {
            message.body.chunks(5).for_each(|chunk| write_chunk(&mut out, chunk));
            write_last_chunk(&mut out);
        }
        Framing::Length(_) | Framing::None => out.extend_from_slice(&message.body),
    }
    Ok(out)
}

fn judge(message: &Message, answer: &[u8]) -> Result<(), String> {
    let answers: Vec<Value> = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let [sent, forwarded] = answers.as_slice() else {
        return Err("not two answers".to_owned());
    };
    judge_one(message, sent, message.left, false).map_err(|why| format!("as sent: {why}: {}", shown(sent)))?;
    judge_one(message, forwarded, 0, true).map_err(|why| format!("as written: {why}: {}", shown(forwarded)))
}

fn judge_one(message: &Message, go: &Value, left: usize, written: bool) -> Result<(), String> {
    let head = &message.head;
    let text = |name: &str| latin1(go.get(name).and_then(Value::as_str).unwrap_or_default());
    let number = |name: &str| go.get(name).and_then(Value::as_i64).unwrap_or_default();
    if go.get("error").is_some() {
        // Targets are read in the next step, which must refuse this one.
        return match Target::parse(head.target(), head.method()) {
            Ok(_) => Err("Go does not read it".to_owned()),
            Err(_) => Ok(()),
        };
    }
    let minor = i64::from(written || head.version() == Version::Http11);
    let length = match head.framing() {
        Framing::None => 0,
        Framing::Length(length) => i64::try_from(length).unwrap_or(i64::MAX),
        Framing::Chunked => -1,
    };
    // An absolute target has a host of its own; it is refused in the next step.
    let host = head.headers().get("Host").unwrap_or(if written { b"docker" } else { b"" });
    let same_host = text("host") == host || !head.target().starts_with('/');
    let open = go.get("open").and_then(Value::as_bool).unwrap_or_default();
    let found = [
        ("method", text("method") == head.method().as_str().as_bytes()),
        ("target", text("target") == head.target().as_bytes()),
        ("version", number("minor") == minor),
        ("host", same_host),
        ("length", number("length") == length),
        ("body", text("body") == message.body && go.get("cut").is_none()),
        ("end of the body", number("left") == i64::try_from(left).unwrap_or(-1)),
        ("trailer", go.get("trailer").is_none()),
        ("connection", written || open == head.keep_alive()),
        ("fields", fields_of_go(go) == fields_of(head)),
    ];
    match found.iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((what, _)) => Err(format!("another {what}, we {head:?}")),
    }
}

/// Fields whose reading net/http keeps elsewhere, or adds by itself.
const APART: &[&str] = &["host", "transfer-encoding", "trailer", "cache-control", "content-length"];

fn fields_of(head: &RequestHead) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut fields: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, value) in head.headers().iter() {
        fields.entry(name.to_ascii_lowercase()).or_default().push(value.to_vec());
    }
    fields.retain(|name, _| !APART.contains(&name.as_str()));
    fields
}

fn fields_of_go(go: &Value) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut fields: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, values) in go.get("header").and_then(Value::as_object).into_iter().flatten() {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str).map(latin1);
        fields.entry(name.to_ascii_lowercase()).or_default().extend(values);
    }
    fields.retain(|name, _| !APART.contains(&name.as_str()));
    fields
}

fn made(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let method = random
        .pick(&["GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "get", "M-SEARCH"]);
    let target = random.pick(&[
        "/info",
        "/v1.41/containers/create?name=a",
        "*",
        "/",
        "http://x/info",
        "/a%20b",
        "x:80",
        "/é",
        "/?a b",
    ]);
    let version =
        random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.10"]);
    out.extend_from_slice(format!("{method} {target} {version}\r\n").as_bytes());
    if random.chance(95) {
        out.extend_from_slice(
            format!("Host: {}\r\n", random.pick(&["docker", "", "a:80", "[::1]:2375", "a b", "é", "a/b"])).as_bytes(),
        );
    }
    for _ in 0..random.below(5) {
        out.extend_from_slice(random.pick(FIELDS).as_bytes());
        out.extend_from_slice(if random.chance(97) { b"\r\n" } else { b"\n" });
    }
    let body: Vec<u8> = (0..random.below(20)).map(|_| random.pick(b"ab{}\r\n0;:")).collect();
    match random.below(5) {
        0 => out.extend_from_slice(b"\r\n"),
        1 | 2 => {
            let length = if random.chance(90) { body.len() } else { random.below(30) };
            out.extend_from_slice(format!("{}{length}\r\n\r\n", random.pick(LENGTHS)).as_bytes());
            out.extend_from_slice(&body);
        }
        _ => {
            out.extend_from_slice(random.pick(CODINGS).as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
            for chunk in body.chunks(random.below(6) + 1) {
                let size = chunk.len();
                let size = match random.below(8) {
                    0 => format!("{size:X}"),
                    1 => format!("0{size:x}"),
                    2 if random.chance(30) => format!("{size:x};a=b"),
                    3 if random.chance(30) => format!(" {size:x} "),
                    4 if random.chance(30) => format!("0x{size:x}"),
                    _ => format!("{size:x}"),
                };
                out.extend_from_slice(format!("{size}\r\n").as_bytes());
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(random.pick(ENDS).as_bytes());
        }
    }
    out
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    match random.below(6) {
        0 | 1 if !lines.is_empty() => {
            let at = random.pick(&lines);
            let line = format!("{}\r\n", random.pick(FIELDS));
            bytes.splice(at..at, line.bytes());
        }
        2 if !lines.is_empty() => {
            let at = random.pick(&lines);
            bytes
                .splice(at - 1..at, random.pick(&["", "\n\n", "\r\n", "\r\n ", "\r\n\t", " \n", "\r", "\0\n"]).bytes());
        }
        3 if !lines.is_empty() => {
            let at = random.pick(&lines);
            bytes.splice(at..at, random.pick(&[" ", "\t", ":", "X", "\r\n", "\0", "\u{7f}", "é"]).bytes());
        }
        _ => mutate::bytes(bytes, random),
    }
}

const FIELDS: &[&str] = &[
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: 05",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: -0",
    "Content-Length: 5 ",
    "Content-Length : 5",
    "Content-Length:",
    "content-length: 5",
    "Content-Length: 18446744073709551616",
    "Content-Length: 9223372036854775808",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: Chunked",
    "transfer-encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding:",
    "Transfer-Encoding: chunked ",
    "Transfer-Encoding: chunked;q=1",
    "Host: other",
    "Host:",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Close, x",
    "connection: upgrade",
    "Connection: keep-alive, close",
    "Connection: \"close\"",
    "Connection: clos\u{e9}",
    "Upgrade: tcp",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Content-Type: application/json",
    "Content-Type: text/plain; charset=utf-8",
    "X: \u{e9}",
    "X: a\tb",
    "X:\t a \t",
    "X_y: 1",
    "X y: 1",
    "X\t: 1",
    ": 1",
    "X",
    "X-Registry-Auth: e30=",
    "Pragma: no-cache",
    "Cache-Control: x",
    "Trailer: X",
    "Cookie: a=b",
    "cOOKIE: c=d",
    "Proxy-Connection: close",
    "Keep-Alive: timeout=5",
    "HTTP2-Settings: AAA",
];

const LENGTHS: &[&str] = &[
    "Content-Length: ",
    "Content-Length: ",
    "content-length:",
    "Content-Length:\t",
    "Content-Length: 0",
    "CONTENT-LENGTH: ",
];

const CODINGS: &[&str] = &[
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
    "transfer-encoding:CHUNKED",
    "Transfer-Encoding: \tchunked\t",
];

const ENDS: &[&str] = &[
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\r\n\r\n",
    "00000000\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "0;a\r\n\r\n",
    "0\n\n",
    "0\r\n",
    "-0\r\n\r\n",
    "",
];
