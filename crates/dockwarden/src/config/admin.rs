//! Section `admin:`: the socket for those who look after the firewall, and who they are.

use std::path::PathBuf;

use policy::source::Node;
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
    /// Whether it is where it is for want of any word about it.
    usual: bool,
    /// The one group of the host that all of these people are in.
    file_group: Option<String>,
}

/// Reads the section. Groups are those of the host and of section `groups:`.
pub fn read(file: &mut ConfigFile, fields: &Fields<'_>, state: &StateFile) -> AdminSocket {
    let (beside, usual) = (state.named_folder(), state.named_folder().is_none());
    let socket = beside.map_or_else(defaults::admin_socket, |folder| folder.join("admin.sock"));
    let mut admin = AdminSocket { socket, groups: Vec::new(), named: false, usual, file_group: None };
    let Some(section) = fields.get("admin") else { return admin };
    let own = file.fields(section.value, "`admin`", &["socket", "groups"]);
    if let Some(path) = own.get("socket").and_then(|field| file.field_path(field)) {
        admin = AdminSocket { socket: path, named: true, usual: false, ..admin };
    }
    for item in own.get("groups").map(|field| file.items(field)).unwrap_or_default() {
        let Some(group) = file.word(item, "a group of administrators") else { continue };
        if !directory::is_group(&group) && !is_configured(fields.get("groups"), &group) {
            let help = "groups are the system's own and those of the section `groups:`";
            file.fault_with(item.referenced, format!("nobody knows a group `{group}`"), help);
        }
        admin.groups.push(group);
    }
    admin.file_group = match admin.groups.as_slice() {
        [one] if !is_configured(fields.get("groups"), one) => Some(one.clone()),
        _ => None,
    };
    admin
}

/// Whether section `groups:` has members for a group.
fn is_configured(groups: Option<Field<'_>>, name: &str) -> bool {
    match groups.map(|field| &field.value.value) {
        Some(Node::Map(groups)) => groups.iter().any(|(group, _)| group.value == name),
        _ => false,
    }
}

impl AdminSocket {
    /// Opens it. Who may connect is a first sieve: each is asked for by the kernel's credentials afterwards. A file can
    /// belong to one group of the host; where that does not say who may, it is open to all.
    pub fn open(&self) -> Result<Listener, ListenError> {
        let mode = match (self.groups.is_empty(), &self.file_group) {
            (true, _) => 0o600,
            (false, Some(_)) => 0o660,
            (false, None) => 0o666,
        };
        let group = self.file_group.clone();
        let address = ListenAddress::Unix { path: self.socket.clone(), mode: Some(mode), owner: None, group };
        Listener::bind(ListenSpec { address, tls: None })
    }

    /// Where to ask: a user's own firewall where there is one, else the system's.
    pub fn to_ask(&self) -> PathBuf {
        if self.usual && !self.socket.exists() { defaults::system_admin_socket() } else { self.socket.clone() }
    }
}
