//! What the network end points carry (moby `network.*`).

use std::collections::BTreeMap;

use crate::json::go_struct;

go_struct! {
    /// The body of `POST /networks/create`.
    pub struct NetworkCreateRequest {
        name: String = "Name",
        /// Obsolete: names are always checked since API 1.44.
        check_duplicate: Option<bool> = "CheckDuplicate",
        driver: String = "Driver",
        scope: String = "Scope",
        enable_ipv6: Option<bool> = "EnableIPv6",
        ipam: Option<Ipam> = "IPAM",
        internal: bool = "Internal",
        attachable: bool = "Attachable",
        ingress: bool = "Ingress",
        config_only: bool = "ConfigOnly",
        config_from: Option<ConfigReference> = "ConfigFrom",
        options: Option<BTreeMap<String, String>> = "Options",
        labels: Option<BTreeMap<String, String>> = "Labels",
        enable_ipv4: Option<bool> = "EnableIPv4",
    }

    /// How addresses are given out.
    pub struct Ipam {
        driver: String = "Driver",
        options: Option<BTreeMap<String, String>> = "Options",
        config: Option<Vec<IpamConfig>> = "Config",
    }

    /// One pool of addresses.
    pub struct IpamConfig {
        subnet: String = "Subnet",
        ip_range: String = "IPRange",
        gateway: String = "Gateway",
        auxiliary_addresses: Option<BTreeMap<String, String>> = "AuxiliaryAddresses",
    }

    /// A network whose configuration is used.
    pub struct ConfigReference {
        network: String = "Network",
    }

    /// The body of `POST /networks/{id}/connect`.
    pub struct NetworkConnectRequest {
        container: String = "Container",
        endpoint_config: Option<EndpointSettings> = "EndpointConfig",
    }

    /// The body of `POST /networks/{id}/disconnect`.
    pub struct NetworkDisconnectRequest {
        container: String = "Container",
        force: bool = "Force",
    }

    /// The networks that a new container joins.
    pub struct NetworkingConfig {
        endpoints_config: Option<BTreeMap<String, Option<EndpointSettings>>> = "EndpointsConfig",
    }

    /// How a container takes part in a network.
    ///
    /// Of the ids and addresses that the daemon fills in itself, it goes by `NetworkID` where a client sends it.
    pub struct EndpointSettings {
        ipam_config: Option<EndpointIpamConfig> = "IPAMConfig",
        links: Option<Vec<String>> = "Links",
        aliases: Option<Vec<String>> = "Aliases",
        network_id: String = "NetworkID",
        endpoint_id: String = "EndpointID",
        gateway: String = "Gateway",
        ip_address: String = "IPAddress",
        ip_prefix_len: i64 = "IPPrefixLen",
        ipv6_gateway: String = "IPv6Gateway",
        global_ipv6_address: String = "GlobalIPv6Address",
        global_ipv6_prefix_len: i64 = "GlobalIPv6PrefixLen",
        mac_address: String = "MacAddress",
        driver_opts: Option<BTreeMap<String, String>> = "DriverOpts",
        dns_names: Option<Vec<String>> = "DNSNames",
        gw_priority: i64 = "GwPriority",
    }

    /// Addresses of the container's choice.
    pub struct EndpointIpamConfig {
        ipv4_address: String = "IPv4Address",
        ipv6_address: String = "IPv6Address",
        link_local_ips: Option<Vec<String>> = "LinkLocalIPs",
    }
}
