//! Names of other things within a thing: the further names of an image, the containers of a network.

use super::tree::Tree;
use crate::answer::is_id;

/// The members of an image that hold names of it.
const NAMES: &[&str] = &["RepoTags", "RepoDigests", "Tags"];

/// The names that an image or a layer goes by.
pub fn names(image: &Tree) -> Vec<&str> {
    NAMES.iter().filter_map(|key| image.get(key)).flat_map(Tree::items).filter_map(Tree::text).collect()
}

/// Leaves those names that `keep` says.
pub fn keep_names(image: &mut Tree, keep: impl Fn(&str) -> bool) {
    let mut gone = false;
    for key in NAMES {
        if let Some(Tree::List(names)) = image.get_mut(key) {
            let before = names.len();
            // `<none>:<none>` is no name.
            names.retain(|name| name.text().is_some_and(|name| name.starts_with("<none>") || keep(name)));
            gone |= names.len() < before;
        }
    }
    if gone {
        without_annotations(image);
    }
}

/// Descriptors of images are annotated with a name, and it may be any of them.
fn without_annotations(tree: &mut Tree) {
    match tree {
        Tree::Map(members) => {
            members.retain(|(key, _)| key != "annotations");
            members.iter_mut().for_each(|(_, value)| without_annotations(value));
        }
        Tree::List(items) => items.iter_mut().for_each(without_annotations),
        _ => {}
    }
}

/// The full ids of the containers that a network tells of.
pub fn neighbours(network: &Tree) -> Vec<&str> {
    let containers = network.get("Containers").map(Tree::members).unwrap_or_default();
    containers.iter().map(|(id, _)| id.as_str()).filter(|id| is_id(id)).collect()
}

/// Leaves those containers of a network that `keep` says, and nothing of services and other nodes: whose they are is
/// not told.
pub fn keep_containers(network: &mut Tree, keep: impl Fn(&str) -> bool) {
    if let Some(Tree::Map(containers)) = network.get_mut("Containers") {
        containers.retain(|(id, _)| is_id(id) && keep(id));
    }
    if let Tree::Map(members) = network {
        members.retain(|(key, _)| key != "Services");
    }
}
