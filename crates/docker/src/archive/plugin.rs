//! What making a plugin of an archive (`POST /plugins/create`) would grant it: its `config.json`.
//!
//! The daemon takes what stands under that name, in one pass and without following links, and unpacks
//! what is below `rootfs`. So a list that is a link, or that comes twice, is refused. It decompresses
//! nothing.

use super::look::{Found, Look};
use super::{Compression, Limits, Open, Refusal};
use crate::body::plugin::PluginConfig;

const CONFIG: &str = "config.json";

/// Reads the configuration.
pub fn config(source: Open<'_>, limits: &Limits) -> Result<PluginConfig, Refusal> {
    let look = Look::new(source, limits);
    let (packed, _) = look.open()?;
    if packed != Compression::None {
        return Err(Refusal::Compressed(packed));
    }
    let place = vec![CONFIG.as_bytes().to_vec()];
    let mut pass = look.pass(std::slice::from_ref(&place), None)?;
    if pass.layout.resolve(&place)? != place {
        return Err(Refusal::NotAFile(CONFIG.to_owned()));
    }
    let text = match pass.watched.pop() {
        Some(watched) if watched.replaced => return Err(Refusal::Ambiguous("two configurations of a plugin")),
        Some(watched) => watched.found,
        None => Found::Absent,
    };
    match text {
        Found::File(text) => {
            PluginConfig::read(&text).map_err(|error| Refusal::Contents { file: CONFIG, reason: error.to_string() })
        }
        Found::Absent => Err(Refusal::Malformed("a plugin without config.json")),
        Found::Other | Found::Linked { .. } => Err(Refusal::NotAFile(CONFIG.to_owned())),
    }
}
