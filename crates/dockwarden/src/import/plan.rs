//! What a foreign list comes to, and how it is written down.

use std::fmt::Write;

use docker::endpoint::Operation;
use policy::NamedText;

use super::{Manner, asked, quoted};

/// A configuration in the making.
#[derive(Debug, Default)]
pub struct Plan {
    /// The tool, as it is called on the command line.
    tool: &'static str,
    /// The file's name.
    file: String,
    /// Lines of the configuration beside the policy, each with where it came from.
    settings: Vec<(String, String)>,
    grants: Vec<Grant>,
    /// The only paths of the host that may be mounted, where the tool looked at that, and where it says so.
    host_paths: Option<(String, Vec<String>)>,
    /// What was left out, and why.
    left: Vec<String>,
    /// Whether the tool looked at what is asked for.
    examined: bool,
}

/// Operations that somebody may do.
#[derive(Debug, Default)]
pub struct Grant {
    /// Where it came from: `proxy.env:3: POST=1`.
    pub origin: String,
    /// What may be done.
    pub operations: Vec<Operation>,
    /// On things of that name only.
    pub on: Option<String>,
    /// By whom; everyone where there is none.
    pub to: Vec<String>,
}

impl Plan {
    pub fn of(tool: &'static str, file: &NamedText) -> Plan {
        Plan { tool, file: file.name.clone(), ..Plan::default() }
    }

    /// Where a line of the file stands.
    pub fn origin(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.file)
    }

    /// A line of the configuration.
    pub fn set(&mut self, origin: impl Into<String>, line: impl Into<String>) {
        self.settings.push((origin.into(), line.into()));
    }

    /// Operations for everyone. None are no rule.
    pub fn grant(&mut self, origin: impl Into<String>, operations: Vec<Operation>) {
        self.add(Grant { origin: origin.into(), operations, ..Grant::default() });
    }

    pub fn add(&mut self, grant: Grant) {
        match grant.operations.is_empty() {
            true => self.left.push(format!("{}: it is no operation of the Docker API", grant.origin)),
            false => self.grants.push(grant),
        }
    }

    /// Puts operations together that come from the same place.
    pub fn gather(&mut self) {
        let mut gathered: Vec<Grant> = Vec::new();
        for grant in std::mem::take(&mut self.grants) {
            match gathered.iter_mut().find(|known| known.origin == grant.origin && known.on == grant.on) {
                Some(known) => known.operations.extend(grant.operations),
                None => gathered.push(grant),
            }
        }
        self.grants = gathered;
    }

    /// Whom everything is for that was for everyone.
    pub fn only_to(&mut self, to: &[String]) {
        self.grants.iter_mut().for_each(|grant| grant.to = to.to_vec());
    }

    pub fn only_mount(&mut self, origin: String, paths: Vec<String>) {
        self.host_paths = Some((origin, paths));
    }

    /// The tool looked at what is asked for, in its own words.
    pub fn examines(&mut self) {
        self.examined = true;
    }

    /// Something that takes nothing away from what the file means.
    pub fn leave(&mut self, note: impl Into<String>) {
        self.left.push(note.into());
    }

    /// The configuration.
    pub fn write(&self, manner: Manner) -> String {
        let mut text = Text::default();
        text.comment(0, &format!("Made by `dockwarden import {}` from {}.", self.tool, self.file));
        text.comment(0, "Only what is listed below can be done.");
        if self.asks() {
            text.comment(0, &self.about_asking(manner));
        }
        if !self.left.is_empty() {
            text.line(0, "#");
            text.comment(0, "Not carried over:");
            self.left.iter().for_each(|note| text.comment(0, &format!("- {note}")));
        }
        text.line(0, "");
        for (origin, line) in &self.settings {
            text.comment(0, origin);
            text.line(0, line);
        }
        text.line(0, "policy:");
        text.line(1, "preset: none");
        if self.grants.is_empty() {
            text.comment(1, "Nothing is granted.");
        }
        text.line(1, "rules:");
        self.grants.iter().for_each(|grant| grant.write(&mut text));
        self.refuse_hello(&mut text);
        self.grant_asked(manner, &mut text);
        text.0
    }

    fn about_asking(&self, manner: Manner) -> String {
        let tool = self.tool;
        match (manner, self.makes()) {
            (Manner::Guarded, _) if self.only_starts() => {
                "Containers can be started with all that they were made with; nothing that is granted makes any."
                    .to_owned()
            }
            (_, true) if self.examined => {
                "What is started or entered may ask for what gives nobody the host (the last rules of the file)."
                    .to_owned()
            }
            (Manner::Guarded, false) => "Nothing that is granted makes a container. Those that are there are read out, attached \
                                         to and started where they have nothing that gives the host away (the last rules of \
                                         the file)."
                .to_owned(),
            (Manner::Permissive, false) => "Nothing that is granted makes a container. Those that are there are read out, \
                                            attached to and started whatever they have of the host, as it was."
                .to_owned(),
            (Manner::Guarded, true) => format!(
                "{tool} did not look at what a create asks for: whoever could create a container was root on the host. Here what \
                 is created, started or entered may only ask for what gives nobody the host: no paths of the host, no devices, \
                 no host's namespaces, not privileged (the last rules of the file, about as preset developer). Add what you \
                 need, such as `- allow: {{ mount: /srv/app }}`; --as-permissive grants anything, as it was."
            ),
            (Manner::Permissive, true) => format!(
                "As with {tool}, what a create asks for is not looked at: privileged containers, paths of the host and all else \
                 are granted, so whoever can create, start or enter a container is root on the host. Without --as-permissive, \
                 what gives the host away is refused."
            ),
        }
    }

    /// What is granted, for whoever starts it: a line for each place that it came from.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.grants.iter().map(|grant| {
            let operations: Vec<&str> = grant.operations.iter().map(|operation| operation.name()).collect();
            format!("{}: {}", grant.origin, operations.join(", "))
        })
    }

    /// Whether anything can be made or entered.
    pub fn makes(&self) -> bool {
        self.operations().any(asked::makes)
    }

    fn operations(&self) -> impl Iterator<Item = Operation> {
        self.grants.iter().flat_map(|grant| grant.operations.iter().copied())
    }

    fn asks(&self) -> bool {
        self.operations().any(asked::asks)
    }

    /// Whether what was made by others can be started, and nothing else can be asked for.
    fn only_starts(&self) -> bool {
        self.operations().filter(|operation| asked::asks(*operation)).all(asked::starts)
    }

    /// The preset lets everybody say hello, which the list may not.
    fn refuse_hello(&self, text: &mut Text) {
        let mut refused: Vec<(Vec<String>, Vec<Operation>)> = Vec::new();
        for (except, hello) in HELLO.iter().filter_map(|hello| Some((self.only_for(*hello)?, *hello))) {
            match refused.iter_mut().find(|(known, _)| *known == except) {
                Some((_, operations)) => operations.push(hello),
                None => refused.push((except, vec![hello])),
            }
        }
        if !refused.is_empty() {
            text.comment(2, "The list does not grant these to everybody, and preset none would let them pass.");
        }
        for (except, operations) in refused {
            let close = format!("]{}", beside("except", &except));
            text.words(2, "- deny: [", operations.iter().map(|operation| operation.name()), &close);
        }
    }

    /// To whom an operation is granted, where not to everybody.
    fn only_for(&self, operation: Operation) -> Option<Vec<String>> {
        let granting = || self.grants.iter().filter(|grant| grant.operations.contains(&operation));
        let names = granting().flat_map(|grant| grant.to.iter().cloned()).collect();
        granting().all(|grant| !grant.to.is_empty()).then_some(names)
    }

    fn grant_asked(&self, manner: Manner, text: &mut Text) {
        if !self.asks() {
            return;
        }
        let anything = manner == Manner::Permissive || self.only_starts();
        let to = beside("to", &self.who_asks());
        let words = if anything { asked::ANYTHING } else { asked::ORDINARY };
        text.comment(2, "What is created, started or entered may ask for this.");
        let host_paths = (anything && self.host_paths.is_none()).then_some(asked::HOST_PATHS);
        text.words(2, "- allow: [", words.iter().copied().chain(host_paths), &format!("]{to}"));
        if !anything {
            text.comment(2, "Not the network of the host, by whatever way.");
            text.line(2, "- deny: { network: host }");
        }
        if let Some((origin, paths)) = &self.host_paths {
            text.comment(2, origin);
            text.comment(2, "With what is below them. Links are followed first.");
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            text.line(2, &format!("- allow: {{ mount: [{}] }}{to}", paths.join(", ")));
        }
    }

    /// Who may do anything that asks for more than itself; empty for everyone.
    fn who_asks(&self) -> Vec<String> {
        let asking = || self.grants.iter().filter(|grant| grant.operations.iter().copied().any(asked::asks));
        if asking().any(|grant| grant.to.is_empty()) {
            return Vec::new();
        }
        let mut to: Vec<String> = asking().flat_map(|grant| grant.to.iter().cloned()).collect();
        to.sort();
        to.dedup();
        to
    }
}

