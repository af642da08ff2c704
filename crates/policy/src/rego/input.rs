//! The document that a policy looks at.
//!
//! What is judged is what is sent: the body is the one that goes on to the daemon, defaults and resolved paths included;
//! method, path and query are the client's as the daemon's router understands them. Header fields are as the client sent
//! them. Beside these, in the predecessors' words, stands what the request means, under `dockwarden`.

use docker::facts::CanonicalBody;
use docker::privilege::Privilege;
use docker::request::Posed;
use serde_json::{Map, Value as Json, json};

use crate::circumstances::{proof, timestamp};
use crate::judge::Case;
use crate::{Proof, Subject};

/// The largest document, in bytes. What a builtin can be made to do grows with it.
const LARGEST: usize = 1 << 20;

/// Whose words the document is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// All of these.
    All,
    /// Those of docker-socket-firewall. Its paths end with `?` where there is no query.
    DockerSocketFirewall,
    /// Those of opa-docker-authz.
    OpaDockerAuthz,
    /// Our own.
    Own,
}

impl Form {
    pub(super) const ALL: [Form; 4] = [Form::All, Form::DockerSocketFirewall, Form::OpaDockerAuthz, Form::Own];

    /// The name in the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::All => "all",
            Form::DockerSocketFirewall => "docker-socket-firewall",
            Form::OpaDockerAuthz => "opa-docker-authz",
            Form::Own => "own",
        }
    }
}

/// The document about a request, or why there is none.
pub(super) fn document(form: Form, case: &Case<'_>, posed: &Posed) -> Result<Json, String> {
    let mut document = Map::new();
    if form != Form::Own {
        shared(form, case, posed, &mut document)?;
    }
    if matches!(form, Form::All | Form::OpaDockerAuthz) {
        plugin(case, posed, &mut document);
    }
    if matches!(form, Form::All | Form::Own) {
        document.insert("dockwarden".to_owned(), own(case)?);
    }
    let document = Json::Object(document);
    if size(&document, LARGEST) > LARGEST {
        return Err(format!("the request is too large for it: more than {LARGEST} bytes"));
    }
    Ok(document)
}

/// What both predecessors have, and the Dockerfile, which only one of them had.
fn shared(form: Form, case: &Case<'_>, posed: &Posed, document: &mut Map<String, Json>) -> Result<(), String> {
    let query = posed.query.canonical();
    let path = match (form, query.as_str()) {
        (Form::All | Form::OpaDockerAuthz, "") => posed.encoded_path.clone(),
        (_, query) => format!("{}?{query}", posed.encoded_path),
    };
    document.insert("Method".to_owned(), posed.method.as_str().into());
    document.insert("Path".to_owned(), path.into());
    document.insert("Headers".to_owned(), headers(posed).into());
    document.insert("Body".to_owned(), body(case, posed)?);
    if let Some(dockerfile) = &case.facts.dockerfile {
        let lines: Vec<&str> = dockerfile.text.split('\n').collect();
        document.insert("Dockerfile".to_owned(), json!(lines));
        document.insert("BaseImages".to_owned(), json!(dockerfile.bases));
    }
    Ok(())
}

/// What opa-docker-authz adds.
fn plugin(case: &Case<'_>, posed: &Posed, document: &mut Map<String, Json>) {
    let mut query = Map::new();
    for (name, value) in posed.query.iter() {
        if let Some(values) = query.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            values.push(value.into());
        }
    }
    let parts: Vec<&str> = posed.path.split('/').collect();
    document.insert("PathPlain".to_owned(), posed.path.as_str().into());
    document.insert("PathArr".to_owned(), json!(parts));
    document.insert("Query".to_owned(), query.into());
    document.insert("User".to_owned(), user(case.subject).into());
    document.insert("AuthMethod".to_owned(), method_of_proof(case.subject).into());
    document.insert("BindMounts".to_owned(), case.facts.privileges.iter().filter_map(bind_mount).collect());
}

