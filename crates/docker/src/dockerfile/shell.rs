//! Words with quotes, escapes and variables, as the daemon reads them (BuildKit `shell.Lex`).
//!
//! Two uses: splitting a line into words to find here-documents, where variables stay as they are, and
//! expanding one word with variables that are known or not.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The variables that are known. A name that is not in here is unset.
pub(super) type Variables = BTreeMap<String, String>;

/// How a line is split into words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    pub(super) raw_quotes: bool,
    pub(super) raw_escapes: bool,
}

/// A word after expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// What it says, up to what is not known.
    pub(super) known: String,
    /// Whether that is all.
    pub(super) whole: bool,
}

/// What variables mean.
enum Meaning<'a> {
    /// They stay as they are written (`SkipUnsetEnv` without any that is set).
    Kept,
    /// Their values.
    Values(&'a Variables),
    /// Not known.
    Unknown,
}

pub(super) struct Shell<'a> {
    text: Peekable<Chars<'a>>,
    escape: char,
    style: Style,
    meaning: Meaning<'a>,
    /// How deep `${…}` are in one another.
    depth: usize,
    unknown: bool,
}

/// `${a:-${b:-…}}` deeper than this is nobody's.
const DEEPEST: usize = 16;
/// What a word may become.
const LONGEST: usize = 64 << 10;

impl<'a> Shell<'a> {
    /// Splits a line into words; fails where the daemon would.
    pub(super) fn words(line: &'a str, escape: char, style: Style) -> Result<Vec<String>, ()> {
        let mut shell = Shell::new(line, escape, style, Meaning::Kept);
        let mut words = Words::default();
        shell.run(None, style.raw_escapes, &mut words)?;
        Ok(words.finish())
    }

    /// Expands a word with the values of variables. `None`: it cannot be told, or the daemon refuses it.
    pub(super) fn expand(word: &'a str, escape: char, variables: &'a Variables) -> Option<String> {
        // The daemon's scanner skips a byte order mark and counts on characters that are valid.
        if word.chars().any(|c| !c.is_ascii_graphic() && c != ' ') {
            return None;
        }
        let mut shell = Shell::new(word, escape, Style::default(), Meaning::Values(variables));
        let expanded = shell.run(None, false, &mut Words::default()).ok()?;
        Some(expanded).filter(|_| !shell.unknown)
    }

    /// Expands a word of which no variable is known: what it starts with.
    pub(super) fn start(word: &'a str, escape: char) -> Option<Word> {
        let mut shell = Shell::new(word, escape, Style::default(), Meaning::Unknown);
        let known = shell.run(None, false, &mut Words::default()).ok()?;
        match known.split_once(UNKNOWN) {
            Some((known, _)) => Some(Word { known: known.to_owned(), whole: false }),
            None => Some(Word { known, whole: true }),
        }
    }

    fn new(text: &'a str, escape: char, style: Style, meaning: Meaning<'a>) -> Self {
        Shell { text: text.chars().peekable(), escape, style, meaning, depth: 0, unknown: false }
    }

