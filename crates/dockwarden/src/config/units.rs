//! Sizes and times as people write them: `16MiB`, `64k`, `10s`, `1m30s`.

use std::time::Duration;

pub use docker::written::size;

/// A time, in one or more parts. A number without a unit could be anything, so it is refused.
pub fn duration(text: &str) -> Result<Duration, &'static str> {
    const SAY: &str = "a time is a number with a unit, such as `500ms`, `10s`, `2m` or `1h`";
    let mut rest = text;
    let mut whole = Duration::ZERO;
    while !rest.is_empty() || whole.is_zero() {
        let (number, unit_and_rest) = number_and_unit(rest).ok_or(SAY)?;
        let end = unit_and_rest.find(|c: char| c.is_ascii_digit()).unwrap_or(unit_and_rest.len());
        let (unit, after) = unit_and_rest.split_at_checked(end).ok_or(SAY)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(SAY),
        };
        let part = number.checked_mul(milliseconds).filter(|part| *part <= LONGEST).ok_or(TOO_LONG)?;
        whole = whole.checked_add(Duration::from_millis(part)).ok_or(TOO_LONG)?;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    Ok(whole)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A hundred years, in milliseconds: what is longer overflows clocks.
const LONGEST: u64 = 100 * 365 * 86_400_000;
const TOO_LONG: &str = "that is longer than a hundred years";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1m30s", 90_000), ("1h", 3_600_000), ("0s", 0)];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "10", "s", "1x", "1m30", "-1s", "1.5s", "999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
