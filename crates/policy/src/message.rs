//! The words of a refusal: what was refused, by what, and what would pass. At most two lines.
//!
//! Everything in it that came with the request is made printable first: a refusal is shown on
//! terminals.

use docker::facts::Facts;

use crate::decision::Answered;

mod suggest;
mod words;

pub(crate) use words::operation_words;

/// How many refused things are named; the others are counted.
const NAMED: usize = 3;
/// The longest text of the request's that is repeated.
const LONGEST: usize = 200;

/// Why a question was refused, beside what the answer itself says.
pub(crate) struct Reason {
    /// `developer/host-paths: host paths are not granted`; empty where it is kept quiet.
    pub text: String,
    /// Whether a rule that allows could change it: no `forbid` and no error is in the way.
    pub can_be_allowed: bool,
}

/// The message for a request of which some questions were answered with no. `reason` finds out why.
pub(crate) fn refusal(facts: &Facts, answers: &[Answered], reason: &dyn Fn(&Answered) -> Reason) -> String {
    let mut refused: Vec<(usize, &Answered)> = Vec::new();
    for (at, answer) in answers.iter().enumerate().filter(|(_, answer)| !answer.allowed) {
        if !refused.iter().any(|(_, other)| other.words == answer.words) {
            refused.push((at, answer));
        }
    }
    let mut clauses: Vec<(String, Vec<&str>)> = Vec::new();
    let mut rules: Vec<suggest::Rule> = Vec::new();
    let mut hopeless = false;
    for (at, answer) in refused.iter().take(NAMED) {
        let why = reason(answer);
        match clauses.iter_mut().find(|(text, _)| *text == why.text) {
            Some((_, things)) => things.push(&answer.words),
            None => clauses.push((why.text, vec![&answer.words])),
        }
        match suggest::rule(facts, *at) {
            Some(rule) if why.can_be_allowed => rules.push(rule),
            _ => hopeless = true,
        }
    }
    let clause = |(why, things): &(String, Vec<&str>)| match why.as_str() {
        "" => format!("may not {}", things.join(", nor ")),
        why => format!("may not {} ({why})", things.join(", nor ")),
    };
    let clauses: Vec<String> = clauses.iter().map(clause).collect();
    let mut text = format!("dockwarden: {}", clauses.join("; "));
    match refused.len().saturating_sub(NAMED) {
        0 => text.push('.'),
        1 => text.push_str("; and 1 more thing."),
        more => text.push_str(&format!("; and {more} more things.")),
    }
    // A suggestion that would not be enough is none.
    let enough = !hopeless && refused.len() <= NAMED;
    if let Some(rules) = suggest::together(&rules).filter(|_| enough) {
        text.push_str(&format!(" To allow it, add {rules}."));
    }
    text
}

/// The text without control characters and anything that turns the direction of writing, and not too
/// long.
pub(crate) fn printable(text: &str) -> String {
    let mut result: String = text.chars().take(LONGEST).map(clean).collect();
    if text.chars().nth(LONGEST).is_some() {
        result.push('…');
    }
    result
}

/// The text without these characters, however long: for sentences about what others have named.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(clean).collect()
}

fn clean(c: char) -> char {
    let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if c.is_control() || turns { '\u{fffd}' } else { c }
}
