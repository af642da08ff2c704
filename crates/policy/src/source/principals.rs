//! Whom a rule is about: `to` and `except`.

use serde_saphyr::Spanned;

use super::cedar::quote;
use super::diagnostics::{Diagnostics, Place, Text};
use super::{Known, Node};

/// The names that Dockwarden itself gives to subjects without a user of the host.
const OWN_NAMES: &[&str] = &["uid:", "container:", "address:", "socket:"];

/// One principal, or everyone.
#[derive(Debug, Clone)]
pub(crate) enum Whom {
    Everyone,
    Group(String),
    User(String),
}

impl Whom {
    /// Whether that subject is meant.
    pub fn is(&self, user: &str, groups: &[&str]) -> bool {
        match self {
            Whom::Everyone => true,
            Whom::Group(name) => groups.contains(&name.as_str()),
            Whom::User(name) => name == user,
        }
    }

    /// As it is written so that nobody can take it for another kind of name.
    pub fn name(&self) -> String {
        match self {
            Whom::Everyone => "everyone".to_owned(),
            Whom::Group(name) => format!("group:{name}"),
            Whom::User(name) => format!("user:{name}"),
        }
    }

    /// The principal of a scope.
    pub fn scope(&self) -> String {
        match self {
            Whom::Everyone => "principal".to_owned(),
            Whom::Group(name) => format!("principal in Group::{}", quote(name)),
            Whom::User(name) => format!("principal == User::{}", quote(name)),
        }
    }
}

/// Reads a name or a list of names. What is unknown is told and left out.
pub(crate) fn read(node: &Spanned<Node>, text: &Text, known: &Known<'_>, faults: &mut Diagnostics) -> Vec<Whom> {
    match &node.value {
        Node::List(items) => items.iter().flat_map(|item| read(item, text, known, faults)).collect(),
        value => match value.word() {
            Some(name) => one(&name, Place::of(text, node.referenced), known, faults).into_iter().collect(),
            None => {
                faults.push(
                    Place::of(text, node.referenced)
                        .error(format!("expected the name of a user or a group, not {}", value.kind())),
                );
                Vec::new()
            }
        },
    }
}

fn one(name: &str, place: Place, known: &Known<'_>, faults: &mut Diagnostics) -> Option<Whom> {
    let unknown = |what: &str, name: &str| {
        let help = match known.nearest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "groups are the system's own and those of the section `groups:`; a user that only a certificate names is written `user:NAME`".to_owned(),
        };
        place.error(format!("nobody knows {what} `{name}`")).help_with(help)
    };
    if name == "everyone" {
        return Some(Whom::Everyone);
    }
    if let Some(user) = name.strip_prefix("user:") {
        return Some(Whom::User(user.to_owned()));
    }
    if let Some(group) = name.strip_prefix("group:") {
        if known.is_group(group) {
            return Some(Whom::Group(group.to_owned()));
        }
        faults.push(unknown("a group", group));
        return None;
    }
    if OWN_NAMES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some(Whom::User(name.to_owned()));
    }
    match (known.is_group(name), known.is_user(name)) {
        (true, _) => Some(Whom::Group(name.to_owned())),
        (false, true) => Some(Whom::User(name.to_owned())),
        (false, false) => {
            faults.push(unknown("a user or a group", name));
            None
        }
    }
}
