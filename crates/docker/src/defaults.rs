//! Defaults: what a container gets where its client says nothing.
//!
//! They are obligations that everybody has. They say what is set, never what is the most: a client that
//! asks for more, for root, or for a capability back is heard, and its wish is a question for the policy.
//! Only "no limit" is not heard, for the API cannot tell it from nothing said. An update that takes a
//! limit away sets the default instead: else it would be the way around.
//!
//! What is forced is set whatever the client says. What it said instead is judged all the same: a client that wants
//! to be root is refused where nobody may be, and not served as somebody else without a word.
//!
//! A create and an update are edited here, each in a file of its own.

mod create;
mod force;
#[cfg(test)]
mod tests;
mod update;

use crate::obligation::Obligation;

/// What is set. All of it optional; the values are such that the daemon takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// A limit on memory, in bytes.
    pub memory: Option<i64>,
    /// A limit on CPUs, in billionths of a CPU.
    pub nano_cpus: Option<i64>,
    /// A limit on processes.
    pub pids: Option<i64>,
    /// Who processes run as that would run as root: `user` or `user:group`.
    pub user: Option<String>,
    /// Environment variables: names and values.
    pub env: Vec<(String, String)>,
    /// Whether processes are kept from gaining privileges.
    pub no_new_privileges: bool,
    /// Capabilities that are dropped, as policies name them: upper case without `CAP_`, or `ALL`.
    pub drop_capabilities: Vec<String>,
    /// What is set in any case.
    pub force: Force,
}

/// What is set whatever the client says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Force {
    /// The limit on memory, in bytes.
    pub memory: Option<i64>,
    /// The limit on CPUs, in billionths of a CPU.
    pub nano_cpus: Option<i64>,
    /// Who processes run as: `user` or `user:group`.
    pub user: Option<String>,
    /// Environment variables: names and values.
    pub env: Vec<(String, String)>,
    /// Security options, as the daemon takes them.
    pub security_options: Vec<String>,
    /// Capabilities that are dropped, as policies name them.
    pub drop_capabilities: Vec<String>,
    /// Capabilities that are added.
    pub add_capabilities: Vec<String>,
}

impl Force {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Force::default()
    }
}

/// What was done to a create.
#[derive(Debug, Default)]
pub(crate) struct Edited {
    /// The edits.
    pub(crate) made: Vec<Obligation>,
    /// What the client said and was not heard in.
    pub(crate) unheard: Unheard,
}

/// What a client asked for that something else was put in the place of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unheard {
    pub(crate) user: Option<String>,
    pub(crate) env: Vec<String>,
    pub(crate) security_options: Vec<String>,
    pub(crate) capabilities: Vec<String>,
}

/// The part of a period, in microseconds, that makes so many CPUs.
fn quota(nano_cpus: i64, period: i64) -> i64 {
    nano_cpus.saturating_mul(period).checked_div(1_000_000_000).unwrap_or(0)
}
