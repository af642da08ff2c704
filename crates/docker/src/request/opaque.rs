//! JSON bodies that are not looked into, and those that hold nothing.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Body, Call, Misread};
use crate::json;

/// Whether a body is absent or `null`.
pub(super) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"null")
}

/// The body of an end point that reads none, although clients send an empty object.
pub(super) fn empty(call: &Call, bytes: &[u8]) -> Result<Body, Misread> {
    let compact: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match compact.as_slice() {
        b"" | b"null" | b"{}" => Ok(Body::None),
        _ => Err(Misread::NeedlessBody { operation: call.operation.name() }),
    }
}

/// A body of which only this is known: it is JSON, and no object has the same key twice, under any
/// spelling that Go would take for the same.
pub(super) fn read(bytes: &[u8]) -> Result<Body, Misread> {
    if is_nothing(bytes) {
        return Ok(Body::None);
    }
    let refuse = || Misread::value("the body", "is not JSON, or gives a key twice");
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Plain(value) = Plain::deserialize(&mut reader).map_err(|_| refuse())?;
    reader.end().map_err(|_| refuse())?;
    Ok(Body::Opaque(value))
}

/// A JSON value without repeated keys.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Plain)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Plain(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = serde_json::Map::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((key, Plain(value))) = object.next_entry::<String, Plain>()? {
            if !seen.insert(json::folded_key(&key)) {
                return Err(A::Error::custom("a key is given twice"));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
