//! What was changed between the request as it was given and the one that was judged.
//!
//! A door that sends requests on sends the judged one. One that can only say yes or no lets the daemon do what was
//! given: it must know where the two differ. A name that became an id is the same thing to the daemon, at least for
//! the moment between our look and its own, and a path that was only tidied is the same path. Everything else that was
//! changed, whatever it is, is told; above all a path that leads elsewhere through a symbolic link.

use serde_json::Value;

use super::facts::canonical_body;
use super::{Misread, Request};
use crate::facts::{Canonical, CanonicalBody};
use crate::host_path;
use crate::target::{Query, QueryError};

/// A change that makes another request of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where: `HostConfig.Binds[0]`.
    pub place: String,
    /// As it was given.
    pub given: String,
    /// As it was judged.
    pub judged: String,
}

impl Request {
    /// The first change that matters, if there is any.
    pub fn edited(&self, judged: &Canonical) -> Result<Option<Edit>, Misread> {
        if let Some(edit) = self.query_edited(judged)? {
            return Ok(Some(edit));
        }
        let edit = |place: &str| Edit { place: place.to_owned(), given: String::new(), judged: String::new() };
        match (canonical_body(&self.body)?, &judged.body) {
            (given, judged) if given == *judged => Ok(None),
            (CanonicalBody::Json(given), CanonicalBody::Json(judged)) => {
                let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
                match (read(&given), read(judged)) {
                    (Some(given), Some(judged)) => Ok(compare("", &given, &judged)),
                    _ => Ok(Some(edit("the body"))),
                }
            }
            _ => Ok(Some(edit("the body"))),
        }
    }

    /// Parameters keep their places; new ones stand at the end.
    fn query_edited(&self, judged: &Canonical) -> Result<Option<Edit>, QueryError> {
        let judged = Query::parse(judged.target.split_once('?').map_or("", |(_, query)| query))?;
        let mut given = self.call.query.iter();
        for (name, judged) in judged.iter() {
            let given = given.next().filter(|(given, _)| *given == name).map_or("", |(_, value)| value);
            // The tag of a pull that became a digest is another pull: the tag may be given to another image meanwhile.
            if given != judged && (name == "tag" || !same(given, judged)) {
                return Ok(Some(Edit { place: name.to_owned(), given: given.to_owned(), judged: judged.to_owned() }));
            }
        }
        let left_out = given.next().map(|(name, value)| Edit {
            place: name.to_owned(),
            given: value.to_owned(),
            judged: String::new(),
        });
        Ok(left_out)
    }
}

/// The first difference that matters, from the top.
fn compare(place: &str, given: &Value, judged: &Value) -> Option<Edit> {
    match (given, judged) {
        (given, judged) if given == judged => None,
        (Value::Object(given), Value::Object(judged)) => {
            let names = given.keys().chain(judged.keys().filter(|name| !given.contains_key(*name)));
            let value = |map: &serde_json::Map<String, Value>, name| map.get(name).cloned().unwrap_or_default();
            names.into_iter().find_map(|name| {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                compare(&place, &value(given, name), &value(judged, name))
            })
        }
        (Value::Null, Value::Object(judged)) => {
            judged.iter().find_map(|(name, value)| compare(&format!("{place}.{name}"), &Value::Null, value))
        }
        (Value::Array(given), Value::Array(judged)) if given.len() == judged.len() => {
            let pairs = given.iter().zip(judged).enumerate();
            pairs.into_iter().find_map(|(at, (given, judged))| compare(&format!("{place}[{at}]"), given, judged))
        }
        // A field that was not given and is as if it had not been.
        (Value::Null, Value::String(judged)) if judged.is_empty() => None,
        (Value::Null, Value::Array(judged)) if judged.is_empty() => None,
        (Value::Null, Value::Bool(false)) => None,
        (Value::Null, Value::Number(number)) if number.as_i64() == Some(0) => None,
        (Value::Null, Value::String(judged)) if same("", judged) => None,
        (Value::String(given), Value::String(judged)) if same(given, judged) => None,
        (given, judged) => Some(Edit { place: place.to_owned(), given: shown(given), judged: shown(judged) }),
    }
}

/// Whether both mean the same: part by part equal, an id in place of a name, or a path that was only tidied.
fn same(given: &str, judged: &str) -> bool {
    let judged = judged.replace("sha256:", "");
    if given.is_empty() {
        return judged.is_empty() || is_id(&judged);
    }
    let (mut given, mut judged) = (given.split(':'), judged.split(':'));
    let mut ids = 0_usize;
    loop {
        match (given.next(), judged.next()) {
            (None, None) => return true,
            (Some(given), Some(judged)) if given == judged || tidied(given, judged) => {}
            (Some(_), Some(judged)) if is_id(judged) => ids = ids.saturating_add(1),
            _ => return false,
        }
        if ids > 1 {
            return false;
        }
    }
}

fn tidied(given: &str, judged: &str) -> bool {
    host_path::clean(given).is_some_and(|clean| clean == judged)
}

/// Whether it is an id of the daemon's or of a swarm's, whole.
fn is_id(text: &str) -> bool {
    let digits = |length: usize, known: fn(u8) -> bool| text.len() == length && text.bytes().all(known);
    digits(64, |byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
        || digits(25, |byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        _ => "another value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_name_that_became_an_id_is_no_other_request() {
        for (given, judged) in [
            ("web", ID.to_owned()),
            ("container:web", format!("container:{ID}")),
            ("web:ro", format!("{ID}:ro")),
            ("tiny", format!("sha256:{ID}")),
            ("", ID.to_owned()),
            ("secret", "8wsl6yrcyx0wk0sfn2xoa4jyq".to_owned()),
            ("/srv//ci/./x:/x:ro", "/srv/ci/x:/x:ro".to_owned()),
        ] {
            assert_eq!(compare("x", &json!(given), &json!(judged)), None, "{given} {judged}");
        }
        let given = json!({ "EndpointsConfig": { "net": null }, "Image": "a" });
        let judged =
            json!({ "EndpointsConfig": { "net": { "NetworkID": ID, "Links": [], "MacAddress": "" } }, "Image": "a" });
        assert_eq!(compare("", &given, &judged), None);
    }

    #[test]
    fn everything_else_is() {
        for (given, judged) in [
            (json!("/srv/link:/x"), json!("/etc:/x")),
            (json!("/srv/ci"), json!("/srv/ci/y")),
            (json!(""), json!("/etc")),
            (json!("a"), json!("b")),
            (json!("a:b"), json!(format!("{ID}:c"))),
            (json!("container:web"), json!("host")),
            (json!(null), json!(1)),
            (json!(0), json!(1)),
            (json!(null), json!({ "x": true })),
            (json!({ "x": true }), json!({})),
            (json!(["a"]), json!(["a", "b"])),
            (json!(["a"]), json!([])),
        ] {
            assert!(compare("x", &given, &judged).is_some(), "{given} {judged}");
        }
        let edit = compare("", &json!({ "H": { "B": ["/l:/x"] } }), &json!({ "H": { "B": ["/etc:/x"] } })).unwrap();
        assert_eq!((edit.place.as_str(), edit.given.as_str(), edit.judged.as_str()), ("H.B[0]", "/l:/x", "/etc:/x"));
    }
}
