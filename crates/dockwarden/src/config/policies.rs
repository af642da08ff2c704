//! Sections `policy:`, `groups:`, `defaults:`, `quotas:` and `redact:`, and the files of policies that they and the
//! flags name.
//!
//! What is in them is judged by the policy crate, which opens no files: they are read here.

use std::path::{Path, PathBuf};

use policy::source::Node;
use policy::{Diagnostic, NamedText, PolicySection, Sources};
use serde_saphyr::Spanned;

use super::bundle::Bundle;
use super::file::{ConfigFile, Field, Fields};
use super::{StateFile, Wishes, checks, container_defaults, globs, groups, quotas, rego, secdocker};

/// What the policy is made of.
pub struct Read {
    /// Everything that is for the policy to read.
    pub sources: Sources,
    /// The checks beside it.
    pub checks: Vec<server::checks::Settings>,
    /// What Rego policies were read from, to be watched.
    pub of_rego: Vec<PathBuf>,
    /// The bundle of Rego policies that was fetched.
    pub bundle: Option<Bundle>,
}

/// Everything that the policy is made of, and the checks beside it.
pub fn sources(file: &mut ConfigFile, fields: &Fields<'_>, wishes: &Wishes, state: &StateFile) -> Read {
    let of_policy = fields.get("policy").map(|field| section(file, field)).unwrap_or_default();
    let Section { policy, checks: checked, rego } = of_policy;
    let checks = checked.map(|field| checks::read(file, field)).unwrap_or_default();
    let rego = rego.map(|field| rego::read(file, field, wishes, state.folder())).unwrap_or_default();
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
    let secdocker = policy.secdocker.as_ref().and_then(|named| secdocker::read(file, named));
    let docksec = docksec(file, &policy, wishes);
    let groups = groups::read(file, fields.get("groups"));
    let defaults = container_defaults::read(file, fields.get("defaults"));
    let quotas = quotas::read(file, fields.get("quotas"));
    let redact = fields.get("redact").map(|field| field.value.clone());
    let (file, preset) = (file.named.clone(), wishes.preset.clone());
    let checked = checked.map(|field| field.value.clone());
    let sources = Sources {
        file,
        policy,
        preset,
        docksec,
        policies,
        secdocker,
        groups,
        defaults,
        quotas,
        rego: rego.sources,
        redact,
        checks: checked,
    };
    Read { sources, checks, of_rego: rego.from, bundle: rego.bundle }
}

/// The file of docksec. The flag wins.
fn docksec(file: &mut ConfigFile, policy: &PolicySection, wishes: &Wishes) -> Option<NamedText> {
    let read = |path: &Path| {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path);
        text.map(|text| NamedText { text, name: name.clone() })
            .map_err(|error| format!("cannot read docksec's file `{name}`: {error}"))
    };
    match (&wishes.docksec, &policy.docksec) {
        (Some(path), _) => {
            read(path).map_err(|problem| file.faults.push(Diagnostic::at(&NamedText::default(), 0, 0, problem))).ok()
        }
        (None, Some(path)) => {
            read(&file.beside(Path::new(&path.value))).map_err(|problem| file.fault(path.referenced, problem)).ok()
        }
        (None, None) => None,
    }
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
    let named = named.chain(sources.policy.secdocker.iter().map(|named| file.absolute(Path::new(&named.value))));
    let docksec = sources.docksec.iter().map(|text| absolute(Path::new(&text.name)));
    own.map(absolute).into_iter().chain(named).chain(of_rego).chain(flags).chain(docksec).collect()
}

/// All Cedar texts, the preset's by the name that it has in diagnostics.
pub fn texts(sources: Sources, preset: &str) -> Vec<NamedText> {
    let of_preset = policy::presets().filter(|(name, _)| *name == preset);
    let of_preset = of_preset.map(|(name, text)| NamedText { name: format!("preset {name}"), text: text.to_owned() });
    of_preset.chain(sources.policies).collect()
}

/// The section, and the parts of it that are read elsewhere.
#[derive(Default)]
struct Section<'y> {
    policy: PolicySection,
    checks: Option<Field<'y>>,
    rego: Option<Field<'y>>,
}

/// The section, as far as it is for us to check: its keys, and that lists are lists.
fn section<'y>(file: &mut ConfigFile, section: Field<'y>) -> Section<'y> {
    let keys = ["preset", "mode", "rules", "docksec", "secdocker", "cedar", "rego", "checks"];
    let fields = file.fields(section.value, "`policy`", &keys);
    let mut list = |name| fields.get(name).map(|field| file.items(field)).unwrap_or_default();
    let (rules, cedar) = (list("rules").to_vec(), list("cedar"));
    let mut word =
        |node: &Spanned<Node>, what: &str| Some(Spanned::new(file.word(node, what)?, node.referenced, node.defined));
    let policy = PolicySection {
        preset: fields.get("preset").and_then(|field| word(field.value, "`preset`")),
        mode: fields.get("mode").and_then(|field| word(field.value, "`mode`")),
        rules,
        docksec: fields.get("docksec").and_then(|field| word(field.value, "`docksec`")),
        cedar: cedar.iter().filter_map(|item| word(item, "a file of policies")).collect(),
        secdocker: fields.get("secdocker").and_then(|field| word(field.value, "`secdocker`")),
    };
    Section { policy, checks: fields.get("checks"), rego: fields.get("rego") }
}

/// Reads a file of policies.
pub fn text(path: &Path) -> Result<NamedText, String> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(NamedText { name, text }),
        Err(error) => Err(format!("cannot read the policies in `{name}`: {error}")),
    }
}
