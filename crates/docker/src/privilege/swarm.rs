//! The swarm itself, its nodes, secrets and configs, and the volumes that it manages.

use super::Privilege;
use crate::body::swarm::{Driver, NodeSpec, SecretSpec, SwarmInitRequest, SwarmJoinRequest, SwarmSpec};
use crate::body::volume::ClusterVolumeSpec;
use crate::endpoint::Kind;
use crate::privilege::asked::Asked;

impl Asked<'_> {
    /// A new swarm.
    ///
    /// Harmless beside that there is one: addresses to listen at, availability, locking.
    pub(crate) fn swarm_init(&mut self, body: &SwarmInitRequest) {
        if body.force_new_cluster {
            self.swarm_option("force-new-cluster", "true");
        }
        for pool in body.default_addr_pool.iter().flatten() {
            self.address(pool);
        }
        self.swarm_spec(&body.spec);
    }

    /// Another swarm joined: its managers decide what runs here from then on.
    pub(crate) fn swarm_join(&mut self, body: &SwarmJoinRequest) {
        for manager in body.remote_addrs.iter().flatten() {
            self.swarm_option("manager", manager);
        }
    }

    /// How a swarm is run.
    ///
    /// Harmless: name, labels, task history, what managers agree on how fast, expiry of certificates, locking.
    pub(crate) fn swarm_spec(&mut self, spec: &SwarmSpec) {
        for authority in spec.ca_config.external_cas.iter().flatten() {
            self.swarm_option("external-ca", &authority.url);
        }
        if !spec.ca_config.signing_ca_cert.is_empty() || !spec.ca_config.signing_ca_key.0.is_empty() {
            self.swarm_option("signing-ca", "");
        }
        if let Some(log) = &spec.task_defaults.log_driver {
            self.log_driver(&log.name, log.options.as_ref());
        }
    }

    /// A node. Whoever makes it a manager hands it the swarm.
    pub(crate) fn node(&mut self, spec: &NodeSpec) {
        if !matches!(spec.role.as_str(), "" | "worker") {
            self.swarm_option("role", &spec.role);
        }
    }

    /// A secret; its data is nobody's business here.
    pub(crate) fn secret(&mut self, spec: &SecretSpec) {
        if let Some(driver) = &spec.driver {
            self.ask(Privilege::UseSecretDriver { driver: driver.name.clone() });
        }
        self.templating(spec.templating.as_ref());
    }

    /// What fills in templates. The daemon's own sees what the task has anyway.
    pub(crate) fn templating(&mut self, driver: Option<&Driver>) {
        if let Some(driver) = driver.filter(|driver| !matches!(driver.name.as_str(), "" | "golang")) {
            self.ask(Privilege::UseSecretDriver { driver: format!("template:{}", driver.name) });
        }
    }

    /// A volume that the swarm manages (CSI); its secrets are handed to the driver.
    ///
    /// Harmless: group, capacity, where it must be reachable, how it is shared.
    pub(crate) fn cluster_volume(&mut self, spec: &mut ClusterVolumeSpec) {
        self.ask(Privilege::UseVolumeDriver { driver: "cluster".to_owned() });
        for handed in spec.secrets.iter_mut().flatten() {
            let secret = self.thing(Kind::Secret, &handed.secret);
            if !secret.id.is_empty() {
                handed.secret.clone_from(&secret.id);
            }
            self.ask(Privilege::UseSecret { secret });
        }
        let mount = spec.access_mode.as_ref().and_then(|mode| mode.mount_volume.as_ref());
        for flag in mount.iter().flat_map(|mount| mount.mount_flags.iter().flatten()) {
            self.ask(Privilege::SetVolumeOption { name: "o".to_owned(), value: flag.clone() });
        }
    }

    fn swarm_option(&mut self, name: &'static str, value: &str) {
        self.ask(Privilege::SetSwarmOption { name, value: value.to_owned() });
    }
}
