//! The temporary rules, and the one place that puts another policy in force.
//!
//! A change is compiled first, then kept, then put in force: what is faulty changes nothing, and what was answered
//! outlives a crash. Changes come one after the other, be they an added rule, a removed one, one that ended or a reload,
//! so that none loses another. Requests do not wait for any of it: they take whatever snapshot there is.

mod kept;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use policy::{Diagnostic, Diagnostics, Policy, Subject, TemporaryRule};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};
use ulid::Ulid;

use crate::firewall::Records;
use crate::limits::Limits;
use crate::record::Administration;
use crate::state::{State, Unkept};

/// The policy in force, and the rules in it that end by themselves.
pub struct Rules {
    policy: Arc<ArcSwap<Policy>>,
    state: Arc<State>,
    records: Records,
    limits: Limits,
    read: Box<Reader>,
    /// One change at a time.
    turn: Mutex<()>,
    /// Tells [`Rules::run`] that another rule may be the next to end.
    changed: Notify,
}

/// Reads a rule by the names that are known on this host.
pub type Reader = dyn Fn(&Policy, &str) -> Result<(String, Vec<Diagnostic>), Diagnostics> + Send + Sync;

/// A rule that somebody wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The rule as YAML.
    pub rule: String,
    /// How long.
    pub lasts: Duration,
    /// Why.
    pub reason: String,
}

/// Why there is no such rule now.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum RuleFault {
    #[error("the rule cannot be used")]
    Faulty(Diagnostics),
    #[error("{0}")]
    Unfit(String),
    #[error("there is no temporary rule `{0}`; see `dockwarden rules list`")]
    Unknown(String),
    #[error(transparent)]
    Unkept(#[from] Unkept),
    #[error("the policy cannot be compiled with it: {0}")]
    Policy(Diagnostics),
}

/// Why the rules that were kept cannot be put in force.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum OpenError {
    #[error("the temporary rules cannot be read: {0}")]
    Unread(#[from] Unkept),
    #[error(
        "a temporary rule of an earlier time cannot be used: {0}; start once with the version that it was added with and remove it"
    )]
    Faulty(Diagnostics),
}

impl Rules {
    /// The policy with the rules that were kept and have not ended.
    pub async fn open(
        policy: Policy,
        state: Arc<State>,
        records: Records,
        limits: Limits,
        read: Box<Reader>,
    ) -> Result<Arc<Rules>, OpenError> {
        let kept = state.with(kept::all).await?;
        let (lasting, ended): (Vec<_>, Vec<_>) = kept.into_iter().partition(|rule| rule.until > now());
        let with_rules = if lasting.is_empty() { policy } else { compile(Arc::new(policy), lasting).await? };
        let (turn, changed) = (Mutex::default(), Notify::new());
        let policy = Arc::new(ArcSwap::from_pointee(with_rules));
        let rules = Arc::new(Rules { policy, state, records, limits, read, turn, changed });
        rules.forget(&ended).await;
        Ok(rules)
    }

    /// The policy in force, for those who judge by it.
    pub fn policy(&self) -> &Arc<ArcSwap<Policy>> {
        &self.policy
    }

    /// All rules that hold now, the next to end first.
    pub fn list(&self) -> Vec<TemporaryRule> {
        let now = now();
        let mut rules: Vec<_> = self.policy.load().rules().iter().filter(|rule| rule.until > now).cloned().collect();
        rules.sort_by(|one, other| (one.until, &one.id).cmp(&(other.until, &other.id)));
        rules
    }

    /// Adds a rule. It holds when this returns.
    pub async fn add(&self, wish: Wish, by: &Subject) -> Result<(TemporaryRule, Vec<Diagnostic>), RuleFault> {
        let _turn = self.turn.lock().await;
        self.fits(&wish)?;
        let policy = self.policy.load_full();
        let (rule, warnings) = (self.read)(&policy, &wish.rule).map_err(RuleFault::Faulty)?;
        let since = now();
        let rule = TemporaryRule {
            id: new_id(),
            rule,
            reason: wish.reason,
            added_by: by.user.clone(),
            since,
            until: since.saturating_add(wish.lasts.as_secs()),
        };
        let rules = policy.rules().iter().cloned().chain([rule.clone()]).collect();
        let with_it = compile(policy, rules).await.map_err(RuleFault::Policy)?;
        let kept = rule.clone();
        self.state.with(move |db| kept::add(db, &kept)).await?;
        self.policy.store(Arc::new(with_it));
        self.changed.notify_one();
        Ok((rule, warnings))
    }

    /// Ends a rule before its time.
    pub async fn remove(&self, id: &str) -> Result<TemporaryRule, RuleFault> {
        let _turn = self.turn.lock().await;
        let policy = self.policy.load_full();
        let id = id.strip_prefix("rules/").unwrap_or(id);
        let found = policy.rules().iter().find(|rule| rule.id == id && rule.until > now()).cloned();
        let rule = found.ok_or_else(|| RuleFault::Unknown(id.to_owned()))?;
        let rules = policy.rules().iter().filter(|other| other.id != rule.id).cloned().collect();
        let without = compile(policy, rules).await.map_err(RuleFault::Policy)?;
        let id = rule.id.clone();
        self.state.with(move |db| kept::remove(db, &id)).await?;
        self.policy.store(Arc::new(without));
        self.changed.notify_one();
        Ok(rule)
    }

