//! Everything that is looked at: a host's files, and what its daemon says. After this nothing is asked of anybody.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use policy::Diagnostics;
use serde_json::Value;

use super::accounts::Accounts;
use super::finding::Place;
use super::ranges::{Kind, Ranges};
use super::root::Root;
use super::settings::Settings;
use super::units;
use crate::engine::daemon::{Asks, Daemon};
use crate::engine::daemon_json::DaemonJson;
use crate::engine::process::Process;
use crate::engine::{door, is_own, tagged};

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder that is the host's `/`.
    pub root: PathBuf,
    /// The daemon's own socket, instead of the usual one.
    pub docker: Option<PathBuf>,
    /// The file of the daemon's process id, instead of the usual one.
    pub pidfile: Option<PathBuf>,
}

/// A host as it was found.
#[derive(Debug)]
pub struct Host {
    /// Its files.
    pub root: Root,
    /// What its daemon is told.
    pub settings: Settings,
    /// Its users and groups.
    pub accounts: Accounts,
    /// The subordinate ids of its users.
    pub subuid: Ranges,
    /// The subordinate ids of its groups.
    pub subgid: Ranges,
    /// Where its daemon listens.
    pub listens: Vec<Listens>,
    /// What its daemon says; or why it says nothing.
    pub daemon: Result<Running, String>,
    /// Whether the daemon asks Dockwarden, where it is told to.
    pub asks: Option<Asks>,
    /// The authorization plugins that the daemon is told to ask, and whether they answer.
    pub plugins: Vec<Plugin>,
    /// The daemon's process, where it could be found.
    pub process: Option<Process>,
}

/// A place where a daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listens {
    /// The address, as the daemon is told it.
    pub address: String,
    /// Where it is told, where it is told at all.
    pub place: Option<Place>,
    /// Whether the command line says it, and so the file must not.
    pub by_flag: bool,
}

/// A daemon's answers.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// Its version.
    pub version: String,
    /// `docker info`.
    pub info: Value,
    /// All containers, as lists show them.
    pub containers: Vec<Value>,
    /// The managed plugins.
    pub plugins: Vec<Value>,
    /// The default bridge network.
    pub bridge: Value,
    /// What it did not say, and why.
    pub unsaid: Vec<String>,
}

/// An authorization plugin that the daemon is told to ask.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Its name in the daemon's list.
    pub name: String,
    /// Where that is written.
    pub place: Place,
    /// Whether it answers.
    pub answer: Answer,
}

/// Whether a plugin answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not, because.
    No(String),
    /// That cannot be seen from here, because.
    Unknown(String),
}

impl Host {
    /// Looks. A file that cannot be understood is a fault: what else was found would be guessed.
    pub fn look(places: &Places) -> Result<Host, Diagnostics> {
        let sentence = |words: String| Diagnostics::sentence(&words);
        let root = Root::at(&places.root).map_err(sentence)?;
        let mut faults = Vec::new();
        let mut or_fault = |fault: Diagnostics| faults.extend(fault.0);
        let usual = root.path("/etc/docker/daemon.json").map_err(sentence)?;
        let first = DaemonJson::read(&usual);
        let pidfile = places.pidfile.clone().or_else(|| {
            let usual = || first.as_ref().map_or("/var/run/docker.pid".into(), DaemonJson::pidfile);
            root.is_this_host().then(usual)
        });
        let process = pidfile.and_then(|file| Process::find(&file).ok().flatten());
        let words = words(&root, process);
        let file = match configured(&root, &words) {
            Some(file) => DaemonJson::read(&file),
            None => first,
        };
        let file = file.map_err(&mut or_fault).ok();
        let mut ranges = |kind: Kind| {
            let read = root.read(kind.file()).and_then(|text| Ranges::of(kind, text));
            read.map_err(&mut or_fault).ok()
        };
        let (subuid, subgid) = (ranges(Kind::User), ranges(Kind::Group));
        let (Some(file), Some(subuid), Some(subgid)) = (file, subuid, subgid) else { return Err(Diagnostics(faults)) };
        let settings = Settings::new(&root, file, &words);
        let listens = listens(&root, &settings, places.docker.as_ref());
        let socket = places.docker.clone().or_else(|| first_socket(&root, &listens));
        let accounts = Accounts::read(&root);
        let host = Host { accounts, subuid, subgid, listens, process, settings, root, ..Host::silent() };
        Ok(host.asked(socket))
    }

