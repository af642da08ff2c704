//! What is printed, and where: results on stdout, talk on stderr.
//!
//! A reader that goes away (`dockwarden check | head`) is no fault: the rest is left unsaid. Colour is
//! for terminals only, and no meaning rests on it.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use miette::{GraphicalReportHandler, GraphicalTheme};
use policy::{Diagnostic, Severity};
use serde_json::{Value, json};

/// Prints a result, with a line end.
pub fn result(text: &str) -> io::Result<()> {
    quietly(writeln!(io::stdout().lock(), "{text}"))
}

/// Prints faults as talk: to stderr, for commands whose result is something else.
pub fn complain(faults: &[Diagnostic], as_json: bool) {
    let mut stderr = io::stderr().lock();
    let text = if as_json { lines(faults) } else { rendered(faults, coloured(&stderr)) };
    // Where nobody can be told, the exit status still says it.
    let _ = stderr.write_all(text.as_bytes());
}

/// Says a sentence on stderr.
pub fn say(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "dockwarden: {sentence}");
}

/// Faults for people: each with its line of source underlined.
pub fn rendered(faults: &[Diagnostic], coloured: bool) -> String {
    let theme = if coloured { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let printer = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    let mut text = String::new();
    for fault in faults {
        // Without a place there is nothing to underline, and the drawing would leave out the file.
        if fault.line == 0 || printer.render_report(&mut text, &Underlined(fault)).is_err() {
            text.push_str(&format!("{}: {fault}\n", word(fault.severity)));
        }
    }
    text
}

/// A fault whose place and help are drawn, and so need not stand in its sentence.
#[derive(Debug)]
struct Underlined<'a>(&'a Diagnostic);

impl fmt::Display for Underlined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Underlined<'_> {}

impl miette::Diagnostic for Underlined<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        miette::Diagnostic::severity(self.0)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        miette::Diagnostic::help(self.0)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// A fault for programs.
pub fn as_json(fault: &Diagnostic) -> Value {
    json!({
        "severity": word(fault.severity),
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "length": fault.length,
        "message": fault.message,
        "help": fault.help,
    })
}

/// Whether a stream wants colour.
pub fn coloured(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A closed pipe is no failure.
pub fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn lines(faults: &[Diagnostic]) -> String {
    faults.iter().map(|fault| format!("{}\n", as_json(fault))).collect()
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

const WIDTH: usize = 110;

/// Rows under one another, each column as wide as its widest text.
pub fn columns<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let width = |column: usize| {
        let of = |row: &[String; N]| row.get(column).map_or(0, |text| text.chars().count());
        rows.iter().map(of).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
