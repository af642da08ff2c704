//! Bodies. Whenever a body is taken, three things must hold for each daemon:
//!
//! 1. Go reads the same from the form that is forwarded as from the form that was sent, down to `nil`.
//! 2. What Go read, written by Go and read by us, is what we understood: no field is known to one only.
//! 3. The forwarded form, read again, is itself; and asks for the same privileges.

use std::collections::BTreeMap;

use docker::request::{Body, Request};
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading, cut, put, shown};
use crate::oracle::Oracle;
use crate::random::Random;
use crate::recorded::Recorded;
use crate::world::{asked, request, settle};

pub mod document;
pub mod make;
pub mod mutate;

use document::Node;
use make::Shape;

/// The operations that take JSON, how they are called here, and how often they are chosen.
const OPERATIONS: &[(&str, &str, usize)] = &[
    ("ContainerCreate", "POST /v1.41/containers/create?name=c", 40),
    ("ContainerUpdate", "POST /v1.41/containers/web/update", 6),
    ("ContainerExec", "POST /v1.41/containers/web/exec", 6),
    ("ExecStart", "POST /v1.41/exec/e1/start", 2),
    ("VolumeCreate", "POST /v1.41/volumes/create", 6),
    ("NetworkCreate", "POST /v1.41/networks/create", 6),
    ("NetworkConnect", "POST /v1.41/networks/appnet/connect", 5),
    ("NetworkDisconnect", "POST /v1.41/networks/appnet/disconnect", 1),
    ("ServiceCreate", "POST /v1.41/services/create", 8),
    ("ServiceUpdate", "POST /v1.41/services/s1/update?version=3", 4),
    ("SwarmInit", "POST /v1.41/swarm/init", 2),
    ("SwarmJoin", "POST /v1.41/swarm/join", 1),
    ("SwarmUpdate", "POST /v1.41/swarm/update?version=3", 2),
    ("SwarmUnlock", "POST /v1.41/swarm/unlock", 1),
    ("NodeUpdate", "POST /v1.41/nodes/n1/update?version=3", 1),
    ("SecretCreate", "POST /v1.41/secrets/create", 1),
    ("SecretUpdate", "POST /v1.41/secrets/x/update?version=3", 1),
    ("ConfigCreate", "POST /v1.41/configs/create", 1),
    ("ConfigUpdate", "POST /v1.41/configs/x/update?version=3", 1),
    ("ImageCommit", "POST /v1.41/commit?container=web", 2),
    ("CheckpointCreate", "POST /v1.41/containers/web/checkpoints", 1),
    ("ContainerCopy", "POST /v1.41/containers/web/copy", 1),
    ("VolumeUpdate", "PUT /v1.42/volumes/v?version=3", 1),
    ("SystemAuth", "POST /v1.41/auth", 1),
    ("PluginPull", "POST /v1.41/plugins/pull?remote=r&name=p", 1),
    ("PluginUpgrade", "POST /v1.41/plugins/p/upgrade?remote=r", 1),
    ("PluginSet", "POST /v1.41/plugins/p/set", 1),
];

/// Bodies of every operation.
pub struct Bodies {
    /// By operation and daemon.
    shapes: BTreeMap<String, BTreeMap<String, Shape>>,
    recorded: BTreeMap<String, Vec<Node>>,
}

impl Bodies {
    /// Asks the oracles for their structs.
    pub fn new(oracles: &mut [Oracle], recorded: &Recorded) -> std::io::Result<Self> {
        let mut shapes: BTreeMap<String, BTreeMap<String, Shape>> = BTreeMap::new();
        for (operation, _, _) in OPERATIONS {
            for oracle in oracles.iter_mut() {
                let answer = oracle.ask_one(format!("S{operation}").as_bytes())?;
                let answer: Value = serde_json::from_slice(&answer)?;
                if let Some(shape) = Shape::read(&answer) {
                    shapes.entry((*operation).to_owned()).or_default().insert(oracle.name.clone(), shape);
                }
            }
        }
        let mut bodies: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for (operation, body) in recorded.bodies() {
            if let Ok(value) = serde_json::from_slice(&body) {
                bodies.entry(operation).or_default().push(Node::of(&value));
            }
        }
        Ok(Bodies { shapes, recorded: bodies })
    }

    /// For fuzzing, where there is no Go to ask.
    pub fn without_oracles() -> Self {
        Bodies { shapes: BTreeMap::new(), recorded: BTreeMap::new() }
    }