    /// The same, with what the daemon says.
    pub(super) fn asked(mut self, socket: Option<PathBuf>) -> Host {
        let daemon = socket.map(|socket| Daemon::new(&socket));
        if let Some(daemon) = &daemon {
            self.daemon = Running::ask(daemon);
        }
        for setting in self.settings.all("authorization-plugins") {
            let name = setting.text();
            let answer = self.answer(&name);
            if let (true, None, Some(daemon)) = (is_own(&name), &self.asks, &daemon) {
                self.asks = Some(daemon.asks(&name, PATIENCE));
            }
            self.plugins.push(Plugin { name, place: setting.place, answer });
        }
        self
    }

    /// Whether a plugin answers, by the ways in which the daemon looks for it.
    fn answer(&self, name: &str) -> Answer {
        let managed = self.daemon.iter().flat_map(|daemon| &daemon.plugins);
        let named = |plugin: &&Value| text(plugin, "/Name") == tagged(name);
        if let Some(plugin) = managed.into_iter().find(named) {
            let enabled = plugin.get("Enabled").and_then(Value::as_bool).unwrap_or_default();
            return if enabled { Answer::Yes } else { Answer::No("it is disabled".to_owned()) };
        }
        let Ok(folder) = self.root.path(PLUGINS) else { return Answer::No(format!("there is no {PLUGINS}")) };
        if let Some(socket) = door::of_service(&folder, name).or_else(|| self.named_by_spec(name)) {
            let silent = || Answer::No(format!("nothing answers at {}", self.root.name(&socket)));
            return if door::activates(&socket) { Answer::Yes } else { silent() };
        }
        if self.spec(name).is_some() {
            return Answer::Unknown("it is asked over a network".to_owned());
        }
        if tagged(name) == name && self.daemon.is_err() {
            let found = is_own(name) && door::of_managed(&folder).is_some();
            return if found { Answer::Yes } else { Answer::Unknown("only the daemon knows of it".to_owned()) };
        }
        Answer::No(format!("there is no socket of it in {PLUGINS}, and no managed plugin of that name"))
    }

    /// The socket that a file names as a plugin's.
    fn named_by_spec(&self, name: &str) -> Option<PathBuf> {
        let path = self.spec(name)?.trim().strip_prefix("unix://")?.to_owned();
        self.root.path(&path).ok()
    }

    /// What is written of a plugin where sockets are elsewhere.
    fn spec(&self, name: &str) -> Option<String> {
        let files = ["/etc/docker/plugins", "/usr/lib/docker/plugins"].iter().flat_map(|folder| {
            ["spec", "json"].map(|kind| [format!("{folder}/{name}.{kind}"), format!("{folder}/{name}/{name}.{kind}")])
        });
        files.flatten().find_map(|file| self.root.text(&file))
    }

    /// What the daemon says of itself, where it answers.
    pub fn info(&self, path: &str) -> Option<&Value> {
        self.daemon.as_ref().ok()?.info.pointer(path).filter(|value| !value.is_null())
    }

    /// Whether one of the daemon's security options is in force; `None` where it does not say.
    pub fn has_option(&self, name: &str) -> Option<bool> {
        let options = self.info("/SecurityOptions")?.as_array()?;
        let wanted = format!("name={name}");
        Some(options.iter().filter_map(Value::as_str).any(|option| option.split(',').any(|part| part == wanted)))
    }

    /// Whether Dockwarden judges what comes by the daemon's own sockets.
    pub fn is_guarded(&self) -> bool {
        self.asks == Some(Asks::Us)
    }

    /// The daemon's own sockets: what its host calls them.
    pub fn sockets(&self) -> impl Iterator<Item = &str> {
        self.listens.iter().filter_map(|listens| listens.address.strip_prefix("unix://"))
    }

