//! An update that takes a limit away sets the default instead.
//!
//! What the daemons 20.10 to 28 do: memory and CPUs below zero are refused, 0 changes nothing. A CPU
//! quota below zero is taken, and wins over the number of CPUs that was set before. A limit on processes
//! of 0 or less takes the limit away.

use super::{Defaults, quota};
use crate::body::container::{HostConfig, UpdateRequest};
use crate::obligation::Obligation;

impl Defaults {
    /// Edits the body of an update, and tells the edits. `stored` is what the container has so far.
    pub(crate) fn update(&self, body: &mut UpdateRequest, stored: &HostConfig) -> Vec<Obligation> {
        let mut made = Vec::new();
        self.force.update(body, stored, &mut made);
        if let Some(memory) = self.memory.filter(|_| body.memory < 0) {
            body.memory = memory;
            made.push(Obligation::Memory(memory));
        }
        if let Some(cpus) = self.nano_cpus.filter(|_| body.nano_cpus < 0 || body.cpu_quota < 0) {
            (body.nano_cpus, body.cpu_quota) = cpus_as_before(cpus, body, stored);
            made.push(Obligation::Cpus(cpus));
        }
        if let Some(pids) = self.pids.filter(|_| body.pids_limit.is_some_and(|pids| pids <= 0)) {
            body.pids_limit = Some(pids);
            made.push(Obligation::Pids(pids));
        }
        made
    }
}

/// Number of CPUs and quota. The daemon does not let a container change from the one to the other.
pub(super) fn cpus_as_before(cpus: i64, body: &UpdateRequest, stored: &HostConfig) -> (i64, i64) {
    if stored.nano_cpus > 0 {
        return (cpus, 0);
    }
    let given = [body.cpu_period, stored.cpu_period].into_iter().find(|period| *period > 0);
    (0, quota(cpus, given.unwrap_or(USUAL_PERIOD)))
}

/// In microseconds.
const USUAL_PERIOD: i64 = 100_000;
