//! How deeply a policy is nested, found out before it is read.
//!
//! Its reader goes down a level for each bracket and each sign, on a stack that ends; and what a bracket begins with it
//! reads twice (a list, or one with a condition?), so that each level within another doubles its time. Here the text is
//! gone through once, token by token. What is not understood counts as what would be worse.

#[cfg(test)]
mod tests;
mod token;

use std::ops::ControlFlow::{self, Break, Continue};

use crate::NamedText;
use crate::source::Diagnostic;
use crate::source::diagnostics::{Place, Text};
use token::Token;

/// How many brackets and signs may be open at once.
const DEEPEST: usize = 48;
/// How many operations and references may hang on one another in one expression: what reads it goes down as many levels.
const LONGEST: usize = 500;
/// How many tokens of an outermost bracket may be read more than twice, each as often as it is. So many take about a third
/// of a second.
const MOST_AT_ONCE: u64 = 1 << 15;
/// How many of all policies together: for some seconds.
const MOST_IN_ALL: u64 = 1 << 19;

/// Refuses a policy that could not be read, or not in time. `again`: how many tokens of the policies before it are read
/// more than twice.
pub(super) fn check(named: &NamedText, again: &mut u64) -> Result<(), Diagnostic> {
    let mut scan = Scan { levels: vec![Level::new(0, Reading::Once)], signs: 0, last: Token::Blank, last_end: 0 };
    let mut at = 0_usize;
    while let Some((token, length)) = named.text.get(at..).and_then(token::first) {
        let end = at.saturating_add(length);
        if let Break((place, excess)) = scan.take(token, at, end) {
            return Err(excess.fault(named, place));
        }
        at = end;
    }
    match scan.end() {
        Break((place, excess)) => return Err(excess.fault(named, place)),
        Continue(more) => *again = again.saturating_add(more),
    }
    if *again > MOST_IN_ALL { Err(Excess::Time.fault(named, 0)) } else { Ok(()) }
}

/// What there is too much of.
enum Excess {
    Depth,
    Length,
    Time,
}

impl Excess {
    fn fault(&self, named: &NamedText, at: usize) -> Diagnostic {
        let (sentence, help) = match self {
            Self::Depth => (
                format!("brackets and signs are nested more than {DEEPEST} deep"),
                "take the expression apart into rules, or put what is data into a file of data",
            ),
            Self::Length => (
                format!("more than {LONGEST} operations and references are one expression"),
                "take the expression apart into rules",
            ),
            Self::Time => (
                "brackets are nested so deeply around so much that it would take too long to read".to_owned(),
                "take it apart into rules, or put what is data into a file of data",
            ),
        };
        Place::new(&Text::new(named), at, 1).error(sentence).help_with(help.to_owned())
    }
}

/// What is known where the text has been gone through up to a token.
struct Scan {
    /// The brackets that are open, below all of them the text itself.
    levels: Vec<Level>,
    /// The signs before what they belong to, on all levels.
    signs: usize,
    last: Token,
    last_end: usize,
}

/// How often something is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// In parentheses, as an index, and in a list after its first entry.
    Once,
    /// The first entry of a list, and the conditions of a rule.
    Twice,
    /// What stands behind `|`, which may be a condition or not.
    Thrice,
}

/// What stands in brackets, up to now.
struct Level {
    /// Where it begins.
    at: usize,
    /// Whether it may be a list.
    list: bool,
    reading: Reading,
    /// How many tokens there are, and how many are read.
    tokens: u64,
    read: u64,
    /// How many operations hang on one another in the expression that is not at its end yet; and in any of it.
    height: usize,
    highest: usize,
    /// The signs of that expression.
    signs: usize,
}

impl Level {
    fn new(at: usize, reading: Reading) -> Level {
        let list = reading != Reading::Once;
        Level { at, list, reading, tokens: 0, read: 0, height: 0, highest: 0, signs: 0 }
    }

