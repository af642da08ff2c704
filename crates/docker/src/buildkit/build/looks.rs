//! Calls beside the build itself: looks at what it would take, and containers for commands of the client's.

use super::source::OnPlatform;
use crate::buildkit::message::bridge::{NewContainerRequest, ResolveImageConfigRequest, ResolveSourceMetaRequest};
use crate::privilege::Privilege;
use crate::privilege::asked::Asked;
use crate::request::Misread;

/// `ResolverType`: an image of a registry, or of the daemon's.
const REGISTRY: i32 = 0;
/// One of a layout that the client has.
const LAYOUT: i32 = 1;

impl Asked<'_> {
    pub(super) fn look_at_image(&mut self, look: &ResolveImageConfigRequest) -> Result<(), Misread> {
        self.own_source_policies(!look.source_policies.is_empty());
        match look.resolver_type {
            REGISTRY => self.base_image(&look.reference, &look.resolve_mode, OnPlatform::Of(look.platform.as_ref())),
            LAYOUT => Ok(()),
            _ => Err(Misread::value("the kind of image", "is not known")),
        }
    }

    pub(super) fn look_at_source(&mut self, look: &ResolveSourceMetaRequest) -> Result<(), Misread> {
        self.own_source_policies(!look.source_policies.is_empty());
        match &look.source {
            Some(source) => self.source(source, &look.resolve_mode, OnPlatform::Of(look.platform.as_ref())),
            None => Ok(()),
        }
    }

    /// A container in which the client runs what it likes; what it will be is told later, in a stream.
    pub(super) fn build_container(
        &mut self,
        container: &NewContainerRequest,
        namespace: Option<&str>,
    ) -> Result<(), Misread> {
        self.ask_once(Privilege::Unexamined { part: "a container within a build" });
        self.run_in_network(container.network)?;
        for mount in &container.mounts {
            self.build_mount(mount, namespace)?;
        }
        for host in &container.extra_hosts {
            self.extra_host(&host.host, &host.ip);
        }
        Ok(())
    }
}
