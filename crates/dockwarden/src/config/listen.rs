//! Section `listen:` and the flag `--listen`: the ways in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use policy::nearest;
use policy::source::Node;
use serde_saphyr::Spanned;
use server::listen::{Destination, Destinations, Diversion, ListenAddress, ListenSpec};

use super::file::{ConfigFile, Field, Fields};
use super::tls::{self, Tls};
use super::{defaults, directory};

/// One way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// Where.
    pub address: ListenAddress,
    /// TLS on top.
    pub tls: Option<Tls<rustls::ServerConfig>>,
}

impl Listen {
    /// Whether it is for connections that were going elsewhere.
    pub fn is_transparent(&self) -> bool {
        matches!(self.address, ListenAddress::Transparent { .. })
    }

    /// For the server.
    pub fn spec(&self) -> ListenSpec {
        ListenSpec { address: self.address.clone(), tls: self.tls.as_ref().map(|tls| tls.config.clone()) }
    }
}

/// Reads the section; flags win over it.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>, flags: &[ListenAddress]) -> Vec<Listen> {
    let items = section.map(|section| file.items(section)).unwrap_or_default();
    let of_file: Vec<Listen> = items.iter().filter_map(|item| one(file, item)).collect();
    if let Some(section) =
        section.filter(|section| matches!(&section.value.value, Node::List(items) if items.is_empty()))
    {
        file.fault(section.place, "`listen` is an empty list: nobody could ask anything");
    }
    let plain = |address| Listen { address, tls: None };
    match (flags, of_file.as_slice()) {
        ([], []) => vec![plain(local(defaults::socket()))],
        ([], _) => of_file,
        (flags, _) => flags.iter().cloned().map(plain).collect(),
    }
}

fn one(file: &mut ConfigFile, item: &Spanned<Node>) -> Option<Listen> {
    let fields = file.fields(item, "an entry of `listen`", KEYS);
    let ways = ["socket", "address", "systemd"].map(|name| fields.get(name));
    let address = match ways {
        [Some(socket), None, None] => local_socket(file, socket, &fields)?,
        [None, Some(address), None] => {
            let address = network(file, address)?;
            match fields.get("transparent") {
                Some(field) => transparent(file, address, field, &fields)?,
                None => ListenAddress::Tcp(address),
            }
        }
        [None, None, Some(systemd)] => ListenAddress::Inherited(file.field_word(systemd)?),
        [None, None, None] => {
            // Where keys were misspelt, that has been said.
            if matches!(&item.value, Node::Map(entries) if entries.iter().all(|(key, _)| KEYS.contains(&key.value.as_str())))
            {
                file.fault(item.referenced, "an entry of `listen` needs one of `socket`, `address` and `systemd`");
            }
            return None;
        }
        several => {
            let second = several.into_iter().flatten().nth(1)?;
            let message = "an entry of `listen` has only one of `socket`, `address` and `systemd`";
            file.fault_with(second.place, message, "make two entries of it");
            return None;
        }
    };
    let of_socket = matches!(address, ListenAddress::Unix { .. });
    let misplaced = if of_socket { ["tls"].as_slice() } else { ["mode", "owner", "group"].as_slice() };
    for field in misplaced.iter().filter_map(|name| fields.get(name)) {
        let kind = if of_socket { "network addresses" } else { "sockets that are made here" };
        file.fault(field.place, format!("`{}` is for {kind}", field.name));
    }
    if !matches!(address, ListenAddress::Transparent { .. }) {
        let misplaced = ["transparent", "to"].into_iter().filter_map(|name| fields.get(name));
        for field in misplaced {
            let message = format!("`{}` is for an `address` that is `transparent`", field.name);
            file.fault_with(field.place, message, "`transparent: redirect` or `transparent: tproxy`");
        }
    }
    let tls = fields.get("tls").filter(|_| !of_socket);
    let tls = match tls {
        Some(field) => Some(tls::server(file, field)?),
        None => None,
    };
    Some(Listen { address, tls })
}

