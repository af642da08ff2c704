//! Networks: what a container joins, under which addresses, and what is published on the host.

use std::net::IpAddr;

use super::{Namespace, Peer, Privilege, PublishedPort};
use crate::body::container::{HostConfig, PortBinding};
use crate::body::network::{EndpointSettings, IpamConfig, NetworkingConfig};
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::resource::{Labels, Network};

/// The endpoint option in which clients of API 1.48 hand over sysctls of one interface.
const ENDPOINT_SYSCTLS: &str = "com.docker.network.endpoint.sysctls";

impl Asked<'_> {
    /// The network mode and the networks to join beside it.
    ///
    /// Before it looks for a network of that name, the daemon takes the one that an endpoint's `NetworkID` says, and
    /// it looks when the container starts. So the id of the network that was judged is written there: a client's own
    /// would be another network, and a name could be another's by then.
    pub(crate) fn networks(
        &mut self,
        host: &mut HostConfig,
        networking: Option<&mut NetworkingConfig>,
    ) -> Result<(), Misread> {
        match host.network_mode.as_str() {
            "" | "default" => self.join_network("bridge"),
            "none" => {}
            "host" => self.ask(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host }),
            mode if mode.starts_with("container:") => self.network_namespace(host)?,
            name => self.join_network(name),
        }
        let endpoints = networking.and_then(|networking| networking.endpoints_config.as_mut());
        for (name, endpoint) in endpoints.into_iter().flatten() {
            // Named again for its addresses: the mode above has asked for it already.
            if !same_network(name, &host.network_mode) {
                self.join_network(name);
            }
            let id = self.network_id(name);
            match endpoint {
                Some(endpoint) => {
                    self.endpoint(endpoint)?;
                    endpoint.network_id = id;
                }
                None if id.is_empty() => {}
                None => *endpoint = Some(EndpointSettings { network_id: id, ..EndpointSettings::default() }),
            }
        }
        Ok(())
    }

    /// The id of a network by its name; empty for one that is not there, and for those that every daemon has.
    fn network_id(&self, name: &str) -> String {
        match name {
            "bridge" | "default" | "host" | "none" => String::new(),
            _ => self.world.network(name).map(|network| network.id.clone()).unwrap_or_default(),
        }
    }

    /// A network by name or id. The one of driver `host` is the host's namespace under any name.
    pub(crate) fn join_network(&mut self, name: &str) {
        let network = match name {
            "none" => return,
            "host" => Network { name: name.to_owned(), driver: "host".to_owned(), ..Network::default() },
            _ => self
                .world
                .network(name)
                .cloned()
                .unwrap_or_else(|| Network { name: name.to_owned(), ..Network::default() }),
        };
        if network.driver == "host" {
            self.ask(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host });
        } else {
            self.ask(Privilege::JoinNetwork { network });
        }
    }

    /// How a container takes part in a network.
    pub(crate) fn endpoint(&mut self, endpoint: &mut EndpointSettings) -> Result<(), Misread> {
        self.links(endpoint.links.as_mut());
        self.mac_address(&endpoint.mac_address);
        self.endpoint_options(endpoint.driver_opts.as_ref());
        Ok(())
    }

    /// Options of one endpoint; sysctls of its interface among them.
    pub(crate) fn endpoint_options(&mut self, options: Option<&Labels>) {
        for (name, value) in options.into_iter().flatten() {
            if name == ENDPOINT_SYSCTLS {
                for setting in value.split(',') {
                    let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
                    self.ask(Privilege::SetSysctl { name: name.trim().to_owned(), value: value.to_owned() });
                }
            } else {
                self.ask(Privilege::SetNetworkOption { name: name.clone(), value: value.clone() });
            }
        }
    }

    /// A hardware address, where one is asked for.
    pub(crate) fn mac_address(&mut self, address: &str) {
        if !address.is_empty() {
            self.ask(Privilege::SetMacAddress { address: address.to_owned() });
        }
    }

    /// Links: `container[:alias]`.
    pub(crate) fn links(&mut self, links: Option<&mut Vec<String>>) {
        for link in links.into_iter().flatten() {
            let (name, alias) = link.split_once(':').unwrap_or((link, ""));
            let container = self.container(name);
            if !container.id.is_empty() {
                let alias = if alias.is_empty() { container.name.as_str() } else { alias };
                *link = format!("{}:{alias}", container.id);
            }
            self.ask(Privilege::LinkContainer { container });
        }
    }

    /// The ports that are published on the host.
    pub(crate) fn ports(&mut self, host: &HostConfig) -> Result<(), Misread> {
        for (key, bindings) in host.port_bindings.iter().flatten() {
            let field = format!("HostConfig.PortBindings[{key:?}]");
            let protocol = protocol(key).ok_or_else(|| Misread::value(&field, "is not `port[/tcp|udp|sctp]`"))?;
            for binding in bindings.iter().flatten() {
                let port = published(binding, protocol)
                    .ok_or_else(|| Misread::value(&field, "has an address or a port that cannot be read"))?;
                self.ask(Privilege::PublishPort(port));
            }
        }
        if host.publish_all_ports {
            self.ask(Privilege::PublishAllPorts);
        }
        Ok(())
    }

    /// The addresses of a network that is to be made. The daemon gives them to the host and routes them: with
    /// public ones, the host's traffic to them goes into the network instead.
    pub(crate) fn pools(&mut self, pools: Option<&Vec<IpamConfig>>) {
        for pool in pools.into_iter().flatten() {
            let auxiliary = pool.auxiliary_addresses.iter().flatten().map(|(_, address)| address);
            for address in [&pool.subnet, &pool.ip_range, &pool.gateway].into_iter().chain(auxiliary) {
                self.address(address);
            }
        }
    }

    /// Addresses that a network takes, where they may be somebody else's.
    pub(crate) fn address(&mut self, address: &str) {
        if !address.is_empty() && !is_private(address) {
            self.ask(Privilege::SetNetworkOption { name: "subnet".to_owned(), value: address.to_owned() });
        }
    }

    /// Options of a network that is to be made.
    pub(crate) fn network_options(&mut self, options: &Option<Labels>) {
        for (name, value) in options.iter().flatten() {
            self.ask(Privilege::SetNetworkOption { name: name.clone(), value: value.clone() });
        }
    }
}

