//! Terms about images: `registry.test/team/*`, `alpine`, `alpine:3.20`, `registry.test`, `sha256:…`.

use docker::image::Reference;

use super::super::cedar::quote;
use super::super::target::{Target, matches};
use super::{Item, Term};

pub(super) const TERMS: &[Term] = &[
    Term { key: "image", actions: &["useImage", "pullImage", "mountImage"], beside: &[], read: image },
    Term { key: "name_image", actions: &["nameImage"], beside: &[], read: image },
    Term { key: "push_image", actions: &["pushImage"], beside: &[], read: image },
    Term { key: "frontend", actions: &["useFrontend"], beside: &[], read: frontend },
    Term { key: "install_plugin", actions: &["installPlugin"], beside: &[], read: image },
    Term { key: "registry", actions: &["contactRegistry"], beside: &[], read: registry },
];

fn image(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let target = item.target();
    if item.value == "*" {
        return Ok(vec![target]);
    }
    if item.value.starts_with("sha256:") {
        return Ok(vec![target.when(format!("resource has id && resource.id == {}", quote(item.value)))]);
    }
    if is_registry(item.value) {
        return Ok(vec![target.within("Registry", item.value)]);
    }
    if let Some(above) = item.value.strip_suffix("/*") {
        if is_registry(above) {
            return Ok(vec![target.within("Registry", above)]);
        }
        return Ok(vec![target.within("Repository", &repository(above)?)]);
    }
    let (name, tag) = match item.value.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !item.value.contains('@') => (name, Some(tag)),
        _ => (item.value, None),
    };
    if name.contains('*') {
        return Err(format!("`*` can only stand for all of a repository or a tag, not within `{name}`"));
    }
    let reference = Reference::parse(name).map_err(|error| error.to_string())?;
    let name = reference.name();
    // A repository holds those below it too: the name itself is asked for.
    let mut target =
        target.within("Repository", &name).when(format!("resource.repositories.contains({})", quote(&name)));
    if let Some(condition) = tag.and_then(|tag| matches("resource.tag", tag)) {
        target = target.when(format!("resource has tag && {condition}"));
    }
    if let Some(digest) = &reference.digest {
        target = target.when(format!("resource has digest && resource.digest == {}", quote(digest)));
    }
    Ok(vec![target])
}

/// An image; `*` is any, and whichever the Dockerfile names.
fn frontend(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let targets = image(item)?;
    let any = item.value == "*";
    Ok(targets.into_iter().map(|target| if any { target } else { target.when("resource is Image") }).collect())
}

fn registry(item: &Item<'_>) -> Result<Vec<Target>, String> {
    match item.value {
        "*" => Ok(vec![item.target()]),
        host if host == "localhost" || is_registry(host) => Ok(vec![item.target().equal("Registry", host)]),
        other => Err(format!("`{other}` is no registry; write its host, like `docker.io`")),
    }
}

/// A host alone: `registry.test`, `registry.test:5000`. `alpine:3` is none, for want of a dot.
fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_host = host.contains('.') || host == "localhost";
    is_host && is_port && !text.contains(['/', '*', '@'])
}

/// The full name of everything below a path: `docker.io/team` for `team`.
fn repository(path: &str) -> Result<String, String> {
    // A name below it is read in its place: that says which registry, and whether it is a name at all.
    let reference = Reference::parse(&format!("{path}/x")).map_err(|_| format!("`{path}` is no repository"))?;
    let name = reference.name();
    Ok(name.strip_suffix("/x").unwrap_or(&name).to_owned())
}
