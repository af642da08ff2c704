//! A JSON body, read as dockerd's Go reads it, or not at all.
//!
//! Go matches the keys of a struct without regard to case, merges a key that is given twice, takes
//! `null` for "nothing said" and drops what it does not know. A firewall that reads otherwise judges
//! another request than the one that is carried out. So [`read`] follows Go where Go is plain, refuses
//! what two readers could read differently, and [`Body::canonical`] writes anew the only form to send on.
//! Reading is serde over serde_json: `adapter` sits between the two and needs no tables of its own.
//! What the fields mean is not known here; see the modules that declare structs with `go_struct!`.
//! No error of this module repeats a value of the body, for values are secrets.

mod access;
mod adapter;
mod error;
mod extras;
mod fold;
mod macros;
mod place;
mod types;
mod zero;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::adapter::Go;
use self::place::Reading;

pub(crate) use self::access::MOST_FIELDS;
pub use self::error::{Error, Kind};
pub use self::extras::{Extra, Step};
pub(crate) use self::macros::go_struct;
pub use self::types::{Hidden, Ignored, Pair, StrSlice};
pub use self::zero::{Zero, is_zero};

/// What a reader may choose.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Fields that we do not know and let through all the same, by their full path of field names:
    /// `HostConfig.FutureField`, `HostConfig.Mounts.NewThing`. List indices and the keys of maps are
    /// left out; letter case does not matter, as it does not to Go.
    pub allow_fields: &'a BTreeSet<String>,
}

static NO_FIELDS: BTreeSet<String> = BTreeSet::new();

impl Default for Options<'static> {
    /// Every unknown field is refused.
    fn default() -> Self {
        Options { allow_fields: &NO_FIELDS }
    }
}

/// Reads a whole body.
///
/// Fails for what is not JSON, for what is ambiguous (a field given twice under any spelling, a key
/// of a map given twice, `null` in a list, anything after the value), for fields that neither `T` nor
/// `options` knows, and for values that Go would refuse for their type.
pub fn read<T: DeserializeOwned>(bytes: &[u8], options: &Options<'_>) -> Result<Body<T>, Error> {
    let text = text(bytes)?;
    let reading = Reading::new(options);
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Go::new(&mut json, &reading.root())).map_err(|error| reading.error(&error))?;
    json.end().map_err(|error| Error::trailing(error.line(), error.column()))?;
    Ok(Body { value, extras: reading.extras() })
}

/// Go turns broken UTF-8 into U+FFFD, others refuse it or keep it: no body of a real client has it.
/// A byte order mark is refused by Go and skipped by others. A `null` body is an absent one.
fn text(bytes: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| Error::not_utf8(bytes, error.valid_up_to()))?;
    if text.starts_with('\u{FEFF}') {
        return Err(Error::whole_body(Kind::Malformed, "starts with a byte order mark"));
    }
    match text.trim_matches([' ', '\t', '\r', '\n']) {
        "" => Err(Error::whole_body(Kind::Malformed, "is empty")),
        "null" => Err(Error::whole_body(Kind::Null, "is null")),
        _ => Ok(text),
    }
}

/// A body that was read: its typed value, and the unknown fields that were let through.
#[derive(Debug, Clone, PartialEq)]
pub struct Body<T> {
    value: T,
    extras: Vec<Extra>,
}

impl<T> Body<T> {
    /// A body of our own making, with no unknown fields.
    pub fn new(value: T) -> Self {
        Body { value, extras: Vec::new() }
    }

    /// What was understood.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// To edit the body before it is written again. The extras stay at their places: a list that holds
    /// some must keep its order, and what holds some must not be taken out (see [`Body::canonical`]).
    pub fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The typed value alone; the extras are lost.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The unknown fields that [`Options::allow_fields`] let through, in the order of the body.
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }
}

impl<T: Serialize> Body<T> {
    /// The one form to send on: our spelling of every key, no key twice, zero values left out, the
    /// extras at the places where they were found.
    ///
    /// Fails when an edit has removed the list element or the map entry that an extra belongs to. A
    /// struct field that an edit has emptied comes back, holding the extra alone.
    pub fn canonical(&self) -> Result<Vec<u8>, Error> {
        let unwritable = |_| Error::whole_body(Kind::Unwritable, "cannot be written again");
        if self.extras.is_empty() {
            return serde_json::to_vec(&self.value).map_err(unwritable);
        }
        let mut whole = serde_json::to_value(&self.value).map_err(unwritable)?;
        for extra in &self.extras {
            extra.put_back(&mut whole)?;
        }
        serde_json::to_vec(&whole).map_err(unwritable)
    }
}

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
