//! What is wrong with a configuration or a policy, and where: file, line, column, and the text itself,
//! so that the place can be shown underlined.

use std::fmt;
use std::sync::Arc;

use miette::{LabeledSpan, NamedSource, SourceCode};
use serde_saphyr::Location;

use super::NamedText;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// It can, but may not mean what was meant.
    Warning,
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the fault has no place.
    pub line: usize,
    /// The column in characters, from 1; 0 where the fault has no place.
    pub column: usize,
    /// How many bytes of the text it is about; 0 where that is not known.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    offset: usize,
    source: Arc<NamedSource<String>>,
}

/// All faults of one load.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

/// A text that diagnostics can point into.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub name: Arc<str>,
    source: Arc<NamedSource<String>>,
}

/// A stretch of a text.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    text: Text,
    offset: usize,
    length: usize,
}

impl Text {
    pub fn new(named: &NamedText) -> Text {
        Text { name: named.name.as_str().into(), source: Arc::new(NamedSource::new(&named.name, named.text.clone())) }
    }

    pub fn as_str(&self) -> &str {
        self.source.inner()
    }

    /// Line and column of a place, both from 1; none for an empty text.
    fn position(&self, offset: usize) -> (usize, usize) {
        let text = self.as_str();
        if text.is_empty() {
            return (0, 0);
        }
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        (line, column)
    }

    fn offset(&self, line: usize, column: usize) -> usize {
        let lines = self.as_str().split_inclusive('\n');
        let start: usize = lines.clone().take(line.saturating_sub(1)).map(str::len).sum();
        let before =
            lines.skip(line.saturating_sub(1)).take(1).flat_map(|line| line.chars().take(column.saturating_sub(1)));
        start.saturating_add(before.map(char::len_utf8).sum())
    }
}

impl Place {
    pub fn new(text: &Text, offset: usize, length: usize) -> Place {
        Place { text: text.clone(), offset, length }
    }

    /// The file as such.
    pub fn whole(text: &Text) -> Place {
        Place::new(text, 0, 0)
    }

    /// The place of a YAML value: the rest of its word.
    pub fn of(text: &Text, location: Location) -> Place {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let offset = text.offset(number(location.line()), number(location.column()));
        let rest = text.as_str().get(offset..).unwrap_or_default();
        let stops = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
        let length = rest.find(stops).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        Place::new(text, offset, word.strip_suffix(':').unwrap_or(word).len())
    }

    pub fn line(&self) -> usize {
        self.text.position(self.offset).0
    }

    pub fn column(&self) -> usize {
        self.text.position(self.offset).1
    }

    pub fn file(&self) -> &Arc<str> {
        &self.text.name
    }

    /// A part of this place.
    pub fn within(&self, offset: usize, length: usize) -> Place {
        Place::new(&self.text, self.offset.saturating_add(offset), length)
    }

    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        self.fault(Severity::Error, message.into())
    }

    pub fn warning(&self, message: impl Into<String>) -> Diagnostic {
        self.fault(Severity::Warning, message.into())
    }

    fn fault(&self, severity: Severity, message: String) -> Diagnostic {
        let (line, column) = self.text.position(self.offset);
        let (file, source) = (self.text.name.to_string(), self.text.source.clone());
        Diagnostic {
            severity,
            file,
            line,
            column,
            length: self.length,
            message,
            help: None,
            offset: self.offset,
            source,
        }
    }
}

impl Diagnostic {
    /// A fault that can only be told by line and column.
    pub fn at(file: &NamedText, line: usize, column: usize, message: String) -> Diagnostic {
        let text = Text::new(file);
        Place::new(&text, text.offset(line, column), 0).error(message)
    }

    /// Adds what to do.
    pub fn help_with(mut self, help: impl Into<Option<String>>) -> Diagnostic {
        self.help = help.into();
        self
    }
}

impl Diagnostics {
    /// One fault that has no place.
    pub fn sentence(message: &str) -> Diagnostics {
        Diagnostics(vec![Diagnostic::at(&NamedText::default(), 0, 0, message.to_owned())])
    }

    pub(crate) fn push(&mut self, fault: Diagnostic) {
        self.0.push(fault);
    }

    /// By file, in the order of the text.
    pub(crate) fn sort(&mut self) {
        self.0.sort_by(|one, other| (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column)));
    }

    /// How many of them make the policy unusable.
    pub(crate) fn errors(&self) -> usize {
        self.0.iter().filter(|fault| fault.severity == Severity::Error).count()
    }

    /// Whether any of them makes the policy unusable.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == Severity::Error)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str(&self.message)?,
            (file, 0) => write!(f, "{file}: {}", self.message)?,
            (file, line) => write!(f, "{file}:{line}:{}: {}", self.column, self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (self.line > 0).then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (self.line > 0).then(|| {
            let label = LabeledSpan::new(None, self.offset, self.length);
            Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>
        })
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl miette::Diagnostic for Diagnostics {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|fault| fault as &dyn miette::Diagnostic)))
    }
}
