//! The configuration of docksec: docker commands that are switched off, by name.
//!
//! ```json
//! { "plugin": { "commands": [{ "cmd": "exec", "dmsg": "ask ops" }], "description": true, "socket": true } }
//! ```
//!
//! Its text comes in and rules go out; nothing is opened. What cannot be what it says (an unknown key, a command twice with
//! different answers) is a fault, for half a file of refusals is a hole.

use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::commands::{self, Command};
use super::diagnostics::{Place, Text};
use super::lower::{Rule, Words};
use super::principals::Whom;
use super::target::Effect;
use super::{Diagnostic, Diagnostics, NamedText, Node, Severity, nearest, terms};

/// The file as it was read.
#[derive(Debug)]
pub struct Docksec {
    /// Its commands, in order; each once.
    pub commands: Vec<Entry>,
    /// Whether who is refused is told more than that (`description`).
    pub describes: bool,
    /// Whether the daemon asks at a Unix socket.
    pub socket: bool,
    /// The port at which it asks, where it asks at no socket.
    pub port: Option<u16>,
    /// The editor that its handler was to open.
    pub editor: Option<String>,
    /// What may not mean what was meant.
    pub warnings: Vec<Diagnostic>,
}

/// One of its commands.
#[derive(Debug)]
pub struct Entry {
    /// The command, as it is written.
    pub written: String,
    /// The name that it is known by: `container ls` is `ps`.
    pub command: &'static str,
    /// Whether it is not denied after all.
    pub allow: bool,
    /// What the user is told (`dmsg`).
    pub message: Option<String>,
    /// What administrators are told (`amsg`, `admin-msg`).
    pub note: Option<String>,
    place: Place,
    known: &'static Command,
}

/// Reads the file. Every fault is told at once.
pub fn read(file: &NamedText) -> Result<Docksec, Diagnostics> {
    let text = Text::new(file);
    let tree = tree(file, &text)?;
    let mut reader = Reader { text: &text, faults: Diagnostics::default() };
    let read = reader.file(&tree);
    if reader.faults.has_errors() {
        // What a command would deny beside is no matter yet.
        reader.faults.0.retain(|fault| fault.severity == Severity::Error);
        return Err(reader.faults);
    }
    Ok(Docksec { warnings: reader.faults.0, ..read })
}

/// JSON, and nothing that only readers of YAML would take for it.
fn tree(file: &NamedText, text: &Text) -> Result<Spanned<Node>, Diagnostics> {
    let fault = |line, column, message| Diagnostics(vec![Diagnostic::at(file, line, column, message)]);
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text.as_str()) {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        return Err(fault(error.line().max(1), error.column().max(1), format!("this is no valid JSON: {message}")));
    }
    serde_saphyr::from_str::<Spanned<Node>>(text.as_str()).map_err(|error| {
        let message = error.without_snippet().to_string();
        let twice = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(", set ").next());
        let message = twice.map_or_else(|| message.clone(), |key| format!("key `{key}` is given twice"));
        let place = error.location().map_or_else(|| Place::whole(text), |location| Place::of(text, location));
        Diagnostics(vec![place.error(message)])
    })
}

struct Reader<'t> {
    text: &'t Text,
    faults: Diagnostics,
}

/// The entries of an object.
type Fields<'n> = Vec<(&'n Spanned<String>, &'n Spanned<Node>)>;