    /// Puts a policy that was taken again in force, with the temporary rules of now; what it was before and is now.
    pub async fn take(&self, policy: Policy) -> Result<(Arc<Policy>, Arc<Policy>), Diagnostics> {
        let _turn = self.turn.lock().await;
        let before = self.policy.load_full();
        let rules = before.rules().to_vec();
        let policy = if rules.is_empty() { policy } else { compile(Arc::new(policy), rules).await? };
        let policy = Arc::new(policy);
        self.policy.store(Arc::clone(&policy));
        Ok((before, policy))
    }

    /// Takes out rules as they end, for ever.
    pub async fn run(&self) {
        loop {
            let next = self.policy.load().rules().iter().map(|rule| rule.until).min();
            let wait = next.map_or(LONGEST_SLEEP, until).clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.changed.notified() => continue,
            }
            if let Err(faults) = self.end().await {
                // They have no effect any more: their end is a condition of their policies.
                tracing::error!("temporary rules that ended cannot be taken out of the policy: {faults}");
                tokio::time::sleep(LONGEST_SLEEP).await;
            }
        }
    }

    async fn end(&self) -> Result<(), Diagnostics> {
        let _turn = self.turn.lock().await;
        let (policy, now) = (self.policy.load_full(), now());
        let (lasting, ended): (Vec<_>, Vec<_>) = policy.rules().iter().cloned().partition(|rule| rule.until > now);
        if ended.is_empty() {
            return Ok(());
        }
        self.policy.store(Arc::new(compile(policy, lasting).await?));
        self.forget(&ended).await;
        Ok(())
    }

    /// Takes what ended out of the state, and records it. What cannot be taken out is, at the next start.
    async fn forget(&self, ended: &[TemporaryRule]) {
        for rule in ended {
            let id = rule.id.clone();
            if let Err(error) = self.state.with(move |db| kept::remove(db, &id)).await {
                tracing::error!("temporary rule {} has ended and is still kept: {error}", rule.id);
            }
            tracing::info!("temporary rule {} has ended: {}", rule.id, rule.rule);
            let version = Some(self.policy.load().version().to_owned());
            let record = Administration::done("rules end", None, Some(described(rule)));
            self.records.note(&Administration { policy_version: version, ..record });
        }
    }

    /// What can be said of a rule before it is read.
    fn fits(&self, wish: &Wish) -> Result<(), RuleFault> {
        let Limits { temporary_rules: most, temporary_time: longest, .. } = self.limits;
        let unfit = |sentence: String| Err(RuleFault::Unfit(sentence));
        if wish.lasts.as_secs() == 0 {
            return unfit("a temporary rule lasts a second or more".to_owned());
        }
        if wish.lasts > longest {
            let days = longest.as_secs().wrapping_div(86_400);
            return unfit(format!(
                "a temporary rule lasts {days} days at most (limits.temporary_time); what should last longer belongs \
                 into the configuration file"
            ));
        }
        if self.list().len() >= most {
            return unfit(format!(
                "there are {most} temporary rules, which is the most (limits.temporary_rules); remove one"
            ));
        }
        if wish.rule.len() > LONGEST_RULE {
            return unfit(format!("the rule is longer than {LONGEST_RULE} bytes"));
        }
        if wish.reason.chars().count() > LONGEST_REASON || wish.reason.chars().any(char::is_control) {
            return unfit(format!("a reason is one line of {LONGEST_REASON} characters at most"));
        }
        Ok(())
    }
}

/// A rule as it is recorded.
pub(crate) fn described(rule: &TemporaryRule) -> Value {
    let TemporaryRule { id, rule: text, reason, added_by, .. } = rule;
    let (since, until) = (rule.begin(), rule.end());
    json!({ "id": id, "rule": text, "reason": reason, "added_by": added_by, "since": since, "until": until })
}

/// Compiling would hold up a thread that serves.
async fn compile(policy: Arc<Policy>, rules: Vec<TemporaryRule>) -> Result<Policy, Diagnostics> {
    let work = tokio::task::spawn_blocking(move || policy.with_rules(rules));
    work.await.unwrap_or_else(|error| Err(Diagnostics::sentence(&format!("compiling ended by itself: {error}"))))
}

impl From<Diagnostics> for OpenError {
    fn from(faults: Diagnostics) -> Self {
        OpenError::Faulty(faults)
    }
}

/// Short enough to be typed; in records it stands beside its time.
fn new_id() -> String {
    let ulid = Ulid::generate().to_string().to_lowercase();
    ulid.get(ulid.len().saturating_sub(8)..).unwrap_or(&ulid).to_owned()
}

/// In whole seconds since 1970: so are the ends of rules.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// From now to a moment.
fn until(moment: u64) -> Duration {
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(moment)).unwrap_or(UNIX_EPOCH);
    moment.duration_since(SystemTime::now()).unwrap_or_default()
}

/// The clock may be set: it is looked at now and then.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);
const LONGEST_RULE: usize = 4096;
const LONGEST_REASON: usize = 200;
