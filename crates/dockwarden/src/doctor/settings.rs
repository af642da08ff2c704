//! What a daemon is told: its configuration file, and the flags of its command line. A setting in both keeps it from starting,
//! so there is one place to look at, and to change.

use serde_json::Value;

use super::finding::Place;
use super::root::Root;
use super::units;
use crate::engine::daemon_json::DaemonJson;

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration file.
    pub file: DaemonJson,
    /// What its host calls it.
    pub name: String,
    flags: Vec<Flag>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its value; of flags, text.
    pub value: Value,
    /// Where it is written.
    pub place: Place,
    /// Whether the command line says it, and so the file must not.
    pub by_flag: bool,
}

#[derive(Debug, Clone)]
struct Flag {
    /// As the file would call it.
    key: String,
    value: String,
    place: Place,
}

impl Settings {
    /// The settings of that file and those words of a command line.
    pub fn new(root: &Root, file: DaemonJson, words: &[units::Value]) -> Settings {
        let name = root.name(file.path());
        Settings { file, name, flags: flags(words.get(1..).unwrap_or_default()) }
    }

    /// The values of a key, one by one where it has several.
    pub fn all(&self, key: &str) -> Vec<Setting> {
        let place = Place { file: self.name.clone(), line: self.file.position(key).map_or(0, |(line, _)| line) };
        let of_file = |value: &Value| Setting { value: value.clone(), place: place.clone(), by_flag: false };
        let by_file = match self.file.get(key) {
            Some(Value::Array(values)) => values.iter().map(of_file).collect(),
            value => value.map(of_file).into_iter().collect::<Vec<_>>(),
        };
        let by_flag = self.flags.iter().filter(|flag| flag.key == key).map(|flag| Setting {
            value: Value::from(flag.value.as_str()),
            place: flag.place.clone(),
            by_flag: true,
        });
        by_file.into_iter().chain(by_flag).collect()
    }

    /// The value of a key; of several the last.
    pub fn get(&self, key: &str) -> Option<Setting> {
        self.all(key).pop()
    }

    /// Whether a switch is on, where it is set at all.
    pub fn is_on(&self, key: &str) -> Option<bool> {
        self.get(key).map(|setting| setting.is_on())
    }

    /// Whether the file may say it.
    pub fn may_be_set(&self, key: &str) -> bool {
        !self.flags.iter().any(|flag| flag.key == key)
    }
}

impl Setting {
    /// Its value as a text.
    pub fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }

    /// A switch's value, as the daemon takes it.
    pub fn is_on(&self) -> bool {
        matches!(self.text().as_str(), "true" | "True" | "TRUE" | "t" | "T" | "1")
    }
}

/// The flags among the words after the program.
fn flags(words: &[units::Value]) -> Vec<Flag> {
    let mut found = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let text = word.text.as_str();
        let (name, value) = match (text.strip_prefix("--"), text.strip_prefix('-')) {
            (Some(long), _) => match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            },
            // Of the short ones only this matters; its value may touch it.
            (None, Some(short)) if short.starts_with('H') => {
                let value = short.trim_start_matches('H').trim_start_matches('=');
                ("host", Some(value).filter(|value| !value.is_empty()))
            }
            (None, _) => continue,
        };
        let is_switch = SWITCHES.contains(&name);
        let next = words.next_if(|next| value.is_none() && !is_switch && !next.text.starts_with('-'));
        let value = value.or(next.map(|next| next.text.as_str())).unwrap_or("true");
        found.push(Flag { key: key(name), value: value.to_owned(), place: word.place.clone() });
    }
    found
}

/// What the file calls a flag: those that may be given several times are lists there.
fn key(flag: &str) -> String {
    let is_list = matches!(flag, "host" | "authorization-plugin" | "log-opt");
    match flag {
        "insecure-registry" => "insecure-registries".to_owned(),
        flag if is_list => format!("{flag}s"),
        flag => flag.to_owned(),
    }
}

/// The flags that need no value.
const SWITCHES: &[&str] = &[
    "debug",
    "experimental",
    "icc",
    "init",
    "ip-forward",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "live-restore",
    "no-new-privileges",
    "raw-logs",
    "rootless",
    "selinux-enabled",
    "tls",
    "tlsverify",
    "userland-proxy",
    "validate",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests::Scratch;

    #[test]
    fn flags_are_read_as_the_daemon_reads_them() {
        let host = Scratch::new();
        let place = Place { file: "x".to_owned(), line: 7 };
        let line = "dockerd -H fd:// -Htcp://a:1 -H=tcp://b:2 --host tcp://c:3 --icc=false --live-restore --tlsverify \
                    --userns-remap default --log-opt max-size=1m --insecure-registry=r:5000 stray";
        let words: Vec<_> =
            line.split_whitespace().map(|text| units::Value { text: text.to_owned(), place: place.clone() }).collect();
        let file = DaemonJson::of("/etc/docker/daemon.json".into(), Some("{\n \"debug\": true\n}".to_owned())).unwrap();
        let settings = Settings::new(&host.root(), file, &words);
        let texts = |key: &str| settings.all(key).iter().map(Setting::text).collect::<Vec<_>>();
        assert_eq!(texts("hosts"), ["fd://", "tcp://a:1", "tcp://b:2", "tcp://c:3"]);
        assert_eq!(settings.is_on("icc"), Some(false));
        assert_eq!(settings.is_on("live-restore"), Some(true));
        assert_eq!(texts("userns-remap"), ["default"]);
        assert_eq!(texts("log-opts"), ["max-size=1m"]);
        assert_eq!(texts("insecure-registries"), ["r:5000"]);
        assert_eq!(settings.get("debug").map(|setting| setting.place.line), Some(2));
        assert!(settings.may_be_set("debug") && !settings.may_be_set("icc"));
        assert_eq!(settings.get("icc").map(|setting| setting.place), Some(place));
    }
}
