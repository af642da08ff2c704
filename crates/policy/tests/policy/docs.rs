//! Tables in docs/ are made from the product, and compared.

use policy::Policy;

use crate::presets;

/// The text between two markers of a document of docs/.
pub fn compare(document: &str, name: &str, text: &str) {
    let path = format!("{}/../../docs/{document}", env!("CARGO_MANIFEST_DIR"));
    let whole = std::fs::read_to_string(&path).unwrap();
    let (start, end) = (
        format!("<!-- {name}: made by `cargo test -p policy` with UPDATE=1 -->\n"),
        format!("<!-- end of {name} -->\n"),
    );
    let (before, rest) = whole.split_once(&start).expect("the start of the table");
    let (table, after) = rest.split_once(&end).expect("the end of the table");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{start}{text}{end}{after}")).unwrap();
    } else {
        assert_eq!(table, text, "{path} (UPDATE=1 writes it anew)");
    }
}

#[test]
fn the_actions_are_in_the_docs() {
    let schema = Policy::schema();
    let mut operations = "| operation | groups | resources |\n|---|---|---|\n".to_owned();
    let mut privileges =
        "| privilege | resources | in its context beside the circumstances |\n|---|---|---|\n".to_owned();
    let lines: Vec<&str> = schema.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("  appliesTo")) {
        // `show` is in no group: docs/answers.md tells of it.
        let Some((name, groups)) = pair[0].strip_prefix("action ").unwrap().split_once(" in ") else { continue };
        let groups = groups.trim_matches(['[', ']']).replace('"', "");
        let (_, resources) = pair[1].split_once("resource: [").unwrap();
        let (resources, context) = resources.split_once("], context: { ").unwrap();
        if groups == "privilege" {
            let (_, own) = context.split_once("container?: Container").unwrap();
            let own = own.trim_end_matches(" } };").trim_start_matches(", ");
            let own = if own.is_empty() { String::new() } else { format!("`{own}`") };
            privileges.push_str(&format!("| `{name}` | {resources} | {own} |\n"));
        } else {
            operations.push_str(&format!("| `{name}` | {groups} | {resources} |\n"));
        }
    }
    compare("policy.md", "privileges", &privileges);
    compare("policy.md", "operations", &operations);
}

#[test]
fn what_presets_grant_is_in_the_docs() {
    let mut table = format!("| | {} |\n|---|{}\n", presets::NAMES.join(" | "), "---|".repeat(presets::NAMES.len()));
    for (case, signs) in presets::granted() {
        let signs: Vec<&str> = signs.iter().map(|granted| if *granted { "yes" } else { "·" }).collect();
        table.push_str(&format!("| {} | {} |\n", case.replace('|', "\\|").replace('*', "\\*"), signs.join(" | ")));
    }
    compare("presets.md", "table", &table);
}
