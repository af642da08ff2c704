//! Names of fields as Go compares them.
//!
//! encoding/json folds with Unicode's simple folding. The names of Docker's fields are ASCII, and
//! besides the two letter cases only the long s (U+017F) and the Kelvin sign (U+212A) fold to ASCII.

/// The field that a key fills, exact or folded. `hint` is looked at first.
pub(super) fn find(key: &str, names: &'static [&'static str], hint: usize) -> Option<(usize, &'static str)> {
    let hinted = names.get(hint).filter(|name| **name == key).map(|name| (hint, *name));
    hinted.or_else(|| position(names, |name| name == key)).or_else(|| position(names, |name| same(name, key)))
}

fn position(names: &'static [&'static str], mut is_it: impl FnMut(&str) -> bool) -> Option<(usize, &'static str)> {
    names.iter().copied().enumerate().find(|(_, name)| is_it(name))
}

/// Whether Go takes both for the same field.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.chars().map(folded).eq(other.chars().map(folded))
}

fn folded(letter: char) -> char {
    match letter {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        _ => letter.to_ascii_lowercase(),
    }
}

/// The known name that a misspelt one may stand for.
pub(super) fn nearest(sent: &str, names: &'static [&'static str]) -> Option<&'static str> {
    let sent: Vec<char> = sent.chars().take(LONGEST_MISSPELT).map(folded).collect();
    if sent.len() == LONGEST_MISSPELT {
        return None;
    }
    let most = MOST_EDITS.min(sent.len() / 3);
    let near = names.iter().map(|name| (edits(&sent, name), *name)).filter(|(edits, _)| *edits <= most);
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// Letters to add, drop or change to make one name the other (Levenshtein, row by row).
fn edits(sent: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=sent.len()).collect();
    for (above, letter) in name.chars().map(folded).enumerate() {
        let (mut diagonal, mut left) = (above, above.saturating_add(1));
        for (cell, old) in row.iter_mut().zip(std::iter::once(None).chain(sent.iter().map(Some))) {
            if let Some(sent) = old {
                let change = diagonal.saturating_add(usize::from(*sent != letter));
                diagonal = *cell;
                left = change.min(left.saturating_add(1)).min(cell.saturating_add(1));
            }
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

const LONGEST_MISSPELT: usize = 64;
const MOST_EDITS: usize = 2;
