//! Temporary rules in the state, as they were given.

use policy::TemporaryRule;
use rusqlite::{Row, Transaction, params};

/// Keeps one.
pub(super) fn add(db: &Transaction<'_>, rule: &TemporaryRule) -> rusqlite::Result<usize> {
    let (since, until) = (seconds(rule.since), seconds(rule.until));
    db.execute(
        "INSERT INTO rules (id, rule, reason, added_by, since, until) VALUES (?, ?, ?, ?, ?, ?)",
        params![rule.id, rule.rule, rule.reason, rule.added_by, since, until],
    )
}

/// Keeps one no longer.
pub(super) fn remove(db: &Transaction<'_>, id: &str) -> rusqlite::Result<usize> {
    db.execute("DELETE FROM rules WHERE id = ?", [id])
}

/// All that are kept, those that have ended meanwhile among them.
pub(super) fn all(db: &Transaction<'_>) -> rusqlite::Result<Vec<TemporaryRule>> {
    let mut statement = db.prepare("SELECT id, rule, reason, added_by, since, until FROM rules ORDER BY since, id")?;
    let rule = |row: &Row<'_>| {
        Ok(TemporaryRule {
            id: row.get(0)?,
            rule: row.get(1)?,
            reason: row.get(2)?,
            added_by: row.get(3)?,
            since: row.get::<_, i64>(4)?.try_into().unwrap_or_default(),
            until: row.get::<_, i64>(5)?.try_into().unwrap_or_default(),
        })
    };
    statement.query_map([], rule)?.collect()
}

pub(super) fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
