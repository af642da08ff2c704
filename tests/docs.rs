//! `docs/clients.md` is made from the scenarios: `UPDATE_DOCS=1 cargo test --release -p dockwarden docs` writes it,
//! without that the test compares. `docs/attacks.md` is written by hand; what it names as proof must be there.

use crate::harness::repository;
use crate::scenarios::{ALL, DEVELOPER, Expect, Scenario};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

const HEAD: &str = "# Clients through the firewall\n\n\
What ordinary clients do, run live on a daemon of its own twice: without the firewall, and through it with preset\n\
`developer`, or with the policies that are told. This page is made from the tests (`tests/scenarios`), which check every line of it on Docker 20.10\n\
(`make test`) and 28.5 (`make test-engines`).\n\n\
- **same**: exit status, stdout and stderr are equal, but for ids and times.\n\
- **alike**: equal but for numbers that move by themselves, such as loads and process ids.\n\
- **refused**: the policy means to refuse it; the client shows a message that names what is in quotes.\n";

#[test]
fn clients_md_says_what_the_tests_do() {
    let path = repository().join("docs/clients.md");
    let made = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).expect("docs/clients.md");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "docs/clients.md is not what the scenarios say: run with UPDATE_DOCS=1");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for scenario in ALL {
        section(&mut page, scenario);
    }
    page
}

fn section(page: &mut String, scenario: &Scenario) {
    let Scenario { name, client, policies, steps } = scenario;
    let with = if *policies == DEVELOPER { String::new() } else { format!(", with {}", policies.join(" and ")) };
    writeln!(page, "\n## {name}\n\n{}{with}\n\n| command | outcome |\n|---|---|", client.title()).expect("a string");
    for step in *steps {
        let outcome = match step.expect {
            Expect::Same | Expect::Works => "same".to_owned(),
            Expect::SameUnlessPreset(preset, words) => format!("same; preset `{preset}` refuses it, \"{words}\""),
            Expect::Alike => "alike".to_owned(),
            Expect::ById(name) => format!("same, with the id for `{name}`"),
            Expect::Refused("") => "refused (this client hides the message)".to_owned(),
            Expect::Refused(words) => format!("refused, \"{words}\""),
        };
        let line: Vec<_> = step.line.split_whitespace().collect();
        writeln!(page, "| `{}` | {outcome} |", line.join(" ").replace('|', "\\|")).expect("a string");
    }
}

/// Every entry has a proof, and each name in it is a case of the public corpus or a test.
#[test]
fn attacks_md_names_cases_and_tests_that_are_there() {
    let page = fs::read_to_string(repository().join("docs/attacks.md")).expect("docs/attacks.md");
    let mut known = cases();
    tests_below(&repository().join("crates"), &mut known);
    tests_below(&repository().join("tests"), &mut known);
    let entries: Vec<&str> = page.split("\n## ").flat_map(|chapter| chapter.split("\n### ").skip(1)).collect();
    assert!(!entries.is_empty(), "docs/attacks.md has no entries");
    for entry in entries {
        let title = entry.lines().next().unwrap_or_default();
        let proof = entry.split_once("**Proof:**").map_or("", |(_, proof)| proof);
        let names: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "docs/attacks.md proves nothing of \"{title}\"");
        for name in names {
            assert!(known.contains(name), "docs/attacks.md, \"{title}\": there is no case and no test `{name}`");
        }
    }
}

/// The ids of the public corpus.
fn cases() -> BTreeSet<String> {
    let packed = repository().join("tests/corpus/cases-public.jsonl.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip");
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    let text = String::from_utf8(unpacked.stdout).expect("UTF-8");
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["id"].as_str().map(str::to_owned);
    text.lines().map(|line| id(line).expect("a case with an id")).collect()
}

/// The names of the tests in all files of a folder and below.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(tests_in(&fs::read_to_string(&path).expect("a source file")).map(str::to_owned));
        }
    }
}

/// Functions right below a test attribute, and the entries of macros that make such functions out of `$test:ident`.
fn tests_in(source: &str) -> impl Iterator<Item = &str> {
    let functions = source.lines().zip(source.lines().skip(1)).filter_map(|(above, line)| {
        let is_test = above.trim_start().starts_with("#[") && above.ends_with("test]");
        let name = line.trim_start().trim_start_matches("async ").strip_prefix("fn ")?.split_once('(')?.0;
        is_test.then_some(name)
    });
    let entries = source.lines().filter(|_| source.contains("$test:ident")).filter_map(|line| {
        let name = line.strip_prefix("    ")?.split_once(':')?.0;
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_').then_some(name)
    });
    functions.chain(entries)
}
