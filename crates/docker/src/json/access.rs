//! The insides of an object or a list: every key is looked up and counted before its value is read.
//!
//! Structs fold their keys ([`Fields`]), maps take them as they are ([`Entries`]); both refuse a key
//! that comes twice, for Go would merge the two values or let the last one win. Lists ([`Elements`])
//! only know their index.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::adapter::Go;
use super::fold;
use super::place::{Node, StepRef};

/// The most fields that [`Seen`] can tell apart; `go_struct!` checks it while compiling.
pub(crate) const MOST_FIELDS: usize = 128;

/// The fields of a Go struct.
pub(super) struct Fields<'p, A> {
    inner: A,
    at: &'p Node<'p>,
    names: &'static [&'static str],
    seen: Seen,
    /// Index and name of the field whose value comes next.
    current: (usize, &'static str),
    /// Names of the unknown fields that were let through here.
    strangers: Vec<String>,
}

impl<'p, A> Fields<'p, A> {
    pub(super) fn new(inner: A, at: &'p Node<'p>, names: &'static [&'static str]) -> Self {
        Fields { inner, at, names, seen: Seen(0), current: (0, ""), strangers: Vec::new() }
    }
}

impl<'de, A: MapAccess<'de>> Fields<'_, A> {
    /// An unknown field: kept aside with its place when it is allowed, refused otherwise.
    fn stranger(&mut self, sent: &str) -> Result<(), A::Error> {
        let Some(name) = self.at.allowed(sent) else {
            return Err(self.at.refuse_unknown(sent, fold::nearest(sent, self.names)));
        };
        if self.strangers.iter().any(|known| fold::same(known, name)) {
            return Err(self.at.child(StepRef::Field(name)).refuse_twice());
        }
        self.strangers.push(name.to_owned());
        let at = self.at.child(StepRef::Field(name));
        let value = self.inner.next_value_seed(Seed { seed: PhantomData::<Value>, at: &at })?;
        self.at.keep(name, value);
        Ok(())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        loop {
            let find = FindField { names: self.names, hint: self.current.0.saturating_add(1) };
            match self.inner.next_key_seed(find)? {
                None => return Ok(None),
                Some(Key::Unknown(sent)) => self.stranger(&sent)?,
                Some(Key::Field(index, name)) if self.seen.first(index) => {
                    self.current = (index, name);
                    return seed.deserialize(StrDeserializer::new(name)).map(Some);
                }
                Some(Key::Field(_, name)) => {
                    return Err(self.at.child(StepRef::Field(name)).refuse_twice());
                }
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let at = self.at.child(StepRef::Field(self.current.1));
        self.inner.next_value_seed(Seed { seed, at: &at })
    }
}

/// Which fields of a struct were given, one bit each.
struct Seen(u128);

impl Seen {
    /// False the second time, and for an index that has no bit: a doubt is a refusal.
    fn first(&mut self, index: usize) -> bool {
        let Some(bit) = u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index)) else {
            return false;
        };
        let first = self.0 & bit == 0;
        self.0 |= bit;
        first
    }
}

enum Key {
    Field(usize, &'static str),
    Unknown(String),
}

/// Reads a key and finds its field without keeping the text.
struct FindField {
    names: &'static [&'static str],
    /// Where the field is when the client writes its fields in Go's order.
    hint: usize,
}

impl<'de> DeserializeSeed<'de> for FindField {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FindField {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, sent: &str) -> Result<Key, E> {
        Ok(match fold::find(sent, self.names, self.hint) {
            Some((index, name)) => Key::Field(index, name),
            None => Key::Unknown(sent.to_owned()),
        })
    }
}

/// The entries of a Go map: keys are data.
pub(super) struct Entries<'p, A> {
    inner: A,
    at: &'p Node<'p>,
    current: Rc<str>,
    seen: BTreeSet<Rc<str>>,
}

impl<'p, A> Entries<'p, A> {
    pub(super) fn new(inner: A, at: &'p Node<'p>) -> Self {
        Entries { inner, at, current: Rc::default(), seen: BTreeSet::new() }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(key) = self.inner.next_key::<String>()? else {
            return Ok(None);
        };
        self.current = Rc::from(key.as_str());
        if key.starts_with(SERDE_JSON_OWN) {
            return Err(self.at.child(StepRef::Key(&key)).refuse_reserved());
        }
        if !self.seen.insert(Rc::clone(&self.current)) {
            return Err(self.at.child(StepRef::Key(&key)).refuse_twice());
        }
        seed.deserialize(StringDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let at = self.at.child(StepRef::Key(&self.current));
        self.inner.next_value_seed(Seed { seed, at: &at })
    }
}

/// serde_json's `Value` takes an object with such a key for something else, such as JSON in a string.
const SERDE_JSON_OWN: &str = "$serde_json::private::";

/// The elements of a list.
pub(super) struct Elements<'p, A> {
    inner: A,
    at: &'p Node<'p>,
    index: usize,
}

impl<'p, A> Elements<'p, A> {
    pub(super) fn new(inner: A, at: &'p Node<'p>) -> Self {
        Elements { inner, at, index: 0 }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let at = self.at.child(StepRef::Index(self.index));
        self.index = self.index.saturating_add(1);
        self.inner.next_element_seed(Seed { seed, at: &at })
    }
}

/// Puts the adapter around every value further down.
struct Seed<'p, S> {
    seed: S,
    at: &'p Node<'p>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Go::new(deserializer, self.at))
    }
}
