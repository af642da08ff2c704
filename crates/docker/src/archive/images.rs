//! What loading an archive of images (`POST /images/load`) would plant: under which names.
//!
//! `docker save` writes `manifest.json`, image tools write an OCI layout (`index.json`), the oldest
//! daemons wrote `repositories`. Which of them a daemon goes by depends on its image store, so all
//! names of all of them count. The layers are not looked at. (An import plants one image, under the
//! name that the query gives: its archive says nothing about that.)

use super::look::{self, Found, Look, Watched};
use super::{Limits, Open, Refusal};
use crate::image::Reference;
use crate::json::{self, Ignored, go_struct};
use crate::resource::Labels;

/// What would be there afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// The names, sorted, each once, with their tags.
    pub names: Vec<Reference>,
    /// Whether some image comes without a name.
    pub unnamed: bool,
}

go_struct! {
    /// An image of `manifest.json` (moby `image/tarexport`).
    struct Manifest {
        config: String = "Config",
        repo_tags: Option<Vec<String>> = "RepoTags",
        layers: Ignored = "Layers",
        parent: String = "Parent",
        layer_sources: Ignored = "LayerSources",
    }

    /// `index.json` of an OCI layout.
    struct Index {
        schema_version: Ignored = "schemaVersion",
        media_type: String = "mediaType",
        artifact_type: String = "artifactType",
        manifests: Option<Vec<Descriptor>> = "manifests",
        subject: Ignored = "subject",
        annotations: Ignored = "annotations",
    }

    /// One image of it.
    struct Descriptor {
        media_type: String = "mediaType",
        digest: String = "digest",
        size: Ignored = "size",
        urls: Ignored = "urls",
        annotations: Option<Labels> = "annotations",
        data: Ignored = "data",
        platform: Ignored = "platform",
        artifact_type: String = "artifactType",
    }
}

const MANIFEST: &str = "manifest.json";
const INDEX: &str = "index.json";
const LEGACY: &str = "repositories";
const FILES: [&str; 3] = [MANIFEST, INDEX, LEGACY];

/// containerd's full name of an image, before OCI's, which may be a tag alone.
const ANNOTATIONS: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Reads the names.
pub fn images(source: Open<'_>, limits: &Limits) -> Result<Images, Refusal> {
    let places: Vec<_> = FILES.iter().map(|name| vec![name.as_bytes().to_vec()]).collect();
    let mut pass = Look::new(source, limits).pass(&places, None)?;
    for place in &places {
        if pass.layout.resolve(place)? != *place {
            return Err(Refusal::NotAFile(look::place(place)));
        }
    }
    let mut images = Images::default();
    let mut contents = Vec::new();
    for (file, watched) in FILES.into_iter().zip(pass.watched) {
        if let Some(text) = text(watched)? {
            contents.push((file, text));
        }
    }
    for (file, text) in &contents {
        images.read(file, text).map_err(|reason| Refusal::Contents { file, reason })?;
    }
    // Without a list of images the oldest way of loading takes every folder for one.
    images.unnamed |= pass.folders && contents.iter().all(|(file, _)| *file == LEGACY);
    images.names.sort();
    images.names.dedup();
    Ok(images)
}

fn text(watched: Watched) -> Result<Option<Vec<u8>>, Refusal> {
    match watched.found {
        _ if watched.replaced => Err(Refusal::Ambiguous("two lists of images")),
        Found::Absent => Ok(None),
        Found::File(text) => Ok(Some(text)),
        Found::Other | Found::Linked { .. } => Err(Refusal::NotAFile(look::place(&watched.place))),
    }
}

impl Images {
    fn read(&mut self, file: &str, text: &[u8]) -> Result<(), String> {
        match file {
            MANIFEST => self.manifest(text),
            INDEX => self.index(text),
            _ => self.legacy(text),
        }
    }

    fn manifest(&mut self, text: &[u8]) -> Result<(), String> {
        for image in parse::<Vec<Manifest>>(text)? {
            let names = image.repo_tags.unwrap_or_default();
            self.unnamed |= names.is_empty();
            names.iter().try_for_each(|name| self.name(name))?;
        }
        Ok(())
    }

    fn index(&mut self, text: &[u8]) -> Result<(), String> {
        for image in parse::<Index>(text)?.manifests.unwrap_or_default() {
            let annotations = image.annotations.unwrap_or_default();
            let mut names = ANNOTATIONS.iter().filter_map(|key| annotations.get(*key)).filter(|name| !name.is_empty());
            match names.next() {
                Some(name) => self.name(name)?,
                None => self.unnamed = true,
            }
        }
        Ok(())
    }

    /// Names to tags to ids.
    fn legacy(&mut self, text: &[u8]) -> Result<(), String> {
        for (name, tags) in parse::<std::collections::BTreeMap<String, Labels>>(text)? {
            for tag in tags.keys() {
                self.name(&format!("{name}:{tag}"))?;
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        let reference =
            Reference::parse(name).map_err(|error| format!("`{}`: {error}", super::shown(name.as_bytes())))?;
        self.names.push(reference.with_default_tag());
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    json::read::<T>(text, &json::Options::default()).map(json::Body::into_value).map_err(|error| error.to_string())
}
