//! Defaults: what a container gets where its client says nothing.
//!
//! They are obligations that everybody has. They say what is set, never what is the most: a client that
//! asks for more, for root, or for a capability back is heard, and its wish is a question for the policy.
//! Only "no limit" is not heard, for the API cannot tell it from nothing said. An update that takes a
//! limit away sets the default instead: else it would be the way around.
//!
//! A create and an update are edited here, each in a file of its own.

mod create;
#[cfg(test)]
mod tests;
mod update;

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
}

/// The part of a period, in microseconds, that makes so many CPUs.
fn quota(nano_cpus: i64, period: i64) -> i64 {
    nano_cpus.saturating_mul(period).checked_div(1_000_000_000).unwrap_or(0)
}
