//! What one operation asks for.

use super::source::OnPlatform;
use crate::buildkit::message::llb::{ExecOp, Meta, Mount, Op, mount_type, network, security};
use crate::privilege::asked::Asked;
use crate::privilege::{Namespace, Peer, Privilege};
use crate::request::Misread;

impl Asked<'_> {
    /// Files that are copied, made and removed, and layers that are put together, stay within the build.
    pub(super) fn operation(&mut self, op: &Op, namespace: Option<&str>) -> Result<(), Misread> {
        let kinds = [op.exec.is_some(), op.source.is_some(), op.file.is_some(), op.build.is_some()];
        let layers = [op.merge.is_some(), op.diff.is_some()];
        if kinds.into_iter().chain(layers).filter(|kind| *kind).count() > 1 {
            return Err(Misread::value("an operation of the build", "is two operations"));
        }
        if op.build.is_some() {
            // Its steps lie in a file, which only the daemon will see.
            return Err(Misread::value(
                "an operation of the build",
                "is a build of its own, which cannot be looked into",
            ));
        }
        if let Some(exec) = &op.exec {
            self.execute(exec, namespace)?;
        }
        if let Some(source) = &op.source {
            self.source(source, "", OnPlatform::Of(op.platform.as_ref()))?;
        }
        Ok(())
    }

    /// A command (`RUN`).
    fn execute(&mut self, exec: &ExecOp, namespace: Option<&str>) -> Result<(), Misread> {
        self.run_in_network(exec.network)?;
        match exec.security {
            security::SANDBOX => {}
            security::INSECURE => self.ask_once(Privilege::Privileged),
            _ => return Err(Misread::value("the security mode of a command", "is not known")),
        }
        if let Some(meta) = &exec.meta {
            self.command(meta);
        }
        for mount in &exec.mounts {
            self.build_mount(mount, namespace)?;
        }
        for secret in &exec.secretenv {
            self.build_secret(&secret.id, false);
        }
        for device in &exec.cdi_devices {
            self.ask_once(Privilege::RequestDevice { driver: "cdi".to_owned(), devices: device.name.clone() });
        }
        Ok(())
    }

    pub(super) fn run_in_network(&mut self, mode: i32) -> Result<(), Misread> {
        match mode {
            network::SANDBOX => self.build_run("default"),
            network::NONE => self.build_run("none"),
            network::HOST => {
                self.build_run("host");
                self.ask_once(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host });
            }
            _ => return Err(Misread::value("the network of a command", "is not known")),
        }
        Ok(())
    }

    fn command(&mut self, meta: &Meta) {
        for host in &meta.extra_hosts {
            self.extra_host(&host.host, &host.ip);
        }
        for limit in &meta.ulimit {
            self.ask_once(Privilege::SetUlimit { name: limit.name.clone(), soft: limit.soft, hard: limit.hard });
        }
        if !meta.cgroup_parent.is_empty() {
            self.ask_once(Privilege::SetCgroupParent { path: meta.cgroup_parent.clone() });
        }
    }

    /// A line of `/etc/hosts`, as the classic builder's `extrahosts` has it.
    pub(super) fn extra_host(&mut self, host: &str, ip: &str) {
        self.ask_once(Privilege::SetBuildOption { name: "extrahosts".to_owned(), value: format!("{host}:{ip}") });
    }

    pub(super) fn build_mount(&mut self, mount: &Mount, namespace: Option<&str>) -> Result<(), Misread> {
        let cache = mount.cache.as_ref();
        match mount.mount_type {
            mount_type::BIND | mount_type::TMPFS => {}
            mount_type::SECRET => self.build_secret(mount.secret.as_ref().map_or("", |secret| &secret.id), false),
            mount_type::SSH => self.build_secret(mount.ssh.as_ref().map_or("", |agent| &agent.id), true),
            mount_type::CACHE => {
                // BuildKit takes the path for the name where none is given.
                let id = cache.map(|cache| cache.id.as_str()).filter(|id| !id.is_empty()).unwrap_or(&mount.dest);
                let own = namespace.is_some_and(|namespace| is_within(id, namespace));
                self.ask_once(Privilege::MountBuildCache { id: id.to_owned(), own });
            }
            _ => return Err(Misread::value("a mount of a command", "is of a kind that is not known")),
        }
        Ok(())
    }

    /// A secret of the client's, or its agent.
    pub(super) fn build_secret(&mut self, id: &str, agent: bool) {
        let id = if id.is_empty() { "default" } else { id };
        self.ask_once(Privilege::UseBuildSecret { id: id.to_owned(), agent });
    }
}

/// Whether the name of a folder begins with that of its owner. BuildKit joins the two as paths, so `..` leads out again.
fn is_within(id: &str, namespace: &str) -> bool {
    let rest = id.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('/'));
    !namespace.is_empty() && rest.is_some_and(|rest| rest.split('/').all(|part| part != ".."))
}
