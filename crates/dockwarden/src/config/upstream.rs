//! Section `upstream:` and the flag `--upstream`: where the daemon is.

use std::path::Path;

use policy::source::Node;
use server::upstream::{Upstream, UpstreamAddress};

use super::defaults;
use super::file::{ConfigFile, Field};
use super::tls::{self, Tls};

/// The daemon.
#[derive(Debug, Clone, PartialEq)]
pub struct Daemon {
    /// Where it is.
    pub address: UpstreamAddress,
    /// TLS on top.
    pub tls: Option<Tls<rustls::ClientConfig>>,
}

impl Daemon {
    /// For the server.
    pub fn upstream(&self) -> Upstream {
        Upstream::new(self.address.clone(), self.tls.as_ref().map(|tls| tls.config.clone()))
    }
}

/// Reads the section; the flag wins over its address, and over its TLS with it. `elsewhere`: all clients were going to
/// daemons of their own, so that no address is needed.
pub fn read(
    file: &mut ConfigFile,
    section: Option<Field<'_>>,
    flag: Option<&UpstreamAddress>,
    elsewhere: bool,
) -> Daemon {
    let of_file = section.and_then(|section| daemon(file, section, elsewhere));
    match (flag, of_file) {
        (Some(address), _) => Daemon { address: address.clone(), tls: None },
        (None, Some(daemon)) => daemon,
        (None, None) => Daemon { address: UpstreamAddress::Unix(defaults::daemon()), tls: None },
    }
}

fn daemon(file: &mut ConfigFile, section: Field<'_>, elsewhere: bool) -> Option<Daemon> {
    if !matches!(section.value.value, Node::Map(_)) {
        return Some(Daemon { address: address(file, section)?, tls: None });
    }
    let fields = file.fields(section.value, "`upstream`", &["address", "tls"]);
    if let (None, Some(tls), true) = (fields.get("address"), fields.get("tls"), elsewhere) {
        let address = UpstreamAddress::Unix(defaults::daemon());
        return Some(Daemon { address, tls: Some(tls::client(file, tls)?) });
    }
    let Some(field) = fields.get("address") else {
        file.fault(section.place, "`upstream` needs `address`, such as `tcp://10.0.0.5:2376`");
        return None;
    };
    let address = address(file, field)?;
    let tls = match (fields.get("tls"), &address) {
        (Some(field), UpstreamAddress::Unix(_)) => {
            file.fault(field.place, "`tls` is for network addresses, this is a local socket");
            None
        }
        (Some(field), _) => Some(tls::client(file, field)?),
        (None, _) => None,
    };
    Some(Daemon { address, tls })
}

fn address(file: &mut ConfigFile, field: Field<'_>) -> Option<UpstreamAddress> {
    let text = file.field_word(field)?;
    if !text.contains("://") && !text.is_empty() {
        return Some(UpstreamAddress::Unix(file.absolute(Path::new(&text))));
    }
    let address = text.parse().ok();
    if address.is_none() {
        let help = "unix:///path or tcp://host:port";
        file.fault_with(field.value.referenced, format!("`{text}` is no address of a daemon"), help);
    }
    address
}
