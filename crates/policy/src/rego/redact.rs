//! A document without secrets, for showing. The policy itself saw them: it may have to.
//!
//! Hidden are the values of environment variables and build arguments, header fields that are not known to be harmless,
//! credentials, the contents of secrets and configs, keys and tokens, and options of drivers. What a policy printed is
//! searched for the same values.

use serde_json::Value as Json;

/// In place of what is hidden.
const HIDDEN: &str = "[redacted]";

/// Header fields that hold no secret.
const HARMLESS: &[&str] =
    &["Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Expect", "Upgrade", "User-Agent"];

/// Members whose values are hidden, wherever they stand, by their names in lower case.
const SECRET: &[&str] = &[
    "auth",
    "data",
    "driveropts",
    "identitytoken",
    "jointoken",
    "jointokens",
    "options",
    "password",
    "registrytoken",
    "signingcacert",
    "signingcakey",
    "unlockkey",
    "value",
];

/// Parameters of the query that hold what somebody's build or download needs.
const PARAMETERS: &[&str] = &["buildargs", "fromSrc", "remote"];

/// Values that were hidden.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    fn keep(&mut self, text: &str) {
        // What is this short is no secret, and would be found everywhere.
        if text.len() >= SHORTEST {
            self.0.push(text.to_owned());
        }
    }

    /// A text without them.
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

const SHORTEST: usize = 4;

/// The document without secrets, and these.
pub(super) fn document(mut document: Json) -> (Json, Secrets) {
    let mut secrets = Secrets::default();
    if let Some(fields) = document.as_object_mut() {
        if let Some(headers) = fields.get_mut("Headers").and_then(Json::as_object_mut) {
            let hidden = headers.iter_mut().filter(|(name, _)| !HARMLESS.contains(&name.as_str()));
            hidden.for_each(|(_, value)| hide_all(value, &mut secrets));
        }
        if let Some(query) = fields.get_mut("Query").and_then(Json::as_object_mut) {
            let hidden = query.iter_mut().filter(|(name, _)| PARAMETERS.contains(&name.as_str()));
            hidden.for_each(|(_, value)| hide_all(value, &mut secrets));
        }
        if let Some(Json::String(path)) = fields.get_mut("Path") {
            *path = without_parameters(path);
        }
        fields.get_mut("Body").into_iter().for_each(|body| hide_in(body, &mut secrets));
        let meaning = fields.get_mut("dockwarden").and_then(|meaning| meaning.get_mut("privileges"));
        meaning.into_iter().for_each(|privileges| hide_in(privileges, &mut secrets));
    }
    // The longest first: one may be a part of another.
    secrets.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    (document, secrets)
}

/// `/build?buildargs=[redacted]&t=x`
fn without_parameters(path: &str) -> String {
    let Some((plain, query)) = path.split_once('?') else { return path.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if PARAMETERS.contains(&name) && !value.is_empty() => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    });
    format!("{plain}?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn hide_in(value: &mut Json, secrets: &mut Secrets) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                match name.as_str() {
                    "env" => hide_environment(value, secrets),
                    // Of a log driver or a file: `Config` of a container's log configuration holds tokens.
                    "config" if value.is_object() => hide_all(value, secrets),
                    name if SECRET.contains(&name) => hide_all(value, secrets),
                    _ => hide_in(value, secrets),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| hide_in(item, secrets)),
        _ => {}
    }
}

/// `NAME=[redacted]`
fn hide_environment(value: &mut Json, secrets: &mut Secrets) {
    let Some(variables) = value.as_array_mut() else { return hide_all(value, secrets) };
    for variable in variables {
        match variable.as_str().and_then(|text| text.split_once('=')) {
            Some((name, value)) => {
                secrets.keep(value);
                *variable = format!("{name}={HIDDEN}").into();
            }
            None if variable.is_string() => {}
            None => hide_all(variable, secrets),
        }
    }
}

/// Hides all texts and numbers in a value. What says nothing stays.
fn hide_all(value: &mut Json, secrets: &mut Secrets) {
    match value {
        Json::Object(fields) => fields.values_mut().for_each(|value| hide_all(value, secrets)),
        Json::Array(items) => items.iter_mut().for_each(|item| hide_all(item, secrets)),
        Json::String(text) if text.is_empty() => {}
        Json::String(text) => {
            secrets.keep(text);
            *value = HIDDEN.into();
        }
        Json::Number(_) => *value = HIDDEN.into(),
        Json::Null | Json::Bool(_) => {}
    }
}
