//! Patterns of names and paths: `*` is anything, `?` is one character.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

/// A pattern that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// See the sentence.
    #[error("a pattern must not be empty")]
    Empty,
    /// See the sentence.
    #[error("a path begins with `/`")]
    Relative,
}

impl Pattern {
    /// A pattern of names, which differ by more than upper and lower case.
    pub fn of_names(text: &str) -> Result<Pattern, PatternError> {
        if text.is_empty() { Err(PatternError::Empty) } else { Ok(Pattern(folded(text))) }
    }

    /// A pattern of paths. It stands for all that is below as well, so `/srv/x`, `/srv/x/` and `/srv/x/**` are one.
    pub fn of_paths(text: &str) -> Result<Pattern, PatternError> {
        if !text.starts_with('/') {
            return Err(PatternError::Relative);
        }
        let path = text.trim_end_matches("/**").trim_end_matches('/');
        Ok(Pattern(path.chars().collect()))
    }

    /// Whether that is a name of the pattern.
    pub fn names(&self, name: &str) -> bool {
        matches(&self.0, &folded(name))
    }

    /// Whether that is a path of the pattern, or below one.
    pub fn holds(&self, path: &str) -> bool {
        if !path.starts_with('/') {
            return false;
        }
        let path: Vec<char> = path.trim_end_matches('/').chars().collect();
        let ends = path.iter().enumerate().filter(|(_, c)| **c == '/').map(|(at, _)| at);
        ends.chain([path.len()]).any(|end| matches(&self.0, path.get(..end).unwrap_or_default()))
    }
}

fn folded(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Goes back to the last `*` only, which is enough: what stood before it fits already.
fn matches(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut in_text) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(found) = text.get(in_text) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at = at.saturating_add(1);
            }
            Some(wanted) if *wanted == '?' || wanted == found => {
                at = at.saturating_add(1);
                in_text = in_text.saturating_add(1);
            }
            _ => {
                let Some((back, from)) = star else { return false };
                at = back.saturating_add(1);
                in_text = from.saturating_add(1);
                star = Some((back, in_text));
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|wanted| *wanted == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, name) in [
            ("*PASSWORD*", "db_password"),
            ("*", ""),
            ("A?C", "abc"),
            ("a*b*c", "aXbYbc"),
            ("com.example.*", "com.example.x"),
        ] {
            assert!(Pattern::of_names(pattern).unwrap().names(name), "{pattern} {name}");
        }
        for (pattern, name) in [("*PASSWORD", "PASSWORDS"), ("a", "b"), ("?", ""), ("a*b", "abc")] {
            assert!(!Pattern::of_names(pattern).unwrap().names(name), "{pattern} {name}");
        }
        assert_eq!(Pattern::of_names(""), Err(PatternError::Empty));
    }

    #[test]
    fn paths() {
        for (pattern, path) in [
            ("/srv/x/**", "/srv/x"),
            ("/srv/x", "/srv/x/y"),
            ("/srv/*/key", "/srv/a/key/1"),
            ("/", "/etc"),
            ("/srv/x", "/srv/x/"),
        ] {
            assert!(Pattern::of_paths(pattern).unwrap().holds(path), "{pattern} {path}");
        }
        for (pattern, path) in [("/srv/x", "/srv/xy"), ("/srv/x", "/srv"), ("/srv", "srv"), ("/srv/X", "/srv/x")] {
            assert!(!Pattern::of_paths(pattern).unwrap().holds(path), "{pattern} {path}");
        }
        assert_eq!(Pattern::of_paths("srv"), Err(PatternError::Relative));
    }
}
