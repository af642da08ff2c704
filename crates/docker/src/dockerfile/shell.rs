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
    /// Whether the alternative of a `${…}` was read since a word was begun: see [`Shell::forget`].
    nested: bool,
}

/// Why a line has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The daemon says so too, and goes on without.
    Refused,
    /// It cannot be told what the daemon says.
    Unclear,
}

/// `${a:-${b:-…}}` deeper than this is nobody's.
const DEEPEST: usize = 16;
/// What a word may become.
const LONGEST: usize = 64 << 10;

impl<'a> Shell<'a> {
    /// Splits a line into words; fails where the daemon would.
    pub(super) fn words(line: &'a str, escape: char, style: Style) -> Result<Vec<String>, Failure> {
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
        Shell { text: text.chars().peekable(), escape, style, meaning, depth: 0, unknown: false, nested: false }
    }

    /// `processStopOn`.
    fn run(&mut self, stop: Option<char>, raw_escapes: bool, words: &mut Words) -> Result<String, Failure> {
        let mut result = String::new();
        while let Some(c) = self.text.peek().copied() {
            if stop == Some(c) {
                self.text.next();
                return Ok(result);
            }
            if result.len() > LONGEST {
                return Err(Failure::Refused);
            }
            match c {
                '\'' => words.add_raw(&mut result, &self.single()?),
                '"' => {
                    let text = self.double(raw_escapes)?;
                    self.forget(words);
                    words.add_raw(&mut result, &text);
                }
                '$' => {
                    let text = self.dollar()?;
                    self.forget(words);
                    words.add(&mut result, &text);
                }
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
        if stop.is_some() { Err(Failure::Refused) } else { Ok(result) }
    }

    /// The daemon gathers the words of the alternative in the buffer of the outer word, whose beginning
    /// is lost: `<<A${B:-c}` announces no here-document.
    fn forget(&mut self, words: &mut Words) {
        if std::mem::take(&mut self.nested) {
            words.word.clear();
        }
    }

    fn single(&mut self) -> Result<String, Failure> {
        self.text.next();
        let mut result = String::new();
        if self.style.raw_quotes {
            result.push('\'');
        }
        loop {
            match self.text.next() {
                Some('\'') => break,
                Some(c) => result.push(c),
                None => return Err(Failure::Refused),
            }
        }
        if self.style.raw_quotes {
            result.push('\'');
        }
        Ok(result)
    }

    fn double(&mut self, raw_escapes: bool) -> Result<String, Failure> {
        self.text.next();
        let mut result = String::new();
        if self.style.raw_quotes {
            result.push('"');
        }
        loop {
            match self.text.peek().copied() {
                None => return Err(Failure::Refused),
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

    fn dollar(&mut self) -> Result<String, Failure> {
        self.text.next();
        if self.text.next_if_eq(&'{').is_none() {
            let name = self.name()?;
            return Ok(match name.as_str() {
                "" => "$".to_owned(),
                name => self.value(name, || format!("${name}")),
            });
        }
        if matches!(self.text.peek(), None | Some('{' | '}' | ':')) {
            return Err(Failure::Refused);
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return Err(Failure::Refused);
        }
        let result = self.braces();
        self.depth = self.depth.saturating_sub(1);
        result
    }

    /// `${name…}`, behind the brace.
    fn braces(&mut self) -> Result<String, Failure> {
        let name = self.name()?;
        let (colon, modifier) = match self.text.next() {
            Some('}') => return Ok(self.value(&name, || format!("${{{name}}}"))),
            Some(':') => (true, self.text.next().ok_or(Failure::Refused)?),
            Some(modifier) => (false, modifier),
            None => return Err(Failure::Refused),
        };
        let patterns = matches!(modifier, '#' | '%') || modifier == '/' && !colon;
        let supported = patterns || matches!(modifier, '-' | '+' | '?');
        if colon && patterns || !colon && !supported {
            return Err(Failure::Refused);
        }
        self.nested = true;
        let slash = modifier == '/' && !colon;
        if slash {
            self.text.next_if_eq(&'/');
            self.run(Some('/'), true, &mut Words::default())?;
        }
        let alternative = self.run(Some('}'), patterns, &mut Words::default())?;
        self.nested = true;
        let given = match &self.meaning {
            // Only what is a here-document matters there, and this stays one word either way.
            Meaning::Kept => return Ok(format!("${{{name}{modifier}{alternative}}}")),
            _ if !supported => return Err(Failure::Refused),
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
            ('-', None) => Ok(alternative),
            ('+', Some(_)) => Ok(alternative),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value.clone()),
            (_, None) => Err(Failure::Refused),
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

    /// `processName`. Go's letters and digits beyond ASCII are not Rust's.
    fn name(&mut self) -> Result<String, Failure> {
        let mut name = String::new();
        match self.text.peek() {
            Some(c) if !c.is_ascii() => return Err(Failure::Unclear),
            Some(c) if c.is_ascii_digit() => {
                while let Some(digit) = self.text.next_if(char::is_ascii_digit) {
                    name.push(digit);
                }
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => name.extend(self.text.next()),
            _ => {
                while let Some(c) = self.text.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
            }
        }
        match self.text.peek() {
            Some(c) if !c.is_ascii() => Err(Failure::Unclear),
            _ => Ok(name),
        }
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
