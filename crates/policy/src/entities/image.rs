//! Images, repositories and registries.

use cedar_policy::EntityUid;
use docker::image::Reference;
use docker::resource::Image;

use super::{Attributes, Cast, boolean, string, strings};
use crate::judge::Fault;
use crate::schema::Type;

impl Cast<'_> {
    /// An image. Asked for by name it is of that name's repository; by id, of all repositories that
    /// have a name for it.
    pub fn image(&mut self, image: &Image) -> Result<EntityUid, Fault> {
        let references: Vec<&Reference> = match &image.reference {
            Some(reference) => vec![reference],
            None => image.names.iter().collect(),
        };
        let mut parents = Vec::new();
        let mut repositories = Vec::new();
        for reference in references {
            let name = reference.name();
            if !repositories.contains(&name) {
                parents.extend(self.repositories(reference));
                repositories.push(name);
            }
        }
        let name = image.reference.as_ref().map(ToString::to_string);
        let id = name.as_deref().or(image.id.as_deref()).unwrap_or_default();
        let mut attributes: Attributes = vec![
            string("name", &image.describe()),
            boolean("present", image.id.is_some()),
            strings("repositories", repositories.iter().map(String::as_str)),
            strings("knownAs", known_as(image).iter().map(String::as_str)),
        ];
        if let Some(tag) = image.reference.as_ref().and_then(|reference| reference.tag.as_deref()) {
            attributes.push(string("tag", tag));
        }
        if let Some(digest) = image.reference.as_ref().and_then(|reference| reference.digest.as_deref()) {
            attributes.push(string("digest", digest));
        }
        if let Some(id) = &image.id {
            attributes.push(string("id", id));
        }
        attributes.push(boolean("everybodys", image.ownership.everybodys));
        let attributes = self.owned(attributes, &image.ownership);
        self.labelled(Type::Image, id, attributes, parents, &image.labels)
    }

    pub fn registry(&self, host: &str) -> EntityUid {
        self.types.uid(Type::Registry, host)
    }

    /// The repository of a name, each repository above it, and its registry.
    fn repositories(&self, reference: &Reference) -> Vec<EntityUid> {
        let mut name = reference.registry.clone();
        let mut all = vec![self.registry(&name)];
        for part in reference.path.split('/') {
            name.push('/');
            name.push_str(part);
            all.push(self.types.uid(Type::Repository, &name));
        }
        all
    }
}

/// All its names, with tag or digest and without.
fn known_as(image: &Image) -> Vec<String> {
    let mut names = Vec::new();
    for reference in image.reference.iter().chain(&image.names) {
        let Reference { registry, path, tag, digest } = reference;
        let name = format!("{registry}/{path}");
        let tagged = tag.iter().map(|tag| format!("{name}:{tag}"));
        let pinned = digest.iter().map(|digest| format!("{name}@{digest}"));
        for known in tagged.chain(pinned).chain([name.clone()]) {
            if !names.contains(&known) {
                names.push(known);
            }
        }
    }
    names
}
