//! From YAML to what is written in it. A value that is at fault reads as absent; a key without a value is one.

use serde_saphyr::Spanned;

use super::super::diagnostics::{Diagnostics, Place, Text};
use super::super::{NamedText, Node, nearest};
use super::{ANCHORE, General, NOTARY, Restrictions, SecDocker};

/// A file on its way, and the faults found so far.
pub(super) struct Reader<'t> {
    text: &'t Text,
    pub faults: Diagnostics,
}

/// The entries of a mapping, all of known names.
#[derive(Default)]
struct Fields<'y>(Vec<(&'y str, &'y Spanned<Node>)>);

impl<'t> Reader<'t> {
    pub fn new(text: &'t Text) -> Reader<'t> {
        Reader { text, faults: Diagnostics::default() }
    }

    pub fn file(&mut self, tree: &Spanned<Node>, file: &NamedText) -> SecDocker {
        let fields =
            self.fields(tree, "SecDocker's configuration", &["plugins", "dockerapi", "restrictions", "general"]);
        let mut section = |name, what, known| fields.get(name).map(|node| self.fields(node, what, known));
        let restrictions = section("restrictions", "`restrictions`", RESTRICTIONS).unwrap_or_default();
        let general = section("general", "`general`", GENERAL).unwrap_or_default();
        SecDocker {
            file: file.clone(),
            plugins: self.plugins(&fields),
            docker_api: self.word(&fields, "dockerapi"),
            restrictions: Restrictions {
                ports: self.words(&restrictions, "ports"),
                mounts: self.words(&restrictions, "mounts"),
                users: self.words(&restrictions, "users"),
                environment: self.words(&restrictions, "environment"),
                security_policies: self.words(&restrictions, "securitypolicies"),
                images: self.words(&restrictions, "images"),
                privileged: self.flag(&restrictions, "privileged"),
            },
            general: General {
                memory: self.word(&general, "memory"),
                cpu: self.word(&general, "cpu"),
                user: self.word(&general, "user"),
                environment: self.words(&general, "environment"),
                security_options: self.words(&general, "secopts"),
                dropped: self.words(&general, "capdrop"),
                added: self.words(&general, "capadd"),
            },
            leads_to: Default::default(),
        }
    }

    fn plugins(&mut self, fields: &Fields<'_>) -> Vec<Spanned<String>> {
        let plugins = self.words(fields, "plugins");
        for plugin in &plugins {
            if ![ANCHORE, NOTARY].contains(&plugin.value.to_ascii_lowercase().as_str()) {
                let near = nearest(&plugin.value, ["Anchore", "Notary"]).map(|near| format!("did you mean `{near}`?"));
                let help = near.unwrap_or_else(|| {
                    "SecDocker's own are Anchore and Notary; another is a check of the configuration, `command` or `http`"
                        .to_owned()
                });
                let fault = self.place(plugin).error(format!("nobody knows a plugin `{}`", plugin.value));
                self.faults.push(fault.help_with(help));
            }
        }
        plugins
    }

    fn fields<'y>(&mut self, of: &'y Spanned<Node>, what: &str, known: &[&str]) -> Fields<'y> {
        let listed = || known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let entries = match &of.value {
            Node::Map(entries) => entries,
            Node::Null => return Fields::default(),
            other => {
                let fault = self.place(of).error(format!("{what} must be a mapping, not {}", other.kind()));
                self.faults.push(fault.help_with(format!("its keys are {}", listed())));
                return Fields::default();
            }
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            let near = nearest(&key.value, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let fault = self.place(key).error(format!("{what} has no key `{}`", key.value));
            self.faults.push(fault.help_with(near.unwrap_or_else(|| format!("known are {}", listed()))));
        }
        let said = entries.iter().filter(|(_, value)| !matches!(value.value, Node::Null));
        Fields(said.map(|(key, value)| (key.value.as_str(), value)).collect())
    }

    fn words(&mut self, fields: &Fields<'_>, name: &str) -> Vec<Spanned<String>> {
        match fields.get(name).map(|node| (node, &node.value)) {
            None => Vec::new(),
            Some((_, Node::List(items))) => items.iter().filter_map(|item| self.one(item, name)).collect(),
            Some((node, other)) => {
                let fault = self.place(node).error(format!("`{name}` must be a list, not {}", other.kind()));
                self.faults.push(fault.help_with("begin each of its lines with `- `".to_owned()));
                Vec::new()
            }
        }
    }

    fn word(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<String>> {
        fields.get(name).and_then(|node| self.one(node, name))
    }

    fn one(&mut self, node: &Spanned<Node>, name: &str) -> Option<Spanned<String>> {
        match node.value.word() {
            Some(word) if !word.is_empty() => Some(Spanned::new(word, node.referenced, node.defined)),
            Some(_) => self.refuse(node, format!("`{name}` holds an empty text")),
            None => self.refuse(node, format!("`{name}` holds {}, where a text is expected", node.value.kind())),
        }
    }

    fn flag(&mut self, fields: &Fields<'_>, name: &str) -> Option<Spanned<bool>> {
        let node = fields.get(name)?;
        match node.value {
            Node::Bool(flag) => Some(Spanned::new(flag, node.referenced, node.defined)),
            ref other => self.refuse(node, format!("`{name}` is true or false, not {}", other.kind())),
        }
    }

    fn refuse<T>(&mut self, node: &Spanned<Node>, message: String) -> Option<T> {
        let fault = self.place(node).error(message);
        self.faults.push(fault);
        None
    }

    fn place<T>(&self, node: &Spanned<T>) -> Place {
        Place::of(self.text, node.referenced)
    }
}

impl<'y> Fields<'y> {
    fn get(&self, name: &str) -> Option<&'y Spanned<Node>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }
}

const RESTRICTIONS: &[&str] = &["ports", "mounts", "users", "environment", "securitypolicies", "images", "privileged"];
const GENERAL: &[&str] = &["memory", "cpu", "user", "environment", "secopts", "capdrop", "capadd"];
