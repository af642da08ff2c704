//! Section `plugin:` and the flag `--plugin-socket`: the door inside the daemon. Where neither says anything, the file of
//! docksec may.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use policy::source::Node;
use policy::{NamedText, docksec};
use server::listen::ListenAddress;
use server::plugin::Require;

use super::file::{ConfigFile, Field, Fields};
use super::listen::{self, Listen};
use super::tls;

/// Where the daemon asks, and what is required of what it asks about.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginDoor {
    /// The way in.
    pub listen: Listen,
    /// What requests must have.
    pub require: Require,
}

/// Reads the section; the flag wins over its socket, and both over docksec's file. `None`: there is no such door.
pub fn read(
    file: &mut ConfigFile,
    section: Option<Field<'_>>,
    flag: Option<&Path>,
    docksec: Option<&NamedText>,
) -> Option<PluginDoor> {
    let fields = section.map(|section| file.fields(section.value, "`plugin`", KEYS)).unwrap_or_default();
    let require = fields.get("require").map(|field| require(file, field)).unwrap_or_default();
    let listen = match (flag, section) {
        (Some(socket), _) => local(socket.to_owned()),
        (None, Some(section)) => door(file, section, &fields)?,
        (None, None) => of_docksec(docksec?)?,
    };
    Some(PluginDoor { listen, require })
}

/// The door that docksec's file asks for: by the name under which the daemon knows docksec, or at a port, which only
/// processes of this host reach. What is wrong with the file is told where its commands are read.
fn of_docksec(text: &NamedText) -> Option<Listen> {
    let read = docksec::read(text).ok()?;
    match (read.socket, read.port) {
        (true, _) => Some(local(DOCKSEC.into())),
        (false, Some(port)) => {
            Some(Listen { address: ListenAddress::Tcp((Ipv4Addr::LOCALHOST, port).into()), tls: None })
        }
        (false, None) => None,
    }
}

fn door(file: &mut ConfigFile, section: Field<'_>, fields: &Fields<'_>) -> Option<Listen> {
    match (fields.get("socket"), fields.get("address"), fields.get("tls")) {
        (Some(socket), None, None) => Some(local(file.field_path(socket)?)),
        (None, Some(address), Some(tls)) => {
            if !has(tls, "client_ca") {
                file.fault_with(tls.place, "`tls` of `plugin` needs `client_ca`", ONLY_THE_DAEMON);
            }
            let address = listen::network(file, address)?;
            Some(Listen { address: ListenAddress::Tcp(address), tls: Some(tls::server(file, tls)?) })
        }
        (None, Some(address), None) => {
            file.fault_with(address.place, "`address` of `plugin` needs `tls` with `client_ca`", ONLY_THE_DAEMON);
            None
        }
        (None, None, _) => {
            file.fault(section.place, "`plugin` needs `socket`, or `address` with `tls`");
            None
        }
        (Some(socket), ..) => {
            file.fault(socket.place, "`plugin` has either `socket`, or `address` with `tls`");
            None
        }
    }
}

fn require(file: &mut ConfigFile, field: Field<'_>) -> Require {
    match file.field_word(field).as_deref() {
        Some("policy") => Require::Policy,
        Some("gateway") => Require::Gateway,
        None => Require::Gateway,
        Some(other) => {
            let message = format!("`require` cannot be `{other}`");
            file.fault_with(field.value.referenced, message, "it is `policy` or `gateway`");
            Require::Gateway
        }
    }
}

fn has(section: Field<'_>, name: &str) -> bool {
    matches!(&section.value.value, Node::Map(entries) if entries.iter().any(|(key, _)| key.value == name))
}

/// Nobody but root, and who runs us, is to ask.
fn local(path: PathBuf) -> Listen {
    Listen { address: ListenAddress::Unix { path, mode: Some(0o600), owner: None, group: None }, tls: None }
}

/// Where the daemon looks for an authorization plugin called docksec.
const DOCKSEC: &str = "/run/docker/plugins/docksec.sock";
const KEYS: &[&str] = &["socket", "address", "tls", "require"];
const ONLY_THE_DAEMON: &str = "only the daemon is to ask: it shows the certificate that its plugin's .json file names";
