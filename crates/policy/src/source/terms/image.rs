//! Terms about images: `registry.test/team/*`, `alpine`, `alpine:3.20`, `registry.test`, `sha256:…`.

use docker::image::Pattern;
use docker::image::pattern::is_registry;

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
    let target = match Pattern::parse(item.value)? {
        Pattern::All => target,
        Pattern::Id(id) => target.when(format!("resource has id && resource.id == {}", quote(&id))),
        Pattern::Registry(host) => target.within("Registry", &host),
        Pattern::Below(name) => target.within("Repository", &name),
        Pattern::Name { reference, tag } => {
            let name = reference.name();
            // A repository holds those below it too: the name itself is asked for.
            let mut target =
                target.within("Repository", &name).when(format!("resource.repositories.contains({})", quote(&name)));
            if let Some(condition) = tag.and_then(|tag| matches("resource.tag", &tag)) {
                target = target.when(format!("resource has tag && {condition}"));
            }
            if let Some(digest) = &reference.digest {
                target = target.when(format!("resource has digest && resource.digest == {}", quote(digest)));
            }
            target
        }
    };
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
