//! Unknown fields that were let through: kept aside while reading, put back while writing.
//!
//! The operator has named each of them; their values are passed on and not understood.

use serde_json::{Map, Value};

use super::error::{Error, Kind, subject};
use super::place::{self, StepRef};

/// An unknown field and where it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Extra {
    /// From the whole body to the struct that held the field.
    pub place: Vec<Step>,
    /// Its name, in the spelling of [`super::Options::allow_fields`].
    pub name: String,
    /// What was sent; no object in it has the same key twice.
    pub value: Value,
}

/// One step on the way from the whole body to a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Into a field of a struct.
    Field(String),
    /// Into the value of a map's key.
    Key(String),
    /// Into an element of a list, the first being 0.
    Index(usize),
}

impl Extra {
    /// The field in words: `HostConfig.Mounts[0].NewThing`.
    pub fn path(&self) -> String {
        let name = StepRef::Field(&self.name);
        place::path(self.place.iter().map(StepRef::from).chain([name]))
    }

    /// Only struct fields are made anew on the way, as zero values were left out of `whole`.
    pub(super) fn put_back(&self, whole: &mut Value) -> Result<(), Error> {
        let lost = || {
            let path = self.path();
            let message = format!("{} has lost its place in the body", subject(&path));
            Error { kind: Kind::Unwritable, path, line: 0, column: 0, message }
        };
        let mut holder = whole;
        for step in &self.place {
            let inner = match (step, holder) {
                (Step::Field(name), Value::Object(fields)) => {
                    Some(fields.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new())))
                }
                (Step::Key(key), Value::Object(entries)) => entries.get_mut(key),
                (Step::Index(index), Value::Array(elements)) => elements.get_mut(*index),
                _ => None,
            };
            holder = inner.ok_or_else(lost)?;
        }
        let fields = holder.as_object_mut().ok_or_else(lost)?;
        fields.insert(self.name.clone(), self.value.clone());
        Ok(())
    }
}

impl From<StepRef<'_>> for Step {
    fn from(step: StepRef<'_>) -> Self {
        match step {
            StepRef::Field(name) => Step::Field(name.to_owned()),
            StepRef::Key(key) => Step::Key(key.to_owned()),
            StepRef::Index(index) => Step::Index(index),
        }
    }
}

impl<'a> From<&'a Step> for StepRef<'a> {
    fn from(step: &'a Step) -> Self {
        match step {
            Step::Field(name) => StepRef::Field(name),
            Step::Key(key) => StepRef::Key(key),
            Step::Index(index) => StepRef::Index(*index),
        }
    }
}
