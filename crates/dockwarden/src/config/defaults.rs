//! Where things are when nobody says: the system's places for root, the user's own for a user.

use std::path::{Path, PathBuf};

/// The system's configuration file, where there is one. One that cannot be read is there too: to go on
/// without the policy that the host's owner wrote would be wrong.
pub fn config_file() -> Option<PathBuf> {
    let path = Path::new("/etc/dockwarden/config.yaml");
    path.try_exists().unwrap_or(true).then(|| path.to_owned())
}

/// Where to listen.
pub fn socket() -> PathBuf {
    PathBuf::from("/run/dockwarden/docker.sock")
}

/// Where the daemon is.
pub fn daemon() -> PathBuf {
    PathBuf::from("/var/run/docker.sock")
}

/// Where administrators ask: a user cannot make sockets in the system's place.
pub fn admin_socket() -> PathBuf {
    if nix::unistd::geteuid().is_root() { system_admin_socket() } else { state_folder().join("admin.sock") }
}

/// Where administrators ask the firewall of the system.
pub fn system_admin_socket() -> PathBuf {
    PathBuf::from("/run/dockwarden/admin.sock")
}

/// Where state is kept.
pub fn state_folder() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/dockwarden");
    }
    // The XDG rules: a relative path there counts as none.
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    base.unwrap_or_else(std::env::temp_dir).join("dockwarden")
}
