//! The Deserializer between serde and serde_json that makes serde read as Go does.
//!
//! A type asks it for a bool, a list, a struct with these fields, and it asks serde_json in turn, with
//! the type's visitor wrapped in a [`Reader`]: `null` becomes Go's zero value, and objects and lists go
//! through [`super::access`], where keys are folded and counted. The first error notes its place.
//! It never guesses a type: what the type asks for is what the text has to be.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::access::{Elements, Entries, Fields};
use super::error::Kind;
use super::place::Node;
use super::types::STR_SLICE;

/// A value still to be read, and its place in the body.
pub(super) struct Go<'p, D> {
    inner: D,
    at: &'p Node<'p>,
}

/// What a type asked for, where the text is not a bool or a number.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    List,
    Tuple(usize),
    Map,
    Struct(&'static str, &'static [&'static str]),
    /// Go's `strslice.StrSlice`.
    Strings,
    Optional,
    Any,
}

impl<'de, 'p, D: Deserializer<'de>> Go<'p, D> {
    pub(super) fn new(inner: D, at: &'p Node<'p>) -> Self {
        Go { inner, at }
    }

    fn shaped<V: Visitor<'de>>(self, shape: Shape, visitor: V) -> Result<V::Value, D::Error> {
        let Go { inner, at } = self;
        let reader = Reader { visitor, at, shape };
        let value = match shape {
            Shape::Any => inner.deserialize_any(reader),
            _ => inner.deserialize_option(reader),
        };
        value.inspect_err(|_| at.note(shape))
    }

    /// Bools and numbers are read from their raw text: serde_json takes `-0` for a float, and its
    /// messages repeat the value.
    fn scalar<T: Default>(
        self,
        expected: impl fmt::Display,
        parse: impl FnOnce(&str) -> Result<T, Kind>,
    ) -> Result<T, D::Error> {
        let at = self.at;
        let raw = <&RawValue>::deserialize(self.inner).inspect_err(|_| at.note(&expected))?;
        match raw.get() {
            "null" if at.is_element() => Err(at.refuse_null()),
            "null" => Ok(T::default()),
            text => parse(text).map_err(|kind| at.refuse_scalar(kind, &expected)),
        }
    }

    fn whole<T: Default + FromStr>(self, range: WholeNumber) -> Result<T, D::Error> {
        self.scalar(range, |text| text.parse().map_err(|_| misfit(text, |byte| byte.is_ascii_digit() || byte == b'-')))
    }

    fn float<T: Default + FromStr>(self, fits: fn(&T) -> bool) -> Result<T, D::Error> {
        let fitting = |text: &str| text.parse().ok().filter(fits).ok_or_else(|| misfit(text, |byte| byte != b'"'));
        self.scalar("a number", fitting)
    }
}

/// Why a text is not the number that was asked for: it is one by its grammar, but does not fit.
fn misfit(text: &str, may_hold: fn(u8) -> bool) -> Kind {
    let number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number && text.bytes().all(may_hold) { Kind::OutOfRange } else { Kind::WrongType }
}

/// What an integer type holds; the range is told with `{:#}`.
struct WholeNumber {
    least: i128,
    most: i128,
}

impl fmt::Display for WholeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")?;
        if f.alternate() { write!(f, " from {} to {}", self.least, self.most) } else { Ok(()) }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Text => f.write_str("a string"),
            Shape::List => f.write_str("a list"),
            Shape::Tuple(length) => write!(f, "a list of exactly {length} values"),
            Shape::Map | Shape::Struct(..) => f.write_str("an object"),
            Shape::Strings => f.write_str("a string or a list of strings"),
            Shape::Optional | Shape::Any => f.write_str("a value of another type"),
        }
    }
}

macro_rules! whole_numbers {
    ($($deserialize:ident $visit:ident $number:ident),* $(,)?) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let range = WholeNumber { least: i128::from($number::MIN), most: i128::from($number::MAX) };
            visitor.$visit(self.whole::<$number>(range)?)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Go<'_, D> {
    type Error = D::Error;

    whole_numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let value = self.scalar("true or false", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Kind::WrongType),
        })?;
        visitor.visit_bool(value)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_f32(self.float(|number: &f32| number.is_finite())?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_f64(self.float(|number: &f64| number.is_finite())?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Text, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Text, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::List, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Tuple(length), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Map, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Struct(name, fields), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Optional, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        match name {
            STR_SLICE => self.shaped(Shape::Strings, visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Any, visitor)
    }

    /// Walks the whole value, for serde_json skips one without looking at its escapes.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.shaped(Shape::Any, visitor)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple_struct enum identifier
    }
}

/// The visitor of a type, told what serde_json finds in the way Go would tell it.
struct Reader<'p, V> {
    visitor: V,
    at: &'p Node<'p>,
    shape: Shape,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Reader<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shape)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        match self.shape {
            Shape::Optional => self.visitor.visit_none(),
            _ if self.at.is_element() => Err(self.at.refuse_null()),
            Shape::Text => self.visitor.visit_str(""),
            Shape::List => self.visitor.visit_seq(Nothing(PhantomData)),
            Shape::Map | Shape::Struct(..) => self.visitor.visit_map(Nothing(PhantomData)),
            Shape::Tuple(_) | Shape::Strings | Shape::Any => self.visitor.visit_unit(),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        match self.shape {
            Shape::Optional => self.visitor.visit_some(Go { inner, at: self.at }),
            Shape::Text => inner.deserialize_str(self.visitor),
            Shape::List => inner.deserialize_seq(self),
            Shape::Tuple(length) => inner.deserialize_tuple(length, self),
            Shape::Map => inner.deserialize_map(self),
            Shape::Struct(name, fields) => inner.deserialize_struct(name, fields, self),
            Shape::Strings | Shape::Any => inner.deserialize_any(self),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Struct(_, fields) => self.visitor.visit_map(Fields::new(access, self.at, fields)),
            _ => self.visitor.visit_map(Entries::new(access, self.at)),
        }
    }

    /// serde would fill a struct from a list, by the order of its fields; Go would not.
    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Struct(..) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            _ => self.visitor.visit_seq(Elements::new(access, self.at)),
        }
    }

    /// `null` where any type goes: a value like others, in a list too.
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.visitor.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.visitor.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.visitor.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.visitor.visit_f64(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.visitor.visit_str(value)
    }
}

/// The empty list or object that `null` stands for.
struct Nothing<E>(PhantomData<E>);

impl<'de, E: Error> SeqAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, E> {
        Ok(None)
    }
}

impl<'de, E: Error> MapAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _: K) -> Result<Option<K::Value>, E> {
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, E> {
        Err(E::custom("no key was given"))
    }
}
