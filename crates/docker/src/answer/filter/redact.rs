//! Hides values within things: of environment variables, labels, mounts, command lines, configs.
//!
//! A value is looked for wherever it may stand, not only where it is known to stand: an environment variable is in
//! `Env`, in an `ENV` line of an image's history, before a command, in the list of processes. The name stays, and what
//! follows it to the end of its text goes: where in a command line a value ends is anybody's guess.

use std::borrow::Cow;

use super::pattern::Pattern;
use super::shape::Item;
use super::tree::Tree;
use crate::endpoint::Kind;

/// What stands in place of what is hidden.
pub const MARK: &str = "[redacted by dockwarden]";
/// The same where the API has Base64: the data of a config.
const MARK_AS_DATA: &str = "W3JlZGFjdGVkIGJ5IGRvY2t3YXJkZW5d";

/// What is hidden from somebody, as one rule says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redaction {
    /// The families that it is hidden in. None: in all.
    pub families: Vec<Family>,
    /// Names of environment variables, and of drivers' options.
    pub environment: Vec<Pattern>,
    /// Keys of labels.
    pub labels: Vec<Pattern>,
    /// Host paths.
    pub mounts: Vec<Pattern>,
    /// Names of configs whose data is hidden.
    pub configs: Vec<Pattern>,
    /// Command lines.
    pub commands: bool,
    /// Join tokens and the unlock key of a swarm.
    pub join_tokens: bool,
    /// User and password in URLs.
    pub credentials: bool,
}

/// All that is hidden from somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redactions(pub Vec<Redaction>);

/// A family of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the API")]
pub enum Family {
    Container,
    Image,
    Volume,
    Network,
    Service,
    Task,
    Node,
    Secret,
    Config,
    Plugin,
    Swarm,
    System,
    Event,
}

impl Family {
    /// Every family.
    pub const ALL: &[Family] = &[
        Family::Container,
        Family::Image,
        Family::Volume,
        Family::Network,
        Family::Service,
        Family::Task,
        Family::Node,
        Family::Secret,
        Family::Config,
        Family::Plugin,
        Family::Swarm,
        Family::System,
        Family::Event,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Family::Container => "container",
            Family::Image => "image",
            Family::Volume => "volume",
            Family::Network => "network",
            Family::Service => "service",
            Family::Task => "task",
            Family::Node => "node",
            Family::Secret => "secret",
            Family::Config => "config",
            Family::Plugin => "plugin",
            Family::Swarm => "swarm",
            Family::System => "system",
            Family::Event => "event",
        }
    }

    fn of(item: Item) -> Family {
        match item {
            Item::Container | Item::ContainerInspect | Item::Processes | Item::Exec => Family::Container,
            Item::Image | Item::ImageInspect | Item::Layer | Item::BuildCache => Family::Image,
            Item::Volume => Family::Volume,
            Item::Network => Family::Network,
            Item::Thing(Kind::Service) => Family::Service,
            Item::Thing(Kind::Task) => Family::Task,
            Item::Thing(Kind::Node) => Family::Node,
            Item::Thing(Kind::Secret) => Family::Secret,
            Item::Thing(Kind::Config) => Family::Config,
            Item::Thing(Kind::Plugin) => Family::Plugin,
            Item::Swarm => Family::Swarm,
            Item::Event => Family::Event,
            Item::Info | Item::Thing(_) => Family::System,
        }
    }
}

/// Whether a request holds what stands in place of something hidden: who reads a service and writes it back would
/// make it the value.
pub fn holds_mark(body: &[u8]) -> bool {
    let within = |mark: &str| body.windows(mark.len()).any(|window| window == mark.as_bytes());
    within(MARK) || within(MARK_AS_DATA)
}

impl Redactions {
    /// Whether there is anything to hide in such a thing.
    pub fn reach(&self, item: Item) -> bool {
        self.of(item).next().is_some()
    }

    /// Hides what is to be hidden, and tells how many values that were.
    pub fn hide(&self, item: Item, tree: &mut Tree) -> usize {
        let mut hidden = 0_usize;
        for redaction in self.of(item) {
            hidden = hidden.saturating_add(redaction.hide(item, tree));
        }
        hidden
    }

    fn of(&self, item: Item) -> impl Iterator<Item = &Redaction> {
        let family = Family::of(item);
        self.0.iter().filter(move |redaction| redaction.families.is_empty() || redaction.families.contains(&family))
    }
}

