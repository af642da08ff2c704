//! Key `rego:` of the section `policy:`: files, patterns and folders of Rego policies, and how they are asked.
//!
//! A folder is read as OPA reads it: its policies wherever they lie in it, and each `data.json` or `data.yaml` below the
//! names of its folders. Tests (`_test.rego`) are left out.

use std::path::{Path, PathBuf};

use policy::source::Node;
use policy::{NamedText, RegoData, RegoModule, RegoSources};
use serde_saphyr::Spanned;

use super::file::{ConfigFile, Field};
use super::globs;

/// Reads the key: for the policy, unless something could not be read, and what is to be watched. `tell`: whether decisions
/// tell how they came about.
pub fn read(file: &mut ConfigFile, section: Field<'_>, tell: bool) -> (Option<RegoSources>, Vec<PathBuf>) {
    let mut sources = RegoSources { place: Some(section.place), tell, ..RegoSources::default() };
    let (mut from, mut read, mut whole) = (Vec::new(), Vec::new(), true);
    let items = match &section.value.value {
        Node::Map(_) => {
            let fields = file.fields(section.value, "`rego`", &["files", "input", "allow", "build"]);
            let mut word = |name| {
                let node = fields.get(name)?.value;
                Some(Spanned::new(file.word(node, &format!("`{name}`"))?, node.referenced, node.defined))
            };
            (sources.input, sources.allow, sources.build) = (word("input"), word("allow"), word("build"));
            fields.get("files").map(|field| file.items(field)).unwrap_or_default()
        }
        _ => file.items(section),
    };
    for item in items {
        let Some(pattern) = file.word(item, "a file of policies") else {
            whole = false;
            continue;
        };
        if is_bundle(&pattern) {
            whole = false;
            let help = "unpack it into a folder, and name that";
            file.fault_with(item.referenced, "bundles that are packed or come over HTTP are not read", help);
            continue;
        }
        from.push(file.absolute(Path::new(&pattern)));
        let problems = match globs::expand(&file.beside(Path::new(&pattern))) {
            Ok(paths) => paths.iter().filter_map(|path| add(&mut sources, path, &[], &mut read).err()).collect(),
            Err(error) => vec![error.to_string()],
        };
        whole &= problems.is_empty();
        problems.into_iter().for_each(|problem| file.fault(item.referenced, problem));
    }
    // A folder tells when files come and go; what is written into them, they tell themselves.
    from.extend(read.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())));
    (whole.then_some(sources), from)
}

fn is_bundle(pattern: &str) -> bool {
    pattern.contains("://") || pattern.ends_with(".tar.gz") || pattern.ends_with(".tgz")
}

/// Adds a file, or all that a folder holds. `below`: the names of the folders that it lies in; `read`: all that was opened.
fn add(sources: &mut RegoSources, path: &Path, below: &[String], read: &mut Vec<PathBuf>) -> Result<(), String> {
    read.push(path.to_owned());
    let name = path.display().to_string();
    let unread = |error: std::io::Error| format!("cannot read the policies in `{name}`: {error}");
    if !std::fs::metadata(path).map_err(unread)?.is_dir() {
        return add_file(sources, path, below);
    }
    let mut entries = std::fs::read_dir(path).map_err(unread)?.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (inner, called) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if called.starts_with('.') {
            continue;
        }
        // Not through links: a folder might hold itself.
        if entry.file_type().map_err(unread)?.is_dir() {
            if below.len() >= DEEPEST {
                return Err(format!("`{name}` holds folders more than {DEEPEST} deep"));
            }
            add(sources, &inner, &below.iter().cloned().chain([called]).collect::<Vec<_>>(), read)?;
        } else if called.ends_with(".rego") && !called.ends_with("_test.rego") || is_data(&called) {
            read.push(inner.clone());
            add_file(sources, &inner, below)?;
        }
    }
    Ok(())
}

fn add_file(sources: &mut RegoSources, path: &Path, below: &[String]) -> Result<(), String> {
    let name = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read the policies in `{name}`: {error}"))?;
    let text = NamedText { name, text };
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json" | "yaml" | "yml") => sources.data.push(RegoData { path: below.to_vec(), text }),
        _ => sources.modules.push(RegoModule { text, syntax: None }),
    }
    Ok(())
}

fn is_data(name: &str) -> bool {
    matches!(name, "data.json" | "data.yaml" | "data.yml")
}

/// Folders within folders.
const DEEPEST: usize = 16;
