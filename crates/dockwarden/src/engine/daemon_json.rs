//! The daemon's configuration file: single members of it are changed, and everything else in it stays as somebody wrote
//! it, to the last blank.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use policy::{Diagnostic, Diagnostics, NamedText};
use serde_json::{Map, Value};

use crate::replace::replace;

/// The file as it was found.
#[derive(Debug, Clone, Default)]
pub struct DaemonJson {
    /// Where it is, links followed.
    path: PathBuf,
    /// Its text; `None` where there is no file.
    text: Option<String>,
    values: Map<String, Value>,
    plugins: Vec<String>,
}

impl DaemonJson {
    /// Reads it. One that the daemon would not take is not touched: the fault says where it is at fault.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        let text = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Diagnostics::sentence(&format!("{}: {error}", path.display()))),
        };
        Self::of(path.canonicalize().unwrap_or_else(|_| path.to_owned()), text)
    }

    /// The file of that text.
    pub fn of(path: PathBuf, text: Option<String>) -> Result<Self, Diagnostics> {
        let named = NamedText { name: path.display().to_string(), text: text.clone().unwrap_or_default() };
        let wrong = |(line, column), message: String| Diagnostics(vec![Diagnostic::at(&named, line, column, message)]);
        let written = written(text.as_deref());
        let value: Value = serde_json::from_str(written).map_err(|error| {
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default();
            wrong((error.line(), error.column().max(1)), format!("it is not JSON: {words}"))
        })?;
        let Value::Object(values) = value else { return Err(wrong((1, 1), "it is no JSON object".to_owned())) };
        let members = members(written);
        for (at, member) in members.iter().enumerate() {
            if members.iter().take(at).any(|other| other.key == member.key) {
                return Err(wrong(position(written, member.start), format!("the key `{}` is given twice", member.key)));
            }
        }
        let place = |key: &str| members.iter().find(|member| member.key == key).map_or(0, |member| member.start);
        let plugins = match values.get(PLUGINS) {
            None | Some(Value::Null) => Vec::new(),
            Some(list) => names(list)
                .ok_or_else(|| wrong(position(written, place(PLUGINS)), format!("`{PLUGINS}` is no list of names")))?,
        };
        Ok(DaemonJson { path, text, values, plugins })
    }

    /// The authorization plugins, in the order in which they are asked.
    pub fn plugins(&self) -> &[String] {
        &self.plugins
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// Line and column of a key, both from 1.
    pub fn position(&self, key: &str) -> Option<(usize, usize)> {
        let text = written(self.text.as_deref());
        let member = members(text).into_iter().find(|member| member.key == key)?;
        Some(position(text, member.start))
    }

    /// The file of the daemon's process id.
    pub fn pidfile(&self) -> PathBuf {
        PathBuf::from(self.get("pidfile").and_then(Value::as_str).unwrap_or("/var/run/docker.pid"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; `None` where there is no file.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Where it is kept as it was.
    pub fn backup(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".before-dockwarden");
        PathBuf::from(name)
    }

    /// The text with this list of plugins.
    pub fn with_plugins(&self, names: &[String]) -> String {
        match names {
            [] => without(written(self.text.as_deref()), PLUGINS),
            names => set(self.text.as_deref(), &[PLUGINS], &Value::from(names)),
        }
    }

    /// Puts another text in its place, whole or not at all; what was there is kept beside it.
    pub fn write(&self, text: &str) -> Result<(), String> {
        if let Some(old) = &self.text {
            replace(&self.backup(), &self.path, old)?;
        } else if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        replace(&self.path, &self.path, text)
    }

    /// Puts back what was found.
    pub fn restore(&self) -> Result<(), String> {
        match &self.text {
            Some(text) => replace(&self.path, &self.path, text),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", self.path.display())),
                _ => Ok(()),
            },
        }
    }
}

/// A text of the file with a member set; more than one key leads to a member of a member. What has a value is replaced where
/// it is, what has none comes before the others, indented as they are.
pub fn set(text: Option<&str>, keys: &[&str], value: &Value) -> String {
    let (text, Some((key, rest))) = (written(text), keys.split_first()) else { return value.to_string() };
    let found = members(text).into_iter().find(|member| member.key == *key);
    let old = found.as_ref().and_then(|member| text.get(member.value.clone()));
    let new = match (rest, old) {
        ([], _) => spaced(value),
        (rest, Some(old)) if old.starts_with('{') => set(Some(old), rest, value),
        (rest, _) => rest.iter().rev().fold(spaced(value), |value, key| format!("{{ \"{key}\": {value} }}")),
    };
    if let Some(member) = found {
        return replaced(text, member.value, &new);
    }
    let open = text.find('{').map_or(0, |open| open.saturating_add(1));
    match members(text).first() {
        Some(first) => {
            let indent = text.get(open..first.start).unwrap_or_default();
            replaced(text, open..open, &format!("{indent}\"{key}\": {new},"))
        }
        None => replaced(text, open..open, &format!("\n  \"{key}\": {new}\n")),
    }
}

/// A text without a member.
pub fn without(text: &str, key: &str) -> String {
    let members = members(text);
    let Some(at) = members.iter().position(|member| member.key == key) else { return text.to_owned() };
    let Some(member) = members.get(at) else { return text.to_owned() };
    let before = at.checked_sub(1).and_then(|at| members.get(at));
    let after = at.checked_add(1).and_then(|at| members.get(at));
    let range = match (before, after) {
        (_, Some(next)) => member.start..next.start,
        (Some(last), None) => last.value.end..member.value.end,
        (None, None) => member.start..member.value.end,
    };
    replaced(text, range, "")
}

/// The names of a list of names.
fn names(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// What counts as the text of a file that is empty, or not there.
fn written(text: Option<&str>) -> &str {
    text.filter(|text| !text.trim().is_empty()).unwrap_or("{}\n")
}

/// A value as people write it, on one line.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}

/// Line and column of an offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}

/// One member of the outermost object.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    key: String,
    /// Where its key begins.
    start: usize,
    value: Range<usize>,
}

/// The members of the outermost object of a text that is known to be JSON.
fn members(text: &str) -> Vec<Member> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = next(bytes, text.find('{').map_or(bytes.len(), |open| open.saturating_add(1)), b",");
    while bytes.get(at) == Some(&b'"') {
        let start = at;
        let end = end_of_value(bytes, start);
        let from = next(bytes, end, b":");
        let value = from..end_of_value(bytes, from);
        at = next(bytes, value.end, b",");
        let key = text.get(start..end).and_then(|key| serde_json::from_str(key).ok());
        found.extend(key.map(|key| Member { key, start, value }));
    }
    found
}