    fn silent() -> Host {
        let ranges = |kind| Ranges { kind, entries: Vec::new(), text: None };
        let root = Root::default();
        let file = DaemonJson::default();
        Host {
            settings: Settings::new(&root, file, &[]),
            root,
            accounts: Accounts::default(),
            subuid: ranges(Kind::User),
            subgid: ranges(Kind::Group),
            listens: Vec::new(),
            daemon: Err("there is no socket of a daemon".to_owned()),
            asks: None,
            plugins: Vec::new(),
            process: None,
        }
    }
}

impl Running {
    fn ask(daemon: &Daemon) -> Result<Running, String> {
        let version = text(&daemon.look("/version")?, "/Version").to_owned();
        let mut unsaid = Vec::new();
        let mut look = |target: &str| {
            let found = daemon.look(target);
            found.map_err(|error| unsaid.push(format!("{target}: {error}"))).unwrap_or_default()
        };
        let list = |value: Value| if let Value::Array(list) = value { list } else { Vec::new() };
        let info = look("/info");
        let (containers, plugins) = (list(look("/containers/json?all=1")), list(look("/plugins")));
        // A daemon may well have no such network.
        let bridge = daemon.look("/networks/bridge").unwrap_or_default();
        Ok(Running { version, info, containers, plugins, bridge, unsaid })
    }
}

/// A text within an answer; empty where there is none.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// The words of the daemon's command line: those of its process, else those of its service.
fn words(root: &Root, process: Option<Process>) -> Vec<units::Value> {
    match process {
        Some(process) => {
            let place = Place { file: format!("the command line of dockerd ({})", process.id()), line: 0 };
            process.words().into_iter().map(|text| units::Value { text, place: place.clone() }).collect()
        }
        None => units::command(root, "docker.service"),
    }
}

/// The configuration file that a command line names.
fn configured(root: &Root, words: &[units::Value]) -> Option<PathBuf> {
    let mut words = words.iter().map(|word| word.text.as_str());
    let after = words.find_map(|word| word.strip_prefix("--config-file"))?;
    let file = after.strip_prefix('=').or_else(|| words.next())?;
    root.path(file).ok()
}

/// Where a daemon with these settings listens.
fn listens(root: &Root, settings: &Settings, docker: Option<&PathBuf>) -> Vec<Listens> {
    let mut found = Vec::new();
    for setting in settings.all("hosts") {
        let address = setting.text();
        if address.starts_with("fd://") {
            found.extend(activated(root));
        } else {
            found.push(Listens { address, place: Some(setting.place), by_flag: setting.by_flag });
        }
    }
    if found.is_empty() {
        found.push(Listens { address: "unix:///var/run/docker.sock".to_owned(), place: None, by_flag: false });
    }
    if let Some(docker) = docker {
        let address = format!("unix://{}", root.name(docker));
        found.push(Listens { address, place: None, by_flag: false });
    }
    // Two ways to say the same socket are one socket.
    let real = |listens: &Listens| {
        let path = listens.address.strip_prefix("unix://").and_then(|path| root.path(path).ok());
        path.and_then(|path| path.canonicalize().ok()).map(|path| path.metadata().map(|found| found.ino()).ok())
    };
    let mut seen = Vec::new();
    found.retain(|listens| match real(listens) {
        Some(file) if seen.contains(&file) => false,
        Some(file) => {
            seen.push(file);
            true
        }
        None => true,
    });
    found
}

/// Where systemd listens for it.
fn activated(root: &Root) -> Vec<Listens> {
    let values = units::values(root, "docker.socket", "ListenStream");
    let address = |text: String| match text.as_str() {
        path if path.starts_with('/') => format!("unix://{path}"),
        port if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("tcp://0.0.0.0:{port}"),
        address => format!("tcp://{address}"),
    };
    values
        .into_iter()
        .map(|value| Listens { address: address(value.text), place: Some(value.place), by_flag: true })
        .collect()
}

/// The first of these sockets that is there.
fn first_socket(root: &Root, listens: &[Listens]) -> Option<PathBuf> {
    let paths = listens.iter().filter_map(|listens| listens.address.strip_prefix("unix://"));
    let mut paths = paths.filter_map(|path| root.path(path).ok());
    paths.find(|path| path.exists())
}

/// Where the daemon looks for sockets of plugins.
const PLUGINS: &str = "/run/docker/plugins";
/// More than the daemon takes to give up a plugin that is not there.
const PATIENCE: Duration = Duration::from_secs(20);
