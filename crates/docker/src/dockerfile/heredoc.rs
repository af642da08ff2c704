//! Here-documents: the lines after an instruction that are its text and no instructions.

use super::Misread;
use super::lines::Line;
use super::shell::{Failure, Shell, Style};
use super::split;

/// One here-document that an instruction announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heredoc {
    /// The line that ends it.
    pub(super) name: String,
    /// Whether tabs before that line do not count (`<<-`).
    pub(super) chomp: bool,
}

/// The here-documents of an instruction (`canContainHeredoc`, `heredocsFromLine`).
pub(super) fn of(line: &Line, escape: u8) -> Result<Vec<Heredoc>, Misread> {
    if !line.whole.contains("<<") {
        return Ok(Vec::new());
    }
    let inner = match line.keyword.as_str() {
        "onbuild" => Some(split::command(&line.rest, escape, line.number)?),
        _ => None,
    };
    let line = inner.as_ref().unwrap_or(line);
    if !matches!(line.keyword.as_str(), "add" | "copy" | "run") || split::json(&line.rest, line.number)?.is_some() {
        return Ok(Vec::new());
    }
    let unclear = |_| Misread::at(line.number, "what may be a here-document");
    let style = Style { raw_quotes: true, raw_escapes: true };
    let words = match Shell::words(&line.whole, '\\', style) {
        // The daemon drops the error, and with it all here-documents.
        Err(Failure::Refused) => return Ok(Vec::new()),
        words => words.map_err(unclear)?,
    };
    words.iter().filter_map(|word| parse(word).map_err(unclear).transpose()).collect()
}

/// `ParseHeredoc`: `^(\d*)<<(-?)\s*([^<]*)$`, the last part being one shell word.
fn parse(word: &str) -> Result<Option<Heredoc>, Failure> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix("<<") else { return Ok(None) };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{C}']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    match Shell::words(rest, '\\', Style::default())?.as_mut_slice() {
        [name] => Ok(Some(Heredoc { name: std::mem::take(name), chomp })),
        _ => Ok(None),
    }
}
