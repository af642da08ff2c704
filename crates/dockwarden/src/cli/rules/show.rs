//! Temporary rules for people and for programs.

use std::time::{SystemTime, UNIX_EPOCH};

use policy::TemporaryRule;
use serde_json::json;

use crate::talk;

/// All of them, one a line under a head.
pub fn table(rules: &[TemporaryRule]) -> String {
    if rules.is_empty() {
        return "no temporary rules".to_owned();
    }
    let head = ["ID", "UNTIL", "LEFT", "BY", "RULE", "REASON"].map(str::to_owned);
    let row = |rule: &TemporaryRule| {
        let TemporaryRule { id, rule: text, reason, added_by, until, .. } = rule;
        [id.clone(), rule.end(), short(left(*until)), added_by.clone(), text.clone(), reason.clone()]
    };
    talk::columns(std::iter::once(head).chain(rules.iter().map(row)))
}

/// One JSON object a line.
pub fn lines(rules: &[TemporaryRule]) -> String {
    rules.iter().map(as_json).collect::<Vec<_>>().join("\n")
}

/// One rule for programs.
pub fn as_json(rule: &TemporaryRule) -> String {
    let TemporaryRule { id, rule: text, reason, added_by, since: _, until } = rule;
    json!({
        "id": id,
        "rule": text,
        "added_by": added_by,
        "since": rule.begin(),
        "until": rule.end(),
        "remaining_seconds": left(*until),
        "reason": reason,
    })
    .to_string()
}

/// Seconds from now.
fn left(until: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    until.saturating_sub(now)
}

/// The two largest units: `2d 3h`, `29m 59s`.
pub fn short(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds.wrapping_div(60), seconds.wrapping_div(3600), seconds.wrapping_div(86_400));
    let (hour, minute, second) = (hours.wrapping_rem(24), minutes.wrapping_rem(60), seconds.wrapping_rem(60));
    let shown: Vec<String> = [(days, "d"), (hour, "h"), (minute, "m"), (second, "s")]
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}