fn local_socket(file: &mut ConfigFile, socket: Field<'_>, fields: &Fields<'_>) -> Option<ListenAddress> {
    let path = file.field_path(socket)?;
    let mode = fields.get("mode").and_then(|field| mode(file, field));
    let owner = fields.get("owner").and_then(|field| name(file, field, directory::is_user));
    let group = fields.get("group").and_then(|field| name(file, field, directory::is_group));
    Some(ListenAddress::Unix { path, mode, owner, group })
}

/// Connections that were going elsewhere.
fn transparent(
    file: &mut ConfigFile,
    address: SocketAddr,
    field: Field<'_>,
    fields: &Fields<'_>,
) -> Option<ListenAddress> {
    let word = file.field_word(field)?;
    let Some(by) = Diversion::from_name(&word) else {
        let near = nearest(&word, ["redirect", "tproxy"]).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "it is `redirect` or `tproxy`, as the host's firewall does it".to_owned());
        file.fault_with(field.value.referenced, format!("`transparent` cannot be `{word}`"), help);
        return None;
    };
    let mut to = Vec::new();
    if let Some(field) = fields.get("to") {
        for item in file.items(field) {
            let Some(word) = file.word(item, "a destination") else { continue };
            match word.parse::<Destination>() {
                Ok(destination) => to.push(destination),
                Err(help) => {
                    file.fault_with(item.referenced, format!("`{word}` is no destination"), help.to_string());
                }
            }
        }
        if matches!(&field.value.value, Node::List(items) if items.is_empty()) {
            file.fault_with(field.place, "`to` is an empty list: nothing could go on", "leave it out for all daemons");
        }
    }
    Some(ListenAddress::Transparent { address, by, to: Destinations(to) })
}

fn mode(file: &mut ConfigFile, field: Field<'_>) -> Option<u32> {
    let text = file.field_word(field)?;
    let digits = text.strip_prefix("0o").unwrap_or(&text);
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        file.fault_with(field.value.referenced, format!("`{text}` is no mode"), "three octal digits, such as \"0660\"");
    }
    mode
}

/// A name that this host does not know is no fault of the file: it may be meant for another host. The
/// server would refuse to start.
fn name(file: &mut ConfigFile, field: Field<'_>, known: fn(&str) -> bool) -> Option<String> {
    let name = file.field_word(field)?;
    if name.parse::<u32>().is_err() && !known(&name) {
        let kind = if field.name == "owner" { "user" } else { "group" };
        file.warn(field.value.referenced, format!("there is no {kind} `{name}` on this host; `serve` would not start"));
    }
    Some(name)
}

pub(super) fn network(file: &mut ConfigFile, field: Field<'_>) -> Option<SocketAddr> {
    let text = file.field_word(field)?;
    let address = tcp(text.strip_prefix("tcp://").unwrap_or(&text));
    if address.is_none() {
        file.fault_with(field.value.referenced, format!("`{text}` is no address to listen on"), SAY_ADDRESS);
    }
    address
}

/// `unix:///path`, `tcp://host:port` or `fd://NAME`, as on the command line.
pub fn parse_address(text: &str) -> Result<ListenAddress, String> {
    if let Some(address) = text.strip_prefix("tcp://") {
        return tcp(address).map(ListenAddress::Tcp).ok_or_else(|| SAY_ADDRESS.to_owned());
    }
    if let Some(name) = text.strip_prefix("fd://") {
        return Ok(ListenAddress::Inherited(name.to_owned()));
    }
    let path = Path::new(text.strip_prefix("unix://").unwrap_or(text));
    if path.is_absolute() {
        return Ok(local(path.to_owned()));
    }
    Err("an address is unix:///path, tcp://IP:PORT, or fd://NAME for a socket from systemd".to_owned())
}

/// An address, not a name: which of a name's addresses would be meant is anybody's guess.
fn tcp(text: &str) -> Option<SocketAddr> {
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    local.as_deref().unwrap_or(text).parse().ok()
}

fn local(path: PathBuf) -> ListenAddress {
    ListenAddress::Unix { path, mode: None, owner: None, group: None }
}

const KEYS: &[&str] = &["socket", "mode", "owner", "group", "address", "transparent", "to", "tls", "systemd"];
const SAY_ADDRESS: &str = "an IP address and a port, such as `127.0.0.1:2376` or `[::]:2376`";
