//! A Cedar file taken apart into its statements, so that each fault can be told on its own and each
//! policy knows its line.

use std::sync::Arc;

use super::diagnostics::{Place, Text};

/// One policy as text, with the place that it stands for.
#[derive(Clone)]
pub(crate) struct Statement {
    pub text: String,
    /// The whole statement in its file; a rule's line where it was lowered from one.
    pub place: Place,
    /// What it is called unless it says so itself.
    pub name: String,
    /// `file:line`
    pub origin: Arc<str>,
    /// Whether the text stands in the file as it is, so that offsets in it mean something there.
    pub verbatim: bool,
    /// Whether it belongs to a preset.
    pub preset: bool,
    /// Whether it ends by itself.
    pub temporary: bool,
}

/// Takes a Cedar file apart. A policy is called after its line; several on one line are counted.
pub(crate) fn statements(text: &Text, preset: bool) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for (offset, statement) in split(text.as_str()) {
        let place = Place::new(text, offset, statement.len());
        let origin: Arc<str> = format!("{}:{}", text.name, place.line()).into();
        let before = statements.iter().rev().take_while(|other| other.origin == origin).count();
        let name = match before {
            0 => origin.to_string(),
            others => format!("{origin}/{}", others.saturating_add(1)),
        };
        statements.push(Statement {
            text: statement.to_owned(),
            place,
            name,
            origin,
            verbatim: true,
            preset,
            temporary: false,
        });
    }
    statements
}

/// The statements of a text with their offsets: what ends with `;` outside of strings and comments,
/// beginning at the first thing that is no comment.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                chars.by_ref().find(|(_, c)| *c == '\n');
            }
            '"' => {
                start.get_or_insert(at);
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ';' => {
                let from = start.take().unwrap_or(at);
                found.extend(text.get(from..=at).map(|statement| (from, statement)));
            }
            c if c.is_whitespace() => {}
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    if let Some(from) = start {
        found.extend(text.get(from..).map(|statement| (from, statement)));
    }
    found
}

/// A text as a Cedar string literal.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        let text =
            "// a; \"b\n@id(\"x;\\\"//\") permit(principal, action, resource); // c;\n\nforbid(principal);\nrest";
        let found: Vec<&str> = split(text).into_iter().map(|(_, statement)| statement).collect();
        assert_eq!(found, ["@id(\"x;\\\"//\") permit(principal, action, resource);", "forbid(principal);", "rest"]);
    }

    #[test]
    fn any_text_can_be_quoted() {
        for text in ["", "a\"b", "a\\", "line\nbreak\0", "naïve 🐳", "*"] {
            let policy = format!("@id({}) permit(principal, action, resource);", quote(text));
            let policy = cedar_policy::Policy::parse(None, policy).unwrap();
            assert_eq!(policy.annotation("id"), Some(text));
        }
    }
}