    /// The names of the operations that take JSON.
    pub fn operations() -> Vec<&'static str> {
        OPERATIONS.iter().map(|(name, _, _)| *name).collect()
    }

    /// A body made from a struct, or a recorded one.
    fn start(&self, operation: &str, random: &mut Random) -> Node {
        if let Some(recorded) = self.recorded.get(operation).filter(|_| random.chance(30)) {
            return random.pick(recorded);
        }
        let shapes: Vec<&Shape> = self.shapes.get(operation).into_iter().flat_map(BTreeMap::values).collect();
        let share = random.pick(&[3, 8, 15, 30, 60]);
        if shapes.is_empty() { Node::Object(Vec::new()) } else { make::body(random.pick(&shapes), share, random) }
    }
}

impl Check for Bodies {
    fn name(&self) -> &'static str {
        "json"
    }

    fn make(&self, random: &mut Random) -> Case {
        let all: usize = OPERATIONS.iter().map(|(_, _, weight)| weight).sum();
        let mut chosen = random.below(all);
        let operation = OPERATIONS.iter().find(|(_, _, weight)| {
            let here = chosen < *weight;
            chosen = chosen.saturating_sub(*weight);
            here
        });
        let operation = operation.map_or("ContainerCreate", |(name, _, _)| name);
        let mut node = self.start(operation, random);
        let mut keys = Vec::new();
        self.shapes.get(operation).into_iter().flat_map(BTreeMap::values).for_each(|shape| shape.keys(&mut keys));
        keys.push("Unknown");
        for _ in 0..random.pick(&[0, 0, 1, 1, 1, 2, 3]) {
            mutate::tree(&mut node, &keys, random);
        }
        let mut text = String::new();
        node.write(&mut text);
        let mut bytes = text.into_bytes();
        if random.chance(15) {
            mutate::text(&mut bytes, random);
        }
        Case { about: operation.to_owned(), bytes }
    }

    fn read(&self, case: &Case) -> Reading {
        let shapes = self.shapes.get(&case.about).cloned().unwrap_or_default();
        read(case, shapes)
    }

    fn pieces(&self, case: &Case) -> Vec<usize> {
        document::tokens(&case.bytes)
    }
}

/// Whether two requests are the same but for the words in which their clients put them.
fn same(one: &Request, other: &Request) -> bool {
    let mut one = one.clone();
    one.call.posed = std::sync::Arc::clone(&other.call.posed);
    one == *other
}

/// The method and target under which a body of that operation is sent here.
pub fn line_of(operation: &str) -> Option<(&'static str, &'static str)> {
    let (_, line, _) = OPERATIONS.iter().find(|(name, _, _)| *name == operation)?;
    line.split_once(' ')
}

fn read(case: &Case, shapes: BTreeMap<String, Shape>) -> Reading {
    let Some((method, target)) = line_of(&case.about) else {
        return Reading::Broken("no such operation here".to_owned());
    };
    let Ok(understood) = request(method, target, &case.bytes) else {
        return Reading::Refused;
    };
    if let Err(why) = judged_again(&understood) {
        return Reading::Broken(why);
    }
    let Some(forwarded) = written(&understood) else {
        return Reading::Refused;
    };
    match request(method, target, &forwarded) {
        Err(why) => return Reading::Broken(format!("the forwarded form is refused: {why}: {}", lossy(&forwarded))),
        Ok(again) if !same(&again, &understood) => {
            return Reading::Broken(format!("the forwarded form is read as something else: {}", lossy(&forwarded)));
        }
        Ok(_) => {}
    }
    let mut frame = vec![b'J'];
    put(&mut frame, case.about.as_bytes());
    put(&mut frame, &case.bytes);
    put(&mut frame, &forwarded);
    let absent = matches!(case.bytes.trim_ascii(), b"" | b"null");
    let judge = move |oracle: &str, answer: &[u8]| {
        let verdict = judge(&understood, &forwarded, shapes.get(oracle), answer);
        // On purpose: daemons from 23 on read no body as an empty one, so all of them are sent the latter; a
        // plugin without privileges is an empty list.
        if absent && matches!(answer.first(), Some(1 | 3)) { Ok(()) } else { verdict }
    };
    Reading::Taken(Question { frame, judge: Box::new(judge) })
}