impl Reader<'_> {
    fn file(&mut self, tree: &Spanned<Node>) -> Docksec {
        let fields = self.fields(tree, "docksec's file", &["plugin", "plugins", "handler"]);
        let plugin = match (get(&fields, "plugin"), get(&fields, "plugins")) {
            (Some(_), Some(plugins)) => {
                let fault = self.place(plugins).error("`plugin` and `plugins` are two spellings of one key");
                self.faults.push(fault.help_with("leave one of them".to_owned()));
                None
            }
            (one, other) => one.or(other),
        };
        let editor = get(&fields, "handler").and_then(|handler| self.editor(handler));
        let Some(plugin) = plugin else {
            if !self.faults.has_errors() {
                self.faults.push(self.place(tree).error("docksec's file has no `plugin`"));
            }
            let commands = Vec::new();
            return Docksec { commands, describes: true, socket: false, port: None, editor, warnings: Vec::new() };
        };
        let fields = self.fields(plugin, "`plugin`", &["commands", "description", "socket", "port"]);
        Docksec {
            commands: get(&fields, "commands").map(|commands| self.commands(commands)).unwrap_or_default(),
            describes: self.flag(&fields, "description").unwrap_or(true),
            socket: self.flag(&fields, "socket").unwrap_or_default(),
            port: get(&fields, "port").and_then(|port| self.port(port)),
            editor,
            warnings: Vec::new(),
        }
    }

    fn commands(&mut self, node: &Spanned<Node>) -> Vec<Entry> {
        let Node::List(items) = &node.value else {
            let fault = self.place(node).error(format!("`commands` must be a list, not {}", node.value.kind()));
            self.faults.push(fault);
            return Vec::new();
        };
        let mut commands: Vec<Entry> = Vec::new();
        for entry in items {
            let Some(entry) = self.command(entry) else { continue };
            match commands.iter().find(|other| other.command == entry.command) {
                None => {
                    if !entry.allow {
                        self.faults.0.extend(terms::more_than_meant(entry.known, &entry.written, &entry.place));
                    }
                    commands.push(entry);
                }
                Some(first) if first.allow == entry.allow => {
                    let line = first.place.line();
                    self.faults.push(entry.place.warning(format!(
                        "`{}` is the same command as `{}` in line {line}, which is the one that counts",
                        entry.written, first.written
                    )));
                }
                Some(first) => {
                    let (line, is) = (first.place.line(), |allow| if allow { "allowed" } else { "denied" });
                    let fault = entry.place.error(format!(
                        "`{}` is {} here, and {} as `{}` in line {line}: it is the same command",
                        entry.written,
                        is(entry.allow),
                        is(first.allow),
                        first.written
                    ));
                    self.faults.push(fault.help_with("leave one of them".to_owned()));
                }
            }
        }
        commands
    }

    fn command(&mut self, node: &Spanned<Node>) -> Option<Entry> {
        let fields = self.fields(node, "a command", &["cmd", "allow", "dmsg", "amsg", "admin-msg"]);
        if let (Some(_), Some(other)) = (get(&fields, "amsg"), get(&fields, "admin-msg")) {
            let fault = self.place(other).error("`amsg` and `admin-msg` are two spellings of one key");
            self.faults.push(fault.help_with("leave one of them".to_owned()));
        }
        let allow = self.flag(&fields, "allow").unwrap_or_default();
        let message = self.said(&fields, "dmsg");
        let note = self.said(&fields, "amsg").or_else(|| self.said(&fields, "admin-msg"));
        let Some(cmd) = get(&fields, "cmd") else {
            if matches!(node.value, Node::Map(_)) {
                self.faults.push(self.place(node).error("a command needs `cmd`"));
            }
            return None;
        };
        let place = self.place(cmd);
        let written = self.said(&fields, "cmd")?;
        let Some(known) = commands::find(&written) else {
            let help = match nearest(&written, commands::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a docker command without options, such as `exec` or `container logs`".to_owned(),
            };
            self.faults.push(place.error(format!("there is no docker command `{written}`")).help_with(help));
            return None;
        };
        Some(Entry { command: known.name(), written, allow, message, note, place, known })
    }

    fn editor(&mut self, handler: &Spanned<Node>) -> Option<String> {
        let fields = self.fields(handler, "`handler`", &["editor"]);
        let editor = self.said(&fields, "editor")?;
        let fault = self.place(handler).warning("`handler.editor` is read and opens nothing");
        let help = "`dockwarden rules add --allow exec --for 30m` switches a command on for a while, `--deny` off";
        self.faults.push(fault.help_with(help.to_owned()));
        Some(editor)
    }

    fn port(&mut self, node: &Spanned<Node>) -> Option<u16> {
        let port = match node.value {
            Node::Number(number) => u16::try_from(number).ok().filter(|port| *port > 0),
            _ => None,
        };
        if port.is_none() {
            self.faults.push(self.place(node).error("`port` is a number from 1 to 65535"));
        }
        port
    }

    fn flag(&mut self, fields: &Fields<'_>, name: &str) -> Option<bool> {
        let node = get(fields, name)?;
        match node.value {
            Node::Bool(value) => Some(value),
            _ => {
                let fault = format!("`{name}` is true or false, not {}", node.value.kind());
                self.faults.push(self.place(node).error(fault));
                None
            }
        }
    }

    fn said(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        let node = get(fields, name)?;
        match &node.value {
            Node::Text(text) => Some(text.clone()),
            other => {
                self.faults.push(self.place(node).error(format!("`{name}` is a text, not {}", other.kind())));
                None
            }
        }
    }

    fn fields<'n>(&mut self, node: &'n Spanned<Node>, what: &str, known: &[&str]) -> Fields<'n> {
        let Node::Map(entries) = &node.value else {
            self.faults.push(self.place(node).error(format!("{what} must be an object, not {}", node.value.kind())));
            return Vec::new();
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            let help = match nearest(&key.value, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its keys are {}", known.join(", ")),
            };
            let fault = Place::of(self.text, key.referenced).error(format!("{what} has no key `{}`", key.value));
            self.faults.push(fault.help_with(help));
        }
        entries.iter().map(|(key, value)| (key, value)).collect()
    }

    fn place(&self, node: &Spanned<Node>) -> Place {
        Place::of(self.text, node.referenced)
    }
}

/// A value; `null` counts as none.
fn get<'n>(fields: &Fields<'n>, name: &str) -> Option<&'n Spanned<Node>> {
    let found = fields.iter().find(|(key, _)| key.value == name).map(|(_, value)| *value);
    found.filter(|value| !matches!(value.value, Node::Null))
}

impl Docksec {
    /// What it denies, to everyone.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        for entry in self.commands.iter().filter(|entry| !entry.allow) {
            let (line, column) = entry.at();
            // Files without line breaks have all in one line.
            let alone = rules.iter().all(|rule| rule.place.line() != line);
            let name = (!alone).then(|| format!("{}:{line}:{column}", entry.place.file()));
            let message = entry.message.clone().filter(|message| !message.is_empty());
            let switched_off = || format!("docker {} is switched off", entry.written);
            let words = Words {
                message: Some(message.unwrap_or_else(switched_off)),
                note: entry.note.clone().filter(|note| !note.is_empty()),
                quiet: !self.describes,
            };
            rules.push(Rule {
                name,
                effect: Effect::Forbid,
                targets: entry.known.targets(Effect::Forbid),
                to: vec![Whom::Everyone],
                except: Vec::new(),
                words,
                place: entry.place.clone(),
            });
        }
        rules
    }
}

impl Entry {
    /// Line and column of the command's name, both from 1.
    pub fn at(&self) -> (usize, usize) {
        (self.place.line(), self.place.column())
    }
}

#[cfg(test)]
mod tests;
