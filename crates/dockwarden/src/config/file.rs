//! The configuration file as a tree that knows its places, and the faults found in it so far.
//!
//! Readers of sections take what they need and go on after a fault, so that all of them are found in
//! one go. A value that is at fault reads as absent.

use std::path::{Path, PathBuf};

use policy::source::Node;
use policy::{Diagnostic, Diagnostics, NamedText, Severity, nearest};
use serde_saphyr::{Location, Spanned};

/// The file.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its name and whole text.
    pub named: NamedText,
    /// What is wrong with it.
    pub faults: Vec<Diagnostic>,
    /// What relative paths in it are relative to.
    folder: PathBuf,
}

/// The entries of a mapping, all of known names.
#[derive(Debug, Default)]
pub struct Fields<'y> {
    with_value: Vec<Field<'y>>,
    without: Vec<Field<'y>>,
}

/// One entry of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Field<'y> {
    /// The key.
    pub name: &'y str,
    /// Where the key stands.
    pub place: Location,
    /// The value.
    pub value: &'y Spanned<Node>,
}

impl ConfigFile {
    /// Reads a file whole.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let nameless = NamedText { name: name.clone(), text: String::new() };
            let fault = Diagnostic::at(&nameless, 0, 0, format!("cannot read the configuration file: {error}"));
            Diagnostics(vec![fault])
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { named: NamedText { name, text }, faults: Vec::new(), folder })
    }

    /// No file: everything as usual.
    pub fn absent() -> Self {
        Self::of_text(NamedText::default())
    }

    /// A text that stands in no file.
    pub fn of_text(named: NamedText) -> Self {
        Self { named, faults: Vec::new(), folder: PathBuf::new() }
    }

    /// The file as a tree; none when it is empty or no YAML.
    pub fn tree(&mut self) -> Option<Spanned<Node>> {
        match serde_saphyr::from_str::<Spanned<Node>>(&self.named.text) {
            Ok(tree) if matches!(tree.value, Node::Null) => None,
            Ok(tree) => Some(tree),
            Err(error) => {
                self.not_yaml(&error);
                None
            }
        }
    }

    fn not_yaml(&mut self, error: &serde_saphyr::Error) {
        let message = error.without_snippet().to_string();
        // The place is told by us, as for every fault; and there are no options to set.
        let message = message.split(" at line ").next().unwrap_or_default();
        let twice = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(", set ").next());
        let message = twice.map_or_else(|| message.to_owned(), |key| format!("key `{key}` is given twice"));
        match error.location() {
            Some(place) => self.fault(place, message),
            None => self.faults.push(Diagnostic::at(&self.named, 1, 1, message)),
        }
    }

    /// Something is wrong at a place.
    pub fn fault(&mut self, place: Location, message: impl Into<String>) {
        let fault = self.diagnostic(place, message.into());
        self.faults.push(fault);
    }

    /// Something is wrong, and this would be right.
    pub fn fault_with(&mut self, place: Location, message: impl Into<String>, help: impl Into<String>) {
        let fault = self.diagnostic(place, message.into()).help_with(help.into());
        self.faults.push(fault);
    }

    /// How many faults there are; warnings are none.
    pub fn errors(&self) -> usize {
        self.faults.iter().filter(|fault| fault.severity == Severity::Error).count()
    }

    /// Something may not be meant.
    pub fn warn(&mut self, place: Location, message: impl Into<String>) {
        let mut warning = self.diagnostic(place, message.into());
        warning.severity = Severity::Warning;
        self.faults.push(warning);
    }

    fn diagnostic(&self, place: Location, message: String) -> Diagnostic {
        let number = |value: u64| usize::try_from(value).unwrap_or_default();
        let mut fault = Diagnostic::at(&self.named, number(place.line()), number(place.column()), message);
        fault.length = place.span().byte_len().map_or(1, number).max(1);
        fault
    }

    /// The entries of a mapping. What is not known is a fault; what has no value counts as absent.
    pub fn fields<'y>(&mut self, of: &'y Spanned<Node>, what: &str, known: &[&str]) -> Fields<'y> {
        let Node::Map(entries) = &of.value else {
            let keys = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let message = format!("{what} must be a mapping, not {}", kind(&of.value));
            self.fault_with(of.referenced, message, format!("its keys are {keys}"));
            return Fields::default();
        };
        let mut fields = Fields::default();
        for (key, value) in entries {
            let (name, place) = (key.value.as_str(), key.referenced);
            if !known.contains(&name) {
                self.unknown(place, name, what, known);
            } else {
                let of = if matches!(value.value, Node::Null) { &mut fields.without } else { &mut fields.with_value };
                of.push(Field { name, place, value });
            }
        }
        fields
    }

    /// A key of these without a value is a fault, where to take it for absent would allow what was meant to be looked at.
    /// Whether there was one.
    pub fn want_values(&mut self, fields: &Fields<'_>) -> bool {
        for field in &fields.without {
            self.fault_with(field.place, format!("`{}` has no value", field.name), "write one, or leave the key out");
        }
        !fields.without.is_empty()
    }

    fn unknown(&mut self, place: Location, name: &str, what: &str, known: &[&str]) {
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            // They decide, too.
            None if name == "checks" => "it stands below `policy`".to_owned(),
            None => format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
        };
        self.fault_with(place, format!("{what} has no key `{name}`"), help);
    }

    /// A list.
    pub fn items<'y>(&mut self, of: Field<'y>) -> &'y [Spanned<Node>] {
        match &of.value.value {
            Node::List(items) => items,
            other => {
                let message = format!("`{}` must be a list, not {}", of.name, kind(other));
                self.fault_with(of.place, message, "begin each of its lines with `- `");
                &[]
            }
        }
    }

    /// A word: a text, or a number as it is written.
    pub fn word(&mut self, node: &Spanned<Node>, what: &str) -> Option<String> {
        match &node.value {
            Node::Text(text) => Some(self.as_written(node.defined).unwrap_or_else(|| text.clone())),
            Node::Bool(_) | Node::Number(_) => self.as_written(node.defined),
            other => {
                self.fault(node.referenced, format!("{what} must be a text, not {}", kind(other)));
                None
            }
        }
    }

    /// The value of a field as a word.
    pub fn field_word(&mut self, field: Field<'_>) -> Option<String> {
        self.word(field.value, &format!("`{}`", field.name))
    }

    /// The value of a field as a path; what is relative is so to the file.
    pub fn field_path(&mut self, field: Field<'_>) -> Option<PathBuf> {
        let word = self.field_word(field)?;
        if word.is_empty() {
            self.fault(field.value.referenced, format!("`{}` must not be empty", field.name));
            return None;
        }
        Some(self.absolute(Path::new(&word)))
    }

    /// A path that does not depend on where we were started.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.beside(path);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// A path as it is shown: beside the file's own.
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// A plain scalar as it stands in the text: `1.50` and `0660` must not become numbers.
    fn as_written(&self, place: Location) -> Option<String> {
        let start = usize::try_from(place.span().byte_offset()?).ok()?;
        let length = usize::try_from(place.span().byte_len()?).ok()?;
        let written = self.named.text.get(start..start.checked_add(length)?)?;
        let plain = !written.is_empty() && !written.starts_with(['"', '\'']) && !written.contains('\n');
        plain.then(|| written.to_owned())
    }
}

impl<'y> Fields<'y> {
    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<Field<'y>> {
        self.with_value.iter().find(|field| field.name == name).copied()
    }
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Null => "nothing",
        Node::Bool(_) => "true or false",
        Node::Number(_) => "a number",
        Node::Text(_) => "a text",
        Node::List(_) => "a list",
        Node::Map(_) => "a mapping",
    }
}