impl Redaction {
    fn hide(&self, item: Item, tree: &mut Tree) -> usize {
        let mut walk = Walk { redaction: self, item, hidden: 0 };
        walk.value(tree, Place::default());
        match item {
            Item::Processes => walk.processes(tree),
            Item::Thing(Kind::Config) => walk.config(tree),
            Item::Swarm if self.join_tokens => walk.swarm(tree),
            Item::Event if self.commands => walk.event(tree),
            _ => {}
        }
        walk.hidden
    }
}

/// Where in a thing a value stands.
#[derive(Clone, Copy, Default)]
struct Place {
    labels: bool,
    options: bool,
}

struct Walk<'a> {
    redaction: &'a Redaction,
    item: Item,
    hidden: usize,
}

impl Walk<'_> {
    fn value(&mut self, tree: &mut Tree, place: Place) {
        match tree {
            Tree::Text(text) => self.text(text, place),
            Tree::List(items) => items.iter_mut().for_each(|item| self.value(item, place)),
            Tree::Map(members) => {
                self.variable(members);
                for (key, value) in members {
                    self.member(key, value, place);
                }
            }
            Tree::Null | Tree::Flag(_) | Tree::Number(_) => {}
        }
    }

    fn member(&mut self, key: &str, value: &mut Tree, place: Place) {
        let named = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.names(key));
        if (place.labels && named(&self.redaction.labels))
            || (place.options && named(&self.redaction.environment))
            || (self.redaction.commands && COMMANDS.contains(&key))
        {
            return self.whole(value);
        }
        // No text: with a mark in it, clients could not read the answer.
        if BYTES.contains(&key) && matches!(value, Tree::Text(_)) {
            return;
        }
        let inner = Place {
            labels: LABELS.contains(&key) || (self.item == Item::Event && key == "Attributes"),
            options: OPTIONS.contains(&key) || (place.options && matches!(value, Tree::Map(_))),
        };
        self.value(value, inner);
    }

    /// A plugin's variables are objects: `{"Name": "TOKEN", "Value": "…"}`.
    fn variable(&mut self, members: &mut [(String, Tree)]) {
        let name = members.iter().find(|(key, _)| key == "Name").and_then(|(_, name)| name.text());
        let hidden = name.is_some_and(|name| self.redaction.environment.iter().any(|pattern| pattern.names(name)));
        if hidden && let Some((_, value)) = members.iter_mut().find(|(key, _)| key == "Value") {
            self.whole(value);
        }
    }

    fn text(&mut self, text: &mut String, place: Place) {
        let redaction = self.redaction;
        let mut shown = Cow::Borrowed(text.as_str());
        if !redaction.environment.is_empty() {
            shown = cut(&shown, &redaction.environment).map_or(shown, Cow::Owned);
        }
        if !redaction.labels.is_empty() && (place.labels || self.item == Item::Layer) {
            shown = cut(&shown, &redaction.labels).map_or(shown, Cow::Owned);
        }
        if !redaction.mounts.is_empty() {
            shown = without_paths(&shown, &redaction.mounts).map_or(shown, Cow::Owned);
        }
        if redaction.credentials {
            shown = without_credentials(&shown).map_or(shown, Cow::Owned);
        }
        if let Cow::Owned(shown) = shown
            && shown != *text
        {
            *text = shown;
            self.hidden = self.hidden.saturating_add(1);
        }
    }

    /// Hides a value and all that is in it.
    fn whole(&mut self, value: &mut Tree) {
        match value {
            Tree::Null => return,
            Tree::List(items) if items.is_empty() => return,
            Tree::Map(members) if members.is_empty() => return,
            // Clients expect a list where there was one.
            Tree::List(items) => *items = vec![Tree::Text(MARK.to_owned())],
            Tree::Map(members) => return members.iter_mut().for_each(|(_, value)| self.whole(value)),
            Tree::Flag(_) | Tree::Number(_) => return,
            Tree::Text(text) if text.is_empty() || text == MARK => return,
            Tree::Text(text) => MARK.clone_into(text),
        }
        self.hidden = self.hidden.saturating_add(1);
    }

    /// The rows of `ps`. It is told by the client what its columns hold and how they are called, so a row in which a
    /// value began is hidden to its end, and of command lines is shown only what can be none.
    fn processes(&mut self, tree: &mut Tree) {
        let Some(Tree::List(rows)) = tree.get_mut("Processes") else { return };
        for row in rows {
            let Tree::List(cells) = row else { continue };
            let mut began = false;
            for cell in cells {
                let Tree::Text(text) = cell else { continue };
                let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-' | b'%'));
                if began || (self.redaction.commands && !plain) {
                    self.whole(cell);
                } else {
                    began = text.ends_with(MARK);
                }
            }
        }
    }

    fn config(&mut self, tree: &mut Tree) {
        let name = tree.get("Spec").and_then(|spec| spec.get("Name")).and_then(Tree::text).unwrap_or_default();
        if !self.redaction.configs.iter().any(|pattern| pattern.names(name)) {
            return;
        }
        if let Some(data @ Tree::Text(_)) = tree.get_mut("Spec").and_then(|spec| spec.get_mut("Data")) {
            *data = Tree::Text(MARK_AS_DATA.to_owned());
            self.hidden = self.hidden.saturating_add(1);
        }
    }

    fn swarm(&mut self, tree: &mut Tree) {
        for key in ["JoinTokens", "UnlockKey"] {
            if let Some(value) = tree.get_mut(key) {
                self.whole(value);
            }
        }
    }

    /// `exec_create: sh -c …`
    fn event(&mut self, tree: &mut Tree) {
        for key in ["Action", "status"] {
            if let Some(Tree::Text(text)) = tree.get_mut(key)
                && let Some((action, _)) = text.split_once(": ").filter(|(action, _)| action.starts_with("exec_"))
            {
                *text = format!("{action}: {MARK}");
                self.hidden = self.hidden.saturating_add(1);
            }
        }
    }
}

