//! An instruction taken apart: keyword, flags, words, as the daemon's parser does it
//! (`split_command.go`, `line_parsers.go`).

use super::Misread;
use super::lines::Line;

/// `splitCommand`.
pub(super) fn command(whole: &str, escape: u8, number: usize) -> Result<Line, Misread> {
    let text = whole.trim();
    let (keyword, rest) = match text.find(is_separator) {
        Some(at) => {
            let (keyword, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            (keyword, rest.trim_start_matches(is_separator))
        }
        None => (text, ""),
    };
    // Go folds a few letters to ASCII that are none; nobody writes them.
    if keyword.is_empty() || !keyword.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Misread::at(number, "an unknown instruction"));
    }
    let (flags, rest) = flags(rest, escape);
    Ok(Line {
        number,
        keyword: keyword.to_ascii_lowercase(),
        flags,
        rest: rest.trim().to_owned(),
        whole: whole.to_owned(),
        heredocs: 0,
    })
}

/// `[\t\v\f\r ]`.
fn is_separator(c: char) -> bool {
    matches!(c, '\t' | '\u{B}' | '\u{C}' | '\r' | ' ')
}

/// `parseStringsWhitespaceDelimited`.
pub(super) fn words(rest: &str) -> Vec<String> {
    rest.split(is_separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What a word of flags is in.
enum Phase {
    Spaces,
    Word,
    Quote(u8),
}

/// `extractBuilderFlags`: the words that start with `--`, and what follows them.
///
/// Go goes byte by byte and takes each for a character. So the second byte of an `à` is a space to it:
/// `--chown=à--from=image` is two flags.
fn flags(text: &str, escape: u8) -> (Vec<String>, &str) {
    let bytes = text.as_bytes();
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut phase, mut blank) = (Phase::Spaces, false);
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at).copied() {
        let after = at.saturating_add(1);
        if matches!(phase, Phase::Spaces) {
            if is_space(byte) {
                at = after;
                continue;
            }
            if byte != b'-' || bytes.get(after) != Some(&b'-') {
                return (words, from(text, at));
            }
            phase = Phase::Word;
        }
        match phase {
            Phase::Word if is_space(byte) => {
                phase = Phase::Spaces;
                if word == "--" {
                    return (words, from(text, at));
                }
                if blank || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                blank = false;
            }
            Phase::Word if matches!(byte, b'\'' | b'"') => {
                phase = Phase::Quote(byte);
                blank = true;
            }
            Phase::Quote(quote) if byte == quote => phase = Phase::Word,
            _ if byte == escape => match bytes.get(after) {
                Some(escaped) => {
                    word.push(char::from(*escaped));
                    at = after;
                }
                None if matches!(phase, Phase::Quote(_)) => phase = Phase::Word,
                None => {}
            },
            _ => word.push(char::from(byte)),
        }
        at = at.saturating_add(1);
    }
    if !matches!(phase, Phase::Spaces) && word != "--" && (blank || !word.is_empty()) {
        words.push(word);
    }
    (words, "")
}

/// What follows a place; that it is within a character cannot be, for the words of the rest start with
/// ASCII or with the start of a character, but for a byte that Go took for a space.
fn from(text: &str, at: usize) -> &str {
    (at..=text.len()).find_map(|at| text.get(at..)).unwrap_or_default()
}

/// `unicode.IsSpace(rune(byte))`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}

/// The arguments of `ADD` and `COPY`: a JSON list, or words.
pub(super) fn list_or_words(rest: &str, number: usize) -> Result<Vec<String>, Misread> {
    match json(rest, number)? {
        Some(list) => Ok(list),
        None => Ok(words(rest)),
    }
}

/// `parseJSON`. What Go may read as a list of strings and we cannot is refused.
pub(super) fn json(rest: &str, number: usize) -> Result<Option<Vec<String>>, Misread> {
    let Some(inner) = rest.trim_start().strip_prefix('[') else { return Ok(None) };
    match serde_json::from_str::<Vec<String>>(rest) {
        Ok(list) => Ok(Some(list)),
        Err(_) if inner.trim_start().starts_with('"') => Err(Misread::at(number, "a JSON list that cannot be read")),
        Err(_) => Ok(None),
    }
}
