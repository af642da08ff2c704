//! Shares of the host's resources beyond the ordinary.

use super::Privilege;
use crate::body::container::Ulimit;
use crate::privilege::asked::Asked;
use crate::resource::Labels;

/// The limits that a container and an update have in common.
pub(crate) struct Limits<'a> {
    pub(crate) oom_kill_disable: Option<bool>,
    pub(crate) oom_score_adj: i64,
    pub(crate) cpu_realtime_period: i64,
    pub(crate) cpu_realtime_runtime: i64,
    pub(crate) ulimits: &'a [Ulimit],
    pub(crate) storage: Option<&'a Labels>,
}

impl Asked<'_> {
    /// What takes from others. A limit on memory, CPUs or processes takes nothing and is no privilege.
    pub(crate) fn limits(&mut self, limits: &Limits<'_>) {
        if limits.oom_kill_disable == Some(true) {
            self.ask(Privilege::Prioritise { what: "oom-kill-disable", value: 1 });
        }
        if limits.oom_score_adj != 0 {
            self.ask(Privilege::Prioritise { what: "oom-score", value: limits.oom_score_adj });
        }
        for value in [limits.cpu_realtime_period, limits.cpu_realtime_runtime] {
            if value != 0 {
                self.ask(Privilege::Prioritise { what: "realtime", value });
            }
        }
        for Ulimit { name, soft, hard } in limits.ulimits {
            self.ask(Privilege::SetUlimit { name: name.clone(), soft: *soft, hard: *hard });
        }
        for (name, value) in limits.storage.into_iter().flatten() {
            self.ask(Privilege::SetStorageOption { name: name.clone(), value: value.clone() });
        }
    }
}
