//! Units of systemd's as a host has them: a unit's own file and its drop-ins, in the order in which they count.

use std::collections::BTreeMap;

use super::finding::Place;
use super::root::Root;

/// A value with where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// The values that a unit's key has, after all drop-ins: an empty one forgets those before it.
pub fn values(root: &Root, unit: &str, key: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for file in files(root, unit) {
        for (text, line) in lines(&root.text(&file).unwrap_or_default()) {
            let Some((name, value)) = text.split_once('=') else { continue };
            if name.trim() != key {
                continue;
            }
            match value.trim() {
                "" => found.clear(),
                value => found.push(Value { text: value.to_owned(), place: Place { file: file.clone(), line } }),
            }
        }
    }
    found
}

/// The words of the command that starts a service; variables are those of its environment files.
pub fn command(root: &Root, unit: &str) -> Vec<Value> {
    let Some(start) = values(root, unit, "ExecStart").pop() else { return Vec::new() };
    let environment = environment(root, unit);
    let mut found = Vec::new();
    for word in words(&start.text) {
        let name = word.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        match name {
            Some(name) => {
                let value = environment.get(name);
                let texts = value.map(|value| words(&value.text)).unwrap_or_default();
                found.extend(
                    texts
                        .into_iter()
                        .zip(value.map(|value| &value.place).into_iter().cycle())
                        .map(|(text, place)| Value { text, place: place.clone() }),
                );
            }
            None => found.push(Value { text: word, place: start.place.clone() }),
        }
    }
    found
}

/// What a service's environment files set.
fn environment(root: &Root, unit: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for file in values(root, unit, "EnvironmentFile") {
        let file = file.text.trim_start_matches('-').to_owned();
        for (text, line) in lines(&root.text(&file).unwrap_or_default()) {
            if let Some((name, value)) = text.split_once('=') {
                let text = words(value).join(" ");
                found.insert(name.trim().to_owned(), Value { text, place: Place { file: file.clone(), line } });
            }
        }
    }
    found
}

/// The files of a unit, the one that counts most last.
fn files(root: &Root, unit: &str) -> Vec<String> {
    let own = FOLDERS.iter().rev().map(|folder| format!("{folder}/{unit}")).find(|file| root.has(file));
    let mut drop_ins = BTreeMap::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/{unit}.d");
        for name in root.names(&folder).into_iter().filter(|name| name.ends_with(".conf")) {
            drop_ins.insert(name.clone(), format!("{folder}/{name}"));
        }
    }
    own.into_iter().chain(drop_ins.into_values()).collect()
}

/// The lines of a file that say something, with their numbers; those that go on are joined.
fn lines(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut begun: Option<(String, usize)> = None;
    for (line, content) in (1..).zip(text.lines()) {
        let is_comment = content.trim_start().starts_with(['#', ';']);
        if is_comment || (begun.is_none() && content.trim().is_empty()) {
            continue;
        }
        let (text, goes_on) = match content.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (content, false),
        };
        let (before, at) = begun.take().unwrap_or_else(|| (String::new(), line));
        let whole = format!("{before}{text} ");
        if goes_on {
            begun = Some((whole, at));
        } else {
            found.push((whole.trim().to_owned(), at));
        }
    }
    found.extend(begun);
    found
}

/// A command line's words, without their quotes.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => found.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

/// Where units are, what counts most last.
const FOLDERS: &[&str] =
    &["/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system", "/etc/systemd/system"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::Scratch;

    #[test]
    fn drop_ins_count_and_empty_values_forget() {
        let host = Scratch::new();
        host.put("/lib/systemd/system/docker.service", "[Service]\nEnvironmentFile=-/etc/default/docker\n# x\nExecStart=/usr/sbin/dockerd -H fd:// \\\n  --icc $DOCKER_OPTS ${NONE}\n");
        host.put("/etc/default/docker", "# words\nDOCKER_OPTS=\"--live-restore -H 'tcp://0.0.0.0:2375'\"\n");
        let found = command(&host.root(), "docker.service");
        let texts: Vec<&str> = found.iter().map(|value| value.text.as_str()).collect();
        assert_eq!(texts, ["/usr/sbin/dockerd", "-H", "fd://", "--icc", "--live-restore", "-H", "tcp://0.0.0.0:2375"]);
        assert_eq!(found[1].place, Place { file: "/lib/systemd/system/docker.service".to_owned(), line: 4 });
        assert_eq!(found[6].place, Place { file: "/etc/default/docker".to_owned(), line: 2 });
        host.put("/etc/systemd/system/docker.service.d/a.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n");
        assert_eq!(command(&host.root(), "docker.service").len(), 1);
        host.put("/etc/systemd/system/docker.service", "[Service]\nExecStart=/opt/dockerd --a b\n");
        assert_eq!(command(&host.root(), "docker.service")[0].text, "/usr/bin/dockerd", "the drop-in is still there");
    }
}
