//! Images: looked at, fetched, made, named and given away.

use super::{Draft, Unsettled};
use crate::endpoint::Operation;
use crate::image::Reference;
use crate::privilege::Privilege;
use crate::privilege::asked::{Absent, Asked};
use crate::request::{Body, Call, Misread};
use crate::resource::{Image, Resource};

impl Draft<'_> {
    pub(super) fn image(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation {
            Operation::ImageList | Operation::ImagePrune => self.resources.push(Resource::Daemon),
            Operation::ImageSearch => {
                let term = self.query.value("term")?;
                let registry = term
                    .split_once('/')
                    .map(|(host, _)| host)
                    .filter(|host| host.contains(['.', ':']))
                    .unwrap_or("docker.io");
                self.asked.ask(Privilege::ContactRegistry { registry: registry.to_owned() });
                self.resources.push(Resource::Daemon);
            }
            Operation::ImageLoad => {
                if let Body::Archive(archive) = &self.body {
                    self.asked.load(archive);
                }
                self.resources.push(Resource::Daemon);
            }
            Operation::ImageCreate => self.pull_or_import()?,
            Operation::ImageCommit => self.commit()?,
            Operation::ImageGetAll => {
                let mut names = Vec::new();
                for name in self.query.all("names").map(str::to_owned).collect::<Vec<_>>() {
                    self.image_named(&name)?;
                    names.push(self.one_image(name));
                }
                self.query.set_all("names", names);
                if self.resources.is_empty() {
                    self.resources.push(Resource::Daemon);
                }
            }
            _ => self.image_of_path(call.operation)?,
        }
        Ok(())
    }

    /// The image that the path names. By id where the answer is the same; by name where the name itself
    /// is what is pushed, saved or taken away.
    fn image_of_path(&mut self, operation: Operation) -> Result<(), Unsettled> {
        let name = self.names.first().cloned().unwrap_or_default();
        if operation == Operation::ImagePush {
            // One tag, or without a tag all that there are: the name is what is pushed, whatever it stands for.
            let tag = self.query.value("tag")?;
            let image = named(&name, tag, "tag")?;
            let all_tags = image.reference.as_ref().is_none_or(|name| name.tag.is_none() && name.digest.is_none());
            let image = if all_tags { image } else { self.asked.holder(image) };
            self.resources.push(Resource::Image(image));
            return Ok(());
        }
        let id = self.image_named(&name)?;
        if operation == Operation::ImageGet {
            let one = self.one_image(name);
            self.names.first_mut().into_iter().for_each(|name| name.clone_from(&one));
        }
        if operation == Operation::ImageTag {
            let (repository, tag) = (self.query.value("repo")?.to_owned(), self.query.value("tag")?.to_owned());
            self.asked.name_image(&repository, &tag, "repo")?;
        }
        let by_id = matches!(operation, Operation::ImageInspect | Operation::ImageHistory | Operation::ImageTag);
        if let (true, Some(id), Some(name)) = (by_id, id, self.names.first_mut()) {
            *name = id;
        }
        Ok(())
    }

    /// The name under which the one image is saved that was judged: of a name without a tag the daemon would save all tags.
    fn one_image(&self, name: String) -> String {
        match self.resources.last() {
            Some(Resource::Image(Image { reference: Some(reference), .. })) => reference.familiar(),
            _ => name,
        }
    }

    /// An image that must be there. Gives its id.
    fn image_named(&mut self, name: &str) -> Result<Option<String>, Unsettled> {
        let (image, _, _) = self.asked.image(name)?;
        let id = image.id.clone();
        self.resources.push(Resource::Image(image));
        if let Some(absent) = self.asked.absent.take() {
            self.not_found = Some(absent);
        }
        Ok(id)
    }

    /// `POST /images/create` is two operations: `fromImage` pulls, else `fromSrc` imports.
    fn pull_or_import(&mut self) -> Result<(), Unsettled> {
        let given = |name| self.query.value(name).map(str::to_owned);
        let (from_image, tag, source, repository) =
            (given("fromImage")?, given("tag")?, given("fromSrc")?, given("repo")?);
        self.resources.push(Resource::Daemon);
        if !from_image.is_empty() {
            if !source.is_empty() {
                return Err(Misread::value("the query", "has both fromImage and fromSrc").into());
            }
            let image = named(&from_image, &tag, "fromImage")?;
            // Judged by the name and its tag, fetched by what it stands for.
            if let Some((reference, digest)) =
                image.reference.as_ref().and_then(|name| Some((name, self.asked.pin(name)?.clone())))
            {
                self.query.set("fromImage", reference.name());
                self.query.set("tag", digest);
            }
            self.asked.ask(Privilege::PullImage { image });
            return Ok(());
        }
        let image = if repository.is_empty() { Image::default() } else { named(&repository, &tag, "repo")? };
        if image.reference.is_some() {
            self.asked.name(image.clone());
        }
        let from = Some(source).filter(|source| source != "-");
        self.asked.ask(Privilege::ImportImage { image, from });
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Unsettled> {
        if let Body::Commit(body) = &self.body
            && body.host_config.is_some()
        {
            return Err(Misread::value("HostConfig", "means nothing to a commit").into());
        }
        let given = |name| self.query.value(name).map(str::to_owned);
        let (container, repository, tag) = (given("container")?, given("repo")?, given("tag")?);
        match self.asked.world.container(&container) {
            Some(container) => {
                self.query.set("container", container.id.clone());
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {container}") }),
        }
        if !repository.is_empty() {
            self.asked.name_image(&repository, &tag, "repo")?;
        }
        // An image of it holds what it has seen.
        self.driven()
    }

    pub(super) fn build(&mut self, call: &Call) -> Result<(), Unsettled> {
        self.resources.push(Resource::Daemon);
        if call.operation == Operation::ImageBuild {
            self.asked.build(&mut self.query)?;
            if let Body::Archive(archive) = &self.body {
                self.asked.building(archive, &mut self.query, self.fetched)?;
            }
        }
        Ok(())
    }

    /// A question to a registry about an image.
    pub(super) fn distribution(&mut self, call: &Call) -> Result<(), Unsettled> {
        let image = named(call.names.first().map_or("", String::as_str), "", "the path")?;
        let registry = image.reference.as_ref().map(|reference| reference.registry.clone()).unwrap_or_default();
        self.resources.push(Resource::Image(image));
        self.asked.ask(Privilege::ContactRegistry { registry });
        Ok(())
    }
}

impl Asked<'_> {
    /// A name that an image is given.
    pub(crate) fn name_image(&mut self, repository: &str, tag: &str, field: &str) -> Result<(), Misread> {
        let image = named(repository, tag, field)?;
        self.name(image);
        Ok(())
    }

    /// The name, with the tag that it will have. It may be another image's: giving it away takes it from there.
    pub(crate) fn name(&mut self, image: Image) {
        let reference = image.reference.map(Reference::with_default_tag);
        let image = self.holder(Image { reference, ..image });
        self.ask(Privilege::NameImage { image });
    }

    /// The image that has this name now, where there is one.
    pub(crate) fn holder(&self, named: Image) -> Image {
        let Some(reference) = named.reference.clone().map(Reference::with_default_tag) else { return named };
        match self.world.image(&reference.to_string()) {
            Some(known) if known.image.names.iter().any(|name| name.same_as(&reference)) => {
                Image { id: known.image.id.clone(), ownership: known.image.ownership.clone(), ..named }
            }
            _ => named,
        }
    }
}

/// An image by its name, with the tag or digest given beside it. The daemon lets the one given beside
/// replace the one in the name, so both together are refused.
fn named(repository: &str, tag: &str, field: &str) -> Result<Image, Misread> {
    let mut reference =
        Reference::parse(repository).map_err(|_| Misread::value(field, "is not the name of an image"))?;
    if !tag.is_empty() {
        let separator = if tag.contains(':') { '@' } else { ':' };
        let untagged = reference.tag.is_none() && reference.digest.is_none();
        let whole = format!("{repository}{separator}{tag}");
        reference = Reference::parse(&whole)
            .ok()
            .filter(|_| untagged)
            .ok_or_else(|| Misread::value(field, "and the tag together are not the name of an image"))?;
    }
    Ok(Image { reference: Some(reference), ..Image::default() })
}
