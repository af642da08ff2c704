//! Takes out of a client's output what differs between any two runs: ids, times, ages, our own folders.

use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"([A-Z2-7]{4}:){11}[A-Z2-7]{4}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<daemon>"),
        (r"[0-9a-f]{64}", "<id>"),
        (r"\b[0-9a-f]{12}\b", "<short>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-]\d\d:?\d\d)?( [A-Z]+)?", "<time>"),
        (r"(About |Less than )?(an?|\d+) (second|minute|hour)s?( ago)?", "<age>"),
        (r"\b\d\d:\d\d(:\d\d)?\b", "<clock>"),
        (r#""(StartedAt|FinishedAt|Created|CreatedAt|LastTagTime|time|timeNano|Start|End)": ?("[^"]*"|\d+)"#, "<$1>"),
        (r"(Pid|pid)(&#34;|\x22)?: ?\d+", "<pid>"),
        (r"PID\s+\d+|^\d+\s", "<pid> "),
        (r"/tmp/[A-Za-z0-9_./-]*", "<path>"),
        // what `script` types for an input that has ended, echoed at some moment or other
        (r"\^[@D](\x08\x08)?", ""),
        // the CLI tells of its own haste, or not
        (r#"(?m)^time="[^"]*" level=error msg="error waiting for container: (context canceled)?"\n"#, ""),
        (r"[ \t]+", " "),
        (r"(?m) $", ""),
        (r"-{3,}", "---"),
    ]
    .map(|(rule, by)| (Regex::new(rule).expect("a regular expression"), by))
    .into()
});

/// The label by which the firewall says whose a thing is; a build makes it in a step of its own.
static OWNER: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?m)^Step \d+/\d+ : LABEL dockwarden\.owner=.*\n(( ---> |Removing ).*\n)*", ""),
        (r"Step (\d+)/\d+ :", "Step $1 :"),
        (r#"(?m)^ *"dockwarden\.(owner|record)": "[^"]*",?\n"#, ""),
        (r"'dockwarden\.(owner|record)': '[^']*'(, )?", ""),
        (r"\{\s*\n\s*\}", "{}"),
        (r#""Labels": null"#, r#""Labels": {}"#),
        (r",\n( *)\}", "\n$1}"),
    ]
    .map(|(rule, by)| (Regex::new(rule).expect("a regular expression"), by))
    .into()
});

static NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+(\.\d+)?").expect("a regular expression"));

/// An output without what differs by nature; `places` are folders that are ours alone.
pub fn normal(text: &str, places: &[&Path]) -> String {
    let mut text = text.replace("\r\n", "\n");
    for place in places {
        text = text.replace(&place.display().to_string(), "<place>");
    }
    text = sort_words(&text, "Runtimes: ");
    for (rule, by) in RULES.iter().chain(OWNER.iter()) {
        text = rule.replace_all(&text, *by).into_owned();
    }
    text
}

/// Sorts the words of lines that begin so: the daemon's maps have no order.
fn sort_words(text: &str, begin: &str) -> String {
    let sorted = text.split('\n').map(|line| match line.trim_start().strip_prefix(begin) {
        Some(words) => {
            let mut words: Vec<_> = words.split_whitespace().collect();
            words.sort_unstable();
            format!("{begin}{}", words.join(" "))
        }
        None => line.to_owned(),
    });
    sorted.collect::<Vec<_>>().join("\n")
}

/// The same without any number: for statistics, process lists and sizes that move.
pub fn without_numbers(text: &str) -> String {
    NUMBERS.replace_all(text, "<n>").into_owned()
}
