//! The Docker daemon of this host, seen from beside it: its socket and its process, its configuration file, and the
//! plugins that it asks. Nothing of a client's request comes here; [`crate::cli`] and [`crate::doctor`] look and change.

pub mod daemon;
pub mod daemon_json;
pub mod door;
pub mod process;
pub mod socket;

use std::path::PathBuf;

/// What a plugin may be called: the policy knows its own by the last part of the name, and lets nobody change it.
pub fn own_name(text: &str) -> Result<String, String> {
    let whole = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '/' | ':' | '.' | '-' | '_');
    let last = text.rsplit('/').next().unwrap_or_default();
    let last = last.split_once(':').map_or(last, |(last, _)| last);
    if last == OWN && text.chars().all(whole) {
        return Ok(text.to_owned());
    }
    Err(format!("the last part of its name must be `{OWN}`, as in `team/{OWN}:1`: by that the policy guards it"))
}

/// Whether a name in the daemon's list is ours.
pub fn is_own(name: &str) -> bool {
    own_name(name).is_ok()
}

/// A managed plugin's whole name: the daemon adds the tag by itself.
pub fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

/// The path of a socket that an address names. Files of a daemon elsewhere cannot be changed from here.
pub fn local(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text.strip_prefix("unix://").unwrap_or(text));
    if path.is_absolute() { Ok(path) } else { Err("it is a socket of this host: unix:///path".to_owned()) }
}

/// The last part of all our names.
pub const OWN: &str = "dockwarden";
/// The socket of our plugin, in its folder.
pub const SOCKET: &str = "dockwarden.sock";
