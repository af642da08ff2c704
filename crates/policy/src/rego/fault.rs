//! What the engine says is wrong, in one sentence with its place.
//!
//! Its errors are drawn: an arrow with file, line and column, the line itself, and below it the sentence.

use crate::NamedText;
use crate::source::Diagnostic;

/// An error taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    file: String,
    pub line: usize,
    pub column: usize,
    pub sentence: String,
}

/// Takes an error apart. The innermost place counts, which is drawn last.
pub(super) fn read(error: &str) -> Said {
    let place = error.lines().filter_map(|line| line.strip_prefix("--> ")).next_back();
    let mut parts = place.unwrap_or_default().rsplitn(3, ':');
    let mut number = || parts.next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let (column, line) = (number(), number());
    let file = parts.next().unwrap_or_default().to_owned();
    let after = error.rsplit("error: ").next().unwrap_or(error);
    let words = after.lines().filter(|line| !is_drawing(line)).map(str::trim).filter(|line| !line.is_empty());
    Said { file, line, column, sentence: words.collect::<Vec<_>>().join(" ") }
}

/// In one line.
pub(super) fn sentence(error: &str) -> String {
    let Said { file, line, column, sentence } = read(error);
    if file.is_empty() { sentence } else { format!("{file}:{line}:{column}: {sentence}") }
}

/// As a fault of one of these files; of the first, where it names none.
pub(super) fn diagnostic(error: &str, files: &[&NamedText]) -> Diagnostic {
    let said = read(error);
    let text = files.iter().find(|text| text.name == said.file).or(files.first());
    let nameless = NamedText::default();
    Diagnostic::at(text.copied().unwrap_or(&nameless), said.line, said.column, said.sentence)
}

fn is_drawing(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("-->") || line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_errors_become_sentences() {
        let drawn =
            "\n--> a/b.rego:3:5\n  |\n3 |   x := y | z\n  |     ^\nerror: use of undefined variable `y` is unsafe";
        assert_eq!(sentence(drawn), "a/b.rego:3:5: use of undefined variable `y` is unsafe");
        assert_eq!(sentence("no place"), "no place");
        let nested = format!("\n--> o.rego:1:1\n  |\n1 | f(x)\n  | ^\nerror: {drawn}");
        assert_eq!(sentence(&nested), "a/b.rego:3:5: use of undefined variable `y` is unsafe");
    }
}
