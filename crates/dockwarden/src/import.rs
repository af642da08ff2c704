//! The configurations of other tools, put into words of our own.
//!
//! A text comes in and a text goes out, whose comments say which line each rule came from; nothing is opened here. What is
//! not understood is a fault with its place: half a policy is worse than none. What cannot be carried over and takes
//! nothing away is said at the head of what is made.
//!
//! Lists of paths grant operations and do not look at what is asked for in a create. [`Manner`] says what becomes of that.

mod asked;
mod cetusguard;
mod docker_socket_proxy;
mod docksec;
mod opa_docker_authz;
mod operations;
mod pattern;
mod plan;
mod secdocker;
mod socket_proxy;
mod sockguard;
#[cfg(test)]
mod tests;
mod twistlock_authz;

use clap::ValueEnum;
use policy::{Diagnostic, Diagnostics, NamedText};

pub use docker_socket_proxy::{Maker, loudness, read as docker_socket_proxy};

/// Whose configuration it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Commands that are switched off: main.json
    Docksec,
    /// What is blocked, and what every container gets: config.yml
    Secdocker,
    /// Tecnativa's: a file of variables, one KEY=value a line
    DockerSocketProxy,
    /// LinuxServer's: the same, where ALLOW_START and the like do without POST
    LinuxserverSocketProxy,
    /// wollomatic's: its flags, or its variables
    SocketProxy,
    /// Its file of rules
    Cetusguard,
    /// Its policy.json
    TwistlockAuthz,
    /// Its YAML
    Sockguard,
    /// A policy in Rego
    OpaDockerAuthz,
}

/// How what a list of paths does not look at is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// What is created may ask for what gives nobody the host.
    Guarded,
    /// What is created may ask for anything, as it could there.
    Permissive,
}

/// Puts a configuration into our words. All faults are told at once.
pub fn import(format: Format, file: &NamedText, manner: Manner) -> Result<String, Diagnostics> {
    match format {
        Format::Docksec => docksec::import(file),
        Format::Secdocker => secdocker::import(file),
        Format::DockerSocketProxy => docker_socket_proxy(file, Maker::Tecnativa).map(|plan| plan.write(manner)),
        Format::LinuxserverSocketProxy => docker_socket_proxy(file, Maker::LinuxServer).map(|plan| plan.write(manner)),
        Format::SocketProxy => socket_proxy::read(file).map(|plan| plan.write(manner)),
        Format::Cetusguard => cetusguard::read(file).map(|plan| plan.write(manner)),
        Format::TwistlockAuthz => twistlock_authz::read(file).map(|plan| plan.write(manner)),
        Format::Sockguard => sockguard::read(file).map(|plan| plan.write(manner)),
        Format::OpaDockerAuthz => opa_docker_authz::import(file),
    }
}

impl Format {
    /// Whether it is a list of operations, which says nothing about what a create asks for.
    pub fn is_list(self) -> bool {
        !matches!(self, Format::Docksec | Format::Secdocker | Format::OpaDockerAuthz | Format::Sockguard)
    }

    /// The name, as it is typed.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Faults of a file, as they are found.
struct Faults<'f> {
    file: &'f NamedText,
    found: Vec<Diagnostic>,
}

impl<'f> Faults<'f> {
    fn new(file: &'f NamedText) -> Self {
        Faults { file, found: Vec::new() }
    }

    fn at(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.found.push(Diagnostic::at(self.file, line, column, message.into()));
    }

    fn helped(&mut self, line: usize, column: usize, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::at(self.file, line, column, message.into()).help_with(help.into()));
    }

    /// What was made, where nothing was found.
    fn unless_any<T>(self, made: T) -> Result<T, Diagnostics> {
        if self.found.is_empty() { Ok(made) } else { Err(Diagnostics(self.found)) }
    }
}

/// A text as a word of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `did you mean ...?`, or all that is known.
fn advice(word: &str, known: &[&str]) -> String {
    match policy::nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}
