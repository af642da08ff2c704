//! What a build as a whole asks for: entitlements, and what becomes of its result.

use std::collections::BTreeMap;

use super::source::OnPlatform;
use crate::buildkit::message::bridge;
use crate::buildkit::message::control::{CacheOptions, CacheOptionsEntry, SolveRequest};
use crate::image::Reference;
use crate::privilege::asked::Asked;
use crate::privilege::{Namespace, Peer, Privilege};
use crate::request::{Misread, UNSHOWN_BUILD};
use crate::resource::Image;

/// Attributes of exporters that grant nothing: the form of what is written. Where it goes, only `name` and `push` say; a
/// folder or a file is the client's own, within its session.
const HARMLESS: &[&str] = &[
    "name",
    "push",
    "dest",
    "tar",
    "unpack",
    "store",
    "push-by-digest",
    "name-canonical",
    "oci-mediatypes",
    "oci-artifact",
    "compression",
    "compression-level",
    "force-compression",
    "prefer-nondist-layers",
    "attestation-inline",
    "attestation-prefix",
    "source-date-epoch",
    "rewrite-timestamp",
    "platform-split",
    "mode",
    "buildinfo",
    "buildinfo-attrs",
];

/// The kinds of exporters: into the daemon's images, or through the session to the client.
const EXPORTERS: &[&str] = &["moby", "image", "docker", "oci", "local", "tar"];

impl Asked<'_> {
    /// `Control/Solve`.
    pub(super) fn control_solve(&mut self, solve: &SolveRequest, any_frontend: bool) -> Result<(), Misread> {
        for entitlement in &solve.entitlements {
            self.entitlement(entitlement);
        }
        for exporter in &solve.exporters {
            self.exporter(&exporter.kind, &exporter.attrs)?;
        }
        // Older daemons look at these, newer ones only where there are no others.
        if !solve.exporter.is_empty() {
            self.exporter(&solve.exporter, &solve.exporter_attrs)?;
        }
        if let Some(cache) = &solve.cache {
            self.caches(cache)?;
        }
        self.own_source_policies(solve.source_policy.is_some() || !solve.source_policy_session.is_empty());
        if solve.enable_session_exporter {
            self.option("session-exporter", "true");
        }
        if solve.proxy_network {
            self.option("proxy-network", "true");
        }
        self.frontend(&solve.frontend, &solve.frontend_attrs, any_frontend)?;
        if !solve.frontend.is_empty() {
            // What the frontend makes of the Dockerfile, the daemon goes on to do, and nobody is told.
            self.ask_once(Privilege::Unexamined { part: UNSHOWN_BUILD });
        }
        Ok(())
    }

    /// `LLBBridge/Solve`.
    pub(super) fn bridge_solve(&mut self, solve: &bridge::SolveRequest, any_frontend: bool) -> Result<(), Misread> {
        if solve.is_final || !solve.exporter_attr.is_empty() {
            // A form of long ago, by which the result is the build's before its answer was seen.
            return Err(Misread::value("LLBBridge.SolveRequest", "ends the build, which is not taken"));
        }
        for import in &solve.cache_imports {
            self.cache(import, false)?;
        }
        self.own_source_policies(!solve.source_policies.is_empty());
        self.frontend(&solve.frontend, &solve.frontend_opt, any_frontend)
    }

    pub(super) fn option(&mut self, name: &str, value: &str) {
        self.ask_once(Privilege::SetBuildOption { name: name.to_owned(), value: value.to_owned() });
    }

    /// A source policy of the client's can turn what was judged into something else.
    pub(super) fn own_source_policies(&mut self, any: bool) {
        if any {
            self.option("source-policy", "");
        }
    }

    fn entitlement(&mut self, entitlement: &str) {
        match entitlement.split_once('=').unwrap_or((entitlement, "")) {
            ("network.host", _) => {
                self.ask_once(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host });
            }
            ("security.insecure", _) => self.ask_once(Privilege::Privileged),
            ("device", device) => {
                self.ask_once(Privilege::RequestDevice { driver: "cdi".to_owned(), devices: device.to_owned() });
            }
            _ => self.option("entitlement", entitlement),
        }
    }

    fn exporter(&mut self, kind: &str, attrs: &BTreeMap<String, String>) -> Result<(), Misread> {
        if !EXPORTERS.contains(&kind) {
            self.option("exporter", kind);
        }
        let push = attrs
            .get("push")
            .is_some_and(|push| !matches!(push.as_str(), "false" | "0" | "f" | "F" | "FALSE" | "False"));
        for name in attrs.get("name").iter().flat_map(|names| names.split(',')).filter(|name| !name.is_empty()) {
            let name = reference(name, "the name of the image")?.with_default_tag();
            let image = Image { reference: Some(name), ..Image::default() };
            let named = self.holder(image.clone());
            self.ask_once(Privilege::NameImage { image: named });
            if push {
                self.ask_once(Privilege::PushImage { image });
            }
        }
        for (name, value) in attrs {
            if !HARMLESS.contains(&name.as_str()) && !name.starts_with("annotation") {
                self.option(name, value);
            }
        }
        Ok(())
    }

    fn caches(&mut self, cache: &CacheOptions) -> Result<(), Misread> {
        if !cache.export_ref.is_empty() {
            self.cache_in_registry(&cache.export_ref, true)?;
        }
        for import in &cache.import_refs {
            self.cache_in_registry(import, false)?;
        }
        for export in &cache.exports {
            self.cache(export, true)?;
        }
        for import in &cache.imports {
            self.cache(import, false)?;
        }
        Ok(())
    }

    /// A place that results are taken from, or written to.
    pub(super) fn cache(&mut self, entry: &CacheOptionsEntry, export: bool) -> Result<(), Misread> {
        match entry.kind.as_str() {
            // Within the image.
            "inline" => Ok(()),
            // Into a folder of the client's.
            "local" if export => Ok(()),
            "registry" => self.cache_in_registry(entry.attrs.get("ref").map_or("", String::as_str), export),
            kind => {
                self.ask_once(Privilege::UseBuildCache { kind: kind.to_owned(), export });
                Ok(())
            }
        }
    }

    pub(super) fn cache_in_registry(&mut self, name: &str, export: bool) -> Result<(), Misread> {
        let name = reference(name, "a cache of the build")?.with_default_tag();
        if export {
            let image = Image { reference: Some(name), ..Image::default() };
            self.ask_once(Privilege::PushImage { image });
            return Ok(());
        }
        // The daemon always looks in the registry.
        self.base_image(&name.to_string(), "pull", OnPlatform::Any)?;
        // What is taken is everybody's from then on: somebody's later build of the same steps has it for its result.
        self.ask_once(Privilege::UseBuildCache { kind: "registry".to_owned(), export });
        Ok(())
    }
}

fn reference(name: &str, field: &str) -> Result<Reference, Misread> {
    Reference::parse(name).map_err(|_| Misread::value(field, "is not the name of an image"))
}
