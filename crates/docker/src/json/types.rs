//! Go types that JSON or Rust has no type of its own for.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A list of strings that may be sent as one string (moby `strslice.StrSlice`); written as a list.
///
/// `null` and `[]` differ to Docker: declare `Option<StrSlice>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct StrSlice(pub Vec<String>);

/// The name by which the adapter knows what is asked for.
pub(super) const STR_SLICE: &str = "Docker's StrSlice";

impl Deref for StrSlice {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for StrSlice {
    fn from(strings: Vec<String>) -> Self {
        StrSlice(strings)
    }
}

impl<'de> Deserialize<'de> for StrSlice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(STR_SLICE, StrSliceVisitor)
    }
}

struct StrSliceVisitor;

impl<'de> Visitor<'de> for StrSliceVisitor {
    type Value = StrSlice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    /// Where no adapter of ours knows the name.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<StrSlice, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E: Error>(self) -> Result<StrSlice, E> {
        Ok(StrSlice::default())
    }

    fn visit_str<E: Error>(self, string: &str) -> Result<StrSlice, E> {
        Ok(StrSlice(vec![string.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut strings: A) -> Result<StrSlice, A::Error> {
        let mut list = Vec::new();
        while let Some(string) = strings.next_element()? {
            list.push(string);
        }
        Ok(StrSlice(list))
    }
}

/// Go's `[2]uint`, such as a console's height and width. Go fills up a shorter list and cuts a longer
/// one; we take exactly two numbers, or `null` for two zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair(pub u64, pub u64);

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0, self.1).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, PairVisitor)
    }
}

struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Pair;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of two numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<Pair, E> {
        Ok(Pair::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Pair, A::Error> {
        let first: Option<u64> = numbers.next_element()?;
        let second: Option<u64> = numbers.next_element()?;
        let third: Option<IgnoredAny> = numbers.next_element()?;
        match (first, second, third) {
            (Some(first), Some(second), None) => Ok(Pair(first, second)),
            _ => Err(A::Error::custom("not two numbers")),
        }
    }
}

/// Text that no log, message or record may show: passwords, tokens, keys, the data of secrets.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Hidden)
    }
}

/// A field that clients send and the daemon does not read: any value will do, none is sent on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Ignored)
    }
}

/// Never used by `go_struct!`, which leaves zero values out.
impl Serialize for Ignored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
