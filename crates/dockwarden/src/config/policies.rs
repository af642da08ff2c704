//! Sections `policy:`, `groups:`, `defaults:`, `quotas:` and `redact:`, and the files of policies that they and the
//! flags name.
//!
//! What is in them is judged by the policy crate, which opens no files: they are read here.

use std::path::{Path, PathBuf};

use policy::source::Node;
use policy::{Diagnostic, NamedText, PolicySection, Sources};
use serde_saphyr::Spanned;

use super::file::{ConfigFile, Field, Fields};
use super::{Wishes, container_defaults, globs, groups, quotas, rego};

/// Everything that the policy is made of.
pub fn sources(file: &mut ConfigFile, fields: &Fields<'_>, wishes: &Wishes) -> (Sources, Vec<PathBuf>) {
    let of_policy = fields.get("policy").filter(|field| matches!(field.value.value, Node::Map(_)));
    let of_rego = of_policy.and_then(|field| file.field_of(field, "rego"));
    let rego::Read { sources: rego, from } = rego::read(file, of_rego, wishes);
    let policy = fields.get("policy").map(|field| section(file, field)).unwrap_or_default();
    let mut policies = Vec::new();
    for pattern in &policy.cedar {
        match globs::expand(&file.beside(Path::new(&pattern.value))) {
            Ok(files) => {
                for path in files {
                    match text(&path) {
                        Ok(text) => policies.push(text),
                        Err(problem) => file.fault(pattern.referenced, problem),
                    }
                }
            }
            Err(error) => file.fault(pattern.referenced, error.to_string()),
        }
    }
    for path in &wishes.policies {
        match text(path) {
            Ok(text) => policies.push(text),
            Err(problem) => file.faults.push(Diagnostic::at(&NamedText::default(), 0, 0, problem)),
        }
    }
    let groups = groups::read(file, fields.get("groups"));
    let defaults = container_defaults::read(file, fields.get("defaults"));
    let quotas = quotas::read(file, fields.get("quotas"));
    let redact = fields.get("redact").map(|field| field.value.clone());
    let (file, preset) = (file.named.clone(), wishes.preset.clone());
    (Sources { file, policy, preset, policies, groups, defaults, quotas, rego, redact }, from)
}

/// The patterns of all files that are read: the configuration's own, and those of policies.
pub fn read_from(
    file: &ConfigFile,
    own: Option<&Path>,
    sources: &Sources,
    of_rego: Vec<PathBuf>,
    wishes: &Wishes,
) -> Vec<PathBuf> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let named = sources.policy.cedar.iter().map(|pattern| file.absolute(Path::new(&pattern.value)));
    let flags = wishes.policies.iter().map(|path| absolute(path));
    own.map(absolute).into_iter().chain(named).chain(of_rego).chain(flags).collect()
}

/// All Cedar texts, the preset's by the name that it has in diagnostics.
pub fn texts(sources: Sources, preset: &str) -> Vec<NamedText> {
    let of_preset = policy::presets().filter(|(name, _)| *name == preset);
    let of_preset = of_preset.map(|(name, text)| NamedText { name: format!("preset {name}"), text: text.to_owned() });
    of_preset.chain(sources.policies).collect()
}

/// The section, as far as it is for us to check: its keys, and that lists are lists.
fn section(file: &mut ConfigFile, section: Field<'_>) -> PolicySection {
    let fields = file.fields(section.value, "`policy`", &["preset", "mode", "rules", "cedar", "rego"]);
    let mut list = |name| fields.get(name).map(|field| file.items(field)).unwrap_or_default();
    let (rules, cedar) = (list("rules").to_vec(), list("cedar"));
    let mut word =
        |node: &Spanned<Node>, what: &str| Some(Spanned::new(file.word(node, what)?, node.referenced, node.defined));
    PolicySection {
        preset: fields.get("preset").and_then(|field| word(field.value, "`preset`")),
        mode: fields.get("mode").and_then(|field| word(field.value, "`mode`")),
        rules,
        cedar: cedar.iter().filter_map(|item| word(item, "a file of policies")).collect(),
    }
}

fn text(path: &Path) -> Result<NamedText, String> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(NamedText { name, text }),
        Err(error) => Err(format!("cannot read the policies in `{name}`: {error}")),
    }
}
