//! An image as others are asked about it.

use docker::image::{Pattern, Reference};
use docker::resource;
use serde_json::{Value, json};

/// An image: what it is called, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    /// As it was named, with its tag or digest. `None`: by an id that has no name.
    name: Option<Reference>,
    /// Every other name that it has here: a check of those has a say, too.
    others: Vec<Reference>,
    /// Its id, where it is here.
    id: Option<String>,
    /// The digests by which the registry of its name knows it.
    digests: Vec<String>,
}

impl Image {
    /// As the daemon knows it. Asked for by its id, it goes by the first of its names.
    pub fn here(image: &resource::Image) -> Image {
        let tagged = image.names.iter().find(|name| name.tag.is_some());
        let name = image.reference.clone().or_else(|| tagged.or(image.names.first()).cloned());
        let digests = digests(name.as_ref(), &image.names);
        Image { name, others: image.names.clone(), id: image.id.clone(), digests }
    }

    /// As its registry knows it.
    pub fn at_registry(name: Reference, digest: String) -> Image {
        Image { name: Some(name), others: Vec::new(), id: None, digests: vec![digest] }
    }

    /// Of which nothing is known but the name.
    pub fn named(name: Reference) -> Image {
        Image { digests: name.digest.iter().cloned().collect(), name: Some(name), others: Vec::new(), id: None }
    }

    /// Of which nothing is known at all.
    pub fn unseen() -> Image {
        Image { name: None, others: Vec::new(), id: None, digests: Vec::new() }
    }

    /// Its name.
    pub fn name(&self) -> Option<&Reference> {
        self.name.as_ref()
    }

    /// Its id, where it is here.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The digests by which the registry of its name knows it.
    pub fn digests(&self) -> &[String] {
        &self.digests
    }

    /// What it is: the digest of its registry, or its id.
    pub fn digest(&self) -> Option<&str> {
        self.digests.first().or(self.id.as_ref()).map(String::as_str)
    }

    /// The image as a check of these patterns is asked about it: by the name that they speak of, which may be another one
    /// than it was asked for by, or else another tag would be a way around the check. `None`: they do not speak of it.
    pub(super) fn seen_by(&self, patterns: &[Pattern]) -> Option<Image> {
        let fits = |image: &Image| patterns.iter().any(|pattern| image.fits(pattern));
        if patterns.is_empty() || fits(self) {
            return Some(Image { others: Vec::new(), ..self.clone() });
        }
        let tagged = self.others.iter().filter(|name| name.tag.is_some());
        let names = tagged.chain(&self.others);
        let mut others = names.map(|name| Image {
            name: Some(name.clone()),
            others: Vec::new(),
            digests: digests(Some(name), &self.others),
            id: self.id.clone(),
        });
        others.find(fits)
    }

    fn fits(&self, pattern: &Pattern) -> bool {
        let id = self.id.as_deref();
        if self.name.is_none() && id.is_none() {
            return true;
        }
        let pinned = self.name.iter().flat_map(|name| {
            self.digests.iter().map(|digest| Reference { digest: Some(digest.clone()), ..name.clone() })
        });
        let names = self.name.iter().cloned();
        pattern.fits(None, id) || names.chain(pinned).any(|name| pattern.fits(Some(&name), id))
    }

    /// As people call it.
    pub(crate) fn describe(&self) -> String {
        match (&self.name, &self.id) {
            (Some(name), _) => name.familiar(),
            (None, Some(id)) => id.clone(),
            (None, None) => "that cannot be seen".to_owned(),
        }
    }

    /// The repository and a digest: what can be pulled and is always the same. `None`: no registry knows it.
    pub(super) fn pinned(&self) -> Option<String> {
        Some(format!("{}@{}", self.name.as_ref()?.name(), self.digests.first()?))
    }

    /// As programs and web hooks are asked. What is not known is left out.
    pub(super) fn to_json(&self) -> Value {
        let name = self.name.as_ref();
        let all = json!({
            "image": name.map(ToString::to_string),
            "registry": name.map(|name| &name.registry),
            "repository": name.map(|name| &name.path),
            "tag": name.and_then(|name| name.tag.as_ref()),
            "digest": self.digests.first(),
            "digests": Some(&self.digests).filter(|digests| !digests.is_empty()),
            "pinned": self.pinned(),
            "id": self.id,
        });
        match all {
            Value::Object(all) => all.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            other => other,
        }
    }
}

/// The digests of one repository, in order.
fn digests(name: Option<&Reference>, names: &[Reference]) -> Vec<String> {
    let Some(name) = name else { return Vec::new() };
    let same = names.iter().filter(|other| other.registry == name.registry && other.path == name.path);
    let mut all: Vec<String> = same.chain([name]).filter_map(|other| other.digest.clone()).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Reference {
        Reference::parse(text).unwrap().with_default_tag()
    }

    fn digest(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[test]
    fn digests_are_those_of_the_names_own_registry() {
        let names =
            ["r.test/app:1", &format!("r.test/app@{}", digest("1")), &format!("other.test/app@{}", digest("2"))];
        let names: Vec<Reference> = names.iter().map(|text| name(text)).collect();
        let known = resource::Image { id: Some(digest("3")), names, ..resource::Image::default() };
        let image = Image::here(&resource::Image { reference: Some(name("r.test/app:1")), ..known.clone() });
        assert_eq!(image.digests(), [digest("1")]);
        assert_eq!(
            image.to_json(),
            json!({
                "image": "r.test/app:1", "registry": "r.test", "repository": "app", "tag": "1", "digest": digest("1"),
                "digests": [digest("1")], "pinned": format!("r.test/app@{}", digest("1")), "id": digest("3"),
            })
        );
        let by_id = Image::here(&known);
        assert_eq!(by_id.name(), Some(&name("r.test/app:1")));
        let local = Image::here(&resource::Image { reference: Some(name("mine:1")), ..known });
        assert_eq!((local.digests(), local.digest(), local.pinned()), (&[][..], Some(digest("3").as_str()), None));
        // A tag of one's own is no way around a check of the registry's images.
        let seen = |image: &Image, pattern: &str| {
            let seen = image.seen_by(&[Pattern::parse(pattern).unwrap()])?;
            Some((seen.describe(), seen.digests.len()))
        };
        assert_eq!(seen(&local, "r.test"), Some(("r.test/app:1".to_owned(), 1)));
        assert_eq!(seen(&local, "mine"), Some(("mine:1".to_owned(), 0)));
        assert_eq!(seen(&local, "alpine"), None);
    }

    #[test]
    fn an_image_without_a_name() {
        let image = Image::here(&resource::Image { id: Some(digest("3")), ..resource::Image::default() });
        assert_eq!((image.describe(), image.to_json()), (digest("3"), json!({ "id": digest("3") })));
        assert!(image.fits(&Pattern::All) && !image.fits(&Pattern::parse("alpine").unwrap()));
    }
}
