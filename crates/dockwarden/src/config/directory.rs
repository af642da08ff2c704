//! Who is known on this host, so that a rule for a misspelt group is a fault and not a rule for nobody.

use nix::unistd::{Group, User};
use policy::Directory;

/// The host's users and groups.
pub struct Host {
    names: Vec<String>,
}

/// The host's users and groups. Only the local ones can be listed; any can be asked for.
pub fn of_host() -> Host {
    let names = ["/etc/group", "/etc/passwd"].into_iter().flat_map(names_in).collect();
    Host { names }
}

impl Host {
    /// In the form that policies are checked with.
    pub fn as_directory(&self) -> Directory<'_> {
        Directory { is_group: &is_group, is_user: &is_user, names: self.names.clone() }
    }
}

/// Whether there is such a group.
pub fn is_group(name: &str) -> bool {
    known(name, "group", Group::from_name(name).map(|found| found.is_some()))
}

/// Whether there is such a user.
pub fn is_user(name: &str) -> bool {
    known(name, "user", User::from_name(name).map(|found| found.is_some()))
}

/// A name service that fails says nothing about the name; a firewall that does not start because LDAP
/// is down helps nobody, and the rule stands as it is written.
fn known(name: &str, kind: &str, found: nix::Result<bool>) -> bool {
    found.unwrap_or_else(|error| {
        tracing::warn!("cannot look up {kind} `{name}` ({}); taking it for known", error.desc());
        true
    })
}

fn names_in(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
}
