//! What Rego policies are made of: texts with their names. Files and bundles are opened elsewhere.

use serde_saphyr::{Location, Spanned};

use super::bundle::Roots;
use crate::NamedText;

/// Everything that the Rego judge is made of.
#[derive(Debug, Clone, Default)]
pub struct RegoSources {
    /// The policies.
    pub modules: Vec<RegoModule>,
    /// The data that they look at.
    pub data: Vec<RegoData>,
    /// What the input document looks like: the name of a predecessor, `own` or `all`.
    pub input: Option<Spanned<String>>,
    /// The rule that says yes, `data.docker.authz.allow` unless another is named.
    pub allow: Option<Spanned<String>>,
    /// The rule that says yes to classic builds, `data.docker.build.allow` unless another is named. Where there is none,
    /// `allow` is asked.
    pub build: Option<Spanned<String>>,
    /// Where the configuration file says so.
    pub place: Option<Location>,
    /// Whether answers tell how they came about: the document, what the policy printed, the rules that held.
    pub tell: bool,
}

/// A policy in Rego.
#[derive(Debug, Clone, Default)]
pub struct RegoModule {
    /// The text.
    pub text: NamedText,
    /// The syntax, where it was said; else it is found out.
    pub syntax: Option<Syntax>,
    /// Where its package may stand.
    pub roots: Roots,
}

/// The syntax of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// That of OPA before 1.0: bodies without `if`.
    V0,
    /// That of OPA from 1.0 on.
    V1,
}

/// How a document is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notation {
    /// As JSON.
    #[default]
    Json,
    /// As YAML.
    Yaml,
}

impl Notation {
    /// That of a file of this name.
    pub fn of(name: &str) -> Notation {
        if [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending)) { Notation::Yaml } else { Notation::Json }
    }
}

/// A document that policies look at.
#[derive(Debug, Clone, Default)]
pub struct RegoData {
    /// Where it stands below `data`.
    pub path: Vec<String>,
    /// The text.
    pub text: NamedText,
    /// How it is written. Its name does not say: what was signed in YAML is read as the JSON that was hashed.
    pub notation: Notation,
    /// What it may define.
    pub roots: Roots,
}
