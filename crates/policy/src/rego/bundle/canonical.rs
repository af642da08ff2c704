//! A JSON document as OPA hashes it, which is as Go writes it: without white space, members by name, numbers as they stand.
//!
//! One pass over a text that has been read before, and so is known to be JSON and to have a depth.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

/// Writes a document anew.
pub(super) fn json(text: &str) -> serde_json::Result<Vec<u8>> {
    let (mut rest, mut out) = (text, String::with_capacity(text.len()));
    value(&mut rest, &mut out)?;
    Ok(out.into_bytes())
}

fn value(rest: &mut &str, out: &mut String) -> serde_json::Result<()> {
    if took(rest, '{') {
        members(rest, out)
    } else if took(rest, '[') {
        items(rest, out)
    } else {
        let word = word(rest);
        match word.starts_with('"') {
            true => out.push_str(&string(&serde_json::from_str::<String>(word)?)?),
            false => {
                serde_json::from_str::<IgnoredAny>(word)?;
                out.push_str(word);
            }
        }
        Ok(())
    }
}

/// Of a name that stands twice the last counts, as for every reader of JSON here and there.
fn members(rest: &mut &str, out: &mut String) -> serde_json::Result<()> {
    let mut members = BTreeMap::new();
    while !took(rest, '}') {
        let name: String = serde_json::from_str(word(rest))?;
        took(rest, ':');
        let mut written = String::new();
        value(rest, &mut written)?;
        members.insert(name, written);
        took(rest, ',');
    }
    out.push('{');
    for (at, (name, written)) in members.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        out.push_str(&string(name)?);
        out.push(':');
        out.push_str(written);
    }
    out.push('}');
    Ok(())
}

fn items(rest: &mut &str, out: &mut String) -> serde_json::Result<()> {
    out.push('[');
    let mut first = true;
    while !took(rest, ']') {
        out.push_str(if first { "" } else { "," });
        first = false;
        value(rest, out)?;
        took(rest, ',');
    }
    out.push(']');
    Ok(())
}

/// A string with its quotes, a number or a name; nothing where none stands there, which is no JSON for its reader.
fn word<'t>(rest: &mut &'t str) -> &'t str {
    let text = rest.trim_start();
    let length = if text.starts_with('"') { quoted(text) } else { text.find(ENDS).unwrap_or(text.len()) };
    let (word, after) = text.split_at_checked(length).unwrap_or((text, ""));
    *rest = after;
    word
}

/// How long the string is that a text begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end.saturating_add(2))
}

/// Takes a sign, if it stands there.
fn took(rest: &mut &str, sign: char) -> bool {
    let after = rest.trim_start().strip_prefix(sign);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

/// A text as Go writes it.
fn string(text: &str) -> serde_json::Result<String> {
    Ok(serde_json::to_string(text)?.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// What a number or a name ends at.
const ENDS: [char; 8] = [',', ':', ']', '}', ' ', '\t', '\r', '\n'];
