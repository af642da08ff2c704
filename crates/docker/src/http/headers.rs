//! The fields of a head, in order, names as they were spelled. Kept in one piece of text and a
//! table of places: a request costs two allocations, not two a field.
//!
//! Go reads the first of repeated fields, others the last, others join them. Hence [`Headers::one`]
//! for everything that may stand only once: it refuses instead of choosing.

use std::ops::Range;

use super::error::HeadError;
use super::syntax::{is_control, is_token, shown, trim};

/// The fields of a head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: Vec<u8>,
    places: Vec<Place>,
}

/// Where one field lies in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    name: Range<usize>,
    value: Range<usize>,
}

impl Headers {
    /// Reads the lines after the first one of a head.
    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, HeadError> {
        let mut headers = Self::default();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':').ok_or(HeadError::NoColon)?;
            let (name, rest) = line.split_at_checked(colon).ok_or(HeadError::NoColon)?;
            let value = rest.strip_prefix(b":").unwrap_or(rest);
            headers.push(name, trim(value))?;
        }
        Ok(headers)
    }

    /// Fields that did not come with a head.
    pub fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, HeadError> {
        let mut headers = Self::default();
        for (name, value) in fields {
            headers.push(name.as_bytes(), trim(value.as_bytes()))?;
        }
        Ok(headers)
    }

    fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadError> {
        if !is_token(name) {
            return Err(HeadError::FieldName(shown(name)));
        }
        if let Some(byte) = value.iter().find(|byte| is_control(**byte)) {
            return Err(HeadError::Control(*byte));
        }
        let name = self.keep(name);
        let value = self.keep(value);
        self.places.push(Place { name, value });
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        start..self.text.len()
    }

    fn at(&self, place: &Range<usize>) -> &[u8] {
        self.text.get(place.clone()).unwrap_or_default()
    }

    /// Every field in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.places.iter().map(|place| {
            // Names are tokens, hence ASCII.
            let name = std::str::from_utf8(self.at(&place.name)).unwrap_or_default();
            (name, self.at(&place.value))
        })
    }

    /// Every value of a field, its name in any letter case.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let named = move |place: &&Place| self.at(&place.name).eq_ignore_ascii_case(name.as_bytes());
        self.places.iter().filter(named).map(|place| self.at(&place.value))
    }

    /// The first value of a field: what Go would read.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The only value of a field.
    pub fn one(&self, name: &str) -> Result<Option<&[u8]>, HeadError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(HeadError::Repeated(name.to_owned())),
            (value, None) => Ok(value),
        }
    }

    /// Whether a `Connection` field lists this option.
    ///
    /// A client may list any field name there, hoping that a proxy drops it: ask about the options
    /// that you know and never remove fields that it names.
    pub fn has_connection_option(&self, option: &str) -> bool {
        self.all("Connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|own| trim(own).eq_ignore_ascii_case(option.as_bytes()))
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
mod tests;