    /// `processStopOn`.
    fn run(&mut self, stop: Option<char>, raw_escapes: bool, words: &mut Words) -> Result<String, ()> {
        let mut result = String::new();
        while let Some(c) = self.text.peek().copied() {
            if stop == Some(c) {
                self.text.next();
                return Ok(result);
            }
            if result.len() > LONGEST {
                return Err(());
            }
            match c {
                '\'' => words.add_raw(&mut result, &self.single()?),
                '"' => words.add_raw(&mut result, &self.double(raw_escapes)?),
                '$' => words.add(&mut result, &self.dollar()?),
                '<' => words.add_raw(&mut result, &self.angle()),
                c if c == self.escape => {
                    self.text.next();
                    if raw_escapes {
                        words.add_raw(&mut result, c.encode_utf8(&mut [0; 4]));
                    }
                    let Some(escaped) = self.text.next() else { break };
                    words.add_raw(&mut result, escaped.encode_utf8(&mut [0; 4]));
                }
                c => {
                    self.text.next();
                    words.add(&mut result, c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        if stop.is_some() { Err(()) } else { Ok(result) }
    }

    fn single(&mut self) -> Result<String, ()> {
        self.text.next();
        let mut result = String::new();
        if self.style.raw_quotes {
            result.push('\'');
        }
        loop {
            match self.text.next() {
                Some('\'') => break,
                Some(c) => result.push(c),
                None => return Err(()),
            }
        }
        if self.style.raw_quotes {
            result.push('\'');
        }
        Ok(result)
    }

    fn double(&mut self, raw_escapes: bool) -> Result<String, ()> {
        self.text.next();
        let mut result = String::new();
        if self.style.raw_quotes {
            result.push('"');
        }
        loop {
            match self.text.peek().copied() {
                None => return Err(()),
                Some('"') => {
                    self.text.next();
                    if self.style.raw_quotes {
                        result.push('"');
                    }
                    return Ok(result);
                }
                Some('$') => result.push_str(&self.dollar()?),
                Some(c) => {
                    self.text.next();
                    if c != self.escape {
                        result.push(c);
                        continue;
                    }
                    if raw_escapes {
                        result.push(c);
                    }
                    match self.text.peek().copied() {
                        None => {}
                        Some(next) if next == '"' || next == '$' || next == self.escape => {
                            self.text.next();
                            result.push(next);
                        }
                        Some(_) => result.push(c),
                    }
                }
            }
        }
    }

    /// `<<` and the white space behind it belong to one word.
    fn angle(&mut self) -> String {
        self.text.next();
        if self.text.next_if_eq(&'<').is_none() {
            return "<".to_owned();
        }
        let mut result = "<<".to_owned();
        while let Some(space) = self.text.next_if(|c| matches!(c, '\t' | '\r' | ' ')) {
            result.push(space);
        }
        result
    }

    fn dollar(&mut self) -> Result<String, ()> {
        self.text.next();
        if self.text.next_if_eq(&'{').is_none() {
            let name = self.name();
            return Ok(match name.as_str() {
                "" => "$".to_owned(),
                name => self.value(name, || format!("${name}")),
            });
        }
        if matches!(self.text.peek(), None | Some('{' | '}' | ':')) {
            return Err(());
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return Err(());
        }
        let result = self.braces();
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// `${name…}`, behind the brace.
    fn braces(&mut self) -> Result<String, ()> {
        let name = self.name();
        let (colon, modifier) = match self.text.next() {
            Some('}') => return Ok(self.value(&name, || format!("${{{name}}}"))),
            Some(':') => (true, self.text.next().ok_or(())?),
            Some(modifier) => (false, modifier),
            None => return Err(()),
        };
        let patterns = matches!(modifier, '#' | '%' | '/');
        if !patterns && !matches!(modifier, '-' | '+' | '?') || colon && patterns {
            return Err(());
        }
        let mut alternative = self.run(Some(if modifier == '/' { '/' } else { '}' }), patterns, &mut Words::default())?;
        if modifier == '/' {
            self.run(Some('}'), true, &mut Words::default())?;
        }
        let given = match &self.meaning {
            // Only what is a here-document matters there, and this stays one word either way.
            Meaning::Kept => return Ok(format!("${{{name}{modifier}{alternative}}}")),
            Meaning::Unknown => None,
            Meaning::Values(_) if patterns => None,
            Meaning::Values(variables) => Some(variables.get(&name).filter(|value| !(colon && value.is_empty()))),
        };
        let Some(value) = given else {
            self.unknown = true;
            return Ok(UNKNOWN.to_string());
        };
        match (modifier, value) {
            ('-', Some(value)) => Ok(value.clone()),
            ('-', None) => Ok(std::mem::take(&mut alternative)),
            ('+', Some(_)) => Ok(std::mem::take(&mut alternative)),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value.clone()),
            (_, None) => Err(()),
        }
    }

    fn value(&mut self, name: &str, written: impl FnOnce() -> String) -> String {
        match &self.meaning {
            Meaning::Kept => written(),
            Meaning::Values(variables) => variables.get(name).cloned().unwrap_or_default(),
            Meaning::Unknown => {
                self.unknown = true;
                UNKNOWN.to_string()
            }
        }
    }

    /// `processName`.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.text.peek() {
            Some(c) if c.is_numeric() => {
                while let Some(digit) = self.text.next_if(|c| c.is_numeric()) {
                    name.push(digit);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => name.extend(self.text.next()),
            _ => {
                while let Some(c) = self.text.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
            }
        }
        name
    }
}

/// Stands for what is not known; no Dockerfile holds it in a word that means anything.
const UNKNOWN: char = '\u{10FFFE}';

/// The words gathered so far (`wordsStruct`).
#[derive(Default)]
struct Words {
    words: Vec<String>,
    word: String,
}

impl Words {
    /// Adds text in which white space parts words.
    fn add(&mut self, result: &mut String, text: &str) {
        result.push_str(text);
        for c in text.chars() {
            if !c.is_whitespace() {
                self.word.push(c);
            } else if !self.word.is_empty() {
                self.words.push(std::mem::take(&mut self.word));
            }
        }
    }

    /// Adds text that stays within a word.
    fn add_raw(&mut self, result: &mut String, text: &str) {
        result.push_str(text);
        self.word.push_str(text);
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.words.push(self.word);
        }
        self.words
    }
}
