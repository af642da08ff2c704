//! What real clients sent (`tests/traffic`), from the head's bytes to the decision of preset `developer`, in a
//! made-up world where every name is that of a harmless thing. The tables of docs/traffic.md come from here.

use std::collections::BTreeMap;
use std::io::Read;

use docker::body::container::CreateRequest;
use docker::body::plugin::PluginConfig;
use docker::endpoint::BodyKind;
use docker::facts::Facts;
use docker::http::{HeadLimits, Parsed, RequestHead};
use docker::image::Reference;
use docker::request::{Call, Misread, Reading, Request, Unsettled};
use docker::resource::Image;
use docker::world::{KnownExec, KnownImage, KnownPath, KnownThing, KnownVolume, Lookup, World};
use policy::{Decision, Policy};

use crate::docs::compare;
use crate::support::*;

const REQUESTS: &[u8] = include_bytes!("../../../../tests/traffic/requests.jsonl.gz");

/// What docs/traffic.md says of BuildKit: it is recognised, and nothing of it is looked into.
const TUNNELS: [&str; 3] = ["Session", "Grpc", "ImageBuild"];

/// A request, and how often it was sent.
#[derive(serde::Deserialize)]
struct Sent {
    from: String,
    method: String,
    target: String,
    version: String,
    headers: Vec<(String, String)>,
    body: String,
    times: u64,
}

/// What became of a request, and how often.
type Outcomes = BTreeMap<[String; 3], u64>;

#[test]
fn every_request_is_recognised_and_decided() {
    let mut text = String::new();
    flate2::read::GzDecoder::new(REQUESTS).read_to_string(&mut text).unwrap();
    let policy = preset("developer");
    let (mut clients, mut probes, mut sources) = (Outcomes::new(), Outcomes::new(), BTreeMap::new());
    for line in text.lines() {
        let sent: Sent = serde_json::from_str(line).unwrap();
        let outcomes = if sent.from.starts_with("quirks") { &mut probes } else { &mut clients };
        *outcomes.entry(outcome(&sent, &policy)).or_default() += sent.times;
        *sources.entry(sent.from).or_insert(0) += sent.times;
    }
    let misread =
        |[operation, outcome, _]: &&[String; 3]| outcome.starts_with("not") && !TUNNELS.contains(&operation.as_str());
    assert_eq!(clients.keys().find(misread), None, "a real client is not understood");
    compare(
        "traffic.md",
        "sources",
        &table(["from", "requests"], sources.iter().map(|(from, times)| format!("{from} | {times}"))),
    );
    compare("traffic.md", "clients", &outcomes(&clients));
    compare("traffic.md", "probes", &outcomes(&probes));
}

fn outcomes(outcomes: &Outcomes) -> String {
    let lines =
        outcomes.iter().map(|([operation, outcome, why], times)| format!("{operation} | {outcome} | {why} | {times}"));
    table(["operation", "outcome", "why", "requests"], lines)
}

fn table<const N: usize>(head: [&str; N], lines: impl Iterator<Item = String>) -> String {
    let rows: String = lines.map(|line| format!("| {line} |\n")).collect();
    format!("| {} |\n|{}\n{rows}", head.join(" | "), "---|".repeat(N))
}

/// The operation, the outcome, and why.
fn outcome(sent: &Sent, policy: &Policy) -> [String; 3] {
    let call = match call(sent) {
        Ok(call) => call,
        Err(misread) => {
            let outcome =
                if matches!(misread, Misread::NoOperation { .. }) { "not recognised" } else { "not understood" };
            return [String::new(), outcome.to_owned(), cell(&misread.to_string())];
        }
    };
    let operation = call.operation.name().to_owned();
    match facts(call, sent, policy) {
        Err(misread) => [operation, "not understood".to_owned(), cell(&misread.to_string())],
        Ok(facts) => match policy.decide(&subject("bob", &["docker"]), facts, &now()) {
            Decision::Allowed(_) => [operation, "allowed".to_owned(), String::new()],
            Decision::Refused(refusal) => {
                let refused = refusal.answers().iter().filter(|answer| !answer.allowed);
                let mut why: Vec<String> = refused.map(|answer| answer.action.to_string()).collect();
                why.dedup();
                [operation, "refused".to_owned(), why.join(", ")]
            }
        },
    }
}

fn call(sent: &Sent) -> Result<Call, Misread> {
    let mut head = format!("{} {} {}\r\n", sent.method, sent.target, sent.version);
    sent.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    match RequestHead::parse(head.as_bytes(), &HeadLimits::default())? {
        Parsed::Complete { head, .. } => Call::read(&head, &Reading::default()),
        Parsed::Partial => panic!("half a head: {head}"),
    }
}

fn facts(call: Call, sent: &Sent, policy: &Policy) -> Result<Facts, Misread> {
    let streams = matches!(call.body_kind(), BodyKind::Tar | BodyKind::Stream);
    let body: Vec<u8> = sent.body.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    let request = Request::understand(call, if streams { b"" } else { &body }, &Reading::default())?;
    let mut world = World::new();
    loop {
        match request.facts(&world, policy.defaults()) {
            Ok(facts) => return Ok(facts),
            Err(Unsettled::Misread(misread)) => return Err(misread),
            Err(Unsettled::Open(open)) => open.into_iter().for_each(|lookup| look_up(&mut world, lookup)),
            Err(Unsettled::NotFound(absent)) => panic!("everything is there, but {}", absent.message),
        }
    }
}

/// Every name is that of a harmless thing, and its id.
fn look_up(world: &mut World, lookup: Lookup) {
    match lookup {
        Lookup::Container(name) => {
            let known = container(&name, &[]);
            world.learn_stored(known.id.clone(), CreateRequest::default());
            world.learn_container(name, Some(known));
        }
        Lookup::Image(name) => {
            let names = Reference::parse(&name).map(Reference::with_default_tag).into_iter().collect();
            let image = Image { id: Some(name.clone()), names, ..Image::default() };
            world.learn_image(name, Some(KnownImage { image, ..KnownImage::default() }));
        }
        Lookup::Network(name) => {
            let driver = if name == "host" { "host" } else { "bridge" };
            world.learn_network(name.clone(), Some(network(&name, driver)));
        }
        Lookup::Volume(name) => {
            let known = KnownVolume { volume: volume(&name), ..KnownVolume::default() };
            world.learn_volume(name, Some(known));
        }
        Lookup::Exec(name) => {
            let (container, user) = (container("web", &[]), docker::privilege::run_user("1000"));
            world.learn_stored(container.id.clone(), CreateRequest::default());
            let known = KnownExec { id: name.clone(), container, privileged: false, user };
            world.learn_exec(name, Some(known));
        }
        Lookup::Thing(kind, name) => {
            let thing = thing(kind, &name);
            world.learn_plugin(thing.id.clone(), PluginConfig::default());
            world.learn_thing(kind, name, Ok(KnownThing { thing, previous: None, service: None }));
        }
        Lookup::HostPath(path) => world.learn_host_path(path.clone(), KnownPath::Resolved(path)),
    }
}

/// A message as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