impl Grant {
    fn write(&self, text: &mut Text) {
        text.comment(2, &self.origin);
        let on = self.on.as_ref().map(|name| format!("\n      on: {{ name: {} }}", quoted(name))).unwrap_or_default();
        let close = format!("]{on}{}", beside("to", &self.to));
        text.words(2, "- allow: [", self.operations.iter().map(|operation| operation.name()), &close);
    }
}

/// Whom a rule is about, as a further line of it.
fn beside(key: &str, names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    if names.is_empty() { String::new() } else { format!("\n      {key}: [{}]", names.join(", ")) }
}

/// Lines of YAML and of comments.
#[derive(Debug, Default)]
pub(super) struct Text(pub(super) String);

impl Text {
    pub(super) fn line(&mut self, depth: usize, line: &str) {
        let indent = if line.is_empty() { 0 } else { depth.saturating_mul(2) };
        let _ = writeln!(self.0, "{:indent$}{line}", "");
    }

    /// Whatever is in it, it stays a comment.
    pub(super) fn comment(&mut self, depth: usize, said: &str) {
        let mut line = String::from("#");
        for word in said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if line.chars().count().saturating_add(word.chars().count()) > WIDTH {
                self.line(depth, &line);
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(depth, &line);
    }

    /// A list of words over as many lines as it takes.
    fn words<'w>(&mut self, depth: usize, open: &str, words: impl Iterator<Item = &'w str>, close: &str) {
        let words: Vec<&str> = words.collect();
        let mut line = String::from(open);
        let last = words.len().saturating_sub(1);
        for (at, word) in words.into_iter().enumerate() {
            let word = if at == last { word.to_owned() } else { format!("{word},") };
            if line.len().saturating_add(word.len()) > WIDTH {
                self.line(depth, line.trim_end());
                line = String::from("    ");
            }
            line.push_str(&word);
            if at != last {
                line.push(' ');
            }
        }
        line.push_str(close);
        self.line(depth, &line);
    }
}

/// What clients say before anything else, granted by preset none.
const HELLO: &[Operation] =
    &[Operation::SystemPing, Operation::SystemPingHead, Operation::SystemVersion, Operation::SystemOptions];
const WIDTH: usize = 110;
