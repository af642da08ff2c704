//! The context that every question of a request shares.
//!
//! Dates, addresses and decimals are dear to make (5 µs each): they are put into the context only when
//! some policy looks at them.

use std::time::{SystemTime, UNIX_EPOCH};

use cedar_policy::{Context, EntityUid, RestrictedExpression};
use docker::facts::{Facts, Spec};

use crate::decision::Circumstances;
use crate::entities::{Attributes, address, boolean, long, string, strings};
use crate::judge::Fault;
use crate::looks::Looks;
use crate::{Proof, Subject};

/// The shared context. `container` is the container that the operation is done to.
pub(crate) fn context(
    subject: &Subject,
    facts: &Facts,
    circumstances: &Circumstances,
    container: Option<EntityUid>,
    looks: Looks,
) -> Result<Context, Fault> {
    let mut attributes = vec![
        string("door", circumstances.door.name()),
        string("proof", proof(&subject.proof)),
        string("operation", facts.operation.name()),
    ];
    if looks.at_marks {
        attributes.push(strings("marks", facts.marks.iter().copied()));
    }
    if looks.at_time {
        attributes.push(("time".to_owned(), RestrictedExpression::new_datetime(timestamp(circumstances.time))));
    }
    if let Some(version) = facts.version.filter(|_| looks.at_version) {
        attributes.push(("apiVersion".to_owned(), RestrictedExpression::new_decimal(version.to_string())));
    }
    if let Some(from) = subject.address.filter(|_| looks.at_address) {
        attributes.push(address("address", from));
    }
    if let Some(spec) = facts.spec.as_ref().filter(|_| looks.at_spec) {
        attributes.push(("spec".to_owned(), RestrictedExpression::new_record(describe(spec)).map_err(Box::new)?));
    }
    if let Some(container) = container {
        attributes.push(("container".to_owned(), RestrictedExpression::new_entity_uid(container)));
    }
    Ok(Context::from_pairs(attributes).map_err(Box::new)?)
}

/// The name of a proof in policies.
pub(crate) fn proof(proof: &Proof) -> &'static str {
    match proof {
        Proof::PeerCredentials { .. } => "peer-credentials",
        Proof::Certificate { .. } => "certificate",
        Proof::Address => "address",
        Proof::Nothing => "nothing",
    }
}

fn describe(spec: &Spec) -> Attributes {
    let labels: Vec<String> = spec.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    vec![
        string("name", &spec.name),
        string("image", &spec.image),
        long("memory", spec.memory),
        long("nanoCpus", spec.nano_cpus),
        long("pids", spec.pids),
        long("shmSize", spec.shm_size),
        boolean("readOnlyRoot", spec.read_only),
        boolean("noNewPrivileges", spec.no_new_privileges),
        strings("droppedCapabilities", spec.dropped_capabilities.iter().map(String::as_str)),
        string("network", &spec.network),
        string("restart", &spec.restart),
        strings("labels", labels.iter().map(String::as_str)),
        strings("labelKeys", spec.labels.keys().map(String::as_str)),
        strings("environment", spec.environment.iter().map(String::as_str)),
        strings("variables", spec.variables.0.iter().map(String::as_str)),
    ]
}

/// A moment as Cedar reads it: `2026-11-22T10:11:12Z`. What is before 1970 counts as 1970.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970. Counts in years that begin in March, so that the leap day
/// is the last (Howard Hinnant, "chrono-compatible low-level date algorithms").
#[allow(clippy::arithmetic_side_effects, reason = "small numbers: a u64 of seconds is less than 2^48 days")]
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_written_as_cedar_reads_them() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_345_872), "2026-11-22T11:11:12Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
