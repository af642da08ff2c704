//! One evaluation, within bounds.
//!
//! The engine stops loops by its timer; what its builtins might do in one go is bounded beforehand ([`super::builtins`]).
//! It is told not to print, and what panics in it is an error like any other.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, LimitError, Value};

use super::{Entry, Rego, fault};

/// The longest that a decision may take. One takes less than a thousandth of it.
const LONGEST: Duration = Duration::from_millis(500);

/// How often the clock is looked at, in steps.
const STEPS: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// What came of it.
pub(super) enum Verdict {
    Yes,
    /// `is false`
    No(String),
    /// Why it could not be evaluated.
    Failed(String),
}

/// A verdict, and what the policy said on its way.
pub(super) struct Evaluated {
    pub verdict: Verdict,
    pub prints: Vec<String>,
    /// The engine, to find out which rules held.
    pub engine: Engine,
}

/// The time that one evaluation may take.
pub(super) fn timer() -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: LONGEST, check_interval: STEPS }
}

impl Rego {
    pub(super) fn evaluate(&self, entry: &Entry, input: Value, time: SystemTime) -> Evaluated {
        let mut engine = self.engine.clone();
        let notes: Arc<Mutex<Vec<String>>> = Arc::default();
        self.moment(&mut engine, time, &notes);
        engine.set_input(input);
        let evaluated = catch_unwind(AssertUnwindSafe(|| engine.eval_rule(entry.path.to_string())));
        let verdict = match evaluated {
            Ok(Ok(value)) => read(&value),
            Ok(Err(error)) => Verdict::Failed(said(&error)),
            Err(_) => Verdict::Failed("it broke off".to_owned()),
        };
        let mut prints = engine.take_prints().unwrap_or_default();
        prints.append(&mut notes.lock().unwrap_or_else(PoisonError::into_inner));
        Evaluated { verdict, prints, engine }
    }

    /// What is another thing each time: the clock, and where notes go.
    fn moment(&self, engine: &mut Engine, time: SystemTime, notes: &Arc<Mutex<Vec<String>>>) {
        // Neither is there twice, so neither can fail.
        if self.looks_at_time {
            let since = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
            let now = Value::from(u64::try_from(since).unwrap_or(u64::MAX));
            let _ = engine.add_extension("time.now_ns".to_owned(), 0, Box::new(move |_| Ok(now.clone())));
        }
        if self.traces {
            let notes = Arc::clone(notes);
            let note = move |arguments: Vec<Value>| {
                let text = arguments.first().and_then(|text| text.as_string().ok()).map(ToString::to_string);
                notes.lock().unwrap_or_else(PoisonError::into_inner).extend(text);
                Ok(Value::from(true))
            };
            let _ = engine.add_extension("trace".to_owned(), 1, Box::new(note));
        }
    }
}

fn read(value: &Value) -> Verdict {
    match value {
        Value::Bool(true) => Verdict::Yes,
        Value::Bool(false) => Verdict::No("is false".to_owned()),
        Value::Undefined => Verdict::No("is undefined: none of its rules holds".to_owned()),
        other => Verdict::No(format!("is {}, and neither true nor false", kind(other))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
        Value::Undefined => "undefined",
    }
}

fn said(error: &anyhow::Error) -> String {
    match error.downcast_ref::<LimitError>() {
        Some(LimitError::TimeLimitExceeded { .. }) => {
            format!("it took longer than {} ms, the most that a decision may take", LONGEST.as_millis())
        }
        _ => fault::sentence(&error.to_string()),
    }
}
