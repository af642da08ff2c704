//! What both doors share: the daemon behind them, the policy in force, the looks at what a request names, the decision,
//! owners and records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use docker::request::Reading;
use policy::{Policy, Subject};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::checks::{Checks, Desk};
use crate::limits::Limits;
use crate::listen::Diverted;
use crate::owners::Owners;
use crate::record::{Record, Recorder, Unwritable};
use crate::seal::Seal;
use crate::share::Share;
use crate::upstream::Upstream;

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod checked;
pub(crate) mod connection;
pub(crate) mod entry;
pub(crate) mod judge;
mod keep;
pub(crate) mod making;
pub(crate) mod prune;
pub(crate) mod rehearsal;
pub(crate) mod resolve;

use rehearsal::Rehearsal;

/// Where records go.
#[derive(Clone)]
pub enum Records {
    /// Into a file, which other doors may share.
    File(Arc<Recorder>),
    /// To somebody who listens, such as `explain`.
    Tell(mpsc::UnboundedSender<Record>),
    /// Nowhere.
    Nowhere,
}

/// What becomes of a request that is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is sent to the daemon.
    Forward,
    /// What only looks is sent to the daemon, if there is one; what would change anything is answered as
    /// a daemon might, and never sent.
    Rehearse,
}

/// What a firewall is made of.
pub struct Settings {
    /// The daemon.
    pub upstream: Upstream,
    /// The bounds.
    pub limits: Limits,
    /// How requests are read.
    pub reading: Reading,
    /// Where records go.
    pub records: Records,
    /// What becomes of granted requests.
    pub manner: Manner,
    /// Who everybody is taken for, instead of being identified.
    pub subject: Option<Subject>,
    /// The folder of archives while they are judged.
    pub spool: PathBuf,
    /// Where the host's file system is seen: `/`, but for a firewall that lives in a root of its own.
    pub host_root: PathBuf,
    /// Says on what is sent to the daemon that it was judged, for a plugin that asks.
    pub seal: Option<Arc<Seal>>,
    /// Who owns what. `None`: nobody owns anything.
    pub owners: Option<Arc<Owners>>,
    /// Who is asked about images.
    pub checks: Arc<Desk>,
}

/// The firewall of one daemon, whichever door a request comes through.
pub struct Firewall {
    pub(crate) settings: Settings,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    /// Room for bodies that are being judged, in units of [`BODY_UNIT`].
    pub(crate) bodies: Arc<Share>,
    pub(crate) rehearsal: Rehearsal,
}

impl Firewall {
    /// A firewall that decides by whatever policy is there at the time of each request.
    pub fn new(settings: Settings, policy: Arc<ArcSwap<Policy>>) -> Arc<Self> {
        let units = |bytes: usize| bytes.wrapping_div(BODY_UNIT);
        let of_each = units(settings.limits.judged_bodies_bytes_per_subject);
        let bodies = Arc::new(Share::new(units(settings.limits.judged_bodies_bytes), of_each));
        Arc::new(Firewall { settings, policy, bodies, rehearsal: Rehearsal::default() })
    }

    /// The same firewall in front of the daemon that a connection was going to. Of that one's things nobody is known to
    /// be an owner; and it gets no seals, for it may be anybody's, who would show them to another.
    pub(crate) fn diverted(&self, diverted: Diverted) -> Arc<Self> {
        let Settings { upstream, limits, reading, records, manner, subject, spool, host_root, checks, .. } =
            &self.settings;
        let settings = Settings {
            upstream: upstream.diverted(diverted),
            limits: limits.clone(),
            reading: reading.clone(),
            records: records.clone(),
            manner: *manner,
            subject: subject.clone(),
            spool: spool.clone(),
            host_root: host_root.clone(),
            seal: None,
            owners: None,
            checks: Arc::clone(checks),
        };
        let (policy, bodies) = (Arc::clone(&self.policy), Arc::clone(&self.bodies));
        Arc::new(Firewall { settings, policy, bodies, rehearsal: Rehearsal::default() })
    }

    /// Puts other checks in force. What the ones before said is forgotten.
    pub fn take_checks(&self, checks: Checks) {
        self.settings.checks.take(checks);
    }

    /// Opens the record file anew, after it was rotated.
    pub fn reopen_records(&self) {
        if let Records::File(recorder) = &self.settings.records {
            recorder.reopen();
        }
    }

    /// Waits, for a moment, until all records are written. Blocks.
    pub fn flush_records(&self) {
        if let Records::File(recorder) = &self.settings.records
            && let Err(error) = recorder.flush(FLUSH)
        {
            tracing::error!(%error, "records could not be written");
        }
    }

    fn record(&self, record: Record) {
        match &self.settings.records {
            Records::Tell(listener) => {
                let _ = listener.send(record);
            }
            file => file.note(&record),
        }
    }

    /// Whether something may change now: only if it can be recorded.
    fn may_change(&self) -> Result<(), Unwritable> {
        self.settings.records.ready()
    }
}

impl Records {
    /// Keeps a record that is not of an exchange.
    pub fn note(&self, record: &impl Serialize) {
        if let Records::File(recorder) = self {
            recorder.write(record);
        }
    }

    /// Whether something may change now: only if it can be recorded.
    pub fn ready(&self) -> Result<(), Unwritable> {
        match self {
            Records::File(recorder) => recorder.ready(),
            Records::Tell(_) | Records::Nowhere => Ok(()),
        }
    }
}

/// Memory for bodies is counted in these, in bytes, and taken for one before it is read: beyond what is counted, a body
/// has no more than two of them.
pub(crate) const BODY_UNIT: usize = 8 << 10;
/// How long the last records may take.
const FLUSH: Duration = Duration::from_secs(5);
