//! Targets. Whenever one is taken, the daemon's router reads from it, and from each form in which it may be
//! forwarded, the same operation with the same names, version and parameters as we do.

use std::collections::BTreeMap;

use docker::endpoint::{BodyKind, ENDPOINTS, Effect, Operation};
use docker::host_path::clean;
use docker::http::Method;
use docker::image::Reference;
use docker::request::{Call, Reading as HowToRead, Request};
use docker::target::Target;
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading, put};
use crate::mutate;
use crate::random::Random;
use crate::recorded::Recorded;
use crate::world::{call, host_path, settle};

/// The routes that each daemon registers, by the oracle's name.
const ROUTES: &[(&str, &str)] =
    &[("20.10", include_str!("../../oracle/routes-20.10.tsv")), ("28.5", include_str!("../../oracle/routes-28.5.tsv"))];

/// Targets of every operation.
pub struct Targets {
    recorded: Vec<(String, String)>,
}

impl Targets {
    /// With the recorded targets to start from.
    pub fn new(recorded: &Recorded) -> Self {
        let sent = recorded.sent.iter().filter(|sent| !sent.method.is_empty());
        Targets { recorded: sent.map(|sent| (sent.method.clone(), sent.target.clone())).collect() }
    }
}

impl Check for Targets {
    fn name(&self) -> &'static str {
        "target"
    }

    fn make(&self, random: &mut Random) -> Case {
        let (mut method, target) =
            if random.chance(30) && !self.recorded.is_empty() { random.pick(&self.recorded) } else { made(random) };
        if random.chance(3) {
            method = (random.pick(&["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "get", "PATCH"])).to_owned();
        }
        let mut bytes = target.into_bytes();
        for _ in 0..random.pick(&[0, 0, 1, 1, 2, 3]) {
            change(&mut bytes, random);
        }
        Case { about: method, bytes }
    }

    fn read(&self, case: &Case) -> Reading {
        let Ok(target) = std::str::from_utf8(&case.bytes) else {
            return Reading::Refused;
        };
        let method = match Method::parse(case.about.as_bytes()) {
            Ok(method) => method,
            Err(_) => return Reading::Refused,
        };
        let (Ok(call), Ok(parsed)) = (call(&case.about, target), Target::parse(target, &method)) else {
            return Reading::Refused;
        };
        let mut forms = vec![(target.to_owned(), call.clone()), (parsed.canonical(), call.clone())];
        if let Some(forwarded) = forwarded(&call)
            && forms.iter().all(|(form, _)| *form != forwarded)
        {
            forms.push((forwarded, resolved(call)));
        }
        for (form, call) in &forms {
            match crate::world::call(&case.about, form) {
                // `path` is only for records.
                Ok(again) if same(&again, call) => {}
                Ok(again) => return Reading::Broken(format!("`{form}` is read as {again:?}, not {call:?}")),
                Err(why) => return Reading::Broken(format!("`{form}` is refused: {why}")),
            }
        }
        let mut frame = vec![b'T'];
        put(&mut frame, case.about.as_bytes());
        forms.iter().for_each(|(form, _)| put(&mut frame, form.as_bytes()));
        let judge = move |oracle: &str, answer: &[u8]| judge(&forms, oracle, answer);
        Reading::Taken(Question { frame, judge: Box::new(judge) })
    }
}

fn same(one: &Call, other: &Call) -> bool {
    (one.operation, &one.names, one.version, &one.query) == (other.operation, &other.names, other.version, &other.query)
}

/// The call as it is sent: host paths as where they lead, images to be saved with the tag that is meant.
fn resolved(mut call: Call) -> Call {
    let tagged = |name: &str| Reference::parse(name).map_or(name.to_owned(), |name| name.with_default_tag().familiar());
    if call.operation == Operation::ImageGet {
        call.names = call.names.iter().map(|name| tagged(name)).collect();
    }
    if call.operation == Operation::ImageGetAll {
        let names = call.query.all("names").map(tagged).collect();
        call.query.set_all("names", names);
    }
    for name in ["checkpoint-dir", "dir"] {
        let path = call.query.one(name).ok().flatten().and_then(clean);
        path.into_iter().for_each(|path| call.query.set(name, host_path(&path)));
    }
    call
}

/// The target as it is sent, where the operation needs no body that tells more.
fn forwarded(call: &Call) -> Option<String> {
    if call.operation == Operation::SystemOptions {
        return None;
    }
    let body: &[u8] = if call.body_kind() == BodyKind::Json { b"{}" } else { b"" };
    let request = Request::understand(call.clone(), body, &HowToRead::default()).ok()?;
    settle(&request).map(|facts| facts.canonical.target)
}

fn judge(forms: &[(String, Call)], oracle: &str, answer: &[u8]) -> Result<(), String> {
    let readings: Vec<Value> = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    for ((form, call), reading) in forms.iter().zip(&readings) {
        judge_one(call, oracle, reading).map_err(|why| format!("`{form}`: {why}: Go reads {reading}, we {call:?}"))?;
    }
    if readings.len() == forms.len() { Ok(()) } else { Err("not every form has an answer".to_owned()) }
}

fn judge_one(call: &Call, oracle: &str, go: &Value) -> Result<(), String> {
    let text = |name: &str| go.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("error").is_empty() {
        return Err("Go does not read it".to_owned());
    }
    let endpoint = call.operation.endpoint();
    let ours = format!("{} {}", endpoint.method, plain(endpoint.path));
    if text("route").is_empty() {
        let status = go.get("status").and_then(Value::as_u64);
        return match (status, knows(oracle, &ours)) {
            // An end point of other daemons.
            (Some(404), false) => Ok(()),
            _ => Err("Go reaches no handler".to_owned()),
        };
    }
    if call.operation == Operation::SystemOptions {
        return if text("route").starts_with("OPTIONS ") { Ok(()) } else { Err("another operation".to_owned()) };
    }
    if plain(text("route")) != ours {
        return Err("another operation".to_owned());
    }
    let variables = |name: &str| go.get("vars").and_then(|vars| vars.get(name)).and_then(Value::as_str);
    if variables("version").map(str::to_owned) != call.version.map(|version| version.to_string()) {
        return Err("another version".to_owned());
    }
    let names: Vec<&str> = variables_of(text("route")).filter_map(variables).collect();
    if names != call.names {
        return Err("other names".to_owned());
    }
    if !text("bad").is_empty() {
        return Err("Go does not read the query".to_owned());
    }
    same_form(call, go.get("form"), endpoint.parameters)
}

fn same_form(call: &Call, form: Option<&Value>, known: &[&str]) -> Result<(), String> {
    let mut ours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    call.query.iter().for_each(|(name, value)| ours.entry(name).or_default().push(value));
    let mut gos: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, values) in form.and_then(Value::as_object).into_iter().flatten() {
        gos.insert(name, values.as_array().into_iter().flatten().filter_map(Value::as_str).collect());
    }
    if call.operation.endpoint().effect == Effect::Read {
        // What no daemon reads there is not sent on.
        gos.retain(|name, _| known.contains(name));
    }
    if ours == gos { Ok(()) } else { Err(format!("another query: {ours:?}")) }
}

/// Whether a daemon registers that end point.
fn knows(oracle: &str, endpoint: &str) -> bool {
    let routes = ROUTES.iter().filter(|(name, _)| oracle.starts_with(name)).flat_map(|(_, table)| table.lines());
    routes.into_iter().any(|line| plain(&line.replacen('\t', " ", 1)) == endpoint)
}

/// A pattern with its variables reduced to what they span: `{*}` over slashes, `{}` one segment.
fn plain(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, variable)) = rest.split_once('{') {
        let (variable, after) = variable.split_once('}').unwrap_or((variable, ""));
        out.push_str(before);
        out.push_str(if variable.ends_with('*') || variable.ends_with('+') { "{*}" } else { "{}" });
        rest = after;
    }
    out + rest
}

