//! Points in time as RFC 3339 in UTC with milliseconds, the only form that records need.

use serde::{Serialize, Serializer};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time, shown as `2026-11-22T10:57:03.120Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(SystemTime);

impl Timestamp {
    /// The time of the system's clock.
    pub fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A clock before 1970 is a broken clock; its records should still come out.
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs();
        let (year, month, day) = date(seconds.wrapping_div(DAY));
        let second = seconds.wrapping_rem(DAY);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            second.wrapping_div(3600),
            second.wrapping_div(60).wrapping_rem(60),
            second.wrapping_rem(60),
            since.subsec_millis(),
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The Gregorian date of a day counted from 1970-01-01: the era, year and day of Howard Hinnant's
/// `civil_from_days`, in years that begin in March so that the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let day = days.saturating_add(719_468);
    let era = day.wrapping_div(146_097);
    let day = day.wrapping_rem(146_097);
    let leaps = day.wrapping_div(1_460);
    let centuries = day.wrapping_div(36_524);
    let year = day.wrapping_sub(leaps).wrapping_add(centuries);
    let year = year.wrapping_sub(day.wrapping_div(146_096)).wrapping_div(365);
    let before = year.wrapping_mul(365).wrapping_add(year.wrapping_div(4));
    let day = day.wrapping_sub(before.wrapping_sub(year.wrapping_div(100)));
    let month = day.wrapping_mul(5).wrapping_add(2).wrapping_div(153);
    let past = month.wrapping_mul(153).wrapping_add(2).wrapping_div(5);
    let year = era.wrapping_mul(400).wrapping_add(year);
    let day = day.wrapping_sub(past).wrapping_add(1);
    match month {
        0..=9 => (year, month.wrapping_add(3), day),
        _ => (year.wrapping_add(1), month.wrapping_sub(9), day),
    }
}

const DAY: u64 = 86_400;
