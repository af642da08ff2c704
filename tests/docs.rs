//! `docs/clients.md` is made from the scenarios: `UPDATE_DOCS=1 cargo test --release -p dockwarden docs` writes it,
//! without that the test compares.

use crate::harness::repository;
use crate::scenarios::{ALL, Expect, Scenario};
use std::fmt::Write;

const HEAD: &str = "# Clients through the firewall\n\n\
What ordinary clients do, run live on a daemon of its own twice: without the firewall, and through it with preset\n\
`developer`. This page is made from the tests (`tests/scenarios`), which check every line of it on Docker 20.10\n\
(`make test`) and 28.5 (`make test-engines`).\n\n\
- **same**: exit status, stdout and stderr are equal, but for ids and times.\n\
- **alike**: equal but for numbers that move by themselves, such as loads and process ids.\n\
- **refused**: preset `developer` means to refuse it; the client shows a message that names what is in quotes.\n";

#[test]
fn clients_md_says_what_the_tests_do() {
    let path = repository().join("docs/clients.md");
    let made = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).expect("docs/clients.md");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
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
    let Scenario { name, client, steps } = scenario;
    writeln!(page, "\n## {name}\n\n{}\n\n| command | outcome |\n|---|---|", client.title()).expect("a string");
    for step in *steps {
        let outcome = match step.expect {
            Expect::Same => "same".to_owned(),
            Expect::Alike => "alike".to_owned(),
            Expect::ById(name) => format!("same, with the id for `{name}`"),
            Expect::Refused("") => "refused (this client hides the message)".to_owned(),
            Expect::Refused(words) => format!("refused, \"{words}\""),
        };
        let line: Vec<_> = step.line.split_whitespace().collect();
        writeln!(page, "| `{}` | {outcome} |", line.join(" ").replace('|', "\\|")).expect("a string");
    }
}
