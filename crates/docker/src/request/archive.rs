//! Archives as bodies: what each end point goes by in one, and what that asks for.

use super::{Call, Misread, build};
use crate::archive::files::{self, Finding, Summary};
use crate::archive::images::{self, Images};
use crate::archive::{Limits, Open, plugin};
use crate::body::plugin::PluginConfig;
use crate::dockerfile::Build;
use crate::endpoint::Operation;
use crate::privilege::asked::Asked;
use crate::privilege::{Privilege, SpecialFile};
use crate::resource::Image;

/// An archive that came as a body, as far as its end point goes by what it holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Archive {
    /// The context of a build: what its Dockerfile does. The other files are only copied from.
    Context(Build),
    /// Images to load: their names.
    Images(Images),
    /// Files for a container.
    Files(Summary),
    /// The files of an image that is imported: it may hold what any image may.
    Root,
    /// A plugin: its configuration. Its files are its own.
    Plugin(Box<PluginConfig>),
    /// What is not looked into.
    Unexamined,
}

impl Call {
    /// Reads the archive that came as the body, as the daemon would unpack it.
    pub fn inspect(&self, source: Open<'_>, limits: &Limits) -> Result<Archive, Misread> {
        Ok(match self.operation {
            Operation::ImageBuild if !build::is_classic(&self.query)? => Archive::Unexamined,
            Operation::ImageBuild => Archive::Context(build::context(&self.query, source, limits)?),
            Operation::ImageLoad => Archive::Images(images::images(source, limits)?),
            Operation::PutContainerArchive => Archive::Files(files::summary(source, limits)?),
            Operation::ImageCreate => {
                files::readable(source, limits)?;
                Archive::Root
            }
            Operation::PluginCreate => Archive::Plugin(Box::new(plugin::config(source, limits)?)),
            _ => Archive::Unexamined,
        })
    }
}

impl Asked<'_> {
    /// Images under names of the archive's choice.
    pub(super) fn load(&mut self, archive: &Archive) {
        let Archive::Images(images) = archive else { return self.unread() };
        self.ask(Privilege::LoadImages { unnamed: images.unnamed });
        for name in &images.names {
            self.name(Image { reference: Some(name.clone()), ..Image::default() });
        }
    }

    /// Files for a container, of which those are asked for that are more than contents: one that runs as its owner makes
    /// a process root that was judged to be none, a link or a device leads elsewhere than its name says.
    pub(super) fn copy_in(&mut self, archive: &Archive) {
        let Archive::Files(found) = archive else { return self.unread() };
        let mut ask = |kind, finding: &Finding| {
            if let Some(first) = &finding.first {
                self.ask(Privilege::CopySpecialFile { kind, path: first.clone() });
            }
        };
        ask(SpecialFile::OutsideName, &found.upwards);
        ask(SpecialFile::Device, &found.devices);
        ask(SpecialFile::SetId, &found.set_id);
        ask(SpecialFile::Capability, &found.capabilities);
        ask(
            SpecialFile::OutsideLink,
            if found.absolute_links.any() { &found.absolute_links } else { &found.escaping_links },
        );
        ask(SpecialFile::OutsideHardLink, &found.foreign_hard_links);
    }

    /// A plugin, with what its configuration grants it once it is enabled.
    pub(super) fn make_plugin(&mut self, archive: &Archive) {
        let Archive::Plugin(config) = archive else { return self.unread() };
        self.plugin(config);
    }

    /// An archive that was read as something else than its end point takes it for.
    pub(super) fn unread(&mut self) {
        self.ask(Privilege::Unexamined { part: "an archive" });
    }
}
