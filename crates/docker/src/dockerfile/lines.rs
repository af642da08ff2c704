//! A Dockerfile as a list of instructions, read line by line as the daemon's own parser does
//! (BuildKit `frontend/dockerfile/parser`, `Parse`).
//!
//! Two dialects: that of Docker 20.10, and that of today's daemons. They differ in here-documents, in
//! `# check=`, in line ends and in how flags are escaped.

use super::directive::{BYTE_ORDER_MARK, Directives};
use super::{Misread, heredoc, split};

/// Which daemon's parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Docker 20.10.
    Old,
    /// Docker 28.
    New,
}

/// One instruction as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it starts, from 1 on.
    pub(super) number: usize,
    /// In lower case.
    pub(super) keyword: String,
    /// Words that start with `--` before anything else.
    pub(super) flags: Vec<String>,
    /// What follows them.
    pub(super) rest: String,
    /// The whole, continuation lines joined.
    pub(super) whole: String,
    /// How many here-documents follow it.
    pub(super) heredocs: usize,
}

/// A Dockerfile that was taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) escape: char,
}

/// Go's scanner takes no longer line.
const LONGEST: usize = 64 << 10;
/// More instructions than any Dockerfile has.
const MOST_LINES: usize = 20_000;

pub(super) fn read(text: &[u8], dialect: Dialect) -> Result<Lines, Misread> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut reader = Reader {
        source: text.split_inclusive(|byte| *byte == b'\n'),
        number: 0,
        dialect,
        directives: Directives::new(dialect),
        escape: b'\\',
    };
    let mut lines = Vec::new();
    while let Some(line) = reader.instruction()? {
        lines.push(line);
        if lines.len() > MOST_LINES {
            return Err(Misread::TooLong);
        }
    }
    Ok(Lines { lines, escape: char::from(reader.escape) })
}

struct Reader<'a, S: Iterator<Item = &'a [u8]>> {
    source: S,
    number: usize,
    dialect: Dialect,
    directives: Directives,
    escape: u8,
}

impl<'a, S: Iterator<Item = &'a [u8]>> Reader<'a, S> {
    fn instruction(&mut self) -> Result<Option<Line>, Misread> {
        while let Some(raw) = self.next_raw()? {
            let number = self.number;
            let processed = self.process(trim_start(self.without_end(raw)))?;
            let (start, mut ended) = self.without_continuation(processed);
            if ended && start.is_empty() {
                continue;
            }
            let mut whole = start.to_vec();
            while !ended {
                let Some(raw) = self.next_raw()? else { break };
                let part = self.process(self.without_end(raw))?;
                if is_comment(raw) || trim_start(part).is_empty() {
                    continue;
                }
                let (part, last) = self.without_continuation(part);
                whole.extend_from_slice(part);
                ended = last;
            }
            let whole = String::from_utf8(whole).map_err(|_| Misread::at(number, "not UTF-8"))?;
            return self.complete(number, whole).map(Some);
        }
        Ok(None)
    }

    /// Takes an instruction apart, and swallows its here-documents.
    fn complete(&mut self, number: usize, whole: String) -> Result<Line, Misread> {
        // The old parser takes a backslash in flags whatever the file says.
        let escape = if self.dialect == Dialect::Old { b'\\' } else { self.escape };
        let mut line = split::command(&whole, escape, number)?;
        if self.dialect == Dialect::New {
            for document in heredoc::of(&line, escape)? {
                self.swallow(number, &document)?;
                line.heredocs = line.heredocs.saturating_add(1);
            }
        }
        Ok(line)
    }

    fn swallow(&mut self, number: usize, document: &heredoc::Heredoc) -> Result<(), Misread> {
        while let Some(raw) = self.next_raw()? {
            let mut line = self.without_end(raw);
            while document.chomp && line.first() == Some(&b'\t') {
                line = line.get(1..).unwrap_or_default();
            }
            if line == document.name.as_bytes() {
                return Ok(());
            }
        }
        Err(Misread::at(number, "a here-document without its end"))
    }

    fn next_raw(&mut self) -> Result<Option<&'a [u8]>, Misread> {
        let Some(raw) = self.source.next() else { return Ok(None) };
        self.number = self.number.saturating_add(1);
        match raw.len() >= LONGEST {
            true => Err(Misread::at(self.number, "a line of 64 KiB")),
            false => Ok(Some(raw)),
        }
    }

    /// The old parser takes off one carriage return, the new one any number of both characters.
    fn without_end(&self, raw: &'a [u8]) -> &'a [u8] {
        match self.dialect {
            Dialect::Old => {
                let line = raw.strip_suffix(b"\n").unwrap_or(raw);
                line.strip_suffix(b"\r").unwrap_or(line)
            }
            Dialect::New => {
                let end = raw.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
                raw.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default()
            }
        }
    }

    /// Looks for directives and drops comments.
    fn process(&mut self, line: &'a [u8]) -> Result<&'a [u8], Misread> {
        let escape = self.directives.line(line).map_err(|reason| Misread::at(self.number, reason))?;
        match escape {
            Some(b"\\") => self.escape = b'\\',
            Some(b"`") => self.escape = b'`',
            Some(_) => return Err(Misread::at(self.number, "an escape character that is neither \\ nor `")),
            None => {}
        }
        let comment = match self.dialect {
            Dialect::Old => line.starts_with(b"#"),
            Dialect::New => is_comment(line),
        };
        Ok(if comment { &[] } else { line })
    }

    /// Cuts the escape character that ends a line; `true`: there is none, the instruction ends.
    /// `([^E])E[ \t]*$|^E[ \t]*$`, so two of them in a row are none.
    fn without_continuation(&self, line: &'a [u8]) -> (&'a [u8], bool) {
        let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
        let trimmed = line.get(..end.map_or(0, |last| last.saturating_add(1))).unwrap_or_default();
        match trimmed.strip_suffix(&[self.escape]) {
            Some(start) if start.last() != Some(&self.escape) => (start, false),
            _ => (line, true),
        }
    }
}

fn is_comment(line: &[u8]) -> bool {
    trim_start(line).first() == Some(&b'#')
}

/// `bytes.TrimLeftFunc(unicode.IsSpace)`.
fn trim_start(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let Some(chunk) = rest.utf8_chunks().next() {
        let trimmed = chunk.valid().trim_start();
        let skipped = chunk.valid().len().saturating_sub(trimmed.len());
        if skipped == 0 {
            break;
        }
        rest = rest.get(skipped..).unwrap_or_default();
        if !trimmed.is_empty() {
            break;
        }
    }
    rest
}
