//! Parser directives: the comments at the head of a Dockerfile that change how it is read.
//!
//! `# escape=` counts for both builders. `# syntax=` makes BuildKit hand the whole build to another
//! image, and is found in forms that no Dockerfile parser knows: after a `#!` line, behind `//`, in JSON.
//! The classic builder does not look for it.

use std::collections::BTreeMap;

use super::Dialect;

/// The name and the value of one directive: `^PREFIX\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$`.
pub(super) fn read<'a>(line: &'a [u8], prefix: &[u8]) -> Option<(String, &'a [u8])> {
    let line = trim_start(line.strip_prefix(prefix)?);
    let length = line.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, rest) = line.split_at_checked(length)?;
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let value = trim_start(rest).strip_prefix(b"=").filter(|value| !value.is_empty())?;
    let trimmed = trim_end(trim_start(value));
    // Go's expression wants one character at least, and takes white space where there is nothing else.
    let value = if trimmed.is_empty() { value } else { trimmed };
    Some((String::from_utf8_lossy(name).to_ascii_lowercase(), value))
}

/// The state of looking for directives, line by line.
#[derive(Debug)]
pub(super) struct Directives {
    dialect: Dialect,
    seen: Vec<String>,
    done: bool,
}

impl Directives {
    pub(super) fn new(dialect: Dialect) -> Self {
        Directives { dialect, seen: Vec::new(), done: false }
    }

    /// Looks at a line. Gives the value of `escape`; fails where a directive is given twice.
    pub(super) fn line<'a>(&mut self, line: &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
        if self.done {
            return Ok(None);
        }
        match read(line, b"#") {
            Some((name, value)) if self.known(&name) => {
                if self.seen.contains(&name) {
                    return Err("a parser directive is given twice");
                }
                let escape = name == "escape";
                self.seen.push(name);
                Ok(Some(value).filter(|_| escape))
            }
            _ => {
                self.done = true;
                Ok(None)
            }
        }
    }

    fn known(&self, name: &str) -> bool {
        match name {
            "syntax" | "escape" => true,
            "check" => self.dialect == Dialect::New,
            _ => false,
        }
    }
}

/// The images that some BuildKit would hand the build to: the one that daemons of today would take, and
/// the one that 20.10 would take. Empty: the built-in reader.
pub fn detect_syntax(text: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = [new_syntax(text), old_syntax(text)].into_iter().flatten().collect();
    found.dedup();
    found
}

/// `parser.DetectSyntax` of BuildKit 0.25.
fn new_syntax(text: &[u8]) -> Option<String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = match text.starts_with(b"#!") {
        true => text.splitn(2, |byte| *byte == b'\n').nth(1).unwrap_or_default(),
        false => text,
    };
    in_comments(text, b"#").or_else(|| in_comments(text, b"//")).or_else(|| in_json(text))
}

fn in_comments(text: &[u8], prefix: &[u8]) -> Option<String> {
    let mut seen = Vec::new();
    for line in lines(text) {
        let (name, value) = read(line, prefix)?;
        if !matches!(name.as_str(), "syntax" | "check" | "escape") || seen.contains(&name) {
            return None;
        }
        if name == "syntax" {
            return Some(first_word(value));
        }
        seen.push(name);
    }
    None
}

fn in_json(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    if !text.trim_start().starts_with('{') {
        return None;
    }
    // Nothing that starts so is a Dockerfile. Go reads JSON that serde_json does not, and folds keys (long s among them):
    // what does not plainly name a reader is for one that nobody knows.
    let keys = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text).unwrap_or_default();
    let mut named = keys.iter().filter(|(key, _)| key.replace('\u{17F}', "s").eq_ignore_ascii_case("syntax"));
    let named = named.next().filter(|(key, _)| *key == "syntax" && named.next().is_none());
    let named = named.and_then(|(_, value)| value.as_str());
    Some(named.unwrap_or_default().to_owned())
}

/// `dockerfile2llb.DetectSyntax` of BuildKit 0.8, in Docker 20.10: only `#`, any name, the last one counts.
fn old_syntax(text: &[u8]) -> Option<String> {
    lines(text)
        .map_while(|line| read(line, b"#"))
        .filter(|(name, _)| name == "syntax")
        .last()
        .map(|(_, value)| first_word(value))
}

fn first_word(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|byte| *byte == b' ').next().unwrap_or_default()).into_owned()
}

/// `bufio.ScanLines`: without the line feed and one carriage return before it.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// What a file may start with.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// `\s` of Go's regular expressions.
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(byte)).map_or(0, |last| last.saturating_add(1));
    text.get(..end).unwrap_or_default()
}
