//! Findings for people and for programs.

use serde_json::{Value, json};

use super::finding::{BENCHMARK, Finding, Severity};
use super::host::Host;

/// For people: by severity, and a last line that counts.
pub fn for_people(host: &Host, findings: &[Finding], coloured: bool) -> String {
    let mut text = format!("{}Numbers after CIS are those of the {BENCHMARK}.\n", head(host));
    for severity in [Severity::Critical, Severity::Warning, Severity::Note] {
        let of_severity: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == severity).collect();
        if of_severity.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}\n", painted(&heading(severity), severity, coloured)));
        for finding in of_severity {
            text.push_str(&paragraph(finding));
        }
    }
    text.push_str(&format!("\n{}\n", last_line(findings)));
    text
}

/// For programs: one object.
pub fn for_programs(host: &Host, findings: &[Finding]) -> Value {
    let (version, error) = match &host.daemon {
        Ok(daemon) => (Some(daemon.version.as_str()), None),
        Err(error) => (None, Some(error.as_str())),
    };
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    json!({
        "daemon": { "version": version, "error": error },
        "benchmark": BENCHMARK,
        "findings": findings,
        "critical": count(Severity::Critical),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
    })
}

/// What was looked at.
fn head(host: &Host) -> String {
    match &host.daemon {
        Ok(daemon) => {
            let mut text = format!("Docker {}, its files and what it says\n", plain(&daemon.version));
            for unsaid in &daemon.unsaid {
                text.push_str(&format!("not seen: {}\n", plain(unsaid)));
            }
            text
        }
        Err(error) => format!("Only files were looked at; the daemon was not: {}\n", plain(error)),
    }
}

fn paragraph(finding: &Finding) -> String {
    let Finding { id, title, seen, why, remedy, benchmark, .. } = finding;
    let mark = benchmark.map_or_else(String::new, |number| format!(", CIS {number}"));
    let mut text = format!("\n  {title}  [{id}{mark}]\n");
    for seen in seen {
        let place = seen.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
        text.push_str(&wrapped(&format!("{place}{}", seen.what), "    - ", "      "));
    }
    text.push_str(&wrapped(why, "    ", "    "));
    text.push_str(&wrapped(remedy, "    > ", "      "));
    text
}

fn last_line(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let many = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
    let counts = format!(
        "{} critical, {}, {}.",
        count(Severity::Critical),
        many(count(Severity::Warning), "warning"),
        many(count(Severity::Note), "note"),
    );
    match findings.iter().filter(|finding| !finding.edits.is_empty()).count() {
        0 => counts,
        fixable => format!("{counts} `dockwarden doctor --fix` shows changes for {fixable} of them."),
    }
}

fn heading(severity: Severity) -> String {
    severity.word().to_uppercase()
}

fn painted(text: &str, severity: Severity, coloured: bool) -> String {
    let colour = match severity {
        Severity::Critical => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    if coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Lines of a bearable width; the first begins otherwise than the rest.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in plain(text).split_whitespace() {
        let length = line.chars().count().saturating_add(word.chars().count());
        if !is_empty && length >= WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    format!("{lines}{}\n", line.trim_end())
}

/// Without what would move a terminal's cursor: paths and names may be an attacker's.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

const WIDTH: usize = 100;
