//! The section `redact:` of the configuration: what is hidden within answers, and from whom.

use docker::answer::filter::{Family, Pattern, PatternError, Redaction, Redactions};
use serde_saphyr::Spanned;

use super::diagnostics::{Diagnostics, Place, Text};
use super::principals::{self, Whom};
use super::{Known, Node, nearest};

const KEYS: &[&str] = &[
    "environment",
    "labels",
    "mounts",
    "configs",
    "commands",
    "join_tokens",
    "credentials",
    "in",
    "to",
    "except",
    "own",
];

/// All that is hidden.
#[derive(Debug, Default)]
pub(crate) struct Redact(Vec<Rule>);

/// One item of the section.
#[derive(Debug)]
struct Rule {
    redaction: Redaction,
    to: Vec<Whom>,
    except: Vec<Whom>,
    /// Whether the owner of a thing is shown its values.
    own_visible: bool,
}

impl Redact {
    /// What is hidden from that subject, in what is their `own` or in all else.
    pub fn of(&self, user: &str, groups: &[&str], own: bool) -> Redactions {
        let among = |names: &[Whom]| names.iter().any(|whom| whom.is(user, groups));
        let theirs = self.0.iter().filter(|rule| among(&rule.to) && !among(&rule.except) && !(own && rule.own_visible));
        Redactions(theirs.map(|rule| rule.redaction.clone()).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the section. Each fault is told.
pub(super) fn read(section: &Spanned<Node>, text: &Text, known: &Known<'_>, faults: &mut Diagnostics) -> Redact {
    let items = match &section.value {
        Node::List(items) => items.as_slice(),
        Node::Null => &[],
        other => {
            let fault = Place::of(text, section.referenced)
                .error(format!("`redact` must be a list, not {}", other.kind()))
                .help_with("write it like `- environment: [\"*PASSWORD*\"]`".to_owned());
            faults.push(fault);
            &[]
        }
    };
    Redact(items.iter().filter_map(|item| rule(item, text, known, faults)).collect())
}

fn rule(item: &Spanned<Node>, text: &Text, known: &Known<'_>, faults: &mut Diagnostics) -> Option<Rule> {
    let place = Place::of(text, item.referenced);
    let Node::Map(entries) = &item.value else {
        let fault = place.error(format!("expected what is to be hidden, not {}", item.value.kind()));
        faults.push(fault.help_with("write it like `- environment: [\"*PASSWORD*\"]`".to_owned()));
        return None;
    };
    let before = faults.0.len();
    let mut redaction = Redaction::default();
    let (mut to, mut except, mut own_visible) = (None, Vec::new(), true);
    for (key, value) in entries {
        let mut section = Section { key: &key.value, text, faults: &mut *faults };
        match key.value.as_str() {
            "environment" => redaction.environment = section.patterns(value, Pattern::of_names),
            "labels" => redaction.labels = section.patterns(value, Pattern::of_names),
            "mounts" => redaction.mounts = section.patterns(value, Pattern::of_paths),
            "configs" if matches!(value.value, Node::Bool(false)) => {}
            "configs" if matches!(value.value, Node::Bool(true)) => {
                redaction.configs = Pattern::of_names("*").into_iter().collect();
            }
            "configs" => redaction.configs = section.patterns(value, Pattern::of_names),
            "commands" => redaction.commands = section.flag(value),
            "join_tokens" => redaction.join_tokens = section.flag(value),
            "credentials" => redaction.credentials = section.flag(value),
            "in" => redaction.families = section.families(value),
            "own" => own_visible = section.own(value),
            "to" => to = Some(principals::read(value, text, known, faults)),
            "except" => except = principals::read(value, text, known, faults),
            unknown => {
                let help = match nearest(unknown, KEYS.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", KEYS.join(", ")),
                };
                let fault = Place::of(text, key.referenced).error(format!("nothing is hidden by `{unknown}`"));
                faults.push(fault.help_with(help));
            }
        }
    }
    let nothing = Redaction { families: redaction.families.clone(), ..Redaction::default() } == redaction;
    if nothing && faults.0.len() == before {
        faults.push(
            place.error("this hides nothing").help_with("say what: `environment`, `labels`, `mounts`, …".to_owned()),
        );
    }
    if to.as_ref().is_some_and(Vec::is_empty) && faults.0.len() == before {
        faults.push(place.error("this is hidden from nobody"));
    }
    let to = to.unwrap_or_else(|| vec![Whom::Everyone]);
    (faults.0.len() == before).then_some(Rule { redaction, to, except, own_visible })
}

/// One entry, for reading its value.
struct Section<'a> {
    key: &'a str,
    text: &'a Text,
    faults: &'a mut Diagnostics,
}

impl Section<'_> {
    /// Words: one or a list.
    fn words(&mut self, value: &Spanned<Node>) -> Vec<(String, Place)> {
        match &value.value {
            Node::List(items) => items.iter().flat_map(|item| self.words(item)).collect(),
            Node::Text(_) | Node::Number(_) => {
                value.value.word().map(|word| (word, Place::of(self.text, value.referenced))).into_iter().collect()
            }
            other => {
                let what = format!("`{}` is a pattern or a list of them, not {}", self.key, other.kind());
                self.faults.push(Place::of(self.text, value.referenced).error(what));
                Vec::new()
            }
        }
    }

    fn patterns(&mut self, value: &Spanned<Node>, read: fn(&str) -> Result<Pattern, PatternError>) -> Vec<Pattern> {
        let words = self.words(value);
        let mut pattern = |(word, place): (String, Place)| {
            read(&word).map_err(|error| self.faults.push(place.error(format!("`{word}` cannot be used: {error}")))).ok()
        };
        words.into_iter().filter_map(&mut pattern).collect()
    }

    fn families(&mut self, value: &Spanned<Node>) -> Vec<Family> {
        let words = self.words(value);
        let names = || Family::ALL.iter().map(|family| family.name());
        let mut family = |(word, place): (String, Place)| {
            let found = Family::ALL.iter().find(|family| family.name() == word).copied();
            if found.is_none() {
                let help = match nearest(&word, names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", names().collect::<Vec<_>>().join(", ")),
                };
                self.faults.push(place.error(format!("there is no family `{word}`")).help_with(help));
            }
            found
        };
        words.into_iter().filter_map(&mut family).collect()
    }

    /// Whether owners are shown their own.
    fn own(&mut self, value: &Spanned<Node>) -> bool {
        match value.value.word().as_deref() {
            Some("visible") => true,
            Some("hidden") => false,
            _ => {
                let fault = Place::of(self.text, value.referenced).error("`own` is `visible` or `hidden`");
                self.faults.push(fault);
                false
            }
        }
    }

    fn flag(&mut self, value: &Spanned<Node>) -> bool {
        match value.value {
            Node::Bool(flag) => flag,
            _ => {
                let what = format!("`{}` is true or false, not {}", self.key, value.value.kind());
                self.faults.push(Place::of(self.text, value.referenced).error(what));
                false
            }
        }
    }
}
