//! The table for people: a heading a trial, a line a quantity, a column a contender, then the ratios.

use std::fmt::Write;

use super::{RATIOS, Row, Run};

const NAME: usize = 34;
const VALUE: usize = 12;
const RATIO: usize = 12;
/// More CPU than this, in percent of a core, for processes outside the trial makes figures doubtful.
const QUIET_PERCENT: f64 = 10.0;
const ABSENT: &str = "-";

/// The whole report as text.
pub fn print(run: &Run, decide: Option<&str>) -> String {
    let ratios: Vec<_> = RATIOS
        .into_iter()
        .filter(|(who, other)| run.contenders.contains(who) && run.contenders.contains(other))
        .collect();
    let mut text = header(run, &ratios);
    let mut trial = "";
    for row in &run.rows {
        if row.trial != trial {
            trial = &row.trial;
            let _ = writeln!(text, "\n{}", row.title);
        }
        text.push_str(&line(row, run, &ratios));
    }
    let _ = write!(text, "\nMedians of {} interleaved rounds.", run.rounds);
    if run.noise() > QUIET_PERCENT {
        text.push_str("\nThe machine was busy with other things: compare with care, or do it again when it is quiet.");
    }
    if let Some(decide) = decide {
        let _ =
            write!(text, "\n\nDecision time, in the product itself (cargo example `decide`)\n{}", decide.trim_end());
    }
    text
}

fn header(run: &Run, ratios: &[(&str, &str)]) -> String {
    let mut first = format!("{:NAME$}", "");
    let mut second = first.clone();
    for who in &run.contenders {
        let _ = write!(first, "{:>VALUE$}", display_name(who));
        let _ = write!(second, "{:VALUE$}", "");
    }
    for (who, other) in ratios {
        let _ = write!(first, "{:>RATIO$}", display_name(who));
        let _ = write!(second, "{:>RATIO$}", format!("/ {}", display_name(other)));
    }
    format!("{first}\n{}\n", second.trim_end())
}

fn line(row: &Row, run: &Run, ratios: &[(&str, &str)]) -> String {
    let mut text = format!("{:NAME$}", format!("  {}, {}", row.quantity.name, row.quantity.unit));
    for who in &run.contenders {
        let value =
            row.median(who).map_or_else(|| ABSENT.to_owned(), |value| format!("{value:.*}", row.quantity.digits));
        let _ = write!(text, "{value:>VALUE$}");
    }
    for (who, other) in ratios {
        let ratio = row.ratio(who, other).map_or_else(|| ABSENT.to_owned(), |ratio| format!("{ratio:.2}x"));
        let _ = write!(text, "{ratio:>RATIO$}");
    }
    text.push('\n');
    text
}

fn display_name(contender: &str) -> &str {
    match contender {
        "none" => "no proxy",
        "haproxy" => "HAProxy",
        "dockwarden" => "Dockwarden",
        other => other,
    }
}