/// The text up to the first value of a variable of these names: `NAME=`, by itself or after anything.
fn cut(text: &str, patterns: &[Pattern]) -> Option<String> {
    let named = |name: &str| patterns.iter().any(|pattern| pattern.names(name));
    let (whole_name, _) = text.split_once('=')?;
    let mut begin = 0_usize;
    let end = if named(whole_name) {
        whole_name.len()
    } else {
        loop {
            let at = begin.checked_add(text.get(begin..)?.find('=')?)?;
            let name = text.get(..at)?.rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
            if !name.is_empty() && named(name) {
                break at;
            }
            begin = at.checked_add(1)?;
        }
    };
    let (shown, value) = text.split_at_checked(end.checked_add(1)?)?;
    (!value.is_empty()).then(|| format!("{shown}{MARK}"))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The text without these paths, where it is one or has one among its parts: `/srv/x:/data:ro`.
fn without_paths(text: &str, patterns: &[Pattern]) -> Option<String> {
    if !text.contains('/') {
        return None;
    }
    let hidden = |part: &str| patterns.iter().any(|pattern| pattern.holds(part));
    let shown = |part: &str| if hidden(part) { MARK.to_owned() } else { part.to_owned() };
    let between = |parts: &str, mark: char| parts.split(mark).map(shown).collect::<Vec<_>>().join(&mark.to_string());
    Some(text.split('=').map(|part| between(part, ':')).collect::<Vec<_>>().join("="))
}

/// The text without user and password of URLs: `http://user:pass@proxy`.
fn without_credentials(text: &str) -> Option<String> {
    let (before, after) = text.split_once("://")?;
    let end = after.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(after.len());
    let (host, rest) = after.split_at_checked(end)?;
    let host = host.rsplit_once('@').map_or_else(|| host.to_owned(), |(_, host)| format!("{MARK}@{host}"));
    let rest = without_credentials(rest).unwrap_or_else(|| rest.to_owned());
    Some(format!("{before}://{host}{rest}"))
}

/// Members that hold bytes, in Base64.
const BYTES: &[&str] = &["Data", "CertIssuerSubject", "CertIssuerPublicKey"];
/// Members that hold labels.
const LABELS: &[&str] = &["Labels", "Annotations", "annotations"];
/// Members that hold options of drivers, some of which are passwords.
const OPTIONS: &[&str] = &["Options", "Opts", "DriverOpts", "LogConfig", "LogDriver"];
/// Members that hold command lines.
const COMMANDS: &[&str] = &[
    "Cmd",
    "Command",
    "Entrypoint",
    "Args",
    "Path",
    "Test",
    "Shell",
    "OnBuild",
    "CreatedBy",
    "entrypoint",
    "arguments",
];
