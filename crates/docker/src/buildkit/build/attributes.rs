//! What a frontend is told. Its attributes are a map of texts, of which each has a meaning of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::source::{OnPlatform, is_upload};
use crate::buildkit::message::control::CacheOptionsEntry;
use crate::image::Reference;
use crate::json;
use crate::privilege::asked::Asked;
use crate::privilege::{Namespace, Peer, Privilege};
use crate::request::Misread;
use crate::resource::Image;

type Attributes = BTreeMap<String, String>;

/// Attributes that grant nothing: which file, which target, which platform; limits; what is only told.
const HARMLESS: &[&str] = &[
    "filename",
    "dockerfilekey",
    "contextkey",
    "contextsubdir",
    "target",
    "platform",
    "multi-platform",
    "no-cache",
    "image-resolve-mode",
    "hostname",
    "shm-size",
    "memory",
    "memswap",
    "cpushares",
    "cpuperiod",
    "cpuquota",
    "cpusetcpus",
    "cpusetmems",
    "cmdline",
    "frontend.caps",
    "requestid",
];

/// The same, by what their names begin with.
const HARMLESS_PREFIXES: &[&str] =
    &["label:", "build-arg:", "input-metadata:", "local-sessionid:", "sharedkey:", "vcs:"];

/// Those that grant something, each in its own way.
const JUDGED: &[&str] =
    &["source", "force-network-mode", "cgroup-parent", "add-hosts", "ulimit", "cache-from", "cache-imports"];

/// What BuildKit scans results with unless told otherwise.
const SCANNER: &str = "docker/buildkit-syft-scanner:stable-1";

/// The sessions that folders are taken from, where not from the build's own.
pub(super) fn sessions(attrs: &Attributes) -> impl Iterator<Item = &str> {
    let named = attrs.iter().filter(|(name, _)| name.starts_with("local-sessionid:"));
    named.map(|(_, session)| session.as_str())
}