/// Where the next thing begins, after blanks and one kind of punctuation.
fn next(bytes: &[u8], at: usize, punctuation: &[u8]) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || punctuation.contains(byte)).count();
    at.saturating_add(blanks)
}

/// Where the value ends that begins there.
fn end_of_value(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        let end = at.saturating_add(1);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' if depth > 0 => depth = depth.saturating_sub(1),
            b',' | b'}' if depth == 0 => return at,
            byte if byte.is_ascii_whitespace() && depth == 0 => return at,
            _ => {}
        }
        if depth == 0 && !in_string && matches!(byte, b'"' | b'}' | b']') {
            return end;
        }
    }
    bytes.len()
}

fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    let before = text.get(..range.start).unwrap_or_default();
    let after = text.get(range.end..).unwrap_or_default();
    format!("{before}{by}{after}")
}

const PLUGINS: &str = "authorization-plugins";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn changed(text: &str, names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let changed = DaemonJson::of("x".into(), Some(text.to_owned())).unwrap().with_plugins(&names);
        assert_eq!(DaemonJson::of("x".into(), Some(changed.clone())).unwrap().plugins(), names, "{changed}");
        changed
    }

    #[test]
    fn everything_else_stays_as_it_is_written() {
        for (text, names, expected) in [
            ("", vec!["a"], "{\n  \"authorization-plugins\": [\"a\"]\n}\n"),
            ("{}", vec!["a"], "{\n  \"authorization-plugins\": [\"a\"]\n}"),
            ("{}", vec![], "{}"),
            ("{\"debug\":true}", vec!["a"], "{\"authorization-plugins\": [\"a\"],\"debug\":true}"),
            (
                "{\n\t\"debug\" : true,\n\t\"x\": [1, {\"}\": \"\\\"]\"}]\n}\n",
                vec!["a", "b"],
                "{\n\t\"authorization-plugins\": [\"a\", \"b\"],\n\t\"debug\" : true,\n\t\"x\": [1, {\"}\": \"\\\"]\"}]\n}\n",
            ),
            (
                "{\n  \"debug\": true,\n  \"authorization-plugins\": [ \"a\" ],\n  \"y\": 1.5\n}",
                vec!["a", "b"],
                "{\n  \"debug\": true,\n  \"authorization-plugins\": [\"a\", \"b\"],\n  \"y\": 1.5\n}",
            ),
            (
                "{\n  \"debug\": true,\n  \"authorization-plugins\": [ \"a\" ],\n  \"y\": 1.5\n}",
                vec![],
                "{\n  \"debug\": true,\n  \"y\": 1.5\n}",
            ),
            ("{ \"debug\": \"a,b\", \"authorization-plugins\": null }", vec![], "{ \"debug\": \"a,b\" }"),
            ("{\"authorization-plugins\":[\"a\"]}", vec![], "{}"),
            ("{\"authorization-plugins\":[\"a\"]}", vec!["b"], "{\"authorization-plugins\":[\"b\"]}"),
        ] {
            assert_eq!(changed(text, &names), expected, "{text}");
        }
    }

    #[test]
    fn members_are_set_where_they_are_or_come_first() {
        for (text, keys, value, expected) in [
            (None, vec!["icc"], Value::from(false), "{\n  \"icc\": false\n}\n"),
            (Some("{ \"icc\" : true }"), vec!["icc"], Value::from(false), "{ \"icc\" : false }"),
            (Some("{\n\t\"a\": 1\n}"), vec!["icc"], Value::from(false), "{\n\t\"icc\": false,\n\t\"a\": 1\n}"),
            (
                Some("{\"log-opts\": {\n  \"tag\": \"{}\"\n}}"),
                vec!["log-opts", "max-size"],
                Value::from("10m"),
                "{\"log-opts\": {\n  \"max-size\": \"10m\",\n  \"tag\": \"{}\"\n}}",
            ),
            (
                Some("{}"),
                vec!["log-opts", "max-size"],
                Value::from("10m"),
                "{\n  \"log-opts\": { \"max-size\": \"10m\" }\n}",
            ),
        ] {
            assert_eq!(set(text, &keys, &value), expected, "{text:?}");
        }
        let file = DaemonJson::of("x".into(), Some("{\n  \"a\": 1,\n  \"icc\": true }".to_owned())).unwrap();
        assert_eq!((file.position("icc"), file.position("b")), (Some((3, 3)), None));
    }

    #[test]
    fn faults_say_where_they_are() {
        for (text, expected) in [
            ("{\n  \"debug\": true,\n}", "x:3:1: it is not JSON: trailing comma"),
            ("{\n  \"a\": 1, \"a\": 2\n}", "x:2:11: the key `a` is given twice"),
            ("[]", "x:1:1: it is no JSON object"),
            ("{ \"authorization-plugins\": [1] }", "x:1:3: `authorization-plugins` is no list of names"),
        ] {
            assert_eq!(DaemonJson::of("x".into(), Some(text.to_owned())).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_the_daemon_would_not_take_is_not_touched() {
        for text in [
            "{",
            "[]",
            "{\"debug\": true,}",
            "{\"a\":1,\"a\":2}",
            "{\"authorization-plugins\": \"a\"}",
            "{\"authorization-plugins\": [1]}",
            "// c\n{}",
        ] {
            assert!(DaemonJson::of("x".into(), Some(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_there_is_kept_and_can_be_put_back() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("daemon.json");
        let fresh = DaemonJson::read(&file).unwrap();
        fresh.write("{}").unwrap();
        assert!(!fresh.backup().exists());
        fresh.restore().unwrap();
        assert!(!file.exists());
        fs::write(&file, "{ }").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let found = DaemonJson::read(&file).unwrap();
        found.write(&found.with_plugins(&["a".to_owned()])).unwrap();
        assert_eq!(fs::read_to_string(found.backup()).unwrap(), "{ }");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        found.restore().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "{ }");
    }
}