/// The body as it is forwarded when no name is resolved. `None`: nothing is sent.
fn written(request: &Request) -> Option<Vec<u8>> {
    macro_rules! canonical {
        ($body:expr) => {
            Some($body.canonical().expect("a body that was read can be written"))
        };
    }
    match &request.body {
        Body::None | Body::Unread | Body::Archive(_) => None,
        Body::Create(body) | Body::Commit(body) => canonical!(body),
        Body::Update(body) => canonical!(body),
        Body::ExecCreate(body) => canonical!(body),
        Body::ExecStart(body) => canonical!(body),
        Body::VolumeCreate(body) => canonical!(body),
        Body::NetworkCreate(body) => canonical!(body),
        Body::NetworkConnect(body) => canonical!(body),
        Body::NetworkDisconnect(body) => canonical!(body),
        Body::Checkpoint(body) => canonical!(body),
        Body::Auth(body) => canonical!(body),
        Body::Copy(body) => canonical!(body),
        Body::VolumeUpdate(body) => canonical!(body),
        Body::SwarmInit(body) => canonical!(body),
        Body::SwarmJoin(body) => canonical!(body),
        Body::SwarmUpdate(body) => canonical!(body),
        Body::SwarmUnlock(body) => canonical!(body),
        Body::Node(body) => canonical!(body),
        Body::Service(body) => canonical!(body),
        Body::Secret(body) => canonical!(body),
        Body::Config(body) => canonical!(body),
        Body::Plugin(body) => canonical!(body),
        Body::PluginSet(body) => canonical!(body),
    }
}

/// What is sent, were it sent to us, would be judged alike and sent as it is.
fn judged_again(understood: &Request) -> Result<(), String> {
    let Some(facts) = settle(understood) else {
        return Ok(());
    };
    let docker::facts::CanonicalBody::Json(body) = &facts.canonical.body else {
        return Ok(());
    };
    let sent = &facts.canonical;
    let again =
        request(sent.method.as_str(), &sent.target, body).map_err(|why| format!("what is sent is refused: {why}"))?;
    let again = settle(&again).ok_or("what is sent has no facts")?;
    if again.canonical != facts.canonical {
        return Err(format!(
            "what is sent is sent otherwise: {} and {}",
            shown(&facts.canonical),
            shown(&again.canonical)
        ));
    }
    if asked(&again) != asked(&facts) {
        return Err(format!(
            "what is sent asks for other privileges: {} and {}",
            shown(&asked(&facts)),
            shown(&asked(&again))
        ));
    }
    Ok(())
}

fn judge(understood: &Request, forwarded: &[u8], shape: Option<&Shape>, answer: &[u8]) -> Result<(), String> {
    let (status, rest) = answer.split_first().ok_or("no answer")?;
    let (one, other) = cut(rest).and_then(|(one, rest)| Some((one, cut(rest)?.0))).unwrap_or((rest, b""));
    let told =
        |what: &str| Err(format!("{what}: {} and {} (forwarded: {})", lossy(one), lossy(other), lossy(forwarded)));
    match status {
        0 => understood_alike(understood, forwarded, shape, cut(rest).ok_or("a cut answer")?.0),
        1 => told("Go reads something else from what is forwarded"),
        // The daemon answers with an error, as it would have done without us.
        2 | 5 => Ok(()),
        3 => told("Go refuses what was sent, but not what is forwarded"),
        4 => told("Go refuses what is forwarded, but not what was sent"),
        _ => told("no such status"),
    }
}

/// Go's reading in Go's writing, read by us, against what we understood.
fn understood_alike(understood: &Request, forwarded: &[u8], shape: Option<&Shape>, go: &[u8]) -> Result<(), String> {
    if matches!(understood.body, Body::None) {
        return Ok(());
    }
    let (method, target) = line_of(understood.call.operation.name()).ok_or("no such operation here")?;
    let read = request(method, target, go).map_err(|why| format!("what Go writes is refused: {why}: {}", lossy(go)))?;
    let from_go = written(&read).ok_or("what Go writes has no facts")?;
    let plain = |text: &[u8]| -> Result<Value, String> {
        let mut value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if let Some(shape) = shape {
            shape.restrict(&mut value);
        }
        without_zeros(&mut value);
        Ok(value)
    };
    let (ours, gos) = (plain(forwarded)?, plain(&from_go)?);
    if ours == gos { Ok(()) } else { Err(format!("we understood {ours}, Go {gos}")) }
}

/// Takes out zeros and what holds nothing else: Go hides some of them (`omitempty`) and writes others that
/// nobody gave. That `nil` stays apart from zero is compared in Go.
fn without_zeros(value: &mut Value) -> bool {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !without_zeros(value));
            object.is_empty()
        }
        Value::Array(list) => {
            let others = list.iter_mut().filter_map(|value| (!without_zeros(value)).then_some(())).count();
            others == 0
        }
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) => false,
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(3000).collect()
}
