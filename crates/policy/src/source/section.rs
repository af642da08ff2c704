//! The section `policy:` of the configuration file, and files of rules.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::diagnostics::{Diagnostic, Diagnostics, Place, Text};
use super::{Node, nearest};
use crate::Mode;

/// The section as it is written. Embed it in the type of the configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySection {
    /// The name of the preset.
    #[serde(default)]
    pub preset: Option<Spanned<String>>,
    /// Whether refusals are carried out.
    #[serde(default)]
    pub mode: Option<Spanned<String>>,
    /// The everyday rules.
    #[serde(default)]
    pub rules: Vec<Spanned<Node>>,
    /// The configuration of docksec. The caller reads it.
    #[serde(default)]
    pub docksec: Option<Spanned<String>>,
    /// Cedar files, by glob. The caller reads them.
    #[serde(default)]
    pub cedar: Vec<Spanned<String>>,
    /// A configuration of SecDocker. The caller reads it.
    #[serde(default)]
    pub secdocker: Option<Spanned<String>>,
}

/// A file of its own with rules: a list, or a mapping with `rules:`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rules: Vec<Spanned<Node>>,
}

impl PolicySection {
    /// The mode; enforcing where none or no known one is named.
    pub fn mode(&self) -> Mode {
        self.mode.as_ref().and_then(|mode| Mode::from_name(&mode.value)).unwrap_or_default()
    }

    pub(crate) fn check(&self, file: &Text, faults: &mut Diagnostics) {
        if let Some(mode) = &self.mode
            && Mode::from_name(&mode.value).is_none()
        {
            let names = [Mode::Enforce, Mode::Warn, Mode::Record].map(Mode::name);
            let help = match nearest(&mode.value, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", names.join(", ")),
            };
            faults.push(
                Place::of(file, mode.referenced).error(format!("there is no mode `{}`", mode.value)).help_with(help),
            );
        }
    }
}

/// Reads a file of rules.
pub(crate) fn read_rules(text: &Text) -> Result<Vec<Spanned<Node>>, Diagnostic> {
    let list: Result<Vec<Spanned<Node>>, _> = serde_saphyr::from_str(text.as_str());
    let is_mapping = text.as_str().lines().any(|line| line.starts_with("rules:"));
    match list {
        Ok(rules) => Ok(rules),
        Err(_) if is_mapping => {
            serde_saphyr::from_str(text.as_str()).map(|file: RuleFile| file.rules).map_err(|error| fault(text, &error))
        }
        Err(error) => Err(fault(text, &error)),
    }
}

/// What is wrong with a text that is no YAML.
pub(super) fn fault(text: &Text, error: &serde_saphyr::Error) -> Diagnostic {
    let place = error.location().map_or_else(|| Place::whole(text), |location| Place::of(text, location));
    place.error(error.to_string())
}
