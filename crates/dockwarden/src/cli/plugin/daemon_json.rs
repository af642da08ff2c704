//! The daemon's configuration file: its list of authorization plugins is changed, and everything else in it stays as
//! somebody wrote it, to the last blank.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file as it was found.
#[derive(Debug, Clone)]
pub struct DaemonJson {
    /// Where it is, links followed.
    path: PathBuf,
    /// Its text; `None` where there is no file.
    text: Option<String>,
    plugins: Vec<String>,
    pidfile: Option<PathBuf>,
}

impl DaemonJson {
    /// Reads it. One that the daemon would not take is not touched.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Self::of(path, text)
    }

    fn of(path: PathBuf, text: Option<String>) -> Result<Self, String> {
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let written = text.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or("{}");
        let value: Value = serde_json::from_str(written).map_err(|error| wrong(&error.to_string()))?;
        let object = value.as_object().ok_or_else(|| wrong("it is no JSON object"))?;
        let members = members(written);
        if members.len() != object.len() {
            return Err(wrong("a key is given twice"));
        }
        let plugins = match object.get(KEY) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(names)) => {
                let names: Option<Vec<_>> = names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                names.ok_or_else(|| wrong("`authorization-plugins` is no list of names"))?
            }
            Some(_) => return Err(wrong("`authorization-plugins` is no list")),
        };
        let pidfile = object.get("pidfile").and_then(Value::as_str).map(PathBuf::from);
        Ok(DaemonJson { path, text, plugins, pidfile })
    }

    /// The authorization plugins, in the order in which they are asked.
    pub fn plugins(&self) -> &[String] {
        &self.plugins
    }

    /// The file of the daemon's process id.
    pub fn pidfile(&self) -> PathBuf {
        self.pidfile.clone().unwrap_or_else(|| PathBuf::from("/var/run/docker.pid"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is kept as it was.
    pub fn backup(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".before-dockwarden");
        PathBuf::from(name)
    }

    /// The text with this list of plugins.
    pub fn with_plugins(&self, names: &[String]) -> String {
        let text = self.text.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or("{}\n");
        let members = members(text);
        let at = members.iter().position(|member| member.key == KEY);
        let member = at.and_then(|at| members.get(at));
        let list = format!(
            "[{}]",
            names.iter().map(|name| Value::from(name.as_str()).to_string()).collect::<Vec<_>>().join(", ")
        );
        match (member, names.is_empty()) {
            (Some(member), false) => replaced(text, member.value.clone(), &list),
            (Some(member), true) => {
                let before = at.and_then(|at| members.get(at.checked_sub(1)?));
                let after = at.and_then(|at| members.get(at.checked_add(1)?));
                let range = match (before, after) {
                    (_, Some(next)) => member.start..next.start,
                    (Some(last), None) => last.value.end..member.value.end,
                    (None, None) => member.start..member.value.end,
                };
                replaced(text, range, "")
            }
            (None, true) => text.to_owned(),
            (None, false) => {
                let open = text.find('{').map_or(0, |open| open.saturating_add(1));
                match members.first() {
                    // Before the others, indented as they are.
                    Some(first) => {
                        let indent = text.get(open..first.start).unwrap_or_default();
                        replaced(text, open..open, &format!("{indent}\"{KEY}\": {list},"))
                    }
                    None => replaced(text, open..open, &format!("\n  \"{KEY}\": {list}\n")),
                }
            }
        }
    }

    /// Puts another text in its place, whole or not at all; what was there is kept beside it.
    pub fn write(&self, text: &str) -> Result<(), String> {
        if let Some(old) = &self.text {
            self.put(&self.backup(), old)?;
        } else if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        self.put(&self.path, text)
    }

    /// Puts back what was found.
    pub fn restore(&self) -> Result<(), String> {
        match &self.text {
            Some(text) => self.put(&self.path, text),
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", self.path.display())),
                _ => Ok(()),
            },
        }
    }

    fn put(&self, path: &Path, text: &str) -> Result<(), String> {
        let new = {
            let mut name = path.to_owned().into_os_string();
            name.push(format!(".{}", std::process::id()));
            PathBuf::from(name)
        };
        let written = self.made(&new, text).and_then(|()| fs::rename(&new, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&new);
            format!("{}: {error}", path.display())
        })
    }

    /// A new file of the same owner and mode, on the disk.
    fn made(&self, new: &Path, text: &str) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(new)?;
        file.write_all(text.as_bytes())?;
        match fs::metadata(&self.path) {
            Ok(found) => {
                use std::os::unix::fs::MetadataExt;
                chown(new, Some(found.uid()), Some(found.gid()))?;
                file.set_permissions(found.permissions())?;
            }
            Err(_) => file.set_permissions(fs::Permissions::from_mode(0o644))?,
        }
        file.sync_all()
    }
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

const KEY: &str = "authorization-plugins";

#[cfg(test)]
mod tests {
    use super::*;

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
