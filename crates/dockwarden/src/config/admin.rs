//! Section `admin:`: the socket for those who look after the firewall, and who they are.

use std::path::PathBuf;

use server::listen::{ListenAddress, ListenError, ListenSpec, Listener};

use super::file::{ConfigFile, Field, Fields};
use super::state::StateFile;
use super::{defaults, directory};

/// The admin socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSocket {
    /// Where.
    pub socket: PathBuf,
    /// Whose members may use it, beside root and the user that the firewall runs as.
    pub groups: Vec<String>,
    /// Whether the configuration says where; then it must be there.
    pub named: bool,
}

/// Reads the section. Groups are those of the host and of section `groups:`.
pub fn read(file: &mut ConfigFile, fields: &Fields<'_>, state: &StateFile) -> AdminSocket {
    let mut admin = AdminSocket { socket: usual(state), groups: Vec::new(), named: false };
    let Some(section) = fields.get("admin") else { return admin };
    let own = file.fields(section.value, "`admin`", &["socket", "groups"]);
    if let Some(path) = own.get("socket").and_then(|field| file.field_path(field)) {
        admin.socket = path;
        admin.named = true;
    }
    let configured = fields.get("groups");
    for item in own.get("groups").map(|field| file.items(field)).unwrap_or_default() {
        let Some(group) = file.word(item, "a group of administrators") else { continue };
        if !directory::is_group(&group) && !is_configured(configured, &group) {
            let help = "groups are the system's own and those of the section `groups:`";
            file.fault_with(item.referenced, format!("nobody knows a group `{group}`"), help);
        }
        admin.groups.push(group);
    }
    admin
}

fn is_configured(groups: Option<Field<'_>>, name: &str) -> bool {
    use policy::source::Node;
    matches!(groups.map(|field| &field.value.value), Some(Node::Map(groups)) if groups.iter().any(|(group, _)| group.value == name))
}

/// In the system's place for a firewall of the system, and beside the state for any other.
fn usual(state: &StateFile) -> PathBuf {
    match state.named_folder() {
        Some(folder) => folder.join("admin.sock"),
        None if nix::unistd::geteuid().is_root() => PathBuf::from("/run/dockwarden/admin.sock"),
        None => defaults::state_folder().join("admin.sock"),
    }
}

impl AdminSocket {
    /// Opens it. Who may connect is a first sieve: each is asked for by the kernel's credentials afterwards. A file can
    /// belong to one group of the host; where that does not say who may, it is open to all.
    pub fn open(&self) -> Result<Listener, ListenError> {
        let (mode, group) = match self.groups.as_slice() {
            [] => (0o600, None),
            [one] if directory::is_group(one) => (0o660, Some(one.clone())),
            _ => (0o666, None),
        };
        let address = ListenAddress::Unix { path: self.socket.clone(), mode: Some(mode), owner: None, group };
        Listener::bind(ListenSpec { address, tls: None })
    }
}
