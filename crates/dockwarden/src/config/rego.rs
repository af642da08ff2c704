//! Key `rego:` of the section `policy:`: files, folders and bundles of Rego policies, and how they are asked.
//!
//! A folder is read as OPA reads it: its policies wherever they lie in it, and each `data.json` or `data.yaml` below the
//! names of its folders. Tests (`_test.rego`) are left out.

use std::path::{Path, PathBuf};

use policy::bundle::{self as pack, BundleFault, BundleFile, Verifier};
use policy::source::Node;
use policy::{NamedText, Notation, RegoData, RegoModule, RegoSources, Roots};
use serde_saphyr::{Location, Spanned};

use super::Wishes;
use super::bundle::{self, Bundle};
use super::file::{ConfigFile, Field, Fields};
use super::globs;

/// What the key says.
#[derive(Default)]
pub struct Read {
    /// For the policy, unless something could not be read.
    pub sources: Option<RegoSources>,
    /// What is to be watched.
    pub from: Vec<PathBuf>,
    /// The bundle that was fetched.
    pub bundle: Option<Bundle>,
}

/// Reads the key. `folder`: where last good bundles are kept.
pub fn read(file: &mut ConfigFile, section: Field<'_>, wishes: &Wishes, folder: &Path) -> Read {
    let mut sources = RegoSources { place: Some(section.place), tell: wishes.tell_rego, ..RegoSources::default() };
    let before = file.errors();
    // Whether it is not known whose signature counts.
    let mut unsure = false;
    let (items, fields) = match &section.value.value {
        Node::Map(_) => {
            let keys = ["files", "bundle", "verify", "input", "allow", "build"];
            let fields = file.fields(section.value, "`rego`", &keys);
            unsure = file.want_values(&fields);
            let mut word = |name| {
                let node = fields.get(name)?.value;
                Some(Spanned::new(file.word(node, &format!("`{name}`"))?, node.referenced, node.defined))
            };
            (sources.input, sources.allow, sources.build) = (word("input"), word("allow"), word("build"));
            (fields.get("files").map(|field| file.items(field)).unwrap_or_default(), fields)
        }
        _ => (file.items(section), Fields::default()),
    };
    let mut reading = Reading { sources, verifier: None, from: Vec::new(), read: Vec::new() };
    if let Some(field) = fields.get("verify") {
        reading.verifier = bundle::verifier(file, field, &mut reading.from);
        unsure |= reading.verifier.is_none();
    }
    if unsure {
        // Nothing is fetched then, but all that is wrong is told.
        fields.get("bundle").map(|field| bundle::source(file, field));
        return reading.ended(false, None);
    }
    for item in items {
        let Some(pattern) = file.word(item, "a file of policies") else { continue };
        if pattern.contains("://") {
            // Not with its words: there may be a token in them.
            let help = "a bundle that is fetched stands in `rego: { bundle: … }`";
            file.fault_with(item.referenced, "an address is no file", help);
            continue;
        }
        reading.from.push(file.absolute(Path::new(&pattern)));
        match globs::expand(&file.beside(Path::new(&pattern))) {
            Ok(paths) => paths.iter().for_each(|path| {
                told(file, item.referenced, reading.add(path));
            }),
            Err(error) => file.fault(item.referenced, error.to_string()),
        }
    }
    let bundle = fields.get("bundle").and_then(|field| {
        let mut bundle = bundle::read(file, field, wishes, folder)?;
        let added = reading.add_packed(bundle.source.name(), &bundle.fetched.bytes);
        bundle.revision = told(file, field.place, added).flatten();
        Some(bundle)
    });
    reading.ended(file.errors() == before, bundle)
}

/// Why something is not read: said of the place that names it, or of a file in it.
enum Problem {
    Here(String),
    There(BundleFault, String),
}

fn told<T>(file: &mut ConfigFile, place: Location, outcome: Result<T, Problem>) -> Option<T> {
    let problem = match outcome {
        Ok(what) => return Some(what),
        Err(problem) => problem,
    };
    match problem {
        Problem::Here(sentence) => file.fault(place, sentence),
        Problem::There(BundleFault::Whole(sentence), name) => {
            file.fault(place, format!("`{name}` is not used: {sentence}"));
        }
        Problem::There(BundleFault::File(fault), _) => file.faults.push(*fault),
    }
    None
}

