//! The configuration of SecDocker: what no container may ask for (`restrictions`), and what each one gets (`general`).
//!
//! The restrictions become rules that deny, each named after its line; the settings become what the configuration's
//! section `defaults:` calls `force`. What SecDocker compared letter by letter is understood here: a path with what is
//! below it, a user in every spelling, an image under all its names. So more is refused than it refused, never less.

use std::collections::BTreeMap;

use docker::defaults::Force;
use serde_saphyr::Spanned;

use super::diagnostics::{Diagnostic, Diagnostics, Place, Text};
use super::lower::{Rule, Words};
use super::principals::Whom;
use super::target::{Effect, Target};
use super::{NamedText, Node, section};
use read::Reader;

mod general;
mod images;
mod mounts;
mod ports;
mod read;
mod restrictions;

/// A configuration as it is written, of which all keys are known.
#[derive(Debug, Clone, Default)]
pub struct SecDocker {
    /// The file.
    pub file: NamedText,
    /// The plugins that looked at images: `Anchore`, `Notary`.
    pub plugins: Vec<Spanned<String>>,
    /// Where the daemon is.
    pub docker_api: Option<Spanned<String>>,
    /// What is blocked.
    pub restrictions: Restrictions,
    /// What every container gets.
    pub general: General,
    /// Where paths of the restrictions lead on this host, as far as they lead elsewhere. Nothing is looked up here.
    pub leads_to: BTreeMap<String, String>,
}

/// Section `restrictions:`: a container that asks for any of these is blocked.
#[derive(Debug, Clone, Default)]
pub struct Restrictions {
    /// Ports of the host: `22`, `127.0.0.1:8080`, `8000-8010/udp`.
    pub ports: Vec<Spanned<String>>,
    /// Paths of the host, and names of volumes.
    pub mounts: Vec<Spanned<String>>,
    /// Users by name or number.
    pub users: Vec<Spanned<String>>,
    /// Variables: `NAME` or `NAME=value`.
    pub environment: Vec<Spanned<String>>,
    /// Security options, and the word `privileged`.
    pub security_policies: Vec<Spanned<String>>,
    /// Images by name or id.
    pub images: Vec<Spanned<String>>,
    /// Whether privileged containers are blocked.
    pub privileged: Option<Spanned<bool>>,
}

/// Section `general:`: what every container gets, whatever its client says.
#[derive(Debug, Clone, Default)]
pub struct General {
    /// The limit on memory.
    pub memory: Option<Spanned<String>>,
    /// The limit on CPUs.
    pub cpu: Option<Spanned<String>>,
    /// Who processes run as.
    pub user: Option<Spanned<String>>,
    /// Variables: `NAME=value`.
    pub environment: Vec<Spanned<String>>,
    /// Security options.
    pub security_options: Vec<Spanned<String>>,
    /// Capabilities that are dropped.
    pub dropped: Vec<Spanned<String>>,
    /// Capabilities that are added.
    pub added: Vec<Spanned<String>>,
}

impl SecDocker {
    /// Reads a file. All that is wrong with its form is told at once; what the words in it mean is looked at when they are
    /// used.
    pub fn read(file: &NamedText) -> Result<SecDocker, Diagnostics> {
        let text = Text::new(file);
        let tree = serde_saphyr::from_str::<Spanned<Node>>(text.as_str());
        let tree = tree.map_err(|error| Diagnostics(vec![section::fault(&text, &error)]))?;
        let mut reader = Reader::new(&text);
        let read = reader.file(&tree, file);
        reader.faults.sort();
        if reader.faults.0.is_empty() { Ok(read) } else { Err(reader.faults) }
    }

    /// What is wrong with the words in it: what is told when a policy is made of them.
    pub fn faults(&self) -> Diagnostics {
        let mut faults = Diagnostics::default();
        self.rules(&mut faults);
        self.force(&mut Force::default(), &mut faults);
        faults.sort();
        faults
    }

    /// The paths of the host that are blocked, as they are written.
    pub fn host_paths(&self) -> impl Iterator<Item = &str> {
        self.restrictions.mounts.iter().map(|mount| mount.value.as_str()).filter(|mount| mount.starts_with('/'))
    }

    /// The restrictions as rules.
    pub(super) fn rules(&self, faults: &mut Diagnostics) -> Vec<Rule> {
        restrictions::rules(self, faults)
    }

    /// The settings as what is forced, beside what is forced already.
    pub(super) fn force(&self, forced: &mut Force, faults: &mut Diagnostics) {
        general::force(self, forced, faults);
    }

    /// What there is to say of a file that can be used.
    pub(super) fn remarks(&self, faults: &mut Diagnostics) {
        for plugin in &self.plugins {
            let check = if plugin.value.eq_ignore_ascii_case(ANCHORE) { "anchore" } else { "registry" };
            let remark = self.place(plugin).warning(format!("plugin `{}` is not run from here", plugin.value));
            let help =
                format!("write it as a check of the configuration: `policy: {{ checks: [...] }}` with `{check}`");
            faults.push(remark.help_with(help));
        }
    }

    fn place<T>(&self, word: &Spanned<T>) -> Place {
        Place::of(&Text::new(&self.file), word.referenced)
    }

    fn fault(&self, word: &Spanned<String>, message: impl Into<String>, help: &str) -> Diagnostic {
        self.place(word).error(message).help_with(Some(help.to_owned()).filter(|help| !help.is_empty()))
    }

    /// A rule that blocks these for everyone. `what` is said to whoever asks for them.
    fn block<T>(&self, word: &Spanned<T>, what: &str, targets: Vec<Target>) -> Rule {
        Rule {
            effect: Effect::Forbid,
            targets,
            to: vec![Whom::Everyone],
            except: Vec::new(),
            words: Words { message: Some(format!("blocked by {what}")), ..Words::default() },
            place: self.place(word),
            name: None,
        }
    }
}

/// The plugins that came with SecDocker.
const ANCHORE: &str = "anchore";
const NOTARY: &str = "notary";