fn variables_of(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('{').skip(1).filter_map(|part| part.split(['}', ':']).next())
}

/// A target made from the table.
fn made(random: &mut Random) -> (String, String) {
    let endpoint = &ENDPOINTS[random.below(ENDPOINTS.len())];
    let mut target = (random.pick(VERSIONS)).to_owned();
    let mut rest = endpoint.path;
    while let Some((before, variable)) = rest.split_once('{') {
        target.push_str(before);
        target.push_str(random.pick(NAMES));
        rest = variable.split_once('}').map_or("", |(_, after)| after);
    }
    target.push_str(rest);
    let mut separator = '?';
    for _ in 0..random.below(4) {
        let unknown = ["name", "all", "x", "Name", ""];
        let name = if endpoint.parameters.is_empty() || random.chance(8) {
            random.pick(&unknown)
        } else {
            random.pick(endpoint.parameters)
        };
        target.push_str(&format!("{separator}{name}={}", random.pick(VALUES)));
        separator = '&';
    }
    (endpoint.method.to_string(), target)
}

fn change(target: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(target.len() + 1);
    match random.below(9) {
        0..3 if at < target.len() => {
            let escape =
                if random.chance(50) { format!("%{:02X}", target[at]) } else { format!("%{:02x}", target[at]) };
            target.splice(at..=at, escape.bytes());
        }
        3 => drop(target.splice(at..at, random.pick(ODD).bytes())),
        4 => target.extend_from_slice(random.pick(ODD).as_bytes()),
        5 => {
            drop(target.splice(0..0, random.pick(&["/", "http://docker", "//x", "foo:", "*", "/v1.41", "/./"]).bytes()))
        }
        6 => {
            // A slash becomes another way of writing one.
            if let Some(slash) = target.iter().rposition(|byte| *byte == b'/') {
                target.splice(
                    slash..=slash,
                    random.pick(&["%2f", "%2F", "//", "/./", "/../", "%252f", "\\", "/%2e/"]).bytes(),
                );
            }
        }
        7 if at < target.len() => target[at] = target[at].to_ascii_uppercase(),
        _ => mutate::bytes(target, random),
    }
}