/// What has been read so far.
struct Reading {
    sources: RegoSources,
    verifier: Option<Verifier>,
    /// What is to be watched: as it is named, and all that was opened.
    from: Vec<PathBuf>,
    read: Vec<PathBuf>,
}

impl Reading {
    /// Adds a file, a packed bundle, or all that a folder holds.
    fn add(&mut self, path: &Path) -> Result<(), Problem> {
        self.read.push(path.to_owned());
        let name = path.display().to_string();
        let unread = |error: std::io::Error| Problem::Here(format!("cannot read the policies in `{name}`: {error}"));
        if std::fs::metadata(path).map_err(unread)?.is_dir() {
            let mut files = Vec::new();
            self.gather(path, &[], &mut files)?;
            return self.add_bundle(&name, &files).map(drop);
        }
        let bytes = std::fs::read(path).map_err(unread)?;
        if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            return self.add_packed(&name, &bytes).map(drop);
        }
        if self.verifier.is_some() {
            let reason = "a file alone cannot be signed; with `verify`, name bundles and folders";
            return Err(Problem::Here(format!("`{name}` is not used: {reason}")));
        }
        let text = String::from_utf8(bytes).map_err(|_| Problem::Here(format!("`{name}` is no text")))?;
        let text = NamedText { name, text };
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("json" | "yaml" | "yml") => {
                let notation = Notation::of(&text.name);
                self.sources.data.push(RegoData { path: Vec::new(), text, notation, roots: Roots::default() });
            }
            _ => self.sources.modules.push(RegoModule { text, ..RegoModule::default() }),
        }
        Ok(())
    }

    /// Adds a packed bundle; returns what it calls its state.
    fn add_packed(&mut self, name: &str, bytes: &[u8]) -> Result<Option<String>, Problem> {
        let files = pack::unpack(bytes);
        self.add_bundle(name, &files.map_err(|sentence| Problem::There(sentence.into(), name.to_owned()))?)
    }

    fn add_bundle(&mut self, name: &str, files: &[BundleFile]) -> Result<Option<String>, Problem> {
        let read = pack::read(name, files, self.verifier.as_ref());
        let read = read.map_err(|fault| Problem::There(fault, name.to_owned()))?;
        self.sources.modules.extend(read.modules);
        self.sources.data.extend(read.data);
        Ok(read.revision)
    }

    /// The files of a folder: those that mean something, or all where a signature is over all.
    fn gather(&mut self, folder: &Path, below: &[String], files: &mut Vec<BundleFile>) -> Result<(), Problem> {
        let name = folder.display().to_string();
        let unread = |error: std::io::Error| Problem::Here(format!("cannot read the policies in `{name}`: {error}"));
        let entries = std::fs::read_dir(folder).map_err(unread)?.collect::<Result<Vec<_>, _>>();
        let mut entries = entries.map_err(unread)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (inner, called) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let steps: Vec<String> = below.iter().cloned().chain([called.clone()]).collect();
            let path = steps.join("/");
            // Not through links: a folder might hold itself.
            if entry.file_type().map_err(unread)?.is_dir() {
                if called.starts_with('.') {
                    continue;
                }
                if below.len() >= DEEPEST {
                    return Err(Problem::Here(format!("`{name}` holds folders more than {DEEPEST} deep")));
                }
                self.read.push(inner.clone());
                self.gather(&inner, &steps, files)?;
            } else if pack::is_meant(&path) || self.verifier.is_some() {
                self.read.push(inner.clone());
                files.push(BundleFile { path, bytes: std::fs::read(&inner).map_err(unread)? });
            }
        }
        Ok(())
    }

    fn ended(self, whole: bool, bundle: Option<Bundle>) -> Read {
        // A folder tells when files come and go; what is written into them, they tell themselves.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let from = self.from.into_iter().chain(self.read.into_iter().map(absolute)).collect();
        Read { sources: whole.then_some(self.sources), from, bundle }
    }
}

/// Folders within folders.
const DEEPEST: usize = 16;
