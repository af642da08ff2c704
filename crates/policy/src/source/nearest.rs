//! The known name that somebody may have meant.

/// The name among these that is most like `word`, if one is like it at all. Equal ones: the first.
pub fn nearest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3);
    among
        .into_iter()
        .map(|name| (distance(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at.saturating_add(1);
        let mut next = vec![left];
        for (above, theirs) in row.iter().skip(1).zip(&other) {
            let replaced = diagonal.saturating_add(usize::from(letter != *theirs));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            next.push(left);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let words = ["privileged", "capability", "mount", "port"];
        assert_eq!(nearest("priviledged", words), Some("privileged"));
        assert_eq!(nearest("mout", words), Some("mount"));
        assert_eq!(nearest("Port", words), Some("port"));
        assert_eq!(nearest("exec", words), None);
        assert_eq!(nearest("", words), None);
    }
}
