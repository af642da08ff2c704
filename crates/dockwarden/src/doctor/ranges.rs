//! Ranges of subordinate ids, `/etc/subuid` and `/etc/subgid`: read, compared, and free ones found.

use std::fmt;

use policy::{Diagnostic, Diagnostics, NamedText};

use super::finding::Place;

/// Of which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/etc/subuid`.
    User,
    /// `/etc/subgid`.
    Group,
}

/// Ids from one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub start: u64,
    /// How many.
    pub count: u64,
}

/// One line: these ids are that user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The user's name, or uid.
    pub user: String,
    /// The ids.
    pub range: Range,
    /// Where it is written.
    pub place: Place,
}

/// One of the two files.
#[derive(Debug, Clone)]
pub struct Ranges {
    /// Which one.
    pub kind: Kind,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// Its text; `None` where there is no such file.
    pub text: Option<String>,
}

impl Ranges {
    /// Reads a text. Docker does not start on a line that it cannot read.
    pub fn of(kind: Kind, text: Option<String>) -> Result<Ranges, Diagnostics> {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        for (line, content) in (1..).zip(text.as_deref().unwrap_or_default().lines()) {
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            let place = Place { file: kind.file().to_owned(), line };
            match entry(content, place) {
                Ok(entry) => entries.push(entry),
                Err((column, message)) => {
                    let named = NamedText { name: kind.file().to_owned(), text: text.clone().unwrap_or_default() };
                    let help = "a line is NAME:FIRST:COUNT, as in dockremap:624288:65536".to_owned();
                    faults.push(Diagnostic::at(&named, line, column, message).help_with(Some(help)));
                }
            }
        }
        if faults.is_empty() { Ok(Ranges { kind, entries, text }) } else { Err(Diagnostics(faults)) }
    }

    /// The ranges of one user, by any of its names.
    pub fn of_user<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|entry| names.contains(&entry.user.as_str()))
    }

    /// Two users' lines that share ids.
    pub fn overlaps(&self) -> Vec<(&Entry, &Entry)> {
        let mut found = Vec::new();
        for (at, one) in self.entries.iter().enumerate() {
            let others = self.entries.iter().skip(at.saturating_add(1));
            let shared = others.filter(|other| other.user != one.user && other.range.overlaps(one.range));
            found.extend(shared.map(|other| (one, other)));
        }
        found
    }

    /// The text with that range for a user: in its first line, or in a new one.
    pub fn text_with(text: Option<&str>, user: &str, range: Range) -> String {
        let line = format!("{user}:{range}");
        let mut done = false;
        let mut lines: Vec<String> = Vec::new();
        for old in text.unwrap_or_default().lines() {
            let own = !done && old.split(':').next() == Some(user);
            done |= own;
            lines.push(if own { line.clone() } else { old.to_owned() });
        }
        if !done {
            lines.push(line);
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// The first range that touches none of these and holds no id that somebody has. `from` is where the host's own tools begin.
pub fn free(taken: &[Range], ids: &[u64], from: u64) -> Option<Range> {
    let is_free =
        |range: &Range| !taken.iter().any(|other| other.overlaps(*range)) && !ids.iter().any(|id| range.contains(*id));
    let steps = (0..).map(|step: u64| from.saturating_add(step.saturating_mul(COUNT)));
    let ranges = steps.map(|start| Range { start, count: COUNT }).take_while(|range| range.end() <= MOST);
    ranges.into_iter().find(is_free)
}

impl Range {
    /// The first id behind it.
    pub fn end(self) -> u64 {
        self.start.saturating_add(self.count)
    }

    /// Whether two share an id.
    pub fn overlaps(self, other: Range) -> bool {
        self.start < other.end() && other.start < self.end()
    }

    /// Whether an id is in it.
    pub fn contains(self, id: u64) -> bool {
        self.start <= id && id < self.end()
    }
}

impl Kind {
    /// The file.
    pub fn file(self) -> &'static str {
        match self {
            Kind::User => "/etc/subuid",
            Kind::Group => "/etc/subgid",
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.start, self.count)
    }
}

/// A line taken apart; or the column where it is wrong, and how.
fn entry(line: &str, place: Place) -> Result<Entry, (usize, String)> {
    let parts: Vec<&str> = line.split(':').collect();
    let [user, start, count] = parts.as_slice() else {
        return Err((1, format!("it has {} fields, not 3", parts.len())));
    };
    if user.is_empty() {
        return Err((1, "nobody is named".to_owned()));
    }
    let second = user.chars().count().saturating_add(2);
    let third = second.saturating_add(start.chars().count()).saturating_add(1);
    let number = |text: &str, column: usize| {
        let number = text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.ok_or_else(|| (column, format!("`{text}` is no number")))
    };
    let range = Range { start: number(start, second)?, count: number(count, third)? };
    if range.end() > MOST {
        return Err((second, format!("ids end at {MOST}; this range goes on to {}", range.end())));
    }
    Ok(Entry { user: (*user).to_owned(), range, place })
}

/// As many ids as images are made for: those up to `nobody`.
pub const COUNT: u64 = 65536;
/// The kernel's last id is none.
const MOST: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Result<Ranges, Diagnostics> {
        Ranges::of(Kind::User, Some(text.to_owned()))
    }

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let found = ranges("# people\n\nalice:100000:65536\nbob:165536:65536\n").unwrap();
        assert_eq!(found.entries.len(), 2);
        assert_eq!(found.entries[1].place.line, 4);
        assert!(found.overlaps().is_empty());
        for (text, expected) in [
            ("alice:100000", "/etc/subuid:1:1: it has 2 fields, not 3"),
            ("a:1:1\nalice:1e5:65536", "/etc/subuid:2:7: `1e5` is no number"),
            ("alice:100000:+1", "/etc/subuid:1:14: `+1` is no number"),
            (":1:1", "/etc/subuid:1:1: nobody is named"),
            ("alice:4294967290:65536", "/etc/subuid:1:7: ids end at 4294967295"),
        ] {
            assert!(ranges(text).unwrap_err().to_string().starts_with(expected), "{text}");
        }
    }

    #[test]
    fn overlaps_are_found_to_the_last_id() {
        assert_eq!(ranges("a:100000:65536\nb:165535:1\n").unwrap().overlaps().len(), 1);
        assert_eq!(ranges("a:100000:65536\nb:165536:1\nc:99999:1\n").unwrap().overlaps().len(), 0);
        assert_eq!(ranges("a:100000:65536\na:100000:1\n").unwrap().overlaps().len(), 0, "their own");
        assert_eq!(ranges("a:1:9\nb:2:9\nc:3:9\n").unwrap().overlaps().len(), 3);
    }

    #[test]
    fn a_free_range_touches_nobody() {
        let taken = [Range { start: 100_000, count: COUNT }, Range { start: 200_000, count: 10 }];
        assert_eq!(free(&taken, &[], 100_000), Some(Range { start: 231_072, count: COUNT }));
        assert_eq!(free(&[], &[100_001], 100_000), Some(Range { start: 165_536, count: COUNT }));
        assert_eq!(free(&[Range { start: 0, count: MOST }], &[], 100_000), None);
    }

    #[test]
    fn a_users_line_is_changed_or_added() {
        let range = Range { start: 7, count: 8 };
        assert_eq!(Ranges::text_with(None, "u", range), "u:7:8\n");
        assert_eq!(Ranges::text_with(Some("a:1:1"), "u", range), "a:1:1\nu:7:8\n");
        assert_eq!(Ranges::text_with(Some("# x\nu:1:1\na:1:1\n"), "u", range), "# x\nu:7:8\na:1:1\n");
    }
}
