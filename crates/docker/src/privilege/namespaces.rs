//! Namespaces that a container does not have to itself.

use super::{Namespace, Peer, Privilege};
use crate::body::container::HostConfig;
use crate::privilege::asked::Asked;
use crate::request::Misread;

impl Asked<'_> {
    /// Every namespace mode but the network's.
    ///
    /// Modes are compared exactly, as the daemon does: on 20.10 `HOST` is stored and means "not the host".
    /// What is not known is asked for as it is, and no preset grants it.
    pub(crate) fn namespaces(&mut self, host: &mut HostConfig) -> Result<(), Misread> {
        self.mode(Namespace::Pid, &mut host.pid_mode, &[])?;
        self.mode(Namespace::Ipc, &mut host.ipc_mode, &["none", "private", "shareable"])?;
        self.mode(Namespace::Uts, &mut host.uts_mode, &[])?;
        self.mode(Namespace::User, &mut host.userns_mode, &["private"])?;
        self.mode(Namespace::Cgroup, &mut host.cgroupns_mode, &["private"])?;
        // The old way to join another container's control group; "host" means nothing here.
        self.mode(Namespace::Cgroup, &mut host.cgroup, &[])
    }

    fn mode(&mut self, namespace: Namespace, mode: &mut String, own: &[&str]) -> Result<(), Misread> {
        if mode.is_empty() || own.contains(&mode.as_str()) {
            return Ok(());
        }
        let with = match mode.as_str() {
            "host" => Peer::Host,
            other if other.starts_with("container:") => self.join(mode)?,
            other => Peer::Unknown(other.to_owned()),
        };
        self.ask(Privilege::ShareNamespace { namespace, with });
        Ok(())
    }

    /// The network mode where it is a namespace of the host's or of another container's.
    pub(crate) fn network_namespace(&mut self, host: &mut HostConfig) -> Result<(), Misread> {
        if host.network_mode == "host" || host.network_mode.starts_with("container:") {
            self.mode(Namespace::Network, &mut host.network_mode, &[])?;
        }
        Ok(())
    }

    /// Another container's namespace, `container:NAME`; its full id takes the place of its name.
    pub(crate) fn join(&mut self, mode: &mut String) -> Result<Peer, Misread> {
        let name = mode.strip_prefix("container:").unwrap_or_default();
        if name.is_empty() {
            return Ok(Peer::Unknown(mode.clone()));
        }
        let container = self.container(name);
        if !container.id.is_empty() {
            *mode = format!("container:{}", container.id);
        }
        self.powers(&container)?;
        Ok(Peer::Container(container))
    }
}
