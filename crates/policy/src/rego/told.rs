//! How a decision came about, for those who write policies: the document, what the policy printed, the rules that held.
//!
//! As docker-socket-firewall showed it, but that nothing secret is in it: see [`super::redact`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::unstable::{Ref, Rule};
use serde::Serialize;
use serde_json::Value as Json;

use super::evaluate::{Evaluated, Verdict};
use super::graph::path_of;
use super::{Entry, Rego, redact};

/// How one decision came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegoTold {
    /// The rule that was asked.
    pub rule: String,
    /// The input document, without secrets.
    pub input: Json,
    /// What the policy printed or noted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prints: Vec<String>,
    /// What it came to: `true`, `is false`.
    pub decision: String,
    /// The definitions of the rule that held, `authz.rego:3`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<String>,
    /// Those that did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// As docker-socket-firewall wrote it.
impl fmt::Display for RegoTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "querying {}, input: {:#}", self.rule, self.input)?;
        self.prints.iter().try_for_each(|print| writeln!(f, "{print}"))?;
        write!(f, "decision: {}", self.decision)?;
        if !self.held.is_empty() {
            write!(f, " (by {})", self.held.join(", "))?;
        }
        Ok(())
    }
}

impl Rego {
    pub(super) fn told(&self, entry: &Entry, document: Json, evaluated: Evaluated) -> RegoTold {
        let Evaluated { verdict, prints, engine } = evaluated;
        let (input, secrets) = redact::document(document);
        let decision = match verdict {
            Verdict::Yes => "true".to_owned(),
            Verdict::No(reason) => reason,
            Verdict::Failed(error) => format!("error: {error}"),
        };
        let (held, failed) = definitions(entry, engine);
        let prints = prints.into_iter().map(|print| secrets.hide(&print)).collect();
        let decision = secrets.hide(&decision);
        RegoTold { rule: entry.path.to_string(), input, prints, decision, held, failed }
    }
}

/// Which definitions of a rule are true by themselves, and which are not.
fn definitions(entry: &Entry, mut engine: regorus::Engine) -> (Vec<String>, Vec<String>) {
    let (mut held, mut failed) = (Vec::new(), Vec::new());
    let modules = engine.get_modules().clone();
    for module in &modules {
        for rule in &module.policy {
            if !matches!(rule.as_ref(), Rule::Spec { .. }) || path_of(module, rule) != *entry.path {
                continue;
            }
            let evaluated = catch_unwind(AssertUnwindSafe(|| engine.clone().eval_rule_in_module(module, rule, false)));
            let is_true = evaluated.is_ok_and(|data| data.is_ok_and(|data| at(data, &entry.path)));
            if is_true { &mut held } else { &mut failed }.push(place(rule));
        }
    }
    (held, failed)
}

/// Whether the data hold `true` there.
fn at(data: regorus::Value, path: &str) -> bool {
    let steps = path.split('.').skip(1);
    let found = steps.fold(data, |value, step| value[step].clone());
    found == regorus::Value::Bool(true)
}

/// `authz.rego:3`
pub(super) fn place(rule: &Ref<Rule>) -> String {
    let span = rule.span();
    format!("{}:{}", span.source.file(), span.line)
}
