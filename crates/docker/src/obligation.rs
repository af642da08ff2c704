//! Obligations: edits that must be made to a request.
//!
//! They are made to the request as it was understood, before its facts are told: what is judged and what
//! is sent is the edited request. The facts list them, for the record and for a door that cannot edit,
//! which has to refuse what needs an edit.

use std::fmt;

/// An edit that was made. Called as in the configuration, with its value as it would be written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obligation {
    /// A limit on memory, in bytes.
    Memory(i64),
    /// A limit on CPUs, in billionths of a CPU.
    Cpus(i64),
    /// A limit on processes.
    Pids(i64),
    /// The user that processes run as.
    User(String),
    /// An environment variable, by its name: values are nobody else's business.
    Env(String),
    /// Processes are kept from gaining privileges.
    NoNewPrivileges,
    /// A security option, as the daemon takes it.
    SecurityOption(String),
    /// A capability is dropped.
    DropCapability(String),
    /// A capability is added.
    AddCapability(String),
}

impl Obligation {
    /// The key in the configuration.
    pub fn key(&self) -> &'static str {
        match self {
            Obligation::Memory(_) => "memory",
            Obligation::Cpus(_) => "cpus",
            Obligation::Pids(_) => "pids",
            Obligation::User(_) => "user",
            Obligation::Env(_) => "env",
            Obligation::NoNewPrivileges => "no_new_privileges",
            Obligation::SecurityOption(_) => "security_options",
            Obligation::DropCapability(_) => "drop_capabilities",
            Obligation::AddCapability(_) => "add_capabilities",
        }
    }

    /// What was set; of an environment variable its name alone.
    pub fn value(&self) -> String {
        match self {
            Obligation::Memory(bytes) => size(*bytes),
            Obligation::Cpus(billionths) => cpus(*billionths),
            Obligation::Pids(pids) => pids.to_string(),
            Obligation::User(name)
            | Obligation::Env(name)
            | Obligation::DropCapability(name)
            | Obligation::AddCapability(name) => name.clone(),
            // A profile is long, and its name says enough.
            Obligation::SecurityOption(option) if option.contains('{') => "seccomp=custom".to_owned(),
            Obligation::SecurityOption(option) => option.clone(),
            Obligation::NoNewPrivileges => "true".to_owned(),
        }
    }
}

impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key(), self.value())
    }
}

/// Bytes in the largest unit that is exact: `1g`, `1536m`.
fn size(bytes: i64) -> String {
    let units = [(1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")];
    let exact = units.into_iter().find(|(unit, _)| bytes.checked_rem(*unit) == Some(0));
    let (unit, name) = exact.unwrap_or((1, ""));
    format!("{}{name}", bytes.checked_div(unit).unwrap_or(bytes))
}

/// Billionths as a decimal number: `0.5`, `2`.
fn cpus(billionths: i64) -> String {
    let whole = billionths.checked_div(BILLION).unwrap_or(0);
    let rest = billionths.checked_rem(BILLION).unwrap_or(0);
    let decimal = format!("{whole}.{rest:09}");
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const BILLION: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_called_as_in_the_configuration() {
        for (obligation, said) in [
            (Obligation::Memory(1 << 30), "memory 1g"),
            (Obligation::Memory(1536 << 20), "memory 1536m"),
            (Obligation::Memory(6_291_457), "memory 6291457"),
            (Obligation::Cpus(500_000_000), "cpus 0.5"),
            (Obligation::Cpus(2_000_000_000), "cpus 2"),
            (Obligation::Cpus(10_000_000_000), "cpus 10"),
            (Obligation::Cpus(1_010_000_000), "cpus 1.01"),
            (Obligation::Pids(512), "pids 512"),
            (Obligation::User("1000:1000".into()), "user 1000:1000"),
            (Obligation::Env("MY_ENV".into()), "env MY_ENV"),
            (Obligation::NoNewPrivileges, "no_new_privileges true"),
            (Obligation::DropCapability("MKNOD".into()), "drop_capabilities MKNOD"),
            (Obligation::AddCapability("KILL".into()), "add_capabilities KILL"),
            (Obligation::SecurityOption("label=disable".into()), "security_options label=disable"),
            (Obligation::SecurityOption("seccomp={}".into()), "security_options seccomp=custom"),
        ] {
            assert_eq!(obligation.to_string(), said);
        }
    }
}