impl Asked<'_> {
    /// A frontend and what it is told.
    pub(super) fn frontend(&mut self, name: &str, attrs: &Attributes, any: bool) -> Result<(), Misread> {
        match name {
            "" => {}
            // An image reads the Dockerfile as the built-in one does, and may hand it on in the same way.
            "dockerfile.v0" | "gateway.v0" => {
                if any && !attrs.contains_key("cmdline") {
                    self.ask_once(Privilege::UseFrontend { image: None });
                }
            }
            _ => return Err(Misread::value("the frontend", "is not known")),
        }
        if name == "gateway.v0" && !attrs.contains_key("source") {
            return Err(Misread::value("the frontend", "is an image that is not named"));
        }
        // Any attribute can be made the one that says where the context is; one that says something else may not.
        let context = attrs.get("contextkey").map_or("context", String::as_str);
        if context.contains(':') || HARMLESS.contains(&context) || JUDGED.contains(&context) {
            return Err(malformed("contextkey"));
        }
        for (name, value) in attrs {
            if name == context {
                self.context(value);
            }
            self.attribute(name, value, attrs)?;
        }
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str, attrs: &Attributes) -> Result<(), Misread> {
        match name {
            "source" => self.frontend_image(value, attrs)?,
            "build-arg:BUILDKIT_SYNTAX" => {
                self.frontend_image(value.split_whitespace().next().unwrap_or_default(), attrs)?;
            }
            "force-network-mode" => self.forced_network(value)?,
            "cgroup-parent" => {
                if !value.is_empty() {
                    self.ask_once(Privilege::SetCgroupParent { path: value.to_owned() });
                }
            }
            "add-hosts" => {
                for item in items(value)? {
                    let (host, ip) = item.split_once('=').ok_or_else(|| malformed("add-hosts"))?;
                    self.extra_host(host, ip);
                }
            }
            "ulimit" => {
                for item in items(value)? {
                    self.ulimit(item)?;
                }
            }
            "cache-from" => {
                for name in items(value)? {
                    self.cache_in_registry(name, false)?;
                }
            }
            "cache-imports" => self.cache_imports(value)?,
            // The context: it was asked for.
            "context" => {}
            _ => return self.prefixed(name, value),
        }
        Ok(())
    }

    fn prefixed(&mut self, name: &str, value: &str) -> Result<(), Misread> {
        if let Some(context) = name.strip_prefix("context:") {
            return self.named_context(context, value);
        }
        let attestation = name.strip_prefix("attest:").or_else(|| name.strip_prefix("build-arg:BUILDKIT_ATTEST_"));
        if let Some(attestation) = attestation {
            return self.attestation(&attestation.to_lowercase(), value);
        }
        if !HARMLESS.contains(&name) && !HARMLESS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            self.option(name, value);
        }
        Ok(())
    }

    /// An image that builds as it likes. A named context of its name takes its place: then it may be any.
    fn frontend_image(&mut self, name: &str, attrs: &Attributes) -> Result<(), Misread> {
        let reference = Reference::parse(name).map(Reference::with_default_tag);
        let reference = reference.map_err(|_| Misread::value("the frontend", "is not the name of an image"))?;
        let replaced = attrs.keys().filter_map(|key| key.strip_prefix("context:")).any(|context| {
            let context = context.split("::").next().unwrap_or_default();
            Reference::parse(context).map_or(context == name, |other| other.name() == reference.name())
        });
        if replaced {
            self.ask_once(Privilege::UseFrontend { image: None });
            return Ok(());
        }
        let name = reference.to_string();
        self.base_image(&name, "", OnPlatform::Any)?;
        let image = self.world.image(&name).map_or_else(Image::default, |known| known.image.clone());
        let image = Image { reference: Some(reference), ..image };
        self.ask_once(Privilege::UseFrontend { image: Some(image) });
        Ok(())
    }

    fn forced_network(&mut self, mode: &str) -> Result<(), Misread> {
        match mode {
            "" | "none" | "sandbox" | "default" => Ok(()),
            "host" => {
                self.ask_once(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host });
                Ok(())
            }
            _ => Err(malformed("force-network-mode")),
        }
    }

    /// A context that the daemon fetches. Without one it is a folder of the client's.
    fn context(&mut self, from: &str) {
        if from.is_empty() || is_upload(from) {
            return;
        }
        self.ask_once(Privilege::FetchBuildContext { from: from.to_owned() });
        if is_of_a_machine(from) {
            // Its operation may ask for this, but it is told after it was fetched.
            self.ask_once(Privilege::BuildFetch { from: fetched(from).to_owned() });
        }
    }

    /// A context by name (`--build-context`).
    fn named_context(&mut self, name: &str, value: &str) -> Result<(), Misread> {
        match value.split_once(':') {
            Some(("local" | "input" | "oci-layout", _)) => Ok(()),
            Some(("docker-image", image)) => match image.strip_prefix("//").unwrap_or(image) {
                "scratch" => Ok(()),
                image => self.base_image(image, "", OnPlatform::Any),
            },
            Some(("git" | "http" | "https", _)) => {
                self.context(value);
                Ok(())
            }
            Some((user, _)) if user.starts_with("git@") => {
                self.context(value);
                Ok(())
            }
            _ => Err(Misread::value(format!("the build context {}", shown(name)), "is of a kind that is not known")),
        }
    }

    fn ulimit(&mut self, limit: &str) -> Result<(), Misread> {
        let (name, values) = limit.split_once('=').ok_or_else(|| malformed("ulimit"))?;
        let (soft, hard) = values.split_once(':').unwrap_or((values, values));
        let number = |text: &str| text.parse::<i64>().map_err(|_| malformed("ulimit"));
        self.ask_once(Privilege::SetUlimit { name: name.to_owned(), soft: number(soft)?, hard: number(hard)? });
        Ok(())
    }

    /// A list as JSON.
    fn cache_imports(&mut self, value: &str) -> Result<(), Misread> {
        if value.is_empty() {
            return Ok(());
        }
        let none = BTreeSet::new();
        let options = json::Options { allow_fields: &none };
        for Import { kind, attrs } in json::read::<Vec<Import>>(value.as_bytes(), &options)?.into_value() {
            self.cache(&CacheOptionsEntry { kind, attrs: attrs.unwrap_or_default() }, false)?;
        }
        Ok(())
    }

    /// A statement about the result: where it comes from, or what is in it, for which the daemon runs an image.
    fn attestation(&mut self, kind: &str, value: &str) -> Result<(), Misread> {
        match kind {
            "provenance" => Ok(()),
            "sbom" => {
                let mut scanner = SCANNER;
                for item in items(value)? {
                    // Of one that comes twice the last one counts.
                    if let Some(image) = item.strip_prefix("generator=") {
                        scanner = image;
                    }
                }
                self.base_image(scanner, "", OnPlatform::Any)?;
                self.build_run("default");
                Ok(())
            }
            kind => {
                self.option("attest", kind);
                Ok(())
            }
        }
    }
}

/// Whether a URL names a machine by its address, in one of the many ways to write it, or this one: there may be services of
/// a cloud, or of the host, that answer whoever can reach them.
fn is_of_a_machine(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let host = place.split(':').next().unwrap_or_default().trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    !plain || !last.starts_with(|c: char| c.is_ascii_alphabetic()) || last.eq_ignore_ascii_case("localhost")
}

/// What is fetched for a context by URL: of a git repository, what stands behind `#` is a branch and a folder of it.
fn fetched(url: &str) -> &str {
    match url.split_once('#') {
        Some((repository, _)) if repository.ends_with(".git") => repository,
        _ => url,
    }
}

/// A place that results are taken from, as it stands in JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Import {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Attrs", default)]
    attrs: Option<BTreeMap<String, String>>,
}

/// The items of a list with commas. One with quotes could be read in two ways.
fn items(list: &str) -> Result<impl Iterator<Item = &str>, Misread> {
    if list.contains(['"', '\n', '\r']) {
        return Err(Misread::value("a list of the build", "has quotes or line breaks in it"));
    }
    Ok(list.split(',').filter(|item| !item.is_empty()))
}

fn malformed(name: &'static str) -> Misread {
    Misread::value(name, "cannot be read")
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}
