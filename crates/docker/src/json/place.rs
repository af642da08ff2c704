//! Where in the body we are, what went wrong there and what was kept aside.
//!
//! A place is a chain of [`Node`]s on the stack, each pointing to the one that holds it: following it
//! costs nothing until a path is wanted. serde's errors cannot carry a path, so the first [`Fault`]
//! waits in [`Reading`] until the error has come all the way out, where it gets its line and column.

use std::cell::Cell;
use std::fmt;

use serde::de;
use serde_json::Value;
use serde_json::error::Category;

use super::Options;
use super::error::{Error, Kind, clip, subject};
use super::extras::{Extra, Step};
use super::fold;

/// One reading of one body.
pub(super) struct Reading<'o> {
    options: &'o Options<'o>,
    fault: Cell<Option<Fault>>,
    extras: Cell<Vec<Extra>>,
}

/// The first thing that went wrong, before its line and column are known.
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) message: String,
    /// The field that was meant, perhaps.
    pub(super) nearest: Option<&'static str>,
}

impl<'o> Reading<'o> {
    pub(super) fn new(options: &'o Options<'o>) -> Self {
        Reading { options, fault: Cell::default(), extras: Cell::default() }
    }

    pub(super) fn root(&self) -> Node<'_> {
        Node { reading: self, holder: None }
    }

    pub(super) fn extras(self) -> Vec<Extra> {
        self.extras.into_inner()
    }

    /// What serde_json says about the grammar is fixed text and may be shown; what it or serde says
    /// about data repeats the value, so our own words stand for it.
    pub(super) fn error(&self, error: &serde_json::Error) -> Error {
        let fault = self.fault.take();
        let (line, column) = (error.line(), error.column());
        match (error.classify(), fault) {
            (Category::Data, Some(fault)) => Error::at(fault, line, column),
            (Category::Data, None) => Error::whole_body(Kind::WrongType, "has an unexpected form"),
            (_, fault) => {
                let path = fault.map(|fault| fault.path).unwrap_or_default();
                let grammar = error.to_string();
                let grammar = grammar.split(" at line ").next().unwrap_or_default();
                let message = format!("{} is not valid JSON: {grammar}", subject(&path));
                Error::at(Fault { kind: Kind::Malformed, path, message, nearest: None }, line, column)
            }
        }
    }

    /// The first fault is the one nearest to the text; those that follow are its echoes.
    fn fault(&self, fault: impl FnOnce() -> Fault) {
        let first = self.fault.take().unwrap_or_else(fault);
        self.fault.set(Some(first));
    }
}

/// A step from what holds a value to the value.
#[derive(Clone, Copy)]
pub(super) enum StepRef<'p> {
    Field(&'p str),
    Key(&'p str),
    Index(usize),
}

/// The place of a value; the whole body has no holder.
#[derive(Clone, Copy)]
pub(super) struct Node<'p> {
    reading: &'p Reading<'p>,
    holder: Option<(&'p Node<'p>, StepRef<'p>)>,
}

impl Node<'_> {
    pub(super) fn child<'c>(&'c self, step: StepRef<'c>) -> Node<'c> {
        Node { reading: self.reading, holder: Some((self, step)) }
    }

    /// Go leaves a list's element as it was for `null`, which is another value than zero when the list
    /// was read into the memory of a list before it.
    pub(super) fn is_element(&self) -> bool {
        matches!(self.holder, Some((_, StepRef::Index(_))))
    }

    /// The allowed name of an unknown field of this struct, in the spelling of the allow list.
    pub(super) fn allowed(&self, sent: &str) -> Option<&str> {
        let allowed = self.reading.options.allow_fields;
        if allowed.is_empty() {
            return None;
        }
        let steps = self.steps();
        let names = steps.iter().filter_map(|step| if let StepRef::Field(name) = step { Some(*name) } else { None });
        let names: Vec<&str> = names.chain([sent]).collect();
        let is_this = |path: &&String| {
            let mut segments = path.split('.');
            names.iter().all(|name| segments.next().is_some_and(|segment| fold::same(segment, name)))
                && segments.next().is_none()
        };
        allowed.iter().find(is_this)?.rsplit('.').next()
    }

    /// Keeps an unknown field of this struct aside.
    pub(super) fn keep(&self, name: &str, value: Value) {
        let place = self.steps().into_iter().map(Step::from).collect();
        let mut extras = self.reading.extras.take();
        extras.push(Extra { place, name: name.to_owned(), value });
        self.reading.extras.set(extras);
    }

    /// Called on the way out of an error: where it was, and what should have been there.
    pub(super) fn note(&self, expected: impl fmt::Display) {
        self.fault(Kind::WrongType, |subject| format!("{subject} must be {expected}"));
    }

    pub(super) fn refuse_scalar<E: de::Error>(&self, kind: Kind, expected: impl fmt::Display) -> E {
        self.fault(kind, |subject| match kind {
            Kind::OutOfRange => format!("{subject} is out of range, it must be {expected:#}"),
            _ => format!("{subject} must be {expected}"),
        });
        refused()
    }

    pub(super) fn refuse_null<E: de::Error>(&self) -> E {
        self.fault(Kind::Null, |subject| format!("{subject} is null, which an element of a list must not be"));
        refused()
    }

    pub(super) fn refuse_twice<E: de::Error>(&self) -> E {
        self.fault(Kind::Ambiguous, |subject| format!("{subject} is given twice"));
        refused()
    }

    pub(super) fn refuse_reserved<E: de::Error>(&self) -> E {
        self.fault(Kind::Ambiguous, |subject| format!("{subject} is a reserved name, which readers take differently"));
        refused()
    }

    pub(super) fn refuse_unknown<E: de::Error>(&self, sent: &str, nearest: Option<&'static str>) -> E {
        self.reading.fault(|| {
            let path = self.child(StepRef::Field(sent)).path();
            let message = format!("unknown field `{path}`");
            Fault { kind: Kind::UnknownField, path, message, nearest }
        });
        refused()
    }

    fn fault(&self, kind: Kind, message: impl FnOnce(&str) -> String) {
        self.reading.fault(|| {
            let path = self.path();
            let message = message(&subject(&path));
            Fault { kind, path, message, nearest: None }
        });
    }

    fn path(&self) -> String {
        path(self.steps().into_iter())
    }

    /// From the whole body to here.
    fn steps(&self) -> Vec<StepRef<'_>> {
        let mut steps = Vec::new();
        let mut holder = self.holder;
        while let Some((node, step)) = holder {
            steps.push(step);
            holder = node.holder;
        }
        steps.reverse();
        steps
    }
}

/// What travels through serde while the fault waits in [`Reading`].
fn refused<E: de::Error>() -> E {
    E::custom("refused")
}

/// A place in words: `HostConfig.Mounts[0].VolumeOptions.Labels["a"]`.
pub(super) fn path<'a>(steps: impl Iterator<Item = StepRef<'a>>) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            StepRef::Field(name) if path.is_empty() => path.push_str(&clip(name)),
            StepRef::Field(name) => path.push_str(&format!(".{}", clip(name))),
            StepRef::Key(key) => path.push_str(&format!("[\"{}\"]", clip(key))),
            StepRef::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}