const VERSIONS: &[&str] = &[
    "",
    "",
    "/v1.41",
    "/v1.41",
    "/v1.24",
    "/v1.51",
    "/v1.44",
    "/v01.41",
    "/v1.041",
    "/v1.41.0",
    "/v1",
    "/v1.41.",
    "/v.",
    "/V1.41",
    "/v1.41/v1.41",
    "/%76%31.41",
    "/v1%2E41",
    "/v1.41%2f..",
    "/v1.23",
    "/v1.57",
    "/v9.99",
    "/v1.4294967337",
];

const NAMES: &[&str] = &[
    "web",
    "web",
    "aaaaaaaaaaaa",
    "a/b",
    "registry.test/x/y:1",
    "sha256:bbbb",
    "create",
    "json",
    "a%2Fb",
    "a%20b",
    "a+b",
    "a;b",
    "a%0Ab",
    "",
    ".",
    "..",
    "%2e%2e",
    "a%00",
    "%c3%a9",
    "%ff",
    "é",
    "json/json",
    "prune",
    "a:b",
    "a@b",
    "$a&b=c",
    "%25",
    "a%3Fb",
    "a%23",
    "~a",
    "*",
    "a/../b",
    "create/json",
    "x/checkpoints/y",
];

const VALUES: &[&str] = &[
    "",
    "1",
    "0",
    "true",
    "off",
    "a+b",
    "a%20b",
    "a%2Bb",
    "%7B%22label%22%3A%5B%22a%22%5D%7D",
    "a%26b%3Dc",
    "a;b",
    "%zz",
    "%",
    "%00",
    "%0A",
    "é",
    "%C3%A9",
    "%ff",
    "a=b",
    "web",
    "tiny:latest",
    "a%23b",
    "a?b",
    "/x",
    "\"",
    "host",
];

const ODD: &[&str] = &[
    "/",
    "//",
    "/.",
    "/..",
    "%2f",
    "%2e",
    "%00",
    "%0a",
    "%",
    "%4",
    "%zz",
    ";",
    ";a=b",
    "&",
    "&&",
    "=",
    "&=",
    "+",
    "%2B",
    "#",
    "#%zz",
    "?",
    "??a=b",
    "&force=1",
    "&all=1&all=0",
    " ",
    "\t",
    "é",
    "%C3%A9",
    "%ff",
    "%7f",
    "%C2%85",
    "%E2%80%A8",
    "*",
    ":",
    "@",
    "\\",
    "|",
    "\"",
    "<",
    "^",
    "{",
    "}",
    "[",
    "]",
    "`",
];
