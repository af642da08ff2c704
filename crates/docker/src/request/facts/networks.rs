//! Networks and who takes part in them.

use super::{Draft, Unsettled, not_an_id};
use crate::privilege::Privilege;
use crate::privilege::asked::Absent;
use crate::request::Body;
use crate::resource::Resource;

impl Draft<'_> {
    pub(super) fn network(&mut self) -> Result<(), Unsettled> {
        if let Body::NetworkCreate(body) = &self.body {
            self.resources.push(Resource::Daemon);
            let driver = if body.driver.is_empty() { "bridge" } else { &body.driver };
            self.asked.ask(Privilege::UseNetworkDriver { driver: driver.to_owned() });
            not_an_id(&body.name, "Name")?;
            self.asked.network_options(&body.options);
            if let Some(ipam) = &body.ipam {
                if !matches!(ipam.driver.as_str(), "" | "default") {
                    self.asked.ask(Privilege::UseNetworkDriver { driver: format!("ipam:{}", ipam.driver) });
                }
                self.asked.network_options(&ipam.options);
                self.asked.pools(ipam.config.as_ref());
            }
            let swarm = [
                ("ingress", body.ingress),
                ("config-only", body.config_only),
                ("config-from", body.config_from.is_some()),
            ];
            for (name, _) in swarm.iter().filter(|(_, asked)| *asked) {
                self.asked.ask(Privilege::SetNetworkOption { name: (*name).to_owned(), value: "true".to_owned() });
            }
            if !matches!(body.scope.as_str(), "" | "local") {
                self.asked.ask(Privilege::SetNetworkOption { name: "scope".to_owned(), value: body.scope.clone() });
            }
            return Ok(());
        }
        // What every node has by itself is known to the swarm under ids of its own.
        let of_swarm = self.query.value("scope")? == "swarm";
        let Some(name) = self.names.first_mut() else {
            self.resources.push(Resource::Daemon);
            return Ok(());
        };
        match self.asked.world.network(name) {
            Some(network) => {
                if !(of_swarm && matches!(name.as_str(), "host" | "bridge" | "none")) {
                    name.clone_from(&network.id);
                }
                self.resources.push(Resource::Network(network.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("network {name} not found") }),
        }
        self.network_member()
    }

    /// The container that is connected or disconnected, named in the body.
    fn network_member(&mut self) -> Result<(), Unsettled> {
        let member = match &mut self.body {
            Body::NetworkConnect(body) => {
                if let Some(endpoint) = &mut body.value_mut().endpoint_config {
                    self.asked.endpoint(endpoint)?;
                }
                &mut body.value_mut().container
            }
            Body::NetworkDisconnect(body) => &mut body.value_mut().container,
            _ => return Ok(()),
        };
        match self.asked.world.container(member) {
            Some(container) => {
                member.clone_from(&container.id);
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {member}") }),
        }
        if let (Body::NetworkConnect(body), Some(Resource::Network(network))) = (&mut self.body, self.resources.first())
        {
            let name = if network.id.is_empty() { network.name.clone() } else { network.id.clone() };
            // The daemon goes by this before it goes by the path.
            if let Some(endpoint) = &mut body.value_mut().endpoint_config {
                endpoint.network_id.clone_from(&network.id);
            }
            self.asked.join_network(&name);
        }
        Ok(())
    }
}