    /// So many tokens more, of which so many are read when they are read once.
    fn more(&mut self, tokens: u64, read: u64) {
        let times = match self.reading {
            Reading::Once => 1,
            Reading::Twice => 2,
            Reading::Thrice => 3,
        };
        self.tokens = self.tokens.saturating_add(tokens);
        self.read = self.read.saturating_add(read.saturating_mul(times));
    }

    /// What comes now is read otherwise than what was, unless a `|` stands before both.
    fn turn(&mut self, reading: Reading) {
        if self.list && self.reading != Reading::Thrice {
            self.reading = reading;
        }
    }

    /// How many tokens are read a third time and more. Twice is what a condition is read that is no assignment.
    fn again(&self) -> u64 {
        self.read.saturating_sub(self.tokens.saturating_mul(2))
    }
}

impl Scan {
    fn take(&mut self, token: Token, at: usize, end: usize) -> ControlFlow<(usize, Excess)> {
        if token == Token::Blank {
            return Continue(());
        }
        let touches = self.last_end == at;
        let follows = matches!(self.last, Token::Operand | Token::Close);
        let Some(level) = self.levels.last_mut() else { return Continue(()) };
        level.more(1, 1);
        match token {
            Token::Operand | Token::Word if follows || self.last == Token::Word => {
                // Another condition, on a line of its own.
                level.turn(Reading::Twice);
                self.expression_ended();
            }
            Token::Separator { entry } => {
                level.turn(if entry { Reading::Once } else { Reading::Twice });
                self.expression_ended();
            }
            Token::Assign => self.expression_ended(),
            Token::Open { list } => {
                let is_index = touches && follows;
                if follows && !is_index {
                    level.turn(Reading::Twice);
                }
                let reading = if list && !is_index { Reading::Twice } else { Reading::Once };
                self.levels.push(Level::new(at, reading));
            }
            Token::Close => self.close()?,
            Token::Sign if !follows => {
                level.signs = level.signs.saturating_add(1);
                self.signs = self.signs.saturating_add(1);
                self.longer();
            }
            Token::Bar => {
                level.turn(Reading::Thrice);
                self.longer();
            }
            Token::Operator | Token::Sign => self.longer(),
            Token::Operand | Token::Word | Token::Blank => {}
        }
        (self.last, self.last_end) = (token, end);
        if self.levels.len().saturating_add(self.signs) > DEEPEST.saturating_add(1) {
            Break((at, Excess::Depth))
        } else if self.levels.last().is_some_and(|level| level.height > LONGEST) {
            Break((at, Excess::Length))
        } else {
            Continue(())
        }
    }

    /// Something hangs on what was before.
    fn longer(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.height = level.height.saturating_add(1);
            level.highest = level.highest.max(level.height);
        }
    }

    fn expression_ended(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.signs = self.signs.saturating_sub(level.signs);
            (level.height, level.signs) = (0, 0);
        }
    }

    /// A bracket more that closes than was opened is a fault for the reader to tell.
    fn close(&mut self) -> ControlFlow<(usize, Excess)> {
        if self.levels.len() < 2 {
            return Continue(());
        }
        let (Some(inner), Some(outer)) = (self.levels.pop(), self.levels.last_mut()) else { return Continue(()) };
        self.signs = self.signs.saturating_sub(inner.signs);
        outer.more(inner.tokens, inner.read);
        outer.height = outer.height.max(inner.highest);
        self.longer();
        if self.levels.len() == 1 && inner.again() > MOST_AT_ONCE {
            return Break((inner.at, Excess::Time));
        }
        Continue(())
    }

    /// How many tokens of the whole are read more than twice. What was not closed is read as often before that is known.
    fn end(mut self) -> ControlFlow<(usize, Excess), u64> {
        while self.levels.len() > 1 {
            self.close()?;
        }
        Continue(self.levels.first().map_or(0, Level::again))
    }
}