/// Whether an address or subnet belongs to nobody else: RFC 1918, RFC 6598, link-local, unique local. A subnet that is
/// wider than such a range is not within it.
fn is_private(subnet: &str) -> bool {
    let (address, length) = match subnet.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (subnet, Some(u8::MAX)),
    };
    let Some(length) = length else { return false };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => match address.octets() {
            [10, ..] => length >= 8,
            [172, second, ..] if (16..32).contains(&second) => length >= 12,
            [192, 168, ..] | [169, 254, ..] => length >= 16,
            [100, second, ..] if (64..128).contains(&second) => length >= 10,
            _ => false,
        },
        Ok(IpAddr::V6(address)) => match address.octets() {
            [0xfc | 0xfd, ..] => length >= 7,
            [0xfe, second, ..] if second & 0xc0 == 0x80 => length >= 10,
            _ => false,
        },
        Err(_) => false,
    }
}

/// Whether an entry of `EndpointsConfig` is the network of the mode.
fn same_network(name: &str, mode: &str) -> bool {
    match mode {
        "" | "default" => matches!(name, "bridge" | "default"),
        _ => name == mode,
    }
}

/// The protocol of a key such as `80/tcp`, `80` or `8000-8010/udp`.
fn protocol(key: &str) -> Option<&'static str> {
    let (ports, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    range(ports)?;
    match protocol.to_ascii_lowercase().as_str() {
        "tcp" | "" => Some("tcp"),
        "udp" => Some("udp"),
        "sctp" => Some("sctp"),
        _ => None,
    }
}

/// A binding to the host. An empty port is a free one of the daemon's choice, as is 0.
fn published(binding: &PortBinding, protocol: &str) -> Option<PublishedPort> {
    let address = binding.host_ip.as_str();
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return None;
    }
    let (first, last) = if binding.host_port.is_empty() { (0, 0) } else { range(&binding.host_port)? };
    Some(PublishedPort { protocol: protocol.to_owned(), address: address.to_owned(), first, last })
}

/// `PORT` or `FIRST-LAST` as Go's ParseUint reads them: leading zeros count for nothing.
fn range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(text)?, number(text)?),
    };
    // From 0 on is no range of free ports.
    (first <= last && (first != 0 || last == 0)).then_some((first, last))
}
