//! Quotas: what everybody may have at most of what they own.
//!
//! They are part of the policy, and taken with it as one snapshot. They are counted where things are made (crate
//! `server`), for only there it is known who owns what.

use serde_saphyr::Spanned;

use crate::source::diagnostics::{Diagnostics, Text};
use crate::source::principals::{self, Whom};
use crate::source::{Known, Node};

/// What one user may have. `None`: as much as they like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// Containers, running or not.
    pub containers: Option<i64>,
    /// The sum of their memory limits, in bytes.
    pub memory: Option<i64>,
    /// The sum of their CPU limits, in billionths of a CPU.
    pub cpus: Option<i64>,
    /// Volumes.
    pub volumes: Option<i64>,
    /// Published ports of the host.
    pub ports: Option<i64>,
}

/// An entry of the section `quotas:`, its numbers read already.
#[derive(Debug, Clone)]
pub struct QuotaEntry {
    /// Who has it: names of users and groups, each of whose members has it for themselves. Everyone, where it is left out.
    pub to: Option<Spanned<Node>>,
    /// Who does not.
    pub except: Option<Spanned<Node>>,
    /// What they may have.
    pub quota: Quota,
}

/// The quotas of a policy.
#[derive(Default)]
pub(crate) struct Quotas(Vec<(Vec<Whom>, Vec<Whom>, Quota)>);

impl Quotas {
    pub fn read(entries: &[QuotaEntry], text: &Text, known: &Known<'_>, faults: &mut Diagnostics) -> Quotas {
        let mut names = |node: &Option<Spanned<Node>>, absent| match node {
            Some(node) => principals::read(node, text, known, faults),
            None => absent,
        };
        let read = |entry: &QuotaEntry| {
            (names(&entry.to, vec![Whom::Everyone]), names(&entry.except, Vec::new()), entry.quota.clone())
        };
        Quotas(entries.iter().map(read).collect())
    }

    /// The quota of a user: of all that apply the least of each.
    pub fn of(&self, user: &str, groups: &[&str]) -> Quota {
        let among = |list: &[Whom]| list.iter().any(|whom| whom.is(user, groups));
        let theirs = self.0.iter().filter(|(to, except, _)| among(to) && !among(except));
        theirs.fold(Quota::default(), |least, (.., quota)| Quota {
            containers: less(least.containers, quota.containers),
            memory: less(least.memory, quota.memory),
            cpus: less(least.cpus, quota.cpus),
            volumes: less(least.volumes, quota.volumes),
            ports: less(least.ports, quota.ports),
        })
    }
}

fn less(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_all_quotas_that_apply_the_least_counts() {
        let quota = |containers, memory| Quota { containers, memory, ..Quota::default() };
        let group = |name: &str| Whom::Group(name.to_owned());
        let quotas = Quotas(vec![
            (vec![Whom::Everyone], vec![Whom::User("root".to_owned())], quota(Some(10), None)),
            (vec![group("ci")], Vec::new(), quota(Some(20), Some(1 << 30))),
        ]);
        assert_eq!(quotas.of("alice", &[]), quota(Some(10), None));
        assert_eq!(quotas.of("bot", &["ci"]), quota(Some(10), Some(1 << 30)));
        assert_eq!(quotas.of("root", &[]), Quota::default());
        assert_eq!(quotas.of("root", &["ci"]), quota(Some(20), Some(1 << 30)));
    }
}