/// The fields by Go's spelling of their names, several values joined as docker-socket-firewall does. Go has `Host` and
/// `Transfer-Encoding` elsewhere.
fn headers(posed: &Posed) -> Map<String, Json> {
    let mut fields: Map<String, Json> = Map::new();
    for (name, value) in posed.headers.iter() {
        let (name, value) = (go_spelling(name), String::from_utf8_lossy(value).into_owned());
        if name == "Host" || name == "Transfer-Encoding" {
            continue;
        }
        let joined = match fields.get(&name).and_then(Json::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        fields.insert(name, joined.into());
    }
    fields
}

/// `x-foo` as `X-Foo`.
fn go_spelling(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The body as it will be sent, with what the client said without need: that a flag is off, that a list is empty. The
/// daemon takes it for unsaid, but policies ask for it.
fn body(case: &Case<'_>, posed: &Posed) -> Result<Json, String> {
    let CanonicalBody::Json(bytes) = &case.facts.canonical.body else { return Ok(Json::Null) };
    if bytes.len() > LARGEST {
        return Err(format!("the request is too large for it: more than {LARGEST} bytes"));
    }
    let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes);
    let mut body = read(bytes).map_err(|error| format!("the body cannot be read back: {error}"))?;
    if let Some(given) = posed.body.as_deref().and_then(|given| read(given).ok()) {
        complete(&mut body, given);
    }
    Ok(body)
}

fn complete(sent: &mut Json, given: Json) {
    match (sent, given) {
        (Json::Object(sent), Json::Object(given)) => {
            for (key, value) in given {
                // As Go compares the names of fields.
                let same = sent.keys().find(|known| known.eq_ignore_ascii_case(&key)).cloned();
                match same.and_then(|known| sent.get_mut(&known)) {
                    Some(sent) => complete(sent, value),
                    None if says_nothing(&value) => drop(sent.insert(key, value)),
                    None => {}
                }
            }
        }
        (Json::Array(sent), Json::Array(given)) if sent.len() == given.len() => {
            sent.iter_mut().zip(given).for_each(|(sent, given)| complete(sent, given));
        }
        _ => {}
    }
}

/// Whether Go has the same where nothing is said.
fn says_nothing(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Bool(true) => false,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(says_nothing),
    }
}

/// As the daemon names users to its plugin: nobody, who showed it no certificate.
fn user(subject: &Subject) -> &str {
    if subject.proof == Proof::Nothing { "" } else { &subject.user }
}

fn method_of_proof(subject: &Subject) -> &'static str {
    match &subject.proof {
        Proof::Certificate { .. } => "TLS",
        Proof::Nothing => "",
        other => proof(other),
    }
}

fn bind_mount(privilege: &Privilege) -> Option<Json> {
    let Privilege::MountHostPath(mount) = privilege else { return None };
    let source = mount.asked.as_ref().unwrap_or(&mount.path);
    let resolved = if mount.resolved { mount.path.as_str() } else { "" };
    Some(json!({ "Source": source, "ReadOnly": mount.read_only, "Resolved": resolved }))
}

/// What the request means: operation, resources, privileges, subject.
fn own(case: &Case<'_>) -> Result<Json, String> {
    let Case { subject, groups, facts, circumstances } = case;
    let value = |value: serde_json::Result<Json>| value.map_err(|error| format!("it cannot be described: {error}"));
    let mut privileges = Vec::with_capacity(facts.privileges.len());
    for privilege in &facts.privileges {
        let mut described = value(serde_json::to_value(privilege))?;
        if let Some(fields) = described.as_object_mut() {
            fields.insert("words".to_owned(), privilege.to_string().into());
        }
        privileges.push(described);
    }
    let defaults: Vec<String> = facts.obligations.iter().map(ToString::to_string).collect();
    Ok(json!({
        "operation": facts.operation.name(),
        "effect": value(serde_json::to_value(facts.effect()))?,
        "version": facts.version.map(|version| version.to_string()),
        "door": circumstances.door.name(),
        "time": timestamp(circumstances.time),
        "subject": {
            "user": subject.user,
            "groups": groups,
            "uid": subject.uid,
            "proof": proof(&subject.proof),
            "container": subject.container,
            "address": subject.address,
        },
        "resources": value(serde_json::to_value(&facts.resources))?,
        "privileges": privileges,
        "spec": value(serde_json::to_value(&facts.spec))?,
        "defaults": defaults,
    }))
}

/// About how many bytes a document has; counted no further than it matters.
fn size(value: &Json, most: usize) -> usize {
    let mut size = 8_usize;
    let mut add = |more: usize| {
        size = size.saturating_add(more);
        size <= most
    };
    match value {
        Json::String(text) => drop(add(text.len())),
        Json::Array(items) => drop(items.iter().all(|item| add(self::size(item, most)))),
        Json::Object(fields) => drop(fields.iter().all(|(key, value)| add(key.len()) && add(self::size(value, most)))),
        _ => {}
    }
    size
}
