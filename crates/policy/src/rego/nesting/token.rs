//! The tokens of Rego, as far as it matters how they nest.

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// White space and comments.
    Blank,
    /// A name, a number, a string.
    Operand,
    /// A name that may be a word of the language: what follows it may begin an expression.
    Word,
    /// `list`: whether it is a bracket that may begin a list, a set, an object or what is made by a condition.
    Open {
        list: bool,
    },
    Close,
    /// What an expression ends at; `entry`: and a list goes on after.
    Separator {
        entry: bool,
    },
    /// `:`, `=` and, as two of them, `:=`.
    Assign,
    /// `-`, between two operands or before one.
    Sign,
    /// `|`
    Bar,
    /// Whatever else is between two operands.
    Operator,
}

/// The token that a text begins with, and its length; `None` at the end.
pub(super) fn first(text: &str) -> Option<(Token, usize)> {
    let sign = text.chars().next()?;
    let after = text.get(sign.len_utf8()..).unwrap_or_default();
    let with_equals = if after.starts_with('=') { 2 } else { 1 };
    Some(match sign {
        '#' => (Token::Blank, text.find('\n').unwrap_or(text.len())),
        '"' => (Token::Operand, string(text)),
        '`' => (Token::Operand, after.find('`').map_or(text.len(), |end| end.saturating_add(2))),
        '(' => (Token::Open { list: false }, 1),
        '[' | '{' => (Token::Open { list: true }, 1),
        ')' | ']' | '}' => (Token::Close, 1),
        ',' => (Token::Separator { entry: true }, 1),
        ';' => (Token::Separator { entry: false }, 1),
        // A value: still the first entry, where it is that of the first.
        ':' | '=' if with_equals == 1 || sign == ':' => (Token::Assign, 1),
        '-' => (Token::Sign, 1),
        '|' => (Token::Bar, 1),
        '.' | '+' | '*' | '/' | '%' | '&' => (Token::Operator, 1),
        '<' | '>' | '!' | '=' => (Token::Operator, with_equals),
        _ if is_name(sign) => {
            let length = text.find(|c| !is_name(c)).unwrap_or(text.len());
            (named(text.get(..length).unwrap_or_default()), length)
        }
        _ => (Token::Blank, sign.len_utf8()),
    })
}

fn is_name(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_'
}

fn named(name: &str) -> Token {
    match name {
        "in" => Token::Operator,
        "as" | "contains" | "default" | "else" | "every" | "if" | "import" | "not" | "package" | "some" | "with" => {
            Token::Word
        }
        _ => Token::Operand,
    }
}

/// How long the string is that a text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end.saturating_add(2))
}
